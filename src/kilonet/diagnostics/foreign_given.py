"""What users give of a training elsewhere, checked: arrays, curves, settings, held-out rows."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.checks import choice, shown, whole
from kilonet.errors import SettingError
from kilonet.estimators.settings import Settings
from kilonet.history import METRICS, History
from kilonet.monitors import width
from kilonet.network import Network

Array = NDArray[Any]

SETTINGS = (*(entry.name for entry in fields(Settings)), "class_weight")
"""Names that a training's settings may have: those of the estimators."""


def plain(origin: Any) -> Array:
    """An array of whatever holds one: NumPy's, or a tensor on any device."""
    if hasattr(origin, "detach"):
        origin = origin.detach().cpu()
        origin = (origin.float() if "bfloat16" in str(getattr(origin, "dtype", "")) else origin).numpy()
    return np.asarray(origin)


def pair(validation: Any) -> tuple[Any, Any] | None:
    """Held-out rows as (X, y), or None. Raises SettingError for what is neither."""
    if validation is None:
        return None
    if not isinstance(validation, tuple | list) or len(validation) != 2:
        raise SettingError(f"validation came as {shown(validation)}; needs (X, y) of rows that training did not see.")
    return validation[0], validation[1]


def settings_of(given: Any) -> dict[str, Any]:
    """What is known of a training by the names of the estimators' settings. Raises SettingError for other names.

    >>> settings_of({"batchs": 64})
    Traceback (most recent call last):
    kilonet.errors.SettingError: a setting came as 'batchs'; needs one of hidden, ... Did you mean batch?
    """
    told = _mapping("settings", given)
    for name in told:
        choice("a setting", name, SETTINGS)
    for name in ("batch", "epochs"):
        if told.get(name) is not None:
            whole(name, told[name])
    return told


def _mapping(what: str, given: Any) -> dict[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise SettingError(f"{what} came as {shown(given)}; needs a mapping by names, such as a dict.")
    return dict(given)


def _numbers(name: str, values: Any) -> list[float]:
    try:
        return [np.nan if value is None else float(plain(value)) for value in values]
    except (TypeError, ValueError):
        raise SettingError(
            f"history's {name} came as {shown(values)}; needs a list with a number for each epoch."
        ) from None


def curves(given: Any, network: Network) -> History:
    """A history from a `History`, from a mapping of lists by the names of its fields, or of nothing for None.

    >>> curves({"loss": [0.7, 0.5], "validation_score": [0.5, 0.8]}, Network([2, 1]))
    History(2 epochs, last loss 0.5, validation_score 0.8)

    Raises SettingError for other names, for what is no list of numbers, and for lists that differ in length.
    """
    if isinstance(given, History):
        return given
    told = _mapping("history", given)
    for name in told:
        choice("a list of history", name, METRICS)
    told = {name: _numbers(name, values) for name, values in told.items()}
    lengths = {len(values) for values in told.values()}
    if len(lengths) > 1:
        raise SettingError(f"history has lists of {' and '.join(map(str, sorted(lengths)))} epochs; needs equal ones.")
    epochs = lengths.pop() if lengths else 0
    table = np.full((epochs, 1, len(METRICS)), np.nan)
    for place, name in enumerate(METRICS):
        if name in told:
            table[:, 0, place] = told[name]
    return History.of(table, True, np.full((epochs, 1, width(network.n_layers)), np.nan, np.float32))
