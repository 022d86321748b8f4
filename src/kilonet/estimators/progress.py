"""A progress bar on standard error that is silent where nobody watches."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kilonet.estimators.ensemble import over_members
from kilonet.history import EpochRecord


@contextmanager
def progress(verbose: bool, epochs: int) -> Iterator[list[Callable[[EpochRecord], Any]]]:
    """A context whose value is a list with one callback that moves the bar, or an empty list.

    Empty when verbose is false or standard error is not a terminal: training without a callback
    runs many epochs per engine call, so a quiet fit pays nothing for its progress.

    >>> with progress(True, epochs=3) as callbacks:      # a doctest runs without a terminal
    ...     len(callbacks)
    0
    """
    if not verbose:
        yield []
        return
    from rich.console import Console  # noqa: PLC0415 - rich is slow to import and rarely shown
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    console = Console(stderr=True)
    if not console.is_terminal:
        yield []
        return
    columns = (TextColumn("epoch"), MofNCompleteColumn(), BarColumn(), TextColumn("{task.description}"))
    with Progress(*columns, TimeRemainingColumn(), console=console) as bar:
        task = bar.add_task("", total=epochs)

        def show(record: EpochRecord) -> None:
            bar.update(task, completed=record.epoch, total=record.epochs, description=describe(record))

        yield [show]


def describe(record: EpochRecord) -> str:
    """One line about an epoch: training and, where there is one, validation loss and score, means of the members.

    >>> describe(EpochRecord(1, 5, 0.5, 0.75, float("nan"), float("nan"), 0.1))
    'loss 0.5, score 0.75'
    """
    named = {
        "loss": record.loss,
        "score": record.score,
        "validation loss": record.validation_loss,
        "validation score": record.validation_score,
    }
    present = {name: over_members(value) for name, value in named.items()}
    return ", ".join(f"{name} {value:.4g}" for name, value in present.items() if value == value)
