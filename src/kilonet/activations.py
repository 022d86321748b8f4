"""Activations: the value of each and its derivative, side by side.

All are elementwise on arrays of any shape, keep the dtype (float32 in, float32 out) and neither
overflow nor warn at any finite z. At a kink the slope is the left one, so relu's slope at 0 is 0.
The smooth ones come from kilonet.smooth; here are those with a kink, and the table of all.
"""
# ruff: noqa: D102 (methods that the base class documents, with its arguments)

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, ClassVar, Self, cast

import numpy as np

from kilonet.checks import shown, whole
from kilonet.errors import SettingError
from kilonet.smooth import Activation, ActivationLike, gelu, identity, mish, sigmoid, silu, softplus, tanh
from kilonet.values import Array, Family, Value, checked, counted, real

__all__ = [
    "ACTIVATIONS", "ELU", "SELU", "Activation", "ActivationLike", "LeakyReLU", "MaxoutActivation", "Mixed", "PReLU",
    "ReLU", "activation_from", "elu", "gelu", "identity", "leaky_relu", "maxout", "mish", "mixed", "prelu", "relu",
    "selu", "sigmoid", "silu", "softplus", "tanh",
]  # fmt: skip


@dataclass(frozen=True, repr=False)
class ReLU(Activation):
    """max(z, 0). Source: Nair & Hinton 2010.

    >>> relu.value(np.array([-2.0, 3.0])), relu.slope(np.array([-2.0, 0.0, 3.0]))
    (array([0., 3.]), array([0., 0., 1.]))
    """

    name: ClassVar[str] = "relu"

    def value(self, z: Array) -> Array:
        return np.maximum(z, 0.0)

    def slope(self, z: Array) -> Array:
        return np.where(z > 0, np.ones_like(z), 0.0)


@dataclass(frozen=True, repr=False)
class LeakyReLU(Activation):
    """z where positive, else alpha * z. Source: Maas, Hannun & Ng 2013.

    >>> leaky_relu(0.2).value(np.array([-2.0, 3.0])), leaky_relu(0.2).slope(np.array([-2.0, 3.0]))
    (array([-0.4,  3. ]), array([0.2, 1. ]))
    """

    name: ClassVar[str] = "leaky_relu"
    alpha: float = field(default=0.01, metadata=real())

    def value(self, z: Array) -> Array:
        return np.where(z > 0, z, self.alpha * z)

    def slope(self, z: Array) -> Array:
        return np.where(z > 0, np.ones_like(z), self.alpha)


@dataclass(frozen=True, repr=False)
class PReLU(Activation):
    """z where positive, else alpha * z, where every unit learns its alpha. Source: He et al. 2015.

    The field alpha is where learning starts. `value` and `slope` take the learned ones, broadcast
    against z; without them they use the start.

    >>> prelu.value(np.array([-2.0, 3.0]), np.array([0.5, 0.5])), prelu.slope_alpha(np.array([-2.0, 3.0]))
    (array([-1.,  3.]), array([-2.,  0.]))
    """

    name: ClassVar[str] = "prelu"
    alpha: float = field(default=0.25, metadata=real())

    def value(self, z: Array, alpha: Array | None = None) -> Array:
        return np.where(z > 0, z, z * (self.alpha if alpha is None else alpha))

    def slope(self, z: Array, alpha: Array | None = None) -> Array:
        return np.where(z > 0, np.ones_like(z), self.alpha if alpha is None else alpha)

    def slope_alpha(self, z: Array) -> Array:
        """Return d value / d alpha, shaped like z."""
        return np.minimum(z, 0.0)


@dataclass(frozen=True, repr=False)
class ELU(Activation):
    """z where positive, else alpha * (exp(z) - 1). Source: Clevert, Unterthiner & Hochreiter 2016.

    >>> elu.value(np.array([-1e30, 3.0])), elu.slope(np.array([-1e30, 3.0]))
    (array([-1.,  3.]), array([0., 1.]))
    """

    name: ClassVar[str] = "elu"
    alpha: float = field(default=1.0, metadata=real())

    def value(self, z: Array) -> Array:
        return np.where(z > 0, z, self.alpha * np.expm1(np.minimum(z, 0.0)))

    def slope(self, z: Array) -> Array:
        return np.where(z > 0, np.ones_like(z), self.alpha * np.exp(np.minimum(z, 0.0)))


@dataclass(frozen=True, repr=False)
class SELU(Activation):
    """scale * elu(z, alpha) with the two constants that keep mean 0 and variance 1.

    Source: Klambauer, Unterthiner, Mayr & Hochreiter 2017, equation 14 and appendix.

    >>> selu.value(np.array([1.0])), selu.slope(np.array([1.0]))
    (array([1.05070099]), array([1.05070099]))
    """

    name: ClassVar[str] = "selu"
    ALPHA: ClassVar[float] = 1.6732632423543772848
    SCALE: ClassVar[float] = 1.0507009873554804934

    def value(self, z: Array) -> Array:
        return self.SCALE * np.where(z > 0, z, self.ALPHA * np.expm1(np.minimum(z, 0.0)))

    def slope(self, z: Array) -> Array:
        return self.SCALE * np.where(z > 0, np.ones_like(z), self.ALPHA * np.exp(np.minimum(z, 0.0)))


