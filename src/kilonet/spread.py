"""How much the members of a population differ in what they ended with."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.numerals import count, span

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Spread:
    """The values that the members of a population ended with.

    metric: what was judged; members: how many values; std: with n − 1; the quartiles are linear between values.
    epochs: where training was interrupted, the first and the last epoch that values are of, which then may lie
    far apart; unfinished: members that had not completed an epoch. None and 0 where training came to its end.

    >>> print(Spread.of("loss", np.array([1.0, 2.0, 3.0, 9.0, np.nan]), np.array([False] * 4 + [True])))
    loss of 4 members: median 2.5, middle half 1.75 to 4.5, all 1 to 9; mean 3.75 ± 3.594; 1 diverged
    >>> print(Spread.of("loss", np.array([1.0, 2.0, 3.0]), np.zeros(3, bool), epochs=[90, 4, 7]))
    loss of 3 members: median 2, middle half 1.5 to 2.5, all 1 to 3; mean 2 ± 1; interrupted at epochs 4 to 90
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
    epochs: tuple[int, int] | None = None
    unfinished: int = 0

    @classmethod
    def of(cls, metric: str, values: Floats, diverged: NDArray[np.bool_], epochs: Any = None) -> "Spread":
        """From one value per member; all are NaN where no member is left.

        epochs: None, or where training was interrupted the epoch that each value is of, 0 for one of no epoch.
        """
        there = ~diverged & np.isfinite(values)
        kept = values[there]
        five = np.quantile(kept, [0, 0.25, 0.5, 0.75, 1]) if len(kept) else np.full(5, np.nan)
        mean = float(kept.mean()) if len(kept) else float("nan")
        std = float(kept.std(ddof=1)) if len(kept) > 1 else float("nan")
        at, unfinished = None, 0
        if epochs is not None:
            reached = np.asarray(epochs)
            at = (int(reached[there].min()), int(reached[there].max())) if len(kept) else None
            unfinished = int((~diverged & (reached == 0)).sum())
        low, quarter, median, three_quarters, high = (float(value) for value in five)
        lost = int(diverged.sum())
        return cls(metric, len(kept), lost, mean, std, low, quarter, median, three_quarters, high, at, unfinished)

    def __str__(self) -> str:
        what = f"{self.metric.replace('_', ' ')} of {count(self.members, 'member')}"
        if self.members > 1:
            what += (
                f": median {self.median:.4g}, middle half {self.quarter:.4g} to {self.three_quarters:.4g}, "
                f"all {self.low:.4g} to {self.high:.4g}; mean {self.mean:.4g} ± {self.std:.4g}"
            )
        elif self.members == 1:
            what += f": {self.mean:.4g}"
        return f"{what}{self._ending()}"

    def _ending(self) -> str:
        """Who is not among the values, and where they are from."""
        said = [f"{self.diverged} diverged"] if self.diverged else []
        if self.epochs is not None:
            low, high = self.epochs
            said.append(f"interrupted at epoch{'' if low == high else 's'} {span(low, high)}")
        if self.unfinished:
            said.append(f"{self.unfinished} without a complete epoch")
        return "".join(f"; {part}" for part in said)
