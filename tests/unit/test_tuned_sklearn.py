"""scikit-learn's own checks of the networks that tune themselves: all, but for those on repeated rows."""

from typing import Any

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from kilonet import MLPClassifierCV, MLPRegressorCV
from kilonet.tuned import Tuning

# Warnings are errors elsewhere; the checks themselves pass odd data on purpose.
pytestmark = pytest.mark.filterwarnings("default")

SMALL = Tuning(hidden=((16,),), l2=(1e-3, 1e-1), steps=200, draws=1)
FOLDS = "a repeated row may be held out beside itself, a weighted one cannot: folds differ"


@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [
        MLPClassifierCV(tuning=SMALL),
        MLPRegressorCV(tuning=SMALL),
        MLPClassifierCV(tuning=SMALL, class_weight="balanced"),
    ],
    expected_failed_checks=lambda _: dict.fromkeys(
        ("check_sample_weight_equivalence_on_dense_data", "check_sample_weight_equivalence_on_sparse_data"), FOLDS
    ),
)
def test_scikit_learn_check(estimator: Any, check: Any) -> None:
    check(estimator)
