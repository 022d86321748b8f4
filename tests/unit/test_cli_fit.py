"""`kilonet fit`: the numbers of the Python estimators, a story on stderr, the result on stdout, one file."""

import csv
import gzip
import json
import struct
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import kilonet as kn
from kilonet import persistence
from kilonet.cli import main
from kilonet.cli.console import Console
from kilonet.cli.fit import too_early, train
from kilonet.errors import DivergenceWarning

QUICK = ["--hidden", "5", "--epochs", "3"]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KILONET_ENGINE", "reference")
    return tmp_path


@pytest.fixture
def houses(in_a_folder):
    """Numbers with gaps, texts with a comma in one, truth values, and a price."""
    rng = np.random.default_rng(1)
    path = in_a_folder / "houses.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["area", "rooms", "city", "garden", "price"])
        for row in range(60):
            area, rooms = rng.uniform(30, 200), int(rng.integers(1, 7))
            city = ("Oslo", "Rome", "", "Ulm, Donau")[row % 4]
            price = 1000 * area + 9000 * rooms + rng.normal(0, 500)
            writer.writerow(
                ["" if row % 6 == 1 else f"{area:.1f}", rooms, city, str(row % 3 == 0).lower(), f"{price:.2f}"]
            )
    return path


def digits():
    X, y = load_digits(return_X_y=True)
    return train_test_split(X.astype(np.float32), y, test_size=0.2, random_state=0, stratify=y)


class TestSameNumbersAsPython:
    def test_digits(self, in_a_folder):
        assert main(["fit", "digits", *QUICK, "--l2", "0.01", "--out", "d.kn"]) == 0
        X, X_held, y, y_held = digits()
        python = kn.MLPClassifier(hidden=5, epochs=3, l2=0.01, random_state=0).fit(X, y)
        loaded = kn.load(in_a_folder / "d.kn")
        assert loaded.theta_.tobytes() == python.theta_.tobytes()
        narrow = kn.MLPClassifier(hidden=5, epochs=3, l2=0.01, dtype="float32", random_state=0)
        assert narrow.fit(X.astype(np.float64), y).theta_.tobytes() == python.theta_.tobytes()
        assert loaded.score(X_held, y_held) == python.score(X_held, y_held)
        saved = persistence.load("d.kn").extra["run"]
        assert saved["held_out"]["score"] == python.score(X_held, y_held)
        assert saved["held_out"]["right"] == (python.predict(X_held) == y_held).sum()
        by_hand = -np.log(python.predict_proba(X_held)[np.arange(len(y_held)), y_held]).mean()
        assert saved["held_out"]["loss"] == pytest.approx(by_hand, rel=1e-5)  # float32 scores

    def test_a_table_with_every_kind_of_column(self, houses):
        pandas = pytest.importorskip("pandas")
        assert main(["fit", "houses.csv", "--target", "price", *QUICK, "--seed", "4", "--out", "h.kn"]) == 0
        frame = pandas.read_csv(houses)
        X, X_held, y, y_held = train_test_split(
            frame.drop(columns="price"), frame["price"].to_numpy(), test_size=0.2, random_state=4
        )
        python = kn.MLPRegressor(hidden=5, epochs=3, random_state=4).fit(X, y)
        loaded = kn.load("h.kn")
        assert loaded.theta_.tobytes() == python.theta_.tobytes()
        run = persistence.load("h.kn").extra["run"]
        assert run["held_out"]["score"] == python.score(X_held, y_held)
        off = python.predict(X_held) - y_held
        assert run["held_out"]["absolute_error"] == pytest.approx(np.abs(off).mean())
        assert run["held_out"]["rms_error"] == pytest.approx(np.sqrt((off**2).mean()))

    def test_early_stopping_has_rows_of_its_own(self):
        stop = ["--early-stopping", "--patience", "2", "--rate", "0.05"]
        assert main(["fit", "digits", "--hidden", "5", "--epochs", "60", *stop, "--out", "d.kn"]) == 0
        X, _, y, _ = digits()
        settings = {"hidden": 5, "epochs": 60, "early_stopping": True, "patience": 2, "rate": 0.05, "random_state": 0}
        python = kn.MLPClassifier(**settings).fit(X, y)
        loaded = kn.load("d.kn")
        assert loaded.theta_.tobytes() == python.theta_.tobytes()
        assert loaded.n_iter_ == python.n_iter_ < 60

    def test_equal_commands_write_equal_files(self, in_a_folder):
        for name in ("a.kn", "b.kn"):
            main(["fit", "digits", *QUICK, "--out", name])
        assert (in_a_folder / "a.kn").read_bytes() == (in_a_folder / "b.kn").read_bytes()

    def test_all_settings_arrive(self):
        given = {
            "hidden": (4, 3), "activation": "tanh", "loss": "cross_entropy(0.1)", "optimizer": "nesterov", "rate": 0.02,
            "schedule": [1.0, 0.5], "batch": 50, "epochs": 2, "l2": 0.5, "l1": 0.25, "dropout": 0.125,
            "input_noise": 0.0625, "max_norm": 2.0, "initializer": "orthogonal", "dtype": "float64", "seed": 9,
            "threads": 1, "members": 2, "class_weight": "balanced", "monitor": "score", "patience": 4,
            "min_delta": 0.001,
        }  # fmt: skip
        arguments = ["--early-stopping", "--no-encode"]
        for name, value in given.items():
            text = ",".join(map(str, value)) if isinstance(value, (tuple, list)) else str(value)
            arguments += [f"--{name.replace('_', '-')}", text]
        assert main(["fit", "digits", *arguments, "--out", "d.kn"]) == 0
        got = kn.load("d.kn").get_params()
        expected = given | {"random_state": 9, "n_jobs": 1, "encode": None, "early_stopping": True}
        del expected["seed"], expected["threads"], expected["schedule"]  # sequences of factors are kept in the recipe
        assert {name: got[name] for name in expected} == expected
        assert persistence.load("d.kn").recipe.schedule.to_json()["epochs"] == [1.0, 0.5]


