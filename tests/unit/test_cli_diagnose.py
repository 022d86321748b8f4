"""`kilonet diagnose`: findings on stdout, what fails as the exit status; and what `kilonet fit` warns of on the way."""

import json
import shlex
from pathlib import Path

import numpy as np
import pytest

import kilonet as kn
from kilonet.cli import main
from kilonet.cli.diagnose import FAILS
from kilonet.cli.remedies import as_options


@pytest.fixture(autouse=True)
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two numbers, a text and a class; the working folder is a fresh one."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    a, b, colour = random.normal(size=200), random.normal(size=200), random.choice(["red", "blue"], 200)
    label = np.where(a + b**2 + (colour == "red") > 1.2, "yes", "no")
    rows = [f"{x:.4f},{z:.4f},{c},{y}" for x, z, c, y in zip(a, b, colour, label, strict=True)]
    (tmp_path / "data.csv").write_text("\n".join(["a,b,colour,label", *rows]))
    return tmp_path / "data.csv"


def run(line: str) -> int:
    return int(main(shlex.split(line)))


def fitted(*more: str) -> None:
    assert run(f"fit data.csv --target label --epochs 40 --hidden 20 -q {' '.join(more)}") == 0


def test_a_healthy_model(capsys: pytest.CaptureFixture[str]) -> None:
    fitted("--rate 0.01")
    assert capsys.readouterr().err == ""  # nothing to warn of
    assert run("diagnose data.kn data.csv") == 0
    out, err = capsys.readouterr()
    assert out.startswith("Nothing is wrong as far as was looked.")
    assert "40 rows, as in training" in err


def test_a_rate_that_is_too_high(capsys: pytest.CaptureFixture[str]) -> None:
    fitted("--rate 5")
    err = capsys.readouterr().err
    assert "Warning: layer 2: the first step changed the weights by" in err
    assert "the rate 5 is likely too high; try --rate 0.001" in err
    assert run("diagnose data.kn data.csv --target label -q") == FAILS
    out, err = capsys.readouterr()
    assert "fail" in out.splitlines()[0]
    assert "--rate" in out
    assert "No remedy was tried" in out
    assert err == ""


def test_json_has_findings_and_facts(capsys: pytest.CaptureFixture[str]) -> None:
    fitted("--rate 5")
    capsys.readouterr()
    assert run("diagnose data.kn data.csv --json -q") == FAILS
    told = json.loads(capsys.readouterr().out)
    assert told["failed"]
    assert {"rule", "severity", "layer", "evidence", "cause", "remedies"} <= set(told["findings"][0])
    assert told["examination"]["settings"]["rate"] == 5.0
    assert told["examination"]["gap"]["held_out"] > 0  # on the rows that were held out


def test_the_same_findings_as_in_python(capsys: pytest.CaptureFixture[str]) -> None:
    fitted("--rate 5", "--validation-fraction 0.3", "--seed 3")
    capsys.readouterr()
    run("diagnose data.kn data.csv --json -q")
    told = json.loads(capsys.readouterr().out)
    from sklearn.model_selection import train_test_split  # noqa: PLC0415

    rows = kn.read("data.csv", "label")
    train, held = train_test_split(np.arange(200), test_size=0.3, random_state=3, stratify=rows.y)
    model = kn.load("data.kn")
    X = rows.X.take(train) if hasattr(rows.X, "take") else rows.X[train]
    X_held = rows.X.take(held) if hasattr(rows.X, "take") else rows.X[held]
    report = kn.diagnose(model, X, rows.y[train], validation=(X_held, rows.y[held]))
    same = json.loads(report.to_json())
    assert {name: told[name] for name in same} == same


def test_verified(capsys: pytest.CaptureFixture[str]) -> None:
    fitted("--rate 5")
    capsys.readouterr()
    assert run("diagnose data.kn data.csv --verify --seeds 6") == FAILS
    out, err = capsys.readouterr()
    assert "6 seeds" in out
    assert "95% interval" in out
    assert "No remedy was tried" not in out
    assert "6 seeds each" in err


def test_rows_that_do_not_fit_the_training(capsys: pytest.CaptureFixture[str], table: Path) -> None:
    fitted("--rate 0.01")
    capsys.readouterr()
    Path("part.csv").write_text("\n".join(table.read_text().splitlines()[:150]))
    run("diagnose data.kn part.csv")
    assert "part.csv has 149 rows, and the model was trained on 160" in capsys.readouterr().err


