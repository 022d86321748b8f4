"""A crew in the kernel: members that train together, the way of their state in and out, and what memory it takes."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.engine import machine
from kilonet.engine.memory import batch_bytes, itemsize
from kilonet.engine.problem import Problem
from kilonet.engine.state import State
from kilonet.engine.translate import packed_size
from kilonet.schedules import Schedule, constant

Array = NDArray[Any]
Floats = NDArray[np.float64]

_STEPS_AHEAD = 1 << 17  # factors of so many steps take some 50 ms
_SCRATCH = 40_000  # numbers that every thread has for itself, beside those that grow with the widths
_PADDING = 64  # numbers that a row of a buffer may be longer than its units
_BLOCK = 512  # rows of which a gradient is made in registers; where there are more it is added up in memory


class Factors:
    """The schedule's factor of every step, worked out one stretch of epochs ahead: a run may have very many steps."""

    def __init__(self, problem: Problem, schedule: Schedule) -> None:
        self._problem, self._schedule = problem, schedule
        self._constant = schedule == constant
        self._epochs = problem.recipe.epochs if self._constant else max(1, _STEPS_AHEAD // problem.steps_per_epoch)
        self._first, self._factors = -1, np.ones(1)

    def stretch(self, epoch: int) -> tuple[Floats, int, int]:
        """Factors that reach from an epoch on: the numbers, the step of the first one, the epoch at their end."""
        problem, first = self._problem, epoch // self._epochs * self._epochs
        begin = first * problem.steps_per_epoch
        if not self._constant and self._first != first:
            steps = np.arange(begin, min(begin + self._epochs * problem.steps_per_epoch, problem.total_steps))
            self._factors = self._schedule.factors(steps, problem.steps_per_epoch, problem.total_steps)
            self._first = first
        return self._factors, begin, first + self._epochs


class KernelCrew:
    """A crew with its memory in the kernel.

    problem: of one of the runs whose members are in it; parts: the kernel's settings of each run, and the members.
    n_threads: that may share it, None for as many as pay.
    """

    def __init__(
        self,
        problem: Problem,
        parts: Sequence[tuple[Any, Sequence[int]]],
        packed: bool,
        factors: Factors,
        n_threads: int | None,
    ) -> None:
        self.packed = packed
        self._problem, self._factors, self._reach = problem, factors, -1
        self.kernel = machine.trainer(problem.recipe.dtype, parts, packed)
        work = 3.0 * problem.network.n_connections * problem.batch * sum(len(members) for _, members in parts)
        self._threads = machine.thread_count(n_threads, work)

    @property
    def live(self) -> bool:
        """Whether a member has anything left to do."""
        return bool(self.kernel.live) and self.kernel.epoch < self._problem.recipe.epochs

    @property
    def epoch(self) -> int:
        """Epochs that its live members have completed."""
        return int(self.kernel.epoch)

    def entry(self, target: int) -> tuple[Any, int, int]:
        """What the pool is told: the kernel, how far it can go towards an epoch, how many threads are of use."""
        if self.epoch >= self._reach:
            factors, begin, self._reach = self._factors.stretch(self.epoch)
            self.kernel.set_factors(factors, begin)
        return self.kernel, min(target, self._reach), self._threads

    def load(self, given: Sequence[tuple["Seats", State]]) -> None:
        """Bring a fresh kernel to the states of all whose members are in it, who are at the same step."""
        kernel, (first, state) = self.kernel, given[0]
        step, epoch = int(state["step"][first.members[0]]), int(state["epoch"][first.members[0]])
        position = max(step - epoch * self._problem.steps_per_epoch, 0)
        for seats, own in given:
            kernel.load_counters(own, seats.places)
        kernel.set_place(step, epoch, position)
        for seats, own in given:
            kernel.load(own["theta"], seats.places)
        for seats, own in given:
            for slot in range(len(own["slots"]) if step else 0):  # zeros before the first step, as in the kernel
                kernel.load_slot(slot, own["slots"][slot], seats.places)
            if position:  # else the epoch starts with the parameters themselves
                kernel.load_start(own["start_theta"], seats.places)
                kernel.load_opening(own["opening"], seats.places)
            if "best_theta" in own:
                kernel.load_best(own["best_theta"], seats.places)
            kernel.load_history(own["history"], seats.places)
            kernel.load_monitors(own["monitors"], seats.places)


class Seats:
    """The members of one run that train in a crew, where those of others may train too.

    places: for each lane of the crew, the member's place in its run, or -1 where it belongs to another one.
    """

    def __init__(self, crew: KernelCrew, members: Sequence[int], lane: int) -> None:
        self.crew, self.members = crew, list(members)
        self.leads = lane == 0
        self.places = [-1] * lane + self.members

    @property
    def live(self) -> bool:
        """Whether one of them has anything left to do."""
        return self.crew.live and bool(self.crew.kernel.trains(self.places))

    @property
    def rows(self) -> int:
        """Epochs of which their history tells."""
        return int(self.crew.kernel.rows(self.places))

    def store(self, state: State) -> None:
        """Write what the members have into a state of their run; between epochs their start is let go of first."""
        kernel = self.crew.kernel
        kernel.rest()
        kernel.store_counters(state, self.places)
        kernel.store(state["theta"], self.places)
        for slot in range(len(state["slots"])):
            kernel.store_slot(slot, state["slots"][slot], self.places)
        if "best_theta" in state:
            kernel.store_best(state["best_theta"], self.places)

    def store_inside(self, state: State) -> None:
        """Write what the members have only inside an epoch."""
        self.crew.kernel.store_start(state["start_theta"], self.places)
        self.crew.kernel.store_opening(state["opening"], self.places)


def kept_copies(problem: Problem) -> int:
    """Copies of the parameters in the kernel: themselves, those of the epoch's start, slots, the best ones."""
    stopping = any(rule is not None for rule in problem.recipe.each("stopping"))
    return 2 + problem.recipe.optimizer.n_slots + stopping


def crew_bytes(problem: Problem, packed: bool) -> int:
    """Memory of a crew, at most."""
    return _copy_bytes(problem, packed) * kept_copies(problem)


def workspace_bytes(problem: Problem, packed: bool) -> int:
    """Memory of what holds nothing from one step to the next, which a team of threads has for all of its crews."""
    lanes = machine.lanes(problem.recipe.dtype) if packed else 1
    graph = problem.network.graph  # weights of several places are added up place after place
    gradient = problem.batch > _BLOCK or bool(problem.recipe.watch) or len(graph.own) < len(graph.owners)
    return batch_bytes(problem, lanes, _PADDING) + gradient * _copy_bytes(problem, packed)


def thread_bytes(problem: Problem) -> int:
    """Memory that every thread has for itself."""
    network = problem.network
    widest = max(*network.fan_ins, *(layer.units * layer.pieces for layer in network.layers))
    return (_SCRATCH + 64 * widest + 384 * network.n_outputs) * itemsize(problem)


def _copy_bytes(problem: Problem, packed: bool) -> int:
    """Memory of the parameters of a crew in the kernel's layout."""
    lanes = machine.lanes(problem.recipe.dtype)
    members, group = (lanes, lanes) if packed else (1, 64 // itemsize(problem))
    return packed_size(problem.network, members, group) * itemsize(problem)
