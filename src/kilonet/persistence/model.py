"""What a model file holds, as plain values, and the checks that its parts belong together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.losses import Loss
from kilonet.monitors import width
from kilonet.network import Network
from kilonet.recipe import Recipe

Array = NDArray[Any]
TASKS = ("classification", "multilabel", "regression")
MONITORS = "monitors"
HISTORY = ("loss", "score", "validation_loss", "validation_score")


@dataclass(frozen=True, eq=False)
class SavedModel:
    """Everything that a model file holds: the network, how it was trained, and what its numbers mean.

    theta: (n_parameters,), or (members, n_parameters). encoder: a `TableEncoder.to_json()`, None where
    numbers go in as they are. classes: (n_classes,), the label of each output; None for regression.
    target_mean, target_scale: float64 (n_outputs,), so that prediction = mean + scale * score; None where
    scores are predictions. history: float64 arrays (epochs,) or (epochs, members) under "loss", "score",
    "validation_loss", "validation_score", and float32 (..., numbers) under "monitors". state: what a session
    needs to go on exactly, or None.
    versions: what wrote the file. extra: anything more that JSON can hold. arrays: anything more that are numbers:
    float32, float64 or whole. others: further models that predict together with this one: they read the same columns,
    each by its own encoder, and their outputs mean the same.
    """

    network: Network
    loss: Loss
    recipe: Recipe
    theta: Array
    task: str
    encoder: Mapping[str, Any] | None = None
    classes: Array | None = None
    feature_names: tuple[str, ...] | None = None
    target_name: str | None = None
    target_mean: Array | None = None
    target_scale: Array | None = None
    history: Mapping[str, Array] = field(default_factory=dict)
    state: Mapping[str, Array] | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)
    arrays: Mapping[str, Array] = field(default_factory=dict)
    others: tuple[SavedModel, ...] = ()


def first_fault(model: SavedModel) -> str | None:
    """What does not fit together in a model, in words; None when all of it does.

    >>> from kilonet.losses import squared
    >>> model = SavedModel(Network([2, 1]), squared, Recipe.make(), np.zeros(4, np.float32), "regression")
    >>> first_fault(model)
    'theta has shape (4,); the network [2, 1] needs (..., 3)'
    """
    for part in (_theta_faults, _meaning_faults, _target_faults, _history_faults, _state_faults, _other_faults):
        fault = next(part(model), None)
        if fault is not None:
            return fault
    return None


def _theta_faults(model: SavedModel) -> Iterator[str]:
    theta, needed = model.theta, model.network.n_parameters
    if theta.ndim not in (1, 2) or theta.shape[-1] != needed:
        yield f"theta has shape {theta.shape}; the network {list(model.network.sizes)} needs (..., {needed})"
    elif theta.size // needed != model.recipe.n_members:
        yield f"theta has {theta.size // needed} members, but the recipe has {model.recipe.n_members} seeds"
    if theta.dtype != np.dtype(model.recipe.dtype):
        yield f"theta is {theta.dtype}, but the recipe says {model.recipe.dtype}"
    if not np.isfinite(theta).all():
        yield "theta holds NaN or infinity"


def _meaning_faults(model: SavedModel) -> Iterator[str]:
    if model.task not in TASKS:
        yield f"task {model.task!r:.60} is unknown; known are {', '.join(TASKS)}"
    n_outputs, classes = model.network.n_outputs, model.classes
    if model.task == "regression":
        if classes is not None:
            yield "a regression has classes"
    elif classes is None:
        yield f"a {model.task} has no classes"
    elif not (classes.ndim == 1 and (len(classes) == n_outputs or (len(classes) == 2 and n_outputs == 1))):
        yield f"there are {len(classes)} classes, but the network has {n_outputs} outputs"
    names = model.feature_names
    if names is not None and model.encoder is None and len(names) != model.network.n_inputs:
        yield f"there are {len(names)} column names, but the network takes {model.network.n_inputs} inputs"


def _target_faults(model: SavedModel) -> Iterator[str]:
    for name, array in (("target_mean", model.target_mean), ("target_scale", model.target_scale)):
        if array is None:
            continue
        if array.shape != (model.network.n_outputs,):
            yield f"{name} has shape {array.shape}; the network has {model.network.n_outputs} outputs"
        if not np.isfinite(array).all() or (name == "target_scale" and not (array > 0).all()):
            yield f"{name} holds numbers that cannot be a mean or a scale"
    if (model.target_mean is None) != (model.target_scale is None):
        yield "target_mean and target_scale belong together, but only one of them is there"


def _history_faults(model: SavedModel) -> Iterator[str]:
    shapes = {array.shape for name, array in model.history.items() if name != MONITORS}
    unknown = set(model.history) - {*HISTORY, MONITORS}
    if unknown:
        yield f"the history has unknown parts {sorted(unknown)!r:.100}"
    if len(shapes) > 1:
        yield f"the parts of the history have different shapes {sorted(shapes)}"
    members = model.recipe.n_members
    fitting: list[tuple[int, ...]] = [(members,), ()] if members == 1 else [(members,)]
    if any(len(shape) == 0 or shape[1:] not in fitting for shape in shapes):
        needed = "(epochs,)" if members == 1 else f"(epochs, {members}), one curve per member"
        yield f"the history has shape {min(shapes)}; it needs {needed}"
    numbers, watched = width(model.network.n_layers), model.history.get(MONITORS)
    if watched is not None and (watched.shape[-1:] != (numbers,) or {watched.shape[:-1]} != shapes):
        yield f"the monitors have shape {watched.shape}; they need one more axis than the history, of {numbers} numbers"


def _state_faults(model: SavedModel) -> Iterator[str]:
    """A state goes to the engine as it is, so every shape in it must be what the engine will index."""
    if model.state is None:
        return
    members, n = model.recipe.n_members, model.network.n_parameters
    for name in ("theta", "slots", "step", "epoch"):
        if name not in model.state:
            yield f"the training state has no {name!r}"
    for name, array in model.state.items():
        shape = array.shape
        if name in ("theta", "best_theta"):
            fits = shape == (members, n)
        elif name == "slots":
            fits = shape == (model.recipe.optimizer.n_slots, members, n)
        elif name in ("history", "monitors"):
            fits = len(shape) == 3 and shape[1:] == (members, 4 if name == "history" else width(model.network.n_layers))
        else:
            fits = len(shape) in (1, 2) and shape[0] == members
        if not fits:
            yield f"the training state's {name!r:.60} has shape {shape}, which fits neither network nor recipe"


def _other_faults(model: SavedModel) -> Iterator[str]:
    for number, other in enumerate(model.others):
        fault = "it has others of its own" if other.others else first_fault(other)
        fault = fault or next(_differences(model, other), None)
        if fault is not None:
            yield f"the model beside it, number {number}: {fault}"


def _differences(first: SavedModel, other: SavedModel) -> Iterator[str]:
    """Models that predict together are given the same table, which each encodes by itself, and mean the same."""
    outputs = other.network.n_outputs, first.network.n_outputs
    if outputs[0] != outputs[1]:
        yield f"its network has n_outputs {outputs[0]}, but that of the first model {outputs[1]}"
    if _read(other) != _read(first):
        yield "it reads other columns than the first model"
    for name in ("task", "loss", "feature_names"):
        if getattr(first, name) != getattr(other, name):
            yield f"its {name} differs from that of the first model"
    for name in ("classes", "target_mean", "target_scale"):
        own, needed = (np.asarray(getattr(model, name)) for model in (other, first))
        if own.dtype != needed.dtype or not np.array_equal(own, needed):
            yield f"its {name} differs from that of the first model"


def _read(model: SavedModel) -> Any:
    """The columns that a model reads, and as what: those of its encoder, or as many as its network has inputs."""
    encoder = model.encoder
    return model.network.n_inputs if encoder is None else (encoder.get("names"), encoder.get("kinds"))
