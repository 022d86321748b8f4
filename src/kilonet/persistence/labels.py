"""Class labels as JSON: the same values and the same array type come back."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.errors import FileFormatError

_PLAIN = (str, int, float, bool)
_NUMBERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float32", "float64")


def labels_to_json(labels: NDArray[Any]) -> dict[str, Any]:
    """Labels (n,) as {"dtype": ..., "values": [...]}; FileFormatError where JSON cannot hold one.

    >>> labels_to_json(np.array(["no", "yes"]))
    {'dtype': 'str', 'values': ['no', 'yes']}
    """
    kind = labels.dtype.kind
    values = labels.tolist()
    if kind in "UT":
        return {"dtype": "str", "values": values}
    if kind == "b":
        return {"dtype": "bool", "values": values}
    if kind in "iuf" and labels.dtype.name in _NUMBERS:
        return {"dtype": labels.dtype.name, "values": values}
    values = [value.item() if isinstance(value, np.generic) else value for value in values]
    for value in values:
        if type(value) not in _PLAIN:
            raise FileFormatError(
                f"This model cannot be saved: its class {value!r:.60} is of type {type(value).__name__}. "
                "Files hold classes that are text, numbers or true/false; turn the target into one of these first."
            )
    return {"dtype": "object", "values": values}


def labels_from_json(spec: Any) -> NDArray[Any]:
    """Labels (n,) from what `labels_to_json` gave; ValueError where it is something else.

    >>> labels_from_json({"dtype": "int64", "values": [0, 5]})
    array([0, 5])
    """
    dtype, values = spec["dtype"], spec["values"]
    if not isinstance(values, list) or not all(type(value) in _PLAIN for value in values):
        raise ValueError("the classes are not a list of text, numbers or true/false")
    if dtype == "object":
        labels = np.empty(len(values), dtype=object)
        labels[:] = values
        return labels
    expected = {"str": (str,), "bool": (bool,)}.get(dtype, (int, float))
    if dtype not in ("str", "bool", *_NUMBERS) or not all(type(value) in expected for value in values):
        raise ValueError(f"the classes are not of their type {dtype!r:.60}")
    return np.array(values, dtype=dtype)
