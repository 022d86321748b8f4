"""Drawings of graphs of layers: characters, SVG and Graphviz source, and tables in plain text.

Wide layers show their first and last units, with an ellipsis between them.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from html import escape
from itertools import product
from typing import NamedTuple

MOST = 8  # circles of a layer; a wider one has a few at either end
_ENDS = 3
_STEP, _COLUMN, _RADIUS = 26, 180, 9  # pixels from circle to circle, from column to column, and of a circle
_LABEL, _ROW, _LANE, _MARGIN = 58, 15, 16, 24  # pixels for the text above a layer and its rows, between arcs, around
_LONGEST, _EDGES, _SHORTEST = 24, 30, 4  # columns of a line beside others as long, and at an edge; of a layer's circles
_COLOURS = ("#cfe3f5", "#f9dfb8", "#cdebd0", "#ecd2ea", "#f6caca", "#d9d6f5")
_EDGE = ' stroke="white" stroke-width="3" paint-order="stroke"'  # of texts, so that lines do not spoil them
_NARROW = " .,:;'|!()[]ijl"
_ENTITY = re.compile(r"&(?=#?\w+;)")  # what Graphviz takes for a character
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Box(NamedTuple):
    """A layer as it is drawn. sources: places of what it takes, in the list of all boxes; those come before it.

    kind: of its units; note: what else there is to say, such as whose weights it has.
    """

    name: str
    units: int
    kind: str
    sources: tuple[int, ...]
    note: str


def aligned(rows: Sequence[tuple[str, ...]], texts: int) -> str:
    """Align a table, a line for each row: the first columns, texts, to the left, the numbers to the right.

    >>> print(aligned([("layer", "units"), ("a", "3")], texts=1))
    layer  units
    a          3
    """
    cells = [[_plain(cell) for cell in row] for row in rows]
    widths = [max(map(_columns, column)) for column in zip(*cells, strict=True)]
    lines = []
    for row in cells:
        gaps = [" " * (width - _columns(cell)) for cell, width in zip(row, widths, strict=True)]
        own = zip(row, gaps, strict=True)
        lines.append("  ".join(cell + gap if place < texts else gap + cell for place, (cell, gap) in enumerate(own)))
    return "\n".join(lines)


def _plain(text: str) -> str:
    """A name on one line, of characters that every program knows."""
    return " ".join(_NOT_XML.sub("\ufffd", unicodedata.normalize("NFC", text)).split())


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes: letters of East Asia two, marks upon others none.

    >>> _columns("층 layer")
    8
    """
    return sum(
        0 if unicodedata.category(letter) in ("Mn", "Me", "Cf") else 1 + (unicodedata.east_asian_width(letter) in "WF")
        for letter in text
    )


def _breadth(text: str) -> int:
    """How many columns of a drawing a text takes, where narrow letters take half of one."""
    return _columns(text) - sum(map(_NARROW.__contains__, text)) // 2


def _shortened(text: str, room: int) -> str:
    """A text that takes no more columns of a drawing than there are."""
    if _breadth(text) <= room:
        return text
    text = text[: 2 * room]
    while _breadth(text) >= room:
        text = text[:-1]
    return f"{text}…"


def shown_units(units: int) -> list[int | None]:
    """Which units are drawn, None for the ellipsis.

    >>> shown_units(3), shown_units(20)
    ([0, 1, 2], [0, 1, 2, None, 17, 18, 19])
    """
    if units <= MOST:
        return list(range(units))
    return [*range(_ENDS), None, *range(units - _ENDS, units)]


def as_text(boxes: Sequence[Box]) -> str:
    """A line for each layer: name, units as circles, how many of which kind, and what it takes."""
    rows = []
    for box in boxes:
        circles = " ".join("…" if unit is None else "○" for unit in shown_units(box.units))
        taken = ", ".join(boxes[source].name for source in box.sources)
        said = f"← {taken}{f' ({box.note})' if box.note else ''}" if box.sources else ""
        rows.append((box.name, circles, f"{box.units:,} {box.kind}", said))
    return "\n".join(line.rstrip() for line in aligned(rows, texts=4).splitlines())


