"""Losses: the value of an example and its slope by the scores, side by side, and the link.

scores are raw, (..., n, k); targets are what `loss.targets(y, k, dtype)` gives: class numbers
int32 (n,), or a column for each output (n, k). Values are (..., n), slopes shaped like scores, both
in the dtype of the scores; `link` turns scores into predictions. The formulas are those of
docs/arithmetic.md. The losses of numbers come from kilonet.residuals; here are those of decisions,
and the table of all.
"""
# ruff: noqa: D102, ARG002 (methods that the base class documents, with its arguments)

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import numpy as np

from kilonet import targets as target_arrays
from kilonet.residuals import Loss, LossLike, absolute, huber, quantile, squared
from kilonet.smooth import sigmoid
from kilonet.values import Array, Family, real_per_member

__all__ = [
    "LOSSES", "CrossEntropy", "Hinge", "Logistic", "Loss", "LossLike", "OwnLoss", "SquaredHinge", "absolute",
    "cross_entropy", "hinge", "huber", "logistic", "loss_from", "quantile", "squared", "squared_hinge",
]  # fmt: skip


def _at(targets: Array, scores: Array) -> Array:
    """Return the class numbers as an index for take_along_axis: (..., n, 1)."""
    return np.broadcast_to(targets, scores.shape[:-1])[..., np.newaxis].astype(np.intp)


@dataclass(frozen=True, repr=False)
class CrossEntropy(Loss):
    """-log softmax(scores)[class], in nats; with smoothing e the target is e/k everywhere and 1 - e more at the class.

    smoothing is one number, or one for each member of a population: scores then are (members, n, k).

    Source: Bridle 1990; smoothing: Szegedy et al. 2016.

    >>> scores, classes = np.array([[0.0, 0.0], [0.0, 1e30]]), np.array([0, 1])
    >>> cross_entropy.value(scores, classes), cross_entropy.slope(scores, classes).tolist()
    (array([0.69314718, 0.        ]), [[-0.5, 0.5], [0.0, 0.0]])
    """

    name: ClassVar[str] = "cross_entropy"
    smoothing: float | tuple[float, ...] = field(default=0.0, metadata=real_per_member("[0, 1)"))

    def value(self, scores: Array, targets: Array) -> Array:
        shifted = scores - scores.max(axis=-1, keepdims=True)
        at_class = np.take_along_axis(shifted, _at(targets, scores), axis=-1)[..., 0]
        smoothing = self._smoothing(scores.dtype)[..., 0]
        expected = (1.0 - smoothing) * at_class + smoothing * shifted.mean(axis=-1)
        return cast(Array, np.log(np.exp(shifted).sum(axis=-1)) - expected)

    def slope(self, scores: Array, targets: Array) -> Array:
        smoothing = self._smoothing(scores.dtype)
        slope, at = self.link(scores) - smoothing / scores.shape[-1], _at(targets, scores)
        np.put_along_axis(slope, at, np.take_along_axis(slope, at, axis=-1) - (1.0 - smoothing), axis=-1)
        return cast(Array, slope)

    def _smoothing(self, dtype: Any) -> Array:
        """Return the smoothing, (1, 1), or (members, 1, 1)."""
        return np.asarray(self.smoothing, dtype)[..., np.newaxis, np.newaxis]

    def members(self, places: Sequence[int]) -> "CrossEntropy":
        if not isinstance(self.smoothing, tuple):
            return self
        return self(smoothing=tuple(self.smoothing[i] for i in places))

    def member(self, place: int) -> "CrossEntropy":
        return self(smoothing=self.smoothing[place]) if isinstance(self.smoothing, tuple) else self

    def fits(self, other: Loss) -> bool:
        return isinstance(other, CrossEntropy)

    def joined(self, losses: Sequence[Loss], sizes: Sequence[int]) -> Loss:
        if all(loss == self for loss in losses) and not isinstance(self.smoothing, tuple):
            return self
        each: list[float] = []
        for loss, size in zip(losses, sizes, strict=True):
            smoothing = cast(CrossEntropy, loss).smoothing
            each += smoothing if isinstance(smoothing, tuple) else [smoothing] * size
        return self(smoothing=tuple(each))

    @property
    def n_members(self) -> int | None:
        return len(self.smoothing) if isinstance(self.smoothing, tuple) else None

    def link(self, scores: Array) -> Array:
        """Return the softmax of the scores: probabilities of the classes."""
        e = np.exp(scores - scores.max(axis=-1, keepdims=True))
        return cast(Array, e / e.sum(axis=-1, keepdims=True))

    def targets(self, y: Any, n_outputs: int, dtype: Any = np.float32) -> Array:
        return target_arrays.classes(y, n_outputs)


@dataclass(frozen=True, repr=False)
class Logistic(Loss):
    """Cross-entropy of independent yes-or-no outputs, targets 0 or 1, summed over the outputs, in nats.

    >>> logistic.value(np.array([[0.0], [-1e30]]), np.array([[1.0], [0.0]]))
    array([0.69314718, 0.        ])
    """

    name: ClassVar[str] = "logistic"

    def value(self, scores: Array, targets: Array) -> Array:
        y = targets.astype(scores.dtype, copy=False)
        losses = np.maximum(scores, 0.0) - scores * y + np.log1p(np.exp(-np.abs(scores)))
        return cast(Array, losses.sum(axis=-1))

    def slope(self, scores: Array, targets: Array) -> Array:
        return cast(Array, sigmoid.value(scores) - targets.astype(scores.dtype, copy=False))

    def link(self, scores: Array) -> Array:
        """Return the probability of 1 for every output."""
        return sigmoid.value(scores)

    def targets(self, y: Any, n_outputs: int, dtype: Any = np.float32) -> Array:
        return target_arrays.bits(y, n_outputs, dtype)

    def kind(self, targets: Array) -> str:
        return "bits"


