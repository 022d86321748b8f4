"""The columns of a file: their names, and the one that is the target."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.checks import nearest
from kilonet.data.arrow import module
from kilonet.data.places import where
from kilonet.errors import DataError, FileFormatError
from kilonet.numerals import has_decimal_comma, parse

_INDEX = re.compile(r"__index_level_\d+__")  # where pandas keeps row names in a Parquet file


def named_columns(frame: Any, path: Path) -> Any:
    """The table without pandas' row names; an error when it is empty or a name is missing or there twice."""
    frame = frame.select([place for place, name in enumerate(frame.column_names) if not _INDEX.fullmatch(name)])
    names = frame.column_names
    if not names:
        raise DataError(f"{path} has no columns. Give a table with at least one")
    if frame.num_rows == 0:
        raise DataError(f"{path} has a header with {len(names)} columns, but no rows. Give at least one row")
    nameless = [place for place, name in enumerate(names) if not name]
    if nameless:
        raise FileFormatError(f"{path}: column {nameless[0] + 1} has no name. Name every column in the header")
    twice = [name for place, name in enumerate(names) if name in names[:place]] if len(set(names)) < len(names) else []
    if twice:
        raise FileFormatError(f'{path}: more than one column is named "{twice[0]}". Give each its own name')
    return frame


def split_target(frame: Any, target: str, path: Path) -> tuple[Any, NDArray[Any]]:
    """The table without its target column, and the target (n,): int64, float64, bool or texts (object)."""
    names = frame.column_names
    if target not in names:
        shown = ", ".join(names[:20]) + (f" and {len(names) - 20} others" if len(names) > 20 else "")
        raise DataError(f'{path} has no column "{target}" for a target.{nearest(target, names)} Its columns: {shown}')
    if len(names) == 1:
        raise DataError(f'{path} has no column beside the target "{target}". Give at least one to learn from')
    y = _values(frame[target], f'{path}: the target "{target}"', path)
    return frame.drop_columns([target]), y


def _values(column: Any, what: str, path: Path) -> NDArray[Any]:
    pa = module("pyarrow")
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = pa.chunked_array([chunk.dictionary_decode() for chunk in column.chunks], type=kind.value_type)
        kind = column.type
    texts = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    numbers = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if not (texts or numbers or pa.types.is_boolean(kind) or pa.types.is_null(kind)):
        raise DataError(f"{what} is of the type {kind}. A target is numbers, texts or truth values: convert it first")
    if texts:
        return _texts(column.to_pylist(), what, path)
    gaps = np.flatnonzero(column.is_null(nan_is_null=True).to_numpy())
    if gaps.size:
        raise _missing(gaps, column.length(), what, path)
    if pa.types.is_boolean(kind):
        return np.array(column.to_pylist(), dtype=np.bool_)
    if pa.types.is_integer(kind):
        values: NDArray[Any] = column.to_numpy()
        return values if values.dtype == np.uint64 else values.astype(np.int64)
    floats = np.array(column.to_pylist() if pa.types.is_decimal(kind) else column.to_numpy(), dtype=np.float64)
    infinite = np.flatnonzero(np.isinf(floats))
    if infinite.size:
        raise DataError(
            f"{what} is infinite in {where(path, infinite.tolist())}. Replace it by a number, or drop the row"
        )
    return floats


def _texts(cells: list[str | None], what: str, path: Path) -> NDArray[np.object_]:
    gaps = np.flatnonzero([cell is None or not cell.strip() for cell in cells])
    if gaps.size:
        raise _missing(gaps, len(cells), what, path)
    known = {cell: parse(cell) is not None for cell in cells if cell is not None}
    if sum(known.values()) > max(20, len(known) / 2) and not all(known.values()):
        row, cell = next((row, cell) for row, cell in enumerate(cells) if cell is not None and not known[cell])
        advice = "Write decimals with a point" if has_decimal_comma(cell) else "Mend the cell, or drop the row"
        raise DataError(
            f"{what} holds the text {cell!r} in {where(path, [row])}, though most of it is numbers. {advice}"
        )
    return np.array(cells, dtype=object)


def _missing(rows: NDArray[np.intp], n: int, what: str, path: Path) -> DataError:
    places = where(path, rows.tolist())
    return DataError(f"{what} is missing in {len(rows):,} of {n:,} rows: {places}. Fill it in, or drop the row")
