"""How large a network? Losses against parameters and depth."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from kilonet.evidence import ArchitectureRecord, SearchRecord
from kilonet.numerals import capital, count, significant
from kilonet.plots import words
from kilonet.plots.base import Display
from kilonet.plots.style import GREY, bars, finite, legend_beside, look, loss_axis, ring, size_axis, tidy
from kilonet.telling import by_loss, loss_name, number_of


@dataclass(eq=False, kw_only=True)
class Architectures(Display):
    """One mark for each architecture at its own best settings, the same mark in all pictures, with its 95% interval.

    texts, loss, low, high: of each architecture, NaN where a run was lost. chosen: the place of the choice.
    """

    texts: list[str]
    loss: list[float]
    low: list[float]
    high: list[float]
    chosen: int
    label: str

    @classmethod
    def lack(cls, record: SearchRecord) -> str:
        """Why the record cannot be drawn so, in a sentence; empty where it can."""
        return "" if len(words.sound(record)) > 1 else "fewer than two architectures finished all their runs."

    @staticmethod
    def _shared(record: SearchRecord) -> dict[str, Any]:
        every = record.architectures
        return {
            "texts": [own.text + (" (diverged)" if own.diverged else "") for own in every],
            "loss": [own.loss for own in every],
            "low": [own.loss_low for own in every],
            "high": [own.loss_high for own in every],
            "chosen": record.chosen,
            "label": words.loss_label(record),
        }

    def _marks(self, ax: Any, x: Sequence[float]) -> None:
        lengths = bars(self.loss, self.low, self.high)
        for number, text in enumerate(self.texts):
            style, own = look(number), ([x[number]], [self.loss[number]])
            ax.errorbar(*own, yerr=lengths[:, [number]], linestyle="none", color=style["color"], elinewidth=1.2,
                        capsize=3)  # fmt: skip
            ax.plot(*own, **style, linestyle="none", markersize=7, label=text, zorder=4)
        ring(ax, x[self.chosen], self.loss[self.chosen])

    def _seen(self) -> list[float]:
        """What the axis of losses has to hold: all but lower ends that no logarithm has."""
        seen = finite([*self.loss, *self.high])
        return seen + [low for low in finite(self.low) if low > 0 or min(seen) <= 0]


@dataclass(eq=False, kw_only=True)
class CapacityDisplay(Architectures):
    """Held-out and training loss against the number of parameters, each architecture at its own best settings.

    Intervals are those of the mean over splits. Lines: the network without hidden layers, and what looks at no
    column. training: NaN throughout where another score than the loss was searched for. A baseline far above all
    that is drawn is named in the legend and lies outside.

    parameters, training: of each architecture. single: loss of the single layer. baselines: name and loss.
    """

    name: ClassVar[str] = "capacity"
    parameters: list[int]
    training: list[float]
    single: float
    baselines: list[tuple[str, float]]

    @classmethod
    def _made(cls, record: SearchRecord) -> Self:
        every = record.architectures
        title = capital(words.size_finding(record))
        training = [own.training_loss if by_loss(record) else math.nan for own in every]
        said = (
            f"{own.text} {own.loss:.3g} with {own.n_parameters:,}"
            + (f" (training {training[own.number]:.3g})" if math.isfinite(training[own.number]) else "")
            for own in words.sound(record)
        )
        return cls(
            **cls._shared(record),
            parameters=[own.n_parameters for own in every],
            training=training,
            single=next((own.loss for own in every if not own.hidden), math.nan),
            baselines=[(str(own["name"]), number_of(own["loss"])) for own in record.baselines],
            title=title,
            alt=f"{title}. Held-out {loss_name(record)} and parameters: {words.listed(said)}.",
        )

    def _draw(self, axes: Any) -> None:
        ax = axes[0, 0]
        tidy(ax, "parameters", self.label)
        for number, value in enumerate(self.training):
            ax.plot([self.parameters[number]], [value], **look(number), linestyle="none", markersize=5.5,
                    markerfacecolor="none", zorder=3)  # fmt: skip
        self._marks(ax, self.parameters)
        if finite(self.training):
            ax.plot([], [], color=GREY, marker="o", markerfacecolor="none", linestyle="none", label="hollow: training")
        seen = self._seen() + finite(self.training)
        if math.isfinite(self.single):
            label = f"single-layer network: {self.single:.3g}"
            ax.axhline(self.single, color=GREY, linewidth=1, linestyle="--", label=label, zorder=1)
        for name, loss in self.baselines:
            if not math.isfinite(loss):
                continue
            inside = loss <= max(seen) + 0.5 * (max(seen) - min(seen))
            seen += [loss] if inside else []
            label = f"{name}: {loss:.3g}" + ("" if inside else ", above")
            ax.axhline(loss, color=GREY, linewidth=1.2, linestyle=":", label=label, zorder=1)
        loss_axis(ax, seen)
        size_axis(ax, self.parameters)
        legend_beside(ax)


@dataclass(eq=False, kw_only=True)
class DepthDisplay(Architectures):
    """Held-out loss against the number of hidden layers, a mark for each architecture, the smaller to the left.

    depth: hidden layers of each architecture. parameters: of each.
    """

    name: ClassVar[str] = "depth"
    depth: list[int]
    parameters: list[int]

    @classmethod
    def lack(cls, record: SearchRecord) -> str:
        """Why the record cannot be drawn so, in a sentence; empty where it can."""
        depths = {len(own.hidden) for own in words.sound(record)}
        return "" if len(depths) > 1 else "all architectures that finished have the same number of hidden layers."

    @classmethod
    def _made(cls, record: SearchRecord) -> Self:
        best = {depth: min(own.loss for own in _of_depth(record, depth)) for depth in _depths(record)}
        title = capital(_depth_finding(record))
        said = (f"{loss:.3g} with {count(depth, 'hidden layer')}" for depth, loss in best.items())
        return cls(
            **cls._shared(record),
            depth=[len(own.hidden) for own in record.architectures],
            parameters=[own.n_parameters for own in record.architectures],
            title=title,
            alt=f"{title}. Lowest {loss_name(record)}: {words.listed(said)}.",
        )

    def _draw(self, axes: Any) -> None:
        ax = axes[0, 0]
        tidy(ax, "hidden layers", self.label)
        x = np.array(self.depth, dtype=float)
        for depth in set(self.depth):
            own = [i for i in np.argsort(self.parameters, kind="stable") if self.depth[i] == depth]
            x[own] += np.linspace(-0.3, 0.3, len(own)) if len(own) > 1 else 0.0
        known = sorted({depth for depth, loss in zip(self.depth, self.loss, strict=True) if math.isfinite(loss)})
        best = [np.nanargmin(np.where(x.round() == depth, self.loss, np.nan)) for depth in known]
        ax.plot(x[best], np.array(self.loss)[best], color=GREY, linewidth=1, linestyle=":", label="best of each depth")
        self._marks(ax, x.tolist())
        ax.set_xticks(range(min(self.depth), max(self.depth) + 1))
        ax.set_xlim(min(self.depth) - 0.5, max(self.depth) + 0.5)
        loss_axis(ax, self._seen())
        legend_beside(ax)


def _depths(record: SearchRecord) -> list[int]:
    return sorted({len(own.hidden) for own in words.sound(record)})


def _of_depth(record: SearchRecord, depth: int) -> list[ArchitectureRecord]:
    return [own for own in words.sound(record) if len(own.hidden) == depth]


def _layers(depth: int) -> str:
    return {0: "a single-layer network", 1: "one hidden layer"}.get(depth, f"{depth} hidden layers")


def _depth_finding(record: SearchRecord) -> str:
    """Whether deeper networks than the choice are worth it, and what other depths are."""
    if words.untold(record):
        return words.untold(record)
    equal = {len(own.hidden) for own in words.equals(record)}
    if not equal:
        return "no depth is the best: the best architecture lost a run"
    chosen = len(record.choice.hidden)
    enough = chosen if chosen in equal else min(equal)
    deeper = [str(depth) for depth in sorted(equal) if depth > enough]
    which = " or ".join([", ".join(deeper[:-1]), deeper[-1]] if len(deeper) > 1 else deeper)
    tells = f" (no test tells {which} from {'it' if enough < 2 else 'them'})" if deeper else ""
    said = "chosen" if min(equal) < enough else "enough"
    parts = [f"{_layers(enough)} {'is' if enough < 2 else 'are'} {said}{tells}"]
    base = record.architectures[record.reference].loss
    for depth in _depths(record):
        best, plural = min(own.loss for own in _of_depth(record, depth)), "" if depth > 1 else "s"
        if depth not in equal:
            parts.append(f"{_layers(depth)} lose{plural} {significant(best - base)}")
        elif depth < enough:
            parts.append(f"{_layers(depth)} tie{plural}{words.higher(record, best, base)}")
    return "; ".join(parts)
