"""All commands: which there are, how they are called, and how each failure ends."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterable, Sequence
from importlib import import_module, metadata
from pathlib import Path

import click

from kilonet.cli import INTERRUPTED
from kilonet.cli.console import plain
from kilonet.errors import DataError, DivergenceError, EngineError, FileFormatError, SettingError, ShapeError
from kilonet.numerals import ended

FAILED, USAGE = 1, 2
COMMANDS = {
    "choose": "Say which network suits the data, with evidence.",
    "diagnose": "Say what is wrong with a model, and what cures it.",
    "fit": "Train a network on data and save it.",
    "notes": "Measure what the lecture notes claim.",
    "predict": "Predict rows with a saved model.",
    "show": "Say what a model is and how it was trained.",
}
_MEANT = {
    "learning_rate": "rate", "alpha": "l2", "hidden_layer_sizes": "hidden", "solver": "optimizer", "n_jobs": "threads",
}  # fmt: skip
_NO_MEMORY = "there is not enough memory for this. Use fewer rows, a smaller network, or --dtype float32."
HELP = """Train fully-connected neural networks on tables and pictures, and use them.

\b
kilonet choose digits
kilonet fit digits --hidden 64,32 --l2 1e-3 --out digits.kn
kilonet fit houses.csv --target price
kilonet predict houses.kn new_houses.csv > prices.csv
kilonet show houses.kn
kilonet diagnose houses.kn houses.csv
kilonet notes dying-relu

Results go to stdout; messages and progress go to stderr. Every command takes --json. Exit status: 0 it worked,
1 the run failed, 2 wrong usage, 3 a diagnosis found something that fails, 130 interrupted.
"""


class Commands(click.Group):
    """Commands that are imported when they are called: --help is quick, and Ctrl-C is heeded from the start."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, or None."""
        if cmd_name not in COMMANDS and not cmd_name.startswith("-"):
            ctx.fail(f"No such command '{cmd_name}'.{_nearest(cmd_name, COMMANDS)}")
        if cmd_name not in COMMANDS:
            return None
        command = getattr(import_module(f"kilonet.cli.{cmd_name}"), cmd_name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The list of commands in --help."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, help="Show the version and exit.",
              callback=lambda context, _, asked: _tell_version(context) if asked else None)  # fmt: skip
def group() -> None:
    """All commands."""


def _tell_version(context: click.Context) -> None:
    try:
        version = metadata.version("kilonet")
    except metadata.PackageNotFoundError:  # run from a checkout that was not installed
        version = "(not installed)"
    click.echo(f"kilonet {version}")
    context.exit()


def run(arguments: Sequence[str] | None) -> int:
    """Run one command and give its exit status."""
    if sys.stderr is None:  # closed by whoever started us: messages have nowhere to go
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - as long as the process
    if sys.stdout is None:
        return _fail("standard output is closed, so results have nowhere to go. Redirect it, if only to /dev/null.")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names in files may hold letters that this terminal lacks
            stream.reconfigure(errors="backslashreplace")
    try:
        status = _called(arguments)
        sys.stdout.flush()  # a full disk behind stdout must not look like success
    except BrokenPipeError:  # whoever read the output went away (`| head`): nothing to say, but not all was said
        _forget_output()
        return FAILED
    except OSError as error:
        _forget_output()
        return _fail(_os_error(error))
    return status


def _called(arguments: Sequence[str] | None) -> int:
    try:
        status = group.main(args=arguments, prog_name="kilonet", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return USAGE
    except click.ClickException as error:
        return _refuse(error)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted; nothing was saved.", INTERRUPTED)
    except SettingError as error:
        return _fail(error, USAGE)
    except (DataError, ShapeError, FileFormatError, DivergenceError, EngineError, MemoryError) as error:
        return _fail(_NO_MEMORY if isinstance(error, MemoryError) else error)
    return status if isinstance(status, int) else 0


def _refuse(error: click.ClickException) -> int:
    """Wrong usage: the message, and where to read how it is done."""
    if isinstance(error, click.NoSuchOption):
        _fail(f"No such option '{error.option_name}'.{_option_meant(error)}", USAGE)
    else:
        _fail(error.format_message(), error.exit_code)
    context = getattr(error, "ctx", None)
    if isinstance(context, click.Context) and error.exit_code == USAGE:
        click.echo(f"`{context.command_path} --help` tells more.", err=True)
    return error.exit_code


def _option_meant(error: click.NoSuchOption) -> str:
    """A hint to the option that has this meaning here, else to the nearest; click lists by the alphabet."""
    from kilonet.recipe import DIFFERENT, RENAMED  # noqa: PLC0415 - it needs NumPy, for which --help does not wait

    name = error.option_name.lstrip("-").replace("-", "_")
    command = error.ctx.command.params if error.ctx else []
    known = {option for parameter in command for option in parameter.opts}
    meant = "--" + (_MEANT | RENAMED).get(name, name)
    if meant not in known:
        return _nearest(error.option_name, error.possibilities or ())
    return f" Did you mean {meant}?" + (f" {DIFFERENT[name].partition('; ')[2]}" if name == "alpha" else "")


def _nearest(name: str, names: Iterable[str]) -> str:
    from kilonet.checks import nearest  # noqa: PLC0415 - it needs NumPy, for which --help does not wait

    return nearest(name, names)


def _fail(message: object, status: int = FAILED) -> int:
    click.secho(f"Error: {ended(plain(message))}", err=True, fg="red")
    return status


def _os_error(error: OSError) -> str:
    if error.errno is None:  # one of our own, which says all there is to say
        return str(error)
    if isinstance(error, FileNotFoundError) and isinstance(error.filename, str):
        path = Path(error.filename)
        beside: list[str] = []
        with contextlib.suppress(OSError):  # the folder is not there either, or may not be listed
            beside = [other.name for other in path.parent.iterdir()]
        return f"there is no file {path}.{_nearest(path.name, beside)}"
    return (
        f"{error.filename or 'the output'}: {error.strerror or error}. Look at the path, its permissions and the disk."
    )


def _forget_output() -> None:
    """Let the interpreter flush at exit what cannot be written, without a second complaint."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
