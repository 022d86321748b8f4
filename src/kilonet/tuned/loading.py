"""Model files as estimators, of whatever kind."""

import json
import os
from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from kilonet import persistence
from kilonet.errors import FileFormatError
from kilonet.estimators import loading
from kilonet.persistence import SavedModel
from kilonet.tuned.base import BaseTuned
from kilonet.tuned.classifier import MLPClassifierCV
from kilonet.tuned.effort import Wanted
from kilonet.tuned.faults import first_fault
from kilonet.tuned.gathering import Part
from kilonet.tuned.intervals import Residuals
from kilonet.tuned.record import TunedRecord
from kilonet.tuned.regressor import MLPRegressorCV
from kilonet.tuned.saving import untagged
from kilonet.tuned.tuning import TRIED, Tuning

# What making values of a hostile description can raise; each means that the file is wrong.
_BAD_DESCRIPTION = (LookupError, ArithmeticError, TypeError, ValueError, AttributeError, RecursionError)
_KINDS: dict[str, type[BaseTuned]] = {own.__name__: own for own in (MLPClassifierCV, MLPRegressorCV)}


def load(path: str | os.PathLike[str]) -> Any:
    """The estimator in a model file, fitted as it was saved.

    Training of an `MLPClassifier` or `MLPRegressor` can go on from it exactly. Loading runs no code from the file. Of
    its parameters, data, callbacks and splitters are not in the file and come back as None, and so does a random_state
    that is no number; nor are the splits of a network that tuned itself, whose `splits_` are missing then.
    Raises FileFormatError for a file that is no model, is cut, was edited or is of a newer format.

    >>> import tempfile
    >>> import numpy as np
    >>> import kilonet as kn
    >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
    >>> classifier = kn.MLPClassifier(hidden=(4,), epochs=5, random_state=0).fit(X, ["a", "a", "b", "b"])
    >>> path = classifier.save(tempfile.mkdtemp() + "/ab.kn")
    >>> bool((load(path).predict_proba(X) == classifier.predict_proba(X)).all())
    True
    """
    return from_model(persistence.load(path))


def from_model(model: SavedModel) -> Any:
    """The estimator that a saved model describes. Raises FileFormatError where its parts make none."""
    if "tuned" not in model.extra:
        return loading.from_model(model)
    cause = None
    try:
        fault = first_fault(model)
        if fault is None:
            return _restored(model, model.extra["tuned"])
    except FileFormatError:
        raise  # it says by itself what to do
    except _BAD_DESCRIPTION as error:
        fault, cause = f"{error!r:.200}", error
    raise FileFormatError(f"this model describes no network that tuned itself: {fault}. Save it again.") from cause


def _restored(model: SavedModel, tuned: Mapping[str, Any]) -> BaseTuned:
    kind = _KINDS[tuned["estimator"]]
    known = {field.name for field in fields(kind) if field.init}
    settings = {name: untagged(value) for name, value in tuned["settings"].items() if name in known}
    if settings.get("tuning") is not None:
        settings["tuning"] = Tuning(**settings["tuning"])
    estimator = kind(**settings)
    _checked(estimator)
    configurations = [untagged(json.loads(text)) for text in tuned["configurations"]]
    alone = [
        replace(own, extra={k: v for k, v in own.extra.items() if k != "tuned"}, others=())
        for own in (model, *model.others)
    ]
    first, parts = 0, []
    for own in map(_network, alone):
        last = first + own.recipe_.n_members
        weights, splits = model.arrays["weights"][first:last], model.arrays["splits"][first:last]
        parts.append(Part(own, splits, weights, [configurations[place] for place in tuned["of"][first:last]]))
        first = last
    one = parts[0].estimator
    for part in parts[1:]:
        if one.encoder_ is not None:
            part.estimator.encoder_.said_by(one.encoder_)
    estimator._parts, estimator._temperature, estimator._codec = parts, float(tuned["temperature"]), one._footing.codec
    estimator.oof_, estimator.best_params_ = model.arrays["oof"], untagged(tuned["best"])
    estimator.temperature_, estimator.runs_ = float(tuned["temperature"]), int(tuned["runs"])
    estimator.record_ = TunedRecord.from_json(tuned["record"])
    if isinstance(estimator, MLPRegressorCV):
        arrays = model.arrays
        estimator._residuals = Residuals(arrays["residuals"], arrays["patterns"].astype(bool), arrays["pattern"])
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(one, name):
            setattr(estimator, name, getattr(one, name))
    return estimator


def _checked(estimator: BaseTuned) -> None:
    """Settings that a fit would refuse are refused when a file is read."""
    Wanted(estimator.budget, estimator.runs).checked()
    tried = {name: getattr(estimator, name) for name in TRIED}
    estimator._tuning().grid(**tried)


def _network(model: SavedModel) -> Any:
    """Networks of one shape as an estimator, with what a fit gave it that single estimators find out for themselves."""
    own = loading.from_model(model)
    columns = own.network_.n_inputs if own.encoder_ is None else own.encoder_.n_features_in_
    if own.n_features_in_ != columns:
        raise ValueError(f"n_features is {own.n_features_in_}, but its networks take {columns} columns")
    own._pace = int(model.extra["pace"])
    return own