class TestStory:
    def test_digits(self, capsys):
        main(["fit", "digits", *QUICK, "--out", "d.kn"])
        out, err = capsys.readouterr()
        for said in (
            "read       digits: 1,797 rows, 64 columns",
            "64 columns of numbers, standardized",
            "10 classes with their rows: 0 (178), 1 (182)",
            "classification, because the target holds 10 different whole numbers in 1,797 rows",
            "360 rows, drawn from every class with seed 0; 1,437 rows to train on",
            "64-5-10 relu: 2 layers, 15 neurons, 370 weights, 15 biases, 385 parameters",
            "trained    3 epochs in ",
        ):
            assert said in err
        assert [line[:11].strip() for line in out.splitlines()] == ["held out", "training", "saved"]
        assert "of 360 rows right" in out

    @pytest.mark.usefixtures("houses")
    def test_columns_kinds_gaps_and_categories(self, capsys):
        main(["fit", "houses.csv", "--target", "price", *QUICK, "--out", "h.kn"])
        err = capsys.readouterr().err
        for said in (
            "houses.csv: 60 rows, 4 columns",
            "2 columns, standardized: area, rooms",
            "1 column, 0 and 1: garden",
            'city, 3 categories: Oslo, Rome, "Ulm, Donau"',
            "filled with the mean",
            "regression, because",
            "12 rows, drawn with seed 0; 48 rows to train on",
        ):
            assert said in err
        network = kn.load("h.kn").network_
        assert f"{network.n_inputs}-5-1 relu" in err

    def test_categories_stand_under_the_line_of_their_columns(self, capsys, houses):
        lines = [line.split(",") for line in houses.read_text().replace('"Ulm, Donau"', "Ulm").splitlines()]
        rows = [[f"name {place}", "only", *line] for place, line in enumerate(lines[1:] * 3)]
        table = [["name", "one", *lines[0]], *rows]
        houses.write_text("\n".join(",".join(row) for row in table) + "\n")
        assert main(["fit", "houses.csv", "--target", "price", *QUICK, "--out", "h.kn"]) == 0
        told = [line[:11].strip() for line in capsys.readouterr().err.splitlines()]
        start = told.index("columns")
        order = ["columns", "numbers", "booleans", "categories", "", "", "left out", "constant", "missing"]
        assert told[start : start + len(order)] == order
        main(["show", "h.kn"])
        shown = [line[:11].strip() for line in capsys.readouterr().out.splitlines()]
        start = shown.index("columns")
        assert shown[start : start + len(order)] == order

    def test_quiet_says_the_result_only(self, capsys):
        main(["fit", "digits", *QUICK, "--quiet", "--out", "d.kn"])
        out, err = capsys.readouterr()
        assert err == ""
        assert out.startswith("held out")

    def test_json(self, capsys):
        assert main(["fit", "digits", *QUICK, "-q", "--json", "--out", "d.kn"]) == 0
        result = json.loads(capsys.readouterr().out)
        assert (result["model"], result["task"], result["rows"], result["columns"]) == (
            "d.kn",
            "classification",
            1437,
            64,
        )
        assert (result["epochs"], result["epochs_done"], result["interrupted"]) == (3, 3, False)
        assert result["network"]["n_parameters"] == 385
        assert result["held_out"]["rows"] == 360
        assert result["classes"] == list(range(10))

    def test_the_task_can_be_overridden(self, capsys):
        assert main(["fit", "digits", *QUICK, "--task", "regression", "--out", "d.kn"]) == 0
        assert "regression, as asked with --task" in capsys.readouterr().err
        assert isinstance(kn.load("d.kn"), kn.MLPRegressor)

    def test_names_from_the_file_cannot_command_the_terminal(self, capsys, in_a_folder):
        rows = "\n".join(f"{i},{i % 2}.5" for i in range(10))
        (in_a_folder / "x.csv").write_text(f"a\x1b[31mb,y\n{rows}\n")
        assert main(["fit", "x.csv", "--target", "y", *QUICK]) == 0
        assert "\x1b" not in "".join(capsys.readouterr())


