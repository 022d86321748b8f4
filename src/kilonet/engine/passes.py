"""The forward and the backward pass of the reference engine, one beside the other.

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
    traces = []
    for layer, view, mask in zip(network.layers, views, masks, strict=True):
        z = layer.affine(view, x)
        traces.append(Trace(x, z, mask))
        x = layer.activate(view, z)
        if mask is not None:
            x = x * mask
    return x, traces


def backward(
    network: Network, views: Sequence[LayerView], traces: Sequence[Trace], slope: Array, out: Sequence[LayerView]
) -> None:
    """Write the gradient of every parameter into `out`, views of an array shaped like theta.

    slope (P, b, k): derivative of the batch's loss by the scores.
    Source: Rumelhart, Hinton & Williams 1986.
    """
    d = slope
    for index in reversed(range(network.n_layers)):
        layer, view, trace, grad = network.layers[index], views[index], traces[index], out[index]
        if trace.mask is not None:
            d = d * trace.mask
        delta = _delta(layer, view, trace.z, d, grad)
        delta = delta.reshape(*d.shape[:-1], prod(layer.bias_shape))  # pieces first, then units
        grad.W[...] = (delta.swapaxes(-1, -2) @ trace.inputs).reshape(grad.W.shape)
        grad.b[...] = delta.sum(axis=-2).reshape(grad.b.shape)
        if index > 0:
            d = delta @ view.W.reshape(len(view.W), delta.shape[-1], -1)


def _delta(layer: Any, view: LayerView, z: Array, d: Array, grad: LayerView) -> Array:
    """Derivative by z from d, the derivative by the units' outputs; that by PReLU's alpha on the way."""
    if isinstance(layer, Maxout):
        # where, not a product: an infinite d must not make NaN of the pieces that were not chosen
        return np.where(maxout.slope(z) > 0, d[..., None, :], d.dtype.type(0))
    if isinstance(layer.activation, PReLU) and view.alpha is not None and grad.alpha is not None:
        grad.alpha[...] = (layer.activation.slope_alpha(z) * d).sum(axis=-2)
        return d * layer.activation.slope(z, view.alpha[..., None, :])
    return np.asarray(d * layer.activation.slope(z))
