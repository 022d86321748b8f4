"""The call that gives the numbers of a search again, on any machine."""

import ast
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from kilonet.values import Value

_LEFT_OUT = ("budget", "runs", "callback", "store", "n_jobs")  # what does not change the numbers, or becomes runs


def call(search: BaseEstimator, runs: int, rows: str) -> str:
    """The call; nothing where chance was not bound to a seed. rows: what `fit` was given, by name.

    What has no text, such as functions and objects of the user's own, is called by its name, as the data are, and so
    are splits, whose text would be too long: cv=cv.
    """
    if not isinstance(search.random_state, int | np.integer):
        return ""
    given = {name: value for name, value in _changed(search).items() if name not in _LEFT_OUT}
    texts = {name: "" if name == "cv" and np.iterable(value) else _text(value) for name, value in given.items()}
    said = [f"{name}={text or name}" for name, text in texts.items()]
    return f"kn.{type(search).__name__}({', '.join([*said, f'runs={runs}'])}).fit({rows})"


def _changed(estimator: BaseEstimator) -> dict[str, Any]:
    """The parameters that are not what they are unless given."""
    default = type(estimator)().get_params(deep=False)
    given = estimator.get_params(deep=False)
    return {name: value for name, value in given.items() if repr(value) != repr(default[name])}


def _text(value: Any) -> str:
    """A parameter as a call has it, where `kilonet` is imported as kn; nothing where it has no such text.

    >>> _text([(3,), np.float64(0.5), "relu"]), _text(print)
    ("[(3,), 0.5, 'relu']", '')
    """
    plain = value.tolist() if isinstance(value, np.ndarray | np.generic) else value
    if isinstance(plain, list | tuple | range):
        parts = [_text(part) for part in plain]
        inside = ", ".join(parts) + ("," if isinstance(plain, tuple) and len(parts) == 1 else "")
        return "" if not all(parts) else f"({inside})" if isinstance(plain, tuple) else f"[{inside}]"
    if isinstance(plain, BaseEstimator) and _ours(type(plain).__name__, type(plain)):
        own = {name: _text(value) for name, value in _changed(plain).items()}
        said = ", ".join(f"{name}={text}" for name, text in own.items())
        return f"kn.{type(plain).__name__}({said})" if all(own.values()) else ""
    return _written(repr(plain), isinstance(plain, Value))


def _written(text: str, ours: bool) -> str:
    """A text of literals and, where that may be, of our names; nothing for any other."""
    try:
        parsed = ast.parse(text, mode="eval").body
    except SyntaxError:
        return ""
    names = [node for node in ast.walk(parsed) if isinstance(node, ast.Name)]
    calls = [node for node in ast.walk(parsed) if isinstance(node, ast.Call)]
    if not ours:
        return "" if names or calls else text
    if not all(_ours(node.id) for node in names):
        return ""
    called = [call.func for call in calls]
    for node in names:  # a value that is its kind's default is written as the kind alone
        bare = _is_kind(node.id) and node not in called
        node.id = f"kn.{node.id}()" if bare else f"kn.{node.id}"
    return ast.unparse(parsed)


def _is_kind(name: str) -> bool:
    """Whether one of our names is that of a class."""
    import kilonet  # noqa: PLC0415 - as below

    return isinstance(getattr(kilonet, name), type)


def _ours(name: str, kind: Any = None) -> bool:
    """Whether kilonet has a value of this name, and kind is that one, if it is asked about."""
    import kilonet  # noqa: PLC0415 - the names that a call has; it imports this module

    return name in kilonet.__all__ and kind in (None, getattr(kilonet, name))
