"""Which loss a foreign network was trained with, what its targets are, and how it is told."""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from kilonet.checks import choice
from kilonet.diagnostics.foreign import Reckoned
from kilonet.diagnostics.foreign_given import plain
from kilonet.errors import DataError, SettingError, ShapeError
from kilonet.estimators.labels import Labels
from kilonet.estimators.numbers import Numbers
from kilonet.losses import Loss, absolute, cross_entropy, huber, logistic, loss_from, squared

Array = NDArray[Any]
Floats = NDArray[np.float64]

_TELL_APART = ("cross_entropy", "logistic", "hinge", "squared_hinge")
_MODULES = ("CrossEntropyLoss", "BCEWithLogitsLoss", "MSELoss", "L1Loss", "HuberLoss", "SmoothL1Loss")
_BEHIND = {"NLLLoss": ("LogSoftmax", "CrossEntropyLoss"), "BCELoss": ("Sigmoid", "BCEWithLogitsLoss")}


@dataclass(frozen=True, repr=False, eq=False)
class Told(Loss):
    """A loss of Kilonet's as others reckon it: values times `factor`, slopes times `pull`.

    weights: of the outputs (k,), and of their ones (k,) where outputs are yes or no; None where all count the same.

    >>> halves = Told(squared, factor=2.0, pull=2.0)
    >>> halves.value(np.array([[3.0]]), np.array([[1.0]])), halves.slope(np.array([[3.0]]), np.array([[1.0]]))
    (array([4.]), array([[4.]]))
    """

    own: Loss
    factor: float = 1.0
    pull: float = 1.0
    weights: tuple[Floats, Floats] | None = None

    def _of_outputs(self, targets: Array, dtype: Any) -> Any:
        """Weights that broadcast with scores (..., n, k)."""
        if self.weights is None:
            return 1.0
        each, ones = self.weights
        return (each * np.where(targets > 0, ones, 1.0)).astype(dtype)

    def value(self, scores: Array, targets: Array) -> Array:
        """Return the loss of each example: (..., n)."""
        if self.weights is None:
            return cast(Array, self.factor * self.own.value(scores, targets))
        apart = self.own.value(scores[..., np.newaxis], targets[..., np.newaxis])  # every output by itself
        return cast(Array, self.factor * (self._of_outputs(targets, scores.dtype) * apart).sum(axis=-1))

    def slope(self, scores: Array, targets: Array) -> Array:
        """Return what the training goes down by, shaped like scores."""
        return cast(Array, self.pull * self._of_outputs(targets, scores.dtype) * self.own.slope(scores, targets))

    def link(self, scores: Array) -> Array:
        """Return what the loss itself makes of scores."""
        return self.own.link(scores)

    def targets(self, y: Any, n_outputs: int, dtype: Any = np.float32) -> Array:
        """Return the targets of the loss itself."""
        return self.own.targets(y, n_outputs, dtype)

    def kind(self, targets: Array) -> str:
        """Return what the loss itself says."""
        return self.own.kind(targets)


def reckoned(loss: Any, y: Array, n_outputs: int, batch: Any = None) -> Reckoned:
    """How the loss of a module stands to Kilonet's, for targets y (n,) or (n, n_outputs).

    loss: one of torch's by its class, one of Kilonet's, or None for the one of torch's that fits y. batch: rows that a
    reduction of "sum" adds up; losses are told as means over rows all the same.

    >>> mean = reckoned(None, np.array([[0.5, 2.0]]), 2)
    >>> mean.codec.loss, mean.loss.value(np.array([[1.5, 2.0]]), np.array([[0.5, 2.0]]))
    (squared, array([0.5]))

    Raises SettingError for losses that Kilonet has not, and ShapeError for classes that come in columns.
    """
    name = _fitting(y, n_outputs) if loss is None else type(loss).__name__
    if name not in _MODULES:
        own = _own(loss, name)
        return Reckoned(_codec(own, y, n_outputs), own)
    reduction = choice(f"the reduction of {name}", getattr(loss, "reduction", "mean"), ("mean", "sum"))
    if reduction == "sum" and not batch:
        raise SettingError(f'{name} adds up the rows of a batch; say how many: settings={{"batch": ...}}.')
    if name != "CrossEntropyLoss" and y.size != len(y) * n_outputs:
        raise ShapeError(
            f"y has shape {y.shape}, and the module has {n_outputs} outputs; {name} needs a number for each of them. "
            "CrossEntropyLoss needs whole numbers (y.long()), one for each row."
        )
    rows = float(batch) if reduction == "sum" else 1.0
    if name == "CrossEntropyLoss":
        return _of_classes(loss, y, n_outputs, rows, reduction)
    own, factor = _of_outputs(name, loss)
    share = factor if reduction == "sum" else factor / n_outputs
    weights = _weights(loss, n_outputs) if name == "BCEWithLogitsLoss" else None
    return Reckoned(_codec(own, y, n_outputs), _told(own, share, share * rows, weights))


