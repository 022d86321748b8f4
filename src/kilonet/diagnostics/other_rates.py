"""Which rates to try instead of one that is too high or too low."""

import math

from kilonet.diagnostics.changes import change
from kilonet.diagnostics.reading import knowing_nothing, setting
from kilonet.diagnostics.reading_rates import low_rate, usual_rate
from kilonet.diagnostics.thresholds import Thresholds
from kilonet.findings import Examination, Remedy


def lower_rate(examination: Examination, thresholds: Thresholds) -> list[Remedy]:
    """Rates to try instead of one that is too high."""
    return _other_rates(examination, thresholds, "lower", 0.1 * setting(examination, "rate"))


def higher_rate(examination: Examination, thresholds: Thresholds) -> list[Remedy]:
    """Rates to try instead of one that is too low; of no known one, what makes steps a thousandth of the weights."""
    rate, low = setting(examination, "rate"), low_rate(examination, thresholds)
    times = 10 ** math.ceil(round(math.log10(10 * thresholds.ratio_low / low), 3)) if low > 0 else 100
    return _other_rates(examination, thresholds, "higher", times * rate)


def _other_rates(examination: Examination, thresholds: Thresholds, which: str, guess: float) -> list[Remedy]:
    """The optimizer's own rate, unless a trial did not learn with it, then the fastest of the trial, else a guess.

    The fastest goes first where the own one leaves far more in the trial.
    """
    rate, rates, own = setting(examination, "rate"), examination.rates, usual_rate(examination)
    candidates = [own, guess]
    if rates is not None and rates.fastest > 0:
        both = (rates.fastest, own) if _fastest_first(examination, thresholds) else (own, rates.fastest)
        candidates = [one for one in both if rates.learns(one)] or [guess]
    better = [one for one in candidates if (0 < one < rate if which == "lower" else one > rate)]
    rounded = dict.fromkeys(float(f"{one:.2g}") for one in better)
    return [change(examination, f"a {which} rate: {one:g}", rate=one) for one in rounded] or [
        Remedy(f"a {which} rate", {})
    ]


def _fastest_first(examination: Examination, thresholds: Thresholds) -> bool:
    """Whether the optimizer's own rate leaves far more in a trial than the fastest, on rows held out."""
    rates = examination.rates
    if rates is None:
        return False
    (_, own), (_, least) = rates.came_to(usual_rate(examination)), rates.came_to(rates.fastest)
    return own > thresholds.swept_below * least and own > thresholds.grown_share * knowing_nothing(examination)
