"""The tables of the page: architectures, rows to learn from, classes."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from kilonet.comparison import ENOUGH
from kilonet.evidence import ArchitectureRecord, SearchRecord
from kilonet.numerals import count, p_text
from kilonet.report import words
from kilonet.report.blocks import Section, Table, Text
from kilonet.report.words import UNKNOWN, clean, decimals, fixed, named, number, score, short
from kilonet.telling import half_width, loss_name, number_of, plus_minus, rmse_of, rmse_of_mean, scarce

EQUAL = 0.02  # of the lowest loss: what a smaller network may lose. The search has the number; a test keeps them equal.
_UNSURE = f"Tie and smaller, but may lose over {EQUAL:.0%}"


def architectures(record: SearchRecord) -> Section:
    """Every architecture at its own best settings, the best first."""
    shown = sorted(record.architectures, key=lambda own: (math.isnan(own.loss), own.loss, own.n_parameters))
    loss, reference = clean(loss_name(record)), record.architectures[record.reference]
    places = decimals((own.high - own.low) / 2 for own in shown)
    off = math.isfinite(rmse_of(record, record.choice))
    head = [
        "Architecture", "Verdict", "Parameters", "Best settings", _capital(loss),
        _headed(record.metric["score"]), *(["RMSE"] if off else []), f"Against {clean(reference.text)}", "p, adjusted",
        "Seed luck", "Training, s a run", "Prediction, µs a row",
    ]  # fmt: skip
    rows = [
        [
            f"✓ {clean(own.text)}" if own.number == record.chosen else clean(own.text),
            verdict(record, own), f"{own.n_parameters:,}", _settings(record, own), _loss(own, places),
            score(record.metric["score"], own.score), *([number(rmse_of(record, own))] if off else []),
            _difference(record, own, places),
            p_text(own.adjusted_p) if own.number != record.reference and _enough(record) else UNKNOWN,
            f"±{number(own.seed_spread, 2)}" if math.isfinite(own.seed_spread) else UNKNOWN,
            number(own.training_seconds, 2), number(own.microseconds_a_row, 2),
        ]
        for own in shown
    ]  # fmt: skip
    rows += _baselines(record, len(head), off)
    place = [own.number for own in shown].index(record.chosen)
    caption = (
        f"Networks at their own best settings, the lowest {loss} first; ✓ is the choice. ± is half the 95% interval of "
        f"the mean. Against {clean(reference.text)}: difference of the {loss}, and its 95% interval."
        f"{_units(record, off)}"
    )
    return Section("The networks that competed", [Text(_explained(record)), Table(caption, head, rows, marked=place)])


def _enough(record: SearchRecord) -> bool:
    """Whether there are splits enough for a p-value to mean something."""
    return len(record.splits) >= ENOUGH


def _units(record: SearchRecord, off: bool) -> str:
    """What the loss is measured in, and what says it in the units of the target; off: whether that is known."""
    unit = record.metric["unit"] if record.metric["name"] == "loss" else ""
    said = f" Loss is in {clean(unit)}." if unit else ""
    return said + (f" RMSE is the root mean squared error, in units of {target_name(record)}." if off else "")


def target_name(record: SearchRecord) -> str:
    """What the target is called in a sentence."""
    return named(record.data["target"]) if record.data.get("target") else "the target"


def _capital(text: str) -> str:
    """With a capital letter, where it is no name that has none."""
    return text.capitalize() if text.isalpha() else text


def _headed(name: str) -> str:
    """The name of a score at the head of a column."""
    return "Accuracy" if name == "accuracy" else clean(name)


def _explained(record: SearchRecord) -> str:
    asked = (
        f"the smallest network whose loss is at most {EQUAL:.0%} higher than the lowest, even if the true difference "
        "is a standard error larger than the measured one"
    )
    rule = "the network with the lowest loss" if record.settings.get("prefer") == "best" else asked
    likely = (
        "p is adjusted for all of them, and below 0.05 it says that two networks differ"
        if _enough(record)
        else f"with less than {ENOUGH} splits no p is told, and no two networks are said to differ"
    )
    return (
        f"Loss is an error on held-out rows: lower is better. The choice is {rule}. Losses vary with the rows that are "
        "held out, but all networks saw the same ones, so their differences are known better than the losses. The "
        f"interval of a difference is for that comparison alone; {likely}."
    )


def verdict(record: SearchRecord, own: ArchitectureRecord) -> str:
    """What the tests say of an architecture, and why it was chosen or not, in a few words."""
    chosen, reference = own.number == record.chosen, own.number == record.reference
    if own.verdict == "diverged":
        return f"{'Chosen, but d' if chosen else 'D'}iverged in {count(own.diverged, 'run')}: not compared"
    if chosen:
        return "Chosen: lowest loss" if reference else f"Chosen: smallest within {EQUAL:.0%}"
    if reference:
        return "Lowest loss, but larger" if own.n_parameters > record.choice.n_parameters else "Lowest loss"
    return _tie(record, own) if own.verdict == "tie" else clean(own.verdict).capitalize()


def _tie(record: SearchRecord, own: ArchitectureRecord) -> str:
    """A tie that was not chosen, and why."""
    size, chosen = own.n_parameters, record.choice.n_parameters
    if size >= chosen:
        return "Tie, but larger" if size > chosen else "Tie"
    if record.settings.get("prefer") == "best":
        return "Tie and smaller"
    best = record.architectures[record.reference].loss
    higher = (own.loss - best) / abs(best) if best else 0.0
    text = f"{higher:.1%}" if higher < 0.1 else f"{higher:.0%}"
    return f"Tie and smaller, but loss {text} higher" if higher > EQUAL else _UNSURE


def _settings(record: SearchRecord, own: ArchitectureRecord) -> str:
    return clean(record.candidates[own.best].settings) or UNKNOWN


def _loss(own: ArchitectureRecord, places: int | None) -> str:
    half = half_width(own)
    return plus_minus(fixed(own.loss, places), number(half, 2), half)


def _difference(record: SearchRecord, own: ArchitectureRecord, places: int | None) -> str:
    if own.number == record.reference:
        return "reference"
    if not math.isfinite(own.difference):
        return UNKNOWN
    return f"{fixed(own.difference, places, sign=True)} ({fixed(own.low, places)} to {fixed(own.high, places)})"


def _baselines(record: SearchRecord, width: int, off: bool) -> Iterator[list[str]]:
    """What looks at no column, in the same columns; off: whether one is the error in units of the target."""
    for base in record.baselines:
        loss, own = (number_of(base[name]) for name in ("loss", "score"))
        cells = ["Looks at no column", UNKNOWN, UNKNOWN, number(loss), score(record.metric["score"], own)]
        cells += [number(rmse_of_mean(record))] if off else []
        yield [clean(base["name"]), *cells, *[UNKNOWN] * (width - 1 - len(cells))]


def learning(record: SearchRecord) -> list[Section]:
    """The choice with fewer rows to learn from."""
    found = [own for own in record.learning if own["loss"] is not None and math.isfinite(own["loss"])]
    if len(found) < 2:
        return []
    name, (before, last) = record.metric["score"], found[-2:]
    head = ["Training rows", f"{_capital(clean(loss_name(record)))} ± deviation", f"{_headed(name)} ± deviation"]
    places = decimals(number_of(own["loss_std"]) for own in found)
    rows = [
        [
            f"{own['rows']:,.0f}",
            plus_minus(fixed(own["loss"], places), fixed(loss_std, places), loss_std),
            plus_minus(score(name, number_of(own["score"])), _deviation(name, score_std), score_std),
        ]
        for own in found
        for loss_std, score_std in [(number_of(own["loss_std"]), number_of(own["score_std"]))]
    ]
    sure = " With so few rows neither can be told for sure." if scarce(record) else ""
    told = (
        f"With {before['rows']:,.0f} rows to learn from instead of {last['rows']:,.0f}, the choice’s loss was "
        f"{fixed(before['loss'], places)} instead of {fixed(last['loss'], places)}, one seed. Where it still falls "
        f"from line to line, more rows would help; where it is flat, they would not.{sure}"
    )
    which = "the latest part" if record.settings.get("in_time") else "a part"
    caption = f"The choice with {which} of its training rows; the deviation is over splits."
    return [Section("Would more rows help?", [Text(told), Table(caption, head, rows)])]


def _deviation(name: str, value: float) -> str:
    return f"{100 * value:.1f}%" if name == "accuracy" else number(value, 2)


def errors(record: SearchRecord) -> list[Section]:
    """Which classes are mistaken for which, or how far predicted numbers are off."""
    found = record.predictions
    if found.get("confusion"):
        return [_classes(found["classes"], np.array(found["confusion"], dtype=np.int64))]
    if not found.get("errors"):
        return []
    off = found["errors"]
    half, most = number(off["half"]), number(off["most"])
    units = f", in units of {target_name(record)}"
    return [Section("How far off it is", [Text(
        f"Of {count(off['rows'], 'held-out row')}, half were predicted to within {half} of the true value, nine of ten "
        f"to within {most}{units}."
    )])]  # fmt: skip


def _classes(names: Sequence[str], table: NDArray[np.int64]) -> Section:
    rows = []
    for place, name in enumerate(names):
        own, wrong = table[place], table[place].copy()
        wrong[place] = 0
        worst = int(wrong.argmax())
        often = f"{words.apart(names[worst])} ({count(int(wrong[worst]), 'row')})" if wrong[worst] else UNKNOWN
        found, said = (f"{share:.0%}" if math.isfinite(share) else UNKNOWN for share in
                       (_share(own[place], own.sum()), _share(own[place], table[:, place].sum())))  # fmt: skip
        rows.append([short(name), f"{own.sum():,}", found, said, often])
    head = ["Class", "Held-out rows", "Found", "Right when named", "Most often taken for"]
    right = f"{int(np.trace(table)):,} of {count(int(table.sum()), 'held-out row')} were classified right, one seed."
    caption = "Every class on held-out rows."
    return Section("What it mixes up", [Text(right), Table(caption, head, rows, names=True)])


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def grid_values(values: Sequence[float]) -> str:
    """Values of a setting that were tried."""
    return ", ".join(words.setting(value) for value in values) or "not varied"
