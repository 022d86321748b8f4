"""Numbers as people write them: texts that are numbers, and shares in percent."""

import re

_DECIMAL_COMMA = re.compile(r"\s*[+-]?(\d+|\d{1,3}(\.\d{3})+),\d+\s*")


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
