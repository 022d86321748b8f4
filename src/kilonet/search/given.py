"""What a user gives beside a table: the estimator, and as arrays targets, groups, rows of a split."""

from typing import Any

import numpy as np
from sklearn.utils import column_or_1d

from kilonet.checks import shown
from kilonet.errors import DataError, SettingError
from kilonet.estimators.base import BaseMLP
from kilonet.estimators.crossval import check_estimators
from kilonet.estimators.trials import Places

_VARIED = ("hidden", "activation", "dropout")  # settings that a search changes, and some estimators do not have


def check_estimator(estimator: Any) -> None:
    """Raise SettingError for what is no single network whose architecture and settings can be changed."""
    if not isinstance(estimator, BaseMLP):
        came = f"the class {estimator.__name__}" if isinstance(estimator, type) else shown(estimator)
        raise SettingError(
            f"estimator came as {came}; a search needs MLPClassifier or MLPRegressor, made with its settings, such as "
            f"kn.MLPClassifier(epochs=50). Leave it out, and the target's type decides."
        )
    fixed = [name for name in _VARIED if name not in estimator.get_params(deep=False)]
    if fixed:
        raise SettingError(
            f"estimator came as {type(estimator).__name__}, which has no setting {', '.join(fixed)}; a search tries "
            f"several of them and needs MLPClassifier or MLPRegressor. Give kn.MLPClassifier(loss={estimator.loss!r}): "
            f"the network without hidden layers is always among those tried."
        )
    check_estimators([estimator])
    if estimator.members != 1:
        raise SettingError(f"estimator has members={estimator.members}; a search judges single networks. Set it to 1.")


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
