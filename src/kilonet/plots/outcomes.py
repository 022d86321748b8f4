"""What the choice says of rows that it has not seen: how sure, which classes, how far off."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from kilonet.comparison import binomial_interval
from kilonet.evidence import SearchRecord
from kilonet.numerals import capital, count, figure, percent, significant
from kilonet.plots import words
from kilonet.plots.base import Display
from kilonet.plots.style import GREY, NORMAL, PALETTE, SMALL, Floats, bars, ink, legend_above, thousands, tidy
from kilonet.telling import number_of

_NUMBERS = 12  # classes of which a table still shows counts
_NAMES = 30  # classes of which each still has its name


@dataclass(eq=False, kw_only=True)
class ReliabilityDisplay(Display):
    """How often the choice is right where it is so sure: accuracy against confidence, with 95% intervals, and rows.

    confidence, accuracy, rows: of each bin. low, high: exact binomial intervals of the accuracy. error: the expected
    calibration error (ECE), the mean distance of the two over rows.
    """

    name: ClassVar[str] = "reliability"
    confidence: list[float]
    accuracy: list[float]
    rows: list[int]
    low: list[float]
    high: list[float]
    error: float

    @classmethod
    def lack(cls, record: SearchRecord) -> str:
        """Why the record cannot be drawn so, in a sentence; empty where it can."""
        return "" if record.predictions.get("reliability") else "there are no held-out probabilities of classes."

    @classmethod
    def _made(cls, record: SearchRecord) -> Self:
        bins = record.predictions["reliability"]
        rows = [int(own["rows"]) for own in bins]
        sure, right = ([number_of(own[name]) for own in bins] for name in ("confidence", "accuracy"))
        hits = [round(share * count) for share, count in zip(right, rows, strict=True)]
        bounds = [binomial_interval(hit, count) for hit, count in zip(hits, rows, strict=True)]
        error = number_of(record.predictions.get("calibration_error"))
        said, total = float(np.average(sure, weights=rows)), sum(rows)
        low, high = binomial_interval(sum(hits), total)
        fits = f"confidence fits, as far as {count(total, 'row')} can tell"
        verdict = "over-confident" if said > high else "under-confident" if said < low else fits
        title = f"{capital(verdict)}: {percent(said)} sure, {percent(sum(hits) / total)} right; ECE {error:.2g}"
        return cls(
            confidence=sure, accuracy=right, rows=rows, low=[a for a, _ in bounds], high=[b for _, b in bounds],
            error=error, title=title, alt=f"{title}, over {count(total, 'held-out row')} in {len(rows)} bins.",
        )  # fmt: skip

    def _panels(self) -> tuple[int, int]:
        return 2, 1

    def _grid(self) -> dict[str, Any]:
        return {"sharex": True, "height_ratios": (3, 1)}

    def _draw(self, axes: Any) -> None:
        ax, below = axes[:, 0]
        left = min(0.9, math.floor(10 * min(self.confidence)) / 10)
        tidy(ax, y="accuracy", grid="both")
        ax.plot([left, 1], [left, 1], color=GREY, linestyle="--", linewidth=1, label="as sure as right")
        ax.errorbar(self.confidence, self.accuracy, yerr=bars(self.accuracy, self.low, self.high), capsize=3,
                    color=PALETTE[0], marker="o", linewidth=1.4, elinewidth=1, label="bin, 95% interval")  # fmt: skip
        ax.legend(loc="best", fontsize=NORMAL, frameon=False)
        ax.set_ylim(min(0.98 * left, *self.low) - 0.02, 1.03)
        tidy(below, "confidence in the predicted class", "rows")
        below.bar(self.confidence, self.rows, width=0.06, color=PALETTE[5], edgecolor=PALETTE[0], linewidth=0.8)
        for place, height in zip(self.confidence, self.rows, strict=True):
            below.annotate(f"{height:,}", (place, height), (0, 1), textcoords="offset points", ha="center", va="bottom",
                           fontsize=SMALL)  # fmt: skip
        below.set_ylim(0, 1.3 * max(self.rows))
        below.set_xlim(left - 0.04, 1.04)


@dataclass(eq=False, kw_only=True)
class ConfusionDisplay(Display):
    """How often each class (rows) is taken for each (columns). Colours are shares of a row.

    classes: names. counts (n_classes, n_classes): of held-out rows, those of a class in its row.
    """

    name: ClassVar[str] = "confusion"
    classes: list[str]
    counts: NDArray[np.int64]

    @classmethod
    def lack(cls, record: SearchRecord) -> str:
        """Why the record cannot be drawn so, in a sentence; empty where it can."""
        return "" if record.predictions.get("confusion") else "there are no held-out classes, or too many of them."

    @classmethod
    def _made(cls, record: SearchRecord) -> Self:
        names = [str(name) for name in record.predictions["classes"]]
        counts = np.array(record.predictions["confusion"], dtype=np.int64)
        total, right = int(counts.sum()), int(np.trace(counts))
        wrong = counts - np.diag(np.diag(counts))
        true, said = np.unravel_index(int(wrong.argmax()), wrong.shape)
        worst = f"{names[true]} is taken for {names[said]} most often: {wrong[true, said]:,} of {counts[true].sum():,}"
        shown = f"{percent(right / max(1, total))} of {count(total, 'row')} right"
        title = capital(f"{worst}; {shown}" if wrong.any() else f"no class is taken for another; {shown}")
        recalls = (f"{name} {counts[i, i]:,} of {counts[i].sum():,}" for i, name in enumerate(names) if counts[i].any())
        return cls(
            classes=names, counts=counts, title=title, alt=f"{title}. Right of each class: {words.listed(recalls, 10)}."
        )

    def _margin(self) -> float:
        return 0.08 * max(len(_short(name)) for name in self.classes)

    def _draw(self, axes: Any) -> None:
        ax, n = axes[0, 0], len(self.classes)
        shares = self.counts / np.maximum(1, self.counts.sum(axis=1, keepdims=True))
        ax.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        step = math.ceil(n / _NAMES)
        names = [_short(name) for name in self.classes[::step]]
        small = NORMAL if n <= _NUMBERS else SMALL - 1
        long = max(map(len, names)) * n > 60
        ax.set_xticks(range(0, n, step), names, fontsize=small, rotation=90 if long else 0)
        ax.set_yticks(range(0, n, step), names, fontsize=small)
        ax.set_xlabel("predicted class", fontsize=NORMAL)
        ax.set_ylabel("true class", fontsize=NORMAL)
        ax.tick_params(length=0)
        if n <= _NUMBERS:
            for (i, j), count in np.ndenumerate(self.counts):
                dark = shares[i, j] > 0.5
                ax.text(j, i, f"{count:,}", ha="center", va="center", fontsize=NORMAL if count else SMALL,
                        color="white" if dark else "black" if count else GREY)  # fmt: skip
        else:
            bar = ax.get_figure().colorbar(ax.images[0], ax=ax, pad=0.02)
            bar.set_label("share of the true class", fontsize=NORMAL)
            bar.ax.tick_params(labelsize=SMALL)


def _short(name: str) -> str:
    """The name of a class beside a table: what sets a name apart may stand at either end."""
    return name if len(name) <= 14 else f"{name[:7]}…{name[-6:]}"


@dataclass(eq=False, kw_only=True)
class ResidualsDisplay(Display):
    """Predicted against true values of held-out rows; the nearer to the diagonal, the better.

    true, predicted (n,): of some rows. half, most: how far off half and 90% of all held-out rows are at the most.
    """

    name: ClassVar[str] = "residuals"
    _legend_rows: ClassVar[int] = 1
    true: Floats
    predicted: Floats
    half: float
    most: float

    @classmethod
    def lack(cls, record: SearchRecord) -> str:
        """Why the record cannot be drawn so, in a sentence; empty where it can."""
        return "" if len(_pairs(record)[0]) else "there are no held-out predictions of numbers."

    @classmethod
    def _made(cls, record: SearchRecord) -> Self:
        true, predicted = _pairs(record)
        off = record.predictions["errors"]
        half, most, mean, spread = (number_of(off[name]) for name in ("half", "most", "mean", "std"))
        side = "high" if mean > 0 else "low"
        error = 1.96 * spread / math.sqrt(off["rows"]) if math.isfinite(spread) else math.inf
        mean = abs(mean)
        much = figure(mean) if mean >= 1000 else significant(mean)
        leaning = f"{much} too {side}" if mean > error else "neither too high nor too low"
        within = f"within {figure(half)}, 90% within {figure(most)}"
        title = f"Half of the rows are predicted {within}; on average {leaning}"
        ends = f"True values go from {figure(true.min())} to {figure(true.max())}"
        return cls(
            true=true, predicted=predicted, half=half, most=most, title=title,
            alt=f"{title}. {ends}, predictions of {count(len(true), 'held-out row')} that are shown "
            f"from {figure(predicted.min())} to {figure(predicted.max())}.",
        )  # fmt: skip

    def _draw(self, axes: Any) -> None:
        ax = axes[0, 0]
        tidy(ax, "true value", "predicted value", grid="both")
        both = np.concatenate([self.true, self.predicted])
        margin = 0.04 * float(np.ptp(both)) or 1.0
        ends = np.array([both.min() - margin, both.max() + margin])
        ax.fill_between(
            ends, ends - self.most, ends + self.most, color=GREY, alpha=0.15, linewidth=0, label="90% of rows"
        )
        ax.plot(ends, ends, color=ink(), linestyle="--", linewidth=1, label="predicted = true")
        ax.plot(self.true, self.predicted, linestyle="none", marker="o", markersize=4, color=PALETTE[0], alpha=0.5,
                markeredgewidth=0, label="a held-out row")  # fmt: skip
        ax.set(xlim=ends, ylim=ends)
        thousands(ax, float(np.abs(ends).max()))
        legend_above(ax, 3)


def _pairs(record: SearchRecord) -> tuple[Floats, Floats]:
    """True and predicted values, where both are numbers."""
    names = ("true", "predicted") if record.task == "regression" else ()
    columns = [np.array([number_of(value) for value in record.predictions.get(name) or ()]) for name in names]
    if len(columns) != 2 or len(columns[0]) != len(columns[1]):
        return np.empty(0), np.empty(0)
    known = np.isfinite(columns[0]) & np.isfinite(columns[1])
    return columns[0][known], columns[1][known]
