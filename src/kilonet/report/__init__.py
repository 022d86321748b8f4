"""Pages about an architecture search, for people: made from its record and from nothing else."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from kilonet.errors import SettingError
from kilonet.evidence import SearchRecord
from kilonet.persistence.atomic import replace_file
from kilonet.report import page, text
from kilonet.report.blocks import Figure
from kilonet.report.content import page_of
from kilonet.report.pictures import pictures

__all__ = ["Figure", "html", "markdown", "write"]


def html(record: SearchRecord, figures: Sequence[tuple[str, str, str, str]] = ()) -> str:
    """The page as one file of HTML: it opens from disk, holds no script, and asks for nothing from elsewhere.

    figures: name, title, description for those who do not see it, and SVG of each picture; of the SVG only what
    draws is taken over. Raises ValueError where one is no SVG.
    """
    return page.written(page_of(record), [Figure(*figure) for figure in figures])


def markdown(record: SearchRecord) -> str:
    """The page in Markdown, without pictures."""
    return text.written(page_of(record))


def write(record: SearchRecord, path: str | os.PathLike[str]) -> Path:
    """Write the page, or the record itself, in one step; gives the path of the file.

    The path's ending decides: .html with pictures where matplotlib is installed, .md, or .json for the record. The
    same record gives the same bytes. Raises SettingError for another ending, and OSError where the file cannot be
    written; the old file is then untouched.
    """
    makers: dict[str, Callable[[SearchRecord], str]] = {
        ".html": lambda own: html(own, pictures(own)), ".md": markdown, ".json": SearchRecord.to_json,
    }  # fmt: skip
    kind = Path(path).suffix.lower()
    if kind not in makers:
        raise SettingError(f"the report came as {os.fspath(path)!r}; needs a name that ends in .html, .md or .json.")
    return replace_file(path, makers[kind](record).encode("utf-8"))
