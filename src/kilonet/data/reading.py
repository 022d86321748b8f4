"""One reader for every name: which kind of file it is, and who reads that."""

import contextlib
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np

from kilonet.checks import nearest
from kilonet.data import cifar, columnar, delimited, idx
from kilonet.data.arrow import module
from kilonet.data.columns import named_columns, split_target
from kilonet.data.table import Table
from kilonet.errors import DataError, FileFormatError

_READERS: dict[str, Callable[[Path, Collection[str]], Any]] = {
    ".csv": delimited.read,
    ".tsv": delimited.read,
    ".parquet": columnar.read_parquet,
    ".pq": columnar.read_parquet,
    ".arrow": columnar.read_arrow,
    ".feather": columnar.read_arrow,
    ".ipc": columnar.read_arrow,
}
_KINDS = '.csv, .tsv, .parquet, .arrow, .feather, a folder of idx files or of CIFAR-10 batches, or the name "digits"'


def read(name: str | Path, target: str | None = None, *, text: Collection[str] = ()) -> Table:
    """The table behind a name.

    "digits" is the data set of 1,797 handwritten digits that scikit-learn holds (values 0 to 16, as there);
    `./digits` would be a file. Otherwise name is the path of
    - a .csv or .tsv file (UTF-8, a header line; the separator of a .csv file is seen from the header),
      a .parquet, .arrow or .feather file: X is a pyarrow table, and `target` names the column to predict.
      Empty cells and NA, N/A, n/a, #N/A, NaN, nan, NULL and null are missing values. Columns listed in
      `text` of a .csv file are read as texts, whatever they look like;
    - a folder with MNIST's idx files (plain or .gz) or CIFAR-10's binary batches: X holds the pixels as
      float32, row by row, bytes divided by 255 (0 to 1); y the labels as they are (int64); the test set
      comes along.

    Raises DataError (nothing there, unknown target, missing target values) or FileFormatError (the
    content is not what the name promises).

    >>> table = read("digits")
    >>> table.X.dtype, table.y[:3].tolist(), table.feature_names[0]
    (dtype('float32'), [0, 1, 2], 'pixel_0_0')
    """
    if isinstance(name, str) and name == "digits":
        return _without_target(_digits(), target)
    path = Path(name)
    try:
        kind = "folder" if path.is_dir() else "file" if path.is_file() else "other" if path.exists() else "nothing"
        if kind == "folder":
            return _without_target(_folder(path), target)
    except (OSError, ValueError) as error:
        if isinstance(error, DataError | FileFormatError):
            raise
        raise DataError(f"{str(name)!r} cannot be read: {error}") from None
    if kind != "file":
        raise _not_a_file(path, kind)
    return _columns(path, target, text)


def _columns(path: Path, target: str | None, text: Collection[str]) -> Table:
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise FileFormatError(f'{path}: no reader for files that end in "{path.suffix}". Readable are {_KINDS}')
    try:
        frame = named_columns(reader(path, text), path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}") from None
    X, y = (frame, None) if target is None else split_target(frame, target, path)
    return Table(X, y, tuple(X.column_names), str(path), target)


def _folder(path: Path) -> Table:
    if idx.found_in(path):
        return idx.read(path)
    if cifar.found_in(path):
        return cifar.read(path)
    raise FileFormatError(
        f"{path} is a folder, and holds neither idx files (train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-..., "
        "plain or .gz) nor CIFAR-10 batches (data_batch_1.bin ... test_batch.bin). Name the folder that does, or a file"
    )


def _digits() -> Table:
    found = module("sklearn.datasets").load_digits()
    X, y = found.data.astype(np.float32), found.target.astype(np.int64)
    return Table(X, y, tuple(found.feature_names), "digits", "digit")


def _without_target(table: Table, target: str | None) -> Table:
    if target not in {None, table.target}:
        raise DataError(
            f'{table.source} brings its own target ("{table.target}"), so that the target "{target}" has no place. '
            "Leave it out"
        )
    return table


def _not_a_file(path: Path, kind: str) -> DataError:
    if kind == "other":
        return DataError(f"{path} is neither a file nor a folder (a device or a pipe?). Readable are {_KINDS}")
    beside = ["digits"] if path.name == str(path) else []
    with contextlib.suppress(OSError):  # the folder is not there either, or may not be listed
        beside += [other.name for other in path.parent.iterdir()]
    return DataError(f"there is no file or folder {str(path)!r}.{nearest(path.name, beside)} Readable are {_KINDS}")
