"""The checks that the parts of a model which tuned itself belong together."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.persistence import SavedModel
from kilonet.search.candidates import TUNED
from kilonet.tuned.record import Configuration, TunedRecord

_TASKS = {"MLPClassifierCV": ("classification", "cross_entropy"), "MLPRegressorCV": ("regression", "squared")}
_VERDICTS = ("best", "tie", "behind", "worse", "dropped", "diverged")
_ONE = 1e-6  # by which weights may miss 1


def first_fault(model: SavedModel) -> str | None:
    """What does not fit together in the model of a network that tuned itself, in words; None when all of it does.

    The networks themselves are taken to fit together, as a saved model's do. Raises LookupError, TypeError or
    ValueError where a part is missing, or is of another kind altogether.
    """
    for part in (_kind_faults, _record_faults, _figure_faults, _member_faults, _row_faults, _interval_faults):
        fault = next(part(model), None)
        if fault is not None:
            return fault
    return None


def _members(model: SavedModel) -> int:
    return sum(own.recipe.n_members for own in (model, *model.others))


def _record(model: SavedModel) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(model.extra["tuned"]["record"])
    return found


def _kind_faults(model: SavedModel) -> Iterator[str]:
    tuned, network = model.extra["tuned"], model.network
    if _TASKS.get(tuned["estimator"]) != (model.task, getattr(model.loss, "name", None)):
        yield f"its estimator is {tuned['estimator']}, but its networks are for {model.task} by {model.loss}"
    outputs = 1 if model.classes is None else len(model.classes)
    flat = model.classes is not None or (model.extra["flat"] is True and model.target_mean is not None)
    if network.n_outputs != outputs or not flat:
        yield f"its networks have {network.n_outputs} outputs, but needs {outputs}, of one target (n,) with its scale"
    for name in ("runs", "rows"):
        if not (_fits(tuned[name], int) and tuned[name] > 0):
            yield f"its {name} are {tuned[name]!r:.60}; needs a whole number above 0"


# The record.
def _shape(task: str) -> dict[str, Any]:
    """What every field of a record looks like; float stands for a number, or None where there is none."""
    plain: dict[Any, Any] = {int: int, float: float, str: str}
    own, whole = ({each.name: plain.get(each.type) for each in fields(kind)} for kind in (Configuration, TunedRecord))
    told: dict[str, Any] = {
        "true": [float], "predicted": [float],
        "errors": {"rows": int, "half": float, "most": float, "mean": float, "std": float},
    }  # fmt: skip
    numbers = ["temperature", "out_of_fold"]
    if task == "classification":
        told = {"reliability": [{"rows": int, "confidence": float, "accuracy": float}], "calibration_error": float}
        numbers += ["before", "after"]
    whole |= {"calibration": dict.fromkeys(numbers, float), "notes": [str], "predictions": told}
    return whole | {"configurations": [own | {"params": {}, "losses": [float]}]}


def _fits(value: Any, shape: Any) -> bool:
    """Whether a plain value has the shape: a type, a list of one shape, or a dict with these keys, and maybe more."""
    if isinstance(shape, list):
        return isinstance(value, list) and all(_fits(entry, shape[0]) for entry in value)
    if isinstance(shape, Mapping):
        return isinstance(value, dict) and all(name in value and _fits(value[name], own) for name, own in shape.items())
    if shape is Any:
        return True
    if shape is float:
        return value is None or (type(value) in (int, float) and bool(np.isfinite(value)))
    return type(value) is shape and (shape is str or value >= 0)


def _record_faults(model: SavedModel) -> Iterator[str]:
    record, tuned = _record(model), model.extra["tuned"]
    for name, shape in _shape(model.task).items():
        if not _fits(record[name], shape):
            yield f"the record has the {name} {record[name]!r:.60}"
    TunedRecord.from_json(tuned["record"])  # says what else there is to say
    classes = 0 if model.classes is None else len(model.classes)
    inputs = {own.network.n_inputs for own in (model, *model.others)}
    possible: dict[str, set[Any]] = {
        "task": {model.task},
        "classes": {classes},
        "inputs": inputs,
        "members": {_members(model)},
    }
    for name, own in possible.items():
        if record[name] not in own:
            yield f"the record has the {name} {record[name]!r:.60}, but the networks {', '.join(map(str, own))}"
    if not 0 < record["rows"] <= tuned["rows"]:
        yield f"the record has {record['rows']} rows of {tuned['rows']}"
    configurations = record["configurations"]
    for own in configurations:
        if own["verdict"] not in _VERDICTS or len(own["losses"]) != record["splits"]:
            yield f"a configuration has the verdict {own['verdict']!r:.60} and losses of {len(own['losses'])} splits"
    weights = np.array([own["weight"] for own in configurations], dtype=float)
    if not _shares(weights):
        yield "the weights of the configurations in the record are no shares of 1"
    if not (record["best"] < len(configurations) and configurations[record["best"]]["verdict"] == "best"):
        yield f"the record has {record['best']} for the best of {len(configurations)} configurations"


def _figure_faults(model: SavedModel) -> Iterator[str]:
    """What is told of calibration, and of predictions, from which pictures are made."""
    record = _record(model)
    calibration, told = record["calibration"], record["predictions"]
    for name, value in calibration.items():
        if value is None or value < 0 or (value == 0 and name in ("temperature", "out_of_fold")):
            yield f"the record's calibration has {name}={value!r}"
    if calibration["temperature"] != model.extra["tuned"]["temperature"]:
        yield f"its temperature is not the record's, {calibration['temperature']!r}"
    for own in told.get("reliability", []):
        if not (own["rows"] and all(0 <= own[name] <= 1 for name in ("confidence", "accuracy"))):
            yield f"the record's reliability has {own!r:.100}"
    if "reliability" not in told and not (told["true"] and len(told["true"]) == len(told["predicted"])):
        yield f"the record has {len(told['true'])} true and {len(told['predicted'])} predicted numbers"
    names, table = told.get("classes", []), told.get("confusion", [])
    square = len(table) == len(names) and all(len(row) == len(names) for row in table)
    if not (_fits(names, [str]) and _fits(table, [[int]]) and square):
        yield "the record's confusion is no table of its classes"


# What belongs to networks and rows.
def _shares(weights: NDArray[Any]) -> bool:
    return bool((weights >= 0).all() and abs(weights.sum() - 1) <= _ONE)


def _places(array: NDArray[Any], shape: tuple[int, ...], stop: int) -> bool:
    """Whether an array has the shape and holds whole numbers from 0 on, below stop."""
    return array.dtype.kind in "iub" and array.shape == shape and bool(((array >= 0) & (array < stop)).all())


def _member_faults(model: SavedModel) -> Iterator[str]:
    tuned, arrays, members = model.extra["tuned"], model.arrays, _members(model)
    needed = {"weights", "splits", "oof"} | (
        {"residuals", "patterns", "pattern"} if model.task == "regression" else set()
    )
    if set(arrays) != needed:
        yield f"it has the arrays {sorted(arrays)!r:.100}; needs {sorted(needed)}"
    weights, splits = arrays["weights"], _record(model)["splits"]
    if not (weights.dtype.kind == "f" and weights.shape == (members,) and _shares(weights)):
        yield f"its weights, {weights.dtype} {weights.shape}, are no shares of 1 for {members} networks"
    if not _places(arrays["splits"], (members,), splits):
        own = arrays["splits"]
        yield f"its splits, {own.dtype} {own.shape}, are not those of {members} networks, below {splits}"
    configurations = [json.loads(text) for text in tuned["configurations"]]
    known = {"hidden", "activation", "encode__pieces", "encode__bound", *TUNED}
    for own in configurations:
        names = [name for name, _ in own["pairs"]] if _fits(own, {"pairs": [[Any]]}) else []
        if not ("hidden" in names and set(names) <= known):
            yield f"a configuration is {own!r:.100}; needs settings such as hidden"
    of = tuned["of"]
    if not (_fits(of, [int]) and len(of) == members and max(of) < len(configurations)):
        yield f"its 'of' is {of!r:.60}; needs a place among {len(configurations)} configurations for {members} networks"
    if tuned["best"] not in configurations:
        yield f"its best is {tuned['best']!r:.100}, which is none of its configurations"


def _row_faults(model: SavedModel) -> Iterator[str]:
    oof, rows = model.arrays["oof"], model.extra["tuned"]["rows"]
    needed = (rows,) if model.classes is None else (rows, len(model.classes))
    if oof.dtype.kind != "f" or oof.shape != needed:
        yield f"its oof is {oof.dtype} {oof.shape}; needs {needed}"
    known = ~np.isnan(oof.reshape(rows, -1))
    told = _record(model)["predictions"]
    held = told["errors"]["rows"] if model.classes is None else sum(own["rows"] for own in told["reliability"])
    if np.isinf(oof).any() or (known.any(axis=1) != known.all(axis=1)).any() or not 0 < held <= known[:, 0].sum():
        yield f"its oof has numbers for {known[:, 0].sum()} rows, but the record tells of {held}"


def _interval_faults(model: SavedModel) -> Iterator[str]:
    if model.task != "regression":
        return
    arrays, splits = model.arrays, _record(model)["splits"]
    residuals, patterns, pattern = arrays["residuals"], arrays["patterns"], arrays["pattern"]
    if not (residuals.dtype.kind == "f" and residuals.ndim == 1 and len(residuals) and (residuals >= 0).all()):
        yield f"its residuals, {residuals.dtype} {residuals.shape}, are not numbers from 0 on, (m,)"
    if not np.isfinite(residuals).all() or len(residuals) > model.extra["tuned"]["rows"]:
        yield f"its {len(residuals)} residuals are not those of {model.extra['tuned']['rows']} rows"
    if not _places(patterns, (len(patterns), splits), 2):
        yield f"its patterns, {patterns.dtype} {patterns.shape}, are no sets of {splits} splits"
    if not (patterns[:, arrays["splits"]] @ arrays["weights"] > 0).all():
        yield "its patterns hold a set of splits on which no network was trained"
    if not _places(pattern, residuals.shape, len(patterns)):
        yield f"its pattern, {pattern.dtype} {pattern.shape}, has not one of {len(patterns)} for each residual"
