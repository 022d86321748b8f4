"""Pictures of experiments: lines, dots, bars and regions, with intervals and what the notes claim."""

import io
import math
import textwrap
import warnings
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np

from kilonet.errors import SettingError
from kilonet.measured import VERDICTS, Figure, Language, Measured, Region, Series, Text
from kilonet.plots.base import SIZE, Picture
from kilonet.plots.style import (
    LARGE,
    NORMAL,
    PALETTE,
    bars,
    inches,
    ink,
    legend_above,
    look,
    module,
    names_below,
    size_axis,
    tidy,
)

Form = Literal["svg", "png"]
_HANGUL = ("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Malgun Gothic", "Apple SD Gothic Neo", "AppleGothic",
           "UnDotum", "Baekmuk Gulim")  # fmt: skip
_ACROSS = 3  # panels of regions side by side, and entries of a legend
_CLAIM = Text("the notes", "노트")
# No date, no version: the same figure gives the same bytes.
_NOTHING_ELSE = {"Date": None, "Creator": None, "Format": None, "Type": None}


@dataclass(eq=False, kw_only=True)
class ExperimentDisplay(Picture[Measured]):
    """The figure of an experiment; see `Picture`.

    >>> import kilonet.measured as m
    >>> both = m.Text("relu", "relu")
    >>> bar = m.Figure("bars", both, series=(m.Series.of(both, [], [0.4], [0.3], [0.5]),), names=(both,))
    >>> found = m.Measured("agrees", both, 0.4, 0.3, 0.5, m.Table((), ()), bar, {})
    >>> ExperimentDisplay.of(found, m.Text("Dying units", "죽는 유닛")).title
    'Dying units: agrees with the notes'
    """

    name: ClassVar[str] = "experiment"
    shown: Figure
    language: Language = "en"

    @classmethod
    def of(cls, measured: Measured, title: Text, language: Language = "en") -> Self:
        """The picture of what was measured, with the experiment's title and its verdict, in one language."""
        heading = f"{title.of(language)}: {VERDICTS[measured.verdict].of(language)}"
        figure = measured.figure
        return cls(title=heading, alt=figure.alt.of(language), shown=figure, language=language)

    @classmethod
    def lack(cls, record: Measured) -> str:  # noqa: ARG003 - every figure has something to show, or could not be made
        """Why the record cannot be drawn so: never."""
        return ""

    @classmethod
    def _made(cls, record: Measured) -> Self:
        return cls(title=record.statement.en, alt=record.figure.alt.en, shown=record.figure)

    def _entries(self) -> int:
        """Entries of the legend, for which one series alone has no need."""
        series = len(self.shown.series)
        return 0 if self.shown.kind == "regions" or series + self._claims() < 2 else series + self._claims()

    def _claims(self) -> int:
        return int(self.shown.claimed is not None)

    def _panels(self) -> tuple[int, int]:
        n = len(self.shown.regions)
        return (math.ceil(n / _ACROSS), min(n, _ACROSS)) if self.shown.kind == "regions" else (1, 1)

    def _size(self) -> tuple[float, float]:
        rows, columns = self._panels()
        return (2.6 * columns + 0.4, 2.7 * rows + 0.5) if rows * columns > 1 else SIZE

    def _finish(self, figure: Any, axes: Any, title: str = "") -> Self:
        """Draw, with room between title and axes for as many rows as the legend has."""
        super()._finish(figure, axes, title)
        if title:
            self.ax_.set_title(title, loc="left", fontsize=LARGE, pad=6 + 15 * math.ceil(self._entries() / _ACROSS))
        return self

    def _draw(self, axes: Any) -> None:
        if self.shown.kind == "regions":
            for ax in axes.flat[len(self.shown.regions) :]:
                ax.set_axis_off()
            for ax, region in zip(axes.flat, self.shown.regions, strict=False):
                self._region(ax, region)
            return
        ax = axes[0, 0]
        tidy(ax, self._say(self.shown.x), self._say(self.shown.y))
        draw = self._bars if self.shown.kind == "bars" else self._points
        for place, series in enumerate(self.shown.series):
            draw(ax, place, series)
        if self.shown.claimed is not None:
            ax.axhline(self.shown.claimed, color=ink(), linestyle="--", linewidth=1, label=self._say(_CLAIM), zorder=1)
        self._scales(ax)
        if self._entries():
            legend_above(ax, _ACROSS)

    def _scales(self, ax: Any) -> None:
        """Axes as the figure asks for them; names of bars where there are bars."""
        if self.shown.kind == "bars":
            names_below(ax, [self._say(name) for name in self.shown.names], -1)
        elif self.shown.log_x:
            size_axis(ax, [x for series in self.shown.series for x in series.x])
        if self.shown.log_y:
            ax.set_yscale("log")

    def _points(self, ax: Any, place: int, series: Series) -> None:
        style, lines = look(place), self.shown.kind == "lines"
        dense = lines and len(series.x) > 30  # where markers would hide the line
        ax.plot(series.x, series.y, color=style["color"], marker="" if dense else style["marker"], markersize=5,
                linestyle="-" if lines else "none", linewidth=1.5, label=self._say(series.label), zorder=3)  # fmt: skip
        if series.low and lines:
            ax.fill_between(series.x, series.low, series.high, color=style["color"], alpha=0.2, linewidth=0)
        elif series.low:
            self._whiskers(ax, series.x, series, style["color"])

    def _bars(self, ax: Any, place: int, series: Series) -> None:
        wide = 0.8 / len(self.shown.series)
        x = np.arange(len(series.y)) + (place - (len(self.shown.series) - 1) / 2) * wide
        color = look(place)["color"]
        ax.bar(x, series.y, width=0.92 * wide, color=color, alpha=0.85, label=self._say(series.label), zorder=2,
               hatch=("", "//", "..", "xx", "--", "\\\\")[place % 6], edgecolor="white")  # fmt: skip
        if series.low:
            self._whiskers(ax, x.tolist(), series, ink())

    @staticmethod
    def _whiskers(ax: Any, x: Any, series: Series, color: str) -> None:
        lengths = bars(series.y, series.low, series.high)
        ax.errorbar(x, series.y, yerr=lengths, linestyle="none", color=color, elinewidth=1.2, capsize=3, zorder=4)

    def _region(self, ax: Any, region: Region) -> None:
        """Shades between the colours of two classes, a line at one half, and the examples by class."""
        shades = module("matplotlib.colors").LinearSegmentedColormap.from_list("", [PALETTE[0], "white", PALETTE[1]])
        grid, (left, right, bottom, top) = np.asarray(region.grid), region.extent
        ax.imshow(grid, origin="lower", extent=region.extent, cmap=shades, vmin=0, vmax=1, alpha=0.55, aspect="auto",
                  interpolation="nearest")  # fmt: skip
        if grid.min() < 0.5 < grid.max():
            steps = [(np.arange(n) + 0.5) / n for n in grid.shape]
            ax.contour(left + (right - left) * steps[1], bottom + (top - bottom) * steps[0], grid, [0.5],
                       colors=[ink()], linewidths=0.9)  # fmt: skip
        for own in (0, 1):
            marks = [(a, b) for a, b, c in region.points if c == own]
            ax.plot([a for a, _ in marks], [b for _, b in marks], linestyle="none", marker="os"[own], markersize=3,
                    color=PALETTE[own], markeredgecolor="white", markeredgewidth=0.4)  # fmt: skip
        tidy(ax, self._say(self.shown.x), self._say(self.shown.y), grid="")
        ax.set_xlim(left, right)
        ax.set_ylim(bottom, top)
        ax.set_title(textwrap.fill(self._say(region.title), max(10, int(14 * inches(ax)[0]))), fontsize=NORMAL)

    def _say(self, text: Text) -> str:
        return text.of(self.language)


