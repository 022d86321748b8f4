"""Held-out losses of many candidates on splits of a task's rows, each family at the candidate that suits it best.

Rows are split three ways: candidates train on some, are chosen by others, and are judged by the rest. Splits are the
unit of comparison within a task, tasks the one across tasks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kilonet.comparison import Comparison, corrected_t, holm, signed_rank_interval
from kilonet.engine import choose
from kilonet.network import Network
from kilonet.notes.intervals import Estimate
from kilonet.notes.tasks import Task
from kilonet.notes.trials import side_by_side
from kilonet.recipe import Recipe
from kilonet.record import Runs

Floats = NDArray[np.float64]

_TRAINING, _CHOOSING = 0.5, 0.25  # of the rows; the last quarter judges
TEST_TO_TRAIN = (1 - _TRAINING - _CHOOSING) / _TRAINING
MARGIN = 1.25
"""Losses within this factor of each other, in either direction, are about as good: one margin for all experiments.

It is the customary one for ratios of means in trials of equivalence, 0.8 to 1.25. Source: Schuirmann 1987.
"""
_SURE = 0.05
_HIDDEN, _RATES, _PENALTIES = (32, 32), (3e-3, 1e-2, 3e-2, 1e-1), (1e-4, 1e-2)


@dataclass(frozen=True)
class Candidate:
    """A network and how it is trained; family: those among which one is chosen.

    hidden: sizes of hidden layers with `units`, or whole layers. settings: of `train`, each a number.
    """

    family: str
    hidden: tuple[Any, ...]
    settings: tuple[tuple[str, float], ...] = ()
    units: str = "relu"

    def network(self, task: Task) -> Network:
        """The network for a task's inputs and targets."""
        return Network([task.X.shape[1], *self.hidden, task.n_outputs], activation=self.units)


def of_units(*units: str) -> tuple[Candidate, ...]:
    """Networks of two hidden layers with each type of unit, a family of its own at every rate and λ that is tried.

    >>> len(of_units("relu")), of_units("relu")[0].settings
    (8, (('rate', 0.003), ('l2', 0.0001)))
    """
    settings = [(("rate", rate), ("l2", penalty)) for rate in _RATES for penalty in _PENALTIES]
    return tuple(Candidate(unit, _HIDDEN, own, unit) for unit in units for own in settings)


class Judged(NamedTuple):
    """Losses (splits, candidates), means over seeds: on rows that choose, on those that judge, and on training rows."""

    candidates: Sequence[Candidate]
    choosing: Floats
    judging: Floats
    training: Floats

    def best(self, *families: str) -> Floats:
        """The judged loss (splits,) of the candidate, among those of some families, that does best on rows that choose.

        >>> two = [Candidate("a", (3,)), Candidate("a", (9,))]
        >>> Judged(two, *np.array([[[1.0, 2.0]], [[3.0, 1.0]], [[0.0, 0.0]]])).best("a")
        array([3.])
        """
        return _at_best(self.choosing, self.judging, self._places(families))

    def learned(self, *families: str) -> Floats:
        """The loss on training rows (splits,) of the candidate, of some families, whose loss there is least."""
        return _at_best(self.training, self.training, self._places(families))

    def _places(self, families: Sequence[str]) -> list[int]:
        return [place for place, one in enumerate(self.candidates) if one.family in families]


def _at_best(choosing: Floats, judged: Floats, places: Sequence[int]) -> Floats:
    best = np.asarray(places)[choosing[:, places].argmin(axis=1)]
    found: Floats = judged[np.arange(len(judged)), best]
    return found


def judged(task: Task, candidates: Sequence[Candidate], splits: int, seeds: int, **settings: Any) -> Judged:
    """Train all candidates on all splits, each split with seeds of its own, as one population.

    A run that left the finite numbers counts as infinitely bad. settings: of `train`, for all. One order of the places
    serves all, since the rows of each split are in an order of their own.
    """
    names = sorted({name for candidate in candidates for name, _ in candidate.settings})
    by_network: dict[Network, list[int]] = {}
    for place, candidate in enumerate(candidates):
        by_network.setdefault(candidate.network(task), []).append(place)
    rows = [_split(split, len(task.X)) for split in range(splits)]
    given = []
    for split, (training, *_) in enumerate(rows):
        for network, places in by_network.items():
            each = [dict(candidates[place].settings) for place in places for _ in range(seeds)]
            own = {name: [one.get(name, 0.0) for one in each] for name in names}
            drawn = [split * seeds + seed for _ in places for seed in range(seeds)]
            recipe = Recipe.make(seeds=drawn, order=0, watch=0, **own, **settings)
            given.append((network, task.X[training], task.y[training], recipe))
    found = np.empty((3, splits, len(candidates)))
    every = iter(side_by_side(task.loss, given))
    for split, held in enumerate(rows):
        for places in by_network.values():
            found[:, split, places] = _losses(task, next(every), held[1:]).reshape(3, len(places), seeds).mean(axis=2)
    return Judged(candidates, *found)


def _split(split: int, rows: int) -> list[NDArray[np.int64]]:
    """Places of the rows to train on, to choose by and to judge by."""
    ends = [int(_TRAINING * rows), int((_TRAINING + _CHOOSING) * rows)]
    return np.split(np.random.default_rng(split).permutation(rows), ends)


def _losses(task: Task, runs: Runs, held: Sequence[Any]) -> Floats:
    """Mean losses (3, members) on rows that choose and on those that judge, and in the last epoch of training."""
    network: Any = runs.network
    predictor = choose(network).Predictor(network, runs.theta)  # the engine's scores are the same on every machine
    means = []
    for rows in held:
        targets = task.loss.targets(task.y[rows], task.n_outputs, np.float64)
        scores = np.asarray(predictor.scores(task.X[rows]), np.float64)
        means.append(task.loss.value(scores, targets).mean(axis=-1))
    found = np.stack([*means, runs.history.loss[-1]])
    lost = (np.asarray(runs.diverged) > 0) | ~np.isfinite(found)
    return np.where(lost, np.inf, found)


def ratio(losses: Floats, others: Floats) -> Comparison:
    """The logarithm of a loss over another's, its mean over splits (splits,), by the corrected resampled t."""
    return corrected_t(np.log(losses / others), TEST_TO_TRAIN)


def over_tasks(logarithms: ArrayLike) -> Estimate:
    """The middle ratio over tasks, which are independent, from its logarithms (tasks,), with its interval.

    By signed ranks: tasks are few and unlike each other, and one odd task does not decide.

    >>> over_tasks(np.log([1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1000.0])).value
    2.0
    """
    return Estimate(*signed_rank_interval(logarithms)).exp()


def pooled(comparisons: Sequence[Comparison]) -> Estimate:
    """The mean over tasks, with errors that are independent between them: it speaks of these tasks and of new rows.

    >>> one = corrected_t([0.0, 2.0], 0.0)
    >>> pooled([one, one]).value
    1.0
    """
    value = float(np.mean([one.difference for one in comparisons]))
    reach = float(np.sqrt(np.sum([(one.high - one.difference) ** 2 for one in comparisons]))) / len(comparisons)
    return Estimate(value, value - reach, value + reach)


def sure(comparisons: Sequence[Comparison]) -> tuple[int, int]:
    """On how many tasks the loss is lower, and on how many higher, beyond chance among all of them together."""
    differences = np.array([one.difference for one in comparisons])
    beyond = holm([one.p_value for one in comparisons]) < _SURE
    return int((beyond & (differences < 0)).sum()), int((beyond & (differences > 0)).sum())
