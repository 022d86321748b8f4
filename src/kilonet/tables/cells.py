"""One column of a table, read into float64 numbers or into texts.

A missing cell is NaN among numbers and None among texts. Missing are: an empty or blank text, None,
NaN, and the missing values of pandas, polars and Arrow.
"""

import datetime as dt
import decimal
import math
import numbers
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

DATES = "holds dates or times ({}), which have no meaning as numbers by themselves"
INSTEAD_OF_DATES = "numbers that say what matters (the year, the month, days since a first day), or drop {}"
NESTED = (
    "holds {}, a value made of parts; an argument must be a string or a number (text, truth value or missing) "
    "in every cell. Give each part a column of its own, or drop the column"
)


class UnusableError(Exception):
    """A cell or column that cannot be used; the encoder adds the column's name and raises a DataError.

    nested, dates: of which kind it is; for dates the encoder adds the remedy, and the other columns that hold them.
    """

    def __init__(self, what: str, row: int | None = None, *, column: int | None = None, nested: bool = False,
                 dates: bool = False) -> None:  # fmt: skip
        super().__init__(what)
        self.what, self.row, self.column, self.nested, self.dates = what, row, column, nested, dates


@dataclass(frozen=True)
class Numbers:
    """A column of numbers (n,), NaN where missing; `boolean` says that they are truth values, 0 or 1."""

    values: Floats
    boolean: bool = False


@dataclass(frozen=True)
class Texts:
    """A column of texts, None where missing; `declared` says that its type itself is a category."""

    values: list[str | None]
    declared: bool = False


Column: TypeAlias = Numbers | Texts


def read_series(series: "nw.Series[Any]") -> Column:
    """The column of a data frame, whatever library the frame belongs to."""
    dtype = series.dtype
    if dtype.is_numeric() or dtype == nw.Boolean:
        return Numbers(series.cast(nw.Float64).to_numpy(), boolean=dtype == nw.Boolean)
    if dtype == nw.String:  # what is not text among texts is a library's own missing value
        return Texts([cell if isinstance(cell, str) and not blank(cell) else None for cell in series.to_list()])
    if dtype in (nw.Categorical, nw.Enum):
        return Texts(_texts(series.to_list()), declared=True)
    if dtype.is_temporal():
        raise UnusableError(DATES.format(dtype), dates=True)
    if dtype.is_nested() or dtype == nw.Binary:
        raise UnusableError(NESTED.format(f"the type {dtype}"), nested=True)
    return read_cells(series.to_list())


def read_cells(cells: list[Any]) -> Column:
    """The column that holds these Python objects: text, numbers, truth values or missing ones, also mixed."""
    cells = [None if missing(cell) else cell for cell in cells]
    families = {family(kind) for kind in set(map(type, cells))} - {"missing"}
    for wrong in families & {"date", "other"}:
        row = next(row for row, cell in enumerate(cells) if family(type(cell)) == wrong)
        came = f"{type(cells[row]).__name__}, {_short(cells[row])}"
        dates = wrong == "date"
        raise UnusableError((DATES if dates else NESTED).format(came), row, nested=not dates, dates=dates)
    if "text" in families:
        return Texts(_texts(cells))
    return Numbers(_floats(cells), boolean=families == {"boolean"})


def blank(text: str) -> bool:
    """Whether a text is empty or holds only spaces: an empty cell, that is a missing value."""
    return not text or text.isspace()


def missing(cell: object) -> bool:
    """Whether a cell is missing: None, NaN, or pandas' NA and NaT."""
    if cell is None or type(cell).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(cell, float | np.floating | decimal.Decimal) and bool(
        cell != cell
    )  # only NaN differs from itself


def family(kind: type) -> str:
    """Which kind of cell a Python type makes: missing, text, boolean, date, number or other."""
    if kind is type(None):
        return "missing"
    if issubclass(kind, str):
        return "text"
    if issubclass(kind, bool | np.bool_):
        return "boolean"
    dates = dt.date | dt.time | dt.timedelta | np.datetime64 | np.timedelta64
    if issubclass(kind, dates) or kind.__name__ == "Period":
        return "date"
    return "number" if issubclass(kind, numbers.Real | decimal.Decimal) else "other"


def label(cell: object) -> str:
    """A cell as the name of a category; 1 and 1.0 are the same one.

    >>> label("Paris"), label(1.0), label(2.5), label(True)
    ('Paris', '1', '2.5', 'True')
    """
    if isinstance(cell, str):
        return str(cell)
    if isinstance(cell, bool | np.bool_) or not isinstance(cell, numbers.Real | decimal.Decimal):
        return str(cell)
    number = float(cell)
    return str(int(number)) if number.is_integer() else repr(number)


def labels(values: Iterable[float]) -> list[str | None]:
    """Numbers (or truth values as numbers) as names of categories, None for NaN."""
    known: dict[float, str] = {}
    return [None if value != value else known.setdefault(value, label(value)) for value in values]


def _texts(cells: list[Any]) -> list[str | None]:
    return [None if missing(cell) or blank(text := label(cell)) else text for cell in cells]


def _floats(cells: list[Any]) -> Floats:
    try:
        return np.array([math.nan if cell is None else cell for cell in cells], dtype=np.float64)
    except (OverflowError, ValueError):
        for row, cell in enumerate(cells):
            if cell is not None and not _fits(cell):
                what = f"{_short(cell)} does not fit a float64 number, whose range ends at 1.8e308. Divide the column"
                raise UnusableError(what, row) from None
        raise


def _fits(cell: Any) -> bool:
    try:
        float(cell)
    except (OverflowError, ValueError):
        return False
    return True


def _short(cell: object) -> str:
    try:
        text = repr(cell)
    except ValueError:  # an integer of more digits than Python is willing to write
        return "an integer of thousands of digits"
    return text if len(text) <= 60 else text[:57] + "..."
