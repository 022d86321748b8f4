"""What is said of a table that cannot be used: where it is wrong, and what to do."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.errors import DataError
from kilonet.tables.cells import INSTEAD_OF_DATES, UnusableError
from kilonet.tables.opened import date_columns


class _CellTypeError(DataError, TypeError):
    """A cell of a type that no table can hold: also a TypeError, as scikit-learn has it."""


def refusal(error: UnusableError, names: tuple[str, ...], rows: NDArray[np.int64] | None, training: Any) -> DataError:
    """The error that a user sees, with the names of columns and the number of the row.

    rows: the table's rows that were looked at, None for all. training: the table that could not be learnt from, whose
    other columns of dates are named too; None where an encoder that is fitted met something else.
    """
    row = error.row if rows is None or error.row is None else int(rows[error.row])
    place = "" if error.column is None else f'column "{names[error.column]}"'
    place += "" if row is None else f", row {row} (counting from 0)"
    what = error.what
    dates: tuple[str, ...] = ()
    if error.dates and training is None:
        what += ". Training had other values there: give such"
    elif error.dates:
        dates = tuple(names[j] for j in date_columns(training))
        replaced = "the column" if len(dates) == 1 else "each"
        what += f"{_also(dates[1:])}. Replace {replaced} by {INSTEAD_OF_DATES.format('it')}"
    refused = (_CellTypeError if error.nested else DataError)(f"{place}: {what}.")
    refused.row, refused.columns = row, dates
    return refused


def _also(names: tuple[str, ...]) -> str:
    """That other columns hold dates too."""
    if not names:
        return ""
    shown = ", ".join(f'"{name}"' for name in names[:10]) + (
        f" and {len(names) - 10} others" if len(names) > 10 else ""
    )
    return f"; so do the columns {shown}" if len(names) > 1 else f"; so does the column {shown}"
