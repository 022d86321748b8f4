"""Held-out losses of many candidates on splits of a task's rows, each family at the candidate that suits it best.

Rows are split three ways: candidates train on some, are chosen by others, and are judged by the rest.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.comparison import corrected_t
from kilonet.errors import DivergenceWarning
from kilonet.network import Network
from kilonet.notes.intervals import Estimate
from kilonet.notes.trials import Task
from kilonet.training import train

Floats = NDArray[np.float64]

_TRAINING, _CHOOSING = 0.5, 0.25  # of the rows; the last quarter judges
TEST_TO_TRAIN = (1 - _TRAINING - _CHOOSING) / _TRAINING


@dataclass(frozen=True)
class Candidate:
    """A network of ReLU units and how it is trained; family: those among which one is chosen."""

    family: str
    hidden: tuple[int, ...]
    settings: tuple[tuple[str, float], ...]


def losses(
    task: Task, candidates: Sequence[Candidate], splits: int, seeds: int, **settings: Any
) -> tuple[Floats, Floats]:
    """Losses (splits, candidates) on the rows that choose and on those that judge, means over seeds.

    All candidates and seeds of a split are one population. A run that left the finite numbers counts as infinitely
    bad. settings: of `train`, for all.
    """
    names = sorted({name for candidate in candidates for name, _ in candidate.settings})
    each = [(candidate, dict(candidate.settings), seed) for candidate in candidates for seed in range(seeds)]
    own: dict[str, Any] = {name: [given.get(name, 0.0) for _, given, _ in each] for name in names}
    networks = [Network([task.X.shape[1], *candidate.hidden, task.n_outputs]) for candidate, _, _ in each]
    found = np.empty((2, splits, len(candidates)))
    for split in range(splits):
        rows = np.random.default_rng(split).permutation(len(task.X))
        ends = [int(_TRAINING * len(rows)), int((_TRAINING + _CHOOSING) * len(rows))]
        training, choosing, judging = np.split(rows, ends)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DivergenceWarning)  # such a run is infinitely bad, and not chosen
            runs = train(
                networks, task.loss, task.X[training], task.y[training], seeds=[seed for *_, seed in each],
                order=[split] * len(each), watch=0, **own, **settings,
            )  # fmt: skip
        lost = np.asarray(runs.diverged) > 0
        for place, held in enumerate((choosing, judging)):
            mean = [_loss(task, network, theta, held) for network, theta in zip(networks, runs.theta, strict=True)]
            finite = np.where(lost | ~np.isfinite(mean), np.inf, mean)
            found[place, split] = finite.reshape(len(candidates), seeds).mean(axis=1)
    return found[0], found[1]


def _loss(task: Task, network: Network, theta: Any, rows: Any) -> float:
    """The mean loss of a network on some rows of a task."""
    targets = task.loss.targets(task.y[rows], task.n_outputs, np.float64)
    return float(np.mean(task.loss.value(network.scores(theta, task.X[rows]).astype(np.float64), targets)))


def chosen(choosing: Floats, judging: Floats, places: Sequence[int]) -> Floats:
    """The judged loss (splits,) of the candidate, among those at some places, that does best on the rows that choose.

    >>> chosen(np.array([[1.0, 2.0]]), np.array([[3.0, 1.0]]), [0, 1])
    array([3.])
    """
    best = np.asarray(places)[choosing[:, places].argmin(axis=1)]
    found: Floats = judging[np.arange(len(judging)), best]
    return found


def ratio(losses: Floats, others: Floats) -> Estimate:
    """The logarithm of a loss over another's, its mean over splits (splits,), by the corrected resampled t."""
    found = corrected_t(np.log(losses / others), TEST_TO_TRAIN)
    return Estimate(found.difference, found.low, found.high)


def pooled(estimates: Sequence[Estimate]) -> Estimate:
    """The mean over tasks, with errors that are independent between them: it speaks of these tasks and of new rows.

    >>> pooled([Estimate(1.0, 0.0, 2.0), Estimate(3.0, 2.0, 4.0)]).value
    2.0
    """
    value = float(np.mean([one.value for one in estimates]))
    reach = float(np.sqrt(np.sum([(one.high - one.value) ** 2 for one in estimates]))) / len(estimates)
    return Estimate(value, value - reach, value + reach)
