"""Optimizers: how a step changes the parameters, as pure functions of arrays.

`update(w, g, slots, rate, t, is_weight)` returns the new w and slots. w and g are (..., n) in the
type T of the parameters; slots are (n_slots, ..., n), zeros at the start; rate is the float64
learning rate times the schedule's factor and may be an array that broadcasts against w; t is the
step, counted from 1, a number or such an array. Formulas and roundings are those of
docs/arithmetic.md, its fma written as a product and a sum.
"""
# ruff: noqa: D102, ARG002 (methods that the base class documents, with its arguments)

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from kilonet.values import Array, Family, Value, real, real_per_member

Rate = float | tuple[float, ...]
Updated = tuple[Array, Array]

_RATE = "[0, inf)"
_FAR = 100  # times an optimizer's own rate: from there on a tenth leads nowhere


@dataclass(frozen=True, repr=False)
class Optimizer(Value):
    """The base of the optimizers. `rate` is one number, or one for each member."""

    n_slots: ClassVar[int] = 0
    rate: Rate = field(default=0.1, metadata=real_per_member(_RATE))

    def update(self, w: Array, g: Array, slots: Array, rate: Any, t: Any = 1, is_weight: Any = True) -> Updated:
        """Return the new parameters and the new slots; nothing is changed in place."""
        raise NotImplementedError

    def lower_rate(self, rate: float) -> float:
        """Return a rate to try where this one was too high: a tenth, or this kind's own, should that be far lower.

        >>> SGD().lower_rate(0.5), Adam().lower_rate(1e20)
        (0.05, 0.001)
        """
        own = type(self)().rate
        return own if isinstance(own, float) and rate > _FAR * own else rate / 10

    def __repr__(self) -> str:
        return self._text(type(self).__name__)


def _in(w: Array, constant: Any) -> Array:
    """Return a float64 constant rounded once to the type of the parameters."""
    return np.asarray(constant, np.float64).astype(w.dtype)


@dataclass(frozen=True, repr=False)
class SGD(Optimizer):
    """w - rate * g. Source: Robbins & Monro 1951.

    >>> SGD(0.5).update(np.array([1.0]), np.array([4.0]), np.zeros((0, 1)), rate=0.5)[0]
    array([-1.])
    """

    name: ClassVar[str] = "sgd"

    def update(self, w: Array, g: Array, slots: Array, rate: Any, t: Any = 1, is_weight: Any = True) -> Updated:
        return w - _in(w, rate) * g, slots


@dataclass(frozen=True, repr=False)
class Momentum(Optimizer):
    """v = beta v + g; w - rate * v. Source: Polyak 1964.

    >>> w, slots = Momentum(0.5).update(np.array([1.0]), np.array([4.0]), np.ones((1, 1)), rate=0.5)
    >>> w, slots
    (array([-1.45]), array([[4.9]]))
    """

    name: ClassVar[str] = "momentum"
    n_slots: ClassVar[int] = 1
    beta: float = field(default=0.9, metadata=real("[0, 1)"))

    def update(self, w: Array, g: Array, slots: Array, rate: Any, t: Any = 1, is_weight: Any = True) -> Updated:
        v = _in(w, self.beta) * slots[0] + g
        return w - _in(w, rate) * v, np.stack([v])


@dataclass(frozen=True, repr=False)
class Nesterov(Momentum):
    """v = beta v + g; w - rate * (beta v + g). Source: Nesterov 1983; Sutskever et al. 2013.

    >>> Nesterov(0.5).update(np.array([1.0]), np.array([4.0]), np.zeros((1, 1)), rate=0.5)[0].round(6)
    array([-2.8])
    """

    name: ClassVar[str] = "nesterov"

    def update(self, w: Array, g: Array, slots: Array, rate: Any, t: Any = 1, is_weight: Any = True) -> Updated:
        v = _in(w, self.beta) * slots[0] + g
        return w - _in(w, rate) * (_in(w, self.beta) * v + g), np.stack([v])


@dataclass(frozen=True, repr=False)
class RMSProp(Optimizer):
    """s = decay s + (1 - decay) g²; w - rate * g / (sqrt(s) + epsilon). Source: Tieleman & Hinton 2012.

    >>> RMSProp(0.1, decay=0.0).update(np.array([1.0]), np.array([4.0]), np.zeros((1, 1)), rate=0.1)[0].round(6)
    array([0.9])
    """

    name: ClassVar[str] = "rmsprop"
    n_slots: ClassVar[int] = 1
    rate: Rate = field(default=1e-3, metadata=real_per_member(_RATE))
    decay: float = field(default=0.9, metadata=real("[0, 1)"))
    epsilon: float = field(default=1e-8, metadata=real("(0, inf)"))

    def update(self, w: Array, g: Array, slots: Array, rate: Any, t: Any = 1, is_weight: Any = True) -> Updated:
        s = _in(w, self.decay) * slots[0] + _in(w, 1.0 - self.decay) * (g * g)
        return w - _in(w, rate) * (g / (np.sqrt(s) + _in(w, self.epsilon))), np.stack([s])


