"""`kilonet predict MODEL ROWS`: what a model makes of rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from kilonet.cli.columns import blamed, column_names, matched, refuse_all_but_numbers
from kilonet.cli.console import Console, brief, count, listed
from kilonet.cli.jsonable import to_json
from kilonet.cli.models import opened
from kilonet.cli.rows import text_columns
from kilonet.cli.seam import Estimator
from kilonet.cli.target import refuse_strangers
from kilonet.cli.wording import score_text
from kilonet.data import Table, read
from kilonet.errors import DataError, SettingError
from kilonet.persistence import SavedModel

HELP = """Predict ROWS with MODEL: one line per row on stdout, in the order of the rows, as CSV with a header.

MODEL is a file that `kilonet fit` wrote. ROWS is whatever `kilonet fit` reads: a CSV, Parquet or Arrow
file, a folder (its test rows, if it has some), or "digits". Columns are matched by name; others, and the
target if it is there, are left aside.

\b
kilonet predict houses.kn new_houses.csv > prices.csv
kilonet predict houses.kn old_houses.csv --score > /dev/null
"""

_PERCENT = 10  # from here up to 100 a level is most likely meant in percent
_NOTHING = 1e-5  # of the target's standard deviation: an error that no regression notices


class Level(click.ParamType[Any]):
    """A share of rows, above 0 and below 1."""

    name = "level"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or BadParameter with the one that was meant where percent were given."""
        try:
            level = float(value)
        except ValueError:
            level = float("nan")
        if not 0 < level < 1:
            hint = f" Did you mean {level / 100:g}?" if _PERCENT <= level < 100 else ""
            self.fail(f"{value!r} came; needs a number above 0 and below 1, such as 0.9.{hint}", param, ctx)
        return level


@click.command(help=HELP, short_help="Predict rows with a saved model.")
@click.argument("model")
@click.argument("rows")
@click.option("--proba", is_flag=True, help="Add a column with the probability of each class.")
@click.option(
    "--interval",
    type=Level(),
    metavar="LEVEL",
    help="Add columns with the interval that holds so many of the true values, such as 0.9.",
)
@click.option("--score", is_flag=True, help="Compare with the target column in ROWS; the score goes to stderr.")
@click.option("--json", "as_json", is_flag=True, help="Results as JSON on stdout.")
@click.option(
    "--quiet", "-q", is_flag=True, help="No remarks on stderr; predictions, the score, warnings and errors stay."
)
def predict(
    model: str, rows: str, proba: bool, interval: float | None, score: bool, as_json: bool, quiet: bool
) -> None:
    """Predict rows with a saved model."""
    console = Console(quiet)
    with console.warnings():
        saved, estimator = opened("predict", model, rows)
        if proba:
            _refuse_proba(estimator, saved, model)
        if interval is not None and not hasattr(estimator, "predict_interval"):
            raise click.UsageError(
                f"--interval: {model} has no intervals. They are for numbers, by a model that `kilonet fit` tuned: "
                "one for which no network was described."
            )
        table = _read(rows, saved, score)
        X = _columns(console, saved, table)
        with blamed(table):
            result: dict[str, Any] = {
                "target": saved.target_name,
                "predictions": _shortest(estimator.predict(X), saved),
            }
        if proba:
            result |= {
                "classes": estimator.classes_,
                "probabilities": estimator.predict_proba(X).astype(saved.recipe.dtype),
            }
        if interval is not None:
            result |= _interval(estimator, saved, X, interval)
        if score:
            result["score"] = _score(console, estimator, saved, X, table)
    click.echo(to_json(result) if as_json else _csv(result), nl=as_json)


def _refuse_proba(estimator: Estimator, saved: SavedModel, model: str) -> None:
    if not hasattr(estimator, "predict_proba"):
        why = "predicts numbers" if saved.task == "regression" else f"was trained with {saved.loss}, which has none"
        raise click.UsageError(f"--proba: {model} {why}, so there are no probabilities. Leave it out.")


