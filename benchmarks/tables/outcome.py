"""From results to one number for each table and learner."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks.tables import ranks
from benchmarks.tables.store import Result

Floats = NDArray[np.float64]
LARGER_IS_BETTER = {"accuracy": True, "log_loss": False, "r2": True}
TASK_OF = {"accuracy": "classification", "log_loss": "classification", "r2": "regression"}
NAMES = {"accuracy": "accuracy", "log_loss": "log loss", "r2": "R²"}
Cells = dict[tuple[str, str], dict[int, Result]]  # results of a table and learner by split


def cells(results: Sequence[Result]) -> Cells:
    """Return results by table and learner, then split; the last counts."""
    found: Cells = defaultdict(dict)
    for result in results:
        found[result.job.table, result.job.learner][result.job.split] = result
    return dict(found)


@dataclass(frozen=True)
class Comparison:
    """Learners on the tables of one task that all of them have met, by one metric; means over the splits all have.

    goodness (tables, learners): larger is better, NaN where a learner failed on a split. splits: of all tables.
    """

    metric: str
    tables: tuple[str, ...]
    learners: tuple[str, ...]
    goodness: Floats
    splits: int

    @classmethod
    def of(cls, metric: str, found: Cells, tables: Sequence[str], learners: Sequence[str]) -> "Comparison":
        """Compare on the tables where each learner has a result on one split at least that all others have too."""
        rows, names, splits = [], [], 0
        for table in tables:
            each = [found.get((table, learner), {}) for learner in learners]
            shared = sorted(set.intersection(*(set(results) for results in each)))
            if shared:
                names.append(table)
                splits += len(shared)
                rows.append([_mean(results, shared, metric) for results in each])
        sign = 1.0 if LARGER_IS_BETTER[metric] else -1.0
        goodness = sign * np.array(rows, dtype=np.float64).reshape(len(names), len(learners))
        return cls(metric, tuple(names), tuple(learners), goodness, splits)

    @property
    def ranks(self) -> Floats:
        """Ranks (tables, learners)."""
        return ranks.ranks(self.goodness)

    @property
    def mean_ranks(self) -> dict[str, float]:
        """The mean rank of each learner."""
        return dict(zip(self.learners, self.ranks.mean(axis=0).tolist(), strict=True))

    @property
    def apart(self) -> float:
        """How far apart mean ranks have to be by Nemenyi's test."""
        return ranks.critical_difference(len(self.learners), len(self.tables))

    def pairs(self, own: str) -> dict[str, float]:
        """Return Holm's p of our learner against each other one."""
        mine = self.goodness[:, self.learners.index(own)]
        peers = [name for name in self.learners if name != own]
        found = [ranks.wilcoxon(mine, self.goodness[:, self.learners.index(name)]) for name in peers]
        return dict(zip(peers, ranks.holm(found), strict=True))


def _mean(results: dict[int, Result], splits: Sequence[int], metric: str) -> float:
    """Return the mean over splits, NaN where one of them has nothing to score."""
    return float(np.mean([results[split].values.get(metric, np.nan) for split in splits]))


def mean_of(value: str, found: Cells, tables: Sequence[str], learner: str) -> float:
    """Return the mean over tables of a value's mean over splits, of those that have it; NaN when none has."""
    each = [[result.values[value] for result in found.get((table, learner), {}).values() if value in result.values]
            for table in tables]  # fmt: skip
    means = [float(np.mean(values)) for values in each if values]
    return float(np.mean(means)) if means else float("nan")


def seconds(found: Cells, tables: Sequence[str], learner: str) -> float:
    """Return the median over tables of a learner's mean seconds of a fit; NaN for none."""
    each = [[result.values["seconds"] for result in found.get((table, learner), {}).values() if result.done]
            for table in tables]  # fmt: skip
    return median([float(np.mean(values)) for values in each if values] or [float("nan")])


def times_as_long(found: Cells, tables: Sequence[str], learner: str, own: str) -> float:
    """Return the median over tables of a learner's seconds over our own, both on the same splits; NaN for none."""
    ratios = []
    for table in tables:
        theirs, ours = found.get((table, learner), {}), found.get((table, own), {})
        shared = [split for split in theirs if split in ours and theirs[split].done and ours[split].done]
        if shared:
            ratios.append(
                sum(theirs[s].values["seconds"] for s in shared) / sum(ours[s].values["seconds"] for s in shared)
            )
    return median(ratios) if ratios else float("nan")


def failures(found: Cells, tables: Sequence[str], learner: str) -> int:
    """Return on how many tables a learner gave no answer on some split."""
    return sum(any(not result.done for result in found.get((table, learner), {}).values()) for table in tables)
