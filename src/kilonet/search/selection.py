"""Which candidates are worth more runs, and which one wins: the procedure of a search on any set of splits.

Every architecture gets its own best tuned settings by successive halving over splits. All runs are complete
trainings, so that what an early round has found counts in the last one too. Decisions depend on outcomes alone.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from kilonet.comparison import compared
from kilonet.search.candidates import Architecture, Candidate
from kilonet.search.grid import Grid
from kilonet.search.outcomes import Run
from kilonet.search.runs import Runner

Floats = NDArray[np.float64]

_KEPT = 3  # one of so many candidates of an architecture goes on to the second round
_NOTICED = 0.01  # of its loss: what a candidate beyond the grid has to gain
_EDGES = 2  # steps beyond the end of an axis
PRACTICALLY_EQUAL = 0.02  # of the best loss: what a smaller network may lose, with a standard error on top


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
        return [min(own, key=self._worth) for own in by_architecture(self.tried).values()]

    def _worth(self, candidate: Candidate) -> float:
        """The loss that counts: what lies beyond the grid has to be better by more than luck often brings."""
        loss = self.loss(candidate, self.second)
        return loss + _NOTICED * abs(loss) if candidate.origin == "edge" and math.isfinite(loss) else loss

    def extend(self, grid: Grid) -> None:
        """Follow winners at the edge of the grid beyond it, as long as that helps, a few steps."""
        for _ in range(_EDGES):
            beyond = [other for winner in self.winners() for other in grid.beyond(winner) if other not in self.tried]
            if not beyond:
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


def choose(means: Floats, sizes: Sequence[int], test_to_train: float, prefer: str) -> int:
    """The place of the network to take; means (splits, networks), seeds averaged; prefer: "smallest" or "best"."""
    best, tests = compared(means, test_to_train)
    if prefer == "best":
        return best
    fitting = [test is not None and test.verdict() != "worse" for test in tests]
    differences = [test.difference if fits and test else math.inf for test, fits in zip(tests, fitting, strict=True)]
    errors = [test.standard_error if fits and test else math.inf for test, fits in zip(tests, fitting, strict=True)]
    errors[best] = 0.0  # of one split it would be infinite
    return smallest_of_equals(sizes, differences, errors, float(means[:, best].mean()))


def smallest_of_equals(sizes: Sequence[int], differences: Sequence[float], errors: Sequence[float], loss: float) -> int:
    """The smallest network among those that are as good as the best in practice.

    differences: of the mean losses to the best; errors: their standard errors; NaN or infinite for what cannot
    win; the best has 0 for both. A smaller network is taken where it loses at most 2% of the best loss even if the
    true difference is a standard error larger than the one that was seen.

    >>> smallest_of_equals([900, 300, 100], [0.0, 0.0005, 0.0015], [0.0, 0.001, 0.003], loss=0.1)
    1
    """
    allowed = PRACTICALLY_EQUAL * abs(loss)
    fitting = [i for i, (d, e) in enumerate(zip(differences, errors, strict=True)) if d + e <= allowed]
    return min(fitting, key=lambda i: (sizes[i], differences[i]))
