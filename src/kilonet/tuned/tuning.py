"""What a network that tunes itself tries, and how it trains: one frozen value, so that defaults stand in one place."""

from dataclasses import dataclass, fields
from typing import Any

from kilonet.checks import choice, number, whole
from kilonet.errors import SettingError
from kilonet.search.grid import Grid
from kilonet.tables.pieces import checked


@dataclass(frozen=True, repr=False)
class Tuning:
    """What is tried, how each network is trained, and what is made of them.

    hidden, activation, numbers, l2, rate, dropout: the values of each, of which all combinations are tried. numbers:
    how networks are given them, pairs of pieces and bound as `TableEncoder` has them. hidden may hold (),
    the network without hidden layers, whose rate is ten times the others' and which has no dropout. smoothing: of the
    labels. optimizer, schedule, batch: as for `MLPClassifier`. passes, steps: at least so many of both, over the rows.
    folds: pairs (rows, folds): so many folds from so many rows on. first: how many of them "auto" shows to all
    configurations, before the better third of each shape goes on to the others. draws: how often folds are drawn anew,
    at most, unless a budget allows more; members: networks of each configuration and split.
    work: how much "auto" may do, in about nanoseconds of a core; with more rows it is less thorough first, and then
    more work; group: how much of it is trained in one population, whose end Ctrl-C does not wait for.
    combine: "best" takes the best configuration alone, "greedy" adds configurations one after another as long as that
    helps (Caruana et al. 2004). calibrate: whether by a temperature. robust: as `TableEncoder` has it.

    >>> Tuning(l2=(1e-3, 1e-2), hidden=((), (32,)), numbers=((0, None), (8, 3.0))).grid().size
    8
    """

    hidden: tuple[tuple[Any, ...], ...] = ((64, 64),)
    activation: tuple[Any, ...] = ("relu",)
    numbers: tuple[tuple[int, float | None], ...] = ((0, None), (16, 3.0))
    l2: tuple[float, ...] = (2e-4, 2e-3, 0.015, 0.12)
    rate: tuple[float, ...] = (5e-3,)
    dropout: tuple[float, ...] = (0.1,)
    smoothing: float = 0.0
    optimizer: str = "adam(beta2=0.99)"
    schedule: str = "cosine"
    batch: int = 64
    passes: int = 40
    steps: int = 600
    folds: tuple[tuple[int, int], ...] = ((0, 5),)
    first: int = 2
    draws: int = 1
    members: int = 1
    work: float = 1e10
    group: float = 2e10
    combine: str = "greedy"
    calibrate: bool = True
    robust: bool = False

    def __post_init__(self) -> None:
        """Refuse what cannot be used; what is tried is checked where the grid is made."""
        for name in ("batch", "passes", "steps", "first", "draws", "members"):
            whole(name, getattr(self, name))
        for pieces, bound in _pairs(self.numbers):
            checked(pieces)
            if bound is not None:
                number("bound", bound, "(0, inf)")
        number("smoothing", self.smoothing, "[0, 1)")
        number("work", self.work, "(0, inf)")
        choice("combine", self.combine, ("best", "greedy"))
        if not self.folds or self.folds[0][0] > 0:
            raise SettingError(f"folds came as {self.folds!r}; needs pairs (rows, folds), the first from 0 rows on.")

    def folds_of(self, n_rows: int) -> int:
        """Folds for so many rows.

        >>> Tuning(folds=((0, 10), (500, 5))).folds_of(499)
        10
        """
        return [folds for least, folds in self.folds if n_rows >= least][-1]

    def epochs(self, n_rows: int) -> int:
        """Passes over so many training rows.

        >>> Tuning().epochs(560), Tuning().epochs(10_000)
        (67, 40)
        """
        steps_a_pass = -(-n_rows // min(self.batch, n_rows))
        return max(self.passes, -(-self.steps // steps_a_pass))

    def grid(self, **given: Any) -> Grid:
        """All configurations; given: what a user wants instead of what stands here, None for nothing else.

        hidden: one network as `MLPClassifier` takes it, or a list of several. Raises SettingError for other values.
        """
        values = {name: getattr(self, name) if given.get(name) is None else given[name] for name in TRIED}
        hidden = values["hidden"]
        several = given.get("hidden") is None or isinstance(hidden, list)
        networks = list(hidden) if several else [hidden]
        made = Grid.of(
            networks,
            _listed(values["activation"]),
            {name: values[name] for name in ("l2", "rate", "dropout")},
            self.numbers,
        )
        single = any(isinstance(own, tuple | list) and len(own) == 0 for own in networks)
        architectures = tuple(own for own in made.architectures if own.hidden or single)
        rates = tuple(10 * rate for rate in self.rate) if given.get("rate") is None else ()
        return Grid(architectures, made.axes, rates)

    def __repr__(self) -> str:
        """Without what is not changed."""
        changed = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) != f.default}
        return f"Tuning({', '.join(f'{name}={value!r}' for name, value in changed.items())})"


TRIED = ("hidden", "activation", "l2", "rate", "dropout")
"""Settings of which several values may be tried."""


def _pairs(value: Any) -> list[tuple[Any, Any]]:
    """Pairs of pieces and bound. Raises SettingError for anything else."""
    if isinstance(value, tuple | list) and value and all(isinstance(own, tuple) and len(own) == 2 for own in value):
        return list(value)
    raise SettingError(f"numbers came as {value!r:.60}; needs pairs (pieces, bound), such as ((0, None), (16, 3.0)).")


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]
