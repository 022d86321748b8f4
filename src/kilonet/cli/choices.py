"""The options of `kilonet choose`: what each may be, checked before any data is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from kilonet.activations import activation_from
from kilonet.cli.kinds import Budget, Known, Number, Widths
from kilonet.cli.options import DATA, Repeated, under

WORDS = ("target", "drop", "task", "no_encode")  # options of the data that both commands have


class Several(click.ParamType[Any]):
    """Values of one kind with a separator between them: 1e-4,1e-3 or 3;6;64,64."""

    def __init__(self, kind: click.ParamType[Any], separator: str = ",") -> None:
        self.kind, self.separator = kind, separator
        self.name = f"{kind.name}{separator}.."

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> list[Any]:
        """The values as a list, or BadParameter."""
        if isinstance(value, list):
            return value
        parts = [part.strip() for part in str(value).split(self.separator)]
        return [self.kind.convert(part, param, ctx) for part in parts]


_SHARE, _POSITIVE, _AT_LEAST_0 = Number(0.0, 1.0, outside="1.0"), Number(0.0, outside="0.0"), Number(0.0)

GRID = under(
    "What to try",
    (
        "--hidden",
        Several(Widths(), ";"),
        'Hidden layers with commas, networks with semicolons: "3;6;20;64,64". Four that suit the rows unless given.',
    ),
    ("--activation", Several(Known(activation_from)), "relu unless given; or several: relu,leaky_relu,maxout."),
    ("--l2", Several(_AT_LEAST_0), "Strengths of regularization; 0.0001,0.001,0.01,0.1 unless given."),
    ("--rate", Several(_POSITIVE), "Learning rates; 0.001,0.01 unless given."),
    ("--dropout", Several(_SHARE), "Shares of hidden outputs set to 0 in training."),
    ("--input-noise", Several(_AT_LEAST_0), "Standard deviations of noise added to the inputs in training."),
    ("--no-extend", bool, "Stay within the grid, also where the best is at its edge."),
)
EFFORT = under(
    "How thoroughly",
    ("--budget", Budget(), "Time that it may take, about; 60s unless given."),
    ("--runs", Number(1, whole=True), "Networks trained at most, instead of a time: the same result on every machine."),
    ("--seeds", Number(1, 4096, whole=True), "Networks of each architecture and split; 8 or fewer unless given."),
    (
        "--folds",
        Number(2, 1000, whole=True),
        "Parts of the rows, each held out in turn, drawn anew until there are ten splits; 5 unless given.",
    ),
    ("--scoring", "NAME", "A score of scikit-learn to judge by, such as balanced_accuracy; the loss unless given."),
    (
        "--prefer",
        click.Choice(["smallest", "best"]),
        "smallest unless given: the smallest network that is known to lose little; or best, whatever its size.",
    ),
    ("--no-nested", bool, "No nested estimate of what the whole procedure is worth on new rows."),
    ("--seed", Number(0, 2**32 - 1, whole=True), "Start of all random numbers, 0 unless given."),
    ("--threads", Number(1, 256, whole=True), "Threads, unless given as many as pay; the results are the same."),
)
OUTPUT = under(
    "Output",
    ("--out", "FILE", "Train the choice on all rows and write the model, for `kilonet predict`."),
    ("--report", Repeated("FILE"), "The evidence as a page for people: .html, or .md. For both, give it twice."),
    ("--record", "FILE", "The evidence as data: .json."),
    ("--store", "FILE", "Keep every outcome here; a search that was killed goes on where it was."),
    ("--json", bool, "The evidence as JSON on stdout."),
    ("--quiet -q", bool, "No narrative and no progress on stderr; the result, warnings and errors stay."),
)


def choose_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """All options of `kilonet choose`, in the order of its help."""
    data = [option for option in DATA if _name(option) in WORDS]
    for option in reversed([*data, *GRID, *EFFORT, *OUTPUT]):
        function = option(function)
    return function


def _name(option: Callable[..., Any]) -> str:
    """What a decorator of options calls its parameter."""

    def blank() -> None:
        """Nothing."""

    option(blank)
    name: str = blank.__click_params__[-1].name  # type: ignore[attr-defined]
    return name
