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
    epochs and for each hidden layer the activity (epochs, units).
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
    which the runs part. lost_without, lost_with: runs that diverged. untried: why the remedy was not tried, empty
    where it was; the numbers are NaN then, and there are no seeds.
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

    @property
    def helps(self) -> bool:
        """Whether the interval lies above zero."""
        return self.low > 0


@dataclass(frozen=True)
class Finding:
    """What a rule says. evidence: the numbers that it rests on. since: epoch of the first sign, 0 if unknown.

    effects: what its remedies gained, in their order, where that was tried. source: of the threshold. because: the
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


Rule = Callable[[Examination], Iterable[Finding]]
"""A rule: a plain function of an examination."""


def to_json(value: Any) -> str:
    """An examination or findings as JSON; what is not finite is null."""
    return json.dumps(_plain(value), allow_nan=False)


def _plain(value: Any) -> Any:
    if isinstance(value, History):
        return value.to_json()
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(entry) for entry in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else repr(value)
