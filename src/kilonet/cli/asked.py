"""What was asked for on the command line of `kilonet fit`, checked before any data is read."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from kilonet.cli.seam import LOSSES, Estimator, MLPClassifier, MLPClassifierCV, MLPRegressor, MLPRegressorCV
from kilonet.losses import loss_from
from kilonet.persistence import writable

HELD_OUT = 0.2
_ONLY_WITH_STOPPING = ("monitor", "patience", "min_delta")
_NAMES = {"seed": "random_state", "threads": "n_jobs"}
_PAGES = (".html", ".md", ".json")
_TUNES = ("budget", "runs", "report")
_FREE = (*_TUNES, "random_state", "n_jobs", "class_weight")  # settings that describe no network


@dataclass(frozen=True)
class Asked:
    """One call of `kilonet fit`.

    drop: what --drop named, each a column or several with commas between them.
    settings: the estimator's parameters that were given; those left out keep the estimator's defaults.
    fraction: share of the rows to hold out; fraction_given tells whether the user said so. taken: whether `out`,
    which nobody named, is there already. reports: pages that are to be written.
    """

    data: str
    out: Path
    target: str | None
    drop: tuple[str, ...]
    task: str
    validation: str | None
    fraction: float
    fraction_given: bool
    settings: Mapping[str, Any]
    as_json: bool
    quiet: bool
    taken: bool = False
    reports: tuple[Path, ...] = ()

    @classmethod
    def of(cls, data: str, options: Mapping[str, Any]) -> Asked:
        """From click's options. Raises UsageError for options that exclude one another or a place without room.

        A file that would be overwritten is left to `check_place`: a wrong column, say, is to be heard of first.
        """
        given = {name: value for name, value in options.items() if value is not None}
        as_json, quiet = given.pop("json", False), given.pop("quiet", False)
        target, task, validation = given.pop("target", None), given.pop("task", "auto"), given.pop("validation", None)
        drop = tuple(given.pop("drop", ()))
        out, fraction = given.pop("out", None), given.pop("validation_fraction", None)
        if validation is not None and fraction is not None:
            raise click.UsageError(
                "--validation names the rows to judge on, so --validation-fraction has no say. Leave one out."
            )
        if not given.get("early_stopping"):
            for name in _ONLY_WITH_STOPPING:
                if name in given:
                    raise click.UsageError(
                        f"--{name.replace('_', '-')} has no effect without --early-stopping. Add it."
                    )
        settings = {"random_state": 0} | {_NAMES.get(name, name): value for name, value in given.items()}
        if settings.pop("no_encode", False):
            settings["encode"] = None
        reports = tuple(settings.pop("report", ()))
        _check_tuning(settings if not reports else settings | {"report": reports})
        place = _place(data, out, (data, validation))
        pages = tuple(_page(one, (data, validation)) for one in reports)
        return cls(
            data=data,
            out=place,
            taken=out is None and place.exists(),
            target=target,
            drop=drop,
            task=task,
            validation=validation,
            fraction=HELD_OUT if fraction is None else fraction,
            fraction_given=fraction is not None,
            settings=settings,
            as_json=as_json,
            quiet=quiet,
            reports=pages,
        )

    @property
    def seed(self) -> int:
        """What all random numbers start from."""
        return int(self.settings["random_state"])

    @property
    def tunes(self) -> bool:
        """Whether the network tunes itself: where no setting describes it or its training."""
        return all(name in _FREE for name in self.settings)

    @property
    def early_stopping(self) -> bool:
        """Whether training may end before its last epoch."""
        return bool(self.settings.get("early_stopping"))

    @property
    def encodes(self) -> bool:
        """Whether columns are encoded, and not taken as they are."""
        return self.settings.get("encode", "auto") is not None

    @property
    def sets_apart(self) -> bool:
        """Whether early stopping sets rows of its own apart from those to train on."""
        return self.early_stopping and self.validation is None

    def estimator(self, task: str) -> Estimator:
        """An estimator with these settings, not fitted. Raises UsageError for settings of the other task."""
        self.check_settings(task)
        if self.tunes:
            return MLPClassifierCV(**self.settings) if task == "classification" else MLPRegressorCV(**self.settings)
        return MLPClassifier(**self.settings) if task == "classification" else MLPRegressor(**self.settings)

    def check_place(self) -> None:
        """Raise UsageError where the model would replace a file that nobody named."""
        if self.taken:
            raise click.UsageError(f"{self.out} is there already. --out {self.out} replaces it; --out OTHER keeps it.")

    def check_settings(self, task: str) -> None:
        """Raise UsageError for settings of the other task."""
        loss = self.settings.get("loss", "auto")
        if loss != "auto" and loss_from(loss).name not in LOSSES[task]:
            other = "classification" if task == "regression" else "regression"
            raise click.UsageError(
                f"--loss {loss} is for {other}, but this is a {task}. Choose one of {', '.join(LOSSES[task])}, or "
                f"leave it out; --task {other} overrides what was seen in the target."
            )
        if task == "regression" and "class_weight" in self.settings:
            raise click.UsageError("--class-weight is for classes, but this is a regression. Leave it out.")


def _check_tuning(settings: Mapping[str, Any]) -> None:
    """Raise UsageError for how much is to be tried beside what describes the one network that is trained."""
    asked = [name for name in _TUNES if name in settings]
    if {"budget", "runs"} <= set(asked):
        raise click.UsageError("--runs and --budget are two ways to say how much may be done. Leave one out.")
    described = [name for name in settings if name not in _FREE]
    if asked and described:
        named = "--no-encode" if described[0] == "encode" else f"--{described[0].replace('_', '-')}"
        raise click.UsageError(
            f"--{asked[0]} is for a network that tunes itself, and {named} describes one that does not. Leave one out."
        )


def _place(data: str, out: str | None, inputs: tuple[str | None, ...]) -> Path:
    """Where the model goes. Raises UsageError before training rather than an OSError after it."""
    path = Path(f"{Path(os.path.realpath(data)).stem or 'model'}.kn") if out is None else Path(out)
    refuse_overwriting("--out", path, inputs)
    return path


def _page(name: str, inputs: tuple[str | None, ...]) -> Path:
    """Where a report goes. Raises UsageError for an ending of another kind, and for a place without room."""
    path = Path(name)
    if path.suffix.lower() not in _PAGES:
        raise click.UsageError(f"--report {name} must end in {', '.join(_PAGES[:-1])} or {_PAGES[-1]}.")
    refuse_overwriting("--report", path, inputs)
    return path


def refuse_overwriting(option: str, path: Path, inputs: tuple[str | None, ...]) -> None:
    """Raise UsageError for a file that is read, or cannot be written."""
    for other in inputs:
        if other is not None and path.exists() and Path(other).exists() and path.samefile(other):
            raise click.UsageError(f"{option} {path} would overwrite {other}, which is read. Name another file.")
    try:
        writable(path)
    except OSError as error:
        raise click.UsageError(f"{option} {error}") from error
