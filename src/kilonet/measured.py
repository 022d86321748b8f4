"""What an experiment measured: a verdict with its numbers, a table and a figure, all plain data in two languages.

Figures are data here; `kilonet.plots.experiment` draws them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike

from kilonet.checks import choice, inside, shown
from kilonet.errors import SettingError, ShapeError

Verdict = Literal["agrees", "partly", "disagrees"]
Kind = Literal["lines", "dots", "bars", "regions"]
Language = Literal["en", "ko"]
LANGUAGES: tuple[Language, ...] = get_args(Language)


@dataclass(frozen=True)
class Text:
    """The same in English and in Korean; `str` gives the English one.

    >>> Text("rate", "학습률").of("ko")
    '학습률'
    """

    en: str
    ko: str

    def of(self, language: Language = "en") -> str:
        """The text in one of `LANGUAGES`."""
        return self.ko if choice("language", language, LANGUAGES) == "ko" else self.en

    def __str__(self) -> str:
        return self.en


def same(text: object) -> Text:
    """A text that is the same in both languages: a number, a name of the library.

    >>> same("relu").ko
    'relu'
    """
    return Text(str(text), str(text))


VERDICTS: Mapping[Verdict, Text] = {
    "agrees": Text("agrees with the notes", "노트와 일치"),
    "partly": Text("agrees with the notes in part", "노트와 일부만 일치"),
    "disagrees": Text("disagrees with the notes", "노트와 불일치"),
}


@dataclass(frozen=True)
class Table:
    """Columns with their heads, and rows of cells: texts of two languages, or what is the same in both.

    Raises ShapeError where a row has another number of cells than there are columns.

    >>> Table((Text("rate", "학습률"), Text("dead", "죽은 유닛")), (("0.1", "0%"),)).cells("ko")
    (('0.1', '0%'),)
    """

    columns: tuple[Text, ...]
    rows: tuple[tuple[Text | str, ...], ...]

    def __post_init__(self) -> None:
        for place, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ShapeError(
                    f"row {place} of a table has {len(row)} cells; needs {len(self.columns)}, one a column. "
                    "Give every column its cell, if only an empty one."
                )

    def head(self, language: Language = "en") -> tuple[str, ...]:
        """The heads of the columns in one language."""
        return tuple(column.of(language) for column in self.columns)

    def cells(self, language: Language = "en") -> tuple[tuple[str, ...], ...]:
        """The rows in one language."""
        return tuple(tuple(c.of(language) if isinstance(c, Text) else c for c in row) for row in self.rows)


@dataclass(frozen=True)
class Series:
    """One line, or one group of dots or bars; x is empty for bars, whose places are the figure's names.

    low and high are the interval around each y, or empty. Best made by `of`, from arrays.
    """

    label: Text
    x: tuple[float, ...]
    y: tuple[float, ...]
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()

    @classmethod
    def of(cls, label: Text, x: ArrayLike, y: ArrayLike, low: ArrayLike = (), high: ArrayLike = ()) -> "Series":
        """From arrays of one axis and equal length; x and the pair of low and high may be empty.

        Raises ShapeError where the lengths differ.

        >>> Series.of(Text("dead", "죽은 유닛"), [], [0.4], [0.3], [0.5]).high
        (0.5,)
        """
        y, *others = (tuple(np.asarray(values, np.float64).reshape(-1).tolist()) for values in (y, x, low, high))
        for name, values in zip(("x", "low", "high"), others, strict=True):
            if len(values) not in (0, len(y)):
                raise ShapeError(f"{name} of a series has {len(values)} values; needs {len(y)}, as y, or none.")
        if bool(others[1]) != bool(others[2]):
            raise ShapeError("a series came with one of low and high; needs both, or none.")
        return cls(label, others[0], y, others[1], others[2])


@dataclass(frozen=True)
class Region:
    """A panel that shows a function of two inputs: shares in [0, 1] on a grid, and the examples.

    grid: rows from the lowest second input upwards, in each the first input ascends; extent: lowest and highest of
    the first input, then of the second. points: first input, second input, class 0 or 1. Best made by `of`.
    """

    title: Text
    grid: tuple[tuple[float, ...], ...]
    extent: tuple[float, float, float, float]
    points: tuple[tuple[float, float, int], ...] = ()

    @classmethod
    def of(
        cls, title: Text, grid: ArrayLike, extent: Sequence[float], X: ArrayLike = (), y: ArrayLike = ()
    ) -> "Region":
        """From arrays: grid (rows, columns), extent (4,), X (n, 2), y (n,) of 0 and 1.

        Raises ShapeError for other shapes.

        >>> Region.of(Text("3 units", "유닛 3개"), [[0, 1]], (-1, 1, -1, 1), [[0.0, 0.5]], [1]).points
        ((0.0, 0.5, 1),)
        """
        values, inputs, classes = np.asarray(grid, np.float64), np.asarray(X, np.float64), np.asarray(y)
        inputs = inputs.reshape(-1, 2) if inputs.size == 0 else inputs
        if values.ndim != 2 or len(extent) != 4 or inputs.shape != (len(classes), 2):
            raise ShapeError(
                f"a region came with grid {values.shape}, extent ({len(extent)},), X {inputs.shape}, "
                f"y {classes.shape}; needs (rows, columns), (4,), (n, 2) and (n,)."
            )
        left, right, bottom, top = (float(bound) for bound in extent)
        points = tuple((float(a), float(b), int(c)) for (a, b), c in zip(inputs, classes, strict=True))
        return cls(title, tuple(tuple(row) for row in values.tolist()), (left, right, bottom, top), points)


@dataclass(frozen=True)
class Figure:
    """A figure as data.

    kind: "lines" and "dots" draw `series` over x, "bars" draws them side by side over `names`, all with their
    intervals; "regions" draws `regions` side by side. x, y: what the axes are. claimed: what the notes say, drawn as a
    level line at this y. log_x, log_y: logarithmic axes.
    """

    kind: Kind
    alt: Text
    x: Text = field(default_factory=lambda: same(""))
    y: Text = field(default_factory=lambda: same(""))
    series: tuple[Series, ...] = ()
    names: tuple[Text, ...] = ()
    regions: tuple[Region, ...] = ()
    claimed: float | None = None
    log_x: bool = False
    log_y: bool = False

    def __post_init__(self) -> None:
        choice("a figure's kind", self.kind, get_args(Kind))
        parts, name = (self.regions, "regions") if self.kind == "regions" else (self.series, "series")
        if not parts:
            raise SettingError(f"a figure of {self.kind} came without {name}; needs one at least.")
        for one in self.series:
            places = len(self.names) if self.kind == "bars" else len(one.x)
            if len(one.y) != places:
                raise ShapeError(f'series "{one.label}" of {self.kind} has {len(one.y)} values at {places} places.')


def verdict(low: float, high: float, claimed: str) -> Verdict:
    """What an interval of ours says to a claimed one, which is written as in mathematics.

    "agrees" where all of [low, high] lies in it, "disagrees" where none does, "partly" where a part does: then both
    remain possible. Raises SettingError where low is above high, or one is NaN.

    >>> verdict(0.42, 0.5, "[0.4, inf)"), verdict(0.3, 0.5, "[0.4, inf)"), verdict(0.1, 0.2, "[0.4, inf)")
    ('agrees', 'partly', 'disagrees')
    """
    if not low <= high:
        raise SettingError(f"an interval came as {shown(low)} to {shown(high)}; needs low ≤ high, both numbers.")
    if inside(low, claimed) and inside(high, claimed):
        return "agrees"
    bounds = [float(bound) for bound in claimed[1:-1].split(",")]
    apart = high < bounds[0] or low > bounds[1] or (high == bounds[0] and not inside(high, claimed))
    return "disagrees" if apart or (low == bounds[1] and not inside(low, claimed)) else "partly"


def together(*verdicts: Verdict) -> Verdict:
    """One verdict on a claim of several parts: that of all where they are equal, else "partly".

    >>> together("agrees", "agrees"), together("agrees", "disagrees")
    ('agrees', 'partly')
    """
    return verdicts[0] if len(set(verdicts)) == 1 else "partly"


@dataclass(frozen=True)
class Measured:
    """What came out of an experiment.

    verdict: `verdict` or `together` made it from the numbers. statement: one sentence with the numbers and the
    interval. value, low, high: the main number and its interval. facts: further plain numbers, for tests.
    """

    verdict: Verdict
    statement: Text
    value: float
    low: float
    high: float
    table: Table
    figure: Figure
    facts: Mapping[str, float]

    def __post_init__(self) -> None:
        choice("a verdict", self.verdict, get_args(Verdict))
        if not self.low <= self.high:
            raise SettingError(f"an interval came as {self.low} to {self.high}; needs low ≤ high, both numbers.")

    def to_json(self) -> dict[str, Any]:
        """All of it as plain values for `json.dumps`, texts as {"en": …, "ko": …}."""
        return asdict(self) | {"facts": dict(self.facts)}
