"""Rules on the course of training: steps, divergence, forgetting, standing still, over-fitting."""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from kilonet.diagnostics.causes import (
    Cause,
    cause_of,
    grave,
    handicap,
    inputs_cause,
    penalty_cause,
    root_cause,
    stuck_cause,
    weights_cause,
)
from kilonet.diagnostics.changes import change, unset
from kilonet.diagnostics.other_rates import higher_rate, lower_rate
from kilonet.diagnostics.reading import (
    end_loss,
    first,
    first_loss,
    kept_epoch,
    knowing_nothing,
    largest_step,
    penalty_pull,
    setting,
    shrinkage,
)
from kilonet.diagnostics.reading_rates import low_rate, named_rate, rate_serves
from kilonet.diagnostics.thresholds import DEFAULT, Thresholds
from kilonet.diagnostics.words import moved_text, of_nothing, share_text
from kilonet.findings import Examination, Finding, GapFacts, Remedy
from kilonet.numerals import count, figure, significant

Floats = NDArray[np.float64]

_FEWEST = 10  # rows held out: fewer differ by luck
_DROPPED = 0.5  # of the hidden outputs: more of them are seldom of use


def steps(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """Steps too large, or too small, for the weights that they change."""
    moved, low = largest_step(examination, thresholds), low_rate(examination, thresholds)
    named = named_rate(examination)
    if moved > thresholds.ratio_warn:
        layer = int(np.nanargmax(first(examination, "update_ratio"))) + 1
        found = inputs_cause(examination, thresholds) or weights_cause(examination, thresholds)
        fine = found is None and rate_serves(examination, thresholds)  # it leapt, and came where it should
        found = found or Cause("rate", f"{named} is likely too high", lower_rate(examination, thresholds))
        fails = moved > thresholds.ratio_fail and grave(examination, found)
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
    remedies = found.remedies or lower_rate(examination, thresholds)
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
    found = stuck_cause(examination, thresholds)
    yield Finding(
        "nothing learned",
        "fail" if found.because else "info",
        f"the training loss is {of_nothing(left)} of knowing nothing",
        found.text,
        found.remedies,
        None,
        {"loss left": left},
        1,
        source=thresholds.source("stuck_warn"),
        because=found.because,
    )


def _watched(examination: Examination) -> Floats:
    """Validation losses up to the epoch that was kept, where training watched them."""
    losses = np.asarray(examination.history.validation_loss, np.float64).reshape(-1)[: kept_epoch(examination)]
    return losses[np.isfinite(losses)]


def _surer_and_wrong(examination: Examination, thresholds: Thresholds) -> bool:
    """Whether the validation loss has grown far above its lowest: wrong answers are given with more certainty."""
    losses = _watched(examination)
    if len(losses) == 0:
        return False
    grown = losses[-1] > thresholds.grown * losses.min()
    return bool(grown and losses[-1] - losses.min() > thresholds.grown_share * knowing_nothing(examination))


def _by_heart(examination: Examination, facts: GapFacts, thresholds: Thresholds) -> bool:
    """Whether training rows can have been learned by heart: not where hardly anything was learned of them.

    Where a root cause is known, and much of them was not learned, that cause is what is wrong.
    """
    baseline = 0.0 if examination.task == "regression" else _most_frequent(examination)
    left = (1 - facts.training) / (1 - baseline) if baseline < 1 else math.nan
    hindered = left > thresholds.unlearned and root_cause(examination, thresholds) is not None
    return not (left > thresholds.stuck_warn or hindered)


def _most_frequent(examination: Examination) -> float:
    """The accuracy of the most frequent class, NaN where that is not known."""
    if examination.task != "classification" or examination.target is None:
        return math.nan
    rows = list(examination.target.classes.values())
    return max(rows) / sum(rows) if sum(rows) else math.nan


def gap(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """Over-fitting: training rows are known better than others, and ever more so."""
    facts = examination.gap
    if facts is None or (facts.rows is not None and facts.rows < _FEWEST):
        return
    bound = "gap_high_warn" if facts.training > thresholds.gap_from else "gap_warn"
    scores = facts.training - facts.held_out > getattr(thresholds, bound) and facts.low > 0
    kept = kept_epoch(examination)
    rising = max(0, facts.rising - (len(examination.history) - kept))  # the patience is not what was kept
    watched = bool(np.isfinite(examination.history.validation_loss).any())  # else the scores are all there is
    if watched and not (rising >= thresholds.rising and (scores or _surer_and_wrong(examination, thresholds))):
        return
    if not (watched or scores) or not _by_heart(examination, facts, thresholds):
        return
    yield Finding(
        "over-fitting",
        "warn",
        _apart_text(examination, facts, scores, rising),
        "training rows were learned by heart, their noise too: the network is large for them, or trained too long",
        _less_by_heart(examination),
        None,
        {"training": facts.training, "held out": facts.held_out, "low": facts.low, "high": facts.high,
         "epochs rising": rising},
        max(kept - rising, 0) if watched else 0,
        source=thresholds.source(bound if scores else "grown"),
        because="over-fitting",
    )  # fmt: skip


def _apart_text(examination: Examination, facts: GapFacts, scores: bool, rising: int) -> str:
    """How far training and held-out rows are apart: by their scores where these say it, else by the losses."""
    named = "R²" if examination.task == "regression" else "accuracy"
    ends = f"{named} is {figure(facts.training)} on training rows and {figure(facts.held_out)} on held-out ones"
    losses = _watched(examination)
    if not scores:
        grown = f"the validation loss grew from {significant(losses.min())} to {significant(losses[-1])}"
        return f"{grown} in {count(rising, 'epoch')}, while {ends}"
    ago = f", and the validation loss was lowest {count(rising, 'epoch')} ago" if len(losses) else ""
    return f"{ends} (apart by {significant(facts.low)} to {significant(facts.high)}){ago}"


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
