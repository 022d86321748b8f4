"""Results that outlive the process: what a search has finished is never done twice.

One SQLite file; a row is the outcome of one network on one split. A transaction ends with every group of runs, so
that a search that was killed loses at most the group it was at.
"""

import json
import math
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Self

from kilonet.errors import DataError, FileFormatError

_VERSION = "1"
_NUMBERS = 3  # of a result: loss, score, training loss; null for what is not finite
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
)
_KIND = 0x4B4E5331  # application_id: "KNS1"


class Store:
    """Results by their keys, in a file or, without a path, in memory.

    fingerprint: of the data. Raises DataError where the file holds the results of other data, FileFormatError
    where it is no store.

    >>> with Store(None, "abc") as store:
    ...     store.put({"k": [0.5, 0.75, None]})
    ...     store.get(["k", "other"])
    {'k': [0.5, 0.75, None]}
    """

    def __init__(self, path: str | os.PathLike[str] | None, fingerprint: str) -> None:
        self.path = None if path is None else Path(path)
        try:
            self._base = sqlite3.connect(":memory:" if path is None else os.fspath(path), timeout=30)
            self._open(fingerprint)
        except sqlite3.Error as error:
            raise FileFormatError(
                f"{path} cannot be used as a store: {error}. Name a file that a search made, or a new one in a folder "
                "that may be written to."
            ) from error

    def _open(self, fingerprint: str) -> None:
        self._base.isolation_level = None  # transactions begin where it is said
        self._base.execute("BEGIN IMMEDIATE")  # others who open the same new file wait here
        try:
            kind, tables = self._value("PRAGMA application_id"), self._value("SELECT count(*) FROM sqlite_master")
            if kind != _KIND and tables:
                raise FileFormatError(f"{self.path} is a database of something else; name another file for the store.")
            self._base.execute(f"PRAGMA application_id={_KIND}")
            for statement in _SCHEMA:
                self._base.execute(statement)
            for name, needed in (("version", _VERSION), ("data", fingerprint)):
                self._require(name, needed)
            self._base.execute("COMMIT")
        except BaseException:
            self._base.execute("ROLLBACK")
            self._base.close()
            raise
        self._base.execute("PRAGMA synchronous=FULL")  # a finished group survives a power cut too

    def _require(self, name: str, needed: str) -> None:
        self._base.execute("INSERT OR IGNORE INTO about VALUES (?, ?)", (name, needed))
        known = self._value("SELECT value FROM about WHERE name = ?", name)
        if known != needed and name == "data":
            raise DataError(
                f"the store {self.path} holds the results of another data set, or of this one with other rows, "
                "columns or targets. Name another file."
            )
        if known != needed:
            raise FileFormatError(f"the store {self.path} was made by another version; name another file.")

    def keep(self, name: str, text: str) -> None:
        """Keep a text under a name."""
        with self._said("written"):
            self._base.execute("INSERT OR REPLACE INTO about VALUES (?, ?)", (name, text))

    def recall(self, name: str) -> str | None:
        """The text that was kept under a name."""
        with self._said("read"):
            found = self._value("SELECT value FROM about WHERE name = ?", name)
        return None if found is None else str(found)

    def _value(self, statement: str, *values: str) -> Any:
        with closing(self._base.execute(statement, values)) as rows:
            found = rows.fetchone()
        return None if found is None else found[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._base.close()

    def get(self, keys: Sequence[str]) -> dict[str, list[float | None]]:
        """The results that are there, by their keys."""
        found = {}
        for key in keys:
            with self._said("read"):
                value = self._value("SELECT value FROM results WHERE key = ?", key)
            if value is not None:
                found[key] = self._numbers(value)
        return found

    def _numbers(self, text: str) -> list[float | None]:
        """A result. Raises FileFormatError for what no search has written."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, list) or len(values) != _NUMBERS or not all(map(_is_number, values)):
            raise FileFormatError(f"the store {self.path} holds something else than results; name another file.")
        return values

    def put(self, results: Mapping[str, Any]) -> None:
        """Keep results, all or none of them. Raises OSError where the disk refuses."""
        rows = [(key, json.dumps(value)) for key, value in results.items()]
        with self._said("written"):
            self._base.execute("BEGIN IMMEDIATE")
            try:
                self._base.executemany("INSERT OR REPLACE INTO results VALUES (?, ?)", rows)
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:  # some errors have ended it already
                    self._base.execute("ROLLBACK")
                raise

    @contextmanager
    def _said(self, done: str) -> Iterator[None]:
        """Errors of the file as an OSError that says what could not be done."""
        try:
            yield
        except sqlite3.Error as error:
            raise OSError(
                f"the store {self.path} could not be {done}: {error}; what was in it before is safe."
            ) from error


def _is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value))
