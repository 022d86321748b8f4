"""How to train, as one frozen value.

`train(**settings)` builds a `Recipe`, estimators map their parameters to one, and records and files
hold it, so that no list of settings is written twice. Every field is a scalar, or a tuple with one
entry per member of the population.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.checks import choice, nearest, number, shown, whole
from kilonet.errors import SettingError
from kilonet.optimizers import Adam, Optimizer, optimizer_from
from kilonet.schedules import Schedule, constant, schedule_from

PerMember = float | tuple[float, ...]
"""A setting that is one number for everybody, or one number per member."""

_WORD_64 = f"[0, {2**64})"  # keys of the random numbers


@dataclass(frozen=True)
class Stopping:
    """Early stopping: when a member stops, judged on the validation set.

    metric: "loss" (smaller is better) or "score" (larger is better). A member stops when `patience`
    epochs in a row were not better than the best one by more than `min_delta`; it then gets back
    the parameters of its best epoch.

    >>> Stopping(patience=3)
    Stopping(metric='loss', patience=3, min_delta=0.0)
    """

    metric: str = "loss"
    patience: int = 10
    min_delta: float = 0.0

    def __post_init__(self) -> None:
        choice("Stopping's metric", self.metric, ("loss", "score"))
        object.__setattr__(self, "patience", whole("Stopping's patience", self.patience))
        object.__setattr__(self, "min_delta", number("Stopping's min_delta", self.min_delta, "[0, inf)"))


@dataclass(frozen=True)
class Recipe:
    """How to train: hashable, comparable, and a plain dict through `to_json`.

    Build it with `Recipe.make`, which checks every field. optimizer, schedule: values; batch: rows
    of a step; epochs: counted from the very start of training, also when a run is resumed; l2, l1:
    penalties on the weights; dropout: share of hidden outputs set to 0; input_noise: standard
    deviation of what is added to the inputs; max_norm: longest allowed row of weights, None for no
    bound; order: what the shuffling of the rows is drawn from, None to keep their order; seeds: one
    per member; stopping: None or a `Stopping`; dtype: "float32" or "float64"; n_threads: None for
    as many as the machine offers.

    >>> recipe = Recipe.make(optimizer="sgd", rate=[0.1, 0.3], seeds=[0, 1], l2=1e-3)
    >>> recipe.n_members, recipe.per_member("rate"), recipe.per_member("l2")
    (2, array([0.1, 0.3]), array([0.001, 0.001]))
    >>> Recipe.from_json(recipe.to_json()) == recipe
    True
    """

    optimizer: Optimizer = Adam()
    schedule: Schedule = constant
    batch: int = 32
    epochs: int = 20
    l2: PerMember = 0.0
    l1: PerMember = 0.0
    dropout: PerMember = 0.0
    input_noise: PerMember = 0.0
    max_norm: float | tuple[float | None, ...] | None = None
    order: int | tuple[int | None, ...] | None = 0
    seeds: tuple[int, ...] = (0,)
    stopping: Stopping | None = None
    dtype: str = "float32"
    n_threads: int | None = None

    @classmethod
    def make(cls, **settings: Any) -> "Recipe":
        """A checked recipe from loose settings; `rate=` replaces the optimizer's rate.

        Strings and dicts stand for optimizers and schedules, sequences and arrays for one entry per
        member. Raises SettingError naming the setting, what came and what is allowed.

        >>> Recipe.make(batch=0)
        Traceback (most recent call last):
        kilonet.errors.SettingError: batch came as 0; needs a whole number in [1, inf).
        """
        return cls().but(**settings)

    def but(self, **settings: Any) -> "Recipe":
        """The same recipe with some settings changed, checked like `make`.

        >>> Recipe.make(epochs=5).but(batch=8).epochs
        5
        """
        check_names(settings)
        known = [f.name for f in fields(self)]
        rate = settings.pop("rate", None)
        raw = {name: getattr(self, name) for name in known} | settings
        optimizer = optimizer_from(raw["optimizer"])
        seeds = _seeds(raw["seeds"])
        if rate is None:
            rate = optimizer.rate
        checked = {name: _CHECKS[name](name, raw[name]) for name in known if name in _CHECKS}
        for name, rule in _RULES.items():
            checked[name] = _each(name, raw[name], rule, len(seeds))
        rate = _each("rate", rate, lambda name, value: number(name, value, "(0, inf)"), len(seeds))
        optimizer = replace(optimizer, rate=rate)
        return Recipe(optimizer=optimizer, seeds=seeds, **checked)

    @property
    def n_members(self) -> int:
        """Size of the population: one member per seed."""
        return len(self.seeds)

    @property
    def orders(self) -> tuple[int | None, ...]:
        """The order of every member as exact integers (a float64 could not hold them all)."""
        return self.order if isinstance(self.order, tuple) else (self.order,) * self.n_members

    def per_member(self, field: str) -> NDArray[np.float64]:
        """A numeric setting as float64 (n_members,); no max-norm is infinity.

        field: "rate", "l2", "l1", "dropout", "input_noise" or "max_norm".
        """
        if field not in _PER_MEMBER:
            raise SettingError(f"{field!r} has no numeric value per member; known are {', '.join(_PER_MEMBER)}.")
        value = self.optimizer.rate if field == "rate" else getattr(self, field)
        entries = value if isinstance(value, tuple) else (value,) * self.n_members
        return np.array([np.inf if v is None else v for v in entries], dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """The recipe as a dict of plain values that `json` can write."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        plain = {name: list(v) if isinstance(v, tuple) else v for name, v in values.items()}
        plain["optimizer"] = self.optimizer.to_json()
        plain["schedule"] = self.schedule.to_json()
        if self.stopping is not None:
            plain["stopping"] = {f.name: getattr(self.stopping, f.name) for f in fields(self.stopping)}
        return plain

    @classmethod
    def from_json(cls, description: Mapping[str, Any]) -> "Recipe":
        """The recipe that `to_json` described; every field is checked again."""
        return cls.make(**description)


