"""What the README shows is what happens: its examples run here, in the order in which they stand."""

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import kilonet as kn
from kilonet.cli import main

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


# A search takes the minute that it is given; so little is tried here that seconds are enough.
SMALL = ["--hidden", "8", "--l2", "1e-3", "--rate", "0.01", "--seeds", "1", "--no-nested"]


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return the empty folder in which the test runs."""
    before = Path.cwd()
    os.chdir(tmp_path)
    yield tmp_path
    os.chdir(before)


def test_the_first_python_example_is_ten_lines() -> None:
    assert len(blocks("python")[0].splitlines()) == 10


def test_python(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    for block in blocks("python"):
        exec(block, names)  # noqa: S102 - the project's own examples
    said = capsys.readouterr().out
    accuracy = re.search(r"not seen: (0\.\d+)", said)
    assert accuracy is not None
    assert float(accuracy[1]) > 0.95  # of 450 rows; linear classifiers reach it on this data
    assert isinstance(kn.load(folder / "digits.kn"), kn.MLPClassifier)


def house_rows(path: Path, rows: int, seed: int, priced: bool) -> None:
    """Write a small table of houses, with or without what they cost."""
    random = np.random.default_rng(seed)
    size, rooms = random.uniform(40, 200, rows).round(1), random.integers(1, 8, rows)
    head = ["size,rooms", "price"]
    lines = [f"{s},{r}" + (f",{2000 * s + 9000 * r:.0f}" if priced else "") for s, r in zip(size, rooms, strict=True)]
    path.write_text("\n".join([",".join(head if priced else head[:1]), *lines]) + "\n")


def test_command_lines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    house_rows(folder / "houses.csv", 200, seed=0, priced=True)
    house_rows(folder / "new.csv", 5, seed=1, priced=False)
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("kilonet ")]
    assert len(commands) >= 4
    for command in commands:
        words = shlex.split(command, comments=True)[1:]
        more = SMALL if words[0] == "choose" else []
        assert main([*words, *more]) == (3 if words[0] == "diagnose" else 0), command  # that network is sick
    assert len(capsys.readouterr().out.splitlines()) >= 5
