"""`kilonet fit DATA`: train a network on data and save it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click
from sklearn.exceptions import ConvergenceWarning

from kilonet.cli import INTERRUPTED
from kilonet.cli.asked import Asked
from kilonet.cli.columns import told_before
from kilonet.cli.console import Console, size
from kilonet.cli.jsonable import to_json
from kilonet.cli.judging import judge, notes
from kilonet.cli.looking import Lookout
from kilonet.cli.options import Sections, fit_options
from kilonet.cli.progress import progress
from kilonet.cli.rows import Parts, parts
from kilonet.cli.seam import Estimator, lowest_before, planned_rate
from kilonet.cli.story import done_text, tell_data, tell_network, tell_result
from kilonet.cli.tune import tune
from kilonet.cli.writing import Stopped, save
from kilonet.errors import DivergenceError, DivergenceWarning, InterruptedWarning, LeftOutWarning
from kilonet.findings import Finding
from kilonet.optimizers import optimizer_from

HELP = """Train a network on DATA and save it.

Where no option describes the network or its training, it tunes itself: several configurations are tried on folds, and
the networks of the best one predict together. Otherwise one network is trained, as described.

DATA is "digits" (1,797 handwritten digits that come with scikit-learn), a CSV, Parquet or Arrow file, or a
folder with MNIST idx files or CIFAR-10 batches; "./digits" is a file of that name. Text columns,
true/false and missing values are dealt with, and it is said how. Whether it is a classification or a
regression is seen from the target, and said too.

Ctrl-C ends training, and the exit status is 130. What a network that was described has learned so far is saved.

\b
kilonet fit houses.csv --target price
kilonet fit digits --hidden 64,32 --l2 1e-3 --out digits.kn
kilonet fit houses.csv --target price --early-stopping
"""


@click.command(cls=Sections, help=HELP, short_help="Train a network on data and save it.")
@click.argument("data")
@fit_options
def fit(data: str, **options: Any) -> int:
    """Train a network and save it."""
    asked = Asked.of(data, options)
    console = Console(quiet=asked.quiet)
    if asked.tunes:
        return tune(console, asked)
    told = () if asked.quiet else (LeftOutWarning,)  # the story has it
    with console.warnings(InterruptedWarning, DivergenceWarning, ConvergenceWarning, *told):
        lookout, found = Lookout(console, asked), list[Finding]()
        estimator, rows, seconds = learn(console, asked, lookout)
        run = notes(estimator, rows, asked)
        try:
            with told_before():
                run["held_out"] = judge(estimator, rows)
            found = lookout.after(estimator, rows) if not run["interrupted"] else found
        except KeyboardInterrupt:  # pressed once more, or late: what was learned is saved all the same
            run |= {"held_out": None, "interrupted": True}
        path = save(estimator, rows, run, asked)
        lookout.tell(found, too_early(estimator) if console.saw(ConvergenceWarning) else "")
    try:
        report(console, {"model": str(path), "seconds": seconds} | run, asked)
    except KeyboardInterrupt:
        raise Stopped(f"interrupted while the result was told; the model is saved in {path}.") from None
    return INTERRUPTED if run["interrupted"] else 0


def learn(console: Console, asked: Asked, lookout: Lookout) -> tuple[Estimator, Parts, float]:
    """Read, tell, train: the fitted estimator, its rows, and the seconds that training took."""
    rows = parts(asked)
    estimator = asked.estimator(rows.task)  # first, since it may refuse
    tell_data(console, rows)
    tell_network(console, estimator, rows)
    begun = time.perf_counter()
    train(console, estimator, rows, asked, [lookout.during(estimator, rows)])
    return estimator, rows, time.perf_counter() - begun


def train(
    console: Console, estimator: Estimator, rows: Parts, asked: Asked, watching: Sequence[Callable[..., Any]] = ()
) -> None:
    """Fit the estimator; the held-out rows give the validation curve unless early stopping has rows of its own.

    watching: callbacks that are told of every epoch. Raises DivergenceError when training left the finite numbers, also
    where the estimator would keep what it had before: a command that says that all went well must be right.
    """
    judged_on_the_way = rows.held_y is not None and not asked.sets_apart
    called = "held out" if judged_on_the_way else "set apart"
    with progress(rows.task, called, asked.quiet) as callbacks:
        data = (rows.held_x, rows.held_y) if judged_on_the_way else None
        estimator.set_params(validation_data=data, callbacks=[*callbacks, *watching] or None)
        try:
            with told_before():
                estimator.fit(rows.X, rows.y)
        except DivergenceError as error:
            raise DivergenceError(diverged(asked, estimator)) from error
    estimator.set_params(validation_data=None, callbacks=None)
    if console.saw(DivergenceWarning):
        raise DivergenceError(diverged(asked, estimator))


def diverged(asked: Asked, estimator: Estimator) -> str:
    """What happened and what to do, in the words of the command line."""
    rate = planned_rate(estimator)
    lower = optimizer_from(estimator.optimizer).lower_rate(rate)
    more = " Leave out --no-encode, so that columns are standardized." if "encode" in asked.settings else ""
    return (
        "training diverged: its numbers grew beyond all bounds. Nothing was saved. Lower the rate, for example "
        f"--rate {lower:g} (it was {rate:g}); if that is not enough, bound the weights, for example --max-norm 3."
        f"{more}"
    )


def too_early(estimator: Estimator) -> str:
    """That training was too short, in the words of the command line."""
    still = "the training loss still fell as fast as before when training ended"
    lowest = lowest_before(estimator.history_)
    if lowest:
        known = f"the loss on rows that were held out was lowest in epoch {lowest:,}"
        return f"{still}, but {known}: raise --epochs only with --early-stopping."
    return (
        f"{still}, so the network has not learned what it could. Raise --epochs (it was "
        f"{estimator.recipe_.epochs:,}) or --rate (it was {planned_rate(estimator):g})."
    )


def report(console: Console, result: Mapping[str, Any], asked: Asked) -> None:
    """The result on stdout, for people or for programs."""
    if result["interrupted"]:
        console.warn(f"interrupted after {done_text(result)}; what was learned until then is saved.")
    if asked.as_json:
        click.echo(to_json(result))
        return
    tell_result(console, result)
    console.result("saved", f"{result['model']} ({size(asked.out.stat().st_size)})")
