"""`kilonet predict` and `kilonet show`: what a saved model says."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

import kilonet as kn
from kilonet import persistence
from kilonet.cli import main


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KILONET_ENGINE", "reference")
    return tmp_path


@pytest.fixture
def flowers(in_a_folder, capsys):
    """A classification of text classes by a number and a category, as flowers.kn."""
    rows = [
        f"{x:.2f},{'wet' if x > 0.4 else 'dry'},{'lily, white' if x > 0.5 else 'rose'}" for x in np.linspace(0, 1, 40)
    ]
    (in_a_folder / "flowers.csv").write_text(
        "size,soil,kind\n" + "\n".join(rows).replace("lily, white", '"lily, white"') + "\n"
    )
    assert main(["fit", "flowers.csv", "--target", "kind", "--hidden", "8", "--epochs", "80", "--rate", "0.02"]) == 0
    capsys.readouterr()
    return in_a_folder / "flowers.kn"


@pytest.fixture
def digits(in_a_folder, capsys):
    assert main(["fit", "digits", "--hidden", "5", "--epochs", "3"]) == 0
    capsys.readouterr()
    return in_a_folder / "digits.kn"


def rows_of(text):
    return list(csv.reader(io.StringIO(text)))


class TestPredict:
    @pytest.mark.usefixtures("flowers")
    def test_classes_as_csv(self, capsys, in_a_folder):
        (in_a_folder / "new.csv").write_text("soil,size\nwet,0.99\ndry,0.01\n")
        assert main(["predict", "flowers.kn", "new.csv"]) == 0
        out, err = capsys.readouterr()
        assert rows_of(out) == [["kind"], ["lily, white"], ["rose"]]
        assert err == ""

    @pytest.mark.usefixtures("flowers")
    def test_probabilities(self, capsys):
        assert main(["predict", "flowers.kn", "flowers.csv", "--proba"]) == 0
        header, *rows = rows_of(capsys.readouterr().out)
        assert header == ["kind", "probability_lily, white", "probability_rose"]
        assert len(rows) == 40
        for label, lily, rose in rows:
            assert float(lily) + float(rose) == pytest.approx(1.0)
            assert label == ("lily, white" if float(lily) > 0.5 else "rose")

    @pytest.mark.usefixtures("flowers")
    def test_json(self, capsys, in_a_folder):
        (in_a_folder / "new.csv").write_text("size,soil,kind\n0.99,wet,rose\n")
        assert main(["predict", "flowers.kn", "new.csv", "--json", "--proba", "--score"]) == 0
        result = json.loads(capsys.readouterr().out)
        assert result["target"] == "kind"
        assert result["predictions"] == ["lily, white"]
        assert result["classes"] == ["lily, white", "rose"]
        assert sum(result["probabilities"][0]) == pytest.approx(1.0)
        assert result["score"] == {"metric": "accuracy", "value": 0.0, "rows": 1}

    @pytest.mark.usefixtures("flowers")
    def test_the_target_in_the_rows_is_left_aside_and_scored_on_demand(self, capsys):
        assert main(["predict", "flowers.kn", "flowers.csv", "--score"]) == 0
        out, err = capsys.readouterr()
        right = sum(a == b for a, b in zip(rows_of(out)[1:], [[r[2]] for r in _flower_rows()], strict=True))
        assert (
            err == f"score      accuracy {'100%' if right == 40 else f'{right / 40:.1%}'} over 40 rows of flowers.csv\n"
        )

    def test_classes_that_look_like_numbers_in_the_rows_stay_texts(self, capsys, in_a_folder):
        (in_a_folder / "a.csv").write_text("x,y\n" + "1,1\n2,2\n3,c\n" * 6)
        (in_a_folder / "b.csv").write_text("x,y\n1,1\n2,2\n")
        quick = ["--hidden", "4", "--epochs", "2"]
        assert main(["fit", "a.csv", "--target", "y", *quick, "--validation", "b.csv"]) == 0
        assert main(["predict", "a.kn", "b.csv", "--score"]) == 0
        assert "over 2 rows of b.csv" in capsys.readouterr().err

    @pytest.mark.usefixtures("flowers")
    def test_columns_that_training_did_not_have_are_ignored_and_said(self, capsys, in_a_folder):
        (in_a_folder / "new.csv").write_text("id,size,soil\n1,0.99,wet\n")
        assert main(["predict", "flowers.kn", "new.csv"]) == 0
        assert capsys.readouterr().err == "ignored    1 column that training did not have: id\n"

    @pytest.mark.usefixtures("flowers")
    def test_unseen_categories_are_said_once(self, capsys, in_a_folder):
        (in_a_folder / "new.csv").write_text("size,soil\n0.99,swamp\n0.5,swamp\n0.1,sand\n")
        assert main(["predict", "flowers.kn", "new.csv"]) == 0
        out, err = capsys.readouterr()
        assert len(rows_of(out)) == 4
        assert err.count("Warning: ") == 1
        assert "swamp" in err

    def test_numbers_have_the_digits_of_the_models_type(self, capsys, in_a_folder):
        (in_a_folder / "line.csv").write_text("x,y\n" + "".join(f"{x},{2.5 * x + 9}\n" for x in range(30)))
        for dtype in ("float32", "float64"):
            quick = ["--target", "y", "--hidden", "4", "--epochs", "5", "--dtype", dtype, "--out", "line.kn"]
            assert main(["fit", "line.csv", *quick]) == 0
            capsys.readouterr()
            main(["predict", "line.kn", "line.csv"])
            texts = [row[0] for row in rows_of(capsys.readouterr().out)[1:]]
            expected = kn.load("line.kn").predict(kn.read("line.csv", "y").X).astype(dtype)
            assert texts == [str(number) for number in expected]
            assert np.array(texts, dtype=dtype).tolist() == expected.tolist()
            main(["predict", "line.kn", "line.csv", "--json"])
            assert [str(number) for number in json.loads(capsys.readouterr().out)["predictions"]] == texts

    @pytest.mark.usefixtures("flowers")
    def test_the_score_is_told_even_when_quiet(self, capsys):
        main(["predict", "flowers.kn", "flowers.csv", "--score", "--quiet"])
        assert capsys.readouterr().err.startswith("score      accuracy ")

    def test_numbers_come_back_exactly(self, capsys, in_a_folder):
        x = np.linspace(0, 1, 30, dtype=np.float32)
        lines = [f"{a},{b}" for a, b in zip(x.tolist(), (1e6 + x).tolist(), strict=True)]
        (in_a_folder / "line.csv").write_text("a,b\n" + "\n".join(lines) + "\n")
        assert main(["fit", "line.csv", "--target", "b", "--hidden", "4", "--epochs", "5"]) == 0
        capsys.readouterr()
        assert main(["predict", "line.kn", "line.csv"]) == 0
        header, *rows = rows_of(capsys.readouterr().out)
        assert header == ["b"]
        expected = kn.load("line.kn").predict(kn.read("line.csv", "b").X)
        assert [float(row[0]) for row in rows] == expected.tolist()

    @pytest.mark.usefixtures("digits")
    def test_digits_by_name_and_as_a_file(self, capsys, in_a_folder):
        assert main(["predict", "digits.kn", "digits"]) == 0
        whole = rows_of(capsys.readouterr().out)
        table = kn.read("digits")
        with (in_a_folder / "rows.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(table.feature_names)
            writer.writerows(table.X[:50].tolist())
        assert main(["predict", "digits.kn", "rows.csv"]) == 0
        out, err = capsys.readouterr()
        assert rows_of(out) == whole[:51]
        assert whole[0] == ["digit"]
        assert err == ""

    def test_a_model_from_python_without_names(self, capsys):
        X, y = load_digits(return_X_y=True)
        kn.MLPClassifier(hidden=4, epochs=2, random_state=0).fit(X, y).save("p.kn")
        assert main(["predict", "p.kn", "digits"]) == 0
        header, *rows = rows_of(capsys.readouterr().out)
        assert header == ["prediction"]
        # float64 rows were trained on; the command reads float32, and small whole numbers are the same in both
        assert [int(row[0]) for row in rows] == kn.load("p.kn").predict(X).tolist()


def _flower_rows():
    return rows_of(Path("flowers.csv").read_text())[1:]


class TestPredictRefuses:
    @pytest.mark.parametrize(
        ("content", "status", "says"),
        [
            ("size\n0.5\n", 1, "lacks 1 of the 2 that training had: soil"),
            ("Size,Soil\n0.5,dry\n", 1, "lacks 2 of the 2"),
            ("size,soil\nlarge,dry\n", 1, "'large'"),
            ("size,soil\ninf,dry\n", 1, "infinity"),
            ("size,soil\n0.5\n", 1, "has 1 cell where"),
            ("size,soil\n", 1, "no rows"),
            ("", 1, "is empty"),
        ],
    )
    @pytest.mark.usefixtures("flowers")
    def test_rows(self, capsys, in_a_folder, content, status, says):
        (in_a_folder / "new.csv").write_text(content)
        assert main(["predict", "flowers.kn", "new.csv"]) == status
        out, err = capsys.readouterr()
        assert out == ""
        assert says in err
        assert "new.csv" in err

    @pytest.mark.usefixtures("flowers")
    def test_more_classes_than_training_had(self, capsys, in_a_folder):
        (in_a_folder / "new.csv").write_text("size,soil,kind\n0.5,dry,rose\n0.5,dry,tulip\n")
        assert main(["predict", "flowers.kn", "new.csv", "--score"]) == 1
        err = capsys.readouterr().err
        assert "'tulip' in line 3" in err
        assert "lily, white" in err

    def test_the_wrong_number_of_columns(self, capsys):
        kn.MLPClassifier(hidden=4, epochs=1).fit(np.eye(3), [0, 1, 0]).save("three.kn")
        assert main(["predict", "three.kn", "digits"]) == 1
        assert "64 columns, but 3 are needed" in capsys.readouterr().err

    @pytest.mark.usefixtures("flowers")
    def test_wrong_usage(self, capsys, in_a_folder):
        (in_a_folder / "new.csv").write_text("size,soil\n0.5,dry\n")
        assert main(["predict", "flowers.kn", "new.csv", "--score"]) == 2
        assert 'no column "kind"' in capsys.readouterr().err
        kn.MLPClassifier(hidden=4, epochs=1, loss="hinge").fit(np.eye(3), [0, 1, 0]).save("hinge.kn")
        assert main(["predict", "hinge.kn", "new.csv", "--proba"]) == 2
        assert "no probabilities" in capsys.readouterr().err


class TestShow:
    @pytest.mark.usefixtures("digits")
    def test_what_it_tells(self, capsys):
        assert main(["show", "digits.kn"]) == 0
        out, err = capsys.readouterr()
        assert err == ""
        for said in (
            "a classification of digit into 10 classes: 0, 1, 2",
            "64-5-10  15 neurons      370      15         385",
            "cross_entropy",
            "adam, rate 0.001",
            "cosine",
            "3 epochs, batches of 32 rows",
            "l2 0.0001",
            "seed 0:",
            "reference, float32",
            "digits, 1,437 rows to train on",
            "standardized: pixel_0_0, ",
            "of 360 rows right",
        ):
            assert said in out

    @pytest.mark.usefixtures("digits")
    def test_json(self, capsys):
        assert main(["show", "digits.kn", "--json"]) == 0
        shown = json.loads(capsys.readouterr().out)
        assert (shown["network"]["n_neurons"], shown["network"]["n_weights"], shown["network"]["n_biases"]) == (
            15,
            370,
            15,
        )
        assert shown["network"]["n_parameters"] == 385
        assert shown["recipe"]["epochs"] == 3
        assert shown["classes"] == list(range(10))
        assert shown["run"]["held_out"]["rows"] == 360

    def test_a_model_from_python(self, capsys):
        kn.MLPRegressor(hidden=(), epochs=2, encode=None).fit(np.eye(3), [1.0, 2.0, 3.0]).save("p.kn")
        assert main(["show", "p.kn"]) == 0
        out = capsys.readouterr().out
        assert "a regression" in out
        assert "taken as they are" in out
        assert "single" not in out

    @pytest.mark.usefixtures("digits")
    def test_notes_of_the_wrong_kind_are_left_out(self, capsys):
        """Nothing in the notes is needed, and a file can hold anything there."""
        model = persistence.load("digits.kn")
        strange = {
            "source": 3,
            "rows": "many",
            "held_out": {"rows": [], "loss": {}},
            "engine": None,
            "best_epoch": -7,
            "seed": [],
        }
        for run in (
            strange,
            [],
            "x",
            {"held_out": {"rows": 3}},
            {"held_out": 1, "best_epoch": 10**9, "epochs_done": -1},
        ):
            persistence.save(replace(model, extra={"run": run}), "strange.kn")
            assert main(["show", "strange.kn"]) == 0
            assert main(["show", "strange.kn", "--json"]) == 0
        capsys.readouterr()


class TestBrokenModels:
    @pytest.mark.parametrize("command", [["show"], ["predict"]])
    @pytest.mark.parametrize(
        ("damage", "says"),
        [
            (lambda data: data[:-50], "is cut: 50 bytes are missing"),
            (lambda data: data.replace(b"digit", b"digot", 1), "was edited or damaged"),
            (lambda data: data.replace(b'\\"format\\":1', b'\\"format\\":9', 1), "newer than format 2"),
            (lambda data: b"a,b\n1,2\n" + data, "not a safetensors file"),
            (lambda _: b"", "is empty"),
        ],
    )
    def test_each_has_its_own_message(self, capsys, digits, command, damage, says):
        digits.write_bytes(damage(digits.read_bytes()))
        assert main([*command, "digits.kn", *(["digits"] if command == ["predict"] else [])]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        assert err.startswith("Error: digits.kn ")
        assert says in err

    def test_no_file_and_no_permission(self, capsys):
        assert main(["show", "nothing.kn"]) == 1
        assert "there is no file nothing.kn" in capsys.readouterr().err
        assert main(["show", "/dev/zero"]) == 1
        assert "not a plain file" in capsys.readouterr().err
