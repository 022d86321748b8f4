"""What stands first on the page: which network, what to expect of it, and how sure that is."""

import math
from collections import Counter
from collections.abc import Sequence

from kilonet.comparison import ENOUGH
from kilonet.evidence import Nested, SearchRecord
from kilonet.numerals import count, listed
from kilonet.report.blocks import Items, Pairs, Section
from kilonet.report.tables import target_name
from kilonet.report.words import between, clean, number, score, sentence, short
from kilonet.telling import floor, loss_name, losses_of, number_of, rmse, rmse_of_mean, with_rmse


def headline(record: SearchRecord) -> str:
    """The choice as an order that anyone can follow."""
    choice = record.choice
    if not choice.hidden:
        return "Use a network without hidden layers"
    units = [layer for layer in choice.hidden if isinstance(layer, int)]
    if len(units) < len(choice.hidden):
        return f"Use the network {clean(choice.text)}"
    activation = clean(choice.activation)
    if len(units) == 1:
        return f"Use one hidden layer of {count(units[0], 'unit')} ({activation})"
    own = [f"{n:,}" for n in units]
    each = f"{own[0]} units each" if len(set(own)) == 1 else f"{listed(own)} units"
    return f"Use {count(len(own), 'hidden layer')} of {each} ({activation})"


def lead(record: SearchRecord) -> str:
    """What to expect on new rows, and what there was without a network."""
    name, nested = record.metric["score"], record.nested
    beside = _beside(record)
    if nested is None:
        own = _expected(name, record.choice.score, "it was measured at")
        off = _off(record, losses_of(record, record.choice))
        return f"On held-out rows {own}{off}. That is a little too good: the choice was made by the same rows.{beside}"
    own, off = _expected(name, nested.score, "expect"), _off(record, nested.losses)
    return f"On rows it has never seen, {own}{_bounds(record, nested, '95% interval ')}{off}.{beside}"


def _bounds(record: SearchRecord, nested: Nested, what: str = "") -> str:
    """The interval of the score; nothing where one fold alone tells none."""
    if not math.isfinite(nested.score_high - nested.score_low):
        return ""
    low, high = (score(record.metric["score"], value) for value in (nested.score_low, nested.score_high))
    return f" ({what}{low} to {high})"


def _off(record: SearchRecord, losses: Sequence[float]) -> str:
    """How far off that is, in units of the target; empty where it is not known."""
    value, units = rmse(record, losses), target_name(record)
    return f", off by {number(value)} (root mean squared error, in units of {units})" if math.isfinite(value) else ""


def _expected(name: str, value: float, verb: str) -> str:
    text = score(name, value)
    if name == "accuracy":
        return f"{verb} {text} right answers"
    if name == "R²" and 0 < value < 1:
        return f"{verb} R² {text}: about {value:.0%} of the target’s variance explained"
    return f"{verb} {clean(name)} {text}"


def _beside(record: SearchRecord) -> str:
    """What can be had without looking at any column."""
    name, found = record.metric["score"], record.baselines
    if not found or not _known(found[0]["score"]):
        return ""
    own, off = score(name, found[0]["score"]), rmse_of_mean(record)
    value = own if found[0]["name"] == "most frequent class" else f"{clean(name)} {own}"
    too = f" and is off by about {number(off)}" if math.isfinite(off) else ""
    no_worse = ", and the network may be no better" if found[0]["score"] >= floor(record) else ""
    return f" Always answering the {clean(found[0]['name'])} gives {value}{too}{no_worse}."


def sureness(record: SearchRecord) -> Section:
    """How much the evidence holds."""
    pairs = [*_new_rows(record), ("Splits", _splits(record)), ("Seeds", _seeds(record)), *_without(record)]
    error = record.predictions.get("calibration_error")
    if error is not None:
        gap = f"{100 * error:.1f} percentage points on average (expected calibration error)"
        pairs.append(("Probabilities", f"How sure it says it is and how often it is right differ by {gap}."))
    return Section("How sure is that?", [Pairs(pairs)])


def _new_rows(record: SearchRecord) -> list[tuple[str, str]]:
    nested, name = record.nested, record.metric["score"]
    if nested is None:
        why = f" ({clean(record.no_nested)})" if record.no_nested else ""
        text = f"No nested estimate was made{why}, so what the choice itself is worth on new rows is not known. "
        return [("On new rows", text + "The figures of the winner are a little too good, because it won by them.")]
    folds = len(nested.losses)
    how = (
        f"the interval takes each of {nested.trials:,} rows as a trial of its own"
        if nested.trials
        else f"the interval is of the mean over {count(folds, 'fold')}"
    )
    worth = sentence(
        f"{clean(name)} {score(name, nested.score)}{_bounds(record, nested)}{with_rmse(record, nested.losses)}, "
        f"{clean(loss_name(record))} {number(nested.loss)}. {count(folds, 'time')} the choice was made again "
        f"without some of the rows, and judged on those (nested); {how}."
    )
    again = listed(f"{short(text)} {count(n, 'time')}" for text, n in Counter(nested.networks).most_common())
    chosen = [("Chosen again", f"Without these rows the choice was {again}.")] if again else []
    return [("On new rows", worth), *chosen]


def _splits(record: SearchRecord) -> str:
    n, how = len(record.splits), record.settings.get("folds", "")
    train, test = (between(split[name] for split in record.splits) for name in ("train", "test"))
    few = (
        f" That is too few to tell networks apart: it takes {ENOUGH}, so every comparison is a tie."
        if n < ENOUGH
        else ""
    )
    all_rows = {split["train"] + split["test"] for split in record.splits} == {record.data.get("rows")}
    later = "later ones" if record.settings.get("in_time") else "others"
    others = f"the {test} others" if all_rows else f"{test} {later}"
    return f"{n}{f' ({clean(how)})' if how else ''}: trained on {train} rows, judged on {others}.{few}"


def _seeds(record: SearchRecord) -> str:
    seeds, orders = len(record.best.losses[0]), record.settings.get("orders", 0)
    spread = record.choice.seed_spread
    own = f"{seeds} for each network and split"
    own += f", with {count(orders, 'order')} of the rows" if orders and seeds > 1 else ""
    if not math.isfinite(spread):
        return f"{own}: how much is luck of the start is not known."
    return f"{own}. Luck of the start moves the loss of the choice by ±{number(spread, 2)}."


def _without(record: SearchRecord) -> list[tuple[str, str]]:
    name, loss, found = record.metric["score"], clean(loss_name(record)), []
    for own in record.baselines:
        said = [f"{loss} {number(own['loss'])}"] if _known(own["loss"]) else []
        said += [f"{clean(name)} {score(name, own['score'])}"] if _known(own["score"]) else []
        if said:
            found.append(("Without a network", sentence(f"{clean(own['name'])}: {', '.join(said)}")))
    return found


def _known(value: float | None) -> bool:
    return math.isfinite(number_of(value))


def notes(record: SearchRecord) -> list[Section]:
    """What else should be known, in a box of its own; nothing where there is nothing."""
    own = [sentence(clean(note)) for note in dict.fromkeys(record.notes)]
    return [Section("Worth knowing", [Items(own)], "note")] if own else []
