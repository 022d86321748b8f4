"""Why layers die, saturate and blow up: the likely cause, named from what else is known, with what cures it.

Causes are asked for in an order in which none can be mistaken for one that comes later: a high rate changes neither
the inputs nor the initial weights, while those make the first steps large as well.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kilonet.diagnostics.changes import SCALED, centre, change, is_set, positive, standardize
from kilonet.diagnostics.reading import (
    early,
    end_loss,
    first,
    knowing_nothing,
    large_inputs,
    largest_step,
    low_rate,
    mostly_pale,
    own_rate,
    penalty_pull,
    setting,
    shrinkage,
    swept_too_high,
    weights_at_start,
)
from kilonet.diagnostics.thresholds import Thresholds
from kilonet.diagnostics.words import moved_text
from kilonet.findings import Examination, Remedy
from kilonet.numerals import figure, significant

Floats = NDArray[np.float64]


USUAL_L2 = 1e-4  # of the estimators


@dataclass(frozen=True)
class Cause:
    """because: in a word. text: a sentence. remedies: what to change."""

    because: str
    text: str
    remedies: Sequence[Remedy] = ()


def cause_of(examination: Examination, thresholds: Thresholds, begun: int = 0) -> Cause:
    """The likely cause of a layer's trouble that began in an epoch (0: unknown)."""
    for ask in (inputs_cause, weights_cause, penalty_cause, rate_cause):
        found = ask(examination, thresholds)
        if found is not None:
            return found
    if positive(examination):
        text = "no input is ever below 0, so units whose weights are mostly below 0 fire on no row"
        return Cause("inputs", text, [centre(examination)])
    if begun == 1:
        text = "it was so after the first epoch already: the initial weights brought it about, or the very first steps"
        own = examination.settings.get("initializer") not in (None, "he")
        return Cause("initial weights", text, [fitting_weights(examination)] if own else ())
    return Cause("", "these numbers do not show what brought it about; most often it is steps that were too large")


def inputs_cause(examination: Examination, thresholds: Thresholds) -> Cause | None:
    """Inputs that are not scaled: weighted sums are as large as they are, or so small that biases decide alone."""
    inputs, large = examination.inputs, large_inputs(examination, thresholds)
    if inputs is None or is_set(examination, SCALED):
        return None
    if len(large) == 0:
        text = f"inputs are not scaled (most deviate by less than {thresholds.deviation_low:g}), so biases decide alone"
        return Cause("inputs", text, [standardize(examination)]) if mostly_pale(examination, thresholds) else None
    size = float(np.sqrt(inputs.deviations**2 + inputs.means**2)[large].max())
    text = f"inputs are not scaled (one is as large as {figure(size)}), and weighted sums are as large as their inputs"
    return Cause("inputs", text, [standardize(examination)])


def weights_cause(examination: Examination, thresholds: Thresholds) -> Cause | None:
    """Initial weights that are too large, or so small that a signal fades on its way."""
    sizes = weights_at_start(examination)
    if len(sizes) == 0:
        return None
    if sizes.max() > thresholds.weights_warn:
        text = f"initial weights are {significant(sizes.max() / math.sqrt(2))} times as large as they should be"
    elif sizes.min() < thresholds.weights_low:
        text = "initial weights are so small that a signal fades on its way through the layers"
    else:
        return None
    return Cause("initial weights", text, [fitting_weights(examination)])


def fitting_weights(examination: Examination) -> Remedy:
    """To begin with weights that fit the units."""
    return change(examination, "the initializer that fits the units", initializer=None)


def penalty_cause(examination: Examination, thresholds: Thresholds) -> Cause | None:
    """A penalty that pulls harder than the data: forgetting."""
    shrunk, pull = shrinkage(examination), penalty_pull(examination)
    if not (pull > thresholds.pull and shrunk < thresholds.shrunk):
        return None
    if not end_loss(examination) > thresholds.kept * knowing_nothing(examination):
        return None
    l2 = setting(examination, "l2")
    times = f"{significant(pull)} times as hard as the data pull in the first step"
    text = f"l2={l2:g} pulls the weights towards zero, {times}"
    weaker = [change(examination, f"a weaker penalty: l2={own:.2g}", l2=float(f"{own:.2g}")) for own in _weaker(l2)]
    return Cause("l2", text, weaker)


def _weaker(l2: float) -> list[float]:
    """Penalties to try instead of one that is too strong: down to the usual one.

    >>> _weaker(5.0), _weaker(2e-4)
    ([0.5, 0.05, 0.005, 0.0001], [2e-05, 0.0001])
    """
    steps = [l2 * factor for factor in (0.1, 0.01, 0.001) if l2 * factor > USUAL_L2]
    return [*(steps or [0.1 * l2]), USUAL_L2] if l2 > USUAL_L2 else [0.1 * l2]


