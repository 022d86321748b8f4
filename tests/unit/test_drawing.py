"""Drawings: what stands in them, that they are valid whatever the names, and that wide layers stay short."""

import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

import kilonet as kn
from kilonet.drawing import MOST, Box, _lines, shown_units

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = 'a "b" <c> & \\ {d}\n] \x00 €'


def graph(**more: Any) -> kn.Network:
    layers = {
        "first": kn.Dense(4, kn.tanh),
        "wide": kn.Dense(1000, source="first"),
        "again": kn.Same("first", source="input"),
        "scores": kn.Dense(2, source=("wide", "again", "input")),
    }
    return kn.Network.from_layers(layers | more, n_inputs=3)


def test_which_units_are_drawn() -> None:
    assert shown_units(MOST) == list(range(MOST))
    assert shown_units(MOST + 1) == [0, 1, 2, None, MOST - 2, MOST - 1, MOST]


def test_the_text_has_a_line_for_each_layer() -> None:
    assert graph().draw().splitlines() == [
        "input   ○ ○ ○          3 inputs",
        "first   ○ ○ ○ ○        4 tanh      ← input",
        "wide    ○ ○ ○ … ○ ○ ○  1,000 relu  ← first",
        "again   ○ ○ ○ ○        4 tanh      ← input (as first)",
        "scores  ○ ○            2 identity  ← wide, again, input",
    ]
    assert kn.Network([1, 1]).draw().splitlines()[0] == "input   ○  1 input"


def circles(svg: str) -> list[tuple[float, float, str]]:
    root = ET.fromstring(svg)  # noqa: S314 (made here)
    found = [(c.get("cx"), c.get("cy"), c.get("fill")) for c in root.iter(f"{SVG}circle")]
    return [(float(x or 0), float(y or 0), str(fill)) for x, y, fill in found]


def test_the_svg_has_the_units_the_lines_and_the_names() -> None:
    net = graph()
    svg = net.to_svg()
    root = ET.fromstring(svg)  # noqa: S314 (made here)
    places = circles(svg)
    assert len(places) == 3 + 4 + 6 + 4 + 2
    columns = sorted({x for x, _, _ in places})
    assert [sum(x == column for x, _, _ in places) for column in columns] == [3, 4 + 4, 6, 2]
    assert len(set(places)) == len(places)
    assert [fill for x, _, fill in places if x == columns[1]] == ["#cfe3f5"] * 8  # the same weights
    assert {fill for x, _, fill in places if x != columns[1]} == {"white"}
    assert len(list(root.iter(f"{SVG}line"))) == 3 * 4 + 3 * 4 + 4 * 6 + 6 * 2
    assert len(list(root.iter(f"{SVG}path"))) == 2  # past the wide layer: of again and of the inputs
    texts = [text.text for text in root.iter(f"{SVG}text")]
    for said in ("input", "3 inputs", "wide", "1,000 relu", "⋮", "as first", "2 identity"):
        assert said in texts
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    assert all(0 < x < width and 0 < y < height for x, y, _ in places)


@pytest.mark.parametrize("layers", [[1, 1], [784, 256, 128, 10], [2] * 12])
def test_chains_are_drawn_too(layers: list[int]) -> None:
    net = kn.Network(layers)
    assert len(circles(net.to_svg())) == sum(min(units, 6 if units > MOST else MOST) for units in layers)
    assert "path" not in net.to_svg()
    assert net.draw().count("\n") == len(layers) - 1
    assert net.to_dot().count("->") == len(layers) - 1


def test_any_name_makes_valid_files() -> None:
    layers = {HOSTILE: kn.Dense(3), "end": kn.Dense(2, source=(HOSTILE, "input"))}
    net = kn.Network.from_layers(layers, n_inputs=3)
    root = ET.fromstring(net.to_svg())  # noqa: S314 (made here)
    assert any("<c> & \\ {d}" in (text.text or "") for text in root.iter(f"{SVG}text"))
    assert len(net.draw().splitlines()) == 3
    dot = net.to_dot()
    outside = re.sub(r'"(?:[^"\\\n]|\\.)*"', "", dot)  # without strings
    assert '"' not in outside
    assert outside.count("{") == outside.count("}") == 1 + 3 + 2 * 3
    assert 'a \\"b\\" <c> & \\\\ {d} ]' in dot
    assert "\x00" not in dot


def test_graphviz_source_names_every_drawn_unit_before_it_is_used() -> None:
    dot = graph().to_dot()
    known = re.findall(r"^    (u\d+_\d+)", dot, re.MULTILINE)
    assert len(known) == len(set(known)) == 3 + 4 + 7 + 4 + 2  # an ellipsis has a place of its own
    used = set(re.findall(r"u\d+_\d+", "".join(line for line in dot.splitlines() if "->" in line)))
    assert used == set(known) - {"u2_3"}
    assert dot.count("->") == 1 + 1 + 1 + 3
    assert dot.count("⋮") == 1


