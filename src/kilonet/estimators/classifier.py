"""MLPClassifier: a fully-connected network that tells classes apart."""

from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if

from kilonet.errors import DataError, SettingError
from kilonet.estimators.base import BaseMLP
from kilonet.estimators.labels import Labels, label_array
from kilonet.estimators.plan import loss_of
from kilonet.estimators.rows import Rows
from kilonet.estimators.settings import documented
from kilonet.losses import OwnLoss

LOSSES = ("cross_entropy", "logistic", "hinge", "squared_hinge")
_LOSS = """cross_entropy, or logistic where y has several labels per row. "hinge" and "squared_hinge" give
            no probabilities; these two and logistic need only one output for two classes"""


def _has_probabilities(classifier: "MLPClassifier") -> bool:
    """Margins are no probabilities; `available_if` makes predict_proba absent where this is false."""
    loss = classifier._given_loss()
    if isinstance(loss, OwnLoss):
        return hasattr(loss.own, "link")
    return loss is None or loss.name not in ("hinge", "squared_hinge")


@documented(_LOSS)
@dataclass(eq=False, repr=False, kw_only=True)
class MLPClassifier(ClassifierMixin, BaseMLP):
    """A fully-connected network that tells classes apart: two, many, or several labels per row.

    y: (n,) of any hashable labels, or (n, n_labels) of 0 and 1 for several labels per row.
    class_weight: a dict from class to weight, or "balanced" for classes of equal total weight; both
    the training and the validation curves are weighted by it. `history_` has the mean loss in nats
    (for cross_entropy and logistic) and the accuracy.

    {settings}
    {attributes}
        classes_: the labels in the order of the outputs.

    >>> import numpy as np
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> classifier = MLPClassifier(hidden=(8,), rate=0.02, random_state=0)
    >>> classifier.fit(X, ["low", "low", "high", "high"]).predict([[0.2], [2.9]]).tolist()
    ['low', 'high']
    >>> classifier.n_iter_, classifier.coefs_[0].shape
    (1000, (1, 8))
    """

    class_weight: Any = None

    _stratify = True

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """One more epoch over these rows, going on exactly from where training stood.

        The first call needs `classes`, all that may ever come (with several labels per row y has them
        all); it also settles the encoder and the number type. Calls on the same rows equal one
        fit with as many epochs and schedule="constant", bit for bit. The rate follows the schedule, but
        for cosine, which needs an end and is constant here.

        Raises DataError for a label that is not among the classes.
        """
        if isinstance(self.class_weight, str):
            raise SettingError(
                f"class_weight={self.class_weight!r} needs all rows at once, which partial_fit never has. "
                "Give a dict from class to weight."
            )

        def codec(rows: Rows) -> Labels:
            if classes is None and rows.y.ndim == 1:
                raise DataError("classes must be passed on the first call to partial_fit: name all that may come.")
            return Labels.of(rows.y if rows.y.ndim == 2 else label_array(classes), self._given_loss())

        return self._partial_fit(X, y, sample_weight, codec)

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest class of each row (n,); with several labels per row (n, n_labels) of 0 and 1."""
        scores = self._scores(X)
        return self._labels.chosen(scores)

    def decision_function(self, X: Any) -> NDArray[Any]:
        """Scores (n, n_classes); for two classes (n,), positive for the second one."""
        scores = self._scores(X)
        return self._labels.decision(scores)

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities (n, n_classes) in the order of classes_; absent for the hinge losses.

        Rows sum to 1, but where there are several labels per row: each column then is the probability of
        its own label.
        """
        scores = self._scores(X).astype(np.float64)
        return self._labels.probabilities(scores)

    @available_if(_has_probabilities)
    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Logarithms of predict_proba."""
        with np.errstate(divide="ignore"):
            return cast(NDArray[np.float64], np.log(self.predict_proba(X)))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of rows whose label (with several per row: all labels) is predicted; labels may be any hashable."""
        scores = self._scores(X)
        labels = self._labels
        right = labels.matches(label_array(y)) == labels.matches(labels.chosen(scores))
        if right.ndim == 2:
            right = right.all(axis=1)
        return float(np.average(right, weights=sample_weight))

    @property
    def _labels(self) -> Labels:
        return cast(Labels, self._footing.codec)

    def _target_array(self, y: Any) -> NDArray[Any]:
        return label_array(y)

    def _codec(self, rows: Rows, known: Rows) -> Labels:  # noqa: ARG002 - held-out rows may have classes of their own
        return Labels.of(known.targets, self._given_loss())

    def _given_loss(self) -> Any:
        return loss_of(self.loss, LOSSES, "MLPRegressor")

    def _row_weights(self, rows: Rows, codec: Any) -> NDArray[np.float64] | None:
        if self.class_weight is None:
            return rows.own_weights
        weights: NDArray[np.float64] = codec.row_weights(rows.targets, self.class_weight, rows.own_weights)
        return weights

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
