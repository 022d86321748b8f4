"""The native engine: the C++ kernel in the columns packing, behind the seam of `kilonet.engine`.

A population is trained one member after another, each exactly as if it were alone. Whole epochs run
inside one call of the kernel with the GIL released; threads share the rows and the weights of one
network.
"""

import os
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from kilonet.engine import _kernel
from kilonet.engine.problem import Problem
from kilonet.engine.state import State, fresh_state, kept_theta, live_members, restored_state
from kilonet.engine.translate import Sample, gradient_settings, inputs, layer_specs, run_settings
from kilonet.errors import EngineError, SettingError
from kilonet.network import Network

Array = NDArray[Any]
Floats = NDArray[np.float64]

__all__ = ["NAME", "Predictor", "Session", "instruction_set", "scores", "value_and_grad"]

NAME = "native"
_COUNTERS = ("step", "epoch", "best_value", "best_epoch", "wait", "stopped", "diverged")
_WORTH_A_THREAD = 200_000  # multiply-adds in a piece of work, below which another thread is not even tried
_MOST_ROWS = 2**31 - 1


def instruction_set() -> str:
    """The instruction set that kernels run with: the best one here, or what KILONET_ISA names.

    >>> instruction_set() in ("x86-64-v4", "x86-64-v3", "neon", "scalar")
    True
    """
    known = _kernel.variants()
    asked = os.environ.get("KILONET_ISA", "")
    if asked and asked not in known:
        raise SettingError(f"the environment variable KILONET_ISA is {asked!r}; this machine runs {', '.join(known)}.")
    return asked or str(known[0])


