"""Layers: Dense and Maxout, what their parameters look like and what they compute."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any, ClassVar, NamedTuple, cast

import numpy as np
from scipy import sparse

from kilonet import checks
from kilonet.activations import ActivationLike, MaxoutActivation, Mixed, PReLU, activation_from, identity, maxout, relu
from kilonet.errors import SettingError
from kilonet.initializers import Initializer, default_for, initializer_from
from kilonet.values import Array, Family, Value, checked, counted

Shape = tuple[int, ...]
Source = str | tuple[str, ...] | None  # names of layers, or "input"


class LayerView(NamedTuple):
    """A layer's parameters as views into theta: W, b, and alpha for PReLU units (else None)."""

    W: Array
    b: Array
    alpha: Array | None = None


def _elementwise(label: str, spec: object) -> ActivationLike:
    activation = activation_from(spec)
    if isinstance(activation, MaxoutActivation):
        raise SettingError(f"{label} came as {activation}; a layer of maxout units is Maxout(units, pieces).")
    return activation


def _initializer(_: str, spec: object) -> Initializer | None:
    return None if spec is None else initializer_from(spec)


def as_source(label: str, spec: object) -> Source:
    """Return the names of what a layer takes: a name, several, or None where none was said."""
    names = spec if isinstance(spec, list | tuple) else (spec,)
    if spec is not None and not (names and all(isinstance(name, str) and name for name in names)):
        raise SettingError(f"{label} came as {checks.shown(spec)}; needs the name of a layer, or a tuple of names.")
    return cast(Source, tuple(names) if len(names) > 1 else names[0])


@dataclass(frozen=True, repr=False)
class Layer(Value):
    """The base of the layers: a number of units, each with `pieces` rows of weights and as many biases."""

    units: int = field(metadata=counted())

    @property
    def activation(self) -> ActivationLike:
        """The function of each unit."""
        raise NotImplementedError

    @property
    def initializer(self) -> Initializer | None:
        """The layer's own initializer; None stands for the one that fits its units."""
        raise NotImplementedError

    @property
    def source(self) -> Source:
        """Of a layer of a graph: whose outputs it takes, side by side where there are several."""
        raise NotImplementedError

    @property
    def pieces(self) -> int:
        """How many linear pieces a unit has."""
        return 1

    @property
    def fitting_initializer(self) -> Initializer:
        """The layer's own initializer, or the one that fits its units."""
        return self.initializer or default_for(self.activation)

    @property
    def bias_shape(self) -> Shape:
        """The shape of b: (units,), or (pieces, units) for maxout."""
        return (self.units,)

    def weight_shape(self, fan_in: int) -> Shape:
        """Return the shape of W: (units, fan_in), or (pieces, units, fan_in) for maxout."""
        return (*self.bias_shape, fan_in)

    @property
    def n_alphas(self) -> int:
        """How many learned slopes the layer has: one per PReLU unit, else none."""
        return self.units if isinstance(self.activation, PReLU) else 0

    @property
    def unit(self) -> str:
        """The kind of unit, as the summary shows it."""
        activation = self.activation
        return str(activation) if isinstance(activation, Value) else type(activation).__name__

    def affine(self, view: LayerView, x: Any) -> Array:
        """Return z = W x + b: (..., n, units), or (..., n, pieces, units) for maxout.

        x is (n, fan_in), dense or scipy.sparse, or dense (..., n, fan_in) with the members' axes.
        """
        lead, rows = view.b.shape[: view.b.ndim - len(self.bias_shape)], prod(self.bias_shape)
        if sparse.issparse(x):  # all members in one product, since a sparse matrix has no leading axes
            flat = view.W.reshape(-1, view.W.shape[-1])
            z = np.moveaxis(np.asarray(x @ flat.T).reshape(-1, *lead, rows), 0, -2)
        else:
            z = np.matmul(x, np.swapaxes(view.W.reshape(*lead, rows, view.W.shape[-1]), -1, -2))
        z = z + view.b.reshape(*lead, 1, rows)
        return z.reshape(*z.shape[:-1], *self.bias_shape)

    def activate(self, view: LayerView, z: Array) -> Array:
        """Return the units' outputs (..., n, units) for the z that `affine` gave."""
        if isinstance(self.activation, PReLU) and view.alpha is not None:
            return self.activation.value(z, view.alpha[..., np.newaxis, :])
        return self.activation.value(z)

    def to_json(self) -> dict[str, Any]:
        """Return a description ready for json.dumps; only layers of graphs have a source in it."""
        found = super().to_json()
        return found if self.source is not None else {key: found[key] for key in found if key != "source"}

    def __repr__(self) -> str:
        return self._text(type(self).__name__)


