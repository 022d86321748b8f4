"""The picture of how populations scale; matplotlib is in the environment of the benchmarks only."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from benchmarks.population_report import Point, apart, titles

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")  # Okabe and Ito's, told apart by everybody
MARKERS = ("o", "s", "^", "D")
CORNER = {"ha": "right", "va": "bottom", "fontsize": 8, "color": "0.35"}
PLACE = Path(__file__).parents[1] / "build/bench/populations"


def draw(curves: dict[str, Sequence[Point]], run: str, place: Path = PLACE) -> list[Path]:
    """Draw seconds and megabytes against members; returns the files. run: what one run is."""
    figure = Figure(figsize=(12, 4.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    for (name, points), colour, marker in zip(curves.items(), COLOURS, MARKERS, strict=False):
        members = [point.members for point in points]
        look = {"color": colour, "marker": marker, "markersize": 4}
        left.plot(members, [point.seconds for point in points], **look)
        left.plot(members, apart(points), color=colour, linestyle="--")
        measured = {point.members: point.apart for point in points if point.apart is not None}
        left.plot(*zip(*measured.items(), strict=True), **look, markerfacecolor="white", linestyle="none")
        right.plot(members, [point.bytes / 1e6 for point in points], **look)
        say(left, members[-1], points[-1].seconds, f"{name}, together", colour)
        say(left, members[-1], apart(points)[-1], f"{name}, one\nafter another", colour)
        say(right, members[-1], points[-1].bytes / 1e6, name, colour)
    left.text(
        0.98, 0.02, "dashed beyond the hollow marks: computed from one member", **CORNER, transform=left.transAxes
    )
    right.text(0.98, 0.02, "below 0.3 MB the system's counters are not exact", **CORNER, transform=right.transAxes)
    what = (f"seconds of {run}", "MB above the process before, at most")
    for axes, title, label in zip((left, right), titles(curves), what, strict=True):
        finish(axes, title, label, max(point.members for points in curves.values() for point in points))
    place.parent.mkdir(parents=True, exist_ok=True)
    paths = [place.with_suffix(suffix) for suffix in (".png", ".svg")]
    for path in paths:
        figure.savefig(path, dpi=150)
    return paths


def say(axes: Any, x: float, y: float, text: str, colour: str) -> None:
    """Write what a line is at its end."""
    axes.annotate(
        text, (x, y), xytext=(6, 0), textcoords="offset points", color=colour, va="center", fontsize=9, linespacing=0.95
    )


def finish(axes: Any, title: str, label: str, most: int) -> None:
    """Scales, titles, and room to the right for the names of the lines."""
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlim(0.9, most * 16.0)
    ticks = [count for count in (1, 4, 16, 64, 256, 1024, 4096) if count <= most]
    axes.set_xticks(ticks, [f"{count:,}" for count in ticks])
    axes.set_xlabel("members of the population")
    axes.set_ylabel(label)
    axes.set_title(title, loc="left", fontsize=11)
    axes.grid(alpha=0.25, linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
