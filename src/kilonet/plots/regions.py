"""What size and regularization do to the borders between classes, in the plane."""

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from kilonet.evidence import SearchRecord
from kilonet.plots import words
from kilonet.plots.base import SIZE, Display
from kilonet.plots.style import NORMAL, PALETTE, SMALL, Floats, ink, legend_below, look, module


@dataclass(eq=False, kw_only=True)
class RegionsDisplay(Display):
    """A panel for each size (rows) and λ (columns): the class of every place of the plane, and the data.

    sizes: texts of the rows. strengths: λ of the columns. classes: names. x, y: the grid's coordinates. regions:
    (rows, columns, len(y), len(x)), a class for each place, −1 where there was no run. points (n, 2), point_classes
    (n,): the data. chosen: row and column of the choice, or None where it is none of the panels.
    """

    name: ClassVar[str] = "regions"
    sizes: list[str]
    strengths: list[float]
    classes: list[str]
    x: Floats
    y: Floats
    regions: NDArray[np.int64]
    points: Floats
    point_classes: NDArray[np.int64]
    chosen: tuple[int, int] | None

    @classmethod
    def lack(cls, record: SearchRecord) -> str:
        """Why the record cannot be drawn so, in a sentence; empty where it can."""
        if record.regions is None:
            return "the data have no plane. Regions are of classes and two columns of numbers."
        return "" if record.regions["labels"] else "no network was trained for the plane."

    @classmethod
    def _made(cls, record: SearchRecord) -> Self:
        given: Any = record.regions
        x, y = np.array(given["x"]), np.array(given["y"])
        sizes, strengths = [str(text) for text in given["rows"]], [float(l2) for l2 in given["columns"]]
        regions = np.full((len(sizes) * len(strengths), len(y), len(x)), -1)
        for place, labels in enumerate(given["labels"]):
            regions[place] = np.reshape(labels, (len(y), len(x)))
        own = (record.choice.text, record.best.params.get("l2"))
        places = [(i, j) for i, size in enumerate(sizes) for j, l2 in enumerate(strengths) if (size, l2) == own]
        table = regions.reshape(len(sizes), len(strengths), len(y), len(x))
        points, classes = np.array(given["points"]), np.array(given["point_classes"], dtype=np.int64)
        wrong = _misfits(table, x, y, points, classes)
        title = words.sentence(_finding(sizes, strengths, table, wrong))
        said = (f"{size} at λ={l2:g} {wrong[i, j]:.0%}" for i, size in enumerate(sizes)
                for j, l2 in enumerate(strengths) if np.isfinite(wrong[i, j]))  # fmt: skip
        return cls(
            sizes=sizes, strengths=strengths, classes=[str(name) for name in given["classes"]], x=x, y=y, regions=table,
            points=points, point_classes=classes, chosen=places[0] if places else None, title=title,
            alt=f"{title}. Training rows on the wrong side of a border: {words.listed(said, most=16)}.",
        )  # fmt: skip

    def _panels(self) -> tuple[int, int]:
        return len(self.sizes), len(self.strengths)

    def _grid(self) -> dict[str, Any]:
        return {"sharex": True, "sharey": True}

    def _size(self) -> tuple[float, float]:
        return SIZE[0], max(SIZE[1], 1.2 + 0.8 * len(self.sizes))

    def _draw(self, axes: Any) -> None:
        tints = module("matplotlib.colors").ListedColormap([look(i)["color"] for i in range(len(self.classes))])
        dots = float(np.clip(8 * np.sqrt(250 / max(1, len(self.points))) / max(self._panels()), 1.2, 5))
        for (i, j), ax in np.ndenumerate(axes):
            self._panel(ax, self.regions[i, j], tints, dots)
            ax.set(xticks=[], yticks=[], xlim=(self.x[0], self.x[-1]), ylim=(self.y[0], self.y[-1]))
            if (i, j) == self.chosen:
                for spine in ax.spines.values():
                    spine.set(linewidth=2.5, edgecolor=ink())
                ax.text(0.03, 0.04, "chosen", transform=ax.transAxes, fontsize=SMALL, fontweight="bold", color="black",
                        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85})  # fmt: skip
            if i == 0:
                ax.set_title(f"λ={self.strengths[j]:g}", fontsize=NORMAL)
            if j == 0:
                ax.set_ylabel(self.sizes[i].replace(" ", "\n"), fontsize=NORMAL, rotation=0, ha="right", va="center")
        for number, name in enumerate(self.classes):
            axes[-1, -1].plot([], [], **look(number), linestyle="none", markersize=6, label=name)
        legend_below(axes[-1, -1])

    def _panel(self, ax: Any, labels: NDArray[np.int64], tints: Any, dots: float) -> None:
        extent = (self.x[0], self.x[-1], self.y[0], self.y[-1])
        ax.imshow(np.ma.masked_less(labels, 0), origin="lower", extent=extent, aspect="auto", cmap=tints, alpha=0.28,
                  vmin=-0.5, vmax=len(self.classes) - 0.5, interpolation="nearest")  # fmt: skip
        for number in range(len(self.classes)):
            if len(self.classes) <= len(PALETTE) and 0 < (labels == number).sum() < labels.size:
                ax.contour(self.x, self.y, labels == number, levels=[0.5], colors=[ink()], linewidths=0.7)
            own = self.points[self.point_classes == number]
            ax.plot(own[:, 0], own[:, 1], **look(number), linestyle="none", markersize=dots, markeredgewidth=0)


def _misfits(table: NDArray[np.int64], x: Floats, y: Floats, points: Floats, classes: NDArray[np.int64]) -> Floats:
    """The share of the rows that lie in another class's region (rows, columns); NaN where there was no run."""
    column, row = (np.abs(axis[:, None] - points[:, k]).argmin(axis=0) for k, axis in enumerate((x, y)))
    wrong = (table[:, :, row, column] != classes).mean(axis=-1)
    return np.where(table[:, :, 0, 0] < 0, np.nan, wrong)


def _border(labels: NDArray[np.int64]) -> int:
    """How many neighbours in the grid are of two classes."""
    return int((labels[1:] != labels[:-1]).sum() + (labels[:, 1:] != labels[:, :-1]).sum())


def _finding(sizes: list[str], strengths: list[float], table: NDArray[np.int64], wrong: Floats) -> str:
    """What λ does to the border of the last size; of a single λ, how many rows are misfitted."""
    first, last = _border(table[-1, 0]), _border(table[-1, -1])
    known = wrong[-1][np.isfinite(wrong[-1])]
    if len(strengths) < 2 or not first or len(known) < len(strengths):
        return f"{sizes[-1]} misfits {known[-1]:.0%} of the rows" if len(known) else f"{sizes[-1]} has no regions"
    change = last / first - 1
    same = abs(change) < 0.005
    how = "is as long" if same else f"is {abs(change):.0%} {'shorter' if change < 0 else 'longer'}"
    return (
        f"with λ={strengths[-1]:g} in place of {strengths[0]:g} the border of {sizes[-1]} {how}, "
        f"and it misfits {known[-1]:.0%} of the rows in place of {known[0]:.0%}"
    )