@dataclass(frozen=True, repr=False)
class Dense(Layer):
    """Units that see every input: activation(W x + b), W (units, fan_in), b (units,).

    Without an initializer the one that fits the activation is used. source: for `Network.from_layers`, where the
    layer that gives the scores has no activation unless one was said.

    >>> Dense(4), Dense(4, "tanh"), Dense(4, "tanh").weight_shape(fan_in=3)
    (Dense(4), Dense(4, activation=tanh), (4, 3))
    """

    name: ClassVar[str] = "dense"
    activation: ActivationLike = field(default=replace(relu), metadata=checked(_elementwise))
    initializer: Initializer | None = field(default=None, metadata=checked(_initializer))
    source: Source = field(default=None, metadata=checked(as_source))

    def __post_init__(self) -> None:
        super().__post_init__()
        if isinstance(self.activation, Mixed) and self.activation.units != self.units:
            came = f"{self.units} units, {self.activation} {self.activation.units}"
            raise SettingError(f"a dense layer came with {came}; the parts of a mixture need to add up to the layer.")


@dataclass(frozen=True, repr=False)
class Maxout(Layer):
    """Units that put out the largest of several linear pieces: W (pieces, units, fan_in), b (pieces, units).

    Source: Goodfellow, Warde-Farley, Mirza, Courville & Bengio 2013.

    >>> Maxout(4, pieces=3), Maxout(4, pieces=3).weight_shape(fan_in=5)
    (Maxout(4, pieces=3), (3, 4, 5))
    """

    name: ClassVar[str] = "maxout"
    pieces: int = field(default=2, metadata=counted())
    initializer: Initializer | None = field(default=None, metadata=checked(_initializer))
    source: Source = field(default=None, metadata=checked(as_source))

    @property
    def activation(self) -> ActivationLike:
        """The identity: a piece is linear, and the maximum is the unit's own."""
        return identity

    @property
    def fitting_initializer(self) -> Initializer:
        """The layer's own initializer, or he."""
        return self.initializer or default_for(maxout)

    @property
    def bias_shape(self) -> Shape:
        """The shape of b: (pieces, units)."""
        return (self.pieces, self.units)

    @property
    def unit(self) -> str:
        """The kind of unit, as the summary shows it."""
        return f"maxout({self.pieces})"

    def activate(self, view: LayerView, z: Array) -> Array:  # noqa: ARG002 (its pieces have no parameters of their own)
        """Return the largest piece of each unit, (..., n, units)."""
        return maxout.value(z)


LAYERS: Family[Layer] = Family("layer", Dense(1), Maxout(1))


def layer_from(spec: object) -> Layer:
    """Return the layer that a spec describes.

    >>> layer_from("maxout(4, pieces=3)"), layer_from({"name": "dense", "units": 4, "activation": "tanh"})
    (Maxout(4, pieces=3), Dense(4, activation=tanh))
    """
    return LAYERS.parse(spec)


def layers_from(
    layers: Any, activation: Any = relu, output_activation: Any = identity, initializer: Any = None
) -> tuple[int, tuple[Layer, ...]]:
    """Return the number of inputs and the layers of a list such as [3, 4, Maxout(5), 1].

    Plain numbers of units get the activation, the last one the output activation; maxout(k) makes
    them Maxout layers. Layers that name no initializer get the given one.

    >>> layers_from([3, 4, 1])
    (3, (Dense(4), Dense(1, activation=identity)))

    Raises SettingError when there is no layer, or a number of units is not a positive whole number.
    """
    given = _listed(layers)
    last = len(given) - 1
    built = [
        _built(i, spec, output_activation if i == last else activation, initializer)
        for i, spec in enumerate(given[1:], 1)
    ]
    return checks.whole("the number of inputs, layers[0],", given[0]), tuple(built)


def _listed(layers: Any) -> list[Any]:
    """Return the layers as a list of the number of inputs and at least one layer."""
    if isinstance(layers, str | bytes | Mapping) or not isinstance(layers, Iterable):
        raise SettingError(f"layers came as {checks.shown(layers)}; needs a list such as [3, 4, 1].")
    given = list(layers)
    if len(given) < 2:
        raise SettingError(
            f"layers came as {given}; needs the number of inputs and at least one layer, such as [3, 1]: "
            f"a network without hidden layers."
        )
    return given


def _built(index: int, spec: Any, activation: Any, initializer: Any) -> Layer:
    """Build a layer from a number of units, or fill in the initializer of a given layer."""
    if hasattr(spec, "source") and (spec.source is not None or not isinstance(spec, Layer)):
        raise SettingError(f"layers[{index}] came as {spec!r}; layers of a list follow one another: see from_layers.")
    if isinstance(spec, Layer):
        return spec if spec.initializer or initializer is None else replace(spec, initializer=initializer)  # type: ignore[call-arg]
    units = checks.whole(f"layers[{index}]", spec)
    unit = activation_from(activation)
    if isinstance(unit, MaxoutActivation):
        return Maxout(units, unit.pieces, initializer)
    return Dense(units, unit, initializer)
