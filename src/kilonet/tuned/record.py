"""What a network that tunes itself found out about its own choice, as data and in words."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from kilonet.errors import FileFormatError
from kilonet.evidence import in_lines, made, or_nan
from kilonet.numerals import count, listed, p_text, percent, significant

VERSION = 1
_NOTABLE = 1.1  # a temperature of numbers that is worth a word
_EVEN = 1e-9  # losses that differ by so little, as a share, are equal
_ASTRAY = 0.5  # of losses: what the mean loses of numbers; the least that is wild where hardly anything is to be lost


@dataclass(frozen=True)
class Configuration:
    """One configuration that was tried.

    losses: of each split, members averaged, NaN where there was no run; loss, score: of the out-of-fold predictions,
    NaN where some splits were left out. difference, low, high, p_value: mean loss of its networks against those of
    the best configuration, its 95% interval, and p adjusted for all pairs. verdict: "best", "worse" by that p, "behind"
    by the interval alone, "tie", "dropped" after the first splits, or "diverged". weight: its share in the model.
    """

    text: str
    params: Mapping[str, Any]
    losses: Sequence[float]
    loss: float
    score: float
    difference: float
    low: float
    high: float
    p_value: float
    verdict: str
    weight: float


@dataclass(frozen=True)
class TunedRecord:
    """All that is known of the choice.

    rows: that have a weight; inputs: numbers that a row becomes; classes: their number, 0 for numbers. loss, score
    with low and high: of the model on rows that its networks had not seen, and the 95% intervals; baseline: loss and
    score of what looks at no column. calibration: temperature of the model, and out_of_fold, where a row is judged by
    fewer networks; of classes also the calibration error out of fold, before and after. predictions: out of fold, as
    a `SearchRecord` has them. networks: trained; runs: the most that there could be, with which the same comes out on
    every machine.
    """

    task: str
    rows: int
    inputs: int
    classes: int
    folds: str
    splits: int
    networks: int
    runs: int
    members: int
    best: int
    configurations: tuple[Configuration, ...]
    loss: float
    loss_low: float
    loss_high: float
    score: float
    score_low: float
    score_high: float
    baseline_loss: float
    baseline_score: float
    calibration: Mapping[str, float]
    notes: Sequence[str]
    predictions: Mapping[str, Any]
    seconds: float
    version: int = VERSION

    @property
    def sentences(self) -> list[str]:
        """The record in words, one thought a sentence."""
        said = [_score(self), worse(self), _chosen(self), _ties(self), _calibrated(self), _effort(self), *self.notes]
        return [sentence for sentence in said if sentence]

    def __str__(self) -> str:
        return "\n".join(self.sentences)

    def to_json(self, *, times: bool = True) -> str:
        """One line of JSON for each part; equal fits give equal texts but for their times."""
        parts = asdict(self) | ({} if times else {"seconds": None})
        return in_lines(parts)

    @classmethod
    def from_json(cls, text: str) -> "TunedRecord":
        """The record that `to_json` wrote. Raises FileFormatError for anything else."""
        try:
            parts = json.loads(text)
            if parts["version"] != VERSION:
                raise FileFormatError(f"the record is of version {parts['version']!r}; this is version {VERSION}.")
            parts["configurations"] = tuple(made(Configuration, each) for each in parts["configurations"])
            parts["calibration"] = {name: or_nan(value) for name, value in parts["calibration"].items()}
            numbers = {field.name for field in fields(cls) if field.type in (float, "float")}
            values: dict[str, Any] = {name: or_nan(own) if name in numbers else own for name, own in parts.items()}
            return cls(**values)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            if isinstance(error, FileFormatError):
                raise
            raise FileFormatError(
                f"this is no record of a tuned network ({error}); give what to_json wrote."
            ) from error


# The words.
def _named(record: TunedRecord, value: float) -> str:
    return percent(value) if record.task == "classification" else significant(value, 3)


def _score(record: TunedRecord) -> str:
    name = "accuracy" if record.task == "classification" else "R²"
    low, high = _named(record, record.score_low), _named(record, record.score_high)
    bounds = f" ({low} to {high})" if math.isfinite(record.score_high - record.score_low) else ""
    base = f"; without looking at any column: {_named(record, record.baseline_score)}"
    unit = "log loss" if record.task == "classification" else "loss"
    return (
        f"Out of fold: {name} {_named(record, record.score)}{bounds}, {unit} {significant(record.loss, 3)}{base}. "
        "The choice was made by the same rows, so this is a little too good."
    )


def worse(record: TunedRecord) -> str:
    """That looking at no column is better out of fold, by the loss; nothing where it is not."""
    if not record.loss > record.baseline_loss * (1 + _EVEN):
        return ""
    return (
        f"Out of fold the model is worse than what looks at no column: loss {significant(record.loss, 3)} against "
        f"{significant(record.baseline_loss, 3)}."
    )


def wild(record: TunedRecord) -> bool:
    """Whether the model is so much worse that training went astray: by as much as looking at no column loses."""
    return record.loss - record.baseline_loss > max(record.baseline_loss, _ASTRAY)


def _chosen(record: TunedRecord) -> str:
    weighted = [own for own in record.configurations if own.weight > 0]
    several = "; ".join(f"{own.text} ({percent(own.weight)})" for own in weighted)
    own = weighted[0].text if len(weighted) == 1 else several
    return f"Chosen of {count(len(record.configurations), 'configuration')}: {own}."


def _ties(record: TunedRecord) -> str:
    ties, behind, worse, lost = (
        [own for own in record.configurations if own.verdict == verdict]
        for verdict in ("tie", "behind", "worse", "diverged")
    )
    said = []
    if ties:
        least = p_text(min(own.p_value for own in ties))
        told = f" ({least}{' or more' if len(ties) > 1 else ''})" if record.splits >= 10 else ""
        said.append(f"Ties{told}: {_some(ties)}")
    if behind:
        said.append(f"Behind, by their 95% intervals: {_some(behind)}")
    if worse:
        said.append(f"Worse: {_some(worse)}")
    if lost:
        said.append(f"Diverged: {_some(lost)}")
    return " ".join(f"{text}." for text in said)


def _some(own: Sequence[Configuration]) -> str:
    named = [each.text for each in own]
    shown = named if len(named) <= 6 else [*named[:5], f"{len(named) - 5} more"]
    return "; ".join(shown) if any(", " in name for name in shown) else listed(shown)


def _calibrated(record: TunedRecord) -> str:
    own = record.calibration["out_of_fold"]
    if record.task == "regression":
        return f"Out of fold predictions were {own:.3g} times too far from the mean." if own > _NOTABLE else ""
    before, after = percent(record.calibration["before"]), percent(record.calibration["after"])
    if own == 1:
        return f"Calibration error: {before}; no temperature made the probabilities better."
    return f"Calibration error: {before}, {after} at temperature {own:.3g}."


def _effort(record: TunedRecord) -> str:
    alike = " Networks of old and of new splits weigh alike." if record.folds.endswith(", in time") else ""
    return (
        f"{count(record.networks, 'network')} trained on {record.folds} in {significant(record.seconds, 2)} s; the "
        f"model is the mean of {count(record.members, 'network')}. With the same data and a random_state that is a "
        f"number, runs={record.runs} gives the same again.{alike}"
    )
