"""What can be wrong, said once.

Every error says what came, what was needed, where, and what to do. All of them subclass
ValueError (the caller can mend the input) or RuntimeError (the run itself failed), so that code
which catches the built-in ones keeps working.
"""

import sys


class ShapeError(ValueError):
    """An array has the wrong number of axes or the wrong size along one of them."""


class DataError(ValueError):
    """A value in the user's data cannot be used: infinity, a missing target, one class, a date.

    row: the row that the message names, counting from 0; None where it names none, or several. columns: those that
    it advises to drop.
    """

    row: int | None = None
    columns: tuple[str, ...] = ()


class SettingError(ValueError):
    """A setting is out of its range or unknown."""


class FileFormatError(ValueError):
    """A file is not what its name or header promises: cut, edited, hostile, or of a newer version."""


class DivergenceError(RuntimeError):
    """Training left the finite numbers before anything useful was learned."""


class EngineError(RuntimeError):
    """An engine was asked for that cannot run here, or it broke off."""


class MemoryLimitError(RuntimeError, MemoryError):
    """What was asked for would need more memory than it may take; nothing has begun."""


class DivergenceWarning(UserWarning):
    """A member left the finite numbers; its parameters are those of its last finite epoch."""


class RemedyWarning(UserWarning):
    """A remedy was looked for, and none helped; what comes back is as it was in what the message names."""


class InterruptedWarning(UserWarning):
    """Training was interrupted; what is returned is what was done until then."""


class EngineWarning(UserWarning):
    """The native kernel cannot be used here; the slower reference engine runs instead."""


class DataWarning(UserWarning):
    """Something in the data was repaired or left out, and the result depends on it.

    row: the row that the message names, counting from 0; None where it names none, or several. columns: those that
    it advises to drop.
    """

    row: int | None = None
    columns: tuple[str, ...] = ()


class LeftOutWarning(DataWarning):
    """A column of the training table tells nothing, and was left out."""


def users_line() -> int:
    """The stacklevel of a warning that points at the line that called into this package, if need be by scikit-learn."""
    level, frame = 1, sys._getframe(1)  # noqa: SLF001 - nothing else leads to the caller
    while frame.f_back is not None and str(frame.f_globals.get("__name__", "")).startswith(("kilonet.", "sklearn.")):
        level, frame = level + 1, frame.f_back
    return level
