"""`kilonet choose`: the verdict, its table, its files, and what is refused."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

import kilonet as kn
from kilonet.cli import main

QUICK = ["--hidden", "2;8", "--l2", "1e-3", "--rate", "0.02", "--seeds", "2", "--folds", "3", "--runs", "600"]


@pytest.fixture(autouse=True)
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a number, a text with a gap, and a class; the working folder is a fresh one."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    size, colour = random.normal(size=60), random.choice(["red", "blue", ""], 60)
    label = np.where(size + (colour == "red") > 0.2, "yes", "no")
    rows = [f"{a:.3f},{b},{c}" for a, b, c in zip(size, colour, label, strict=True)]
    path = tmp_path / "data.csv"
    path.write_text("\n".join(["size,colour,label", *rows]))
    return path


def chosen(*more: str) -> int:
    return int(main(["choose", "data.csv", "--target", "label", *QUICK, *more]))


def test_the_verdict_and_its_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert chosen() == 0
    out, err = capsys.readouterr()
    assert "Use " in out
    assert "network" in out.splitlines()[0]
    assert sum(line.startswith("→") for line in out.splitlines()) == 1
    assert "single-layer network" in out
    assert "60 rows" in err
    assert not Path("data.kn").exists()


def test_all_files_are_written_and_agree(capsys: pytest.CaptureFixture[str]) -> None:
    assert chosen("--out", "m.kn", "--record", "s.json", "--report", "r.html", "--json") == 0
    record = kn.SearchRecord.from_json(capsys.readouterr().out)
    assert kn.SearchRecord.from_json(Path("s.json").read_text()) == record
    model = kn.load("m.kn")
    assert list(model.network_.sizes[1:-1]) == list(record.choice.hidden)
    page = Path("r.html").read_text()
    assert record.verdict[0].split(":")[0].split(" (")[0] in page
    assert record.data["source"] == "data.csv"
    assert record.data["classes"] == ["no", "yes"]
    assert main(["predict", "m.kn", "data.csv"]) == 0
    assert main(["show", "m.kn"]) == 0


def test_the_line_that_is_told_gives_the_same_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["choose", "data.csv", "--target", "label", "--drop", "colour", "--seeds", "1", "--folds", "2",
                 "--hidden", "2", "--l2", "1e-3", "--rate", "0.02", "--budget", "20s", "--json"]) == 0  # fmt: skip
    first = kn.SearchRecord.from_json(capsys.readouterr().out)
    words = shlex.split(first.reproduce)
    assert words[:2] == ["kilonet", "choose"]
    assert "--budget" not in words
    assert main([*words[1:], "--json"]) == 0
    again = kn.SearchRecord.from_json(capsys.readouterr().out)
    assert again.to_json(times=False) == first.to_json(times=False)


def test_a_store_is_gone_on_with(capsys: pytest.CaptureFixture[str]) -> None:
    assert chosen("--store", "s.db", "--json") == 0
    first = json.loads(capsys.readouterr().out)
    assert chosen("--store", "s.db", "--json") == 0
    again = json.loads(capsys.readouterr().out)
    assert again["candidates"] == first["candidates"]
    Path("data.csv").write_text(Path("data.csv").read_text() + "\n0.5,red,yes")
    assert chosen("--store", "s.db") == 1
    assert "results of another data set" in capsys.readouterr().err


BAD = [
    (["--runs", "5", "--hidden", "3"], 2, "is not enough"),
    (["--budget", "10s", "--runs", "500"], 2, "Leave one out"),
    (["--budget", "soon"], 2, "needs seconds"),
    (["--hidden", "3;x"], 2, "is no number of units"),
    (["--l2", "1e-3,strong"], 2, "is not a number"),
    (["--activation", "relu,rleu"], 2, "relu"),
    (["--folds", "1"], 2, "folds"),
    (["--report", "r.pdf"], 2, "must end in .html or .md"),
    (["--record", "data.csv"], 2, "must end in .json"),
    (["--out", "data.csv"], 2, "would overwrite data.csv"),
    (["--store", "no/such.db"], 2, "no"),
    (["--target", "price"], 2, "price"),
    (["--scoring", "accuracies"], 2, "accuracies"),
]


@pytest.mark.parametrize(("options", "status", "message"), BAD, ids=lambda value: str(value)[:30])
def test_what_cannot_be_done_is_refused(
    options: list[str], status: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = Path("data.csv").read_text()
    line = ["choose", "data.csv"] if "--target" in options else ["choose", "data.csv", "--target", "label"]
    assert main([*line, *options]) == status
    assert message in capsys.readouterr().err
    assert Path("data.csv").read_text() == before
