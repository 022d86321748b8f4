"""What the command line says: data to stdout, everything else to stderr.

Text from files (column names, categories, paths) may hold anything, so whatever is printed goes
through `plain`: control characters of a hostile file never reach the terminal.
"""

from __future__ import annotations

import math
import shutil
import sys
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO

import click

from kilonet.numerals import count, ended

__all__ = ["Console", "brief", "count", "ended", "listed", "number", "plain", "size"]

LABEL = 11  # width of the left column
LONGEST = 4000  # characters of one message; a hostile file could make it endless


def plain(text: object) -> str:
    r"""Text that is safe to print: control characters are spelled out, line ends stay.

    >>> plain("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    full = str(text)
    short = full if len(full) <= LONGEST else full[:LONGEST] + " …"
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in short)


def brief(name: object, longest: int = 40) -> str:
    """A name from a file, printable, on one line and not too long.

    >>> brief("x" * 50, 8)
    'xxxxxxx…'
    """
    text = plain(name).replace("\n", "\\n")
    return text if len(text) <= longest else text[: longest - 1] + "…"


def listed(names: Sequence[object], most: int = 8) -> str:
    """Names in a sentence, the end of a long list left out.

    >>> listed(["a", "b", "c"], most=2)
    'a, b, … (3 in all)'
    """
    shown = ", ".join(f'"{brief(name)}"' if ", " in str(name) else brief(name) for name in names[:most])
    return shown if len(names) <= most else f"{shown}, … ({len(names):,} in all)"


def number(value: float, digits: int = 4) -> str:
    """A number for people: four digits that count, and no 1e+03.

    >>> number(0.09123), number(123456.0), number(float("nan"))
    ('0.09123', '123,456', '–')
    """
    if not math.isfinite(value):
        return "–" if math.isnan(value) else str(value)
    return f"{value:,.0f}" if 10**digits <= abs(value) < 1e15 else f"{value:,.{digits}g}"


def size(n_bytes: int) -> str:
    """A file size: '812 bytes', '33 kB', '1.2 MB'."""
    if n_bytes < 1000:
        return count(n_bytes, "byte")
    kilo = n_bytes / 1000
    return f"{kilo:.0f} kB" if kilo < 1000 else f"{kilo / 1000:.1f} MB"


class Console:
    """Where a command speaks: narrative and warnings on stderr, results on stdout.

    quiet leaves the narrative out (never warnings or errors). warned collects the categories of all
    warnings, so that a command can tell afterwards what happened.
    """

    def __init__(self, quiet: bool = False) -> None:
        self.quiet = quiet
        self.warned: list[type[Warning]] = []

    def say(self, label: str, text: str) -> None:
        """A line of narrative on stderr."""
        if not self.quiet:
            self.tell(label, text)

    def tell(self, label: str, text: str) -> None:
        """A line on stderr that was asked for, and comes also when quiet."""
        self._line(label, text, sys.stderr)

    def result(self, label: str, text: str) -> None:
        """A line of result on stdout."""
        self._line(label, text, sys.stdout)

    def paragraph(self, text: str) -> None:
        """A sentence or several on stdout, without a label."""
        click.echo(_wrapped("", plain(text), sys.stdout))

    def warn(self, text: object) -> None:
        """A warning on stderr, also when quiet."""
        click.secho(_wrapped("Warning: ", ended(plain(text)), sys.stderr), err=True, fg="yellow")

    def _line(self, label: str, text: str, stream: TextIO) -> None:
        head = f"{label:<{LABEL - 1}} "
        body = _wrapped(head, plain(text), stream)[len(head) :]
        click.echo(click.style(head, bold=True) + body, file=stream)

    @contextmanager
    def warnings(self, *hidden: type[Warning]) -> Iterator[None]:
        """Within: Python's warnings are said, every text once, and remembered; hidden ones are only remembered."""
        said: set[str] = set()

        def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
            self.warned.append(category)
            if str(message) not in said and not issubclass(category, hidden):
                said.add(str(message))
                self.warn(message)

        with warnings.catch_warnings():
            warnings.simplefilter("default")
            for technical in (DeprecationWarning, PendingDeprecationWarning, FutureWarning):
                warnings.simplefilter("ignore", technical)  # for programmers, not for users
            warnings.showwarning = show
            yield

    def saw(self, category: type[Warning]) -> bool:
        """Whether a warning of this category came."""
        return any(issubclass(seen, category) for seen in self.warned)


def _wrapped(head: str, text: str, stream: TextIO) -> str:
    """Head and text; on a terminal broken between words, with the head's width as the indent."""
    if not stream.isatty():
        return head + text
    width = max(40, min(shutil.get_terminal_size().columns, 110))
    lines = textwrap.wrap(
        text, width, initial_indent=head, subsequent_indent=" " * len(head), break_on_hyphens=False
    ) or [head]
    return "\n".join(lines)
