"""What a network consists of: counts, the summary, drawings and the description, all without any numbers."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from typing import Any

from kilonet.drawing import Box, aligned, as_dot, as_svg, as_text
from kilonet.graph import INPUT, Graph, Names, Same
from kilonet.layers import Layer, Shape


@dataclass(frozen=True, repr=False)
class Structure:
    """Inputs, layers and how they hang together; `Network` adds the parameters.

    layers: of every place, in topological order; a layer that is applied at two places is there twice. names: of the
    places; networks that differ in names alone are equal. graph: who takes what.
    """

    n_inputs: int
    layers: tuple[Layer, ...]
    names: Names = field(compare=False)
    graph: Graph

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of inputs, then of units in each layer."""
        return (self.n_inputs, *(layer.units for layer in self.layers))

    @cached_property
    def fan_ins(self) -> tuple[int, ...]:
        """How many numbers each layer takes: the units of all its sources."""
        sizes = self.sizes
        return tuple(sum(sizes[source] for source in sources) for sources in self.graph.sources)

    @property
    def n_outputs(self) -> int:
        """How many scores the network emits for an example."""
        return self.layers[-1].units

    @property
    def n_layers(self) -> int:
        """How many layers there are, one that is applied at two places twice; the input is not counted."""
        return len(self.layers)

    @property
    def n_neurons(self) -> int:
        """How many units all layers have together; inputs are not counted."""
        return sum(layer.units for layer in self.layers)

    @property
    def n_weights(self) -> int:
        """How many entries all W have together."""
        return sum(prod(weights) for weights, _, _ in self._shapes)

    @property
    def n_connections(self) -> int:
        """How many products with a weight an example takes: n_weights, and those of tied weights at each place.

        >>> from kilonet.network import Dense, Network
        >>> layers = {"first": Dense(3), "again": Same("first", source="first"), "end": Dense(1, source="again")}
        >>> net = Network.from_layers(layers, n_inputs=3)
        >>> net.n_weights, net.n_connections
        (12, 21)
        """
        return sum(prod(layer.weight_shape(fan)) for layer, fan in zip(self.layers, self.fan_ins, strict=True))

    @property
    def n_biases(self) -> int:
        """How many entries all b have together."""
        return sum(prod(biases) for _, biases, _ in self._shapes)

    @cached_property
    def n_parameters(self) -> int:
        """The length of theta: weights, biases and PReLU slopes; those of a layer at two places are there once."""
        return self.n_weights + self.n_biases + sum(alphas for _, _, alphas in self._shapes)

    @cached_property
    def _shapes(self) -> tuple[tuple[Shape, Shape, int], ...]:
        """Of the layers with parameters of their own: of W, of b, and how many alphas."""
        own = [(self.layers[place], self.fan_ins[place]) for place in self.graph.own]
        return tuple((layer.weight_shape(fan_in), layer.bias_shape, layer.n_alphas) for layer, fan_in in own)

    def summary(self) -> str:
        """Return a table of the layers: shape, unit, weights, biases and parameters, with totals.

        Graphs have names, sources and connections too.

        >>> from kilonet.network import Network
        >>> print(Network([3, 4, 2]).summary())
        layer  shape  unit       weights  biases  parameters
        1      3 → 4  relu            12       4          16
        2      4 → 2  identity         8       2          10
        total  3-4-2  6 neurons       20       6          26
        """
        chain = self.graph.is_chain
        counted = ("weights", "biases", "parameters")
        head = ("layer", "shape", "unit") if chain else ("layer", "source", "shape", "unit", "connections")
        rows: list[tuple[str, ...]] = [(*head, *counted)]
        for i, box in enumerate(self._boxes()[1:]):
            layer, fan_in = self.layers[i], self.fan_ins[i]
            connections, b = prod(layer.weight_shape(fan_in)), prod(layer.bias_shape)
            own = self.graph.owners[i] == i
            parts = (connections, b, connections + b + layer.n_alphas) if own else (0, 0, 0)
            counts, shape = [f"{part:,}" for part in parts], f"{fan_in} → {layer.units}"
            unit = layer.unit if own else f"{layer.unit}, {box.note}"
            graph = (box.name, self._sources(i, ", "), shape, unit, f"{connections:,}")
            rows.append((f"{i + 1}", shape, unit, *counts) if chain else (*graph, *counts))
        neurons = f"{self.n_neurons:,} neuron{'s' if self.n_neurons > 1 else ''}"
        totals = (f"{self.n_weights:,}", f"{self.n_biases:,}", f"{self.n_parameters:,}")
        ends = ("total", "", f"{self.n_inputs} → {self.n_outputs}", neurons, f"{self.n_connections:,}", *totals)
        rows.append(("total", "-".join(map(str, self.sizes)), neurons, *totals) if chain else ends)
        return aligned(rows, texts=3 if chain else 4)

    def draw(self) -> str:
        """Return a drawing in characters: a line for each layer, its units as circles, and what it takes.

        >>> from kilonet.network import Dense, Network
        >>> layers = {"hidden": Dense(20), "scores": Dense(2, "identity", source=("hidden", "input"))}
        >>> print(Network.from_layers(layers, n_inputs=3).draw())
        input   ○ ○ ○          3 inputs
        hidden  ○ ○ ○ … ○ ○ ○  20 relu     ← input
        scores  ○ ○            2 identity  ← hidden, input
        """
        return as_text(self._boxes())

    def to_svg(self) -> str:
        """Return a drawing as the text of an SVG file: layers from left to right, units as circles.

        Of wide layers the first and the last units are drawn, with an ellipsis between them. What passes by a layer
        is drawn as an arc above it.
        """
        return as_svg(self._boxes())

    def to_dot(self) -> str:
        """Return the drawing in the language of Graphviz: `dot -Tpdf network.dot -o network.pdf` makes a page of it."""
        return as_dot(self._boxes())

    def to_json(self) -> dict[str, Any]:
        """Return a description ready for json.dumps; from_json reads it back.

        >>> from kilonet.network import Network
        >>> Network.from_json(Network([3, 4, 1]).to_json()) == Network([3, 4, 1])
        True
        """
        if self._plain:
            return {"n_inputs": self.n_inputs, "layers": [layer.to_json() for layer in self.layers]}
        layers = [layer.to_json() for layer in self._placed().values()]
        return {"n_inputs": self.n_inputs, "layers": layers, "names": list(self.names)}

    @property
    def _plain(self) -> bool:
        """Whether it is a chain whose names are those that chains have."""
        return self.graph.is_chain and self.names == names_of_chain(self.n_layers)

    def _placed(self) -> dict[str, Any]:
        """What from_layers makes it of: by their names the layers with their sources, and the Sames."""
        known, found = (INPUT, *self.names), dict[str, Any]()
        for place, (name, sources) in enumerate(zip(self.names, self.graph.sources, strict=True)):
            source, owner = tuple(known[number] for number in sources), self.graph.owners[place]
            layer: Any = self.layers[place]
            found[name] = replace(layer, source=source) if owner == place else Same(self.names[owner], source)
        return found

    def _sources(self, place: int, between: str) -> str:
        return between.join((INPUT, *self.names)[source] for source in self.graph.sources[place])

    def _boxes(self) -> list[Box]:
        """The inputs and the layers, as drawings show them."""
        boxes = [Box(INPUT, self.n_inputs, f"input{'s' if self.n_inputs > 1 else ''}", (), "")]
        for place, (name, layer) in enumerate(zip(self.names, self.layers, strict=True)):
            owner = self.graph.owners[place]
            note = "" if owner == place else f"as {self.names[owner]}"
            boxes.append(Box(name, layer.units, layer.unit, self.graph.sources[place], note))
        return boxes

    def __repr__(self) -> str:
        if self._plain:
            return f"Network([{', '.join(map(repr, (self.n_inputs, *self.layers)))}])"
        return f"Network.from_layers({self._placed()!r}, n_inputs={self.n_inputs})"


def names_of_chain(n_layers: int) -> Names:
    """The names that layers have where nobody gave any.

    >>> names_of_chain(3)
    ('hidden1', 'hidden2', 'scores')
    """
    return (*(f"hidden{place}" for place in range(1, n_layers)), "scores")
