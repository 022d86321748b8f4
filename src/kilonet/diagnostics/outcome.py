"""Losses and scores of one network: before its first step, and on rows that its training did not see."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.diagnostics.subject import Subject, initial, spaced
from kilonet.findings import GapFacts, StartFacts
from kilonet.history import History

Array = NDArray[Any]
Floats = NDArray[np.float64]

ROWS = 20_000  # that the loss at the start is of, at most
RESAMPLES = 2000
_SURE = 1e-6  # the least probability of an answer that is the same for all rows
_Z = 1.959964  # standard deviations of a normal distribution that 95% lie within
_ALIKE = 1e-6  # of the variance of all rows: a sample's that is lower is of rows that are next to the same
_DRAWN = 2000  # rows that are drawn again one by one; means over more of them are as good as normal


def start_facts(subject: Subject) -> StartFacts:
    """The data loss of the initial parameters on up to 20,000 rows, and that of scores that are all zero.

    For classes the latter is ln C, ln 2 for each output of yes or no, C − 1 missing margins for hinge;
    for standardized numbers half for each output. Biases start at zero here, never at the prior.
    """
    problem, loss = subject.problem, subject.loss
    rows = spaced(problem.n_rows, ROWS)
    targets, scores = problem.targets[rows], subject.scores(initial(problem), problem.X[rows])
    weights = None if problem.weights is None else problem.weights[rows]
    return StartFacts(
        loss=mean_loss(loss, scores, targets, weights),
        expected=mean_loss(loss, np.zeros(scores.shape), targets, weights),
        nothing=knowing_nothing(subject, targets, weights),
    )


def knowing_nothing(subject: Subject, targets: Array, weights: Floats | None) -> float:
    """The lowest loss of some answers that are the same for all rows: frequencies, mean, median, zeros."""
    loss, n_outputs = subject.loss, subject.network.n_outputs
    if loss.kind(targets) == "classes":
        shares = np.bincount(targets, weights, n_outputs)[:n_outputs]
        answers = [np.log(np.maximum(shares / shares.sum(), _SURE))]
    else:
        mean = np.average(targets, axis=0, weights=weights)
        chance = np.clip(mean, _SURE, 1 - _SURE)
        answers = [mean, np.median(targets, axis=0), np.log(chance / (1 - chance))]
    even = np.zeros(n_outputs)
    return min(
        mean_loss(loss, np.broadcast_to(one, (len(targets), n_outputs)), targets, weights) for one in (even, *answers)
    )


def mean_loss(loss: Any, scores: Array, targets: Array, weights: Floats | None = None) -> float:
    """The weighted mean loss of rows in float64, infinite where it is no number: scores have left the finite ones."""
    with np.errstate(all="ignore"):
        value = loss.value(scores.astype(np.float64), targets)
    found = float(np.average(value, weights=weights))
    return found if np.isfinite(found) else float("inf")


def gap_facts(subject: Subject, validation: Any = None) -> GapFacts | None:
    """Training rows against rows held out: those given, else those of the training; None where there are none.

    Every row counts once. The interval of shares of right answers is Newcombe's, from Wilson's for each set: a set of
    which all are right is not sure either. That of R² is of 2,000 bootstrap samples of both sets, with a fixed seed; of
    more than 2,000 rows, the means that it is made of are drawn from the normal distribution that they come to. Samples
    whose targets hardly differ, such as one row drawn again and again, have no R² and are left out; of rows that all
    have the same target the interval is NaN.
    Source: Newcombe 1998, Interval estimation for the difference between independent proportions, method 10.
    """
    held_out = subject.held_out(validation)
    if held_out is None:
        return None
    sets = [(subject.problem.X, subject.problem.targets), (held_out.X, held_out.targets)]
    answers = [subject.scores(subject.theta, X) for X, _ in sets]
    targets = [own for _, own in sets]
    scores = [float(subject.loss.score(own, rows)) for own, rows in zip(answers, targets, strict=True)]
    if subject.loss.kind(targets[0]) == "numbers":
        random = np.random.default_rng(0)
        samples = [_resampled(own, rows, random) for own, rows in zip(answers, targets, strict=True)]
        apart = samples[0] - samples[1]
        known = apart[np.isfinite(apart)]
        low, high = np.quantile(known, [0.025, 0.975]) if len(known) else (np.nan, np.nan)
    else:
        low, high = shares_apart((scores[0], len(targets[0])), (scores[1], len(targets[1])))
    return GapFacts(scores[0], scores[1], float(low), float(high), rising(subject.history), len(targets[1]))


def shares_apart(one: tuple[float, int], other: tuple[float, int]) -> tuple[float, float]:
    """The 95% interval of the difference of two shares, each with the number of rows that it is of.

    >>> [round(edge, 4) for edge in shares_apart((56 / 70, 70), (48 / 80, 80))]  # Newcombe's first example
    [0.0524, 0.3339]
    """
    (low, high), (other_low, other_high) = _wilson(*one), _wilson(*other)
    apart = one[0] - other[0]
    below, above = np.hypot(one[0] - low, other_high - other[0]), np.hypot(high - one[0], other[0] - other_low)
    return float(apart - below), float(apart + above)


def _wilson(share: float, n: int) -> tuple[float, float]:
    """The 95% interval of a share of n rows."""
    middle, reach = share + _Z**2 / (2 * n), _Z * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    return float((middle - reach) / (1 + _Z**2 / n)), float((middle + reach) / (1 + _Z**2 / n))


def _resampled(scores: Array, targets: Array, random: Any) -> Floats:
    """R² on bootstrap samples of rows (RESAMPLES,), NaN where the targets of a sample hardly differ."""
    y = targets.astype(np.float64)
    scores, y = scores - y.mean(axis=0), y - y.mean(axis=0)  # or their squares drown what is between them
    figures = np.hstack([np.square(scores - y), y, np.square(y)])  # (n, 3 k): R² is made of their means
    n, k = y.shape
    if n <= _DRAWN:
        means = np.array([figures[random.integers(0, n, n)].mean(axis=0) for _ in range(RESAMPLES)])
    else:
        covariance = np.cov(figures, rowvar=False) / n
        means = random.multivariate_normal(figures.mean(axis=0), covariance, RESAMPLES, "ignore", method="svd")
    error, spread = means[:, :k], means[:, 2 * k :] - means[:, k : 2 * k] ** 2
    differ = (spread > _ALIKE * np.square(y).mean(axis=0)).all(axis=1)
    return np.where(differ, np.mean(1 - error / np.where(spread > 0, spread, 1.0), axis=1), np.nan)


def rising(history: History) -> int:
    """Epochs at the end since the validation loss was lowest; 0 where it was not followed."""
    curve = history.validation_loss
    if not np.isfinite(curve).any():
        return 0
    return len(curve) - 1 - int(np.nanargmin(curve))