class TestHeldOutRows:
    def test_none(self, capsys):
        assert main(["fit", "digits", *QUICK, "--validation-fraction", "0", "--out", "d.kn"]) == 0
        out, err = capsys.readouterr()
        assert "no rows, as asked" in err
        assert "held out" not in out
        X, y = load_digits(return_X_y=True)
        python = kn.MLPClassifier(hidden=5, epochs=3, random_state=0).fit(X.astype(np.float32), y)
        assert kn.load("d.kn").theta_.tobytes() == python.theta_.tobytes()

    def test_a_file_with_its_columns_in_another_order(self, capsys, houses, in_a_folder):
        lines = [line.split(",") for line in houses.read_text().splitlines() if "Donau" not in line]
        moved = [",".join([line[4], line[2], line[0], line[1], line[3]]) for line in lines]
        (in_a_folder / "other.csv").write_text("\n".join(moved))
        assert (
            main(["fit", "houses.csv", "--target", "price", *QUICK, "--validation", "other.csv", "--out", "h.kn"]) == 0
        )
        assert "45 rows, all of other.csv; 60 rows to train on" in capsys.readouterr().err

    def test_categories_that_look_like_numbers_in_the_other_file_stay_categories(self, in_a_folder):
        (in_a_folder / "a.csv").write_text("code,y\n" + "1,0.5\n2,1.5\nx,2.5\n" * 5)
        (in_a_folder / "b.csv").write_text("code,y\n1,0.5\n2,1.5\n")
        assert main(["fit", "a.csv", "--target", "y", *QUICK, "--validation", "b.csv"]) == 0
        assert persistence.load("a.kn").encoder["kinds"] == ["category"]

    def test_a_data_set_with_test_rows_of_its_own(self, capsys, in_a_folder):
        rng = np.random.default_rng(0)
        folder = in_a_folder / "idx"
        folder.mkdir()
        for role, n in (("train", 40), ("t10k", 10)):
            images, labels = rng.integers(0, 256, (n, 2, 3), np.uint8), np.arange(n, dtype=np.uint8) % 2
            (folder / f"{role}-images-idx3-ubyte").write_bytes(struct.pack(">IIII", 0x803, n, 2, 3) + images.tobytes())
            with gzip.open(folder / f"{role}-labels-idx1-ubyte.gz", "wb") as file:
                file.write(struct.pack(">II", 0x801, n) + labels.tobytes())
        assert main(["fit", "idx", *QUICK]) == 0
        assert "10 rows, the data set's own test rows; 40 rows to train on" in capsys.readouterr().err
        assert main(["fit", "idx", *QUICK, "--validation-fraction", "0.5", "--out", "half.kn"]) == 0
        assert "20 rows, drawn from every class" in capsys.readouterr().err
        assert main(["predict", "idx.kn", "idx", "--score"]) == 0
        out, err = capsys.readouterr()
        assert len(out.splitlines()) == 11
        assert "over 10 rows" in err


