"""The page in HTML: one file, no script, nothing from elsewhere."""

import re
from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import Any

from kilonet.report.blocks import Block, Code, Figure, Items, Page, Pairs, Section, Table, Text
from kilonet.report.drawing import inline
from kilonet.report.style import STYLE
from kilonet.report.words import UNKNOWN, clean, sentence

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
NO_PICTURES = 'This page has no pictures. They are drawn where matplotlib is installed: pip install "kilonet[plots]"'
_WIDE = 8  # columns of a table: with more it needs a wide screen
_NUMBER = re.compile(r"(?:p [=<] )?[−+±]?[\d.,]+(?:e[−+]?\d+)?%?(?: ± [\d.,]+)?|–")
_APART = re.compile(r"(?<=\d) to (?=[−\d])|(?<=p) [=<] |(?<=±) ")


def written(page: Page, figures: Sequence[Figure]) -> str:
    """The whole file."""
    sections = [_section(section) for section in page.sections]
    more = [_section(section) for section in page.more]
    body = "\n".join([_header(page), *sections, _pictures(figures), *more, _footer()])
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(page.title)}</title>\n<style>\n{STYLE}\n</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n"
        "</body>\n</html>\n"
    )


def _header(page: Page) -> str:
    return (
        '<header>\n<p class="from">Kilonet · which neural network for these data?</p>\n'
        f'<h1>{escape(page.headline)}</h1>\n<p class="lead">{escape(page.lead)}</p>\n{_items(Items(page.verdict))}\n'
        "</header>"
    )


def _footer() -> str:
    return (
        "<footer>\n<p>Made by Kilonet from the record of what was tried alone. Written to a file that ends in .json, "
        "the record holds all numbers of this page, and all losses.</p>\n</footer>"
    )


def _section(section: Section) -> str:
    mark = "".join(sign if sign.isalnum() else "-" for sign in section.title.lower()).strip("-")
    kind = f' class="{section.kind}"' if section.kind else ""
    tag = "aside" if section.kind == "note" else "section"
    body = "\n".join(_block(block) for block in section.blocks)
    return f'<{tag} aria-labelledby="{mark}"{kind}>\n<h2 id="{mark}">{escape(section.title)}</h2>\n{body}\n</{tag}>'


def _block(block: Block) -> str:
    makers: dict[type[Any], Callable[[Any], str]] = {
        Text: _text, Items: _items, Pairs: _pairs, Table: _table, Code: _code,
    }  # fmt: skip
    return makers[type(block)](block)


def _text(block: Text) -> str:
    return f"<p>{escape(block.text)}</p>"


def _items(block: Items) -> str:
    return "<ul>\n" + "\n".join(f"<li>{escape(item)}</li>" for item in block.items) + "\n</ul>"


def _pairs(block: Pairs) -> str:
    return "<dl>\n" + "\n".join(f"<dt>{escape(a)}</dt><dd>{escape(b)}</dd>" for a, b in block.pairs) + "\n</dl>"


def _code(block: Code) -> str:
    return f"<pre><code>{escape(block.text)}</code></pre>"


def _table(block: Table) -> str:
    """A table; its roles are said, since on a screen too narrow for it each row is laid out as a card of its own."""
    numeric = [place > 0 and _numeric(row[place] for row in block.rows) for place in range(len(block.head))]
    head = "".join(
        f'<th scope="col" role="columnheader"{_class(is_number)}>{escape(text)}</th>'
        for text, is_number in zip(block.head, numeric, strict=True)
    )
    rows = "\n".join(_row(block, place, numeric) for place in range(len(block.rows)))
    wide = ' class="wide"' if len(block.head) > _WIDE else ""
    return (
        f'<div class="scroll" tabindex="0"><table role="table"{wide}>\n<caption>{escape(block.caption)}</caption>\n'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>\n<tbody role="rowgroup">\n{rows}\n</tbody>\n'
        "</table></div>"
    )


def _row(block: Table, place: int, numeric: Sequence[bool]) -> str:
    first, *rest = block.rows[place]
    marked = ' class="marked"' if place == block.marked else ""
    own = ' dir="auto"' if block.names else ""
    cells = "".join(
        f'<td role="cell" data-label="{escape(label)}"{_class(is_number, none=text == UNKNOWN)}{own}>'
        f"{escape(_together(text))}</td>"
        for text, label, is_number in zip(rest, block.head[1:], numeric[1:], strict=True)
    )
    return f'<tr role="row"{marked}><th scope="row" role="rowheader"{own}>{escape(first)}</th>{cells}</tr>'


def _class(is_number: bool, *, none: bool = False) -> str:
    names = [name for name, there in (("number", is_number), ("none", none)) if there]
    return f' class="{" ".join(names)}"' if names else ""


def _numeric(cells: Iterable[str]) -> bool:
    """Whether a column holds numbers, so that their ends stand below each other."""
    return all(_NUMBER.fullmatch(cell) for cell in cells)


def _together(text: str) -> str:
    """An interval, or a p-value, that no line break parts."""
    return _APART.sub(lambda found: found[0].replace(" ", "\xa0"), text)


def _pictures(figures: Sequence[Figure]) -> str:
    if not figures:
        return f"<p>{escape(NO_PICTURES)}</p>"
    drawn = "\n".join(_figure(figure) for figure in figures)
    return (
        '<section aria-labelledby="pictures">\n<h2 id="pictures">Pictures</h2>\n'
        f'<div class="pictures">\n{drawn}\n</div>\n</section>'
    )


def _figure(figure: Figure) -> str:
    title, alt = clean(figure.title), clean(figure.alt)
    beyond = sentence(alt.removeprefix(title).lstrip(" .,;:")) if alt != title else ""
    return (
        f'<figure>\n<div class="picture">{inline(figure.svg, figure.name, alt)}</div>\n'
        f"<figcaption><b>{escape(title)}</b> {escape(beyond)}</figcaption>\n</figure>"
    )
