"""Which rows a network that tunes itself holds out: folds as a search draws them, fewer where rows are few."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import check_cv

from kilonet.errors import DataError
from kilonet.estimators.trials import Split
from kilonet.numerals import count
from kilonet.search import splits as drawing
from kilonet.search.given import places_of
from kilonet.search.splits import Splits, Target


@dataclass(frozen=True, eq=False)
class Draws:
    """Folds that may be drawn several times, and are drawn as far as they are used.

    first: the splits of the first draw, or those that a user gives, which are all. most: how often folds are drawn at
    most. again: the splits of a draw, by its number.
    """

    first: Splits
    most: int
    again: Callable[[int], list[Split]]

    def reaching(self, number: int) -> Splits:
        """So many splits, and what is left of the draw that the last one is of."""
        found, draws = list(self.first.splits), 1
        while len(found) < number and draws < self.most:
            found += self.again(draws)
            draws += 1
        times = f", drawn {draws} times" if draws > 1 else ""
        return self.first._replace(splits=found, how=f"{self.first.how}{times}")


def drawn(cv: Any, X: Any, target: Target, folds: int, draws: int, seed: int) -> Draws:
    """Folds, which may be drawn several times, one draw after another; a splitter or splits are taken as they are.

    cv: None for `folds` of them, or as many as groups and rows allow, whether or not every one has all classes; a
    number for so many, which have to be possible. Rows without weight are in no fold. Raises SettingError where cv
    asks for what the rows do not allow, DataError for a single row.
    """
    weighted = np.ones(len(target.y), dtype=bool) if target.weights is None else np.asarray(target.weights) > 0
    if cv is not None and not isinstance(cv, int | np.integer):
        return Draws(_given(cv, X, target, weighted, seed), 1, lambda _: [])
    counted = np.flatnonzero(weighted)
    own = Target(np.asarray(target.y)[counted], _at(target.groups, counted), None, target.estimator)
    number = _possible(folds, own) if cv is None else drawing.refused_unless_possible(cv, own)

    def again(draw: int) -> list[Split]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of classes with fewer rows than folds
            made = drawing.folds(number, own, (seed + 7919 * draw) % 2**32)
        return [Split(counted[split.train], counted[split.test]) for split in made if len(split.test)]

    return Draws(Splits(again(0), number, f"{number} folds"), draws, again)


def _given(cv: Any, X: Any, target: Target, weighted: NDArray[np.bool_], seed: int) -> Splits:
    """The splits of a user, without the rows that have no weight; a split that holds out no others is left out."""
    rows, kept = len(target.y), []
    for number, parts in enumerate(check_cv(cv, target.y).split(X, target.y, target.groups)):
        train, test = (places_of(number, own, rows) for own in parts)
        if len(test) == 0 or weighted[test].any():
            kept.append((train[weighted[train]], test[weighted[test]]))
    found = drawing.drawn(kept, X, target, seed)
    own = f"{type(cv).__name__}, {count(len(kept), 'split')}"
    said = own if hasattr(cv, "split") else count(len(kept), "given split")
    return found._replace(how=f"{said}, in time" if found.in_time else said)


def _possible(folds: int, target: Target) -> int:
    """So many folds, or fewer where there are fewer groups or rows."""
    if target.groups is not None:
        groups = len(np.unique(np.asarray(target.groups)))
        if groups < 2:
            raise DataError("groups has one group only; rows of one group are never parted, so needs two at least.")
        return min(folds, groups)
    if len(target.y) < 2:
        raise DataError(
            f"there is 1 sample with a weight ({len(target.y)} sample); needs two rows at least, to hold one out."
        )
    return min(folds, len(target.y))


def _at(groups: Any, places: Any) -> Any:
    return None if groups is None else np.asarray(groups)[places]
