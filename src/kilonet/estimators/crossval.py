"""Cross-validation of many estimators in one call: folds share the threads, equal candidates of a fold the vectors."""

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier
from sklearn.exceptions import FitFailedWarning
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.model_selection import check_cv
from sklearn.utils import indexable

from kilonet.checks import nearest, shown
from kilonet.engine.planner import Plan
from kilonet.errors import DivergenceError, DivergenceWarning, SettingError, users_line
from kilonet.estimators.base import BaseMLP
from kilonet.estimators.run import adopt
from kilonet.estimators.settings import callbacks_of
from kilonet.estimators.trials import Split, Table, Trained, Trial, trials
from kilonet.numerals import count
from kilonet.record import Runs

Floats = NDArray[np.float64]
SHOWN = 6  # estimators whose mean scores are printed


@dataclass(frozen=True, eq=False, repr=False)
class CrossValidation:
    """What `cross_validate` gives back.

    scores (n_splits,) for one estimator, (n_splits, n_estimators) for several: of the held-out rows, NaN where
    training left the finite numbers at once or the scorer refused the predictions. estimators: as many lists of
    fitted ones, or None where they were not kept. splits: (training rows, held-out rows) of each split. plan:
    how all of them were trained. Printed are means ± standard deviations over the splits (with n − 1).

    >>> CrossValidation(np.array([0.5, 0.75]), None, [], Plan("native"), interrupted=False, seconds=0.25)
    CrossValidation(0.625 ± 0.1768 over 2 splits, 0.25 s)
    """

    scores: Floats
    estimators: list[Any] | None
    splits: list[Split]
    plan: Plan
    interrupted: bool
    seconds: float

    def __repr__(self) -> str:
        columns = self.scores.reshape(len(self.scores), -1).T
        named = ", ".join(_mean(own) for own in columns[:SHOWN]) + (", …" if len(columns) > SHOWN else "")
        several = f"{count(len(columns), 'estimator')}: " if self.scores.ndim == 2 else ""
        interrupted = ", interrupted" if self.interrupted else ""
        splits = count(len(self.scores), "split")
        return f"CrossValidation({several}{named} over {splits}, {self.seconds:.3g} s{interrupted})"


def _mean(scores: Floats) -> str:
    """Mean and standard deviation of the scores that there are, and how many are missing."""
    there = scores[np.isfinite(scores)]
    lost = f" ({len(scores) - len(there)} without a score)" if len(there) < len(scores) else ""
    spread = f" ± {there.std(ddof=1):.4g}" if len(there) > 1 else ""
    return (f"{there.mean():.4g}{spread}" if len(there) else "nan") + lost


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
    """Score one estimator, or a sequence of them, on held-out rows, in one call.

    Scores and parameters have the bits of fitting each estimator alone, as scikit-learn's cross_val_score does on
    the same splits; what is gained is time, in two ways. Whatever is fitted shares the threads: splits and
    candidates train on different cores. And fits share packs of the kernel, several networks in the lanes of a
    vector: those of the same network, loss, batch, epochs, number type, kind of optimizer, schedule, order of the
    rows (which random_state draws) and number of training rows, in whatever rate, penalties, dropout, noise or
    weights they differ, if there are enough of them to fill most of a pack and the network is not so wide that it
    fills the vectors by itself. Candidates of one split fill packs first; what is left over of all splits with
    equally many rows shares packs too, where inputs are few enough for that to pay, so that even the folds of a single
    small network train side by side. (Rows of a sparse table are not.) `plan` says what came of it.
    Each split has an encoder of its own, fitted to its training rows, for all candidates.

    estimator: MLPClassifier or MLPRegressor, as configured, not fitted. cv: a number of folds, a splitter or
    splits, as scikit-learn takes it; groups: for splitters that need them. sample_weight (n,): for training.
    scoring: None for the estimator's own score, else one name or one scorer of scikit-learn. curves: whether
    `history_` is to follow loss and score on the held-out rows after every epoch, where the estimator brings no
    validation rows of its own. return_estimator: whether to keep the fitted estimators.

    Raises SettingError for what is no estimator of Kilonet, has warm_start or callbacks, and for several scorers;
    data are refused as `fit` does.

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
    check_scorer(given[0], scoring)
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


def check_scorer(estimator: Any, scoring: Any) -> None:
    """Raise SettingError for what is not one scorer of scikit-learn.

    >>> check_scorer(None, ["accuracy", "f1"])
    Traceback (most recent call last):
    kilonet.errors.SettingError: scoring came as ['accuracy', 'f1']; cross_validate takes one scorer. Call it once for
    each, or score what return_estimator=True keeps.
    """
    if isinstance(scoring, str):
        known = get_scorer_names()
        if scoring not in known:
            raise SettingError(
                f"scoring={scoring!r} is no scorer of scikit-learn.{nearest(scoring, known)} "
                "sklearn.metrics.get_scorer_names() lists them."
            )
    elif scoring is not None and not callable(scoring):
        raise SettingError(
            f"scoring came as {shown(scoring)}; cross_validate takes one scorer. Call it once for each, or "
            "score what return_estimator=True keeps."
        )
    check_scoring(estimator, scoring)


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
