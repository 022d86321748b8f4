"""Estimates as they are told: a number with its interval in words of both languages, in cells, and in figures."""

from collections.abc import Iterable

from numpy.typing import ArrayLike

from kilonet.measured import Series, Text
from kilonet.notes.intervals import Estimate


def series(label: Text, x: ArrayLike, found: Iterable[Estimate]) -> Series:
    """A line, or a group of bars with no x, with intervals around it.

    >>> series(Text("dead", "죽은 유닛"), [], [Estimate(0.5, 0.25, 1.0)]).high
    (1.0,)
    """
    values = [_three(one) for one in found]
    return Series.of(label, x, *zip(*values, strict=True))


def layered(sizes: Iterable[int]) -> str:
    """The sizes of a network's layers with hyphens, inputs first.

    >>> layered((3, 4, 2))
    '3-4-2'
    """
    return "-".join(map(str, sizes))


def bracketed(found: Estimate, digits: int = 2, sign: str = "-") -> str:
    """The number and its interval, with so many decimals; sign is "+" for changes, which then always have one.

    >>> bracketed(Estimate(0.5, 0.25, 1.0), 1), bracketed(Estimate(0.5, -0.25, 1.0), 1, "+")
    ('0.5 [0.2, 1.0]', '+0.5 [−0.2, +1.0]')
    """
    value, low, high = _formatted(found, f"{sign}.{digits}f")
    return f"{value} [{low}, {high}]"


def percents(found: Estimate, digits: int = 1, sign: str = "-") -> str:
    """A share and its interval in percent; sign is "+" for changes, which then always have one.

    >>> percents(Estimate(0.5, 0.25, 1.0), 0), percents(Estimate(0.5, -0.25, 1.0), 0, "+")
    ('50% [25%, 100%]', '+50% [−25%, +100%]')
    """
    value, low, high = _formatted(found, f"{sign}.{digits}%")
    return f"{value} [{low}, {high}]"


def points(found: Estimate, digits: int = 0) -> Text:
    """The difference of two shares and its interval, in percentage points.

    >>> points(Estimate(0.5, -0.25, 1.0)).en
    '+50 percentage points [−25, +100]'
    """
    value, low, high = _formatted(Estimate(*(100 * number for number in _three(found))), f"+.{digits}f")
    return Text(f"{value} percentage points [{low}, {high}]", f"{value}퍼센트포인트 [{low}, {high}]")


def spanned(found: Estimate, form: str) -> str:
    """The number and its interval, each in a format, as tables show them.

    >>> spanned(Estimate(0.5, 0.25, 1.0), ".1%")
    '50.0% (25.0% – 100.0%)'
    """
    value, low, high = (format(number, form) for number in _three(found))
    return f"{value} ({low} – {high})"


def _formatted(found: Estimate, form: str) -> list[str]:
    """The number and the ends of its interval in a format, with a true minus, which no hyphen is."""
    return [format(number, form).replace("-", "−") for number in _three(found)]


def _three(found: Estimate) -> tuple[float, float, float]:
    return found.value, found.low, found.high