RENAMED = {
    "lr": "rate", "learning_rate_init": "rate", "batch_size": "batch", "n_epochs": "epochs", "max_iter": "epochs",
    "weight_decay": "l2", "random_state": "seed", "callbacks": "callback",
}  # fmt: skip
"""What other libraries call a setting that means the same here."""

DIFFERENT = {
    "alpha": "l2; alpha is divided by the rows of a batch, l2 is not: l2 = alpha / batch",
    "learning_rate": 'rate, a number, and schedule="constant", "cosine", ...; there is no "adaptive"',
}
"""What stands here for a setting of other libraries that has no equal."""


def check_names(names: Iterable[str], also: Iterable[str] = ()) -> None:
    """Raise SettingError for a name that is neither a setting of `Recipe.make` nor one of `also`, with a hint.

    >>> check_names(["batch_size"])
    Traceback (most recent call last):
    kilonet.errors.SettingError: unknown setting 'batch_size'; needs one of ... Did you mean batch?
    """
    known = dict.fromkeys([*(f.name for f in fields(Recipe)), "rate", *also])
    for name in names:
        if name not in known:
            hint = nearest(RENAMED.get(name, name), known)
            if name in DIFFERENT:
                hint = f" Instead of {name} there is {DIFFERENT[name]}."
            raise SettingError(f"unknown setting {name!r}; needs one of {', '.join(known)}.{hint}")


def _each(name: str, value: Any, check: Callable[[str, Any], Any], n_members: int) -> Any:
    """One checked entry for everybody, or a tuple with one per member."""
    if not isinstance(value, list | tuple | range) and np.ndim(value) == 0:
        return check(name, value.item() if isinstance(value, np.ndarray) else value)
    if len(value) != n_members:
        raise SettingError(
            f"{name} has {len(value)} entries, but there are {n_members} members (one per seed); "
            f"give one value for everybody or exactly {n_members}."
        )
    return tuple(check(f"{name}[{member}]", entry) for member, entry in enumerate(value))


def _seeds(value: Any) -> tuple[int, ...]:
    if isinstance(value, str | bytes) or np.ndim(value) != 1 or len(value) == 0:
        raise SettingError(f"seeds came as {shown(value)}; needs a sequence of whole numbers, one per member.")
    return tuple(whole(f"seeds[{member}]", seed, _WORD_64) for member, seed in enumerate(value))


def _share(name: str, value: Any) -> float:
    share = number(name, value, "[0, 1)")
    if math.floor(65536 * share + 0.5) == 65536:  # 16 random bits are compared with this threshold
        raise SettingError(f"{name} came as {shown(value)}, which would drop every unit; needs at most 0.9999.")
    return share


def _order(name: str, value: Any) -> int | None:
    return None if value is None else whole(name, value, _WORD_64)


def _bound(name: str, value: Any) -> float | None:
    return None if value is None else number(name, value, "(0, inf)")


def _stopping(name: str, value: Any) -> Stopping | None:
    if isinstance(value, Mapping):
        return Stopping(**value)
    if value is None or isinstance(value, Stopping):
        return value
    raise SettingError(f"{name} came as {shown(value)}; needs None or a Stopping, such as Stopping(patience=5).")


def _dtype(name: str, value: Any) -> str:
    try:
        chosen = "" if value is None else np.dtype(value).name  # NumPy reads None as float64, which nobody asked for
    except TypeError:
        chosen = ""
    if chosen not in ("float32", "float64"):
        raise SettingError(f"{name} came as {shown(value)}; needs float32 or float64.")
    return chosen


_RULES: dict[str, Callable[[str, Any], Any]] = {
    "l2": lambda name, value: number(name, value, "[0, inf)"),
    "l1": lambda name, value: number(name, value, "[0, inf)"),
    "dropout": _share,
    "input_noise": lambda name, value: number(name, value, "[0, inf)"),
    "max_norm": _bound,
    "order": _order,
}
_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "schedule": lambda _, value: schedule_from(value),
    "batch": whole,
    "epochs": whole,
    "stopping": _stopping,
    "dtype": _dtype,
    "n_threads": lambda name, value: None if value is None else whole(name, value),
}
_PER_MEMBER = ("rate", "l2", "l1", "dropout", "input_noise", "max_norm")
