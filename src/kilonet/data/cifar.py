"""Folders of CIFAR-10 in its binary version.

Format: https://www.cs.toronto.edu/~kriz/cifar.html - records of 3073 bytes: the label, then 32×32 red
values row by row, the green ones, the blue ones.
"""

import re
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.data.table import Table
from kilonet.errors import FileFormatError

RECORD = 3073
_BATCH = re.compile(r"data_batch_(\d+)\.bin")


def found_in(folder: Path) -> bool:
    """Whether the folder has a batch of training images."""
    return bool(_batches(folder))


def read(folder: Path) -> Table:
    """The training images of all batches, float32 in 0 to 1, their labels 0 to 9, and the test batch."""
    X, y = _images(_batches(folder))
    last = folder / "test_batch.bin"
    test = _images([last]) if last.is_file() else None
    names = tuple(
        f"{colour}_{row}_{column}" for colour in ("red", "green", "blue") for row, column in np.ndindex(32, 32)
    )
    return Table(X, y, names, str(folder), "label", test)


def _batches(folder: Path) -> list[Path]:
    numbered = [(int(match[1]), path) for path in folder.iterdir() if (match := _BATCH.fullmatch(path.name))]
    return [path for _, path in sorted(numbered)]


def _images(paths: list[Path]) -> tuple[NDArray[Any], NDArray[Any]]:
    counts = [_count(path) for path in paths]
    X = np.empty((sum(counts), RECORD - 1), dtype=np.float32)
    y = np.empty(sum(counts), dtype=np.int64)
    start = 0
    for path, count in zip(paths, counts, strict=True):
        raw = np.fromfile(path, np.uint8, count * RECORD).reshape(-1, RECORD)
        stop = start + len(raw)
        wrong = np.flatnonzero(raw[:, 0] > 9)
        if wrong.size:
            label = raw[wrong[0], 0]
            raise FileFormatError(
                f"{path}, record {wrong[0]}: the label is {label}; CIFAR-10 has 0 to 9. Is it CIFAR-100?"
            )
        y[start:stop] = raw[:, 0]
        np.divide(raw[:, 1:], np.float32(255), out=X[start:stop])
        start = stop
    return X, y


def _count(path: Path) -> int:
    size = path.stat().st_size
    if size == 0 or size % RECORD:
        raise FileFormatError(
            f"{path} has {size:,} bytes; needs records of {RECORD} (a label and 3×32×32 pixels). It was cut, or is no "
            "CIFAR-10 batch of the binary version"
        )
    return size // RECORD
