"""The rows of a fit: read, understood, and parted into those to train on and those to judge by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import click
import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from kilonet.cli.asked import Asked
from kilonet.cli.columns import blamed, matched, refuse_all_but_numbers, without
from kilonet.cli.console import brief, listed
from kilonet.cli.seam import planned_rows
from kilonet.cli.split import split_rows
from kilonet.cli.target import Target, as_task, named, refuse_strangers, task_and_target
from kilonet.data import Table, read
from kilonet.errors import DataError
from kilonet.tables import TableEncoder


@dataclass(frozen=True, eq=False)
class Parts:
    """What a fit works on.

    X, y: the training rows; held_x, held_y: the held-out ones, None where there are none; how: in words,
    where those come from. encoder: what a TableEncoder learns of the training rows, None for data without
    text and gaps. names: the columns; dropped: those that the user left out. n_rows: rows that were read, test
    rows not counted.
    """

    source: str
    X: Any
    y: Target
    held_x: Any
    held_y: Target | None
    how: str
    task: str
    why: str
    target_name: str | None
    names: tuple[str, ...]
    dropped: list[str]
    encoder: TableEncoder | None
    standardized: bool
    n_rows: int

    @property
    def n_columns(self) -> int:
        """Columns of the data."""
        return len(self.names)

    @property
    def n_inputs(self) -> int:
        """Inputs of the network."""
        return self.n_columns if self.encoder is None else self.encoder.state_.width

    @property
    def everything(self) -> Target:
        """The target of the training and the held-out rows."""
        return self.y if self.held_y is None else np.concatenate([self.y, self.held_y])


def parts(asked: Asked) -> Parts:
    """Read what was asked for. Raises UsageError for a target that is not there, DataError for data of no use.

    Last of what can be wrong with the options, a file is named that would be overwritten.
    """
    table, dropped = without(_read(asked.data, asked.target), asked.drop)
    task, why, y = task_and_target(asked.task, table)
    asked.check_settings(task)
    asked.check_place()
    encode = asked.encodes and not isinstance(table.X, np.ndarray)
    if not (encode or isinstance(table.X, np.ndarray)):
        _refuse_all_but_numbers(asked, table)
    train = np.arange(len(y))
    held: tuple[Any, Target] | None
    if asked.validation is None and (table.test is None or asked.fraction_given):
        split = split_rows(y, asked.fraction, asked.seed, task == "classification")
        train, how = split.train, split.how
        held = (_take(table.X, split.held_out), y[split.held_out]) if len(split.held_out) else None
        encoder = _encoder(table, _learnt_from(asked, task, y, train)) if encode else None
    else:
        encoder = _encoder(table, _learnt_from(asked, task, y, train)) if encode else None
        held, how = _judges(asked, table, encoder, task)
    whole = len(train) == len(y)
    return Parts(
        source=asked.data,
        X=table.X if whole else _take(table.X, train),
        y=y if whole else y[train],
        held_x=None if held is None else held[0],
        held_y=None if held is None else held[1],
        how=how,
        task=task,
        why=why,
        target_name=table.target,
        names=table.feature_names,
        dropped=dropped,
        encoder=encoder,
        standardized=asked.encodes,
        n_rows=len(y),
    )


def _read(data: str, target: str | None) -> Table:
    try:
        table = read(data, target)
    except DataError as error:
        if target is not None and not _has(data, target):
            raise click.UsageError(str(error)) from error
        raise
    if table.y is None:
        raise click.UsageError(
            f"{data} needs --target COLUMN, the column to predict. Its columns: {listed(table.feature_names, 20)}"
        )
    return table


def _has(data: str, target: str) -> bool:
    """Whether the target is a column, asked after an error: a wrong name is wrong usage, a wrong cell is not."""
    try:
        table = read(data)
    except (DataError, OSError):
        return True
    return target in table.feature_names if table.y is None else target == table.target


def _judges(asked: Asked, table: Table, encoder: TableEncoder | None, task: str) -> tuple[tuple[Any, Target], str]:
    """Rows to judge by that are not drawn: the data set's test rows, or --validation in training's order of columns."""
    if asked.validation is None and table.test is not None:
        X, y = table.test
        other, how = replace(table, X=X, y=y, source=f"{table.source} (test rows)"), "the data set's own test rows"
    else:
        name, target = str(asked.validation), table.target if asked.target is None else asked.target
        text = text_columns(None if encoder is None else encoder.to_json(), target, table.y)
        other = read(name, target, text=text)
        how = f"all of {brief(name, 100)}"
    if other.y is None:
        raise DataError(f"{other.source} has no column {named(table)} to judge by.")
    X = matched(other, table.feature_names, named=not isinstance(table.X, np.ndarray)).X
    if encoder is not None:
        with blamed(other):
            encoder.transform(X)  # so that what is wrong with these rows is said before training, not after it
    elif not isinstance(X, np.ndarray):
        _refuse_all_but_numbers(asked, replace(other, X=X))
    y = as_task(other.y, task, other)
    if task == "classification":
        refuse_strangers(y, np.unique(np.asarray(table.y)), other)
    return (X, y), how


def text_columns(encoder: Mapping[str, Any] | None, target: str | None, classes: Target | None) -> list[str]:
    """Columns that were texts in training, to be read as texts even if what they hold now looks like numbers.

    encoder: its description; classes: the target, or its classes.
    """
    text = []
    if encoder is not None:
        pairs = zip(encoder["names"], encoder["kinds"], strict=True)
        text = [name for name, kind in pairs if kind in ("category", "identifier")]
    if target is not None and classes is not None and classes.dtype.kind in "OUT":
        text.append(target)
    return text


def _learnt_from(asked: Asked, task: str, y: Target, train: NDArray[np.intp]) -> NDArray[np.intp]:
    """Places of the rows that columns are learnt from: those to train on, without those that early stopping takes."""
    return train[planned_rows(asked.estimator(task), y[train])] if asked.sets_apart else train


def _encoder(table: Table, train: NDArray[np.intp]) -> TableEncoder:
    """What the encoder will learn, found out beforehand: to tell it, and so that errors name the rows of the file.

    The estimator fits its own on the parted rows, where places are others. Warnings that it gives came here already.
    """
    weights = np.zeros(table.n_rows)
    weights[train] = 1.0
    with blamed(table, learning=True):
        encoder = TableEncoder().fit(table.X, sample_weight=weights)
        encoder.transform(table.X)
    return encoder


def _refuse_all_but_numbers(asked: Asked, table: Table) -> None:
    otherwise = "or leave --no-encode out: then text and missing values are dealt with"
    refuse_all_but_numbers(table, asked.settings.get("dtype", "float32"), "--no-encode", otherwise)


def _take(X: Any, places: NDArray[np.intp]) -> Any:
    return X[places] if isinstance(X, np.ndarray) else nw.from_native(X, eager_only=True)[places].to_native()
