"""How much regularization? Losses along λ."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple, Self

import numpy as np

from kilonet.evidence import ArchitectureRecord, CandidateRecord, SearchRecord
from kilonet.numerals import capital, count, significant
from kilonet.plots import words
from kilonet.plots.base import Display
from kilonet.plots.style import GREY, finite, legend_beside, look, loss_axis, ring, size_axis, tidy
from kilonet.telling import by_loss, called, loss_name

_BELOW = 8  # times the lowest held-out loss over a training loss that is still seen: lines leave the picture there


class Path(NamedTuple):
    """One architecture along λ: l2, held-out and training loss at each, first-seed splits behind each difference."""

    text: str
    l2: list[float]
    loss: list[float]
    training: list[float]
    splits: list[int]


@dataclass(eq=False, kw_only=True)
class RegularizationPathDisplay(Display):
    """Held-out loss against λ, a line for each architecture; its training loss is dashed.

    For each λ the candidate that came furthest in the search, of equals the one with the lowest loss. Candidates saw
    different numbers of splits, so each is measured by its difference to the architecture's best candidate, with the
    first seed on the splits that both saw, from the architecture's own loss on. λ = 0 stands one step left of the
    smallest. Training losses are means over the first seed's runs; far below they leave the picture, and where another
    score than the loss was searched for there are none.

    paths: a `Path` for each architecture. best: λ and loss of the choice, or None. chosen: its place.
    """

    name: ClassVar[str] = "regularization-path"
    paths: list[Path]
    chosen: int
    best: tuple[float, float] | None
    label: str

    @classmethod
    def lack(cls, record: SearchRecord) -> str:
        """Why the record cannot be drawn so, in a sentence; empty where it can."""
        most = max((len(_path(record, own).l2) for own in record.architectures), default=0)
        return "" if most > 1 else "no architecture was tried at two values of l2."

    @classmethod
    def _made(cls, record: SearchRecord) -> Self:
        paths = [_path(record, own) for own in record.architectures]
        own = record.best.params.get("l2")
        title = capital(_finding(record, paths))
        said = (f"{path.text} {_least(path)[1]:.3g} at λ={_least(path)[0]:g}" for path in paths if path.l2)
        return cls(
            paths=paths,
            chosen=record.chosen,
            best=None if own is None else (float(own), record.choice.loss),
            label=words.loss_label(record),
            title=title,
            alt=f"{title}. Lowest {loss_name(record)} along λ: {words.listed(said)}.",
        )

    def _draw(self, axes: Any) -> None:
        ax = axes[0, 0]
        tidy(ax, "λ (l2)", self.label, grid="both")
        values = sorted({l2 for path in self.paths for l2 in path.l2})
        least = min((value for value in values if value > 0), default=1.0)
        for number, path in enumerate(self.paths):
            x = [l2 or least / 10 for l2 in path.l2]
            style, wide = look(number), 2.4 if number == self.chosen else 1.4
            ax.plot(x, path.loss, **style, linewidth=wide, markersize=6, label=path.text)
            ax.plot(
                x, path.training, **style, linestyle=(0, (4, 2)), linewidth=1, markersize=3.5, markerfacecolor="none"
            )
        if self.best is not None:
            ring(ax, self.best[0] or least / 10, self.best[1])
        if any(finite(path.training) for path in self.paths):
            ax.plot([], [], color=GREY, linestyle=(0, (4, 2)), linewidth=1, label="dashed: training")
        held = finite(value for path in self.paths for value in path.loss)
        floor = min(held) / _BELOW if min(held) > 0 else -math.inf
        training = finite(value for path in self.paths for value in path.training)
        loss_axis(ax, [*held, *(max(value, floor) for value in training)])
        size_axis(ax, [value or least / 10 for value in values])
        places = values[:: math.ceil(len(values) / 7)]
        ax.set_xticks([value or least / 10 for value in places], labels=[f"{value:g}" for value in places])
        legend_beside(ax)


def _path(record: SearchRecord, architecture: ArchitectureRecord) -> Path:
    best = record.candidates[architecture.best]
    tried: dict[float, list[CandidateRecord]] = {}
    for candidate in record.candidates:
        own = candidate.architecture == architecture.number and candidate.params.get("l2") is not None
        if own and _seen(candidate).any():
            tried.setdefault(float(candidate.params["l2"]), []).append(candidate)
    path = Path(architecture.text, [], [], [], [])
    for l2 in sorted(tried):
        kept = min(tried[l2], key=lambda own: (own.number != best.number, -_seen(own).sum(), _mean(_first(own))))
        shared = _seen(kept) & _seen(best)
        level = architecture.loss if math.isfinite(architecture.loss) else _mean(_first(best))
        if not shared.any():
            continue
        path.l2.append(l2)
        path.loss.append(level + float(np.mean(_first(kept)[shared] - _first(best)[shared])))
        path.training.append(_mean(_first(kept, "training_losses")) if by_loss(record) else math.nan)
        path.splits.append(int(shared.sum()))
    return path


def _first(candidate: CandidateRecord, name: str = "losses") -> Any:
    """What the first seed came to, split by split."""
    return candidate.table(name)[:, 0]


def _seen(candidate: CandidateRecord) -> Any:
    return np.isfinite(_first(candidate))


def _mean(values: Any) -> float:
    known = finite(values)
    return float(np.mean(known)) if known else math.nan


def _least(path: Path) -> tuple[float, float]:
    """λ and loss where the loss is lowest."""
    place = int(np.argmin(path.loss))
    return path.l2[place], path.loss[place]


def _finding(record: SearchRecord, paths: list[Path]) -> str:
    """What the choice would lose at both ends of λ; of the largest network where the choice has one λ alone."""
    known = [own for own in record.architectures if len(paths[own.number].l2) > 1]
    shown = max(known, key=lambda own: (own.number == record.chosen, bool(own.hidden), own.n_parameters))
    path, own = paths[shown.number], record.candidates[shown.best].params.get("l2")
    place = path.l2.index(float(own)) if own in path.l2 else int(np.argmin(path.loss))
    l2, loss = path.l2[place], path.loss[place]
    ends = [(path.l2[end], path.loss[end] - loss, path.splits[end]) for end in (0, -1) if path.l2[end] != l2]
    matter = [end for end in ends if end[1] > words.MATTERS * abs(loss)]
    where = f"from {path.l2[0]:g} to {path.l2[-1]:g}"
    name = called(shown)
    if not matter:
        change = f"{where} its {loss_name(record)} changes by {significant(float(np.ptp(path.loss)))}"
        return f"{name} hardly depends on λ: {change}"
    lost = " and ".join(f"{significant(loss)} at λ={end:g}" for end, loss, _ in matter)
    few = count(min(end[2] for end in matter), "split")
    taken = "is chosen with" if shown.number == record.chosen else "is best at"
    return f"{name} {taken} λ={l2:g}: it would lose {lost} (one seed, {few})"
