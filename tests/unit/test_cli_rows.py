"""`kilonet fit` and its rows: targets that are none, columns that tell nothing, columns that are left out."""

import pytest

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
