"""What comes in: data frames of any library, lists and weights, opened and compared with training."""

import contextlib
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import ArrayLike, NDArray

from kilonet.checks import nearest
from kilonet.errors import DataError, SettingError, ShapeError
from kilonet.tables.cells import Floats


def is_frame(X: Any) -> bool:
    """Whether X is a data frame of a library that narwhals reads."""
    if isinstance(X, np.ndarray | list | tuple):  # narwhals would look through all its libraries first
        return False
    return isinstance(X, nw.DataFrame) or nw.dependencies.is_into_dataframe(X)


def open_frame(X: Any) -> "nw.DataFrame[Any]":
    """The frame behind narwhals' one face; DataError when it has no row, no column, or a name twice."""
    try:
        frame: nw.DataFrame[Any] = nw.from_native(X, eager_only=True, pass_through=False)
    except (TypeError, nw.exceptions.NarwhalsError) as error:
        raise DataError(f"the data frame cannot be read: {error}") from None
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DataError(f"the data frame has more than one column named {_quoted(twice)}. Give each its own name")
    rows, width = frame.shape
    if rows == 0 or width == 0:
        raise DataError(f"the data frame has {rows} rows and {width} columns; needs at least one of each")
    return frame


def arrange(X: Any, names: list[str]) -> Any:
    """The columns called `names`, in that order, as a frame of X's own library; DataError for missing ones."""
    if not names or not is_frame(X):
        return X
    frame = open_frame(X)
    absent = [name for name in names if name not in frame.columns]
    if absent:
        raise DataError(
            f"the table has no column {_quoted(absent)}, which training had.{_nearest(absent, frame.columns)} "
            f"It has {_quoted(frame.columns)}. Add what is missing, or rename it"
        )
    return frame.select(names).to_native()


def closest(X: Any, names: Any) -> str:
    """A remedy for a frame whose columns are not those of training."""
    if names is None or not is_frame(X):
        return ""
    have = [str(name) for name in nw.from_native(X, eager_only=True).columns]
    absent = [name for name in names if name not in have]
    if not absent:
        return "encoder.arrange(X) puts the columns in training's order and leaves out the others."
    return f"Add the column {_quoted(absent)}, or rename the one that holds it.{_nearest(absent, have)}"


def as_cells(X: Any) -> Any:
    """Lists as an array that keeps each cell's own type, so that a missing value among texts stays one."""
    if hasattr(X, "collect") and hasattr(X, "lazy"):
        raise DataError("the data frame is a plan that has not been run yet. Call its .collect() first")
    if isinstance(X, list | tuple):
        try:
            array = np.asarray(X)
            return np.asarray(X, dtype=object) if array.dtype.kind in "US" else array
        except ValueError as error:
            raise DataError(
                f"the rows of X differ in length ({error}). Give every row the same number of cells"
            ) from None
    return X


def check_weights(sample_weight: ArrayLike | None, n: int) -> Floats | None:
    """The weights as float64 (n,), or None; ShapeError or DataError when they are no weights."""
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.ndim == 0:
        weights = np.full(n, weights)
    if weights.shape != (n,):
        raise ShapeError(f"sample_weight has shape {weights.shape}; needs one weight for each of the {n} rows: ({n},)")
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if wrong.size:
        raise DataError(
            f"sample_weight[{wrong[0]}] is {weights[wrong[0]]:g}; a weight is a finite number of at least 0"
        )
    if not weights.any():
        raise DataError("every sample_weight is zero, so that no row is left. Give at least one row a positive weight")
    return weights


def counted(X: Any, sample_weight: ArrayLike | None) -> tuple[Any, Floats | None, NDArray[np.int64] | None]:
    """The rows with a weight, their weights or None, and their places where some have none. Raises as check_weights."""
    weights = check_weights(sample_weight, X.shape[0])
    if weights is None or weights.all():
        return X, weights, None
    rows = np.flatnonzero(weights)
    return X[rows], weights[rows], rows


def _nearest(absent: list[str], names: list[str]) -> str:
    return nearest(absent[0], names) if len(absent) == 1 else ""  # of several nobody would know which was meant


def _quoted(names: list[str]) -> str:
    shown = ", ".join(f'"{name}"' for name in names[:20])
    return shown + (f" and {len(names) - 20} others" if len(names) > 20 else "")


def output_type(asked: Any, came: np.dtype[Any] | None) -> np.dtype[Any]:
    """The number type of an encoded table: the one asked for, or of a float array its own, and float32 of others.

    Raises SettingError for what is none.
    """
    if asked is None:
        small = came is None or (came.kind == "f" and came.itemsize <= 4)
        return np.dtype(np.float32 if small else np.float64)
    for dtype in (np.dtype(np.float32), np.dtype(np.float64)):
        with contextlib.suppress(TypeError):
            if np.dtype(asked) == dtype:
                return dtype
    raise SettingError(f'dtype={asked!r}: needs "float32", "float64", or None for that of the data')
