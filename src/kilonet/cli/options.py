"""The options of `kilonet fit`: what each may be, checked before any data is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import click

from kilonet.activations import activation_from
from kilonet.cli.kinds import Auto, Budget, Factors, Known, Number, Widths
from kilonet.initializers import initializer_from
from kilonet.losses import loss_from
from kilonet.optimizers import optimizer_from
from kilonet.schedules import schedule_from


class Sections(click.Command):
    """A command whose --help shows its options under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write every heading with its options."""
        headings: dict[str, list[tuple[str, str]]] = {}
        for parameter in self.get_params(ctx):
            record = parameter.get_help_record(ctx) if isinstance(parameter, click.Option) else None
            if record is not None:
                headings.setdefault(getattr(parameter, "section", "Output"), []).append(record)
        for heading, records in headings.items():
            with formatter.section(heading):
                formatter.write_dl(records)


class _Option(click.Option):
    """An option that knows its heading."""

    def __init__(self, *args: Any, section: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class Repeated(NamedTuple):
    """Texts of an option that may come more than once; metavar: what stands for one of them in --help."""

    metavar: str


def under(section: str, *options: tuple[str, Any, str]) -> list[Callable[..., Any]]:
    """Decorators for the options of one heading: names, what the value may be, and what it is for."""
    made = []
    for name, kind, text in options:
        shape: dict[str, Any] = {"type": kind}
        if kind is bool:
            shape = {"is_flag": True, "default": None}
        elif isinstance(kind, Repeated):
            shape = {"multiple": True, "default": None, "metavar": kind.metavar}
        elif isinstance(kind, str):
            shape = {"type": str, "metavar": kind}
        made.append(click.option(*name.split(), cls=_Option, section=section, help=text, **shape))
    return made


_SHARE = Number(0.0, 1.0, outside="1.0")
_POSITIVE = Number(0.0, outside="0.0")
_AT_LEAST_0 = Number(0.0)

DATA = under(
    "Data",
    ("--target", "COLUMN", "The column to predict. Needed for files with columns."),
    ("--drop", Repeated("COLUMN,.."), "Columns to leave out, with commas between them; may be given more than once."),
    (
        "--task",
        click.Choice(["auto", "classification", "regression"]),
        "What to learn; auto (the default) looks at the target and says why.",
    ),
    (
        "--validation",
        "FILE",
        "Rows to judge on, from another file; with --early-stopping they also decide when to stop.",
    ),
    (
        "--validation-fraction",
        _SHARE,
        "Share of the rows held out to judge on; 0.2 unless the data set has test rows of its own. 0 holds out none.",
    ),
    ("--no-encode", bool, "Take the numbers as they are: no standardizing, no categories, no missing values."),
)
TUNING = under(
    "Tuning, where no network is described",
    (
        "--budget",
        Budget("auto"),
        "Time that it may take, about; auto grows with the table, and is what it takes unless given.",
    ),
    ("--runs", Number(1, whole=True), "Networks trained at most, instead of a time: the same result on every machine."),
    (
        "--report",
        Repeated("FILE"),
        "What was tried and tied, how good it is: .html, .md, or the record as .json. For several, give it again.",
    ),
)
NETWORK = under(
    "Network",
    ("--hidden", Widths(), "Units of the hidden layers, 100 unless given; none for a single-layer network."),
    ("--activation", Known(activation_from), "relu unless given; others are tanh, gelu, leaky_relu(0.2), maxout(3) …"),
    (
        "--initializer",
        Known(initializer_from),
        "he, glorot, lecun, orthogonal or scaled; what fits the activation unless given.",
    ),
    (
        "--members",
        Number(1, whole=True),
        "Networks trained at once from different initial weights, 1 unless given; the mean of them predicts.",
    ),
    ("--dtype", click.Choice(["float32", "float64"]), "Type of the numbers; follows the data unless given."),
)
TRAINING = under(
    "Training",
    (
        "--loss",
        Known(loss_from, also=("auto",)),
        "auto is cross_entropy or squared; others are logistic, hinge, absolute, huber(1.0), quantile(0.9) …",
    ),
    (
        "--optimizer",
        Known(optimizer_from),
        "adam unless given; or sgd, momentum, nesterov, rmsprop, adagrad, adamw.",
    ),
    (
        "--rate",
        _POSITIVE,
        "Learning rate; the optimizer's own unless given, or ten times adam's and its like without hidden layers.",
    ),
    (
        "--schedule",
        Factors(schedule_from),
        "cosine unless given; or constant, step(10, 0.1), warm_up(1), factors: 1,0.5,0.1.",
    ),
    ("--batch", Auto(), "Rows of a step; auto is 32, or 128 above 10,000 rows."),
    (
        "--epochs",
        Auto(),
        "Passes over the rows; auto is 100, or what makes 2,000 to 8,000 steps, but 20 to 1,000.",
    ),
    (
        "--watch",
        Auto(0),
        "Epochs between two looks inside, which may give warnings; auto is as many as have 2,000 rows, 0 never looks.",
    ),
    ("--seed", Number(0, 2**32 - 1, whole=True), "Start of all random numbers, 0 unless given."),
    (
        "--threads",
        Number(1, 256, whole=True),
        "Threads of the native engine, unless given as many as pay; the results are the same for any number.",
    ),
)
REGULARIZATION = under(
    "Against overfitting",
    ("--l2", _AT_LEAST_0, "½·l2·Σw² is added to the mean loss; 0.0001 unless given."),
    ("--l1", _AT_LEAST_0, "l1·Σ|w| is added to the mean loss."),
    ("--dropout", _SHARE, "Share of hidden outputs set to 0 in training."),
    ("--input-noise", _AT_LEAST_0, "Standard deviation of the noise added to the inputs in training."),
    ("--max-norm", _POSITIVE, "Longest allowed weight vector of a unit."),
    ("--class-weight", click.Choice(["balanced"]), "balanced: every class counts the same, however rare."),
    (
        "--early-stopping",
        bool,
        "Set a tenth of the training rows apart, stop when they get no better, keep the best.",
    ),
    ("--monitor", click.Choice(["loss", "score"]), "What early stopping looks at; loss unless given."),
    ("--patience", Number(1, whole=True), "Epochs without improvement before stopping; 10 unless given."),
    ("--min-delta", _AT_LEAST_0, "How much better counts as better; 0 unless given."),
)
OUTPUT = under(
    "Output",
    ("--out", "FILE", "The model file. Unless given, the data's name with .kn, if there is no such file yet."),
    ("--json", bool, "Results as JSON on stdout."),
    ("--quiet -q", bool, "No narrative and no progress on stderr; the result, warnings and errors stay."),
)
FIT = [*DATA, *TUNING, *NETWORK, *TRAINING, *REGULARIZATION, *OUTPUT]


def fit_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """All options of `kilonet fit`, in the order of its help."""
    for option in reversed(FIT):
        function = option(function)
    return function
