"""Rows of data as users bring them: arrays, scipy.sparse and data frames, with targets and weights."""

from dataclasses import dataclass, replace
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split
from sklearn.utils.validation import check_consistent_length, validate_data

from kilonet.checks import finite, place
from kilonet.errors import DataError, SettingError

FLOATS = (np.float64, np.float32)


@dataclass(frozen=True, eq=False)
class Rows:
    """Some rows of a table.

    X (frame, array or CSR), y (n, ...), float64 weights (n,) or None; places: which rows, None for all.

    The table stays whole, so that whoever finds a fault in it can name the row as the user counts them.
    """

    X: Any
    y: NDArray[Any]
    weights: NDArray[np.float64] | None
    places: NDArray[np.intp] | None = None

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def targets(self) -> NDArray[Any]:
        """y of these rows."""
        return self.y if self.places is None else self.y[self.places]

    @property
    def own_weights(self) -> NDArray[np.float64] | None:
        """Weights of these rows."""
        return self.weights if self.weights is None or self.places is None else self.weights[self.places]

    @property
    def masked_weights(self) -> NDArray[np.float64] | None:
        """Weights of all rows of the table, 0 for those that are not among these."""
        if self.places is None:
            return self.weights
        masked = np.zeros(len(self.y))
        masked[self.places] = 1.0 if self.weights is None else self.weights[self.places]
        return masked

    @classmethod
    def of(cls, X: Any, y: NDArray[Any], sample_weight: Any) -> "Rows":
        """Checked rows, without those of weight 0: they are exactly as good as absent.

        Raises ValueError where lengths differ and DataError for weights that are none.
        """
        check_consistent_length(X, y)
        if sample_weight is None:
            return cls(X, y, None)
        weights = _weights(sample_weight, len(y))
        return cls(X, y, weights, None if weights.all() else np.flatnonzero(weights))


def _weights(sample_weight: Any, n_rows: int) -> NDArray[np.float64]:
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.ndim == 0:
        weights = np.full(n_rows, weights)
    if weights.shape != (n_rows,):
        raise DataError(f"sample_weight has shape {weights.shape}; needed is ({n_rows},), one weight per row.")
    finite("sample_weight", weights)
    if (weights < 0).any():
        where = int(np.flatnonzero(weights < 0)[0])
        raise DataError(f"sample_weight is {weights[where]} in row {where}; weights must not be negative.")
    if not weights.any():
        raise DataError("sample_weight is zero in every row; at least one row needs a weight above zero.")
    return weights


def is_frame(X: Any) -> bool:
    """Whether narwhals reads X as a data frame with its rows in memory."""
    return not isinstance(X, np.ndarray) and bool(nw.dependencies.is_into_dataframe(X))


def read_table(estimator: Any, X: Any, *, reset: bool) -> Any:
    """X as a frame, an array or CSR, checked against the columns the estimator knows (or, on reset, setting them).

    With encode=None arrays become float64, or stay float32. Missing values and infinity are left to
    whoever turns the table into numbers. Raises scikit-learn's errors for the wrong number of columns and the like.
    """
    if not isinstance(X, np.ndarray):  # arrays, the usual case, need not be asked what else they may be
        X = nw.to_native(X, pass_through=True)
        frame = nw.from_native(X, pass_through=True)
        if isinstance(frame, nw.LazyFrame):
            X = frame.collect().to_native()
    if is_frame(X):
        _refuse_empty(X)
        validate_data(estimator, X, reset=reset, skip_check_array=True)
        return X
    dtype = None
    if estimator.encode is None:
        dtype = FLOATS
    elif isinstance(X, (list, tuple)):
        X = _cells(X)
    return validate_data(estimator, X, reset=reset, accept_sparse="csr", dtype=dtype, ensure_all_finite=False)


def _cells(X: Any) -> Any:
    """A list as an array; with texts in it as objects, so that numbers and missing values among them stay such."""
    array = np.asarray(X)
    return np.asarray(X, dtype=object) if array.dtype.kind in "US" else array


def _refuse_empty(X: Any) -> None:
    n_rows, n_columns = nw.from_native(X, eager_only=True).shape
    for found, what in ((n_rows, "sample"), (n_columns, "feature")):
        if found == 0:  # scikit-learn's words, which its checks look for
            shape = f"(shape=({n_rows}, {n_columns}))"
            raise DataError(f"Found array with 0 {what}(s) {shape} while a minimum of 1 is required.")


def plain_numbers(X: Any, dtype: Any) -> Any:
    """X without an encoder: finite numbers, dense or CSR. Raises DataError for text, NaN and infinity."""
    if is_frame(X):
        frame = nw.from_native(X, eager_only=True)
        for name, column in zip(frame.columns, frame.iter_columns(), strict=True):  # names may be numbers in pandas
            if not (column.dtype.is_numeric() or column.dtype == nw.Boolean):
                raise DataError(
                    f"column {name!r} is of type {column.dtype}; with encode=None every column must be numeric. "
                    "Use encode='auto', or encode the column first."
                )
        X = frame.to_numpy()
    if scipy.sparse.issparse(X):
        _finite_sparse(X)
    else:
        X = np.asarray(X, dtype=dtype)
        _finite_dense(X)
    return X.astype(dtype, copy=False)


def _finite_dense(X: NDArray[Any]) -> None:
    good = np.isfinite(X)
    if not good.all():
        _refuse(X[~good].flat[0], place(np.unravel_index(int(np.argmin(good)), X.shape)))


def _finite_sparse(X: Any) -> None:
    good = np.isfinite(X.data)
    if not good.all():
        at = int(np.argmin(good))
        row = int(np.searchsorted(X.indptr, at, side="right")) - 1
        _refuse(X.data[at], place((row, X.indices[at])))


def _refuse(value: Any, where: str) -> None:
    if np.isnan(value):
        remedy = "a missing value; use encode='auto', which fills it in, or leave out that row"
        raise DataError(f"Input X contains NaN at {where}: {remedy}.")
    raise DataError(f"Input X contains infinity at {where}; needed are finite numbers. Repair or leave out that row.")


def hold_out(rows: Rows, fraction: float, seed: int, *, stratify: bool) -> tuple[Rows, Rows]:
    """Training and validation rows, drawn by `seed`; `stratify` keeps the shares of the classes where it can.

    Raises SettingError where no row would be left to train on.
    """
    held = int(np.ceil(fraction * len(rows)))
    if held >= len(rows):
        raise SettingError(
            f"early_stopping holds out validation_fraction={fraction} of {len(rows)} rows, which leaves none to train "
            "on. Give validation_data, more rows, or early_stopping=False."
        )
    labels = rows.targets if stratify and rows.y.ndim == 1 else None
    if labels is not None:
        groups, counts = np.unique(labels, return_counts=True)
        if counts.min() < 2 or min(held, len(rows) - held) < len(groups):
            labels = None
    places = np.arange(len(rows.y)) if rows.places is None else rows.places
    train, validation = train_test_split(places, test_size=held, random_state=seed, stratify=labels)
    return replace(rows, places=np.sort(train)), replace(rows, places=np.sort(validation))
