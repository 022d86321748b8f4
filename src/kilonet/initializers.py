"""Initializers: how the weights of a layer start. Biases start at 0, PReLU slopes at their own start.

`weights(shape, fan_in, fan_out, seed, layer)` gives float64 weights of that shape; an array of
seeds gives one draw for each, seeds' axes first. `fill` writes the same into an array of any type: a large layer
is drawn piece by piece. Numbers come from stream 1 of docs/arithmetic.md.
"""
# ruff: noqa: D102, ARG002 (methods that the base class documents, with its arguments)

import math
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from kilonet import philox
from kilonet.activations import LeakyReLU, Mixed, PReLU, identity, selu, sigmoid, tanh
from kilonet.values import Family, Value, chosen, real

Shape = tuple[int, ...]
Weights = npt.NDArray[np.float64]

_TOGETHER = 1 << 16  # numbers whose draws stay in the caches: a multiple of 4


@dataclass(frozen=True, repr=False)
class Initializer(Value):
    """The base of the initializers."""

    def weights(self, shape: Shape, fan_in: int, fan_out: int, seed: Any, layer: int) -> Weights:
        """Return the weights of a layer: (..., *shape), where ... is the shape of seed."""
        raise NotImplementedError

    def fill(self, out: npt.NDArray[Any], fan_in: int, fan_out: int, seed: Any, layer: int) -> None:
        """Write the weights of a layer into out (..., *shape), of which each seed's part is C-contiguous."""
        out[...] = self.weights(out.shape[np.ndim(seed) :], fan_in, fan_out, seed, layer)


