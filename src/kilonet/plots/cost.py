"""What does it cost? Losses against parameters, training time and the time of a prediction."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from kilonet.evidence import SearchRecord
from kilonet.numerals import capital, count, times
from kilonet.plots import words
from kilonet.plots.base import SIZE
from kilonet.plots.sizes import Architectures
from kilonet.plots.style import legend_below, loss_axis, size_axis, tidy
from kilonet.telling import called, loss_name


@dataclass(eq=False, kw_only=True)
class CostDisplay(Architectures):
    """Held-out loss against what a network costs: its parameters, seconds of a training, microseconds for a row.

    costs: name and values of each panel, one value for each architecture.
    """

    name: ClassVar[str] = "cost"
    costs: list[tuple[str, list[float]]]

    @classmethod
    def _made(cls, record: SearchRecord) -> Self:
        every, choice = record.architectures, record.choice
        title = capital(_cost_finding(record))
        named = capital(called(choice))
        return cls(
            **cls._shared(record),
            costs=[
                ("parameters", [float(own.n_parameters) for own in every]),
                ("seconds to train", [own.training_seconds for own in every]),
                ("microseconds a row", [own.microseconds_a_row for own in every]),
            ],
            title=title,
            alt=f"{title}. {named} has {count(choice.n_parameters, 'parameter')} "
            f"and a {loss_name(record)} of {choice.loss:.3g}.",
        )

    def _panels(self) -> tuple[int, int]:
        return 1, len(self.costs)

    def _size(self) -> tuple[float, float]:
        return SIZE[0], SIZE[1] + 0.06 * max(0, len(self.texts) - 8)

    def _grid(self) -> dict[str, Any]:
        return {"sharey": True}

    def _draw(self, axes: Any) -> None:
        for ax, (name, values) in zip(axes[0], self.costs, strict=True):
            tidy(ax, name, self.label if ax is axes[0, 0] else "", grid="both")
            self._marks(ax, values)
            size_axis(ax, values)
        loss_axis(axes[0, 0], self._seen())
        legend_below(axes[0, -1])


def _cost_finding(record: SearchRecord) -> str:
    """What the choice costs, and what the dearest or the cheapest of its equals does."""
    choice = record.choice
    row = words.duration(1e-6 * choice.microseconds_a_row)
    own = f"{called(choice)} trains in {words.duration(choice.training_seconds)}, predicts a row in {row}"
    others = [a for a in words.equals(record) if a.number != choice.number and a.training_seconds > 0]
    if not others or not choice.training_seconds > 0:
        return own
    dearest, cheapest = (find(others, key=lambda a: a.training_seconds) for find in (max, min))
    ratio = dearest.training_seconds / choice.training_seconds
    if ratio >= 1:
        takes = f"{times(ratio)} the time" if ratio >= 1.2 else "as long"
        return f"{own}; {called(dearest)} takes {takes} and {words.no_better(record, dearest)}"
    factor = times(cheapest.training_seconds / choice.training_seconds)
    return f"{own}; {called(cheapest)} ties in {factor} the time"
