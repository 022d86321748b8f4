"""Networks that tune themselves as the plain values that model files hold."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from kilonet.estimators import saving
from kilonet.persistence import SavedModel
from kilonet.tuned.tuning import Tuning


def to_model(estimator: Any, target_name: str | None = None) -> SavedModel:
    """A fitted estimator of any kind as the plain value that model files hold."""
    check_is_fitted(estimator)
    if not hasattr(estimator, "_parts"):
        return saving.to_model(estimator, target_name)
    parts, models = estimator._parts, [saving.to_model(part.estimator, target_name) for part in estimator._parts]
    arrays = {
        "weights": np.concatenate([part.weights for part in parts]),
        "splits": np.concatenate([part.splits for part in parts]),
        "oof": estimator.oof_,
    }
    own = getattr(estimator, "_residuals", None)
    if own is not None:
        arrays |= {"residuals": own.residuals, "patterns": own.patterns, "pattern": own.pattern}
    configurations = list({json.dumps(tagged(dict(params))): None for part in parts for params in part.params})
    tuned = {
        "estimator": type(estimator).__name__,
        "settings": _settings(estimator),
        "configurations": configurations,
        "of": [configurations.index(json.dumps(tagged(dict(params)))) for part in parts for params in part.params],
        "best": tagged(estimator.best_params_),
        "temperature": estimator.temperature_,
        "record": estimator.record_.to_json(),
        "runs": estimator.runs_,
    }
    return replace(models[0], arrays=arrays, others=tuple(models[1:]), extra={**models[0].extra, "tuned": tuned})


def _settings(estimator: Any) -> dict[str, Any]:
    """The parameters that JSON can hold."""
    found = {}
    for name, value in estimator.get_params(deep=False).items():
        plain = dict(vars(value)) if isinstance(value, Tuning) else value
        try:
            found[name] = tagged(plain)
        except TypeError:  # data, code, or an object of the user's own
            continue
    return found


def tagged(value: Any) -> Any:
    """A value as JSON can hold it, where a tuple is no list and a dict may have any keys."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, tuple):
        return {"tuple": [tagged(entry) for entry in value]}
    if isinstance(value, list):
        return [tagged(entry) for entry in value]
    if isinstance(value, Mapping):
        return {"pairs": [[tagged(key), tagged(entry)] for key, entry in value.items()]}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{value!r:.60} is no plain value")


def untagged(value: Any) -> Any:
    """The value that `tagged` made plain."""
    if isinstance(value, list):
        return [untagged(entry) for entry in value]
    if isinstance(value, Mapping) and "tuple" in value:
        return tuple(untagged(entry) for entry in value["tuple"])
    if isinstance(value, Mapping):
        return {untagged(key): untagged(entry) for key, entry in value["pairs"]}
    return value
