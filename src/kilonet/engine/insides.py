"""The monitors of the reference engine: what `kilonet.monitors` names, in NumPy."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.activations import Mixed, PReLU
from kilonet.engine.batches import Batches, gather
from kilonet.engine.measures import row_sum
from kilonet.layers import Maxout
from kilonet.monitors import LARGEST, NAMES, OF_HIDDEN, SAMPLE, SIGMOID, TANH
from kilonet.network import LayerView, Network
from kilonet.smooth import Sigmoid, Tanh

Array = NDArray[Any]
Floats = NDArray[np.float64]

_BLOCK = 1024  # rows that are visited together in search of one that a unit fires at


def opening(network: Network, first_loss: Floats, before: Array, gradient: Array, after: Array) -> Array:
    """Monitors (P, width) of an epoch's first step: parameters before it and after it, gradient of the data loss.

    first_loss (P,), NaN where the batch had no weight, so that there was no step; before, gradient, after
    (P, n_parameters). NaN for what the epoch's end will tell.
    """
    found = np.full((len(before), network.n_layers, len(NAMES)), np.nan)
    views = [network.views(theta) for theta in (before, gradient, after - before)]
    for layer, (own, slope, change) in enumerate(zip(*views, strict=True)):
        norm = _norm(own.W)
        found[:, layer, NAMES.index("gradient_norm")] = np.nan if network.n_parameters > LARGEST else _norm(slope.W)
        moved = _norm(change.W)
        found[:, layer, NAMES.index("update_ratio")] = np.divide(
            moved, norm, out=np.where(moved > 0, np.inf, 0.0), where=norm > 0
        )
        found[np.isnan(first_loss), layer] = np.nan
        found[:, layer, NAMES.index("weight_norm")] = norm
    return np.concatenate([first_loss[:, None], found.reshape(len(before), -1)], axis=1).astype(np.float32)


def _norm(W: Array) -> Floats:
    """Norm (P,) of weights (P, ..., units, fan_in): over fan_in, then over units, in float64."""
    return np.sqrt(row_sum(row_sum(W.astype(np.float64) ** 2).reshape(len(W), -1)))


def closing(begun: Array, batches: Batches, theta: Array, epoch: int, members: NDArray[np.int64]) -> Array:
    """Monitors (P, width) of an epoch: what its first step has told, and what the outputs at its end tell.

    theta (P, n_parameters): of the members, dropout and noise off.
    """
    problem, network = batches.problem, batches.problem.network
    table = begun[:, 1:].reshape(len(begun), network.n_layers, len(NAMES)).copy()
    for place, member in enumerate(members.tolist()):
        own = theta[place : place + 1]
        rows = batches.first_rows(epoch, member, SAMPLE)
        table[place, :-1, : len(OF_HIDDEN)] = _sampled(network, own, gather(problem.X, rows))
        table[place, :-1, 0] = dead(network, own, problem.X)
    return np.concatenate([begun[:, :1], table.reshape(len(begun), -1)], axis=1)


def _sampled(network: Network, theta: Array, x: Array) -> Floats:
    """Saturation, mean and sign of the hidden layers' outputs on rows x; (hidden layers, 4), the first NaN."""
    found = np.full((network.n_layers - 1, len(OF_HIDDEN)), np.nan)
    for layer, (unit, outputs) in enumerate(zip(network.layers[:-1], network.hidden(theta, x), strict=False)):
        a = outputs[0].astype(np.float64)
        beyond = saturated(unit, outputs[0])
        found[layer, OF_HIDDEN.index("saturated")] = beyond.mean() if beyond.size else np.nan
        found[layer, OF_HIDDEN.index("activation_mean")] = row_sum(row_sum(a.T)) / a.size
        found[layer, OF_HIDDEN.index("positive")] = np.mean(a > 0)
    return found


def saturated(layer: Any, outputs: Array) -> NDArray[np.bool_]:
    """Which outputs (rows, units) lie beyond the bounds of their unit; no columns for units that do not have two."""
    unit = None if isinstance(layer, Maxout) else layer.activation
    parts = unit.columns if isinstance(unit, Mixed) else [(unit, slice(None))]
    beyond = [_beyond(own, outputs[:, columns]) for own, columns in parts if type(own) in (Tanh, Sigmoid)]
    return np.concatenate([np.zeros((len(outputs), 0), dtype=bool), *beyond], axis=-1)


def _beyond(unit: Any, outputs: Array) -> NDArray[np.bool_]:
    """Which outputs of tanh or sigmoid units lie beyond their bounds."""
    dtype = outputs.dtype.type
    if type(unit) is Tanh:
        return np.asarray(np.abs(outputs) > dtype(TANH))
    return np.asarray((outputs > dtype(SIGMOID)) | (outputs < dtype(1 - SIGMOID)))


def dead(network: Network, theta: Array, X: Any) -> Floats:
    """Share (hidden layers,) of units of one member, theta (1, n_parameters), that no row of X gives a slope."""
    fired = [np.zeros(layer.units, dtype=bool) for layer in network.layers[:-1]]
    views = network.views(theta)
    for start in range(0, X.shape[0], _BLOCK):
        outputs: list[Any] = [gather(X, slice(start, start + _BLOCK)).astype(theta.dtype, copy=False)]
        for place, (layer, view) in enumerate(zip(network.layers[:-1], views, strict=False)):
            z = layer.affine(view, network.graph.inputs(place, outputs))
            fired[place] |= fires(layer, view, z).any(axis=(0, 1))
            outputs.append(layer.activate(view, z))
        if all(known.all() for known in fired):
            break
    return np.array([1 - np.count_nonzero(known) / len(known) for known in fired])


def fires(layer: Any, view: LayerView, z: Array) -> NDArray[np.bool_]:
    """Where units have a slope, (P, n, units), for the z that `layer.affine` gave; a maxout unit always has one."""
    if isinstance(layer, Maxout):
        return np.ones((*z.shape[:-2], z.shape[-1]), dtype=bool)
    if isinstance(layer.activation, PReLU) and view.alpha is not None:
        return np.asarray(layer.activation.slope(z, view.alpha[..., None, :]) != 0)
    return np.asarray(layer.activation.slope(z) != 0)
