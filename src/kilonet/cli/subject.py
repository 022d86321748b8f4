"""What `kilonet diagnose` looks at: an estimator with the rows of its training, and those that were held out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import narwhals.stable.v2 as nw
import numpy as np

from kilonet.cli.asked import HELD_OUT, Asked
from kilonet.cli.columns import column_names, matched
from kilonet.cli.console import Console, brief, count, listed
from kilonet.cli.models import opened, refuse_alone, source_of
from kilonet.cli.rows import parts, text_columns
from kilonet.cli.seam import MLPClassifier, MLPRegressor, networks_of
from kilonet.cli.split import split_rows
from kilonet.cli.story import tell_data
from kilonet.cli.target import as_task, refuse_strangers
from kilonet.data import Table, read
from kilonet.errors import DataError
from kilonet.persistence import SavedModel


@dataclass(frozen=True, eq=False)
class Subject:
    """What is diagnosed. source: of the rows; target: its name, None where it has none; saved: the model, if any."""

    estimator: Any
    X: Any
    y: Any
    validation: tuple[Any, Any] | None
    source: str
    target: str | None
    saved: SavedModel | None = None


def before(console: Console, data: str, given: Mapping[str, Any]) -> Subject:
    """The rows of a fit that is yet to come, and the estimator that it would begin with."""
    refuse_alone("diagnose", data)
    asked = Asked(data, Path("model.kn"), given.get("target"), (), "auto", None, HELD_OUT, False, {"random_state": 0},
                  as_json=bool(given.get("json")), quiet=console.quiet)  # fmt: skip
    rows = parts(asked)
    tell_data(console, rows)
    estimator = MLPClassifier(random_state=0) if rows.task == "classification" else MLPRegressor(random_state=0)
    return Subject(estimator, rows.X, rows.y, None, rows.source, rows.target_name)


def trained(console: Console, model: str, data: str, given: Mapping[str, Any]) -> Subject:
    """A saved model with the rows that it was trained on, as far as they can be told from the others.

    Raises UsageError for a table that has not the columns of the training, or not its target.
    """
    saved, fitted = opened("diagnose", model, data)
    estimator = networks_of(fitted)
    table = _read(model, data, saved, given.get("target"))
    X = _columns(table, saved)
    y = _target(table, saved)
    train, held_out = _parted(console, saved, table, y)
    told = table.source, table.target
    taken = _take(X, train), y[train]
    if table.test is not None and len(held_out) == 0 and len(train) == len(y):
        tests = Table(table.test[0], table.test[1], table.feature_names, f"{table.source} (test rows)", table.target)
        return Subject(estimator, *taken, (_columns(tests, saved), _target(tests, saved)), *told, saved=saved)
    rest = (_take(X, held_out), y[held_out]) if len(held_out) > 1 else None
    return Subject(estimator, *taken, rest, *told, saved=saved)


def _columns(table: Table, saved: SavedModel) -> Any:
    try:
        return matched(table, column_names(saved), named=saved.feature_names is not None).X
    except DataError as error:
        source = source_of(saved)
        origin = f" It was trained on {source}." if source and source != table.source else ""
        raise click.UsageError(f"{error}{origin}") from error


def _read(model: str, data: str, saved: SavedModel, target: str | None) -> Table:
    """The table with its target: that of the model, unless another name is given for it."""
    known = saved.target_name
    if target not in (None, known) and target in column_names(saved):
        predicts = f' predicts "{brief(known)}" and' if known else ""
        raise click.UsageError(
            f'--target {target}: {model}{predicts} has "{brief(target)}" for an input. Leave --target out, or name '
            "the column that was predicted."
        )
    name = known if target is None else target
    text = text_columns(saved.encoder if saved.feature_names is not None else None, name, saved.classes)
    table = read(data, text=text)
    if table.y is not None and name in (None, table.target):
        return table
    if name is None or name not in table.feature_names:
        column = f'"{brief(name)}"' if name else "the target, whose name this model does not know"
        named = f" It has {listed(table.feature_names, 20)}." if table.y is None else ""
        raise click.UsageError(
            f"{data} has no column {column}.{named} Name it with --target, or give the training data."
        )
    return read(data, name, text=text)


def _target(table: Table, saved: SavedModel) -> Any:
    if table.y is None:
        raise DataError(f"{table.source} has no target to compare with.")
    y = as_task(table.y, "regression" if saved.task == "regression" else "classification", table)
    if saved.classes is not None:
        refuse_strangers(y, saved.classes, table)
    return y


def _parted(console: Console, saved: SavedModel, table: Table, y: Any) -> tuple[Any, Any]:
    """Places of the training rows and of the held-out ones: those of `kilonet fit`, where the numbers of rows agree."""
    run = saved.extra.get("run")
    known = run if isinstance(run, dict) else {}
    rows, seed, everything = known.get("rows"), known.get("seed"), np.arange(len(y))
    if not isinstance(rows, int) or not isinstance(seed, int) or rows == len(y):
        return everything, everything[:0]
    classes = saved.task == "classification"
    for share in (HELD_OUT, (len(y) - rows - 0.5) / len(y)):  # half a row less: it is rounded up
        split = split_rows(y, share, seed, classes) if 0 < share < 1 else None
        if split is not None and len(split.train) == rows and split.how == known.get("split"):
            console.say("held out", f"{count(len(split.held_out), 'row')}, as in training; the others were trained on")
            return split.train, split.held_out
    console.warn(
        f"{brief(table.source, 100)} has {count(len(y), 'row')}, and the model was trained on {rows:,}: which of them "
        "is not known, so all are looked at as if it had been trained on them"
    )
    return everything, everything[:0]


def _take(X: Any, places: Any) -> Any:
    return X[places] if isinstance(X, np.ndarray) else nw.from_native(X, eager_only=True)[places].to_native()
