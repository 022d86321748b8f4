"""A table for a terminal and for pipes: columns side by side, numbers to the right."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lines of equal columns; a column of which every cell begins with a digit or a sign stands to the right.

    >>> print(table(["network", "loss"], [["64", "0.1"], ["relu", "12"]]))
    network  loss
    64        0.1
    relu       12
    """
    columns = list(zip(head, *rows, strict=True))
    widths = [max(cell_len(cell) for cell in column) for column in columns]
    right = [all(cell == "" or cell[0] in "+-−<0123456789–" for cell in column[1:]) for column in columns]
    lines = [_line(row, widths, right) for row in (head, *rows)]
    return "\n".join(line.rstrip() for line in lines)


def fitting(head: Sequence[str], rows: Sequence[Sequence[str]], width: int, spare: Sequence[str]) -> str:
    """The table in lines of `width` at most, if leaving out the columns `spare`, from the first on, makes it so.

    >>> print(fitting(["network", "luck", "loss"], [["64", "0.2", "0.1"]], 13, ["luck"]))
    network  loss
    64        0.1
    """
    text = table(head, rows)
    for name in spare:
        if max(map(cell_len, text.splitlines())) <= width:
            break
        place = list(head).index(name)
        head, *rows = ([cell for i, cell in enumerate(row) if i != place] for row in (head, *rows))
        text = table(head, rows)
    return text


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    """One row; widths are those that a terminal shows, which letters of other scripts are not all of."""
    padded = []
    for cell, width, to_the_right in zip(cells, widths, right, strict=True):
        space = " " * (width - cell_len(cell))
        padded.append(space + cell if to_the_right else cell + space)
    return "  ".join(padded)
