"""Parquet, Arrow and Feather files."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

from kilonet.data.arrow import failures, module
from kilonet.errors import FileFormatError


def read_parquet(path: Path, _text: Collection[str] = ()) -> Any:
    """The pyarrow table in a Parquet file."""
    parquet = module("pyarrow.parquet")
    try:
        with path.open("rb") as file, parquet.ParquetFile(file) as opened:
            frame = opened.read()
        frame.validate(full=True)
    except failures() as error:
        raise _broken(path, "Parquet", error) from None
    return frame


def read_arrow(path: Path, _text: Collection[str] = ()) -> Any:
    """The pyarrow table in an Arrow file, an Arrow stream, or a Feather file of either version."""
    ipc, feather = module("pyarrow.ipc"), module("pyarrow.feather")
    try:
        with path.open("rb") as file:
            magic = file.read(6)
            file.seek(0)
            if magic[:4] == b"FEA1":
                frame = feather.read_table(file)
            else:
                opened = ipc.open_file(file) if magic == b"ARROW1" else ipc.open_stream(file)
                frame = opened.read_all()
        frame.validate(full=True)  # the format trusts its own offsets; a hostile file may not be trusted
    except failures() as error:
        raise _broken(path, "Arrow", error) from None
    return frame


def _broken(path: Path, kind: str, error: BaseException) -> BaseException:
    if isinstance(error, OSError) and error.errno is not None and error.strerror:
        return error  # the disk's word, not the content's
    if path.stat().st_size == 0:
        return FileFormatError(f"{path} is empty. Give a file with rows")
    first = str(error).split("\n", maxsplit=1)[0]
    return FileFormatError(f"{path} is no readable {kind} file, or was cut: {first}. Write or copy it again")
