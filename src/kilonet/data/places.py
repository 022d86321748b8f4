"""Where rows stand in a file, as people find them there: the lines of a CSV file, the rows of others."""

import csv
import re
from collections.abc import Sequence
from pathlib import Path

_SHOWN = 5


def where(path: Path, rows: Sequence[int]) -> str:
    """The places of rows (counting from 0): lines of a .csv or .tsv file, where the header is line 1.

    >>> where(Path("prices.parquet"), [0, 7])
    'rows 0, 7 (counting from 0)'
    """
    lines = _lines(path, rows[:_SHOWN]) if path.suffix.lower() in {".csv", ".tsv"} else []
    noun, places, note = ("line", lines, "") if lines else ("row", list(rows[:_SHOWN]), " (counting from 0)")
    more = f" and {len(rows) - _SHOWN} others" if len(rows) > _SHOWN else ""
    return f"{noun}{'s' if len(rows) > 1 else ''} {', '.join(str(place) for place in places)}{more}{note}"


def separator(path: Path, header: str) -> str:
    """What separates the cells of a .csv or .tsv file, seen from its header."""
    if path.suffix.lower() == ".tsv":
        return "\t"
    bare = re.sub(r'"[^"]*"', "", header)
    return max([",", ";", "\t", "|"], key=bare.count)  # the comma where none occurs


def _lines(path: Path, rows: Sequence[int]) -> list[int]:
    """The lines on which rows begin; empty where the file does not have them (any more).

    Empty lines are no rows, and a quoted cell may have several lines.
    """
    found: dict[int, int] = {}
    row, line = -1, 1
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = next((text for text in file if text.strip()), "")
            file.seek(0)
            reader = csv.reader(file, delimiter=separator(path, header))
            for cells in reader:
                if cells:
                    found |= {row: line} if row in rows else {}
                    row += 1
                line = reader.line_num + 1
    except (OSError, ValueError, csv.Error):
        return []
    return [found[row] for row in rows] if len(found) == len(rows) else []
