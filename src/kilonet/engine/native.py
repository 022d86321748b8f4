"""The native engine: the C++ kernel behind the seam of `kilonet.engine`.

Members train in crews: packs of networks of one shape in the lanes of vectors, also of several runs, or single
networks whose columns fill them (`kilonet.engine.planner`). Whole epochs run inside one call of the kernel with the
GIL released; threads take crew after crew, or share the rows and weights of one where crews are few.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.engine import machine
from kilonet.engine.crews import Factors, KernelCrew, Seats, crew_bytes, kept_copies, thread_bytes, workspace_bytes
from kilonet.engine.machine import instruction_set, instruction_sets
from kilonet.engine.memory import member_bytes
from kilonet.engine.packed import Predictor, scores, value_and_grad
from kilonet.engine.planner import Part, Plan, pays, plan
from kilonet.engine.problem import Problem
from kilonet.engine.state import (
    INSIDE,
    PARAMETERS,
    State,
    inside_an_epoch,
    kept_theta,
    lent_again,
    lent_state,
    live_members,
)
from kilonet.engine.translate import described

Array = NDArray[Any]
Floats = NDArray[np.float64]

__all__ = [
    "NAME", "Predictor", "Session", "advance", "instruction_set", "instruction_sets", "needed_bytes", "scores",
    "sessions", "value_and_grad",
]  # fmt: skip

NAME = "native"
_NUMBER = 2
_FOREVER = 1e9


class Session:
    """One run, advanced piece by piece; see `kilonet.engine` for what every engine's Session does.

    alone: whether its members train without those of other runs, who would else be mustered together.
    """

    def __init__(
        self, problem: Problem, theta: Array, state: Mapping[str, Array] | None = None, *, alone: bool = True
    ) -> None:
        self.problem = problem
        # Parameters are lent until whoever trains has loaded them: a large network has no room for another copy.
        self.resting = lent_state(problem, theta) if state is None else lent_again(problem, state, _NUMBER)
        self.settings = machine.settings(problem.recipe.dtype, described(problem))
        self._schedules = problem.recipe.each("schedule")
        self._factors = {schedule: Factors(problem, schedule) for schedule in set(self._schedules)}
        self.pool = machine.pool()
        self.crews: list[Seats] = []  # where its members train
        self._apart: list[int] = []  # who is in none of them
        if alone:
            muster([self])

    def take(self, seats: Seats) -> None:
        """Members train there from now on."""
        self.crews.append(seats)

    def rest(self) -> None:
        """Whoever trains is in a crew: of the parameters only those of the others are kept, in memory of our own."""
        trained = {member for crew in self.crews for member in crew.members}
        self._apart = [member for member in range(self.problem.recipe.n_members) if member not in trained]
        for name in PARAMETERS:
            if name in self.resting:
                self.resting[name] = self.resting[name][..., self._apart, :]

    def open(self) -> Part:
        """Those of its members that have something left to do, who are to be mustered."""
        live = live_members(self.resting, self.problem.recipe.epochs).tolist()
        return Part(self.problem, live, self.resting["step"].tolist())

    def factors(self, member: int) -> Factors:
        """Of a member's schedule."""
        return self._factors[self._schedules[member]]

    @property
    def done(self) -> bool:
        """Whether no member has anything left to do."""
        return not any(crew.live for crew in self.crews)

    @property
    def epoch(self) -> int:
        """Epochs that every live member has completed; of a finished run the maximum."""
        live = [seats.crew.epoch for seats in self.crews if seats.live]
        return min(live) if live else self._rows()

    def advance(self, epochs: int, seconds: float | None = None) -> int:
        """Train until `epochs` more are complete or `seconds` have passed; returns the completed epochs."""
        advance([self], self.epoch + epochs, seconds)
        return self.epoch

    def plan(self) -> Plan:
        """How its members are trained."""
        recipe, packed = self.problem.recipe, [seats for seats in self.crews if seats.crew.packed]
        lanes = machine.lanes(recipe.dtype)
        return Plan(
            NAME,
            instruction_set(),
            lanes,
            packs=sum(seats.leads for seats in packed),
            members_in_packs=sum(len(seats.members) for seats in packed),
            single_members=recipe.n_members - sum(len(seats.members) for seats in packed),
            threads=_most_threads([self.problem]),
            too_few=(len(self.crews) - len(packed)) * pays(self.problem.network, self.problem.batch, lanes, lanes),
        )

    def _rows(self) -> int:
        """Epochs that the member farthest ahead has completed."""
        return max([int(self.resting["epoch"].max()), *(crew.rows for crew in self.crews)])

    def history(self, first: int = 0) -> Floats:
        """Loss, score, validation loss and validation score, (epochs, P, 4), of the epochs from `first` on."""
        rested = self.resting["history"][first:]
        found = np.full((max(self._rows() - first, 0), self.problem.recipe.n_members, 4), np.nan)
        found[: len(rested)] = rested[: len(found)]
        for crew in self.crews if len(found) else ():
            crew.crew.kernel.store_history(found, first, crew.places)
        return found

    def monitors(self, first: int = 0) -> Array:
        """What `kilonet.monitors` says, (epochs, P, width), of the epochs from `first` on."""
        rested = self.resting["monitors"][first:]
        found = np.full((max(self._rows() - first, 0), *rested.shape[1:]), np.nan, np.float32)
        found[: len(rested)] = rested[: len(found)]
        for crew in self.crews if len(found) else ():
            crew.crew.kernel.store_monitors(found, first, crew.places)
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
        state = {name: self._of_all(name) for name in self.resting if name not in INSIDE}
        state |= {"history": self.history(), "monitors": self.monitors()}
        for crew in self.crews:
            crew.store(state)
        inside = inside_an_epoch(self.problem, state)
        state["maker"] = np.where(inside, _NUMBER, 0)
        if not inside.any():
            return state
        state |= {name: self._of_all(name) for name in INSIDE}
        for crew in self.crews:
            crew.store_inside(state)
        state["opening"][~inside] = np.nan
        return state

    def _of_all(self, name: str) -> Array:
        """What is resting, in an array with room for what is not: it is written once, by the crews."""
        rested = self.resting[name]
        if name not in PARAMETERS:
            return rested.copy()
        found = np.empty((*rested.shape[:-2], self.problem.recipe.n_members, rested.shape[-1]), rested.dtype)
        found[..., self._apart, :] = rested
        return found

    def close(self) -> None:
        """Free the kernel's memory."""
        self.crews = []
        self.pool = None


