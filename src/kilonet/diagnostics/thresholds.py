"""Every threshold of the rules, with where it comes from."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any, Self

from kilonet.checks import number, shown
from kilonet.errors import SettingError

CS231N = "published: Stanford CS231n, part 3"
AUTOTRAINER = "published: Zhang, Zhai, Ma & Shen 2021, AutoTrainer"
NOTES = "the course notes' figure"
_SHARES = (
    "early", "small_score", "dead_warn", "dead_fail", "dead_luck", "saturated_warn", "saturated_fail",
    "saturated_start", "agreement", "gap_from", "leak_warn", "duplicated_warn", "conflicting_warn",
)  # fmt: skip
"""Thresholds of what is never above 1: a larger one would never speak."""
_RISING = (
    ("start_low_warn", "start_warn", "start_fail"), ("gradient_warn", "gradient_fail"),
    ("ratio_low", "ratio_warn", "ratio_fail"), ("ratio_large", "ratio_fail"), ("dead_warn", "dead_fail"),
    ("saturated_warn", "saturated_fail"), ("deviation_low", "deviation_warn", "deviation_fail"),
    ("weights_low", "weights_warn"),
)  # fmt: skip
"""Thresholds of one number, each at most the next: what fails has to have warned."""


def _published(value: float, source: str) -> Any:
    return field(default=value, metadata={"source": source})


def _own(value: float, why: str) -> Any:
    """Our own proposal, measured on healthy runs of nine tasks and nine kinds of network, and on planted faults."""
    return field(default=value, metadata={"source": f"own: {why}"})


@dataclass(frozen=True)
class Thresholds:
    """When a rule speaks. Names that end in _warn and _fail are the bounds of these severities.

    start_*: loss before any step by that of knowing nothing; of numbers, the root of it. small_loss: of a few rows
    learned by heart, for classes; small_score: their R², for numbers. gradient_*: relative error of gradients.
    ratio_*: norm of the first step's change by that of the weights, ratio_large to name it as a cause; ratio_low, of
    steps in the first share `early` of the training, where more than low_loss of the first loss is left at the end;
    unlearned: of knowing nothing, with swept_below: times the loss of a sweep, the same of a rate far below the best.
    dead_*, saturated_*: shares of a layer; dead_luck: of so many units, each is dead by luck; saturated_start: after
    the first epoch. vanishing, exploding: norm of the first layer's gradient by that of the last; exploding_norm: of
    the first layer's alone. agreement: share of a unit's weight gradients with one sign. divergence: loss by its
    start. gap_*: score on training rows less that on held-out ones; gap_high_warn where the former is above gap_from;
    grown: times the lowest validation loss, by grown_share of knowing nothing at least; rising: epochs since it was
    lowest.

    deviation_*, mean_warn: of inputs. leak_warn: share of what is to be known that one input tells alone.
    duplicated_warn: share of inputs. imbalance_warn: rows of the largest class by those of the smallest.
    conflicting_warn: share of rows. rate_*: rate by the best of a sweep, and the other way round. weights_*: norm of
    initial weights by the root of the number of units. Of forgetting: pull, the penalty's gradient by that of the
    data in the first step; shrunk, the weights' norm by that at the start; kept, the training loss by that of knowing
    nothing; and so stuck_warn.

    Raises SettingError for a name that there is none of, for what is no number or out of its range, [0, 1] for shares
    and [0, inf) for others, and for a _warn above its _fail.

    >>> Thresholds(dead_fail=0.5).dead_fail, Thresholds().source("dead_fail")
    (0.5, "the course notes' figure")
    """

    start_warn: float = _own(10.0, "healthy starts were at 0.5 to 8.4 times; the 1.25 of CS231n would alarm at most")
    start_fail: float = _own(30.0, "initial weights 10 times too large were at 48 times and more")
    start_low_warn: float = _own(0.25, "healthy starts were at 0.46 times and more, by the luck of the draw")
    small_loss: float = _own(0.01, "around CS231n, part 3: twenty rows can be learned by heart")
    small_score: float = _own(
        0.9, "numbers with noise, few inputs: healthy networks came to an R² of 0.98 in 500 steps"
    )
    gradient_warn: float = _published(1e-4, CS231N)
    gradient_fail: float = _published(1e-2, CS231N)
    ratio_large: float = _own(0.3, "where something else is wrong: nearly all healthy first steps changed less")
    ratio_warn: float = _own(0.6, "first steps of healthy runs changed up to 0.5 of a layer's weights")
    ratio_fail: float = _own(1.0, "a step that is larger than the weights themselves starts anew at random")
    ratio_low: float = _published(1e-4, CS231N)
    early: float = _own(0.2, "a trained network moves little, and so it should")
    unlearned: float = _own(0.4, "what is lower knows most of it, however slowly")
    swept_below: float = _own(2.0, "a sweep has no more steps than the training, and rates 30 times higher")
    low_loss: float = _own(0.8, "runs with rates 100 times too low ended above it, as a share of their first loss")
    dead_warn: float = _own(0.3, "of healthy narrow layers up to 0.25 were dead, most of them from the start")
    dead_fail: float = _published(0.4, NOTES)
    dead_luck: float = _own(0.15, "units of healthy narrow layers that are dead: one of six is luck")
    saturated_warn: float = _own(0.5, "healthy runs of 300 epochs had up to 0.33")
    saturated_fail: float = _own(0.8, "with rates 1,000 times too high it was 0.83 and more")
    saturated_start: float = _own(0.4, "healthy networks begin below 0.15")
    vanishing: float = _own(1e-3, "healthy runs had 0.01 and more")
    exploding: float = _published(70.0, AUTOTRAINER)
    exploding_norm: float = _own(1.0, "the norm of healthy gradients; a ratio of two tiny ones says nothing")
    agreement: float = _own(0.9, "half is no agreement, 1 is one sign for all weights of a unit")
    divergence: float = _own(1e3, "no healthy loss comes near it")
    gap_warn: float = _published(0.1, AUTOTRAINER)
    gap_high_warn: float = _published(0.07, AUTOTRAINER)
    gap_from: float = _published(0.9, AUTOTRAINER)
    grown: float = _own(2.0, "a validation loss that has doubled since it was lowest")
    grown_share: float = _own(0.05, "of the loss of knowing nothing: what is less does not matter")
    rising: float = _own(10, "a few epochs of a rising loss are noise")
    deviation_low: float = _own(0.1, "a tenth of what initial weights are made for")
    deviation_warn: float = _own(10.0, "ten times what initial weights are made for")
    deviation_fail: float = _own(100.0, "a hundred times what initial weights are made for")
    mean_warn: float = _own(10.0, "an input far from 0 is a second bias, ten times as strong as the first")
    leak_warn: float = _own(0.995, "a column of well separated heaps tells up to 0.994, the petals of iris 0.93")
    duplicated_warn: float = _own(0.1, "of inputs; of nearly empty columns some are always the same")
    imbalance_warn: float = _published(10.0, "published: rows of the classes above 10 to 1")
    conflicting_warn: float = _own(0.01, "what is below does not show in a score")
    rate_warn: float = _own(3.0, "two rates that differ less are about as good")
    rate_low_warn: float = _own(30.0, "a sweep of few steps favours large rates")
    weights_warn: float = _own(3.0, "He's and Glorot's weights have 1.4 at most")
    weights_low: float = _own(0.05, "Glorot's weights have 0.1 and more, for layers of up to 200 units")
    pull: float = _own(0.5, "the default l2 pulls a thousandth as much as the data in the first step")
    shrunk: float = _own(0.85, "weights of a healthy run grow, or shrink little")
    kept: float = _own(0.4, "what is lower has been learned in spite of the penalty")
    stuck_warn: float = _own(0.95, "what is lower knows something")

    def __new__(cls, *values: float, **named: float) -> Self:  # noqa: ARG004 - __init__ takes them
        """Refuse unknown names before __init__ does, which would not say the near ones."""
        for name in named:
            _known(name, cls.__match_args__)
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for entry in fields(self):
            number(entry.name, getattr(self, entry.name), "[0, 1]" if entry.name in _SHARES else "[0, inf)")
        for lower, upper in (pair for names in _RISING for pair in pairwise(names)):
            least, most = getattr(self, lower), getattr(self, upper)
            if least > most:
                raise SettingError(f"{lower} is {least:g} and {upper} is {most:g}; needs {lower} <= {upper}. Set both.")

    def source(self, name: str) -> str:
        """Where the default of a threshold comes from, or that it was set. Raises SettingError for no such name."""
        _known(name, self.__match_args__)
        entry = next(entry for entry in fields(self) if entry.name == name)
        return str(entry.metadata["source"]) if getattr(self, name) == entry.default else "set by the user"


def _known(name: object, names: Sequence[str]) -> None:
    """Raise SettingError, with the names that are near, for what is the name of no threshold."""
    if name in names:
        return
    word = str(name).lower()
    near = [known for known in names if word and known.startswith(word.split("_")[0])]
    near = near or difflib.get_close_matches(word, names, n=4, cutoff=0.5)
    hint = f"Near it are {', '.join(near)}." if near else "help(kn.Thresholds) tells of all."
    raise SettingError(f"{shown(name)} is no threshold; needs the name of one. {hint}")


DEFAULT = Thresholds()
