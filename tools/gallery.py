"""Run every experiment on the lecture notes and write the gallery: docs/notes.md, with pictures in docs/notes/.

`make docs` calls it. Names as arguments choose some, --small runs them as tests do, --into names another folder.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from kilonet.measured import LANGUAGES, VERDICTS, Measured, Table, Text
from kilonet.notes import NAMES, Experiment, Size, experiment
from kilonet.persistence.atomic import replace_file
from kilonet.plots.experiment import ExperimentDisplay, rendered

Run = tuple[Experiment, Measured]

HEAD = """# The notes, measured · 노트의 주장을 측정하다

| English | 한국어 |
|---|---|
| Kilonet grew from lecture notes on how neural networks are set up. Each experiment below takes one of their claims \
and measures it in seconds: `kilonet notes NAME`. Whether it agrees follows from the interval of what was measured, \
by a rule that stands beside the claim in the code; where it does not, it says so. \
| Kilonet은 신경망의 구성을 다룬 강의 노트에서 출발했습니다. 아래의 실험은 노트의 주장을 하나씩 골라 \
몇 초 만에 측정합니다: `kilonet notes NAME --lang ko`. 일치 여부는 코드에서 주장 바로 옆에 적힌 규칙에 따라 \
측정값의 신뢰구간에서 정해지며, 노트와 다르면 다르다고 적습니다. |

This page is written by `make docs`, and every number in it comes out of a run ·
이 문서는 `make docs`가 쓰며, 모든 수치는 실제로 실행해서 얻은 것입니다.
"""


def page(runs: Sequence[Run]) -> str:
    """The gallery in Markdown: a summary, then a section for each experiment, both languages side by side."""
    summary = [
        f"| [{own.name}](#{own.name}) | {', '.join(own.rows)} | {_both(own.title)} | {_both(VERDICTS[found.verdict])} |"
        for own, found in runs
    ]
    lines = [
        HEAD,
        "| experiment · 실험 | row · 항목 | title · 제목 | verdict · 판정 |",
        "|---|---|---|---|",
        *summary,
        "",
    ]
    return "\n".join(lines + [_section(*run) for run in runs])


def _section(own: Experiment, found: Measured) -> str:
    verdict = VERDICTS[found.verdict]
    english, korean = (f"**{verdict.of(one)}**: {_cell(found.statement.of(one))}" for one in LANGUAGES)
    alt = found.figure.alt.en.replace("[", "(").replace("]", ")")
    return "\n".join(
        [
            f"## {own.name}", "", "| | English | 한국어 |", "|---|---|---|",
            f"| | **{_cell(own.title.en)}** | **{_cell(own.title.ko)}** |",
            f"| notes · 노트 | {_cell(own.claim.en)} | {_cell(own.claim.ko)} |",
            f"| measured · 측정 | {english} | {korean} |",
            "", f"![{alt}](notes/{own.name}.svg)", "", _markdown(found.table), "",
        ]
    )  # fmt: skip


def _markdown(table: Table) -> str:
    """A table with both languages in each cell that has them."""
    rows = [[_both(cell) if isinstance(cell, Text) else _cell(cell) for cell in row] for row in table.rows]
    head = [_both(column) for column in table.columns]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def _both(text: Text) -> str:
    return _cell(text.en) if text.en == text.ko else f"{_cell(text.en)} · {_cell(text.ko)}"


def _cell(text: str) -> str:
    """A text that cannot end its cell."""
    return text.replace("|", "\\|").replace("\n", " ")


def measure(name: str, size: Size) -> Run:
    """Run one experiment, and say how long it took."""
    own, begun = experiment(name), time.perf_counter()
    found = own.run(size)
    print(f"{name}: {found.verdict}, {time.perf_counter() - begun:.1f} s", flush=True)
    return own, found


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, then write the pictures and the page; nothing is written where an experiment fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="experiments; all unless given")
    parser.add_argument("--small", action="store_true", help="as small as tests run them")
    parser.add_argument("--into", type=Path, default=Path(__file__).parents[1] / "docs", help="folder of the page")
    asked = parser.parse_args(arguments)
    runs = [measure(name, Size(full=not asked.small)) for name in asked.names or NAMES]
    pictures = {own.name: rendered(ExperimentDisplay.of(found, own.title), "svg") for own, found in runs}
    (asked.into / "notes").mkdir(parents=True, exist_ok=True)
    for name, picture in pictures.items():
        replace_file(asked.into / "notes" / f"{name}.svg", picture)
    replace_file(asked.into / "notes.md", page(runs).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