def ready(form: Form, language: Language) -> None:
    """Raise SettingError where a picture of this form and language cannot be drawn here; it costs no measurement."""
    module("matplotlib")
    if form == "png" and language == "ko":
        _korean_font()


def rendered(display: ExperimentDisplay, form: Form) -> bytes:
    """The picture as a file's content, in matplotlib's own style; equal figures give equal bytes.

    An SVG holds its texts as text, so that readers' fonts draw them. Raises SettingError as `ready` does.
    """
    ready(form, display.language)
    matplotlib, buffer = module("matplotlib"), io.BytesIO()
    more: dict[str, Any] = {"metadata": _NOTHING_ELSE} if form == "svg" else {}
    settings: dict[str, Any] = {"svg.hashsalt": display.title, "svg.fonttype": "none"}
    if form == "png" and display.language == "ko":
        settings["font.family"] = ["DejaVu Sans", _korean_font()]
    with module("matplotlib.style").context("default"), matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")  # the reader of an SVG has one
        display.save(buffer, format=form, **more)
    return buffer.getvalue()


def _korean_font() -> str:
    """A font of this machine that has Hangul."""
    there = set(module("matplotlib.font_manager").get_font_names())
    found = [name for name in _HANGUL if name in there]
    if not found:
        raise SettingError(
            "a PNG with Korean text needs a font with Hangul, and none was found. Install one, such as Noto Sans CJK "
            "KR, or write an .svg, whose text is drawn where it is read."
        )
    return found[0]
