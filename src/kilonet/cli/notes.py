"""`kilonet notes [NAME]`: what the lecture notes claim, measured."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, cast

import click

from kilonet.cli.again import call
from kilonet.cli.console import Console
from kilonet.cli.jsonable import to_json
from kilonet.cli.table import table
from kilonet.measured import LANGUAGES, VERDICTS, Language, Measured, Text
from kilonet.notes import NAMES, Experiment, Size, experiment
from kilonet.persistence.atomic import replace_file, writable
from kilonet.plots.experiment import ExperimentDisplay, Form, ready, rendered

HELP = """List the experiments on what the lecture notes claim, or run the one called NAME.

An experiment measures one claim in a few seconds: a table, a sentence with its interval, and whether it agrees, agrees
in part or disagrees. The verdict follows from the numbers. Exit status: 0 it was measured, whatever came out.

\b
kilonet notes
kilonet notes dying-relu
kilonet notes dying-relu --out dying.svg --lang ko
"""
_SAYS, _FOUND = Text("notes", "노트"), Text("measured", "측정")
_ROW = Text("row", "항목")
# On stderr. In Korean all are of two syllables: a column of labels is padded by characters.
_MEASURING, _TOOK, _PICTURE = Text("measuring", "측정"), Text("took", "시간"), Text("picture", "그림")


@click.command(help=HELP, short_help="Measure what the lecture notes claim.")
@click.argument("name", required=False)
@click.option("--out", metavar="FILE", help="Write the figure to a .svg or .png file.")
@click.option("--small", is_flag=True, help="Fewer seeds and shorter trainings: quicker, with wider intervals.")
@click.option("--lang", type=click.Choice(LANGUAGES), default="en", show_default=True, help="Language of results.")
@click.option("--json", "as_json", is_flag=True, help="Everything, in both languages, as JSON on stdout.")
def notes(name: str | None, out: str | None, small: bool, lang: str, as_json: bool) -> None:
    """List, or measure, tell, and write what was asked for."""
    language = cast(Language, lang)
    if name is None:
        if out is not None or small:
            raise click.UsageError(
                f"{'--small' if out is None else '--out'} needs the NAME of an experiment. Name one."
            )
        _list(language, as_json)
        return
    asked = experiment(name)
    form = None if out is None else _form(out, language)
    console = Console()
    console.say(_MEASURING.of(language), asked.title.of(language))
    begun = time.perf_counter()
    with console.warnings():
        measured = asked.run(Size(full=not small))
    seconds = f"{time.perf_counter() - begun:.1f}"
    console.say(_TOOK.of(language), Text(f"{seconds} s", f"{seconds}초").of(language))
    if out is not None and form is not None:
        replace_file(out, rendered(ExperimentDisplay.of(measured, asked.title, language), form))
        console.say(_PICTURE.of(language), out)
    if as_json:
        again = call("notes", [name], {"small": small})
        click.echo(
            to_json({**_told(asked), "size": "small" if small else "full", "reproduce": again} | measured.to_json())
        )
    else:
        _tell(asked, measured, language)


def _form(out: str, language: Language) -> Form:
    """What kind of picture a file's name asks for, after checking that it can be made and put there."""
    form = Path(out).suffix.lower().removeprefix(".")
    if form not in ("svg", "png"):
        raise click.UsageError(f'--out came as "{out}"; needs a name that ends with .svg or .png.')
    known = cast(Form, form)
    ready(known, language)
    writable(out)
    return known


def _list(language: Language, as_json: bool) -> None:
    every = [experiment(name) for name in NAMES]
    if as_json:
        click.echo(to_json([_told(one) for one in every]))
        return
    console = Console()
    for place, one in enumerate(every):
        head = f"{one.name}: {one.title.of(language)} ({_ROW.of(language)} {', '.join(one.rows)})"
        click.secho(("\n" if place else "") + head, bold=True)
        console.paragraph(one.claim.of(language))


def _told(asked: Experiment) -> dict[str, Any]:
    texts = {
        key: {one: text.of(one) for one in LANGUAGES} for key, text in (("title", asked.title), ("claim", asked.claim))
    }
    return {"name": asked.name, "rows": asked.rows, **texts}


def _tell(asked: Experiment, measured: Measured, language: Language) -> None:
    """The claim, the verdict with its sentence, and the table."""
    console = Console()
    click.secho(f"{asked.title.of(language)} ({_ROW.of(language)} {', '.join(asked.rows)})", bold=True)
    console.result(_SAYS.of(language), asked.claim.of(language))
    verdict = VERDICTS[measured.verdict].of(language)
    console.result(_FOUND.of(language), f"{verdict}: {measured.statement.of(language)}")
    click.echo()
    click.echo(table(measured.table.head(language), measured.table.cells(language)))
