"""The page about a network that tuned itself, made from its record and from nothing else."""

import math
import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kilonet.comparison import ENOUGH
from kilonet.errors import SettingError
from kilonet.numerals import count, p_text, percent, significant
from kilonet.persistence.atomic import replace_file
from kilonet.report import page, text
from kilonet.report.blocks import Figure, Page, Section, Table, Text
from kilonet.report.pictures import drawn
from kilonet.report.words import UNKNOWN, clean
from kilonet.tuned.record import Configuration, TunedRecord

_P = 5  # the column of p-values, for which there are splits enough, or not


def write(record: TunedRecord, path: str | os.PathLike[str]) -> Path:
    """Write the page, or the record itself, in one step; gives the path of the file.

    The path's ending decides: .html with pictures where matplotlib is installed, .md, or .json for the record. Raises
    SettingError for another ending, and OSError where the file cannot be written; the old file is then untouched.
    """
    makers: dict[str, Callable[[TunedRecord], str]] = {
        ".html": lambda own: page.written(page_of(own), pictures(own)),
        ".md": lambda own: text.written(page_of(own)),
        ".json": TunedRecord.to_json,
    }
    kind = Path(path).suffix.lower()
    if kind not in makers:
        raise SettingError(f"the report came as {os.fspath(path)!r}; needs a name that ends in .html, .md or .json.")
    return replace_file(path, makers[kind](record).encode("utf-8"))


def page_of(record: TunedRecord) -> Page:
    """Everything that a page says, in its order."""
    first, *rest = record.sentences
    headline = "A network that tuned itself"
    return Page(
        title=headline,
        headline=headline,
        lead=clean(first),
        verdict=[clean(sentence) for sentence in rest],
        sections=[_configurations(record)],
        more=[_meaning(record)],
    )


def pictures(record: TunedRecord) -> Sequence[Figure]:
    """How sure the model is, which classes it takes for which, how far off it is; none without matplotlib."""
    if find_spec("matplotlib") is None:
        return []
    from kilonet.plots import ConfusionDisplay, ReliabilityDisplay, ResidualsDisplay  # noqa: PLC0415 - an extra

    kinds: tuple[Any, ...] = (ReliabilityDisplay, ConfusionDisplay, ResidualsDisplay)
    return drawn([kind.from_record(record) for kind in kinds if not kind.lack(record)])


def _configurations(record: TunedRecord) -> Section:
    """The model, every configuration, the best first, and what looks at no column."""
    shown = sorted(record.configurations, key=lambda own: (math.isnan(own.loss), own.loss))
    score = "Accuracy" if record.task == "classification" else "R²"
    head = ["Configuration", "Verdict", "Loss", score, "Against the best", "p, adjusted", "Share of the model"]
    rows = [
        _alone(record, "the model", record.loss, record.score, percent(1.0)),
        *([clean(own.text), _verdict(record, own), *_numbers(record, own)] for own in shown),
        _alone(record, "no column", record.baseline_loss, record.baseline_score, UNKNOWN),
    ]
    if all(row[_P] == UNKNOWN for row in rows):
        head, *rows = ([*row[:_P], *row[_P + 1 :]] for row in (head, *rows))
    caption = (
        "The model, which is the weighted mean of those with a share, after its temperature; and configurations by the "
        "loss of their out-of-fold predictions, the lowest first. Against the best: difference of the mean losses of "
        "their networks, and its 95% interval."
    )
    return Section("What was tried", [Table(caption, head, rows, marked=0)])


def _alone(record: TunedRecord, name: str, loss: float, score: float, share: str) -> list[str]:
    """A row of what is no configuration."""
    return [name, UNKNOWN, significant(loss, 3), _score(record, score), UNKNOWN, UNKNOWN, share]


def _verdict(record: TunedRecord, own: Configuration) -> str:
    """The verdict; of a configuration that was dropped, after how many folds that was."""
    known = sum(math.isfinite(loss) for loss in own.losses)
    noun = "fold" if " fold" in record.folds else "split"
    return f"{own.verdict} after {count(known, noun)}" if own.verdict == "dropped" else own.verdict


def _numbers(record: TunedRecord, own: Configuration) -> list[str]:
    known = math.isfinite(own.loss)
    best = own.verdict == "best"
    against = f"{significant(own.difference)} ({significant(own.low)} to {significant(own.high)})"
    return [
        significant(own.loss, 3) if known else UNKNOWN,
        _score(record, own.score) if known else UNKNOWN,
        against if known and not best else UNKNOWN,
        p_text(own.p_value) if known and not best and record.splits >= ENOUGH else UNKNOWN,
        percent(own.weight) if own.weight > 0 else UNKNOWN,
    ]


def _score(record: TunedRecord, value: float) -> str:
    return percent(value) if record.task == "classification" else significant(value, 3)


def _meaning(record: TunedRecord) -> Section:
    """What the figures are of."""
    target = f"{record.classes} classes" if record.classes else "numbers"
    said = (
        f"{count(record.rows, 'row')} of {count(record.inputs, 'input')}, {target}, held out on {record.folds}. What "
        "the networks that had not seen a row say of it is its out-of-fold prediction, and all figures here are of "
        "those. A tie proves no equality."
    )
    return Section("What the figures are of", [Text(said)])
