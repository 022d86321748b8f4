"""`--members`: several networks in one command, whose mean is judged, saved, shown and predicts."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import kilonet as kn
from kilonet import persistence
from kilonet.cli import main
from kilonet.cli.progress import describe

QUICK = ["fit", "digits", "--hidden", "5", "--epochs", "4", "--members", "3", "--out", "d.kn"]
STOPPING = ["--epochs", "60", "--early-stopping", "--patience", "2", "--rate", "0.05"]


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KILONET_ENGINE", "reference")
    return tmp_path


def python(**settings):
    X, y = load_digits(return_X_y=True)
    X, X_held, y, y_held = train_test_split(X.astype(np.float32), y, test_size=0.2, random_state=0, stratify=y)
    plain = {"hidden": 5, "epochs": 4, "members": 3, "random_state": 0}
    return kn.MLPClassifier(**plain | settings).fit(X, y), X_held, y_held


def test_the_numbers_are_those_of_python_and_the_mean_is_judged(capsys):
    assert main([*QUICK, "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    model, X_held, y_held = python()
    loaded = kn.load("d.kn")
    assert loaded.theta_.tobytes() == model.theta_.tobytes()
    assert (result["members"], result["best_epoch"], result["epochs_done"]) == (3, [4, 4, 4], 4)
    assert result["network"]["n_parameters"] == 385
    right = int(np.sum(model.predict(X_held) == y_held))
    assert (result["held_out"]["right"], result["held_out"]["score"]) == (right, model.score(X_held, y_held))
    p = model.predict_proba_members(X_held).mean(axis=0)
    assert result["held_out"]["loss"] == pytest.approx(-np.log(p[np.arange(360), y_held]).mean(), rel=1e-5)
    assert result["training"]["loss"] == pytest.approx(model.history_.loss[-1].mean())
    assert result["training"]["score"] == pytest.approx(model.history_.score[-1].mean())
    assert persistence.load("d.kn").extra["run"]["members"] == 3


def test_one_member_is_told_as_ever(capsys):
    assert main(["fit", "digits", "--hidden", "5", "--epochs", "2", "--json", "--out", "d.kn"]) == 0
    out, err = capsys.readouterr()
    assert (json.loads(out)["members"], json.loads(out)["best_epoch"]) == (1, 2)
    assert "64-5-10 relu: 2 layers" in err
    main(["show", "d.kn"])
    shown = capsys.readouterr().out
    assert "member" not in err + shown
    assert "(epoch 2 of 2)" in shown


def test_the_story(capsys):
    assert main(QUICK) == 0
    out, err = capsys.readouterr()
    assert "3 members, each 64-5-10 relu: 2 layers, 15 neurons, 370 weights, 15 biases, 385 parameters" in err
    assert "(while learning, mean of 3 members, epoch 4)" in out
    assert "of 360 rows right" in out


def test_members_that_stop_at_their_own_epochs(capsys):
    assert main([*QUICK, *STOPPING]) == 0
    out, err = capsys.readouterr()
    model, *_ = python(epochs=60, early_stopping=True, patience=2, rate=0.05)
    best, done = model.best_epoch_, model.n_iter_
    assert min(best) < max(best) < done
    assert f"the best were epochs {min(best)} to {max(best)};" in err
    assert f"mean of 3 members, epochs {min(best)} to {max(best)}, the best of {done})" in out
    assert kn.load("d.kn").best_epoch_.tolist() == best.tolist()
    capsys.readouterr()
    assert main(["show", "d.kn"]) == 0
    shown = capsys.readouterr().out
    place = (best - 1, np.arange(3))
    for label, loss in (("training", model.history_.loss), ("validation", model.history_.validation_loss)):
        line = next(line for line in shown.splitlines() if line.startswith(label))
        assert f"loss {loss[place].mean():.4g}, accuracy" in line
        assert f"(mean of 3 members, epochs {min(best)} to {max(best)} of {done})" in line


def test_show_tells_the_members_and_counts_one_network(capsys):
    assert main(QUICK) == 0
    capsys.readouterr()
    assert main(["show", "d.kn"]) == 0
    shown = capsys.readouterr().out
    assert (
        "members    3 networks of equal shape, trained at once; the mean of what they predict is the prediction"
        in shown
    )
    assert "Architecture of each member" in shown
    assert "64-5-10  15 neurons      370      15         385" in shown
    assert main(["show", "d.kn", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["members"], result["network"]["n_parameters"]) == (3, 385)
    assert np.shape(result["history"]["loss"]) == (4, 3)


@pytest.mark.parametrize("best", [[1, 2], [1, "x", 3], [10**30, 0, -5], -7, "x", [[1], [2], [3]]])
def test_strange_notes_of_best_epochs_are_left_out(best, capsys):
    assert main(QUICK) == 0
    model = persistence.load("d.kn")
    persistence.save(replace(model, extra={"run": {"best_epoch": best}}), "strange.kn")
    capsys.readouterr()
    assert main(["show", "strange.kn"]) == 0
    assert "(mean of 3 members, epoch 4 of 4)" in capsys.readouterr().out


def test_predict_takes_the_mean(capsys):
    assert main(QUICK) == 0
    model = kn.load("d.kn")
    X, y = load_digits(return_X_y=True)
    capsys.readouterr()
    assert main(["predict", "d.kn", "digits", "--json", "--proba", "--score"]) == 0
    result = json.loads(capsys.readouterr().out)
    mean = model.predict_proba_members(X).mean(axis=0)
    np.testing.assert_allclose(result["probabilities"], mean, atol=1e-6)  # float32 rows, told in float32
    assert result["predictions"] == mean.argmax(axis=1).tolist()
    assert result["score"]["value"] == pytest.approx(np.mean(mean.argmax(axis=1) == y))


def test_a_regression(capsys, in_a_folder):
    rows = "".join(f"{x},{x * 7 + 0.5}\n" for x in range(40))
    (in_a_folder / "line.csv").write_text("x,y\n" + rows)
    assert main(["fit", "line.csv", "--target", "y", "--hidden", "4", "--epochs", "5", "--members", "2", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    model = kn.load("line.kn")
    assert result["held_out"]["rows"] == 8
    assert main(["predict", "line.kn", "line.csv"]) == 0
    told = [float(line) for line in capsys.readouterr().out.splitlines()[1:]]
    own = model.predict_members(kn.read("line.csv", "y").X)
    assert own.shape == (2, 40)
    np.testing.assert_allclose(told, own.mean(axis=0), rtol=1e-5)


def test_the_bar_tells_means():
    two = np.array([0.5, 1.0])
    record = kn.EpochRecord(1, 5, two, two / 2, two * 2, two, 0.1)
    assert describe("classification", "held out", record) == "loss 0.75, accuracy 37.5%; held out 1.5, 75.0%"
    stopped = np.array([0.5, np.nan])
    record = kn.EpochRecord(1, 5, stopped, stopped, stopped * np.nan, stopped, 0.1)
    assert describe("classification", "held out", record) == "loss 0.5, accuracy 50.0%"


def test_a_number_of_members_that_is_none(capsys):
    assert main(["fit", "digits", "--members", "0"]) == 2
    assert "'0' is not a whole number, at least 1" in capsys.readouterr().err
