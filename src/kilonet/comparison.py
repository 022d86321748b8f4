"""Is a candidate better than the reference, or is it luck? Tests and intervals over resampling splits.

The unit of comparison is a split into training and test rows: runs that differ only in their seed are averaged
within it beforehand, since they say nothing about other data. Lower losses are better. A reference
that was found by the losses that are compared, such as the best of many, was picked with its luck: `compared`
adjusts for that.
"""

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from kilonet.checks import number, shown, whole
from kilonet.errors import DataError, DivergenceError, ShapeError

Floats = NDArray[np.float64]

ENOUGH = 10  # splits; with fewer, a verdict is always a tie
_ROUNDING = 1e-12  # of a loss: differences below it come from the order of a sum


@dataclass(frozen=True)
class Comparison:
    """A candidate against the reference, from the differences of their losses over the splits.

    difference: mean loss of the candidate minus that of the reference, in units of the loss; low, high: its
    interval at `confidence`, for this comparison alone; standard_error: of the difference, corrected for splits that
    share rows; p_value: two-sided, of no difference; adjusted_p: the same among all comparisons that `compared` made
    at once, by `holm`; from `corrected_t` it is the p_value.

    >>> found = corrected_t([-0.02, -0.03, -0.01, -0.04, -0.02, -0.03, -0.02, -0.01, -0.03, -0.04], test_to_train=0.25)
    >>> f"{found.difference:.3f}, {found.low:.3f} to {found.high:.3f}, p {found.p_value:.4f}: {found.verdict()}"
    '-0.025, -0.039 to -0.011, p 0.0036: better'
    """

    difference: float
    low: float
    high: float
    standard_error: float
    p_value: float
    adjusted_p: float
    n_splits: int
    confidence: float

    @property
    def degrees_of_freedom(self) -> int:
        """Of Student's t: one less than there are splits."""
        return self.n_splits - 1

    def verdict(self, alpha: float = 0.05) -> Literal["better", "worse", "tie"]:
        """Say "better" or "worse" where adjusted_p is below alpha, else "tie"; always "tie" below `ENOUGH` splits.

        A tie is no proof of equality: low and high tell which differences remain possible.
        Raises SettingError where alpha is outside (0, 1).
        """
        if self.adjusted_p >= number("alpha", alpha, "(0, 1)") or self.n_splits < ENOUGH:
            return "tie"
        return "better" if self.difference < 0 else "worse"


def corrected_t(differences: ArrayLike, test_to_train: float, confidence: float = 0.95) -> Comparison:
    """Compare two candidates by the corrected resampled t-test.

    differences (n_splits,): the loss of the candidate minus that of the reference on each split. test_to_train: test
    rows over training rows of a split, 1/4 for 5 folds; the training sets of splits overlap, and it makes up for
    that: t = mean / sqrt((1/n_splits + test_to_train) · s²), s² with n − 1, has n_splits − 1 degrees of freedom.
    With 0 it is the paired t-test, for splits that share no rows.

    One split tells nothing of the spread: p is 1 and the interval (−inf, inf). Where all differences are zero, p is 1
    and the interval [0, 0]. Where all are one other number, p is 0 and the interval that number: the limit of
    the formula as the spread vanishes, and no certainty, since losses that are counts of a few test rows, and one
    split that was given several times, look the same.

    Raises DataError for no difference at all and for one that is infinite or NaN: a candidate that diverged on any
    split is reported as diverged and not compared, since its loss has no mean, and the splits on which it did well
    are not its loss. Raises ShapeError for other shapes, SettingError for test_to_train outside [0, inf)
    and confidence outside (0, 1).

    Source: Nadeau & Bengio 2003, Inference for the generalization error; for repeated folds Bouckaert & Frank 2004,
    Evaluating the replicability of significance tests for comparing learning algorithms.

    >>> corrected_t([0.5, -0.5, 1.5, 0.5], test_to_train=0.25).difference
    0.5
    >>> corrected_t([0.5], test_to_train=0.25).p_value
    1.0
    """
    values = _floats("differences", differences, "n_splits")
    ratio = number("test_to_train", test_to_train, "[0, inf)")
    level = number("confidence", confidence, "(0, 1)")
    _all_finite(values)
    n, peak = len(values), float(np.abs(values).max())
    if n == 1:
        return Comparison(float(values[0]), -np.inf, np.inf, np.inf, 1.0, 1.0, n, level)
    scaled = values / (peak or 1.0)  # at most 1: no square overflows or vanishes, and equal values have no spread
    mean = float(scaled.mean())
    error = float(scaled.std(ddof=1)) * (1 / n + ratio) ** 0.5
    reach = -float(special.stdtrit(n - 1, (1 - level) / 2)) * error
    p = 2 * float(special.stdtr(n - 1, -abs(mean) / error)) if error > 0 else float(mean == 0)
    return Comparison(peak * mean, peak * (mean - reach), peak * (mean + reach), peak * error, p, p, n, level)


