"""What `kilonet fit` tells while it works: the data, the network, the result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kilonet.cli.console import Console, brief, count, listed, number
from kilonet.cli.judging import kept_epochs
from kilonet.cli.rows import Parts
from kilonet.cli.seam import Estimator, planned_network
from kilonet.cli.wording import encoding, epochs_text, held_out_text, loss_text, mean_text, metric_name, score_text
from kilonet.numerals import span


def tell_data(console: Console, rows: Parts, *, folds: bool = False) -> None:
    """What was read, what it is taken for, and what is held out; folds: that they judge, so that nothing is."""
    console.say("read", f"{brief(rows.source, 100)}: {count(rows.n_rows, 'row')}, {count(rows.n_columns, 'column')}")
    if rows.dropped:
        console.say("left out", f"{listed(rows.dropped)}: as asked with --drop")
    if rows.encoder is not None:
        for label, text in encoding(rows.encoder.to_json(), rows.names, rows.n_inputs):
            console.say(label, text)
    else:
        treated = "standardized" if rows.standardized else "taken as they are"
        console.say("columns", f"{count(rows.n_columns, 'column')} of numbers, {treated}, none missing")
    console.say("target", f"{target_text(rows)}; {rows.task}, {rows.why}")
    if folds:
        return
    if rows.held_y is None:
        console.say("held out", f"{rows.how}: the result can be judged on training rows only")
    else:
        trained = f"{count(len(rows.y), 'row')} to train on"
        console.say("held out", f"{count(len(rows.held_y), 'row')}, {rows.how}; {trained}")


def target_text(rows: Parts) -> str:
    """The target: its name, its classes or its range."""
    name = f"{brief(rows.target_name)}: " if rows.target_name else ""
    y = rows.everything
    if rows.task == "regression":
        low, high = float(np.min(y)), float(np.max(y))
        return f"{name}numbers from {number(low, 6)} to {number(high, 6)}"
    classes, counts = np.unique(y, return_counts=True)
    each = [f"{brief(label)} ({n:,})" for label, n in zip(classes.tolist(), counts.tolist(), strict=True)]
    return f"{name}{count(len(classes), 'class', 'classes')} with their rows: {listed(each, 10)}"


def tell_network(console: Console, estimator: Estimator, rows: Parts) -> None:
    """The network in one line, and how many there are."""
    network = planned_network(estimator, rows.n_inputs, rows.everything)
    sizes = "-".join(str(size) for size in network.sizes)
    units = list(dict.fromkeys(layer.unit for layer in network.layers[:-1]))
    several = f"{count(estimator.members, 'member')}, each " if estimator.members > 1 else ""
    console.say(
        "network",
        f"{several}{sizes}{' ' if units else ''}{', '.join(units)}: {count(network.n_layers, 'layer')}, "
        f"{count(network.n_neurons, 'neuron')}, {count(network.n_weights, 'weight')}, "
        f"{count(network.n_biases, 'bias', 'biases')}, {count(network.n_parameters, 'parameter')}",
    )


def tell_result(console: Console, result: Mapping[str, Any]) -> None:
    """How training ended, and what came out, on stdout."""
    task, training = result["task"], result["training"]
    done, epochs = result["epochs_done"], result["epochs"]
    console.say("trained", f"{ending(result)} in {number(result['seconds'], 3)} s, engine {result['engine']}")
    if result["held_out"] is not None:
        console.result("held out", held_out_text(task, result["held_out"], result["target"]))
    if done:
        text = f"{loss_text(task, training['loss'])}, {score_text(task, training['score'])}"
        console.result("training", f"{text} ({training_note(result)})")
    if not done and epochs:
        console.result("training", f"no epoch was finished, so there is no loss and no {metric_name(task)} of one")


def training_note(result: Mapping[str, Any]) -> str:
    """What the training numbers are of."""
    done, kept = result["epochs_done"], _kept(result)
    best = f", the best of {done:,}" if result["stopping"] and np.any(result["best_epoch"]) else ""
    return f"while learning, {mean_text(result['members'])}{epochs_text(kept)}{best}"


def _kept(result: Mapping[str, Any]) -> list[int]:
    return kept_epochs(result["best_epoch"], result["members"], result["epochs_done"])


def ending(result: Mapping[str, Any]) -> str:
    """How many epochs, and why no more."""
    done, epochs = result["epochs_done"], result["epochs"]
    if result["interrupted"]:
        return f"interrupted after {done_text(result)}"
    if done < epochs:
        best = epochs_text(_kept(result))
        were = "were" if best.startswith("epochs") else "was"
        return f"stopped early after {count(done, 'epoch')} of {epochs:,}; the best {were} {best};"
    return count(epochs, "epoch")


def done_text(result: Mapping[str, Any]) -> str:
    """How many epochs are done of those that were asked for; members may be at different ones.

    >>> done_text({"epochs_done": 9, "epochs": 20, "best_epoch": [7, 9], "stopping": False})
    '7 to 9 of 20 epochs'
    """
    done, best = result["epochs_done"], np.atleast_1d(result["best_epoch"])
    fewest = done if result["stopping"] else int(best.min())  # with early stopping they are those of the best epochs
    return f"{span(fewest, done)} of {count(result['epochs'], 'epoch')}"
