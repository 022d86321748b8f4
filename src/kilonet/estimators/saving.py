"""Estimators as the plain values that model files hold."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from kilonet.estimators.numbers import Numbers
from kilonet.estimators.plan import first_rates
from kilonet.history import METRICS
from kilonet.optimizers import optimizer_from
from kilonet.persistence import SavedModel
from kilonet.values import Value

NOT_SAVED = ("validation_data", "callbacks", "hidden", "members", "encode")
"""Parameters that a file does not hold: data, code, and what network, parameters and encoder say themselves."""


def to_model(estimator: Any, target_name: str | None = None) -> SavedModel:
    """A fitted estimator as the plain value that model files hold."""
    check_is_fitted(estimator)
    footing, codec = estimator._footing, estimator._footing.codec
    extra: dict[str, Any] = {
        "settings": _settings(estimator),
        "estimator": type(estimator).__name__,
        "draws": [footing.draws.seed, footing.draws.order, footing.draws.split],
        "n_features": int(estimator.n_features_in_),
        "best_epoch": np.asarray(estimator.best_epoch_).tolist(),
        "pace": getattr(estimator, "_pace", 0),
        "engine": estimator.engine_,
    }
    if isinstance(codec, Numbers):
        task, meaning = "regression", {"target_mean": codec.mean, "target_scale": codec.scale}
        extra["flat"] = codec.flat
    else:
        task, meaning = "multilabel" if codec.multilabel else "classification", {"classes": codec.classes}
    names = getattr(estimator, "feature_names_in_", None)
    return SavedModel(
        network=footing.network,
        loss=footing.loss,
        recipe=estimator.recipe_,
        theta=estimator.theta_,
        task=task,
        encoder=None if footing.encoder is None else footing.encoder.to_json(),
        feature_names=None if names is None else tuple(str(name) for name in names),
        target_name=target_name,
        history={name: getattr(estimator.history_, name) for name in (*METRICS, "monitors")},
        state=getattr(estimator, "_state", None),
        extra=extra,
        **meaning,  # type: ignore[arg-type]
    )


def _settings(estimator: Any) -> dict[str, Any]:
    """The parameters that JSON can hold; values are written as the text that stands for them."""
    plain: dict[str, Any] = {}
    for name, given in estimator.get_params(deep=False).items():
        value = _python(given)
        if name == "class_weight" and isinstance(value, Mapping):
            plain[name] = {"pairs": [[_python(key), float(weight)] for key, weight in value.items()]}
        elif isinstance(value, Value):
            plain[name] = str(value)
        elif name not in NOT_SAVED and (value is None or isinstance(value, (bool, int, float, str))):
            plain[name] = value
    named = isinstance(estimator.optimizer, str)
    if not named:
        plain["optimizer"] = str(optimizer_from(estimator.optimizer))
    if not named or "rate" not in plain:
        # The text that stands for an optimizer may be its plain name, with which rate=None is another rate.
        rates = first_rates(estimator, estimator.network_)
        plain["rate"] = rates[0] if len(set(rates)) == 1 else rates
    return plain


def _python(value: Any) -> Any:
    """A NumPy number as a plain one."""
    return value.item() if isinstance(value, np.generic) else value
