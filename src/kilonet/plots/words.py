"""What pictures say: names, numbers and findings, all from a record."""

import math
from collections.abc import Iterable, Sequence

from kilonet.comparison import ENOUGH
from kilonet.evidence import ArchitectureRecord, SearchRecord
from kilonet.numerals import count, significant, times
from kilonet.telling import by_loss, called, loss_name

MATTERS = 0.02  # of a loss: changes below it are said to be none


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


def loss_label(record: SearchRecord) -> str:
    """What an axis of held-out losses is called."""
    unit = record.metric.get("unit") if by_loss(record) else "lower is better"
    return f"held-out {loss_name(record)}{f' ({unit})' if unit else ''}"


def sound(record: SearchRecord) -> list[ArchitectureRecord]:
    """The architectures of which no run was lost."""
    return [own for own in record.architectures if math.isfinite(own.loss)]


def equals(record: SearchRecord) -> list[ArchitectureRecord]:
    """Those which no test tells from the best mean, and that one."""
    return [own for own in sound(record) if own.verdict in ("tie", "best")]


def worse(record: SearchRecord) -> list[ArchitectureRecord]:
    """Those which a test tells from the best mean."""
    return [own for own in sound(record) if own.verdict == "worse"]


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
