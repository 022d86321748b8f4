"""Checks of arguments, said once.

Every function takes the label that the reader of an error should see, returns the value in its
plain form (float, int, str, tuple) and raises SettingError or DataError otherwise. An interval is
written as in mathematics, "[0, 1)", and the same text is the test and part of the message.
"""

import contextlib
import difflib
import math
import numbers
import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from kilonet.errors import DataError, SettingError

REALS = "(-inf, inf)"


@lru_cache(maxsize=64)
def _bounds(interval: str) -> tuple[float, float]:
    low, high = interval[1:-1].split(",")
    return float(low), float(high)


def inside(value: float, interval: str) -> bool:
    """Tell whether a number lies in an interval written like "[0, 1)"; NaN lies in none.

    >>> inside(0.0, "[0, 1)"), inside(1.0, "[0, 1)"), inside(float("nan"), "(-inf, inf)")
    (True, False, False)
    """
    low, high = _bounds(interval)
    above = value >= low if interval.startswith("[") else value > low
    below = value <= high if interval.endswith("]") else value < high
    return above and below


def number(label: str, value: object, interval: str = REALS) -> float:
    """Return a real number inside the interval as a float.

    >>> number("dropout", 0.5, "[0, 1)")
    0.5
    >>> number("dropout", 1.5, "[0, 1)")
    Traceback (most recent call last):
    kilonet.errors.SettingError: dropout came as 1.5; needs a number in [0, 1).
    """
    try:
        real = float(value) if isinstance(value, numbers.Real) and not isinstance(value, bool) else math.nan
    except OverflowError:  # a whole number beyond every float
        real = math.nan
    if not inside(real, interval):
        raise SettingError(f"{label} came as {shown(value)}; needs a number in {interval}.")
    return real


def whole(label: str, value: object, interval: str = "[1, inf)") -> int:
    """Return a whole number inside the interval as an int; True is none, nor is 3.0, of which the error says so.

    >>> whole("batch", 32)
    32
    >>> whole("batch", 0)
    Traceback (most recent call last):
    kilonet.errors.SettingError: batch came as 0; needs a whole number in [1, inf).
    """
    integer = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    # NumPy would compare its large integers as floating numbers.
    if not integer or not inside(int(value), interval):  # type: ignore[call-overload]
        rounded = _as_whole(value)
        hint = f" Write {rounded}." if rounded is not None and inside(rounded, interval) else ""
        raise SettingError(f"{label} came as {shown(value)}; needs a whole number in {interval}.{hint}")
    return int(value)  # type: ignore[call-overload, no-any-return]


def _as_whole(value: object) -> int | None:
    """The whole number that a float is, or None."""
    return int(value) if isinstance(value, float | np.floating) and value.is_integer() else None


_UNITS = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12,
          "kib": 2**10, "mib": 2**20, "gib": 2**30, "tib": 2**40}  # fmt: skip


def byte_count(label: str, value: object) -> int:
    """Return a number of bytes: a positive whole number, 2e9 as well, or a text such as "500MB" or "1.5 GiB".

    >>> byte_count("max_memory", "1.5GB"), byte_count("max_memory", 4096), byte_count("max_memory", 1e9)
    (1500000000, 4096, 1000000000)
    """
    if isinstance(value, str):
        found = re.fullmatch(r"\s*(\d{1,15}(?:\.\d{1,9})?)\s*([kmgt]?i?b|)\s*", value.lower())
        size: object = int(float(found[1]) * _UNITS.get(found[2], 0)) if found else 0
    else:
        rounded = _as_whole(value)
        size = value if rounded is None else rounded
    with contextlib.suppress(SettingError):
        return whole(label, size)
    raise SettingError(
        f"{label} came as {shown(value)}; needs a whole number of bytes, such as 2000000000, or a text, such as "
        '"2GB" or "500MiB".'
    )


