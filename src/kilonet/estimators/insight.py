"""What a face asks an estimator beside its methods: what it is going to do, and its loss on rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.estimators import ensemble
from kilonet.estimators.classifier import MLPClassifier
from kilonet.estimators.labels import Labels
from kilonet.estimators.plan import Draws, first_rates, network_of
from kilonet.estimators.regressor import MLPRegressor
from kilonet.estimators.rows import Rows, hold_out
from kilonet.network import Network

Estimator = MLPClassifier | MLPRegressor


def planned_network(estimator: Estimator, n_inputs: int, y: NDArray[Any]) -> Network:
    """The network that `estimator.fit` is going to train on encoded rows of n_inputs numbers and the target y (n,).

    >>> planned_network(MLPClassifier(hidden=5), 2, np.array(["a", "b", "c"])).sizes
    (2, 5, 3)
    """
    n_outputs = 1
    if isinstance(estimator, MLPClassifier):
        n_outputs = Labels.of(y, estimator._given_loss()).n_outputs
    return network_of(estimator, n_inputs, n_outputs)


def planned_rate(estimator: Estimator) -> float:
    """The rate that `estimator.fit` is going to begin with: that of the first member, should they differ.

    >>> planned_rate(MLPRegressor(optimizer="sgd")), planned_rate(MLPRegressor(hidden=(), rate=0.5))
    (0.1, 0.5)
    """
    return first_rates(estimator, network_of(estimator, 1, 1))[0]


def planned_rows(estimator: Estimator, y: NDArray[Any]) -> NDArray[np.intp]:
    """Places among the rows with target y (n,) that fit() will learn from, where early stopping sets some apart.

    Raises SettingError where none would be left.

    >>> planned_rows(MLPRegressor(early_stopping=True, random_state=0), np.arange(10.0)).tolist()
    [0, 1, 2, 3, 4, 5, 7, 8, 9]
    """
    draws = Draws.of(estimator.random_state)
    kept, _ = hold_out(Rows(None, y, None), estimator.validation_fraction, draws.split, stratify=estimator._stratify)
    return np.arange(len(y)) if kept.places is None else kept.places


def loss_on(estimator: Estimator, X: Any, y: NDArray[Any]) -> float:
    """Mean loss over rows, each counting once, in the units of `history_`.

    Of several members it is the loss of what they predict together: of the mean probability, score or number. (A loss
    of one's own with a link of its own gives the mean of the members' losses.)

    >>> X, y = np.zeros((2, 1)), np.array([0, 1])
    >>> classifier = MLPClassifier(hidden=(), epochs=1, l2=0.0, schedule="constant", random_state=0).fit(X, y)
    >>> round(loss_on(classifier, X, y), 6)  # nothing is to be learned: log(2)
    0.693147
    """
    footing, network, theta = estimator._footing, estimator.network_, np.atleast_2d(estimator.theta_)
    inputs = footing.inputs(X)
    targets = footing.loss.targets(footing.codec.targets(y), network.n_outputs, np.float64)
    found = []
    for rows in ensemble.blocks(len(targets), len(theta), network.n_outputs):
        scores = np.stack([network.scores(own, inputs[rows]) for own in theta])
        found.append(ensemble.values(footing.loss, scores, targets[rows]))
    return float(np.mean(np.concatenate(found), dtype=np.float64))
