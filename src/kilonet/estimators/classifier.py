"""MLPClassifier: a fully-connected network that tells classes apart."""

from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin
from sklearn.utils.metaestimators import available_if

from kilonet.errors import DataError, SettingError
from kilonet.estimators import ensemble
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
    >>> several = MLPClassifier(hidden=(8,), members=5, epochs=9, random_state=0).fit(X, ["low", "low", "high", "high"])
    >>> several.predict([[0.2]]).shape, several.predict_proba_members([[0.2]]).shape, several.predict_std([[0.2]]).shape
    ((1,), (5, 1, 2), (1, 2))
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
        """The likeliest class of each row (n,); with several labels per row (n, n_labels) of 0 and 1.

        Of several members the mean of their probabilities decides; of their scores where the loss has no probabilities.
        """
        deciding = self._deciding(X)
        return self._labels.chosen(deciding)

    def predict_members(self, X: Any) -> NDArray[Any]:
        """What each member predicts by itself: (members, n); with several labels per row (members, n, n_labels)."""

        def chosen(scores: NDArray[Any]) -> NDArray[Any]:
            return np.stack([self._labels.chosen(own) for own in scores])

        return self._pooled(X, chosen, axis=1)

    def decision_function(self, X: Any) -> NDArray[Any]:
        """Scores (n, n_classes); for two classes (n,), positive for the second one.

        Of several members: the logarithms of `predict_proba`, which do not lose what is next to 0 or 1; for two
        classes, and for every one of several labels, its log-odds. Without probabilities: the mean of the scores.
        """
        deciding = self._deciding(X)
        return self._labels.decision(deciding)

    @available_if(_has_probabilities)
    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Probabilities (n, n_classes) in the order of classes_; absent for the hinge losses.

        Rows sum to 1, but where there are several labels per row: each column then is the probability of
        its own label. Of several members: the mean of `predict_proba_members`.
        """
        return self._pooled(X, lambda scores: self._probabilities(scores).mean(axis=0))

    @available_if(_has_probabilities)
    def predict_proba_members(self, X: Any) -> NDArray[np.float64]:
        """Probabilities of each member by itself (members, n, n_classes); absent where predict_proba is."""
        return self._pooled(X, self._probabilities, axis=1)

    @available_if(_has_probabilities)
    def predict_std(self, X: Any) -> NDArray[np.float64]:
        """Standard deviation over the members of their probabilities, (n, n_classes); absent where predict_proba is.

        It is that of these members (divided by their number), and 0 for a single one: how much the networks
        disagree, not how often they err.
        """
        return self._pooled(X, lambda scores: self._probabilities(scores).std(axis=0))

    @available_if(_has_probabilities)
    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """Logarithms of predict_proba."""
        with np.errstate(divide="ignore"):
            return cast(NDArray[np.float64], np.log(self.predict_proba(X)))

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of rows whose label (with several per row: all labels) is predicted; labels may be any hashable."""
        deciding = self._deciding(X)
        labels = self._labels
        right = labels.matches(label_array(y)) == labels.matches(labels.chosen(deciding))
        if right.ndim == 2:
            right = right.all(axis=1)
        return float(np.average(right, weights=sample_weight))

    @property
    def _labels(self) -> Labels:
        return cast(Labels, self._footing.codec)

    def _deciding(self, X: Any) -> NDArray[Any]:
        return self._pooled(X, lambda scores: ensemble.deciding(self._labels, scores))

    def _probabilities(self, scores: NDArray[Any]) -> NDArray[np.float64]:
        return ensemble.probabilities(self._labels, scores)

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
