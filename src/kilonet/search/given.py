"""What a user gives beside a table, as arrays: targets, groups, rows of a split."""

from typing import Any

import numpy as np
from sklearn.utils import column_or_1d

from kilonet.checks import shown
from kilonet.errors import DataError, SettingError
from kilonet.estimators.trials import Places


def target(y: Any, what: str = "ArchitectureSearch") -> Any:
    """The target as it came; a single column of a table as one array, with scikit-learn's warning.

    what: that asks for it. Raises ValueError where there is none.
    """
    if y is None:
        raise ValueError(f"This {what} requires y to be passed, but the target y is None.")
    if not hasattr(y, "shape") and hasattr(y, "__array__"):
        y = np.asarray(y)
    y = y.toarray() if hasattr(y, "toarray") else y
    shape = np.shape(y)
    return column_or_1d(y, warn=True) if len(shape) == 2 and shape[1] == 1 else y


def groups_of(groups: Any) -> Any:
    """Groups as an array (n,) that can be sorted, or None: labels may be any hashable."""
    if groups is None:
        return None
    array = np.asarray(groups) if hasattr(groups, "__array__") else None
    if array is not None and array.ndim != 1:
        raise DataError(f"groups has shape {array.shape}; needs (n,), one for each row.")
    if array is not None and array.dtype.kind != "O":
        return array
    own = list(groups) if array is None else array.tolist()
    if len({type(label) for label in own}) == 1 and isinstance(own[0], int | float | str):
        return np.asarray(own)
    return np.unique([repr(label) for label in own], return_inverse=True)[1]


def places_of(number: int, rows: Any, n_rows: int) -> Places:
    """Places of rows that came as places or as a mask. Raises SettingError for what are none."""
    found = np.asarray(rows)
    if len(found) == 0:
        return np.zeros(0, np.intp)
    if found.ndim == 1 and found.dtype == bool and len(found) == n_rows:
        return np.flatnonzero(found)
    if found.ndim != 1 or found.dtype.kind not in "iu" or found.min() < 0 or found.max() >= n_rows:
        raise SettingError(
            f"split {number} of cv has {shown(rows)} for rows; needs places from 0 to {n_rows - 1}, or a "
            f"mask of {n_rows}."
        )
    return found
