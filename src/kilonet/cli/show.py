"""`kilonet show MODEL`: what a model file holds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from kilonet.cli.columns import column_names
from kilonet.cli.console import Console, brief, count, listed, number, plain, size
from kilonet.cli.jsonable import to_json
from kilonet.cli.judging import kept_epochs, noted
from kilonet.cli.seam import at_epochs, from_model, over_members
from kilonet.cli.wording import encoding, epochs_text, held_out_text, loss_text, mean_text, recipe_lines, score_text
from kilonet.errors import FileFormatError
from kilonet.numerals import percent
from kilonet.persistence import SavedModel, load


@click.command(short_help="Say what a model is and how it was trained.")
@click.argument("model", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Everything as JSON on stdout.")
def show(model: str, as_json: bool) -> None:
    """Say what MODEL, a file that `kilonet fit` wrote, is and how it came to be.

    Architecture, neurons, weights, biases, parameters, how it was trained, how the data are encoded, and what
    came out. Nothing in the file is ever executed.
    """
    saved = load(model)
    if as_json:
        click.echo(to_json(description(saved, model)))
        return
    console = Console()
    for place, (heading, lines) in enumerate(_sections(saved, model)):
        click.secho(("\n" if place else "") + heading, bold=True)
        for label, text in lines:
            if label is not None:
                console.result(label, text)
            else:
                click.echo(plain(text))


def description(saved: SavedModel, path: str) -> dict[str, Any]:
    """All that is known about a model, ready for JSON."""
    network = saved.network
    counts = ("n_layers", "n_neurons", "n_weights", "n_biases", "n_parameters")
    return {
        "file": path,
        "task": saved.task,
        "target": saved.target_name,
        "classes": saved.classes,
        "columns": column_names(saved),
        "members": saved.recipe.n_members,
        "network": network.to_json() | {name: getattr(network, name) for name in counts},
        "loss": saved.loss.to_json(),
        "recipe": saved.recipe.to_json(),
        "encoder": saved.encoder,
        "target_mean": saved.target_mean,
        "target_scale": saved.target_scale,
        "history": saved.history,
        "versions": saved.versions,
        "run": saved.extra.get("run"),
        "tuned": saved.extra.get("tuned"),
    }


_Lines = Sequence[tuple[str | None, str]]


def _sections(saved: SavedModel, path: str) -> Iterator[tuple[str, _Lines]]:
    run = noted(saved)
    yield brief(Path(path).name), list(_head(saved, path))
    if "tuned" in saved.extra:
        yield from _tuned(saved, path, run)
    several = " of each member" if saved.recipe.n_members > 1 else ""
    yield (
        "Architecture" + (" of each of the first kind" if saved.others else several),
        [(None, line) for line in saved.network.summary().splitlines()],
    )
    yield "Training", recipe_lines(saved.loss, saved.recipe, run)
    yield "Data", list(_data(saved, run))
    results = list(_results(saved, run))
    if results:
        yield "Results", results


def _tuned(saved: SavedModel, path: str, run: Mapping[str, Any]) -> Iterator[tuple[str, _Lines]]:
    """What a network that tuned itself says of its choice, and the configurations in the model if there are several.

    Raises FileFormatError for a file that describes none.
    """
    try:
        estimator: Any = from_model(saved)
    except FileFormatError as error:
        raise FileFormatError(f"{path}: {error}") from error
    yield "Tuned by itself", [(None, sentence) for sentence in estimator.record_.told(run.get("seed"))]
    inside = [own for own in estimator.record_.configurations if own.weight > 0]
    if len(inside) > 1:
        yield "Networks that predict together", [_share(own, estimator.members_) for own in inside]


def _share(own: Any, members: Sequence[Any]) -> tuple[str, str]:
    """The share of a configuration in the model, its text, and its networks."""
    networks = [member.network for member in members if _plain(member.params) == own.params]
    inputs = ", ".join(count(width, "input") for width in dict.fromkeys(each.n_inputs for each in networks))
    return percent(own.weight), f"{own.text}: {count(len(networks), 'network')} with {inputs}"


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of a network as a record has them."""
    return {**params, "hidden": [layer if isinstance(layer, int) else repr(layer) for layer in params["hidden"]]}


def _head(saved: SavedModel, path: str) -> Iterator[tuple[str, str]]:
    what = "a regression" if saved.task == "regression" else f"a {saved.task}"
    target = f" of {brief(saved.target_name)}" if saved.target_name else ""
    into = ""
    if saved.classes is not None:
        into = f" into {count(len(saved.classes), 'class', 'classes')}: {listed(saved.classes.tolist(), 12)}"
    yield "model", f"{what}{target}{into}"
    if saved.recipe.n_members > 1:
        equal = f"{saved.recipe.n_members:,} networks of equal shape, trained at once"
        if saved.others:
            equal += f", and {sum(own.recipe.n_members for own in saved.others):,} of other shapes"
        yield "members", f"{equal}; the mean of what they predict is the prediction"
    written = ", ".join(f"{name} {version}" for name, version in saved.versions.items())
    yield "file", f"{path}, {size(Path(path).stat().st_size)}, written by {written}"


def _data(saved: SavedModel, run: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "source" in run:
        rows = f", {count(run['rows'], 'row')} to train on" if "rows" in run else ""
        yield "source", f"{brief(run['source'], 100)}{rows}"
    yield from encoding(saved.encoder, column_names(saved), saved.network.n_inputs)
    if saved.target_mean is not None and saved.target_scale is not None:
        pairs = list(zip(saved.target_mean.tolist(), saved.target_scale.tolist(), strict=True))
        texts = [f"mean {number(mean)}, standard deviation {number(scale)}" for mean, scale in pairs[:5]]
        yield "target", "standardized: " + "; ".join(texts) + ("; …" if len(pairs) > 5 else "")


def _results(saved: SavedModel, run: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    curves, members = saved.history, saved.recipe.n_members
    done = len(curves["loss"]) if "loss" in curves else 0
    kept = kept_epochs(run.get("best_epoch", 0), members, done)
    for label, prefix in (("training", ""), ("validation", "validation_")):
        if label == "validation" and "held_out" in run and not run.get("stopping"):
            continue  # the validation curve is of the held-out rows
        there = [curves[prefix + metric] for metric in ("loss", "score") if prefix + metric in curves]
        told = [over_members(at_epochs(curve, kept)) for curve in there]
        if len(told) == 2 and not math.isnan(told[0]):
            text = f"{loss_text(saved.task, told[0])}, {score_text(saved.task, told[1])}"
            yield label, f"{text} ({mean_text(members)}{epochs_text(kept)} of {done:,})"
    if "held_out" in run:
        yield "held out", held_out_text(saved.task, run["held_out"], saved.target_name)
