"""Model files as estimators."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from sklearn.base import clone

from kilonet.engine import choose
from kilonet.errors import FileFormatError
from kilonet.estimators.classifier import MLPClassifier
from kilonet.estimators.ensemble import at_epochs, over_members
from kilonet.estimators.footing import Footing
from kilonet.estimators.labels import Labels
from kilonet.estimators.linear import BinarySoftmaxClassifier, BinarySVMClassifier
from kilonet.estimators.numbers import Numbers
from kilonet.estimators.plan import Draws
from kilonet.estimators.regressor import MLPRegressor
from kilonet.estimators.settings import check_settings
from kilonet.history import METRICS, History
from kilonet.network import Dense, Network
from kilonet.optimizers import optimizer_from
from kilonet.persistence import SavedModel
from kilonet.tables import TableEncoder


def from_model(model: SavedModel) -> MLPClassifier | MLPRegressor:
    """The estimator that a saved model describes. Raises FileFormatError where its parts make none."""
    try:
        return _restored(model)
    except FileFormatError:
        raise  # it says by itself what to do
    except (LookupError, ArithmeticError, TypeError, ValueError, AttributeError) as error:
        raise FileFormatError(f"this model does not describe an estimator: {error!r:.200}. Save it again.") from error


def _history(model: SavedModel, lead: tuple[int, ...]) -> History:
    curves = {name: np.asarray(model.history.get(name, np.zeros((0, *lead)))).reshape(-1, *lead) for name in METRICS}
    watched = model.history.get("monitors")
    if watched is None:
        return History(**curves)
    return History(**curves, monitors=np.asarray(watched, np.float32))


_LINEAR = {own.__name__: own for own in (BinarySoftmaxClassifier, BinarySVMClassifier)}


def _restored(model: SavedModel) -> MLPClassifier | MLPRegressor:
    extra = model.extra
    codec = _codec(model)
    kind = _kind(model, codec)
    estimator = _made(kind, model)
    seed, order, split = extra.get("draws", (model.recipe.seeds[0], model.recipe.order or 0, model.recipe.seeds[0]))
    encoder = None if model.encoder is None else TableEncoder.from_json(dict(model.encoder))
    recipe, members = model.recipe, model.recipe.n_members
    footing = Footing(encoder, codec, model.network, Draws(seed, order, split), recipe.seeds, recipe.dtype)
    lead = () if members == 1 else (members,)  # a single network has no axis of members
    theta = np.array(model.theta).reshape(*lead, -1)
    theta.flags.writeable = False
    history = _history(model, lead)
    kept = np.broadcast_to(np.asarray(extra.get("best_epoch", len(history)), dtype=np.int64), lead).copy()
    best = kept if lead else int(kept)
    fitted: dict[str, Any] = {
        "_footing": footing,
        "network_": model.network,
        "encoder_": encoder,
        "theta_": theta,
        "recipe_": recipe,
        "history_": history,
        "n_outputs_": model.network.n_outputs,
        "n_iter_": len(history),
        "best_epoch_": best,
        "loss_": over_members(at_epochs(history.loss, best)),
        "engine_": str(extra.get("engine", choose(model.network, model.loss).NAME)),
        "interrupted_": False,
        "n_features_in_": int(extra.get("n_features", getattr(encoder, "n_features_in_", model.network.n_inputs))),
    }
    if model.state is not None:
        fitted |= {"_state": dict(model.state), "_pace": int(extra.get("pace", 0))}
    if model.feature_names is not None:
        fitted["feature_names_in_"] = np.array(model.feature_names, dtype=object)
    if isinstance(codec, Labels):
        fitted["classes_"] = codec.classes
    for name, value in fitted.items():
        setattr(estimator, name, value)
    return estimator


def _made(kind: type[MLPClassifier] | type[MLPRegressor], model: SavedModel) -> MLPClassifier | MLPRegressor:
    """Not fitted yet; settings that a fit would refuse are refused here."""
    estimator = kind(**_parameters(kind, model))
    check_settings(estimator)
    optimizer_from(estimator.optimizer)
    return estimator


def _kind(model: SavedModel, codec: Labels | Numbers) -> type[MLPClassifier] | type[MLPRegressor]:
    """The estimator that the file names, where the network is one that it can have."""
    if isinstance(codec, Numbers):
        return MLPRegressor
    linear = (model.network.n_layers, model.network.n_outputs) == (1, 1)
    return _LINEAR.get(str(model.extra.get("estimator")), MLPClassifier) if linear else MLPClassifier


def _codec(model: SavedModel) -> Labels | Numbers:
    if model.task == "regression":
        k = model.network.n_outputs
        mean = np.zeros(k) if model.target_mean is None else model.target_mean
        scale = np.ones(k) if model.target_scale is None else model.target_scale
        return Numbers(mean, scale, flat=bool(model.extra.get("flat", k == 1)), loss=model.loss)
    if model.classes is None:
        raise ValueError("a classification without classes")
    return Labels(model.classes, model.task == "multilabel", model.loss)


def _parameters(kind: type, model: SavedModel) -> dict[str, Any]:
    """Constructor arguments: those in the file, on top of what recipe and network tell of a model made elsewhere."""
    recipe, known = model.recipe, {field.name for field in fields(kind) if field.init}
    alike = ("l2", "l1", "dropout", "input_noise", "max_norm", "batch", "epochs", "dtype", "watch")
    told = {name: getattr(recipe, name) for name in alike}
    told |= {"optimizer": str(recipe.optimizer), "loss": str(model.loss)}
    schedules = [str(schedule) for schedule in recipe.each("schedule")]
    told["schedule"] = schedules[0] if len(set(schedules)) == 1 else schedules
    told["rate"] = recipe.optimizer.rate if recipe.n_members > 1 else float(recipe.per_member("rate")[0])
    told["encode"] = _encode(model)
    stopping = recipe.each("stopping")[0]
    if stopping is not None:
        told |= {"early_stopping": True, "monitor": stopping.metric}
        told |= {"patience": stopping.patience, "min_delta": stopping.min_delta}
    told |= {name: value for name, value in model.extra.get("settings", {}).items() if name in known}
    weights = told.get("class_weight")
    if isinstance(weights, Mapping):
        told["class_weight"] = {label: float(weight) for label, weight in weights["pairs"]}
    told |= {"hidden": _hidden(model.network, told), "members": recipe.n_members}
    return {name: value for name, value in told.items() if name in known}


def _encode(model: SavedModel) -> Any:
    """What makes such an encoder anew: "auto", unless it was told something."""
    if model.encoder is None:
        return None
    own = clone(TableEncoder.from_json(dict(model.encoder))).set_params(dtype=None)
    return "auto" if own.get_params() == TableEncoder().get_params() else own


def _hidden(network: Network, told: Mapping[str, Any]) -> tuple[Any, ...]:
    """Plain widths where the shared activation and initializer explain the layers, else the layers themselves."""
    if not network.graph.is_chain:
        raise FileFormatError(
            f"the file holds a graph of layers ({', '.join(network.names)}), which no estimator has; read it with "
            "kilonet.persistence.load, and predict with network.scores(theta, X)."
        )
    layers = network.layers[:-1]
    widths = [layer.units for layer in layers]
    plain = Network(
        [network.n_inputs, *widths, network.layers[-1]],
        activation=told.get("activation", "relu"),
        initializer=told.get("initializer"),
    )
    same = all(isinstance(layer, Dense) and layer == other for layer, other in zip(layers, plain.layers, strict=False))
    return tuple(widths) if same else layers
