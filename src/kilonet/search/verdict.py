"""From outcomes to evidence: architectures at their best, tests between them, and what it all means in words."""

import math
import statistics
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kilonet.comparison import ENOUGH, corrected_t
from kilonet.evidence import ArchitectureRecord, Nested, SearchRecord
from kilonet.numerals import capital, count, listed, p_text, significant, span, times
from kilonet.telling import (
    by_loss,
    called,
    floor,
    half_width,
    judged_by,
    leading,
    losses_of,
    plus_minus,
    scarce,
    score_spread,
    score_text,
    score_value,
    with_rmse,
)

Floats = NDArray[np.float64]
_ALPHA = 0.05
_FEWEST = 3  # splits of a comparison that is only told in passing


def interval(values: Floats, test_to_train: float) -> tuple[float, float]:
    """The 95% interval of a mean over splits that share rows."""
    if not np.isfinite(values).all():
        return math.nan, math.nan
    around = corrected_t(values - values.mean(), test_to_train)
    return float(values.mean() + around.low), float(values.mean() + around.high)


def seed_spread(table: Floats) -> float:
    """Standard deviation over seeds (splits, seeds), of which the mean square over splits is taken."""
    return float(np.sqrt(np.mean(table.var(axis=1, ddof=1)))) if table.shape[1] > 1 else math.nan


def sentences(record: SearchRecord) -> list[str]:
    """The verdict, one thought a sentence."""
    said = [_use(record), _others(record), _luck(record), _held(record), _worth(record), _scarce(record)]
    return [sentence for sentence in said if sentence]


def _use(record: SearchRecord) -> str:
    choice, best = record.choice, record.best
    seeds, splits = len(best.losses[0]), len(record.splits)
    half, score = half_width(choice), score_text(record, choice.score)
    if by_loss(record):
        loss = plus_minus(f"validation loss {significant(choice.loss, 3)}", significant(half), half)
        judged = f"{loss}, {score}{with_rmse(record, losses_of(record, choice))}"
    else:
        judged = f"held-out {plus_minus(score, score_spread(record, half), half)}"
    name = f"{called(choice)}{f' ({best.settings})' if best.settings else ''}"
    return f"Use {name}: {judged} ({count(seeds, 'seed')}, {count(splits, 'split')})."


def _others(record: SearchRecord) -> str:
    """Everybody else against the lowest loss, to which all tests refer."""
    choice, best = record.choice, record.architectures[record.reference]
    others = [a for a in record.architectures if a.number not in (choice.number, best.number)]
    sound = [a for a in others if a.verdict != "diverged"]
    parts = []
    if best is not choice:
        by = f"{significant(choice.difference)}{_told(record, choice)}"
        parts.append(f"{called(best)} has {leading(record)}, by {by}, at {_size(best, choice)}")
    if len(record.splits) < ENOUGH:
        parts += [f"{called(a)} lost {significant(a.difference)} more" for a in sound]
    else:
        ties = [a for a in sound if a.verdict == "tie"]
        unsure = [a for a in ties if _may_lose(record, a)]
        parts += [_ties(record, own) for own in ([a for a in ties if a not in unsure], unsure) if own]
        parts += [
            f"{called(a)} loses {significant(a.difference)}{_told(record, a)}" for a in sound if a.verdict == "worse"
        ]
    parts += [f"{called(a)} diverged in {count(a.diverged, 'run')}" for a in others if a.verdict == "diverged"]
    text = "; ".join(parts)
    said = f"{capital(text)}." if text else ""
    if len(record.splits) < ENOUGH:
        said += f" With {count(len(record.splits), 'split')} nothing can be told apart for sure: that takes {ENOUGH}."
    return said.strip()


def _told(record: SearchRecord, architecture: ArchitectureRecord) -> str:
    """The p-value, where there are splits enough for it to mean something."""
    return f" ({p_text(architecture.adjusted_p)})" if len(record.splits) >= ENOUGH else ""


def _ties(record: SearchRecord, alike: Sequence[ArchitectureRecord]) -> str:
    """Those that tie and are not chosen for the same reason."""
    own = sorted(alike, key=lambda a: a.n_parameters)
    sizes = list(dict.fromkeys(_size(a, record.choice) for a in (own[0], own[-1])))
    ratio = f"{sizes[0].partition(' ')[0]} to {sizes[1]}" if len(sizes) > 1 else sizes[0]
    likely = p_text(min(a.adjusted_p for a in own))
    likely += " or more" if any(p_text(a.adjusted_p) != likely for a in own) else ""
    why = ", but may lose over 2%" if _may_lose(record, own[0]) else ""
    return f"{listed(called(a) for a in own)} {'tie' if len(own) > 1 else 'ties'} ({likely}) at {ratio}{why}"


def _may_lose(record: SearchRecord, other: ArchitectureRecord) -> bool:
    """Whether a tie is smaller than the choice, and not taken since it is not known to lose little."""
    smaller = other.n_parameters < record.choice.n_parameters and other.number != record.reference
    return smaller and record.settings.get("prefer", "smallest") == "smallest"