def size(count: float) -> str:
    """A number of bytes for people.

    >>> size(999), size(3_400_000), size(12.3e9)
    ('999 B', '3.4 MB', '12 GB')
    """
    units = ("B", "kB", "MB", "GB", "TB")
    power = min(len(units) - 1, max(0, (len(f"{int(count)}") - 1) // 3))
    scaled = count / 1000**power
    return f"{scaled:.2g} {units[power]}" if scaled < 100 else f"{scaled:.0f} {units[power]}"


def choice(label: str, value: object, options: Iterable[str]) -> str:
    """Return one of the options; the error lists them and names the nearest.

    >>> choice("metric", "loss", ["loss", "score"])
    'loss'
    """
    allowed = list(options)
    if not isinstance(value, str) or value not in allowed:
        hint = nearest(value, allowed)
        raise SettingError(f"{label} came as {shown(value)}; needs one of {', '.join(allowed)}.{hint}")
    return value


def per_member(label: str, value: object, interval: str = REALS) -> float | tuple[float, ...]:
    """Return one number for all members, or a tuple with one number for each.

    >>> per_member("l2", 0.1), per_member("l2", np.array([0.1, 1.0]))
    (0.1, (0.1, 1.0))
    """
    if isinstance(value, list | tuple | np.ndarray) and np.ndim(value) == 1:
        if len(value) == 0:
            raise SettingError(f"{label} came as an empty sequence; needs a number, or one number for each member.")
        return tuple(number(f"{label}[{i}]", v, interval) for i, v in enumerate(value))
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value.item()
    return number(label, value, interval)


def finite(label: str, values: npt.NDArray[Any]) -> None:
    """Raise DataError with the place of the first value that is infinite or not a number.

    >>> finite("X", np.array([[0.0, 1.0], [np.inf, 2.0]]))
    Traceback (most recent call last):
    kilonet.errors.DataError: X holds inf at row 1, column 0 (counted from 0); needs finite numbers. \
Repair or drop that row.
    """
    good = np.isfinite(values)
    if not good.all():
        where = np.unravel_index(int(np.argmin(good)), values.shape)
        raise DataError(
            f"{label} holds {values[where]} at {place(where)} (counted from 0); needs finite numbers. "
            f"Repair or drop that row."
        )


def place(index: Iterable[Any]) -> str:
    """Say an array index in words: row 3, or row 3, column 1.

    >>> place((3, 1))
    'row 3, column 1'
    """
    words = ("row", "column", "axis 2 index", "axis 3 index")
    return ", ".join(f"{word} {int(i)}" for word, i in zip(words, index, strict=False))


def nearest(name: object, names: Iterable[str]) -> str:
    """Say " Did you mean X?" when a known name is close, capitals aside, else nothing; it goes after a sentence.

    >>> nearest("rleu", ["relu", "tanh"]), nearest("price", ["Price"]), nearest("price", ["area"])
    (' Did you mean relu?', ' Did you mean Price?', '')
    """
    spelled = {str(known).lower(): str(known) for known in names}
    found = difflib.get_close_matches(str(name).lower(), spelled, n=1)
    return f" Did you mean {spelled[found[0]]}?" if found else ""


def shown(value: object) -> str:
    """Show a value inside a message: its repr, cut to a readable length, numbers without NumPy's wrapping.

    >>> shown(np.float64(0.5)), shown("a" * 100)
    ('0.5', "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...")
    """
    plain = value.item() if isinstance(value, np.generic) else value
    text = f"an array of shape {plain.shape}" if isinstance(plain, np.ndarray) else _represented(plain)
    return text if len(text) <= 60 else text[:56] + "..."


def _represented(value: object) -> str:
    try:
        return repr(value)
    except RecursionError:
        return f"a deeply nested {type(value).__name__}"


def as_float_dtype(label: str, dtype: object) -> np.dtype[Any]:
    """Return float32 or float64 as a NumPy type.

    >>> as_float_dtype("dtype", "float32")
    dtype('float32')
    """
    for known in (np.dtype(np.float32), np.dtype(np.float64)):
        with contextlib.suppress(TypeError):  # what NumPy cannot read as a type
            if dtype is not None and np.dtype(dtype) == known:  # type: ignore[call-overload]
                return known
    raise SettingError(f"{label} came as {shown(dtype)}; needs float32 or float64.")


def seeds(label: str, value: Any) -> tuple[int, ...]:
    """Return the seeds of the members, at least one, from any sequence of them.

    >>> seeds("seeds", range(3))
    (0, 1, 2)
    """
    if isinstance(value, str | bytes) or not isinstance(value, Iterable) or getattr(value, "ndim", 1) == 0:
        raise SettingError(f"{label} came as {shown(value)}; needs a sequence of seeds, or write seed={shown(value)}.")
    given = tuple(seed(f"{label}[{i}]", each) for i, each in enumerate(value))
    if not given:
        raise SettingError(f"{label} came empty; needs one seed for each member.")
    return given


def seed(label: str, value: object) -> int:
    """Return a seed: a whole number that fits into 64 bits.

    >>> seed("seed", 7)
    7
    """
    given = whole(label, value, "[0, inf)")
    if given >= 2**64:
        raise SettingError(f"{label} came as {shown(value)}; needs a whole number below 2**64.")
    return given
