"""What an architecture search found, as data: tables, pages and pictures are made from this and nothing else.

Everything here turns into JSON and back. Numbers that are not finite, such as the losses of runs that diverged or
were not needed, are None there and NaN here.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.errors import FileFormatError

Floats = NDArray[np.float64]
VERSION = 1


@dataclass(frozen=True)
class CandidateRecord:
    """One configuration that was tried.

    text: architecture and settings in a few words; settings: what is tuned alone, nothing where nothing is. params:
    the parameters of the estimator. architecture: its number. losses, scores, training_losses: (splits, seeds) of the
    held-out rows and of the last epoch of training, NaN where there was no run. origin: "grid",
    "edge" where the grid was extended, "rescue" where a large network that over-fits was regularized more.
    """

    number: int
    text: str
    params: Mapping[str, Any]
    architecture: int
    losses: Sequence[Sequence[float]]
    scores: Sequence[Sequence[float]]
    training_losses: Sequence[Sequence[float]]
    origin: str = "grid"
    settings: str = ""

    def table(self, name: str = "losses") -> Floats:
        """One of the three tables as an array (splits, seeds)."""
        return np.array(getattr(self, name), dtype=np.float64)


@dataclass(frozen=True)
class ArchitectureRecord:
    """Hidden layers and activation, judged at their own best candidate.

    best: number of that candidate. loss, score: mean over splits and seeds; loss_low, loss_high: 95% interval of the
    mean loss over splits. seed_spread: standard deviation over seeds within a split, averaged as variances.
    difference, low, high, p_value, adjusted_p, verdict: against the reference, whose difference is 0: the best mean.
    """

    number: int
    text: str
    hidden: Sequence[Any]
    activation: str
    n_parameters: int
    best: int
    loss: float
    loss_low: float
    loss_high: float
    score: float
    training_loss: float
    seed_spread: float
    difference: float
    low: float
    high: float
    p_value: float
    adjusted_p: float
    verdict: str
    diverged: int
    training_seconds: float
    microseconds_a_row: float


@dataclass(frozen=True)
class Nested:
    """What the whole procedure, choosing included, is worth on rows that it never saw: one entry a fold.

    choices: the candidates that were chosen; networks: their architectures alone. trials: how many held-out rows the
    interval of the score takes as independent trials; 0 where it is that of a mean over folds.
    """

    losses: Sequence[float]
    scores: Sequence[float]
    choices: Sequence[str]
    loss: float
    score: float
    score_low: float
    score_high: float
    networks: Sequence[str] = ()
    trials: int = 0


@dataclass(frozen=True)
class SearchRecord:
    """All that a search found. docs/search.md says how each number is made.

    data: source, target, rows, columns, inputs, classes, fingerprint, target_std (of each split). settings: what was
    asked for, and the runs.
    metric: name and unit of the loss; score: name of the score. splits: rows of each. chosen: number of an
    architecture. baselines: name, loss and score of what looks at no column. learning: rows, loss and score of the
    chosen configuration with fewer training rows. no_nested: why there is no nested estimate. predictions: of held-out
    rows. regions: None, or what networks say of a plane through the data; see below. verdict: sentences. notes: what
    else should be known.

    regions: features (2): names of the columns that span the plane; x, y: coordinates in them. others: how many
    columns are held at "medians" and at "most_frequent" values, none where the plane is all there is; held: these
    values by name, if they are few. rows: sizes; columns: λ; classes: names. For each panel, those of a size one
    after another: labels (len(y) * len(x)), a class for each place, −1 where training left the finite numbers;
    misfits: share of the training rows that the network itself tells wrong, wherever they lie. points (n, 2),
    point_classes (n,): some training rows by their numbers in the two columns, whatever they hold in the others.
    """

    task: str
    data: Mapping[str, Any]
    settings: Mapping[str, Any]
    metric: Mapping[str, str]
    splits: Sequence[Mapping[str, int]]
    test_to_train: float
    candidates: tuple[CandidateRecord, ...]
    architectures: tuple[ArchitectureRecord, ...]
    chosen: int
    reference: int
    baselines: Sequence[Mapping[str, Any]]
    nested: Nested | None
    learning: Sequence[Mapping[str, Any]]
    predictions: Mapping[str, Any]
    regions: Mapping[str, Any] | None
    verdict: Sequence[str]
    notes: Sequence[str]
    reproduce: str
    seconds: Mapping[str, float] = field(default_factory=dict)
    version: int = VERSION
    no_nested: str = ""

    @property
    def choice(self) -> ArchitectureRecord:
        """The chosen architecture."""
        return self.architectures[self.chosen]

    @property
    def best(self) -> CandidateRecord:
        """The chosen candidate."""
        return self.candidates[self.choice.best]

    def to_json(self, *, times: bool = True) -> str:
        """One line of JSON for each part; the same search gives the same text but for its times."""
        parts = asdict(self)
        if not times:
            parts |= {"seconds": {}}
            for architecture in parts["architectures"]:
                architecture |= {"training_seconds": None, "microseconds_a_row": None}
        return in_lines(parts)

    @classmethod
    def from_json(cls, text: str) -> "SearchRecord":
        """The record that `to_json` wrote. Raises FileFormatError for anything else."""
        try:
            parts = json.loads(text)
            if parts["version"] != VERSION:
                raise FileFormatError(f"the record is of version {parts['version']!r}; this is version {VERSION}.")
            parts["candidates"] = tuple(made(CandidateRecord, part) for part in parts["candidates"])
            parts["architectures"] = tuple(made(ArchitectureRecord, part) for part in parts["architectures"])
            parts["nested"] = None if parts["nested"] is None else made(Nested, parts["nested"])
            return cls(**parts)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            if isinstance(error, FileFormatError):
                raise
            raise FileFormatError(f"this is no record of a search ({error}); give what `to_json` wrote.") from error


def made(kind: Any, part: Mapping[str, Any]) -> Any:
    """A part from its JSON: None stands for NaN in tables and in numbers."""
    numbers = {f.name for f in fields(kind) if f.type in (float, "float")}
    tables = {"losses", "scores", "training_losses"}
    values = {}
    for name, value in part.items():
        values[name] = or_nan(value) if name in numbers else _tabled(value) if name in tables else value
    return kind(**values)


def _tabled(value: Any) -> Any:
    return [_tabled(entry) for entry in value] if isinstance(value, list) else or_nan(value)


def or_nan(value: Any) -> float:
    """A number from its JSON, where null stands for NaN."""
    return math.nan if value is None else float(value)


def in_lines(parts: Mapping[str, Any]) -> str:
    """JSON with a line for each part; NaN and infinities are null, and what JSON does not know is its repr.

    >>> print(in_lines({"loss": float("nan"), "sizes": (1, 2)}), end="")
    {
    "loss": null,
    "sizes": [1, 2]
    }
    """
    lines = (f"{json.dumps(name)}: {json.dumps(_plain(value), allow_nan=False)}" for name, value in parts.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _plain(value: Any) -> Any:
    """Plain values that JSON can hold, None for what is not finite."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else repr(value)
