"""What goes through the layers of a network: histograms of outputs and gradients."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from kilonet.findings import Examination, Histogram, LayerFacts
from kilonet.monitors import SIGMOID, TANH
from kilonet.numerals import percent
from kilonet.plots import words
from kilonet.plots.base import ExaminationDisplay
from kilonet.plots.layers import gradient_finding, heading, output_finding, panels_for, spread_out, trouble
from kilonet.plots.style import NORMAL, PALETTE, SMALL, tidy

_BOUNDS = {"tanh": (-TANH, TANH), "sigmoid": (1 - SIGMOID, SIGMOID)}  # beyond, outputs are saturated
_TOWERS = 3  # times the second bar is the first, beyond which it is cut and says how high it is


@dataclass(eq=False, kw_only=True)
class _HistogramsDisplay(ExaminationDisplay):
    """A panel for each layer with a histogram; of more than 12 layers, 12 from front to back.

    headings: of the panels. histograms: of each. units: kind of unit of each.
    """

    color: ClassVar[str]
    label: ClassVar[str]
    headings: list[str]
    histograms: list[Histogram]
    units: list[str]

    def _panels(self) -> tuple[int, int]:
        return panels_for(len(self.histograms))

    def _size(self) -> tuple[float, float]:
        rows, columns = self._panels()
        return 6.0, 1.2 + (2.6 if columns == 1 else 1.7) * rows

    def _draw(self, axes: Any) -> None:
        for place, ax in enumerate(axes.flat):
            if place >= len(self.histograms):
                ax.set_axis_off()
                continue
            tidy(ax, self.label if place // axes.shape[1] == axes.shape[0] - 1 else "", grid="")
            ax.tick_params(labelsize=SMALL)
            ax.locator_params(axis="x", nbins=4)
            ax.ticklabel_format(axis="x", style="sci", scilimits=(-2, 3), useMathText=True)
            ax.xaxis.get_offset_text().set_fontsize(SMALL)
            _bars(ax, self.histograms[place], self.color)
            self._mark(ax, self.units[place])
            if axes.size > 1:
                heading(ax, self.headings[place])
        for ax in axes[:, 0]:
            ax.set_ylabel("share", fontsize=NORMAL)

    def _mark(self, ax: Any, unit: str) -> None:
        """What else a panel shows."""


@dataclass(eq=False, kw_only=True)
class ActivationsDisplay(_HistogramsDisplay):
    """Histograms of what each hidden layer puts out on all rows; a panel for each.

    Shaded: where tanh and sigmoid units are saturated. A bar that would dwarf the others is cut, and says its share.
    """

    name: ClassVar[str] = "activations"
    color: ClassVar[str] = PALETTE[0]
    label: ClassVar[str] = "output"

    @classmethod
    def lack(cls, record: Examination) -> str:
        """Why the examination cannot be drawn so, in a sentence; empty where it can."""
        return "" if _drawn(record.hidden, "outputs") else "there is no hidden layer with a histogram of its outputs."

    @classmethod
    def _made(cls, record: Examination) -> Self:
        layers = _drawn(record.hidden, "outputs")
        title = output_finding(record.hidden)
        said = words.listed(f"layer {a.number} mean {a.mean:.2g}, spread {a.deviation:.2g}, {trouble(a)}"
                            for a in record.hidden)  # fmt: skip
        return cls(
            headings=[f"layer {own.number}, {own.unit}: {trouble(own)}" for own in layers],
            histograms=[own.outputs for own in layers if own.outputs],
            units=[own.unit for own in layers],
            title=title,
            alt=f"{title}. Outputs: {said}.",
        )

    def _mark(self, ax: Any, unit: str) -> None:
        bounds = _BOUNDS.get(unit)
        if bounds:
            margin = 0.06 * (2 if unit == "tanh" else 1)
            low, high = (-1.0, 1.0) if unit == "tanh" else (0.0, 1.0)
            ax.set_xlim(low - margin, high + margin)
            for start, end in ((low - margin, bounds[0]), (bounds[1], high + margin)):
                ax.axvspan(start, end, color=PALETTE[1], alpha=0.25, linewidth=0, zorder=0)


@dataclass(eq=False, kw_only=True)
class GradientsDisplay(_HistogramsDisplay):
    """Histograms of the loss's gradient by the weights of each layer; a panel for each, with a scale of its own."""

    name: ClassVar[str] = "gradients"
    color: ClassVar[str] = PALETTE[2]
    label: ClassVar[str] = "gradient"

    @classmethod
    def lack(cls, record: Examination) -> str:
        """Why the examination cannot be drawn so, in a sentence; empty where it can."""
        return "" if _drawn(record.layers, "gradients") else "there is no layer with a histogram of its gradients."

    @classmethod
    def _made(cls, record: Examination) -> Self:
        layers = _drawn(record.layers, "gradients")
        title = gradient_finding(record.layers)
        said = words.listed(f"layer {own.number} {own.gradient_norm:.2g}" for own in record.layers)
        return cls(
            headings=[f"layer {own.number}: norm {own.gradient_norm:.2g}" for own in layers],
            histograms=[own.gradients for own in layers if own.gradients],
            units=[own.unit for own in layers],
            title=title,
            alt=f"{title}. Norms of the gradients by the weights: {said}.",
        )


def _drawn(layers: Sequence[LayerFacts], what: str) -> list[LayerFacts]:
    """Layers with a histogram that counts something, at most as many as have panels."""
    known = [own for own in layers if getattr(own, what) is not None and sum(getattr(own, what).counts)]
    return [known[place] for place in spread_out(len(known))]


def _bars(ax: Any, histogram: Histogram, color: str) -> None:
    """A histogram of shares; the first bar is cut where it would make lines of the others."""
    shares = np.asarray(histogram.counts) / max(1, sum(histogram.counts))
    edges = np.asarray(histogram.edges, dtype=float)
    ax.stairs(shares, edges, fill=True, color=color, alpha=0.85)
    highest, second = np.sort(np.append(shares, [0.0, 0.0]))[[-1, -2]]
    top = 1.15 * highest
    if second > 0 and highest > _TOWERS * second:
        top, at = 2 * second, int(shares.argmax())
        right = at > len(shares) / 2
        ax.annotate(f"{percent(float(highest))} ↑", (edges[at if right else at + 1], 1), (-3 if right else 3, -1),
                    textcoords="offset points", xycoords=ax.get_xaxis_transform(), fontsize=SMALL,
                    ha="right" if right else "left", va="top")  # fmt: skip
    ax.set_ylim(0, top or 1.0)
    ax.yaxis.set_major_formatter(lambda value, _: f"{100 * value:.3g}%")
    ax.locator_params(axis="y", nbins=4)
