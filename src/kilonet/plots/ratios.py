"""How far steps go: the change that a step makes to the weights of a layer, by their size."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from kilonet.findings import Examination
from kilonet.plots import words
from kilonet.plots.base import ExaminationDisplay
from kilonet.plots.style import GREY, PALETTE, SMALL, Floats, finite, legend_beside, look, module, tidy

USUAL = 1e-3  # of the weights: what Stanford CS231n, part 3, calls about right; rules judge by more than that
_FLOOR = 1e-8  # lower end of any picture


@dataclass(eq=False, kw_only=True)
class UpdateRatioDisplay(ExaminationDisplay):
    """Norm of what a step changes by the norm of the weights, over the epochs; a line for each layer.

    A dotted line marks a thousandth. Where a layer stands still, its line runs along the lower edge.

    epochs: that were watched. ratios (epochs, layers), infinite where weights were all zero. numbers: of the layers.
    """

    name: ClassVar[str] = "update-ratio"
    epochs: list[int]
    ratios: Floats
    numbers: list[int]

    @classmethod
    def lack(cls, record: Examination) -> str:
        """Why the examination cannot be drawn so, in a sentence; empty where it can."""
        return "" if not np.isnan(record.history.update_ratio).all() else "no epoch was watched."

    @classmethod
    def _made(cls, record: Examination) -> Self:
        told = np.asarray(record.history.update_ratio, dtype=np.float64)
        watched = np.flatnonzero(~np.isnan(told).all(axis=1))
        title = _finding(told, watched)
        middle = np.nanmedian(told, axis=0)
        said = words.listed(f"layer {layer} {value:.2g}" for layer, value in enumerate(middle.tolist(), 1))
        return cls(
            epochs=(watched + 1).tolist(),
            ratios=told[watched],
            numbers=list(range(1, told.shape[1] + 1)),
            title=title,
            alt=f"{title}. Median of norm of change by norm of weights: {said}.",
        )

    def _draw(self, axes: Any) -> None:
        ax = axes[0, 0]
        tidy(ax, "epoch", "change by a step / weights (norms)", grid="both")
        ax.set_yscale("log")
        known = [value for value in finite(self.ratios.ravel()) if value > 0]
        low = max(_FLOOR, min([*known, USUAL]) / 3)
        high = max([*known, USUAL]) * 3
        ax.axhline(USUAL, color=GREY, linestyle=":", linewidth=1)
        ax.annotate(f"{_share(USUAL)}, a rule\nof thumb", (1, USUAL), (4, 0), xycoords=ax.get_yaxis_transform(),
                    textcoords="offset points", va="center", fontsize=SMALL, color=GREY)  # fmt: skip
        every = max(1, len(self.epochs) // 12)
        for layer, number in enumerate(self.numbers):
            there = ~np.isnan(self.ratios[:, layer])
            values = np.clip(self.ratios[there, layer], low, high)
            ax.plot(np.asarray(self.epochs)[there], values, **self._look(layer), markersize=4.5, linewidth=1.5,
                    markevery=every, label=f"layer {number}")  # fmt: skip
        ax.set_ylim(low, high)
        ax.locator_params(axis="x", integer=True)
        if len(self.epochs) == 1:
            ax.set_xticks(self.epochs)
        legend_beside(ax)

    def _look(self, layer: int) -> dict[str, Any]:
        """Colours from front to back where there are more layers than colours that all eyes tell apart."""
        if len(self.numbers) <= len(PALETTE):
            return look(layer)
        shade = module("matplotlib").colormaps["cividis"](layer / (len(self.numbers) - 1))
        return look(layer) | {"color": shade}


def _finding(told: Floats, watched: Any) -> str:
    """How long steps are, and where one is longer than those of the first and the last epoch; told (epochs, layers)."""
    first, last = told[watched[0]], told[watched[-1]]
    still = np.flatnonzero(np.nanmax(told[watched], axis=0) == 0)
    if len(still):
        return f"Layer {still[0] + 1} stands still: steps change none of its weights"
    then = f", {_range(last)} in epoch {watched[-1] + 1:,}" if len(watched) > 1 else ""
    size = f"Steps change {_range(first)} of a layer's weights in epoch {watched[0] + 1:,}{then}"
    epoch, layer = (int(place) + 1 for place in np.unravel_index(np.nanargmax(told), told.shape))
    inside = np.nanmax(told) <= max(np.nanmax(first), np.nanmax(last))
    return size if inside else f"{size}; at most {_share(float(np.nanmax(told)))} in epoch {epoch:,}, layer {layer}"


def _range(values: Floats) -> str:
    """From the smallest share to the largest."""
    low, high = (_share(float(end)) for end in (np.nanmin(values), np.nanmax(values)))
    return low if low == high else f"{low} to {high}"


def _share(value: float) -> str:
    """A share that may be tiny, in percent.

    >>> _share(0.0123), _share(2e-7), _share(35.0)
    ('1.2%', '0.00002%', '3,500%')
    """
    if not math.isfinite(value):
        return "∞%"
    digits = max(0, 1 - math.floor(math.log10(100 * value))) if value > 0 else 0
    text = f"{100 * value:,.{digits}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text}%"
