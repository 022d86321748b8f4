"""Numbers that several rules read from an examination; NaN for what is not known."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.diagnostics.thresholds import Thresholds
from kilonet.findings import Examination

Floats = NDArray[np.float64]

_SAME = 1e-9  # of the mean: what deviates less is rounding
_DUMMY = 1e-3  # relative: how near the variance of ones and zeros is to p(1 - p), which float32 blurs a little


def setting(examination: Examination, name: str) -> float:
    """A setting that is a number, NaN where it is something else or not known."""
    value = examination.settings.get(name)
    return float(value) if isinstance(value, int | float | np.number) and not isinstance(value, bool) else math.nan


def watched(examination: Examination, name: str) -> tuple[NDArray[np.intp], Floats]:
    """Epochs (from 1) of the training that were watched, and (epochs, layers) of one monitor."""
    if len(examination.history) == 0:
        return np.zeros(0, np.intp), np.zeros((0, 0))
    values: Any = getattr(examination.history, name)
    table, norms = (np.asarray(own, np.float64) for own in (values, examination.history.weight_norm))
    seen = ~np.isnan(norms).all(axis=1) if norms.shape[1] else np.zeros(len(table), bool)
    return np.flatnonzero(seen) + 1, table[seen]


def early(examination: Examination, name: str, share: float) -> Floats:
    """Median (layers,) of a monitor in the first share of the training, its first step aside where others are there."""
    epochs, values = watched(examination, name)
    if len(values) == 0 or values.shape[1] == 0:
        return np.full(values.shape[1], math.nan)
    planned = setting(examination, "epochs")
    most = share * (planned if planned == planned else len(examination.history))
    inside = values[(epochs <= max(most, epochs[0])) & ((epochs > 1) | (len(epochs) == 1))]
    with np.errstate(all="ignore"):
        return np.median(inside if len(inside) else values[:2][-1:], axis=0)


def first(examination: Examination, name: str) -> Floats:
    """A monitor (layers,) of the first epoch, empty where it was not watched."""
    epochs, values = watched(examination, name)
    return values[0] if len(epochs) and epochs[0] == 1 else np.zeros(0)


def since(examination: Examination, name: str, layer: int, bound: float) -> int:
    """The epoch from which on a monitor of a layer (from 1) stayed at the bound or above; 0 if that is not known."""
    epochs, values = watched(examination, name)
    if layer > values.shape[1] or len(values) == 0:
        return 0
    below = np.flatnonzero(~(values[:, layer - 1] >= bound))
    begun = below[-1] + 1 if len(below) else 0
    return int(epochs[begun]) if begun < len(epochs) else 0


def large_inputs(examination: Examination, thresholds: Thresholds) -> NDArray[np.intp]:
    """Places of the inputs that are too large, or too far from 0."""
    inputs = examination.inputs
    if inputs is None:
        return np.zeros(0, np.intp)
    far = np.abs(inputs.means) > thresholds.mean_warn
    return np.flatnonzero((inputs.deviations > thresholds.deviation_warn) | far)


def pale_inputs(examination: Examination, thresholds: Thresholds) -> NDArray[np.intp]:
    """Places of the inputs that deviate too little. Rare ones among zeros should, and so what is sparse."""
    inputs = examination.inputs
    if inputs is None or inputs.sparse:
        return np.zeros(0, np.intp)
    expected = inputs.means * (1 - inputs.means)
    dummies = np.abs(inputs.deviations**2 - expected) <= _DUMMY * np.abs(expected)
    small = (inputs.deviations > 0) & (inputs.deviations < thresholds.deviation_low) & ~dummies
    return np.setdiff1d(np.flatnonzero(small), large_inputs(examination, thresholds))


def mostly_pale(examination: Examination, thresholds: Thresholds) -> bool:
    """Whether most inputs deviate too little; a few are common, and harmless where others speak."""
    inputs = examination.inputs
    varying = 0 if inputs is None else np.count_nonzero(inputs.deviations > 0)
    return bool(2 * len(pale_inputs(examination, thresholds)) > varying > 0)


def unscaled_target(examination: Examination, thresholds: Thresholds) -> bool:
    """Whether numbers to be learned are far from size 1. Kilonet's estimators standardize them, others do not."""
    target = examination.target
    if examination.origin == "kilonet" or target is None or not target.deviation > _SAME * abs(target.mean):
        return False
    return not thresholds.deviation_low <= target.deviation <= thresholds.deviation_warn


