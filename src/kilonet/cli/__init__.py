"""The command line: `kilonet choose`, `fit`, `diagnose`, `predict`, `show`, `notes`.

Exit status: 0 it worked, 1 the run failed, 2 wrong usage, 3 a diagnosis found what fails, 130 interrupted.
What fails never exits 0, and a file that was to be written is then either whole or untouched.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

__all__ = ["main"]

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit status.

    >>> main(["--version"])
    kilonet ...
    0
    """
    said = "interrupted before anything was done; nothing was saved."
    try:
        from kilonet.cli.commands import run  # noqa: PLC0415 - it takes a moment, in which Ctrl-C has to be heeded

        said = "interrupted."  # commands say for themselves what was done and saved; this is before and after them
        return run(arguments)
    except KeyboardInterrupt:
        if sys.stderr is not None:
            print(f"Error: {said}", file=sys.stderr)  # noqa: T201
        return INTERRUPTED