@dataclass(frozen=True, repr=False)
class MaxoutActivation(Activation):
    """The maximum of several linear pieces; the first maximum gets the slope. Source: Goodfellow et al. 2013.

    Unlike the others it is not elementwise: z is (..., pieces, units), the value (..., units).

    >>> maxout(3).pieces, maxout.value(np.array([[1.0, 5.0], [2.0, 4.0]])).tolist()
    (3, [2.0, 5.0])
    >>> maxout.slope(np.array([[1.0, 5.0], [1.0, 4.0]])).tolist()
    [[1.0, 1.0], [0.0, 0.0]]
    """

    name: ClassVar[str] = "maxout"
    pieces: int = field(default=2, metadata=counted())

    def value(self, z: Array) -> Array:
        return cast(Array, z.max(axis=-2))

    def slope(self, z: Array) -> Array:
        first = np.argmax(z, axis=-2)[..., np.newaxis, :]
        return cast(Array, (np.arange(z.shape[-2])[:, np.newaxis] == first).astype(z.dtype))


def _mixture(label: str, parts: object) -> tuple[tuple[ActivationLike, int], ...]:
    """Pairs of an activation and a number of units."""
    pairs: list[Any] = list(parts) if isinstance(parts, list | tuple) else [None]
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        raise SettingError(f"{label} came as {shown(parts)}; needs pairs such as (relu, 10), or text: mixed(relu:10).")
    return tuple((_part(label, spec), whole(f"the units of {shown(spec)}", units)) for spec, units in pairs)


def _part(label: str, spec: object) -> ActivationLike:
    unit = activation_from(spec)
    if isinstance(unit, PReLU | MaxoutActivation | Mixed):
        raise SettingError(
            f"{label} hold {unit}, which is no function of one number alone. Give such units a layer of their own, and "
            f'let the next layer take both: source=("one", "other").'
        )
    return unit


@dataclass(frozen=True, repr=False)
class Mixed(Activation):
    """Several activations within one layer: so many units of the first, then so many of the next.

    z is (..., units), of all parts together; in text `mixed(relu:10, tanh:10)`. PReLU and maxout, which have
    parameters of their own for a unit, are no parts; nor is another mixture.

    >>> unit = mixed((relu, 1), (tanh, 2))
    >>> str(unit), unit.units, unit.value(np.array([[-3.0, 0.0, 1e30]])).tolist()
    ('mixed(relu:1, tanh:2)', 3, [[0.0, 0.0, 1.0]])

    Raises SettingError for what is no pair of an activation and a number of units.
    """

    name: ClassVar[str] = "mixed"
    parts: tuple[tuple[ActivationLike, int], ...] = field(default=(), metadata=checked(_mixture))

    def __call__(self, *parts: Any, **settings: Any) -> Self:
        """Return the mixture of these pairs."""
        return super().__call__(parts, **settings) if parts else super().__call__(**settings)

    @property
    def units(self) -> int:
        """How many units all parts have together."""
        return sum(units for _, units in self.parts)

    @property
    def columns(self) -> list[tuple[ActivationLike, slice]]:
        """Each part's activation, and where its units stand."""
        ends = accumulate(units for _, units in self.parts)
        return [(own, slice(end - units, end)) for (own, units), end in zip(self.parts, ends, strict=True)]

    def value(self, z: Array) -> Array:
        return self._each(z, lambda own, part: own.value(part))

    def slope(self, z: Array) -> Array:
        return self._each(z, lambda own, part: own.slope(part))

    def _each(self, z: Array, of: Callable[[ActivationLike, Array], Array]) -> Array:
        return np.concatenate([of(own, z[..., columns]) for own, columns in self.columns], axis=-1)

    def __str__(self) -> str:
        named = [(own if isinstance(own, Value) else type(own).__name__, units) for own, units in self.parts]
        return f"{self.name}({', '.join(f'{own}:{units}' for own, units in named)})" if named else self.name

    def __repr__(self) -> str:
        return f"{self.name}({', '.join(map(repr, self.parts))})" if self.parts else self.name


relu, leaky_relu, prelu = ReLU(), LeakyReLU(), PReLU()
elu, selu, maxout, mixed = ELU(), SELU(), MaxoutActivation(), Mixed()

ACTIVATIONS: Family[Activation] = Family(
    "activation",
    identity, sigmoid, tanh, relu, leaky_relu, prelu, elu, selu, gelu, silu, mish, softplus, maxout,
)  # fmt: skip
_NAMED: Family[Activation] = Family("activation", *ACTIVATIONS.table.values(), mixed)


def activation_from(spec: object) -> ActivationLike:
    """Return the activation that a spec describes; an object with value and slope is returned as it is.

    >>> activation_from("leaky_relu(0.2)"), activation_from({"name": "maxout", "pieces": 3}), activation_from(tanh)
    (leaky_relu(alpha=0.2), maxout(pieces=3), tanh)

    Raises SettingError, with the known names, when nothing fits, and for a mixture without parts.
    """
    plain = callable(spec) and not isinstance(spec, type | ActivationLike)
    if plain:
        raise SettingError(f"the activation {spec!r} is a plain function; needs an object with value(z) and slope(z).")
    ready = isinstance(spec, ActivationLike) and not isinstance(spec, type)
    unit = cast(ActivationLike, spec) if ready else _NAMED.parse(spec)
    if isinstance(unit, Mixed) and not unit.parts:
        raise SettingError(
            "mixed came without parts; needs pairs of an activation and a number of units, such as "
            "kn.mixed((kn.relu, 10), (kn.tanh, 10)), or text: mixed(relu:10, tanh:10)."
        )
    return unit
