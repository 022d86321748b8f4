"""The one place where the command line meets the estimators, so that both give the same numbers."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.estimators import MLPClassifier, MLPRegressor, classifier, regressor
from kilonet.estimators.insight import Estimator, loss_on, planned_network, planned_rate
from kilonet.estimators.loading import from_model
from kilonet.estimators.plan import Draws
from kilonet.estimators.rows import Rows, hold_out
from kilonet.estimators.saving import to_model

LOSSES = {"classification": classifier.LOSSES, "regression": regressor.LOSSES}

# fmt: off
__all__ = [
    "LOSSES", "Estimator", "MLPClassifier", "MLPRegressor", "from_model", "loss_on", "planned_network", "planned_rate",
    "planned_rows", "to_model",
]
# fmt: on


def planned_rows(estimator: Estimator, y: NDArray[Any]) -> NDArray[np.intp]:
    """Places among the rows with target y (n,) that fit() will learn from, where early stopping sets some apart.

    Raises SettingError where none would be left.

    >>> planned_rows(MLPRegressor(early_stopping=True, random_state=0), np.arange(10.0)).tolist()
    [0, 1, 2, 3, 4, 5, 7, 8, 9]
    """
    draws = Draws.of(estimator.random_state)
    stratify = estimator._stratify  # noqa: SLF001 - its own rule, so that these are exactly the rows
    kept, _ = hold_out(Rows(None, y, None), estimator.validation_fraction, draws.split, stratify=stratify)
    return np.arange(len(y)) if kept.places is None else kept.places
