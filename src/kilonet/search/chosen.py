"""What a fitted search does with its choice: predict, as scikit-learn's searches do."""

import os
from pathlib import Path
from typing import Any

from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from kilonet import report
from kilonet.estimators import MLPClassifier
from kilonet.evidence import SearchRecord


def _refitted(search: Any) -> bool:
    return bool(search.refit)


def _has(method: str) -> Any:
    """Whether the estimator that is searched for has a method, as `available_if` asks."""

    def check(search: Any) -> bool:
        estimator = getattr(search, "best_estimator_", None) or search.estimator or MLPClassifier()
        getattr(estimator, method)
        return _refitted(search)

    return check


class Chosen:
    """Methods of the refitted estimator, there where it has them."""

    best_estimator_: Any
    scorer_: Any
    record_: SearchRecord

    @available_if(_refitted)
    def predict(self, X: Any) -> Any:
        """What the refitted choice predicts for X."""
        check_is_fitted(self)
        return self.best_estimator_.predict(X)

    @available_if(_has("predict_proba"))
    def predict_proba(self, X: Any) -> Any:
        """Probabilities of the classes (n, n_classes), by the refitted choice."""
        check_is_fitted(self)
        return self.best_estimator_.predict_proba(X)

    @available_if(_has("predict_log_proba"))
    def predict_log_proba(self, X: Any) -> Any:
        """Logarithms of predict_proba."""
        check_is_fitted(self)
        return self.best_estimator_.predict_log_proba(X)

    @available_if(_has("decision_function"))
    def decision_function(self, X: Any) -> Any:
        """Scores of the refitted choice, as its own decision_function."""
        check_is_fitted(self)
        return self.best_estimator_.decision_function(X)

    def report(self, path: str | os.PathLike[str]) -> Path:
        """Write the evidence as a page for people, .html or .md, or as data, .json; gives the path of the file.

        Raises SettingError for another ending; the old file stays as it was where the new one cannot be written.
        """
        check_is_fitted(self)
        return report.write(self.record_, path)

    @available_if(_refitted)
    def score(self, X: Any, y: Any) -> float:
        """The score of the refitted choice: by `scoring`, else its own accuracy or R²."""
        check_is_fitted(self)
        return float(self.scorer_(self.best_estimator_, X, y))
