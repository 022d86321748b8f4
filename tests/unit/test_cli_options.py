"""Options are checked before anything is read, and the help tells the truth."""

import inspect
import pathlib
import re

import pytest

import kilonet as kn
from kilonet.cli import main


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KILONET_ENGINE", "reference")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ("--rate nan", "'nan' is not a number, above 0"),
        ("--rate 0", "'0' is not a number, above 0"),
        ("--max-norm inf", "'inf' is not"),
        ("--dropout 1", "at least 0 and below 1"),
        ("--l2 -1", "'-1' is not a number, at least 0"),
        ("--batch 0", "a whole number, at least 1, or auto"),
        ("--epochs 1.5", "a whole number, at least 1, or auto"),
        ("--seed 4294967296", "at most 4,294,967,295"),
        ("--threads 0", "'0' is not a whole number, at least 1 and at most 256"),
        ("--threads 257", "at most 256"),
        ("--hidden 64,x", "'x' is no number of units"),
        ("--hidden 0", "'0' is no number of units"),
        ("--hidden ²", "is no number of units"),
        ("--activation relo", "Did you mean relu?"),
        ("--activation leaky_relu(__import__('os'))", "leaky_relu"),
        ("--loss nothing", "unknown loss"),
        ("--optimizer nothing", "unknown optimizer"),
        ("--schedule nothing", "unknown schedule"),
        ("--schedule 1,-1", "every factor must be"),
        ("--initializer nothing", "unknown initializer"),
        ("--task guess", "is not one of"),
        ("--patience 3", "no effect without --early-stopping"),
        ("--validation a.csv --validation-fraction 0.1", "Leave one out"),
        ("--nonsense", "No such option '--nonsense'"),
        ("--target other", 'brings its own target ("digit")'),
        ("--out no/where.kn", "there is no folder"),
        ("--out .", "is a folder"),
        ("--out /dev/null", "is a device"),
    ],
)
def test_wrong_usage_exits_2_and_names_the_remedy(capsys, in_a_folder, arguments, says):
    assert main(["fit", "digits", *arguments.split()]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("Error: ")
    assert says in err
    assert "Traceback" not in err
    assert list(in_a_folder.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "Usage: kilonet"),
        (["train"], "No such command 'train'"),
        (["fit"], "Missing argument 'DATA'"),
        (["fit", "a", "b"], "unexpected extra argument"),
        (["predict", "a"], "Missing argument 'ROWS'"),
        (["show"], "Missing argument 'MODEL'"),
        (["show", "a", "--nonsense"], "No such option"),
    ],
)
def test_wrong_commands_exit_2(capsys, arguments, says):
    assert main(arguments) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--help"], ["fit", "--help"], ["predict", "-h"], ["show", "--help"]])
def test_help_goes_to_stdout_and_exits_0(capsys, arguments):
    assert main(arguments) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Usage: kilonet")
    assert err == ""
    assert "\b" not in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["fit", "a.csv", "--targt", "y"], "No such option '--targt'. Did you mean --target?"),
        (["fit", "a.csv", "--lr", "0.1"], "No such option '--lr'. Did you mean --rate?"),
        (["fit", "a.csv", "--learning-rate", "0.1"], "No such option '--learning-rate'. Did you mean --rate?"),
        (["fit", "a.csv", "--max-iter", "9"], "No such option '--max-iter'. Did you mean --epochs?"),
        (["fit", "a.csv", "--batch_size=9"], "No such option '--batch_size'. Did you mean --batch?"),
        (["fit", "a.csv", "--random-state", "9"], "No such option '--random-state'. Did you mean --seed?"),
        (
            ["fit", "a.csv", "--hidden-layer-sizes", "9"],
            "No such option '--hidden-layer-sizes'. Did you mean --hidden?",
        ),
        (
            ["fit", "a.csv", "--alpha", "1"],
            (
                "No such option '--alpha'. Did you mean --l2? alpha is divided by the rows of a batch, l2 is not: "
                "l2 = alpha / batch."
            ),
        ),
        (["predict", "a.kn", "b.csv", "--batch-size", "3"], "No such option '--batch-size'."),
        (["fit", "a.csv", "--hiden", "5"], "No such option '--hiden'. Did you mean --hidden?"),
        (["predict", "a.kn", "b.csv", "--prob"], "No such option '--prob'. Did you mean --proba?"),
        (["show", "a.kn", "--zzz"], "No such option '--zzz'."),
        (["predct", "a.kn"], "No such command 'predct'. Did you mean predict?"),
    ],
)
def test_a_slip_of_the_pen_is_understood(capsys, arguments, says):
    assert main(arguments) == 2
    assert capsys.readouterr().err.splitlines()[0] == f"Error: {says}"


def test_a_name_near_that_of_a_missing_model(capsys, in_a_folder):
    (in_a_folder / "houses.kn").touch()
    for arguments in (["show", "house.kn"], ["predict", "house.kn", "rows.csv"]):
        assert main(arguments) == 1
        assert capsys.readouterr().err == "Error: there is no file house.kn. Did you mean houses.kn?\n"
    assert main(["show", str(in_a_folder / "hous.kn")]) == 1
    assert "hous.kn. Did you mean houses.kn?" in capsys.readouterr().err
    assert main(["show", "nothing/house.kn"]) == 1
    assert capsys.readouterr().err == "Error: there is no file nothing/house.kn.\n"


def test_a_folder_that_may_not_be_listed(capsys, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(pathlib.Path, "iterdir", refuse)
    for arguments in (["show", "house.kn"], ["predict", "house.kn", "rows.csv"]):
        assert main(arguments) == 1
        assert capsys.readouterr().err == "Error: there is no file house.kn.\n"
    assert main(["fit", "house.csv", "--target", "y"]) == 1
    assert capsys.readouterr().err.startswith("Error: there is no file or folder 'house.csv'. Readable are ")


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("kilonet ")


def parameters(estimator):
    return {name: field.default for name, field in inspect.signature(estimator).parameters.items()}


def test_the_defaults_that_help_tells_are_those_of_the_estimators(capsys):
    """The command line passes on only what was given, so the text of its help could go stale unnoticed."""
    main(["fit", "--help"])
    text = re.sub(r"\s+", " ", capsys.readouterr().out)
    default = parameters(kn.MLPClassifier)
    assert default == parameters(kn.MLPRegressor) | {"class_weight": None}
    assert f"hidden layers, {default['hidden'][0]} unless given" in text
    assert f"{default['activation']} unless given; others" in text
    assert f"{default['optimizer']} unless given" in text
    assert f"{default['schedule']} unless given" in text
    assert f"Σw² is added to the mean loss; {default['l2']:.4f} unless given" in text
    assert f"{default['monitor']} unless given" in text
    assert f"different initial weights, {default['members']} unless given" in text
    assert f"before stopping; {default['patience']} unless given" in text
    assert (default["hidden"], default["validation_fraction"], default["min_delta"]) == ((100,), 0.1, 0.0)
    assert (default["batch"], default["epochs"], default["rate"], default["encode"]) == ("auto", "auto", None, "auto")
    assert (default["l1"], default["dropout"], default["input_noise"], default["max_norm"]) == (0, 0, 0, None)
