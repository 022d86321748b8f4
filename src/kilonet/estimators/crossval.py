"""Cross-validation of many estimators as one population: all folds and all of them train side by side."""

import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing, indexable

from kilonet.engine import Problem
from kilonet.engine.planner import Plan
from kilonet.errors import DivergenceError, DivergenceWarning, InterruptedWarning, SettingError, users_line
from kilonet.estimators.base import BaseMLP
from kilonet.estimators.footing import Encodings
from kilonet.estimators.run import Work, adopt
from kilonet.estimators.settings import callbacks_of, check_settings
from kilonet.population import Group, Population
from kilonet.record import Runs

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CrossValidation:
    """What `cross_validate` gives back.

    scores (n_splits,) for one estimator, (n_splits, n_estimators) for several: of the held-out rows, NaN where
    training left the finite numbers at once or the scorer refused the predictions. estimators: as many lists of
    fitted ones, or None where they were not kept. splits: (training rows, held-out rows) of each split. plan:
    how all of them were trained.
    """

    scores: Floats
    estimators: list[Any] | None
    splits: list[tuple[NDArray[np.intp], NDArray[np.intp]]]
    plan: Plan
    interrupted: bool
    seconds: float


@dataclass(eq=False)
class _Candidate:
    """An estimator of a fold, and the work that its fit would be."""

    estimator: Any
    work: Work
    fold: int
    place: int


def cross_validate(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    cv: Any = None,
    groups: Any = None,
    sample_weight: Any = None,
    scoring: Any = None,
    curves: bool = False,
    return_estimator: bool = False,
) -> CrossValidation:
    """Score one estimator, or a sequence of them, on held-out rows, training everything at once.

    Each split has an encoder of its own, fitted to its training rows; whoever learns from the same rows with
    the same batch, epochs, number type and optimizer, and differs in nothing but random_state, rate, penalties,
    dropout, noise, schedule or stopping, shares packs of the kernel where networks and order of the rows are
    equal. Nothing else changes by that: scores and parameters have the bits of fitting each estimator alone, as
    scikit-learn's cross_val_score does on the same splits.

    estimator: MLPClassifier or MLPRegressor, as configured, not fitted. cv: a number of folds, a splitter or
    splits, as scikit-learn takes it; groups: for splitters that need them. sample_weight (n,): for training.
    scoring: None for the estimator's own score, else a name or a scorer of scikit-learn. curves: whether
    `history_` is to follow loss and score on the held-out rows after every epoch, where the estimator brings no
    validation rows of its own. return_estimator: whether to keep the fitted estimators.

    Raises SettingError for what is no estimator of Kilonet, has warm_start or callbacks; data are refused as
    `fit` does.

    >>> import kilonet as kn
    >>> X, y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2
    >>> candidates = [kn.MLPClassifier(8, l2=l2, epochs=5, random_state=0) for l2 in (1e-4, 1e-2, 1.0)]
    >>> found = cross_validate(candidates, X, y, cv=4)
    >>> found.scores.shape, found.plan.members_in_packs + found.plan.single_members
    ((4, 3), 12)
    """
    begun = time.perf_counter()
    several = isinstance(estimator, Sequence)
    given = list(estimator) if several else [estimator]
    _check(given)
    X, y, groups, sample_weight = indexable(X, y, groups, sample_weight)
    check_scoring(given[0], scoring)
    splits = [(np.asarray(train), np.asarray(test)) for train, test in _splitter(cv, y, given[0]).split(X, y, groups)]
    candidates = list(_candidates(given, splits, (X, y, sample_weight), curves=curves))
    batches = _batched(candidates)
    with Population(_groups(batches)) as population:
        interrupted = population.train()
        scores = np.full((len(splits), len(given)), np.nan)
        for number, batch in enumerate(batches):
            for candidate, own in _shares(batch, population.runs(number, False, interrupted, begun)):
                held_out = splits[candidate.fold][1]
                scores[candidate.fold, candidate.place] = _score(candidate, own, (X, y), held_out, scoring)
        plan = population.plan
    if interrupted:
        warnings.warn("cross-validation was interrupted; scores are those of what is trained.", InterruptedWarning, 2)
    kept = [[c.estimator for c in candidates if c.fold == fold] for fold in range(len(splits))]
    return CrossValidation(
        scores if several else scores[:, 0],
        (kept if several else [fold[0] for fold in kept]) if return_estimator else None,
        splits,
        plan,
        interrupted,
        time.perf_counter() - begun,
    )


