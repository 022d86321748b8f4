"""A crew in the kernel: members that train together, and the way of their state in and out."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.engine import machine
from kilonet.engine.planner import Crew
from kilonet.engine.problem import Problem
from kilonet.engine.state import State
from kilonet.schedules import Schedule, constant

Array = NDArray[Any]
Floats = NDArray[np.float64]

_STEPS_AHEAD = 1 << 17  # factors of so many steps take some 50 ms


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
    """A crew with its memory in the kernel."""

    def __init__(self, problem: Problem, crew: Crew, settings: Any, factors: Factors) -> None:
        self.members, self.packed = list(crew.members), crew.packed
        self._problem, self._factors, self._reach = problem, factors, -1
        self.kernel = machine.trainer(problem.recipe.dtype, settings, self.members, crew.packed)
        work = 3.0 * problem.network.n_weights * problem.batch * len(crew.members)
        self._threads = machine.thread_count(problem.recipe.n_threads, work)

    @property
    def live(self) -> bool:
        """Whether a member has anything left to do."""
        return bool(self.kernel.live) and self.kernel.epoch < self._problem.recipe.epochs

    @property
    def epoch(self) -> int:
        """Epochs that its live members have completed."""
        return int(self.kernel.epoch)

    @property
    def rows(self) -> int:
        """Epochs of which its history tells."""
        return int(self.kernel.rows)

    def entry(self, target: int) -> tuple[Any, int, int]:
        """What the pool is told: the kernel, how far it can go towards an epoch, how many threads are of use."""
        if self.epoch >= self._reach:
            factors, begin, self._reach = self._factors.stretch(self.epoch)
            self.kernel.set_factors(factors, begin)
        return self.kernel, min(target, self._reach), self._threads

    def load(self, state: State) -> None:
        """Bring a fresh kernel to a state of the whole population."""
        kernel = self.kernel
        live = (m for m in self.members if not state["stopped"][m] and not state["diverged"][m])
        at = next(live, self.members[0])
        step, epoch = int(state["step"][at]), int(state["epoch"][at])
        position = max(step - epoch * self._problem.steps_per_epoch, 0)
        kernel.load_counters(state, self.members)
        kernel.set_place(step, epoch, position)
        for slot in range(len(state["slots"]) if step else 0):  # zeros before the first step, as in the kernel
            kernel.load_slot(slot, state["slots"][slot], self.members)
        kernel.load(state["theta"], self.members)
        if position:  # else the epoch starts with these parameters
            kernel.load_start(state["start_theta"], self.members)
            kernel.load_opening(state["opening"], self.members)
        if "best_theta" in state:
            kernel.load_best(state["best_theta"], self.members)
        kernel.load_history(state["history"], self.members)
        kernel.load_monitors(state["monitors"], self.members)

    def store(self, state: State) -> None:
        """Write what the members have into a state of the whole population."""
        kernel = self.kernel
        kernel.store_counters(state, self.members)
        kernel.store(state["theta"], self.members)
        for slot in range(len(state["slots"])):
            kernel.store_slot(slot, state["slots"][slot], self.members)
        if "best_theta" in state:
            kernel.store_best(state["best_theta"], self.members)
