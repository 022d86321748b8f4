"""`kilonet choose`: the verdict, its table, its files, and what is refused."""

import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import kilonet as kn
from kilonet.cli import main
from kilonet.cli.standings import standings
from kilonet.telling import rmse_of

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


def test_the_report_is_written_in_both_forms_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert chosen("--report", "r.html", "--report", "r.md") == 0
    out = capsys.readouterr().out
    assert Path("r.html").read_text().startswith("<!DOCTYPE html>")
    assert Path("r.md").read_text().startswith("# Use ")
    assert [line.split()[1] for line in out.splitlines() if line.startswith("saved")] == ["r.html", "r.md"]


def test_errors_of_a_regression_are_told_in_units_of_the_target(capsys: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(1)
    a = random.normal(size=60)
    price = np.exp(7 + a + random.normal(0, 0.3, 60))  # few rows far above all others: scales of splits differ
    Path("data.csv").write_text("\n".join(["a,price", *(f"{x},{y}" for x, y in zip(a, price, strict=True))]))
    line = ["choose", "data.csv", "--target", "price", "--hidden", "4", "--l2", "1e-3", "--rate", "0.02", "--seeds",
            "1", "--folds", "10", "--runs", "600", "--no-extend", "--record", "s.json"]  # fmt: skip
    assert main(line) == 0
    out, err = capsys.readouterr()
    record = kn.SearchRecord.from_json(Path("s.json").read_text())
    # Ten folds of six rows hold out each row once, and the record has what the choice says of them.
    true, said = (np.array(record.predictions[name]) for name in ("true", "predicted"))
    assert len(true) == 60
    assert len(set(record.data["target_std"])) == 10
    off = rmse_of(record, record.choice)
    assert off == pytest.approx(np.sqrt(np.mean((true - said) ** 2)), rel=1e-4)  # float32 rows
    head, *rows = out.splitlines()
    place = head.index("RMSE") + len("RMSE")
    (marked,) = [row for row in rows if row.startswith("→")]
    assert marked[:place].endswith(f" {off:,.0f}")
    assert "in units of price" in err
    assert f"RMSE {off:,.0f} (1 seed, 10 splits)" in out


def test_a_narrow_terminal_gets_a_table_that_fits(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert chosen("--record", "s.json") == 0
    capsys.readouterr()
    record = kn.SearchRecord.from_json(Path("s.json").read_text())
    assert "seeds ±" in standings(record)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    narrow = standings(record)
    assert max(map(len, narrow.splitlines())) <= 80
    assert "seeds ±" not in narrow
    assert "against the best" in narrow


def test_with_few_splits_no_p_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert chosen("--record", "s.json") == 0
    err = capsys.readouterr().err
    assert "how often luck alone" in err
    record = kn.SearchRecord.from_json(Path("s.json").read_text())
    other = next(own for own in record.architectures if own.number != record.reference)
    networks = tuple(replace(own, adjusted_p=0.0123) if own is other else own for own in record.architectures)
    assert " 0.012 " in standings(replace(record, architectures=networks))
    assert " 0.012 " not in standings(replace(record, architectures=networks, splits=record.splits[:9]))


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
    (["--activation", "relu,rleu"], 2, "Did you mean relu?"),
    (["--folds", "1"], 2, "at least 2 and at most"),
    (["--report", "r.pdf"], 2, "must end in .html or .md"),
    (["--report", "r.html", "--report", "r.pdf"], 2, "--report r.pdf must end in .html or .md"),
    (["--report", "r.html", "--report", "no/r.md"], 2, "there is no folder"),
    (["--report", "r.md", "--report", "./r.md"], 2, "--report r.md and --report r.md are one file"),
    (["--out", "r.md", "--store", "s.db", "--report", "r.md"], 2, "--out r.md and --report r.md are one file"),
    (["--record", "data.csv"], 2, "must end in .json"),
    (["--out", "data.csv"], 2, "would overwrite data.csv"),
    (["--store", "no/such.db"], 2, "there is no folder"),
    (["--target", "price"], 2, "Its columns: "),
    (["--scoring", "accuracies"], 2, "Did you mean accuracy?"),
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
