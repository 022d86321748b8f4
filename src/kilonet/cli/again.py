"""Commands as they are typed, with what the shell needs quoted."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Any


def call(command: str, arguments: Sequence[object], given: Mapping[str, Any], without: Collection[str] = ()) -> str:
    """The call of a command that has these arguments and options; without: options that change no result.

    >>> call("choose", ["my data.csv"], {"hidden": [(3,), (64, 64)], "l2": [0.1, 1.0], "drop": ("a", "b")})
    "kilonet choose 'my data.csv' --hidden '3;64,64' --l2 0.1,1.0 --drop a --drop b"
    """
    words = ["kilonet", command, *map(str, arguments)]
    for name, value in given.items():
        option = f"--{name.replace('_', '-')}"
        if name in without or value is None or value is False:
            continue
        if isinstance(value, tuple):
            words += [word for one in value for word in (option, str(one))]
        else:
            words += [option] if value is True else [option, _text(value)]
    return shlex.join(words)


def _text(value: Any) -> str:
    """A value as the option takes it: with commas, and with semicolons between networks."""
    if not isinstance(value, list):
        return str(value)
    networks = any(isinstance(one, tuple) for one in value)
    return (";" if networks else ",").join(
        (",".join(map(str, one)) or "none") if isinstance(one, tuple) else str(one) for one in value
    )
