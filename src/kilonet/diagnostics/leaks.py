"""Columns that give the target away: one of them alone predicts it on rows that were not used to learn how."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.stats import rankdata
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.metrics import r2_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from kilonet.diagnostics.subject import Places, Subject
from kilonet.estimators.numbers import Numbers

Floats = NDArray[np.float64]

COLUMNS = 200  # that are tried, at most, and inputs that the others are tried by
ROWS = 4000  # half of them to learn from, half to judge by
CANDIDATE = 0.95  # what a column alone has to reach to be told of
_FEWEST = 20  # rows; with fewer, a column is right by luck
_SHARE = 0.25  # of the errors that the most frequent answer makes: a candidate makes fewer
_TOLD = 10  # candidates for which the other columns are tried without it
_TWIN = 0.98  # R² of ranks: of heaps of two classes it is 0.75 at most, however far apart they lie
_LEAVES = 64
_LARGE = 1e18  # float32, which trees use, holds sums of squares of what is smaller


class Leaks(NamedTuple):
    """scores, others: of candidates, by the place of the first input that a column became; see `InputFacts`.

    tried: inputs that were tried, 0 where nothing was looked at.
    """

    scores: Mapping[int, float]
    others: Mapping[int, float]
    baseline: float
    tried: int = 0


class _Half(NamedTuple):
    """Rows to learn from, or to judge by."""

    X: Any
    y: NDArray[Any]


def leaks(subject: Subject) -> Leaks:
    """Columns that predict the target alone: right on 95% of other rows, R² for numbers, and far above the baseline.

    A column is what the user has: all inputs that a text became are one. At most the 200 are tried that look
    the most promising, each for itself, on up to 4,000 rows; and so are at most 200 of the inputs that are left
    without it, and without those that say the same: two copies of a label would hide each other. For classes the rule
    is a tree with two leaves a class, for numbers the better one of a straight line and a tree of 64 leaves. For
    several labels a row nothing is looked at.
    """
    halves = _halves(subject)
    if halves is None:
        return Leaks({}, {}, float("nan"))
    learn, judge = halves
    baseline = _baseline(learn.y, judge.y)
    bound = max(CANDIDATE, 1 - _SHARE * (1 - baseline))
    columns, strength = _columns(subject), _strength(learn)
    order = np.argsort([-strength[own].max() for own in columns], kind="stable")[:COLUMNS]
    alone = {int(columns[c][0]): _alone(learn, judge, columns[c]) for c in sorted(order.tolist())}
    scores = {place: score for place, score in alone.items() if score >= bound}
    told = sorted(scores, key=lambda place: -scores[place])[:_TOLD]
    own = {int(places[0]): places for places in columns if int(places[0]) in told}
    others = _others(learn, judge, own, np.argsort(-strength, kind="stable"))
    return Leaks(scores, others, baseline, sum(len(columns[c]) for c in order))


def _others(learn: _Half, judge: _Half, columns: Mapping[int, Places], promising: Places) -> dict[int, float]:
    """How well the most promising of those inputs do which do not say the same as a column, for each of them."""
    twins, found = _twins(learn, judge, columns), dict[tuple[int, ...], float]()
    for same in set(twins.values()):
        left = promising[~np.isin(promising, np.concatenate([columns[place] for place in same]))]
        found[same] = _together(learn, judge, np.sort(left[:COLUMNS]))
    return {place: found[same] for place, same in twins.items()}


def _halves(subject: Subject) -> tuple[_Half, _Half] | None:
    """Some of the rows, to learn from and to judge by; None where too few are there, or nothing to be predicted."""
    kinds = subject.classes
    y = kinds if kinds is not None else _standardized(np.asarray(subject.problem.targets, np.float64))
    rows = np.random.default_rng(0).permutation(len(y))[:ROWS]
    if subject.task == "multilabel" or len(rows) < _FEWEST or y.size == 0:
        return None
    X = subject.problem.X
    X = _held(X[rows].tocsc() if sparse.issparse(X) else X[rows])
    middle, y = len(rows) // 2, y[rows]
    return _Half(X[:middle], y[:middle]), _Half(X[middle:], y[middle:])


def _held(X: Any) -> Any:
    """X with numbers that trees and squares can hold: of very large columns the shares of their largest value."""
    low, high = (edge.toarray().ravel() if sparse.issparse(X) else edge for edge in (X.min(axis=0), X.max(axis=0)))
    largest = np.maximum(np.abs(low), np.abs(high))
    if not (largest > _LARGE).any():
        return X
    scale = 1 / np.where(largest > _LARGE, largest, 1)
    return X.multiply(scale).tocsc() if sparse.issparse(X) else X * scale


def _standardized(y: Floats) -> Floats:
    """The target columns that are not the same in all rows: those would be predicted by anything."""
    varying = y[:, y.min(axis=0) < y.max(axis=0)]
    return Numbers.of(varying, None).targets(varying) if varying.size else varying


def _columns(subject: Subject) -> list[Places]:
    """Places of the inputs that each column of the table became."""
    encoder = subject.footing.encoder
    if encoder is None:
        return [np.array([place]) for place in range(subject.network.n_inputs)]
    state = encoder.state_
    widths = state.widths + state.marked
    pairs = zip(state.starts.tolist(), widths.tolist(), strict=True)
    return [np.arange(start, start + size) for start, size in pairs if size]


def _baseline(learn: NDArray[Any], judge: NDArray[Any]) -> float:
    """How often the most frequent class is right; 0 for numbers, whose mean has R² 0."""
    if learn.ndim == 2:
        return 0.0
    return float(np.mean(judge == np.bincount(learn).argmax()))


def _strength(learn: _Half) -> Floats:
    """How promising each input is (n_inputs,): the share of its squares that lies between the classes, or r².

    Of several target columns the largest one.
    """
    y = np.eye(int(learn.y.max()) + 1)[learn.y] if learn.y.ndim == 1 else learn.y - learn.y.mean(axis=0)
    n = len(y)
    mean = np.asarray(learn.X.mean(axis=0, dtype=np.float64)).ravel()
    squares = _squares(learn.X)
    total = squares - n * mean**2
    sums = np.asarray((learn.X.T @ y), np.float64)  # (n_inputs, classes or targets)
    if learn.y.ndim == 1:
        counts = np.maximum(y.sum(axis=0), 1)
        explained = (np.square(sums) / counts).sum(axis=1) - n * mean**2
    else:
        explained = (np.square(sums) / np.maximum(np.square(y).sum(axis=0), 1e-300)).max(axis=1)
    found: Floats = np.divide(explained, total, out=np.zeros_like(total), where=total > 1e-12 * squares)
    return found


def _squares(X: Any) -> Floats:
    """Sum of the squares of each input (n_inputs,)."""
    if sparse.issparse(X):
        return np.asarray(X.multiply(X).sum(axis=0, dtype=np.float64)).ravel()
    return np.asarray(np.einsum("ij,ij->j", X, X, dtype=np.float64))


def _alone(learn: _Half, judge: _Half, inputs: Places) -> float:
    """How well the inputs of one column predict the target of the rows to judge by."""
    mine, theirs = (_dense(half.X, inputs) for half in (learn, judge))
    if learn.y.ndim == 1:
        leaves = min(_LEAVES, 2 * (int(learn.y.max()) + 1))
        tree = DecisionTreeClassifier(max_leaf_nodes=max(leaves, 4), random_state=0).fit(mine, learn.y)
        return float(np.mean(tree.predict(theirs) == judge.y))
    ones = [np.column_stack([half, np.ones(len(half))]) for half in (mine, theirs)]
    line = np.linalg.lstsq(ones[0], learn.y, rcond=None)[0]
    return max(_r2(judge.y, _by_tree(mine, learn.y, theirs)), _r2(judge.y, ones[1] @ line))


def _by_tree(mine: Floats, y: Floats, theirs: Floats) -> Floats:
    """What a tree that learns y (n, k) from some rows says of others."""
    tree = DecisionTreeRegressor(max_leaf_nodes=_LEAVES, random_state=0).fit(mine, y)
    return np.reshape(tree.predict(theirs), (len(theirs), y.shape[1]))


def _twins(learn: _Half, judge: _Half, columns: Mapping[int, Places]) -> dict[int, tuple[int, ...]]:
    """For each column those that say the same, itself among them: one predicts the values of the other, as ranks."""
    halves = {place: [_dense(half.X, own) for half in (learn, judge)] for place, own in columns.items()}
    ranks = {place: np.split(rankdata(np.vstack(own), axis=0), [len(own[0])]) for place, own in halves.items()}

    def tells(one: int, other: int) -> bool:
        found = _by_tree(halves[one][0], ranks[other][0], halves[one][1])
        return bool(r2_score(ranks[other][1], found, multioutput="variance_weighted") > _TWIN)

    same: dict[int, tuple[int, ...]] = {}
    for one in columns:
        same[one] = tuple(other for other in columns if one == other or tells(one, other) or tells(other, one))
    return same


def _together(learn: _Half, judge: _Half, inputs: Places) -> float:
    """How well some inputs predict the target together, by a forest; the baseline's figure where there is none."""
    if not len(inputs):
        return _baseline(learn.y, judge.y)
    mine, theirs = learn.X[:, inputs], judge.X[:, inputs]
    if learn.y.ndim == 1:
        forest = ExtraTreesClassifier(50, random_state=0).fit(mine, learn.y)
        return float(np.mean(forest.predict(theirs) == judge.y))
    forest = ExtraTreesRegressor(50, random_state=0).fit(mine, learn.y[:, 0] if learn.y.shape[1] == 1 else learn.y)
    return _r2(judge.y, forest.predict(theirs))


def _dense(X: Any, inputs: Places) -> Floats:
    own = X[:, inputs]
    return np.asarray(own.toarray() if sparse.issparse(own) else own, np.float64)


def _r2(y: Floats, predicted: Any) -> float:
    """R² of the target column that is predicted best."""
    each = r2_score(y, np.reshape(predicted, y.shape), multioutput="raw_values")
    return float(np.max(each))
