"""Numbers as people write them: texts that are numbers, shares in percent, factors, and lists."""

import math
import re
from collections.abc import Iterable
from decimal import Decimal

_DECIMAL_COMMA = re.compile(r"\s*[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+\s*")
_MONTH = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_TIME = r"(?:[T ,]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[AP]M)?(?: ?Z| ?[+-]\d{2}:?\d{2})?)?"
_DATES = [
    re.compile(rf"\s*{form}{_TIME}\s*", re.IGNORECASE)
    for form in (
        r"\d{4}([-./])(?P<a>\d{1,2})\1(?P<b>\d{1,2})",  # 2020-04-13
        r"(?P<a>\d{1,2})([-./])(?P<b>\d{1,2})\2(?:\d{4}|\d{2})",  # 13.04.2020, 4/13/21
        r"(?:19|20)\d{2}[-/](?P<a>\d{1,2})(?P<b>)",  # 2020-04
        rf"(?P<a>\d{{1,2}})[ .-]+{_MONTH}\.?[ ,.-]+\d{{2,4}}(?P<b>)",  # 13 April 2020, 13-Apr-20
        rf"{_MONTH}\.? (?P<a>\d{{1,2}}),? \d{{4}}(?P<b>)",  # Apr 13, 2020
    )
]


def parse(text: str) -> float | None:
    """The number that a text writes out, or None.

    >>> parse(" 1.5 "), parse("1e3"), parse("1_000"), parse("one")
    (1.5, 1000.0, None, None)
    """
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def has_decimal_comma(text: str) -> bool:
    """Whether a text is a number as much of the world writes it, with a comma where Python needs a point.

    >>> has_decimal_comma("102,5"), has_decimal_comma("1.234,5"), has_decimal_comma("102.5"), has_decimal_comma("a,5")
    (True, True, False, False)
    """
    return _DECIMAL_COMMA.fullmatch(text) is not None


def is_date(text: str) -> bool:
    """Whether a text is a date as people write it, with or without a time of day.

    >>> is_date("13.04.2020"), is_date("4/13/2021 14:05"), is_date("2020-04-13"), is_date("Apr 13, 2020")
    (True, True, True, True)
    >>> is_date("13.14.2020"), is_date("1.5"), is_date("2020"), is_date("10.0.0.1")
    (False, False, False, False)
    """
    for form in _DATES:
        found = form.fullmatch(text)
        if found is not None:
            day, month = sorted((int(found["a"]), int(found["b"] or 1)), reverse=True)
            return 1 <= month <= 12 and day <= 31
    return False


def count(number: int, noun: str, plural: str | None = None) -> str:
    """A number with its noun.

    >>> count(1, "row"), count(1797, "row"), count(0, "entry", "entries")
    ('1 row', '1,797 rows', '0 entries')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def span(low: int, high: int) -> str:
    """The numbers from low to high.

    >>> span(3, 1200), span(3, 3)
    ('3 to 1,200', '3')
    """
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def significant(value: float, digits: int = 2) -> str:
    """A number with so many digits that count, written out: no 2.1e-05, unless it is very small or very large.

    >>> significant(2.13e-05), significant(0.0648, 3), significant(1234.0), significant(3e-9), significant(math.nan)
    ('0.000021', '0.0648', '1,200', '3e-09', 'nan')
    """
    text = f"{value:.{digits}g}"
    return f"{Decimal(text):,f}" if 1e-6 <= abs(value) < 1e15 else text


def percent(share: float) -> str:
    """A share in percent; what is not all never reads 100%, what is not nothing never 0%.

    >>> percent(0.978), percent(0.99997), percent(1.0)
    ('97.8%', '99.997%', '100%')
    """
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    for digits in range(1, 12):
        text = f"{100 * share:.{digits}f}"
        if text not in (f"{100:.{digits}f}", f"{0:.{digits}f}"):
            return text + "%"
    return f"{100 * share!r}%"


def p_text(p: float) -> str:
    """A p-value as it is read, which never rounds to the other side of 0.05; a dash where there is none.

    >>> p_text(1e-9), p_text(0.2612), p_text(0.04971), p_text(1.0), p_text(float("nan"))
    ('p < 0.001', 'p = 0.26', 'p = 0.0497', 'p = 1', '–')
    """
    if math.isnan(p):
        return "–"
    if p < 0.001:
        return "p < 0.001"
    texts = (f"{p:.{digits}g}" for digits in range(2, 18))
    return f"p = {next(text for text in texts if (float(text) < 0.05) == (p < 0.05))}"


def figure(value: float) -> str:
    """A number in three digits, and all of them where it is large.

    >>> figure(18179.4), figure(0.04567), figure(-1234567.0)
    ('18,179', '0.0457', '-1,234,567')
    """
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else significant(value, 3)


def times(ratio: float) -> str:
    """A factor as it is read.

    >>> times(55.4), times(3.66), times(1 / 8)
    ('55 ×', '3.7 ×', '1/8 of')
    """
    scaled = ratio if ratio >= 1 else 1 / ratio
    text = f"{scaled:,.0f}" if scaled >= 10 else f"{scaled:.2g}"
    return f"{text} ×" if ratio >= 1 else f"1/{text} of"


def capital(text: str) -> str:
    """A text with a capital at its front."""
    return text[:1].upper() + text[1:]


def listed(words: Iterable[str]) -> str:
    """Words as a list in a sentence.

    >>> listed(["a"]), listed(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    own = list(words)
    return own[0] if len(own) == 1 else f"{', '.join(own[:-1])} and {own[-1]}" if own else ""


def in_order(text: str) -> tuple[int, float, str]:
    """What texts are sorted by: numbers by their size, before other texts.

    >>> sorted(["10", "9", "a"], key=in_order)
    ['9', '10', 'a']
    """
    value = parse(text)
    return (1, 0.0, text) if value is None or math.isnan(value) else (0, value, text)


def ended(text: str) -> str:
    """A text with a full stop, unless it ends already.

    >>> ended("Drop it"), ended("Is it there?")
    ('Drop it.', 'Is it there?')
    """
    return text if text.endswith((".", "?", "!", "…")) else text + "."
