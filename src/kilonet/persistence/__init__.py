"""Models as files: one safetensors file each, whose metadata holds the JSON description.

Loading runs no code from the file and unpickles nothing. Files carry a format version and a checksum
over every byte. What is wrong with a file that does not load is said in a `FileFormatError`.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from kilonet.errors import FileFormatError
from kilonet.losses import loss_from
from kilonet.network import Network
from kilonet.persistence.atomic import replace_file, writable
from kilonet.persistence.container import FORMAT, pack, unpack
from kilonet.persistence.labels import labels_from_json, labels_to_json
from kilonet.persistence.model import MONITORS, Array, SavedModel, first_fault
from kilonet.recipe import Recipe
from kilonet.tables import TableEncoder

__all__ = ["FORMAT", "SavedModel", "load", "save", "versions", "writable"]

# What building values from a hostile description can raise; each means that the file is wrong.
_BAD_DESCRIPTION = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, RecursionError, MemoryError)


def save(model: SavedModel, path: str | os.PathLike[str]) -> Path:
    """Write a model to `path` in one step and give the path; equal models give equal bytes.

    The old file stays whole until the new one is on the disk. Raises FileFormatError when the model's
    parts do not fit together or cannot be described (a custom loss, labels that are no plain values),
    and OSError when the file cannot be written.

    >>> import tempfile
    >>> from kilonet.losses import squared
    >>> theta = np.array([1, 2, 3], np.float32)
    >>> model = SavedModel(Network([2, 1]), squared, Recipe.make(), theta, "regression")
    >>> load(save(model, tempfile.mkdtemp() + "/line.kn")).theta
    array([1., 2., 3.], dtype=float32)
    """
    fault = first_fault(model)
    if fault is not None:
        raise FileFormatError(f"This model cannot be saved: {fault}.")
    return replace_file(path, pack(_tensors(model), _description(model)))


def load(path: str | os.PathLike[str]) -> SavedModel:
    """Read a model from a file that `save` wrote.

    Raises FileFormatError when the file is no model, is cut, was edited, is of a newer version, or when
    its parts do not fit together; OSError when it cannot be read.
    """
    source, file = str(path), Path(path)
    if file.exists() and not file.is_file():  # a folder, or a device that might never end
        raise FileFormatError(
            f"{source} is not a plain file. Name a file that `kilonet fit --out` or model.save wrote."
        )
    description, tensors = unpack(file.read_bytes(), source)
    try:
        model = _model(description, tensors)
    except _BAD_DESCRIPTION as error:
        said = (str(error) or type(error).__name__).splitlines()[0][:300]
        raise FileFormatError(f"{source} describes a model that cannot be: {said}") from error
    fault = first_fault(model)
    if fault is not None:
        raise FileFormatError(
            f"{source} does not hold together: {fault}. Fetch the file again, or fit the model again."
        )
    return model


def versions() -> dict[str, str]:
    """The versions of what writes a file here: kilonet, numpy and python.

    >>> sorted(versions())
    ['kilonet', 'numpy', 'python']
    """
    try:
        own = metadata.version("kilonet")
    except metadata.PackageNotFoundError:  # run from a checkout that was not installed
        own = "unknown"
    return {"kilonet": own, "numpy": np.__version__, "python": platform.python_version()}


def _description(model: SavedModel) -> dict[str, Any]:
    try:
        loss = model.loss.to_json()  # a loss of the user's own may have no description
        network, recipe = model.network.to_json(), model.recipe.to_json()
    except (AttributeError, ValueError, TypeError) as error:
        raise FileFormatError(
            f"This model cannot be saved: its network or loss has a part of the user's own ({error}). "
            "Files hold Kilonet's own activations and losses only, because loading never runs code."
        ) from error
    names = model.feature_names
    several: dict[str, Any] = {}
    if model.others or model.arrays:
        several = {"format": FORMAT, "others": [_description(other) for other in model.others]}
    return {
        **several,
        "task": model.task,
        "network": network,
        "loss": loss,
        "recipe": recipe,
        "encoder": None if model.encoder is None else dict(model.encoder),
        "classes": None if model.classes is None else labels_to_json(model.classes),
        "feature_names": None if names is None else [str(name) for name in names],
        "target_name": model.target_name,
        "versions": dict(model.versions) or versions(),
        "extra": dict(model.extra),
    }


def _tensors(model: SavedModel) -> dict[str, Array]:
    tensors = {"theta": model.theta}
    for name in ("target_mean", "target_scale"):
        array = getattr(model, name)
        if array is not None:
            tensors[name] = np.asarray(array, np.float64)
    for name, array in model.history.items():
        tensors[f"history.{name}"] = np.asarray(array, np.float32 if name == MONITORS else np.float64)
    tensors |= {f"state.{name}": _storable(array) for name, array in (model.state or {}).items()}
    tensors |= {f"array.{name}": _storable(array) for name, array in model.arrays.items()}
    for number, other in enumerate(model.others):
        tensors |= {f"other{number}.{name}": array for name, array in _tensors(other).items()}
    return tensors


def _storable(array: Array) -> Array:
    """Counters and flags as int64; float32 and float64 stay what they are."""
    plain = np.asarray(array)
    return plain.astype(np.int64) if plain.dtype.kind in "biu" else plain


def _model(description: Mapping[str, Any], tensors: dict[str, Array]) -> SavedModel:
    names, classes = description["feature_names"], description["classes"]
    for part, kind in (("extra", dict), ("versions", dict), ("task", str)):
        if not isinstance(description[part], kind):
            raise ValueError(f"{part} is {description[part]!r:.60}")
    if not (names is None or (isinstance(names, list) and all(isinstance(name, str) for name in names))):
        raise ValueError("the column names are not a list of text")
    state = _under(tensors, "state.")
    network = Network.from_json(description["network"])
    return SavedModel(
        network=network,
        loss=loss_from(description["loss"]),
        recipe=Recipe.from_json(description["recipe"]),
        theta=_taken(tensors, "theta"),
        task=description["task"],
        encoder=_encoder(description["encoder"], network, names),
        classes=None if classes is None else labels_from_json(classes),
        feature_names=None if names is None else tuple(names),
        target_name=_text_or_none(description["target_name"]),
        target_mean=tensors.get("target_mean"),
        target_scale=tensors.get("target_scale"),
        history=_under(tensors, "history."),
        state=state or None,
        versions=description["versions"],
        extra=description["extra"],
        arrays=_under(tensors, "array."),
        others=tuple(
            _model(other, _under(tensors, f"other{number}."))
            for number, other in enumerate(description.get("others", []))
        ),
    )


def _taken(tensors: dict[str, Array], name: str) -> Array:
    if name not in tensors:
        raise ValueError(f"there is no tensor {name!r}")
    return tensors[name]


def _under(tensors: dict[str, Array], prefix: str) -> dict[str, Array]:
    return {name.removeprefix(prefix): array for name, array in tensors.items() if name.startswith(prefix)}


def _encoder(value: Any, network: Network, names: list[str] | None) -> dict[str, Any] | None:
    """The encoder's description, once an encoder could be made of it that fits the network's inputs."""
    if value is None:
        return None
    encoder = TableEncoder.from_json(value)
    if encoder.state_.width != network.n_inputs:
        raise ValueError(f"its encoder makes {encoder.state_.width} inputs, but its network takes {network.n_inputs}")
    if names is not None and len(names) != encoder.n_features_in_:
        raise ValueError(f"it names {len(names)} columns, but its encoder takes {encoder.n_features_in_}")
    return dict(value)


def _text_or_none(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise ValueError(f"the target's name is {value!r:.60}")