def _check(given: list[Any]) -> None:
    if not given:
        raise SettingError("estimator came as an empty sequence; needs at least one estimator.")
    for place, estimator in enumerate(given):
        what = f"estimator[{place}]"
        if not isinstance(estimator, BaseMLP):
            raise SettingError(f"{what} is a {type(estimator).__name__}; needs MLPClassifier or MLPRegressor.")
        if type(estimator) is not type(given[0]):
            raise SettingError(f"{what} is another kind of estimator than the first; cross-validate them apart.")
        if estimator.warm_start or callbacks_of(estimator):
            raise SettingError(f"{what} has warm_start or callbacks, which belong to single fits; set them aside.")


def _splitter(cv: Any, y: Any, estimator: Any) -> Any:
    return check_cv(cv, y, classifier=is_classifier(estimator))


def _candidates(
    given: list[Any], splits: list[tuple[Any, Any]], data: tuple[Any, Any, Any], *, curves: bool
) -> Iterator[_Candidate]:
    """Every estimator on every fold, with the work that its `fit` on the fold's rows would do."""
    X, y, weights = data
    for fold, (train, test) in enumerate(splits):
        rows = (_safe_indexing(X, train), _safe_indexing(y, train))
        own = None if weights is None else np.asarray(weights)[train]
        held_out = (_safe_indexing(X, test), _safe_indexing(y, test)) if curves else None
        encodings = Encodings()
        for place, estimator in enumerate(given):
            fresh = clone(estimator)
            check_settings(fresh)
            watched = fresh.validation_data is None and not fresh.early_stopping
            if curves and watched:
                fresh.set_params(validation_data=held_out)
            work = fresh._fresh_work(*rows, own, encodings)
            if curves and watched:
                fresh.set_params(validation_data=None)
            yield _Candidate(fresh, work, fold, place)


def _batched(candidates: list[_Candidate]) -> list[list[_Candidate]]:
    """Those who can be one population, in the order of the first of each."""
    batches: list[list[_Candidate]] = []
    for candidate in candidates:
        fitting = (batch for batch in batches if batch[0].work.problem.fits(candidate.work.problem))
        batch = next(fitting, None)
        if batch is None:
            batches.append([candidate])
        else:
            batch.append(candidate)
    return batches


def _groups(batches: list[list[_Candidate]]) -> list[Group]:
    groups, first = [], 0
    for batch in batches:
        problem = Problem.joined([candidate.work.problem for candidate in batch])
        places = range(first, first + problem.recipe.n_members)
        groups.append(Group(problem, tuple(places)))
        first = places.stop
    return groups


def _shares(batch: list[_Candidate], runs: Runs) -> Iterator[tuple[_Candidate, Runs]]:
    """Each candidate with the record of its own members."""
    first = 0
    for candidate in batch:
        members = candidate.work.problem.recipe.n_members
        yield candidate, runs.members(range(first, first + members), single=members == 1)
        first += members


def _score(candidate: _Candidate, runs: Runs, data: tuple[Any, Any], held_out: Any, scoring: Any) -> float:
    """The score on the held-out rows; NaN, with a warning, where there is none to be had."""
    estimator, (X, y) = candidate.estimator, data
    where = f"estimator {candidate.place} in split {candidate.fold}"
    try:
        adopt(estimator, candidate.work, runs, said=False)
        if np.any(runs.diverged):
            text = f"{where} left the finite numbers in epoch {np.max(runs.diverged)}; it keeps what it had before."
            warnings.warn(text, DivergenceWarning, stacklevel=users_line())
        scorer = check_scoring(estimator, scoring)
        return float(scorer(estimator, _safe_indexing(X, held_out), _safe_indexing(y, held_out)))
    except (DivergenceError, ValueError) as error:  # such as predictions that are no finite numbers
        warnings.warn(f"{where} has no score: {error}", FitFailedWarning, stacklevel=users_line())
        return float("nan")