def handicap(examination: Examination, thresholds: Thresholds) -> Cause | None:
    """What makes training hard whatever the rate is: inputs, initial weights, a penalty, slopes that fade."""
    for ask in (inputs_cause, weights_cause, penalty_cause, fading_cause):
        found = ask(examination, thresholds)
        if found is not None:
            return found
    return None


def gradient_norms(examination: Examination, thresholds: Thresholds) -> Floats:
    """Norms (layers,) of gradients early in the training, of the judged parameters where that was not watched."""
    norms = early(examination, "gradient_norm", thresholds.early)
    if len(norms) != len(examination.layers) or not np.isfinite(norms).any():
        return np.array([layer.gradient_norm for layer in examination.layers])
    return norms


def fades(examination: Examination, thresholds: Thresholds) -> bool:
    """Whether gradients vanish on their way, and the first layer hardly moves or nothing is learned.

    Adam makes up for small gradients, in part.
    """
    stuck = end_loss(examination) > thresholds.stuck_warn * knowing_nothing(examination)
    if stuck and _fade(first(examination, "gradient_norm"), thresholds):  # a bias alone may move afterwards
        return True
    if not _fade(gradient_norms(examination, thresholds), thresholds):
        return False
    moved = early(examination, "update_ratio", thresholds.early)
    return bool(len(moved) == 0 or not moved[0] >= thresholds.ratio_low or stuck)


def _fade(norms: Floats, thresholds: Thresholds) -> bool:
    return len(norms) > 1 and bool(norms[0] < thresholds.vanishing * norms[-1])


def fading_cause(examination: Examination, thresholds: Thresholds) -> Cause | None:
    """Units that pass on less slope than they get, layer after layer."""
    kinds = {layer.unit.partition("(")[0] for layer in examination.hidden}
    if not kinds & {"sigmoid", "tanh"} or not fades(examination, thresholds):
        return None
    quarter = "every sigmoid layer passes on a quarter of the slope at most"
    text = quarter if "sigmoid" in kinds else "every tanh layer passes on less slope than it gets"
    hidden = examination.settings.get("hidden")
    better = [change(examination, "units that pass slopes on: ReLU", activation="relu")]
    if isinstance(hidden, list | tuple) and len(hidden) > 2:
        fewer = tuple(hidden[:2])
        better.append(change(examination, "two hidden layers", hidden=fewer))
        better.append(change(examination, "two hidden layers of ReLU", hidden=fewer, activation="relu"))
    return Cause("activation", text, [*better, Remedy("fewer layers", {})])


def rate_cause(examination: Examination, thresholds: Thresholds) -> Cause | None:
    """A rate that is too high: the first steps replace much of the weights, or a sweep of rates says so."""
    rate, moved = setting(examination, "rate"), largest_step(examination, thresholds)
    named = f"the rate {rate:g}" if rate == rate else "the rate"
    if moved > thresholds.ratio_large:
        text = f"""{named} is likely too high (the first step changed {moved_text(moved, "a layer's")})"""
    elif examination.rates is not None and swept_too_high(examination, thresholds):
        most = significant(examination.rates.largest)
        text = f"{named} is likely too high (in a trial of rates none above {most} learned)"
    else:
        return None
    return Cause("rate", text, lower_rate(examination))


def lower_rate(examination: Examination) -> list[Remedy]:
    """Rates to try instead of one that is too high."""
    return _other_rates(examination, "lower", 0.1 * setting(examination, "rate"))


def higher_rate(examination: Examination, thresholds: Thresholds) -> list[Remedy]:
    """Rates to try instead of one that is too low; of no known one, what makes steps a thousandth of the weights."""
    rate, low = setting(examination, "rate"), low_rate(examination, thresholds)
    times = 10 ** math.ceil(round(math.log10(10 * thresholds.ratio_low / low), 3)) if low > 0 else 100
    return _other_rates(examination, "higher", times * rate)


def _other_rates(examination: Examination, which: str, guess: float) -> list[Remedy]:
    """The optimizer's own rate, unless a trial did not learn with it, then the fastest of the trial, else a guess."""
    rate, rates = setting(examination, "rate"), examination.rates
    own = own_rate(examination.settings.get("optimizer"), len(examination.layers))
    candidates = [own, guess]
    if rates is not None and rates.fastest > 0:
        candidates = [one for one in (own, rates.fastest) if rates.learns(one)] or [guess]
    better = [one for one in candidates if (0 < one < rate if which == "lower" else one > rate)]
    rounded = dict.fromkeys(float(f"{one:.2g}") for one in better)
    return [change(examination, f"a {which} rate: {one:g}", rate=one) for one in rounded] or [
        Remedy(f"a {which} rate", {})
    ]
