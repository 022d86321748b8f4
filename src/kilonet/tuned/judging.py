"""What scores of networks say of rows, together and one by one, and how good that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import betaincinv, log_softmax

from kilonet.estimators import ensemble
from kilonet.estimators.labels import Labels
from kilonet.estimators.numbers import Numbers

Floats = NDArray[np.float64]
_SPREAD = 0.5  # of the logarithm of a temperature
_FURTHEST = 3.0  # that it may be from 0
_ROUNDING = 1e-6  # of a standardized number, which networks compute in float32
_TAIL = 0.025  # on each side of an interval
_WHOLE = 1e-12  # a share so near to 0 or 1 is that but for rounding
_TINY = np.finfo(np.float64).tiny


@dataclass(frozen=True, eq=False)
class Judge:
    """Judges what is said of rows by the targets that it knows.

    codec: of the target. targets: places of the classes (n,), or standardized numbers (n,). weights (n,).
    What networks say is shaped (..., n, k): probabilities of classes, or one standardized number.
    """

    codec: Labels | Numbers
    targets: NDArray[Any]
    weights: Floats

    @property
    def classes(self) -> bool:
        """Whether there are classes to tell apart."""
        return isinstance(self.codec, Labels)

    def said(self, scores: NDArray[Any]) -> Floats:
        """What members say by scores (members, n, k)."""
        if isinstance(self.codec, Labels):
            return ensemble.probabilities(self.codec, scores)
        return scores.astype(np.float64)

    def losses(self, said: Floats, rows: Any = slice(None)) -> Floats:
        """Loss of every row: minus the logarithm of the right class's probability, or half the squared error.

        Numbers that are off by no more than rounding are right.
        """
        own = self.targets[rows]
        if not self.classes:
            off: Floats = said[..., 0] - own
            return np.where(np.abs(off) > _ROUNDING, 0.5 * off * off, 0.0)
        right = np.take_along_axis(said, np.broadcast_to(own, said.shape[:-1])[..., np.newaxis], axis=-1)[..., 0]
        found: Floats = -np.log(np.maximum(right, _TINY))
        return found

    def loss(self, said: Floats, rows: Any = slice(None)) -> Any:
        """Weighted mean loss (...,) over rows; NaN where none has a weight."""
        return self.mean(self.losses(said, rows), rows)

    def mean(self, values: NDArray[Any], rows: Any = slice(None)) -> Any:
        """Weighted mean (...,) of values (..., n) of rows."""
        weights = self.weights[rows]
        total = float(weights.sum())
        return np.full(values.shape[:-1], np.nan) if total == 0 else (values * weights).sum(axis=-1) / total

    def score(self, said: Floats, rows: Any = slice(None)) -> Any:
        """Accuracy (...,), or R² about the mean of these rows."""
        own = self.targets[rows]
        if self.classes:
            return self.mean(said.argmax(axis=-1) == own, rows)
        spread = self.mean((own - self.mean(own, rows)) ** 2, rows)
        left = 2 * self.loss(said, rows)
        return np.where(left == 0, 1.0, 0.0) if spread == 0 else 1 - left / spread


def tempered(said: Floats, temperature: float) -> Floats:
    """What is said (n, k), less sure above 1 and surer below: probabilities, or one standardized number (k = 1).

    Logarithms of probabilities, and distances of a number from the mean, are divided by the temperature.

    >>> tempered(np.array([[0.2, 0.8]]), 2.0).round(3), tempered(np.array([[3.0]]), 2.0)
    (array([[0.333, 0.667]]), array([[1.5]]))
    """
    if temperature == 1:
        return said
    if said.shape[-1] == 1:
        return said / temperature
    logs = np.log(np.maximum(said, _TINY)) / temperature
    found: Floats = np.exp(log_softmax(logs, axis=-1))
    return found


def temperature_of(judge: Judge, said: Floats, rows: Any) -> float:
    """The temperature with the lowest loss on rows; 1 unless another one is better.

    Its logarithm is taken to be about 0, give or take _SPREAD, before any row is seen: few rows, or rows that are all
    told apart, would make it extreme. What that adds to the loss is never more than what the temperature gains.
    Numbers are taken to be normal around what is said, with the variance that they show: twice the loss.
    Source: Guo, Pleiss, Sun & Weinberger 2017, On calibration of modern neural networks.
    """
    counted = max(1, int(np.count_nonzero(judge.weights[rows])))
    scale = 1.0 if judge.classes else max(2 * float(judge.loss(said, rows)), _TINY)

    def loss(log: float) -> float:
        found = float(judge.loss(tempered(said, float(np.exp(log))), rows)) / scale
        return found + (log / _SPREAD) ** 2 / (2 * counted)

    found = minimize_scalar(loss, bounds=(-_FURTHEST, _FURTHEST), method="bounded", options={"xatol": 1e-3})
    best = round(float(found.x), 3)  # as sharp as it is known: last digits differ between machines
    return float(np.exp(best)) if loss(best) < loss(0.0) else 1.0


def of_more(one: float, some: float, draws: int, splits: int) -> float:
    """The temperature of a mean of as many networks as there are splits; some: that of a mean of `draws`, one: of one.

    The mean of more networks is less sure than each of them, so that less is to be corrected: the logarithm of the
    temperature is taken to fall with one over their number. Where folds were drawn once, what a single network is too
    sure is taken to vanish.

    >>> round(of_more(one=1.5, some=1.2, draws=3, splits=15), 3), of_more(one=0.8, some=0.8, draws=1, splits=5)
    (1.098, 0.8)
    """
    excess = np.log(one / some) / (1 - 1 / draws) if draws > 1 else max(np.log(one), 0.0)
    return float(some * np.exp(-max(excess, 0.0) * (1 / draws - 1 / splits)))


def greedy(judge: Judge, said: Sequence[Floats], rows: Any, rounds: int) -> Floats:
    """Weights of what is said (each (n, k)) in the mean that is best on rows: chosen one after another, with repeats.

    The first is the best alone; it ends where nothing lowers the loss.
    Source: Caruana, Niculescu-Mizil, Crew & Ksikes 2004, Ensemble selection from libraries of models.
    """
    counts, best = np.zeros(len(said)), np.inf
    total = np.zeros_like(said[0])
    for taken in range(rounds):
        losses = [float(judge.loss((total + own) / (taken + 1), rows)) for own in said]
        place = int(np.nanargmin(losses))
        if not losses[place] < best:
            break
        best, total = losses[place], total + said[place]
        counts[place] += 1
    found: Floats = counts / counts.sum()
    return found


def shares(judge: Judge) -> Floats:
    """What can be said without looking at any column, (k,): the shares of the classes, or the mean."""
    if isinstance(judge.codec, Labels):
        counts = np.bincount(judge.targets, judge.weights, minlength=len(judge.codec.classes))
        found: Floats = counts / judge.weights.sum()
        return found
    return np.array([judge.mean(judge.targets)])


def accuracy_interval(judge: Judge, said: Floats, rows: Any) -> tuple[float, float]:
    """The 95% interval of the accuracy on rows with a weight: the exact binomial one.

    Rows of unequal weights tell as much as fewer equal ones: Kish's effective number, (Σw)² / Σw².
    Source: Kish 1965, Survey sampling; Korn & Graubard 1998, Confidence intervals for proportions with small expected
    number of positive counts estimated from survey data, for that number in the exact interval.
    """
    weights = judge.weights[rows]
    trials = float(weights.sum()) ** 2 / float((weights * weights).sum())
    right = trials * min(max(float(judge.score(said, rows)), 0.0), 1.0)
    right = trials if trials - right < _WHOLE * trials else right if right > _WHOLE * trials else 0.0
    low = float(betaincinv(right, trials - right + 1, _TAIL)) if right > 0 else 0.0
    high = float(betaincinv(right + 1, trials - right, 1 - _TAIL)) if right < trials else 1.0
    return low, high
