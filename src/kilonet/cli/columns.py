"""Rows that come later, with the columns that a model knows."""

from __future__ import annotations

import shlex
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import click
import narwhals.stable.v2 as nw
import numpy as np

from kilonet.checks import nearest
from kilonet.cli.console import brief, listed
from kilonet.data import Table
from kilonet.data.places import where
from kilonet.errors import DataError, DataWarning
from kilonet.numerals import parse
from kilonet.persistence import SavedModel


class Matched(NamedTuple):
    """Columns in the order of training, and the names of those that it did not have."""

    X: Any
    ignored: list[str]


@contextmanager
def blamed(table: Table, *, learning: bool = False) -> Iterator[None]:
    """Within: the file's name in front of what is wrong or odd in it, and places as they are found in the file.

    learning: whether columns may be left out with --drop, which is then said.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", DataWarning)
        try:
            yield
        except DataError as error:
            raise DataError(_blamed(error, table, learning)) from error
    for warning in caught:
        odd = warning.message
        said = type(odd)(_blamed(odd, table, learning)) if isinstance(odd, DataWarning) else odd
        warnings.warn(said, warning.category, stacklevel=3)


def _blamed(remark: DataError | DataWarning, table: Table, learning: bool) -> str:
    text = str(remark)
    if learning and remark.columns:
        drop = " ".join(f"--drop {shlex.quote(name)}" for name in remark.columns)
        text += f" {drop} leaves {'it' if len(remark.columns) == 1 else 'them'} out."
    if remark.row is not None:
        text = text.replace(f"row {remark.row} (counting from 0)", where(Path(table.source), [remark.row]))
    return f"{table.source}: {text}"


@contextmanager
def told_before() -> Iterator[None]:
    """Within: nothing is said of the data, of which all has been said with its place in the file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        yield


def refuse_all_but_numbers(table: Table, dtype: str, who: str, otherwise: str) -> None:
    """DataError for a cell that is no finite number of `dtype`, where no encoder deals with it.

    who: what asks for numbers; otherwise: what can be done about text and gaps but mending them.
    """
    most = np.finfo(dtype).max
    for name, series in zip(table.feature_names, nw.from_native(table.X, eager_only=True).iter_columns(), strict=True):
        if series.dtype.is_numeric() or series.dtype == nw.Boolean:
            values = series.cast(nw.Float64).to_numpy()
            good = np.abs(values) <= most
            cells: Any = values
        else:
            cells = series.to_list()
            good = np.array([isinstance(cell, str) and parse(cell) is not None for cell in cells])
            good &= not good.all()  # texts that all write out numbers are texts
        if not good.all():
            row = int(np.argmin(good))
            refused = DataError(
                f'column "{name}", row {row} (counting from 0): holds {_described(cells[row], dtype)}, but {who} takes '
                f"only finite numbers. Mend the cell, {otherwise}."
            )
            refused.row = row
            with blamed(table):
                raise refused


def _described(cell: Any, dtype: str) -> str:
    if cell is None or cell != cell:
        return "no value"
    if not isinstance(cell, float):
        return f"the text {brief(cell)!r}" if isinstance(cell, str) else brief(cell)
    return f"{cell:g}" + ("" if np.isinf(cell) else f", which does not fit into {dtype}")


def matched(table: Table, names: tuple[str, ...], *, named: bool) -> Matched:
    """The columns called `names` of a table, in that order; `named` keeps a frame a frame, else it becomes an array.

    Raises DataError when a column is missing, or when rows without names have another number of columns.
    """
    if isinstance(table.X, np.ndarray):
        if table.X.shape[1] != len(names):
            raise DataError(
                f"{table.source} has {table.X.shape[1]} columns, but {len(names)} are needed. "
                "Give rows of the kind that training had."
            )
        return Matched(_frame(table.X, names) if named else table.X, [])
    frame = nw.from_native(table.X, eager_only=True)
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise DataError(
            f"{table.source} has {len(frame.columns)} columns, but lacks {len(missing)} of the {len(names)} that "
            f"training had: {listed(missing)}. It has {listed(frame.columns)}. Columns are matched by name: "
            "add what is missing, or mend the header."
        )
    known = set(names)
    ignored = [name for name in frame.columns if name not in known]
    chosen = frame.select(list(names))
    return Matched(chosen.to_native() if named else _array(chosen, table), ignored)


def without(table: Table, asked: tuple[str, ...]) -> tuple[Table, list[str]]:
    """The table without the columns that --drop named, and their names; UsageError for what cannot be dropped."""
    if not asked:
        return table, []
    if isinstance(table.X, np.ndarray):
        raise click.UsageError(f"--drop is for files with columns, which {table.source} is not. Leave it out.")
    names = [name for text in asked for name in ([text] if text in table.feature_names else _parted(text))]
    for name in names:
        if name == table.target:
            raise click.UsageError(f'--drop: "{brief(name)}" is the target. Leave it out of --drop.')
        if name not in table.feature_names:
            hint = nearest(name, table.feature_names)
            shown = listed(table.feature_names, 20)
            raise click.UsageError(f'{table.source} has no column "{brief(name)}" to drop.{hint} Its columns: {shown}.')
    kept = tuple(name for name in table.feature_names if name not in names)
    if not kept:
        raise click.UsageError(f"--drop leaves no column of {table.source} to learn from. Name fewer.")
    return replace(table, X=table.X.select(list(kept)), feature_names=kept), list(dict.fromkeys(names))


def _parted(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _array(frame: nw.DataFrame[Any], table: Table) -> Any:
    """A float32 array; NaN where a cell is empty."""
    for name in frame.columns:
        if not (
            frame[name].dtype.is_numeric() or frame[name].dtype == nw.Boolean or frame[name].null_count() == len(frame)
        ):
            raise DataError(
                f'{table.source}: column "{name}" holds text, but training had numbers there. Mend the cells.'
            )
    return np.column_stack([frame[name].cast(nw.Float32).to_numpy() for name in frame.columns])


def _frame(X: Any, names: tuple[str, ...]) -> Any:
    return nw.from_dict({name: X[:, place] for place, name in enumerate(names)}, backend="pyarrow").to_native()


def column_names(saved: SavedModel) -> tuple[str, ...]:
    """The columns that a model was trained on; models of nameless arrays count them."""
    if saved.feature_names is not None:
        return saved.feature_names
    run = saved.extra.get("run")
    names = run.get("names") if isinstance(run, Mapping) else None
    if isinstance(names, list) and all(isinstance(name, str) for name in names):
        return tuple(names)
    return tuple(f"x{place}" for place in range(_n_columns(saved)))


def _n_columns(saved: SavedModel) -> int:
    return saved.network.n_inputs if saved.encoder is None else len(saved.encoder["names"])