@dataclass(frozen=True, repr=False)
class Adagrad(Optimizer):
    """s = s + g²; w - rate * g / (sqrt(s) + epsilon). Source: Duchi, Hazan & Singer 2011.

    >>> Adagrad(0.1).update(np.array([1.0]), np.array([4.0]), np.zeros((1, 1)), rate=0.1)[0].round(6)
    array([0.9])
    """

    name: ClassVar[str] = "adagrad"
    n_slots: ClassVar[int] = 1
    rate: Rate = field(default=0.01, metadata=real_per_member(_RATE))
    epsilon: float = field(default=1e-10, metadata=real("(0, inf)"))

    def update(self, w: Array, g: Array, slots: Array, rate: Any, t: Any = 1, is_weight: Any = True) -> Updated:
        s = slots[0] + g * g
        return w - _in(w, rate) * (g / (np.sqrt(s) + _in(w, self.epsilon))), np.stack([s])


@dataclass(frozen=True, repr=False)
class Adam(Optimizer):
    """m and v, decaying means of g and g² without their bias towards 0; w - rate * m / (sqrt(v) + epsilon).

    Source: Kingma & Ba 2015, algorithm 1.

    >>> Adam(0.1).update(np.array([1.0]), np.array([4.0]), np.zeros((2, 1)), rate=0.1, t=1)[0].round(6)
    array([0.9])
    """

    name: ClassVar[str] = "adam"
    n_slots: ClassVar[int] = 2
    rate: Rate = field(default=1e-3, metadata=real_per_member(_RATE))
    beta1: float = field(default=0.9, metadata=real("[0, 1)"))
    beta2: float = field(default=0.999, metadata=real("[0, 1)"))
    epsilon: float = field(default=1e-8, metadata=real("(0, inf)"))

    def update(self, w: Array, g: Array, slots: Array, rate: Any, t: Any = 1, is_weight: Any = True) -> Updated:
        m = _in(w, self.beta1) * slots[0] + _in(w, 1.0 - self.beta1) * g
        v = _in(w, self.beta2) * slots[1] + _in(w, 1.0 - self.beta2) * (g * g)
        unbiased_rate = _in(w, np.asarray(rate, np.float64) / (1.0 - running_power(self.beta1, t)))
        unbiasing = _in(w, 1.0 / np.sqrt(1.0 - running_power(self.beta2, t)))
        return w - unbiased_rate * (m / (np.sqrt(v) * unbiasing + _in(w, self.epsilon))), np.stack([m, v])


@dataclass(frozen=True, repr=False)
class AdamW(Adam):
    """Weights first shrink by 1 - rate * decay, whatever their gradient; then as Adam.

    Source: Loshchilov & Hutter 2019.

    >>> AdamW(0.1, decay=0.5).update(np.array([1.0]), np.array([4.0]), np.zeros((2, 1)), rate=0.1, t=1)[0].round(6)
    array([0.85])
    """

    name: ClassVar[str] = "adamw"
    decay: float = field(default=0.01, metadata=real("[0, inf)"))

    def update(self, w: Array, g: Array, slots: Array, rate: Any, t: Any = 1, is_weight: Any = True) -> Updated:
        kept = _in(w, 1.0 - np.asarray(rate, np.float64) * self.decay)
        return super().update(np.where(is_weight, w * kept, w), g, slots, rate, t, is_weight)


def running_power(beta: float, t: Any) -> Any:
    """Return beta to the power t as the running product beta * beta * ..., rounded after every factor: float64.

    Below 2**-80, where 1 - power is 1 whatever its last digits, the product is not carried on.

    >>> float(running_power(0.5, 3)), running_power(0.5, np.array([1, 2])).tolist()
    (0.125, [0.5, 0.25])
    """
    enough = int(-80.0 / math.log2(beta)) + 2 if beta > 0.0 else 1
    place = np.minimum(np.asarray(t), enough) - 1
    return _running_powers(beta, 1 << int(place.max()).bit_length())[place]


@lru_cache(maxsize=32)
def _running_powers(beta: float, length: int) -> Array:
    return np.multiply.accumulate(np.full(length, beta))


OPTIMIZERS: Family[Optimizer] = Family(
    "optimizer", SGD(), Momentum(), Nesterov(), RMSProp(), Adagrad(), Adam(), AdamW()
)


def optimizer_from(spec: object) -> Optimizer:
    """Return the optimizer that a spec describes: a value, its class, a text or its JSON description.

    >>> optimizer_from("adam"), optimizer_from("sgd(0.5)"), optimizer_from({"name": "momentum", "beta": 0.8})
    (Adam, SGD(rate=0.5), Momentum(beta=0.8))
    """
    return OPTIMIZERS.parse(spec)