def _told(own: Loss, factor: float, pull: float, weights: Any = None) -> Loss:
    """The loss itself where it is told as Kilonet tells it: the kernel knows it then."""
    return own if (factor, pull, weights) == (1.0, 1.0, None) else Told(own, factor, pull, weights)


def _of_classes(loss: Any, y: Array, n_outputs: int, rows: float, reduction: str) -> Reckoned:
    """Cross-entropy, whose mean is one by the weights of the classes, and whose sum is not."""
    if y.ndim != 1:
        raise ShapeError(
            f"y came with shape {y.shape}; CrossEntropyLoss is examined with one class number for each row, (n,): "
            "numpy.argmax(y, axis=1) undoes one-hot columns."
        )
    away = np.flatnonzero((y < 0) | (y >= n_outputs) | (y != np.floor(y)))
    if len(away):
        raise DataError(
            f"y holds {y[away[0]]} in row {away[0]}; needs class numbers 0 to {n_outputs - 1}, one for each output. "
            "Leave out the rows that ignore_index leaves out."
        )
    smoothing = float(getattr(loss, "label_smoothing", 0.0))
    own = cross_entropy(smoothing=smoothing)
    codec = _codec(own, y, n_outputs)
    if getattr(loss, "weight", None) is None:
        return Reckoned(codec, _told(own, 1.0, rows))
    if smoothing:
        raise SettingError(
            "CrossEntropyLoss came with weight and label_smoothing; in Kilonet a class with more weight is not "
            "smoothed towards more. Give one without the other, and the examination is of that."
        )
    weight = _row(loss.weight, n_outputs, "weight")
    of_row = float(np.mean(weight[codec.indices(y)])) if reduction == "sum" else 1.0  # type: ignore[union-attr]
    return Reckoned(codec, _told(own, of_row, of_row * rows), dict(enumerate(weight.tolist())))


def _of_outputs(name: str, loss: Any) -> tuple[Loss, float]:
    """Kilonet's loss, and how often it is in torch's, summed over outputs."""
    if name == "HuberLoss":
        return huber(float(loss.delta)), 1.0
    if name == "SmoothL1Loss":
        beta = float(loss.beta)
        return (huber(beta), 1 / beta) if beta else (absolute, 1.0)
    return {"BCEWithLogitsLoss": (logistic, 1.0), "MSELoss": (squared, 2.0), "L1Loss": (absolute, 1.0)}[name]


def _weights(loss: Any, n_outputs: int) -> tuple[Floats, Floats] | None:
    """Weights (k,) of outputs, and of their ones."""
    given = [getattr(loss, name, None) for name in ("weight", "pos_weight")]
    if all(own is None for own in given):
        return None
    each = [np.ones(n_outputs) if own is None else _row(own, n_outputs, name)
            for own, name in zip(given, ("weight", "pos_weight"), strict=True)]  # fmt: skip
    return each[0], each[1]


def _row(given: Any, n_outputs: int, name: str) -> Floats:
    found = plain(given).astype(np.float64)
    if found.ndim > 1 or found.size not in (1, n_outputs):
        raise SettingError(f"{name} of the loss has shape {found.shape}; needs one number for each of {n_outputs}.")
    return np.broadcast_to(found.ravel(), (n_outputs,))


def _codec(own: Loss, y: Array, n_outputs: int) -> Labels | Numbers:
    if own.name not in _TELL_APART:
        return Numbers(np.zeros(n_outputs), np.ones(n_outputs), flat=y.ndim == 1, loss=own)
    if y.ndim == 2:
        return Labels(np.arange(n_outputs), multilabel=True, loss=own)
    return Labels(np.arange(max(2, n_outputs)), multilabel=False, loss=own)


def _fitting(y: Array, n_outputs: int) -> str:
    whole = y.dtype.kind in "iub"
    if y.ndim == 1 and whole and n_outputs > 1:
        return "CrossEntropyLoss"
    if np.isin(y, (0, 1)).all() and (n_outputs == 1 or y.ndim == 2):
        return "BCEWithLogitsLoss"
    return "MSELoss"


def _own(loss: Any, name: str) -> Loss:
    """One of Kilonet's, as it is given."""
    if name in _BEHIND:
        link, other = _BEHIND[name]
        raise SettingError(f"{name} is what {other} is without {link}: give module[:-1], with loss={other}().")
    if name.endswith("Loss") and not isinstance(loss, Loss):
        raise SettingError(f"loss came as {name}; needs {', '.join(_MODULES)}, or one of Kilonet's.")
    return loss_from(loss)
