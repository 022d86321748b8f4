"""Layers without a non-linearity between them, as one."""

from collections.abc import Iterator
from itertools import compress
from math import prod
from typing import Any

import numpy as np

from kilonet.activations import identity
from kilonet.checks import shown
from kilonet.errors import DataError, SettingError
from kilonet.layers import Layer, LayerView, Shape
from kilonet.network import Network, as_theta
from kilonet.values import Array


def collapse(network: Network, theta: Any) -> tuple[Network, Any]:
    """Fold every linear hidden layer into the layer after it: W = W2·W1, b = W2·b1 + b2.

    theta: (..., n_parameters); the members' axes are kept. A run of layers with the activation identity becomes one,
    and goes into the unit that follows it, of whatever kind: no linear hidden layer is left, and other layers stay.
    Where there is none, network and theta themselves come back. A narrow linear layer between wide ones has fewer
    parameters than its product: see n_parameters before and after.

    Products are made in float64 and rounded once, to theta's type. Scores agree up to rounding, which in either network
    is at most Σ (fan_in + 2) · eps of what it would put out if all numbers were absolute: sums in another order.

    >>> network = Network([3, 4, 5, 2], activation=identity)
    >>> single, parameters = collapse(network, network.initial(seeds=[0, 1]))
    >>> single, network.n_parameters, single.n_parameters, parameters.shape
    (Network([3, Dense(2, activation=identity)]), 53, 8, (2, 8))

    Raises ShapeError when theta's last axis is not n_parameters, DataError when a product is too large for its type,
    and SettingError when the network is none, or a graph and no chain.
    """
    if not isinstance(network, Network):
        raise SettingError(
            f"network came as {shown(network)}; needs a kn.Network, and theta after it: collapse(network, theta)."
        )
    if not network.graph.is_chain:
        raise SettingError(
            f"the network is no chain of layers ({', '.join(network.names)}); collapse folds layers that follow one "
            "another, each with one user. Build the chain with Network([...])."
        )
    views, given = network.views(theta), as_theta(theta)
    last = network.n_layers - 1
    stays = [place == last or not _is_linear(layer) for place, layer in enumerate(network.layers)]
    if all(stays):
        return network, theta
    found = Network([network.n_inputs, *compress(network.layers, stays)])
    dtype = given.dtype if given.dtype.kind == "f" else np.dtype(np.float64)
    parameters = np.empty((*given.shape[:-1], found.n_parameters), dtype)
    with np.errstate(over="ignore", invalid="ignore"):  # _check_size tells of it
        folded = compress(_products(views, given.shape[:-1], stays), stays)
        for own, (W, b, alpha) in zip(found.views(parameters), folded, strict=True):
            own.W[...], own.b[...] = W.reshape(own.W.shape), b.reshape(own.b.shape)
            if own.alpha is not None:
                own.alpha[...] = alpha
    _check_size(given, parameters)
    return found, parameters


def _is_linear(layer: Layer) -> bool:
    """Whether a layer is a matrix and a bias; so is one of maxout units that have a single piece."""
    return layer.activation == identity and layer.pieces == 1


def _products(views: list[LayerView], lead: Shape, stays: list[bool]) -> Iterator[LayerView]:
    """Each layer with the linear ones below it, in float64: W (..., rows, fan_in), b (..., rows), of all pieces."""
    below: LayerView | None = None
    for view, last_of_run in zip(views, stays, strict=True):
        rows, fan_in = prod(view.b.shape[len(lead) :]), view.W.shape[-1]
        exact = np.promote_types(view.W.dtype, np.float64)
        W, b = view.W.reshape(*lead, rows, fan_in).astype(exact), view.b.reshape(*lead, rows).astype(exact)
        if below is not None:
            W, b = W @ below.W, (W @ below.b[..., np.newaxis])[..., 0] + b
        below = LayerView(W, b, view.alpha)
        yield below
        if last_of_run:
            below = None


def _check_size(given: Array, parameters: Array) -> None:
    """Raise DataError where parameters have become infinite; those of a member that diverged were so before."""
    finite = np.isfinite(given).all(axis=-1)
    if np.isfinite(parameters[finite]).all():
        return
    wider = "scale the layers" if parameters.dtype.itemsize >= 8 else "give theta.astype(np.float64)"
    raise DataError(f"a product of layers is too large for {parameters.dtype}; {wider}.")
