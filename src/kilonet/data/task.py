"""What a target asks for: classes or numbers."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kilonet.errors import DataError
from kilonet.numerals import has_decimal_comma, parse

FEW = 20  # of more different values than this whole numbers are amounts, and texts of single rows no classes


class Task(NamedTuple):
    """`kind` is "classification" or "regression"; `reason` is a sentence that says why."""

    kind: str
    reason: str


def task_of(y: ArrayLike) -> Task:
    """Whether a target (n,) or (n, n_outputs) asks for classes or for numbers.

    Texts, truth values and categorical types are classes. Numbers with fractions are numbers. Whole
    numbers are classes when there are at most 20 different ones and each occurs twice on average.

    Raises DataError where it is neither: an empty target, dates, texts most of which are numbers with decimal
    commas, and more than 20 different texts that occur less than twice on average, as names and identifiers do.

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
            _refuse_no_classes([cell for cell in values.flat if isinstance(cell, str)])
            return Task("classification", "the target holds texts")
        values = numbers
    finite = values[np.isfinite(values)]
    fractions = finite[finite % 1 != 0]
    if fractions.size:
        return Task("regression", f"the target holds numbers with fractions, such as {fractions.flat[0]!s}")
    return _whole(finite if values.ndim == 1 else values)


def _refuse_no_classes(cells: list[str]) -> None:
    different = set(cells)
    commas = [cell for cell in cells if has_decimal_comma(cell)]
    if commas and 2 * sum(has_decimal_comma(text) or parse(text) is not None for text in different) > len(different):
        raise DataError(
            f"the target holds the text {commas[0]!r}, a number with a decimal comma. Write decimals with a point"
        )
    if len(different) > FEW and 2 * len(different) > len(cells):
        raise DataError(
            f"the target holds {len(different):,} different texts in {len(cells):,} rows, which looks like an "
            "identifier, not like classes. Name another target, or group its texts into fewer classes"
        )


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
