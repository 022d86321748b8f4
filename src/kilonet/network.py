"""The network: a frozen description of layers; its parameters are one flat vector `theta`.

theta is (..., n_parameters); leading axes are members of a population. Layout, layer by layer: W
row by row ((units, fan_in), or (pieces, units, fan_in) for maxout), then b, then the alphas of a
PReLU layer. For plain layers it is the layout of torch.nn.utils.parameters_to_vector.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import pairwise
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse

from kilonet import checks
from kilonet.activations import PReLU, identity, relu
from kilonet.errors import SettingError, ShapeError
from kilonet.layers import Dense, Layer, LayerView, Maxout, layer_from, layers_from
from kilonet.values import Array

__all__ = ["Dense", "LayerView", "Maxout", "Network"]


@dataclass(frozen=True, init=False, repr=False)
class Network:
    """A fully-connected network: how many inputs, and its layers.

    `layers` starts with the number of inputs; then come layers, or plain numbers of units, which
    get `activation` (maxout(k) makes them Maxout layers), the last one `output_activation`.
    `initializer` is for the layers that name none; None takes the one that fits each layer.
    A network emits raw scores; the loss turns them into predictions.

    >>> net = Network([3, 4, 4, 1])
    >>> net.n_layers, net.n_neurons, net.n_weights, net.n_biases, net.n_parameters
    (3, 9, 32, 9, 41)
    >>> Network([3, 4, Maxout(5, pieces=3), 1])
    Network([3, Dense(4), Maxout(5, pieces=3), Dense(1, activation=identity)])

    Raises SettingError when a layer is no positive number of units and no layer, or none is there.
    """

    n_inputs: int
    layers: tuple[Layer, ...]

    def __init__(
        self, layers: Iterable[Any], activation: Any = relu, output_activation: Any = identity, initializer: Any = None
    ) -> None:
        n_inputs, built = layers_from(layers, activation, output_activation, initializer)
        object.__setattr__(self, "n_inputs", n_inputs)
        object.__setattr__(self, "layers", built)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of inputs, then of units in each layer."""
        return (self.n_inputs, *(layer.units for layer in self.layers))

    @property
    def n_outputs(self) -> int:
        """How many scores the network emits for an example."""
        return self.layers[-1].units

    @property
    def n_layers(self) -> int:
        """How many layers have parameters; the input is not counted."""
        return len(self.layers)

    @property
    def n_neurons(self) -> int:
        """How many units all layers have together; inputs are not counted."""
        return sum(layer.units for layer in self.layers)

    @property
    def n_weights(self) -> int:
        """How many entries all W have together."""
        return sum(prod(weights) for weights, _, _ in self._shapes)

    @property
    def n_biases(self) -> int:
        """How many entries all b have together."""
        return sum(prod(biases) for _, biases, _ in self._shapes)

    @cached_property
    def n_parameters(self) -> int:
        """The length of theta: weights, biases and PReLU slopes."""
        return self.n_weights + self.n_biases + sum(alphas for _, _, alphas in self._shapes)

    @cached_property
    def _shapes(self) -> tuple[tuple[tuple[int, ...], tuple[int, ...], int], ...]:
        fans = zip(self.layers, self.sizes, strict=False)
        return tuple((layer.weight_shape(fan_in), layer.bias_shape, layer.n_alphas) for layer, fan_in in fans)

    @cached_property
    def weight_mask(self) -> npt.NDArray[np.bool_]:
        """True where theta holds a weight, which penalties and decay touch: bool (n_parameters,), read-only."""
        mask = np.zeros(self.n_parameters, np.bool_)
        for view in self.views(mask):
            view.W[...] = True
        mask.flags.writeable = False
        return mask

    def views(self, theta: Any) -> list[LayerView]:
        """Return the parameters of each layer as views that share theta's memory; leading axes are kept.

        >>> net = Network([3, 4, 1])
        >>> views = net.views(net.initial(seeds=[0, 1]))
        >>> views[0].W.shape, views[0].b.shape
        ((2, 4, 3), (2, 4))

        Raises ShapeError when theta's last axis is not n_parameters.
        """
        theta = as_theta(theta)
        if theta.ndim == 0 or theta.shape[-1] != self.n_parameters:
            raise ShapeError(
                f"theta came with shape {theta.shape}; {self!r} needs (..., {self.n_parameters}). "
                f"Was it made for another network?"
            )
        lead, start, views = theta.shape[:-1], 0, []
        for weights, biases, alphas in self._shapes:
            ends = np.cumsum([start, prod(weights), prod(biases), alphas]).tolist()
            w, b, alpha = (theta[..., low:high] for low, high in pairwise(ends))
            views.append(LayerView(w.reshape(*lead, *weights), b.reshape(*lead, *biases), alpha if alphas else None))
            start = ends[-1]
        return views

    def initial(self, seeds: Any = None, seed: int | None = None, dtype: Any = np.float32) -> Array:
        """Return parameters to start from: (n_parameters,) for one seed, (len(seeds), n_parameters) for several.

        Weights are drawn by each layer's initializer, biases are 0, PReLU slopes at their start. A
        member's numbers depend on its own seed alone. Without seed and seeds the seed is 0.

        >>> net = Network([3, 4, 4, 1])
        >>> net.initial(seed=0).shape, net.initial(seeds=[0, 1, 2]).shape
        ((41,), (3, 41))
        """
        if seeds is not None and seed is not None:
            raise SettingError(f"initial got seed={seed} and seeds={checks.shown(seeds)}; say one of them.")
        key: Any = checks.seed("seed", 0 if seed is None else seed)
        if seeds is not None:
            key = np.array(checks.seeds("seeds", seeds), np.uint64)
        theta = np.zeros((*np.shape(key), self.n_parameters), checks.as_float_dtype("dtype", dtype))
        for i, (layer, view, fan_in) in enumerate(zip(self.layers, self.views(theta), self.sizes, strict=False)):
            shape = layer.weight_shape(fan_in)
            view.W[...] = layer.fitting_initializer.weights(shape, fan_in, layer.units, key, i)
            if view.alpha is not None and isinstance(layer.activation, PReLU):
                view.alpha[...] = layer.activation.alpha
        return theta

    def scores(self, theta: Any, X: Any) -> Array:
        """Return the raw scores (..., n, n_outputs) for theta (..., n_parameters) and X (n, n_inputs).

        X, dense or scipy.sparse, is cast to theta's dtype.

        >>> net = Network([3, 4, 4, 1])
        >>> net.scores(net.initial(seeds=[0, 1]), np.ones((5, 3))).shape
        (2, 5, 1)

        Raises ShapeError when X has not n_inputs columns.
        """
        return self.hidden(theta, X)[-1]

    def hidden(self, theta: Any, X: Any) -> list[Array]:
        """Return the outputs (..., n, units) of every layer; the last ones are the scores.

        Numbers too large for theta's dtype become infinite without a warning: training reports
        them, with the member and its epoch.
        """
        theta = as_theta(theta)
        theta = theta if theta.dtype.kind == "f" else theta.astype(np.float64)
        outputs: list[Any] = [self._inputs(X, theta.dtype)]
        with np.errstate(over="ignore", invalid="ignore"):
            for layer, view in zip(self.layers, self.views(theta), strict=True):
                outputs.append(layer.activate(view, layer.affine(view, outputs[-1])))
        return outputs[1:]

    def _inputs(self, X: Any, dtype: np.dtype[Any]) -> Any:
        with np.errstate(over="ignore"):
            x = X.astype(dtype) if sparse.issparse(X) else np.asarray(X, dtype)
        if x.ndim < 2 or x.shape[-1] != self.n_inputs:
            hint = "For one example write X[np.newaxis]." if x.ndim == 1 else "Did you drop or add a feature column?"
            raise ShapeError(
                f"layer 1 ({self.layers[0]!r}) got X with shape {x.shape}; needs (n, {self.n_inputs}). {hint}"
            )
        return x

    def summary(self) -> str:
        """Return a table of the layers: shape, unit, weights, biases and parameters, with totals.

        >>> print(Network([3, 4, 2]).summary())
        layer  shape  unit       weights  biases  parameters
        1      3 → 4  relu            12       4          16
        2      4 → 2  identity         8       2          10
        total  3-4-2  6 neurons       20       6          26
        """
        rows = [("layer", "shape", "unit", "weights", "biases", "parameters")]
        for i, (layer, fan_in) in enumerate(zip(self.layers, self.sizes, strict=False)):
            w, b = prod(layer.weight_shape(fan_in)), prod(layer.bias_shape)
            counts = (f"{w:,}", f"{b:,}", f"{w + b + layer.n_alphas:,}")
            rows.append((f"{i + 1}", f"{fan_in} → {layer.units}", layer.unit, *counts))
        neurons = f"{self.n_neurons:,} neuron{'s' if self.n_neurons > 1 else ''}"
        totals = (f"{self.n_weights:,}", f"{self.n_biases:,}", f"{self.n_parameters:,}")
        rows.append(("total", "-".join(map(str, self.sizes)), neurons, *totals))
        return _aligned(rows)

    def to_json(self) -> dict[str, Any]:
        """Return a description ready for json.dumps; from_json reads it back.

        >>> Network.from_json(Network([3, 4, 1]).to_json()) == Network([3, 4, 1])
        True
        """
        return {"n_inputs": self.n_inputs, "layers": [layer.to_json() for layer in self.layers]}

    @classmethod
    def from_json(cls, description: Any) -> "Network":
        """Return the network that a description holds; SettingError says what is wrong with it."""
        needed = {field.name for field in fields(cls)}
        if not isinstance(description, Mapping) or set(description) != needed:
            came = f"the keys {sorted(map(str, description))}" if isinstance(description, Mapping) else "no table"
            raise SettingError(f"the description of a network has {came}; needs n_inputs and layers.")
        if not isinstance(description["layers"], list):
            raise SettingError(f"layers came as {checks.shown(description['layers'])}; needs a list of layers.")
        return cls([description["n_inputs"], *map(layer_from, description["layers"])])

    def __repr__(self) -> str:
        return f"Network([{', '.join(map(repr, (self.n_inputs, *self.layers)))}])"


def as_theta(theta: Any) -> Array:
    """Parameters as one array. Raises ShapeError for a list of differing networks' parameters, which make none."""
    try:
        return np.asarray(theta)
    except ValueError:
        raise ShapeError(
            "theta is a list of arrays that differ in shape, those of differing networks; needs one array of one "
            "network. Take them one by one: runs.network[m].scores(runs.theta[m], X)."
        ) from None


def _aligned(rows: Sequence[tuple[str, ...]]) -> str:
    """Align a table: the first three columns to the left, the numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    edges = ["<", "<", "<", ">", ">", ">"]
    form = "  ".join(f"{{:{edge}{width}}}" for edge, width in zip(edges, widths, strict=True))
    return "\n".join(form.format(*row) for row in rows)
