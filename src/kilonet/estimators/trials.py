"""Fits of many estimators on rows of one table, trained together: each has the bits of its own `fit`.

A trial is an estimator on the training rows of one split. Trials on the same rows share an encoder and a population;
the engine's packs also join those of several splits.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.utils import _safe_indexing

from kilonet.engine import Problem, choose
from kilonet.engine.measures import Scorer
from kilonet.engine.planner import Plan
from kilonet.errors import InterruptedWarning, users_line
from kilonet.estimators import ensemble
from kilonet.estimators.footing import Encodings, Footing
from kilonet.estimators.plan import Draws, network_of, training_settings
from kilonet.estimators.rows import Rows
from kilonet.estimators.run import Work
from kilonet.estimators.settings import check_settings
from kilonet.numerals import span
from kilonet.population import Group, Population
from kilonet.record import Runs

Floats = NDArray[np.float64]
Places = NDArray[np.intp]


class Split(NamedTuple):
    """Rows to train on, and rows held out."""

    train: Places
    test: Places


class Table(NamedTuple):
    """X and y as a user gives them, and weights (n,) for training or None."""

    X: Any
    y: Any
    weights: Any = None


@dataclass(eq=False)
class Trial:
    """An estimator on a split, and the work that its `fit` would be. place: whose estimator it is; fold: of the split.

    held_out: X and y of the held-out rows, as the user gave them. encodings: of the split's training rows.
    """

    estimator: Any
    work: Work
    fold: int
    place: int
    held_out: tuple[Any, Any]
    encodings: Encodings

    def judge(self, runs: Runs) -> tuple[Floats, Floats]:
        """Mean loss and score of every member on the held-out rows, dropout and noise off.

        Not finite where the member's scores are not.
        """
        footing = self.work.footing
        rows = self.estimator._rows(*self.held_out, None, reset=False)
        X, n_outputs = self.encodings.inputs(footing, rows), footing.network.n_outputs
        targets = footing.loss.targets(footing.codec.targets(rows.targets), n_outputs, footing.dtype)
        weights, scorer = np.ones(len(targets)), Scorer(footing.loss, targets, None)
        sums: Any = 0.0
        with np.errstate(all="ignore"):
            for piece, scores in self.scores(runs, X):
                value = footing.loss.value(scores, targets[piece])
                sums = sums + scorer.sums(scores, value, targets[piece], weights[piece])
            return scorer.results(sums)

    def scores(self, runs: Runs, X: Any) -> Iterator[tuple[slice, Any]]:
        """Scores (members, rows, outputs) of all members for encoded rows X, in pieces that can be held at once."""
        network, theta = self.work.footing.network, np.atleast_2d(runs.theta)
        predictor = choose(network, self.work.footing.loss).Predictor(network, theta)
        for piece in ensemble.blocks(X.shape[0], len(theta), network.n_outputs):
            yield piece, predictor.scores(X[piece])


def trials(
    estimators: Sequence[tuple[int, int, Any]], splits: Sequence[Split], table: Table, *, curves: bool = False
) -> Iterator[Trial]:
    """The work of estimators, given as (fold, place, estimator not fitted), those of one fold one after another.

    curves: whether their histories are to follow the held-out rows, where they bring no validation rows of their own.
    """
    fold, encodings = -1, Encodings()
    rows: tuple[Any, Any, Any]
    held_out: tuple[Any, Any]
    for number, place, estimator in estimators:
        if number != fold:
            train, test = splits[number]
            own = None if table.weights is None else np.asarray(table.weights)[train]
            rows = (_safe_indexing(table.X, train), _safe_indexing(table.y, train), own)
            held_out = (_safe_indexing(table.X, test), _safe_indexing(table.y, test))
            fold, encodings = number, Encodings()
        fresh = clone(estimator)
        check_settings(fresh)
        watched = curves and fresh.validation_data is None and not fresh.early_stopping
        if watched:
            fresh.set_params(validation_data=held_out)
        work = fresh._fresh_work(*rows, encodings)
        if watched:
            fresh.set_params(validation_data=None)
        yield Trial(fresh, work, fold, place, held_out, encodings)


@dataclass(frozen=True, eq=False)
class Common:
    """What all splits share where columns and target become numbers as on all rows, so that one network fits all.

    rows: all that count. Encoders are fitted to all of them, and never look at the target; the held-out rows take
    part in nothing else. members: of a configuration on one split, at most.
    """

    rows: Rows
    codec: Any
    dtype: str
    encodings: Encodings
    members: int = 1

    def inputs(self, footing: Footing, places: Places) -> Any:
        """Encoded rows at some places, as the networks of a footing are given them."""
        return self.encodings.inputs(footing, replace(self.rows, places=places))

    def inputs_of(self, estimator: Any) -> str:
        """What tells the inputs of one estimator from those of another."""
        encoder = self.encodings.encoder(estimator.encode, self.rows)
        return "" if encoder is None else encoder.state_.inputs

    def width(self, estimator: Any) -> int:
        """Numbers that a row becomes for an estimator."""
        encoder = self.encodings.encoder(estimator.encode, self.rows)
        return int(self.rows.X.shape[1]) if encoder is None else int(encoder.state_.width)

    def trials(self, given: Sequence[tuple[int, int, Any]], splits: Sequence[Split]) -> Iterator[Trial]:
        """As `trials`; the members of every split begin from weights of their own."""
        self.encodings.forget_parts()
        known: Any = None
        encoder: Any = None
        network: Any = None
        for number, place, estimator in given:
            train, test = splits[number]
            weights = self.rows.weights
            own = replace(self.rows, places=train if weights is None else train[weights[train] > 0])
            draws = Draws.of(estimator.random_state)
            draws = replace(draws, seed=draws.seeds(1 + number * self.members)[-1])
            shape = estimator.hidden, estimator.activation, estimator.initializer, vars(estimator.encode)
            if shape != known:
                known, encoder = shape, self.encodings.encoder(estimator.encode, self.rows)
                network = network_of(estimator, self.width(estimator), self.codec.n_outputs)
            seeds = draws.seeds(estimator.members)
            footing = Footing(encoder, self.codec, network, draws, seeds, self.dtype)
            settings = training_settings(estimator, network, len(own), draws, self.dtype)
            work = Work.of(estimator, footing, settings, (own, None), self.encodings, going_on=False)
            yield Trial(estimator, work, number, place, (test, None), self.encodings)


class Trained:
    """Trials that are trained, in the order in which they came; use it in a `with`."""

    def __init__(self, given: Sequence[Trial], begun: float) -> None:
        self._batches = _batched(given)
        self._begun = begun
        self._population = Population(_groups(self._batches))
        self._reached: list[int] = []
        self.interrupted = False

    def __enter__(self) -> Self:
        self.interrupted = self._population.train()
        return self

    def __exit__(self, *_: object) -> None:
        self._population.__exit__()

    @property
    def plan(self) -> Plan:
        """How all of them were trained."""
        return self._population.plan

    def __iter__(self) -> Iterator[tuple[Trial, Runs]]:
        """Each trial with the record of its members."""
        for number, batch in enumerate(self._batches):
            runs, first = self._population.runs(number, False, self.interrupted, self._begun), 0
            self._reached += runs.reached
            for trial in batch:
                members = trial.work.problem.recipe.n_members
                yield trial, runs.members(range(first, first + members), single=members == 1)
                first += members

    def warn(self, what: str) -> None:
        """Say where Ctrl-C came in between, and after which epochs of the fits that were looked at."""
        if self.interrupted:
            epochs = f"{span(min(self._reached), max(self._reached))} epochs" if self._reached else "no epoch"
            text = f"{what} was interrupted; scores are those of what is trained, {epochs} of each fit."
            warnings.warn(text, InterruptedWarning, stacklevel=users_line())


def _batched(given: Sequence[Trial]) -> list[list[Trial]]:
    """Those who can be one population, in the order of the first of each."""
    batches: list[list[Trial]] = []
    for trial in given:
        fitting = (batch for batch in batches if batch[0].work.problem.fits(trial.work.problem))
        batch = next(fitting, None)
        if batch is None:
            batches.append([trial])
        else:
            batch.append(trial)
    return batches


def _groups(batches: list[list[Trial]]) -> list[Group]:
    groups, first = [], 0
    for batch in batches:
        problem = Problem.joined([trial.work.problem for trial in batch])
        places = range(first, first + problem.recipe.n_members)
        groups.append(Group(problem, tuple(places)))
        first = places.stop
    return groups
