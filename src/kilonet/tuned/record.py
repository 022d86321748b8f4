"""What a network that tunes itself found out about its own choice, as data and in words."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from kilonet.comparison import ENOUGH
from kilonet.errors import FileFormatError
from kilonet.evidence import in_lines, made, or_nan
from kilonet.numerals import count, figure, listed, p_text, percent, significant

VERSION = 1
_NOTABLE = 1.1  # a temperature of numbers that is worth a word
_TITLES = {"tie": "Ties", "behind": "Behind, by their 95% intervals", "worse": "Worse", "diverged": "Diverged"}
_DIGITS = range(3, 6)  # of losses that are to be told apart
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
        return self.told()

    def told(self, seed: int | None = None) -> list[str]:
        """The same; seed: that of `kilonet fit`, for which the last sentence names options of the command line."""
        said = [_score(self), worse(self), _chosen(self), _ties(self), _meant(self), _calibrated(self)]
        return [sentence for sentence in (*said, _effort(self, seed), *self.notes) if sentence]

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
    low, high = _named(record, record.score_low), _named(record, record.score_high)
    bounds = f" ({low} to {high})" if math.isfinite(record.score_high - record.score_low) else ""
    score, base = _named(record, record.score) + bounds, _named(record, record.baseline_score)
    loss = significant(record.loss, 3)
    if record.task == "classification":
        model = f"accuracy {score}, log loss {loss}"
        constant = f"the shares of the classes: {base}, log loss {significant(record.baseline_loss, 3)}"
    else:
        unit = "half the squared error, in standard deviations of the target"
        model, constant = f"R² {score}{_typical(record)}, loss {loss} ({unit})", f"the mean: R² {base}"
    return (
        f"Out of fold: {model}. Always saying {constant}. The choice was made by the same rows, so the model's "
        "figures are a little too good."
    )


def _typical(record: TunedRecord) -> str:
    """How far off numbers mostly are, in units of the target; nothing where that is rounding, or not known."""
    half = record.predictions.get("errors", {}).get("half")
    return "" if half is None or record.loss == 0 else f", half of the rows within {figure(half)}"


def worse(record: TunedRecord) -> str:
    """That looking at no column is better out of fold, by the loss; nothing where it is not."""
    if not record.loss > record.baseline_loss * (1 + _EVEN):
        return ""
    for digits in _DIGITS:
        own, base = significant(record.loss, digits), significant(record.baseline_loss, digits)
        if own != base:
            return f"Out of fold the model is worse than what looks at no column: loss {own} against {base}."
    same = significant(record.loss, _DIGITS[0])
    return f"Out of fold the model is no better than what looks at no column, whose loss is {same} too."


def wild(record: TunedRecord) -> bool:
    """Whether the model is so much worse that training went astray: by as much as looking at no column loses."""
    return record.loss - record.baseline_loss > max(record.baseline_loss, _ASTRAY)


def _chosen(record: TunedRecord) -> str:
    weighted = [own for own in record.configurations if own.weight > 0]
    several = "; ".join(f"{own.text} ({percent(own.weight)})" for own in weighted)
    own = weighted[0].text if len(weighted) == 1 else several
    return f"Chosen of {count(len(record.configurations), 'configuration')}: {own}."


def _ties(record: TunedRecord) -> str:
    """What became of the configurations that are not in the model."""
    others, said = [own for own in record.configurations if not own.weight > 0], []
    for verdict, title in _TITLES.items():
        own = [each for each in others if each.verdict == verdict]
        least = _least(own) if own and verdict == "tie" and record.splits >= ENOUGH else ""
        said += [f"{title}{least}: {_some(own)}."] if own else []
    return " ".join(said)


def _least(ties: Sequence[Configuration]) -> str:
    """The lowest p of several, which is that of all where it is 1."""
    least = p_text(min(own.p_value for own in ties))
    return f" ({least})" if len(ties) == 1 or least == p_text(1.0) else f" ({least} or more)"


def _some(own: Sequence[Configuration]) -> str:
    named = [each.text for each in own]
    shown = named if len(named) <= 6 else [*named[:5], f"{len(named) - 5} more"]
    return "; ".join(shown) if any(", " in name for name in shown) else listed(shown)


def _meant(record: TunedRecord) -> str:
    """What the words mean that configurations are told by, and the network that all of them are of."""
    texts = [own.text for own in record.configurations]
    said = []
    if any("λ" in text for text in texts):
        said.append("λ is the l2 penalty")
    if any("pieces" in text for text in texts):
        said.append("pieces are further inputs that numbers are cut into at quantiles (docs/tuned.md)")
    shapes = {_shape(own.params) for own in record.configurations}
    if len(texts) > 1 and len(shapes) == 1:
        said += [shape for shape in shapes if shape]
    return f"In these configurations {listed(said)}." if said else ""


def _shape(params: Mapping[str, Any]) -> str:
    """Hidden layers and their activation; nothing where they are not known."""
    hidden = params.get("hidden")
    if not isinstance(hidden, list | tuple):
        return ""
    sizes = "-".join(map(str, hidden))
    return f"the hidden layers are {sizes} {params.get('activation')}" if sizes else "there is no hidden layer"


def _calibrated(record: TunedRecord) -> str:
    own = record.calibration["out_of_fold"]
    if record.task == "regression":
        far = f"Out of fold predictions were {own:.3g} times too far from the mean, and were drawn in."
        return far if own > _NOTABLE else ""
    before, after = percent(record.calibration["before"]), percent(record.calibration["after"])
    if own == 1:
        return f"Calibration error: {before}, without a temperature."
    return (
        f"Calibration error: {before} before and {after} after the temperature {own:.3g}, which was chosen for the "
        "log loss."
    )


def _effort(record: TunedRecord, seed: int | None) -> str:
    alike = " Networks of old and of new splits weigh alike." if record.folds.endswith(", in time") else ""
    judged = _judged(record)
    some = f", judged on {judged:,} of {count(record.rows, 'row')}" if 0 < judged < record.rows else ""
    again = f" and a random_state that is a number, runs={record.runs}"
    if seed is not None:
        again = f", --runs {record.runs} --seed {seed}"
    return (
        f"{count(record.networks, 'network')} trained on {record.folds} in {significant(record.seconds, 2)} s{some}; "
        f"the model is the mean of {count(record.members, 'network')}. With the same data{again} gives the same "
        f"again.{alike}"
    )


def _judged(record: TunedRecord) -> int:
    """Rows that some fold held out; 0 where that is not known."""
    told = record.predictions
    bins = [told["errors"]] if "errors" in told else told.get("reliability", [])
    return sum(own["rows"] for own in bins)
