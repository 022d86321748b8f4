"""Image folders (idx, CIFAR-10), the digits, and what a target asks for."""

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kilonet.data import idx, read, task_of
from kilonet.errors import DataError, FileFormatError

IMAGES = np.arange(2 * 3 * 4, dtype=np.uint8).reshape(2, 3, 4) * 10
LABELS = np.array([7, 0], dtype=np.uint8)


def idx_bytes(array: np.ndarray, code: int = 8) -> bytes:
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def folder_of(path: Path, *, packed: bool = False, **changes: bytes) -> Path:
    """Write the four files of an idx data set, some of them changed."""
    files = {f"{role}_images": idx_bytes(IMAGES) for role in ("train", "t10k")}
    files |= {f"{role}_labels": idx_bytes(LABELS) for role in ("train", "t10k")}
    for name, content in (files | changes).items():
        file = f"{name.replace('_', '-')}-idx{3 if 'images' in name else 1}-ubyte"
        (path / (file + ".gz" * packed)).write_bytes(gzip.compress(content) if packed else content)
    return path


@pytest.mark.parametrize("packed", [False, True])
def test_idx_folders(tmp_path: Path, packed: bool) -> None:
    table = read(folder_of(tmp_path, packed=packed))
    expected = (IMAGES.reshape(2, 12) / 255).astype(np.float32)  # one rounding to float32, as in the reader
    assert table.X.dtype == np.float32
    assert np.array_equal(table.X, expected)
    assert table.y is not None
    assert table.y.tolist() == [7, 0]
    assert table.test is not None
    assert np.array_equal(table.test[0], expected)
    assert table.feature_names[:5] == ("pixel_0_0", "pixel_0_1", "pixel_0_2", "pixel_0_3", "pixel_1_0")
    assert len(table.feature_names) == 12


def test_idx_folders_may_lack_the_test_set_or_be_named_otherwise(tmp_path: Path) -> None:
    (tmp_path / "emnist-letters-train-images-idx3-ubyte").write_bytes(idx_bytes(IMAGES))
    (tmp_path / "emnist-letters-train-labels.idx1-ubyte").write_bytes(idx_bytes(LABELS))
    assert read(tmp_path).test is None
    (tmp_path / "emnist-digits-train-images-idx3-ubyte").write_bytes(idx_bytes(IMAGES))
    with pytest.raises(FileFormatError, match=r"more than one data set .*'emnist-digits-', 'emnist-letters-'"):
        read(tmp_path)


def test_other_idx_types_are_not_scaled(tmp_path: Path) -> None:
    values = np.array([[1.5, -2.0]], dtype=">f4")
    path = tmp_path / "values"
    path.write_bytes(idx_bytes(values, 0x0D))
    assert idx.read_file(path).tolist() == [[1.5, -2.0]]
    folder = folder_of(
        tmp_path, train_images=idx_bytes(np.repeat(values, 2, 0), 0x0D), t10k_images=idx_bytes(values, 0x0D)
    )
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(idx_bytes(LABELS[:1]))
    assert read(folder).X.tolist() == [[1.5, -2.0]] * 2


HUGE = struct.pack(">III", 1 << 31, 1 << 31, 1 << 31)
LARGE = struct.pack(">III", 1 << 10, 1 << 10, 1 << 10)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "does not start like an idx file"),
        (b"\x89PNG\r\n", "does not start like an idx file .*89 50 4e 47"),
        (b"\0\0\x08\x00", "does not start like an idx file"),
        (b"\0\0\x08\x03\0\0", "ends inside its header"),
        (b"\0\0\x08\x03" + HUGE, r"declares 2147483648×2147483648×2147483648 values, .* the limit is"),
        (
            b"\0\0\x08\x03" + LARGE,
            r"declares 1024×1024×1024 values, 1,073,741,824 bytes, but (has 0\.|cannot hold more)",
        ),
        (b"\0\0\x08\x03" + struct.pack(">III", 0, 3, 4), "declares 0×3×4 values, that is none"),
        (idx_bytes(IMAGES)[:-1], "declares 2×3×4 values, 24 bytes, but has 23"),
        (idx_bytes(IMAGES) + b"x", "but has more"),
        (idx_bytes(IMAGES[:1]), "1 train images but 2 labels"),
        (idx_bytes(LABELS), "needs at least 2 for images"),
    ],
)
def test_broken_idx_files(tmp_path: Path, packed: bool, content: bytes, message: str) -> None:
    with pytest.raises(FileFormatError, match=message):
        read(folder_of(tmp_path, packed=packed, train_images=content))


