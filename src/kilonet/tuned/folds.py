"""Which rows a network that tunes itself holds out: folds as a search draws them, fewer where rows are few."""

import warnings
from typing import Any

import numpy as np

from kilonet.errors import DataError
from kilonet.estimators.trials import Split
from kilonet.search import splits as drawing
from kilonet.search.splits import Splits, Target


def drawn(cv: Any, X: Any, target: Target, folds: int, draws: int, seed: int) -> Splits:
    """Folds, drawn several times, one draw after another; a splitter or splits are taken as they are.

    cv: None for `folds` of them, or as many as groups and rows allow, whether or not every one has all classes; a
    number for so many, which have to be possible. Rows without weight are in no fold. Raises SettingError where cv
    asks for what the rows do not allow, DataError for a single row.
    """
    if cv is not None and not isinstance(cv, int | np.integer):
        return drawing.drawn(cv, X, target, seed)
    counted = np.arange(len(target.y))
    if target.weights is not None:
        counted = np.flatnonzero(np.asarray(target.weights) > 0)
    own = Target(np.asarray(target.y)[counted], _at(target.groups, counted), None, target.estimator)
    number = _possible(folds, own) if cv is None else drawing.refused_unless_possible(cv, own)
    found: list[Split] = []
    for draw in range(draws):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of classes with fewer rows than folds
            made = drawing.folds(number, own, (seed + 7919 * draw) % 2**32)
        found += [Split(counted[split.train], counted[split.test]) for split in made if len(split.test)]
    times = f", drawn {draws} times" if draws > 1 else ""
    return Splits(found, number, f"{number} folds{times}")


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
