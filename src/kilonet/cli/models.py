"""A model file, and the rows that a command is given with it: which of them is which."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from kilonet import persistence
from kilonet.cli.again import call
from kilonet.cli.seam import Estimator, from_model
from kilonet.errors import FileFormatError
from kilonet.persistence import SavedModel

_BEGINS = b'{"__metadata__":{"kilonet"'  # after the 8 bytes of a length: the one entry that model files have


def is_model(path: str) -> bool:
    """Whether a file begins as model files do; it need not be whole."""
    try:
        with Path(path).open("rb") as file:
            return file.read(8 + len(_BEGINS))[8:] == _BEGINS
    except (OSError, ValueError):
        return False


def opened(command: str, model: str, rows: str) -> tuple[SavedModel, Estimator]:
    """The model of a file, and the estimator that it describes.

    Raises UsageError where model and rows changed places, or both are models; FileFormatError and OSError for a file
    that is no model of this kind.
    """
    if is_model(rows):
        if is_model(model):
            raise click.UsageError(f"{rows} is a model too, where rows are needed: {_call(command, model, 'ROWS')}.")
        raise click.UsageError(f"{rows} is the model, and comes first: {_call(command, rows, model)}.")
    saved = persistence.load(model)
    try:
        return saved, from_model(saved)
    except FileFormatError as error:
        raise FileFormatError(f"{model}: {error}") from error


def refuse_alone(command: str, model: str) -> None:
    """Raise UsageError for a model without the rows that a command needs with it."""
    if is_model(model) or Path(model).suffix == ".kn":
        source = source_of(persistence.load(model))
        raise click.UsageError(
            f"{model} is a model, which is looked at with the rows that it was trained on: "
            f"{_call(command, model, source or 'ROWS')}."
        )


def source_of(saved: SavedModel) -> str:
    """What the model was trained on, as `kilonet fit` noted it; empty where that is not known."""
    run = saved.extra.get("run")
    source = run.get("source") if isinstance(run, Mapping) else None
    return source if isinstance(source, str) else ""


def _call(command: str, *arguments: str) -> str:
    return f"`{call(command, arguments, {})}`"