def _size(other: ArchitectureRecord, choice: ArchitectureRecord) -> str:
    return f"{times(other.n_parameters / choice.n_parameters)} the parameters"


def _luck(record: SearchRecord) -> str:
    """How much the seed matters: to the choice, and where it matters most."""
    known = [a for a in record.architectures if math.isfinite(a.seed_spread)]
    if not math.isfinite(record.choice.seed_spread):
        return ""
    most = max(known, key=lambda a: a.seed_spread)
    said = f"Seed luck: ±{significant(record.choice.seed_spread)} at {called(record.choice)}"
    return f"{said}." if most is record.choice else f"{said}, ±{significant(most.seed_spread)} at {called(most)}."


def _held(record: SearchRecord) -> str:
    """Whether the largest network needs its λ: against the weakest that was tried, all else equal."""
    largest = max(record.architectures, key=lambda a: a.n_parameters)
    if not largest.hidden or not math.isfinite(largest.loss):
        return ""
    best = record.candidates[largest.best]
    rest = {name: value for name, value in best.params.items() if name != "l2"}
    alike = [
        c for c in record.candidates
        if c.architecture == largest.number and c.params == {**rest, "l2": c.params.get("l2")}
    ]  # fmt: skip
    weakest = min(alike, key=lambda c: c.params["l2"]) if "l2" in best.params else best
    if weakest is best:
        return ""
    shared = np.isfinite(weakest.table()[:, 0]) & np.isfinite(best.table()[:, 0])
    if shared.sum() < _FEWEST:
        return ""
    lost = corrected_t(weakest.table()[shared, 0] - best.table()[shared, 0], record.test_to_train)
    learnt = [float(own.table("training_losses")[shared, 0].mean()) for own in (weakest, best)]
    if lost.difference <= 0 or lost.p_value >= _ALPHA or not learnt[0] < learnt[1]:
        return ""
    held = "by λ, not by fewer units" if largest.verdict in ("tie", "best") else "by λ only in part"
    much = f"{significant(lost.difference)} ({p_text(lost.p_value)})"
    return f"With λ={weakest.params['l2']:g} {largest.text} would lose {much}: over-fitting is held {held}."


def _worth(record: SearchRecord) -> str:
    nested = record.nested
    if nested is None:
        why = f" ({record.no_nested})" if record.no_nested else ""
        return (
            f"There is no nested estimate{why}, so the winner's own figures are a little too good.{_no_better(record)}"
        )
    text = (
        f"On rows that neither training nor the choice has seen: {score_text(record, nested.score)}"
        f"{_bounds(record, nested)}{with_rmse(record, nested.losses)}{_loss_too(record, nested.loss)} "
        f"(nested, {count(len(nested.losses), 'fold')}).{_no_better(record)}"
    )
    others = [name for name in nested.networks if name != record.choice.text]
    if 2 * len(others) > len(nested.networks):
        named = listed(dict.fromkeys(others))
        text += f" In {len(others)} of {len(nested.networks)} folds the choice was another: {named}."
    return text


def _bounds(record: SearchRecord, nested: Nested) -> str:
    """The interval of the score; nothing where one fold alone tells none."""
    if not math.isfinite(nested.score_high - nested.score_low):
        return ""
    return f" ({score_value(record, nested.score_low)} to {score_value(record, nested.score_high)})"


def _no_better(record: SearchRecord) -> str:
    """That what looks at no column may be as good."""
    base = record.baselines[0] if record.baselines else {"score": None}
    if base["score"] is None or not base["score"] >= floor(record):
        return ""
    return (
        f" Always answering the {base['name']} gives {score_text(record, base['score'])}: the network may be no better."
    )


def _scarce(record: SearchRecord) -> str:
    """That there are few rows, and which differences they cannot show."""
    if not scarce(record):
        return ""
    rows, held = record.data["rows"], [split["test"] for split in record.splits]
    return (
        f"{count(rows, 'row')} are few: each split is judged by {span(min(held), max(held))} of them"
        f"{_hidden(record)}. Another {rows} may well lead to another choice."
    )


def _hidden(record: SearchRecord) -> str:
    """Which differences are too small to be seen: half an interval of one, in the middle of all."""
    best = record.architectures[record.reference]
    halves = [(a.high - a.low) / 2 for a in record.architectures if a.number != best.number]
    known = [half for half in halves if math.isfinite(half)]
    if not known or len(record.splits) < ENOUGH:
        return ""
    least = statistics.median(known)
    share = f" ({least / best.loss:.0%} of it)" if by_loss(record) and best.loss > 0 else ""
    much = significant(least) if by_loss(record) else score_spread(record, least)
    return f", and differences of the {judged_by(record)} below about {much}{share} cannot be told from luck"


def _loss_too(record: SearchRecord, loss: float) -> str:
    """The loss beside the score; a score by which candidates were judged is not told twice."""
    return f", loss {significant(loss, 3)}" if by_loss(record) else ""
