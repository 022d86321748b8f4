"""Files of columns: what is read, and what each kind of broken file is told."""

import datetime as dt
import decimal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.ipc
import pyarrow.parquet
import pytest

from kilonet.data import Table, read
from kilonet.data.places import where
from kilonet.errors import DataError, DataWarning, FileFormatError

ROWS = {"size": [1.5, None, 3.0], "city": ["Paris", "Rome", None], "price": [10, 20, 30]}


def csv(folder: Path, text: str | bytes, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def write(frame: pa.Table, path: Path) -> Path:
    if path.suffix == ".parquet":
        pyarrow.parquet.write_table(frame, path)
    elif path.suffix == ".feather":
        pyarrow.feather.write_feather(frame, path)
    else:
        kind = pyarrow.ipc.new_stream if path.suffix == ".ipc" else pyarrow.ipc.new_file
        with pa.OSFile(str(path), "wb") as sink, kind(sink, frame.schema) as writer:
            writer.write_table(frame)
    return path


def check_rows(table: Table) -> None:
    assert table.X.to_pydict() == {"size": ROWS["size"], "city": ROWS["city"]}
    assert table.y is not None
    assert table.y.tolist() == [10, 20, 30]
    assert table.y.dtype == np.int64
    assert (table.feature_names, table.target, table.n_rows, table.test) == (("size", "city"), "price", 3, None)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line", ["\n", "\r\n", "\r"])
def test_separated_values(tmp_path: Path, separator: str, line: str) -> None:
    rows = ["size,city,price", '1.5,"Paris",10', "NA,Rome,20", "3,,30", ""]
    text = line.join(rows).replace(",", separator)
    check_rows(read(csv(tmp_path, text), "price"))
    check_rows(read(str(csv(tmp_path, b"\xef\xbb\xbf" + text.encode())), "price"))
    if separator == "\t":
        check_rows(read(csv(tmp_path, text, "rows.tsv"), "price"))


@pytest.mark.parametrize("ending", [".parquet", ".arrow", ".feather", ".ipc"])
def test_files_of_columns(tmp_path: Path, ending: str) -> None:
    check_rows(read(write(pa.table(ROWS), tmp_path / f"rows{ending}"), "price"))


def test_names_are_trimmed_and_row_names_left_out(tmp_path: Path) -> None:
    with pytest.warns(DataWarning, match="the first column has no name .* left out"):
        assert read(csv(tmp_path, ", a,b \n0,1,2\n")).feature_names == ("a", "b")
    pandas = pa.table({"a": [1], "__index_level_0__": [7]})
    assert read(write(pandas, tmp_path / "p.parquet")).feature_names == ("a",)


def test_columns_kept_as_text(tmp_path: Path) -> None:
    path = csv(tmp_path, "zip,n\n01234,1\n99999,2\n")
    assert read(path).X["zip"].to_pylist() == [1234, 99999]
    assert read(path, text=["zip"]).X["zip"].to_pylist() == ["01234", "99999"]


RAGGED = r"line 3: has 1 cell where the header has 2: '3'.* Mend the row"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty. Give a file with a header line and rows"),
        (b"\n\r\n\n", "is empty"),
        (b"a,b\n", "header with 2 columns, but no rows"),
        (b"a,b", "has a header, but no rows"),
        (b"a,b\n1,2\n3\n4,5\n", RAGGED),
        (b"a,b\n" + b"1,2\n" * 500_000 + b"1,2,3\n", "line 500002: has 3 cells where the header has 2"),
        (b'a,b\n"x,1\n2,3\n', "line 2: has 1 cell where"),
        (b"a,b,a\n1,2,3\n", 'more than one column is named "a"'),
        (b"a,,b\n1,2,3\n", "column 2 has no name"),
        (b"a,b\n1,caf\xe9\n", "line 2: the byte 0xe9 is no UTF-8"),
        (b"a\xe9,b\n1,2\n", "line 1: the byte 0xe9"),
        (b"a\n" + b"1\n" * 1_000_000 + b"\xff\n", "line 1000002: the byte 0xff"),
        (b"a,b\n1,caf\xc3", "line 2: ends inside a UTF-8 letter"),
        (b"a,b\n1,2\n1,\0\n", "line 3: holds a NUL byte"),
        ("a,b\n1,2\n".encode("utf-16"), "written in UTF-16"),
        (b"5.1,3.5,setosa\n4.9,3,setosa\n", "first line holds mostly numbers"),
        (b"3,1,2\n4,5,6\n", "first line holds mostly numbers"),
    ],
)
def test_broken_csv(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises((DataError, FileFormatError), match=message) as caught:
        read(csv(tmp_path, content))
    assert "rows.csv" in str(caught.value)


def test_headers_of_numbers_that_count_are_names(tmp_path: Path) -> None:
    assert read(csv(tmp_path, "0,1,2\n3.5,1,2\n")).feature_names == ("0", "1", "2")
    assert read(csv(tmp_path, "1990,1991\n3.5,1\n")).feature_names == ("1990", "1991")


@pytest.mark.parametrize("ending", [".parquet", ".arrow", ".feather", ".ipc"])
def test_cut_files_of_columns(tmp_path: Path, ending: str) -> None:
    whole = write(pa.table({"a": list(range(1000)), "b": ["x" * 9] * 1000}), tmp_path / f"whole{ending}").read_bytes()
    for length in (0, 3, 8, len(whole) // 2, len(whole) - 9):
        with pytest.raises(FileFormatError, match=r"(no readable (Parquet|Arrow) file, or was cut|is empty)"):
            read(csv(tmp_path, whole[:length], f"cut{ending}"))


@pytest.mark.parametrize(
    ("column", "target", "message"),
    [
        (ROWS["price"], "prize", r'has no column "prize" for a target. Did you mean price\? Its columns: x, price'),
        (ROWS["price"], "spam", r'has no column "spam" for a target. Its columns: x, price'),
        ([1, None, None], "price", r"missing in 2 of 3 rows: rows 1, 2 \(counting from 0\)"),
        ([1.0, float("nan"), 2.0], "price", r"missing in 1 of 3 rows: row 1 \(counting from 0\)"),
        (["a", " ", "b"], "price", "missing in 1 of 3 rows: row 1 "),
        ([None, None, None], "price", "missing in 3 of 3 rows: rows 0, 1, 2"),
        ([1.0, 2.0, float("-inf")], "price", r"infinite in row 2 "),
        ([dt.date(2020, 1, 1)] * 3, "price", "is of the type date32"),
        ([[1], [2], [3]], "price", "is of the type list"),
    ],
)
def test_targets_that_cannot_be_used(tmp_path: Path, column: list[Any], target: str, message: str) -> None:
    path = write(pa.table({"x": [1, 2, 3], "price": column}), tmp_path / "rows.parquet")
    with pytest.raises(DataError, match=message):
        read(path, target)


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array([1.5, 2.5]), np.array([1.5, 2.5])),
        (pa.array([1, 2], pa.int8()), np.array([1, 2])),
        (pa.array([True, False]), np.array([True, False])),
        (pa.array(["b", "a"]), np.array(["b", "a"], dtype=object)),
        (pa.array(["b", "a"], pa.large_string()), np.array(["b", "a"], dtype=object)),
        (pa.array(["b", "a"]).dictionary_encode(), np.array(["b", "a"], dtype=object)),
        (pa.array([decimal.Decimal("1.5"), decimal.Decimal(2)]), np.array([1.5, 2.0])),
    ],
)
def test_kinds_of_targets(tmp_path: Path, column: Any, expected: np.ndarray) -> None:
    got = read(write(pa.table({"x": [1, 2], "y": column}), tmp_path / "rows.parquet"), "y").y
    assert got is not None
    assert got.dtype == expected.dtype
    assert got.tolist() == expected.tolist()