def test_before_there_is_a_model(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("diagnose data.csv --target label") == 0
    out, err = capsys.readouterr()
    assert "the network is not trained yet" in out
    assert "label: 2 classes" in err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("diagnose data.kn data.csv --target nothing", 'no column "nothing"'),
        ("diagnose data.kn data.csv --seeds 8", "--seeds has no effect without --verify"),
        ("diagnose data.kn data.csv --seeds 1 --verify", "not a whole number"),
        ("diagnose data.csv", "needs --target COLUMN"),
        ("diagnose", "Missing argument"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], line: str, said: str) -> None:
    fitted("--rate 0.01")
    capsys.readouterr()
    assert run(line) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""


def test_what_cannot_be_read_is_a_failed_run(capsys: pytest.CaptureFixture[str], table: Path) -> None:
    assert run("diagnose no.kn data.csv") == 1
    fitted("--rate 0.01")
    Path("strange.csv").write_text(table.read_text() + "\n1,2,red,perhaps")
    assert run("diagnose data.kn strange.csv") == 1
    assert "perhaps" in capsys.readouterr().err


def test_fit_warns_of_inputs_that_go_in_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    random = np.random.default_rng(1)
    X = random.normal(500, 300, (120, 2))
    rows = [f"{a:.2f},{b:.2f},{int(a + b > 1000)}" for a, b in X]
    Path("raw.csv").write_text("\n".join(["a,b,y", *rows]))
    assert run("fit raw.csv --target y --no-encode --activation tanh --epochs 10 --hidden 20 -q") == 0
    err = capsys.readouterr().err
    assert "saturated from the first epoch on: inputs are not scaled" in err
    assert "leave out --no-encode" in err


def test_options_of_remedies() -> None:
    changes = {"l2": 0.01, "initializer": None, "activation": "leaky_relu", "class_weight": "balanced"}
    assert as_options(changes) == (
        "--l2 0.01, leave out --initializer, --activation leaky_relu, --class-weight balanced"
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("data.kn", "with the rows that it was trained on: `kilonet diagnose data.kn data.csv`."),
        ("data.csv data.kn", "data.kn is the model, and comes first: `kilonet diagnose data.kn data.csv`."),
        ("data.kn data.kn", "data.kn is a model too, where rows are needed: `kilonet diagnose data.kn ROWS`."),
        ("data.kn other.csv", "lacks 2 of the 3 that training had: a, colour. It has u, b, v."),
        ("data.kn other.csv", "mend the header. It was trained on data.csv."),
        ("data.kn rows.csv", 'rows.csv has no column "label". It has a, b, colour. Name it with --target'),
        ("data.kn digits", 'digits has no column "label". Name it with --target'),
        ("data.kn data.csv --target a", 'data.kn predicts "label" and has "a" for an input. Leave --target out'),
        ("data.csv", "data.csv needs --target COLUMN"),
    ],
)
def test_what_was_likely_meant(capsys: pytest.CaptureFixture[str], table: Path, line: str, said: str) -> None:
    fitted("--rate 0.01")
    head, *rows = table.read_text().splitlines()
    Path("other.csv").write_text("\n".join(["u,b,v,label", *rows]))
    Path("rows.csv").write_text("\n".join(row.rpartition(",")[0] for row in (head, *rows)))
    capsys.readouterr()
    assert run(f"diagnose {line}") == 2
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""


def test_a_model_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    fitted("--rate 0.01")
    assert run("diagnose date.kn") == 1
    assert "there is no file date.kn. Did you mean data.kn?" in capsys.readouterr().err


def test_predict_knows_what_changed_places_too(capsys: pytest.CaptureFixture[str]) -> None:
    fitted("--rate 0.01")
    capsys.readouterr()
    assert run("predict data.csv data.kn") == 2
    assert "data.kn is the model, and comes first: `kilonet predict data.kn data.csv`." in capsys.readouterr().err


def test_json_has_the_summary_once_and_the_call(capsys: pytest.CaptureFixture[str]) -> None:
    fitted("--rate 5")
    capsys.readouterr()
    assert run("diagnose data.kn data.csv --target label --json -q") == FAILS
    told = json.loads(capsys.readouterr().out)
    assert told["data"] == {"source": "data.csv", "target": "label", "rows": 160, "held_out": 40}
    assert told["reproduce"] == "kilonet diagnose data.kn data.csv --target label"
    assert run(told["reproduce"].removeprefix("kilonet ")) == FAILS
    assert " ".join(capsys.readouterr().out.split()).startswith(f"{told['summary']} ")
    assert "verdict" not in told
    assert told["not_looked_at"] == []
    assert run("diagnose data.csv --target label --json -q") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["summary"] == "Nothing is wrong as far as was looked; the network is not trained yet."
    assert told["data"]["held_out"] == 0


def test_the_options_stand_under_their_headings(capsys: pytest.CaptureFixture[str]) -> None:
    run("diagnose --help")
    out = capsys.readouterr().out
    assert out.index("How thoroughly:") < out.index("--verify / --no-verify") < out.index("Output:")
