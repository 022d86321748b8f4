"""The network on a part of the box, and the planes between which its score lies there."""

from dataclasses import dataclass

import numpy as np

from kilonet.approximation.lines import Lines, lines
from kilonet.approximation.outward import Floats, gamma, up


@dataclass(frozen=True)
class Local:
    """A network on a box, by the distance from the box's centre.

    With p = (1, x − centre), and a1 and a2 the outputs of the units that are not settled:
    z1 = first p ± first_radius, z2 = second p + link a1 ± second_radius,
    score = direct p + above_first a1 + above_second a2 ± radius.

    first (m1, d + 1), second (m2, d + 1), link (m2, m1), direct (d + 1,). A network of one hidden layer has m2 = 0.
    """

    activation: str
    centre: Floats
    first: Floats
    first_radius: Floats
    second: Floats
    link: Floats
    second_radius: Floats
    direct: Floats
    above_first: Floats
    above_second: Floats
    radius: float

    @property
    def size(self) -> int:
        """How much work a point is."""
        return len(self.first) * (1 + len(self.second)) + len(self.second)


@dataclass(frozen=True)
class Plane:
    """Between which planes the score lies on each of B boxes: middle + slope · (x − centre) ± radius.

    centre, half (half widths, rounded up) and slope (B, d); middle and radius (B,).
    """

    centre: Floats
    half: Floats
    middle: Floats
    slope: Floats
    radius: Floats


def whole(activation: str, weights: tuple[Floats, ...], biases: tuple[Floats, ...], centre: Floats) -> Local:
    """The whole network, nothing settled; x is told as a distance from the centre."""
    first = np.column_stack([biases[0] + weights[0] @ centre, weights[0]])
    d, m1 = len(centre), len(first)
    off = up(gamma(d + 2) * (np.abs(biases[0]) + np.abs(weights[0]) @ np.abs(centre)))
    deep = len(weights) == 3
    second = np.zeros((len(biases[1]) if deep else 0, d + 1))
    second[:, 0] = biases[1] if deep else 0.0
    direct = np.zeros(d + 1)
    direct[0] = biases[-1][0]
    return Local(
        activation, centre, first, off, second, weights[1] if deep else np.zeros((0, m1)), np.zeros(len(second)),
        direct, np.zeros(m1) if deep else weights[-1][0], weights[-1][0] if deep else np.zeros(0), 0.0,
    )  # fmt: skip


def boxed(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Centres of boxes, and half widths from there that reach every side."""
    centre = low + 0.5 * (high - low)
    return centre, up(np.maximum(high - centre, centre - low))


@dataclass(frozen=True)
class Units:
    """Inputs of m units on B boxes, middle + tilt · (x − centre) ± off, and the units' lines.

    middle and off (B, m), tilt (B or 1, d, m).
    """

    middle: Floats
    tilt: Floats
    off: Floats
    lines: Lines

    def outputs(self, loss: float) -> tuple[Floats, Floats, Floats]:
        """What the units give, as planes again: middle, tilt, off."""
        slope, middle = self.lines.slope, self.lines.middle
        off = self.lines.radius + slope * self.off + loss * (slope * np.abs(self.middle) + np.abs(middle))
        return slope * self.middle + middle, slope[:, np.newaxis, :] * self.tilt, up(off)


def _units(activation: str, middle: Floats, tilt: Floats, off: Floats, half: Floats) -> Units:
    reach = up(off + _reach(half, np.abs(tilt)) + 2 * gamma(2) * np.abs(middle))
    return Units(middle, tilt, off, lines(activation, middle - reach, middle + reach))


def _reach(half: Floats, tilt: Floats) -> Floats:
    """The largest change over each box of what has such tilts, (B, m)."""
    return np.asarray(half @ tilt[0] if len(tilt) == 1 else np.einsum("bd,bdm->bm", half, tilt))


def hidden_layers(local: Local, centre: Floats, half: Floats) -> tuple[Units, Units, float]:
    """The units of both hidden layers on B boxes, and the largest relative error of their sums."""
    shift = centre - local.centre
    loss = gamma(sum(local.link.shape) + 2 * centre.shape[1] + 16)
    rows, steep = np.abs(local.first[:, 0]), np.abs(local.first[:, 1:]).T
    off = up(local.first_radius + loss * (rows + np.abs(shift) @ steep))
    middle = local.first[:, 0] + shift @ local.first[:, 1:].T
    first = _units(local.activation, middle, local.first[:, 1:].T[np.newaxis], off, half)

    a, tilt, off = first.outputs(loss)
    link = np.abs(local.link).T
    rows, steep = np.abs(local.second[:, 0]), np.abs(local.second[:, 1:]).T
    size = rows + np.abs(shift) @ steep + np.abs(a) @ link + _reach(half, steep + np.abs(tilt) @ link)
    off = up(local.second_radius + off @ link + loss * size)
    middle = local.second[:, 0] + shift @ local.second[:, 1:].T + a @ local.link.T
    second = _units(local.activation, middle, local.second[:, 1:].T + tilt @ local.link.T, off, half)
    return first, second, loss


def planes(local: Local, low: Floats, high: Floats) -> Plane:
    """The planes between which the score lies on each of B boxes, low and high (B, d)."""
    centre, half = boxed(low, high)
    shift = centre - local.centre
    first, second, loss = hidden_layers(local, centre, half)
    middle = local.direct[0] + shift @ local.direct[1:]
    slope = np.broadcast_to(local.direct[1:], centre.shape)
    size = np.abs(local.direct[0]) + np.abs(shift) @ np.abs(local.direct[1:]) + half @ np.abs(local.direct[1:])
    radius = np.full(len(low), local.radius)
    for layer, above in ((first, local.above_first), (second, local.above_second)):
        a, tilt, off = layer.outputs(loss)
        middle, slope, radius = middle + a @ above, slope + tilt @ above, radius + off @ np.abs(above)
        size = size + (np.abs(a) + _reach(half, np.abs(tilt))) @ np.abs(above)
    return Plane(centre, half, middle, slope, up(radius + loss * size))
