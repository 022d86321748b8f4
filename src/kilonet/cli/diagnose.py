"""`kilonet diagnose MODEL DATA`: what is wrong with a network, and what cures it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import narwhals.stable.v2 as nw
import numpy as np

from kilonet import persistence
from kilonet.cli.asked import HELD_OUT, Asked
from kilonet.cli.columns import column_names, matched, told_before
from kilonet.cli.console import Console, brief, count, plain
from kilonet.cli.kinds import Number
from kilonet.cli.options import Sections, under
from kilonet.cli.remedies import as_options
from kilonet.cli.rows import parts, text_columns
from kilonet.cli.seam import MLPClassifier, MLPRegressor, diagnosed, from_model, page
from kilonet.cli.split import split_rows
from kilonet.cli.story import tell_data
from kilonet.cli.target import as_task, refuse_strangers
from kilonet.data import Table, read
from kilonet.errors import DataError, FileFormatError, LeftOutWarning
from kilonet.persistence import SavedModel

HELP = """Say what is wrong with MODEL, what is likely behind it, and what cures it.

MODEL is a file that `kilonet fit` wrote, DATA what it was trained on. Rows that `kilonet fit` held out are found
again, and held out here. Without MODEL, DATA alone is looked at, and how a network would start on it. Exit status: 0
nothing fails, 3 something does; 1 the run failed, 2 wrong usage.

\b
kilonet diagnose houses.kn houses.csv --target price
kilonet diagnose houses.kn houses.csv --target price --verify
kilonet diagnose houses.csv --target price
"""
FAILS = 3

OPTIONS = [
    *under(
        "Data",
        ("--target", "COLUMN", "The column that was predicted; the model's own unless given."),
    ),
    *under(
        "How thoroughly",
        ("--seeds", Number(2, 256, whole=True), "Runs with and without each remedy; 8 unless given."),
    ),
    *under(
        "Output",
        ("--json", bool, "Findings, and the facts that they rest on, as JSON on stdout."),
        ("--quiet -q", bool, "No narrative on stderr; findings, warnings and errors stay."),
    ),
]


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(OPTIONS):
        function = option(function)
    return function


@click.command(cls=Sections, help=HELP, short_help="Say what is wrong with a model, and what cures it.")
@click.argument("model")
@click.argument("data", required=False)
@click.option("--verify/--no-verify", default=False, help="Try the remedies: train with and without each of them.")
@_options
def diagnose(model: str, data: str | None, verify: bool, **options: Any) -> int:
    """Look, tell, and say by the exit status whether anything fails."""
    given = {name: value for name, value in options.items() if value is not None}
    console = Console(quiet=bool(given.get("quiet")))
    if "seeds" in given and not verify:
        raise click.UsageError("--seeds has no effect without --verify. Add it, or leave --seeds out.")
    with console.warnings(LeftOutWarning):
        subject = _before(console, model, given) if data is None else _trained(console, model, data, given)
        if verify:
            console.say(
                "verifying", f"training with and without each remedy, {count(given.get('seeds', 8), 'seed')} each"
            )
        with told_before():
            report = diagnosed(
                subject.estimator, subject.X, subject.y, validation=subject.validation, verify=verify,
                seeds=given.get("seeds", 8),
            )  # fmt: skip
    click.echo(report.to_json() if given.get("json") else plain(page(report.findings, report.examination, as_options)))
    return FAILS if report.failed else 0


@dataclass(frozen=True, eq=False)
class _Subject:
    """What is diagnosed: an estimator, the rows of its training, and those that were held out."""

    estimator: Any
    X: Any
    y: Any
    validation: tuple[Any, Any] | None


def _before(console: Console, data: str, given: dict[str, Any]) -> _Subject:
    """The rows of a fit that is yet to come, and the estimator that it would begin with."""
    asked = Asked(data, Path("model.kn"), given.get("target"), (), "auto", None, HELD_OUT, False, {"random_state": 0},
                  as_json=bool(given.get("json")), quiet=console.quiet)  # fmt: skip
    rows = parts(asked)
    tell_data(console, rows)
    estimator = MLPClassifier(random_state=0) if rows.task == "classification" else MLPRegressor(random_state=0)
    return _Subject(estimator, rows.X, rows.y, None)


def _trained(console: Console, model: str, data: str, given: dict[str, Any]) -> _Subject:
    """A saved model with the rows that it was trained on, as far as they can be told from the others."""
    saved = persistence.load(model)
    try:
        estimator = from_model(saved)
    except FileFormatError as error:
        raise FileFormatError(f"{model}: {error}") from error
    table = _read(data, saved, given.get("target"))
    X = matched(table, column_names(saved), named=saved.feature_names is not None).X
    y = _target(table, saved)
    train, held_out = _parted(console, saved, table, y)
    taken = _take(X, train), y[train]
    if table.test is not None and len(held_out) == 0 and len(train) == len(y):
        tests = Table(table.test[0], table.test[1], table.feature_names, f"{table.source} (test rows)", table.target)
        own = matched(tests, column_names(saved), named=saved.feature_names is not None).X
        return _Subject(estimator, *taken, (own, _target(tests, saved)))
    return _Subject(estimator, *taken, (_take(X, held_out), y[held_out]) if len(held_out) > 1 else None)


def _read(data: str, saved: SavedModel, target: str | None) -> Table:
    name = target if target is not None else saved.target_name
    encoder = saved.encoder if saved.feature_names is not None else None
    text = text_columns(encoder, name, saved.classes)
    table = read(data, text=text)
    if table.y is not None and name in (None, table.target):
        return table
    if name is None or name not in table.feature_names:
        column = f'"{brief(name)}"' if name else "the target, whose name this model does not know"
        raise click.UsageError(f"{data} has no column {column}. Name it with --target, or give the training data.")
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
