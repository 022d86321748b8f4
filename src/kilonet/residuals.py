"""The losses of scores - targets, the value of each and its slope side by side, and what a loss is.

A value too large for its dtype is infinite, without a warning: training reports it.
"""
# ruff: noqa: D102, ARG002 (methods that the base class documents, with its arguments)

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, cast, runtime_checkable

import numpy as np

from kilonet import targets as target_arrays
from kilonet.values import Array, Value, real


@runtime_checkable
class LossLike(Protocol):
    """What a loss of your own needs; it runs on the reference engine."""

    def value(self, scores: Array, targets: Array) -> Array:
        """Return the loss of each example (..., n)."""

    def slope(self, scores: Array, targets: Array) -> Array:
        """Return d value / d scores, shaped like scores."""


@dataclass(frozen=True, repr=False)
class Loss(Value):
    """The base of Kilonet's own losses; its targets are numbers unless a loss says otherwise."""

    def value(self, scores: Array, targets: Array) -> Array:
        """Return the loss of each example: (..., n)."""
        raise NotImplementedError

    def slope(self, scores: Array, targets: Array) -> Array:
        """Return d value / d scores, shaped like scores."""
        raise NotImplementedError

    def link(self, scores: Array) -> Array:
        """Return predictions, shaped like scores: probabilities where the loss knows them, else the scores."""
        return scores

    def targets(self, y: Any, n_outputs: int, dtype: Any = np.float32) -> Array:
        """Return the user's targets as the checked array that value, slope and score take.

        Raises ShapeError or DataError with place and remedy when y does not fit the loss and the outputs.
        """
        return target_arrays.numbers(y, n_outputs, dtype)

    def members(self, places: Sequence[int]) -> "Loss":
        """Return the loss of some members of a population, where settings of it are one per member; else itself."""
        return self

    def member(self, place: int) -> "Loss":
        """Return the loss of one member, for scores without a member axis."""
        return self

    def fits(self, other: "Loss") -> bool:
        """Return whether members with either loss can be in one population."""
        return self == other

    def joined(self, losses: Sequence["Loss"], sizes: Sequence[int]) -> "Loss":
        """Return one loss for all members of losses that fit, each of so many members."""
        return self

    @property
    def n_members(self) -> int | None:
        """How many members its settings are for; None where they are the same for any number."""
        return None

    def kind(self, targets: Array) -> str:
        """Return what the targets are: "classes", "signs", "bits" or "numbers"."""
        return "classes" if targets.dtype.kind in "iu" else "numbers"

    def score(self, scores: Array, targets: Array, weights: Array | None = None) -> Array:
        """Return accuracy, or for numbers R² (1 is perfect), one for each leading axis: float64 (...).

        weights (n,) count examples more or less.
        """
        if self.kind(targets) == "numbers":
            return _r_squared(scores, targets, weights)
        hits = self.hits(scores, targets).astype(np.float64)
        return np.average(hits, axis=-1, weights=weights)

    def hits(self, scores: Array, targets: Array) -> Array:
        """Return which examples are decided rightly, bool (..., n); only for targets that are no numbers.

        Classes: the (first) largest score is at the target. Else every output is on its side of 0.
        """
        if self.kind(targets) == "classes":
            return cast(Array, np.argmax(scores, axis=-1) == targets)
        return cast(Array, ((scores > 0) == (targets > 0)).all(axis=-1))


def total_squares(targets: Array, weights: Array | None = None) -> Array:
    """Return the weighted squares of targets (n, k) about their weighted mean: float64 (k,).

    They are taken about a row first, so that equal targets give exactly 0, whatever their mean rounds to.

    >>> total_squares(np.array([[1.0, 0.1], [3.0, 0.1], [2.0, 0.1]]))
    array([2., 0.])
    """
    w = np.ones(targets.shape[0]) if weights is None else np.asarray(weights, np.float64)
    shifted = targets.astype(np.float64) - targets[np.argmax(w)].astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = (w @ shifted) / w.sum()
        return cast(Array, w @ np.square(shifted - mean))


def _r_squared(scores: Array, targets: Array, weights: Array | None) -> Array:
    """Return 1 - SSE / SST averaged over the outputs; without any spread 1 where exact, else 0."""
    w = np.ones(targets.shape[-2]) if weights is None else np.asarray(weights, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        total = total_squares(targets, weights)
        rest = w @ np.square(scores.astype(np.float64) - targets)
        constant = total == 0
        shares = np.where(constant, rest == 0, 1.0 - rest / np.where(constant, 1.0, total))
    return cast(Array, shares.mean(axis=-1))


@dataclass(frozen=True, repr=False)
class Residual(Loss):
    """The base of the losses of scores - targets, summed over the outputs."""

    def of(self, r: Array) -> Array:
        """Return the loss of each residual r = scores - targets."""
        raise NotImplementedError

    def by(self, r: Array) -> Array:
        """Return the derivative of `of`."""
        raise NotImplementedError

    def value(self, scores: Array, targets: Array) -> Array:
        with np.errstate(over="ignore"):
            return cast(Array, self.of(scores - targets.astype(scores.dtype, copy=False)).sum(axis=-1))

    def slope(self, scores: Array, targets: Array) -> Array:
        return self.by(scores - targets.astype(scores.dtype, copy=False))


@dataclass(frozen=True, repr=False)
class Squared(Residual):
    """Half the squared residual, summed over the outputs: its slope is the residual itself.

    >>> squared.value(np.array([[3.0, 1.0]]), np.array([[1.0, 1.0]]))
    array([2.])
    """

    name: ClassVar[str] = "squared"

    def of(self, r: Array) -> Array:
        return 0.5 * r * r

    def by(self, r: Array) -> Array:
        return r


@dataclass(frozen=True, repr=False)
class Absolute(Residual):
    """The absolute residual: its minimum is the median; the slope at 0 is 0.

    >>> absolute.value(np.array([[3.0, 1.0]]), np.array([[1.0, 1.0]]))
    array([2.])
    """

    name: ClassVar[str] = "absolute"

    def of(self, r: Array) -> Array:
        return np.abs(r)

    def by(self, r: Array) -> Array:
        return np.sign(r)


@dataclass(frozen=True, repr=False)
class Huber(Residual):
    """Half the squared residual up to delta, then linear. Source: Huber 1964.

    >>> huber.value(np.array([[0.5], [3.0]]), np.array([[0.0], [0.0]]))
    array([0.125, 2.5  ])
    """

    name: ClassVar[str] = "huber"
    delta: float = field(default=1.0, metadata=real("(0, inf)"))

    def of(self, r: Array) -> Array:
        size = np.abs(r)
        within = np.minimum(size, self.delta)
        return within * (size - 0.5 * within)

    def by(self, r: Array) -> Array:
        return np.clip(r, -self.delta, self.delta)


@dataclass(frozen=True, repr=False)
class Quantile(Residual):
    """Pinball loss: its minimum is the q-quantile. Source: Koenker & Bassett 1978.

    >>> quantile(0.9).value(np.array([[0.0], [2.0]]), np.array([[1.0], [1.0]]))
    array([0.9, 0.1])
    """

    name: ClassVar[str] = "quantile"
    q: float = field(default=0.5, metadata=real("(0, 1)"))

    def of(self, r: Array) -> Array:
        return np.maximum(-self.q * r, (1.0 - self.q) * r)

    def by(self, r: Array) -> Array:
        return np.where(r < 0, np.full_like(r, -self.q), np.where(r > 0, np.full_like(r, 1.0 - self.q), 0.0))


squared, absolute, huber, quantile = Squared(), Absolute(), Huber(), Quantile()
