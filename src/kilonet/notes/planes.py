"""Two classes in a plane with a few outliers, and what a network makes of the plane: its regions and their border."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from kilonet.engine import choose
from kilonet.losses import logistic
from kilonet.measured import Figure, Region, Text, same
from kilonet.network import Network
from kilonet.notes.intervals import Estimate, mean_of
from kilonet.notes.trials import side_by_side
from kilonet.optimizers import Adam
from kilonet.recipe import Recipe
from kilonet.record import Runs

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]

EXTENT = (-3.0, 3.0, -3.0, 3.0)  # lowest and highest of the first input, then of the second
_PLACES = 121  # of the grid, along each axis
_CENTRE, _WIDTH = np.array([1.0, 0.6]), 0.6  # of one blob; the other stands opposite
_ROWS, _OUTLIERS = 60, 4  # outliers: rows that lie inside of the other class's blob
_FRESH = 2000  # rows without outliers, by which generalization is judged
_RATE, _EPOCHS = 0.03, 6000  # training error of 20 units still falls after 2,000, and hardly after 6,000
KINDS = ("fragments", "border", "training error", "error on new rows")


class Seen(NamedTuple):
    """What came of a network on several draws of the rows.

    numbers (draws, settings, 4): `KINDS` of each, means over seeds; regions (settings, rows, columns): who is class 1
    where, for the first draw and seed; X (60, 2), y (60,): the rows of the first draw.
    """

    numbers: Floats
    regions: Bools
    X: Floats
    y: NDArray[np.int64]

    def means(self) -> list[list[Estimate]]:
        """For each setting its `KINDS`, with intervals over draws."""
        return [[mean_of(own[:, kind]) for kind in range(len(KINDS))] for own in self.numbers.swapaxes(0, 1)]

    def change(self, kind: str, before: int, after: int) -> Estimate:
        """By how much a kind of number is more in one setting than in another, on the same draws."""
        of_kind = self.numbers[:, :, KINDS.index(kind)]
        return mean_of(of_kind[:, after] - of_kind[:, before])


def blobs(draw: int, rows: int, outliers: int) -> tuple[Floats, NDArray[np.int64]]:
    """Two blobs, half of the rows each, of which outliers lie in the wrong one: X (rows, 2), y (rows,).

    >>> X, y = blobs(0, rows=60, outliers=4)
    >>> X.shape, int(y.sum())
    ((60, 2), 30)
    """
    random = np.random.default_rng(draw)
    y = np.repeat([0, 1], rows // 2)
    side = 2 * y - 1
    side[: outliers // 2] *= -1
    side[rows // 2 : rows // 2 + outliers // 2] *= -1
    return side[:, np.newaxis] * _CENTRE + random.normal(0, _WIDTH, (rows, 2)), y


def fragments(regions: Bools) -> int:
    """How many connected parts the plane is cut into; places (rows, columns) touch along edges.

    >>> fragments(np.array([[True, False, True], [False, False, False]]))
    3
    """
    return int(ndimage.label(regions)[1] + ndimage.label(~regions)[1])


def border(regions: Bools) -> float:
    """The length of the border between regions (rows, columns) of `EXTENT`, in units of the inputs.

    Neighbours that differ, by the width of a place, overstate it by 4/π on average over all directions.
    Source: the formula of Cauchy and Crofton.
    """
    width = (EXTENT[1] - EXTENT[0]) / (regions.shape[1] - 1)
    crossed = int((regions[1:] != regions[:-1]).sum() + (regions[:, 1:] != regions[:, :-1]).sum())
    return float(crossed * width * np.pi / 4)


def seen(hidden: list[int], l2: list[float], draws: int, seeds: int) -> Seen:
    """Train one ReLU network for each setting, draw and seed; hidden and l2 (settings,) give its units and its λ."""
    places = np.linspace(EXTENT[0], EXTENT[1], _PLACES)
    grid = np.stack(np.meshgrid(places, places), axis=-1).reshape(-1, 2)
    drawn = [blobs(draw, _ROWS, _OUTLIERS) for draw in range(draws)]
    settings = list(zip(hidden, l2, strict=True))
    runs = iter(side_by_side(logistic, [_work(*setting, seeds, rows) for rows in drawn for setting in settings]))
    numbers, first = np.empty((draws, len(hidden), len(KINDS))), np.empty((len(hidden), _PLACES, _PLACES), np.bool_)
    for draw, (X, y) in enumerate(drawn):
        new, truth = blobs(1_000_000 + draw, _FRESH, 0)
        everything = np.vstack([grid, X, new])
        for place in range(len(settings)):
            plane, own, fresh = np.split(_said(next(runs), everything), [len(grid), len(grid) + len(X)], axis=1)
            regions = plane.reshape(seeds, _PLACES, _PLACES)
            numbers[draw, place] = (
                np.mean([fragments(one) for one in regions]), np.mean([border(one) for one in regions]),
                np.mean(own != y), np.mean(fresh != truth),
            )  # fmt: skip
            first[place] = regions[0] if draw == 0 else first[place]
    return Seen(numbers, first, *drawn[0])


def _work(units: int, l2: float, seeds: int, rows: tuple[Any, Any]) -> tuple[Network, Any, Any, Recipe]:
    """What is trained on a draw of the rows: full batches, by Adam."""
    recipe = Recipe.make(
        seeds=range(seeds), optimizer=Adam(_RATE), schedule="cosine", batch=_ROWS, epochs=_EPOCHS, l2=l2, watch=0
    )
    return Network([2, units, 1]), *rows, recipe


def _said(runs: Runs, everything: Floats) -> Bools:
    """Which of all places the networks call class 1 (seeds, places), by the engine's scores."""
    network: Any = runs.network
    said: Bools = choose(network).scores(network, runs.theta, everything.astype(np.float32))[..., 0] > 0
    return said


def facts_of(each: Sequence[Sequence[Estimate]], settings: Sequence[float]) -> dict[str, float]:
    """The means of `Seen.means` as an experiment's facts, by the kind of number and the setting."""
    return {
        f"{kind.replace(' ', '_')}_{setting:g}": own[place].value
        for setting, own in zip(settings, each, strict=True)
        for place, kind in enumerate(KINDS)
    }


def pictured(found: Seen, titles: Sequence[Text], alt: Text) -> Figure:
    """The regions of all settings side by side, with the rows of the first draw."""
    regions = tuple(
        Region.of(title, one, EXTENT, found.X, found.y) for title, one in zip(titles, found.regions, strict=True)
    )
    return Figure("regions", alt, same("x₁"), same("x₂"), regions=regions)
