"""Splits of a search: folds drawn several times, what inner folds a fold has, and whose data they are."""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold, TimeSeriesSplit, check_cv
from sklearn.utils import column_or_1d

from kilonet.checks import whole
from kilonet.errors import SettingError
from kilonet.estimators.trials import Places, Split
from kilonet.search.plan import INNER, repeats

FOLDS = 5


class Splits(NamedTuple):
    """All splits, those of one draw one after another; folds: of a draw; how: in words."""

    splits: list[Split]
    folds: int
    how: str

    @property
    def test_to_train(self) -> float:
        """Held-out rows to training rows, on average."""
        return test_to_train(self.splits)

    @property
    def in_time(self) -> bool:
        """Whether every split trains on rows before those that it judges by, as series in time need."""
        return len(self.splits) > 1 and all(split.train.max() < split.test.min() for split in self.splits)


def test_to_train(splits: Sequence[Split]) -> float:
    """Held-out rows to training rows, on average."""
    return float(np.mean([len(split.test) / len(split.train) for split in splits]))


class Target(NamedTuple):
    """What folds are drawn by: y, groups and weights (n,) or None, and the estimator, for classes or for numbers."""

    y: Any
    groups: Any
    weights: Any
    estimator: Any


def drawn(cv: Any, X: Any, target: Target, seed: int) -> Splits:
    """The splits that a search judges by. Raises SettingError where there are fewer rows than folds need.

    cv: None or a number: so many folds, drawn anew until there are ten splits at least; a splitter or splits are
    taken as they are.
    """
    if cv is not None and not isinstance(cv, int | np.integer):
        given = check_cv(cv, target.y, classifier=is_classifier(target.estimator))
        found = [Split(_places(a), _places(b)) for a, b in given.split(X, target.y, target.groups)]
        splits = Splits(found, len(found), f"{type(given).__name__}, {len(found)} splits")
    else:
        folds = whole("cv", FOLDS if cv is None else cv, "[2, inf)")
        _refuse_too_many(folds, target.estimator, target.y, target.groups)
        found = []
        for repeat in range(repeats(folds)):
            found += _folds(folds, target.estimator, target.y, target.groups, (seed + 7919 * repeat) % 2**32)
        times = f", drawn {repeats(folds)} times" if repeats(folds) > 1 else ""
        splits = Splits(found, folds, f"{folds} folds{times}")
    fault = _fault(splits.splits, target)
    if fault:
        raise SettingError(fault)
    return splits


def _places(rows: Any) -> Places:
    """Places of rows that came as places or as a mask."""
    found = np.asarray(rows)
    return np.flatnonzero(found) if found.dtype == bool else found


def nests(splits: Splits, folds: int, target: Target, seed: int) -> list[list[Split]]:
    """Folds inside each of the first folds, in time where the folds are.

    Nothing where they would lack rows, groups or a class.
    """
    found = []
    for fold in range(folds):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # scikit-learn warns of classes with fewer rows than folds
                own = inner(splits.splits[fold], target, (seed + 104729 * (fold + 1)) % 2**32, splits.in_time)
        except (UserWarning, ValueError):  # fewer groups or rows of a class than folds
            return []
        found.append(own)
    return [] if _fault([split for own in found for split in own], target) else found


def inner(outer: Split, target: Target, seed: int, in_time: bool) -> list[Split]:
    """Folds inside the training rows of a split: what a choice without the held-out rows is made by."""
    if in_time:
        rows = np.sort(outer.train)
        found = [Split(train, test) for train, test in TimeSeriesSplit(INNER).split(rows)]
    else:
        rows, groups = outer.train, target.groups
        own, mine = np.asarray(target.y)[rows], None if groups is None else np.asarray(groups)[rows]
        found = _folds(INNER, target.estimator, own, mine, seed)
    return [Split(rows[split.train], rows[split.test]) for split in found]


