"""What a page is made of, whatever it is written in: all texts are plain, and escaped by who writes them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Items:
    """A list of sentences."""

    items: Sequence[str]


@dataclass(frozen=True)
class Pairs:
    """Terms, and what there is to say of each."""

    pairs: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Table:
    """Rows under a head; the first cell of a row names it.

    marked: the place of the row that matters most, or None. names: whether first cells are names from the data.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    marked: int | None = None
    names: bool = False


@dataclass(frozen=True)
class Code:
    """Lines to be copied."""

    text: str


Block = Text | Items | Pairs | Table | Code


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it. kind: "", or "note" for a box."""

    title: str
    blocks: Sequence[Block]
    kind: str = ""


class Figure(NamedTuple):
    """A picture: a short name, what it shows in a few words and for those who do not see it, and its SVG."""

    name: str
    title: str
    alt: str
    svg: str


@dataclass(frozen=True)
class Page:
    """title: of the window; headline: the verdict; lead: what to expect of it; verdict: its sentences.

    sections stand before the pictures, more behind them.
    """

    title: str
    headline: str
    lead: str
    verdict: Sequence[str]
    sections: Sequence[Section]
    more: Sequence[Section]
