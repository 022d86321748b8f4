"""The target of a regression: standardized for training, and scores turned back into its units."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.checks import place
from kilonet.errors import DataError
from kilonet.losses import squared

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Numbers:
    """Weighted mean and standard deviation of each target column, float64 (k,).

    flat: y was (n,). loss: None takes squared.

    Networks start with scores near 0 and of size 1, so a target of another place and size costs most of
    the training just to get there. Every regression loss here is equivariant under shift and scale
    (huber's delta is then in standard deviations), so the minimum stays where it was.

    >>> numbers = Numbers.of(np.array([1.0, 3.0]), None)
    >>> numbers.mean.tolist(), numbers.scale.tolist(), numbers.targets(np.array([1.0, 3.0])).ravel().tolist()
    ([2.0], [1.0], [-1.0, 1.0])
    """

    mean: Floats
    scale: Floats
    flat: bool
    loss: Any

    @classmethod
    def of(cls, y: Floats, weights: Floats | None, loss: Any = None) -> "Numbers":
        """The statistics of y (n,) or (n, k); a constant column keeps scale 1."""
        columns = y.reshape(len(y), -1)
        low, high = columns.min(axis=0), columns.max(axis=0)
        spread = np.where(high > low, high / 2 - low / 2, 1.0)  # squares of 1e200 would overflow: compute in spreads
        within = (columns - low) / spread
        mean = np.average(within, axis=0, weights=weights)
        deviation = np.sqrt(np.average((within - mean) ** 2, axis=0, weights=weights))
        varies = (high > low) & (deviation > 0)
        place, scale = np.where(varies, low + mean * spread, low), np.where(varies, deviation * spread, 1.0)
        return cls(place, scale, flat=y.ndim == 1, loss=squared if loss is None else loss)

    @property
    def n_outputs(self) -> int:
        """Number of target columns."""
        return len(self.mean)

    def targets(self, y: Floats) -> Floats:
        """y in standard deviations from its mean, (n, k). Raises DataError for another number of columns."""
        columns = y.reshape(len(y), -1)
        if columns.shape[1] != self.n_outputs:
            raise DataError(f"y has {columns.shape[1]} columns; training was begun with {self.n_outputs}.")
        standardized: Floats = (columns - self.mean) / self.scale
        return standardized

    def predictions(self, scores: NDArray[Any]) -> Floats:
        """Scores (n, k) in the units of y, float64; (n,) where y was."""
        values: Floats = self.mean + self.scale * scores.astype(np.float64)
        return values[:, 0] if self.flat else values

    def spread(self, deviations: Floats) -> Floats:
        """Differences (n, k) of scores in the units of y; (n,) where y was."""
        values = self.scale * deviations
        return values[:, 0] if self.flat else values


def number_array(y: Any) -> Floats:
    """The user's y as float64 (n,) or (n, k). Raises DataError for a missing, infinite or non-numeric target."""
    if y is None:
        raise ValueError("This regressor requires y to be passed, but the target y is None.")
    array = y.toarray() if hasattr(y, "toarray") else np.asarray(y)
    if array.ndim not in (1, 2) or (array.ndim == 2 and array.shape[1] == 0):
        raise DataError(f"y has shape {array.shape}; needed is (n,), or (n, n_targets) with at least one column.")
    if array.dtype.kind in "cmM":
        raise DataError(f"y is of type {array.dtype}; a regression needs real numbers.")
    try:
        numbers = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"y cannot be read as numbers ({error}). For classes use MLPClassifier.") from error
    good = np.isfinite(numbers)
    if not good.all():
        where = np.unravel_index(int(np.argmin(good)), numbers.shape)
        what = "infinity" if np.isinf(numbers[where]) else "a missing value (NaN)"
        raise DataError(f"y has {what} at {place(where)}; every row needs a finite target. Leave out such rows.")
    return numbers
