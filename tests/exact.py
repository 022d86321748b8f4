"""Activations in decimal arithmetic of 60 digits: an oracle that shares no code and no rounding with the library."""

import decimal
from collections.abc import Callable
from decimal import Decimal

CONTEXT = decimal.Context(prec=60, Emin=-999999, Emax=999999)
decimal.setcontext(CONTEXT)

Exact = Callable[[Decimal], Decimal]

ROOT_TWO_OVER_PI = (Decimal(2) / Decimal("3.14159265358979323846264338327950288419716939937510582097494459")).sqrt()


def sigmoid(z: Decimal) -> Decimal:
    return 1 / (1 + (-z).exp())


def tanh(z: Decimal) -> Decimal:
    return (z.exp() - (-z).exp()) / (z.exp() + (-z).exp())


def softplus(z: Decimal) -> Decimal:
    return (1 + z.exp()).ln()


def normal_distribution(z: Decimal) -> Decimal:
    """Phi by the series 1/2 + density * (z + z³/3 + z⁵/15 + ...), whose terms all have one sign."""
    term = total = z
    k = 3
    while abs(term) > abs(total) * Decimal("1e-58") and term != 0:
        term = term * z * z / k
        total += term
        k += 2
    return Decimal("0.5") + total * (-z * z / 2).exp() * ROOT_TWO_OVER_PI / 2


def leaky(alpha: str) -> Exact:
    return lambda z: z if z > 0 else Decimal(alpha) * z


def elu(alpha: str, scale: str = "1") -> Exact:
    return lambda z: Decimal(scale) * (z if z > 0 else Decimal(alpha) * (z.exp() - 1))


FORMULAS: dict[str, Exact] = {
    "identity": lambda z: z,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": lambda z: max(z, Decimal(0)),
    "leaky_relu": leaky("0.01"),
    "prelu": leaky("0.25"),
    "elu": elu("1"),
    # The constants to more digits than float64 holds, from the authors' own program.
    "selu": elu("1.6732632423543772848170429916717", "1.0507009873554804934193349852946"),
    "gelu": lambda z: z * normal_distribution(z),
    "silu": lambda z: z * sigmoid(z),
    "mish": lambda z: z * tanh(softplus(z)),
    "softplus": softplus,
}


def value(name: str, z: float) -> float:
    return float(FORMULAS[name](Decimal(z)))


def slope(name: str, z: float) -> float:
    """The central difference with a step of 1e-15: exact to about 1e-28."""
    step = Decimal("1e-15")
    return float((FORMULAS[name](Decimal(z) + step) - FORMULAS[name](Decimal(z) - step)) / (2 * step))
