"""Would more data help? Loss and score against the number of training rows."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from kilonet.evidence import SearchRecord
from kilonet.numerals import capital, significant
from kilonet.plots import words
from kilonet.plots.base import Display
from kilonet.plots.style import PALETTE, legend_above, size_axis, tidy
from kilonet.telling import by_loss, loss_name, number_of, scarce


@dataclass(eq=False, kw_only=True)
class LearningCurveDisplay(Display):
    """Loss and score of the chosen configuration with a part of the training rows, ±1 standard deviation over splits.

    rows: of training. loss, loss_std, score, score_std: at each. label, score_label: what they are called. The score
    has no panel where it is what was searched for, since it is the loss with another sign.
    """

    name: ClassVar[str] = "learning-curve"
    _legend_rows: ClassVar[int] = 1
    rows: list[float]
    loss: list[float]
    loss_std: list[float]
    score: list[float]
    score_std: list[float]
    label: str
    score_label: str

    @classmethod
    def lack(cls, record: SearchRecord) -> str:
        """Why the record cannot be drawn so, in a sentence; empty where it can."""
        known = [each for each in record.learning if math.isfinite(number_of(each["loss"]))]
        return "" if len(known) > 1 else "the choice was not trained with two numbers of rows."

    @classmethod
    def _made(cls, record: SearchRecord) -> Self:
        known = [each for each in record.learning if math.isfinite(number_of(each["loss"]))]
        columns = {name: [number_of(each.get(name)) for each in known]
                   for name in ("rows", "loss", "loss_std", "score", "score_std")}  # fmt: skip
        title = capital(_finding(columns, loss_name(record), scarce(record)))
        said = (
            f"{loss:.3g} with {rows:,.0f} rows" for loss, rows in zip(columns["loss"], columns["rows"], strict=True)
        )
        return cls(
            **columns,
            label=words.loss_label(record),
            score_label=f"{record.metric['score']} on held-out rows" if by_loss(record) else "",
            title=title,
            alt=f"{title}. Held-out {loss_name(record)}: {words.listed(said)}.",
        )

    def _panels(self) -> tuple[int, int]:
        return 1, 2 if self.score_label and np.isfinite(self.score).any() else 1

    def _draw(self, axes: Any) -> None:
        kinds = ((self.label, self.loss, self.loss_std), (self.score_label, self.score, self.score_std))
        for place, (ax, (label, mean, std)) in enumerate(zip(axes[0], kinds, strict=False)):
            tidy(ax, "training rows", label)
            middle, half = np.array(mean), np.where(np.isfinite(std), std, 0.0)
            ax.fill_between(self.rows, middle - half, middle + half, color=PALETTE[place], alpha=0.2, linewidth=0,
                            label="±1 std of splits")  # fmt: skip
            ax.plot(self.rows, middle, color=PALETTE[place], marker="os"[place], linestyle="-", linewidth=1.8)
            size_axis(ax, self.rows)
            ax.set_xticks(self.rows, labels=[f"{rows:,.0f}" for rows in self.rows])
            if place == 0:
                legend_above(ax, 1)


def _finding(columns: dict[str, list[float]], name: str, scarce: bool) -> str:
    """Whether more rows would help, from what the last of them gained and how far splits differ; scarce: few rows."""
    (before, after), (fewer, more) = columns["loss"][-2:], columns["rows"][-2:]
    stds = [std for std in columns["loss_std"][-2:] if math.isfinite(std)]
    gain, spread = before - after, max(stds, default=math.nan)
    step = f"from {fewer:,.0f} to {more:,.0f} rows the {name}"
    if scarce and not gain > spread:
        did = f"fell by {significant(gain)}" if gain > 0 else "did not fall"
        differ = f", and splits differ by ±{significant(spread)}" if math.isfinite(spread) else ""
        return f"too few rows to see whether more would help: {step} {did}{differ}"
    if gain <= 0:
        return f"more data would hardly help: {step} did not fall"
    fell = f"{step} fell by {significant(gain)}"
    if math.isnan(spread):
        return f"more data may help: {fell}, on a single split"
    if gain > spread:
        return f"more data would probably help: {fell}, more than splits differ (±{significant(spread)})"
    return f"more data may help, but it is not sure: {fell}, less than splits differ (±{significant(spread)})"
