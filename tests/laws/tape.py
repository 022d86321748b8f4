"""A scalar tape: reverse-mode differentiation of single numbers,.

It is the tests' own witness. It shares no code with the library: a different data structure (a graph
of scalars), different formulas (straight from the definitions, not the overflow-free ones) and a
different order of everything.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Union

Number = Union["Scalar", float]


@dataclass(eq=False)
class Scalar:
    """A number, the numbers it was made from, and the derivative by each of them."""

    value: float
    parents: tuple[tuple["Scalar", float], ...] = ()
    grad: float = field(default=0.0)

    def __add__(self, other: Number) -> "Scalar":
        other = wrapped(other)
        return Scalar(self.value + other.value, ((self, 1.0), (other, 1.0)))

    def __mul__(self, other: Number) -> "Scalar":
        other = wrapped(other)
        return Scalar(self.value * other.value, ((self, other.value), (other, self.value)))

    def __truediv__(self, other: Number) -> "Scalar":
        other = wrapped(other)
        quotient = self.value / other.value
        return Scalar(quotient, ((self, 1.0 / other.value), (other, -quotient / other.value)))

    def __sub__(self, other: Number) -> "Scalar":
        return self + (-1.0) * wrapped(other)

    def __rsub__(self, other: float) -> "Scalar":
        return wrapped(other) - self

    def __neg__(self) -> "Scalar":
        return -1.0 * self

    __radd__ = __add__
    __rmul__ = __mul__

    def backward(self) -> None:
        """Add d self / d node to the grad of every node below."""
        order: list[Scalar] = []
        seen: set[int] = set()
        stack: list[tuple[Scalar, bool]] = [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                stack.extend((parent, False) for parent, _ in node.parents)
        self.grad += 1.0
        for node in reversed(order):
            for parent, derivative in node.parents:
                parent.grad += node.grad * derivative


def wrapped(number: Number) -> Scalar:
    return number if isinstance(number, Scalar) else Scalar(float(number))


def exp(x: Scalar) -> Scalar:
    e = math.exp(x.value)
    return Scalar(e, ((x, e),))


def log(x: Scalar) -> Scalar:
    return Scalar(math.log(x.value), ((x, 1.0 / x.value),))


def erf(x: Scalar) -> Scalar:
    return Scalar(math.erf(x.value), ((x, 2.0 / math.sqrt(math.pi) * math.exp(-x.value * x.value)),))


def largest(first: Scalar, *others: Scalar) -> Scalar:
    return reduce(lambda best, x: x if x.value > best.value else best, others, first)


def total(terms: Sequence[Scalar]) -> Scalar:
    return reduce(lambda a, b: a + b, terms)


def sigmoid(z: Scalar) -> Scalar:
    return wrapped(1.0) / (1.0 + exp(-z))


def tanh(z: Scalar) -> Scalar:
    return (exp(z) - exp(-z)) / (exp(z) + exp(-z))


def softplus(z: Scalar) -> Scalar:
    return log(1.0 + exp(z))


def leaky(alpha: Number) -> Callable[[Scalar], Scalar]:
    return lambda z: z if z.value > 0 else alpha * z


def elu(alpha: float) -> Callable[[Scalar], Scalar]:
    return lambda z: z if z.value > 0 else alpha * (exp(z) - 1.0)


UNITS: dict[str, Callable[[Scalar], Scalar]] = {
    "identity": lambda z: z,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": leaky(0.0),
    "leaky_relu(0.2)": leaky(0.2),
    "elu": elu(1.0),
    "elu(0.7)": elu(0.7),
    "selu": lambda z: 1.0507009873554805 * elu(1.6732632423543772)(z),
    "gelu": lambda z: 0.5 * z * (1.0 + erf(math.sqrt(0.5) * z)),
    "silu": lambda z: z * sigmoid(z),
    "mish": lambda z: z * tanh(softplus(z)),
    "softplus": softplus,
}


def cross_entropy(scores: Sequence[Scalar], y: int, smoothing: float = 0.0) -> Scalar:
    norm = total([exp(s) for s in scores])
    goals = [smoothing / len(scores) + (1.0 - smoothing) * (j == y) for j in range(len(scores))]
    return -total([goal * log(exp(s) / norm) for goal, s in zip(goals, scores, strict=True)])


def logistic(scores: Sequence[Scalar], y: Sequence[float]) -> Scalar:
    return -total([log(sigmoid(s)) if goal == 1 else log(1.0 - sigmoid(s)) for s, goal in zip(scores, y, strict=True)])


def margins(scores: Sequence[Scalar], y: int | Sequence[float]) -> list[Scalar]:
    if isinstance(y, int):
        lacks = [1.0 + s - scores[y] for j, s in enumerate(scores) if j != y]
    else:
        lacks = [1.0 - sign * s for s, sign in zip(scores, y, strict=True)]
    return [largest(wrapped(0.0), lack) for lack in lacks]


def each(formula: Callable[[Scalar], Scalar]) -> Callable[[Sequence[Scalar], Sequence[float]], Scalar]:
    return lambda scores, y: total([formula(s - goal) for s, goal in zip(scores, y, strict=True)])


def huber(delta: float) -> Callable[[Scalar], Scalar]:
    return lambda r: 0.5 * r * r if abs(r.value) <= delta else delta * (largest(r, -r) - 0.5 * delta)


def quantile(q: float) -> Callable[[Scalar], Scalar]:
    return lambda r: largest(-q * r, (1.0 - q) * r)


LOSSES: dict[str, Callable[..., Scalar]] = {
    "cross_entropy": cross_entropy,
    "cross_entropy(0.1)": lambda scores, y: cross_entropy(scores, y, 0.1),
    "logistic": logistic,
    "hinge": lambda scores, y: total(margins(scores, y)),
    "squared_hinge": lambda scores, y: total([m * m for m in margins(scores, y)]),
    "squared": each(lambda r: 0.5 * r * r),
    "absolute": each(lambda r: largest(r, -r)),
    "huber": each(huber(1.0)),
    "huber(0.3)": each(huber(0.3)),
    "quantile(0.8)": each(quantile(0.8)),
}


def layer(inputs: Sequence[Scalar], W: Sequence[Sequence[Scalar]], b: Sequence[Scalar]) -> list[Scalar]:
    return [total([w * x for w, x in zip(row, inputs, strict=True)]) + bias for row, bias in zip(W, b, strict=True)]
