"""Penalties on weights: L2, L1 and the max-norm. Biases and PReLU slopes are never penalized.

A strength is one number, or one for each member: then theta's first axis is the members'. Penalties
are added to the mean loss over the examples; they are not divided by their number.
`is_weight` (n_parameters,) says what in theta is a weight: Network.weight_mask.
"""
# ruff: noqa: D102 (methods that the base class documents, with its arguments)

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

import numpy as np

from kilonet.values import Array, Value, real_per_member


@dataclass(frozen=True, repr=False)
class Penalty(Value):
    """The base of the penalties: a strength times a sum over all weights."""

    strength: float | tuple[float, ...] = field(default=0.0, metadata=real_per_member("[0, inf)"))

    def of(self, weights: Array) -> Array:
        """Return the term of each weight, before the strength."""
        raise NotImplementedError

    def by(self, weights: Array) -> Array:
        """Return the derivative of `of`."""
        raise NotImplementedError

    def value(self, theta: Array, is_weight: Array) -> Array:
        """Return the penalty of each member: float64 (...), for theta (..., n_parameters)."""
        terms = self.of(theta.astype(np.float64)) * is_weight
        return cast(Array, self.strength * terms.sum(axis=-1))

    def slope(self, theta: Array, is_weight: Array) -> Array:
        """Return the derivative by theta, in its shape and dtype: 0 wherever there is no weight."""
        return _members(self.strength, theta) * self.by(theta) * is_weight


@dataclass(frozen=True, repr=False)
class L2(Penalty):
    """Half the strength times the sum of squared weights: the slope is the strength times the weight.

    >>> L2(0.1).slope(np.array([1.0, -2.0, 5.0]), is_weight=np.array([True, True, False]))
    array([ 0.1, -0.2,  0. ])
    """

    name: ClassVar[str] = "l2"

    def of(self, weights: Array) -> Array:
        return 0.5 * np.square(weights)

    def by(self, weights: Array) -> Array:
        return weights


@dataclass(frozen=True, repr=False)
class L1(Penalty):
    """The strength times the sum of absolute weights: the slope of a weight at 0 is 0.

    >>> L1(0.1).slope(np.array([1.0, 0.0, -2.0]), is_weight=np.array([True, True, True]))
    array([ 0.1,  0. , -0.1])
    """

    name: ClassVar[str] = "l1"

    def of(self, weights: Array) -> Array:
        return np.abs(weights)

    def by(self, weights: Array) -> Array:
        return np.sign(weights)


def max_norm(weights: Iterable[Array], limit: float | Iterable[float]) -> None:
    """Scale down, in place, every row of W that is longer than the limit; each piece of maxout by itself.

    weights are the W of the views of theta, (..., fan_in); limit is a number, or one for each
    member. The norm is taken in float64. Source: Srebro & Shraibman 2005; Hinton et al. 2012.

    >>> W = np.array([[3.0, 4.0], [0.3, 0.4]])
    >>> max_norm([W], 2.0)
    >>> W.round(6).tolist()
    [[1.2, 1.6], [0.3, 0.4]]
    """
    for W in weights:
        norm = np.sqrt(np.square(W.astype(np.float64)).sum(axis=-1, keepdims=True))
        largest = np.asarray(limit, np.float64)
        largest = largest.reshape(largest.shape + (1,) * (W.ndim - largest.ndim))
        long = norm > largest
        factor = np.where(long, largest / np.where(long, norm, 1.0), 1.0)
        W[...] *= factor.astype(W.dtype)


def _members(strength: Any, theta: Array) -> Array:
    """Return the strength in theta's dtype, with one axis for theta's last one where it is one per member."""
    given = np.asarray(strength).astype(theta.dtype)
    return given if given.ndim == 0 else given[:, np.newaxis]
