"""The rows of a training as the network sees them: inputs that say nothing, or say it twice, and the target."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kilonet.diagnostics.leaks import Leaks, leaks
from kilonet.diagnostics.subject import Subject
from kilonet.estimators.labels import Labels
from kilonet.estimators.numbers import Numbers
from kilonet.findings import InputFacts, TargetFacts

Floats = NDArray[np.float64]

_HELD = 1 << 22  # numbers that are held at once in another order than that of the table


def input_facts(subject: Subject, *, leaking: bool = True) -> InputFacts:
    """What `InputFacts` says of all training rows; leaking: whether to look for inputs that give the target away."""
    X = subject.problem.X
    low, high, means, deviations = _ranges(X)
    constant = np.flatnonzero(low == high)
    found = leaks(subject) if leaking else Leaks({}, {}, float("nan"))
    return InputFacts(
        names=input_names(subject),
        means=means,
        deviations=deviations,
        constant=constant.tolist(),
        duplicated=duplicated(X, set(constant.tolist())),
        positive=bool((low >= 0).all()),
        leaking=found.scores,
        baseline=found.baseline,
        others=found.others,
    )


def input_names(subject: Subject) -> list[str]:
    """Names of the network's inputs: those of the table's columns and categories, else column 0, column 1 and so on."""
    encoder, estimator = subject.footing.encoder, subject.estimator
    named = getattr(estimator, "feature_names_in_", None)
    if encoder is None:
        return [f"column {place}" for place in range(subject.network.n_inputs)] if named is None else list(named)
    columns = [f"column {place}" for place in range(encoder.n_features_in_)]
    return [str(name) for name in encoder.get_feature_names_out(None if named is not None else columns)]


def _ranges(X: Any) -> tuple[Floats, Floats, Floats, Floats]:
    """Lowest and highest value, mean and standard deviation of every column, (n_inputs,) each."""
    if sparse.issparse(X):
        n = X.shape[0]
        low, high = (np.asarray(edge.toarray(), np.float64).ravel() for edge in (X.min(axis=0), X.max(axis=0)))
        mean = np.asarray(X.mean(axis=0, dtype=np.float64)).ravel()
        columns, weight = X.indices, np.asarray(X.data, np.float64)
        away = np.bincount(columns, (weight - mean[columns]) ** 2, minlength=X.shape[1])
        held = np.bincount(columns, minlength=X.shape[1])
        return low, high, mean, np.sqrt((away + (n - held) * mean**2) / n)
    found = [(block.min(axis=1), block.max(axis=1), block.mean(axis=1), block.std(axis=1)) for _, block in _turned(X)]
    low, high, mean, deviation = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return low, high, mean, deviation


def _turned(X: Any) -> Iterator[tuple[int, Floats]]:
    """Columns of a dense X as rows, some at a time, with the place of the first one."""
    step = max(1, _HELD // X.shape[0])
    for start in range(0, X.shape[1], step):
        yield start, np.ascontiguousarray(X[:, start : start + step].T, dtype=np.float64)


def duplicated(X: Any, but: set[int]) -> list[tuple[int, int]]:
    """Pairs of columns with the same values: each with the first one that is like it. but: columns not looked at.

    >>> duplicated(np.array([[1.0, 2.0, 1.0, 1.0], [3.0, 4.0, 3.0, 3.0]]), set())
    [(0, 2), (0, 3)]
    """
    firsts: dict[int, list[int]] = {}
    pairs = []
    for place, mark in _marks(X):
        if place in but:
            continue
        like = firsts.setdefault(mark, [])
        first = next((other for other in like if _same(X, other, place)), None)
        if first is None:
            like.append(place)
        else:
            pairs.append((first, place))
    return pairs


def _marks(X: Any) -> Iterator[tuple[int, int]]:
    """A hash of every column; equal columns have equal ones, and others may too."""
    if sparse.issparse(X):
        by_column = X.tocsc(copy=True)
        by_column.eliminate_zeros()
        by_column.sort_indices()
        for place in range(X.shape[1]):
            own = slice(by_column.indptr[place], by_column.indptr[place + 1])
            yield place, hash((by_column.indices[own].tobytes(), by_column.data[own].tobytes()))
        return
    for start, block in _turned(X):
        for place, column in enumerate(block + 0.0):  # -0.0 is equal to 0.0, but has other bits
            yield start + place, hash(column.tobytes())


def _same(X: Any, one: int, other: int) -> bool:
    if sparse.issparse(X):
        return bool((X[:, [one]] != X[:, [other]]).nnz == 0)
    return bool(np.array_equal(X[:, one], X[:, other]))


def target_facts(subject: Subject) -> TargetFacts:
    """What `TargetFacts` says of all training rows; mean and deviation of one number a row, in its own units."""
    codec, y = subject.footing.codec, subject.rows.targets
    conflicting = int(np.count_nonzero(conflicts(subject)))
    if isinstance(codec, Numbers):
        single = codec.n_outputs == 1
        mean, deviation = (float(np.mean(y)), float(np.std(y))) if single else (np.nan, np.nan)
        return TargetFacts({}, conflicting, mean, deviation)
    return TargetFacts(_counts(codec, y), conflicting)


def _counts(codec: Labels, y: Any) -> Mapping[str, int]:
    """Rows of every class, or rows that have a label where a row may have several."""
    found = codec.indices(y)
    counts = found.sum(axis=0) if codec.multilabel else np.bincount(found, minlength=len(codec.classes))
    return {str(label): int(count) for label, count in zip(codec.classes.tolist(), counts, strict=True)}


def conflicts(subject: Subject) -> NDArray[np.bool_]:
    """Rows (n,) whose inputs another row has with another target."""
    X, targets = subject.problem.X, subject.problem.targets
    _, answer = np.unique(targets, axis=0, return_inverse=True)
    kinds = np.fromiter(_row_kinds(X), np.int64, count=X.shape[0])
    n_kinds = int(kinds.max()) + 1
    low, high = np.full(n_kinds, len(answer)), np.full(n_kinds, -1)
    np.minimum.at(low, kinds, answer.ravel())
    np.maximum.at(high, kinds, answer.ravel())
    return np.asarray(low != high)[kinds]


def _row_kinds(X: Any) -> Iterator[int]:
    """A number for every row, the same for equal rows."""
    known: dict[Any, int] = {}
    if sparse.issparse(X):
        X = X.copy()
        X.eliminate_zeros()
        X.sort_indices()
    for place in range(X.shape[0]):
        if sparse.issparse(X):
            own = slice(X.indptr[place], X.indptr[place + 1])
            key: Any = (X.indices[own].tobytes(), X.data[own].tobytes())
        else:
            key = (X[place] + 0).tobytes()
        yield known.setdefault(key, len(known))
