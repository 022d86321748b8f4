"""How much a network that tunes itself does: a number of networks, said before the start."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kilonet import checks
from kilonet.errors import SettingError
from kilonet.search.grid import Grid
from kilonet.search.outcomes import Run
from kilonet.search.plan import affordable, budget_seconds, falling, kept
from kilonet.search.runs import Runner
from kilonet.search.selection import by_architecture
from kilonet.tuned.tuning import Tuning

_DRAWS = (20, 15, 10, 7, 5, 3, 2, 1)
_PROBE = 0.25  # of a budget in seconds, for finding out how quick the machine is; what it trains counts
_SHARE = 0.85  # of a budget in seconds that is planned for: estimates are no measurements


@dataclass(frozen=True)
class Effort:
    """Splits, and how many of them every configuration sees, before the better third goes on to all.

    members: of each configuration and split in the end.
    """

    splits: int
    first: int
    members: int

    def of(self, configurations: int) -> int:
        """Networks for so many configurations of an architecture, at most."""
        lasting = configurations if self.first == self.splits else kept(configurations)
        return configurations * self.first + lasting * (self.splits * self.members - self.first)

    def total(self, grid: Grid) -> int:
        """Networks for all of a grid, at most."""
        return sum(self.of(len(own)) for own in by_architecture(grid.candidates).values())


@dataclass(frozen=True)
class Wanted:
    """What a user asks for: a budget, or a number of networks."""

    budget: Any
    runs: int | None

    def draws(self, tuning: int) -> int:
        """How often folds are drawn at most: as tuning says, unless a budget allows more."""
        return tuning if self.automatic else max(tuning, _DRAWS[0])

    @property
    def automatic(self) -> bool:
        """Whether the size of the table decides."""
        return self.runs is None and isinstance(self.budget, str) and self.budget == "auto"

    def checked(self) -> None:
        """Raise SettingError for a budget that is none."""
        if self.runs is not None and not (isinstance(self.budget, str) and self.budget == "auto"):
            raise SettingError(
                f"runs came as {self.runs!r:.40} and budget as {self.budget!r:.40}: two ways to say how much may be "
                "done. Give one of them."
            )
        if self.runs is not None:
            checks.whole("runs", self.runs)
        elif not self.automatic:
            budget_seconds(self.budget)

    def plan(self, runner: Runner, grid: Grid, folds: int, draws: int, tuning: Tuning, begun: float) -> Effort:
        """The most thorough that may be; begun: when the fit was, by time.perf_counter, which a budget counts from.

        Raises SettingError where a number of networks is not enough for any.
        """
        first = tuning.first if self.automatic else None
        every = _plans(grid, folds, draws, tuning.members, first)
        if self.runs is not None:
            # A number that "auto" took is one of its plans, which others may lie between.
            usual = _plans(grid, folds, min(tuning.draws, draws), tuning.members, tuning.first)
            every = [own for own in usual if own.total(grid) == self.runs] + every
            found = affordable(iter(every), lambda effort: effort.total(grid) <= (self.runs or 0))
            if found is None:
                raise SettingError(
                    f"runs={self.runs} is not enough for {len(grid.candidates)} configurations: needs "
                    f"{every[-1].total(grid)} at least. Allow more, or try fewer values."
                )
            return found
        if self.automatic:
            return affordable(iter(every), lambda effort: _cost(runner, grid, effort) <= tuning.work) or every[-1]
        seconds = max(budget_seconds(self.budget) - (time.perf_counter() - begun), 0.0)
        runner.measure(grid.candidates, _PROBE * seconds)
        allowed = _SHARE * seconds
        fits = affordable(iter(every), lambda effort: runner.pace.seconds(_cost(runner, grid, effort)) <= allowed)
        return fits or every[-1]


def _plans(grid: Grid, folds: int, draws: int, members: int, most: int | None) -> list[Effort]:
    return list(falling(_efforts(folds, [own for own in _DRAWS if own <= draws], members, most), grid))


def _efforts(folds: int, draws: Sequence[int], members: int, most: int | None) -> Iterator[Effort]:
    """From the thorough to the sparse.

    most: how many splits all configurations see at most, and every row is to be held out; None where that is free.
    """
    for own in draws:
        yield Effort(own * folds, min(own * folds, most or own * folds), members)
    if members > 1:
        yield Effort(folds, min(folds, most or folds), 1)
    for first in (2, 1):
        if first < folds:
            yield Effort(folds, first, 1)
    for fewer in (3, 2):
        if fewer < folds and most is None:
            yield Effort(fewer, 1, 1)


def _cost(runner: Runner, grid: Grid, effort: Effort) -> float:
    """What an effort costs, as `kilonet.search.pace` has it."""
    groups = by_architecture(grid.candidates).values()
    return sum(effort.of(len(own)) * runner.cost(Run(own[0], 0, 0)) for own in groups)
