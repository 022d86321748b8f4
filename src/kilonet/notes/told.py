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


def bracketed(found: Estimate, digits: int = 2, factor: float = 1.0) -> str:
    """The number and its interval, multiplied by a factor, with so many decimals.

    >>> bracketed(Estimate(0.5, 0.25, 1.0), 1)
    '0.5 [0.2, 1.0]'
    """
    value, low, high = (f"{factor * number:.{digits}f}".replace("-", "−") for number in _three(found))
    return f"{value} [{low}, {high}]"


def percents(found: Estimate, digits: int = 1) -> str:
    """A share and its interval in percent.

    >>> percents(Estimate(0.5, 0.25, 1.0), 0)
    '50% [25%, 100%]'
    """
    value, low, high = (f"{number:.{digits}%}".replace("-", "−") for number in _three(found))
    return f"{value} [{low}, {high}]"


def spanned(found: Estimate, form: str) -> str:
    """The number and its interval, each in a format, as tables show them.

    >>> spanned(Estimate(0.5, 0.25, 1.0), ".1%")
    '50.0% (25.0% – 100.0%)'
    """
    value, low, high = (format(number, form) for number in _three(found))
    return f"{value} ({low} – {high})"


def _three(found: Estimate) -> tuple[float, float, float]:
    return found.value, found.low, found.high
