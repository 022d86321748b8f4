"""Is it luck? Every seed of every architecture."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from kilonet.evidence import ArchitectureRecord, SearchRecord
from kilonet.numerals import capital, count, significant
from kilonet.plots import words
from kilonet.plots.base import Display
from kilonet.plots.style import GREY, PALETTE, Floats, bars, finite, ink, legend_above, loss_axis, names_below, tidy
from kilonet.telling import called, loss_name


@dataclass(eq=False, kw_only=True)
class SeedSpreadDisplay(Display):
    """One column for each architecture: a dot for each seed, averaged over splits, the mean and its 95% interval.

    Seeds that lost a run on any split have no dot: their mean would be one of other rows.

    texts: of the architectures. seeds: the losses of each. mean, low, high: of each, NaN where a run was lost.
    lost: runs that each lost. chosen: the place of the choice. label: what the losses are called.
    """

    name: ClassVar[str] = "seed-spread"
    _legend_rows: ClassVar[int] = 1
    texts: list[str]
    seeds: list[Floats]
    mean: list[float]
    low: list[float]
    high: list[float]
    lost: list[int]
    chosen: int
    label: str

    @classmethod
    def lack(cls, record: SearchRecord) -> str:
        """Why the record cannot be drawn so, in a sentence; empty where it can."""
        some = any(len(_seeds(record, own)) for own in record.architectures)
        return "" if some else "no architecture has a seed that finished on all splits."

    @classmethod
    def _made(cls, record: SearchRecord) -> Self:
        known = words.sound(record)
        said = (f"{a.text} {a.loss:.3g} (95% {a.loss_low:.3g} to {a.loss_high:.3g})" for a in known)
        title = capital(_finding(record))
        return cls(
            texts=[a.text for a in record.architectures],
            seeds=[_seeds(record, a) for a in record.architectures],
            mean=[a.loss for a in record.architectures],
            low=[a.loss_low for a in record.architectures],
            high=[a.loss_high for a in record.architectures],
            lost=[a.diverged for a in record.architectures],
            chosen=record.chosen,
            label=words.loss_label(record),
            title=title,
            alt=f"{title}. Mean {loss_name(record)}: {words.listed(said)}.",
        )

    def _draw(self, axes: Any) -> None:
        ax = axes[0, 0]
        tidy(ax, y=self.label)
        for place, own in enumerate(self.seeds):
            spread = np.linspace(-0.32, -0.04, len(own)) if len(own) > 1 else np.array([-0.18])
            label = "one seed" if place == 0 else None
            ax.plot(place + spread, own, linestyle="none", marker="o", markersize=4, color=PALETTE[5],
                    markeredgecolor=PALETTE[0], markeredgewidth=0.6, label=label)  # fmt: skip
        groups = (
            ([i for i in range(len(self.mean)) if i != self.chosen], PALETTE[0], "D", 5.5, "mean, 95% interval"),
            ([self.chosen], PALETTE[1], "*", 12, "chosen"),
        )
        for places, color, marker, size, label in groups:
            mean, low, high = ([values[i] for i in places] for values in (self.mean, self.low, self.high))
            style = {"marker": marker, "markersize": size, "color": color, "linestyle": "none"}
            x = [place + 0.18 for place in places]
            ax.errorbar(x, mean, yerr=bars(mean, low, high), **style, capsize=3, elinewidth=1.4, label=label)
        everything = finite([*self.mean, *self.low, *self.high, *(v for own in self.seeds for v in own)])
        loss_axis(ax, everything)
        names_below(ax, self.texts, self.chosen)
        self._say_lost(ax)
        legend_above(ax, 3)

    def _say_lost(self, ax: Any) -> None:
        for place, lost in enumerate(self.lost):
            if lost:
                ax.text(place, 0.985, f"{count(lost, 'run')}\ndiverged", transform=ax.get_xaxis_transform(),
                        ha="center", va="top", fontsize=7.5, color=ink(),
                        bbox={"facecolor": "none", "edgecolor": GREY, "linewidth": 0.6, "pad": 2})  # fmt: skip


def _seeds(record: SearchRecord, architecture: ArchitectureRecord) -> Floats:
    """The loss of each seed, averaged over splits, where it has all of them."""
    table = record.candidates[architecture.best].table()
    return np.asarray(table.mean(axis=0)[np.isfinite(table).all(axis=0)])


def _finding(record: SearchRecord) -> str:
    """Whether one run would have told the two best architectures apart."""
    best = sorted(words.sound(record), key=lambda own: own.loss)[:2]
    if not best:
        return "every architecture lost a run"
    first, second = best[0], best[-1]
    if len(best) == 1:
        return f"{called(first)} alone lost no run: {loss_name(record)} {first.loss:.3g}"
    gap = second.loss - first.loss
    luck = math.hypot(first.seed_spread, second.seed_spread)
    lead = f"{called(first)} leads {called(second)} by {significant(gap)}"
    if not math.isfinite(luck):
        return f"one seed each: {lead}, seed luck is not known"
    if luck > gap:
        pair = f"{called(first)} from {called(second)}"
        return f"one run cannot tell {pair}: they differ by {significant(gap)}, seed luck is ±{significant(luck)}"
    return f"not seed luck: {lead}, which a seed changes by ±{significant(luck)}"
