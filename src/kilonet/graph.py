"""Graphs of layers: which layer takes what, whose weights it has, and in which order they are computed."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from heapq import heapify, heappop, heappush
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from kilonet.activations import identity
from kilonet.checks import nearest, shown
from kilonet.errors import SettingError, ShapeError
from kilonet.layers import Dense, Layer, Maxout, Source, as_source
from kilonet.values import Family, Value, checked

INPUT = "input"  # names the inputs of the network


def _name(label: str, spec: object) -> str:
    if not isinstance(spec, str) or not spec:
        raise SettingError(f"{label} came as {shown(spec)}; needs the name of the layer that is applied once more.")
    return spec


@dataclass(frozen=True, repr=False)
class Same(Value):
    """The layer of that name applied at one more place of a graph: the same W and b, other inputs.

    >>> Same("hidden1", source="hidden2")
    Same('hidden1', source='hidden2')
    """

    name: ClassVar[str] = "same"
    layer: str = field(metadata=checked(_name))
    source: Source = field(default=None, metadata=checked(as_source))

    def __repr__(self) -> str:
        return self._text(type(self).__name__)


PLACES: Family[Any] = Family("layer", Dense(1), Maxout(1), Same("layer"))
Names = tuple[str, ...]


@dataclass(frozen=True)
class Graph:
    """Which layer takes what, in an order in which each comes after all that it takes.

    sources: of each layer the outputs that it takes side by side: 0 stands for the inputs of the network, i for
    layer i, counted from 1. owners: the place, from 0, whose parameters it has: its own, or those of another.

    >>> Graph.chain(2)
    Graph(sources=((0,), (1,)), owners=(0, 1))
    """

    sources: tuple[tuple[int, ...], ...]
    owners: tuple[int, ...]

    @classmethod
    def chain(cls, n_layers: int) -> "Graph":
        """Layers that follow one another."""
        return cls(tuple((place,) for place in range(n_layers)), tuple(range(n_layers)))

    @cached_property
    def is_chain(self) -> bool:
        """Whether layers follow one another, each with parameters of its own."""
        return self == Graph.chain(len(self.owners))

    @cached_property
    def own(self) -> tuple[int, ...]:
        """The places, from 0, of layers with parameters of their own."""
        return tuple(place for place, owner in enumerate(self.owners) if owner == place)

    def inputs(self, place: int, outputs: Sequence[Any]) -> Any:
        """What the layer at a place takes, (..., n, fan_in): outputs[0] are the network's inputs, outputs[i] layer i's.

        Members' axes are kept, and given to inputs that have none. Where sparse inputs stand beside others, they
        become dense.
        """
        given = [outputs[source] for source in self.sources[place]]
        if len(given) == 1:
            return given[0]
        dense = [part.toarray() if sparse.issparse(part) else part for part in given]
        lead = np.broadcast_shapes(*(part.shape[:-1] for part in dense))
        return np.concatenate([np.broadcast_to(part, (*lead, part.shape[-1])) for part in dense], axis=-1)

    def columns(self, place: int, sizes: Sequence[int]) -> Iterator[tuple[int, slice]]:
        """The sources of the layer at a place, each with its columns of W; sizes: of the inputs, then of the layers."""
        start = 0
        for source in self.sources[place]:
            yield source, slice(start, start + sizes[source])
            start += sizes[source]


def arranged(layers: Any, n_inputs: int) -> tuple[tuple[Layer, ...], Names, Graph]:
    """Return layers, names and graph of a mapping from names to layers, or of pairs of both, in topological order.

    Of layers that could come next the one that was given first comes next. Of a `Same` the layer that it applies. A
    Dense layer that gives the scores has no activation where none was said, unless it is applied elsewhere too.

    >>> arranged({"out": Dense(1, source="a"), "a": Dense(2, source="input")}, 3)[1:]
    (('a', 'out'), Graph(sources=((0,), (1,)), owners=(0, 1)))

    Raises SettingError for a name that is given twice or unknown, for a cycle, which it spells out, and where not one
    layer alone is left whose outputs nobody uses; ShapeError where a layer does not fit a place where it is applied.
    """
    given = _by_name(layers)
    sources = {name: _sources(name, layer, first=not place, known=given) for place, (name, layer) in
               enumerate(given.items())}  # fmt: skip
    owners = {name: _owner(name, layer, given) for name, layer in given.items()}
    order = _order(sources)
    _require_one_end(order, sources)
    number = {INPUT: 0} | {name: place + 1 for place, name in enumerate(order)}
    graph = Graph(
        tuple(tuple(number[source] for source in sources[name]) for name in order),
        tuple(number[owners[name]] - 1 for name in order),
    )
    built = [replace(given[owners[name]], source=None) for name in order]
    if graph.owners.count(len(order) - 1) == 1 and built[-1].activation is Dense.activation:
        built[-1] = replace(built[-1], activation=identity)  # none was said (one that was is another object)
    _require_fitting(graph, (n_inputs, *(layer.units for layer in built)), order)
    return tuple(built), tuple(order), graph


def _by_name(layers: Any) -> dict[str, Any]:
    """The layers by their names, as values. Raises SettingError for what has no name, or that of another."""
    if isinstance(layers, str | bytes) or not isinstance(layers, Iterable):
        raise SettingError(f'layers came as {shown(layers)}; needs a dict such as {{"hidden": kn.Dense(3), ...}}.')
    pairs = list(layers.items()) if isinstance(layers, Mapping) else list(layers)
    if not all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in pairs):
        raise SettingError(f"layers came as {shown(pairs)}; needs pairs of a name and a layer, or a dict of them.")
    if not pairs:
        raise SettingError("layers came empty; needs at least one layer, which gives the scores.")
    for name, _ in pairs:
        if not isinstance(name, str) or not name:
            raise SettingError(f"a layer came with {shown(name)} for a name; needs a name, a text that is not empty.")
        if name == INPUT:
            raise SettingError("a layer came with the name 'input', but 'input' names the inputs; name it otherwise.")
    twice = [name for name, times in Counter(name for name, _ in pairs).items() if times > 1]
    if twice:
        raise SettingError(
            f"two layers have the name {shown(twice[0])}; each needs one of its own. To apply a layer twice, write "
            f"kn.Same({twice[0]!r:.60}, source=...) under another name."
        )
    return {name: PLACES.parse(layer) for name, layer in pairs}


def _sources(name: str, layer: Any, first: bool, known: Mapping[str, Any]) -> Names:
    """The names of what a layer takes. Raises SettingError where none was said, or where one is unknown."""
    if layer.source is None:
        if first:
            return (INPUT,)
        raise SettingError(
            f'the layer {name!r} names no source; say source="input", or the layer whose outputs it takes. Only the '
            "layer that is given first takes the inputs without being told."
        )
    names: Names = layer.source if isinstance(layer.source, tuple) else (layer.source,)
    for source in names:
        if source != INPUT and source not in known:
            raise SettingError(
                f"the layer {name!r} takes its inputs from {shown(source)}, and no layer has that name; there are "
                f"{shown(', '.join([INPUT, *known]))}.{nearest(source, [INPUT, *known])}"
            )
    return names


def _owner(name: str, layer: Any, given: Mapping[str, Any]) -> str:
    """The name of the layer whose parameters one has."""
    if isinstance(layer, Layer):
        return name
    applied = given.get(layer.layer)
    if applied is None:
        hint = nearest(layer.layer, given)
        raise SettingError(f"the layer {name!r} applies {shown(layer.layer)}, and no layer has that name.{hint}")
    if isinstance(applied, Same):
        raise SettingError(
            f"the layer {name!r} applies {layer.layer!r}, which has no parameters of its own. "
            f"Write Same({applied.layer!r}), the layer that has them."
        )
    return str(layer.layer)


def _order(sources: Mapping[str, Names]) -> list[str]:
    """The names in topological order, as given where there is a choice. Raises SettingError for a cycle."""
    names = list(sources)
    place = {name: number for number, name in enumerate(names)}
    waiting = {name: len(set(own) - {INPUT}) for name, own in sources.items()}
    users = defaultdict(list)
    for name, own in sources.items():
        for source in set(own):
            users[source].append(name)
    ready = [place[name] for name in names if not waiting[name]]
    heapify(ready)
    order = []
    while ready:
        name = names[heappop(ready)]
        order.append(name)
        for user in users[name]:
            waiting[user] -= 1
            if not waiting[user]:
                heappush(ready, place[user])
    if len(order) < len(names):
        loop = _cycle({name: [s for s in sources[name] if waiting.get(s)] for name in names if waiting[name]})
        raise SettingError(
            f"the layers form a cycle: {' → '.join(loop)}; outputs would go round it without end. Give one of these "
            "layers another source."
        )
    return order


def _cycle(sources: Mapping[str, Sequence[str]]) -> list[str]:
    """A loop as outputs flow through it, its first layer at both ends; each layer takes something of another one."""
    name, seen = next(iter(sources)), dict[str, None]()
    while name not in seen:
        seen[name] = None
        name = sources[name][0]
    path = list(seen)
    loop = path[path.index(name) :][::-1]
    inside = set(loop)
    first = loop.index(next(known for known in sources if known in inside))
    loop = [*loop[first:], *loop[:first]]
    return [*loop, loop[0]] if len(loop) <= 12 else [*loop[:6], "…", *loop[-5:], loop[0]]


def _require_one_end(order: Sequence[str], sources: Mapping[str, Names]) -> None:
    used = {source for own in sources.values() for source in own}
    ends = [name for name in order if name not in used]
    if len(ends) > 1:
        raise SettingError(
            f"nobody uses the outputs of {' and '.join(shown(name) for name in ends[:5])}; one layer alone may be so, "
            "the one that gives the scores. Name the others in a source, or leave them out."
        )


def _require_fitting(graph: Graph, sizes: Sequence[int], names: Sequence[str]) -> None:
    """Raise ShapeError where a layer is applied to another number of inputs than it takes."""
    fans = [sum(sizes[source] for source in own) for own in graph.sources]
    for place, owner in enumerate(graph.owners):
        if fans[place] != fans[owner]:
            taken = ", ".join([INPUT, *names][source] for source in graph.sources[place])
            raise ShapeError(
                f"the layer {names[place]!r} applies {names[owner]!r}, which takes {fans[owner]} inputs, to "
                f"{fans[place]}: {taken}. Give it sources of {fans[owner]} outputs together, or a layer of its own."
            )
