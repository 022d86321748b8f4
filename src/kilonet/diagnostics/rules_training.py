"""Rules on the course of training: steps, divergence, forgetting, standing still, over-fitting."""

from collections.abc import Iterator

import numpy as np

from kilonet.diagnostics.causes import (
    Cause,
    cause_of,
    fading_cause,
    handicap,
    higher_rate,
    inputs_cause,
    lower_rate,
    penalty_cause,
    weights_cause,
)
from kilonet.diagnostics.changes import change, unset
from kilonet.diagnostics.reading import (
    end_loss,
    first,
    first_loss,
    kept_epoch,
    knowing_nothing,
    largest_step,
    low_rate,
    penalty_pull,
    rate_serves,
    setting,
    shrinkage,
)
from kilonet.diagnostics.thresholds import DEFAULT, Thresholds
from kilonet.diagnostics.words import moved_text, of_nothing, share_text
from kilonet.findings import Examination, Finding, Remedy
from kilonet.numerals import count, figure, significant

_DROPPED = 0.5  # of the hidden outputs: more of them are seldom of use


def steps(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """Steps too large, or too small, for the weights that they change."""
    moved, low = largest_step(examination, thresholds), low_rate(examination, thresholds)
    rate = setting(examination, "rate")
    named = f"the rate {rate:g}" if rate == rate else "the rate"
    if moved > thresholds.ratio_warn:
        layer = int(np.nanargmax(first(examination, "update_ratio"))) + 1
        fails = moved > thresholds.ratio_fail
        found = inputs_cause(examination, thresholds) or weights_cause(examination, thresholds)
        fine = found is None and rate_serves(examination, thresholds)  # it leapt, and came where it should
        found = found or Cause("rate", f"{named} is likely too high", lower_rate(examination))
        yield Finding(
            "steps too large",
            "info" if fine else "fail" if fails else "warn",
            f"layer {layer}: the first step changed {moved_text(moved, 'the')}",
            found.text,
            found.remedies,
            layer,
            {"update ratio": moved},
            1,
            source=thresholds.source("ratio_fail" if fails else "ratio_warn"),
            because=found.because,
        )
    elif low == low:
        other = handicap(examination, thresholds)  # large weights move little in comparison, faded slopes little at all
        found = other or Cause("low rate", f"{named} is likely too low", higher_rate(examination, thresholds))
        left = end_loss(examination) / first_loss(examination)
        yield Finding(
            "steps too small",
            "warn",
            f"early steps changed {low:.1g} of a layer's weights at most, and the loss ended at {share_text(left)} of "
            "what it was at the start",
            found.text,
            found.remedies,
            None,
            {"update ratio": low, "loss left": left},
            1,
            source=thresholds.source("ratio_low"),
            because=found.because,
        )


def divergence(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """A loss that left the finite numbers, or grew a thousandfold."""
    loss = np.asarray(examination.history.loss, np.float64).reshape(-1)
    begin = first_loss(examination)
    begin = begin if begin > 0 else knowing_nothing(examination)
    grown = np.flatnonzero(loss > thresholds.divergence * begin) if begin > 0 else np.zeros(0, np.intp)
    if not examination.diverged and len(grown) == 0:
        return
    epoch = examination.diverged or int(grown[0]) + 1
    told = (
        f"training left the finite numbers in epoch {epoch:,}"
        if examination.diverged
        else f"the loss grew to {significant(loss[grown].max())} in epoch {epoch:,}, from {significant(begin)}"
    )
    found = cause_of(examination, thresholds)
    named = found.because or "rate"
    remedies = found.remedies or lower_rate(examination)
    yield Finding(
        "divergence",
        "fail",
        told,
        found.text if found.because else "steps were too large: the rate is too high for this network and these rows",
        [*remedies, *unset(examination, "bounded weights: max_norm=3", max_norm=3.0)],
        None,
        {"epoch": epoch, "largest loss": float(np.nanmax(loss, initial=0.0))},
        epoch,
        source=thresholds.source("divergence"),
        because=named,
    )


def forgetting(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """Gradual forgetting: a penalty so strong that weights shrink towards 0 while the loss stays high."""
    found = penalty_cause(examination, thresholds)
    if found is None or inputs_cause(examination, thresholds) or weights_cause(examination, thresholds):
        return
    shrunk, left = shrinkage(examination), end_loss(examination) / knowing_nothing(examination)
    yield Finding(
        "forgetting",
        "fail" if left > thresholds.stuck_warn else "warn",
        f"the weights shrank to {share_text(shrunk)} of their start, and the training loss is {share_text(left)} of "
        "that of knowing nothing",
        found.text,
        found.remedies,
        None,
        {"weights left": shrunk, "loss left": left, "pull": penalty_pull(examination)},
        1,
        source=thresholds.source("pull"),
        because=found.because,
    )


def stuck(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """A training loss that is hardly better than that of knowing nothing."""
    left = end_loss(examination) / knowing_nothing(examination)
    if not left > thresholds.stuck_warn:
        return
    found = fading_cause(examination, thresholds) or cause_of(examination, thresholds)
    if not found.because and low_rate(examination, thresholds) > 0:
        found = Cause("low rate", "steps are too small to lead anywhere", higher_rate(examination, thresholds))
    known = bool(found.because)
    yield Finding(
        "nothing learned",
        "fail" if known else "info",
        f"the training loss is {of_nothing(left)} of knowing nothing",
        found.text
        if known
        else "the inputs may tell nothing of the target, or the network or its training is too small",
        found.remedies,
        None,
        {"loss left": left},
        1,
        source=thresholds.source("stuck_warn"),
        because=found.because,
    )


def _surer_and_wrong(examination: Examination, thresholds: Thresholds) -> bool:
    """Whether the validation loss has grown far above its lowest: wrong answers are given with more certainty."""
    losses = np.asarray(examination.history.validation_loss, np.float64).reshape(-1)[: kept_epoch(examination)]
    losses = losses[np.isfinite(losses)]
    if len(losses) == 0:
        return False
    grown = losses[-1] > thresholds.grown * losses.min()
    return bool(grown and losses[-1] - losses.min() > thresholds.grown_share * knowing_nothing(examination))


def gap(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """Over-fitting: training rows are known better than others, and ever more so."""
    facts = examination.gap
    if facts is None:
        return
    bound = "gap_high_warn" if facts.training > thresholds.gap_from else "gap_warn"
    apart = facts.training - facts.held_out
    scores = apart > getattr(thresholds, bound) and facts.low > 0
    kept = kept_epoch(examination)
    rising = max(0, facts.rising - (len(examination.history) - kept))  # the patience is not what was kept
    watched = bool(np.isfinite(examination.history.validation_loss).any())  # else the scores are all there is
    if watched and not (rising >= thresholds.rising and (scores or _surer_and_wrong(examination, thresholds))):
        return
    if not (watched or scores):
        return
    named = "R²" if examination.task == "regression" else "accuracy"
    yield Finding(
        "over-fitting",
        "warn",
        f"{named} is {figure(facts.training)} on training rows and {figure(facts.held_out)} on held-out ones (apart by "
        f"{significant(facts.low)} to {significant(facts.high)})"
        + (f", and the validation loss was lowest {count(rising, 'epoch')} ago" if watched else ""),
        "training rows were learned by heart, their noise too: the network is large for them, or trained too long",
        _less_by_heart(examination),
        None,
        {"training": facts.training, "held out": facts.held_out, "low": facts.low, "high": facts.high,
         "epochs rising": rising},
        max(kept - rising, 0) if watched else 0,
        source=thresholds.source(bound),
        because="over-fitting",
    )  # fmt: skip


def _less_by_heart(examination: Examination) -> list[Remedy]:
    """What keeps a network from learning rows by heart, as far as it is not set already."""
    l2 = setting(examination, "l2")
    stronger = max(10 * l2, 1e-3) if l2 == l2 else 1e-3
    drops = setting(examination, "dropout") >= _DROPPED
    half = [] if drops else [change(examination, "half of the hidden outputs dropped: dropout=0.5", dropout=_DROPPED)]
    return [
        *unset(examination, "stop when held-out rows get no better", early_stopping=True),
        change(examination, f"a stronger penalty: l2={stronger:g}", l2=stronger),
        *half,
        Remedy("more rows, or fewer units", {}),
    ]