def as_svg(boxes: Sequence[Box]) -> str:
    """The text of an SVG file. Each layer stands right of all that it takes."""
    levels = _levels(boxes)
    passing = _passing(boxes, levels)
    heights = [_LABEL + _STEP * len(shown_units(box.units)) for box in boxes]
    columns = [[place for place, own in enumerate(levels) if own == level] for level in range(max(levels) + 1)]
    tallest = max(sum(heights[place] for place in column) for column in columns)
    above = _MARGIN + _LANE * len(passing)
    tops = {}
    for column in columns:
        top = above + (tallest - sum(heights[place] for place in column)) / 2
        for place in column:
            tops[place] = top
            top += heights[place]
    spots = [_spots(box, _MARGIN + _COLUMN * (level + 0.5), tops[place] + _LABEL)
             for place, (box, level) in enumerate(zip(boxes, levels, strict=True))]  # fmt: skip
    width, height = 2 * _MARGIN + _COLUMN * len(columns), above + tallest + _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height:g}" width="{width}"',
        f'height="{height:g}" role="img" font-family="sans-serif" font-size="12" text-anchor="middle">',
        f"<title>{_xml(', '.join(f'{box.name} ({box.units:,})' for box in boxes))}</title>",
        f'<rect width="{width}" height="{height:g}" fill="white"/>',
        *_lines(boxes, spots, passing), *_arcs(spots, passing), *_layers(boxes, spots), "</svg>",
    ]  # fmt: skip
    return "\n".join(parts) + "\n"


def _levels(boxes: Sequence[Box]) -> list[int]:
    """How many layers stand before each at least: the longest way to it."""
    found: list[int] = []
    for box in boxes:
        found.append(1 + max((found[source] for source in box.sources), default=-1))
    return found


def _passing(boxes: Sequence[Box], levels: Sequence[int]) -> list[tuple[int, int]]:
    """Source and user of connections that pass by a column, the longest first."""
    found = dict.fromkeys((source, place) for place, box in enumerate(boxes) for source in box.sources)
    far = [pair for pair in found if levels[pair[1]] - levels[pair[0]] > 1]
    return sorted(far, key=lambda pair: levels[pair[0]] - levels[pair[1]])


Spots = list[tuple[float, float, bool]]  # middles of circles, and whether there is one or an ellipsis


def _spots(box: Box, x: float, top: float) -> Spots:
    return [(x, top + _STEP * (row + 0.5), unit is not None) for row, unit in enumerate(shown_units(box.units))]


def _lines(boxes: Sequence[Box], spots: Sequence[Spots], passing: Sequence[tuple[int, int]]) -> Iterator[str]:
    """All pairs of drawn units of neighbouring columns."""
    far = set(passing)
    yield '<g stroke="#9aa5b1" stroke-width="0.6">'
    for place, box in enumerate(boxes):
        for source in [own for own in dict.fromkeys(box.sources) if (own, place) not in far]:
            for (x1, y1, one), (x2, y2, other) in product(spots[source], spots[place]):
                if one and other:
                    yield f'<line x1="{x1 + _RADIUS:g}" y1="{y1:g}" x2="{x2 - _RADIUS:g}" y2="{y2:g}"/>'
    yield "</g>"


def _arcs(spots: Sequence[Spots], passing: Sequence[tuple[int, int]]) -> Iterator[str]:
    """What passes by a column: up right of its source, above all layers, and down before its user.

    It ends in an arrow, since it stands for all units of both.
    """
    yield '<g fill="none" stroke="#c2571a" stroke-width="2">'
    for lane, (source, user) in enumerate(passing):
        (x1, y1), (x2, y2) = ((spots[place][0][0], spots[place][0][1]) for place in (source, user))
        start, end, gap, y = x1 + _RADIUS, x2 - _RADIUS - 2, _COLUMN / 2, _MARGIN / 2 + _LANE * lane
        bends = (start + gap / 2, start + gap, end - gap, end - gap / 2)
        yield (
            f'<path d="M{start:g} {y1:g}C{bends[0]:g} {y1:g} {bends[0]:g} {y:g} {bends[1]:g} {y:g}H{bends[2]:g}'
            f'C{bends[3]:g} {y:g} {bends[3]:g} {y2:g} {end:g} {y2:g}m-7 -4l7 4l-7 4"/>'
        )
    yield "</g>"


