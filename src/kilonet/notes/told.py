"""Estimates in words of both languages: a number with its interval in brackets."""

from kilonet.notes.intervals import Estimate


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


def _three(found: Estimate) -> tuple[float, float, float]:
    return found.value, found.low, found.high
