"""How commands write a model, in one step, whatever comes in between."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from kilonet import persistence
from kilonet.cli import INTERRUPTED
from kilonet.cli.asked import Asked, refuse_overwriting
from kilonet.cli.rows import Parts
from kilonet.cli.seam import Estimator, to_model
from kilonet.engine.interrupt import CtrlC


class Stopped(click.ClickException):
    """Ctrl-C where there is a file already: when the model is written, or its result told."""

    exit_code = INTERRUPTED


def save(estimator: Estimator, rows: Parts, run: Mapping[str, Any], asked: Asked) -> Path:
    """Write the model, with what this run was, in one step."""
    model = to_model(estimator, rows.target_name)
    names = None if model.feature_names is not None else list(rows.names)
    model = replace(model, extra={**model.extra, "run": {**run, "names": names}})
    try:
        with CtrlC():  # a file that is being written is finished first
            persistence.save(model, asked.out)
    except KeyboardInterrupt:  # the second one: the first lets the file be finished
        raise Stopped(f"interrupted while {asked.out} was written; it is whole, or as it was before.") from None
    except OSError as error:
        raise click.ClickException(
            f"{asked.out} could not be written: {error.strerror or error}. If it was there before, it is as it was."
        ) from error
    return asked.out


def refuse_no_place(name: str, path: Path, data: str) -> None:
    """Raise UsageError for a file that cannot be written, before anything is trained."""
    suffixes = {"report": (".html", ".md"), "record": (".json",)}.get(name)
    if suffixes and path.suffix.lower() not in suffixes:
        raise click.UsageError(f"--{name} {path} must end in {' or '.join(suffixes)}.")
    refuse_overwriting(f"--{name}", path, (data,))
