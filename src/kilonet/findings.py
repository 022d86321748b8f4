"""What an examination of a network found, as data: rules, tables, pages and pictures are made from this alone.

Everything here turns into JSON. Layers are numbered from 1, as in the notes; the last one gives the scores.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.checks import choice
from kilonet.facts import (
    GapFacts,
    Histogram,
    InputFacts,
    LayerFacts,
    RateFacts,
    SmallFacts,
    StartFacts,
    TargetFacts,
)
from kilonet.history import History
from kilonet.numerals import count, ended

__all__ = [
    "SEVERITIES",
    "Effect",
    "Examination",
    "Finding",
    "GapFacts",
    "Histogram",
    "InputFacts",
    "LayerFacts",
    "RateFacts",
    "Remedy",
    "Rule",
    "SmallFacts",
    "StartFacts",
    "TargetFacts",
    "to_json",
]

Floats = NDArray[np.float64]
SEVERITIES = ("info", "warn", "fail")


@dataclass(frozen=True, eq=False)
class Examination:
    """All that is known of a network, its data and its training; None for what was not looked at.

    origin: "kilonet", "torch" or "scikit-learn". task: "classification", "multilabel" or "regression". settings:
    parameters of the estimator or what is known of them: optimizer, rate, batch, epochs, l2, dropout, hidden,
    activation, loss, n_rows. history: of one network. diverged: epoch in which it left the finite numbers, else 0.
    gradient_error: largest relative difference of float64 gradients to central differences. activity: for a map,
    epochs and for each hidden layer the activity (epochs, units). unwatched: why training was not repeated to see every
    epoch, where that was asked for.
    """

    origin: str
    task: str
    settings: Mapping[str, Any]
    layers: Sequence[LayerFacts]
    history: History
    diverged: int = 0
    inputs: InputFacts | None = None
    target: TargetFacts | None = None
    start: StartFacts | None = None
    small: SmallFacts | None = None
    rates: RateFacts | None = None
    gap: GapFacts | None = None
    gradient_error: float | None = None
    activity: tuple[Sequence[int], Sequence[Floats]] | None = None
    unwatched: str = ""

    @property
    def hidden(self) -> Sequence[LayerFacts]:
        """The hidden layers."""
        return self.layers[:-1]


@dataclass(frozen=True)
class Remedy:
    """What to change. changes: parameters of the estimator, empty for what only a person can do."""

    text: str
    changes: Mapping[str, Any]


@dataclass(frozen=True)
class Effect:
    """What a remedy gained: the run forked before the trouble, with it and without it, a pair for each seed.

    metric: what is compared, on held-out rows. without, with_it: means over seeds, where diverged runs count as the
    worst that was seen. gain: middle difference in the good direction, with its 95% interval over seeds. epoch: after
    which the runs part. lost_without, lost_with: runs that diverged. furthest: what is worse counts as this;
    cut_without, cut_with: runs that were worse, so that the true mean is further off. members: those whose settings
    `cure` changed; empty for all. untried: why the remedy was not tried, else empty; the numbers are NaN then.
    """

    metric: str
    without: float
    with_it: float
    gain: float
    low: float
    high: float
    seeds: int
    epoch: int
    lost_without: int = 0
    lost_with: int = 0
    untried: str = ""
    furthest: float = math.nan
    cut_without: int = 0
    cut_with: int = 0
    members: Sequence[int] = ()

    @property
    def helps(self) -> bool:
        """Whether the interval lies above zero."""
        return self.low > 0

    @property
    def verdict(self) -> str:
        """In a word: helps, harms, not sure, or not tried."""
        if self.untried:
            return "not tried"
        return "helps" if self.helps else "harms" if self.high < 0 else "not sure"

    @property
    def text(self) -> str:
        """What the remedy gained, in a sentence without its end.

        >>> Effect("loss", 0.5, 0.25, 0.25, 0.125, 0.375, 8, 1).text
        'helps: held-out loss 0.5 → 0.25 (gain 0.25, 95% interval 0.125 to 0.375, 8 seeds)'
        """
        if self.untried:
            return f"{self.verdict}: {self.untried}"
        more = ""
        if self.lost_without or self.lost_with:
            more += f"; {self.lost_without} of {self.seeds} runs diverged without it, {self.lost_with} with it"
        if self.cut_without or self.cut_with:
            more += f"; what is worse than {self.furthest:.3g} counts as {self.furthest:.3g}"
        name = self.metric if self.metric.startswith("held-out") else f"held-out {self.metric}"
        without, with_it = self._mean(self.without, self.cut_without), self._mean(self.with_it, self.cut_with)
        return (
            f"{self.verdict}: {name} {without} → {with_it} (gain {self.gain:.3g}, 95% interval "
            f"{self.low:.3g} to {self.high:.3g}, {count(self.seeds, 'seed')}{more})"
        )

    def _mean(self, mean: float, cut: int) -> str:
        beyond = "over " if self.furthest > 0 else "under "  # losses are too large, R² too far below zero
        return f"{beyond if cut else ''}{mean:.3g}"

    def to_json(self) -> dict[str, Any]:
        """The numbers, with verdict and text."""
        return _fields(self) | {"verdict": self.verdict, "text": self.text}


@dataclass(frozen=True)
class Finding:
    """What a rule says. evidence: the numbers that it rests on. since: epoch of the first sign, 0 if unknown.

    severity: "info", "warn" or "fail", else there is a SettingError. effects: what its remedies gained, in their order,
    where that was tried; in JSON they stand with their remedies. source: of the threshold. because: the
    likely cause in a word, such as "rate" or "inputs"; findings of one cause have it in common.
    """

    rule: str
    severity: str
    what: str
    cause: str = ""
    remedies: Sequence[Remedy] = ()
    layer: int | None = None
    evidence: Mapping[str, float] | None = None
    since: int = 0
    effects: Sequence[Effect] = ()
    source: str = ""
    because: str = ""

    def __post_init__(self) -> None:
        choice(f"the severity of the finding {self.rule}", self.severity, SEVERITIES)

    @property
    def text(self) -> str:
        """What it says, with the likely cause, in sentences.

        >>> Finding("dead units", "warn", "layer 1: half of the units are dead", "the rate is too high").text
        'layer 1: half of the units are dead. Likely cause: the rate is too high.'
        """
        return " ".join(map(ended, [self.what, *([f"Likely cause: {self.cause}"] if self.cause else [])]))

    @property
    def tried(self) -> list[tuple[Remedy, Effect | None]]:
        """Each remedy with what it gained; None where it was not tried, or is nothing that can be tried."""
        effects = iter(self.effects)
        return [(remedy, next(effects, None) if remedy.changes else None) for remedy in self.remedies]

    def to_json(self) -> dict[str, Any]:
        """What it says, with its text; remedies have their effects with them."""
        remedies = [_fields(remedy) | {"effect": effect} for remedy, effect in self.tried]
        own = {name: value for name, value in _fields(self).items() if name != "effects"}
        return own | {"text": self.text, "remedies": remedies}


Rule = Callable[[Examination], Iterable[Finding]]
"""A rule: a plain function of an examination."""


def to_json(value: Any) -> str:
    """An examination or findings as JSON; what is not finite is null.

    A finding has its `text` too, and beside each remedy its effect, with interval, `verdict` and `text`.

    >>> finding = Finding("rate", "warn", "the rate is high", remedies=[Remedy("a lower rate", {"rate": 0.1})])
    >>> json.loads(to_json([finding]))[0]["remedies"]
    [{'text': 'a lower rate', 'changes': {'rate': 0.1}, 'effect': None}]
    """
    return json.dumps(_plain(value), allow_nan=False)


def _fields(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, History | Effect | Finding):
        value = value.to_json()
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if is_dataclass(value) and not isinstance(value, type):
        value = _fields(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else repr(value)
