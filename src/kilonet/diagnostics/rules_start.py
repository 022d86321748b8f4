"""Rules on the start: whether loss and gradients are right, whether a few rows are learned, and how fast to learn."""

import math
from collections.abc import Iterator
from itertools import pairwise

from kilonet.diagnostics.causes import (
    fitting_weights,
    handicap,
    inputs_cause,
    weights_cause,
)
from kilonet.diagnostics.changes import change
from kilonet.diagnostics.other_rates import higher_rate, lower_rate
from kilonet.diagnostics.reading import end_loss, setting, weights_at_start
from kilonet.diagnostics.reading_rates import better_rate, slow, swept_too_high, swept_too_low
from kilonet.diagnostics.thresholds import DEFAULT, Thresholds
from kilonet.findings import Examination, Finding, RateFacts, Remedy
from kilonet.numerals import count, figure, significant

_FEW, _FEWEST_TRIED = 10, 40  # rows; of those that rates are tried with one in four is held out


def start(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """Loss before any step, against that of a network that knows nothing."""
    facts = examination.start
    if facts is None or not facts.expected > 0:
        return
    times = facts.loss / facts.expected
    if examination.task == "regression":
        times = math.sqrt(times)  # of squares
    told = f"the loss before any step is {figure(facts.loss)}, where knowing nothing gives {figure(facts.expected)}"
    evidence = {"loss": facts.loss, "expected": facts.expected}
    few = setting(examination, "n_rows") < _FEW  # which are known by luck
    if times < thresholds.start_low_warn and not few:
        cause = "the network knows before it has learned: it was trained before, or the target is among the inputs"
        yield Finding("loss at the start", "warn", told, cause, evidence=evidence, since=1,
                      source=thresholds.source("start_low_warn"), because="leak")  # fmt: skip
    elif not times <= thresholds.start_warn:
        found = inputs_cause(examination, thresholds) or weights_cause(examination, thresholds)
        yield Finding(
            "loss at the start",
            "fail" if not times <= thresholds.start_fail else "warn",
            told,
            found.text
            if found
            else "the network is sure of what it cannot know: initial weights or inputs are too large",
            found.remedies if found else [fitting_weights(examination)],
            evidence=evidence,
            since=1,
            source=thresholds.source("start_fail" if not times <= thresholds.start_fail else "start_warn"),
            because=found.because if found else "initial weights",
        )


def weights(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """Initial weights of another size than their layers need."""
    sizes, found = weights_at_start(examination), weights_cause(examination, thresholds)
    if found is None:
        return
    large = bool(sizes.max() > thresholds.weights_warn)
    place = int(sizes.argmax() if large else sizes.argmin())
    norm = float(sizes[place] * math.sqrt(examination.layers[place].units))
    yield Finding(
        "initial weights",
        "warn" if large else "info",  # in shallow networks small ones grow
        f"layer {place + 1}: the initial weights have a norm of {figure(norm)}, where "
        f"{'at most ' if large else 'about '}{figure(math.sqrt(2 * examination.layers[place].units))} is usual",
        found.text,
        found.remedies,
        place + 1,
        {"norm": norm, "norm by root of units": float(sizes[place])},
        since=1,
        source=thresholds.source("weights_warn" if large else "weights_low"),
        because=found.because,
    )


def small(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """A few rows that the network cannot learn by heart."""
    facts = examination.small
    numbers = examination.task == "regression"
    if facts is None:
        return
    if facts.score >= thresholds.small_score if numbers else facts.score == 1 and facts.loss < thresholds.small_loss:
        return
    tiny, n_inputs = _is_tiny(examination, facts.rows), examination.settings.get("n_inputs")
    found = handicap(examination, thresholds)
    small_network = f"the network is small ({n_inputs or '?'} inputs): a few rows may be more than it can hold"
    yield Finding(
        "few rows by heart",
        "info" if tiny else "warn" if facts.score == 1 else "fail",
        f"{count(facts.rows, 'row')} are not learned by heart in {count(facts.steps, 'step')}: loss "
        f"{significant(facts.loss)}, {'R²' if examination.task == 'regression' else 'accuracy'} {figure(facts.score)}",
        small_network if tiny else found.text if found else
        "no rate is the right one for so few rows: the network cannot move, or what it is told contradicts itself",
        () if tiny or found is None else found.remedies,
        evidence={"loss": facts.loss, "score": facts.score, "rows": facts.rows, "steps": facts.steps},
        since=1,
        source=thresholds.source("small_score" if numbers else "small_loss"),
        because="capacity" if tiny or found is None else found.because,
    )  # fmt: skip


def _is_tiny(examination: Examination, rows: int) -> bool:
    """Whether the network has too few parameters to be sure that it can hold so many rows."""
    sizes = [int(examination.settings.get("n_inputs") or 0), *(layer.units for layer in examination.layers)]
    weights = sum(before * after for before, after in pairwise(sizes))
    return len(examination.layers) < 2 or weights < 10 * rows * sizes[-1] or min(sizes[1:-1]) < 8


def gradients_right(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """Gradients that differ from numeric ones."""
    error = examination.gradient_error
    if error is None or error <= thresholds.gradient_warn:
        return
    fails = not error <= thresholds.gradient_fail
    yield Finding(
        "gradient check",
        "fail" if fails else "warn",
        f"gradients differ from numeric ones by {error:.2g} of their size",
        "an activation or a loss of your own has a slope that does not belong to its value",
        [Remedy("compare the formula of the slope with the value, one unit at a time", {})],
        evidence={"relative error": error},
        source=thresholds.source("gradient_fail" if fails else "gradient_warn"),
        because="gradient",
    )


def rate(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """A rate that is not among those that learn in a trial, or far behind the fastest of them."""
    rates = examination.rates
    high, low = swept_too_high(examination, thresholds), swept_too_low(examination)
    if rates is None:
        return
    if not (high or low):
        yield from _better_rate(examination, rates, thresholds)
        return
    other = handicap(examination, thresholds)  # a trial under another trouble tells of that trouble
    far = rates.used * thresholds.rate_low_warn < rates.smallest
    crawls = far if math.isnan(end_loss(examination)) else slow(examination, thresholds)
    if not (high or crawls or far):  # a training has more steps than a trial
        return
    remedies = lower_rate(examination, thresholds) if high else higher_rate(examination, thresholds)
    edge = rates.largest if high else rates.smallest
    why = "steps leap over what they should reach" if high else "steps are so small that it takes many more of them"
    yield Finding(
        "rate",
        "warn" if (high or crawls) and other is None else "info",
        f"the rate {rates.used:g} is {'above' if high else 'below'} all that learn in a trial, "
        f"{' to '.join(dict.fromkeys(map(significant, (rates.smallest, rates.largest))))}",
        why if other is None else other.text,
        remedies if other is None else other.remedies,
        evidence={"rate": rates.used, "largest" if high else "smallest": edge},
        since=1,
        source=thresholds.source("rate_warn" if high else "rate_low_warn"),
        because=other.because if other else "rate" if high else "low rate",
    )


def _better_rate(examination: Examination, rates: RateFacts, thresholds: Thresholds) -> Iterator[Finding]:
    """What is worth a try is no alarm: a training that is not done yet learns more in more epochs, too."""
    better, left = better_rate(examination, thresholds), end_loss(examination)
    few = setting(examination, "n_rows") < _FEWEST_TRIED
    if better != better or few or handicap(examination, thresholds) is not None:
        return
    rounded = float(f"{better:.2g}")
    trial = f"in a trial of {count(rates.steps, 'step')}" if rates.steps else "in a trial"
    yield Finding(
        "rate",
        "info",
        f"a rate of {rounded:g} learns more {trial}: it came to a loss of {significant(rates.reached)} on rows held "
        f"out, the training with {rates.used:g} to {significant(left)} on its own",
        "the rate learns, and others learn more in as many steps",
        [change(examination, f"the rate that learned most in the trial: {rounded:g}", rate=rounded)],
        evidence={"rate": rates.used, "fastest": better, "reached": rates.reached, "loss": left},
        source=thresholds.source("swept_below"),
        because="rate" if rates.used > better else "low rate",
    )
