"""The network: a frozen description of layers; its parameters are one flat vector `theta`.

theta is (..., n_parameters); leading axes are members of a population. Layout, layer by layer: W
row by row ((units, fan_in), or (pieces, units, fan_in) for maxout), then b, then the alphas of a
PReLU layer. For plain layers it is the layout of torch.nn.utils.parameters_to_vector. Layers of a
graph stand in topological order; one that is applied at several places has its parameters there once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
from kilonet.graph import Graph, Names, Same, arranged
from kilonet.layers import Dense, Layer, LayerView, Maxout, layer_from, layers_from
from kilonet.structure import Structure, names_of_chain
from kilonet.values import Array

__all__ = ["Dense", "LayerView", "Maxout", "Network", "Same"]


@dataclass(frozen=True, init=False, repr=False)
class Network(Structure):
    """A fully-connected network: how many inputs, and its layers, one after another; `from_layers` makes other graphs.

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

    def __init__(
        self, layers: Iterable[Any], activation: Any = relu, output_activation: Any = identity, initializer: Any = None
    ) -> None:
        n_inputs, built = layers_from(layers, activation, output_activation, initializer)
        super().__init__(n_inputs, built, names_of_chain(len(built)), Graph.chain(len(built)))

    @classmethod
    def from_layers(cls, layers: Any, n_inputs: int) -> "Network":
        """Return a network whose layers name what they take: an acyclic graph.

        layers: a dict from names to layers, or pairs of both, in any order. `source` is the name of a layer, or a
        tuple of names whose outputs are laid side by side in that order; "input" names the inputs, and is what the
        layer that is given first takes unless told otherwise. `Same` applies a layer once more. The one layer that
        nobody uses gives the scores, without an activation unless it names one. Layers then stand in topological
        order, of those that could come next the one that was given first; a chain is the same as the `Network([...])`
        of its layers.

        >>> layers = {"hidden": Dense(5), "scores": Dense(2, source=("hidden", "input"))}
        >>> net = Network.from_layers(layers, n_inputs=3)
        >>> net.names, net.fan_ins, net.n_parameters
        (('hidden', 'scores'), (3, 8), 38)

        Raises SettingError for a cycle, which it spells out, a source that is unknown or missing, a name that is given
        twice, and where several layers are used by nobody; ShapeError where a `Same` does not fit its place.
        """
        n_inputs = checks.whole("n_inputs", n_inputs)
        return cls._made(n_inputs, *arranged(layers, n_inputs))

    @classmethod
    def _made(cls, n_inputs: int, layers: tuple[Layer, ...], names: Names, graph: Graph) -> "Network":
        network = cls.__new__(cls)
        Structure.__init__(network, n_inputs, layers, names, graph)
        return network

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

        A layer that is applied at two places of a graph has the same views at both.

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
        own = dict(zip(self.graph.own, views, strict=True))
        return [own[owner] for owner in self.graph.owners]

    def weights(self, theta: Any) -> list[Array]:
        """Return the W of each layer as views of theta; of one that is applied at several places once."""
        views = self.views(theta)
        return [views[place].W for place in self.graph.own]

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
        views = self.views(theta)
        for i in self.graph.own:
            layer, view = self.layers[i], views[i]
            layer.fitting_initializer.fill(view.W, self.fan_ins[i], layer.units, key, i)
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
        """Return the outputs (..., n, units) of every layer, in the order of `layers`; the last ones are the scores.

        Numbers too large for theta's dtype become infinite without a warning: training reports
        them, with the member and its epoch.
        """
        theta = as_theta(theta)
        theta = theta if theta.dtype.kind == "f" else theta.astype(np.float64)
        outputs: list[Any] = [self._inputs(X, theta.dtype)]
        with np.errstate(over="ignore", invalid="ignore"):
            for place, (layer, view) in enumerate(zip(self.layers, self.views(theta), strict=True)):
                outputs.append(layer.activate(view, layer.affine(view, self.graph.inputs(place, outputs))))
        return outputs[1:]

    def _inputs(self, X: Any, dtype: np.dtype[Any]) -> Any:
        with np.errstate(over="ignore"):
            x = X.astype(dtype) if sparse.issparse(X) else np.asarray(X, dtype)
        if x.ndim < 2 or x.shape[-1] != self.n_inputs:
            raise misfit(self, x.shape)
        return x

    @classmethod
    def from_json(cls, description: Any) -> "Network":
        """Return the network that a description holds; SettingError says what is wrong with it."""
        keys = set(description) if isinstance(description, Mapping) else None
        if keys not in ({"n_inputs", "layers"}, {"n_inputs", "layers", "names"}):
            came = "no table" if keys is None else f"the keys {sorted(map(str, keys))}"
            raise SettingError(f"the description of a network has {came}; needs n_inputs and layers.")
        layers, names = description["layers"], description.get("names")
        if not isinstance(layers, list):
            raise SettingError(f"layers came as {checks.shown(layers)}; needs a list of layers.")
        if "names" not in description:
            return cls([description["n_inputs"], *map(layer_from, layers)])
        if not isinstance(names, list) or len(names) != len(layers):
            raise SettingError(f"names came as {checks.shown(names)}; needs a list of {len(layers)}, one per layer.")
        return cls.from_layers(list(zip(names, layers, strict=True)), description["n_inputs"])


def as_theta(theta: Any) -> Array:
    """Parameters as one array. Raises ShapeError for a list of differing networks' parameters, which make none."""
    try:
        return np.asarray(theta)
    except ValueError:
        raise ShapeError(
            "theta is a list of arrays that differ in shape, those of differing networks; needs one array of one "
            "network. Take them one by one: runs.network[m].scores(runs.theta[m], X)."
        ) from None


def misfit(network: Network, shape: tuple[int, ...]) -> ShapeError:
    """What to say of inputs X of another shape than (n, n_inputs)."""
    hint = "For one example write X[np.newaxis]." if len(shape) == 1 else "Did you drop or add a feature column?"
    return ShapeError(
        f"layer 1 ({network.layers[0]!r}) got X with shape {shape}; needs (n, {network.n_inputs}). {hint}"
    )
