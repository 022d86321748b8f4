"""The forward and the backward pass of the reference engine, one beside the other, through any graph of layers.

Shapes: P members, b rows of the batch, f inputs of a layer (fan_in), u units, q pieces of maxout.
Every array but the inputs of the network has the member axis; those may be shared, (b, f).
"""

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kilonet.activations import PReLU, maxout
from kilonet.network import LayerView, Maxout, Network

Array = NDArray[Any]


class Trace(NamedTuple):
    """What the backward pass needs from a layer's forward pass."""

    inputs: Array  # (P, b, f) or (b, f)
    z: Array  # (P, b, u); maxout (P, b, q, u)
    mask: Array | None  # dropout factors of the outputs, (P, b, u)


def forward(
    network: Network, views: Sequence[LayerView], x: Array, masks: Sequence[Array | None]
) -> tuple[Array, list[Trace]]:
    """Scores (P, b, k) and the trace of every layer; masks: dropout factors of each layer's outputs, or None."""
    traces, outputs = [], [x]
    for place, (layer, view, mask) in enumerate(zip(network.layers, views, masks, strict=True)):
        inputs = network.graph.inputs(place, outputs)
        z = layer.affine(view, inputs)
        traces.append(Trace(inputs, z, mask))
        a = layer.activate(view, z)
        outputs.append(a if mask is None else a * mask)
    return outputs[-1], traces


def backward(
    network: Network, views: Sequence[LayerView], traces: Sequence[Trace], slope: Array, out: Sequence[LayerView]
) -> None:
    """Write the gradient of every parameter into `out`, views of an array shaped like theta.

    slope (P, b, k): derivative of the batch's loss by the scores.
    Source: Rumelhart, Hinton & Williams 1986.
    """
    graph, sizes = network.graph, network.sizes
    down: list[Any] = [None] * network.n_layers + [slope]  # by the outputs of each layer; [0] stands for the inputs
    deltas: list[Array] = [slope] * network.n_layers
    done: set[int] = set()
    for place in reversed(range(network.n_layers)):
        layer, view, trace, d = network.layers[place], views[place], traces[place], down[place + 1]
        if trace.mask is not None:
            d = down[place + 1] = d * trace.mask
        # pieces first, then units
        delta = deltas[place] = _delta(layer, view, trace.z, d).reshape(*d.shape[:-1], prod(layer.bias_shape))
        if any(graph.sources[place]):
            below = delta @ view.W.reshape(len(view.W), delta.shape[-1], -1)
            for source, columns in graph.columns(place, sizes):  # users come from the last to the first
                part = below[..., columns]
                down[source] = part if down[source] is None else down[source] + part
    for place, owner in enumerate(graph.owners):
        _add_gradient(network.layers[place], traces[place], down[place + 1], deltas[place], out[place], owner in done)
        done.add(owner)


def _add_gradient(layer: Any, trace: Trace, d: Array, delta: Array, grad: LayerView, more: bool) -> None:
    """Write a layer's gradient, or, where it has been applied at a place before this one, add what this one gives."""
    W = (delta.swapaxes(-1, -2) @ trace.inputs).reshape(grad.W.shape)
    b = delta.sum(axis=-2).reshape(grad.b.shape)
    grad.W[...] = grad.W + W if more else W
    grad.b[...] = grad.b + b if more else b
    if isinstance(layer.activation, PReLU) and grad.alpha is not None:
        alpha = (layer.activation.slope_alpha(trace.z) * d).sum(axis=-2)
        grad.alpha[...] = grad.alpha + alpha if more else alpha


def _delta(layer: Any, view: LayerView, z: Array, d: Array) -> Array:
    """Derivative by z from d, the derivative by the units' outputs."""
    if isinstance(layer, Maxout):
        # where, not a product: an infinite d must not make NaN of the pieces that were not chosen
        return np.where(maxout.slope(z) > 0, d[..., None, :], d.dtype.type(0))
    if isinstance(layer.activation, PReLU) and view.alpha is not None:
        return d * layer.activation.slope(z, view.alpha[..., None, :])
    return np.asarray(d * layer.activation.slope(z))
