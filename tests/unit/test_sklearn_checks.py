"""scikit-learn's own checks of estimators: all of them, with no expected failure."""

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from kilonet import MLPClassifier, MLPRegressor

# Warnings are errors elsewhere; the checks themselves pass odd data on purpose.
pytestmark = pytest.mark.filterwarnings("default")


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [
        MLPClassifier(),
        MLPRegressor(),
        MLPClassifier(encode=None),  # NaN is an error here, so the checks of NaN run as well
        MLPRegressor(encode=None),
        MLPClassifier(loss="logistic", hidden=(30, 10), activation="tanh"),
        MLPClassifier(loss="squared_hinge"),
        MLPClassifier(hidden=()),
        MLPRegressor(loss="huber", hidden=30, activation="gelu", schedule="constant"),
        MLPClassifier(members=3, hidden=30, epochs=60, rate=0.01),
        MLPRegressor(members=2, hidden=30, epochs=60, rate=0.01),
    ]
)
def test_scikit_learn_check(estimator: Any, check: Any) -> None:
    check(estimator)
