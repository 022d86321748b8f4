"""Fitting and applying: a table's columns to a State, and a State and a table to numbers for a network."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from kilonet.tables import sparse, texts
from kilonet.tables.cells import Column, Floats, Numbers, Texts, UnusableError, labels, read_cells, read_series
from kilonet.tables.numeric import Grid, Moments, moments, robust
from kilonet.tables.said import Said
from kilonet.tables.state import State

# An array (numbers, or cells of any kind), compressed sparse rows, or a data frame of any library.
Opened: TypeAlias = Any


def learn(
    X: Opened, names: tuple[str, ...], weights: Floats | None, standardize: bool, by_rank: bool = False
) -> tuple[State, Said]:
    """What an encoder keeps of the training table X (n, d); weights (n,) > 0 or None.

    by_rank: whether medians and quartiles say where numbers lie; sparse tables, which are not centred, have none.
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
        return State(names, tuple(kinds), found.mean, found.std, found.missing, {}, True, standardize), said
    return _learn_columns(X, names, weights, standardize, by_rank)


def encode(X: Opened, state: State, dtype: Any) -> tuple[Any, Said]:
    """The encoded table (n, state.width) in `dtype`: sparse where X is and training was, else an array."""
    said = Said()
    if is_sparse(X):
        if not state.centred:
            return _encode_sparse(X, state, dtype, said), said
        X = X.toarray()
    out = np.zeros((X.shape[0], state.width), dtype=dtype)
    if is_matrix(X) and state.only_numbers:
        kept = None if state.numeric.size == len(state.kinds) else state.numeric
        _write_numbers(Grid(X, X.shape[0], state.numeric.size, kept), state, out, said)
        return out, said
    numbers: list[Floats] = []
    for j, column in columns(X, state.left_alone):
        try:
            if state.kinds[j] in {"number", "boolean"}:
                numbers.append(_as_numbers(column, state.kinds[j]))
            else:
                _write_texts(_as_texts(column), j, state, out, said)
        except UnusableError as error:
            error.column = j
            raise
    if numbers:
        _write_numbers(Grid(numbers, X.shape[0], len(numbers)), state, out, said)
    return out, said


def is_sparse(X: Opened) -> bool:
    """Whether X is a scipy.sparse table."""
    return hasattr(X, "indptr")


def is_matrix(X: Opened) -> bool:
    """Whether X is an array of numbers."""
    return isinstance(X, np.ndarray) and X.dtype.kind in "biuf"


def columns(X: Opened, unread: frozenset[int] = frozenset()) -> Iterator[tuple[int, Column]]:
    """Each column's place and cells; those at the places `unread` may hold what nobody can read."""
    for j, part in enumerate(_parts(X)):
        if j in unread:
            continue
        try:
            yield j, _read(part)
        except UnusableError as error:
            error.column = j
            raise


def date_columns(X: Opened) -> list[int]:
    """Places of all columns that hold dates or times."""
    found = []
    for j, part in enumerate(_parts(X)):
        try:
            _read(part)
        except UnusableError as error:
            found += [j] if error.dates else []
    return found


def _parts(X: Opened) -> Any:
    return X.iter_columns() if isinstance(X, nw.DataFrame) else X.T


def _read(part: Any) -> Column:
    return read_series(part) if isinstance(part, nw.Series) else _read_array(part)


def _read_array(part: NDArray[Any]) -> Column:
    if part.dtype.kind in "biuf":
        return Numbers(part.astype(np.float64), boolean=part.dtype.kind == "b")
    # NumPy's own dates become numbers in a list, so they stay what they are.
    return read_cells(list(part) if part.dtype.kind in "mM" else part.tolist())


def _learn_columns(
    X: Opened, names: tuple[str, ...], weights: Floats | None, standardize: bool, by_rank: bool
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
    return State(names, tuple(kinds), mean, std, missing, categories, True, standardize), said


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


def _write_numbers(grid: Grid, state: State, out: NDArray[Any], said: Said) -> None:
    places = state.numeric
    starts, marked = state.starts[places], state.marked[places]
    gaps = np.zeros(places.size, dtype=bool)
    try:
        state.standard.write(grid, out, None if places.size == state.width else starts, gaps)
    except UnusableError as error:
        error.column = None if error.column is None else int(places[error.column])
        raise
    shown = np.flatnonzero(gaps & marked)
    for start, stop in grid.blocks() if shown.size else ():
        out[start:stop, starts[shown] + 1] = np.isnan(grid.rows(start, stop)[:, shown])
    for at in np.flatnonzero(gaps & ~marked):
        j = int(places[at])
        _say_missing(j, f"the training {state.middle(j)} {state.mean[j]:g} stands for it", said)


def _write_texts(values: list[str | None], j: int, state: State, out: NDArray[Any], said: Said) -> None:
    names = state.categories.get(j, ())
    codes = texts.codes(values, names)
    rows = np.flatnonzero(codes >= 0)
    out[rows, state.starts[j] + codes[rows]] = 1
    absent = codes == -1
    if state.marked[j]:
        out[absent, state.starts[j] + len(names)] = 1
    elif absent.any() and state.kinds[j] == "category":
        _say_missing(j, "all its input columns are 0 there", said)
    unknown = np.flatnonzero(codes == -2)
    if unknown.size and state.kinds[j] == "category":
        row = int(unknown[0])
        first = values[row]
        said.add(
            j,
            "unknown",
            f"{unknown.size} of {len(values)} rows hold a category without an input column, the first {first!r} in "
            f"row {row} (counting from 0); all input columns of this one are 0 there",
            row,
        )


def _say_missing(j: int, done: str, said: Said) -> None:
    said.add(j, "missing", f"a value is missing, which never happened in training; {done}")


def _as_numbers(column: Column, kind: str) -> Floats:
    if isinstance(column, Texts):
        if kind == "boolean":
            truth = {"true": "1", "false": "0"}
            column = Texts([value if value is None else truth.get(value.lower(), value) for value in column.values])
        values = texts.to_numbers(column)
    else:
        values = column.values
    if kind == "boolean":
        wrong = np.flatnonzero(~(np.isnan(values) | (values == 0) | (values == 1)))
        if wrong.size:
            what = f"holds {values[wrong[0]]:g} where training had truth values. Use true or false (or 1 and 0)"
            raise UnusableError(what, int(wrong[0]))
    return values


def _as_texts(column: Column) -> list[str | None]:
    if isinstance(column, Texts):
        return column.values
    if column.boolean:
        return [None if np.isnan(value) else str(bool(value)) for value in column.values]
    return labels(column.values.tolist())


def _encode_sparse(X: Any, state: State, dtype: Any, said: Said) -> Any:
    out, absent = sparse.standardize(X, state.standard, dtype)
    for j in np.unique(X.indices[absent]):
        if not state.marked[j]:
            _say_missing(int(j), f"the training mean {state.mean[j]:g} stands for it", said)
    return sparse.widen(out, absent, state.starts, state.marked, state.width) if state.marked.any() else out
