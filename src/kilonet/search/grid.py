"""Which configurations a search tries: products of lists, and what lies one step beyond their ends."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

from kilonet.activations import Activation, activation_from
from kilonet.checks import number, shown, whole
from kilonet.errors import SettingError
from kilonet.layers import Dense, Maxout
from kilonet.search.candidates import TUNED, Architecture, Candidate, name_of

_INTERVALS = {"l2": "[0, inf)", "rate": "(0, inf)", "dropout": "[0, 1)", "input_noise": "[0, inf)"}
_SMALL = 1000  # rows below which a default network has at most 64 units in a layer
_MOST = 100_000  # candidates of one grid


@dataclass(frozen=True)
class Grid:
    """Every architecture with every combination of tuned values.

    axes: the values of each of TUNED, () for none. single_rates: those of the network without hidden layers, where
    they are others: its weights themselves have to grow to the size of the answer.
    """

    architectures: tuple[Architecture, ...]
    axes: tuple[tuple[float, ...], ...]
    single_rates: tuple[float, ...] = ()

    @classmethod
    def of(cls, hidden: Any, activation: Any, tuned: Mapping[str, Any], numbers: Any = (None,)) -> "Grid":
        """From what a user gave. Raises SettingError for what is no list of values, or none of the kind.

        >>> len(Grid.of([3, (6,), (64, 64)], "relu", {"l2": [1e-3, 1e-2]}).candidates)
        8
        """
        layers = [_hidden(f"hidden[{i}]", value) for i, value in enumerate(_listed("hidden", hidden))]
        units = _named([_activation(value) for value in _listed("activation", activation)])
        several = ((own, unit) for own, unit in itertools.product(layers, units) if own)
        shapes: list[Any] = [((), units[0]), *several]  # the single-layer network is always there to be beaten
        found = [Architecture(own, unit, name, how) for how in numbers for own, (unit, name) in shapes]
        axes = tuple(_axis(name, tuned) for name in TUNED)
        rates = () if tuned.get("rate") is not DEFAULT_RATE else tuple(10 * rate for rate in DEFAULT_RATE)
        grid = cls(tuple(dict.fromkeys(found)), axes, rates)
        if grid.size > _MOST:
            raise SettingError(f"the grid has {grid.size:,} candidates; needs {_MOST:,} at most. Leave out values.")
        return grid

    @property
    def size(self) -> int:
        """How many candidates there are."""
        count = len(self.architectures)
        for axis in self.axes:
            count *= max(1, len(axis))
        return count

    @property
    def candidates(self) -> list[Candidate]:
        """All of them, those of one architecture one after another."""
        return [
            Candidate(own, values)
            for own in self.architectures
            for values in itertools.product(*(axis or (None,) for axis in self._axes_of(own)))
        ]

    def apart(self, inputs: Mapping[Architecture, Any]) -> "Grid":
        """Without those that differ only in how numbers are given where all get the same; inputs: what each gets."""
        found: dict[Any, Architecture] = {}
        for own in self.architectures:
            found.setdefault((replace(own, numbers=None), inputs[own]), own)
        return replace(self, architectures=tuple(found.values()))

    def _axes_of(self, architecture: Architecture) -> tuple[tuple[float, ...], ...]:
        """The axes; a network without hidden layers has rates of its own, if there are any, and nothing to drop out."""
        if architecture.hidden:
            return self.axes
        own = dict(zip(TUNED, self.axes, strict=True))
        return tuple((own | {"rate": self.single_rates or own["rate"], "dropout": own["dropout"] and (0.0,)}).values())

    def beyond(self, candidate: Candidate) -> list[Candidate]:
        """What lies one step beyond the grid where a candidate stands at its edge: l2 and rate grow by the last factor.

        >>> grid = Grid.of([20], "relu", {"l2": [1e-3, 1e-2], "rate": [0.1]})
        >>> [found.text for found in grid.beyond(grid.candidates[-1])]
        ['20 relu, λ=0.1, rate=0.1']
        """
        found = []
        for name, axis in zip(TUNED, self._axes_of(candidate.architecture), strict=True):
            value = dict(zip(TUNED, candidate.tuned, strict=True))[name]
            if name not in ("l2", "rate") or len(axis) < 2 or value is None or value <= 0:
                continue
            if value >= axis[-1]:
                found.append(candidate.but("edge", **{name: _step(value, axis[-1] / axis[-2] if axis[-2] else 10.0)}))
            elif value <= axis[0]:
                found.append(candidate.but("edge", **{name: _step(value, axis[0] / axis[1])}))
        return found

    def rescues(self, candidate: Candidate) -> list[Candidate]:
        """A candidate that over-fits, regularized more: stronger l2, dropout, input noise."""
        l2 = dict(zip(TUNED, candidate.tuned, strict=True))["l2"] or 1e-4
        ways = ({"l2": _step(l2, 10.0)}, {"dropout": 0.2}, {"dropout": 0.5}, {"input_noise": 0.3},
                {"l2": _step(l2, 10.0), "dropout": 0.2})  # fmt: skip
        return [candidate.but("rescue", **way) for way in ways]


def _step(value: float, factor: float) -> float:
    """A product without the last digits that would make two of the same value."""
    return float(f"{value * factor:.6g}")


def _axis(name: str, tuned: Mapping[str, Any]) -> tuple[float, ...]:
    """The values of a setting in their order, each once."""
    values = enumerate([] if tuned.get(name) is None else _listed(name, tuned[name]))
    return tuple(sorted({number(f"{name}[{i}]", value, _INTERVALS[name]) for i, value in values}))


def _listed(name: str, value: Any) -> list[Any]:
    """The values of an axis. Raises SettingError for an empty one."""
    single = isinstance(value, str | Dense | Maxout) or not isinstance(value, Iterable)
    found = [value] if single else list(value)
    if not found:
        raise SettingError(f"{name} came as {shown(value)}; needs at least one value to try.")
    return found


def _activation(value: Any) -> Any:
    """The name of one of ours, which tells all about it; any other object itself."""
    return str(found) if isinstance(found := activation_from(value), Activation) else found


def _named(activations: Sequence[Any]) -> list[tuple[Any, str]]:
    """Activations with names; different objects of one name are numbered.

    >>> [name for _, name in _named(["relu", object(), object()])]
    ['relu', 'object', 'object 2']
    """
    found: list[tuple[Any, str]] = []
    for own in activations:
        if any(own is other for other, _ in found):
            continue
        same = sum(name_of(other) == name_of(own) for other, _ in found)
        if same and isinstance(own, str):
            continue
        found.append((own, f"{name_of(own)} {same + 1}" if same else name_of(own)))
    return found


def _hidden(label: str, value: Any) -> tuple[Any, ...]:
    if isinstance(value, Integral | Dense | Maxout):
        value = (value,)
    if isinstance(value, str) or not isinstance(value, Iterable):
        raise SettingError(
            f"{label} came as {shown(value)}; needs a number of units or a tuple of them, such as (64, 20)."
        )
    return tuple(layer if isinstance(layer, Dense | Maxout) else whole(label, layer) for layer in value)


def default_hidden(n_rows: int) -> list[tuple[int, ...]]:
    """Hidden layers that are worth trying on so many rows.

    >>> default_hidden(300)
    [(4,), (16,), (64,), (64, 64)]
    """
    if n_rows < _SMALL:
        return [(4,), (16,), (64,), (64, 64)]
    return [(8,), (32,), (128,), (64, 64)]


DEFAULT_L2 = (1e-4, 1e-3, 1e-2, 1e-1)
DEFAULT_RATE = (1e-3, 1e-2)