@dataclass(frozen=True, repr=False)
class _Independent(Initializer):
    """Weights that are drawn one by one, in the order of the layer."""

    def drawn(self, fan_in: int, fan_out: int, seed: Any, layer: int, count: int, first: int) -> Weights:
        """Return the weights (..., count) from the one at `first` on, a multiple of 4."""
        raise NotImplementedError

    def weights(self, shape: Shape, fan_in: int, fan_out: int, seed: Any, layer: int) -> Weights:
        out = np.empty((*np.shape(seed), *shape))
        self.fill(out, fan_in, fan_out, seed, layer)
        return out

    def fill(self, out: npt.NDArray[Any], fan_in: int, fan_out: int, seed: Any, layer: int) -> None:
        flat = out.reshape(*np.shape(seed), -1)
        together = max(4, _TOGETHER // max(1, np.size(seed)) // 4 * 4)
        for first in range(0, flat.shape[-1], together):
            part = flat[..., first : first + together]
            part[...] = self.drawn(fan_in, fan_out, seed, layer, part.shape[-1], first)


@dataclass(frozen=True, repr=False)
class Scaling(_Independent):
    """Weights of a standard deviation that the fans decide, uniform or normal."""

    distribution: str = field(default="uniform", metadata=chosen("uniform", "normal"))

    def deviation(self, fan_in: int, fan_out: int) -> float:
        """Return the standard deviation of the weights."""
        raise NotImplementedError

    def drawn(self, fan_in: int, fan_out: int, seed: Any, layer: int, count: int, first: int) -> Weights:
        deviation = self.deviation(fan_in, fan_out)
        if self.distribution == "normal":
            return deviation * philox.normals(seed, layer, 0, count, first)
        limit = math.sqrt(3.0) * deviation  # a uniform number on ±limit deviates by limit / sqrt(3)
        return limit * (2.0 * philox.uniforms(seed, layer, 0, count, first) - 1.0)


@dataclass(frozen=True, repr=False)
class He(Scaling):
    """Standard deviation sqrt(2 / ((1 + slope²) fan_in)), slope that of a leaky unit's negative side.

    Source: He, Zhang, Ren & Sun 2015, "Delving deep into rectifiers", equation 15.

    >>> round(he.deviation(fan_in=50, fan_out=10), 6), he("normal")
    (0.2, he(distribution='normal'))
    """

    name: ClassVar[str] = "he"
    slope: float = field(default=0.0, metadata=real())

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return math.sqrt(2.0 / ((1.0 + self.slope**2) * fan_in))


@dataclass(frozen=True, repr=False)
class Glorot(Scaling):
    """Standard deviation sqrt(2 / (fan_in + fan_out)). Source: Glorot & Bengio 2010, equation 16.

    >>> round(glorot.deviation(fan_in=30, fan_out=20), 6)
    0.2
    """

    name: ClassVar[str] = "glorot"

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return math.sqrt(2.0 / (fan_in + fan_out))


@dataclass(frozen=True, repr=False)
class LeCun(Scaling):
    """Standard deviation sqrt(1 / fan_in). Source: LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp".

    >>> round(lecun.deviation(fan_in=25, fan_out=10), 6)
    0.2
    """

    name: ClassVar[str] = "lecun"

    def deviation(self, fan_in: int, fan_out: int) -> float:
        return math.sqrt(1.0 / fan_in)


@dataclass(frozen=True, repr=False)
class Orthogonal(Initializer):
    """gain times a random matrix with orthonormal rows (or columns, when there are more rows than columns).

    Every piece of a maxout layer is orthogonal by itself. Source: Saxe, McClelland & Ganguli 2014;
    the sign of R's diagonal makes Q uniform (Mezzadri 2007).

    >>> w = orthogonal.weights((2, 3), fan_in=3, fan_out=2, seed=0, layer=0)
    >>> np.allclose(w @ w.T, np.eye(2))
    True
    """

    name: ClassVar[str] = "orthogonal"
    gain: float = field(default=1.0, metadata=real())

    def weights(self, shape: Shape, fan_in: int, fan_out: int, seed: Any, layer: int) -> Weights:
        drawn = philox.normals(seed, layer, 0, math.prod(shape)).reshape(*np.shape(seed), *shape)
        tall = shape[-2] >= shape[-1]
        q, r = np.linalg.qr(drawn if tall else np.swapaxes(drawn, -1, -2))
        q = q * np.where(np.diagonal(r, axis1=-2, axis2=-1) < 0, -1.0, 1.0)[..., np.newaxis, :]
        return self.gain * (q if tall else np.swapaxes(q, -1, -2))


@dataclass(frozen=True, repr=False)
class Scaled(_Independent):
    """Normal numbers times a plain standard deviation, whatever the layer's size.

    >>> scaled(0.5).weights((2, 3), fan_in=3, fan_out=2, seed=0, layer=0).shape
    (2, 3)
    """

    name: ClassVar[str] = "scaled"
    std: float = field(default=0.01, metadata=real("[0, inf)"))

    def drawn(self, fan_in: int, fan_out: int, seed: Any, layer: int, count: int, first: int) -> Weights:
        return self.std * philox.normals(seed, layer, 0, count, first)


@dataclass(frozen=True, repr=False)
class _ByUnit(Initializer):
    """The weights of each unit as the initializer that fits it would draw them for the whole layer.

    parts: initializers, each with the number of units that it is for.
    """

    parts: tuple[tuple[Initializer, int], ...]

    def weights(self, shape: Shape, fan_in: int, fan_out: int, seed: Any, layer: int) -> Weights:
        drawn = {own: own.weights(shape, fan_in, fan_out, seed, layer) for own, _ in self.parts}
        ends = accumulate(units for _, units in self.parts)
        rows = [drawn[own][..., end - units : end, :] for (own, units), end in zip(self.parts, ends, strict=True)]
        return np.concatenate(rows, axis=-2)


he, glorot, lecun, orthogonal, scaled = He(), Glorot(), LeCun(), Orthogonal(), Scaled()

INITIALIZERS: Family[Initializer] = Family("initializer", he, glorot, lecun, orthogonal, scaled)


def initializer_from(spec: object) -> Initializer:
    """Return the initializer that a spec describes.

    >>> initializer_from("orthogonal(2)"), initializer_from("he(normal)")
    (orthogonal(gain=2.0), he(distribution='normal'))
    """
    return INITIALIZERS.parse(spec)


def default_for(activation: object) -> Initializer:
    """Return the initializer that fits a unit: glorot, lecun for selu, he for what is flat on one side.

    Units of a mixture each get the one that fits them.

    >>> from kilonet.activations import leaky_relu, relu
    >>> default_for(tanh), default_for(selu), default_for(relu), default_for(leaky_relu(0.2))
    (glorot, lecun, he, he(slope=0.2))
    """
    if isinstance(activation, Mixed):
        return _ByUnit(tuple((default_for(own), units) for own, units in activation.parts))
    if activation in (identity, sigmoid, tanh):
        return glorot
    if activation == selu:
        return lecun
    return he(slope=activation.alpha) if isinstance(activation, LeakyReLU | PReLU) else he
