"""The page in Markdown, without pictures."""

import re
from collections.abc import Callable
from typing import Any

from kilonet.report.blocks import Block, Code, Items, Page, Pairs, Section, Table, Text

# Whatever would begin emphasis, code, a link, a table cell, HTML, an entity, mathematics or an address.
_SIGNS = re.compile(r"[\\`*_\[\]|~$]|<(?=[A-Za-z/!?])|&(?=#?\w+;)|:(?=//)|(?<=\w)@(?=\w)")


def written(page: Page) -> str:
    """The whole file."""
    parts = [f"# {safe(page.headline)}", f"**{safe(page.lead)}**", _items(Items(page.verdict))]
    parts += [_section(section) for section in (*page.sections, *page.more)]
    return "\n\n".join(parts) + "\n"


def safe(text: str) -> str:
    r"""Plain text as Markdown shows it unchanged.

    >>> print(safe("a|b <b> p < 0.001 *x*"))
    a\|b \<b> p < 0.001 \*x\*
    """
    return _SIGNS.sub(lambda found: "\\" + found[0], text)


def _section(section: Section) -> str:
    body = "\n\n".join(_block(block) for block in section.blocks)
    if section.kind == "note":
        return "\n".join(f"> {line}".rstrip() for line in f"**{safe(section.title)}**\n\n{body}".splitlines())
    return f"## {safe(section.title)}\n\n{body}"


def _block(block: Block) -> str:
    makers: dict[type[Any], Callable[[Any], str]] = {
        Text: _text, Items: _items, Pairs: _pairs, Table: _table, Code: _code,
    }  # fmt: skip
    return makers[type(block)](block)


def _text(block: Text) -> str:
    return safe(block.text)


def _items(block: Items) -> str:
    return "\n".join(f"- {safe(item)}" for item in block.items)


def _pairs(block: Pairs) -> str:
    return "\n".join(f"- **{safe(term)}:** {safe(text)}" for term, text in block.pairs)


def _table(block: Table) -> str:
    lines = [_cells([safe(text) for text in block.head]), _cells(["---"] * len(block.head))]
    for place, row in enumerate(block.rows):
        cells = [safe(text) for text in row]
        lines.append(_cells([f"**{text}**" for text in cells] if place == block.marked else cells))
    return f"{safe(block.caption)}\n\n" + "\n".join(lines)


def _cells(texts: list[str]) -> str:
    return f"| {' | '.join(text.strip() for text in texts)} |"


def _code(block: Code) -> str:
    """Lines between fences that are longer than any run of backticks in them."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", block.text)), default=0))
    return f"{fence}\n{block.text}\n{fence}"
