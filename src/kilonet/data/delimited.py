"""CSV and TSV files, read by pyarrow after a look at what it would not say clearly."""

import codecs
import re
import warnings
from collections.abc import Collection, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from kilonet.data.arrow import failures, module
from kilonet.data.places import separator, where
from kilonet.errors import DataWarning, FileFormatError

MISSING = ["", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "null"]
_CHUNK = 1 << 20
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read(path: Path, text: Collection[str] = ()) -> Any:
    """The pyarrow table in a file of separated values; columns in `text` stay texts."""
    header = _look_through(path)
    between = separator(path, header)
    csv = module("pyarrow.csv")
    types = {name: module("pyarrow").string() for name in text}
    convert = csv.ConvertOptions(null_values=MISSING, strings_can_be_null=True, column_types=types)
    parse = csv.ParseOptions(delimiter=between, newlines_in_values=True)
    try:
        frame = csv.read_csv(path, parse_options=parse, convert_options=convert)
    except failures() as error:
        raise _diagnosis(path, between, error) from None
    names = [name.strip() for name in frame.column_names]
    if len(names) > 1 and not names[0]:
        said = f"{path}: the first column has no name (row numbers that a program wrote?) and was left out."
        warnings.warn(said, DataWarning, stacklevel=4)
        frame, names = frame.select(list(range(1, len(names)))), names[1:]
    _refuse_numbers_as_names(names, path)
    return frame.rename_columns(names)


def _look_through(path: Path) -> str:
    """The header line; FileFormatError for an empty file, bytes that are no text, and other encodings."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    header, line, before = b"", 1, 0
    for chunk in _chunks(path):
        if not before and chunk.startswith(_UTF16):
            raise FileFormatError(f"{path} is written in UTF-16. Save it as UTF-8 (in a spreadsheet: CSV UTF-8)")
        if b"\0" in chunk:
            line += chunk[: chunk.index(b"\0")].count(b"\n")
            raise FileFormatError(f"{path}, line {line}: holds a NUL byte, which no text has. Is it a CSV file?")
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError as error:
            byte, line = error.object[error.start], line + error.object[: error.start].count(b"\n")
            raise FileFormatError(
                f"{path}, line {line}: the byte {byte:#04x} is no UTF-8. Save the file as UTF-8 (it may be Latin-1)"
            ) from None
        if b"\n" not in header and before < _CHUNK:
            header += chunk
        line, before = line + chunk.count(b"\n"), before + len(chunk)
    if not header.strip():
        raise FileFormatError(f"{path} is empty. Give a file with a header line and rows")
    if decoder.getstate()[0]:
        raise FileFormatError(f"{path}, line {line}: ends inside a UTF-8 letter; the file was cut. Copy it again")
    return re.split(r"[\r\n]", header.decode("utf-8-sig", "ignore").lstrip("\r\n"), maxsplit=1)[0]


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _diagnosis(path: Path, between: str, error: BaseException) -> FileFormatError:
    """Read once more, slowly, to find the first row that has the wrong number of cells."""
    csv, wrong = module("pyarrow.csv"), []

    def note(row: Any) -> str:
        wrong.append(row)
        return "skip"

    parse = csv.ParseOptions(delimiter=between, newlines_in_values=True, invalid_row_handler=note)
    try:
        csv.read_csv(path, read_options=csv.ReadOptions(use_threads=False), parse_options=parse)
    except failures():
        pass  # the first error says as much
    if not wrong and "Empty CSV file" in str(error):
        return FileFormatError(f"{path} has a header, but no rows. Give at least one row")
    if not wrong:
        return FileFormatError(f"{path} is no readable CSV file: {error}. Look for a quote that is not closed")
    row = wrong[0]
    line = "" if row.number is None else f", {where(path, [row.number - 2])}"
    cells = "1 cell" if row.actual_columns == 1 else f"{row.actual_columns} cells"
    start = row.text if len(row.text) <= 60 else row.text[:57] + "..."
    return FileFormatError(
        f"{path}{line}: has {cells} where the header has {row.expected_columns}: {start!r}. "
        "Mend the row; a cell that holds the separator or a line break needs double quotes around it"
    )


def _refuse_numbers_as_names(names: list[str], path: Path) -> None:
    """Refuse a first line of data; whole numbers that rise (0, 1, 2 ... or years) may well be names."""
    numbers = [float(name) for name in names if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", name)]
    rising = all(a < b and b.is_integer() for a, b in pairwise([-1.0, *numbers]))
    if 2 * len(numbers) > len(names) and not rising:
        raise FileFormatError(
            f"{path}: the first line holds mostly numbers ({', '.join(names[:3])}...), so the header seems to be "
            "missing. Put a line with the columns' names first"
        )
