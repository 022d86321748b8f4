"""The sentences that more than one command says: how a model was trained, how its data are encoded."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kilonet.cli.console import brief, count, listed, number
from kilonet.numerals import percent
from kilonet.recipe import Recipe

MOST_TEXTS = 8  # columns whose categories are shown one by one
LEFT_OUT = {
    "identifier": "nearly every row has a text of its own, as identifiers do",
    "empty": "no training row has a value",
}


def metric_name(task: str) -> str:
    """What a score is called: accuracy, or R²."""
    return "R²" if task == "regression" else "accuracy"


def score_text(task: str, score: float) -> str:
    """A score with its name.

    >>> score_text("classification", 0.978), score_text("regression", 0.51234)
    ('accuracy 97.8%', 'R² 0.5123')
    """
    return f"{metric_name(task)} {score_value(task, score)}"


def score_value(task: str, score: float) -> str:
    """A score without its name: an accuracy in percent, R² as a number, a dash where there is none."""
    return number(score) if task == "regression" or math.isnan(score) else percent(score)


def loss_text(task: str, loss: float) -> str:
    """A loss, and what it is of where that is not what the user brought.

    >>> loss_text("classification", 0.5), loss_text("regression", 0.5)
    ('loss 0.5', 'loss 0.5 (on the standardized target)')
    """
    return f"loss {number(loss)}" + (" (on the standardized target)" if task == "regression" else "")


def held_out_text(task: str, held_out: Mapping[str, Any], target: str | None) -> str:
    """The result on held-out rows, as `kilonet fit` noted it."""
    score = score_text(task, held_out["score"] if held_out.get("score") is not None else float("nan"))
    loss = loss_text(task, held_out["loss"]) if held_out.get("loss") is not None else ""
    rows = count(held_out["rows"], "row")
    if task == "regression":
        names = {"RMSE": "rms_error", "MAE": "absolute_error"}
        errors = [f", {name} {number(held_out[key])}" for name, key in names.items() if held_out.get(key) is not None]
        units = f" in units of {brief(target)}" if errors and target else ""
        return f"{score}{''.join(errors)}{units} over {rows}" + (f"; {loss}" if loss else "")
    right = f", {held_out['right']:,} of {rows} right" if held_out.get("right") is not None else ""
    return (f"{loss}, " if loss else "") + score + right


def epochs_text(kept: Sequence[int]) -> str:
    """The epochs that the members are of.

    >>> epochs_text([7]), epochs_text([7, 1200, 9])
    ('epoch 7', 'epochs 7 to 1,200')
    """
    low, high = min(kept), max(kept)
    return f"epoch {low:,}" if low == high else f"epochs {low:,} to {high:,}"


def mean_text(members: int) -> str:
    """That a number is the mean of several members', in front of what else is said of it.

    >>> mean_text(1), mean_text(16)
    ('', 'mean of 16 members, ')
    """
    return f"mean of {members:,} members, " if members > 1 else ""


def recipe_lines(loss: Any, recipe: Recipe, run: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How a network was trained: a label and a text for each line."""
    optimizer = recipe.optimizer.to_json()
    rate = optimizer.pop("rate")
    name = optimizer.pop("name")
    constants = "".join(f", {key} {value:g}" for key, value in optimizer.items())
    done = run.get("epochs_done")
    epochs = count(recipe.epochs, "epoch")
    if isinstance(done, int) and done != recipe.epochs:
        why = "interrupted" if run.get("interrupted") else "stopped early" if recipe.stopping else "stopped"
        epochs = f"{done:,} of {epochs} ({why})"
    lines = [
        ("loss", str(loss)),
        ("optimizer", f"{name}, rate {_each(rate)}{constants}"),
        ("schedule", str(recipe.schedule)),
        ("epochs", f"{epochs}, batches of {count(recipe.batch, 'row')}"),
        ("penalties", penalties(recipe)),
    ]
    stopping = recipe.each("stopping")[0]
    if stopping is not None:
        patience = f"patience {count(stopping.patience, 'epoch')}"
        lines.append(("stopping", f"on validation {stopping.metric}, {patience}, min_delta {stopping.min_delta:g}"))
    draws = f"initial weights {_each(recipe.seeds)}, order of rows {_each(recipe.order)}"
    seed = f"seed {run['seed']}: " if isinstance(run.get("seed"), int) else ""
    lines.append(("random", seed + draws))
    engine = f"{run['engine']}, " if isinstance(run.get("engine"), str) else ""
    lines.append(("engine", f"{engine}{recipe.dtype}"))
    return lines


