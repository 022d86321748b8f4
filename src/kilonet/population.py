"""Problems trained side by side: networks of several shapes, folds with rows of their own, or just one.

Memory is asked for, engines run in slices that leave Ctrl-C its chance, and what came out becomes `Runs`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, reduce
from operator import add
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kilonet.engine import Problem, choose, opened
from kilonet.engine.interrupt import CtrlC
from kilonet.engine.memory import allowed_bytes, require
from kilonet.engine.planner import Plan
from kilonet.engine.state import kept_theta
from kilonet.errors import DataError, SettingError, ShapeError
from kilonet.history import METRICS, EpochRecord, History
from kilonet.monitors import width
from kilonet.recipe import Recipe
from kilonet.record import Runs

Array = NDArray[Any]
Floats = NDArray[np.float64]
Callback = Callable[[EpochRecord], Any]

PATIENCE = 0.1  # seconds of an engine call at most: how long Ctrl-C may go unseen


@dataclass(frozen=True, eq=False)
class Group:
    """Members of a population that one problem describes.

    places: where they stand in the population. theta (P, n): where to start, None for the initializers;
    state: an earlier run's, which goes on.
    """

    problem: Problem
    places: tuple[int, ...]
    theta: Any = None
    state: Mapping[str, Array] | None = None

    @classmethod
    def whole(cls, problem: Problem, theta: Any = None, state: Mapping[str, Array] | None = None) -> "Group":
        """The only group of a population."""
        return cls(problem, tuple(range(problem.recipe.n_members)), theta, state)

    def start(self) -> Array:
        """The parameters (P, n) before the first step."""
        network, recipe = self.problem.network, self.problem.recipe
        if self.state is not None:
            if self.theta is not None:
                raise SettingError(
                    "theta and state came together; a state holds its own parameters, so leave theta out."
                )
            return np.asarray(self.state.get("theta"))
        if self.theta is None:
            return network.initial(seeds=recipe.seeds, dtype=recipe.dtype)
        start = np.atleast_2d(np.asarray(self.theta, dtype=recipe.dtype))
        needed = (recipe.n_members, network.n_parameters)
        if start.shape != needed:
            raise ShapeError(
                f"theta has shape {np.shape(self.theta)}; needs {needed}, members (one per seed) × parameters."
            )
        if not np.isfinite(start).all():
            raise DataError("theta holds infinity or NaN; training has to start from finite parameters.")
        return start


class Population:
    """Groups in training; use it in a `with`, which frees the engines' memory.

    Raises MemoryLimitError before it takes any memory where the groups need more than they may take: the
    least `max_memory` of their recipes, or half of what is free.
    """

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = list(groups)
        self.n_members = sum(len(group.places) for group in groups)
        self._engines = [choose(group.problem) for group in groups]
        self._needed = sum(
            engine.needed_bytes([g.problem for g, own in zip(groups, self._engines, strict=True) if name == own.NAME])
            for name, engine in {engine.NAME: engine for engine in self._engines}.items()
        )
        asked = [g.problem.recipe.max_memory for g in groups if g.problem.recipe.max_memory is not None]
        self._allowed = allowed_bytes(min(asked, default=None), self._needed)
        require(self._needed, self._allowed, self.n_members)
        self.sessions = opened(self._engines, [(group.problem, group.start(), group.state) for group in groups])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for session in self.sessions:
            session.close()

    @property
    def done(self) -> bool:
        """Whether no member has anything left to do."""
        return all(session.done for session in self.sessions)

    @property
    def epoch(self) -> int:
        """Epochs that every member still training has completed; of a finished population the maximum."""
        live = [session.epoch for session in self.sessions if not session.done]
        return int(min(live) if live else max(session.epoch for session in self.sessions))

    @cached_property
    def plan(self) -> Plan:
        """How the members are trained."""
        plan: Plan = reduce(add, (session.plan() for session in self.sessions))
        return replace(plan, bytes=self._needed, max_memory=self._allowed)

    def advance(self, epochs: int, seconds: float) -> int:
        """Train until `epochs` more are complete or `seconds` have passed; returns the completed epochs."""
        goal = self.epoch + epochs
        for name, engine in {engine.NAME: engine for engine in self._engines}.items():
            own = [s for s, e in zip(self.sessions, self._engines, strict=True) if name == e.NAME and not s.done]
            if own:
                engine.advance(own, goal, seconds)
        return self.epoch

    def train(self, callback: Callback | None = None, single: bool = False, begun: float = 0.0) -> bool:
        """Advance to the end, a callback's True, or Ctrl-C; returns whether it was Ctrl-C."""
        epochs = max(group.problem.recipe.epochs for group in self.groups)
        with CtrlC() as ctrl_c:
            try:
                while not self.done and not ctrl_c.pressed:
                    before = self.epoch
                    after = self.advance(epochs if callback is None else 1, PATIENCE)
                    if callback is None or after == before:
                        continue
                    if callback(self._epoch_record(epochs, begun, single)):
                        break
            except KeyboardInterrupt:
                if ctrl_c.pressed:  # for the second time: whoever waits for us is in a hurry
                    raise
                return True
            return ctrl_c.pressed

    def _epoch_record(self, epochs: int, begun: float, single: bool) -> EpochRecord:
        epoch = self.epoch
        row, monitors = self.history(epoch - 1)[0], self.monitors(epoch - 1)[0]
        values: dict[str, Any] = {name: float(row[0, i]) if single else row[:, i] for i, name in enumerate(METRICS)}
        values["monitors"] = monitors[0] if single else monitors
        return EpochRecord(epoch, epochs, seconds=time.perf_counter() - begun, **values)

    def history(self, first: int = 0) -> Floats:
        """The curves (epochs, members, 4) of the epochs from `first` on, each member at its place."""
        return self._side_by_side([session.history(first) for session in self.sessions], len(METRICS))

    def monitors(self, first: int = 0) -> NDArray[np.float32]:
        """The monitors (epochs, members, numbers) of these epochs; NaN for layers that a network lacks."""
        numbers = width(max(group.problem.network.n_layers for group in self.groups))
        return self._side_by_side([session.monitors(first) for session in self.sessions], numbers)

    def _side_by_side(self, parts: list[Array], numbers: int) -> Array:
        """Rows of epochs of all groups, each member at its place."""
        if len(parts) == 1:
            return parts[0]
        found = np.full((max(len(part) for part in parts), self.n_members, numbers), np.nan, parts[0].dtype)
        for group, part in zip(self.groups, parts, strict=True):
            found[: len(part), group.places, : part.shape[-1]] = part
        return found

    def runs(self, place: int, single: bool, interrupted: bool, begun: float, *, last: bool = False) -> Runs:
        """What a group ends with; single: without the member axis; last: free its memory as soon as it is read."""
        session, problem, plan = self.sessions[place], self.groups[place].problem, self.plan
        state = session.state()
        if last:
            session.close()
        # Also where training was cut short, the best parameters so far are what is worth having.
        theta, best_epoch = kept_theta(state)
        per_member = {"best_epoch": best_epoch, "stopped_epoch": state["stopped"], "diverged": state["diverged"]}
        return Runs(
            network=problem.network,
            loss=problem.loss.member(0) if single else problem.loss,
            recipe=problem.recipe,
            theta=theta[0] if single else theta,
            history=History.of(state["history"], single, state["monitors"]),
            interrupted=interrupted,
            plan=plan,
            state=state,
            seconds=time.perf_counter() - begun,
            **{name: int(value[0]) if single else value for name, value in per_member.items()},
        )


