"""The critical-difference picture of Demšar 2006: mean ranks on a line, a bar over those that cannot be told apart."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from benchmarks.tables.learners import named
from benchmarks.tables.outcome import NAMES, Comparison
from benchmarks.tables.ranks import cliques

OWN, INK = "#D55E00", "#222222"
ROW = 0.22  # inches for a learner's name


def draw(comparisons: Sequence[Comparison], own: str, place: Path) -> list[Path]:
    """Draw one line of ranks for each comparison; returns the files, PNG and SVG."""
    heights = [1.2 + ROW * ((len(found.learners) + 1) // 2) for found in comparisons]
    figure = Figure(figsize=(7.5, sum(heights)), layout="constrained")
    panels = figure.subplots(len(comparisons), 1, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axes, found, height in zip(panels, comparisons, heights, strict=True):
        panel(axes, found, own, height)
    place.parent.mkdir(parents=True, exist_ok=True)
    paths = [place.with_suffix(suffix) for suffix in (".png", ".svg")]
    for path in paths:
        figure.savefig(path, dpi=150, metadata={"Date": None} if path.suffix == ".svg" else None)
    return paths


def panel(axes: Any, found: Comparison, own: str, height: float) -> None:
    """One comparison; y is in inches below the line of ranks."""
    ordered = sorted(found.mean_ranks.items(), key=lambda item: item[1])
    last = len(ordered)
    axes.set_xlim(1 - 0.45 * last, last + 0.45 * last)
    axes.set_ylim(height - 0.7, -0.7)
    axes.axis("off")
    axes.plot([1, last], [0, 0], color=INK, linewidth=1)
    for rank in range(1, last + 1):
        axes.plot([rank, rank], [0, -0.06], color=INK, linewidth=1)
        axes.text(rank, -0.1, str(rank), ha="center", va="bottom", fontsize=8, color=INK)
    text = f"mean rank by {NAMES[found.metric]}, {len(found.tables)} tables; the best is to the left"
    axes.text(1 - 0.45 * last, -0.6, text, fontsize=9, color=INK, va="center")
    axes.plot([last - found.apart, last], [-0.32, -0.32], color=INK, linewidth=1.5)
    axes.text(last + 0.1, -0.32, f"critical difference {found.apart:.2f}", fontsize=8, va="center", color=INK)
    bars = cliques([rank for _, rank in ordered], found.apart)
    for place, (first, end) in enumerate(bars):
        y = 0.09 + 0.07 * place
        axes.plot([ordered[first][1] - 0.04, ordered[end][1] + 0.04], [y, y], color=INK, linewidth=3)
    names(axes, ordered, own, 0.25 + 0.07 * len(bars))


def names(axes: Any, ordered: Sequence[tuple[str, float]], own: str, top: float) -> None:
    """Write the better half to the left, from the top, and the other to the right, from the bottom."""
    count = len(ordered)
    left = (count + 1) // 2
    for place, (name, rank) in enumerate(ordered):
        here = place < left
        y = top + ROW * (place if here else count - 1 - place)
        end = 0.6 if here else count + 0.4
        colour = OWN if name == own else INK
        axes.plot([rank, rank, end], [0, y, y], color=colour, linewidth=1)
        axes.text(
            end + (-0.08 if here else 0.08), y, f"{named(name).title}  {rank:.2f}", va="center", fontsize=8.5,
            ha="right" if here else "left", color=colour,
        )  # fmt: skip