def _interval(estimator: Any, saved: SavedModel, X: Any, level: float) -> dict[str, Any]:
    """Low and high of every row. Raises UsageError for a level that takes more rows than there were."""
    try:
        low, high = estimator.predict_interval(X, level)
    except SettingError as error:
        raise click.UsageError(f"--interval: {error}") from error
    return {"level": level, "low": _shortest(low, saved), "high": _shortest(high, saved)}


def _read(rows: str, saved: SavedModel, score: bool) -> Table:
    """The rows, with their target only where it is to be compared with."""
    text = text_columns(saved.encoder if saved.feature_names is not None else None, saved.target_name, saved.classes)
    if not score:
        return _test_rows(read(rows, text=text))
    table = read(rows, text=text)
    if table.y is None:
        if saved.target_name is None or saved.target_name not in table.feature_names:
            target = (
                f'"{saved.target_name}"' if saved.target_name else "the target, whose name this model does not know"
            )
            raise click.UsageError(f"--score: {rows} has no column {target}. Leave --score out, or add the column.")
        table = read(rows, saved.target_name, text=text)
    return _test_rows(table)


def _test_rows(table: Table) -> Table:
    """Of data sets with test rows these are the ones to predict."""
    if table.test is None:
        return table
    X, y = table.test
    return Table(X, y, table.feature_names, table.source, table.target)


def _columns(console: Console, saved: SavedModel, table: Table) -> Any:
    names = column_names(saved)
    if saved.encoder is None and not isinstance(table.X, np.ndarray):
        rows = Table(matched(table, names, named=True).X, None, names, table.source)
        refuse_all_but_numbers(rows, saved.recipe.dtype, "the model", "or leave the row out")
    X, ignored = matched(table, names, named=saved.feature_names is not None)
    ignored = [name for name in ignored if name != saved.target_name]
    if ignored:
        console.say("ignored", f"{count(len(ignored), 'column')} that training did not have: {listed(ignored)}")
    return X


def _score(console: Console, estimator: Estimator, saved: SavedModel, X: Any, table: Table) -> dict[str, Any]:
    y = table.y
    if y is None:
        raise DataError(f"{table.source} has no target to compare with.")
    if saved.classes is not None:
        refuse_strangers(y, saved.classes, table)
    score = float(estimator.score(X, y))
    what = "accuracy" if saved.classes is not None else "r2"
    console.tell("score", f"{score_text(saved.task, score)} over {count(len(y), 'row')} of {brief(table.source, 100)}")
    return {"metric": what, "value": score, "rows": len(y)}


def _shortest(predictions: NDArray[Any], saved: SavedModel) -> NDArray[Any]:
    """Numbers in the model's own type, whose digits are all that it knows.

    They stay as they are where that type is too coarse for the target: numbers that hardly differ, far from 0.
    """
    if saved.task != "regression":
        return predictions
    with np.errstate(over="ignore", under="ignore"):
        narrow = predictions.astype(saved.recipe.dtype)
    scale = 1.0 if saved.target_scale is None else saved.target_scale
    return narrow if (np.abs(narrow - predictions) <= _NOTHING * scale).all() else predictions


def _csv(result: Mapping[str, Any]) -> str:
    predictions = np.asarray(result["predictions"])
    name = result["target"] or "prediction"
    columns = predictions.reshape(len(predictions), -1)
    header = [name] if columns.shape[1] == 1 else [f"{name}_{place}" for place in range(columns.shape[1])]
    blocks = [_texts(columns)]
    if "probabilities" in result:
        header += [f"probability_{label}" for label in result["classes"].tolist()]
        blocks.append(_texts(np.asarray(result["probabilities"])))
    if "low" in result:
        header += [f"{name}_low", f"{name}_high"]
        blocks.append(_texts(np.stack([result["low"], result["high"]], axis=1)))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(header)
    for cells in zip(*blocks, strict=True):
        writer.writerow([cell for block in cells for cell in block])
    return stream.getvalue()


def _texts(columns: NDArray[Any]) -> Sequence[Sequence[Any]]:
    """Cells as CSV writes them: the shortest digits that give the number back."""
    cells: list[list[Any]] = (columns.astype(str) if columns.dtype.kind == "f" else columns).tolist()
    return cells
