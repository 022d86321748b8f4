"""What the record of a search says, in the words that its verdict, its pages and its pictures share."""

import math
from collections.abc import Hashable, Sequence
from typing import Any

from kilonet.evidence import ArchitectureRecord, SearchRecord
from kilonet.numerals import figure, in_order, percent, significant

_SCARCE = 100  # rows: with fewer, each of five folds is judged by less than 20, and one row is over 5% of its accuracy
_MINUS = "−"
_UNKNOWN = "–"


def number_of(value: Any) -> float:
    """A number of a record, whose mappings hold None for what is not finite.

    >>> number_of(2), number_of(None)
    (2.0, nan)
    """
    return math.nan if value is None else float(value)


def class_names(labels: Sequence[Hashable]) -> list[str]:
    """What different labels are called: by their text, and where texts are the same as Python writes them.

    >>> class_names(["a", 1, "1"])
    ['a', '1', "'1'"]
    """
    texts = [str(label) for label in labels]
    return [repr(label) if texts.count(text) > 1 else text for label, text in zip(labels, texts, strict=True)]


def ordered(names: Sequence[str]) -> list[int]:
    """Places of names in the order in which they are told."""
    return sorted(range(len(names)), key=lambda place: in_order(names[place]))


# What networks are judged by.
def by_loss(record: SearchRecord) -> bool:
    """Whether candidates are judged by the loss itself, so that training losses are comparable."""
    return bool(record.metric["name"] == "loss")


def loss_name(record: SearchRecord) -> str:
    """What the loss is called: that of a score is minus the score."""
    name = str(record.metric["name"])
    return _MINUS + name[1:] if name.startswith("-") else name


def judged_by(record: SearchRecord) -> str:
    """What differences are told of: the loss, or the score that was asked for."""
    return loss_name(record) if by_loss(record) else str(record.metric["score"])


def leading(record: SearchRecord) -> str:
    """What the reference has: the lowest loss, or the best score."""
    return "the lowest loss" if by_loss(record) else f"the best {record.metric['score']}"


def score_value(record: SearchRecord, value: float) -> str:
    """A score: accuracy is a percentage, everything else a number; a dash where there is none."""
    if math.isnan(value):
        return _UNKNOWN
    if record.metric["score"] == "accuracy" and math.isfinite(value):
        return percent(value)
    return figure(value).replace("-", _MINUS)


def score_text(record: SearchRecord, value: float) -> str:
    """A score with its name."""
    return f"{record.metric['score']} {score_value(record, value)}"


def score_spread(record: SearchRecord, value: float) -> str:
    """A difference of scores, without a sign: of accuracies in percentage points."""
    return f"{significant(100 * value)}%" if record.metric["score"] == "accuracy" else significant(value)


def floor(record: SearchRecord) -> float:
    """The score that the choice reaches at least, as far as is known: what looks at no column may reach it too."""
    nested = record.nested
    return nested.score_low if nested is not None and math.isfinite(nested.score_low) else record.choice.score


def plus_minus(text: str, half: str, value: float) -> str:
    """A number with half its interval, where that is known (value).

    >>> plus_minus("0.3", "0.02", 0.02), plus_minus("0.3", "inf", math.inf)
    ('0.3 ± 0.02', '0.3')
    """
    return f"{text} ± {half}" if math.isfinite(value) else text


def half_width(architecture: ArchitectureRecord) -> float:
    """Half the 95% interval of the mean loss."""
    return (architecture.loss_high - architecture.loss_low) / 2


# What networks are called.
def called(architecture: ArchitectureRecord) -> str:
    """An architecture in a sentence."""
    return architecture.text if architecture.hidden else "a single-layer network"


def scarce(record: SearchRecord) -> bool:
    """Whether there are so few rows that this has to be said."""
    return bool(record.data.get("rows", _SCARCE) < _SCARCE)


# Errors in units of the target.
def rmse(record: SearchRecord, losses: Sequence[float]) -> float:
    """The root mean squared error in units of the target, from the losses of the first splits; NaN where unknown.

    The loss of a split is half the mean squared error over the variance of the target in its training rows, which
    `data["target_std"]` has the root of: so errors are known exactly, as long as the loss is squared and is what
    networks are judged by. Every split counts the same.

    >>> from types import SimpleNamespace
    >>> metric, data = {"name": "loss", "loss": "squared"}, {"target_std": [10.0, 20.0]}
    >>> rmse(SimpleNamespace(metric=metric, data=data), [0.5, 0.125])  # 10 and 10 off
    10.0
    """
    scales = record.data.get("target_std") or ()
    squared = record.metric.get("name") == "loss" and record.metric.get("loss") == "squared"
    if not squared or not losses or len(scales) < len(losses) or not all(math.isfinite(loss) for loss in losses):
        return math.nan
    squares = [2 * loss * scale**2 for loss, scale in zip(losses, scales, strict=False)]
    return math.sqrt(sum(squares) / len(squares))


def losses_of(record: SearchRecord, architecture: ArchitectureRecord) -> list[float]:
    """The losses of an architecture at its own best settings, seeds averaged: one for each split."""
    return [float(loss) for loss in record.candidates[architecture.best].table().mean(axis=1)]


def rmse_of(record: SearchRecord, architecture: ArchitectureRecord) -> float:
    """The root mean squared error of an architecture at its own best settings, over all splits and seeds."""
    return rmse(record, losses_of(record, architecture))


def rmse_of_mean(record: SearchRecord) -> float:
    """About that of always answering the mean: the standard deviation of the target."""
    return rmse(record, [0.5] * len(record.splits))


def with_rmse(record: SearchRecord, losses: Sequence[float]) -> str:
    """The error as the end of a list: ", RMSE 23,600"; empty where it is not known."""
    value = rmse(record, losses)
    return f", RMSE {figure(value)}" if math.isfinite(value) else ""