def thread_count(asked: int | None, work: float) -> int:
    """Threads for pieces of `work` multiply-adds: what was asked for, else what the machine and OMP_NUM_THREADS offer."""
    if asked is not None:
        return asked
    offered = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    if limit.isdigit() and int(limit) > 0:
        offered = min(offered, int(limit))
    return int(min(offered, max(1, work // _WORTH_A_THREAD)))


def _trainer(dtype: Any, settings: dict[str, Any], network: Network, dropout: float, threads: int) -> Any:
    kind = {"float32": _kernel.TrainerFloat32, "float64": _kernel.TrainerFloat64}[np.dtype(dtype).name]
    if settings["train"]["rows"] > _MOST_ROWS:
        raise EngineError(f"{settings['train']['rows']} rows; the kernel counts them in 31 bits, up to {_MOST_ROWS}.")
    return kind(settings, network.n_inputs, layer_specs(network, dropout), instruction_set(), threads)


class Session:
    """One run, advanced piece by piece; see `kilonet.engine` for what every engine's Session does."""

    def __init__(self, problem: Problem, theta: Array, state: Mapping[str, Array] | None = None) -> None:
        self._problem = problem
        begin = fresh_state(problem, theta) if state is None else restored_state(problem, state)
        recipe, network = problem.recipe, problem.network
        sample = Sample.of(problem.loss, problem.X, problem.targets, problem.weights)
        valid = None if problem.validation is None else Sample.of(problem.loss, *problem.validation)
        threads = thread_count(recipe.n_threads, 3.0 * network.n_weights * problem.batch)
        self._members = []
        for member, dropout in enumerate(recipe.per_member("dropout")):
            settings = run_settings(problem, member, sample, valid)
            trainer = _trainer(recipe.dtype, settings, network, float(dropout), threads)
            _load(trainer, begin, member, problem.steps_per_epoch)
            self._members.append(trainer)
        self._begun = begin
        self._counters = [trainer.counters() for trainer in self._members]

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
        for member, trainer in enumerate(self._members):
            if self._lives(self._counters[member]) and self._counters[member]["epoch"] < epoch:
                left = np.inf if ends is None else max(ends - time.monotonic(), 0.0)
                trainer.run(epoch, left, self._problem.recipe.n_threads is None)
                self._counters[member] = trainer.counters()
            if ends is not None and time.monotonic() >= ends:
                return

    def _level(self) -> None:
        """Bring live members to the same step, as a state needs them: those behind finish the epoch."""
        steps = {counters["step"] for counters in self._counters if self._lives(counters)}
        if len(steps) > 1:
            self._run(-(-max(steps) // self._problem.steps_per_epoch), None)

    def history(self) -> Floats:
        """Loss, score, validation loss and validation score, (epochs, P, 4)."""
        rows = max(_completed(counters) for counters in self._counters)
        found = np.full((rows, len(self._members), 4), np.nan)
        for member, trainer in enumerate(self._members):
            own = np.empty((len(found), 4))
            trainer.store_history(own)
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
        state = {name: value.copy() for name, value in self._begun.items()}
        state["history"] = self.history()
        for member, (trainer, counters) in enumerate(zip(self._members, self._counters, strict=True)):
            for name in _COUNTERS:
                if name in state:
                    state[name][member] = counters[name]
            state["epoch"][member] = _completed(counters)
            state["sums"][member] = counters["sums"]
            trainer.store(state["theta"][member])
            trainer.store_start(state["start_theta"][member])
            for slot in range(len(state["slots"])):
                trainer.store_slot(slot, state["slots"][slot, member])
            if "best_theta" in state:
                trainer.store_best(state["best_theta"][member])
        return state

    def close(self) -> None:
        """Free the kernel's memory."""
        self._members = []

    def _lives(self, counters: Mapping[str, Any]) -> bool:
        return not counters["stopped"] and not counters["diverged"] and counters["epoch"] < self._problem.recipe.epochs


def _completed(counters: Mapping[str, Any]) -> int:
    """Epochs that count: for a diverged member those before the one that left the finite numbers."""
    return int(counters["epoch"]) - bool(counters["diverged"])


def _load(trainer: Any, state: State, member: int, steps_per_epoch: int) -> None:
    """Bring a fresh trainer to a state."""
    step, epoch = int(state["step"][member]), int(state["epoch"][member])
    counters: dict[str, Any] = {"best_value": 0.0, "best_epoch": 0, "wait": 0}
    counters |= {name: state[name][member].item() for name in _COUNTERS if name in state}
    counters["sums"] = state["sums"][member].tolist()
    counters["position"] = max(step - epoch * steps_per_epoch, 0)
    counters["epoch"] = epoch + bool(counters["diverged"])
    trainer.set_counters(counters)
    trainer.load(np.ascontiguousarray(state["theta"][member]))
    trainer.load_start(np.ascontiguousarray(state["start_theta" if counters["position"] else "theta"][member]))
    for slot in range(len(state["slots"])):
        trainer.load_slot(slot, np.ascontiguousarray(state["slots"][slot, member]))
    if "best_theta" in state:
        trainer.load_best(np.ascontiguousarray(state["best_theta"][member]))
    trainer.load_history(np.ascontiguousarray(state["history"][:, member]))


def scores(network: Network, theta: Array, X: Any, n_threads: int | None = None) -> Array:
    """Scores (P, n, k) of the members theta (P, n_parameters); X (n, n_inputs), dense or scipy.sparse."""
    return Predictor(network, theta, n_threads).scores(X)


def value_and_grad(
    network: Network, loss: Any, theta: Array, X: Any, targets: Array, weights: Floats | None
) -> tuple[Array, Array]:
    """Mean loss (P,) in float64 and its gradient (P, n_parameters) in theta's dtype, all rows at once."""
    sample = Sample.of(loss, X, targets, weights)
    threads = thread_count(None, 3.0 * network.n_weights * X.shape[0])
    trainer = _trainer(theta.dtype, gradient_settings(loss, sample, targets), network, 0.0, threads)
    value, gradient = np.empty(len(theta)), np.empty_like(theta)
    for member in range(len(theta)):
        trainer.load(np.ascontiguousarray(theta[member]))
        value[member] = trainer.gradient()
        trainer.store_gradient(gradient[member])
    return value, gradient


class Predictor:
    """Predictions of fixed parameters theta (..., n_parameters), packed once for many calls.

    >>> net = Network([3, 4, 1])
    >>> Predictor(net, net.initial(seed=0)).scores(np.ones((5, 3), dtype=np.float32)).shape
    (5, 1)
    """

    def __init__(self, network: Network, theta: Array, n_threads: int | None = None) -> None:
        self._network, self._lead, self._dtype, self._asked = network, theta.shape[:-1], theta.dtype, n_threads
        kind = {"float32": _kernel.PredictorFloat32, "float64": _kernel.PredictorFloat64}[theta.dtype.name]
        self._most = thread_count(n_threads, np.inf)
        specs, isa = layer_specs(network), instruction_set()
        flat = np.ascontiguousarray(theta).reshape(-1, network.n_parameters)
        self._members = [kind(member, network.n_inputs, specs, isa, self._most) for member in flat]

    def scores(self, X: Any) -> Array:
        """Scores (..., n, k) for X (n, n_inputs), dense or scipy.sparse."""
        return self.hidden(X, -1)

    def hidden(self, X: Any, layer: int) -> Array:
        """Outputs (..., n, units) of a layer, counted from 0 or, negative, from the end (-1: the scores)."""
        layer = range(self._network.n_layers)[layer]
        rows, units = X.shape[0], self._network.layers[layer].units
        out = np.empty((len(self._members), rows, units), dtype=self._dtype)
        threads = min(self._most, thread_count(self._asked, float(self._network.n_weights) * rows))
        if scipy.sparse.issparse(X):
            found = inputs(X.tocsr().astype(self._dtype, copy=False))
            given = (found["starts"], found["columns"], found["entries"])
            for member, own in zip(self._members, out, strict=True):
                member.sparse(*given, layer, own, threads)
        else:
            X = np.ascontiguousarray(X, dtype=self._dtype)
            for member, own in zip(self._members, out, strict=True):
                member.dense(X, layer, own, threads)
        return out.reshape(*self._lead, rows, units)
