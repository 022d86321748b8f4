"""The one place where the command line meets the estimators, so that both give the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.estimators import MLPClassifier, MLPRegressor, classifier, regressor
from kilonet.estimators.labels import Labels
from kilonet.estimators.loading import from_model
from kilonet.estimators.plan import network_of
from kilonet.estimators.saving import to_model
from kilonet.network import Network

Estimator = MLPClassifier | MLPRegressor
LOSSES = {"classification": classifier.LOSSES, "regression": regressor.LOSSES}

__all__ = [
    "LOSSES",
    "Estimator",
    "MLPClassifier",
    "MLPRegressor",
    "from_model",
    "loss_on",
    "planned_network",
    "to_model",
]


def planned_network(estimator: Estimator, n_inputs: int, y: NDArray[Any]) -> Network:
    """The network that `estimator.fit` is going to train, to be told before it starts."""
    n_outputs = 1
    if isinstance(estimator, MLPClassifier):
        n_outputs = Labels.of(y, estimator._given_loss()).n_outputs  # noqa: SLF001
    return network_of(estimator, n_inputs, n_outputs)


def loss_on(estimator: Estimator, X: Any, y: NDArray[Any]) -> float:
    """Mean loss over rows, each counting once, in the units of `history_`."""
    footing = estimator._footing  # noqa: SLF001 - the inputs as in training, which predictions alone do not tell
    scores = estimator.network_.scores(estimator.theta_, footing.inputs(X))
    return float(np.mean(footing.loss.value(scores, footing.codec.targets(y)), dtype=np.float64))