class TestOutput:
    def test_the_default_is_the_datas_name_and_never_replaces(self, capsys, in_a_folder):
        assert main(["fit", "digits", *QUICK]) == 0
        before = (in_a_folder / "digits.kn").read_bytes()
        assert main(["fit", "digits", "--hidden", "3", "--epochs", "1"]) == 2
        assert "digits.kn is there already" in capsys.readouterr().err
        assert (in_a_folder / "digits.kn").read_bytes() == before
        assert main(["fit", "digits", "--hidden", "3", "--epochs", "1", "--out", "digits.kn"]) == 0
        assert (in_a_folder / "digits.kn").read_bytes() != before

    @pytest.mark.parametrize(
        ("wrong", "says"),
        [
            (["--target", "prise"], 'has no column "prise" for a target. Did you mean price?'),
            (["--target", "price", "--drop", "rume"], 'has no column "rume" to drop'),
            (["--target", "price", "--loss", "hinge"], "--loss hinge is for classification"),
            (["--target", "price", "--class-weight", "balanced"], "--class-weight is for classes"),
        ],
    )
    def test_a_model_that_is_there_hides_no_other_error(self, capsys, houses, wrong, says):
        houses.with_suffix(".kn").write_text("a model")
        assert main(["fit", "houses.csv", *wrong]) == 2
        assert says in capsys.readouterr().err
        assert main(["fit", "houses.csv", "--target", "price"]) == 2
        error = "houses.kn is there already. --out houses.kn replaces it; --out OTHER keeps it."
        assert capsys.readouterr().err.startswith(f"Error: {error}\n")  # nothing is told of the data
        assert houses.with_suffix(".kn").read_text() == "a model"

    def test_the_data_are_never_overwritten(self, capsys, houses):
        before = houses.read_bytes()
        assert main(["fit", "houses.csv", "--target", "price", "--out", "./houses.csv"]) == 2
        assert "would overwrite" in capsys.readouterr().err
        assert houses.read_bytes() == before

    def test_a_file_called_digits(self, capsys, in_a_folder):
        (in_a_folder / "digits").write_text("a,b\n1,2\n")
        assert main(["fit", "./digits", *QUICK]) == 1
        assert "no reader" in capsys.readouterr().err

    def test_a_disk_that_is_full(self, capsys, in_a_folder, monkeypatch):
        def full(*_):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(persistence.atomic.os, "fsync", full)
        assert main(["fit", "digits", *QUICK, "--out", "d.kn"]) == 1
        assert "d.kn could not be written: No space left on device" in capsys.readouterr().err
        assert list(in_a_folder.iterdir()) == []


