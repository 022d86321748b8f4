"""How to train, as one frozen value.

`train(**settings)` builds a `Recipe`, estimators map their parameters to one, and records and files
hold it, so that no list of settings is written twice. Every field is a scalar, or a tuple with one
entry per member of the population.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.checks import nearest
from kilonet.errors import SettingError
from kilonet.optimizers import Adam, Optimizer, optimizer_from
from kilonet.rules import PER_MEMBER, checked, checked_seeds, one_for_all
from kilonet.schedules import Schedule, constant
from kilonet.stopping import Stopping

PerMember = float | tuple[float, ...]
"""A setting that is one number for everybody, or one number per member."""


@dataclass(frozen=True)
class Recipe:
    """How to train: hashable, comparable, and a plain dict through `to_json`.

    Build it with `Recipe.make`, which checks every field. optimizer, schedule: values; batch: rows
    of a step; epochs: counted from the very start of training, also when a run is resumed; l2, l1:
    penalties on the weights; dropout: share of hidden outputs set to 0; input_noise: standard
    deviation of what is added to the inputs; max_norm: longest allowed row of weights, None for no
    bound; order: what the shuffling of the rows is drawn from, None to keep their order; seeds: one
    per member; stopping: None or a `Stopping`; dtype: "float32" or "float64"; n_threads: None for
    as many as the machine offers; max_memory: bytes, or a text such as "2GB", that training may take,
    None for half of what is free; watch: epochs from one look at the insides of the networks to the next (see
    `kilonet.monitors`), 0 for none, "auto" for so many that the time does not matter.

    One per member may be: seeds, the rate, schedule, l2, l1, dropout, input_noise, max_norm, order, stopping. The
    kind of optimizer, batch, epochs, dtype, n_threads, max_memory and watch are the same for all.

    >>> recipe = Recipe.make(optimizer="sgd", rate=[0.1, 0.3], seeds=[0, 1], l2=1e-3)
    >>> recipe.n_members, recipe.per_member("rate"), recipe.per_member("l2")
    (2, array([0.1, 0.3]), array([0.001, 0.001]))
    >>> Recipe.from_json(recipe.to_json()) == recipe
    True
    """

    optimizer: Optimizer = Adam()
    schedule: Schedule | tuple[Schedule, ...] = constant
    batch: int = 32
    epochs: int = 20
    l2: PerMember = 0.0
    l1: PerMember = 0.0
    dropout: PerMember = 0.0
    input_noise: PerMember = 0.0
    max_norm: float | tuple[float | None, ...] | None = None
    order: int | tuple[int | None, ...] | None = 0
    seeds: tuple[int, ...] = (0,)
    stopping: Stopping | tuple[Stopping | None, ...] | None = None
    dtype: str = "float32"
    n_threads: int | None = None
    max_memory: int | None = None
    watch: int | str = "auto"

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
        one_for_all("optimizer", raw["optimizer"])
        optimizer = optimizer_from(raw["optimizer"])
        seeds = checked_seeds(raw["seeds"])
        rate = checked("rate", optimizer.rate if rate is None else rate, len(seeds))
        rest = {name: checked(name, raw[name], len(seeds)) for name in known if name not in ("optimizer", "seeds")}
        return Recipe(optimizer=replace(optimizer, rate=rate), seeds=seeds, **rest)

    @property
    def n_members(self) -> int:
        """Size of the population: one member per seed."""
        return len(self.seeds)

    def each(self, field: str) -> tuple[Any, ...]:
        """A setting that may be one per member, as one for every member.

        >>> Recipe.make(seeds=[0, 1], stopping=[None, Stopping()]).each("stopping")
        (None, Stopping(metric='loss', patience=10, min_delta=0.0))
        """
        value = self.optimizer.rate if field == "rate" else getattr(self, field)
        return value if isinstance(value, tuple) else (value,) * self.n_members

    def members(self, places: Sequence[int]) -> "Recipe":
        """The recipe of some of the members.

        >>> Recipe.make(seeds=[5, 6, 7], l2=[0.0, 0.1, 0.2]).members([2, 0]).l2
        (0.2, 0.0)
        """
        own = {f.name: getattr(self, f.name) for f in fields(self)}
        taken: dict[str, Any] = {k: tuple(v[i] for i in places) for k, v in own.items() if isinstance(v, tuple)}
        if isinstance(self.optimizer.rate, tuple):
            taken["optimizer"] = replace(self.optimizer, rate=tuple(self.optimizer.rate[i] for i in places))
        return replace(self, **taken)

    @classmethod
    def joined(cls, recipes: Sequence["Recipe"]) -> "Recipe":
        """One recipe of all their members; `shared` has to be the same for all of them.

        >>> both = Recipe.joined([Recipe.make(seeds=[1, 2], l2=0.1), Recipe.make(seeds=[3], l2=0.1, rate=0.5)])
        >>> both.seeds, both.l2, both.optimizer.rate
        ((1, 2, 3), 0.1, (0.001, 0.001, 0.5))
        """
        first = recipes[0]
        own = {name: _one_or_each([v for r in recipes for v in r.each(name)]) for name in PER_MEMBER}
        rate = own.pop("rate")
        seeds = tuple(seed for recipe in recipes for seed in recipe.seeds)
        return replace(first, optimizer=replace(first.optimizer, rate=rate), seeds=seeds, **own)

    @property
    def shared(self) -> "Recipe":
        """The recipe without what may differ between the members of one population, threads and memory included.

        >>> Recipe.make(l2=0.1, rate=0.5, seeds=[1, 2], epochs=7).shared == Recipe.make(epochs=7).shared
        True
        """
        blank = Recipe()
        plain = {name: getattr(blank, name) for name in PER_MEMBER if name != "rate"}
        optimizer = replace(self.optimizer, rate=1.0)
        return replace(self, optimizer=optimizer, seeds=(0,), n_threads=None, max_memory=None, **plain)

    @property
    def orders(self) -> tuple[int | None, ...]:
        """The order of every member as exact integers (a float64 could not hold them all)."""
        return self.each("order")

    def per_member(self, field: str) -> NDArray[np.float64]:
        """A numeric setting as float64 (n_members,); no max-norm is infinity.

        field: "rate", "l2", "l1", "dropout", "input_noise" or "max_norm".
        """
        if field not in NUMERIC:
            raise SettingError(f"{field!r} has no numeric value per member; known are {', '.join(NUMERIC)}.")
        return np.array([np.inf if v is None else v for v in self.each(field)], dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """The recipe as a dict of plain values that `json` can write."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {name: _plain(value) for name, value in values.items()}

    @classmethod
    def from_json(cls, description: Mapping[str, Any]) -> "Recipe":
        """The recipe that `to_json` described; every field is checked again."""
        return cls.make(**description)


def _one_or_each(values: list[Any]) -> Any:
    """One value where all are equal, else a tuple."""
    return values[0] if all(value == values[0] for value in values) else tuple(values)


def _plain(value: Any) -> Any:
    """A setting as JSON can hold it."""
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, Stopping):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    return value.to_json() if hasattr(value, "to_json") else value


NUMERIC = ("rate", "l2", "l1", "dropout", "input_noise", "max_norm")
"""Settings that are a number for each member."""

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
