"""The options of `kilonet fit`: what each may be, checked before any data is read."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import click

from kilonet.activations import activation_from
from kilonet.errors import SettingError
from kilonet.initializers import initializer_from
from kilonet.losses import loss_from
from kilonet.optimizers import optimizer_from
from kilonet.schedules import schedule_from


class Number(click.ParamType[Any]):
    """A finite number in a range: whole or not, with ends or without them."""

    def __init__(self, low: float = 0, high: float = math.inf, *, whole: bool = False, outside: str = "") -> None:
        self.low, self.high, self.whole, self.outside = low, high, whole, outside
        self.name = "n" if whole else "x"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number, or BadParameter that says what is allowed."""
        try:
            number = int(value) if self.whole else float(value)
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and self.low <= number <= self.high and str(number) != self.outside):
            self.fail(f"{value!r} is not {self.allowed}.", param, ctx)
        return number

    @property
    def allowed(self) -> str:
        """The range in words."""
        kind = "a whole number" if self.whole else "a number"
        low, high = (f"above {self.low:g}" if self.outside == str(self.low) else f"at least {self.low:g}"), ""
        if self.high < math.inf:
            high = f" and below {self.high:g}" if self.outside == str(self.high) else f" and at most {self.high:,.0f}"
        return f"{kind}, {low}{high}"


class Known(click.ParamType[Any]):
    """A name that the library knows, such as relu or leaky_relu(0.2); kept as text."""

    name = "name"

    def __init__(self, lookup: Callable[[Any], Any], also: tuple[str, ...] = ()) -> None:
        self.lookup, self.also = lookup, also

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, once the library has understood it, or BadParameter that lists the known names."""
        if value not in self.also:
            try:
                self.lookup(value)
            except SettingError as error:
                self.fail(str(error), param, ctx)
        return str(value)


class Widths(click.ParamType[Any]):
    """Units of the hidden layers: 64,32; an empty text or "none" for a single-layer network."""

    name = "64,32"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """The widths as a tuple, or BadParameter."""
        if isinstance(value, tuple):
            return value
        parts = [] if value.strip().lower() in ("", "none") else value.split(",")
        widths = []
        for part in parts:
            if not part.strip().isascii() or not part.strip().isdigit() or int(part) < 1:
                self.fail(
                    f"{value!r}: {part.strip()!r} is no number of units. Name the hidden layers' sizes "
                    "with commas between them, such as 64,32, or none for a network without hidden layers.",
                    param,
                    ctx,
                )
            widths.append(int(part))
        return tuple(widths)


class Factors(Known):
    """A schedule by name, or its factors one by one: 1,0.5,0.1."""

    name = "schedule"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The text of a known schedule, or a list of factors."""
        try:
            factors = [float(part) for part in str(value).split(",")]
        except ValueError:
            return super().convert(value, param, ctx)
        if not all(math.isfinite(factor) and factor >= 0 for factor in factors):
            self.fail(f"{value!r}: every factor must be a finite number, at least 0.", param, ctx)
        return factors


class Auto(Number):
    """A whole number of at least 1, or auto."""

    def __init__(self) -> None:
        super().__init__(1, whole=True)
        self.name = "n|auto"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number, or "auto"."""
        return value if value == "auto" else super().convert(value, param, ctx)

    @property
    def allowed(self) -> str:
        """The range in words."""
        return super().allowed + ", or auto"


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


_SEVERAL = object()  # texts of an option that may come more than once


def _under(section: str, *options: tuple[str, Any, str]) -> list[Callable[..., Any]]:
    made = []
    for name, kind, text in options:
        shape: dict[str, Any] = {"type": kind}
        if kind is bool:
            shape = {"is_flag": True, "default": None}
        elif kind is _SEVERAL:
            shape = {"multiple": True, "default": None, "metavar": "COLUMN,.."}
        elif isinstance(kind, str):
            shape = {"type": str, "metavar": kind}
        made.append(click.option(*name.split(), cls=_Option, section=section, help=text, **shape))
    return made


_SHARE = Number(0.0, 1.0, outside="1.0")
_POSITIVE = Number(0.0, outside="0.0")
_AT_LEAST_0 = Number(0.0)

DATA = _under(
    "Data",
    ("--target", "COLUMN", "The column to predict. Needed for files with columns."),
    ("--drop", _SEVERAL, "Columns to leave out, with commas between them; may be given more than once."),
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
NETWORK = _under(
    "Network",
    ("--hidden", Widths(), "Units of the hidden layers, 100 unless given; none for a single-layer network."),
    ("--activation", Known(activation_from), "relu unless given; others are tanh, gelu, leaky_relu(0.2), maxout(3) …"),
    (
        "--initializer",
        Known(initializer_from),
        "he, glorot, lecun, orthogonal or scaled; what fits the activation unless given.",
    ),
    ("--dtype", click.Choice(["float32", "float64"]), "Type of the numbers; follows the data unless given."),
)
TRAINING = _under(
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
    ("--rate", _POSITIVE, "Learning rate; the optimizer's own unless given."),
    (
        "--schedule",
        Factors(schedule_from),
        "cosine unless given; or constant, step(10, 0.1), warm_up(1), factors: 1,0.5,0.1.",
    ),
    ("--batch", Auto(), "Rows of a step; auto is 32, or 128 above 10,000 rows."),
    ("--epochs", Auto(), "Passes over the rows; auto makes at least 2,000 steps in 20 to 500 passes."),
    ("--seed", Number(0, 2**32 - 1, whole=True), "Start of all random numbers, 0 unless given."),
    ("--threads", Number(1, 1024, whole=True), "Threads; the results are the same for any number of them."),
)
REGULARIZATION = _under(
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
OUTPUT = _under(
    "Output",
    ("--out", "FILE", "The model file. Unless given, the data's name with .kn, if there is no such file yet."),
    ("--json", bool, "Results as JSON on stdout."),
    ("--quiet -q", bool, "No narrative and no progress on stderr; the result, warnings and errors stay."),
)
FIT = [*DATA, *NETWORK, *TRAINING, *REGULARIZATION, *OUTPUT]


def fit_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """All options of `kilonet fit`, in the order of its help."""
    for option in reversed(FIT):
        function = option(function)
    return function
