"""A network from its first layer to its last: what arrives there, what does not learn, and how that is said."""

import math
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from kilonet.findings import Examination, LayerFacts
from kilonet.numerals import count, percent, times
from kilonet.plots import words
from kilonet.plots.base import ExaminationDisplay
from kilonet.plots.style import NORMAL, PALETTE, finite, inches, legend_above, loss_axis, tidy

MOST = 12  # panels of which each can still be read


@dataclass(eq=False, kw_only=True)
class LayersDisplay(ExaminationDisplay):
    """A network from its first layer to its last: norms of weights and gradients, and what share does not learn.

    numbers: of the layers. gradients, weights: norms of each. dead, saturated: shares of each, NaN for the last.
    """

    name: ClassVar[str] = "layers"
    _legend_rows: ClassVar[int] = 1
    numbers: list[int]
    gradients: list[float]
    weights: list[float]
    dead: list[float]
    saturated: list[float]

    @classmethod
    def lack(cls, record: Examination) -> str:
        """Why the examination cannot be drawn so, in a sentence; empty where it can."""
        return "" if record.hidden else "there is no hidden layer."

    @classmethod
    def _made(cls, record: Examination) -> Self:
        title = f"{gradient_finding(record.layers)}; {_lowered(output_finding(record.hidden))}"
        said = words.listed(f"layer {own.number} {trouble(own)}" for own in record.hidden)
        return cls(
            numbers=[own.number for own in record.layers],
            gradients=[own.gradient_norm for own in record.layers],
            weights=[own.weight_norm for own in record.layers],
            dead=[own.dead for own in record.hidden] + [math.nan],
            saturated=[own.saturated for own in record.hidden] + [math.nan],
            title=title,
            alt=f"{title}. From front to back: {said}.",
        )

    def _panels(self) -> tuple[int, int]:
        return 2, 1

    def _grid(self) -> dict[str, Any]:
        return {"sharex": True, "height_ratios": (3, 2)}

    def _draw(self, axes: Any) -> None:
        ax, below = axes[:, 0]
        tidy(ax, y="norm", grid="both")
        for values, place, marker, label in (
            (self.weights, 0, "o", "weights"),
            (self.gradients, 1, "s", "gradient of the loss by the weights"),
        ):
            ax.plot(self.numbers, [value if value > 0 else math.nan for value in values], color=PALETTE[place],
                    marker=marker, markersize=5, linewidth=1.6, label=label)  # fmt: skip
        loss_axis(ax, [value for value in (*self.weights, *self.gradients) if value > 0])
        legend_above(ax, 2)
        tidy(below, "layer", "share")
        for shift, values, color, hatch, label in (
            (-0.19, self.dead, "#333333", None, "dead units"),
            (0.19, self.saturated, PALETTE[4], "///", "saturated outputs"),
        ):
            known = [0.0 if math.isnan(value) else value for value in values]
            if not finite(values):
                continue
            below.bar(np.add(self.numbers, shift), known, width=0.36, color=color, hatch=hatch, edgecolor="white",
                      linewidth=0, label=label)  # fmt: skip
        below.set_xlim(self.numbers[0] - 0.5, self.numbers[-1] + 0.5)
        below.set_ylim(0, max(0.2, 1.12 * max(finite((*self.dead, *self.saturated)), default=0)))
        below.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        places = spread_out(len(self.numbers), 20)
        below.set_xticks([self.numbers[place] for place in places])
        legend_above(below, 2)


def panels_for(number: int) -> tuple[int, int]:
    """Rows and columns of a grid with places for so many panels.

    >>> [panels_for(number) for number in (1, 2, 3, 4, 5, 7)]
    [(1, 1), (1, 2), (1, 3), (2, 2), (2, 3), (3, 3)]
    """
    columns = 2 if number in (2, 4) else min(3, max(1, number))
    return max(1, math.ceil(number / columns)), columns


def spread_out(number: int, most: int = MOST) -> list[int]:
    """At most so many of the places below a number, evenly, first and last among them.

    >>> spread_out(3), spread_out(20, most=4)
    ([0, 1, 2], [0, 6, 13, 19])
    """
    return np.linspace(0, number - 1, min(number, most)).round().astype(int).tolist() if number else []


def heading(ax: Any, text: str) -> None:
    """A small title of one panel of several, in as many lines as it needs."""
    room = max(12, int(14.5 * inches(ax)[0]))  # letters
    ax.set_title(textwrap.fill(text, room), loc="left", fontsize=NORMAL, pad=4)


def trouble(layer: LayerFacts) -> str:
    """What share of a hidden layer does not learn, in a few words."""
    if math.isfinite(layer.saturated):
        return f"{percent(layer.saturated)} saturated"
    return f"{percent(layer.dead)} dead"


def output_finding(hidden: Sequence[LayerFacts]) -> str:
    """The layer of which the largest share does not learn, or that no layer has any."""
    dead = max(hidden, key=lambda own: own.dead)
    full = max(hidden, key=lambda own: (not math.isnan(own.saturated), own.saturated))
    if full.saturated > dead.dead:
        return f"Layer {full.number}: {percent(full.saturated)} of the {full.unit} outputs are saturated"
    if dead.dead:
        lost = round(dead.dead * dead.units)
        return f"Layer {dead.number}: {lost:,} of {count(dead.units, f'{dead.unit} unit')} are dead"
    return "No dead unit in any layer" + ("" if math.isnan(full.saturated) else ", no saturated output")


def gradient_finding(layers: Sequence[LayerFacts]) -> str:
    """What of the gradient arrives at the first layer; whether that is too little is for rules to judge."""
    if not all(math.isfinite(own.gradient_norm) for own in layers):
        lost = next(own for own in layers if not math.isfinite(own.gradient_norm))
        return f"The gradient of layer {lost.number} is no finite number"
    still = [own for own in layers if own.gradient_norm == 0]
    if still:
        return f"No gradient reaches layer {still[0].number}"
    if len(layers) == 1:
        return f"The gradient of the only layer has norm {layers[0].gradient_norm:.2g}"
    ratio = layers[0].gradient_norm / layers[-1].gradient_norm
    size = f"{ratio:.2g} ×" if 0.1 <= ratio < 10 else times(ratio)
    return f"The norm of the first layer's gradient is {size} that of the last's"


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
