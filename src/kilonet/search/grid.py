"""Which configurations a search tries: products of lists, and what lies one step beyond their ends."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Integral
from typing import Any

from kilonet.activations import Activation, activation_from
from kilonet.checks import number, shown, whole
from kilonet.errors import SettingError
from kilonet.layers import Dense, Maxout

TUNED = ("l2", "rate", "dropout", "input_noise")
"""Settings of which every architecture is given its own best ones."""

_INTERVALS = {"l2": "[0, inf)", "rate": "(0, inf)", "dropout": "[0, 1)", "input_noise": "[0, inf)"}
_SMALL = 1000  # rows below which a default network has at most 64 units in a layer
_MOST = 100_000  # candidates of one grid


@dataclass(frozen=True)
class Architecture:
    """Hidden layers and the activation of those that bring none: a name, or an object of the user's own.

    activation_name: what tells it from the other activations of a grid. pieces: into how many pieces its encoder cuts
    numbers, None for the estimator's own.

    >>> Architecture((64, 20), "relu", pieces=8).text, Architecture((), "relu").text
    ('64-20 relu, numbers in 8 pieces', 'no hidden layer')
    """

    hidden: tuple[Any, ...]
    activation: Any = field(compare=False, repr=False)  # an object of the user's own may have no hash
    activation_name: str = ""
    pieces: int | None = None

    def __post_init__(self) -> None:
        """Without a name, the activation's own."""
        object.__setattr__(self, "activation_name", self.activation_name or _name(self.activation))

    @property
    def text(self) -> str:
        """In a few words."""
        return ", ".join(self.parts)

    @property
    def parts(self) -> list[str]:
        """What it is made of, and how it is given numbers, in a few words each."""
        sizes = "-".join(str(layer) if isinstance(layer, int) else repr(layer) for layer in self.hidden)
        own = f"{sizes} {self.activation_name}" if self.hidden else "no hidden layer"
        return [own, f"numbers in {self.pieces} pieces"] if self.pieces else [own]


@dataclass(frozen=True)
class Candidate:
    """An architecture with the rest of what is tried; tuned: one value for each of TUNED, None for the estimator's.

    >>> Candidate(Architecture((20,), "relu"), (0.01, None, None, None)).params
    {'hidden': (20,), 'activation': 'relu', 'l2': 0.01}
    """

    architecture: Architecture
    tuned: tuple[float | None, ...]
    origin: str = "grid"

    @property
    def params(self) -> dict[str, Any]:
        """Parameters of the estimator."""
        own = {name: value for name, value in zip(TUNED, self.tuned, strict=True) if value is not None}
        cut = {} if self.architecture.pieces is None else {"encode__pieces": self.architecture.pieces}
        return {"hidden": self.architecture.hidden, "activation": self.architecture.activation} | cut | own

    @property
    def text(self) -> str:
        """In a few words."""
        return ", ".join(filter(None, (self.architecture.text, self.settings)))

    @property
    def settings(self) -> str:
        """What is tuned, in a few words; nothing where nothing is."""
        signs = {"l2": "λ=", "rate": "rate=", "dropout": "dropout=", "input_noise": "noise="}
        own = zip(TUNED, self.tuned, strict=True)
        return ", ".join(f"{signs[name]}{value:g}" for name, value in own if value is not None)

    def but(self, origin: str, **changes: float) -> "Candidate":
        """The same with other tuned settings."""
        own = dict(zip(TUNED, self.tuned, strict=True)) | changes
        return Candidate(self.architecture, tuple(own[name] for name in TUNED), origin)


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
    def of(cls, hidden: Any, activation: Any, tuned: Mapping[str, Any], pieces: Any = (None,)) -> "Grid":
        """From what a user gave. Raises SettingError for what is no list of values, or none of the kind.

        >>> len(Grid.of([3, (6,), (64, 64)], "relu", {"l2": [1e-3, 1e-2]}).candidates)
        8
        """
        layers = [_hidden(f"hidden[{i}]", value) for i, value in enumerate(_listed("hidden", hidden))]
        units = _named([_activation(value) for value in _listed("activation", activation)])
        several = ((own, unit) for own, unit in itertools.product(layers, units) if own)
        shapes: list[Any] = [((), units[0]), *several]  # the single-layer network is always there to be beaten
        found = [Architecture(own, unit, name, cut) for cut in pieces for own, (unit, name) in shapes]
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

    def apart(self, widths: Mapping[Architecture, int]) -> "Grid":
        """Without those that only the number of pieces tells apart where none is cut; widths: inputs of each."""
        found: dict[Any, Architecture] = {}
        for own in self.architectures:
            found.setdefault((replace(own, pieces=None), widths[own]), own)
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


def _name(activation: Any) -> str:
    """What an activation is called: one of the user's own by its text, or by its kind where that holds an address."""
    text = str(activation)
    return type(activation).__name__ if " at 0x" in text else text.rpartition("<locals>.")[2]


def _named(activations: Sequence[Any]) -> list[tuple[Any, str]]:
    """Activations with names; different objects of one name are numbered.

    >>> [name for _, name in _named(["relu", object(), object()])]
    ['relu', 'object', 'object 2']
    """
    found: list[tuple[Any, str]] = []
    for own in activations:
        if any(own is other for other, _ in found):
            continue
        same = sum(_name(other) == _name(own) for other, _ in found)
        if same and isinstance(own, str):
            continue
        found.append((own, f"{_name(own)} {same + 1}" if same else _name(own)))
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
