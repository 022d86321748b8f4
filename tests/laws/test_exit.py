"""The exit law: whatever fails exits non-zero, and whatever exits zero is true.

Each command runs as a process of its own, with real signals, pipes, disks and files.
"""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from kilonet import persistence
from kilonet.tables import TableEncoder

COMMAND = [sys.executable, "-m", "kilonet.cli"]
QUICK = ["--hidden", "6", "--epochs", "4"]
PATIENCE = 120  # seconds until a command counts as hanging; it needs a few, more on a busy machine


def environment():
    """The checkout comes first, whether the package is installed or not."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def kilonet(folder, *arguments, **more):
    settings = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "timeout": PATIENCE} | more
    return subprocess.run(  # noqa: S603 - our own command
        [*COMMAND, *arguments], cwd=folder, env=environment(), check=False, **settings
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A folder with a fitted model and what `fit --json` said about it."""
    folder = tmp_path_factory.mktemp("exit")
    done = kilonet(folder, "fit", "digits", *QUICK, "--json", "--out", "d.kn")
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


class TestZeroIsTrue:
    def test_fit_tells_what_the_file_holds(self, model):
        """The numbers told are computed again here from the file's parameters, in NumPy and by hand."""
        folder, told = model
        saved = persistence.load(folder / "d.kn")
        X, y = load_digits(return_X_y=True)
        _, held, _, y_held = train_test_split(X, y, test_size=0.2, random_state=0, stratify=y)
        hidden, output = saved.network.views(saved.theta.astype(np.float64))
        a = TableEncoder.from_json(saved.encoder).transform(held)
        scores = np.maximum(a @ hidden.W.T + hidden.b, 0) @ output.W.T + output.b
        right = int((scores.argmax(axis=1) == y_held).sum())
        assert told["held_out"]["right"] == right
        assert told["held_out"]["score"] == right / 360
        loss = (np.log(np.exp(scores).sum(axis=1)) - scores[np.arange(360), y_held]).mean()
        assert told["held_out"]["loss"] == pytest.approx(loss, rel=1e-5)  # told ones are of float32
        assert told["epochs_done"] == len(saved.history["loss"]) == 4
        assert told["training"]["loss"] == saved.history["loss"][-1]
        assert told["network"]["n_parameters"] == saved.theta.size == 64 * 6 + 6 + 6 * 10 + 10

    def test_show_and_predict_agree_with_it(self, model):
        folder, told = model
        shown = kilonet(folder, "show", "d.kn", "--json")
        predicted = kilonet(folder, "predict", "d.kn", "digits", "--json", "--score")
        assert (shown.returncode, predicted.returncode) == (0, 0)
        assert json.loads(shown.stdout)["run"]["held_out"] == told["held_out"]
        result = json.loads(predicted.stdout)
        y = load_digits(return_X_y=True)[1]
        assert result["score"]["value"] == pytest.approx(np.mean(np.array(result["predictions"]) == y))

    def test_standard_error_is_quiet_when_it_is_no_terminal(self, model):
        """No bar, no escape codes: the story is plain lines."""
        folder, _ = model
        done = kilonet(folder, "fit", "digits", *QUICK, "--out", "e.kn")
        assert done.returncode == 0
        assert "\x1b" not in done.stderr + done.stdout
        assert "\r" not in done.stderr


class TestFailureIsNotZero:
    @pytest.mark.parametrize(
        ("arguments", "status"),
        [
            (["fit", "nothing.csv", "--target", "y"], 1),
            (["fit", "digits", "--optimizer", "sgd", "--rate", "1e30", "--out", "x.kn"], 1),
            (["fit", "digits", "--rate", "no"], 2),
            (["fit", "digits", "--no-such-option"], 2),
            (["predict", "d.kn", "nothing.csv"], 1),
            (["predict", "nothing.kn", "digits"], 1),
            (["predict", "d.kn"], 2),
            (["show", "nothing.kn"], 1),
            (["nonsense"], 2),
        ],
    )
    def test_what_fails(self, model, arguments, status):
        done = kilonet(model[0], *arguments)
        assert done.returncode == status
        assert done.stdout == ""
        assert done.stderr.strip()
        assert "Traceback" not in done.stderr
        assert not (model[0] / "x.kn").exists()

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")
    @pytest.mark.parametrize(
        "arguments",
        [["show", "d.kn"], ["predict", "d.kn", "digits"], ["fit", "digits", *QUICK, "--out", "f.kn"], ["--help"]],
    )
    def test_a_full_disk_behind_stdout(self, model, arguments):
        with Path("/dev/full").open("w") as full:
            done = kilonet(model[0], *arguments, stdout=full)
        assert done.returncode == 1
        assert "No space left on device" in done.stderr
        assert "Traceback" not in done.stderr

    def test_a_reader_that_goes_away(self, model):
        """`kilonet predict ... | head -1`: no complaint, but no success either."""
        read, write = os.pipe()
        os.close(read)
        try:
            done = kilonet(model[0], "predict", "d.kn", "digits", stdout=write)
        finally:
            os.close(write)
        assert done.returncode == 1
        assert done.stderr == ""

    def test_a_closed_stdout(self, model):
        done = kilonet(model[0], "show", "d.kn", stdout=None, preexec_fn=lambda: os.close(1))
        assert done.returncode == 1
        assert "standard output is closed" in done.stderr


