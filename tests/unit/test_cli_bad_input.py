"""Bad data: a message of its own with place and remedy, exit status 1 or 2, no traceback and no output file."""

import gzip
import struct

import numpy as np
import pytest

from kilonet.cli import main

NUMBERS = "\n".join(f"{i},{i}.5" for i in range(30))


def csv(text):
    return lambda path: path.with_suffix(".csv").write_text(text)


def blob(suffix, data):
    return lambda path: path.with_suffix(suffix).write_bytes(data)


def idx(images, labels):
    def write(path):
        path.mkdir()
        (path / "train-images-idx3-ubyte").write_bytes(images)
        (path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))

    return write


def parquet(**columns):
    def write(path):
        pa = pytest.importorskip("pyarrow")
        table = pa.table(columns)
        pytest.importorskip("pyarrow.parquet").write_table(table, path.with_suffix(".parquet"))

    return write


IMAGES = struct.pack(">IIII", 0x803, 2, 2, 2) + bytes(8)
LABELS = struct.pack(">II", 0x801, 2) + b"\0\1"

BAD = {
    # name: (what writes it, status, what the message says: place and remedy)
    "infinity": (csv("a,b,y\n1,2,3.5\n4,inf,6.5\n1,2,3\n"), 1, ["bad.csv", '"b"', "line 3", "infinity", "Replace"]),
    "infinite target": (csv("a,y\n1,2.5\n2,-inf\n"), 1, ["bad.csv", '"y"', "line 3", "infinite"]),
    "text among numbers": (
        csv(f"a,y\n{NUMBERS}\noops,1.5\n{NUMBERS}\n"),
        1,
        ["bad.csv", '"a"', "line 32", "'oops'", "Mend"],
    ),
    "text among the target's numbers": (
        csv("y,a\n" + NUMBERS + "\noops,1.5\n"),
        1,
        ["bad.csv", '"y"', "line 32", "'oops'", "Mend"],
    ),
    "ragged": (csv("a,b,y\n1,2,3\n4,5\n"), 1, ["bad.csv", "line 3", "2 cells", "3", "Mend"]),
    "unknown target": (csv("a,b,why\n1,2,3\n"), 2, ["bad.csv", '"y"', "a, b, why"]),
    "missing target": (csv("a,y\n1,0.5\n2,\n3,1.5\n"), 1, ["bad.csv", '"y"', "line 3", "Fill it in"]),
    "one class": (csv("a,y\n1,no\n2,no\n"), 1, ["bad.csv", '"y"', "'no'", "at least two classes"]),
    "zero rows": (csv("a,y\n"), 1, ["bad.csv", "no rows"]),
    "no bytes": (csv(""), 1, ["bad.csv", "is empty"]),
    "no column but the target": (csv("y\n1\n2\n"), 1, ["bad.csv", "no column beside the target"]),
    "a name twice": (csv("a,a,y\n1,2,3\n"), 1, ["bad.csv", '"a"', "more than one"]),
    "no header": (csv("1,2,3\n4,5,6\n"), 2, ["bad.csv", "1, 2, 3"]),
    "dates": (csv("a,y\n2020-01-01,1.5\n2020-01-02,2.5\n2020-01-03,3.5\n"), 1, ["bad.csv", '"a"', "dates", "drop it"]),
    "noise": (blob(".csv", np.random.default_rng(0).bytes(4000)), 1, ["bad.csv", "line ", "Is it a CSV file?"]),
    "latin-1": (blob(".csv", "a,y\né,1.5\n".encode("latin-1")), 1, ["bad.csv", "line 2", "UTF-8"]),
    "a parquet file that is none": (blob(".parquet", b"PAR1" + bytes(100)), 1, ["bad.parquet", "Parquet"]),
    "an arrow file that is none": (blob(".arrow", b"ARROW1" + bytes(100)), 1, ["bad.arrow", "Arrow"]),
    "nested cells": (parquet(a=[[1, 2], [3, 4]], y=[1.5, 2.5]), 1, ["bad.parquet", '"a"', "column of its own"]),
    "cut images": (idx(IMAGES[:-3], LABELS), 1, ["train-images-idx3-ubyte", "cut"]),
    "hostile images": (
        idx(struct.pack(">IIII", 0x803, 2**32 - 1, 2**32 - 1, 2**32 - 1), LABELS),
        1,
        ["train-images-idx3-ubyte", "limit"],
    ),
    "fewer labels than images": (idx(IMAGES, LABELS[:-1].replace(b"\2", b"\1")), 1, ["labels"]),
    "a folder without data": (lambda path: path.mkdir(), 1, ["idx", "CIFAR-10"]),
    "nothing": (lambda _: None, 1, ["no file or folder"]),
    "an unknown kind": (blob(".docx", b"x"), 1, ["bad.docx", "Readable are"]),
}


