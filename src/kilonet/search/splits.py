"""Splits of a search: folds drawn several times, what inner folds a fold has, and whose data they are."""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import is_classifier
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold, TimeSeriesSplit, check_cv

from kilonet.checks import whole
from kilonet.errors import SettingError
from kilonet.estimators.trials import Places, Split
from kilonet.search.given import places_of
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
        return all(split.train.max() < split.test.min() for split in self.splits)


class Nest(NamedTuple):
    """Folds inside the training rows of a split (its number)."""

    fold: int
    splits: list[Split]


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
        parts = enumerate(given.split(X, target.y, target.groups))
        n_rows = len(target.y)
        found = [Split(places_of(number, a, n_rows), places_of(number, b, n_rows)) for number, (a, b) in parts]
        how = f"{type(cv).__name__}, {len(found)} splits" if hasattr(cv, "split") else f"{len(found)} given splits"
        splits = Splits(found, len(found), how)
    else:
        number = refused_unless_possible(FOLDS if cv is None else cv, target)
        found = []
        for repeat in range(repeats(number)):
            found += folds(number, target, (seed + 7919 * repeat) % 2**32)
        times = f", drawn {repeats(number)} times" if repeats(number) > 1 else ""
        splits = Splits(found, number, f"{number} folds{times}")
    fault = _fault(splits.splits, target)
    if fault:
        raise SettingError(fault)
    # In time the latest, which know most, come first: they are those that choosing and nested estimate begin with.
    return splits._replace(splits=found[::-1], how=f"{splits.how}, in time") if splits.in_time else splits


def nests(splits: Splits, folds: int, target: Target, seed: int) -> list[Nest]:
    """Folds inside each of the first folds, in time where the folds are.

    Nothing where they would lack rows, groups or a class; in time, where some folds are short, just none of these.
    """
    found = []
    for fold in range(folds):
        own: list[Split] = []
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # scikit-learn warns of classes with fewer rows than folds
                own = inner(splits.splits[fold], target, (seed + 104729 * (fold + 1)) % 2**32, splits.in_time)
        except (UserWarning, ValueError):  # fewer groups or rows of a class than folds
            own = []
        if not _fault(own, target):
            found.append(Nest(fold, own))
        elif not splits.in_time:
            return []
    return found


def too_few(target: Target) -> str:
    """What there is too little of where no folds fit into a fold."""
    rows = "rows of a class" if _stratified(target.estimator, target.y) else "rows"
    return f"{rows}{'' if target.groups is None else ', or groups,'} are too few for folds within folds"


def inner(outer: Split, target: Target, seed: int, in_time: bool) -> list[Split]:
    """Folds inside the training rows of a split: what a choice without the held-out rows is made by."""
    rows = np.sort(outer.train) if in_time else outer.train
    mine = None if target.groups is None else np.asarray(target.groups)[rows]
    if in_time:
        gap = int(outer.test.min() - outer.train.max()) - 1
        found = [Split(*_parted(train, test, mine)) for train, test in TimeSeriesSplit(INNER, gap=gap).split(rows)]
    else:
        found = folds(INNER, Target(np.asarray(target.y)[rows], mine, None, target.estimator), seed)
    return [Split(rows[split.train], rows[split.test]) for split in found]


def _parted(train: Places, test: Places, groups: Any) -> tuple[Places, Places]:
    """Training rows without those whose group is held out too, and the held-out rows."""
    return (train, test) if groups is None else (train[~np.isin(groups[train], groups[test])], test)


def apart(splits: Sequence[Split]) -> int:
    """How many of the first splits hold out every row once at most."""
    seen: set[int] = set()
    for number, split in enumerate(splits):
        if not seen.isdisjoint(split.test.tolist()):
            return number
        seen.update(split.test.tolist())
    return len(splits)


def folds(number: int, target: Target, seed: int) -> list[Split]:
    """So many folds, drawn once: with equal shares of the classes, where one has as many rows as there are folds."""
    labels = _labels(target.y) if _stratified(target.estimator, target.y) else np.zeros(len(target.y), np.int64)
    classes = _stratified(target.estimator, target.y) and np.bincount(labels).max() >= number
    if target.groups is not None:
        kind: Any = StratifiedGroupKFold if classes else GroupKFold
    else:
        kind = StratifiedKFold if classes else KFold
    made = kind(number, shuffle=True, random_state=seed).split(np.zeros(len(labels)), labels, target.groups)
    return [Split(np.asarray(train), np.asarray(test)) for train, test in made]


def _stratified(estimator: Any, y: Any) -> bool:
    return bool(is_classifier(estimator)) and np.ndim(y) == 1


def refused_unless_possible(cv: Any, target: Target) -> int:
    """The number of folds that is asked for. Raises SettingError where rows, groups or a class are too few for it."""
    folds = whole("cv", cv, "[2, inf)")
    estimator, y, groups, n_rows = target.estimator, target.y, target.groups, len(target.y)
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
        return folds
    labels, counts = np.unique(_texts(y), return_counts=True)
    if counts.min() < folds:
        rare, count = labels[int(np.argmin(counts))], int(counts.min())
        raise SettingError(
            f"cv={folds} folds, but class {rare} has only {count} row{'s' if count > 1 else ''}; every class needs "
            f"{folds} rows at least. Ask for fewer folds (cv, --folds), or leave that class out, or join it to one."
        )
    return folds


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


def shortened(split: Split, share: float, target: Target, in_time: bool) -> Split | None:
    """A split with a share of its training rows that have a weight: of each class the same; in time the latest.

    None where they would lack a class.
    """
    rows = split.train if target.weights is None else split.train[np.asarray(target.weights)[split.train] > 0]
    kept: list[Places] = []
    if in_time:
        kept = [np.sort(rows)[-max(1, round(share * len(rows))) :]]
    else:
        random = np.random.default_rng(len(split.train))
        classes = _stratified(target.estimator, target.y)
        labels = _labels(np.asarray(target.y)[rows]) if classes else np.zeros(len(rows), np.int64)
        for label in range(int(labels.max()) + 1):
            own = rows[labels == label]
            kept.append(random.permutation(own)[: max(1, round(share * len(own)))])
    found = Split(np.sort(np.concatenate(kept)), split.test)
    return None if _fault([found], target) else found


def _labels(y: Any) -> Any:
    """Numbers of the classes; labels may be any hashable. Those of an array are put into texts once each."""
    array = np.asarray(y)
    if array.dtype.kind == "O":
        return np.unique(_texts(y), return_inverse=True)[1]
    labels, places = np.unique(array, return_inverse=True)
    return np.unique(_texts(labels), return_inverse=True)[1][places]


def _texts(y: Any) -> list[str]:
    """Labels as Python writes them: what may be any hashable has no order of its own."""
    return [repr(label) for label in np.asarray(y).tolist()]
