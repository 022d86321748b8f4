"""How pictures look: colours for every eye, and a marker for whoever sees none of them."""

import math
import textwrap
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kilonet.errors import SettingError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

# Okabe & Ito 2008, Color Universal Design, without black, which is the ink, and yellow, which is faint on white.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
GREY = "#7F7F7F"
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")  # one more than there are colours, so that pairs of both return late
SMALL, NORMAL, LARGE = 7.5, 8.5, 10.0
_FAR = 20  # times the smallest loss is the largest, beyond which a picture of them is logarithmic


def module(name: str) -> Any:
    """A module of matplotlib, imported when a picture is made. Raises SettingError where it is not installed."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise SettingError(
            f'a picture needs {error.name}, which is not installed. Run: pip install "kilonet[plots]"'
        ) from None


def ink() -> str:
    """The colour of text in the user's own style."""
    return str(module("matplotlib").rcParams["text.color"])


def look(place: int) -> dict[str, Any]:
    """Colour and marker of the place-th thing of a picture; 42 of them differ."""
    return {"color": PALETTE[place % len(PALETTE)], "marker": _MARKERS[place % len(_MARKERS)]}


def tidy(ax: "Axes", x: str = "", y: str = "", grid: str = "y") -> None:
    """Axes with small type, labels, and no more lines than are needed; grid: "x", "y", "both" or ""."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(labelsize=NORMAL)
    ax.set_xlabel(textwrap.fill(x, 48), fontsize=NORMAL)
    ax.set_ylabel(y.replace(" (", "\n(") if len(y) > 36 else y, fontsize=NORMAL)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(True, axis=grid, color=GREY, alpha=0.25, linewidth=0.6)  # type: ignore[arg-type]


def legend_above(ax: "Axes", columns: int) -> None:
    """The legend between title and axes, where no data are."""
    ax.legend(
        loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, fontsize=NORMAL, frameon=False, borderaxespad=0.2,
        handlelength=1.8, columnspacing=1.2,
    )  # fmt: skip


def legend_beside(ax: "Axes") -> None:
    """The legend to the right of the axes, in type that is small enough for their height."""
    handles, labels = ax.get_legend_handles_labels()
    wrapped = [textwrap.fill(label, 22) for label in labels]
    lines = sum(label.count("\n") + 1 for label in wrapped)
    size = float(np.clip(44 * inches(ax)[1] / max(1, lines), 4, NORMAL))
    ax.legend(
        handles, wrapped, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, handlelength=2.2, borderaxespad=0,
        fontsize=size, markerscale=size / NORMAL,
    )  # fmt: skip


def legend_below(ax: "Axes") -> None:
    """The legend of axes under all panels of their figure, in as many columns as have room."""
    handles, labels = ax.get_legend_handles_labels()
    figure: Any = ax.figure
    width = figure.bbox.width / figure.get_figure(root=True).dpi
    size = NORMAL if len(labels) <= 9 else 0.8 * NORMAL
    columns = int(11 * width * NORMAL / size / (7 + max(map(len, labels), default=0)))
    figure.legend(handles, labels, loc="outside lower center", ncols=int(np.clip(columns, 1, len(labels))),
                  fontsize=size, markerscale=size / NORMAL, frameon=False, handletextpad=0.3)  # fmt: skip


def ring(ax: "Axes", x: float, y: float) -> None:
    """Mark what was chosen."""
    if math.isfinite(x) and math.isfinite(y):
        ax.plot([x], [y], linestyle="none", marker="o", markersize=12, markerfacecolor="none", markeredgewidth=1.4,
                color=ink(), label="chosen", zorder=6)  # fmt: skip


def bars(mean: Sequence[float], low: Sequence[float], high: Sequence[float]) -> Floats:
    """Lengths of error bars (2, n) below and above; none where a bound is unknown."""
    lengths = np.abs(np.stack([np.subtract(mean, low), np.subtract(high, mean)]))
    return np.where(np.isfinite(lengths), lengths, 0.0)


def finite(values: Iterable[float]) -> list[float]:
    """Those that are numbers."""
    return [float(value) for value in values if math.isfinite(value)]


def loss_axis(ax: "Axes", shown: Iterable[float]) -> None:
    """Limits around the losses that are to be seen: logarithmic where they are positive and far apart."""
    values = finite(shown)
    low, high = min(values, default=0.0), max(values, default=1.0)
    if low > 0 and high / low > _FAR:
        ax.set_yscale("log")
        margin = (high / low) ** 0.08
        low, high = low / margin, high * margin
        _log_ticks(ax.yaxis, low, high, lambda _: 7)
    else:
        margin = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
        low, high = low - margin, high + margin
    ax.set_ylim(low, high)


def size_axis(ax: "Axes", values: Iterable[float]) -> None:
    """A logarithmic axis around sizes, times or rows, of which those that are positive are seen."""
    known = [value for value in finite(values) if value > 0] or [1.0]
    margin = max((max(known) / min(known)) ** 0.08, 1.15)
    low, high = min(known) / margin, max(known) * margin
    wide = inches(ax)[0]
    ax.set_xscale("log")
    ax.set_xlim(low, high)
    _log_ticks(ax.xaxis, low, high, lambda ticks: int(11 * wide / (1.5 + max(len(f"{tick:,.10g}") for tick in ticks))))


def thousands(ax: "Axes", largest: float) -> None:
    """Commas in the numbers of both axes, where these are long and still written out; largest: of them."""
    if 1e4 <= largest < 1e7:
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_formatter("{x:,.0f}")


def _log_ticks(axis: Any, low: float, high: float, room: Callable[[list[float]], int]) -> None:
    """Ticks of a logarithmic axis that are read without powers: 1, 2, 5, 10, or as few of them as have room."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    options = []
    for digits in ((1, 2, 5), (1, 3), (1,)):
        ticks = [float(f"{digit}e{power}") for power in decades for digit in digits]
        options.append([tick for tick in ticks if low <= tick <= high])
    options += [ticks[:: math.ceil(len(ticks) / max(2, room(ticks)))] for ticks in reversed(options) if ticks]
    fitting = [ticks for ticks in options if ticks and 2 <= len(ticks) <= max(2, room(ticks))]
    found = fitting[0] if fitting else [float(f"{end:.2g}") for end in (1.05 * low, 0.95 * high)]
    axis.set_ticks(found, labels=[f"{tick:,.10g}" for tick in found])
    axis.set_ticks([], minor=True)


def inches(ax: "Axes") -> tuple[float, float]:
    """Width and height of the axes, before any layout."""
    figure: Any = ax.get_figure(root=True)
    box = ax.get_window_extent()
    return float(box.width / figure.dpi), float(box.height / figure.dpi)


def names_below(ax: "Axes", texts: Sequence[str], marked: int) -> None:
    """One column for each text, slanted where they have no room side by side; one of them in bold."""
    room = max(4, int(14.5 * inches(ax)[0] / max(1, len(texts))))  # letters
    wrapped = [textwrap.fill(text, room, break_long_words=False, break_on_hyphens=False) for text in texts]
    slanted = any(len(row) > room for text in wrapped for row in text.split("\n"))
    ax.set_xticks(range(len(texts)), texts if slanted else wrapped)
    ax.set_xlim(-0.6, len(texts) - 0.4)
    small = NORMAL if len(texts) <= 12 else SMALL - 1
    for place, label in enumerate(ax.get_xticklabels()):
        label.set_fontsize(small)
        label.set_fontweight("bold" if place == marked else "normal")
        if slanted:
            label.set(rotation=45, ha="right", rotation_mode="anchor")
