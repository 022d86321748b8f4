"""What the value of an option may be: numbers in a range, known names, widths of layers."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import click

from kilonet.errors import SettingError


class Number(click.ParamType[Any]):
    """A finite number in a range: whole or not, with ends or without them."""

    def __init__(self, low: float = 0, high: float = math.inf, *, whole: bool = False, outside: str = "") -> None:
        self.low, self.high, self.whole, self.outside = low, high, whole, outside
        self.name = "n" if whole else "x"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or BadParameter that says what is allowed."""
        try:
            number = int(value) if self.whole else float(value)
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and self.low <= number <= self.high and str(number) != self.outside):
            self.fail(f"{value!r} is not {self.allowed}.", param, ctx)
        return number

    @property
    def allowed(self) -> str:
        """The range in words."""
        kind = "a whole number" if self.whole else "a number"
        low, high = (f"above {self.low:g}" if self.outside == str(self.low) else f"at least {self.low:g}"), ""
        if self.high < math.inf:
            high = f" and below {self.high:g}" if self.outside == str(self.high) else f" and at most {self.high:,.0f}"
        return f"{kind}, {low}{high}"


class Known(click.ParamType[Any]):
    """A name that the library knows, such as relu or leaky_relu(0.2); kept as text."""

    name = "name"

    def __init__(self, lookup: Callable[[Any], Any], also: tuple[str, ...] = ()) -> None:
        self.lookup, self.also = lookup, also

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, once the library has understood it, or BadParameter that lists the known names."""
        if value not in self.also:
            try:
                self.lookup(value)
            except SettingError as error:
                self.fail(str(error), param, ctx)
        return str(value)


class Widths(click.ParamType[Any]):
    """Units of the hidden layers: 64,32; an empty text or "none" for a single-layer network."""

    name = "64,32"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """The widths as a tuple, or BadParameter."""
        if isinstance(value, tuple):
            return value
        parts = [] if value.strip().lower() in ("", "none") else value.split(",")
        widths = []
        for part in parts:
            if not part.strip().isascii() or not part.strip().isdigit() or int(part) < 1:
                self.fail(
                    f"{value!r}: {part.strip()!r} is no number of units. Name the hidden layers' sizes "
                    "with commas between them, such as 64,32, or none for a network without hidden layers.",
                    param,
                    ctx,
                )
            widths.append(int(part))
        return tuple(widths)


class Factors(Known):
    """A schedule by name, or its factors one by one: 1,0.5,0.1."""

    name = "schedule"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The text of a known schedule, or a list of factors."""
        try:
            factors = [float(part) for part in str(value).split(",")]
        except ValueError:
            return super().convert(value, param, ctx)
        if not all(math.isfinite(factor) and factor >= 0 for factor in factors):
            self.fail(f"{value!r}: every factor must be a finite number, at least 0.", param, ctx)
        return factors


class Auto(Number):
    """A whole number of at least 1, or as low says, or auto."""

    def __init__(self, low: int = 1) -> None:
        super().__init__(low, whole=True)
        self.name = "n|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number, or "auto"."""
        return value if value == "auto" else super().convert(value, param, ctx)

    @property
    def allowed(self) -> str:
        """The range in words."""
        return super().allowed + ", or auto"


class Budget(click.ParamType[Any]):
    """Seconds, or a text such as 60s, 2min or 1h; also: a word that may stand for them."""

    name = "60s"

    def __init__(self, also: str = "") -> None:
        self.also = also

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The text, once it is understood, or BadParameter."""
        from kilonet.cli.seam import budget_seconds  # noqa: PLC0415 - it needs SciPy, for which --help does not wait

        if self.also and value == self.also:
            return value
        try:
            budget_seconds(value)
        except SettingError as error:
            self.fail(str(error), param, ctx)
        return value
