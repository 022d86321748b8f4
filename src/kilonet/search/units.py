"""What losses of numbers are measured in."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from kilonet.estimators.numbers import Numbers
from kilonet.estimators.trials import Split, Table


def target_std(estimator: Any, table: Table, splits: Sequence[Split]) -> dict[str, list[float]]:
    """Of each split the standard deviation of the target in its training rows, by which its loss is standardized.

    {"target_std": [...]}, in units of y; empty for classes, for several targets, and with early stopping, which takes
    rows of its own away from those that the target is standardized by.
    """
    if is_classifier(estimator) or np.ndim(table.y) != 1 or estimator.early_stopping:
        return {}
    y, weights = estimator._target_array(table.y), table.weights
    own = None if weights is None else np.asarray(weights, dtype=np.float64)
    scales = [Numbers.of(y[split.train], None if own is None else own[split.train]).scale for split in splits]
    return {"target_std": [float(scale[0]) for scale in scales]}
