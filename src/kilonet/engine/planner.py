"""Which members train together: packs of networks side by side in the lanes of a vector, or single ones.

A pack trains as many members of equal shape as a vector has lanes, a *crew* of them, in a few times the time of
one. A wide network fills the vectors by itself, and a pack of such would not stay in the caches. Members of several
runs, such as the folds of a cross-validation, may share a pack, each lane with rows of its own. Results do not
depend on the plan: a member has the same bits in every crew.
"""

import os
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import NamedTuple

import scipy.sparse

from kilonet.checks import choice, size
from kilonet.engine.problem import Problem
from kilonet.network import Network


class Part(NamedTuple):
    """A run: its problem, those of its members that are to train, and at which step each of all its members is."""

    problem: Problem
    members: Sequence[int]
    step: Sequence[int]


_TOO_FEW = (
    "too few of one network, number of rows, order and schedule for a pack, of which it takes more where each has rows "
    "of its own"
)
Place = tuple[int, int]  # the number of a part, and a member of it


@dataclass(frozen=True)
class Crew:
    """Members that train together; packed: in the lanes of vectors.

    seats: of each run that has members in it, its number and their places.

    >>> Crew(((0, (1, 2)), (1, (0,))), packed=True).size
    3
    """

    seats: tuple[tuple[int, tuple[int, ...]], ...]
    packed: bool

    @classmethod
    def of(cls, pack: Sequence[Place], packed: bool) -> "Crew":
        """A crew of these members; those of one part are neighbours."""
        runs = groupby(pack, key=lambda place: place[0])
        return cls(tuple((part, tuple(member for _, member in own)) for part, own in runs), packed)

    @property
    def size(self) -> int:
        """How many members it has."""
        return sum(len(members) for _, members in self.seats)


def plan(parts: Sequence[Part], lanes: Callable[[str], int]) -> list[Crew]:
    """The crews of all parts; lanes: of a vector of numbers of a type.

    Who shares a pack shares the places of the rows in every batch, the order of the rows and the schedule.
    """
    keys: dict[Hashable, list[Place]] = {}
    for number, (problem, members, step) in enumerate(parts):
        company = _company(problem, number)
        orders, schedules = problem.recipe.orders, problem.recipe.each("schedule")
        for member in members:
            key = company, orders[member], schedules[member], step[member]
            keys.setdefault(key, []).append((number, member))
    crews = []
    for group in keys.values():
        problem = parts[group[0][0]].problem
        crews += _crews(problem, group, lanes(problem.recipe.dtype))
    return crews


def _company(problem: Problem, number: int) -> Hashable:
    """What runs have in common whose members may share a pack; sparse rows are not read side by side."""
    valid = problem.validation
    if scipy.sparse.issparse(problem.X) or (valid is not None and scipy.sparse.issparse(valid.X)):
        return number
    validated = None if valid is None else (valid.X.shape[0], valid.weights is None)
    loss = type(problem.loss), problem.loss.kind(problem.targets)
    return problem.network, problem.recipe.shared, *loss, problem.n_rows, problem.weights is None, validated


def _crews(problem: Problem, group: Sequence[Place], lanes: int) -> list[Crew]:
    """Full packs of one part each, whose lanes share their rows; what is left over of all parts as it takes least time.

    Left over, members of one part may still fill enough of a pack by themselves, or share packs with those of others,
    each lane with rows of its own, which takes longer.
    """
    crews, rests = [], []
    for _, same in groupby(group, key=lambda place: place[0]):
        own = list(same)
        full = len(own) // lanes * lanes
        crews += _manned(problem, own[:full], lanes)
        rests += [own[full:]] if full < len(own) else []
    apart = [_manned(problem, rest, lanes) for rest in rests]
    poor = [place for rest, own in zip(rests, apart, strict=True) if not own[0].packed for place in rest]
    shared = _manned(problem, [place for rest in rests for place in rest], lanes)
    if _asked():
        return crews + shared
    some = [crew for own in apart if own[0].packed for crew in own] + _manned(problem, poor, lanes)
    plans = [[crew for own in apart for crew in own], some, shared]
    return crews + min(plans, key=lambda plan: sum(_cost(problem, crew, lanes) for crew in plan))


def _manned(problem: Problem, places: Sequence[Place], lanes: int) -> list[Crew]:
    """Members as packs of as many as there are lanes, or by themselves where a pack takes longer."""
    crews = []
    for start in range(0, len(places), lanes):
        pack = Crew.of(places[start : start + lanes], packed=True)
        if pays(problem.network, problem.batch, pack.size, lanes, own_rows=len(pack.seats) > 1):
            crews.append(pack)
        else:
            crews += [Crew.of([place], packed=False) for place in places[start : start + lanes]]
    return crews


def _cost(problem: Problem, crew: Crew, lanes: int) -> float:
    """Time of a step of a crew."""
    if not crew.packed:
        return single_cost(problem.network, problem.batch, lanes)
    extra = own_rows_cost(problem.network, problem.batch) if len(crew.seats) > 1 else 0.0
    return pack_cost(problem.network, problem.batch, lanes) + extra


def pays(network: Network, batch: int, members: int, lanes: int, *, own_rows: bool = False) -> bool:
    """Whether a pack of so many members is quicker than one after another; own_rows: of members with rows of their own.

    >>> pays(Network([2, 20, 2]), batch=32, members=8, lanes=8)
    True
    >>> pays(Network([784, 1024, 1024, 10]), batch=256, members=8, lanes=8)
    False
    """
    asked = _asked()
    if asked:
        return asked == "networks"
    if lanes == 1 or members == 1:
        return False
    pack = pack_cost(network, batch, lanes) + (own_rows_cost(network, batch) if own_rows else 0.0)
    return pack < members * single_cost(network, batch, lanes)


