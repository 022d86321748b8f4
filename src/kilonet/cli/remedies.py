"""Remedies in the words of the command line."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def as_options(changes: Mapping[str, Any]) -> str:
    """The options of `kilonet fit` that make these changes; nothing for what has none.

    >>> as_options({"rate": 0.001}), as_options({"encode": "auto"}), as_options({"early_stopping": True})
    ('--rate 0.001', 'leave out --no-encode', '--early-stopping')
    >>> as_options({"hidden": (32, 32), "activation": "relu"})
    '--hidden 32,32, --activation relu'
    """
    return ", ".join(_as_option(name, value) for name, value in changes.items())


def _as_option(name: str, value: Any) -> str:
    if name == "encode":
        return "leave out --no-encode"
    option = f"--{name.replace('_', '-')}"
    if value is None:
        return f"leave out {option}"
    if isinstance(value, list | tuple):
        return f"{option} {','.join(map(str, value))}"
    return option if value is True else f"{option} {value:g}" if isinstance(value, float) else f"{option} {value}"
