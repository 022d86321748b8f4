"""scikit-learn's own checks of estimators: all of them, but for searches those on repeated rows."""

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from kilonet import ArchitectureSearch, MLPClassifier, MLPRegressor

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


FOLDS = "a repeated row may be held out beside itself, a weighted one cannot: folds differ"
SEARCHES = [
    ArchitectureSearch(
        [4], l2=[1e-3], rate=[0.02], estimator=estimator, seeds=1, cv=2, runs=10**4, nested=False, extend=False
    )
    for estimator in (MLPClassifier(epochs=30), MLPRegressor(epochs=30))
]


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    SEARCHES,
    expected_failed_checks=lambda _: dict.fromkeys(
        ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data"), FOLDS
    ),
)
def test_scikit_learn_check_of_a_search(estimator: Any, check: Any) -> None:
    check(estimator)
