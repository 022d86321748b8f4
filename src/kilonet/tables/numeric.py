"""Columns of numbers: their weighted mean and standard deviation, and numbers made standard by them.

Everything is done in float64 and in blocks of rows, so that a large table is never copied whole. Sums
run over the rows in order: no BLAS, whose order depends on the machine and its threads.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.tables.cells import Floats, UnusableError

BLOCK = 65536  # numbers in a block: half a megabyte, which stays in a processor's cache
_FEW_ULP = 4 * np.finfo(np.float64).eps  # two float64 nearer than this differ by rounding, not by meaning
_SAFE = (1e-100, 1e100)  # magnitudes whose squares neither overflow nor vanish, whatever they are summed over


@dataclass(frozen=True)
class Grid:
    """Rows and columns of numbers: one matrix (n, k), or k columns (n,) that lie apart.

    kept: places (k,) of the columns in a wider matrix, None for all of them.
    """

    source: NDArray[Any] | Sequence[Floats]
    n_rows: int
    n_columns: int
    kept: NDArray[np.int64] | None = None

    def rows(self, start: int, stop: int) -> NDArray[Any]:
        """The rows from start to stop, (stop - start, k), in the source's own type."""
        if isinstance(self.source, np.ndarray):
            block = self.source[start:stop]
            return block if self.kept is None else block[:, self.kept]
        return np.stack([column[start:stop] for column in self.source], axis=1)

    def blocks(self) -> Iterator[tuple[int, int]]:
        """Start and stop of the blocks, which together are all rows."""
        step = max(1, BLOCK // max(1, self.n_columns))
        for start in range(0, self.n_rows, step):
            yield start, min(start + step, self.n_rows)

    def floats(self, start: int, stop: int, scale: Floats | None = None) -> Floats:
        """The rows from start to stop as float64, row by row in memory, times `scale` (k,)."""
        block = np.ascontiguousarray(self.rows(start, stop), dtype=np.float64)
        return block if scale is None else block * scale


@dataclass(frozen=True)
class Moments:
    """Of each of k columns: weighted mean and standard deviation, and the share of weight that is missing.

    A constant column has a standard deviation of exactly 0, an empty one also a mean of 0.
    """

    mean: Floats
    std: Floats
    missing: Floats


def robust(grid: Grid, weights: Floats | None, found: Moments) -> Moments:
    """Medians in place of means, and quartiles in place of squares: outliers move neither, however far they lie.

    A normal distribution has the same standard deviation either way. Where the quartiles are equal the standard
    deviation stays.
    """
    mean, std = found.mean.copy(), found.std.copy()
    for j in np.flatnonzero((found.std > 0) & (found.missing < 1)):
        column = np.concatenate([grid.rows(start, stop)[:, j] for start, stop in grid.blocks()]).astype(np.float64)
        there = ~np.isnan(column)
        own = None if weights is None else weights[there]
        low, mean[j], high = np.quantile(column[there], (0.25, 0.5, 0.75), weights=own, method="inverted_cdf")
        between = (high / 2 - low / 2) * _FROM_QUARTILES
        std[j] = between if between > 0 else std[j]
    return Moments(mean, std, found.missing)


_FROM_QUARTILES = 2 / 1.3489795003921634  # of a normal distribution: half the distance of its quartiles times this


@dataclass
class _Sums:
    low: Floats
    high: Floats
    present: Floats  # weight of the rows that have a value
    absent: Floats  # weight of the rows that have none: exactly 0 where nothing is missing
    total: Floats


def moments(grid: Grid, weights: Floats | None) -> Moments:
    """Weighted mean, standard deviation (divided by the sum of weights) and missing share of each column.

    weights (n,) > 0 or None; NaN is missing. Raises UnusableError at an infinity.
    """
    sums = _first_pass(grid, weights, None)
    if not np.isfinite([sums.low, sums.high])[:, sums.present > 0].all():
        raise infinite(grid)
    scale = safe_scale(sums.low, sums.high)
    if scale is not None:
        sums = _first_pass(grid, weights, scale)
    mean, constant = centre(sums.low, sums.high, sums.present, sums.total)
    variance = _second_pass(grid, weights, scale, mean) / np.where(sums.present > 0, sums.present, 1.0)
    std = np.where(constant, 0.0, np.sqrt(variance))
    if scale is not None:
        mean, std = mean / scale, std / scale
    return Moments(mean, std, sums.absent / (sums.present + sums.absent))


def centre(low: Floats, high: Floats, present: Floats, total: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Mean of each column from its sums, and whether the column is constant (or empty: mean 0)."""
    full = present > 0
    low, high = np.where(full, low, 0.0), np.where(full, high, 0.0)
    mean = np.clip(total / np.where(full, present, 1.0), low, high)
    return mean, high - low <= _FEW_ULP * np.maximum(np.abs(low), np.abs(high))


def safe_scale(low: Floats, high: Floats) -> Floats | None:
    """Powers of two that bring huge and tiny columns near 1 (exactly), or None when none needs it."""
    largest = np.maximum(np.abs(low), np.abs(high))
    largest = np.where(np.isfinite(largest), largest, 1.0)
    if ((largest == 0) | ((largest > _SAFE[0]) & (largest < _SAFE[1]))).all():
        return None
    return np.asarray(np.ldexp(1.0, -np.clip(np.frexp(largest)[1], -1000, 1024)), dtype=np.float64)


def infinite(grid: Grid) -> UnusableError:
    """The error that names the first infinity."""
    for start, stop in grid.blocks():
        rows, columns = np.nonzero(np.isinf(grid.floats(start, stop)))
        if rows.size:
            value = "inf" if grid.floats(start, stop)[rows[0], columns[0]] > 0 else "-inf"
            return UnusableError(INFINITE.format(value), start + int(rows[0]), column=int(columns[0]))
    return UnusableError(INFINITE.format("inf"))


INFINITE = "{} (infinity) is no usable number. Replace it by a number, or empty the cell if the value is unknown"


def _first_pass(grid: Grid, weights: Floats | None, scale: Floats | None) -> _Sums:
    k = grid.n_columns
    sums = _Sums(np.full(k, np.inf), np.full(k, -np.inf), np.zeros(k), np.zeros(k), np.zeros(k))
    with np.errstate(over="ignore", invalid="ignore"):  # huge columns come back scaled, infinities are refused
        for start, stop in grid.blocks():
            block = grid.floats(start, stop, scale)
            w = None if weights is None else weights[start:stop, np.newaxis]
            low, high = block.min(axis=0), block.max(axis=0)
            if np.isnan(low).any():
                low, high = np.fmin.reduce(block, axis=0), np.fmax.reduce(block, axis=0)
                absent = np.isnan(block)
                block = np.where(absent, 0.0, block)
                sums.absent += (absent if w is None else absent * w).sum(axis=0)
                sums.present += (~absent if w is None else ~absent * w).sum(axis=0)
            else:
                sums.present += stop - start if w is None else w.sum()
            sums.low, sums.high = np.fmin(sums.low, low), np.fmax(sums.high, high)
            sums.total += (block if w is None else block * w).sum(axis=0)
    return sums


def _second_pass(grid: Grid, weights: Floats | None, scale: Floats | None, mean: Floats) -> Floats:
    total = np.zeros(grid.n_columns)
    for start, stop in grid.blocks():
        away = grid.floats(start, stop, scale) - mean
        np.multiply(away, away, out=away)
        if np.isnan(away.sum()):
            away = np.where(np.isnan(away), 0.0, away)
        total += (away if weights is None else away * weights[start:stop, np.newaxis]).sum(axis=0)
    return total


@dataclass(frozen=True)
class Standard:
    """How numbers become standard: missing ones get `fill`, then (x - shift) / divisor. Each is (k,).

    A divisor of infinity is a constant column's: whatever comes becomes 0. limit: what `bounded` keeps a column
    within, infinity for one that stays as it is.
    """

    fill: Floats
    shift: Floats
    divisor: Floats
    limit: Floats

    def write(self, grid: Grid, out: NDArray[Any], at: NDArray[np.int64] | None, gaps: NDArray[np.bool_]) -> None:
        """Write the standard numbers to `out`, and set `gaps` (k,) for columns with a missing one.

        at: their columns in out (k,), None where out is (n, k).
        """
        with np.errstate(over="ignore", invalid="ignore"):  # looked at below
            for start, stop in grid.blocks():
                target = out[start:stop] if at is None else np.empty((stop - start, grid.n_columns), out.dtype)
                block = np.subtract(grid.rows(start, stop), self.shift, dtype=np.float64)
                np.divide(block, self.divisor, out=target, casting="same_kind")
                # One sum tells that all is well; only where it is not finite is each number looked at.
                if not np.isfinite(target.sum()) and not np.isfinite(target).all():
                    gaps |= self._write_carefully(grid, start, stop, target)
                bounded(target, self.limit)
                if at is not None:
                    out[start:stop, at] = target

    def _write_carefully(self, grid: Grid, start: int, stop: int, target: NDArray[Any]) -> NDArray[np.bool_]:
        block = grid.floats(start, stop)
        if np.isinf(block).any():
            raise infinite(grid)
        absent = np.isnan(block)
        block = np.where(absent, self.fill, block)
        # A sixteenth of everything is the same quotient, and its differences stay inside float64.
        target[...] = (block / 16 - self.shift / 16) / (self.divisor / 16)
        wrong = np.argwhere(~np.isfinite(target) & np.isinf(self.limit))
        if wrong.size:
            row, column = (int(place) for place in wrong[0])
            what = (
                f"{block[row, column]:g} is too far from the training values (mean {self.fill[column]:g}) to become "
                f"a {target.dtype} number. Look whether its unit or its decimal point is right"
            )
            raise UnusableError(what, start + row, column=column)
        return np.asarray(absent.any(axis=0))


def bounded(values: NDArray[Any], limit: Floats) -> None:
    """Turn values x into x/√(1+(x/limit)²) in place: nearly x where it is small, and never beyond ±limit.

    An outlier then counts as one, and no more; order is kept. limit: infinity leaves values as they are, and is
    broadcast. Source: the smooth clipping of RealMLP, Holzmüller, Grinsztajn & Steinwart 2024, Better by default.

    >>> x = np.array([-np.inf, -1.0, 0.0, 3.0])
    >>> bounded(x, np.array(3.0))
    >>> x.round(2).tolist()
    [-3.0, -0.95, 0.0, 2.12]
    """
    if np.isinf(limit).all():
        return
    with np.errstate(over="ignore"):
        reach = np.minimum(1e6 * limit, np.finfo(values.dtype).max).astype(values.dtype)  # squares stay finite
        bounds = np.isfinite(limit)
        kept = np.clip(values, -reach, reach)
        share = np.divide(kept, limit, out=np.zeros_like(values), where=bounds, casting="same_kind")
        np.divide(kept, np.sqrt(1 + share * share), out=values)
