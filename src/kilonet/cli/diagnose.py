"""`kilonet diagnose MODEL DATA`: what is wrong with a network, and what cures it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import click

from kilonet.cli.again import call
from kilonet.cli.columns import told_before
from kilonet.cli.console import Console, count, plain
from kilonet.cli.jsonable import to_json
from kilonet.cli.kinds import Number
from kilonet.cli.options import Sections, under
from kilonet.cli.remedies import as_options
from kilonet.cli.seam import Diagnosis, diagnosed, page
from kilonet.cli.subject import Subject, before, trained
from kilonet.diagnostics.members import MOST
from kilonet.errors import LeftOutWarning
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
        ("--verify/--no-verify", bool, "Try the remedies: train with and without each of them."),
        ("--seeds", Number(6, 256, whole=True), "Runs with and without each remedy; 8 unless given."),
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
@_options
def diagnose(model: str, data: str | None, verify: bool | None, **options: Any) -> int:
    """Look, tell, and say by the exit status whether anything fails."""
    given = {name: value for name, value in options.items() if value is not None}
    console = Console(quiet=bool(given.get("quiet")))
    if "seeds" in given and not verify:
        raise click.UsageError("--seeds has no effect without --verify. Add it, or leave --seeds out.")
    with console.warnings(LeftOutWarning):
        subject = before(console, model, given) if data is None else trained(console, model, data, given)
        tuned = subject.saved if subject.saved is not None and "tuned" in subject.saved.extra else None
        if tuned is not None and verify:
            raise click.UsageError(
                f"--verify tries remedies on networks that an option describes, and {model} tuned itself. Leave it out."
            )
        if verify:
            seeds = count(given.get("seeds", 8), "seed")
            console.say("verifying", f"training with and without each remedy, {seeds} each")
        with told_before():
            report = diagnosed(
                subject.estimator, subject.X, subject.y, validation=subject.validation, verify=bool(verify),
                seeds=given.get("seeds", 8),
            )  # fmt: skip
    if tuned is not None:
        report.findings = [
            replace(one, remedies=[own for own in one.remedies if not own.changes]) for one in report.findings
        ]
    if given.get("json"):
        arguments = [model] if data is None else [model, data]
        again = call("diagnose", arguments, {**given, "verify": verify}, ("json", "quiet"))
        click.echo(to_json(_told(report, subject, again) | _networks(tuned)))
    else:
        if tuned is not None:
            console.result("looked at", _looked_at(tuned, model))
        click.echo(plain(page(report.findings, report.examination, as_options, trying="--verify")))
    return FAILS if report.failed else 0


def _told(report: Diagnosis, subject: Subject, again: str) -> dict[str, Any]:
    """What was found, of what, and how to find it again."""
    held_out = 0 if subject.validation is None else len(subject.validation[1])
    rows = {"source": subject.source, "target": subject.target, "rows": len(subject.y), "held_out": held_out}
    return {"reproduce": again, "data": rows, **json.loads(report.to_json())}


def _networks(tuned: SavedModel | None) -> dict[str, Any]:
    """How many networks a model that tuned itself is the mean of, and how many of them are looked at."""
    if tuned is None:
        return {}
    members = [own.recipe.n_members for own in (tuned, *tuned.others)]
    return {"networks": {"model": sum(members), "looked_at": min(members[0], MOST)}}


def _looked_at(tuned: SavedModel, model: str) -> str:
    """The same in words, and what is left out: an option that describes a network would end the tuning."""
    networks = _networks(tuned)["networks"]
    first, seen = tuned.recipe.n_members, networks["looked_at"]
    some = f"{seen:,}" if seen < first else "all" if not tuned.others else f"the {first:,}"
    kind = f" of the first kind ({'-'.join(map(str, tuned.network.sizes))})" if tuned.others else ""
    return (
        f"{model} is the mean of {count(networks['model'], 'network')}; {some}{kind} are looked at, each by itself. "
        "Their mean is better. Remedies that change a single network are left out."
    )