def test_text_in_a_target_of_numbers(tmp_path: Path) -> None:
    rows = [f"{i},{i / 7}" for i in range(40)]
    rows[30] = "30,unknown"
    with pytest.raises(DataError, match=r"holds the text 'unknown' in line 32, though most of it is numbers"):
        read(csv(tmp_path, "\n".join(["x,y", *rows])), "y")
    with pytest.raises(DataError, match='no column beside the target "y"'):
        read(csv(tmp_path, "y\n1\n"), "y")


def test_names_of_nothing(tmp_path: Path) -> None:
    csv(tmp_path, "a\n1\n", "house_prices.csv")
    with pytest.raises(DataError, match=r"there is no file or folder .*Did you mean house_prices.csv\?"):
        read(tmp_path / "house_price.csv")
    with pytest.raises(DataError, match=r"Did you mean digits\?"):
        read("digit")
    with pytest.raises(DataError, match="there is no file or folder 'a"):
        read("a\0b")
    with pytest.raises(FileFormatError, match=r'no reader for files that end in ".xlsx". Readable are .csv'):
        read(csv(tmp_path, "a", "rows.xlsx"))
    with pytest.raises(DataError, match="neither a file nor a folder"):
        read("/dev/null")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(FileFormatError, match=r"folder.csv is a folder, and holds neither idx files"):
        read(tmp_path / "folder.csv")


def test_without_pyarrow_the_remedy_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.csv", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    for name in ("rows.csv", "rows.parquet"):
        with pytest.raises(
            DataError, match=r'needs pyarrow.*, which is not installed. Run: pip install "kilonet\[tables\]"'
        ):
            read(csv(tmp_path, "a\n1\n", name))


def test_rows_of_a_csv_file_are_named_by_their_line(tmp_path: Path) -> None:
    text = '\ufeffx,note,y\n1,"two\nlines",1.5\n\n2,b,\n3,"c ""d""",2.5\n4,e,\n'
    path = csv(tmp_path, text.encode())
    with pytest.raises(DataError, match=r'target "y" is missing in 2 of 4 rows: lines 5, 7\. '):
        read(path, "y")
    assert where(path, [0]) == "line 2"
    assert where(path, [3, 1]) == "lines 7, 5"
    assert where(path, list(range(4))) == "lines 2, 5, 6, 7"
    assert where(path, [9]) == "row 9 (counting from 0)"  # the file changed meanwhile
    assert where(tmp_path / "a.parquet", [2]) == "row 2 (counting from 0)"
    assert where(tmp_path / "a.parquet", range(8)) == "rows 0, 1, 2, 3, 4 and 3 others (counting from 0)"
    assert where(tmp_path / "gone.csv", [2]) == "row 2 (counting from 0)"