def mixed_groups(problem: Problem, networks: Sequence[Any], theta: Any, state: Any) -> list[Group]:
    """Groups of members with equal networks; `problem` describes all members but for their networks.

    theta: None or one array per member. state: None or what `merged` made.
    """
    places: dict[Any, list[int]] = {}
    for member, network in enumerate(networks):
        places.setdefault(network, []).append(member)
    groups = []
    for number, (network, own) in enumerate(places.items()):
        start = None if theta is None else np.stack([theta[member] for member in own])
        mine = None if state is None else _group_state(state, number, own)
        groups.append(Group(problem.members(own, network), tuple(own), start, mine))
    return groups


def _group_state(state: Mapping[str, Array], number: int, places: Sequence[int]) -> dict[str, Array]:
    """The state of a group. Raises SettingError for that of a population with other networks."""
    mine = {name.partition(".")[2]: value for name, value in state.items() if name.startswith(f"{number}.")}
    if not np.array_equal(mine.pop("places", []), places):
        raise SettingError(
            "the state is that of a population with other networks, or with them in another order; "
            "give the networks that it was made with."
        )
    return mine


def merged(population: Population, recipe: Recipe, loss: Any, interrupted: bool, begun: float) -> Runs:
    """One record of members whose networks differ: theta is a list, the state names the groups."""
    history, monitors = population.history(), population.monitors()
    parts = [population.runs(i, False, interrupted, begun, last=True) for i in range(len(population.groups))]
    members = range(recipe.n_members)
    networks: dict[int, Any] = {}
    theta: dict[int, Array] = {}
    counts = {name: np.zeros(recipe.n_members, np.int64) for name in ("best_epoch", "stopped_epoch", "diverged")}
    state: dict[str, Array] = {}
    for number, (group, part) in enumerate(zip(population.groups, parts, strict=True)):
        places = list(group.places)
        networks |= dict.fromkeys(places, part.network)
        theta |= dict(zip(places, part.theta, strict=True))
        for name, values in counts.items():
            values[places] = getattr(part, name)
        state |= {f"{number}.{name}": value for name, value in part.state.items()}
        state[f"{number}.places"] = np.array(places)
    return Runs(
        network=tuple(networks[member] for member in members),
        loss=loss,
        recipe=recipe,
        theta=[theta[member] for member in members],
        history=History.of(history, single=False, monitors=monitors),
        interrupted=interrupted,
        plan=population.plan,
        state=state,
        seconds=time.perf_counter() - begun,
        **counts,
    )
