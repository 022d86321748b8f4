"""A search that is killed goes on where it was, and ends with the same record."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import kilonet as kn
from kilonet.errors import DataError, FileFormatError
from kilonet.search.store import Store

MOMENTS = int(os.environ.get("KILONET_KILLS", "3"))  # `make soak` kills twenty times

SCRIPT = """
import sys
import numpy as np
import kilonet as kn
random = np.random.default_rng(0)
X = random.normal(size=(150, 2))
y = ((X**2).sum(axis=1) > 1.4).astype(int)
search = kn.ArchitectureSearch(
    [2, 8], l2=[1e-3, 1e-1], rate=[0.02], seeds=2, cv=3, runs=900, random_state=0, store=sys.argv[1],
    estimator=kn.MLPClassifier(epochs=60, dtype="float32"), callback=lambda *_: print("some", flush=True),
)
record = search.fit(X, y).record_
print("END" + record.to_json(times=False))
"""


def started(store: Path) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", SCRIPT, str(store)], stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own script


def finished(store: Path) -> str:
    out, _ = started(store).communicate(timeout=120)
    return out.partition("END")[2]


def test_a_killed_search_goes_on_and_ends_with_the_same_record(tmp_path: Path) -> None:
    begun = time.perf_counter()
    whole = finished(tmp_path / "whole.db")
    lasts = time.perf_counter() - begun
    assert whole.startswith("{")
    moments = np.random.default_rng(0).uniform(0.3, 1.0, MOMENTS) * lasts
    for number, moment in enumerate(moments):
        store = tmp_path / f"killed{number}.db"
        process = started(store)
        time.sleep(moment)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert finished(store) == whole, f"killed after {moment:.2f} of {lasts:.2f} s"


def test_nothing_that_is_finished_is_done_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kilonet.search import runs  # noqa: PLC0415 - what trains, to be watched

    trained: list[int] = []
    original = runs.Runner._train
    monkeypatch.setattr(runs.Runner, "_train", lambda self, group: (trained.append(len(group)), original(self, group)))
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = (X[:, 0] > 0).astype(int)
    settings: dict[str, Any] = {"l2": [1e-3], "rate": [0.02], "seeds": 1, "cv": 3, "runs": 500, "random_state": 0}
    settings |= {"estimator": kn.MLPClassifier(epochs=3), "store": tmp_path / "s.db"}
    first = kn.ArchitectureSearch([2, 3], **settings).fit(X, y)
    assert sum(trained) > 0
    trained.clear()
    again = kn.ArchitectureSearch([2, 3], **settings).fit(X, y)
    assert trained == []
    assert again.record_.to_json(times=False) == first.record_.to_json(times=False)
    more = kn.ArchitectureSearch([2, 3, 4], **settings).fit(X, y)  # a larger grid takes what is there
    assert 0 < sum(trained) < more.runs_


def test_a_store_of_other_data_is_refused(tmp_path: Path) -> None:
    with Store(tmp_path / "s.db", "one"):
        pass
    with pytest.raises(DataError, match="results of another data set"):
        Store(tmp_path / "s.db", "two")
    with Store(tmp_path / "s.db", "one") as store:
        store.put({"a": [1.0, None, 2.0]})
        assert store.get(["a", "b"]) == {"a": [1.0, None, 2.0]}


def test_what_is_no_store_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("precious words, and enough of them to be no empty database" * 20)
    with pytest.raises(FileFormatError, match="cannot be used as a store"):
        Store(text, "x")
    assert text.read_text().startswith("precious")
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as base:
        base.execute("CREATE TABLE mine (a)")
    with pytest.raises(FileFormatError, match="database of something else"):
        Store(other, "x")
    with pytest.raises(FileFormatError, match="cannot be used as a store"):
        Store(tmp_path / "no" / "folder.db", "x")


@pytest.mark.parametrize("value", ["[1.0]", '"text"', "not json", "[1, 2, 3, 4]", '{"a": 1}', "[1e999, 2, 3]"])
def test_a_tampered_store_is_an_error(tmp_path: Path, value: str) -> None:
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = (X[:, 0] > 0).astype(int)
    settings: dict[str, Any] = {"l2": [1e-3], "rate": [0.02], "seeds": 1, "cv": 3, "runs": 500, "random_state": 0}
    settings |= {"estimator": kn.MLPClassifier(epochs=2), "store": tmp_path / "s.db", "nested": False}
    kn.ArchitectureSearch([2], **settings).fit(X, y)
    with sqlite3.connect(tmp_path / "s.db") as base:
        base.execute("UPDATE results SET value = ?", (value,))
    base.close()
    with pytest.raises(FileFormatError, match="holds something else than results"):
        kn.ArchitectureSearch([2], **settings).fit(X, y)


def test_each_seed_has_an_outcome_of_its_own(tmp_path: Path) -> None:
    """Six seeds are four orders of the rows, two of them with a second member: its outcome is not the first one's."""
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = (X[:, 0] > 0).astype(int)
    settings: dict[str, Any] = {"l2": [1e-3], "rate": [0.02], "seeds": 6, "cv": 3, "runs": 2000, "random_state": 0}
    settings |= {"estimator": kn.MLPClassifier(epochs=2), "nested": False, "extend": False}
    fresh = kn.ArchitectureSearch([3], **settings).fit(X, y).record_
    for _ in range(2):  # the second one takes everything from the store
        stored = kn.ArchitectureSearch([3], store=tmp_path / "s.db", **settings).fit(X, y).record_
        assert stored.to_json(times=False) == fresh.to_json(times=False)
    losses = fresh.best.table()
    assert len(np.unique(losses[0])) == 6
