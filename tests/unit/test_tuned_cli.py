"""`kilonet fit` where no network is described, and what the other commands make of such a model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import kilonet as kn
from kilonet.cli import main


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pd.DataFrame:
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"size": random.normal(size=90), "city": random.choice(["Rome", "Oslo"], 90)})
    frame["price"] = 100 + 20 * frame["size"] + 10 * (frame["city"] == "Rome")
    frame["kind"] = np.where(frame["price"] > 105, "dear", "cheap")
    monkeypatch.chdir(tmp_path)
    frame.drop(columns="kind").to_csv("prices.csv", index=False)
    frame.drop(columns="price").to_csv("kinds.csv", index=False)
    return frame


def test_a_model_tunes_itself_where_no_network_is_described(rows: pd.DataFrame, capsys: Any) -> None:
    assert main(["fit", "kinds.csv", "--target", "kind", "--runs", "28", "--report", "r.html", "--report", "r.md"]) == 0
    out, told = capsys.readouterr()
    assert "tuning     28 networks at most; --budget or --runs say how much may be done" in told
    assert "Out of fold: accuracy " in out
    assert "held out" in out
    assert "What was tried" in Path("r.html").read_text()
    assert "What was tried" in Path("r.md").read_text()
    model = kn.load("kinds.kn")
    assert type(model) is kn.MLPClassifierCV
    assert model.runs == 28
    X = rows[["size", "city"]].astype({"city": object})
    assert main(["predict", "kinds.kn", "kinds.csv", "--proba", "--score", "--json"]) == 0
    out, told = capsys.readouterr()
    found = json.loads(out)
    assert found["predictions"] == model.predict(X).tolist()
    np.testing.assert_allclose(found["probabilities"], model.predict_proba(X), rtol=1e-6)
    assert main(["show", "kinds.kn"]) == 0
    assert "Tuned by itself\nOut of fold: accuracy " in capsys.readouterr().out
    assert main(["diagnose", "kinds.kn", "kinds.csv"]) in (0, 3)


def test_numbers_with_intervals(rows: pd.DataFrame, capsys: Any) -> None:
    assert main(["fit", "prices.csv", "--target", "price", "--runs", "28", "--json", "-q"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["record"]["runs"] == result["runs"] == 28
    assert result["held_out"]["score"] > 0.5
    assert main(["predict", "prices.kn", "prices.csv", "--interval", "0.8", "--quiet"]) == 0
    table = pd.read_csv(pd.io.common.StringIO(capsys.readouterr().out))
    assert table.columns.tolist() == ["price", "price_low", "price_high"]
    inside = (table["price_low"] <= rows["price"]) & (rows["price"] <= table["price_high"])
    assert inside.mean() > 0.7
    assert main(["predict", "prices.kn", "prices.csv", "--interval", "0.999"]) == 2
    assert "level=0.999 needs 999 rows" in capsys.readouterr().err


def test_intervals_need_a_model_of_numbers_that_tuned_itself(rows: pd.DataFrame, capsys: Any) -> None:  # noqa: ARG001
    assert main(["fit", "prices.csv", "--target", "price", "--hidden", "3", "--epochs", "2"]) == 0
    assert main(["predict", "prices.kn", "prices.csv", "--interval", "0.8"]) == 2
    assert "--interval: prices.kn has no intervals" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--runs", "30", "--budget", "5s"], "--runs and --budget are two ways to say how much may be done."),
        (["--runs", "30", "--hidden", "3"], "--runs is for a network that tunes itself, and --hidden describes one"),
        (["--budget", "auto", "--no-encode"], "--budget is for a network that tunes itself, and --no-encode"),
        (["--budget", "soon"], "budget came as 'soon'"),
        (["--report", "r.txt"], "--report r.txt must end in .html or .md."),
        (["--report", "r.html", "--hidden", "3"], "--report is for a network that tunes itself"),
    ],
)
def test_options_that_exclude_one_another(rows: Any, options: list[str], says: str, capsys: Any) -> None:  # noqa: ARG001
    assert main(["fit", "kinds.csv", "--target", "kind", *options]) == 2
    assert says in " ".join(capsys.readouterr().err.split())


def test_any_option_that_describes_a_network_trains_that_one(rows: Any) -> None:  # noqa: ARG001
    assert main(["fit", "kinds.csv", "--target", "kind", "--epochs", "2", "-q"]) == 0
    assert type(kn.load("kinds.kn")) is kn.MLPClassifier


def test_show_tells_of_networks_that_are_given_numbers_in_pieces(tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"at": random.random(200), "by": random.normal(size=200)})
    frame["y"] = 3 * np.sign(np.sin(14 * frame["at"])) + frame["by"]
    frame.to_csv("d.csv", index=False)
    assert main(["fit", "d.csv", "--target", "y", "-q"]) == 0
    capsys.readouterr()
    assert main(["show", "d.kn"]) == 0
    out = capsys.readouterr().out
    assert "2 columns become 34 inputs" in out
    assert "2 columns, standardized, 2 of them also cut into pieces: at, by" in out