def end_loss(examination: Examination) -> float:
    """Training loss of the parameters that were kept: theirs, or that of their epoch, or the last one before it."""
    target = examination.target
    if target is not None and math.isfinite(target.left) and len(examination.history):
        return target.left
    loss = np.asarray(examination.history.loss, np.float64).reshape(-1)[: kept_epoch(examination)]
    finite = loss[np.isfinite(loss)]
    return float(finite[-1]) if len(finite) else math.nan


def kept_epoch(examination: Examination) -> int:
    """The epoch (from 1) whose parameters were kept: the last one, or with early stopping the best one."""
    history, settings = examination.history, examination.settings
    by_score = settings.get("monitor", "loss") == "score"
    curve = np.asarray(history.validation_score if by_score else history.validation_loss, np.float64).reshape(-1)
    if not settings.get("early_stopping") or not np.isfinite(curve).any():
        return len(history)
    return 1 + int(np.nanargmax(curve) if by_score else np.nanargmin(curve))


def first_loss(examination: Examination) -> float:
    """Data loss before the first step, on the first batch where the rows were not asked.

    Of networks whose start nobody saw it is that of knowing nothing: few begin with less.
    """
    if examination.start is not None:
        return examination.start.loss
    loss = np.asarray(examination.history.first_loss, np.float64).reshape(-1)[:1]
    return float(loss[0]) if np.isfinite(loss).any() else knowing_nothing(examination)


def knowing_nothing(examination: Examination) -> float:
    """Loss of the best answer that looks at no input: entropy of the classes, half for standardized numbers."""
    loss = str(examination.settings.get("loss", "auto"))
    target, start = examination.target, examination.start
    for facts in (start, target):
        if facts is not None and facts.nothing > 0:
            return facts.nothing
    classes = target.classes if target is not None and examination.task == "classification" else {}
    weighted = examination.settings.get("class_weight") is not None
    if classes and not weighted and loss.startswith(("auto", "cross_entropy")):
        rows = np.array(list(classes.values()), np.float64)
        shares = rows[rows > 0] / rows.sum()
        return float(-(shares * np.log(shares)).sum())
    return start.expected if start is not None and start.expected > 0 else math.nan


def weights_at_start(examination: Examination) -> Floats:
    """Norm (layers,) of the initial weights by the root of the layer's units: 1.4 for He's, 0.1 to 1.4 for Glorot's."""
    norms = first(examination, "weight_norm")
    if examination.origin == "kilonet" and len(examination.history) == 0:  # before training
        norms = np.array([layer.weight_norm for layer in examination.layers])
    if len(norms) != len(examination.layers) or len(norms) == 0:
        return np.zeros(0)
    return np.asarray(norms / np.sqrt([layer.units for layer in examination.layers]), np.float64)


def shrinkage(examination: Examination) -> float:
    """Norm of all weights at the end by that at the start."""
    before = first(examination, "weight_norm")
    after = np.array([layer.weight_norm for layer in examination.layers])
    if len(before) == 0 or len(before) != len(after):
        return math.nan
    return float(np.linalg.norm(after) / np.linalg.norm(before)) if np.any(before) else math.nan


def penalty_pulls(examination: Examination) -> dict[str, float]:
    """The gradient of each penalty that is set by that of the data, in the first step: l2, l1.

    That of l2 is as long as the weights times l2, that of l1 as the root of their number times l1.
    """
    norms, slopes = first(examination, "weight_norm"), first(examination, "gradient_norm")
    if len(norms) == 0 or not np.any(slopes):
        return {}
    sizes = [setting(examination, "n_inputs"), *(layer.units for layer in examination.layers)]
    number = sum(before * after for before, after in pairwise(sizes))
    lengths = {"l2": float(np.linalg.norm(norms)), "l1": math.sqrt(number)}
    pulls = {name: setting(examination, name) * length for name, length in lengths.items()}
    return {name: pull / float(np.linalg.norm(slopes)) for name, pull in pulls.items() if pull > 0}


def penalty_pull(examination: Examination) -> float:
    """The penalties' gradient by that of the data, in the first step; weights that shrink are pulled by all of them."""
    return sum(penalty_pulls(examination).values()) or math.nan


def largest_step(examination: Examination, thresholds: Thresholds) -> float:
    """The largest share of a layer's weights that the first step changed; of tiny initial weights it says nothing."""
    moved, sizes = first(examination, "update_ratio"), weights_at_start(examination)
    known = moved[sizes >= thresholds.weights_low] if len(sizes) == len(moved) else moved
    return float(known.max()) if len(known) else math.nan
