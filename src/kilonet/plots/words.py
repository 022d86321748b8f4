"""What pictures say: names, numbers and findings, all from a record."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

from kilonet.comparison import ENOUGH
from kilonet.evidence import ArchitectureRecord, SearchRecord
from kilonet.numerals import count, significant

MATTERS = 0.02  # of a loss: changes below it are said to be none
_SCARCE = 100  # rows: with fewer, each of five folds is judged by less than 20, and one row is over 5% of its accuracy


def number(value: Any) -> float:
    """A number of a record, whose mappings hold None for what is not finite.

    >>> number(2), number(None)
    (2.0, nan)
    """
    return math.nan if value is None else float(value)


def figure(value: float) -> str:
    """A number in three digits, and all of them where it is large.

    >>> figure(18179.4), figure(0.04567), figure(-1234567.0)
    ('18,179', '0.0457', '-1,234,567')
    """
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.3g}"


def times(ratio: float) -> str:
    """A factor as it is read.

    >>> times(55.4), times(3.66), times(1 / 8)
    ('55 ×', '3.7 ×', '1/8 of')
    """
    scaled = ratio if ratio >= 1 else 1 / ratio
    text = f"{scaled:,.0f}" if scaled >= 10 else f"{scaled:.2g}"
    return f"{text} ×" if ratio >= 1 else f"1/{text} of"


def duration(seconds: float) -> str:
    """A time as it is read.

    >>> duration(0.005), duration(2.5), duration(3.4e-8), duration(float("nan"))
    ('5 ms', '2.5 s', '0.034 µs', 'an unknown time')
    """
    if not math.isfinite(seconds):
        return "an unknown time"
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.2g} µs"


def listed(texts: Iterable[str], most: int = 8) -> str:
    """Some texts, and how many there are beyond.

    >>> listed(["a", "b", "c", "d"], most=2)
    'a; b; 2 more'
    """
    every = list(texts)
    return "; ".join(every[:most] + ([f"{len(every) - most} more"] if len(every) > most else []))


def sentence(text: str) -> str:
    """A text with a capital at its front."""
    return text[:1].upper() + text[1:]


def by_loss(record: SearchRecord) -> bool:
    """Whether candidates are judged by the loss itself, so that training losses are comparable."""
    return record.metric["name"] == "loss"


def loss_name(record: SearchRecord) -> str:
    """What the loss is called in a sentence."""
    return record.metric["name"].replace("-", "−")


def loss_label(record: SearchRecord) -> str:
    """What an axis of held-out losses is called."""
    unit = record.metric.get("unit") if by_loss(record) else "lower is better"
    return f"held-out {loss_name(record)}{f' ({unit})' if unit else ''}"


def score_text(record: SearchRecord, value: float) -> str:
    """A score with its name."""
    name = record.metric["score"]
    return f"{name} {value:.1%}" if name == "accuracy" else f"{name} {value:.3g}"


def called(architecture: ArchitectureRecord) -> str:
    """An architecture in a sentence."""
    return architecture.text if architecture.hidden else "a single-layer network"


def sound(record: SearchRecord) -> list[ArchitectureRecord]:
    """The architectures of which no run was lost."""
    return [own for own in record.architectures if math.isfinite(own.loss)]


def equals(record: SearchRecord) -> list[ArchitectureRecord]:
    """Those which no test tells from the best mean, and that one."""
    return [own for own in sound(record) if own.verdict in ("tie", "best")]


def worse(record: SearchRecord) -> list[ArchitectureRecord]:
    """Those which a test tells from the best mean."""
    return [own for own in sound(record) if own.verdict == "worse"]


def scarce(record: SearchRecord) -> bool:
    """Whether there are so few rows that this has to be said."""
    return bool(record.data.get("rows", _SCARCE) < _SCARCE)


def higher(record: SearchRecord, loss: float, than: float) -> str:
    """By how much one loss is higher than another, where that matters, as the end of a sentence; else nothing."""
    much = loss - than
    return f", though the {loss_name(record)} is {significant(much)} higher" if much > MATTERS * abs(than) else ""


def untold(record: SearchRecord) -> str:
    """That there were too few splits for any verdict, and the lowest mean; empty where there were enough."""
    if len(record.splits) >= ENOUGH or not sound(record):
        return ""
    lowest = min(sound(record), key=lambda own: own.loss)
    return (
        f"with {count(len(record.splits), 'split')} nothing can be told apart; "
        f"{called(lowest)} has the lowest {loss_name(record)}, {lowest.loss:.3g}"
    )


def no_better(record: SearchRecord, other: ArchitectureRecord) -> str:
    """How one that ties compares with the choice: a lower mean is admitted, though no test tells it from luck."""
    return "is not measurably better" if other.loss < record.choice.loss else "is no better"


def size_finding(record: SearchRecord) -> str:
    """What more and fewer parameters than those of the choice are worth."""
    choice = record.choice
    if untold(record):
        return untold(record)
    if not math.isfinite(choice.loss):
        return f"{called(choice)} lost {count(choice.diverged, 'run')}"
    others = [own for own in equals(record) if own.number != choice.number]
    larger = max(others, key=lambda own: own.n_parameters, default=None)
    smaller = min(others, key=lambda own: own.n_parameters, default=None)
    if larger is not None and larger.n_parameters > choice.n_parameters:
        parts = [f"{called(larger)} {no_better(record, larger)} than {called(choice)}"]
    elif smaller is not None:
        size = times(smaller.n_parameters / choice.n_parameters)
        more = higher(record, smaller.loss, choice.loss)
        parts = [f"{called(choice)} leads, but {called(smaller)} ties with {size} the parameters{more}"]
    else:
        parts = [f"{called(choice)} is the best"]
    return "; ".join(parts + _lost(choice, worse(record)))


def _lost(choice: ArchitectureRecord, others: Sequence[ArchitectureRecord]) -> list[str]:
    """What the worse one that is nearest in size below the choice loses, else the worst one."""
    others = [own for own in others if own.loss > choice.loss]
    below = [own for own in others if own.n_parameters < choice.n_parameters and own.hidden]
    if below:
        near = max(below, key=lambda own: own.n_parameters)
    elif others:
        near = max(others, key=lambda own: own.loss)
    else:
        return []
    return [f"{called(near)} loses {significant(near.loss - choice.loss)}"]
