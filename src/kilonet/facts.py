"""What can be seen of a network, its data and its start, as plain values: the parts of an examination.

Layers are numbered from 1, as in the notes; the last one gives the scores.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Histogram:
    """Counts between edges: one edge more than counts."""

    edges: Sequence[float]
    counts: Sequence[int]


@dataclass(frozen=True, eq=False)
class LayerFacts:
    """A layer with the judged parameters on all rows, dropout and noise off.

    unit: as `Network.summary` calls it. activity: for each unit the share of rows on which its local slope is not
    zero. never_positive: share of units whose weighted sum is above zero on no row: as ReLU they would be dead.
    saturated: share of outputs beyond ±0.97 of tanh or outside of 0.015 to 0.985 of sigmoid, NaN for other units.
    mean, deviation: of the outputs. gradient_norm, weight_norm: of the data loss by the weights, and of these.
    agreement, agreement_in_batch: share of a unit's weight gradients with the more frequent sign, averaged over
    units, of single examples and of batches (0.5 is no agreement, 1 is zig-zag). outputs, gradients, weights:
    histograms. images: for the first layer, where inputs are an image, weights (units, rows, columns), else None.
    """

    number: int
    unit: str
    units: int
    activity: Floats
    never_positive: float
    saturated: float
    mean: float
    deviation: float
    gradient_norm: float
    weight_norm: float
    agreement: float
    agreement_in_batch: float
    outputs: Histogram | None = None
    gradients: Histogram | None = None
    weights: Histogram | None = None
    images: Floats | None = None

    @property
    def dead(self) -> float:
        """Share of units that no row gives a slope."""
        return float(np.mean(self.activity == 0))

    @property
    def rare(self) -> float:
        """Share of units that are active on some rows, but on less than 1% of them."""
        return float(np.mean((self.activity > 0) & (self.activity < 0.01)))

    @property
    def always_on(self) -> float:
        """Share of units that are active on every row."""
        return float(np.mean(self.activity == 1))


@dataclass(frozen=True, eq=False)
class InputFacts:
    """The inputs as the network is given them, one entry for each of its inputs.

    names; means, deviations (n_inputs,). constant: places whose values are all the same. duplicated: pairs of places
    with the same values. positive: whether no input is below zero anywhere. leaking: places of inputs that predict the
    target alone, with how well each does (accuracy on held-out rows, or R²), and what the most frequent answer does;
    of several inputs that a text became the first stands for all. others: how well all the other inputs do without it.
    numbering: places of inputs that seem to number the rows, with the share of the whole numbers in their range that
    occur. sparse: whether the table is sparse, which is never centred. tried: how many inputs were tried as leaks; of a
    wide table the most promising ones.
    """

    names: Sequence[str]
    means: Floats
    deviations: Floats
    constant: Sequence[int]
    duplicated: Sequence[tuple[int, int]]
    positive: bool
    leaking: Mapping[int, float]
    baseline: float
    others: Mapping[int, float] = field(default_factory=dict)
    numbering: Mapping[int, float] = field(default_factory=dict)
    sparse: bool = False
    tried: int = 0


@dataclass(frozen=True)
class TargetFacts:
    """The target. classes: rows of each, empty for numbers. mean, deviation: of numbers.

    conflicting: rows whose inputs another row has with another target. nothing: the loss of knowing nothing, as
    `StartFacts` has it; of networks that were trained elsewhere, whose start is seldom known, it is here. left: the
    loss of the judged parameters, without penalties, where curves may tell another one; NaN where it was not asked.
    """

    classes: Mapping[str, int]
    conflicting: int
    mean: float = math.nan
    deviation: float = math.nan
    nothing: float = math.nan
    left: float = math.nan


@dataclass(frozen=True)
class StartFacts:
    """The loss before any step, without penalties, and what it should be: that of a network that knows nothing.

    expected: ln C, or the prior's entropy where the output's bias is set to it; half for standardized numbers.
    nothing: the lowest loss of an answer that looks at no input, such as the frequencies of the classes or the mean,
    with the weights of the training; NaN where it was not asked.
    """

    loss: float
    expected: float
    nothing: float = math.nan


@dataclass(frozen=True)
class SmallFacts:
    """Whether a few rows can be learned by heart, without penalties; loss and score: accuracy or R² at the end."""

    rows: int
    steps: int
    loss: float
    score: float


@dataclass(frozen=True, eq=False)
class RateFacts:
    """A trial of rates, some steps each from the same start: rates and losses at the end, infinite where it broke off.

    reached: the lowest loss on rows held out from it; enough: half the way there from that of knowing nothing. A rate
    whose loss came to that learns. smallest, largest: of these; below training is at a crawl, above it learns nothing.
    fastest: what came about as far as the best on rows held out, the middle one of several; few steps favour large
    rates, so it is not the best one. All NaN where nothing was learned with any rate. used: the training's. steps: of
    each rate, 0 where that is not known. held_out: losses at the end on rows held out, None where they are not known.
    """

    rates: Floats
    losses: Floats
    fastest: float
    used: float
    smallest: float = math.nan
    largest: float = math.nan
    enough: float = math.nan
    reached: float = math.nan
    steps: int = 0
    held_out: Floats | None = None

    def came_to(self, rate: float) -> tuple[float, float]:
        """The losses that a rate came to, on its rows and on those held out; NaN for what is not known."""
        tried = np.flatnonzero(np.isclose(self.rates, rate, rtol=1e-6, atol=0))
        if not len(tried):
            return math.nan, math.nan
        return float(self.losses[tried[0]]), math.nan if self.held_out is None else float(self.held_out[tried[0]])

    def learns(self, rate: float) -> bool:
        """Whether a rate lies between the smallest and the largest one that learn."""
        return self.smallest <= rate <= self.largest


@dataclass(frozen=True)
class GapFacts:
    """Training against held-out rows at the end: scores, and the 95% interval of their difference.

    rising: epochs at the end since the validation loss was lowest. rows: held out, None where that is not known.
    """

    training: float
    held_out: float
    low: float
    high: float
    rising: int
    rows: int | None = None
