"""Columns of texts: which are numbers, which are categories, and which category a cell is."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kilonet.numerals import has_decimal_comma, is_date, parse, percent
from kilonet.tables.cells import INSTEAD_OF_DATES, Floats, Numbers, Texts, UnusableError

CATEGORY_LIMIT = 1000  # columns that one text column may become; the heaviest categories are kept
IDENTIFIER_LIMIT = 100  # a column with more different texts than this, each seen less than twice, tells nothing
DATE_SHARE = 0.9  # of the different texts that are dates: from there on the column is one of dates
DATES = (
    "its texts look like dates, such as {!r}, of which a network would learn only that they differ. Turn them into "
    + INSTEAD_OF_DATES.format("the column")
)
CODE_LIMIT = 20  # a column with at most this many different numbers may be a code that also has texts


@dataclass(frozen=True)
class Categories:
    """What training keeps of a column of texts: the category names, in sorted order.

    `missing` is the share of weight without a text; `remark` is a sentence for the user when something was
    left out, else empty; `identifier` says that the whole column was. `date` is one of the texts where they look
    like dates, else empty.
    """

    names: tuple[str, ...]
    missing: float = 0.0
    remark: str = ""
    identifier: bool = False
    date: str = ""


@dataclass(frozen=True)
class _Counted:
    names: list[str]  # the different texts, sorted
    codes: NDArray[np.int64]  # (n,) place among names, -1 where missing
    weights: Floats  # of each name
    rows: float  # how many rows those weights stand for
    missing: float  # share of weight without a text


def learn(texts: Texts, weights: Floats | None) -> Numbers | Categories:
    """A column of texts, as numbers when every text is one, else its categories.

    weights (n,) > 0 or None. Raises UnusableError for a column of numbers in which some cells hold
    text: more than half of its rows are numbers, and it does not look like a code (at most 20
    different numbers, and both its numbers and its texts recur).
    """
    counted = _count(texts.values, weights)
    if not counted.names:
        return Numbers(np.full(len(texts.values), np.nan))
    if not texts.declared:
        parsed = [parse(name) for name in counted.names]
        if None not in parsed:
            return Numbers(np.array([*parsed, np.nan], dtype=np.float64)[counted.codes])
        _refuse_mistakes(counted, parsed)
    made = _categories(counted)
    return made if texts.declared else replace(made, date=_date(counted.names))


def _date(names: list[str]) -> str:
    """The first of different texts that nearly all are dates, else an empty one; of many, some are looked at."""
    seen = names[:: -(-len(names) // CATEGORY_LIMIT)]
    dates = [name for name in seen if is_date(name)]
    return dates[0] if len(dates) >= DATE_SHARE * len(seen) else ""


def codes(values: list[str | None], names: tuple[str, ...]) -> NDArray[np.int64]:
    """Place of each text among `names` (n,); -1 where missing, -2 where it is not among them."""
    index: dict[str | None, int] = {name: place for place, name in enumerate(names)}
    index[None] = -1
    return np.fromiter((index.get(value, -2) for value in values), np.int64, len(values))


def to_numbers(texts: Texts) -> Floats:
    """The numbers of a column that was numbers in training but now came as texts."""
    found: dict[str | None, float | None] = {value: parse(value) for value in set(texts.values) - {None} if value}
    found[None] = np.nan
    for row, value in enumerate(texts.values):
        if found[value] is None:
            raise UnusableError(f"holds the text {value!r} where training had numbers. Mend or empty the cell", row)
    return np.array([found[value] for value in texts.values], dtype=np.float64)


def _count(values: list[str | None], weights: Floats | None) -> _Counted:
    names = sorted({value for value in values if value is not None})
    places = codes(values, tuple(names))
    present = places >= 0
    w = None if weights is None else weights[present]
    sums = np.bincount(places[present], weights=w, minlength=len(names)).astype(np.float64)
    # Whole weights stand for that many rows each. Weights that only say "less" still are a row each.
    rows = max(float(sums.sum()), float(present.sum()))
    held = float(sums.sum())
    absent = float((~present).sum() if weights is None else weights[~present].sum())
    return _Counted(names, places, sums, rows, absent / (held + absent))


def _refuse_mistakes(counted: _Counted, parsed: list[float | None]) -> None:
    comma = [number is None and has_decimal_comma(name) for name, number in zip(counted.names, parsed, strict=True)]
    numeric = np.array([number is not None for number in parsed]) | np.array(comma)
    share = counted.weights / counted.weights.sum()
    numbers, texts = float(share[numeric].sum()), float(share[~numeric].sum())
    if numbers <= 0.5:
        return
    n_numbers, n_texts = int(numeric.sum()), int((~numeric).sum())
    recurring = numbers * counted.rows >= 2 * n_numbers and texts * counted.rows >= 2 * n_texts
    if n_numbers <= CODE_LIMIT and n_texts and recurring:
        return
    wrong = {place for place, number in enumerate(parsed) if number is None}
    row = next(row for row, code in enumerate(counted.codes.tolist()) if code in wrong)
    place = int(counted.codes[row])
    what = f"holds the text {counted.names[place]!r}"
    if comma[place]:
        what += ", a number with a decimal comma. Write decimals with a point"
    else:
        what += (
            f" in a column of which {percent(numbers)} are numbers. Mend the cell, or empty it if the value is unknown"
        )
    raise UnusableError(
        f"{what}; if the column is meant as categories, put a letter before each of its values (a data frame can "
        "also say so by a categorical type)",
        row,
    )


def _categories(counted: _Counted) -> Categories:
    n = len(counted.names)
    if n > IDENTIFIER_LIMIT and 2 * n > counted.rows:
        # One-hot columns of an identifier fit training rows by heart and are all zero for every new row.
        remark = (
            f"{n} different texts in {counted.rows:g} rows look like an identifier, which says nothing about new "
            "rows; the column is left out. Leave it out yourself, or group its texts into fewer categories"
        )
        return Categories((), counted.missing, remark, identifier=True)
    if n <= CATEGORY_LIMIT:
        return Categories(tuple(counted.names), counted.missing)
    kept = np.sort(np.argsort(-counted.weights, kind="stable")[:CATEGORY_LIMIT])
    remark = (
        f"{n} different texts; the {CATEGORY_LIMIT} most frequent became input columns and the others count as "
        "unknown. Group them into fewer categories, or drop the column"
    )
    return Categories(tuple(counted.names[place] for place in kept), counted.missing, remark)
