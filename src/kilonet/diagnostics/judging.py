"""Rows that trials are judged by: none that they are trained on, and none by which early stopping chooses."""

from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import clone, is_classifier
from sklearn.utils import _safe_indexing

from kilonet.checks import shown
from kilonet.diagnostics.per_member import settings_of
from kilonet.errors import DataError, SettingError
from kilonet.estimators.labels import Labels, label_array
from kilonet.estimators.numbers import number_array
from kilonet.estimators.rows import Rows, hold_out
from kilonet.estimators.trials import Split, Table, Trial, trials

# ruff: noqa: SLF001 (estimators keep their state in names with an underscore, as scikit-learn wants it)

HELD_OUT = 0.25
BLOCK = 4096  # rows that are dense at once


class Data(NamedTuple):
    """Rows to train on and to judge by; validation: rows of another table to judge by, or None for those of split."""

    table: Table
    split: Split
    validation: tuple[Any, Any] | None


def laid_out(estimator: Any, X: Any, y: Any, sample_weight: Any, validation: Any) -> Data:
    """The rows to train on and to judge by: all and those of validation, or a quarter is held out.

    Rows are held out by the estimator's random_state; 0 stands for one that is no number. Raises SettingError for a
    validation that is not (X, y).
    """
    n_rows = len(_targets(estimator, y))
    weights = None if sample_weight is None else np.broadcast_to(np.asarray(sample_weight), n_rows)
    table = Table(X, y, weights)
    if validation is not None:
        everything = np.arange(n_rows)
        return Data(table, Split(everything, everything[:0]), checked_validation(validation)[:2])
    return Data(table, held_out_rows(estimator, y, weights, random_state(estimator)), None)


def checked_validation(given: Any) -> tuple[Any, ...]:
    """The rows to judge by, (X, y) or (X, y, sample_weight), whose weights are not asked when remedies are judged.

    >>> checked_validation(5)
    Traceback (most recent call last):
    kilonet.errors.SettingError: validation came as 5; needs (X, y) of rows that training did not see, or None.
    """
    if isinstance(given, tuple | list) and len(given) in (2, 3):
        return tuple(given)
    came = f"{len(given)} things" if isinstance(given, tuple | list) else shown(given)
    raise SettingError(f"validation came as {came}; needs (X, y) of rows that training did not see, or None.")


def held_out_rows(estimator: Any, y: Any, sample_weight: Any, seed: int) -> Split:
    """A quarter of the rows is held out, of every class where it can be; none that has weight 0 or an unknown class.

    >>> from kilonet.estimators.classifier import MLPClassifier
    >>> len(held_out_rows(MLPClassifier(), ["a", "b"] * 20, None, seed=0).test)
    10
    """
    classes = is_classifier(estimator)
    targets = _targets(estimator, y)
    rows = Rows.of(targets, targets, sample_weight)
    places = np.arange(len(targets))
    train, test = (places[part.places] for part in hold_out(rows, HELD_OUT, seed, stratify=classes))
    if classes and targets.ndim == 1:
        test = test[np.isin(targets[test], targets[train])]
    return Split(train, test)


def judged_rows(trial: Trial) -> Rows:
    """The rows that a trial is judged by. Raises DataError for those that do not suit its estimator."""
    try:
        rows: Rows = trial.estimator._rows(*trial.held_out, None, reset=False)
        trial.work.footing.codec.targets(rows.targets)
    except ValueError as error:
        raise DataError(f"validation: {error}") from error
    return rows


def chosen_by_others(estimator: Any, data: Data, member: int = 0) -> tuple[Any, Data]:
    """The estimator and its data, so that early stopping does not choose the epoch by rows that judge what it chose.

    Validation rows of the estimator that are judged by are taken from it. Where that leaves less than half of them,
    half of the rows to judge by are left to the choice instead; where it leaves none, the estimator holds some of its
    training rows out. Rows are the same where the network sees the same. Raises what `fit` raises.
    """
    if estimator.validation_data is None:
        return estimator, data
    single = clone(estimator).set_params(**settings_of(estimator, member), members=1)
    (trial,) = trials([(0, 0, single)], [data.split], data.table)
    if data.validation is not None:
        trial.held_out = data.validation
    given = tuple(estimator.validation_data)
    own = _told_apart(trial, trial.estimator._rows(*given[:2], None, reset=False))
    judged = _told_apart(trial, judged_rows(trial))
    others = np.flatnonzero(~np.isin(own, judged))
    if len(others) == len(own):
        return estimator, data
    if data.validation is not None and 2 * len(others) < len(own) and len(judged) > 1:
        half = _half(estimator, data.validation[1])
        data = data._replace(validation=_taken(data.validation, half))
        others = np.flatnonzero(~np.isin(own, judged[half]))
    left = _taken(given, others) if len(others) else None
    return clone(estimator).set_params(validation_data=left), data


def _told_apart(trial: Trial, rows: Rows) -> NDArray[np.int64]:
    """A number (n,) for each row: the same where the network sees the same."""
    X = trial.encodings.inputs(trial.work.footing, rows)
    blocks = (X[start : start + BLOCK] for start in range(0, X.shape[0], BLOCK))
    dense = (block.toarray() if issparse(block) else np.ascontiguousarray(block) for block in blocks)
    return np.array([hash(row.tobytes()) for block in dense for row in block], np.int64)


def _half(estimator: Any, y: Any) -> NDArray[np.intp]:
    """Places of half of some rows, of every class where it can be."""
    targets = _targets(estimator, y)
    kept, _ = hold_out(Rows(targets, targets, None), 0.5, random_state(estimator), stratify=is_classifier(estimator))
    return np.arange(len(targets))[kept.places]


def _taken(rows: tuple[Any, ...], places: NDArray[np.intp]) -> tuple[Any, ...]:
    return tuple(None if part is None else _safe_indexing(part, places) for part in rows)


def random_state(estimator: Any) -> int:
    """The estimator's random_state, 0 for one that is no number."""
    state = estimator.random_state
    return int(state) if isinstance(state, Integral) else 0


def _targets(estimator: Any, y: Any) -> NDArray[Any]:
    """Numbers of the classes, where there are some, else y as numbers."""
    if not is_classifier(estimator):
        return number_array(y)
    labels = label_array(y)
    return Labels.of(labels).indices(labels)