def test_broken_idx_folders(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, packed=True)
    packed = folder / "train-images-idx3-ubyte.gz"
    whole = packed.read_bytes()
    for content in (whole[:-9], b"no gzip", whole[:20] + b"\xff" * 9 + whole[29:], b""):
        packed.write_bytes(content)
        with pytest.raises(FileFormatError, match="train-images"):
            read(folder)
    packed.write_bytes(whole)
    (folder / "t10k-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx_bytes(IMAGES[:, :2])))
    with pytest.raises(FileFormatError, match=r"training images are \(3, 4\), test images \(2, 4\)"):
        read(folder)
    (folder / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(FileFormatError, match="lacks train-labels-idx1-ubyte"):
        read(folder)
    with pytest.raises(DataError, match=r'brings its own target \("label"\), so that the target "price"'):
        read(folder_of(folder), "price")


def test_cifar_folders(tmp_path: Path) -> None:
    records = np.random.default_rng(0).integers(0, 256, (5, 3073), dtype=np.uint8)
    records[:, 0] = [3, 9, 0, 1, 2]
    for name, part in (("data_batch_10", records[3:]), ("data_batch_2", records[:3]), ("test_batch", records[1:2])):
        part.tofile(tmp_path / f"{name}.bin")
    table = read(tmp_path)
    assert table.y is not None
    assert table.y.tolist() == [3, 9, 0, 1, 2]
    assert np.array_equal(table.X, (records[:, 1:] / 255).astype(np.float32))
    assert table.test is not None
    assert np.array_equal(table.test[0], table.X[1:2])
    assert [table.feature_names[i] for i in (0, 33, 1024, 3071)] == ["red_0_0", "red_1_1", "green_0_0", "blue_31_31"]
    (tmp_path / "test_batch.bin").write_bytes(b"x" * 3072)
    with pytest.raises(FileFormatError, match=r"test_batch.bin has 3,072 bytes; needs records of 3073"):
        read(tmp_path)
    (tmp_path / "data_batch_2.bin").write_bytes(b"\x0a" * 3073)
    with pytest.raises(FileFormatError, match=r"data_batch_2.bin, record 0: the label is 10"):
        read(tmp_path)


def test_digits_are_the_data_set_and_a_path_is_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "digits").write_text("a\n1\n")
    table = read("digits")
    assert (table.X.shape, table.X.dtype, table.X.max()) == ((1797, 64), np.float32, 16)
    assert table.y is not None
    assert np.bincount(table.y).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    with pytest.raises(FileFormatError, match='digits: no reader for files that end in ""'):
        read("./digits")


@pytest.mark.parametrize(
    ("y", "kind", "reason"),
    [
        (["a", "b"], "classification", "holds texts"),
        (np.array(["a", 1], dtype=object), "classification", "holds texts"),
        ([True, False], "classification", "truth values"),
        (np.array([True, False], dtype=object), "classification", "truth values"),
        (pd.Categorical([1.5, 2.5]), "classification", "categorical type"),
        (pd.Series([1, 2, 3], dtype="category"), "classification", "categorical type"),
        ([1.0, 2.0, 2.5], "regression", "numbers with fractions, such as 2.5"),
        (np.array([1, 2.5], dtype=object), "regression", "fractions"),
        ([0.0, 1.0, 1.0, 0.0], "classification", "2 different whole numbers in 4 rows"),
        (list(range(20)) * 2, "classification", "20 different whole numbers in 40 rows"),
        (list(range(21)) * 9, "regression", "21 different whole numbers in 189 rows"),
        (list(range(10)), "regression", "10 different whole numbers in 10 rows"),
        (np.array([[0, 1], [1, 1]]), "classification", "2 columns of 0 and 1"),
        (np.array([[0, 5], [1, 1]]), "regression", "2 columns of numbers"),
        (np.array([[0.5, 5], [1, 1]]), "regression", "fractions"),
    ],
)
def test_task(y: Any, kind: str, reason: str) -> None:
    task = task_of(y)
    assert task.kind == kind
    assert reason in task.reason


def test_no_task() -> None:
    with pytest.raises(DataError, match="empty"):
        task_of([])
    with pytest.raises(DataError, match="dates"):
        task_of(np.array(["2020-01-01"], dtype="datetime64[D]"))


@pytest.mark.parametrize(
    "y", [["102,5", "99,1", "7"], ["1.234,5", "0,5", "-3,25"] * 10, np.array(["0,1", "0,2", "x"], dtype=object)]
)
def test_decimal_commas_are_not_classes(y: Any) -> None:
    with pytest.raises(DataError, match=r"number with a decimal comma\. Write decimals with a point"):
        task_of(y)


def test_texts_with_commas_are_classes_where_few_are_numbers() -> None:
    assert task_of(["1,5", "one, two", "three"]).kind == "classification"
    assert task_of(["1", "2", "x"]).kind == "classification"


def test_identifiers_are_not_classes() -> None:
    names = [f"customer {i}" for i in range(40)]
    with pytest.raises(DataError, match="40 different texts in 40 rows, which looks like an identifier"):
        task_of(names)
    with pytest.raises(DataError, match="21 different texts in 41 rows"):
        task_of(names[:21] + names[:20])
    assert task_of(names[:21] * 2).kind == "classification"
    assert task_of(names[:20]).kind == "classification"


def test_a_large_number_with_a_fraction_is_shown_whole() -> None:
    assert task_of([1234567.5, 2.0]).reason.endswith("such as 1234567.5")
    assert task_of(np.array([0.1, 2.0], dtype=np.float32)).reason.endswith("such as 0.1")
