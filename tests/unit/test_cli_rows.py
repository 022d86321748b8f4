"""`kilonet fit` and its rows: targets that are none, columns that tell nothing, columns that are left out."""

import json
import re
import shlex

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import train_test_split

import kilonet as kn
from kilonet.cli import main

QUICK = ["--target", "y", "--hidden", "3", "--epochs", "2", "--out", "m.kn"]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KILONET_ENGINE", "reference")
    return tmp_path


def write(folder, header, rows):
    """rows.csv, separated by semicolons."""
    lines = [header, *(";".join(map(str, row)) for row in rows)]
    (folder / "rows.csv").write_text("\n".join(lines) + "\n")


def fit(capsys, *more):
    """Status, what was said, and the result of a quick fit of rows.csv."""
    status = main(["fit", "rows.csv", *QUICK, *more])
    out, err = capsys.readouterr()
    return status, err, out


class TestTargets:
    @pytest.mark.parametrize("task", ["auto", "regression"])
    def test_decimal_commas_are_refused_with_the_remedy(self, capsys, in_a_folder, task):
        write(in_a_folder, "x;y", [(row, f"{100 + row},5") for row in range(30)])
        status, err, _ = fit(capsys, "--task", task)
        assert status == 1
        assert "rows.csv" in err
        assert '"y"' in err
        assert "100,5" in err
        assert "Write decimals with a point" in err
        assert not (in_a_folder / "m.kn").exists()

    def test_an_identifier_is_refused_and_classes_can_be_insisted_on(self, capsys, in_a_folder):
        write(in_a_folder, "x;y", [(row, f"customer {row}") for row in range(30)])
        status, err, _ = fit(capsys)
        assert status == 1
        assert "30 different texts in 30 rows, which looks like an identifier" in err
        assert "--task classification" in err
        status, err, _ = fit(capsys, "--task", "classification")
        assert status == 0
        assert "Warning: rows.csv: 30 of the 30 classes" in err

    def test_classes_with_a_single_row_are_warned_of_when_most_are_such(self, capsys, in_a_folder):
        write(in_a_folder, "x;y", [(row, "abcdefg"[row] if row < 7 else "z") for row in range(30)])
        assert '7 of the 8 classes of the target "y" have a single row' in fit(capsys)[1]
        write(in_a_folder, "x;y", [(row, "a" if row < 1 else "yz"[row % 2]) for row in range(30)])
        assert "single row" not in fit(capsys)[1]


class TestLosses:
    @pytest.mark.parametrize(
        ("loss", "task", "others"), [("hinge", "regression", "squared, absolute, huber, quantile"),
                                     ("huber(2.0)", "classification", "cross_entropy, logistic, hinge")]
    )  # fmt: skip
    def test_a_loss_of_the_other_task_is_refused_before_anything_is_told(self, capsys, in_a_folder, loss, task, others):
        write(in_a_folder, "x;y", [(row, row % 2 if task == "classification" else row + 0.5) for row in range(30)])
        status, err, _ = fit(capsys, "--loss", loss)
        assert status == 2
        assert err.startswith(f"Error: --loss {loss} is for ")
        assert f"but this is a {task}" in err
        assert others in err
        assert "MLP" not in err


class TestUnits:
    def test_errors_are_told_in_the_targets_units_and_the_loss_in_its_own(self, capsys, in_a_folder):
        write(in_a_folder, "x;price", [(row % 7, 1000 * row + 0.5) for row in range(40)])
        main(["fit", "rows.csv", "--target", "price", "--hidden", "3", "--epochs", "2", "--out", "m.kn"])
        held_out, training, _ = capsys.readouterr().out.splitlines()
        main(["show", "m.kn"])
        shown = capsys.readouterr().out
        units = re.fullmatch(
            r"held out   R² \S+, RMSE ([\d,]+), MAE ([\d,]+) in units of price over 8 rows; "
            r"loss \S+ \(on the standardized target\)", held_out
        )  # fmt: skip
        assert units
        assert 1000 < float(units[2].replace(",", "")) <= float(units[1].replace(",", "")) < 100000
        assert re.fullmatch(
            r"training   loss \S+ \(on the standardized target\), R² \S+ \(while learning, epoch 2\)", training
        )
        assert held_out in shown


