"""The smooth activations, the value of each and its derivative side by side, and what an activation is.

Nothing here overflows or warns at any finite z: exponentials are only taken of -abs(z), and no
result is a small difference of large numbers.
"""
# ruff: noqa: D102 (methods that the base class documents, with its arguments)

import math
from dataclasses import dataclass
from typing import ClassVar, Protocol, cast, runtime_checkable

import numpy as np
from scipy import special

from kilonet.values import Array, Value


@runtime_checkable
class ActivationLike(Protocol):
    """What an activation of your own needs; it runs on the reference engine."""

    def value(self, z: Array) -> Array:
        """Return the unit's output, shaped like z."""

    def slope(self, z: Array) -> Array:
        """Return d value / dz, shaped like z."""


@dataclass(frozen=True, repr=False)
class Activation(Value):
    """The base of Kilonet's own activations."""

    def value(self, z: Array) -> Array:
        """Return the unit's output, shaped like z."""
        raise NotImplementedError

    def slope(self, z: Array) -> Array:
        """Return d value / dz, shaped like z."""
        raise NotImplementedError


@dataclass(frozen=True, repr=False)
class Identity(Activation):
    """z itself: a linear unit, the default of the output layer.

    >>> identity.value(np.array([-2.0, 3.0])), identity.slope(np.array([-2.0, 3.0]))
    (array([-2.,  3.]), array([1., 1.]))
    """

    name: ClassVar[str] = "identity"

    def value(self, z: Array) -> Array:
        return z

    def slope(self, z: Array) -> Array:
        return np.ones_like(z)


@dataclass(frozen=True, repr=False)
class Sigmoid(Activation):
    """1 / (1 + exp(-z)).

    >>> sigmoid.value(np.array([-1e30, 0.0, 1e30])), sigmoid.slope(np.array([0.0]))
    (array([0. , 0.5, 1. ]), array([0.25]))
    """

    name: ClassVar[str] = "sigmoid"

    def value(self, z: Array) -> Array:
        e = np.exp(-np.abs(z))
        return np.where(z > 0, 1.0, e) / (1.0 + e)

    def slope(self, z: Array) -> Array:
        e = np.exp(-np.abs(z))
        return e / ((1.0 + e) * (1.0 + e))


@dataclass(frozen=True, repr=False)
class Tanh(Activation):
    """tanh(z); the slope is sech(z)**2.

    >>> tanh.value(np.array([0.0, 1e30])), tanh.slope(np.array([0.0, 1e30]))
    (array([0., 1.]), array([1., 0.]))
    """

    name: ClassVar[str] = "tanh"

    def value(self, z: Array) -> Array:
        return np.tanh(z)

    def slope(self, z: Array) -> Array:
        e = np.exp(-np.abs(z))
        sech = 2.0 * e / (1.0 + e * e)
        return sech * sech


@dataclass(frozen=True, repr=False)
class GELU(Activation):
    """z * Phi(z), Phi the normal distribution: the exact form. Source: Hendrycks & Gimpel 2016.

    >>> gelu.value(np.array([-1e30, 0.0, 1.0])), gelu.slope(np.array([0.0]))
    (array([-0.        ,  0.        ,  0.84134475]), array([0.5]))
    """

    name: ClassVar[str] = "gelu"

    def value(self, z: Array) -> Array:
        return cast(Array, z * special.ndtr(z))

    def slope(self, z: Array) -> Array:
        near = np.clip(z, -40.0, 40.0)  # beyond it the density is 0 in float64; z * z must not overflow
        density = np.exp(-0.5 * near * near) * (1.0 / math.sqrt(2.0 * math.pi))
        return cast(Array, special.ndtr(z) + near * density)


@dataclass(frozen=True, repr=False)
class SiLU(Activation):
    """z * sigmoid(z), also called swish. Source: Elfwing, Uchibe & Doya 2018.

    >>> silu.value(np.array([-1e30, 0.0, 1e30])), silu.slope(np.array([0.0]))
    (array([-0.e+00,  0.e+00,  1.e+30]), array([0.5]))
    """

    name: ClassVar[str] = "silu"

    def value(self, z: Array) -> Array:
        return z * sigmoid.value(z)

    def slope(self, z: Array) -> Array:
        return sigmoid.value(z) * (1.0 + z * sigmoid.value(-z))


@dataclass(frozen=True, repr=False)
class Mish(Activation):
    """z * tanh(softplus(z)). Source: Misra 2019.

    With e = exp(-abs(z)), tanh(softplus(z)) is (1 + 2e) / (1 + 2e + 2e²) for z > 0 and
    (e² + 2e) / (e² + 2e + 2) otherwise, which needs no cancelling difference.

    >>> mish.value(np.array([-1e30, 0.0, 1e30])), mish.slope(np.array([0.0]))
    (array([-0.e+00,  0.e+00,  1.e+30]), array([0.6]))
    """

    name: ClassVar[str] = "mish"

    def _gate(self, z: Array) -> tuple[Array, Array]:
        """Return t = tanh(softplus(z)) and 1 - t, both to full precision."""
        e = np.exp(-np.abs(z))
        top = np.where(z > 0, 1.0 + 2.0 * e, e * (e + 2.0))
        rest = np.where(z > 0, 2.0 * e * e, 2.0)
        return top / (top + rest), rest / (top + rest)

    def value(self, z: Array) -> Array:
        return z * self._gate(z)[0]

    def slope(self, z: Array) -> Array:
        gate, rest = self._gate(z)
        return gate + z * sigmoid.value(z) * (rest * (1.0 + gate))


@dataclass(frozen=True, repr=False)
class Softplus(Activation):
    """log(1 + exp(z)). Source: Dugas et al. 2001.

    >>> softplus.value(np.array([-1e30, 1e30])), softplus.slope(np.array([0.0]))
    (array([0.e+00, 1.e+30]), array([0.5]))
    """

    name: ClassVar[str] = "softplus"

    def value(self, z: Array) -> Array:
        return np.maximum(z, 0.0) + np.log1p(np.exp(-np.abs(z)))

    def slope(self, z: Array) -> Array:
        return sigmoid.value(z)


identity, sigmoid, tanh = Identity(), Sigmoid(), Tanh()
gelu, silu, mish, softplus = GELU(), SiLU(), Mish(), Softplus()
