"""What size and regularization do to the borders between classes, in a plane through the data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from kilonet.evidence import SearchRecord
from kilonet.numerals import capital, percent
from kilonet.plots import words
from kilonet.plots.base import SIZE, Display
from kilonet.plots.style import NORMAL, SMALL, Floats, ink, legend_below, look, module
from kilonet.telling import number_of

_LONG = 40  # letters of a column's name on an axis
_TICKS = 4  # of an axis, at most
_BORDERS = 20  # classes of which borders are drawn


@dataclass(eq=False, kw_only=True)
class RegionsDisplay(Display):
    """A panel for each size (rows) and λ (columns): the class of every place of a plane, and the data.

    sizes: texts of the rows. strengths: λ of the columns. classes: names. features: names of the two columns that
    span the plane; x, y: the grid's coordinates in them. others: how many columns are held, 0 where the plane is all
    there is. regions: (rows, columns, len(y), len(x)), a class for each place, −1 where there was no run. misfits
    (rows, columns): share of all training rows that the network tells wrong, NaN likewise. points (n, 2),
    point_classes (n,): training rows, projected on the plane where it is a slice. chosen: row and column of the
    choice, or None where it is none of the panels.
    """

    name: ClassVar[str] = "regions"
    sizes: list[str]
    strengths: list[float]
    classes: list[str]
    features: list[str]
    others: int
    x: Floats
    y: Floats
    regions: NDArray[np.int64]
    misfits: Floats
    points: Floats
    point_classes: NDArray[np.int64]
    chosen: tuple[int, int] | None

    @classmethod
    def lack(cls, record: SearchRecord) -> str:
        """Why the record cannot be drawn so, in a sentence; empty where it can."""
        if record.regions is None:
            return (
                "the data have no plane. Regions are of classes, in at least two columns of numbers that an encoder "
                "neither bounds nor cuts into pieces."
            )
        return "" if record.regions["labels"] else "no network was trained for the plane."

    @classmethod
    def _made(cls, record: SearchRecord) -> Self:
        given: Any = record.regions
        x, y = np.array(given["x"]), np.array(given["y"])
        sizes, strengths = [str(text) for text in given["rows"]], [float(l2) for l2 in given["columns"]]
        shape = (len(sizes), len(strengths))
        own = (record.choice.text, record.best.params.get("l2"))
        places = [(i, j) for i, size in enumerate(sizes) for j, l2 in enumerate(strengths) if (size, l2) == own]
        table = np.array(given["labels"], dtype=np.int64).reshape(*shape, len(y), len(x))
        wrong = np.array([number_of(share) for share in given["misfits"]]).reshape(shape)
        others = sum(given["others"].values())
        title = capital(_finding(sizes, strengths, table, wrong) + _sliced(given["others"]))
        said = (f"{size} at λ={l2:g} {percent(wrong[i, j])}" for i, size in enumerate(sizes)
                for j, l2 in enumerate(strengths) if np.isfinite(wrong[i, j]))  # fmt: skip
        return cls(
            sizes=sizes, strengths=strengths, classes=[str(name) for name in given["classes"]],
            features=[str(name) for name in given["features"]], others=others, x=x, y=y, regions=table, misfits=wrong,
            points=np.array(given["points"], dtype=np.float64).reshape(-1, 2),
            point_classes=np.array(given["point_classes"], dtype=np.int64), chosen=places[0] if places else None,
            title=title,
            alt=f"{title}. {_plane(given)} Training rows that a network tells wrong: {words.listed(said, most=16)}.",
        )  # fmt: skip

    def _panels(self) -> tuple[int, int]:
        return len(self.sizes), len(self.strengths)

    def _grid(self) -> dict[str, Any]:
        return {"sharex": True, "sharey": True}

    def _size(self) -> tuple[float, float]:
        return SIZE[0], max(SIZE[1], 1.6 + 0.8 * len(self.sizes))

    def _beside(self) -> float:
        return 0.2 + 0.08 * max(len(part) for size in self.sizes for part in size.split())

    def _draw(self, axes: Any) -> None:
        tints = module("matplotlib.colors").ListedColormap([look(i)["color"] for i in range(len(self.classes))])
        dots = float(np.clip(8 * np.sqrt(250 / max(1, len(self.points))) / max(self._panels()), 1.6, 5))
        for (i, j), ax in np.ndenumerate(axes):
            self._panel(ax, self.regions[i, j], tints, dots)
            ax.set(xlim=(self.x[0], self.x[-1]), ylim=(self.y[0], self.y[-1]))
            if (i, j) == self.chosen:
                for spine in ax.spines.values():
                    spine.set(linewidth=2.5, edgecolor=ink())
                ax.text(0.03, 0.04, "chosen", transform=ax.transAxes, fontsize=SMALL, fontweight="bold", color="black",
                        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85})  # fmt: skip
            strength, size = f"λ={self.strengths[j]:g}", self.sizes[i].replace(" ", "\n")
            if i == 0 and axes.size > 1:
                ax.set_title(strength, fontsize=NORMAL)
            if j == len(self.strengths) - 1:
                text = size if axes.size > 1 else f"{size}\n{strength}"  # above a single panel is the title
                ax.annotate(text, (1, 0.5), (6, 0), xycoords="axes fraction", textcoords="offset points",
                            fontsize=NORMAL, va="center")  # fmt: skip
        self._label(axes)
        for number, name in enumerate(self.classes):
            axes[-1, -1].plot([], [], **look(number), linestyle="none", markersize=6, label=name)
        legend_below(axes[-1, -1])

    def _label(self, axes: Any) -> None:
        """Names of the two columns once, in the middle of the outer panels, and few numbers."""
        rows, columns = axes.shape
        for ax in axes.flat:
            ax.tick_params(labelsize=SMALL, length=2.5)
        x, y = (name if len(name) <= _LONG else f"{name[: _LONG - 1]}…" for name in self.features)
        x, y = x + _few_ticks(axes[0, 0].xaxis), y + _few_ticks(axes[0, 0].yaxis)  # the panels share them
        below, beside = axes[-1, (columns - 1) // 2], axes[rows // 2, 0]
        below.set_xlabel(x, fontsize=NORMAL, parse_math=False, x=0.5 if columns % 2 else 1.0)
        beside.set_ylabel(y, fontsize=NORMAL, parse_math=False, y=0.5 if rows % 2 else 1.0)

    def _panel(self, ax: Any, labels: NDArray[np.int64], tints: Any, dots: float) -> None:
        extent = (self.x[0], self.x[-1], self.y[0], self.y[-1])
        ax.imshow(np.ma.masked_less(labels, 0), origin="lower", extent=extent, aspect="auto", cmap=tints, alpha=0.28,
                  vmin=-0.5, vmax=len(self.classes) - 0.5, interpolation="nearest")  # fmt: skip
        for number in range(len(self.classes)):
            if len(self.classes) <= _BORDERS and 0 < (labels == number).sum() < labels.size:
                ax.contour(self.x, self.y, labels == number, levels=[0.5], colors=[ink()], linewidths=0.7)
            own = self.points[self.point_classes == number]
            ax.plot(own[:, 0], own[:, 1], **look(number), linestyle="none", markersize=dots, markeredgewidth=0)


def _few_ticks(axis: Any) -> str:
    """Number an axis sparsely; what its numbers are to be multiplied by, which is told once, behind its name."""
    axis.set_major_locator(module("matplotlib.ticker").MaxNLocator(_TICKS - 1))
    low, high = sorted(axis.get_view_interval())
    ticks = [tick for tick in axis.get_majorticklocs() if low <= tick <= high]
    formatter = axis.get_major_formatter()
    texts, times = formatter.format_ticks(ticks), formatter.get_offset()
    axis.set_ticks(ticks, labels=texts if times else [f"{tick:,.10g}".replace("-", "−") for tick in ticks])
    return f" ({'' if times.startswith('+') else '×'}{times})" if times else ""


def _border(labels: NDArray[np.int64]) -> int:
    """How many neighbours in the grid are of two classes."""
    return int((labels[1:] != labels[:-1]).sum() + (labels[:, 1:] != labels[:, :-1]).sum())


def _finding(sizes: list[str], strengths: list[float], table: NDArray[np.int64], wrong: Floats) -> str:
    """What λ does to the border of the last size; of a single λ, how many rows are misfitted."""
    first, last = _border(table[-1, 0]), _border(table[-1, -1])
    known = wrong[-1][np.isfinite(wrong[-1])]
    if len(strengths) < 2 or not first or len(known) < len(strengths):
        misfits = f"{sizes[-1]} misfits {percent(known[-1])} of the training rows" if len(known) else ""
        return misfits or f"{sizes[-1]} has no regions"
    change = last / first - 1
    same = abs(change) < 0.005
    how = "is as long" if same else f"is {abs(change):.0%} {'shorter' if change < 0 else 'longer'}"
    before, after = percent(known[0]), percent(known[-1])
    return (
        f"with λ={strengths[-1]:g} in place of {strengths[0]:g} the border of {sizes[-1]} {how}, and it misfits "
        f"{after} of the training rows {'either way' if before == after else f'in place of {before}'}"
    )


def _sliced(others: Mapping[str, int]) -> str:
    """Where the other columns are held, at the end of a title; nothing where there are none."""
    columns = sum(others.values())
    if not columns:
        return ""
    kinds = [name for key, name in (("medians", "median"), ("most_frequent", "most frequent value")) if others[key]]
    if columns == 1:
        return f"; slice: the other column at its {kinds[0]}"
    return f"; slice: the other {columns:,} columns at their {' or '.join(f'{kind}s' for kind in kinds)}"


def _plane(given: Mapping[str, Any]) -> str:
    """What spans the plane, and what the rest is held at, in sentences."""
    across, up = given["features"]
    said = [f"Across: {across}; up: {up}."]
    if given["held"]:
        said.append(f"Held: {words.listed(f'{name} {_value(value)}' for name, value in given['held'].items())}.")
    if sum(given["others"].values()):
        said.append("Rows are drawn by these two columns alone, whatever they hold in the others.")
    return " ".join(said)


def _value(value: Any) -> str:
    return f"{value:.10g}" if isinstance(value, float) else str(value)
