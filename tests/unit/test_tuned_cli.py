"""`kilonet fit` where no network is described, and what the other commands make of such a model."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes

import kilonet as kn
from kilonet import persistence
from kilonet.cli import main
from kilonet.cli.looking import Lookout
from kilonet.cli.seam import Diagnosis, diagnosed
from kilonet.findings import Finding, Remedy
from kilonet.numerals import percent
from kilonet.tuned import TunedRecord, Tuning
from kilonet.tuned.saving import to_model


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
    assert "With the same data, --runs 28 --seed 0 gives the same again." in out
    assert "random_state" in Path("r.md").read_text().replace("\\", "")
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
    shown = capsys.readouterr().out
    assert "Tuned by itself\nOut of fold: accuracy " in shown
    assert "With the same data, --runs 28 --seed 0 gives the same again." in shown
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
        (["--report", "r.txt"], "--report r.txt must end in .html, .md or .json."),
        (["--report", "kinds.csv.md/r.md"], "--report"),
        (["--report", "same.json"], "--report same.json would overwrite kinds.csv, which is read."),
        (["--report", "r.html", "--hidden", "3"], "--report is for a network that tunes itself"),
    ],
)
def test_options_that_exclude_one_another(rows: Any, options: list[str], says: str, capsys: Any) -> None:  # noqa: ARG001
    Path("same.json").symlink_to("kinds.csv")
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


def test_a_report_may_be_the_record_itself(rows: pd.DataFrame) -> None:  # noqa: ARG001
    assert main(["fit", "kinds.csv", "--target", "kind", "--report", "r.json", "-q"]) == 0
    assert TunedRecord.from_json(Path("r.json").read_text()).to_json() == kn.load("kinds.kn").record_.to_json()


def test_show_has_a_line_for_each_configuration_in_the_model(mixed: Any, capsys: Any) -> None:
    assert main(["show", "mixed.kn"]) == 0
    out = capsys.readouterr().out
    assert "in another way" not in out
    head = "Networks that predict together\n"
    lines = out[out.index(head) + len(head) :].split("\n\n")[0].splitlines()
    inside = [own for own in mixed.record_.configurations if own.weight > 0]
    assert len(lines) == len(inside) > 1
    for line, own in zip(lines, inside, strict=True):
        pieces = "pieces" in own.text
        inputs = {member.network.n_inputs for member in mixed.members_ if (member.network.n_inputs > 10) == pieces}
        assert line == f"{percent(own.weight):<10} {own.text}: 5 networks with {inputs.pop()} inputs"


def test_show_of_one_configuration_has_no_such_lines(rows: pd.DataFrame, capsys: Any) -> None:
    one = kn.MLPRegressorCV(l2=0.01, tuning=Tuning(numbers=((0, None),)), random_state=0).fit(
        rows[["size"]], rows["price"]
    )
    one.save("one.kn")
    assert main(["show", "one.kn"]) == 0
    out = capsys.readouterr().out
    assert "Networks that predict together" not in out
    assert "a random_state that is a number" in out


@pytest.fixture(scope="module")
def several(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A model of networks with numbers as they are and in pieces, and the table that it was trained on."""
    folder = tmp_path_factory.mktemp("mixed")
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    X.assign(y=y).to_csv(folder / "mixed.csv", index=False)
    models = (kn.MLPRegressorCV(random_state=seed).fit(X, y) for seed in range(20))
    found = next(own for own in models if len(own._parts) == 2)
    persistence.save(to_model(found, "y"), folder / "mixed.kn")
    return found, folder


@pytest.fixture
def mixed(several: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(several[1])
    return several[0]


def test_diagnose_says_whose_mean_the_model_is_and_gives_no_option_that_would_end_tuning(
    mixed: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    remedies = [Remedy("stop early", {"early_stopping": True}), Remedy("bring more rows", {})]

    def found(*rows: Any, **how: Any) -> Diagnosis:
        return Diagnosis(
            [Finding("slow", "fail", "it is slow", remedies=remedies)], diagnosed(*rows, **how).examination
        )

    monkeypatch.setattr("kilonet.cli.diagnose.diagnosed", found)
    assert main(["diagnose", "mixed.kn", "mixed.csv"]) == 3
    out = " ".join(capsys.readouterr().out.split())
    n, first = len(mixed.members_), len(mixed._parts[0].splits)
    sizes = "-".join(map(str, mixed.members_[0].network.sizes))
    assert out.startswith(
        f"looked at mixed.kn is the mean of {n} networks; the {first} of the first kind ({sizes}) are looked at, each "
        "by itself. Their mean is better."
    )
    assert "Remedy: bring more rows" in out
    assert "stop early" not in out
    assert "--" not in out
    assert main(["diagnose", "mixed.kn", "mixed.csv", "--json"]) == 3
    told = json.loads(capsys.readouterr().out)
    assert told["networks"] == {"model": n, "looked_at": min(first, 8)}
    assert [remedy["text"] for remedy in told["findings"][0]["remedies"]] == ["bring more rows"]
    assert main(["diagnose", "mixed.kn", "mixed.csv", "--verify"]) == 2
    assert "--verify tries remedies on networks that an option describes" in " ".join(capsys.readouterr().err.split())


def test_a_column_that_numbers_the_rows_is_warned_of_as_for_a_network_that_was_described(
    rows: pd.DataFrame, capsys: Any
) -> None:
    rows.drop(columns="price").assign(id=np.arange(len(rows))).to_csv("k.csv", index=False)
    told = []
    for more in ([], ["--hidden", "8"]):
        assert main(["fit", "k.csv", "--target", "kind", "--out", "k.kn", "-q", *more]) == 0
        told.append([line for line in capsys.readouterr().err.splitlines() if "number the rows" in line])
    assert told[0]
    assert told[0][0].split(" `")[0] == told[1][0].split(" `")[0]
    assert "`kilonet diagnose k.kn k.csv` tells more" in told[0][0]
    assert main(["fit", "kinds.csv", "--target", "kind", "-q"]) == 0
    assert capsys.readouterr().err == ""


def test_nothing_is_warned_of_that_is_of_single_networks(
    rows: pd.DataFrame,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    findings = [Finding("over-fitting", "warn", "it over-fits"), Finding("numbered rows", "warn", "id is a number")]
    monkeypatch.setattr(Lookout, "after", lambda *_: findings)
    assert main(["fit", "kinds.csv", "--target", "kind", "-q"]) == 0
    assert capsys.readouterr().err == "Warning: id is a number. `kilonet diagnose kinds.kn kinds.csv` tells more.\n"


@pytest.mark.parametrize(
    ("level", "hint"),
    [("0", ""), ("1", ""), ("1.5", ""), ("95", " Did you mean 0.95?"), ("99.9", " Did you mean 0.999?"), ("-3", ""),
     ("nan", ""), ("much", "")],
)  # fmt: skip
def test_levels_that_are_none(level: str, hint: str, mixed: Any, capsys: Any) -> None:  # noqa: ARG001
    assert main(["predict", "mixed.kn", "mixed.csv", "--interval", level]) == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"{level!r} came; needs a number above 0 and below 1, such as 0.9.{hint} `kilonet" in said