def _folds(folds: int, estimator: Any, y: Any, groups: Any, seed: int) -> list[Split]:
    classes = _stratified(estimator, y)
    if groups is not None:
        kind: Any = StratifiedGroupKFold if classes else GroupKFold
    else:
        kind = StratifiedKFold if classes else KFold
    labels = _labels(y) if classes else np.zeros(len(y))
    made = kind(folds, shuffle=True, random_state=seed).split(np.zeros(len(y)), labels, groups)
    return [Split(np.asarray(train), np.asarray(test)) for train, test in made]


def _stratified(estimator: Any, y: Any) -> bool:
    return bool(is_classifier(estimator)) and np.ndim(y) == 1


def _refuse_too_many(folds: int, estimator: Any, y: Any, groups: Any) -> None:
    n_rows = len(y)
    if groups is not None and len(np.unique(np.asarray(groups))) < folds:
        raise SettingError(
            f"cv={folds} folds, but only {len(np.unique(np.asarray(groups)))} groups; ask for fewer (cv, --folds)."
        )
    if n_rows < 2 * folds:
        rows = f"{n_rows} sample{'' if n_rows == 1 else 's'}"
        raise SettingError(
            f"cv={folds} folds, but there {'is' if n_rows == 1 else 'are'} {rows}; needs two a fold (cv, --folds)."
        )
    if not _stratified(estimator, y):
        return
    labels, counts = np.unique(_texts(y), return_counts=True)
    if counts.min() < folds:
        rare, count = labels[int(np.argmin(counts))], int(counts.min())
        raise SettingError(
            f"cv={folds} folds, but class {rare} has only {count} row{'s' if count > 1 else ''}; every class needs "
            f"{folds} rows at least. Ask for fewer folds (cv, --folds), or leave that class out, or join it to one."
        )


def _fault(splits: Sequence[Split], target: Target) -> str:
    """What a split lacks to learn from or to judge by; nothing where all is well."""
    if not splits:
        return "cv gave no splits; needs one at least."
    weights = None if target.weights is None else np.asarray(target.weights)
    texts = np.array(_texts(target.y)) if _stratified(target.estimator, target.y) else None
    for number, (train, test) in enumerate(splits):
        learnt = train if weights is None else train[weights[train] > 0]
        if len(learnt) == 0 or len(test) == 0:
            return f"split {number} of cv has {len(learnt)} training and {len(test)} held-out rows; needs both."
        if texts is None:
            continue
        strange = set(texts[test]) - set(texts[learnt])
        if strange or len(set(texts[learnt])) == 1:
            what = (
                f"holds out class {min(strange)}, of which it has no training row" if strange else "trains on one class"
            )
            return f"split {number} of cv {what}; draw the folds so that each has every class, or leave that class out."
    return ""


def target(y: Any) -> Any:
    """The target as it came; a single column of a table as one array, with scikit-learn's warning.

    Raises ValueError where there is none.
    """
    if y is None:
        raise ValueError("This ArchitectureSearch requires y to be passed, but the target y is None.")
    if not hasattr(y, "shape") and hasattr(y, "__array__"):
        y = np.asarray(y)
    shape = np.shape(y)
    return column_or_1d(y, warn=True) if len(shape) == 2 and shape[1] == 1 else y


def shortened(split: Split, share: float, estimator: Any, y: Any, in_time: bool) -> Split:
    """A split with a share of its training rows: of each class the same; in time the latest."""
    if in_time:
        return Split(np.sort(split.train)[-max(1, round(share * len(split.train))) :], split.test)
    random = np.random.default_rng(len(split.train))
    labels = _labels(np.asarray(y)[split.train]) if _stratified(estimator, y) else np.zeros(len(split.train), np.int64)
    kept: list[Places] = []
    for label in range(int(labels.max()) + 1):
        own = split.train[labels == label]
        kept.append(random.permutation(own)[: max(1, round(share * len(own)))])
    return Split(np.sort(np.concatenate(kept)), split.test)


def _labels(y: Any) -> Any:
    """Numbers of the classes; labels may be any hashable."""
    return np.unique(_texts(y), return_inverse=True)[1]


def _texts(y: Any) -> list[str]:
    """Labels as Python writes them: what may be any hashable has no order of its own."""
    return [repr(label) for label in np.asarray(y).tolist()]
