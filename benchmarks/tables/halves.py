"""Which tables the defaults of our learner may be chosen on, and which judge them.

The rule was written down before anything was measured, and leaves nothing to decide: tables of one task and size stand
in the order of the SHA-256 of their names, and go to the two halves in turn, the turn going on from size to size.
Tables that came later judge only, and move no other table.
"""

from collections.abc import Iterable
from hashlib import sha256

from benchmarks.tables.registry import Table

SIZES = (1_000, 5_000)  # rows; small below the first, large from the second on
HALVES = ("chosen", "judged")


def size(table: Table) -> int:
    """Return 0, 1 or 2 for small, middling and large."""
    return sum(table.shape[0] >= rows for rows in SIZES)


def halves(tables: Iterable[Table]) -> dict[str, str]:
    """Return "chosen" or "judged" by the name of a table.

    >>> small = [Table(name, "sklearn:x", "y", "regression", (200, 3)) for name in ("auto", "meats", "ozone")]
    >>> halves(small)
    {'meats': 'chosen', 'auto': 'judged', 'ozone': 'chosen'}
    """
    tables = list(tables)
    first = [table for table in tables if not table.later]
    ordered = sorted(first, key=lambda table: (table.task, size(table), sha256(table.name.encode()).hexdigest()))
    half = {table.name: HALVES[place % 2] for place, table in enumerate(ordered)}
    return half | {table.name: "judged" for table in tables if table.later}
