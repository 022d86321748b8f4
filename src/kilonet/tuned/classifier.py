"""MLPClassifierCV: a classifier that tunes itself."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import ClassifierMixin

from kilonet.estimators import MLPClassifier, ensemble
from kilonet.estimators.labels import label_array
from kilonet.losses import cross_entropy
from kilonet.tuned.base import BaseTuned, pooled
from kilonet.tuned.documented import documented
from kilonet.tuned.judging import Judge, tempered
from kilonet.tuned.tuning import Tuning

Floats = NDArray[np.float64]


@documented("probabilities (n, n_classes)")
@dataclass(eq=False, repr=False, kw_only=True)
class MLPClassifierCV(ClassifierMixin, BaseTuned):
    """A classifier that tunes itself: networks of several configurations on folds, and the mean of the best ones.

    y: (n,) of any hashable labels. The configuration with the lowest log loss out of fold is chosen, and its networks,
    one for each fold, are the model: the mean of their probabilities, calibrated by a temperature that is found out of
    fold too. class_weight: a dict from class to weight, or "balanced"; weights count in training and in the choice.
    docs/tuned.md has the method.

    {settings}
    {attributes}
        classes_: the labels in the order of the columns of predict_proba.

    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> classifier = MLPClassifierCV(hidden=8, runs=30, random_state=0).fit(X, np.where(X[:, 0] > 0, "right", "left"))
    >>> classifier.predict([[-2.0, 0.0], [2.0, 0.0]]).tolist(), classifier.oof_.shape, len(classifier.members_)
    (['left', 'right'], (60, 2), 5)
    """

    class_weight: Any = None

    def predict(self, X: Any) -> NDArray[Any]:
        """The likeliest class of each row (n,)."""
        likeliest: NDArray[Any] = self._fitted_codec().classes[self.predict_proba(X).argmax(axis=1)]
        return likeliest

    def predict_proba(self, X: Any) -> Floats:
        """Calibrated probabilities (n, n_classes) in the order of classes_: the mean of the networks', tempered."""
        return self._together(X)

    def _together(self, X: Any) -> Floats:
        labels = self._fitted_codec()
        said = pooled(list(self._said(X)), lambda scores: ensemble.probabilities(labels, scores))
        return tempered(said, self._temperature)

    def predict_log_proba(self, X: Any) -> Floats:
        """Logarithms of predict_proba."""
        with np.errstate(divide="ignore"):
            found: Floats = np.log(self.predict_proba(X))
        return found

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Share of rows whose class is predicted; labels may be any hashable."""
        predicted, labels = self.predict(X), self._fitted_codec()
        right = labels.matches(label_array(y)) == labels.matches(predicted)
        return float(np.average(right, weights=sample_weight))

    @property
    def classes_(self) -> NDArray[Any]:
        """The labels in the order of the columns of predict_proba."""
        classes: NDArray[Any] = self._fitted_codec().classes
        return classes

    def _base(self, tuning: Tuning) -> Any:
        loss = cross_entropy(smoothing=tuning.smoothing) if tuning.smoothing else "auto"
        return MLPClassifier(**self._settings(tuning), loss=loss, class_weight=self.class_weight)

    def _judged(self, codec: Any, y: NDArray[Any]) -> NDArray[Any]:
        found: NDArray[Any] = np.maximum(codec.matches(y), 0)  # of rows without weight a label may be unknown
        return found

    def _judge_of(self, y: Any) -> Judge:
        codec = self._fitted_codec()
        return Judge(codec, codec.indices(label_array(y)), np.ones(len(y)))

    def _in_units(self, said: Floats) -> Floats:
        return said
