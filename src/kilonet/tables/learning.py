"""Fitting: a table's columns to a State."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from kilonet.tables import pieces, sparse, texts
from kilonet.tables.cells import Floats, Numbers, Texts, UnusableError
from kilonet.tables.numeric import Grid, Moments, moments, robust
from kilonet.tables.opened import Opened, columns, is_matrix, is_sparse
from kilonet.tables.said import Said
from kilonet.tables.state import State


def learn(
    X: Opened, names: tuple[str, ...], weights: Floats | None, standardize: bool, by_rank: bool = False, cuts: int = 0
) -> tuple[State, Said]:
    """What an encoder keeps of the training table X (n, d); weights (n,) > 0 or None.

    by_rank: whether medians and quartiles say where numbers lie. cuts: into how many pieces each is cut at most. Sparse
    tables, which are not centred, have neither.
    """
    if is_sparse(X):
        found = sparse.moments(X, weights)
        same = ("number",) * len(names)  # also where nothing is there: sparse tables keep their columns
        return State(names, same, found.mean, found.std, found.missing, {}, False, standardize), Said()
    if is_matrix(X):
        kind = "boolean" if X.dtype.kind == "b" else "number"
        found = _moments(Grid(X, *X.shape), weights, by_rank and kind == "number")
        said, kinds = Said(), [kind] * len(names)
        _leave_out_empty(kinds, found.missing, said)
        state = State(names, tuple(kinds), found.mean, found.std, found.missing, {}, True, standardize)
        return _cut(state, lambda j: X[:, j].astype(np.float64), weights, cuts), said
    return _learn_columns(X, names, weights, standardize, by_rank, cuts)


def _learn_columns(
    X: Opened, names: tuple[str, ...], weights: Floats | None, standardize: bool, by_rank: bool, cuts: int
) -> tuple[State, Said]:
    said, kinds = Said(), []
    categories: dict[int, tuple[str, ...]] = {}
    numbers: dict[int, Floats] = {}
    missing = np.zeros(len(names))
    for j, column in columns(X):
        try:
            learnt = texts.learn(column, weights) if isinstance(column, Texts) else column
        except UnusableError as error:
            error.column = j
            raise
        if isinstance(learnt, Numbers):
            kinds.append("boolean" if learnt.boolean else "number")
            numbers[j] = learnt.values
        else:
            kinds.append("identifier" if learnt.identifier else "category")
            categories |= {} if learnt.identifier else {j: learnt.names}
            missing[j] = learnt.missing
            if learnt.remark:
                said.add(j, "left out" if learnt.identifier else "fit", learnt.remark)
            if learnt.date:
                said.add(j, "dates", texts.DATES.format(learnt.date))
    mean, std = np.zeros(len(names)), np.zeros(len(names))
    if numbers:
        places = list(numbers)
        found = _moments_of(numbers, places, X.shape[0], weights, by_rank)
        mean[places], std[places], missing[places] = found.mean, found.std, found.missing
    _leave_out_empty(kinds, missing, said)
    state = State(names, tuple(kinds), mean, std, missing, categories, True, standardize)
    return _cut(state, numbers.__getitem__, weights, cuts), said


def _cut(state: State, values: Callable[[int], Floats], weights: Floats | None, cuts: int) -> State:
    """The state with pieces of its columns of numbers; values: those of a column by place."""
    places = [j for j, kind in enumerate(state.kinds) if kind == "number"] if cuts else []
    return replace(state, pieces=pieces.learn(places, values, weights, cuts))


def _leave_out_empty(kinds: list[str], missing: Floats, said: Said) -> None:
    """Kinds of columns without a value become "empty": an input that is the same in all rows learns any weight."""
    for j in np.flatnonzero(missing == 1):
        kinds[j] = "empty"
        said.add(
            int(j), "left out", "no row has a value in it; the column is left out. Fill it, or leave it out yourself"
        )


def _moments(grid: Grid, weights: Floats | None, by_rank: bool) -> Moments:
    found = moments(grid, weights)
    return robust(grid, weights, found) if by_rank else found


def _moments_of(
    numbers: dict[int, Floats], places: list[int], n_rows: int, weights: Floats | None, by_rank: bool
) -> Moments:
    try:
        return _moments(Grid(list(numbers.values()), n_rows, len(places)), weights, by_rank)
    except UnusableError as error:
        error.column = None if error.column is None else places[error.column]
        raise