def penalties(recipe: Recipe) -> str:
    """All that works against overfitting, in one line.

    >>> penalties(Recipe.make(l2=1e-3, dropout=0.5))
    'l2 0.001, dropout 0.5'
    """
    named = ("l2", "l1", "dropout", "input_noise", "max_norm")
    parts = [f"{name.replace('_', ' ')} {_each(getattr(recipe, name))}" for name in named if getattr(recipe, name)]
    return ", ".join(parts) or "none"


def _each(value: Any) -> str:
    """A setting of one member, or of several."""
    if not isinstance(value, (list, tuple)):
        return "kept" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
    return _each(value[0]) if len(value) == 1 else listed([_each(entry) for entry in value])


def encoding(
    encoder: Mapping[str, Any] | None, names: Sequence[str] | None, n_inputs: int
) -> Iterator[tuple[str, str]]:
    """How columns become inputs: a label and a text for each line.

    encoder: `TableEncoder.to_json()`, or None where numbers go in as they are.
    """
    if encoder is None:
        yield "columns", f"{count(n_inputs, 'column')} of numbers, taken as they are"
        return
    kinds, columns, missing = encoder["kinds"], names or encoder["names"], encoder["missing"]
    by_kind = {kind: [name for name, has in zip(columns, kinds, strict=True) if has == kind] for kind in set(kinds)}
    cut = f", {len(encoder['pieces'])} of them also cut into pieces" if encoder.get("pieces") else ""
    treated = {
        "number": f"{'standardized' if encoder['standardize'] else 'as they are'}{cut}",
        "boolean": "0 and 1",
        "category": "one input per category",
    }
    become = "becomes" if len(kinds) == 1 else "become"
    yield "columns", f"{count(len(kinds), 'column')} {become} {count(n_inputs, 'input')}"
    for kind, plural in (
        ("number", "numbers"),
        ("boolean", "booleans"),
        ("category", "categories"),
    ):
        if kind in by_kind:
            yield plural, f"{count(len(by_kind[kind]), 'column')}, {treated[kind]}: {listed(by_kind[kind])}"
    yield from _categories(encoder["categories"], columns)
    for kind, why in LEFT_OUT.items():
        if kind in by_kind:
            yield "left out", f"{listed(by_kind[kind])}: {why}"
    constant = [name for place, name in enumerate(columns) if _is_constant(encoder, place)]
    if constant:
        yield "constant", f"{listed(constant)}: the same in every training row, so nothing can be learned from that"
    gaps = [f"{brief(name)} {percent(share)}" for name, share in zip(columns, missing, strict=True) if 0 < share < 1]
    if gaps:
        yield "missing", f"{listed(gaps)}: filled with the mean (numbers), and marked in an input of their own"
    else:
        other = "other " if "empty" in by_kind else ""  # the empty columns are told already
        yield "missing", f"no {other}value was missing; one that is missing later is filled with the mean of its column"


def _categories(categories: Mapping[str, Sequence[str]], columns: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The categories of each column of them, under the line that names these columns."""
    texts = sorted((int(place), found) for place, found in categories.items())
    for place, found in texts[:MOST_TEXTS]:
        yield "", f"{brief(columns[place])}, {count(len(found), 'category', 'categories')}: {listed(found, 6)}"
    if len(texts) > MOST_TEXTS:
        yield "", f"… and {len(texts) - MOST_TEXTS:,} more columns of categories"


def _is_constant(encoder: Mapping[str, Any], place: int) -> bool:
    """Whether a column was the same, and there, in every training row."""
    kind = encoder["kinds"][place]
    if encoder["missing"][place] > 0 or kind in ("identifier", "empty"):
        return False
    if kind == "category":
        return len(encoder["categories"][str(place)]) == 1
    return bool(encoder["std"][place] == 0)
