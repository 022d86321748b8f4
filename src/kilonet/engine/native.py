"""The native engine: the C++ kernel behind the seam of `kilonet.engine`.

Members train in crews: packs of networks of one shape in the lanes of vectors, or single networks whose columns
fill them (`kilonet.engine.planner`). Whole epochs run inside one call of the kernel with the GIL released; threads
take crew after crew, or share the rows and the weights of one where there are fewer crews than threads.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.engine import machine
from kilonet.engine.crews import Factors, KernelCrew
from kilonet.engine.machine import instruction_set, instruction_sets
from kilonet.engine.memory import batch_bytes, itemsize, member_bytes
from kilonet.engine.packed import Predictor, scores, value_and_grad
from kilonet.engine.planner import Plan, pays, plan
from kilonet.engine.problem import Problem
from kilonet.engine.state import (
    INSIDE,
    State,
    fresh_state,
    inside_an_epoch,
    kept_theta,
    live_members,
    restored_state,
)
from kilonet.engine.translate import described, packed_size

Array = NDArray[Any]
Floats = NDArray[np.float64]

__all__ = [
    "NAME", "Predictor", "Session", "advance", "instruction_set", "instruction_sets", "needed_bytes", "scores",
    "value_and_grad",
]  # fmt: skip

NAME = "native"
_NUMBER = 2
_OF_ALL = ("theta", "start_theta", "slots")  # what every crew writes whole
_FOREVER = 1e9
_SCRATCH = 40_000  # numbers that every thread has for itself, beside those that grow with the widths
_PADDING = 64  # numbers that a row of a buffer may be longer than its units


class Session:
    """One run, advanced piece by piece; see `kilonet.engine` for what every engine's Session does."""

    def __init__(self, problem: Problem, theta: Array, state: Mapping[str, Array] | None = None) -> None:
        self.problem = problem
        begin = fresh_state(problem, theta) if state is None else restored_state(problem, state, _NUMBER)
        self._resting = begin  # who is in no crew has its state here
        self._settings = machine.settings(problem.recipe.dtype, described(problem))
        self._schedules = problem.recipe.each("schedule")
        self._factors = {schedule: Factors(problem, schedule) for schedule in set(self._schedules)}
        self.pool = machine.pool()
        self.crews: list[KernelCrew] = []
        self._muster(live_members(begin, problem.recipe.epochs).tolist())

    def _muster(self, members: Sequence[int]) -> None:
        """Form crews of members that are resting."""
        lanes, step = machine.lanes(self.problem.recipe.dtype), self._resting["step"].tolist()
        for crew in plan(self.problem, members, step, lanes):
            factors = self._factors[self._schedules[crew.members[0]]]
            kernel = KernelCrew(self.problem, crew, self._settings, factors)
            kernel.load(self._resting)
            self.crews.append(kernel)

    @property
    def done(self) -> bool:
        """Whether no member has anything left to do."""
        return not any(crew.live for crew in self.crews)

    @property
    def epoch(self) -> int:
        """Epochs that every live member has completed; of a finished run the maximum."""
        live = [crew.epoch for crew in self.crews if crew.live]
        return min(live) if live else self._rows()

    def advance(self, epochs: int, seconds: float | None = None) -> int:
        """Train until `epochs` more are complete or `seconds` have passed; returns the completed epochs."""
        advance([self], self.epoch + epochs, seconds)
        return self.epoch

    def plan(self) -> Plan:
        """How its members are trained."""
        recipe, packed = self.problem.recipe, [crew for crew in self.crews if crew.packed]
        lanes = machine.lanes(recipe.dtype)
        return Plan(
            NAME,
            instruction_set(),
            lanes,
            packs=len(packed),
            members_in_packs=sum(len(crew.members) for crew in packed),
            single_members=recipe.n_members - sum(len(crew.members) for crew in packed),
            threads=_most_threads([self.problem]),
            too_few=(len(self.crews) - len(packed)) * pays(self.problem.network, self.problem.batch, lanes, lanes),
        )

    def _rows(self) -> int:
        """Epochs that the member farthest ahead has completed."""
        return max([int(self._resting["epoch"].max()), *(crew.rows for crew in self.crews)])

    def history(self, first: int = 0) -> Floats:
        """Loss, score, validation loss and validation score, (epochs, P, 4), of the epochs from `first` on."""
        rested = self._resting["history"][first:]
        found = np.full((max(self._rows() - first, 0), self.problem.recipe.n_members, 4), np.nan)
        found[: len(rested)] = rested[: len(found)]
        for crew in self.crews if len(found) else ():
            crew.kernel.store_history(found, first, crew.members)
        return found

    def monitors(self, first: int = 0) -> Array:
        """What `kilonet.monitors` says, (epochs, P, width), of the epochs from `first` on."""
        rested = self._resting["monitors"][first:]
        found = np.full((max(self._rows() - first, 0), *rested.shape[1:]), np.nan, np.float32)
        found[: len(rested)] = rested[: len(found)]
        for crew in self.crews if len(found) else ():
            crew.kernel.store_monitors(found, first, crew.members)
        return found

    def theta(self) -> Array:
        """Parameters (P, n): the best ones of members that are through, where stopping is set."""
        state = self.state()
        current = state["theta"]
        if "best_theta" in state:
            through = np.ones(len(current), dtype=bool)
            through[live_members(state, self.problem.recipe.epochs)] = False
            current[through] = kept_theta(state)[0][through]
        return current

    def state(self) -> State:
        """A copy of everything that exact resumption needs, as `kilonet.engine.state` describes it."""
        # A large network's parameters take longer to copy than a batch to train on: each is written once.
        all_in_crews = sum(len(crew.members) for crew in self.crews) == self.problem.recipe.n_members
        state = {
            name: np.empty_like(value) if all_in_crews and name in _OF_ALL else value.copy()
            for name, value in self._resting.items()
        }
        state |= {"history": self.history(), "monitors": self.monitors()}
        for crew in self.crews:
            crew.store(state)
        inside = inside_an_epoch(self.problem, state)
        state["maker"] = np.where(inside, _NUMBER, 0)
        if not inside.any():
            for name in INSIDE:
                del state[name]
            return state
        for crew in self.crews:
            crew.kernel.store_start(state["start_theta"], crew.members)
            crew.kernel.store_opening(state["opening"], crew.members)
        state["opening"][~inside] = np.nan
        return state

    def close(self) -> None:
        """Free the kernel's memory."""
        self.crews = []


