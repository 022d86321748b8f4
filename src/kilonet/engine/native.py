"""The native engine: the C++ kernel in the columns packing, behind the seam of `kilonet.engine`.

A population is trained one member after another, each exactly as if it were alone. Whole epochs run
inside one call of the kernel with the GIL released; threads share the rows and the weights of one
network.
"""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.engine.machine import instruction_set, instruction_sets, thread_count, trainer
from kilonet.engine.packed import Predictor, scores, value_and_grad
from kilonet.engine.problem import Problem
from kilonet.engine.state import (
    State,
    fresh_state,
    inside_an_epoch,
    kept_theta,
    live_members,
    restored_state,
)
from kilonet.engine.translate import Sample, run_settings
from kilonet.schedules import constant

Array = NDArray[Any]
Floats = NDArray[np.float64]

__all__ = ["NAME", "Predictor", "Session", "instruction_set", "instruction_sets", "scores", "value_and_grad"]

NAME = "native"
_NUMBER = 2
_COUNTERS = ("step", "epoch", "best_value", "best_epoch", "wait", "stopped", "diverged")
_OF_ALL = ("theta", "start_theta", "slots", "best_theta")  # what a state has for every parameter
_STEPS_AHEAD = 1 << 17  # rates of so many steps take some 50 ms


