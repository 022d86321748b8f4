"""The target of a fit: which task it asks for, and what cannot be a target of it."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.cli.console import brief, listed
from kilonet.data import Table, task_of
from kilonet.data.places import where
from kilonet.errors import DataError, DataWarning
from kilonet.numerals import has_decimal_comma

Target = NDArray[Any]


def task_and_target(asked: str, table: Table) -> tuple[str, str, Target]:
    """Task, why, and the target as that task needs it; asked: "auto", or the task.

    Raises DataError for a target that neither task can have, and warns of classes with a single row.
    """
    if table.y is None:
        raise DataError(f"{table.source} has no target.")
    if asked == "auto":
        try:
            found = task_of(table.y)
        except DataError as error:
            more = "; --task classification takes every different text for a class"
            raise DataError(f"{table.source}, column {named(table)}: {error}{more}.") from error
        task, why = found.kind, f"because {found.reason} (--task overrides)"
    else:
        task, why = asked, "as asked with --task"
    y = as_task(table.y, task, table)
    if task == "classification" and len(np.unique(y)) < 2:
        raise DataError(
            f"{table.source}: the target {named(table)} is {brief(y[0])!r} in every one of its {len(y):,} rows; a "
            "classification needs at least two classes. Name another --target, or give rows of other classes."
        )
    if task == "classification":
        _warn_of_single_rows(y, table)
    return task, why, y


def as_task(y: Target, task: str, table: Table) -> Target:
    """The target as the task needs it. Raises DataError for one that the task cannot have."""
    if task == "classification":
        fractions = y[y % 1 != 0] if y.dtype.kind == "f" else y[:0]
        if len(fractions):
            raise DataError(
                f"{table.source}: the target {named(table)} holds numbers with fractions, such as {fractions[0]}, "
                "which are no classes. Leave --task out, or name another --target."
            )
        return y
    if y.dtype.kind in "iuf":
        return y
    try:
        return y.astype(np.float64)
    except ValueError as error:
        comma = next((cell for cell in y.tolist() if isinstance(cell, str) and has_decimal_comma(cell)), None)
        remedy = "Name another --target, or leave --task out."
        if comma is not None:
            remedy = f"Write decimals with a point, not as in {comma!r}."
        raise DataError(
            f"{table.source}: the target {named(table)} holds text, but a regression needs numbers ({error}). {remedy}"
        ) from error


def _warn_of_single_rows(y: Target, table: Table) -> None:
    counts = np.unique(y, return_counts=True)[1]
    single = int(np.sum(counts == 1))
    if 2 * single > len(counts):
        said = f"{single:,} of the {len(counts):,} classes of the target {named(table)} have a single row, from which"
        remedy = "Group them into fewer classes, or use --task regression if they are amounts."
        warnings.warn(f"{table.source}: {said} little can be learned. {remedy}", DataWarning, stacklevel=2)


def refuse_strangers(y: Target, classes: Target, table: Table) -> None:
    """DataError when a row is of a class that training did not have."""
    known = set(classes.tolist())
    for row, label in enumerate(y.tolist()):
        if label not in known:
            raise DataError(
                f"{table.source}: the target {named(table)} is {brief(label)!r} in "
                f"{where(Path(table.source), [row])}, a class that training did not have (it had "
                f"{listed(classes.tolist())}). Leave such rows out, or train with some."
            )


def named(table: Table) -> str:
    """The target's name in quotation marks, if it has one."""
    return f'"{brief(table.target)}"' if table.target else ""
