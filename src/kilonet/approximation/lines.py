"""Lines that a unit cannot leave on an interval: activation(z) lies in slope · z + middle ± radius."""

from typing import NamedTuple

import numpy as np

from kilonet.approximation.outward import TINY, Floats

# What exp, a sum and a quotient can be off by here, relatively; NumPy's exp is good to a few units in the last place.
_SIGMOID = 2.0**-48


class Lines(NamedTuple):
    """slope, middle and radius for each unit, shaped like the intervals that they were made for."""

    slope: Floats
    middle: Floats
    radius: Floats


def lines(activation: str, low: Floats, high: Floats) -> Lines:
    """The lines of relu or sigmoid units whose inputs lie between low and high.

    >>> [part.tolist() for part in lines("relu", np.array([1.0, -3.0]), np.array([2.0, -2.0]))]
    [[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]]
    """
    return _relu(low, high) if activation == "relu" else _sigmoid(low, high)


def _relu(low: Floats, high: Floats) -> Lines:
    """Where the kink is inside, the chord from (low, 0) to (high, high), and the line below it through the kink."""
    inside = (low < 0) & (high > 0)
    width = np.where(inside, high - low, 1.0)
    slope = np.where(inside, np.clip(high / width, 0.0, 1.0), np.where(low >= 0, 1.0, 0.0))
    middle = np.where(inside, -0.5 * slope * low, 0.0)
    settled = np.where((low >= 0) | (high <= 0), 0.0, np.nan)  # of what is no number nothing is known
    return Lines(slope, middle, np.where(inside, middle + 2.0**-50 * width + TINY, settled))


def _sigmoid(low: Floats, high: Floats) -> Lines:
    """With a slope that is nowhere exceeded from below, sigmoid(z) − slope · z rises, so that the ends bound it.

    The derivative has one peak, so that its least value is at an end.
    """
    at_low, at_high = _logistic(low), _logistic(high)
    least = np.minimum(at_low * _logistic(-low), at_high * _logistic(-high))
    slope = least * (1.0 - 2.0**-40)
    slope = np.where(slope < 2.0**-100, 0.0, slope)  # far out z is large, and nothing is gained
    first, last = at_low - slope * low, at_high - slope * high
    loss = _SIGMOID * (at_low + at_high + slope * (np.abs(low) + np.abs(high)))
    return Lines(slope, 0.5 * (first + last), np.maximum(0.5 * (last - first), 0.0) + loss + TINY)


def _logistic(z: Floats) -> Floats:
    e = np.exp(-np.abs(z))
    return np.asarray(np.where(z > 0, 1.0, e) / (1.0 + e))
