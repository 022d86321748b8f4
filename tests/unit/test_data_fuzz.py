"""Readers given noise: whatever the bytes are, a table comes out or an error of ours."""

import contextlib
import gzip
import io
import struct
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilonet.data import read
from kilonet.errors import DataError, FileFormatError

FRAME = pa.table({"size": [1.5, None, 3.0], "city": ["Paris", "Rome", None], "flag": [True, False, None]})


def written(writer: Any) -> bytes:
    sink = io.BytesIO()
    writer(sink)
    return sink.getvalue()


def as_arrow(sink: Any) -> None:
    with pyarrow.ipc.new_file(sink, FRAME.schema, options=pyarrow.ipc.IpcWriteOptions(compression="zstd")) as writer:
        writer.write_table(FRAME)


IDX = b"\0\0\x08\x03" + struct.pack(">III", 2, 3, 4) + bytes(range(24))
SEEDS = {
    "rows.csv": written(lambda sink: pyarrow.csv.write_csv(FRAME, sink)),
    "rows.parquet": written(lambda sink: pyarrow.parquet.write_table(FRAME, sink)),
    "rows.arrow": written(as_arrow),
    "train-images-idx3-ubyte": IDX,
    "train-images-idx3-ubyte.gz": gzip.compress(IDX, mtime=0),
    "data_batch_1.bin": bytes(3073),
}


@st.composite
def damaged(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw a file's name and bytes: noise, or a whole file that was cut, edited or lengthened."""
    name = draw(st.sampled_from(sorted(SEEDS)))
    content = bytearray(SEEDS[name])
    if draw(st.booleans()):
        content = content[: draw(st.integers(0, len(content)))]
    for _ in range(draw(st.integers(0, 4))):
        if content:
            content[draw(st.integers(0, len(content) - 1))] = draw(st.integers(0, 255))
    noise = draw(st.one_of(st.binary(max_size=40), st.text(alphabet='a1,;"\n\r\t. -', max_size=40).map(str.encode)))
    return name, draw(st.sampled_from([bytes(content), bytes(content) + noise, noise]))


@given(damaged())
@pytest.mark.filterwarnings("ignore::kilonet.errors.DataWarning")
def test_only_our_errors_come_out(tmp_path_factory: pytest.TempPathFactory, file: tuple[str, bytes]) -> None:
    name, content = file
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / name).write_bytes(content)
    (folder / "train-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01\0\0\0\x02\1\2")
    path: Path = folder / name if name.startswith("rows") else folder
    if name.startswith("data_batch"):
        (folder / "train-labels-idx1-ubyte").unlink()
    with contextlib.suppress(DataError, FileFormatError):
        table = read(path)
        assert table.n_rows > 0


def test_the_undamaged_files_are_read(tmp_path: Path) -> None:
    for name in ("rows.csv", "rows.parquet", "rows.arrow"):
        (tmp_path / name).write_bytes(SEEDS[name])
        assert read(tmp_path / name).X.to_pydict() == FRAME.to_pydict()
