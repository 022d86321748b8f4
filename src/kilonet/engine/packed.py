"""Scores, hidden outputs and gradients without training, by the kernel."""

from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from kilonet.engine import machine
from kilonet.engine.planner import pays
from kilonet.engine.problem import Problem
from kilonet.engine.translate import gradient_described, inputs
from kilonet.network import Network, misfit
from kilonet.recipe import Recipe

Array = NDArray[Any]
Floats = NDArray[np.float64]

_ROWS = 96  # that the kernel predicts together


def scores(network: Network, theta: Array, X: Any, n_threads: int | None = None) -> Array:
    """Scores (P, n, k) of the members theta (P, n_parameters); X (n, n_inputs), dense or scipy.sparse."""
    return Predictor(network, theta, n_threads).scores(X)


def value_and_grad(
    network: Network, loss: Any, theta: Array, X: Any, targets: Array, weights: Floats | None
) -> tuple[Array, Array]:
    """Mean loss (P,) in float64 and its gradient (P, n_parameters) in theta's dtype, all rows at once."""
    theta = np.ascontiguousarray(theta)
    recipe = Recipe(seeds=tuple(range(loss.n_members or 1)), dtype=theta.dtype.name, order=None)
    problem = Problem(network, loss, X, targets, weights, None, recipe)
    settings = machine.settings(theta.dtype, gradient_described(problem))
    threads, pool = machine.thread_count(None, 3.0 * network.n_connections * X.shape[0]), machine.pool()
    value, gradient = np.empty(len(theta)), np.empty(theta.shape, theta.dtype)
    for member in range(len(theta)):
        if member < recipe.n_members:
            kernel = machine.trainer(theta.dtype, [(settings, [member])], packed=False)
        kernel.load(theta, [member])
        value[member] = kernel.gradient(pool, threads)
        kernel.store_gradient(gradient[member])
    return value, gradient


class Predictor:
    """Predictions of fixed parameters theta (..., n_parameters), packed once for many calls.

    >>> net = Network([3, 4, 1])
    >>> Predictor(net, net.initial(seed=0)).scores(np.ones((5, 3), dtype=np.float32)).shape
    (5, 1)
    """

    def __init__(self, network: Network, theta: Array, n_threads: int | None = None) -> None:
        self._network, self._lead, self._dtype, self._asked = network, theta.shape[:-1], theta.dtype, n_threads
        self._most, self._work = machine.thread_count(n_threads, np.inf), network.n_connections
        self._flat = np.ascontiguousarray(theta).reshape(-1, network.n_parameters)
        lanes = machine.lanes(theta.dtype)
        size = lanes if len(self._flat) > 1 and pays(network, _ROWS, min(lanes, len(self._flat)), lanes) else 1
        groups = [self._flat[start : start + size] for start in range(0, len(self._flat), size)]
        self._groups = [(machine.predictor(network, group, size > 1, self._most), len(group)) for group in groups]

    def scores(self, X: Any) -> Array:
        """Scores (..., n, k) for X (n, n_inputs), dense or scipy.sparse. Raises ShapeError for another shape."""
        return self.hidden(X, -1)

    def hidden(self, X: Any, layer: int) -> Array:
        """Outputs (..., n, units) of a layer, counted from 0 or, negative, from the end (-1: the scores).

        Raises ShapeError for X of another shape than (n, n_inputs): the kernel would read beyond its end.
        """
        if X.ndim != 2 or X.shape[1] != self._network.n_inputs:
            raise misfit(self._network, X.shape)
        layer = range(self._network.n_layers)[layer]
        rows, units = X.shape[0], self._network.layers[layer].units
        out = np.empty((len(self._flat), rows, units), dtype=self._dtype)
        # Neither the environment nor the system is asked again: a single row is predicted in some 20 µs.
        threads = self._most if self._asked else min(self._most, machine.paying_threads(self._work * rows))
        given: tuple[Any, ...] = ()
        if scipy.sparse.issparse(X):
            found = inputs(X.tocsr().astype(self._dtype, copy=False))
            given = (found["starts"], found["columns"], found["entries"])
        else:
            X = np.ascontiguousarray(X, dtype=self._dtype)
        first = 0
        for kernel, members in self._groups:
            own = out[first : first + members]
            kernel.sparse(*given, layer, own, threads) if given else kernel.dense(X, layer, own, threads)
            first += members
        return out.reshape(*self._lead, rows, units)
