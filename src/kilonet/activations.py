"""Activations: the value of each and its derivative, side by side.

All are elementwise on arrays of any shape, keep the dtype (float32 in, float32 out) and neither
overflow nor warn at any finite z. At a kink the slope is the left one, so relu's slope at 0 is 0.
The smooth ones come from kilonet.smooth; here are those with a kink, and the table of all.
"""
# ruff: noqa: D102 (methods that the base class documents, with its arguments)

from dataclasses import dataclass, field
from typing import ClassVar, cast

import numpy as np

from kilonet.errors import SettingError
from kilonet.smooth import Activation, ActivationLike, gelu, identity, mish, sigmoid, silu, softplus, tanh
from kilonet.values import Array, Family, counted, real

__all__ = [
    "ACTIVATIONS", "ELU", "SELU", "Activation", "ActivationLike", "LeakyReLU", "MaxoutActivation", "PReLU", "ReLU",
    "activation_from", "elu", "gelu", "identity", "leaky_relu", "maxout", "mish", "prelu", "relu", "selu", "sigmoid",
    "silu", "softplus", "tanh",
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


relu, leaky_relu, prelu = ReLU(), LeakyReLU(), PReLU()
elu, selu, maxout = ELU(), SELU(), MaxoutActivation()

ACTIVATIONS: Family[Activation] = Family(
    "activation",
    identity, sigmoid, tanh, relu, leaky_relu, prelu, elu, selu, gelu, silu, mish, softplus, maxout,
)  # fmt: skip


def activation_from(spec: object) -> ActivationLike:
    """Return the activation that a spec describes; an object with value and slope is returned as it is.

    >>> activation_from("leaky_relu(0.2)"), activation_from({"name": "maxout", "pieces": 3}), activation_from(tanh)
    (leaky_relu(alpha=0.2), maxout(pieces=3), tanh)

    Raises SettingError, with the known names, when nothing fits.
    """
    if isinstance(spec, ActivationLike) and not isinstance(spec, type):
        return spec
    if callable(spec) and not isinstance(spec, type):
        raise SettingError(f"the activation {spec!r} is a plain function; needs an object with value(z) and slope(z).")
    return ACTIVATIONS.parse(spec)
