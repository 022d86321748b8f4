"""What a trial of rates and the course of a training say of its rate; NaN for what is not known."""

import math

import numpy as np

from kilonet.diagnostics.reading import early, end_loss, first_loss, knowing_nothing, setting
from kilonet.diagnostics.thresholds import Thresholds
from kilonet.errors import SettingError
from kilonet.estimators.plan import first_rates
from kilonet.estimators.settings import Settings
from kilonet.findings import Examination
from kilonet.network import Network
from kilonet.optimizers import optimizer_from


def own_rate(optimizer: object, n_layers: int) -> float:
    """The rate that a kind of optimizer has by itself for a network of so many layers; NaN where Kilonet has it not.

    >>> own_rate("adam", 2), own_rate("adam", 1), own_rate("sgd", 2), own_rate("lbfgs", 2)
    (0.001, 0.01, 0.1, nan)
    """
    try:
        kind = Settings(optimizer=optimizer_from(optimizer).name)
    except SettingError:
        return math.nan
    return first_rates(kind, Network([1] * (max(n_layers, 1) + 1)))[0]


def usual_rate(examination: Examination) -> float:
    """The rate that the training's optimizer has by itself for its network."""
    return own_rate(examination.settings.get("optimizer"), len(examination.layers))


def named_rate(examination: Examination) -> str:
    """The rate in a sentence."""
    rate = setting(examination, "rate")
    return f"the rate {rate:g}" if rate == rate else "the rate"


def swept_too_high(examination: Examination, thresholds: Thresholds) -> bool:
    """Whether a trial found the rate too high: above all that learn, or lost; and the training did not learn either."""
    rates = examination.rates
    if rates is None:
        return False
    lost = bool(np.isinf(rates.losses[rates.rates == rates.used]).any())
    if not (lost or rates.used > max(rates.largest, thresholds.rate_warn * rates.fastest)):
        return False
    return not end_loss(examination) <= rates.enough


def swept_too_low(examination: Examination) -> bool:
    """Whether a trial found the rate too low: below all that learn."""
    rates = examination.rates
    return rates is not None and rates.used < rates.smallest


def swept_far_below(examination: Examination, thresholds: Thresholds) -> bool:
    """Whether a trial, of as many steps at most, knew far more of other rows than the training of its own."""
    rates, left = examination.rates, end_loss(examination)
    if rates is None or not left > thresholds.unlearned * knowing_nothing(examination):
        return False
    return left > thresholds.swept_below * rates.reached


def rate_serves(examination: Examination, thresholds: Thresholds) -> bool:
    """Whether the rate learns about as fast as any in a trial, and the training came to what was known there."""
    rates = examination.rates
    if rates is None or not rates.learns(rates.used) or rates.used > thresholds.rate_warn * rates.fastest:
        return False
    return end_loss(examination) <= rates.reached


def beats_own_rate(examination: Examination) -> bool:
    """Whether the training came to what the optimizer's own rate comes to in a trial."""
    if examination.rates is None:
        return False
    return end_loss(examination) <= examination.rates.came_to(usual_rate(examination))[0]


def better_rate(examination: Examination, thresholds: Thresholds) -> float:
    """The fastest rate of a trial that knew far more of other rows than the training of its own, else NaN.

    Far more: less than half of the loss was left, and what the training left is not next to nothing.
    """
    rates, left = examination.rates, end_loss(examination)
    if rates is None or not left > thresholds.swept_below * rates.reached:
        return math.nan
    far = max(rates.used, rates.fastest) > thresholds.rate_warn * min(rates.used, rates.fastest)
    return rates.fastest if far and left > thresholds.grown_share * knowing_nothing(examination) else math.nan


def slow(examination: Examination, thresholds: Thresholds) -> bool:
    """Whether the training did not come far: not below knowing nothing, from however high above it."""
    if end_loss(examination) > thresholds.stuck_warn * knowing_nothing(examination):
        return True
    return came_nowhere(examination, thresholds) or swept_far_below(examination, thresholds)


def came_nowhere(examination: Examination, thresholds: Thresholds) -> bool:
    """Whether a training left most of its first loss, and that is not next to nothing."""
    left = end_loss(examination)
    if left <= thresholds.unlearned * knowing_nothing(examination):
        return False
    return left > thresholds.low_loss * first_loss(examination)


def low_rate(examination: Examination, thresholds: Thresholds) -> float:
    """The largest median share of a layer's weights that early steps changed, where it is too low; else NaN.

    It is not too low where a trial learned with this rate: what is missing then is time.
    """
    moved, rates = early(examination, "update_ratio", thresholds.early), examination.rates
    most = float(np.nanmax(moved)) if np.isfinite(moved).any() else math.nan
    little = came_nowhere(examination, thresholds)
    learns = rates is not None and rates.learns(rates.used)
    return most if most < thresholds.ratio_low and little and not learns else math.nan
