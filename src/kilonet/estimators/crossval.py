"""Cross-validation of many estimators as one population: all folds and all of them train side by side."""

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import indexable

from kilonet.engine.planner import Plan
from kilonet.errors import DivergenceError, DivergenceWarning, SettingError, users_line
from kilonet.estimators.base import BaseMLP
from kilonet.estimators.run import adopt
from kilonet.estimators.settings import callbacks_of
from kilonet.estimators.trials import Split, Table, Trained, Trial, trials
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
    splits: list[Split]
    plan: Plan
    interrupted: bool
    seconds: float


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
    check_estimators(given)
    X, y, groups, sample_weight = indexable(X, y, groups, sample_weight)
    check_scoring(given[0], scoring)
    cv = check_cv(cv, y, classifier=is_classifier(given[0]))
    splits = [Split(np.asarray(train), np.asarray(test)) for train, test in cv.split(X, y, groups)]
    all_of_them = [(fold, place, own) for fold in range(len(splits)) for place, own in enumerate(given)]
    prepared = list(trials(all_of_them, splits, Table(X, y, sample_weight), curves=curves))
    scores = np.full((len(splits), len(given)), np.nan)
    with Trained(prepared, begun) as trained:
        for trial, own in trained:
            scores[trial.fold, trial.place] = _score(trial, own, scoring)
        plan = trained.plan
    trained.warn("cross-validation")
    kept = [[trial.estimator for trial in prepared if trial.fold == fold] for fold in range(len(splits))]
    return CrossValidation(
        scores if several else scores[:, 0],
        (kept if several else [fold[0] for fold in kept]) if return_estimator else None,
        splits,
        plan,
        trained.interrupted,
        time.perf_counter() - begun,
    )


def check_estimators(given: Sequence[Any]) -> None:
    """Raise SettingError for what is no estimator of Kilonet, and for what belongs to single fits."""
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


def _score(trial: Trial, runs: Runs, scoring: Any) -> float:
    """The score on the held-out rows; NaN, with a warning, where there is none to be had."""
    estimator, where = trial.estimator, f"estimator {trial.place} in split {trial.fold}"
    try:
        adopt(estimator, trial.work, runs, said=False)
        if np.any(runs.diverged):
            text = f"{where} left the finite numbers in epoch {np.max(runs.diverged)}; it keeps what it had before."
            warnings.warn(text, DivergenceWarning, stacklevel=users_line())
        return float(check_scoring(estimator, scoring)(estimator, *trial.held_out))
    except (DivergenceError, ValueError) as error:  # such as predictions that are no finite numbers
        warnings.warn(f"{where} has no score: {error}", FitFailedWarning, stacklevel=users_line())
        return float("nan")
