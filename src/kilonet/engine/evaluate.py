"""Scores, hidden outputs and gradients without training, in NumPy."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.engine.batches import gather
from kilonet.engine.measures import row_sum, value_and_slope
from kilonet.engine.passes import backward, forward
from kilonet.network import Network

Array = NDArray[Any]
Floats = NDArray[np.float64]

ROWS = 1024  # rows taken together; fixed, so that a member's bits do not depend on the population
GROUP = 1 << 23  # numbers that the widest layer of the members taken together may hold


def scores(network: Network, theta: Array, X: Any, n_threads: int | None = None) -> Array:
    """Scores (P, n, k) of the members theta (P, n_parameters); X (n, n_inputs), dense or scipy.sparse.

    n_threads is part of the face of every engine; NumPy's BLAS has its own setting.
    """
    del n_threads
    return _outputs(network, theta, X, -1)


def _outputs(network: Network, theta: Array, X: Any, layer: int) -> Array:
    units = network.layers[layer].units
    out = np.empty((len(theta), X.shape[0], units), dtype=theta.dtype)
    for members in _pieces(len(theta), max(1, GROUP // (ROWS * max(network.sizes + network.fan_ins)))):
        for rows in _pieces(X.shape[0], ROWS):
            out[members, rows] = network.hidden(theta[members], gather(X, rows))[layer]
    return out


def _pieces(n: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, n, size))


def value_and_grad(
    network: Network, loss: Any, theta: Array, X: Any, targets: Array, weights: Floats | None
) -> tuple[Array, Array]:
    """Mean loss (P,) in float64 and its gradient (P, n_parameters) in theta's dtype, all rows at once."""
    weight = np.ones(X.shape[0]) if weights is None else weights
    total = row_sum(weight)
    with np.errstate(all="ignore"):
        views, gradient = network.views(theta), np.empty(theta.shape, theta.dtype)
        none = [None] * network.n_layers
        given, traces = forward(network, views, gather(X, slice(None)).astype(theta.dtype, copy=False), none)
        value, slope = value_and_slope(loss, given, targets)
        share = (weight / total).astype(theta.dtype)
        backward(network, views, traces, slope * share[:, None], network.views(gradient))
        return row_sum(weight * value) / total, gradient


class Predictor:
    """Predictions of fixed parameters theta (..., n_parameters), made ready once for many calls.

    >>> net = Network([3, 4, 1])
    >>> Predictor(net, net.initial(seed=0)).scores(np.ones((5, 3))).shape
    (5, 1)
    """

    def __init__(self, network: Network, theta: Array) -> None:
        self._network, self._theta = network, np.ascontiguousarray(theta)

    def scores(self, X: Any) -> Array:
        """Scores (..., n, k) for X (n, n_inputs), dense or scipy.sparse."""
        return self.hidden(X, -1)

    def hidden(self, X: Any, layer: int) -> Array:
        """Outputs (..., n, units) of a layer, counted from 0 or, negative, from the end (-1: the scores)."""
        lead = self._theta.shape[:-1]
        flat = self._theta.reshape(-1, self._network.n_parameters)
        out = _outputs(self._network, flat, X, layer)
        return out.reshape(*lead, *out.shape[1:])
