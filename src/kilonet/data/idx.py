"""Folders of idx files, the format of MNIST and its kin (plain or gzipped).

Format: http://yann.lecun.com/exdb/mnist - two zero bytes, a type byte, the number of axes, each axis'
length as a big-endian 32-bit number, then the values row by row.
"""

import gzip
import math
import re
import zlib
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from kilonet.data.table import Table
from kilonet.errors import FileFormatError

LARGEST = 1 << 33  # bytes that one file may unfold to
_MOST_EXPANSION = 1032  # deflate writes at least one bit for 129 bytes
_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_NAME = re.compile(r"(?P<set>.*?)(?P<role>train|t10k|test)[-_.](?P<what>images|labels)[-_.]idx\d-ubyte(?P<gz>\.gz)?")


def found_in(folder: Path) -> bool:
    """Whether the folder has idx files of training images or labels."""
    return any(_NAME.fullmatch(path.name) for path in folder.iterdir())


def read(folder: Path) -> Table:
    """Images and labels of a folder; the test set (t10k or test) comes along where it is there."""
    files: dict[tuple[str, str], Path] = {}
    sets = set()
    for path in sorted(folder.iterdir(), reverse=True):  # so that a plain file comes after, and replaces, its .gz
        if match := _NAME.fullmatch(path.name):
            sets.add(match["set"])
            files["train" if match["role"] == "train" else "test", match["what"]] = path
    if len(sets) > 1:
        names = ", ".join(repr(name) for name in sorted(sets))
        raise FileFormatError(
            f"{folder} holds more than one data set (files that start with {names}). Give each a folder"
        )
    X, y, shape = _pair(folder, files, "train")
    test = None
    if ("test", "images") in files or ("test", "labels") in files:
        *held_out, test_shape = _pair(folder, files, "test")
        if test_shape != shape:
            raise FileFormatError(
                f"{folder}: training images are {shape}, test images {test_shape}; they need one shape"
            )
        test = held_out[0], held_out[1]
    features = tuple("_".join(["pixel", *(str(i) for i in place)]) for place in np.ndindex(*shape))
    return Table(X, y, features, str(folder), "label", test)


def read_file(path: Path) -> NDArray[Any]:
    """The array in one idx file; FileFormatError when it is cut, too long, or no idx file.

    The declared size is compared with the file's own before anything is allocated.
    """
    size = path.stat().st_size
    try:
        if path.name.endswith(".gz"):
            with gzip.open(path, "rb") as file:
                return _array(file, path, size * _MOST_EXPANSION, exact=False)
        with path.open("rb") as file:
            return _array(file, path, size, exact=True)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FileFormatError(f"{path} is no whole gzip file ({error}). Copy it again") from None


def _array(file: IO[bytes] | gzip.GzipFile, path: Path, most: int, *, exact: bool) -> NDArray[Any]:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _TYPES or not 1 <= head[3] <= 4:
        raise FileFormatError(f"{path} does not start like an idx file (its first bytes are {head.hex(' ') or 'none'})")
    lengths = file.read(4 * head[3])
    if len(lengths) < 4 * head[3]:
        raise FileFormatError(f"{path} ends inside its header; it was cut. Copy it again")
    shape = tuple(int(length) for length in np.frombuffer(lengths, ">u4"))
    dtype = np.dtype(_TYPES[head[2]])
    need, start = math.prod(shape) * dtype.itemsize, 4 + len(lengths)
    if need == 0:
        raise FileFormatError(f"{path} declares {_times(shape)} values, that is none")
    if need > LARGEST:
        raise FileFormatError(f"{path} declares {_times(shape)} values, {need:,} bytes; the limit is {LARGEST:,}")
    if start + need > most:
        has = f"has {most - start:,}" if exact else f"cannot hold more than {most - start:,}"
        raise FileFormatError(
            f"{path} declares {_times(shape)} values, {need:,} bytes, but {has}. It was cut or edited"
        )
    values = file.read(need)
    if len(values) < need or file.read(1):
        came = f"{len(values):,} bytes" if len(values) < need else "more"
        raise FileFormatError(
            f"{path} declares {_times(shape)} values, {need:,} bytes, but has {came}. It was cut or edited"
        )
    return np.frombuffer(values, dtype).reshape(shape)


def _pair(folder: Path, files: dict[tuple[str, str], Path], role: str) -> tuple[NDArray[Any], NDArray[Any], Any]:
    stem = "train" if role == "train" else "t10k"
    for what, axes in (("images", 3), ("labels", 1)):
        if (role, what) not in files:
            raise FileFormatError(f"{folder} lacks {stem}-{what}-idx{axes}-ubyte (plain or .gz). Put it there")
    images, labels = read_file(files[role, "images"]), read_file(files[role, "labels"])
    if images.ndim < 2 or labels.ndim != 1 or labels.dtype.kind == "f":
        raise FileFormatError(
            f"{folder}: {role} images have {images.ndim} axes and labels {labels.ndim} ({labels.dtype}); needs at "
            "least 2 for images, and one axis of whole numbers for labels. Are the names swapped?"
        )
    if len(images) != len(labels):
        raise FileFormatError(
            f"{folder}: {len(images)} {role} images but {len(labels)} labels; they need to be as many"
        )
    X = np.empty((len(images), math.prod(images.shape[1:])), dtype=np.float32)
    scale = np.float32(255 if images.dtype == np.uint8 else 1)
    np.divide(images.reshape(X.shape), scale, out=X, dtype=np.float32, casting="same_kind")
    return X, labels.astype(np.int64), images.shape[1:]


def _times(shape: tuple[int, ...]) -> str:
    return "×".join(str(length) for length in shape)
