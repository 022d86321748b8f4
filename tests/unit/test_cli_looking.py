"""What `kilonet fit` says when training is over and something went wrong: one line with the command that tells more."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from kilonet.cli import main
from kilonet.cli.asked import Asked
from kilonet.cli.console import Console
from kilonet.cli.looking import Lookout
from kilonet.findings import Finding, Remedy


@pytest.fixture(autouse=True)
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables in a fresh working folder: learnable, large numbers, and noise with many inputs."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    X = random.normal(size=(300, 2))
    write("my data.csv", X, np.where(X[:, 0] + X[:, 1] ** 2 > 0.7, "yes", "no"))
    write("large.csv", 300 * X + 900, np.where(X[:, 0] > 0, "yes", "no"))
    X = random.normal(size=(120, 20))
    write("noise.csv", X, X[:, 0] + 2 * random.normal(size=120))


def write(name: str, X: np.ndarray, y: np.ndarray) -> None:
    head = [*(f"x{place}" for place in range(X.shape[1])), "y"]
    rows = [[*(f"{value:.4f}" for value in row), str(target)] for row, target in zip(X, y, strict=True)]
    Path(name).write_text("\n".join(",".join(row) for row in [head, *rows]))


def fitted(capsys: pytest.CaptureFixture[str], line: str) -> str:
    """What `kilonet fit` warns of."""
    assert main(["fit", *shlex.split(line), "--target", "y", "-q", "--out", "m.kn"]) == 0
    return capsys.readouterr().err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("'my data.csv' --l2 3 --epochs 100", "l2=3 pulls the weights towards zero"),
        ("'my data.csv' --activation sigmoid --hidden 8,8,8,8,8,8 --epochs 20", "97% of that of knowing nothing|fade"),
        ("large.csv --no-encode --epochs 10", "inputs are not scaled"),
        ("'my data.csv' --rate 1e-6 --epochs 20", "he rate 1e-06 is (below all|too low)"),
        ("noise.csv --epochs 300", "learned by heart"),
    ],
)
def test_one_line_names_the_trouble_and_the_command(capsys: pytest.CaptureFixture[str], line: str, said: str) -> None:
    err = fitted(capsys, line)
    assert len(err.splitlines()) == 1
    assert re.search(said, err)
    command = re.search("`kilonet (.+)` tells more", err)
    assert command
    assert main(shlex.split(command[1])) in (0, 3)
    out = capsys.readouterr().out
    assert not out.startswith("Nothing is wrong")
    assert re.search(said, " ".join(out.split()))  # the same finding


def test_what_was_told_on_the_way_is_not_told_again(capsys: pytest.CaptureFixture[str]) -> None:
    err = fitted(capsys, "'my data.csv' --rate 5 --epochs 30")
    *before, last = err.splitlines()
    assert before
    assert last == "Warning: `kilonet diagnose m.kn 'my data.csv'` tells more of this, and what cures it."


@pytest.mark.parametrize("more", ["", "--early-stopping", "--activation tanh --hidden 16,16", "--members 3"])
def test_a_healthy_fit_is_silent(capsys: pytest.CaptureFixture[str], more: str) -> None:
    assert fitted(capsys, f"'my data.csv' --rate 0.01 {more}") == ""


@pytest.mark.parametrize(
    ("because", "on_the_way", "said"),
    [
        (None, False, "Raise --epochs"),
        ("low rate", False, "`kilonet diagnose m.kn d.csv` tells more"),  # which says how
        ("", False, "something. Raise --epochs `kilonet diagnose m.kn d.csv` tells more"),  # which is a cause
        ("over-fitting", False, "`kilonet diagnose m.kn d.csv` tells more"),  # more epochs would make it worse
        ("rate", False, "`kilonet diagnose m.kn d.csv` tells more"),
        (None, True, "`kilonet diagnose m.kn d.csv` tells more of this"),
    ],
)
def test_longer_training_is_advised_where_nothing_else_is_wrong(
    capsys: pytest.CaptureFixture[str], because: str | None, on_the_way: bool, said: str
) -> None:
    seen = Finding("a rule", "warn", "something", because=because or "")
    asked = Asked.of("d.csv", {"out": "m.kn"})
    lookout = Lookout(Console(), asked, [seen] if on_the_way else [])
    lookout.tell([] if because is None else [seen], "Raise --epochs")
    err = capsys.readouterr().err
    assert said in err
    assert err.count("Warning") == 1


def test_a_training_that_failed_is_not_told_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    err = fitted(capsys, "'my data.csv' --rate 1e-6 --epochs 60")
    assert "Raise --epochs" not in err
    assert "the rate 1e-06 is too low" in err
    assert "`kilonet diagnose m.kn 'my data.csv'` tells more, and what cures it" in err


def test_fit_and_diagnose_see_the_same_validation_curve(capsys: pytest.CaptureFixture[str]) -> None:
    said = fitted(capsys, "noise.csv --epochs 300").partition("the validation loss was lowest ")[2].partition(" ago")[0]
    assert said.endswith("epochs")
    main(["diagnose", "m.kn", "noise.csv", "-q"])
    assert f"the validation loss was lowest {said} ago" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("remedies", "others", "said"),
    [
        ([Remedy("ask", {})], 0, "tells more."),
        ([Remedy("less", {"l2": 0.0})], 0, "tells more, and what cures it."),
        ([Remedy("ask", {})], 2, "tells more, also of 2 further findings."),
    ],
)
def test_a_cure_is_promised_where_there_is_something_to_change_and_findings_are_counted(
    capsys: pytest.CaptureFixture[str], remedies: list[Remedy], others: int, said: str
) -> None:
    first = Finding("a rule", "warn", "something", remedies=remedies)
    Lookout(Console(), Asked.of("d.csv", {"out": "m.kn"})).tell([first, *[Finding("b", "warn", "more")] * others])
    assert capsys.readouterr().err.endswith(f"`kilonet diagnose m.kn d.csv` {said}\n")
