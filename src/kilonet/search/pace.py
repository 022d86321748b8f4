"""How long runs take: proportions by what is known of the kernel, seconds by what was measured here."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from kilonet.estimators.plan import batch_size, epoch_count
from kilonet.search.candidates import Architecture

# Nanoseconds of a row in an epoch, about: whatever the network, for each unit, for each weight.
_ROW, _UNIT, _WEIGHT = 20.0, 3.0, 0.06


def training_cost(estimator: Any, architecture: Architecture, n_rows: int, ends: tuple[int, int]) -> float:
    """Cost of training on so many rows; ends: inputs and outputs. Only proportions matter."""
    epochs = epoch_count(estimator.epochs, n_rows, batch_size(estimator.batch, n_rows))
    hidden = [getattr(layer, "units", layer) for layer in architecture.hidden]
    sizes = [ends[0], *hidden, ends[1]]
    weights = sum(a * b for a, b in pairwise(sizes))
    return float(epochs * n_rows * (_ROW + _UNIT * sum(sizes[1:]) + _WEIGHT * weights))


@dataclass(eq=False)
class Pace:
    """Seconds of what was trained; factor: of a unit of cost, measured last."""

    factor: float = 0.0
    spent: dict[Architecture, tuple[float, int]] = field(default_factory=dict)

    def measured(self, cost: float, seconds: float) -> None:
        """Take in how long a known cost took."""
        self.factor = seconds / cost

    def seconds(self, cost: float) -> float:
        """How long a cost takes, about; 0 before anything was measured."""
        return self.factor * cost

    def charge(self, costs: Sequence[tuple[Architecture, float]], seconds: float) -> None:
        """Share the seconds of a group of runs among their architectures by what they cost."""
        total = sum(cost for _, cost in costs)
        for architecture, cost in costs:
            before, count = self.spent.get(architecture, (0.0, 0))
            self.spent[architecture] = before + seconds * cost / total, count + 1

    def seconds_a_run(self, architecture: Architecture) -> float:
        """Seconds that a run of an architecture took on average; NaN where all were known already."""
        seconds, count = self.spent.get(architecture, (0.0, 0))
        return seconds / count if count else math.nan

    @property
    def total(self) -> float:
        """Seconds of all."""
        return sum(seconds for seconds, _ in self.spent.values())
