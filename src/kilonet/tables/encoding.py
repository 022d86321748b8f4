"""Applying: a State and a table to numbers for a network."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.tables import sparse, texts
from kilonet.tables.cells import Column, Floats, Texts, UnusableError, labels
from kilonet.tables.numeric import Grid
from kilonet.tables.opened import Opened, columns, is_matrix, is_sparse
from kilonet.tables.said import Said
from kilonet.tables.state import State


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


def _write_numbers(grid: Grid, state: State, out: NDArray[Any], said: Said) -> None:
    places = state.numeric
    starts, marked = state.starts[places], state.marked[places]
    gaps = np.zeros(places.size, dtype=bool)
    try:
        state.standard.write(grid, out, None if places.size == state.width else starts, gaps)
    except UnusableError as error:
        error.column = None if error.column is None else int(places[error.column])
        raise
    shown, after = np.flatnonzero(gaps & marked), starts + state.widths[places]
    for start, stop in grid.blocks() if shown.size else ():
        out[start:stop, after[shown]] = np.isnan(grid.rows(start, stop)[:, shown])
    _write_pieces(grid, state, out)
    for at in np.flatnonzero(gaps & ~marked):
        j = int(places[at])
        _say_missing(j, f"the training {state.middle(j)} {state.mean[j]:g} stands for it", said)


def _write_pieces(grid: Grid, state: State, out: NDArray[Any]) -> None:
    cut = [(at, j) for at, j in enumerate(state.numeric.tolist()) if j in state.pieces]
    for start, stop in grid.blocks() if cut else ():
        block = grid.rows(start, stop)
        for at, j in cut:
            first, last = state.starts[j] + 1, state.starts[j] + state.widths[j]
            target = out[start:stop, first:last]
            state.pieces[j].write(block[:, at].astype(np.float64), target, state.standardize, state.bound)


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