def _layers(boxes: Sequence[Box], spots: Sequence[Spots]) -> Iterator[str]:
    """Circles with their texts; layers with the same weights have the same colour."""
    shared = list(dict.fromkeys(box.note.removeprefix("as ") for box in boxes if box.note))
    for box, own, texts in zip(boxes, spots, _texts(boxes, spots), strict=True):
        owner = box.note.removeprefix("as ") if box.note else box.name
        colour = _COLOURS[shared.index(owner) % len(_COLOURS)] if owner in shared else "white"
        yield f"<g><title>{_xml(f'{box.name}: {box.units:,} {box.kind} {box.note}'.strip())}</title>"
        yield from texts
        for x, y, unit in own:
            if unit:
                yield f'<circle cx="{x:g}" cy="{y:g}" r="{_RADIUS}" fill="{colour}" stroke="#1f2933"/>'
            else:
                yield f'<text x="{x:g}" y="{y + 5:g}" font-size="18">⋮</text>'
        yield "</g>"


def _texts(boxes: Sequence[Box], spots: Sequence[Spots]) -> list[list[str]]:
    """What stands above each layer, as long as there is room beside what stands above its neighbours."""
    lines = []
    for place, (box, own) in enumerate(zip(boxes, spots, strict=True)):
        x, top = own[0][0], own[0][1] - _STEP / 2 - _LABEL + 20
        texts = ((box.name, ' font-weight="bold"'), (f"{box.units:,} {box.kind}", ""), (box.note, ' fill="#555"'))
        lines += [(place, x, top + _ROW * row, _plain(text), style) for row, (text, style) in enumerate(texts) if text]
    columns, found = defaultdict[float, list[tuple[float, int]]](list), [list[str]() for _ in boxes]
    for _, x, y, text, _ in lines:
        columns[x].append((y, _breadth(text)))
    edges = min(columns), max(columns)
    for place, x, y, text, style in lines:
        near = [*columns.get(x - _COLUMN, ()), *columns.get(x + _COLUMN, ())]
        beside = max([size for other, size in near if abs(other - y) < _ROW] + [_SHORTEST])
        room = min(2 * _LONGEST - min(beside, _LONGEST), _EDGES if x in edges else 2 * _LONGEST)
        found[place].append(f'<text x="{x:g}" y="{y:g}"{_EDGE}{style}>{_xml(_shortened(text, room))}</text>')
    return found


def _xml(text: str) -> str:
    """Text for an XML file, without the characters that XML does not know."""
    return escape(_NOT_XML.sub("\ufffd", text))


def as_dot(boxes: Sequence[Box]) -> str:
    """Graphviz source: a cluster for each layer, a circle for each drawn unit, lines between all pairs of them."""
    lines = [
        "digraph network {\n  rankdir=LR; splines=line; nodesep=0.1; ranksep=1.2;",
        '  node [shape=circle, width=0.2, fixedsize=true, label=""]; edge [arrowhead=none, color="#9aa5b1"];',
    ]
    for place, box in enumerate(boxes):
        label = "\\n".join(map(_quoted, filter(None, (box.name, f"{box.units:,} {box.kind}", box.note))))
        lines.append(f'  subgraph cluster_{place} {{ color=none; label="{label}";')
        looks = ["" if unit is not None else ' [shape=plaintext, label="⋮"]' for unit in shown_units(box.units)]
        lines += [f"    u{place}_{row}{look};" for row, look in enumerate(looks)]
        lines.append("  }")
    for place, box in enumerate(boxes):
        for source in dict.fromkeys(box.sources):
            ends = [" ".join(f"u{own}_{row}" for row, unit in enumerate(shown_units(boxes[own].units))
                             if unit is not None) for own in (source, place)]  # fmt: skip
            lines.append(f"  {{{ends[0]}}} -> {{{ends[1]}}};")
    return "\n".join([*lines, "}"]) + "\n"


def _quoted(text: str) -> str:
    """Text inside quotation marks of Graphviz, on one line."""
    return _ENTITY.sub("&amp;", _plain(text)).replace("\\", "\\\\").replace('"', '\\"')
