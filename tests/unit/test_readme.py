"""What the README shows is what happens: its examples run here, in the order in which they stand.

The Korean README has a text of its own, but no code, figure or link of its own.
"""

import os
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import kilonet as kn
from kilonet.cli import main

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
KOREAN = (ROOT / "README.ko.md").read_text(encoding="utf-8")
TERMS = (ROOT / "docs" / "terms.md").read_text(encoding="utf-8")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


# A search takes the minute that it is given; so little is tried here that seconds are enough.
SMALL = ["--hidden", "8", "--l2", "1e-3", "--rate", "0.01", "--seeds", "1", "--no-nested"]


def blocks(language: str) -> list[str]:
    """Return the fenced blocks of a language."""
    return [code for found, code in FENCED.findall(README) if found == language]


def sections(text: str) -> list[str]:
    """Return what stands before the first heading, and then what stands under each one."""
    return re.split(r"^## .*\n", FENCED.sub("", text), flags=re.MULTILINE)


def without_comments(language: str, code: str) -> str:
    """Return the code as it runs; what programs print has no comments, and stays as it is."""
    return code if language == "text" else re.sub(r"(^|[ \t]+)#.*$", "", code, flags=re.MULTILINE)


def figures(text: str) -> Counter[str]:
    """Count the numbers of a text; digits inside of names, such as float32, and of addresses are none."""
    return Counter(re.findall(r"(?<![A-Za-z\d])\d+(?:[.,]\d+)*", re.sub(r"\]\(.*?\)", "]", text)))


def table_rows(text: str) -> list[list[str]]:
    """Return the cells of the tables' rows, without headings; the dashes under them are cut short."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    rows = [[re.sub("-{2,}", "-", cell.strip()) for cell in line.strip("|").split("|")] for line in lines]
    ruled = [set("".join(row)) <= set("-:") for row in rows]
    return [row for row, heading in zip(rows, [*ruled[1:], False], strict=True) if not heading]


def links(text: str) -> set[str]:
    """Return all addresses that a text links to."""
    return set(re.findall(r"\]\((.*?)\)", text))


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


def test_the_korean_readme_has_the_same_code() -> None:
    def code(text: str) -> list[tuple[str, str]]:
        return [(language, without_comments(language, block)) for language, block in FENCED.findall(text)]

    assert code(KOREAN) == code(README)


def test_the_korean_readme_has_the_same_tables_under_headings_of_its_own() -> None:
    assert len(table_rows(README)) > 10
    assert table_rows(KOREAN) == table_rows(README)


def test_the_korean_readme_has_the_same_figures_in_every_paragraph() -> None:
    pairs = list(zip(sections(README), sections(KOREAN), strict=True))
    assert len(pairs) > 8
    for section in pairs:
        english, korean = ([count for text in side.split("\n\n") if (count := figures(text))] for side in section)
        assert korean == english  # words may stand in another order


def test_figures_of_comments_in_code_are_the_same() -> None:
    for english, korean in zip(FENCED.findall(README), FENCED.findall(KOREAN), strict=True):
        assert figures(korean[1]) == figures(english[1])


def test_the_korean_readme_names_the_same_things_in_code() -> None:
    for english, korean in zip(sections(README), sections(KOREAN), strict=True):
        assert set(re.findall(r"`(.+?)`", korean)) == set(re.findall(r"`(.+?)`", english))


def test_both_readmes_link_to_the_same_places_and_to_each_other() -> None:
    own = {"README.md", "README.ko.md", "docs/terms.md"}  # terms are for readers of either, but of Korean above all
    assert links(KOREAN) - own == links(README) - own
    assert "README.md" in links(KOREAN)
    assert "README.ko.md" in links(README)
    for address in {address for address in links(README) | links(KOREAN) if "://" not in address}:
        assert (ROOT / address).exists(), address


def glossary() -> dict[str, str]:
    """Return the Korean word of every English term; other words for it stand in brackets, and are left out."""
    rows = [row for row in table_rows(TERMS) if not row[0].startswith("-")]
    terms = {english: re.sub(r" \(.*\)", "", korean) for english, korean, *_ in rows}
    assert len(terms) == len(rows)
    return terms


def test_the_glossary_has_a_word_of_its_own_for_every_term() -> None:
    terms = glossary()
    assert len(terms) >= 40
    assert len(set(terms.values())) == len(terms)


def test_korean_terms_are_those_of_the_glossary_and_explained_at_their_first_use() -> None:
    prose = FENCED.sub("", KOREAN)
    terms = glossary()
    explained = {english: korean.strip() for korean, english in re.findall(r"([가-힣 ]+)\(([a-z][a-z -]+)\)", prose)}
    assert len(explained) >= 20
    for english, korean in explained.items():
        assert korean.endswith(terms[english]), english
    for english, korean in terms.items():
        for first in list(re.finditer(rf"(?<![가-힣]){korean}", prose))[:1]:
            assert prose.startswith(f"({english})", first.end()), prose[first.start() :][:60]
