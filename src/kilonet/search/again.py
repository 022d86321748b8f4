"""The call that gives the numbers of a search again, on any machine."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

_LEFT_OUT = ("budget", "runs", "callback", "store", "n_jobs")  # what does not change the numbers, or becomes runs


def call(search: BaseEstimator, runs: int, rows: str) -> str:
    """The call; nothing where chance was not bound to a seed. rows: what `fit` was given, by name."""
    if not isinstance(search.random_state, int | np.integer):
        return ""
    default = type(search)().get_params(deep=False)
    given = {name: value for name, value in search.get_params(deep=False).items() if name not in _LEFT_OUT}
    said = [f"{name}={_text(value)}" for name, value in given.items() if repr(value) != repr(default[name])]
    return f"kn.{type(search).__name__}({', '.join([*said, f'runs={runs}'])}).fit({rows})"


def _text(value: Any) -> str:
    """A parameter as a call has it, where `kilonet` is imported as kn.

    >>> _text([(3,), np.float64(0.5), "relu"])
    "[(3,), 0.5, 'relu']"
    """
    plain = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    if isinstance(plain, list | tuple):
        inside = ", ".join(map(_text, plain)) + ("," if isinstance(plain, tuple) and len(plain) == 1 else "")
        return f"[{inside}]" if isinstance(plain, list) else f"({inside})"
    ours = type(plain).__module__.partition(".")[0] == "kilonet"
    return f"kn.{plain!r}" if ours else repr(plain)
