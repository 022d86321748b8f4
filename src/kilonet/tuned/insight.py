"""What a face asks a fitted estimator beside its methods, of whatever kind it is."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.estimators import insight
from kilonet.tuned.base import BaseTuned


def loss_on(estimator: Any, X: Any, y: NDArray[Any]) -> float:
    """Mean loss over rows, each counting once: the log loss, or half the squared error in standard deviations.

    Of estimators of single networks it is the loss that they were trained with.
    """
    if not isinstance(estimator, BaseTuned):
        return insight.loss_on(estimator, X, y)
    judge = estimator._judge_of(y)
    return float(np.mean(judge.losses(estimator._together(X))))


def networks_of(estimator: Any) -> Any:
    """An estimator of networks of one shape: the estimator itself, or the first ones of a model that tuned itself."""
    return estimator._parts[0].estimator if isinstance(estimator, BaseTuned) else estimator