def terminal_columns(line: str) -> int:
    """Korean letters take two columns of a terminal, and accents that stand alone none."""
    return sum(0 if letter == "\u0301" else 2 if "가" <= letter <= "힣" else 1 for letter in line)


def test_columns_stand_below_one_another_in_any_script() -> None:
    layers = {
        "은닉층": kn.Dense(3),
        "cafe\u0301 \u0301": kn.Dense(4, source="은닉층"),
        "점수": kn.Dense(2, source=("은닉층", "cafe\u0301 \u0301")),
    }
    net = kn.Network.from_layers(layers, n_inputs=3)
    drawn = net.draw().splitlines()
    assert {terminal_columns(line[: line.index("○")]) for line in drawn} == {6 + 2}
    assert len({terminal_columns(line) for line in net.summary().splitlines()}) == 1


def test_a_name_never_breaks_a_line_of_a_table() -> None:
    net = kn.Network.from_layers(
        {"a\nb\x1b[31m": kn.Dense(3), "end": kn.Dense(2, source=("a\nb\x1b[31m", "input"))}, n_inputs=3
    )
    for text in (net.draw(), net.summary()):
        assert "a b\ufffd[31m" in text
        assert "\x1b" not in text
    assert len(net.summary().splitlines()) == 4
    assert net.draw().splitlines()[-1].endswith("← a b\ufffd[31m, input")
    nameless = kn.Network.from_layers({"\n": kn.Dense(3), "end": kn.Dense(2, source="\n")}, n_inputs=3)
    assert nameless.draw().splitlines()[-1].endswith("←")


def texts_of(svg: str) -> list[str | None]:
    return [text.text for text in ET.fromstring(svg).iter(f"{SVG}text")]  # noqa: S314 (made here)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("x" * 24, "x" * 24), ("x" * 25, "x" * 23 + "…"), ("층" * 12, "층" * 12), ("층" * 13, "층" * 11 + "…")],
)
def test_a_long_name_is_cut_where_it_would_meet_that_of_the_next_layer(name: str, shown: str) -> None:
    layers = {name: kn.Dense(3), "y" * 30: kn.Dense(3, source=name), "end": kn.Dense(3, source="y" * 30)}
    svg = kn.Network.from_layers(layers, n_inputs=3).to_svg()
    assert shown in texts_of(svg)
    assert f"{name}: 3 relu" in [text.text for text in ET.fromstring(svg).iter(f"{SVG}title")]  # noqa: S314


def test_a_long_text_takes_the_room_that_short_ones_beside_it_leave() -> None:
    kind = "mixed(relu:10, tanh:10)"
    assert f"20 {kind}" in texts_of(kn.Network([4, kn.Dense(20, kind), 3]).to_svg())
    side_by_side = [kn.Dense(20, kind) for _ in range(3)]  # its many narrow letters take no whole column each
    assert texts_of(kn.Network([4, *side_by_side, 3]).to_svg()).count(f"20 {kind}") == 3
    for length, beside in ((43, 5), (38, 10), (29, 19), (24, 60)):
        layers = {"x" * length: kn.Dense(3), "y" * beside: kn.Dense(3, source="x" * length)}
        layers |= {"z": kn.Dense(3, source="y" * beside)}
        assert "x" * length in texts_of(kn.Network.from_layers(layers, n_inputs=3).to_svg())
        longer = {"x" * 50: kn.Dense(3), **{k: v for k, v in layers.items() if k[0] != "x"}}
        longer["y" * beside] = kn.Dense(3, source="x" * 50)
        assert "x" * (length - 1) + "…" in texts_of(kn.Network.from_layers(longer, n_inputs=3).to_svg())


def test_no_text_reaches_beyond_the_edge() -> None:
    svg = kn.Network.from_layers({"x" * 60: kn.Dense(3)}, n_inputs=3).to_svg()
    assert "x" * 29 + "…" in texts_of(svg)  # half a column and the margin, at either side


def test_graphviz_is_given_no_name_that_it_would_take_for_a_character() -> None:
    """In its labels &lt; is a less-than sign; what looks like that has to be written &amp;lt; there."""
    name = "&lt;b&gt; &#60; &#x3c; R&D; a & b"
    dot = kn.Network.from_layers({name: kn.Dense(3), "end": kn.Dense(2, source=name)}, n_inputs=3).to_dot()
    assert "&amp;lt;b&amp;gt; &amp;#60; &amp;#x3c; R&amp;D; a & b" in dot


def test_arcs_of_a_graph_that_skips_everywhere_are_found_at_once() -> None:
    """Looked for one by one in a list, 3,000 arcs would take millions of comparisons."""

    class Sequence(list[tuple[int, int]]):
        def __contains__(self, other: object) -> bool:
            raise AssertionError("looked through")

    boxes = [Box(str(place), 1, "relu", tuple(range(place)), "") for place in range(80)]
    passing = Sequence((source, user) for user in range(80) for source in range(user - 1))
    spots = [[(0.0, 0.0, True)]] * 80
    assert sum("<line" in line for line in _lines(boxes, spots, passing)) == 79
