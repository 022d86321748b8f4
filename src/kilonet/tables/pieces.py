"""Numbers cut into pieces at quantiles: a network with such inputs bends a curve where the rows are."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from kilonet.checks import whole
from kilonet.errors import SettingError
from kilonet.tables.cells import Floats
from kilonet.tables.numeric import bounded

FEWEST = 3  # of a column: two would say little that the number itself does not
TOGETHER = 256  # of all columns: wide tables get fewer of each
_SHRINK = 0.25  # numbers are compared after this, so that no difference of two overflows
_STEP = np.finfo(np.float64).tiny  # of such knots: one over anything smaller is infinite
_RARE = 0.02  # deviation of a piece at an end of which hardly a row in 2,500 tells: standardized, it would be huge


@dataclass(frozen=True, eq=False)
class Pieces:
    """How a column of numbers is cut: k pieces between k + 1 knots, rising, and mean and deviation of each (k,).

    Piece i is 0 below knot i, 1 above knot i + 1, and rises straight in between.
    """

    knots: Floats
    mean: Floats
    std: Floats

    @classmethod
    def of(cls, values: Floats, weights: Floats | None, most: int) -> Self | None:
        """Those of training values (n,), of which NaN are missing; None where too few values differ."""
        there = ~np.isnan(values)
        values, own = values[there], np.ones(there.sum()) if weights is None else weights[there]
        if not values.size:
            return None
        knots = np.quantile(values, np.linspace(0, 1, most + 1), weights=own, method="inverted_cdf")
        knots = knots[np.append(np.diff(knots * _SHRINK) >= _STEP, True)]
        if len(knots) <= FEWEST:
            return None
        along = _along(values, knots)
        share = (own / own.sum())[:, np.newaxis]
        mean = (share * along).sum(axis=0)
        std = np.sqrt((share * (along - mean) ** 2).sum(axis=0))
        # Pieces inside have rows of more than one in so many as there are pieces on both sides.
        first, last = int(std[0] < _RARE), len(std) - int(std[-1] < _RARE)
        return cls(knots[first : last + 1], mean[first:last], std[first:last]) if last - first >= FEWEST else None

    def write(self, values: Floats, out: NDArray[Any], standardize: bool, limit: float | None) -> None:
        """Write how far along each piece values (n,) are to out (n, k); missing ones count as their mean.

        standardize: as numbers are, within the limit, so that together the pieces vary as one standard number does.
        """
        along = _along(values, self.knots)
        gaps = np.isnan(values)
        along[gaps] = self.mean
        if standardize:
            along = (along - self.mean) / self.std
            bounded(along, np.array(np.inf if limit is None else limit))
            along /= np.sqrt(len(self.mean))
        out[...] = along

    def names(self, name: str) -> list[str]:
        """What the pieces of a column of this name are called.

        >>> Pieces(np.array([0.0, 1.5, 4.0]), np.zeros(2), np.ones(2)).names("age")
        ['age 0..1.5', 'age 1.5..4']
        """
        texts = [f"{knot:g}" for knot in self.knots]
        texts = texts if len(set(texts)) == len(texts) else [f"{knot:.17g}" for knot in self.knots]
        return [f"{name} {low}..{high}" for low, high in pairwise(texts)]

    def to_json(self) -> dict[str, list[float]]:
        """As JSON values; every float comes back as the same bits."""
        return {name: getattr(self, name).tolist() for name in ("knots", "mean", "std")}

    @classmethod
    def from_json(cls, d: Any) -> Self:
        """What to_json wrote; LookupError, TypeError or ValueError where it is something else."""
        lists = [d[name] for name in ("knots", "mean", "std")]
        if not all(type(each) is list and {type(value) for value in each} <= {int, float} for each in lists):
            raise TypeError("pieces are no lists of numbers")
        own = cls(*(np.array(each, dtype=np.float64) for each in lists))
        k = len(own.knots) - 1
        if k < FEWEST or own.mean.shape != (k,) or own.std.shape != (k,) or own.knots.ndim != 1:
            raise ValueError("lists of pieces differ in length")
        if not np.isfinite(own.knots).all() or not (np.diff(own.knots * _SHRINK) >= _STEP).all():
            raise ValueError("knots do not rise")
        if not (((own.mean >= 0) & (own.mean <= 1)).all() and ((own.std > 0) & (own.std <= 1)).all()):
            raise ValueError("a piece has a mean or deviation that is out of its range")
        return own


def learn(
    places: Iterable[int], values: Callable[[int], Floats], weights: Floats | None, most: int
) -> dict[int, Pieces]:
    """Pieces of the columns that have some, by place; values: those of a column (n,)."""

    def cut(some: Iterable[int], pieces: int) -> dict[int, Pieces]:
        found = ((j, Pieces.of(values(j), weights, pieces)) for j in some)
        return {j: own for j, own in found if own is not None}

    able = cut(places, most)
    allowed = TOGETHER // max(len(able), 1)
    return able if allowed >= most else cut(able, allowed) if allowed >= FEWEST else {}


def checked(value: object) -> int:
    """A number of pieces that may be asked for. Raises SettingError for others.

    >>> checked(16), checked(0)
    (16, 0)
    """
    found = whole("pieces", value, f"[0, {TOGETHER}]")
    if 0 < found < FEWEST:
        raise SettingError(f"pieces came as {found}; needs 0 for none, or a whole number in [{FEWEST}, {TOGETHER}].")
    return found


def _along(values: Floats, knots: Floats) -> Floats:
    """How far along each piece values (n,) are, 0 to 1, (n, k); NaN where they are."""
    k = len(knots) - 1
    position = np.interp(values * _SHRINK, knots * _SHRINK, np.arange(k + 1.0))
    found: Floats = np.clip(position[:, np.newaxis] - np.arange(k), 0.0, 1.0)
    return found
