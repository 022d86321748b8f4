"""How much a search does, so that it fits a budget: a number of runs, or seconds turned into one."""

import math
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from kilonet.checks import number, shown
from kilonet.comparison import ENOUGH
from kilonet.errors import SettingError
from kilonet.search.candidates import Architecture
from kilonet.search.grid import Grid

INNER = 3  # folds inside a fold of the nested estimate
LEARNING = (0.25, 0.5)  # shares of the training rows at which the winner is trained too
PANELS = 4  # of the plane, for each architecture
RESCUES = 5  # ways of regularizing a large network more
_STEPS = 2  # beyond the edge of an axis, for each of l2 and rate


@dataclass(frozen=True)
class Plan:
    """seeds and splits of the last round; splits of the first and second round; folds of the nested estimate."""

    seeds: int
    splits: int
    first: int
    second: int
    nested: int

    def runs(self, grid: Grid) -> dict[Architecture, int]:
        """At most how many runs each architecture gets."""
        own: dict[Architecture, int] = {}
        for candidate in grid.candidates:
            own[candidate.architecture] = own.get(candidate.architecture, 0) + 1
        return {architecture: self._runs(count) for architecture, count in own.items()}

    def _runs(self, candidates: int) -> int:
        better = kept(candidates)
        edges = 2 * _STEPS * self.second if candidates > 1 else 0
        tuning = candidates * self.first + better * (self.second - self.first) + edges
        last = self.splits * self.seeds - self.second
        inner = self.nested * (candidates + better * (INNER - 1))
        return tuning + last + inner

    @property
    def extra(self) -> int:
        """Runs of the largest network that are likely beside the grid's: rescues, learning curve, the end."""
        return RESCUES * self.second + (1 + len(LEARNING)) * min(self.second, 5) + 2

    def total(self, grid: Grid) -> int:
        """At most how many runs there are.

        Beside those of the architectures: a larger one, rescues, the nested winners, the learning curve, predictions of
        held-out rows, pictures, the final fit.
        """
        own = self.runs(grid)
        extra = max(own.values()) + self.splits * self.seeds + RESCUES * self.second
        shown = (
            (1 + len(LEARNING)) * self.second + PANELS * len(own) + 2
        )  # the choice among the pictures, the final fit
        return sum(own.values()) + extra + self.nested * self.seeds + shown


def kept(candidates: int) -> int:
    """Of so many candidates of an architecture, those that see the second round."""
    return min(candidates, max(2, math.ceil(candidates / 3)))


def plans(seeds: int | None, splits: int, folds: int, nested: int) -> Iterator[Plan]:
    """Plans from the thorough to the sparse.

    seeds: asked for, or None; splits: that there are; folds: of a repeat; nested: folds that have folds of their own.
    """
    second = min(folds, 5)
    first = min(2, second)
    wanted = (8, 4, 2) if seeds is None else (seeds,)
    for own in wanted:
        for rounds in (min(splits, ENOUGH), second):
            yield Plan(own, splits, first, rounds, min(second, nested))
    for own in (2, 1) if seeds is None else (seeds,):
        for some in (3, 0) if nested else (0,):
            yield Plan(own, splits, first, second, min(some, second, nested))
        yield Plan(own, min(splits, folds), first, second, 0)
        yield Plan(own, second, 1, min(3, second), 0)


class Costly(Protocol):
    """What takes a number of runs."""

    def total(self, grid: Grid) -> int:
        """At most how many runs there are."""


AnyPlan = TypeVar("AnyPlan", bound=Costly)


def falling(candidates: Iterable[AnyPlan], grid: Grid) -> Iterator[AnyPlan]:
    """Plans each of which has fewer runs than all before: then a number of runs names one of them."""
    least = math.inf
    for plan in candidates:
        if plan.total(grid) < least:
            least = plan.total(grid)
            yield plan


def affordable(candidates: Iterator[AnyPlan], fits: Callable[[AnyPlan], bool]) -> AnyPlan | None:
    """The most thorough plan that fits, or None."""
    return next((plan for plan in candidates if fits(plan)), None)


_UNITS = {"": 1.0, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}


def budget_seconds(budget: object) -> float:
    """Seconds of a budget: a number, or a text such as "60s", "2 min" or "1h".

    >>> budget_seconds("60s"), budget_seconds("1.5min"), budget_seconds(20)
    (60.0, 90.0, 20.0)
    """
    if not isinstance(budget, str):
        return number("budget", budget, "(0, inf)")
    found = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*([a-z]*)\s*", budget.lower())
    if found is None or found[2] not in _UNITS or float(found[1]) == 0:
        raise SettingError(f'budget came as {shown(budget)}; needs seconds, or a text such as "60s", "2min" or "1h".')
    return float(found[1]) * _UNITS[found[2]]


def repeats(folds: int) -> int:
    """How often so many folds are drawn, so that there are enough splits for a verdict.

    >>> repeats(5), repeats(10), repeats(3)
    (2, 1, 4)
    """
    return math.ceil(ENOUGH / folds)
