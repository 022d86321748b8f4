"""`kilonet fit DATA` where no network is described: it tunes itself."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from kilonet.cli.asked import Asked
from kilonet.cli.columns import told_before
from kilonet.cli.console import Console, count, number, size
from kilonet.cli.jsonable import to_json
from kilonet.cli.judging import judge
from kilonet.cli.looking import Lookout
from kilonet.cli.progress import networks
from kilonet.cli.rows import Parts, parts
from kilonet.cli.seam import networks_of
from kilonet.cli.story import tell_data
from kilonet.cli.wording import held_out_text
from kilonet.cli.writing import save
from kilonet.errors import LeftOutWarning
from kilonet.findings import Finding

_OF_THE_TABLE = "numbered rows"  # the finding that is of the table, whatever single networks learned of it


def tune(console: Console, asked: Asked) -> int:
    """Try, choose, judge and save. Ctrl-C is a KeyboardInterrupt: there is no model before the choice."""
    told = () if asked.quiet else (LeftOutWarning,)  # the story has it
    with console.warnings(*told):
        rows = parts(asked)
        estimator: Any = asked.estimator(rows.task)
        tell_data(console, rows)
        begun = time.perf_counter()
        with networks("tuning", asked.quiet) as move, told_before():
            estimator.set_params(callback=_told(console, move))
            estimator.fit(rows.X, rows.y)
            estimator.set_params(callback=None)
        seconds = time.perf_counter() - begun
        run = _notes(estimator, rows, asked)
        with told_before():
            run["held_out"] = judge(estimator, rows)
        lookout = Lookout(console, asked)
        found = _of_the_table(lookout, estimator, rows)
        path = save(estimator, rows, run, asked)
        lookout.tell(found)
        written = [write(estimator, page) for page in asked.reports]
    result = {"model": str(path), "seconds": seconds} | run
    if asked.as_json:
        click.echo(to_json(result | {"record": json.loads(estimator.record_.to_json())}))
        return 0
    if run["held_out"] is not None:
        console.result("held out", held_out_text(rows.task, run["held_out"], rows.target_name))
    for sentence in estimator.record_.told(asked.seed):
        console.paragraph(sentence)
    for one in (path, *written):
        console.result("saved", f"{one} ({size(one.stat().st_size)})")
    return 0


def _of_the_table(lookout: Lookout, estimator: Any, rows: Parts) -> list[Finding]:
    """That a column numbers the rows, as it is found of a network that was described."""
    return [one for one in lookout.after(networks_of(estimator), rows) if one.rule == _OF_THE_TABLE]


def write(estimator: Any, page: Path) -> Path:
    """The page about a fitted estimator."""
    try:
        estimator.report(page)
    except OSError as error:
        raise click.ClickException(f"{page} could not be written: {error.strerror or error}.") from error
    return page


def _told(console: Console, move: Callable[[int, int], Any] | None) -> Callable[[int, int], None]:
    """A callback that says once, before the start, how much there is to be done, and then moves the bar."""
    said: list[int] = []

    def tell(done: int, most: int) -> None:
        if not said:
            said.append(most)
            console.say("tuning", f"{count(most, 'network')} at most; --budget or --runs say how much may be done")
        if move is not None:
            move(done, most)

    return tell


def _notes(estimator: Any, rows: Parts, asked: Asked) -> dict[str, Any]:
    """What was done, for the result and for the model file; equal runs give equal notes."""
    record, classes = estimator.record_, None if rows.task == "regression" else estimator.classes_.tolist()
    network = next(own.network for own in estimator.members_ if own.params == estimator.best_params_)
    counts = ("n_layers", "n_neurons", "n_weights", "n_biases", "n_parameters")
    best: Mapping[str, Any] = record.configurations[record.best].params
    return {
        "source": asked.data,
        "task": rows.task,
        "why": rows.why,
        "target": rows.target_name,
        "classes": classes,
        "rows": len(rows.y),
        "columns": rows.n_columns,
        "dropped": rows.dropped,
        "split": rows.how,
        "seed": asked.seed,
        "members": record.members,
        "network": {"sizes": list(network.sizes)} | {name: getattr(network, name) for name in counts},
        "chosen": dict(best),
        "runs": record.runs,
        "out_of_fold": {"loss": record.loss, "score": record.score, "text": number(record.score, 4)},
        "interrupted": False,
    }