def compared(means: Floats, test_to_train: float, to: int | None = None) -> tuple[int, list[Comparison | None]]:
    """The best of some candidates, and the difference of each to it; means (splits, candidates), seeds averaged.

    to: the place of another candidate that all are compared with, one that lost no run. Raises DivergenceError where
    all have lost a run.

    The best is found by the same losses that are then compared, so p-values are adjusted for the comparisons of all
    pairs: whichever of them is looked at, it was counted. None where a candidate lost a run.

    >>> best, found = compared(np.array([[1.0, 2.0]] * 9 + [[1.1, 1.9]]), 0.25)
    >>> best, found[1].verdict()
    (0, 'worse')
    """
    sound: NDArray[np.bool_] = np.asarray(np.isfinite(means).all(axis=0))
    if not sound.any():
        raise DivergenceError(
            "every candidate lost a run: training left the finite numbers, or there was no score. Try lower rates, or "
            "another scoring."
        )
    totals = np.where(sound, np.where(np.isfinite(means), means, 0.0).mean(axis=0), np.inf)
    rounding = _ROUNDING * abs(totals.min())
    best = int(np.argmax(totals <= totals.min() + rounding)) if to is None else to  # the first of those that are equal
    places = np.flatnonzero(sound).tolist()
    pairs = [(i, j) for i in places for j in places if i < j]
    tests = [_paired(means[:, i] - means[:, j], test_to_train, rounding) for i, j in pairs]
    adjusted = dict(zip(pairs, holm([test.p_value for test in tests]).tolist(), strict=True))
    found: list[Comparison | None] = []
    for place in range(means.shape[1]):
        if not sound[place]:
            found.append(None)
            continue
        test = _paired(means[:, place] - means[:, best], test_to_train, rounding)
        p = adjusted.get((min(place, best), max(place, best)), 1.0)
        found.append(Comparison(**{**vars(test), "adjusted_p": p}))
    return best, found


def _paired(differences: Floats, test_to_train: float, rounding: float) -> Comparison:
    """`corrected_t` of differences, where those that are rounding errors are none."""
    test = corrected_t(np.where(np.abs(differences) <= rounding, 0.0, differences), test_to_train)
    return replace(test, difference=0.0) if abs(test.difference) <= rounding else test


def holm(p_values: ArrayLike) -> Floats:
    """Adjust the p-values (n,) of tests made together; returns (n,) in the same order.

    Rejecting where the result is at most alpha makes one or more false rejections with a probability of at most
    alpha, however the tests depend on one another. The k-th smallest of n (k from 1) is multiplied by n − k + 1,
    raised to the largest before it, and cut at 1. No p-values give none.

    Raises DataError for a p-value outside [0, 1] or NaN, ShapeError for other shapes.
    Source: Holm 1979, A simple sequentially rejective multiple test procedure.

    >>> holm([0.01, 0.04, 0.03, 0.005]).round(3)
    array([0.03, 0.06, 0.06, 0.02])
    """
    p = _floats("p_values", p_values, "n")
    good = (p >= 0) & (p <= 1)
    if not good.all():
        wrong = int(np.argmin(good))
        raise DataError(f"p_values holds {p[wrong]} at place {wrong} (counted from 0); needs numbers in [0, 1].")
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(stepped, 1)
    return adjusted


def signed_rank_interval(differences: ArrayLike, confidence: float = 0.95) -> tuple[float, float, float]:
    """The middle of independent differences (n,), and its interval: middle, low, high.

    It holds for symmetric differences of any size, and a few very large ones do not widen it. Fewer than six cannot
    reach 95%: low and high are infinite then. Raises DataError for none, or for what is not finite.
    Source: Hodges & Lehmann 1963, Estimates of location based on rank tests: means of pairs, by their ranks.

    >>> signed_rank_interval([1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 100.0])
    (4.5, 2.0, 52.5)
    """
    d = _floats("differences", differences, "n")
    _all_finite(d)
    pairs = np.sort(np.add.outer(d, d)[np.triu_indices(len(d))] / 2)
    chances = np.ones(1)
    for rank in range(1, len(d) + 1):  # of each sum of ranks, were every sign a coin's
        chances = (np.pad(chances, (0, rank)) + np.pad(chances, (rank, 0))) / 2
    tail = (1 - number("confidence", confidence, "(0, 1)")) / 2
    outside = int(np.searchsorted(np.cumsum(chances), tail, side="right"))
    middle = float(np.median(pairs))
    return (middle, float(pairs[outside - 1]), float(pairs[-outside])) if outside else (middle, -np.inf, np.inf)


def binomial_interval(successes: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """The exact interval (low, high) of a probability from the successes in independent trials.

    It holds the true probability at least as often as `confidence` says. low is 0 for no success and high is 1
    for no failure; no trials give (0, 1).
    Raises SettingError for counts that are not whole, negative or too many, and for confidence outside (0, 1).
    Source: Clopper & Pearson 1934, The use of confidence or fiducial limits illustrated in the case of the binomial.

    >>> low, high = binomial_interval(0, 10)
    >>> low, round(high, 4)
    (0.0, 0.3085)
    """
    n = whole("trials", trials, "[0, inf)")
    k = whole("successes", successes, f"[0, {n}]")
    tail = (1 - number("confidence", confidence, "(0, 1)")) / 2
    low = float(special.betaincinv(k, n - k + 1, tail)) if k > 0 else 0.0
    high = float(special.betaincinv(k + 1, n - k, 1 - tail)) if k < n else 1.0
    return low, high


def _floats(label: str, values: Any, *axes: str) -> Floats:
    """Return the values as float64, with one axis for each name."""
    needed = f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{label} came as {shown(values)}; needs numbers of shape {needed}.") from error
    if array.ndim != len(axes):
        raise ShapeError(f"{label} has shape {array.shape}; needs {needed}.")
    return array


def _all_finite(differences: Floats) -> None:
    """Raise DataError for no difference, and with the place of the first one that is not finite."""
    if not len(differences):
        raise DataError("differences came empty; needs one for each split.")
    good = np.isfinite(differences)
    if not good.all():
        split = int(np.argmin(good))
        raise DataError(
            f"differences holds {differences[split]} at split {split} (counted from 0); needs finite numbers. "
            "Did the candidate diverge? Then report it as diverged; to drop the split would flatter it."
        )
