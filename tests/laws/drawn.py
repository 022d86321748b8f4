"""Graphs of layers drawn at random: skips, concatenation, mixtures, maxout, PReLU and tied weights."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

import kilonet as kn
from kilonet.network import Dense, Maxout, Network, Same

UNITS = ["identity", "sigmoid", "tanh", "relu", "leaky_relu(0.2)", "elu(0.7)", "gelu", "softplus"]
SMALL = st.integers(1, 3)


@dataclass(frozen=True)
class Drawn:
    """A graph as it was given: layers in any order, and the units of each by name, those of the input among them."""

    layers: dict[str, Any]
    units: dict[str, int]

    @property
    def network(self) -> Network:
        return Network.from_layers(self.layers, n_inputs=self.units["input"])


@st.composite
def graphs(draw: Callable[[Any], Any], inputs: int, scores: int, widths: Any = SMALL) -> Drawn:
    """Up to four hidden layers, each of some that came before; the scores take all that nobody else does."""
    layers: dict[str, Any] = {}
    units: dict[str, int] = {"input": inputs}
    fans: dict[str, int] = {}
    for number in range(draw(st.integers(1, 4))):
        name = f"hidden{number}"
        source = tuple(draw(st.lists(st.sampled_from(list(units)), min_size=1, max_size=3)))
        fan_in = sum(units[one] for one in source)
        fitting = [other for other, fan in fans.items() if fan == fan_in]
        if fitting and draw(st.booleans()):
            other = draw(st.sampled_from(fitting))
            layers[name], units[name] = Same(other, source=source), units[other]
            continue
        fans[name], units[name] = fan_in, draw(widths)
        layers[name] = _layer(draw, units[name], source)
    used = {one for layer in layers.values() for one in taken(layer)}
    ends = [name for name in layers if name not in used]
    extra = draw(st.lists(st.sampled_from(list(units)), max_size=2))
    layers["scores"] = Dense(scores, source=tuple(draw(st.permutations(ends + extra))))
    units["scores"] = scores
    return Drawn(dict(draw(st.permutations(list(layers.items())))), units)


def _layer(draw: Callable[[Any], Any], units: int, source: tuple[str, ...]) -> Any:
    kind = draw(st.sampled_from(["plain", "plain", "mixed", "maxout", "prelu"]))
    if kind == "maxout":
        return Maxout(units, draw(st.integers(1, 3)), source=source)
    if kind == "prelu":
        return Dense(units, "prelu", source=source)  # type: ignore[arg-type]
    if kind == "plain":
        return Dense(units, draw(st.sampled_from(UNITS)), source=source)
    cuts = sorted(draw(st.sets(st.integers(1, units - 1), max_size=3))) if units > 1 else []
    sizes = [end - start for start, end in zip([0, *cuts], [*cuts, units], strict=True)]
    return Dense(units, kn.mixed(*((draw(st.sampled_from(UNITS)), size) for size in sizes)), source=source)


def taken(layer: Any) -> tuple[str, ...]:
    """The names of a layer's sources."""
    return (layer.source,) if isinstance(layer.source, str) else layer.source
