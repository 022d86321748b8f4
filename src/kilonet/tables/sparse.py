"""Sparse tables (scipy.sparse rows): made standard without centring, so that zeros stay zeros."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from kilonet.tables.cells import Floats, UnusableError
from kilonet.tables.numeric import INFINITE, Moments, Standard, bounded, centre, safe_scale


def canonical(X: Any) -> Any:
    """X as compressed rows whose cells occur once each; a copy only where that is needed."""
    rows = X.tocsr()
    if not rows.has_canonical_format:
        rows = rows.copy() if rows is X else rows
        rows.sum_duplicates()
    return rows


def moments(X: Any, weights: Floats | None) -> Moments:
    """As numeric.moments, for compressed rows X (n, k); a cell that is not stored is a zero."""
    n, k = X.shape
    data = X.data.astype(np.float64)
    if np.isinf(data).any():
        raise _infinite(X)
    w = np.ones(n) if weights is None else weights
    w_data = np.repeat(w, np.diff(X.indptr))
    absent = np.isnan(data)
    missing = _sum(X.indices[absent], w_data[absent], k)
    held = _sum(X.indices[~absent], w_data[~absent], k)
    low, high = _range(X, n, k)
    present = np.where(low <= high, np.maximum(w.sum() - missing, held), 0.0)
    scale = safe_scale(np.where(present > 0, low, 0.0), np.where(present > 0, high, 0.0))
    factor = np.ones(k) if scale is None else scale
    data, w_data, columns = data[~absent] * factor[X.indices[~absent]], w_data[~absent], X.indices[~absent]
    total = _sum(columns, data * w_data, k)
    mean, constant = centre(low * factor, high * factor, present, total)
    away = _sum(columns, w_data * (data - mean[columns]) ** 2, k)
    away += np.maximum(present - held, 0.0) * mean**2  # what the zeros add
    std = np.where(constant, 0.0, np.sqrt(away / np.where(present > 0, present, 1.0)))
    return Moments(mean / factor, std / factor, missing / np.where(present + missing > 0, present + missing, 1.0))


def standardize(X: Any, standard: Standard, dtype: Any) -> tuple[Any, NDArray[np.bool_]]:
    """X with its stored cells filled and divided, in `dtype`, and which cells of X.data were missing."""
    data = X.data.astype(np.float64)
    if np.isinf(data).any():
        raise _infinite(X)
    absent = np.isnan(data)
    data[absent] = standard.fill[X.indices[absent]]
    with np.errstate(over="ignore"):
        data = (data / standard.divisor[X.indices]).astype(dtype)
    limit = standard.limit[X.indices]
    bounded(data, limit)
    if not np.isfinite(data).all():
        place = int(np.flatnonzero(~np.isfinite(data))[0])
        what = f"{X.data[place]:g} is too far from the training values to become a {data.dtype} number"
        raise UnusableError(what, _row(X, place), column=int(X.indices[place]))
    return type(X)((data, X.indices.copy(), X.indptr.copy()), shape=X.shape), absent


def widen(X: Any, absent: NDArray[np.bool_], starts: NDArray[np.int64], marked: NDArray[np.bool_], width: int) -> Any:
    """X spread to `width` columns: column j to starts[j], and ones to starts[j] + 1 for `absent` cells of marked j."""
    wide = type(X)((X.data, starts[X.indices], X.indptr), shape=(X.shape[0], width))
    ones = absent & marked[X.indices]
    rows = np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))[ones]
    marks = sparse.coo_array((np.ones(rows.size, X.dtype), (rows, starts[X.indices[ones]] + 1)), shape=wide.shape)
    return type(X)(wide + type(X)(marks))


def _sum(columns: NDArray[np.int64], values: Floats, k: int) -> Floats:
    return np.bincount(columns, weights=values, minlength=k).astype(np.float64)


def _range(X: Any, n: int, k: int) -> tuple[Floats, Floats]:
    low, high = np.full(k, np.inf), np.full(k, -np.inf)
    values = X.data.astype(np.float64)
    np.fmin.at(low, X.indices, values)
    np.fmax.at(high, X.indices, values)
    zeros = np.bincount(X.indices, minlength=k) < n  # some row of the column is not stored
    return np.where(zeros, np.fmin(low, 0.0), low), np.where(zeros, np.fmax(high, 0.0), high)


def _infinite(X: Any) -> UnusableError:
    place = int(np.flatnonzero(np.isinf(X.data))[0])
    what = INFINITE.format("inf" if X.data[place] > 0 else "-inf")
    return UnusableError(what, _row(X, place), column=int(X.indices[place]))


def _row(X: Any, place: int) -> int:
    return int(np.searchsorted(X.indptr, place, side="right")) - 1
