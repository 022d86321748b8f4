"""The rows of a training as the network sees them: inputs that say nothing, or say it twice, and the target."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import gammaln

from kilonet.diagnostics.leaks import Leaks, leaks
from kilonet.diagnostics.subject import Subject
from kilonet.estimators.labels import Labels
from kilonet.estimators.numbers import Numbers
from kilonet.estimators.rows import is_frame
from kilonet.findings import InputFacts, TargetFacts

Floats = NDArray[np.float64]

_HELD = 1 << 22  # numbers that are held at once in another order than that of the table
_LUCK = 0.05  # pairs of columns that may be alike by luck
_FEWEST = 50  # rows; fewer numbers are evenly spread by luck
_DIFFERENT = 0.99  # of the rows: a table that was joined has some of them twice
_EVEN = 0.05  # of the range: how far the numbers may be from an even spread; those of a bell are 0.2 off
_DENSE = 0.5  # of the whole numbers in the range: so many different ones have no room for any other spread
_EXACT = 2**53  # float64 holds whole numbers below


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
        duplicated=duplicated(X, {*constant.tolist(), *_pieces(subject)}),
        positive=bool((low >= 0).all()),
        leaking=found.scores,
        baseline=found.baseline,
        others=found.others,
        numbering={place: share for place, values in _numbers(subject) if (share := numbering(values)) > 0},
        sparse=sparse.issparse(X),
        tried=found.tried,
    )


def _pieces(subject: Subject) -> Iterator[int]:
    """Inputs that are pieces of a number, which say nothing that the number does not."""
    state: Any = getattr(subject.footing.encoder, "state_", None)
    for place, own in state.pieces.items() if state is not None else ():
        first = int(state.starts[place]) + 1
        yield from range(first, first + len(own.mean))


def input_names(subject: Subject) -> list[str]:
    """Names of the network's inputs: those of the table's columns and categories, else column 0, column 1 and so on."""
    encoder, estimator = subject.footing.encoder, subject.estimator
    named = getattr(estimator, "feature_names_in_", None)
    if encoder is None:
        return [f"column {place}" for place in range(subject.network.n_inputs)] if named is None else list(named)
    columns = [f"column {place}" for place in range(encoder.n_features_in_)]
    return [str(name) for name in encoder.get_feature_names_out(None if named is not None else columns)]


def _numbers(subject: Subject) -> Iterator[tuple[int, Floats]]:
    """The table's columns of numbers as the user has them, with the input that each became; of sparse tables none.

    An encoder has made other numbers of them, and a narrow type has lost some.
    """
    encoder, rows = subject.footing.encoder, subject.rows
    X = subject.problem.X if encoder is None else rows.X
    if sparse.issparse(X):
        return
    columns: Any = nw.from_native(X, eager_only=True).iter_columns() if is_frame(X) else np.asarray(X).T
    for place, column in enumerate(columns):
        if encoder is None:
            yield place, np.asarray(column, np.float64)
        elif encoder.state_.kinds[place] == "number":
            with suppress(ValueError, TypeError):  # gaps may be written in many ways, and then there are gaps
                own = np.asarray(column, np.float64)
                yield int(encoder.state_.starts[place]), own if rows.places is None else own[rows.places]


def numbering(values: Floats) -> float:
    """How densely a column numbers its rows: share of the whole numbers in its range that occur; 0 where it does not.

    It does where its values are whole numbers, all different but for one in a hundred, and spread evenly: ages repeat,
    and prices pile up. Of numbers that have a factor in common, as 10, 20 and 30, that share is one of its multiples.

    >>> numbering(np.arange(1000.0, 1100)), numbering(np.arange(0.0, 900, 9)), numbering(np.arange(100.0) ** 2)
    (1.0, 1.0, 0.0)
    """
    known = values[np.isfinite(values)]
    if len(known) < _FEWEST or (known != np.rint(known)).any() or np.abs(known).max() > _EXACT:
        return 0.0
    own = np.unique(known)
    if len(own) < max(_DIFFERENT * len(known), 2):
        return 0.0
    reach = own[-1] - own[0]
    share = float(len(own) / (reach / np.gcd.reduce(np.diff(own).astype(np.int64)) + 1))
    uneven = np.abs(own - np.linspace(own[0], own[-1], len(own))).max() / reach
    return share if share >= _DENSE or uneven <= _EVEN else 0.0


@np.errstate(over="ignore", invalid="ignore")  # of what is too large to be squared the deviation is infinite
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
    found = [(own.min(axis=1), own.max(axis=1), own.mean(axis=1), own.std(axis=1)) for _, own in _turned(X)]
    low, high, mean, deviation = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return low, high, mean, deviation


def _turned(X: Any) -> Iterator[tuple[int, Floats]]:
    """Columns of a dense X as rows, some at a time, with the place of the first one."""
    step = max(1, _HELD // X.shape[0])
    for start in range(0, X.shape[1], step):
        yield start, np.ascontiguousarray(X[:, start : start + step].T, dtype=np.float64)


def duplicated(X: Any, but: set[int]) -> list[tuple[int, int]]:
    """Pairs of columns with the same values: each with the first one that is like it. but: columns not looked at.

    Columns that are alike by luck are left out, as those are in which the same row alone is not 0.

    >>> X = np.array([[1.0, 2.0, 1.0], [3.0, 4.0, 3.0], [5.0, 1.0, 5.0], [2.0, 2.0, 2.0], [4.0, 7.0, 4.0]])
    >>> duplicated(X, set()), duplicated(X[:2], set())
    ([(0, 2)], [])
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
        elif not _lucky(X, place):
            pairs.append((first, place))
    return pairs


def _lucky(X: Any, place: int) -> bool:
    """Whether some two of so many columns would be alike if each had the values of this one in an order at random."""
    column = X[:, [place]].toarray() if sparse.issparse(X) else X[:, place]
    _, repeats = np.unique(column, return_counts=True)
    orders = gammaln(X.shape[0] + 1) - gammaln(repeats + 1).sum()  # the logarithm of how many there are
    return bool(np.log(X.shape[1] * (X.shape[1] - 1) / 2) - orders > np.log(_LUCK))


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
        own = Numbers.of(y, None)  # which holds out where squares would overflow, and calls what is constant 1
        mean, deviation = float(own.mean[0]), float(own.scale[0]) if np.ptp(y) > 0 else 0.0
        single = codec.n_outputs == 1
        return TargetFacts({}, conflicting, mean if single else np.nan, deviation if single else np.nan)
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