# Measured nanoseconds: of a step, whatever it does; for each example, of a multiply-add of vectors and of what a
# unit of a hidden layer and an output take beside. Only their proportions matter, which differ little between
# processors; where both ways cost about the same, either will do.
_PACK, _SINGLE = 500.0, 700.0
_MULTIPLY_ADD, _HIDDEN, _OUTPUT = 0.2, 2.2, 12.0
_GATHER, _READ = 3.5, 0.35  # of an input of an example, and for each unit above it, where each lane has its own rows
_CACHE, _BEYOND = 2 * 2**20, 1.2  # bytes of weights that stay near, and how much longer it takes with more


def pack_cost(network: Network, batch: int, lanes: int) -> float:
    """Time of one step of a whole pack: a vector for each number of a network."""
    weights = 4 * network.n_parameters * lanes
    return (_PACK + batch * _example_cost(network, lambda n: n)) * (_BEYOND if weights > _CACHE else 1.0)


def own_rows_cost(network: Network, batch: int) -> float:
    """Time that a step of a pack takes more where each lane has rows of its own."""
    readers = [layer for layer, sources in zip(network.layers, network.graph.sources, strict=True) if 0 in sources]
    return batch * network.n_inputs * (_GATHER + _READ * sum(layer.units * layer.pieces for layer in readers))


def single_cost(network: Network, batch: int, lanes: int) -> float:
    """Time of one step of a network by itself: as many numbers in a vector as there are lanes."""
    return _SINGLE + batch * _example_cost(network, lambda n: -(-n // lanes))


def _example_cost(network: Network, vectors: Callable[[int], int]) -> float:
    """Time of one example; vectors: how many hold so many numbers."""
    total = 0.0
    for place, (layer, fan_in, sources) in enumerate(
        zip(network.layers, network.fan_ins, network.graph.sources, strict=True)
    ):
        width, inputs = vectors(layer.units * layer.pieces), sources.count(0) * network.n_inputs
        total += _MULTIPLY_ADD * width * (3 * fan_in - inputs)  # nothing goes back to the inputs of the network
        total += (_OUTPUT if place == network.n_layers - 1 else _HIDDEN) * width
    return total


def _asked() -> str:
    """What KILONET_PACKING asks for: "columns", "networks", or nothing."""
    asked = os.environ.get("KILONET_PACKING", "")
    return choice("the environment variable KILONET_PACKING", asked, ("columns", "networks")) if asked else ""


@dataclass(frozen=True)
class Plan:
    """How a population is trained, and what that needs.

    engine; instruction_set ("" where the engine has none); lanes: networks in a pack; packs, members_in_packs,
    single_members: who trains how; threads: at most; bytes: of memory that training needs, about; max_memory:
    bytes that it may take, None where nothing was said and little is needed or what is free is not known; too_few:
    those of the single members whose network would gain from a pack, had they enough of their kind to fill one.

    >>> print(Plan("native", "x86-64-v3", 8, packs=125, members_in_packs=1000, threads=2, bytes=3_400_000))
    1000 members: 125 packs of up to 8 networks; native engine, x86-64-v3, at most 2 threads, about 3.4 MB of memory
    >>> print(Plan("native", lanes=8, single_members=3, too_few=3))
    3 members: 3 by themselves (too few of one network, number of rows, order and schedule for a pack, of which ...
    """

    engine: str
    instruction_set: str = ""
    lanes: int = 1
    packs: int = 0
    members_in_packs: int = 0
    single_members: int = 0
    threads: int = 1
    bytes: int = 0
    max_memory: int | None = None
    too_few: int = 0

    def __add__(self, other: "Plan") -> "Plan":
        """Both parts of one population."""
        names = list(dict.fromkeys([*self.engine.split(" and "), *other.engine.split(" and ")]))
        summed = ("packs", "members_in_packs", "single_members", "bytes", "too_few")
        return replace(
            self,
            engine=" and ".join(names),
            instruction_set=self.instruction_set or other.instruction_set,
            lanes=max(self.lanes, other.lanes),
            threads=max(self.threads, other.threads),
            **{name: getattr(self, name) + getattr(other, name) for name in summed},
        )

    def __str__(self) -> str:
        members = self.members_in_packs + self.single_members
        packs = f"{self.packs} pack{'s' if self.packs > 1 else ''} of up to {self.lanes} networks"
        shares = [packs] if self.packs else ["in packs of others"] if self.members_in_packs else []
        if self.single_members:
            alone = f"{self.single_members} by {'itself' if self.single_members == 1 else 'themselves'}"
            which = "" if self.too_few == self.single_members else f"{self.too_few}: "
            why = f" ({which}{_TOO_FEW})"
            shares.append(alone + (why if self.too_few and members > 1 else ""))
        kernel = f", {self.instruction_set}" if self.instruction_set else ""
        threads = f"at most {self.threads} thread{'s' if self.threads > 1 else ''}"
        allowed = "" if self.max_memory is None else f" (of {size(self.max_memory)} allowed)"
        return (
            f"{members} member{'s' if members > 1 else ''}: {', '.join(shares)}; {self.engine} engine{kernel}, "
            f"{threads}, about {size(self.bytes)} of memory{allowed}"
        )
