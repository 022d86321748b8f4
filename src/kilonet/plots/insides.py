"""What goes through the layers of a network: histograms of outputs and gradients."""

from abc import abstractmethod
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

    what: ClassVar[str]  # of `LayerFacts` is drawn
    whose: ClassVar[str]
    color: ClassVar[str]
    label: ClassVar[str]
    headings: list[str]
    histograms: list[Histogram]
    units: list[str]

    @classmethod
    def lack(cls, record: Examination) -> str:
        """Why the examination cannot be drawn so, in a sentence; empty where it can."""
        return "" if cls._known(record) else f"there is no {cls.whose} with a histogram of its {cls.what}."

    @classmethod
    def _made(cls, record: Examination) -> Self:
        known = cls._known(record)
        layers = [known[place] for place in spread_out(len(known))]
        title, said = cls._finding(record), words.listed(map(cls._said, cls._layers(record)))
        return cls(
            headings=[cls._heading(own) for own in layers],
            histograms=[getattr(own, cls.what) for own in layers],
            units=[own.unit for own in layers],
            title=title,
            alt=f"{title}. {said}.",
        )

    @classmethod
    def _known(cls, record: Examination) -> list[LayerFacts]:
        """Layers with a histogram that counts something."""
        named = [(own, getattr(own, cls.what)) for own in cls._layers(record)]
        return [own for own, histogram in named if histogram is not None and sum(histogram.counts)]

    @classmethod
    @abstractmethod
    def _layers(cls, record: Examination) -> Sequence[LayerFacts]:
        """Those that may have a histogram."""

    @classmethod
    @abstractmethod
    def _finding(cls, record: Examination) -> str:
        """The title."""

    @classmethod
    @abstractmethod
    def _said(cls, layer: LayerFacts) -> str:
        """A layer for those who do not see the picture."""

    @classmethod
    @abstractmethod
    def _heading(cls, layer: LayerFacts) -> str:
        """The title of a layer's panel."""

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
    what: ClassVar[str] = "outputs"
    whose: ClassVar[str] = "hidden layer"
    color: ClassVar[str] = PALETTE[0]
    label: ClassVar[str] = "output"

    @classmethod
    def _layers(cls, record: Examination) -> Sequence[LayerFacts]:
        return record.hidden

    @classmethod
    def _finding(cls, record: Examination) -> str:
        return output_finding(record.hidden)

    @classmethod
    def _said(cls, layer: LayerFacts) -> str:
        return f"Layer {layer.number}: outputs of mean {layer.mean:.2g}, spread {layer.deviation:.2g}, {trouble(layer)}"

    @classmethod
    def _heading(cls, layer: LayerFacts) -> str:
        return f"layer {layer.number}, {layer.unit}: {trouble(layer)}"

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
    what: ClassVar[str] = "gradients"
    whose: ClassVar[str] = "layer"
    color: ClassVar[str] = PALETTE[2]
    label: ClassVar[str] = "gradient"

    @classmethod
    def _layers(cls, record: Examination) -> Sequence[LayerFacts]:
        return record.layers

    @classmethod
    def _finding(cls, record: Examination) -> str:
        return gradient_finding(record.layers)

    @classmethod
    def _said(cls, layer: LayerFacts) -> str:
        return f"Layer {layer.number}: gradient by the weights of norm {layer.gradient_norm:.2g}"

    @classmethod
    def _heading(cls, layer: LayerFacts) -> str:
        return f"layer {layer.number}: norm {layer.gradient_norm:.2g}"


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
