"""Networks that tune themselves as the plain values that model files hold."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from kilonet.activations import Activation, activation_from
from kilonet.errors import FileFormatError, SettingError
from kilonet.estimators import saving
from kilonet.layers import Layer, layer_from
from kilonet.optimizers import Optimizer, optimizer_from
from kilonet.persistence import SavedModel
from kilonet.schedules import Schedule, schedule_from
from kilonet.tuned.faults import first_fault
from kilonet.tuned.tuning import Tuning
from kilonet.values import Value

_VALUES: dict[str, tuple[type[Value], Any]] = {
    "layer": (Layer, layer_from), "activation": (Activation, activation_from),
    "optimizer": (Optimizer, optimizer_from), "schedule": (Schedule, schedule_from),
}  # fmt: skip


def to_model(estimator: Any, target_name: str | None = None) -> SavedModel:
    """A fitted estimator of any kind as the plain value that model files hold.

    Raises FileFormatError where a network has a part of the user's own, and where parts do not fit together.
    """
    check_is_fitted(estimator)
    if not hasattr(estimator, "_parts"):
        return saving.to_model(estimator, target_name)
    model = _described(estimator, target_name)
    fault = first_fault(model)
    if fault is not None:
        raise FileFormatError(f"This model cannot be saved: {fault}.")
    return model


def _described(estimator: Any, target_name: str | None) -> SavedModel:
    parts, models = estimator._parts, [saving.to_model(part.estimator, target_name) for part in estimator._parts]
    arrays = {
        "weights": np.concatenate([part.weights for part in parts]),
        "splits": np.concatenate([part.splits for part in parts]),
        "oof": estimator.oof_,
    }
    own = getattr(estimator, "_residuals", None)
    if own is not None:
        arrays |= {"residuals": own.residuals, "patterns": own.patterns, "pattern": own.pattern}
    of = [_text(params) for part in parts for params in part.params]
    configurations = list(dict.fromkeys(of))
    tuned = {
        "estimator": type(estimator).__name__,
        "settings": _settings(estimator),
        "configurations": configurations,
        "of": [configurations.index(text) for text in of],
        "best": json.loads(_text(estimator.best_params_)),
        "temperature": estimator.temperature_,
        "record": estimator.record_.to_json(),
        "runs": estimator.runs_,
        "rows": len(estimator.oof_),
    }
    return replace(models[0], arrays=arrays, others=tuple(models[1:]), extra={**models[0].extra, "tuned": tuned})


def _text(params: Mapping[str, Any]) -> str:
    """A configuration as text. Raises FileFormatError where it holds an object of the user's own."""
    try:
        return json.dumps(tagged(dict(params)))
    except (TypeError, SettingError) as error:
        raise FileFormatError(
            f"This model cannot be saved: a network has a part of the user's own ({error}). Files hold Kilonet's own "
            "layers and activations only, because loading never runs code."
        ) from error


def _settings(estimator: Any) -> dict[str, Any]:
    """The parameters as JSON can hold them; None, as which they come back, for data and for objects of the user's."""
    found = {}
    for name, value in estimator.get_params(deep=False).items():
        plain = dict(vars(value)) if isinstance(value, Tuning) else value
        plain = plain.tolist() if isinstance(plain, np.ndarray) else plain  # values to be tried
        try:
            found[name] = tagged(plain)
        except (TypeError, SettingError):
            found[name] = None
    return found


def tagged(value: Any) -> Any:
    """A value as JSON can hold it, where a tuple is no list, a dict may have any keys, and layers are described."""
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
    for name, (kind, _) in _VALUES.items():
        if isinstance(value, kind):
            return {name: value.to_json()}
    raise TypeError(f"{value!r:.60} is no plain value")


def untagged(value: Any) -> Any:
    """The value that `tagged` made plain."""
    if isinstance(value, list):
        return [untagged(entry) for entry in value]
    if isinstance(value, Mapping) and "tuple" in value:
        return tuple(untagged(entry) for entry in value["tuple"])
    if isinstance(value, Mapping) and len(value) == 1 and set(value) <= set(_VALUES):
        [(name, description)] = value.items()
        return _VALUES[name][1](description)
    if isinstance(value, Mapping):
        return {untagged(key): untagged(entry) for key, entry in value["pairs"]}
    return value
