"""Numbers as a reader takes them in, and names that cannot hurt the page that they stand on."""

import math
import re
import statistics
from collections.abc import Iterable
from decimal import Decimal

from kilonet.numerals import capital, percent

UNKNOWN = "–"
_MINUS = "−"
_MOST_LETTERS = 80  # of a name
_MOST_DECIMALS = 6
_OPEN, _CLOSE = "\u2068", "\u2069"  # around a text whose direction is its own: first strong isolate, and its end
# Control characters, separators of lines, halves of surrogate pairs, and marks that turn the direction of what follows.
_HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066\u2067\ud800-\udfff\ufffe\uffff]")


def clean(text: object, *, lines: bool = False) -> str:
    r"""Text without what is invisible and does harm: it is shown by its number. lines: whether line breaks may stay.

    >>> clean("two\nlines, \u202eturned"), clean("two\nlines", lines=True)
    ('two lines, ⟨U+202E⟩turned', 'two\nlines')
    """
    return _HIDDEN.sub(lambda found: _visible(found[0], lines), str(text))


def _visible(sign: str, lines: bool) -> str:
    if sign == "\n" and lines:
        return sign
    return " " if sign in "\t\n\r" else f"⟨U+{ord(sign):04X}⟩"


def named(text: object) -> str:
    """A name from the data inside a sentence: short, in quotes, and in a direction of its own."""
    return f"“{apart(text)}”"


def apart(text: object) -> str:
    """A name from the data whose direction does not touch what stands beside it."""
    return f"{_OPEN}{short(text)}{_CLOSE}"


def short(text: object) -> str:
    """A name from the data: not longer than a line.

    >>> len(short("a" * 1000))
    80
    """
    own = clean(text).replace(_OPEN, "⟨U+2068⟩").replace(_CLOSE, "⟨U+2069⟩")
    return own if len(own) <= _MOST_LETTERS else own[: _MOST_LETTERS - 1] + "…"


def number(value: float, digits: int = 3) -> str:
    """A number with so many digits that count, and no 1e+03.

    >>> number(0.0640123), number(123456.0), number(-0.5, 2), number(0.000081, 1), number(float("nan")), number(0.0)
    ('0.0640', '123,456', '−0.50', '0.00008', '–', '0')
    """
    if not math.isfinite(value):
        return UNKNOWN if math.isnan(value) else f"{_MINUS if value < 0 else ''}∞"
    if value == 0:
        return "0"
    text = f"{value:,.0f}" if 10**digits <= abs(value) < 1e15 else f"{value:#.{digits}g}"
    if 1e-6 <= abs(value) < 1e-4:
        text = f"{Decimal(text):f}"
    return text.rstrip(".").replace("-", _MINUS)


def setting(value: float) -> str:
    """A setting as it was given: 0.001, 1e-06."""
    return f"{value:g}".replace("-", _MINUS)


def decimals(uncertain: Iterable[float]) -> int | None:
    """How many decimals show two digits of what is uncertain in a column, so that its points stand below each other.

    None where that is not known, or where decimals would not do.

    >>> decimals([0.097, 0.13, 0.12]), decimals([41.0]), decimals([float("nan")])
    (2, 0, None)
    """
    known = [abs(value) for value in uncertain if math.isfinite(value) and value != 0]
    if not known:
        return None
    needed = max(0, 1 - math.floor(math.log10(statistics.median(known))))
    return needed if needed <= _MOST_DECIMALS else None


def fixed(value: float, places: int | None, *, sign: bool = False) -> str:
    """A number with so many decimals, or three digits where that is None. sign: a plus too.

    >>> fixed(0.19914, 3), fixed(0.0437, 3, sign=True), fixed(-0.00162, 3), fixed(0.19914, None)
    ('0.199', '+0.044', '−0.002', '0.199')
    """
    if places is None or not math.isfinite(value):
        text = number(value)
        return f"+{text}" if sign and value > 0 else text
    return f"{value:{'+' if sign else ''},.{places}f}".replace("-", _MINUS)


def score(name: str, value: float) -> str:
    """A score: accuracy is a percentage, everything else a number.

    >>> score("accuracy", 0.9379), score("R²", 0.4771), score("R²", -0.00985)
    ('93.8%', '0.477', '−0.010')
    """
    if name == "accuracy" and math.isfinite(value):
        return percent(value)
    return fixed(value, 3) if name == "R²" and abs(value) < 10 else number(value)


def between(values: Iterable[float]) -> str:
    """The least and the most of some counts.

    >>> between([240, 240]), between([1437, 1438])
    ('240', '1,437 to 1,438')
    """
    own = list(values)
    low, high = min(own), max(own)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def sentence(text: str) -> str:
    """With a capital letter at its start and a full stop at its end.

    >>> sentence("the grid grew")
    'The grid grew.'
    """
    own = text.strip()
    return capital(own) + ("" if own.endswith((".", "!", "?")) else ".")
