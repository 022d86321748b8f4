"""What a part of `make bench` is asked for, and what it gives."""

import sys
from dataclasses import dataclass, field

from benchmarks.measure import Series


@dataclass(frozen=True)
class Asked:
    """How to measure: interleaved rounds, seconds of one measurement, and a text in the names of workloads."""

    rounds: int
    seconds: float
    only: str = ""


@dataclass(frozen=True)
class Part:
    """What a part found.

    paragraphs: for everybody; found: every single measurement by what was measured; peaks: GFLOP/s of sgemm, one a
    workload; shown: what is printed but too long for the README.
    """

    paragraphs: list[str]
    found: dict[str, list[Series]]
    peaks: list[float] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)


def together(parts: list[Part], shown: bool) -> str:
    """Return the paragraphs of all parts, with or without those that are only shown."""
    return "\n\n".join(text for part in parts for text in (part.shown if shown else []) + part.paragraphs)


def say(text: str) -> None:
    """Tell on stderr what goes on."""
    print(text, file=sys.stderr, flush=True)
