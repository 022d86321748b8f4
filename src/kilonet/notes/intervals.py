"""Intervals of ours, at 95%: of a mean by Student's t, of any statistic by a bootstrap, of a share by the binomial."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kilonet.checks import whole
from kilonet.comparison import Comparison, corrected_t
from kilonet.errors import DataError

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], Any]

_CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A number and its interval.

    >>> Estimate(0.0, -1.0, 1.0).exp().value
    1.0
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, found: Comparison) -> "Estimate":
        """The difference of a comparison."""
        return cls(found.difference, found.low, found.high)

    def exp(self) -> "Estimate":
        """The number of which this is the logarithm."""
        return self._through(np.exp)

    def change(self) -> "Estimate":
        """By which share the number, of which this is the logarithm, differs from 1.

        >>> Estimate(0.0, 0.0, float(np.log(1.5))).change().high
        0.5
        """
        return self._through(np.expm1)

    def _through(self, ascending: Callable[[float], Any]) -> "Estimate":
        return Estimate(*(float(ascending(number)) for number in (self.value, self.low, self.high)))


def mean_of(values: ArrayLike, bounds: tuple[float, float] = (-np.inf, np.inf)) -> Estimate:
    """The mean over independent values (n,), such as one for each seed, with its t-interval.

    bounds: what the mean can be, (0, 1) for shares; the interval is cut there.
    Raises DataError for no value, and for one that is not finite.

    >>> found = mean_of([1.0, 2.0, 3.0])
    >>> f"{found.value:.2f}, {found.low:.2f} to {found.high:.2f}"
    '2.00, -0.48 to 4.48'
    """
    found = Estimate.of(corrected_t(values, 0.0, _CONFIDENCE))
    return Estimate(found.value, max(bounds[0], found.low), min(bounds[1], found.high))


def bootstrapped(values: ArrayLike, statistic: Statistic = np.median, draws: int = 2000) -> Estimate:
    """A statistic of independent values (n, ...) with its percentile interval over draws with replacement.

    statistic: a function of values, drawn along their first axis, to one number. Seeded: the same values give the
    same interval. Raises DataError for no value. Source: Efron & Tibshirani 1993, chapter 13.

    >>> bootstrapped([1.0, 1.0, 1.0]).high
    1.0
    """
    given = np.asarray(values, np.float64)
    if given.ndim == 0 or len(given) == 0:
        raise DataError(f"values came with shape {given.shape}; needs one value at least, along the first axis.")
    rows = np.random.default_rng(0).integers(len(given), size=(draws, len(given)))
    found = [float(statistic(given[drawn])) for drawn in rows]
    tail = (1 - _CONFIDENCE) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return Estimate(float(statistic(given)), float(low), float(high))


def share(count: int, of: int) -> Estimate:
    """A share of independent cases with its exact binomial interval. Source: Clopper & Pearson 1934.

    >>> found = share(0, 20)
    >>> found.value, found.low, round(found.high, 3)
    (0.0, 0.0, 0.168)
    """
    n, k = whole("of", of), whole("count", count, f"[0, {of}]")
    tail = (1 - _CONFIDENCE) / 2
    low = float(special.betaincinv(k, n - k + 1, tail)) if k else 0.0
    high = float(special.betaincinv(k + 1, n - k, 1 - tail)) if k < n else 1.0
    return Estimate(k / n, low, high)
