"""Columns that give the target away: one of them alone predicts it on rows that were not used to learn how."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.metrics import r2_score
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from kilonet.diagnostics.subject import Places, Subject

Floats = NDArray[np.float64]

COLUMNS = 200  # that are tried, at most
ROWS = 4000  # half of them to learn from, half to judge by
CANDIDATE = 0.95  # what a column alone has to reach to be told of
_FEWEST = 20  # rows; with fewer, a column is right by luck
_SHARE = 0.25  # of the errors that the most frequent answer makes: a candidate makes fewer
_TOLD = 10  # candidates for which the other columns are tried without it
_LEAVES = 64


class Leaks(NamedTuple):
    """scores, others: of candidates, by the place of the first input that a column became; see `InputFacts`."""

    scores: Mapping[int, float]
    others: Mapping[int, float]
    baseline: float


class _Half(NamedTuple):
    """Rows to learn from, or to judge by."""

    X: Any
    y: NDArray[Any]


def leaks(subject: Subject) -> Leaks:
    """Columns that predict the target alone: right on 95% of other rows, R² for numbers, and far above the baseline.

    A column is what the user has: all inputs that a text became are one. At most the 200 are tried that look
    the most promising, on up to 4,000 rows. For classes the rule is a tree with two leaves a class, for numbers the
    better one of a straight line and a tree of 64 leaves. For several labels a row nothing is looked at.
    """
    kinds = subject.classes
    y = kinds if kinds is not None else _varying(np.asarray(subject.problem.targets, np.float64))
    rows = np.random.default_rng(0).permutation(len(y))[:ROWS]
    if subject.task == "multilabel" or len(rows) < _FEWEST or y.size == 0:
        return Leaks({}, {}, float("nan"))
    X = subject.problem.X
    X = X[rows].tocsc() if sparse.issparse(X) else X[rows]
    middle, y = len(rows) // 2, y[rows]
    learn, judge = _Half(X[:middle], y[:middle]), _Half(X[middle:], y[middle:])
    baseline = _baseline(learn.y, judge.y)
    bound = max(CANDIDATE, 1 - _SHARE * (1 - baseline))
    columns = _columns(subject)
    strength = _strength(learn)
    order = np.argsort([-strength[own].max() for own in columns], kind="stable")[:COLUMNS]
    alone = {int(columns[c][0]): _alone(learn, judge, columns[c]) for c in sorted(order.tolist())}
    scores = {place: score for place, score in alone.items() if score >= bound}
    told = sorted(scores, key=lambda place: -scores[place])[:_TOLD]
    own = {int(places[0]): places for places in columns}
    others = {place: _without(learn, judge, own[place]) for place in sorted(told)}
    return Leaks(scores, others, baseline)


def _varying(y: Floats) -> Floats:
    """The target columns that are not the same in all rows: those would be predicted by anything."""
    return y[:, y.min(axis=0) < y.max(axis=0)]


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
    squares = learn.X.multiply(learn.X) if sparse.issparse(learn.X) else np.square(learn.X, dtype=np.float64)
    mean = np.asarray(learn.X.mean(axis=0, dtype=np.float64)).ravel()
    total = np.asarray(squares.sum(axis=0, dtype=np.float64)).ravel() - n * mean**2
    sums = np.asarray((learn.X.T @ y), np.float64)  # (n_inputs, classes or targets)
    if learn.y.ndim == 1:
        counts = np.maximum(y.sum(axis=0), 1)
        explained = (np.square(sums) / counts).sum(axis=1) - n * mean**2
    else:
        explained = (np.square(sums) / np.maximum(np.square(y).sum(axis=0), 1e-300)).max(axis=1)
    found: Floats = np.divide(explained, total, out=np.zeros_like(total), where=total > 1e-12)
    return found


def _alone(learn: _Half, judge: _Half, inputs: Places) -> float:
    """How well the inputs of one column predict the target of the rows to judge by."""
    mine, theirs = (_dense(half.X, inputs) for half in (learn, judge))
    if learn.y.ndim == 1:
        leaves = min(_LEAVES, 2 * (int(learn.y.max()) + 1))
        tree = DecisionTreeClassifier(max_leaf_nodes=max(leaves, 4), random_state=0).fit(mine, learn.y)
        return float(np.mean(tree.predict(theirs) == judge.y))
    tree = DecisionTreeRegressor(max_leaf_nodes=_LEAVES, random_state=0).fit(mine, learn.y)
    ones = [np.column_stack([half, np.ones(len(half))]) for half in (mine, theirs)]
    line = np.linalg.lstsq(ones[0], learn.y, rcond=None)[0]
    return max(_r2(judge.y, tree.predict(theirs)), _r2(judge.y, ones[1] @ line))


def _without(learn: _Half, judge: _Half, inputs: Places) -> float:
    """How well all other inputs predict the target together, by a forest; the baseline's figure where there is none."""
    kept = np.setdiff1d(np.arange(learn.X.shape[1]), inputs)
    if not len(kept):
        return _baseline(learn.y, judge.y)
    mine, theirs = learn.X[:, kept], judge.X[:, kept]
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
