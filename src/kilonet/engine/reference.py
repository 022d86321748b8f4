"""The reference engine: docs/arithmetic.md in NumPy, step by step, for whole populations at once.

It is the oracle that the native kernel is judged by, the engine of activations and losses of one's
own, and what runs where the kernel does not. Sums of matrix products are in BLAS's order, so that
results agree with the kernel's up to rounding; everything else follows the page.

Shapes: P members, n parameters, b rows of a batch, k outputs.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.engine.batches import Batch, Batches, dropout_masks, noisy
from kilonet.engine.evaluate import Predictor, scores, value_and_grad
from kilonet.engine.insides import closing, opening
from kilonet.engine.measures import Scorer, row_sum, value_and_slope
from kilonet.engine.memory import batch_bytes, member_bytes
from kilonet.engine.passes import backward, forward
from kilonet.engine.planner import Plan
from kilonet.engine.problem import Problem
from kilonet.engine.state import (
    EPOCHS,
    INSIDE,
    State,
    completed_epochs,
    fresh_state,
    inside_an_epoch,
    kept_theta,
    live_members,
    restored_state,
    stop,
)
from kilonet.penalties import L1, L2, max_norm

Array = NDArray[Any]
Floats = NDArray[np.float64]
Members = NDArray[np.int64]

__all__ = ["NAME", "Predictor", "Session", "advance", "needed_bytes", "scores", "sessions", "value_and_grad"]

NAME = "reference"
_NUMBER = 1
_SETTINGS = ("rate", "l2", "l1", "dropout", "input_noise", "max_norm")


def sessions(given: Sequence[tuple[Problem, Array, Mapping[str, Array] | None]]) -> list["Session"]:
    """Runs that are to train one after another: problems, starts and states."""
    return [Session(*one) for one in given]


def advance(sessions: Sequence["Session"], epoch: int, seconds: float | None = None) -> None:
    """Train several sessions, one after another, until each has completed `epoch` epochs or `seconds` have passed."""
    begun = time.monotonic()
    for session in sessions:
        left = None if seconds is None else seconds - (time.monotonic() - begun)
        if left is not None and left <= 0:
            return
        session.advance(epoch - session.epoch, left)


def needed_bytes(problems: Sequence[Problem]) -> int:
    """Memory that runs need side by side, about, beside their data.

    Arrays of one operation are alive together with the next's; one run after another takes its step.
    """
    members = [member_bytes(problem, 12 + 5 * (problem.recipe.optimizer.n_slots + 1)) for problem in problems]
    return sum(members) + 2 * max(batch_bytes(problem, problem.recipe.n_members, copied=True) for problem in problems)


class Session:
    """One run, advanced piece by piece; see `kilonet.engine` for what every engine's Session does."""

    def __init__(self, problem: Problem, theta: Array, state: Mapping[str, Array] | None = None) -> None:
        self._problem = problem
        self._state: State = fresh_state(problem, theta) if state is None else restored_state(problem, state, _NUMBER)
        self._batches = Batches(problem)
        self._scorer = Scorer(problem.loss, problem.targets, problem.weights)
        recipe = problem.recipe
        self._seeds = np.array(recipe.seeds, dtype=np.uint64)
        self._settings = {name: recipe.per_member(name) for name in _SETTINGS}
        self._schedules, self._stopping = recipe.each("schedule"), recipe.each("stopping")

    @property
    def done(self) -> bool:
        """Whether no member has anything left to do."""
        return len(live_members(self._state, self._problem.recipe.epochs)) == 0

    @property
    def epoch(self) -> int:
        """Epochs that all members still training have completed; of a finished run the maximum."""
        return completed_epochs(self._state, self._problem.recipe.epochs)

    def advance(self, epochs: int, seconds: float | None = None) -> int:
        """Train until `epochs` more are complete or `seconds` have passed; returns the completed epochs."""
        begun, target = time.monotonic(), self.epoch + epochs
        with np.errstate(all="ignore"):  # what leaves the finite numbers is found at the epoch's end
            while not self.done and self.epoch < target:
                live = live_members(self._state, self._problem.recipe.epochs)
                # Members of another engine's state may be at different steps: who lags goes first.
                lagging = self._state["step"][live] == self._state["step"][live].min()
                self._step(live[lagging])
                if seconds is not None and time.monotonic() - begun >= seconds:
                    break
        return self.epoch

    def history(self, first: int = 0) -> Floats:
        """Loss, score, validation loss and validation score, (epochs, P, 4), of the epochs from `first` on."""
        return self._state["history"][first:].copy()

    def monitors(self, first: int = 0) -> Array:
        """What `kilonet.monitors` says, (epochs, P, width), of the epochs from `first` on."""
        return self._state["monitors"][first:].copy()

    def theta(self) -> Array:
        """Parameters (P, n): the best ones of members that are through, where stopping is set."""
        current = self._state["theta"].copy()
        if "best_theta" in self._state:
            through = np.ones(len(current), dtype=bool)
            through[live_members(self._state, self._problem.recipe.epochs)] = False
            current[through] = kept_theta(self._state)[0][through]
        return current

    def state(self) -> State:
        """A copy of everything that exact resumption needs, as `kilonet.engine.state` describes it."""
        inside = inside_an_epoch(self._problem, self._state)
        left_out = () if inside.any() else INSIDE
        state = {name: value.copy() for name, value in self._state.items() if name not in left_out}
        state["maker"] = np.where(inside, _NUMBER, 0)
        return state

    def plan(self) -> Plan:
        """How its members are trained: each NumPy call serves all of them."""
        return Plan(NAME, single_members=self._problem.recipe.n_members)

    def close(self) -> None:
        """Nothing to free here; the face is that of every engine."""

    def _step(self, live: Members) -> None:
        """One batch: gather, forward, loss, backward, update; then the epoch's end where it is one."""
        problem, state = self._problem, self._state
        step, epoch = int(state["step"][live[0]]), int(state["epoch"][live[0]])
        place = step - epoch * problem.steps_per_epoch
        if place == 0:
            state["sums"][live] = 0.0
            state["start_theta"][live] = state["theta"][live]
        batch = self._batches.batch(epoch, place, live.tolist())
        theta = state["theta"][live]
        gradient, total = self._gradient(batch, theta, live, step)
        watched = place == 0 and problem.watched(epoch)
        data_gradient = gradient.copy() if watched else gradient
        self._penalize(theta, gradient, live)
        self._update(theta, gradient, live, step, total > 0)
        if watched:
            sums = state["sums"][live]
            first_loss = np.divide(sums[:, 0], sums[:, 1], out=np.full(len(live), np.nan), where=sums[:, 1] > 0)
            state["opening"][live] = opening(problem.network, first_loss, theta, data_gradient, state["theta"][live])
        state["step"][live] += 1
        if place + 1 == problem.steps_per_epoch:
            self._end_epoch(live)

    def _gradient(self, batch: Batch, theta: Array, live: Members, step: int) -> tuple[Array, Floats]:
        """Gradient (P, n) of the batch's mean data loss, and the sum of the weights (P,); fills the sums."""
        problem, seeds = self._problem, self._seeds[live]
        network, loss = problem.network, problem.loss.members(live.tolist())
        units = [layer.units for layer in network.layers]
        x = noisy(batch.x, self._settings["input_noise"][live], seeds, step)
        masks = dropout_masks(self._settings["dropout"][live], seeds, step, batch.n_rows, units, theta.dtype)
        views = network.views(theta)
        scores, traces = forward(network, views, x, masks)
        value, slope = value_and_slope(loss, scores, batch.targets, own=batch.own)
        weights = np.ones(value.shape) if batch.weights is None else np.broadcast_to(batch.weights, value.shape)
        self._state["sums"][live] += self._scorer.sums(scores, value, batch.targets, weights)
        total = row_sum(weights)
        share = np.divide(weights, total[:, None], out=np.zeros(value.shape), where=total[:, None] > 0)
        gradient = np.empty_like(theta)
        backward(network, views, traces, slope * share.astype(theta.dtype)[..., None], network.views(gradient))
        return gradient, total

    def _penalize(self, theta: Array, gradient: Array, live: Members) -> None:
        """Add the slopes of the penalties to the gradient, in place."""
        for penalty, name in ((L2, "l2"), (L1, "l1")):
            strength = self._settings[name][live]
            if strength.any():
                gradient += penalty(tuple(strength.tolist())).slope(theta, self._problem.network.weight_mask)

    def _update(self, theta: Array, gradient: Array, live: Members, step: int, moves: NDArray[np.bool_]) -> None:
        """The optimizer's step and max-norm, for the members whose batch had any weight."""
        problem, state = self._problem, self._state
        recipe = problem.recipe
        rate = self._settings["rate"][live, None] * self._factors(live, step)[:, None]
        new, slots = recipe.optimizer.update(
            theta, gradient, state["slots"][:, live], rate, step + 1, problem.network.weight_mask
        )
        bound = self._settings["max_norm"][live]
        if np.isfinite(bound).any():
            max_norm(problem.network.weights(new), bound)
        moved = live[moves]
        state["theta"][moved] = new[moves]
        state["slots"][:, moved] = slots[:, moves]

    def _factors(self, live: Members, step: int) -> Floats:
        """The schedule's factor of the rate of each member (P,)."""
        problem, place = self._problem, np.array([step])
        found = {
            schedule: schedule.factors(place, problem.steps_per_epoch, problem.total_steps)[0]
            for schedule in {self._schedules[member] for member in live}
        }
        return np.array([found[self._schedules[member]] for member in live])

    def _end_epoch(self, live: Members) -> None:
        """Freeze who diverged, then validation and early stopping for the others."""
        problem, state = self._problem, self._state
        epoch = int(state["epoch"][live[0]])
        state["epoch"][live] += 1
        loss, score = self._scorer.results(state["sums"][live], live)
        finite = np.isfinite(loss) & np.isfinite(state["theta"][live]).all(axis=1)
        lost, kept = live[~finite], live[finite]
        state["diverged"][lost] = state["epoch"][lost]
        state["epoch"][lost] -= 1
        state["theta"][lost] = state["start_theta"][lost]
        state["sums"][live] = 0.0
        if len(kept) == 0:
            return
        if len(state["history"]) == epoch:
            for name in EPOCHS:
                more = np.full((1, *state[name].shape[1:]), np.nan, state[name].dtype)
                state[name] = np.concatenate([state[name], more])
        row = state["history"][epoch]
        if problem.watched(epoch):
            found = closing(state["opening"][kept], self._batches, state["theta"][kept], epoch, kept)
            state["monitors"][epoch, kept] = found
        row[kept, 0], row[kept, 1] = loss[finite], score[finite]
        if problem.validation is not None:
            row[kept, 2:] = self._validate(state["theta"][kept], kept)
        for member in kept.tolist():
            if self._stopping[member] is not None:
                stop(state, member, row[member], self._stopping[member])

    def _validate(self, theta: Array, members: Members) -> Floats:
        """Loss and score (P, 2) on the validation set, dropout and noise off."""
        X, targets, weights = self._problem.validation  # type: ignore[misc]
        given = scores(self._problem.network, theta, X, None)
        value, _ = value_and_slope(self._problem.loss.members(members.tolist()), given, targets)
        scorer = Scorer(self._problem.loss, targets, weights)
        weights = np.broadcast_to(1.0 if weights is None else weights, value.shape)
        return np.stack(scorer.results(scorer.sums(given, value, targets, weights)), axis=-1)
