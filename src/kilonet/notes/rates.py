"""One network at many rates and seeds, as one population, looked at half the way and at the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.engine import choose
from kilonet.network import Network
from kilonet.notes.trials import at_rates

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

RATES = (0.1, 0.3, 0.5, 0.7, 1.0, 1.5, 3.0)
BOUND = 10.0  # on the norm of each unit's weights, or the highest rates would end in overflow


@dataclass(frozen=True, eq=False)
class Sweep:
    """What came of a network at some rates.

    halfway, theta (rates, seeds, n_parameters): parameters after half of the epochs and at the end; finite (rates,
    seeds): who stayed so; accuracy, loss (rates, seeds): in the last epoch, on training rows.
    """

    network: Network
    halfway: NDArray[Any]
    theta: NDArray[Any]
    finite: Bools
    accuracy: Floats
    loss: Floats


def sweep(network: Network, X: Any, y: Any, rates: Sequence[float], seeds: int, epochs: int) -> Sweep:
    """Train by plain SGD, every rate with every seed; X (n, n_inputs), y (n,) classes."""
    first = at_rates(network, X, y, rates, seeds, epochs=epochs // 2, max_norm=BOUND)
    runs = at_rates(network, X, y, rates, seeds, epochs=epochs, max_norm=BOUND, state=first.state)
    shape = (len(rates), seeds)
    return Sweep(
        network, first.theta.reshape(*shape, -1), runs.theta.reshape(*shape, -1),
        (np.asarray(runs.diverged) == 0).reshape(shape), np.asarray(runs.history.score[-1], np.float64).reshape(shape),
        np.asarray(runs.history.loss[-1], np.float64).reshape(shape),
    )  # fmt: skip


def silent(network: Network, theta: NDArray[Any], X: Any) -> list[Bools]:
    """Which units of each hidden layer are above zero on no row: arrays (..., units); of ReLU these are dead.

    theta (..., n_parameters), one member after another, so that the outputs of all need not be held at once.
    """
    flat = theta.reshape(-1, theta.shape[-1])
    predictors = [choose(network).Predictor(network, one) for one in flat]  # its signs are those of the training
    each = [[~(one.hidden(X, layer) > 0).any(axis=0) for layer in range(network.n_layers - 1)] for one in predictors]
    return [np.stack(layer).reshape(*theta.shape[:-1], -1) for layer in zip(*each, strict=True)]


def share_silent(network: Network, theta: NDArray[Any], X: Any) -> Floats:
    """The share of all hidden units that are above zero on no row, of each member (...,)."""
    shares: Floats = np.concatenate(silent(network, theta, X), axis=-1).mean(axis=-1)
    return shares