@pytest.mark.parametrize("name", BAD)
def test_it_is_refused_with_place_and_remedy(capsys, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KILONET_ENGINE", "reference")
    write, status, words = BAD[name]
    write(tmp_path / "bad")
    before = {path.name for path in tmp_path.iterdir()}
    data = (before or {"bad"}).pop()
    target = [] if (tmp_path / data).is_dir() else ["--target", "y"]
    assert main(["fit", data, *target, "--epochs", "2", "--out", "model.kn"]) == status
    out, err = capsys.readouterr()
    assert out == ""
    assert err.splitlines()[0].startswith("Error: ")
    for word in words:
        assert word in err
    assert "Traceback" not in err
    assert "counting from 0" not in err or data == "bad.parquet"
    assert all(line.endswith((".", "?")) for line in err.splitlines())
    assert not (tmp_path / "model.kn").exists()
    assert len(list(tmp_path.iterdir())) <= 1


@pytest.mark.parametrize(
    ("task", "says"),
    [("regression", "holds text, but a regression needs numbers"), ("classification", None)],
)
def test_a_task_that_the_target_cannot_do(capsys, tmp_path, monkeypatch, task, says):
    monkeypatch.chdir(tmp_path)
    csv("a,y\n" + "1,yes\n2,no\n" * 10)(tmp_path / "good")
    csv(f"a,y\n{NUMBERS}")(tmp_path / "numbers")
    if says:
        assert main(["fit", "good.csv", "--target", "y", "--task", task]) == 1
        assert says in capsys.readouterr().err
    else:
        assert main(["fit", "numbers.csv", "--target", "y", "--task", task]) == 1
        assert "fractions, such as 0.5, which are no classes" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1,,x,0.5", ['"b"', "no value"]),
        ("1,oops,x,0.5", ['"b"', "the text 'oops'"]),
        ("1,inf,x,0.5", ['"b"', "holds inf"]),
        ("1,1e300,x,0.5", ['"b"', "1e+300", "float32"]),
        ("1,2020-01-01,x,0.5", ['"b"', "the text '2020-01-01'"]),
    ],
)
def test_numbers_as_they_are_are_checked_in_the_whole_file(capsys, tmp_path, monkeypatch, row, words):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KILONET_ENGINE", "reference")
    good = "a,b,c,y\n\n" + "".join(f"{i},{i % 5}.5,x,{i}.25\n" for i in range(20))
    plain = ["--target", "y", "--drop", "c", "--no-encode", "--epochs", "2", "--out", "m.kn"]
    csv(good)(tmp_path / "good")
    csv(f"{good}{row}\n")(tmp_path / "bad")
    for arguments in (["bad.csv"], ["good.csv", "--validation", "bad.csv"]):
        assert main(["fit", *arguments, *plain]) == 1
        error = capsys.readouterr().err
        for word in ["bad.csv: ", "line 23", "Mend the cell", "--no-encode", *words]:
            assert word in error
        assert "encode=" not in error
    assert main(["fit", "good.csv", *plain, "--early-stopping"]) == 0
    assert main(["predict", "m.kn", "bad.csv"]) == 1
    error = capsys.readouterr().err
    for word in ["bad.csv: ", "line 23", "Mend the cell, or leave the row out", *words]:
        assert word in error
    assert "encode" not in error


def test_truth_values_are_numbers_as_they_are(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    csv("a,y\n" + "true,1.5\nfalse,2.5\n" * 10)(tmp_path / "good")
    assert main(["fit", "good.csv", "--target", "y", "--no-encode", "--activation", "tanh", "--epochs", "2"]) == 0
    assert "Warning" not in capsys.readouterr().err


def test_validation_rows_are_checked_before_training(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    csv("a,c,y\n" + "1,x,yes\n2,z,no\n" * 10)(tmp_path / "good")
    for text, words in {
        "a,c,y\n1,x,yes\n1,x,perhaps\n": ["other.csv", "'perhaps'", "line 3", "no, yes"],
        "a,y\n1,yes\n": ["other.csv", "lacks 1 of the 2", "c"],
        "a,c\n1,x\n": ["other.csv", '"y"'],
        "a,c,y\n1,x,yes\ninf,x,yes\n": ["other.csv", '"a"', "line 3"],
    }.items():
        (tmp_path / "other.csv").write_text(text)
        assert main(["fit", "good.csv", "--target", "y", "--validation", "other.csv"]) == 1
        err = capsys.readouterr().err
        for word in words:
            assert word in err
    assert not (tmp_path / "good.kn").exists()