class TestTheOutputFile:
    def test_a_write_that_breaks_off_leaves_the_old_file(self, model):
        """A real limit on file sizes: the model's bytes do not fit, after training went well."""
        folder, _ = model
        (folder / "old.kn").write_bytes(b"precious")
        before = sorted(path.name for path in folder.iterdir())

        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

        done = kilonet(folder, "fit", "digits", *QUICK, "--out", "old.kn", preexec_fn=limit)
        assert done.returncode == 1
        assert "old.kn could not be written: File too large" in done.stderr
        assert (folder / "old.kn").read_bytes() == b"precious"
        assert sorted(path.name for path in folder.iterdir()) == before

    def test_a_killed_fit_leaves_the_old_file(self, model):
        folder, _ = model
        (folder / "kept.kn").write_bytes(b"precious")
        process = started(folder, "--out", "kept.kn")
        process.kill()
        process.communicate(timeout=PATIENCE)
        assert process.returncode != 0
        assert (folder / "kept.kn").read_bytes() == b"precious"


def started(folder, *arguments):
    """A fit that would take hours, once it has told what network it trains."""
    process = subprocess.Popen(  # noqa: S603 - our own command
        [*COMMAND, "fit", "digits", "--hidden", "6", "--epochs", "2000000", "--schedule", "constant", *arguments],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in process.stderr:
        if line.startswith("network"):
            break
    return process


def interrupted(folder, *arguments):
    """A fit that got Ctrl-C while it trained: status, stdout, stderr, and the seconds that it took to end."""
    for wait in (1, 4, 16):  # on a busy machine training may not have begun after a second
        process = started(folder, *arguments)
        time.sleep(wait)
        process.send_signal(signal.SIGINT)
        pressed = time.perf_counter()
        out, err = process.communicate(timeout=PATIENCE)
        took = time.perf_counter() - pressed
        if "nothing was saved" not in err:
            break
    return process.returncode, out, err, took


class TestCtrlC:
    def test_what_was_learned_is_saved(self, tmp_path):
        status, out, err, took = interrupted(tmp_path, "--json", "--out", "d.kn")
        assert status == 130, err
        told = json.loads(out)
        assert told["interrupted"] is True
        assert "interrupted after" in err
        assert "Traceback" not in err
        saved = persistence.load(tmp_path / "d.kn")
        assert 0 < told["epochs_done"] == len(saved.history["loss"]) < 2000000
        assert told["held_out"]["score"] > 0.5
        assert [path.name for path in tmp_path.iterdir()] == ["d.kn"]
        assert took < 5  # a second on a machine that does nothing else

    def test_with_early_stopping_the_best_weights_are_kept(self, tmp_path):
        patient = ["--early-stopping", "--patience", "1000000"]
        status, _, err, _ = interrupted(tmp_path, *patient, "--out", "d.kn")
        assert status == 130, err
        saved = persistence.load(tmp_path / "d.kn")
        best = int(np.nanargmin(saved.history["validation_loss"])) + 1
        assert saved.extra["best_epoch"] == best

    def test_before_training_there_is_nothing_to_save(self, tmp_path, monkeypatch, capsys):
        from kilonet.cli import main, rows  # noqa: PLC0415 - the only test here inside this process

        def read(*_):
            raise KeyboardInterrupt

        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(rows, "read", read)
        assert main(["fit", "digits"]) == 130
        assert "nothing was saved" in capsys.readouterr().err
        assert list(tmp_path.iterdir()) == []