class TestColumnsThatTellNothing:
    def test_an_identifier_is_said_once(self, capsys, in_a_folder):
        write(in_a_folder, "customer;x;y", [(f"customer {row}", row % 7, row + 0.5) for row in range(200)])
        _, err, _ = fit(capsys)
        assert "left out   customer: nearly every row has a text of its own, as identifiers do\n" in err
        assert "Warning" not in err
        assert err.count("customer") == 1
        _, err, _ = fit(capsys, "--quiet")
        assert err.startswith(
            'Warning: rows.csv: column "customer": 160 different texts in 160 rows look like an identifier'
        )

    def test_empty_and_constant_columns(self, capsys, in_a_folder):
        rows = [(row % 7, "", 7, "only", row % 2 == 0, "true", row + 0.5) for row in range(40)]
        write(in_a_folder, "x;nothing;seven;text;even;truth;y", rows)
        status, err, _ = fit(capsys)
        assert status == 0
        assert "left out   nothing: no training row has a value\n" in err
        assert "missing    no other value was missing; one that is missing later" in err
        assert "constant   seven, text, truth: the same in every training row, so nothing can be learned" in err
        assert "Warning" not in err
        main(["show", "m.kn"])
        shown = capsys.readouterr().out
        assert "6 columns become 5 inputs" in shown
        assert "nothing: no training row has a value" in shown
        assert main(["predict", "m.kn", "rows.csv"]) == 0

    @pytest.mark.parametrize("more", [[], ["--quiet"]])
    def test_rows_that_early_stopping_sets_apart_are_no_training_rows(self, capsys, in_a_folder, more):
        """A column and a category that only such a row has are not there, and names may be too many for the rest."""
        names = [f"name {row}" if row < 90 else "other" for row in range(300)]
        write(in_a_folder, "x;name;y", [(row % 7, names[row], row + 0.5) for row in range(300)])
        fit(capsys, "--early-stopping")
        learnt_from = kn.load("m.kn").encoder_.state_.categories[1]
        training, _ = train_test_split(np.arange(300), test_size=0.2, random_state=0)
        apart = next(row for row in training if names[row] not in learnt_from)
        rows = [[row % 7, 8 if row == apart else "", f"name {row % 120}", "rare" if row == apart else "ab"[row % 2],
                 row + 0.5] for row in range(300)]  # fmt: skip
        write(in_a_folder, "x;late;name;floor;y", rows)
        status, err, _ = fit(capsys, "--early-stopping", *more)
        assert status == 0
        model = kn.load("m.kn")
        assert model.encoder_.state_.kinds == ("number", "empty", "identifier", "category")
        assert model.network_.n_inputs == 3
        if more:
            assert 'Warning: rows.csv: column "late": no row has a value in it' in err
            return
        line = 2 + apart  # of which the first is the header
        assert err.count("Warning") == 1
        assert 'Warning: rows.csv: column "floor": 1 of 300 rows hold a category' in err
        assert f"first 'rare' in line {line};" in err
        assert "left out   late: no training row has a value\n" in err
        assert "left out   name: nearly every row has a text of its own" in err
        assert "4 columns become 3 inputs" in err
        assert "network    3-3-1 relu" in err

    def test_one_column_becomes_one_input(self, capsys, in_a_folder):
        write(in_a_folder, "x;y", [(row % 7, row + 0.5) for row in range(40)])
        _, err, _ = fit(capsys)
        assert "1 column becomes 1 input" in err
        assert "missing    no value was missing; one that is missing later" in err


class TestCategoriesThatTrainingDidNotHave:
    rows = [(row % 3, "ab"[row % 2], row + 0.5) for row in range(40)]  # noqa: RUF012 - never changed

    def test_in_the_held_out_rows_the_line_of_the_file_is_named(self, capsys, in_a_folder):
        _, held_out = train_test_split(np.arange(40), test_size=0.2, random_state=0)
        rows = list(self.rows)
        rows[held_out[0]] = (1, "c", 0.5)
        write(in_a_folder, "x;city;y", rows)
        status, err, _ = fit(capsys)
        assert status == 0
        assert err.count("Warning") == 1
        assert 'rows.csv: column "city": 1 of 40 rows hold a category' in err
        assert f"first 'c' in line {2 + held_out[0]};" in err

    def test_in_other_rows(self, capsys, in_a_folder):
        write(in_a_folder, "x;city;y", self.rows)
        assert fit(capsys)[0] == 0
        write(in_a_folder, "x;city;y", [*self.rows, (1, "c", 0.5)])
        (in_a_folder / "rows.csv").rename("other.csv")
        write(in_a_folder, "x;city;y", self.rows)
        for arguments in (["predict", "m.kn", "other.csv"], ["fit", "rows.csv", *QUICK, "--validation", "other.csv"]):
            assert main(arguments) == 0
            err = capsys.readouterr().err
            assert err.count("Warning") == 1
            assert 'Warning: other.csv: column "city": 1 of 41 rows' in err
            assert "first 'c' in line 42;" in err


