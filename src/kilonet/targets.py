"""The user's targets, turned into arrays and checked: classes, signs, bits or numbers.

Each function returns a plain array or raises: ShapeError for a wrong shape, DataError for a value
that is missing, infinite or out of range, with its place (rows are counted from 0) and a remedy.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from kilonet.checks import place, shown
from kilonet.errors import DataError, ShapeError
from kilonet.values import Array


def numeric(y: Any) -> Array:
    """Return y as an array of finite numbers with at least one row.

    >>> numeric([True, False]).tolist()
    [1.0, 0.0]
    """
    given = np.asarray(y)
    if given.dtype.kind not in "biuf":
        given = _from_objects(given)
    if given.ndim == 0:
        raise ShapeError(f"y came as {shown(y)}; needs one target for each row of X.")
    if given.shape[0] == 0:
        raise DataError("y has no rows; training needs at least one example.")
    if given.dtype.kind == "f" and not np.isfinite(given).all():
        where = np.unravel_index(int(np.argmin(np.isfinite(given))), given.shape)
        what = "a missing target (NaN)" if np.isnan(given[where]) else f"{given[where]}"
        raise DataError(f"y holds {what} at {place(where)}; every example needs a finite target. Drop that row.")
    return given.astype(np.float64) if given.dtype.kind == "b" else given


def _from_objects(given: Array) -> Array:
    """Read numbers out of an array of Python objects; text is refused with its place."""
    flat = given.reshape(-1)
    try:
        if given.dtype.kind != "O" or any(isinstance(entry, str | bytes) for entry in flat):
            raise TypeError
        return given.astype(np.float64)
    except (TypeError, ValueError):
        first = next((i for i, entry in enumerate(flat) if not isinstance(entry, int | float)), 0)
        where = place(np.unravel_index(first, given.shape)) if given.size and given.ndim else "its start"
        came = shown(flat[first]) if given.size else shown(given)
    raise DataError(
        f"y holds {came} at {where}; this loss needs numbers. MLPClassifier takes labels of any kind; "
        f"numpy.unique(y, return_inverse=True) numbers them."
    )


def is_class_list(y: Any) -> bool:
    """Tell whether y is one-dimensional and holds whole numbers by its dtype.

    >>> is_class_list([0, 2, 1]), is_class_list([[0], [1]]), is_class_list([0.5, 1.0])
    (True, False, False)
    """
    given = np.asarray(y)
    return given.ndim == 1 and given.dtype.kind in "iu"


def classes(y: Any, n_outputs: int) -> npt.NDArray[np.int32]:
    """Return class numbers, int32 (n,), each in 0 … n_outputs - 1.

    >>> classes([0, 2, 1], n_outputs=3)
    array([0, 2, 1], dtype=int32)
    """
    given = numeric(y)
    if given.ndim != 1:
        remedy = "numpy.argmax(y, axis=1) undoes one-hot columns" if given.shape[-1] > 1 else "write y.ravel()"
        raise ShapeError(f"y came with shape {given.shape}; needs one class number for each row, (n,): {remedy}.")
    bad = (given < 0) | (given >= n_outputs) | (given != np.floor(given))
    if bad.any():
        row = int(np.argmax(bad))
        hint = " One output is a decision of its own: use logistic or hinge, or two outputs." if n_outputs == 1 else ""
        raise DataError(
            f"y holds {given[row]} at row {row}; {_outputs(n_outputs)}, so a class is a whole number in "
            f"0 … {n_outputs - 1}. numpy.unique(y, return_inverse=True) numbers them.{hint}"
        )
    return given.astype(np.int32)


def _outputs(n_outputs: int) -> str:
    return f"the network has {n_outputs} output{'s' if n_outputs > 1 else ''}"


def numbers(y: Any, n_outputs: int, dtype: Any) -> Array:
    """Return numbers (n, n_outputs) in dtype; a one-dimensional y is a column of one output.

    >>> numbers([1.0, 2.5], n_outputs=1, dtype="float32")
    array([[1. ],
           [2.5]], dtype=float32)
    """
    given = numeric(y)
    column = given[:, np.newaxis] if given.ndim == 1 else given
    if column.ndim != 2 or column.shape[1] != n_outputs:
        raise ShapeError(
            f"y came with shape {given.shape}; {_outputs(n_outputs)}, "
            f"so y needs the shape (n, {n_outputs}){' or (n,)' if n_outputs == 1 else ''}."
        )
    with np.errstate(over="ignore"):
        cast = np.ascontiguousarray(column, dtype)
    if not np.isfinite(cast).all():
        where = np.unravel_index(int(np.argmin(np.isfinite(cast))), cast.shape)
        came = f"y holds {column[where]} at {place(where)}"
        raise DataError(f"{came}, too large for {cast.dtype}. Scale y, or use float64.")
    return cast


def bits(y: Any, n_outputs: int, dtype: Any) -> Array:
    """Return 0 or 1 for every output, (n, n_outputs) in dtype.

    >>> bits([0, 1], n_outputs=1, dtype="float64").tolist()
    [[0.0], [1.0]]
    """
    given = numbers(y, n_outputs, dtype)
    _only(given, (0, 1), "(y + 1) / 2 turns -1 and +1 into 0 and 1.")
    return given


def signs(y: Any, n_outputs: int, dtype: Any) -> Array:
    """Return -1 or +1 for every output, (n, n_outputs) in dtype; y may hold 0 and 1 instead.

    >>> signs([0, 1], n_outputs=1, dtype="float64").tolist()
    [[-1.0], [1.0]]
    """
    given = numbers(y, n_outputs, dtype)
    if (given == 0).any():
        _only(given, (0, 1), "Use either 0 and 1, or -1 and +1.")
        return 2 * given - 1
    _only(given, (-1, 1), "Use either 0 and 1, or -1 and +1.")
    return given


def _only(given: Array, two: tuple[int, int], remedy: str) -> None:
    good = (given == two[0]) | (given == two[1])
    if not good.all():
        where = np.unravel_index(int(np.argmin(good)), given.shape)
        raise DataError(f"y holds {given[where]} at {place(where)}; this loss needs {two[0]} or {two[1]}. {remedy}")
