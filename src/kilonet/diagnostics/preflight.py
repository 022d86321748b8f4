"""Before training: can the network learn a few rows by heart, with which rates does it learn, are gradients right."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from kilonet.diagnostics.inputs import conflicts, input_facts, target_facts
from kilonet.diagnostics.insides import layer_facts
from kilonet.diagnostics.outcome import mean_loss, start_facts
from kilonet.diagnostics.subject import Places, Subject, initial, spaced
from kilonet.diagnostics.sweep import losses_of, rate_facts, rates_of, steps_within, trained
from kilonet.engine import choose
from kilonet.engine.inputs import BLOCK
from kilonet.errors import MemoryLimitError
from kilonet.findings import Examination, SmallFacts
from kilonet.losses import CrossEntropy, squared
from kilonet.optimizers import Adam
from kilonet.residuals import Residual

__all__ = ["gradient_error", "gradient_error_of", "preflight", "rate_facts", "rates_of", "small_facts", "small_of"]

Array = NDArray[Any]

FEW, STEPS = 20, 500  # rows to be learned by heart, and steps to do it in
_FEW_RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
_LARGE = 4  # of these, the lower ones, for networks that are too large for all of them
_FEWEST_STEPS = 100
_CHECKED, _CHECK_ROWS = 50, 8  # parameters and rows whose gradients are checked
_ASIDE = 0.01  # standard deviation of what moves parameters off the kinks that biases of zero may sit on
_REACHES = (1e-4, 1e-5, 1e-6)  # of central differences: a kink in reach of one of them is out of another's
_ROUNDING = 4 * np.finfo(float).eps  # of the largest score: what a loss next to zero, their difference, is off by
_FLOOR = 1e-5  # of the largest gradient: smaller ones drown in the rounding of the loss


def preflight(estimator: Any, X: Any, y: Any, sample_weight: Any = None, *, member: int = 0) -> Examination:
    """What can be known before `estimator.fit(X, y)`: the layers are those of the initial parameters.

    estimator: fitted or not, it is not changed; member: which of its networks. Raises what `fit` raises for settings
    and data that cannot be used.

    >>> import kilonet as kn
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> found = preflight(kn.MLPClassifier(hidden=(20,), random_state=0), X, X[:, 0] + X[:, 1] ** 2 > 1)
    >>> found.small.score, found.target.conflicting, len(found.history)
    (1.0, 0, 0)
    """
    subject = Subject.of(clone(estimator), X, y, sample_weight, member)
    return Examination(
        origin="kilonet",
        task=subject.task,
        settings=subject.settings,
        layers=layer_facts(subject),
        history=subject.history,
        inputs=input_facts(subject),
        target=target_facts(subject),
        start=start_facts(subject),
        small=small_of(subject),
        rates=rates_of(subject),
        gradient_error=gradient_error_of(subject),
    )


def small_facts(estimator: Any, X: Any, y: Any, sample_weight: Any = None, *, member: int = 0) -> SmallFacts | None:
    """Whether the estimator's network can learn 20 rows by heart in 500 steps of all of them.

    Network and data are asked, not the training. So there are no penalties, dropout, noise, bounds and smoothing of
    labels, and numbers are learned by the squared loss, which needs no fading steps. The best of eight rates counts,
    for Adam with a short memory for squares (beta2 = 0.95): of what was tried it learned by heart most often. Rows that
    contradict each other are left out first, unless there are no others.

    So that it takes a second or two, large networks get the four lower rates and fewer steps. None where fewer than 100
    are left, or where memory does not suffice: that was not looked at.
    Source: Stanford CS231n, part 3, sanity checks.

    >>> import kilonet as kn
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> small_facts(kn.MLPClassifier(hidden=(), random_state=0), X, (X[:, 0] > 0) ^ (X[:, 1] > 0)).score < 1
    True
    """
    return small_of(Subject.of(estimator, X, y, sample_weight, member))


def small_of(subject: Subject) -> SmallFacts | None:
    """As `small_facts`."""
    rows, loss = few_rows(subject), _plain(subject.loss)
    planned = _planned(len(rows), subject.network.n_parameters)
    if planned is None:
        return None
    rates, steps = planned
    recipe = subject.recipe(
        len(rates), optimizer=Adam(beta2=0.95), rate=rates, schedule="constant", batch=len(rows),
        epochs=steps, order=None, l2=0.0, l1=0.0, dropout=0.0, input_noise=0.0, max_norm=None,
    )  # fmt: skip
    problem = replace(subject.problem_on(rows, recipe, loss), weights=None)
    try:
        runs = trained(problem)
    except MemoryLimitError:
        return None
    best = int(np.argmin(losses_of(problem, runs)))
    scores = subject.scores(runs.theta[best], problem.X)
    with np.errstate(all="ignore"):
        score = float(loss.score(scores, problem.targets))
    return SmallFacts(len(rows), steps, mean_loss(loss, scores, problem.targets), score)


def _planned(rows: int, parameters: int) -> tuple[Sequence[float], int] | None:
    """Rates and steps that can be afforded, None where that tells nothing."""
    for rates, fewest in ((_FEW_RATES, STEPS), (_FEW_RATES[:_LARGE], _FEWEST_STEPS)):
        steps = steps_within(len(rates), rows, parameters)
        if steps >= fewest:
            return rates, min(STEPS, steps)
    return None


def _plain(loss: Any) -> Any:
    """The loss that comes next to zero soonest where a network of this task is right."""
    if isinstance(loss, CrossEntropy):
        return loss(smoothing=0.0)
    return squared if isinstance(loss, Residual) else loss


def few_rows(subject: Subject) -> Places:
    """Places of up to 20 rows, always the same ones: of every class a first row, then a second one, and so on.

    Of numbers they are spread from the lowest to the highest. Rows that contradict each other are left out, unless
    fewer than two are left then.
    """
    sound = np.flatnonzero(~conflicts(subject))
    rows = sound if len(sound) > 1 else np.arange(subject.problem.n_rows)
    targets = subject.problem.targets[rows]
    if subject.task == "regression":
        order = np.argsort(targets[:, 0], kind="stable")
        return np.sort(rows[order[spaced(len(rows), FEW)]])
    _, kinds = np.unique(targets, axis=0, return_inverse=True)
    kinds = kinds.ravel()
    order = np.argsort(kinds, kind="stable")
    starts = np.searchsorted(kinds[order], np.arange(kinds.max() + 1))
    turn = np.empty_like(kinds)
    turn[order] = np.arange(len(kinds)) - starts[kinds[order]]
    return np.sort(rows[np.lexsort((kinds, turn))[:FEW]])


def gradient_error(estimator: Any, X: Any, y: Any, sample_weight: Any = None, *, member: int = 0) -> float:
    """Largest relative difference of gradients in float64 to central differences, on 50 parameters and 8 rows.

    |a − b| / max(|a|, |b|), where the larger one counts as a hundred-thousandth of the largest gradient at least. It is
    taken next to the initial parameters, so that no sum sits on a kink, and as the smallest of three reaches.
    Source: Stanford CS231n, part 3, gradient checks.

    >>> import kilonet as kn
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> gradient_error(kn.MLPRegressor(hidden=(8,), random_state=0), X, X[:, 0]) < 1e-5
    True
    """
    return gradient_error_of(Subject.of(estimator, X, y, sample_weight, member))


def gradient_error_of(subject: Subject) -> float:
    """As `gradient_error`."""
    problem, network, loss = subject.problem, subject.network, subject.loss
    rows, aside = spaced(problem.n_rows, _CHECK_ROWS), np.random.default_rng(0)
    theta = initial(problem).astype(np.float64)
    theta += _ASIDE * aside.standard_normal(len(theta))
    X, targets = problem.X[rows].astype(np.float64), problem.targets[rows]
    targets = targets.astype(np.float64) if targets.dtype.kind == "f" else targets
    engine = choose(network, loss)
    value, gradient = engine.value_and_grad(network, loss, theta[np.newaxis], X, targets, None)
    chosen = spaced(len(theta), _CHECKED)
    known = gradient[0, chosen]
    least = max(_FLOOR * max(float(np.abs(gradient).max()), float(abs(value[0]))), np.finfo(float).tiny)
    rounding = _ROUNDING * float(np.abs(engine.scores(network, theta[np.newaxis], X, None)).max())
    found = np.full(len(chosen), np.inf)
    for reach in _REACHES:
        numeric = _differences(lambda moved: _values(engine, network, loss, moved, X, targets), theta, chosen, reach)
        size = np.maximum(np.maximum(np.abs(known), np.abs(numeric)), least)
        found = np.fmin(found, np.maximum(np.abs(known - numeric) - rounding / reach, 0) / size)
    return float(found.max())


def _values(engine: Any, network: Any, loss: Any, thetas: Array, X: Any, targets: Array) -> Array:
    """Mean loss of each of several parameters (P, n_parameters)."""
    mean: Array = loss.value(engine.scores(network, thetas, X, None), targets).mean(axis=-1)
    return mean


def _differences(values: Any, theta: Array, chosen: Places, reach: float) -> Array:
    """Central differences by the chosen parameters, some at a time, so that large networks do not fill the memory."""
    found, step = np.empty(len(chosen)), max(1, BLOCK * 16 // (2 * len(theta)))
    for start in range(0, len(chosen), step):
        own = chosen[start : start + step]
        moved = np.tile(theta, (2, len(own), 1))
        places = np.arange(len(own))
        moved[0, places, own] += reach
        moved[1, places, own] -= reach
        apart = moved[0, places, own] - moved[1, places, own]  # what the numbers could hold of twice the reach
        above, below = values(moved.reshape(-1, len(theta))).reshape(2, -1)
        found[start : start + step] = (above - below) / apart
    return found
