"""`kilonet choose DATA`: which network, with evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from sklearn.exceptions import ConvergenceWarning

from kilonet import report
from kilonet.cli.again import call
from kilonet.cli.asked import Asked
from kilonet.cli.choices import choose_options
from kilonet.cli.columns import told_before
from kilonet.cli.console import Console, count, number, size
from kilonet.cli.judging import notes
from kilonet.cli.options import Sections
from kilonet.cli.progress import networks
from kilonet.cli.rows import Parts, parts
from kilonet.cli.seam import ArchitectureSearch, MLPClassifier, MLPRegressor
from kilonet.cli.standings import standings, tell_columns
from kilonet.cli.story import tell_data
from kilonet.cli.writing import Stopped, refuse_no_place, save
from kilonet.errors import DivergenceWarning, LeftOutWarning
from kilonet.evidence import SearchRecord
from kilonet.report.words import sentence
from kilonet.telling import class_names, ordered

HELP = """Say which network suits DATA, with evidence: how large, how much regularization, and whether it is luck.

Every architecture is judged at its own best settings, on folds drawn several times and with several seeds, and
compared by a test that knows that folds share rows. A nested estimate tells what the choice is worth on new rows.

\b
kilonet choose digits
kilonet choose data.csv --target y --out best.kn --report report.html
kilonet choose data.csv --target y --hidden "3;6;20;64,64" --l2 1e-4,1e-3 --budget 5min
"""
_GRID = ("hidden", "activation", "l2", "rate", "dropout", "input_noise")
_MOST_CLASSES = 100  # that are named in a record
_ASKED = ("seeds", "budget", "runs", "scoring", "prefer", "store")


@click.command(cls=Sections, help=HELP, short_help="Say which network suits the data, with evidence.")
@click.argument("data")
@choose_options
def choose(data: str, **options: Any) -> int:
    """Search, tell, and write what was asked for."""
    given = {name: value for name, value in options.items() if value is not None and value != ()}
    if "runs" in given and "budget" in given:
        raise click.UsageError("--runs and --budget are two ways to say how much may be done. Leave one out.")
    asked, console = _asked(data, given), Console(quiet=bool(given.get("quiet")))
    with console.warnings(ConvergenceWarning, DivergenceWarning, LeftOutWarning):
        rows = parts(asked)
        tell_data(console, rows, folds=True)
        search = _search(given, rows)
        fitted = _fit(search, rows, given, console)
        record = replace(fitted.record_, reproduce=_line(data, given, fitted), data=_described(fitted.record_, rows))
        _write(record, fitted, rows, asked, given)
    if given.get("json"):
        click.echo(record.to_json(), nl=False)
    else:
        _tell(console, record, fitted, given)
    return 0


def _asked(data: str, given: Mapping[str, Any]) -> Asked:
    """The call as `kilonet fit` would have it: all rows are for training, since folds judge."""
    settings: dict[str, Any] = {"random_state": given.get("seed", 0)}
    if given.get("no_encode"):
        settings["encode"] = None
    _check_places(given, data)
    return Asked(
        data=data,
        out=Path(given.get("out", "model.kn")),
        target=given.get("target"),
        drop=tuple(given.get("drop", ())),
        task=given.get("task", "auto"),
        validation=None,
        fraction=0.0,
        fraction_given=True,
        settings=settings,
        as_json=bool(given.get("json")),
        quiet=bool(given.get("quiet")),
    )


def _check_places(given: Mapping[str, Any], data: str) -> None:
    """Raise UsageError for files that cannot be written and for one that is named twice, before anything is trained."""
    named: dict[Path, str] = {}
    for name, path in _places(given, "out", "report", "record", "store"):
        refuse_no_place(name, path, data)
        if path.resolve() in named:
            raise click.UsageError(f"{named[path.resolve()]} and --{name} {path} are one file. Name another.")
        named[path.resolve()] = f"--{name} {path}"


def _places(given: Mapping[str, Any], *names: str) -> list[tuple[str, Path]]:
    """The options of these names that were given, each with a file; --report may have several."""
    every = [(name, given[name]) for name in names if name in given]
    return [(name, Path(one)) for name, found in every for one in (found if isinstance(found, tuple) else (found,))]


def _search(given: Mapping[str, Any], rows: Parts) -> ArchitectureSearch:
    kind = MLPClassifier if rows.task == "classification" else MLPRegressor
    encode = None if given.get("no_encode") else "auto"
    settings = {name: given[name] for name in (*_GRID, *_ASKED) if name in given}
    return ArchitectureSearch(
        **settings,
        cv=given.get("folds"),
        nested=not given.get("no_nested"),
        extend=not given.get("no_extend"),
        estimator=kind(dtype="float32", encode=encode),
        refit=True,
        n_jobs=given.get("threads"),
        random_state=given.get("seed", 0),
    )


def _fit(search: ArchitectureSearch, rows: Parts, given: Mapping[str, Any], console: Console) -> ArchitectureSearch:
    with networks("searching", console.quiet) as callback:
        search.set_params(callback=callback)
        try:
            with told_before():
                search.fit(rows.X, rows.y)
        except KeyboardInterrupt:
            if "store" not in given:
                raise
            again = "give the same command again to go on."
            raise Stopped(f"interrupted; what was finished is in {given['store']}: {again}") from None
        finally:
            search.set_params(callback=None)
    return search


def _described(record: SearchRecord, rows: Parts) -> dict[str, Any]:
    """What is known of the data, with their names."""
    names = class_names(list(dict.fromkeys(rows.y.tolist()))) if rows.task == "classification" else []
    classes = [names[place] for place in ordered(names)]
    return {**record.data, "source": rows.source, "target": rows.target_name, "columns": list(rows.names),
            "classes": classes[:_MOST_CLASSES], "n_classes": len(classes), "dropped": rows.dropped}  # fmt: skip


def _line(data: str, given: Mapping[str, Any], search: ArchitectureSearch) -> str:
    """The command that gives the same numbers again, on any machine."""
    free = ("out", "report", "record", "store", "json", "quiet", "budget", "threads")
    return call("choose", [data], {**given, "runs": search.record_.settings["runs"]}, free)


def _write(
    record: SearchRecord, search: ArchitectureSearch, rows: Parts, asked: Asked, given: Mapping[str, Any]
) -> None:
    """The files that were asked for."""
    for _, path in _places(given, "report", "record"):
        try:
            report.write(record, path)
        except OSError as error:
            raise click.ClickException(f"{path} could not be written: {error.strerror or error}.") from error
    if "out" in given:
        estimator = search.best_estimator_
        save(estimator, rows, notes(estimator, rows, asked) | {"held_out": None}, asked)


def _tell(console: Console, record: SearchRecord, search: ArchitectureSearch, given: Mapping[str, Any]) -> None:
    """The verdict, and the table that it rests on, on stdout."""
    runs, seconds = count(search.runs_, "network"), number(record.seconds["all"], 3)
    console.say(
        "searched", f"{runs} in {seconds} s, {record.settings['folds']}, {count(record.settings['seeds'], 'seed')}"
    )
    click.echo(standings(record))
    tell_columns(console, record)
    click.echo()
    for text in (*record.verdict, *record.notes):
        console.paragraph(sentence(text))
    click.echo()
    console.result("again", record.reproduce)
    for _, path in _places(given, "report", "record", "out"):
        console.result("saved", f"{path} ({size(path.stat().st_size)})")
