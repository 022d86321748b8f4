"""Splits of a search: folds drawn several times, what inner folds a fold has, and whose data they are."""

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import narwhals.stable.v2 as nw
import numpy as np
import scipy.sparse
from sklearn.base import is_classifier
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold, check_cv
from sklearn.utils import column_or_1d

from kilonet.checks import whole
from kilonet.errors import SettingError
from kilonet.estimators.rows import is_frame
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
        return float(np.mean([len(split.test) / len(split.train) for split in self.splits]))


def drawn(cv: Any, estimator: Any, X: Any, y: Any, groups: Any, seed: int) -> Splits:
    """The splits that a search judges by. Raises SettingError where there are fewer rows than folds need.

    cv: None or a number: so many folds, drawn anew until there are ten splits at least; a splitter or splits are
    taken as they are.
    """
    if cv is not None and not isinstance(cv, int | np.integer):
        given = check_cv(cv, y, classifier=is_classifier(estimator))
        found = [Split(np.asarray(a), np.asarray(b)) for a, b in given.split(X, y, groups)]
        _require(found, y, estimator)
        return Splits(found, len(found), f"{type(given).__name__}, {len(found)} splits")
    folds = whole("cv", FOLDS if cv is None else cv, "[2, inf)")
    _refuse_too_many(folds, estimator, y, groups)
    found = []
    for repeat in range(repeats(folds)):
        found += _folds(folds, estimator, y, groups, (seed + 7919 * repeat) % 2**32)
    times = f", drawn {repeats(folds)} times" if repeats(folds) > 1 else ""
    return Splits(found, folds, f"{folds} folds{times}")


def inner(outer: Split, estimator: Any, y: Any, groups: Any, seed: int) -> list[Split]:
    """Folds inside the training rows of a split: what a choice without the held-out rows is made by."""
    own, mine = np.asarray(y)[outer.train], None if groups is None else np.asarray(groups)[outer.train]
    found = _folds(INNER, estimator, own, mine, seed)
    return [Split(outer.train[split.train], outer.train[split.test]) for split in found]


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
            f"cv={folds} folds, but only {len(np.unique(np.asarray(groups)))} groups; ask for fewer folds."
        )
    if n_rows < 2 * folds:
        rows = f"{n_rows} sample{'' if n_rows == 1 else 's'}"
        raise SettingError(f"cv={folds} folds, but there {'is' if n_rows == 1 else 'are'} {rows}; needs two a fold.")
    if not _stratified(estimator, y):
        return
    labels, counts = np.unique(_texts(y), return_counts=True)
    if counts.min() < folds:
        rare, count = labels[int(np.argmin(counts))], int(counts.min())
        raise SettingError(
            f"cv={folds} folds, but class {rare} has only {count} row{'s' if count > 1 else ''}; every class needs "
            f"{folds} rows at least. Ask for fewer folds, or leave that class out or join it with another."
        )


def _require(splits: Sequence[Split], y: Any, estimator: Any) -> None:
    """Raise SettingError where a split leaves nothing to learn from or to judge by."""
    if not splits:
        raise SettingError("cv gave no splits; needs one at least.")
    for number, (train, test) in enumerate(splits):
        if len(train) == 0 or len(test) == 0:
            raise SettingError(
                f"split {number} of cv has {len(train)} training and {len(test)} held-out rows; needs both."
            )
        if not _stratified(estimator, y):
            continue
        known = set(_texts(np.asarray(y)[train]))
        strange = set(_texts(np.asarray(y)[test])) - known
        if strange:
            raise SettingError(
                f"split {number} of cv holds out class {min(strange)}, of which it has no training row; draw the folds "
                "so that each has every class, or leave that class out."
            )


def fingerprint(X: Any, y: Any, weights: Any) -> str:
    """What tells one data set from another: a hash of every cell in its place.

    >>> fingerprint([[1.0, 2.0]], [0], None) == fingerprint([[1.0, 2.0]], [0], None)
    True
    """
    digest = hashlib.sha256()
    for part in (X, y, weights):
        for piece in _pieces(part):
            digest.update(piece)
    return digest.hexdigest()


def _pieces(part: Any) -> list[bytes]:
    if part is None:
        return [b"none"]
    if scipy.sparse.issparse(part):
        rows = part.tocsr()
        return [repr(rows.shape).encode(), *(_bytes(a) for a in (rows.indptr, rows.indices, rows.data))]
    if is_frame(part):
        frame = nw.from_native(part, eager_only=True)
        return [
            piece for name, column in zip(frame.columns, frame.iter_columns(), strict=True)
            for piece in (str(name).encode(), _bytes(column.to_numpy()))
        ]  # fmt: skip
    return [_bytes(np.asarray(part))]


def _bytes(array: Any) -> bytes:
    head = f"{array.dtype.str} {array.shape} ".encode()
    if array.dtype.kind == "O":
        return head + "\x1f".join(map(repr, array.ravel().tolist())).encode()
    return head + np.ascontiguousarray(array).tobytes()


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


def has_inner(estimator: Any, y: Any, groups: Any) -> bool:
    """Whether there are rows enough of everything to have folds inside folds."""
    if groups is not None:
        return len(np.unique(np.asarray(groups))) > 2 * INNER
    return not _stratified(estimator, y) or int(np.unique(_texts(y), return_counts=True)[1].min()) > INNER


def shortened(split: Split, share: float, estimator: Any, y: Any) -> Split:
    """A split with a share of its training rows, of each class the same."""
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
