"""What tells one thing from another for good: digests of data and of settings, the same in every process."""

import dis
import hashlib
import types
from collections.abc import Iterator, Mapping
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import scipy.sparse
from sklearn.base import BaseEstimator

from kilonet.errors import SettingError
from kilonet.estimators.rows import is_frame


def digest(*parts: Any) -> str:
    """A hash of data and settings. Raises SettingError for what has no lasting mark, such as an object of one's own.

    >>> digest([1.0, "a"]) == digest((1.0, "a")), digest({"a": 1}) == digest({"a": 1.0})
    (True, False)
    """
    hashed = hashlib.sha256()
    for part in parts:
        for piece in _pieces(part):
            hashed.update(len(piece).to_bytes(8, "big"))  # so that no two sequences run into one
            hashed.update(piece)
    return hashed.hexdigest()


def _pieces(value: Any) -> Iterator[bytes]:
    if value is None or isinstance(value, bool | int | float | complex | str | bytes):
        yield repr(value).encode()
    elif isinstance(value, np.generic | np.ndarray):
        yield from _array(np.asarray(value))
    elif scipy.sparse.issparse(value):
        rows = value.tocsr()
        for part in (np.array(rows.shape), rows.indptr, rows.indices, rows.data):
            yield from _array(part)
    elif is_frame(value):
        yield from _frame(value)
    elif isinstance(value, Mapping):
        yield from _several("mapping", [part for pair in value.items() for part in pair])
    elif isinstance(value, list | tuple):
        yield from _several("sequence", list(value))
    elif hasattr(value, "__array__"):  # a column of a frame
        yield str(getattr(value, "dtype", "")).encode()
        yield from _array(np.asarray(value))
    else:
        yield from _object(value)


def _several(kind: str, values: list[Any]) -> Iterator[bytes]:
    yield f"{kind} of {len(values)}".encode()
    for value in values:
        yield from _pieces(value)


def _array(array: Any) -> Iterator[bytes]:
    yield f"{array.dtype.str} {array.shape}".encode()
    if array.dtype.kind == "O":
        for cell in array.ravel().tolist():
            yield repr(cell).encode()
    else:
        yield np.ascontiguousarray(array).tobytes()


def _frame(frame: Any) -> Iterator[bytes]:
    """Names, types and cells; categories in their order, since inputs are made in it."""
    table = nw.from_native(frame, eager_only=True)
    yield str(table.implementation).encode()
    for name, column in zip(table.columns, table.iter_columns(), strict=True):
        yield f"{name!r} {column.dtype}".encode()
        if column.dtype in (nw.Categorical, nw.Enum):
            categories = column.cat.get_categories().to_list()
            yield f"{len(categories)} categories".encode()
            yield from (repr(category).encode() for category in categories)  # numbers, texts, intervals, dates
        yield from _array(column.to_numpy())


def _object(value: Any) -> Iterator[bytes]:
    kind = type(value)
    yield f"{kind.__module__}.{kind.__qualname__}".encode()
    if isinstance(value, BaseEstimator):
        yield from _pieces(dict(sorted(value.get_params(deep=False).items())))
    elif kind.__module__.partition(".")[0] == "kilonet":  # a frozen value, which its text describes
        yield repr(value).encode()
    elif isinstance(value, types.FunctionType) and value.__closure__ is None:
        yield from _pieces([value.__module__, value.__qualname__, value.__defaults__, value.__kwdefaults__])
        yield from _code(value.__code__, value, frozenset())
    elif hasattr(value, "_score_func"):  # a scorer of scikit-learn
        yield from _pieces([value._score_func, value._sign, value._kwargs, getattr(value, "_response_method", None)])
    elif hasattr(value, "__wrapped__"):  # a function of scikit-learn behind its check of parameters
        yield from _pieces([value.__module__, value.__qualname__])
    else:
        raise SettingError(
            f"{value!r} cannot be told apart from others like it by a store. Give it by name or as a plain function, "
            "or leave store out."
        )


def _code(code: types.CodeType, function: types.FunctionType, seen: frozenset[types.CodeType]) -> Iterator[bytes]:
    """What code does: its instructions, constants, functions within, and what it reads from its module."""
    yield from _pieces([code.co_code, code.co_names])
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _code(constant, function, seen | {code})
        else:
            yield from _pieces(sorted(map(repr, constant)) if isinstance(constant, frozenset) else repr(constant))
    for name in sorted({step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_GLOBAL"}):
        if name in function.__globals__:
            yield name.encode()
            yield from _read(function.__globals__[name], function, seen | {code})


def _read(value: Any, function: types.FunctionType, seen: frozenset[types.CodeType]) -> Iterator[bytes]:
    """A global: modules and what other packages define by name, own functions by their code, the rest by value."""
    home = getattr(value, "__module__", None)
    if isinstance(value, types.ModuleType):
        yield value.__name__.encode()
    elif isinstance(value, types.FunctionType) and value.__code__ in seen:
        yield b"itself"
    elif hasattr(value, "__qualname__") and _package(home) != _package(function.__module__):
        yield f"{home}.{value.__qualname__}".encode()
    elif isinstance(value, types.FunctionType) and value.__closure__ is None:
        yield from _pieces([value.__defaults__, value.__kwdefaults__])
        yield from _code(value.__code__, value, seen)
    else:
        yield from _pieces(value)


def _package(module: Any) -> str:
    return str(module).partition(".")[0]
