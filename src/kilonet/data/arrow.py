"""pyarrow, imported only when a file needs it."""

from importlib import import_module
from typing import Any

from kilonet.errors import DataError


def module(name: str) -> Any:
    """An installed module that is too dear to import before it is needed; DataError when it is absent."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        raise DataError(
            f'reading this file needs {error.name}, which is not installed. Run: pip install "kilonet[tables]"'
        ) from None


def failures() -> tuple[type[BaseException], ...]:
    """What pyarrow raises for content that it cannot read."""
    return (module("pyarrow").ArrowException, ValueError, OSError, MemoryError, OverflowError, KeyError, TypeError)