def sessions(given: Sequence[tuple[Problem, Array, Mapping[str, Array] | None]]) -> list[Session]:
    """Runs that are to train side by side: problems, starts and states. Their members may share packs."""
    made = [Session(*one, alone=False) for one in given]
    muster(made)
    return made


def muster(sessions: Sequence[Session]) -> None:
    """Form crews of the members of all sessions that have something left to do."""
    for crew in plan([session.open() for session in sessions], machine.lanes):
        owners = [(sessions[number], members) for number, members in crew.seats]
        first, members = owners[0]
        settings = [(session.settings, own) for session, own in owners]
        asked = _asked_threads(session.problem for session, _ in owners)
        kernel = KernelCrew(first.problem, settings, crew.packed, first.factors(members[0]), asked)
        lanes = accumulate((len(own) for _, own in owners), initial=0)
        seats = [Seats(kernel, own, lane) for (_, own), lane in zip(owners, lanes, strict=False)]
        kernel.load([(seat, session.resting) for seat, (session, _) in zip(seats, owners, strict=True)])
        for seat, (session, _) in zip(seats, owners, strict=True):
            session.take(seat)
    for session in sessions:
        session.rest()


def advance(sessions: Sequence[Session], epoch: int, seconds: float | None = None) -> None:
    """Train several sessions side by side until each has completed `epoch` epochs or `seconds` have passed."""
    ends = None if seconds is None else time.monotonic() + seconds
    pool, threads = sessions[0].pool, _most_threads(session.problem for session in sessions)
    adapt = any(session.problem.recipe.n_threads is None for session in sessions)
    epochs = {seats.crew: session.problem.recipe.epochs for session in sessions for seats in session.crews}
    while True:
        entries = [crew.entry(min(epoch, most)) for crew, most in epochs.items() if crew.live and crew.epoch < epoch]
        if not entries:
            return
        left = _FOREVER if ends is None else max(ends - time.monotonic(), 0.0)
        pool.run(entries, left, adapt, threads)
        if ends is not None and time.monotonic() >= ends:
            return


def needed_bytes(problems: Sequence[Problem]) -> int:
    """Memory that runs need side by side, about and at most, beside their data and what they start from."""
    threads = _most_threads(problems)
    crews = plan([Part(p, range(p.recipe.n_members), [0] * p.recipe.n_members) for p in problems], machine.lanes)
    trained = [[(problems[number], crew.packed) for number, _ in crew.seats] for crew in crews]
    kernel = sum(max(crew_bytes(*one) for one in own) for own in trained)
    teams = min(threads, len(crews)) * max(workspace_bytes(*one) for own in trained for one in own)
    # At most: after Ctrl-C inside an epoch the state holds all that the kernel does, and the result is a copy of it.
    members = sum(member_bytes(problem, kept_copies(problem) + 1) for problem in problems)
    return kernel + teams + members + threads * max(map(thread_bytes, problems))


def _most_threads(problems: Iterable[Problem]) -> int:
    """Threads for all: as many as the one that asks for the most, or as there are where one leaves it open."""
    return machine.thread_count(_asked_threads(problems), np.inf)


def _asked_threads(problems: Iterable[Problem]) -> int | None:
    """The most threads that any asks for, None where one leaves it open."""
    asked = [problem.recipe.n_threads for problem in problems]
    return None if None in asked else max(n for n in asked if n is not None)
