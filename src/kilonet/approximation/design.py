"""How large a network has to be for an eps, and what its error cannot exceed: decided before anything is built.

All methods join samples by steps s that rise from 0 to 1, one after another along each axis; between the samples the
network is a weighted mean of those around. With no weight negative the error is at most a mean of L times distances.
So it is on intervals, and with ReLU units in two dimensions. In three dimensions one weight may go down to −1/2 (in the
middle of a cell, where three steps are half done), which costs half an edge more. A sigmoid of a sum of steps rises
after the sigmoids of each step, not with them: meanwhile y_10 + y_01 − y_00 stands for a mean, one edge more, and in
three dimensions y_110 + y_101 + y_011 − y_100 − y_010 − y_001 + y_000, three edges more.
"""

from dataclasses import dataclass
from decimal import ROUND_CEILING, Context
from itertools import pairwise
from math import ceil, inf, log, prod

import numpy as np

from kilonet.approximation.outward import Floats
from kilonet.errors import SettingError

METHODS = ("relu", "sigmoid", "bumps")
UNITS = 1_000_000
PARAMETERS = 2_000_000
RAMP = 1 / 16  # width of the sides of a bump, by its width
STEEP = 64.0  # a sigmoid's weight, by the number of steps in a unit of length
# Room between the error that is claimed and the one that can occur, so that the proof ends.
_ROOM = {1: 1e-6, 2: 0.03, 3: 0.03}
# By how much samples may be farther away than half a cell's diagonal, by its width: where steps are under way.
_SIDES = {"relu": 0.0, "bumps": RAMP, "sigmoid": 0.2}
_EDGES = {"relu": {1: 0.0, 2: 0.0, 3: 0.5}, "bumps": {1: 0.0, 2: 0.0, 3: 0.5}, "sigmoid": {2: 1.0, 3: 3.0}}


@dataclass(frozen=True)
class Design:
    """A method on a box with a number of pieces along each axis.

    >>> Design("relu", np.zeros(1), np.ones(1), (4,)).error(lipschitz=1.0) < 0.126
    True
    """

    method: str
    low: Floats
    high: Floats
    pieces: tuple[int, ...]

    @property
    def edges(self) -> tuple[Floats, ...]:
        """The ends of the pieces along each axis."""
        return tuple(
            np.linspace(low, high, n + 1) for low, high, n in zip(self.low, self.high, self.pieces, strict=True)
        )

    @property
    def axes(self) -> tuple[Floats, ...]:
        """Where f is sampled along each axis: at the ends of pieces, or for steps and bumps in their middles."""
        if self.method == "relu":
            return self.edges
        return tuple(edge[:-1] + 0.5 * np.diff(edge) for edge in self.edges)

    @property
    def steps(self) -> tuple[int, ...]:
        """How many steps rise along each axis."""
        return tuple(n if self.method == "relu" else n - 1 for n in self.pieces)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of the network's layers, the input first."""
        first = sum(self.steps) * (2 if self.method == "bumps" else 1)
        d = len(self.pieces)
        return (1, first, 1) if d == 1 else (d, first, prod(n + 1 for n in self.steps) - 1, 1)

    def error(self, lipschitz: float) -> float:
        """What the error cannot exceed in real numbers, with some room; rounding comes on top."""
        return lipschitz * float(np.max(_reach(self.method, (self.high - self.low) / self.pieces)))


def _reach(method: str, width: Floats) -> float:
    """The error by the Lipschitz constant, for pieces of such widths."""
    room, d = 1.0 + _ROOM[len(width)], len(width)
    if method == "sigmoid" and d == 1:  # a logistic variable of scale width / STEEP added to x has this mean size
        return room * float(width[0]) * (0.5 + 2 * log(2) / STEEP)
    wide = width * (1.0 + _SIDES[method])
    return room * (0.5 * float(np.sqrt((wide * wide).sum())) + _EDGES[method][d] * float(wide.max()))


def designed(method: str, low: Floats, high: Floats, eps: float, lipschitz: float, estimated: bool = False) -> Design:
    """The smallest network that does; SettingError says which eps would do where it is too large."""
    design = _for(method, low, high, eps, lipschitz)
    if _fits(design):
        return design
    good, bad = eps, eps
    while not _fits(_for(method, low, high, good, lipschitz)):
        bad, good = good, 2 * good
    for _ in range(12):
        middle = 0.5 * (good + bad)
        good, bad = (middle, bad) if _fits(_for(method, low, high, middle, lipschitz)) else (good, middle)
    advised = Context(prec=3, rounding=ROUND_CEILING).create_decimal(good)  # rounded down it would not do
    sizes = "-".join(f"{size:,}" for size in design.sizes)
    by = f"an estimated Lipschitz constant of {lipschitz:g} (a jump has none)"
    if not estimated:
        by = f"a Lipschitz constant of {lipschitz:g}"
    raise SettingError(
        f"eps came as {eps:g}; with {by} it needs a network of sizes {sizes}, and at most {UNITS:,} units and "
        f"{PARAMETERS:,} parameters are built. eps={float(advised):.3g} would do."
    )


def _for(method: str, low: Floats, high: Floats, eps: float, lipschitz: float) -> Design:
    """Pieces of about equal widths along all axes."""
    d, length = len(low), high - low
    # A hundredth is left for rounding.
    width = 0.99 * eps / (lipschitz * _reach(method, np.ones(d))) if lipschitz > 0 else inf
    least = 1 if method == "relu" else 2
    return Design(method, low, high, tuple(max(least, ceil(min(side / width, 1e12))) for side in length))


def _fits(design: Design) -> bool:
    sizes = design.sizes
    parameters = sum((a + 1) * b for a, b in pairwise(sizes))
    return sum(sizes[1:]) <= UNITS and parameters <= PARAMETERS
