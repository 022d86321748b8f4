"""A table's columns one after another, as cells that can be learnt from."""

from collections.abc import Iterator
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from kilonet.tables.cells import Column, Numbers, UnusableError, read_cells, read_series

# An array (numbers, or cells of any kind), compressed sparse rows, or a data frame of any library.
Opened: TypeAlias = Any


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
