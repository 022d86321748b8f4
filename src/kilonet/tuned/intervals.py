"""Prediction intervals from out-of-fold residuals: how far networks were off on rows that they had not seen."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kilonet.checks import number
from kilonet.errors import SettingError

Floats = NDArray[np.float64]
_MOST = 4096  # rows that intervals are made from: more tell hardly more
_BLOCK = 1 << 22  # numbers held at once


@dataclass(frozen=True, eq=False)
class Residuals:
    """How far out-of-fold predictions were off, and which networks had not seen the row.

    residuals (m,): without signs, in the units of y. patterns (p, splits): sets of splits; pattern (m,): that of the
    splits which hold the row out.

    Source: Barber, Candès, Ramdas & Tibshirani 2021, Predictive inference with the jackknife+ (there CV+).
    """

    residuals: Floats
    patterns: NDArray[np.bool_]
    pattern: NDArray[np.int64]

    @classmethod
    def of(cls, off: Floats, held: NDArray[np.bool_], seed: int) -> "Residuals":
        """From residuals (n,), NaN of rows that none held out, and which splits held a row out (n, splits).

        Of many rows some are drawn, each as likely as any other.
        """
        rows = np.flatnonzero(np.isfinite(off))
        if len(rows) > _MOST:
            rows = np.sort(np.random.default_rng(seed).choice(rows, _MOST, replace=False))
        patterns, pattern = np.unique(held[rows], axis=0, return_inverse=True)
        return cls(np.abs(off[rows]), patterns, np.asarray(pattern, dtype=np.int64).reshape(-1))

    def interval(
        self, predicted: Floats, shares: Floats, splits: NDArray[np.int64], level: float
    ) -> tuple[Floats, Floats]:
        """Low and high (n,) for new rows, of which members predict `predicted` (members, n).

        shares, splits (members,): weight and split of each member. Raises SettingError where there are too few rows for
        such a level.
        """
        alpha, m = 1 - number("level", level, "(0, 1)"), len(self.residuals)
        rank = max(1, math.ceil((1 - alpha) * (m + 1) - 1e-9))
        if rank > m:
            raise SettingError(
                f"level={level:g} needs {math.ceil(1 / alpha - 1e-9) - 1} rows that were held out, and there are {m}; "
                f"an interval of {m / (m + 1):.3g} at most can be told."
            )
        low, high = np.empty(predicted.shape[1]), np.empty(predicted.shape[1])
        unseen = np.where(self.patterns[:, splits], shares, 0.0)  # the networks trained without the rows of a pattern
        unseen /= unseen.sum(axis=1, keepdims=True)
        for rows in _blocks(predicted.shape[1], m):
            each = (unseen @ predicted[:, rows])[self.pattern]
            high[rows] = np.partition(each + self.residuals[:, np.newaxis], rank - 1, axis=0)[rank - 1]
            low[rows] = np.partition(each - self.residuals[:, np.newaxis], m - rank, axis=0)[m - rank]
        return np.minimum(low, high), np.maximum(low, high)  # of levels near 0 the two ends cross


def _blocks(n: int, m: int) -> Iterator[slice]:
    size = max(1, _BLOCK // m)
    return (slice(start, start + size) for start in range(0, n, size))