@dataclass(frozen=True, repr=False)
class Hinge(Loss):
    """The sum of the margins that are missing to 1: those of the outputs' signs, or of all wrong classes.

    Source: Cortes & Vapnik 1995; classes: Weston & Watkins 1999.

    >>> hinge.value(np.array([[0.5], [-2.0]]), np.array([[1.0], [1.0]]))
    array([0.5, 3. ])
    >>> hinge.slope(np.array([[3.0, 2.5, 0.0]]), np.array([0], np.int32))
    array([[-1.,  1.,  0.]])
    """

    name: ClassVar[str] = "hinge"

    def _margins(self, scores: Array, targets: Array) -> Array:
        """Return how much every score lacks to its margin, at least 0, and 0 at the class itself."""
        if self.kind(targets) == "signs":
            return np.maximum(1.0 - targets.astype(scores.dtype, copy=False) * scores, 0.0)
        at = _at(targets, scores)
        margins = np.maximum(1.0 + (scores - np.take_along_axis(scores, at, axis=-1)), 0.0)
        np.put_along_axis(margins, at, 0.0, axis=-1)
        return cast(Array, margins)

    def _by_margin(self, margins: Array) -> Array:
        """Return the derivative of the loss by each margin."""
        return (margins > 0).astype(margins.dtype)

    def value(self, scores: Array, targets: Array) -> Array:
        return cast(Array, self._margins(scores, targets).sum(axis=-1))

    def slope(self, scores: Array, targets: Array) -> Array:
        slope = self._by_margin(self._margins(scores, targets))
        if self.kind(targets) == "signs":
            return -targets.astype(scores.dtype, copy=False) * slope
        np.put_along_axis(slope, _at(targets, scores), -slope.sum(axis=-1, keepdims=True), axis=-1)
        return slope

    def targets(self, y: Any, n_outputs: int, dtype: Any = np.float32) -> Array:
        if n_outputs > 1 and target_arrays.is_class_list(y):
            return target_arrays.classes(y, n_outputs)
        return target_arrays.signs(y, n_outputs, dtype)

    def kind(self, targets: Array) -> str:
        return "classes" if targets.dtype.kind in "iu" else "signs"


@dataclass(frozen=True, repr=False)
class SquaredHinge(Hinge):
    """The sum of the squares of hinge's missing margins: smooth where it becomes 0.

    >>> squared_hinge.value(np.array([[0.5], [-2.0]]), np.array([[1.0], [1.0]]))
    array([0.25, 9.  ])
    """

    name: ClassVar[str] = "squared_hinge"

    def _by_margin(self, margins: Array) -> Array:
        return 2.0 * margins

    def value(self, scores: Array, targets: Array) -> Array:
        with np.errstate(over="ignore"):
            return cast(Array, np.square(self._margins(scores, targets)).sum(axis=-1))


@dataclass(frozen=True, repr=False)
class OwnLoss(Loss):
    """A loss of the user's own: an object with value and slope, and if it likes link and targets."""

    name: ClassVar[str] = "own"
    own: Any

    def value(self, scores: Array, targets: Array) -> Array:
        return cast(Array, self.own.value(scores, targets))

    def slope(self, scores: Array, targets: Array) -> Array:
        return cast(Array, self.own.slope(scores, targets))

    def link(self, scores: Array) -> Array:
        """Return the predictions of the object's own link, if it has one."""
        return cast(Array, self.own.link(scores)) if hasattr(self.own, "link") else scores

    def targets(self, y: Any, n_outputs: int, dtype: Any = np.float32) -> Array:
        """Return what the object's own targets gives; else class numbers for whole y of several outputs, or numbers."""
        if hasattr(self.own, "targets"):
            return cast(Array, self.own.targets(y, n_outputs, dtype))
        several = n_outputs > 1 and target_arrays.is_class_list(y)
        return target_arrays.classes(y, n_outputs) if several else target_arrays.numbers(y, n_outputs, dtype)


cross_entropy, logistic, hinge, squared_hinge = CrossEntropy(), Logistic(), Hinge(), SquaredHinge()

LOSSES: Family[Loss] = Family("loss", cross_entropy, logistic, hinge, squared_hinge, squared, absolute, huber, quantile)


def loss_from(spec: object) -> Loss:
    """Return the loss that a spec describes; an object with value and slope of your own becomes an OwnLoss.

    >>> loss_from("huber(delta=2)"), loss_from({"name": "cross_entropy", "smoothing": 0.1}), loss_from(hinge)
    (huber(delta=2.0), cross_entropy(smoothing=0.1), hinge)

    Raises SettingError, with the known names, when nothing fits.
    """
    if isinstance(spec, Loss):
        return spec
    if isinstance(spec, LossLike) and not isinstance(spec, type):
        return OwnLoss(spec)
    return LOSSES.parse(spec)
