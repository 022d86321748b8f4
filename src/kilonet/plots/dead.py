"""When units die: a map of all of them over the epochs, or the share of each layer where nobody watched single ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from kilonet.findings import Examination
from kilonet.numerals import count, percent
from kilonet.plots import words
from kilonet.plots.base import SIZE, ExaminationDisplay
from kilonet.plots.layers import heading, panels_for, spread_out
from kilonet.plots.style import GREY, NORMAL, SMALL, Floats, legend_above, look, module, tidy

# From dead to busy, darker for less, so that the order survives every eye and every printer.
_KINDS = (
    ("#14141F", "dead: on no row"),
    ("#08519C", "on less than 1% of rows"),
    ("#6BAED6", "1–10%"),
    ("#BDD7EE", "10–50%"),
    ("#EAF2FB", "more"),
)
_ABOVE = (0.0, 0.01, 0.1, 0.5)  # shares of rows between these kinds: above the first, from the others on
_MANY = 0.4  # the course notes' figure of what a rate that is too high may kill


@dataclass(eq=False, kw_only=True)
class DeadUnitsDisplay(ExaminationDisplay):
    """Every hidden unit over the epochs, the first to die on top: a dead unit is a dark row.

    Where an examination has no map, its history's share of dead units is drawn, a line for each layer; epochs that
    were not watched have no point.

    epochs: that were watched. activity: (epochs, units) for each layer that is drawn, units sorted; empty where there
    is no map. shares (epochs, hidden layers): of dead units. numbers: of the layers of activity, or of shares.
    """

    name: ClassVar[str] = "dead-units"
    epochs: list[int]
    activity: list[Floats]
    shares: Floats
    numbers: list[int]

    @classmethod
    def lack(cls, record: Examination) -> str:
        """Why the examination cannot be drawn so, in a sentence; empty where it can."""
        some = len(_map(record)[0]) or np.isfinite(record.history.dead).any()
        return "" if some else "no epoch was watched in a hidden layer."

    @classmethod
    def _made(cls, record: Examination) -> Self:
        epochs, maps = _map(record)
        if epochs:
            shares = np.stack([np.mean(own == 0, axis=1) for own in maps], axis=1)
            kept = spread_out(len(maps))
            title = _map_finding(epochs, maps)
        else:
            told = np.asarray(record.history.dead, dtype=np.float64)
            watched = np.flatnonzero(np.isfinite(told).any(axis=1))
            epochs, shares, kept = (watched + 1).tolist(), told[watched], list(range(told.shape[1]))
            title = _share_finding(epochs, shares)
        said = words.listed(f"layer {layer} {percent(share)}" for layer, share in enumerate(shares[-1].tolist(), 1))
        return cls(
            epochs=epochs,
            activity=[maps[place][:, _order(maps[place])] for place in kept] if maps else [],
            shares=shares,
            numbers=[place + 1 for place in kept],
            title=title,
            alt=f"{title}. Dead after epoch {epochs[-1]:,}: {said}.",
        )

    def _panels(self) -> tuple[int, int]:
        return panels_for(len(self.activity))

    def _grid(self) -> dict[str, Any]:
        return {"sharex": True}

    def _size(self) -> tuple[float, float]:
        return (6.0, 1.6 + 2.2 * self._panels()[0]) if self.activity else SIZE

    def _draw(self, axes: Any) -> None:
        if not self.activity:
            self._curves(axes[0, 0])
            return
        colors = module("matplotlib.colors")
        colormap = colors.ListedColormap([color for color, _ in _KINDS])
        sides = _sides(self.epochs)
        for place, ax in enumerate(axes.flat):
            if place >= len(self.activity):
                ax.set_axis_off()
                continue
            last = place + axes.shape[1] >= len(self.activity)
            tidy(ax, "epoch" if last else "", grid="")
            own = self.activity[place]
            ax.pcolormesh(sides, np.arange(own.shape[1] + 1), _kinds(own).T, cmap=colormap, vmin=-0.5,
                          vmax=len(_KINDS) - 0.5, rasterized=True)  # fmt: skip
            ax.set_ylim(own.shape[1], 0)
            ax.set_yticks([])
            ax.tick_params(labelsize=SMALL, labelbottom=last)
            ax.locator_params(axis="x", nbins=5, integer=True)
            if axes.size > 1:
                dead = f"{np.count_nonzero(own[-1] == 0):,} of {own.shape[1]:,} dead"
                heading(ax, f"layer {self.numbers[place]}: {dead}")
        for ax in axes[:, 0]:
            ax.set_ylabel("units, first to die on top", fontsize=NORMAL)
        self._legend(axes[0, 0])

    def _legend(self, ax: Any) -> None:
        patch = module("matplotlib.patches").Patch
        handles = [patch(facecolor=color, edgecolor=GREY, linewidth=0.5, label=label) for color, label in _KINDS]
        ax.figure.legend(handles=handles, loc="outside lower center", ncols=len(_KINDS), fontsize=SMALL, frameon=False,
                         handlelength=1.2, columnspacing=1.2, handletextpad=0.4)  # fmt: skip

    def _curves(self, ax: Any) -> None:
        tidy(ax, "epoch", "dead units of a layer")
        for layer, number in enumerate(self.numbers):
            known = np.isfinite(self.shares[:, layer])
            x = np.asarray(self.epochs)[known]
            ax.plot(x, self.shares[known, layer], **look(layer), markersize=4, linewidth=1.6,
                    markevery=max(1, len(x) // 15), label=f"layer {number}")  # fmt: skip
        top = max(0.12, 1.12 * float(np.nanmax(self.shares)))
        if top > _MANY:
            ax.axhline(_MANY, color=GREY, linestyle=":", linewidth=1)
            ax.annotate(f"{_MANY:.0%}: the course notes' figure", (0, _MANY), (3, 2), xycoords=ax.get_yaxis_transform(),
                        textcoords="offset points", fontsize=SMALL, color=GREY)  # fmt: skip
        ax.set_ylim(-0.01, min(1.03, top))
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
        ax.locator_params(axis="x", integer=True)
        if len(self.numbers) > 1:
            legend_above(ax, min(5, len(self.numbers)))

    @property
    def _legend_rows(self) -> int:  # type: ignore[override]
        return 0 if self.activity or len(self.numbers) == 1 else -(-len(self.numbers) // 5)


def _map(record: Examination) -> tuple[list[int], list[Floats]]:
    """Epochs, and the activity (epochs, units) of each hidden layer; nothing where there is no map."""
    if record.activity is None or not len(record.activity[0]) or not record.activity[1]:
        return [], []
    return list(record.activity[0]), [np.asarray(own, dtype=np.float64) for own in record.activity[1]]


def _kinds(activity: Floats) -> NDArray[np.int64]:
    """The place among kinds of each share of rows."""
    first, *rest = _ABOVE
    kinds: NDArray[np.int64] = np.sum([activity > first, *(activity >= bound for bound in rest)], axis=0)
    return kinds


def _deaths(activity: Floats) -> NDArray[np.int64]:
    """For each unit the place of the epoch from which on it is dead to the end; the number of epochs where it lives.

    >>> _deaths(np.array([[0.0, 0.0, 0.5], [0.2, 0.0, 0.5], [0.0, 0.0, 0.5]])).tolist()
    [2, 0, 3]
    """
    alive = activity > 0
    return np.asarray(np.where(alive.any(axis=0), len(alive) - np.argmax(alive[::-1], axis=0), 0))


def _order(activity: Floats) -> NDArray[np.intp]:
    """Units by when they die, those that live by how little they do."""
    return np.lexsort((activity.mean(axis=0), _deaths(activity)))


def _sides(epochs: Sequence[int]) -> Floats:
    """Where the columns of epochs begin and end: half-way between them."""
    at = np.asarray(epochs, dtype=np.float64)
    if len(at) == 1:
        return np.array([at[0] - 0.5, at[0] + 0.5])
    middle = (at[1:] + at[:-1]) / 2
    return np.concatenate([[2 * at[0] - middle[0]], middle, [2 * at[-1] - middle[-1]]])


def _map_finding(epochs: Sequence[int], maps: Sequence[Floats]) -> str:
    """How many units of the worst layer die, and when half of those are gone."""
    dead = [float(np.mean(own[-1] == 0)) for own in maps]
    worst = int(np.argmax(dead))
    if not dead[worst]:
        once = sum(int((own == 0).any(axis=0).sum()) for own in maps)
        back = f"; {count(once, 'unit')} came back" if once else ""
        return f"No unit is dead after {count(epochs[-1], 'epoch')}{back}"
    own = maps[worst]
    lost = np.sort(_deaths(own)[own[-1] == 0])
    when = epochs[lost[(len(lost) - 1) // 2]]
    share = f"{len(lost):,} of {count(own.shape[1], 'unit')}"
    return f"Layer {worst + 1}: {share} are dead, half of those by epoch {when:,}"


def _share_finding(epochs: Sequence[int], shares: Floats) -> str:
    """The share of the worst layer at the end, and since when it is as bad as half of that."""
    last = np.array([own[np.isfinite(own)][-1] for own in shares.T])
    worst = int(np.argmax(last))
    if not last[worst]:
        return f"No unit is dead after {count(epochs[-1], 'epoch')}"
    since = epochs[int(np.argmax(shares[:, worst] >= last[worst] / 2))]
    return f"Layer {worst + 1}: {percent(float(last[worst]))} of the units are dead, half of that by epoch {since:,}"
