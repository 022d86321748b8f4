"""The outer shape of a model file: a safetensors file with a JSON description and a checksum.

A safetensors file is a header length (8 bytes), a JSON header and raw numbers; reading it never runs
code. The header's metadata holds one entry, "kilonet": the description as JSON. Its member "checksum"
is the SHA-256 of the whole file with the 64 checksum digits put to 0, so that every single byte counts.
(One metadata entry only, because safetensors does not keep the order of several.)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NoReturn

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from kilonet.errors import FileFormatError

FORMAT = 2  # the newest; files of a single model are of format 1, which older versions read too
HEADER_LIMIT = 100_000_000  # bytes; the limit of the safetensors format itself
_WRITTEN = "Models are written by `kilonet fit --out` and by model.save(path)."
_NO_CHECKSUM = "0" * 64
_MARKER = rb"\"checksum\":\""  # as it stands in the header, where the description is a string inside JSON
_DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8"), "I64": np.dtype("<i8")}


def pack(tensors: Mapping[str, NDArray[Any]], description: Mapping[str, Any]) -> bytes:
    """The bytes of a model file; equal content gives equal bytes.

    tensors: arrays of float32, float64 or int64 by name. description: anything that JSON can hold.
    Raises FileFormatError when the description cannot be written as JSON (NaN, foreign objects).

    >>> unpack(pack({"theta": np.zeros(2)}, {"task": "regression"}), "model.kn")[0]["task"]
    'regression'
    """
    content = {"checksum": _NO_CHECKSUM, "format": 1, **description}
    try:
        text = json.dumps(content, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise FileFormatError(
            f"This model cannot be described in a file: {error}. Files hold numbers, text, lists and tables of them."
        ) from error
    plain = {name: np.ascontiguousarray(array) for name, array in tensors.items()}
    data = safetensors.numpy.save(plain, metadata={"kilonet": text})
    digest = hashlib.sha256(data).hexdigest().encode()
    start = data.index(_MARKER) + len(_MARKER)
    return data[:start] + digest + data[start + 64 :]


def unpack(data: bytes, source: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Description and tensors of a model file's bytes; `source` is how messages call the file.

    Raises FileFormatError when the bytes are not safetensors, not Kilonet's, cut, edited, or of a newer version.
    """
    header, end = _header(data, source)
    description = _description(header, source)
    _check_length(header, len(data) - end, source)
    _check_digest(data, end, source)
    return description, _tensors(data, source)


def _header(data: bytes, source: str) -> tuple[dict[str, Any], int]:
    """The JSON header, and where it ends."""
    if not data:
        raise FileFormatError(f"{source} is empty (0 bytes). Fit the model again, or fetch the file again.")
    length = int.from_bytes(data[:8], "little")
    if len(data) < 10 or data[8:9] != b"{":
        raise FileFormatError(f"{source} is not a Kilonet model: it is not a safetensors file. {_WRITTEN}")
    if length > HEADER_LIMIT:
        raise FileFormatError(
            f"{source} declares a header of {length:,} bytes; at most {HEADER_LIMIT:,} are allowed. "
            "The file is damaged, or was made to do harm; fetch it again from where it came."
        )
    if 8 + length > len(data):
        _refuse_cut(source, 8 + length - len(data))
    return _read_json(data[8 : 8 + length], source, "header"), 8 + length


def _read_json(text: bytes | str, source: str, part: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise _damaged(source, f"its {part} is not JSON that can be read ({_first_line(error)})") from error
    if not isinstance(value, dict):
        raise _damaged(source, f"its {part} is not a JSON object")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _description(header: dict[str, Any], source: str) -> dict[str, Any]:
    metadata = header.get("__metadata__")
    text = metadata.get("kilonet") if isinstance(metadata, dict) else None
    if not isinstance(text, str):
        raise FileFormatError(
            f"{source} is a safetensors file, but not a Kilonet model: its metadata has no entry 'kilonet'. {_WRITTEN}"
        )
    description = _read_json(text, source, "description")
    version = description.get("format")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise _damaged(source, "its description has no format version")
    if version > FORMAT:
        raise FileFormatError(
            f"{source} has format {version}, newer than format {FORMAT}, the newest this version of Kilonet reads. "
            "Update Kilonet: pip install --upgrade kilonet."
        )
    return description


def _check_length(header: dict[str, Any], present: int, source: str) -> None:
    """Say "cut" before "edited" where numbers are missing at the end."""
    declared = 0
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
        if not isinstance(offsets, list) or len(offsets) != 2 or not all(type(item) is int for item in offsets):
            raise _damaged(source, f"tensor {name!r:.60} has no place in it")
        declared = max(declared, *offsets)
    if declared > present:
        _refuse_cut(source, declared - present)
    if declared < present:
        raise _damaged(source, f"{present - declared:,} bytes follow after its end")


def _refuse_cut(source: str, missing: int) -> NoReturn:
    raise FileFormatError(
        f"{source} is cut: {missing:,} bytes are missing at its end. Copy or download it again, or fit the model again."
    )


def _check_digest(data: bytes, end: int, source: str) -> None:
    start = data.find(_MARKER, 0, end) + len(_MARKER)
    if start < len(_MARKER):
        raise _damaged(source, "its description has no checksum")
    blank = data[:start] + _NO_CHECKSUM.encode() + data[start + 64 :]
    if data[start : start + 64] != hashlib.sha256(blank).hexdigest().encode():
        raise FileFormatError(
            f"{source} was edited or damaged after it was written: its checksum does not fit its content. "
            "Fetch the original again, or fit the model again."
        )


def _tensors(data: bytes, source: str) -> dict[str, NDArray[Any]]:
    try:
        entries: list[tuple[str, dict[str, Any]]] = safetensors.deserialize(data)  # type: ignore[no-untyped-call]
    except (safetensors.SafetensorError, OverflowError) as error:
        raise _damaged(source, f"its header does not hold together ({_first_line(error)})") from error
    tensors = {}
    for name, entry in entries:
        if entry["dtype"] not in _DTYPES:
            raise _damaged(
                source, f"tensor {name!r:.60} has numbers of type {entry['dtype']}; known are {', '.join(_DTYPES)}"
            )
        array = np.frombuffer(entry["data"], dtype=_DTYPES[entry["dtype"]])
        tensors[name] = array.reshape(entry["shape"]).astype(array.dtype.newbyteorder("="), copy=True)
    return tensors


def _damaged(source: str, what: str) -> FileFormatError:
    return FileFormatError(f"{source} is damaged: {what}. Fetch the file again, or fit the model again.")


def _first_line(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text.splitlines()[0][:200]