class TestDivergence:
    def test_in_the_first_epoch(self, capsys, in_a_folder):
        assert main(["fit", "digits", *QUICK, "--optimizer", "sgd", "--rate", "1e30", "--out", "d.kn"]) == 1
        err = capsys.readouterr().err
        assert err.count("diverged") == 1
        assert "Lower the rate, for example --rate 0.1 (it was 1e+30)" in err
        assert "Warning" not in err
        assert "member" not in err
        assert list(in_a_folder.iterdir()) == []

    def test_later(self):
        """Where the estimator keeps what it had and warns, the command fails."""

        class Diverging(kn.MLPClassifier):
            def fit(self, X, y, sample_weight=None):  # noqa: ARG002
                warnings.warn("left the finite numbers", DivergenceWarning, stacklevel=1)
                return self

        class Nothing:
            held_y = X = y = None
            task = "classification"

        class Asked:
            sets_apart = False
            quiet = True
            settings = {"encode": None}  # noqa: RUF012 - never changed

        console = Console(quiet=True)
        remedies = r"Nothing was saved.*--rate 0.01 \(it was 0.1\).*Leave out --no-encode"
        with console.warnings(), pytest.raises(kn.DivergenceError, match=remedies):
            train(console, Diverging(optimizer="sgd"), Nothing(), Asked())


def test_training_that_ends_too_early_is_said_in_words_of_the_command_line(capsys, in_a_folder):
    rows = "".join(f"{x / 8},{x * 7 + 0.5}\n" for x in range(64))
    (in_a_folder / "line.csv").write_text("x,y\n" + rows)
    slow = ["--rate", "5e-5", "--epochs", "60", "--schedule", "constant", "--out", "m.kn"]
    assert main(["fit", "line.csv", "--target", "y", *slow]) == 0
    err = capsys.readouterr().err
    assert err.count("Warning") == 1
    assert "Raise --epochs (it was 60) or --rate (it was 5e-05)." in err


def test_neither_more_epochs_nor_a_higher_rate_is_advised_where_held_out_rows_got_worse():
    curve = np.abs(np.linspace(-1, 2, 60))
    model = kn.MLPRegressor()
    model.history_ = kn.History(*[np.linspace(1, 0.5, 60)] * 2, curve, curve)
    assert "lowest in epoch 21: raise --epochs only with --early-stopping." in too_early(model)
    assert "--rate" not in too_early(model)


class TestCtrlC:
    def test_twice_while_training(self, capsys, in_a_folder, monkeypatch):
        def fit(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr(kn.MLPClassifier, "fit", fit)
        assert main(["fit", "digits", *QUICK, "--out", "d.kn"]) == 130
        err = capsys.readouterr().err
        assert err.endswith("Error: interrupted; nothing was saved.\n")
        assert "trained" not in err
        assert list(in_a_folder.iterdir()) == []

    def test_while_the_result_is_told_the_model_is_there_and_it_is_said(self, capsys, monkeypatch):
        def tell(*_):
            raise KeyboardInterrupt

        monkeypatch.setattr("kilonet.cli.fit.report", tell)
        assert main(["fit", "digits", *QUICK, "--out", "d.kn"]) == 130
        err = capsys.readouterr().err
        assert "the model is saved in d.kn" in err
        assert "nothing was saved" not in err
        assert kn.load("d.kn").n_iter_ == 3

    def test_twice_while_the_file_is_written(self, capsys, in_a_folder, monkeypatch):
        def save(*_):
            raise KeyboardInterrupt

        (in_a_folder / "d.kn").write_bytes(b"precious")
        monkeypatch.setattr(persistence, "save", save)
        assert main(["fit", "digits", *QUICK, "--out", "d.kn"]) == 130
        assert "d.kn was written; it is whole, or as it was before" in capsys.readouterr().err
        assert (in_a_folder / "d.kn").read_bytes() == b"precious"
