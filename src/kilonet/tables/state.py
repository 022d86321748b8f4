"""What a fitted table encoder knows: one frozen value that goes into JSON and comes back exactly."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.errors import FileFormatError
from kilonet.numerals import percent
from kilonet.tables.cells import Floats
from kilonet.tables.numeric import Standard
from kilonet.tables.pieces import TOGETHER, Pieces

KINDS = ("number", "boolean", "category", "identifier", "empty")  # the last two become nothing


@dataclass(frozen=True, eq=False)
class State:
    """Fitted knowledge about the d columns of a table.

    names and kinds have d entries; mean, std and missing (the share of training weight without a value)
    are (d,); `categories` maps the place of a category column to its sorted names. `centred` is False
    for tables that were sparse in training: they are scaled only. bound: what standard numbers are kept within, None
    where they are not. robust: whether mean and std are median and quartiles. pieces: into which the numbers of columns
    are cut, by place; cuts: how many of a column there may be.
    """

    names: tuple[str, ...]
    kinds: tuple[str, ...]
    mean: Floats
    std: Floats
    missing: Floats
    categories: Mapping[int, tuple[str, ...]]
    centred: bool
    standardize: bool
    bound: float | None = None
    robust: bool = False
    cuts: int = 0
    pieces: Mapping[int, Pieces] = field(default_factory=dict)

    @cached_property
    def numeric(self) -> NDArray[np.int64]:
        """Places of the columns that are numbers or truth values."""
        return np.array([j for j, kind in enumerate(self.kinds) if kind in {"number", "boolean"}], dtype=np.int64)

    @cached_property
    def only_numbers(self) -> bool:
        """Whether every column is numbers, or left out since it was empty."""
        return set(self.kinds) <= {"number", "empty"}

    @cached_property
    def inputs(self) -> str:
        """What tells the outputs of two encoders of the same rows apart: equal texts stand for equal outputs."""
        told = self.to_json() | {"cuts": 0}
        told |= {} if "number" in self.kinds else {"bound": None, "robust": False}
        return json.dumps(told, sort_keys=True)

    @cached_property
    def straight(self) -> bool:
        """Whether a number becomes one input, and twice as far from the mean is twice as much."""
        return self.bound is None and not self.pieces

    @cached_property
    def marked(self) -> NDArray[np.bool_]:
        """Which columns have an indicator of missing values (d,)."""
        empty = np.array([kind == "empty" for kind in self.kinds], dtype=np.bool_)
        return np.asarray((self.missing > 0) & ~empty)

    @cached_property
    def widths(self) -> NDArray[np.int64]:
        """Output columns that each column becomes, its missing indicator not counted (d,)."""
        widths = np.ones(len(self.kinds), dtype=np.int64)
        for j, kind in enumerate(self.kinds):
            if kind in {"category", "identifier", "empty"}:
                widths[j] = len(self.categories.get(j, ()))
            elif j in self.pieces:
                widths[j] += len(self.pieces[j].mean)
        return widths

    @cached_property
    def left_alone(self) -> frozenset[int]:
        """Places of the columns that become no output column, whatever they hold."""
        return frozenset(np.flatnonzero(self.widths + self.marked == 0).tolist())

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """First output column of each column (d,); its missing indicator stands after its last one."""
        total = np.cumsum(self.widths + self.marked)
        return total - (self.widths + self.marked)

    @cached_property
    def width(self) -> int:
        """Number of output columns."""
        return int(self.widths.sum() + self.marked.sum())

    @cached_property
    def standard(self) -> Standard:
        """How the numeric columns, in their order, become standard numbers."""
        numbers = np.array([self.kinds[j] == "number" for j in self.numeric], dtype=bool) & self.standardize
        mean, std = self.mean[self.numeric], self.std[self.numeric]
        shift = np.where(numbers & self.centred, mean, 0.0)
        divisor = np.where(numbers, np.where(std == 0, np.inf, std), 1.0)
        limit = np.where(numbers, np.inf if self.bound is None else self.bound, np.inf)
        return Standard(mean, shift, divisor, limit)

    def middle(self, j: int) -> str:
        """What the mean of a column is in truth."""
        return "median" if self.robust and self.kinds[j] == "number" else "mean"

    def output_names(self, names: tuple[str, ...]) -> list[str]:
        """Names of the output columns, for input columns called `names`; no two are alike."""
        made: list[str] = []
        for j, name in enumerate(names):
            made += [name] if self.kinds[j] in {"number", "boolean"} else []
            made += self.pieces[j].names(name) if j in self.pieces else []
            made += [f"{name}={category}" for category in self.categories.get(j, ())]
            made += [f"{name}_missing"] if self.marked[j] else []
        return _distinct(made)

    def notes(self) -> list[str]:
        """One sentence for each column with gaps and each that was left out."""
        made = []
        for j in np.flatnonzero(self.marked):
            number = self.kinds[j] in {"number", "boolean"}
            stands = f"their {self.middle(int(j))} {self.mean[j]:g} stands for them and " if number else ""
            name, share = self.names[j], percent(float(self.missing[j]))
            made.append(f'column "{name}": {share} of its values are missing; {stands}"{name}_missing" is 1 there')
        why = {"identifier": "looks like an identifier", "empty": "was empty in training"}
        left = [(name, why[kind]) for name, kind in zip(self.names, self.kinds, strict=True) if kind in why]
        return made + [f'column "{name}": left out, it {reason}' for name, reason in left]

    def to_json(self) -> dict[str, Any]:
        """The state as JSON values; every float comes back as the same bits."""
        told = {
            "names": list(self.names),
            "kinds": list(self.kinds),
            "mean": self.mean.tolist(),
            "std": self.std.tolist(),
            "missing": self.missing.tolist(),
            "categories": {str(j): list(names) for j, names in self.categories.items()},
            "centred": self.centred,
            "standardize": self.standardize,
        } | {name: getattr(self, name) for name in ("bound", "robust", "cuts") if getattr(self, name)}
        return told | ({"pieces": {str(j): own.to_json() for j, own in self.pieces.items()}} if self.pieces else {})

    @classmethod
    def from_json(cls, d: Any) -> "State":
        """The state that to_json wrote; FileFormatError when the values do not fit together."""
        try:
            wrong = _wrong_types(d)
            state = cls(
                names=tuple(d["names"]),
                kinds=tuple(d["kinds"]),
                mean=np.array(d["mean"], dtype=np.float64),
                std=np.array(d["std"], dtype=np.float64),
                missing=np.array(d["missing"], dtype=np.float64),
                categories={int(j): tuple(names) for j, names in d["categories"].items()},
                centred=d["centred"],
                standardize=d["standardize"],
                bound=d.get("bound"),
                robust=d.get("robust", False),
                cuts=d.get("cuts", 0),
                pieces={j: Pieces.from_json(d["pieces"][str(j)]) for j in map(int, d.get("pieces", {}))},
            )
        except (KeyError, TypeError, ValueError, OverflowError, AttributeError) as error:
            raise FileFormatError(_BROKEN.format(f"{type(error).__name__}: {error}")) from None
        wrong = wrong or _wrong_sizes(state)
        if wrong:
            raise FileFormatError(_BROKEN.format(wrong))
        return state


_BROKEN = (
    "the description of a table encoder is broken ({}). It was edited or cut: save the model again from its source"
)


def _wrong_types(d: dict[str, Any]) -> str:
    if not all(isinstance(kind, str) and kind in KINDS for kind in d["kinds"]):
        return f"a kind is not one of {', '.join(KINDS)}"
    texts = [*d["names"], *(name for names in d["categories"].values() for name in names)]
    if not all(isinstance(text, str) for text in texts):
        return "a name is not text"
    if not all(isinstance(own, bool) for own in (d["centred"], d["standardize"], d.get("robust", False))):
        return "a truth value is something else"
    bound = d.get("bound")
    if bound is not None and not (type(bound) in (int, float) and 0 < bound < float("inf")):
        return "the bound is no number above 0"
    if type(d.get("cuts", 0)) is not int or not 0 <= d.get("cuts", 0) <= TOGETHER:
        return "the cuts are no number of pieces"
    return ""


def _wrong_sizes(state: State) -> str:
    d = len(state.names)
    numbers = (state.mean, state.std, state.missing)
    if d == 0 or len(state.kinds) != d or any(values.shape != (d,) for values in numbers):
        return "its lists differ in length"
    if not np.isfinite(numbers).all() or (state.std < 0).any() or (state.missing < 0).any():
        return "a number is out of its range"
    if {j for j, kind in enumerate(state.kinds) if kind == "category"} != set(state.categories):
        return "its categories do not belong to its columns"
    cut = {j for j, kind in enumerate(state.kinds) if kind == "number" and state.centred}
    if not set(state.pieces) <= cut or any(len(own.mean) > state.cuts for own in state.pieces.values()):
        return "its pieces do not belong to columns of numbers"
    if any(len(set(names)) != len(names) for names in state.categories.values()):
        return "a category occurs twice"
    return ""


def _distinct(names: list[str]) -> list[str]:
    taken, made = set(names), []
    seen: set[str] = set()
    for name in names:
        free, number = name, 2
        while free in seen or (free != name and free in taken):
            free, number = f"{name}_{number}", number + 1
        seen.add(free)
        made.append(free)
    return made
