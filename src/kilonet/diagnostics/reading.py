"""Numbers that several rules read from an examination; NaN for what is not known."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.diagnostics.thresholds import Thresholds
from kilonet.findings import Examination

Floats = NDArray[np.float64]


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


def end_loss(examination: Examination) -> float:
    """Training loss of the last epoch that has one."""
    loss = np.asarray(examination.history.loss, np.float64).reshape(-1)
    finite = loss[np.isfinite(loss)]
    return float(finite[-1]) if len(finite) else math.nan


def first_loss(examination: Examination) -> float:
    """Data loss before the first step, on the first batch where the rows were not asked."""
    if examination.start is not None:
        return examination.start.loss
    loss = np.asarray(examination.history.first_loss, np.float64).reshape(-1)
    return float(loss[0]) if len(loss) else math.nan


def knowing_nothing(examination: Examination) -> float:
    """Loss of the best answer that looks at no input: entropy of the classes, half for standardized numbers."""
    loss = str(examination.settings.get("loss", "auto"))
    target, start = examination.target, examination.start
    weighted = examination.settings.get("class_weight") is not None
    if examination.task == "classification" and target is not None and target.classes and not weighted:
        if not loss.startswith(("auto", "cross_entropy")):
            return math.nan
        rows = np.array(list(target.classes.values()), np.float64)
        shares = rows[rows > 0] / rows.sum()
        return float(-(shares * np.log(shares)).sum())
    return start.expected if start is not None else math.nan


def weights_at_start(examination: Examination) -> Floats:
    """Norm (layers,) of the initial weights by the root of the layer's units: 1.4 for He's, 0.1 to 1.4 for Glorot's."""
    norms = first(examination, "weight_norm")
    if len(norms) != len(examination.layers):
        return np.zeros(0)
    return np.asarray(norms / np.sqrt([layer.units for layer in examination.layers]), np.float64)


def swept_too_high(examination: Examination, thresholds: Thresholds) -> bool:
    """Whether a sweep found the rate too high: far above the best one, and clearly worse."""
    rates = examination.rates
    if rates is None or not rates.used > thresholds.rate_warn * rates.best:
        return False
    with np.errstate(invalid="ignore"):
        losses = np.where(np.isfinite(rates.losses), rates.losses, np.inf)
    order = np.argsort(rates.rates)
    place = np.searchsorted(rates.rates[order], rates.used * (1 - 1e-9))
    at_used = losses[order][min(int(place), len(losses) - 1)]
    # A whole training that came below the sweep has done well with its rate.
    return bool(at_used > 1.5 * losses.min()) and not end_loss(examination) <= losses.min()


def swept_far_below(examination: Examination, thresholds: Thresholds) -> bool:
    """Whether a sweep, of as many steps at most, came to far less than the loss that the whole training ended with."""
    rates, left = examination.rates, end_loss(examination)
    if rates is None or not left > thresholds.unlearned * knowing_nothing(examination):
        return False
    return bool(left > thresholds.swept_below * np.min(rates.losses[np.isfinite(rates.losses)], initial=np.inf))


def low_rate(examination: Examination, thresholds: Thresholds) -> float:
    """The largest median share of a layer's weights that early steps changed, where it is too low; else NaN."""
    moved = early(examination, "update_ratio", thresholds.early)
    most = float(np.nanmax(moved)) if np.isfinite(moved).any() else math.nan
    little = end_loss(examination) > thresholds.low_loss * first_loss(examination)
    return most if most < thresholds.ratio_low and little else math.nan