def advance(sessions: Sequence[Session], epoch: int, seconds: float | None = None) -> None:
    """Train several sessions side by side until each has completed `epoch` epochs or `seconds` have passed."""
    ends = None if seconds is None else time.monotonic() + seconds
    pool, threads = sessions[0].pool, _most_threads(session.problem for session in sessions)
    adapt = any(session.problem.recipe.n_threads is None for session in sessions)
    while True:
        entries = [
            crew.entry(min(epoch, session.problem.recipe.epochs))
            for session in sessions
            for crew in session.crews
            if crew.live and crew.epoch < epoch
        ]
        if not entries:
            return
        left = _FOREVER if ends is None else max(ends - time.monotonic(), 0.0)
        pool.run(entries, left, adapt, threads)
        if ends is not None and time.monotonic() >= ends:
            return


def needed_bytes(problems: Sequence[Problem]) -> int:
    """Memory that runs need side by side, about and at most, beside their data."""
    threads = _most_threads(problems)
    batches = [batch_bytes(problem, machine.lanes(problem.recipe.dtype), _PADDING) for problem in problems]
    scratch = [(_SCRATCH + 64 * max(p.network.sizes) * 16) * itemsize(p) for p in problems]
    return sum(_member_bytes(problem) for problem in problems) + threads * (max(batches) + max(scratch))


def _member_bytes(problem: Problem) -> int:
    """Memory of a run's members, in the kernel and in the state and record that are made of it."""
    recipe, lanes = problem.recipe, machine.lanes(problem.recipe.dtype)
    stopping = any(rule is not None for rule in recipe.each("stopping"))
    copies = 2 + recipe.optimizer.n_slots + stopping  # in the kernel: parameters, those of the epoch's start
    crews = plan(problem, range(recipe.n_members), [0] * recipe.n_members, lanes)
    packs = sum(crew.packed for crew in crews)
    kernel = packs * packed_size(problem.network, lanes, lanes) * copies
    group = 64 // itemsize(problem)
    kernel += (len(crews) - packs) * packed_size(problem.network, 1, group) * (copies + 1)  # and for the way back
    # The start, the state, its start of an epoch, the state at the end and the result.
    arrays = 5 + 2 * (recipe.optimizer.n_slots + stopping)
    return member_bytes(problem, arrays) + kernel * itemsize(problem)


def _most_threads(problems: Iterable[Problem]) -> int:
    """Threads for all: as many as the one that asks for the most, or as there are where one leaves it open."""
    asked = [problem.recipe.n_threads for problem in problems]
    return machine.thread_count(None if None in asked else max(n for n in asked if n is not None), np.inf)