class _Rates:
    """The rate of every step, worked out one stretch of epochs ahead: a run may have very many steps."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._rates = problem.recipe.per_member("rate")
        self._constant = problem.recipe.schedule == constant
        self._epochs = problem.recipe.epochs if self._constant else max(1, _STEPS_AHEAD // problem.steps_per_epoch)
        self._first, self._factors = -1, np.ones(1)
        self._given = [-1] * problem.recipe.n_members

    def set(self, kernel: Any, member: int, epoch: int) -> int:
        """Give a member the rates that it needs from an epoch on; returns the epoch up to which they reach."""
        first = epoch // self._epochs * self._epochs
        if self._given[member] != first:
            begin = first * self._problem.steps_per_epoch
            kernel.set_rates(self._rates[member] * self._stretch(first, begin), begin)
            self._given[member] = first
        return first + self._epochs

    def _stretch(self, first: int, begin: int) -> Floats:
        problem = self._problem
        if not self._constant and self._first != first:
            end = min(begin + self._epochs * problem.steps_per_epoch, problem.total_steps)
            steps = np.arange(begin, end, dtype=np.int64)
            self._factors = problem.recipe.schedule.factors(steps, problem.steps_per_epoch, problem.total_steps)
            self._first = first
        return self._factors


class Session:
    """One run, advanced piece by piece; see `kilonet.engine` for what every engine's Session does."""

    def __init__(self, problem: Problem, theta: Array, state: Mapping[str, Array] | None = None) -> None:
        self._problem = problem
        begin = fresh_state(problem, theta) if state is None else restored_state(problem, state, _NUMBER)
        recipe, network = problem.recipe, problem.network
        sample = Sample.of(problem.loss, problem.X, problem.targets, problem.weights)
        valid = None if problem.validation is None else Sample.of(problem.loss, *problem.validation)
        threads = thread_count(recipe.n_threads, 3.0 * network.n_weights * problem.batch)
        self._rates = _Rates(problem)
        self._members = []
        for member, dropout in enumerate(recipe.per_member("dropout")):
            settings = run_settings(problem, member, sample, valid)
            kernel = trainer(recipe.dtype, settings, network, float(dropout), threads)
            _load(kernel, begin, member, problem.steps_per_epoch)
            self._members.append(kernel)
        self._begun = begin
        self._counters = [kernel.counters() for kernel in self._members]

    @property
    def done(self) -> bool:
        """Whether no member has anything left to do."""
        return not any(self._lives(counters) for counters in self._counters)

    @property
    def epoch(self) -> int:
        """Epochs that every live member has completed."""
        live = [counters["epoch"] for counters in self._counters if self._lives(counters)]
        return min(live) if live else max(_completed(counters) for counters in self._counters)

    def advance(self, epochs: int, seconds: float | None = None) -> int:
        """Train until `epochs` more are complete or `seconds` have passed; returns the completed epochs."""
        target = min(self.epoch + epochs, self._problem.recipe.epochs)
        ends = None if seconds is None else time.monotonic() + seconds
        alone = len(self._members) == 1
        while not self.done and self.epoch < target:
            self._run(target if alone else self.epoch + 1, ends)
            if ends is not None and time.monotonic() >= ends:
                break
        return self.epoch

    def _run(self, epoch: int, ends: float | None) -> None:
        """One member after another up to an epoch, so that none is ever more than one epoch ahead."""
        for member, kernel in enumerate(self._members):
            if self._lives(self._counters[member]) and self._counters[member]["epoch"] < epoch:
                self._train(member, kernel, epoch, ends)
            if ends is not None and time.monotonic() >= ends:
                return

    def _train(self, member: int, kernel: Any, epoch: int, ends: float | None) -> None:
        """One member up to an epoch, or until the time is over, in stretches whose rates are known."""
        counters = self._counters[member]
        while self._lives(counters) and counters["epoch"] < epoch:
            stretch = self._rates.set(kernel, member, counters["epoch"])
            left = np.inf if ends is None else max(ends - time.monotonic(), 0.0)
            kernel.run(min(epoch, stretch), left, self._problem.recipe.n_threads is None)
            counters = self._counters[member] = kernel.counters()
            if ends is not None and time.monotonic() >= ends:
                return

    def _level(self) -> None:
        """Bring live members to the same step, as a state needs them: those behind finish the epoch."""
        steps = {counters["step"] for counters in self._counters if self._lives(counters)}
        if len(steps) > 1:
            self._run(-(-max(steps) // self._problem.steps_per_epoch), None)

    def history(self, first: int = 0) -> Floats:
        """Loss, score, validation loss and validation score, (epochs, P, 4), of the epochs from `first` on."""
        rows = max(_completed(counters) for counters in self._counters)
        found = np.full((rows - first, len(self._members), 4), np.nan)
        for member, kernel in enumerate(self._members):
            own = np.empty((len(found), 4))
            kernel.store_history(own, first)
            found[:, member] = own
        return found

    def theta(self) -> Array:
        """Parameters (P, n): the best ones of members that are through, where stopping is set."""
        state = self.state()
        current = state["theta"]
        if self._problem.recipe.stopping is not None:
            through = np.ones(len(current), dtype=bool)
            through[live_members(state, self._problem.recipe.epochs)] = False
            current[through] = kept_theta(state, stopping=True)[0][through]
        return current

    def state(self) -> State:
        """A copy of everything that exact resumption needs, as `kilonet.engine.state` describes it."""
        self._level()
        # A large network's parameters take longer to copy than a batch to train on: each is written once.
        state = {name: np.empty_like(value) if name in _OF_ALL else value.copy() for name, value in self._begun.items()}
        state["history"] = self.history()
        for member, (kernel, counters) in enumerate(zip(self._members, self._counters, strict=True)):
            for name in _COUNTERS:
                if name in state:
                    state[name][member] = counters[name]
            state["epoch"][member] = _completed(counters)
            state["sums"][member] = counters["sums"]
            kernel.store(state["theta"][member])
            for slot in range(len(state["slots"])):
                kernel.store_slot(slot, state["slots"][slot, member])
            if "best_theta" in state:
                kernel.store_best(state["best_theta"][member])
        inside = inside_an_epoch(self._problem, state)
        state["maker"] = np.where(inside, _NUMBER, 0)
        if not inside.any():
            del state["start_theta"]
            return state
        for member, kernel in enumerate(self._members):
            kernel.store_start(state["start_theta"][member])
        return state

    def close(self) -> None:
        """Free the kernel's memory."""
        self._members = []

    def _lives(self, counters: Mapping[str, Any]) -> bool:
        return not counters["stopped"] and not counters["diverged"] and counters["epoch"] < self._problem.recipe.epochs


def _completed(counters: Mapping[str, Any]) -> int:
    """Epochs that count: for a diverged member those before the one that left the finite numbers."""
    return int(counters["epoch"]) - bool(counters["diverged"])


def _load(kernel: Any, state: State, member: int, steps_per_epoch: int) -> None:
    """Bring a fresh kernel to a state."""
    step, epoch = int(state["step"][member]), int(state["epoch"][member])
    counters: dict[str, Any] = {"best_value": 0.0, "best_epoch": 0, "wait": 0}
    counters |= {name: state[name][member].item() for name in _COUNTERS if name in state}
    counters["sums"] = state["sums"][member].tolist()
    counters["position"] = max(step - epoch * steps_per_epoch, 0)
    counters["epoch"] = epoch + bool(counters["diverged"])
    kernel.set_counters(counters)
    kernel.load(np.ascontiguousarray(state["theta"][member]))
    if counters["position"]:  # else the epoch starts with these parameters
        kernel.load_start(np.ascontiguousarray(state["start_theta"][member]))
    for slot in range(len(state["slots"]) if step else 0):  # zeros before the first step, as in the kernel
        kernel.load_slot(slot, np.ascontiguousarray(state["slots"][slot, member]))
    if "best_theta" in state:
        kernel.load_best(np.ascontiguousarray(state["best_theta"][member]))
    kernel.load_history(np.ascontiguousarray(state["history"][:, member]))
