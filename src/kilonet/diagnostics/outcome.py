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

    Every row counts once. The interval is that of 2,000 bootstrap samples of both sets of rows, with a fixed seed. For
    R² of more than 2,000 rows, the means that it is made of are drawn from the normal distribution that they come to.
    """
    held_out = subject.held_out(validation)
    if held_out is None:
        return None
    random = np.random.default_rng(0)
    sets = [(subject.problem.X, subject.problem.targets), (held_out.X, held_out.targets)]
    scores, samples = zip(*(_resampled(subject, X, targets, random) for X, targets in sets), strict=True)
    low, high = np.quantile(samples[0] - samples[1], [0.025, 0.975])
    return GapFacts(scores[0], scores[1], float(low), float(high), rising(subject.history))


def _resampled(subject: Subject, X: Any, targets: Array, random: Any) -> tuple[float, Floats]:
    """The score on rows, and the scores on bootstrap samples of them (RESAMPLES,)."""
    loss, scores = subject.loss, subject.scores(subject.theta, X)
    score = float(loss.score(scores, targets))
    if loss.kind(targets) != "numbers":
        n = len(targets)
        return score, random.binomial(n, score, RESAMPLES) / n  # drawing rows again draws right ones among them
    y = targets.astype(np.float64)
    figures = np.hstack([np.square(scores - y), y, np.square(y)])  # (n, 3 k): R² is made of their means
    n, k = y.shape
    if n <= _DRAWN:
        means = np.array([figures[random.integers(0, n, n)].mean(axis=0) for _ in range(RESAMPLES)])
    else:
        covariance = np.cov(figures, rowvar=False) / n
        means = random.multivariate_normal(figures.mean(axis=0), covariance, RESAMPLES, "ignore", method="svd")
    error, spread = means[:, :k], means[:, 2 * k :] - means[:, k : 2 * k] ** 2
    return score, np.mean(1 - error / np.maximum(spread, 1e-300), axis=1)


def rising(history: History) -> int:
    """Epochs at the end since the validation loss was lowest; 0 where it was not followed."""
    curve = history.validation_loss
    if not np.isfinite(curve).any():
        return 0
    return len(curve) - 1 - int(np.nanargmin(curve))
