"""Class labels: any hashable in, numbers for the loss; scores in, labels and probabilities out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from kilonet.errors import DataError, SettingError
from kilonet.losses import cross_entropy, logistic

Labelled = NDArray[Any]
ONE_OUTPUT = ("logistic", "hinge", "squared_hinge")
"""Losses that decide between two classes with one score, by its sign."""


@dataclass(frozen=True, eq=False)
class Labels:
    """The classes of a classification in the order of the network's outputs, and the loss that tells them apart.

    classes (k,): sorted where they can be compared; 0 ... k−1 for multilabel, where y is (n, k) of 0 and 1.
    loss: None takes cross_entropy, or logistic for multilabel.

    >>> labels = Labels.of(label_array(["no", "yes", "no"]))
    >>> labels.classes.tolist(), labels.targets(label_array(["yes", "no"])).tolist()
    (['no', 'yes'], [1, 0])
    """

    classes: Labelled
    multilabel: bool
    loss: Any

    @classmethod
    def of(cls, y: Labelled, loss: Any = None) -> "Labels":
        """The classes that occur in y. Raises DataError when there are fewer than two."""
        if y.ndim == 2:
            if loss is not None and _name(loss) == "cross_entropy":
                raise SettingError(
                    "loss='cross_entropy' chooses one class per row, but y has several labels per row (2-D of 0 and 1)."
                    " Use loss='logistic' (or 'auto'), 'hinge' or 'squared_hinge'."
                )
            return cls(np.arange(y.shape[1]), multilabel=True, loss=logistic if loss is None else loss)
        classes = _distinct(y)
        if len(classes) < 2:
            raise DataError(
                f"y has one class only ({classes.tolist()[0]!r}, {len(y)} rows); classification needs two or more."
                " Check the target column, and whether the rows were filtered or weighted with zeros."
            )
        return cls(classes, multilabel=False, loss=cross_entropy if loss is None else loss)

    @property
    def n_outputs(self) -> int:
        """How many outputs the network has: one for two classes where the loss decides by the sign of a score."""
        if not self.multilabel and len(self.classes) == 2 and _name(self.loss) in ONE_OUTPUT:
            return 1
        return len(self.classes)

    def indices(self, y: Labelled) -> NDArray[np.int64]:
        """(n,) places in `classes`, or (n, k) of 0 and 1. Raises DataError for labels that are not among them."""
        found = self._lookup(y)
        if not self.multilabel and (found < 0).any():
            unknown = _distinct(y[found < 0])
            row = int(np.flatnonzero(found < 0)[0])
            raise DataError(
                f"y has {_listed(unknown)} (first in row {row}), not among the classes so far: "
                f"{_listed(self.classes)}. "
                "Name all classes when training begins (partial_fit(..., classes=...)), or fit anew."
            )
        return found

    def matches(self, y: Labelled) -> NDArray[np.int64]:
        """Like `indices`, with −1 for an unknown label."""
        return self._lookup(y)

    def _lookup(self, y: Labelled) -> NDArray[np.int64]:
        if self.multilabel != (y.ndim == 2) or (self.multilabel and y.shape[1] != len(self.classes)):
            needed = f"(n, {len(self.classes)}) of 0 and 1" if self.multilabel else "(n,), one label per row"
            raise DataError(f"y has shape {y.shape}; this classifier was begun with y of shape {needed}.")
        if self.multilabel:
            return y.astype(np.int64)
        if object in (self.classes.dtype, y.dtype) or self.classes.dtype.kind != y.dtype.kind:
            place = {label: k for k, label in enumerate(self.classes.tolist())}
            return np.array([place.get(label, -1) for label in y.tolist()], dtype=np.int64)
        found = np.minimum(np.searchsorted(self.classes, y), len(self.classes) - 1)
        return np.where(self.classes[found] == y, found, -1)

    def targets(self, y: Labelled) -> NDArray[Any]:
        """What the loss is given: class numbers, or bits for logistic and multilabel."""
        found = self.indices(y)
        if not self.multilabel and len(self.classes) > 2 and _name(self.loss) == "logistic":
            bits: NDArray[np.float64] = np.eye(len(self.classes))[found]  # one against the rest
            return bits
        return found

    def decision(self, scores: NDArray[Any]) -> NDArray[Any]:
        """scikit-learn's decision values: (n,) for two classes, positive for the second; else (n, k)."""
        if self.multilabel or len(self.classes) > 2:
            return scores
        return scores[:, 0] if scores.shape[1] == 1 else scores[:, 1] - scores[:, 0]

    def chosen(self, scores: NDArray[Any]) -> Labelled:
        """The predicted labels (n,), or (n, k) of 0 and 1."""
        if self.multilabel:
            return (scores > 0).astype(np.int64)
        decision = self.decision(scores)
        places = decision.argmax(axis=1) if decision.ndim == 2 else (decision > 0).astype(np.intp)
        labels: Labelled = self.classes[places]
        return labels

    def probabilities(self, scores: NDArray[Any]) -> NDArray[Any]:
        """(n, k) through the loss's link; rows sum to 1, but for multilabel, where each label has its own."""
        linked: NDArray[Any] = self.loss.link(scores)
        if self.multilabel:
            return linked
        if scores.shape[1] == 1:  # 1 − p would lose the digits of a small p
            return np.hstack([self.loss.link(-scores), linked])
        if _name(self.loss) == "logistic":
            total = linked.sum(axis=1, keepdims=True)
            even = np.full_like(linked, 1 / linked.shape[1])
            return cast(NDArray[Any], np.divide(linked, total, out=even, where=total > 0))
        return linked

    def row_weights(self, y: Labelled, class_weight: Any, weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """Weight of each row: its class's, times its own. "balanced" makes the classes weigh the same in total."""
        if self.multilabel:
            raise SettingError("class_weight needs one class per row; with several labels use sample_weight.")
        found = self.indices(y)
        own = np.ones(len(y)) if weights is None else weights
        totals = np.bincount(found, own, minlength=len(self.classes)).astype(np.float64)
        of_class: NDArray[np.float64] = self._per_class(class_weight, totals)[found]
        return own * of_class

    def _per_class(self, class_weight: Any, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        if isinstance(class_weight, str) and class_weight == "balanced":
            present = totals > 0
            share = np.zeros_like(totals)
            share[present] = totals.sum() / (totals[present] * present.sum())
            return share
        if not isinstance(class_weight, Mapping):
            raise SettingError(
                f"class_weight={class_weight!r}; it must be None, 'balanced' or a dict from class to weight."
            )
        classes = self.classes.tolist()
        missing = [label for label in classes if label not in class_weight]
        strange = [label for label in class_weight if label not in classes]
        if missing and strange:  # one of the two alone is a fold without a class, or a class of weight 1
            raise SettingError(f"class_weight names {strange!r}, which y does not have, and leaves out {missing!r}.")
        values = np.array([class_weight.get(label, 1.0) for label in classes], dtype=np.float64)
        if not (np.isfinite(values) & (values >= 0)).all() or not values.any():
            raise SettingError(f"class_weight={class_weight!r}; weights must be finite, not negative and not all zero.")
        return values


def label_array(y: Any) -> Labelled:
    """The user's y as (n,) labels, or (n, k) of 0 and 1 for multilabel.

    Raises DataError for a missing target or labels that are not hashable, and ValueError ("Unknown label
    type") for numbers that are no classes. A column (n, 1) is flattened with scikit-learn's warning.
    """
    if y is None:
        raise ValueError("This classifier requires y to be passed, but the target y is None.")
    array = y.toarray() if hasattr(y, "toarray") else _as_array(y)
    if array.ndim == 2 and array.shape[1] == 1:
        array = column_or_1d(array, warn=True)
    if array.ndim not in (1, 2):
        raise DataError(f"y has shape {array.shape}; needed is (n,), or (n, n_labels) of 0 and 1.")
    _refuse_missing(array)
    if array.ndim == 2 or array.dtype.kind in "fc":  # whole numbers and texts always are classes
        check_classification_targets(array)
    if array.ndim == 2 and not np.isin(array, (0, 1)).all():
        raise DataError("y has several columns, so it must hold 0 and 1 only; fit one classifier per column.")
    return array


def _as_array(y: Any) -> Labelled:
    """Like np.asarray, but ["a", 1] stays a text and a number, and tuples stay labels."""
    if not isinstance(y, list):
        return np.asarray(y)
    kinds = {np.str_ if isinstance(label, str) else np.number if np.isscalar(label) else type(label) for label in y}
    if len(kinds) <= 1 and not kinds & {tuple, frozenset}:
        return np.asarray(y)
    if kinds <= {list, np.ndarray}:
        return np.asarray(y)
    array = np.empty(len(y), dtype=object)
    array[:] = y
    return array


def _refuse_missing(y: Labelled) -> None:
    if y.dtype.kind == "f":
        bad = ~np.isfinite(y)
    elif y.dtype.kind in "mM":
        bad = np.isnat(y)
    elif y.dtype == object:
        bad = np.array([label is None or _unlike_itself(label) for label in y.ravel()], dtype=bool).reshape(y.shape)
    else:
        return
    if bad.any():
        row = int(np.flatnonzero(bad.reshape(len(y), -1).any(axis=1))[0])
        what = "infinity" if y.dtype.kind == "f" and np.isinf(y[row]).any() else "a missing value (NaN or None)"
        raise DataError(f"y has {what} in row {row}; every row needs a target. Leave out such rows before fitting.")


def _unlike_itself(label: Any) -> bool:
    """True for NaN, and for pandas' NA, whose comparison is neither true nor false."""
    try:
        return bool(label != label)
    except (TypeError, ValueError):
        return True


def _distinct(y: Labelled) -> Labelled:
    """The distinct labels: sorted, or by type and text where they cannot be compared."""
    if y.dtype != object:
        return np.unique(y)
    try:
        found = list(dict.fromkeys(y.tolist()))
    except TypeError as error:
        text = f"Unknown label type: y holds objects that are not hashable ({error}). Use texts or numbers."
        raise DataError(text) from error
    if all(isinstance(label, (int, float, np.number)) for label in found):
        check_classification_targets(np.array(found, dtype=np.float64))
    try:
        found = sorted(found)
    except TypeError:
        found = sorted(found, key=lambda label: (type(label).__name__, repr(label)))
    array = np.empty(len(found), dtype=object)
    array[:] = found
    return array


def _name(loss: Any) -> str:
    return str(loss.name)


def _listed(labels: Labelled, most: int = 10) -> str:
    shown = ", ".join(repr(label) for label in labels.tolist()[:most])
    return shown + (f" and {len(labels) - most} more" if len(labels) > most else "")
