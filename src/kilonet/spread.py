"""How much the members of a population differ in what they ended with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """The values that the members of a population ended with.

    metric: what was judged; members: how many values; std: with n − 1; the quartiles are linear between values.

    >>> print(Spread.of("loss", np.array([1.0, 2.0, 3.0, 9.0, np.nan]), np.array([False] * 4 + [True])))
    loss of 4 members: median 2.5, middle half 1.75 to 4.5, all 1 to 9; mean 3.75 ± 3.594; 1 diverged
    """

    metric: str
    members: int
    diverged: int
    mean: float
    std: float
    low: float
    quarter: float
    median: float
    three_quarters: float
    high: float

    @classmethod
    def of(cls, metric: str, values: Floats, diverged: NDArray[np.bool_]) -> "Spread":
        """From one value per member; all are NaN where no member is left."""
        kept = values[~diverged & np.isfinite(values)]
        five = np.quantile(kept, [0, 0.25, 0.5, 0.75, 1]) if len(kept) else np.full(5, np.nan)
        mean = float(kept.mean()) if len(kept) else float("nan")
        std = float(kept.std(ddof=1)) if len(kept) > 1 else float("nan")
        return cls(metric, len(kept), int(diverged.sum()), mean, std, *(float(value) for value in five))

    def __str__(self) -> str:
        lost = f"; {self.diverged} diverged" if self.diverged else ""
        return (
            f"{self.metric.replace('_', ' ')} of {self.members} members: median {self.median:.4g}, middle half "
            f"{self.quarter:.4g} to {self.three_quarters:.4g}, all {self.low:.4g} to {self.high:.4g}; "
            f"mean {self.mean:.4g} ± {self.std:.4g}{lost}"
        )
