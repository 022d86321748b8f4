"""Why layers die, saturate and blow up: the likely cause, named from what else is known, with what cures it.

Causes are asked for in an order in which none can be mistaken for one that comes later: a high rate changes neither
the inputs nor the initial weights, while those make the first steps large as well.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kilonet.diagnostics.changes import SCALED, centre, change, is_set, positive, standardize
from kilonet.diagnostics.other_rates import higher_rate, lower_rate
from kilonet.diagnostics.reading import (
    early,
    end_loss,
    first,
    kept_epoch,
    knowing_nothing,
    large_inputs,
    largest_step,
    mostly_pale,
    penalty_pulls,
    setting,
    shrinkage,
    unscaled_target,
    weights_at_start,
)
from kilonet.diagnostics.reading_rates import (
    beats_own_rate,
    low_rate,
    named_rate,
    slow,
    swept_too_high,
    swept_too_low,
)
from kilonet.diagnostics.thresholds import Thresholds
from kilonet.diagnostics.words import moved_text
from kilonet.findings import Examination, Remedy
from kilonet.numerals import figure, significant

Floats = NDArray[np.float64]

USUAL = {"l2": 1e-4, "l1": 0.0}  # penalties of the estimators


@dataclass(frozen=True)
class Cause:
    """because: in a word. text: a sentence. remedies: what to change."""

    because: str
    text: str
    remedies: Sequence[Remedy] = ()


Ask = Callable[[Examination, Thresholds], Cause | None]


def cause_of(examination: Examination, thresholds: Thresholds, begun: int = 0) -> Cause:
    """The likely cause of a layer's trouble that began in an epoch (0: unknown)."""
    found = root_cause(examination, thresholds)
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


def root_cause(examination: Examination, thresholds: Thresholds) -> Cause | None:
    """A cause that the numbers show, None where they do not."""
    return _first(examination, thresholds, (*_SURE, penalty_cause, rate_cause))


def stuck_cause(examination: Examination, thresholds: Thresholds) -> Cause:
    """The likely cause of a training that came nowhere: slopes that fade and steps that creep are some, too."""
    asked = (constant_cause, target_cause, fading_cause, *_SURE, penalty_cause, rate_cause, low_rate_cause)
    found = _first(examination, thresholds, asked) or cause_of(examination, thresholds)
    if found.because:
        return found
    kept, losses = kept_epoch(examination), np.asarray(examination.history.loss, np.float64).reshape(-1)
    if kept < len(losses) and losses[-1] < thresholds.stuck_warn * knowing_nothing(examination):
        text = f"early stopping kept epoch {kept:,}, since the rows it holds out got no better; it may hold out too few"
        return Cause("", text)
    return Cause("", "the inputs may tell nothing of the target, or the network or its training is too small")


def grave(examination: Examination, found: Cause) -> bool:
    """Whether a trouble can fail: not where a rate is behind it that learned as much as the optimizer's own."""
    return found.because != "rate" or not beats_own_rate(examination)


def _first(examination: Examination, thresholds: Thresholds, asked: Sequence[Ask]) -> Cause | None:
    for ask in asked:
        found = ask(examination, thresholds)
        if found is not None:
            return found
    return None


def constant_cause(examination: Examination, thresholds: Thresholds) -> Cause | None:  # noqa: ARG001 - all causes have it
    """Inputs none of which ever changes, as those of a single row: there is nothing to tell rows apart by."""
    inputs = examination.inputs
    if inputs is None or not 0 < len(inputs.names) == len(inputs.constant):
        return None
    text = "no input ever changes, so every row looks the same to the network"
    return Cause("constant", text, [Remedy("inputs that differ from row to row", {})])


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


def target_cause(examination: Examination, thresholds: Thresholds) -> Cause | None:
    """Numbers that are learned as they are, far from the size of what a network begins with."""
    if not unscaled_target(examination, thresholds):
        return None
    text = "the target is not scaled, while initial weights and rates are made for a deviation of 1"
    return Cause("target", text, [Remedy("standardize the target", {})])


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


_SURE = (constant_cause, inputs_cause, target_cause, weights_cause)  # which no setting of the training brings about


def fitting_weights(examination: Examination) -> Remedy:
    """To begin with weights that fit the units."""
    return change(examination, "the initializer that fits the units", initializer=None)


def penalty_cause(examination: Examination, thresholds: Thresholds) -> Cause | None:
    """Penalties that pull harder than the data: forgetting. The one that pulls hardest is to blame."""
    shrunk, pulls = shrinkage(examination), penalty_pulls(examination)
    if not (sum(pulls.values()) > thresholds.pull and shrunk < thresholds.shrunk):
        return None
    if not end_loss(examination) > thresholds.kept * knowing_nothing(examination):
        return None
    name = max(pulls, key=pulls.__getitem__)
    strength = setting(examination, name)
    times = f"{significant(pulls[name])} times as hard as the data pull in the first step"
    text = f"{name}={strength:g} pulls the weights towards zero, {times}"
    weaker = [float(f"{own:.2g}") for own in _weaker(strength, USUAL[name])]
    return Cause(name, text, [change(examination, f"a weaker penalty: {name}={own:g}", **{name: own})
                              for own in weaker])  # fmt: skip


def _weaker(strength: float, usual: float) -> list[float]:
    """Penalties to try instead of one that is too strong: down to the usual one.

    >>> _weaker(5.0, 1e-4), _weaker(2e-4, 1e-4), _weaker(1.0, 0.0)
    ([0.5, 0.05, 0.005, 0.0001], [2e-05, 0.0001], [0.1, 0.01, 0.001, 0.0])
    """
    steps = [strength * factor for factor in (0.1, 0.01, 0.001) if strength * factor > usual]
    return [*(steps or [0.1 * strength]), usual] if strength > usual else [0.1 * strength]


def handicap(examination: Examination, thresholds: Thresholds) -> Cause | None:
    """What makes training hard whatever the rate is: inputs, initial weights, a penalty, slopes that fade."""
    return _first(examination, thresholds, (*_SURE, penalty_cause, fading_cause))


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
    moved, named = largest_step(examination, thresholds), named_rate(examination)
    if moved > thresholds.ratio_large:
        text = f"""{named} is likely too high (the first step changed {moved_text(moved, "a layer's")})"""
    elif examination.rates is not None and swept_too_high(examination, thresholds):
        most = significant(examination.rates.largest)
        text = f"{named} is likely too high (in a trial of rates none above {most} learned)"
    else:
        return None
    return Cause("rate", text, lower_rate(examination, thresholds))


def low_rate_cause(examination: Examination, thresholds: Thresholds) -> Cause | None:
    """A rate that is too low: steps change next to nothing, or it is below all that learn in a trial."""
    creeps = swept_too_low(examination) and slow(examination, thresholds)
    if not (creeps or low_rate(examination, thresholds) > 0):
        return None
    return Cause("low rate", f"{named_rate(examination)} is likely too low", higher_rate(examination, thresholds))