class TestDrop:
    @pytest.fixture(autouse=True)
    def rows(self, in_a_folder):
        write(in_a_folder, "id;x;when, how;z;y", [(row, row % 7, f"2020-01-{1 + row % 28:02}", row % 3, row + 0.5)
                                               for row in range(40)])  # fmt: skip

    def test_columns_are_left_out_as_if_they_were_not_there(self, capsys, in_a_folder):
        status, err, out = fit(capsys, "--drop", "id,z,x", "--json")
        assert status == 1
        assert '"when, how"' in err  # dates, which are refused
        status, err, out = fit(capsys, "--drop", "id, when, how,z", "--json")
        assert status == 2
        status, err, out = fit(capsys, "--drop", "when, how", "--drop", "id,z", "--json")
        assert status == 0, err
        assert 'left out   "when, how", id, z: as asked with --drop' in err
        assert json.loads(out)["dropped"] == ["when, how", "id", "z"]
        dropped = kn.load("m.kn")
        assert dropped.feature_names_in_.tolist() == ["x"]
        write(in_a_folder, "x;y", [(row % 7, row + 0.5) for row in range(40)])
        fit(capsys)
        assert kn.load("m.kn").theta_.tobytes() == dropped.theta_.tobytes()

    @pytest.mark.parametrize(
        ("arguments", "says"),
        [
            (["--drop", "idd"], 'rows.csv has no column "idd" to drop. Did you mean id?'),
            (["--drop", "y"], '"y" is the target'),
            (["--drop", "id,x,z", "--drop", "when, how"], "leaves no column"),
        ],
    )
    def test_what_cannot_be_dropped(self, capsys, arguments, says):
        status, err, _ = fit(capsys, *arguments)
        assert status == 2
        assert says in err

    def test_pictures_have_no_columns_to_drop(self, capsys):
        assert main(["fit", "digits", "--drop", "pixel_0_0", "--out", "d.kn"]) == 2
        assert "--drop is for files with columns" in capsys.readouterr().err


class TestDates:
    DAYS = pd.date_range("2019-12-30", periods=40)

    def test_all_columns_of_dates_are_named_and_can_be_dropped(self, capsys, in_a_folder):
        rows = [(f"{day:%Y-%m-%d}", row % 7, f"{day:%Y-%m-%d}", row + 0.5) for row, day in enumerate(self.DAYS)]
        write(in_a_folder, "sold;x;when, how;y", rows)
        status, err, _ = fit(capsys)
        assert status == 1
        assert 'rows.csv: column "sold": holds dates' in err
        assert 'so does the column "when, how"' in err
        advice = "--drop sold --drop 'when, how'"
        assert f"{advice} leaves them out.\n" in err
        assert fit(capsys, *shlex.split(advice))[0] == 0
        status, err, _ = fit(capsys, "--drop", "sold")
        assert status == 1
        assert "--drop 'when, how' leaves it out.\n" in err

    @pytest.mark.parametrize("form", ["%d.%m.%Y", "%m/%d/%Y"])
    def test_texts_that_look_like_dates_are_warned_of(self, capsys, in_a_folder, form):
        write(in_a_folder, "sold;x;y", [(f"{day:{form}}", row % 7, row + 0.5) for row, day in enumerate(self.DAYS)])
        status, err, _ = fit(capsys)
        assert status == 0
        assert err.count("Warning") == 2  # one of rows that are held out, whose days training did not have
        assert 'Warning: rows.csv: column "sold": its texts look like dates, such as ' in err
        assert "or drop the column. --drop sold leaves it out.\n" in err

    def test_a_model_that_had_no_dates_there_says_so(self, capsys, in_a_folder):
        write(in_a_folder, "x;y", [(row % 7, row + 0.5) for row in range(40)])
        assert fit(capsys)[0] == 0
        write(in_a_folder, "x", [(f"{day:%Y-%m-%d}",) for day in self.DAYS])
        assert main(["predict", "m.kn", "rows.csv"]) == 1
        err = capsys.readouterr().err
        assert "Training had other values there: give such." in err
        assert "--drop" not in err
