"""What the first layer looks for: its weights as images."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from kilonet.findings import Examination
from kilonet.numerals import count
from kilonet.plots.base import ExaminationDisplay
from kilonet.plots.style import NORMAL, SMALL, Floats, ink

_MOST = 64  # units that are shown
_WIDE = 1.3  # width by height of the mosaic, about
_FINE = 0.99  # share of weights that have a colour of their own: few that are larger do not make the rest pale
_SMOOTH = 0.5  # correlation of neighbours from which on weights are called patterns


@dataclass(eq=False, kw_only=True)
class FirstWeightsDisplay(ExaminationDisplay):
    """Weights of the first layer, an image for each unit, those with the largest weights first.

    Blue looks for dark, red for bright pixels; one scale for all units. Dead units are crossed out. Of the images
    that an examination has, at most 64 are shown.

    images (shown units, rows, columns). units: places of these. dead: which of them are. total: units of the layer.
    neighbours: correlation of the weights of adjacent pixels; near 0 it is noise.
    """

    name: ClassVar[str] = "first-weights"
    images: Floats
    units: list[int]
    dead: NDArray[np.bool_]
    total: int
    neighbours: float

    @classmethod
    def lack(cls, record: Examination) -> str:
        """Why the examination cannot be drawn so, in a sentence; empty where it can."""
        some = record.layers and record.layers[0].images is not None
        return "" if some else "the inputs are no images."

    @classmethod
    def _made(cls, record: Examination) -> Self:
        layer = record.layers[0]
        images = np.asarray(layer.images, dtype=np.float64)
        norms = np.sqrt(np.square(images).sum(axis=(1, 2)))
        units = np.argsort(-norms, kind="stable")[:_MOST]
        neighbours = _neighbours(images)
        title = _finding(neighbours, layer.dead, layer.units)
        shown = f"{len(units)} of {layer.units:,} units" if len(units) < layer.units else count(layer.units, "unit")
        rows, columns = images.shape[1:]
        alt = f"{title}. Weights of {shown} as images of {rows} × {columns} pixels, norms {norms.min():.2g} to"
        dead = np.asarray(layer.activity)[units] == 0
        return cls(images=images[units], units=units.tolist(), dead=dead, total=layer.units, neighbours=neighbours,
                   title=title, alt=f"{alt} {norms.max():.2g}.")  # fmt: skip

    def _size(self) -> tuple[float, float]:
        high, wide = _mosaic(self.images, self._in_a_row()).shape
        return 6.0, min(6.5, 1.0 + 4.8 * high / wide)

    def _margin(self) -> float:
        return 1.0  # of the colour bar

    def _in_a_row(self) -> int:
        n, rows, columns = self.images.shape
        return _in_a_row(n, math.sqrt(_WIDE * n * rows / columns))

    def _draw(self, axes: Any) -> None:
        ax = axes[0, 0]
        n, rows, columns = self.images.shape
        wide = self._in_a_row()
        mosaic = _mosaic(self.images, wide)
        limit = float(np.quantile(np.abs(self.images), _FINE)) or 1.0
        drawn = ax.imshow(mosaic, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
        ax.set_anchor("W")  # the title begins where the images do, however narrow they are
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_visible(False)
        for place in np.flatnonzero(self.dead).tolist():
            top, left = (place // wide) * (rows + 1), (place % wide) * (columns + 1)
            for slope in ((top, top + rows - 1), (top + rows - 1, top)):
                ax.plot([left, left + columns - 1], slope, color=ink(), linewidth=0.9, alpha=0.75)
        bar = ax.figure.colorbar(drawn, ax=ax, pad=0.02, shrink=0.85, extend="both", extendfrac=0.03)
        bar.set_label("weight", fontsize=NORMAL)
        bar.ax.tick_params(labelsize=SMALL)
        said = [f"{n} of {self.total:,} units"] if n < self.total else []
        if self.dead.any():
            said.append("crossed out: dead")
        ax.set_xlabel("; ".join(said), fontsize=NORMAL)


def _in_a_row(number: int, ideal: float) -> int:
    """How many images of a number stand in a row: about the ideal, with few places left empty.

    >>> _in_a_row(64, 9.8), _in_a_row(7, 3.2)
    (8, 4)
    """
    options = range(max(1, min(number, math.ceil(0.75 * ideal))), max(1, min(number, math.ceil(1.25 * ideal))) + 1)
    return min(options, key=lambda wide: (-number % wide, abs(wide - ideal)))


def _mosaic(images: Floats, wide: int) -> Floats:
    """Images side by side, so many in a row, a pixel of nothing between them."""
    n, rows, columns = images.shape
    high = math.ceil(n / wide)
    mosaic = np.full((high * (rows + 1) - 1, wide * (columns + 1) - 1), np.nan)
    for place, image in enumerate(images):
        top, left = (place // wide) * (rows + 1), (place % wide) * (columns + 1)
        mosaic[top : top + rows, left : left + columns] = image
    return mosaic


def _neighbours(images: Floats) -> float:
    """Correlation of the weights of pixels that touch, over all units (units, rows, columns); NaN for one value.

    >>> _neighbours(np.array([[[1.0, 1.0], [-1.0, -1.0]]]))
    0.0
    """
    pairs = [(images[:, 1:], images[:, :-1]), (images[:, :, 1:], images[:, :, :-1])]
    one, other = (np.concatenate([side.ravel() for side in sides]) for sides in zip(*pairs, strict=True))
    one, other = one - images.mean(), other - images.mean()
    size = math.sqrt(float(one @ one) * float(other @ other))
    return float(one @ other) / size if size else math.nan


def _finding(neighbours: float, dead: float, units: int) -> str:
    """Whether weights are patterns or noise."""
    lost = f"; {round(dead * units):,} of {count(units, 'unit')} are dead" if dead else ""
    if math.isnan(neighbours):
        return f"All weights of the first layer are the same{lost}"
    close = f"weights of adjacent pixels correlate by {neighbours:.2f}"
    kind = (
        "smooth patterns"
        if neighbours >= _SMOOTH
        else "rough patterns"
        if neighbours >= _SMOOTH / 2
        else "close to noise"
    )
    return f"The first layer's weights are {kind}: {close}{lost}"
