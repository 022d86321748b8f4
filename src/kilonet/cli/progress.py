"""The bar that moves while a network trains; silent where nobody watches."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kilonet.cli.console import number
from kilonet.cli.seam import over_members
from kilonet.cli.wording import score_text, score_value
from kilonet.history import EpochRecord


@contextmanager
def progress(task: str, rows: str, quiet: bool) -> Iterator[list[Callable[[EpochRecord], Any]]]:
    """Within: a bar on stderr, moved by the one callback in the list; an empty list where there is no terminal.

    task: what is learned, for the score's name; rows: what the validation rows are called.
    """
    if quiet or not sys.stderr.isatty():
        yield []
        return
    from rich.console import Console  # noqa: PLC0415 - slow to import, and only needed on a terminal
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    columns = (
        TextColumn("[bold]training  [/]"),
        BarColumn(bar_width=14),
        TextColumn("{task.fields[epochs]}"),
        TimeRemainingColumn(compact=True),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, refresh_per_second=8) as bar:
        shown = bar.add_task("", total=None, epochs="")

        def move(record: EpochRecord) -> None:
            epochs = f"epoch {record.epoch:,}/{record.epochs:,}"
            text = describe(task, rows, record)
            bar.update(shown, completed=record.epoch, total=record.epochs, description=text, epochs=epochs)

        yield [move]


@contextmanager
def networks(what: str, quiet: bool) -> Iterator[Callable[[int, int], Any] | None]:
    """Within: a bar on stderr, moved by the callback of (networks done, most); None where there is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console  # noqa: PLC0415 - slow to import, and only needed on a terminal
    from rich.progress import Progress  # noqa: PLC0415

    with Progress(console=Console(stderr=True), transient=True) as bar:
        shown = bar.add_task(what, total=None)
        yield lambda done, most: bar.update(shown, completed=done, total=most, description=f"{done:,} networks")


def describe(task: str, rows: str, record: EpochRecord) -> str:
    """One epoch in words; of several members the means of those that still train.

    >>> describe("classification", "held out", EpochRecord(1, 5, 0.5, 0.75, 0.625, 0.5, 0.1))
    'loss 0.5, accuracy 75.0%; held out 0.625, 50.0%'
    """
    text = f"loss {number(over_members(record.loss))}, {score_text(task, over_members(record.score))}"
    loss, score = over_members(record.validation_loss), over_members(record.validation_score)
    return text if math.isnan(loss) else f"{text}; {rows} {number(loss)}, {score_value(task, score)}"
