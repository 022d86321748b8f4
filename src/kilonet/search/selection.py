"""Which candidates are worth more runs, and which one wins: the procedure of a search on any set of splits.

Every architecture gets its own best tuned settings by successive halving over splits. All runs are complete
trainings, so that what an early round has found counts in the last one too. Decisions depend on outcomes alone.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kilonet.search.grid import Architecture, Candidate, Grid
from kilonet.search.runs import Run, Runner

Floats = NDArray[np.float64]

_KEPT = 3  # one of so many candidates of an architecture goes on to the second round
_EDGES = 2  # steps beyond the end of an axis
PRACTICALLY_EQUAL = 0.01  # of the best loss: a smaller network may cost so much where no test tells them apart


@dataclass(eq=False)
class Rounds:
    """Successive halving: some splits for every candidate, more for the better ones of each architecture."""

    runner: Runner
    first: Sequence[int]
    second: Sequence[int]
    tried: list[Candidate] = field(default_factory=list)

    def play(self, candidates: Iterable[Candidate]) -> None:
        """Let candidates compete; those that were tried before compete with them."""
        fresh = [candidate for candidate in candidates if candidate not in self.tried]
        self.tried += fresh
        self.runner.run(Run(candidate, split, 0) for candidate in fresh for split in self.first)
        kept = []
        for own in by_architecture(self.tried).values():
            ranked = sorted(own, key=lambda candidate: self.loss(candidate, self.first))
            kept += ranked[: max(2, math.ceil(len(own) / _KEPT))]
        self.runner.run(Run(candidate, split, 0) for candidate in kept for split in self.second)

    def loss(self, candidate: Candidate, splits: Sequence[int]) -> float:
        """Mean loss of the first seed; infinite where a run is missing or lost."""
        value = float(np.mean(losses(self.runner, candidate, splits, [0])))
        return value if math.isfinite(value) else math.inf

    def winners(self) -> list[Candidate]:
        """The best candidate of each architecture, by the splits of the second round."""
        found = by_architecture(self.tried).values()
        return [min(own, key=lambda candidate: self.loss(candidate, self.second)) for own in found]

    def extend(self, grid: Grid) -> None:
        """Follow winners at the edge of the grid beyond it, as long as that helps, a few steps."""
        for _ in range(_EDGES):
            beyond = [other for winner in self.winners() for other in grid.beyond(winner) if other not in self.tried]
            if not beyond or self.runner.interrupted:
                return
            self.tried += beyond
            self.runner.run(Run(candidate, split, 0) for candidate in beyond for split in self.second)


def by_architecture(candidates: Iterable[Candidate]) -> dict[Architecture, list[Candidate]]:
    """Candidates by architecture, in their order."""
    found: dict[Architecture, list[Candidate]] = {}
    for candidate in candidates:
        found.setdefault(candidate.architecture, []).append(candidate)
    return found


def losses(runner: Runner, candidate: Candidate, splits: Sequence[int], seeds: Sequence[int]) -> Floats:
    """Loss of each split, seeds averaged; NaN where a run is missing or lost."""
    lost = (math.nan, math.nan, math.nan)
    return np.array(
        [np.mean([runner.outcomes.get(Run(candidate, split, seed), lost)[0] for seed in seeds]) for split in splits]
    )


def smallest_of_equals(means: Sequence[float], sizes: Sequence[int], equal: Sequence[bool]) -> int:
    """The smallest network among those that no test tells from the best, and that lose next to nothing to it.

    >>> smallest_of_equals([0.1000, 0.1005, 0.1300], [900, 300, 100], [True, True, True])
    1
    """
    best = float(np.nanmin(means))
    allowed = best + PRACTICALLY_EQUAL * abs(best)
    fitting = [i for i, mean in enumerate(means) if mean == best or (equal[i] and mean <= allowed)]
    return min(fitting, key=lambda i: (sizes[i], means[i]))
