"""What a target asks for: classes or numbers."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kilonet.errors import DataError

FEW = 20  # whole numbers of more different values than this are amounts, not classes


class Task(NamedTuple):
    """`kind` is "classification" or "regression"; `reason` is a sentence that says why."""

    kind: str
    reason: str


def task_of(y: ArrayLike) -> Task:
    """Whether a target (n,) or (n, n_outputs) asks for classes or for numbers.

    Texts, truth values and categorical types are classes. Numbers with fractions are numbers. Whole
    numbers are classes when there are at most 20 different ones and each occurs twice on average.

    >>> task_of(["red", "blue"]).kind, task_of([0.5, 1.0, 2.25]).kind
    ('classification', 'regression')
    >>> task_of([0, 1, 0, 1, 1]).reason
    'the target holds 2 different whole numbers in 5 rows'
    """
    if getattr(getattr(y, "dtype", None), "name", None) == "category":
        return Task("classification", "the target has a categorical type")
    values = np.asarray(y)
    if values.size == 0:
        raise DataError("the target is empty. Give at least one row")
    if values.dtype.kind == "b" or (values.dtype.kind == "O" and set(map(type, values.flat)) <= {bool, np.bool_}):
        return Task("classification", "the target holds truth values")
    if values.dtype.kind in "mM":
        raise DataError("the target holds dates or times. Turn them into numbers (days since a first day) or texts")
    if values.dtype.kind not in "iuf":
        numbers = _numbers(values)
        if numbers is None:
            return Task("classification", "the target holds texts")
        values = numbers
    finite = values[np.isfinite(values)]
    fractions = finite[finite % 1 != 0]
    if fractions.size:
        return Task("regression", f"the target holds numbers with fractions, such as {fractions.flat[0]:g}")
    return _whole(finite if values.ndim == 1 else values)


def _whole(values: NDArray[Any]) -> Task:
    different = np.unique(values)
    n, k = len(values), len(different)
    if values.ndim > 1 and values.shape[1] > 1:
        if np.isin(different, (0, 1)).all():
            return Task(
                "classification", f"the target holds {values.shape[1]} columns of 0 and 1, each a label of its own"
            )
        return Task("regression", f"the target holds {values.shape[1]} columns of numbers")
    said = f"the target holds {k:,} different whole numbers in {n:,} rows"
    return Task("classification" if k <= FEW and 2 * k <= n else "regression", said)


def _numbers(values: NDArray[Any]) -> NDArray[np.float64] | None:
    """The numbers in an array of objects, or None when something else is among them."""
    if values.dtype.kind != "O" or any(isinstance(cell, str | bool | np.bool_) for cell in values.flat):
        return None
    try:
        return values.astype(np.float64)
    except (TypeError, ValueError):
        return None
