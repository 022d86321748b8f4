"""report: what the page says, that nothing in a record can hurt it, and that it is one file that needs no other."""

import errno
import json
import math
import os
import re
import sys
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilonet import report
from kilonet.comparison import ENOUGH
from kilonet.errors import SettingError
from kilonet.evidence import ArchitectureRecord, CandidateRecord, Nested, SearchRecord
from kilonet.report import tables, verdict
from kilonet.report.drawing import inline
from kilonet.report.pictures import pictures
from kilonet.report.style import STYLE
from kilonet.search import plan, procedure, runs, selection
from kilonet.search.selection import PRACTICALLY_EQUAL

NAN = math.nan
HOSTILE = [
    "<script>alert(1)</script>", '"><img src=x onerror="alert(1)">', "' onmouseover='alert(1)", "two\nlines | three",
    "</style></title></main>", "&lt;b&gt; &amp;", "\u202egnp.exe", "half\ud800", "nul\x00\x1b[31m", "שלום",
    "`x` *y* [z](w)",
    "{judged} {0} %s $x$", "]]>", "<!-- ", "x" * 3000,
]  # fmt: skip
PICTURE = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9" width="9pt"><path id="a" d="M0 0"/></svg>'


def an_architecture(number: int, **changes: Any) -> ArchitectureRecord:
    """One of three: no hidden layer, 16 units, 64-64 units."""
    own: dict[str, Any] = {
        "number": number, "text": ["no hidden layer", "16 relu", "64-64 relu"][number],
        "hidden": [[], [16], [64, 64]][number], "activation": "relu", "n_parameters": [6, 82, 4482][number],
        "best": number, "loss": [0.3527, 0.2006, 0.1991][number], "loss_low": [0.2554, 0.0741, 0.0734][number],
        "loss_high": [0.4499, 0.3271, 0.3249][number], "score": [0.8204, 0.9348, 0.9371][number], "training_loss": 0.15,
        "seed_spread": [0.00055, 0.0077, 0.0411][number], "difference": [0.1536, 0.0015, 0.0][number],
        "low": [0.1103, -0.0106, 0.0][number], "high": [0.1967, 0.0149, 0.0][number],
        "p_value": [2e-5, 0.71, 1.0][number], "adjusted_p": [1.9e-4, 0.8231, 1.0][number],
        "verdict": ["worse", "tie", "best"][number], "diverged": 0,
        "training_seconds": [0.0015, 0.0049, 0.0373][number], "microseconds_a_row": [0.0196, 0.0246, 0.3401][number],
    }  # fmt: skip
    return ArchitectureRecord(**own | changes)


def a_candidate(number: int, origin: str = "grid") -> CandidateRecord:
    text = an_architecture(number).text + ", λ=0.001, rate=0.01"
    table = [[0.2, 0.3]] * 10
    return CandidateRecord(
        number, text, {"l2": 0.001, "rate": 0.01}, number, table, table, table, origin, "λ=0.001, rate=0.01"
    )


def a_record(**changes: Any) -> SearchRecord:
    own: dict[str, Any] = {
        "task": "classification",
        "data": {
            "rows": 300, "inputs": 2, "outputs": 2, "fingerprint": "8115a7b57bebd9453020e379", "source": "moons.csv",
            "target": "side", "columns": ["x", "y"], "classes": ["left", "right"], "dropped": ["id"],
        },
        "settings": {
            "architectures": ["no hidden layer", "16 relu", "64-64 relu"], "l2": [0.001, 0.01], "rate": [0.01],
            "dropout": [], "input_noise": [], "seeds": 2, "orders": 2, "splits": 10, "folds": "5 folds, drawn 2 times",
            "nested": 5, "runs": 1105, "prefer": "smallest",
        },
        "metric": {"name": "loss", "loss": "cross_entropy", "unit": "nats", "score": "accuracy"},
        "splits": [{"train": 240, "test": 60}] * 10,
        "test_to_train": 0.25,
        "candidates": (a_candidate(0), a_candidate(1), a_candidate(2, "edge")),
        "architectures": tuple(an_architecture(number) for number in range(3)),
        "chosen": 1,
        "reference": 2,
        "baselines": [{"name": "most frequent class", "loss": 0.6931, "score": 0.5}],
        "nested": Nested([0.2] * 5, [0.9] * 5, ["16 relu, λ=0.001"] * 3 + ["64-64 relu, λ=0.01"] * 2,
                         0.2057, 0.9379, 0.9029, 0.9614, ["16 relu"] * 3 + ["64-64 relu"] * 2, 300),
        "learning": [
            {"rows": 120.0, "loss": 0.2062, "score": 0.9167, "loss_std": 0.0880, "score_std": 0.0204},
            {"rows": 240.0, "loss": 0.1998, "score": 0.9400, "loss_std": 0.0964, "score_std": 0.0450},
        ],
        "predictions": {"classes": ["left", "right"], "confusion": [[140, 10], [8, 142]], "calibration_error": 0.0253},
        "regions": None,
        "verdict": ["Use 16 relu: validation loss 0.201 ± 0.13.", "A single-layer network loses 0.15 (p < 0.001)."],
        "notes": ["the best lies at the edge of what was tried"],
        "reproduce": "kilonet choose moons.csv --runs 1105",
        "seconds": {"all": 12.296, "training": 11.584},
    }  # fmt: skip
    return SearchRecord(**own | changes)


REGRESSION: dict[str, Any] = {
    "task": "regression",
    "metric": {"name": "loss", "loss": "squared", "unit": "half squared standard deviations", "score": "R²"},
    "baselines": [{"name": "mean", "loss": 0.504, "score": -0.00985}],
    "nested": Nested([0.25] * 5, [0.47] * 5, ["16 relu"] * 5, 0.2589, 0.4771, 0.4151, 0.5402),
    "predictions": {
        "true": [0.0],
        "predicted": [1.0],
        "errors": {"rows": 1200, "half": 2.0, "most": 4.4, "mean": 0.1, "std": 2.0},
    },
}


class Reader(HTMLParser):
    """What a browser sees: tags, texts and attributes; raises where an end does not fit its beginning."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in ("meta", "br", "img", "link", "input"):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1][-1] += data

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.texts))


def shown(record: SearchRecord, figures: Any = ()) -> Reader:
    return Reader(report.html(record, figures))


def cells(line: str) -> list[str]:
    """The cells of a line of a Markdown table."""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


class TestWhatItSays:
    @pytest.mark.parametrize(
        "said",
        [
            "Use one hidden layer of 16 units (relu)",
            "On rows it has never seen, expect 93.8% right answers (95% interval 90.3% to 96.1%).",
            "Always answering the most frequent class gives 50.0%.",
            "Use 16 relu: validation loss 0.201 ± 0.13.",
            "The best lies at the edge of what was tried.",
            "Without these rows the choice was 16 relu 3 times and 64-64 relu 2 times.",
            "10 (5 folds, drawn 2 times): trained on 240 rows, judged on the 60 others.",
            "Luck of the start moves the loss of the choice by ±0.0077.",
            "How sure it says it is and how often it is right differ by 2.5 percentage points",
            "Most frequent class: loss 0.693, accuracy 50.0%.",
            "282 of 300 held-out rows were classified right",
            "With 120 rows to learn from instead of 240, the choice’s loss was 0.206 instead of 0.200",
            "3: 2 of the grid and 1 beyond its edge",
            "fingerprint 8115a7b57bebd945.",
            "At most 1,105 networks trained, 12.3 s, 11.6 s of them training.",
            "kilonet choose moons.csv --runs 1105",
            "0.001, 0.01",
        ],
    )
    def test_in_words(self, said: str) -> None:
        record = a_record()
        assert said in shown(record).text
        assert said in report.markdown(record).replace("\\", "")

    def test_the_table(self) -> None:
        rows = [row for row in shown(a_record()).rows if len(row) == 11]
        assert rows[1:] == [
            ["64-64 relu", "Lowest loss, but larger", "4,482", "λ=0.001, rate=0.01", "0.199 ±\xa00.13", "93.7%",
             "reference", "–", "±0.041", "0.037", "0.34"],
            ["✓ 16 relu", "Chosen: smallest within 2%", "82", "λ=0.001, rate=0.01", "0.201 ±\xa00.13", "93.5%",
             "+0.002 (−0.011\xa0to\xa00.015)", "p\xa0=\xa00.82", "±0.0077", "0.0049", "0.025"],
            ["no hidden layer", "Worse", "6", "λ=0.001, rate=0.01", "0.353 ±\xa00.097", "82.0%",
             "+0.154 (0.110\xa0to\xa00.197)", "p\xa0<\xa00.001", "±0.00055", "0.0015", "0.020"],
            ["most frequent class", "Looks at no column", "–", "–", "0.693", "50.0%", *["–"] * 5],
        ]  # fmt: skip

    def test_both_pages_have_the_same_tables(self) -> None:
        written = [cells(line) for line in report.markdown(a_record()).splitlines() if line.startswith("|")]
        plain = [[cell.strip("*").replace("\\", "") for cell in row] for row in written if row[0] != "---"]
        assert plain == [[cell.replace("\xa0", " ") for cell in row] for row in shown(a_record()).rows]

    def test_only_the_table_of_networks_needs_a_wide_screen(self) -> None:
        page = report.html(a_record())
        assert page.count('<table role="table" class="wide">') == 1
        assert page.count('<table role="table"') == 3
        assert "WIDE" not in STYLE
        assert "NARROW" not in STYLE
        assert "TABLE" not in STYLE

    def test_the_choice_is_marked_by_words_and_a_sign(self) -> None:
        page = report.html(a_record())
        assert page.count('class="marked"') == 1
        assert re.search(r'class="marked"><th[^>]*>✓ 16 relu</th><td[^>]*>Chosen', page)
        assert "| **✓ 16 relu** | **Chosen" in report.markdown(a_record())

    @pytest.mark.parametrize(
        ("hidden", "said"),
        [
            ([], "Use a network without hidden layers"),
            ([1], "Use one hidden layer of 1 unit (relu)"),
            ([64, 64], "Use 2 hidden layers of 64 units each (relu)"),
            ([2048, 64, 3], "Use 3 hidden layers of 2,048, 64 and 3 units (relu)"),
            (["Maxout(3)", 4], "Use the network 16 relu"),
        ],
    )
    def test_the_headline(self, hidden: list[Any], said: str) -> None:
        own = list(a_record().architectures)
        own[1] = an_architecture(1, hidden=hidden)
        assert verdict.headline(a_record(architectures=tuple(own))) == said

    @pytest.mark.parametrize(
        ("number", "changes", "said"),
        [
            (0, {"verdict": "diverged", "diverged": 3, "loss": NAN}, "Diverged in 3 runs: not compared"),
            (0, {"verdict": "tie", "loss": 0.25}, "Tie and smaller, but loss 26% higher"),
            (0, {"verdict": "tie", "loss": 0.2044}, "Tie and smaller, but loss 2.7% higher"),
            (0, {"verdict": "tie", "loss": 0.2}, "Tie and smaller, but may lose over 2%"),
            (0, {"verdict": "tie", "n_parameters": 82}, "Tie"),
            (0, {"verdict": "tie", "n_parameters": 83}, "Tie, but larger"),
            (1, {"verdict": "diverged", "diverged": 1}, "Chosen, but diverged in 1 run: not compared"),
        ],
    )
    def test_verdicts_in_words(self, number: int, changes: dict[str, Any], said: str) -> None:
        assert tables.verdict(a_record(), an_architecture(number, **changes)) == said

    def test_regression(self) -> None:
        text = shown(a_record(**REGRESSION)).text
        assert "expect R² 0.477: about 48% of the target’s variance explained (95% interval 0.415 to 0.540)" in text
        assert "Always answering the mean gives R² −0.010." in text
        assert "Loss is in half squared standard deviations." in text
        assert (
            "Of 1,200 held-out rows, half were predicted to within 2.00 of the true value, nine of ten to within 4.40"
            in text
        )

    def test_errors_in_the_units_of_the_target(self) -> None:
        # Training rows of the first split have a standard deviation of 30, those of the second one of 40: losses of
        # 0.02 and 0.125 are mean squares of 36 and 400 there, and their mean is 218.
        scales = {"target_std": [30.0, 40.0], "target": "price", "rows": 300}
        table = [[0.01, 0.03], [0.125, 0.125]]
        found = tuple(replace(own, losses=table) for own in a_record().candidates)
        nested = replace(REGRESSION["nested"], losses=[0.02, 0.125])
        changes = REGRESSION | {"data": scales, "candidates": found, "nested": nested, "splits": a_record().splits[:2]}
        record = a_record(**changes)
        off = f"{math.sqrt(218):.1f}"
        text = shown(record).text
        assert f"(95% interval 0.415 to 0.540), off by {off} (root mean squared error, in units of “\u2068price" in text
        # Always the mean: as far off as the standard deviation, the root of (900 + 1600) / 2.
        assert f"Always answering the mean gives R² −0.010 and is off by about {math.sqrt(1250):.1f}." in text
        assert f"R² 0.477 (0.415 to 0.540), RMSE {off}, loss 0.259." in text
        rows = [row for row in shown(record).rows if len(row) == 12]
        assert [row[6] for row in rows] == ["RMSE", off, off, off, f"{math.sqrt(1250):.1f}"]
        assert report.markdown(record).count("- **RMSE:**") == 1
        assert "RMSE" not in shown(a_record(**REGRESSION)).text

    @pytest.mark.parametrize(
        "changes",
        [
            {"metric": REGRESSION["metric"] | {"loss": "absolute"}},
            {"metric": REGRESSION["metric"] | {"name": "-r2"}},
            {"data": {"rows": 300, "target_std": [1.0] * 9}},
            {"candidates": tuple(replace(a_candidate(number), losses=[[NAN, 0.1]] * 10) for number in range(3))},
        ],
        ids=["another loss", "another score", "too few splits", "a lost run"],
    )
    def test_errors_that_are_not_known_are_not_made_up(self, changes: dict[str, Any]) -> None:
        known: dict[str, Any] = {"data": {"rows": 300, "target_std": [1.0] * 10}, "nested": None}
        assert "RMSE" in shown(a_record(**REGRESSION | known)).text
        assert "RMSE" not in shown(a_record(**REGRESSION | known | changes)).text

    def test_what_may_be_no_better_than_nothing_is_said(self) -> None:
        base = [{"name": "most frequent class", "loss": 0.6, "score": 0.9029}]
        said = "Always answering the most frequent class gives 90.3%, and the network may be no better."
        assert said in shown(a_record(baselines=base)).text
        assert "no better" not in shown(a_record(baselines=[base[0] | {"score": 0.9028}])).text

    def test_few_rows_tell_little_about_more_of_them(self) -> None:
        few = a_record(data=a_record().data | {"rows": 99})
        assert "With so few rows neither can be told for sure." in shown(few).text
        assert "so few rows" not in shown(a_record()).text

    def test_the_effort_is_what_was_done(self) -> None:
        settings = a_record().settings | {"networks": 930}
        assert "930 networks trained of at most 1,105, 12.3 s" in shown(a_record(settings=settings)).text

    def test_a_score_of_another_name(self) -> None:
        metric = {"name": "-roc_auc", "loss": "cross_entropy", "unit": "nats", "score": "roc_auc"}
        record = a_record(metric=metric, baselines=[{"name": "most frequent class", "loss": NAN, "score": NAN}])
        text = shown(record).text
        assert "expect roc_auc 0.938" in text
        assert "−roc_auc on held-out rows, lower is better; trained with cross_entropy." in text
        assert "nats" not in text
        assert not re.search(r"\bnan\b", text)

    def test_the_rule_of_the_smallest_is_that_of_the_search(self) -> None:
        assert tables.EQUAL == PRACTICALLY_EQUAL
        assert f"whose loss is at most {PRACTICALLY_EQUAL:.0%} higher than the lowest" in shown(a_record()).text
        best = a_record(settings=a_record().settings | {"prefer": "best"}, chosen=2)
        assert "The choice is the network with the lowest loss." in shown(best).text
        assert tables.verdict(best, an_architecture(1)) == "Tie and smaller"

    def test_too_few_splits_are_said(self) -> None:
        few = a_record(splits=[{"train": 200, "test": 100}] * 3)
        assert f"too few to tell networks apart: it takes {ENOUGH}" in shown(few).text
        assert "too few" not in shown(a_record()).text

    def test_every_word_of_the_glossary_is_defined_once(self) -> None:
        text = report.markdown(a_record())
        for word in ("Validation loss", "λ", "Nested", "Tie", "Seed luck", "95% interval"):
            assert text.count(f"- **{word}:**") == 1


class TestWhatIsMissing:
    @pytest.mark.parametrize(
        "changes",
        [
            {"nested": None},
            {"predictions": {}},
            {"learning": []},
            {"baselines": []},
            {"notes": []},
            {"reproduce": ""},
            {"seconds": {}},
            {"verdict": []},
            {"data": {"rows": 3}},
            {"predictions": {"classes": ["a", "b"], "confusion": [[0, 0], [0, 0]]}},
            {"learning": [{"rows": 9.0, "loss": NAN, "score": NAN, "loss_std": NAN, "score_std": NAN}] * 3},
        ],
        ids=str,
    )
    @pytest.mark.parametrize("saved", [False, True])
    def test_the_pages_are_written_without_it(self, changes: dict[str, Any], saved: bool) -> None:
        record = a_record(**changes)
        if saved:
            record = SearchRecord.from_json(record.to_json())
        for text in (shown(record).text, report.markdown(record)):
            assert "16 relu" in text
            assert not re.search(r"\b(nan|None|inf)\b", text)

    def test_without_a_nested_estimate_it_is_said(self) -> None:
        text = shown(a_record(nested=None)).text
        assert "On held-out rows it was measured at 93.5% right answers. That is a little too good" in text
        assert "No nested estimate was made" in text

    def test_one_seed_and_one_split(self) -> None:
        one = replace(a_candidate(1), losses=[[0.2]], scores=[[0.9]], training_losses=[[0.1]])
        own = [an_architecture(n, seed_spread=NAN, loss_low=-math.inf, loss_high=math.inf, low=-math.inf, high=math.inf)
               for n in range(3)]  # fmt: skip
        record = a_record(candidates=(one, one, one), architectures=tuple(own), splits=[{"train": 9, "test": 1}])
        text = shown(record).text
        assert "how much is luck of the start is not known" in text
        assert "+0.00150 (−∞\xa0to\xa0∞)".replace("\xa0", " ") in text.replace("\xa0", " ")

    def test_runs_that_were_lost(self) -> None:
        gone = an_architecture(
            0, verdict="diverged", diverged=4, **dict.fromkeys(
                ["loss", "loss_low", "loss_high", "score", "difference", "low", "high", "p_value", "adjusted_p",
                 "seed_spread", "training_seconds", "microseconds_a_row"], NAN)
        )  # fmt: skip
        record = a_record(architectures=(gone, *a_record().architectures[1:]))
        (row,) = [row for row in shown(record).rows if row[0] == "no hidden layer"]
        assert row[1:] == ["Diverged in 4 runs: not compared", "6", "λ=0.001, rate=0.01", *["–"] * 7]

    def test_without_pictures_it_says_how_to_get_them(self) -> None:
        assert 'pip install "kilonet[plots]"' in shown(a_record()).text
        assert "kilonet[plots]" not in shown(a_record(), [("a", "b", "c", PICTURE)]).text


def hurt_by(name: str) -> SearchRecord:
    """A record with a name in every place where users' texts come in."""
    own = [replace(architecture, text=name, activation=name) for architecture in a_record().architectures]
    data = {"source": name, "target": name, "columns": [name] * 20, "classes": [name, "b"], "dropped": [name]}
    return a_record(
        data=a_record().data | data | {"fingerprint": name},
        settings=a_record().settings | {"architectures": [name], "folds": name},
        metric={"name": name, "loss": name, "unit": name, "score": name},
        architectures=tuple(own),
        candidates=tuple(
            replace(candidate, text=f"{name}, {name}", origin=name, settings=name)
            for candidate in a_record().candidates
        ),
        baselines=[{"name": name, "loss": 0.6, "score": 0.5}],
        nested=replace(a_record().nested, choices=[name] * 5, networks=[name] * 5),  # type: ignore[type-var]
        predictions={"classes": [name, "b"], "confusion": [[3, 1], [1, 3]]},
        no_nested=name,
        verdict=[name],
        notes=[name],
        reproduce=name,
    )


PLAIN = shown(a_record(), [("a", "title", "alt", PICTURE)])


class TestHostileTexts:
    @pytest.mark.parametrize("name", HOSTILE, ids=ascii)
    def test_html_has_no_element_and_no_attribute_more(self, name: str) -> None:
        page = report.html(hurt_by(name), [(name, name, name, PICTURE)])
        page.encode("utf-8")
        found = Reader(page)
        assert set(found.tags) <= set(PLAIN.tags)
        assert {(tag, key) for tag, key, _ in found.attributes} <= {(tag, key) for tag, key, _ in PLAIN.attributes}
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066\u2067]", page)

    @pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a & b", '"quoted"', "&lt;b&gt;"])
    def test_html_shows_the_name_as_it_is(self, name: str) -> None:
        found = shown(hurt_by(name))
        assert name in [row[0] for row in found.rows]
        assert f"“\u2068{name}\u2069”" in found.text

    @pytest.mark.parametrize("name", HOSTILE, ids=ascii)
    def test_markdown_has_no_html_and_whole_tables(self, name: str) -> None:
        text = report.markdown(hurt_by(name))
        text.encode("utf-8")
        fenced = re.sub(r"(`{3,})\n.*?\n\1", "", text, flags=re.DOTALL)
        assert not re.search(r"(?<!\\)<[A-Za-z/!?]", fenced)
        table_is_whole(fenced)

    def test_no_code_ends_before_its_end(self) -> None:
        record = a_record(reproduce="echo ```\n````\n<b>")
        assert "`````\necho ```\n````\n<b>\n`````" in report.markdown(record)
        assert "<pre><code>echo ```\n````\n&lt;b&gt;</code></pre>" in report.html(record)

    @given(st.text(max_size=40))
    def test_any_name(self, name: str) -> None:
        record = a_record(predictions={"classes": [name, "b"], "confusion": [[3, 1], [1, 3]]}, notes=[name])
        assert set(shown(record).tags) <= set(PLAIN.tags)
        table_is_whole(report.markdown(record))


def table_is_whole(text: str) -> None:
    """Every table has a line below its head and as many cells in every row."""
    found = re.findall(r"(?:^\|.*\n?)+", text, flags=re.MULTILINE)
    assert len(found) == 3
    for table in found:
        rows = [cells(line) for line in table.splitlines()]
        assert set(rows[1]) == {"---"}
        assert len({len(row) for row in rows}) == 1
        assert len(rows) > 2


@pytest.mark.parametrize(
    "said",
    [
        f"is at most {selection.PRACTICALLY_EQUAL:.0%} of the reference's loss",
        f"has to gain {selection._NOTICED:.0%} of its loss to win",
        f"its training loss is below {procedure._OVERFITS:g} of its held-out loss",
        f"in {plan.INNER} folds of their own",
        f"folds are drawn anew until there are {ENOUGH} splits at least",
        f"Seed k uses random state k mod {runs.MOST_ORDERS}",
    ],
)
def test_the_page_on_methods_has_the_numbers_of_the_code(said: str) -> None:
    page = (Path(__file__).parents[2] / "docs/search.md").read_text(encoding="utf-8")
    assert said in " ".join(page.split())


class TestOneFile:
    def test_nothing_from_elsewhere(self) -> None:
        page = report.html(a_record(), [("a", "title", "alt", PICTURE)])
        assert not re.search(r"https?:|<script|<link|<iframe|@import|\burl\(|javascript:|\bon\w+=", page)
        policies = [value for tag, name, value in Reader(page).attributes if (tag, name) == ("meta", "content")]
        assert policies[0].startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")
        assert page.index("charset") < 100

    def test_what_a_reader_who_does_not_see_gets(self) -> None:
        found = shown(a_record(), [("a", "title", "title. The rest", PICTURE)])
        assert found.tags["h1"] == 1
        assert found.tags["caption"] == found.tags["table"] == 3
        assert ("html", "lang", "en") in found.attributes
        assert ("svg", "role", "img") in found.attributes
        assert ("svg", "aria-label", "title. The rest") in found.attributes
        assert "title The rest." in found.text
        scopes = Counter(value for _, name, value in found.attributes if name == "scope")
        assert scopes == {"col": 11 + 5 + 3, "row": 4 + 2 + 2}
        ids = [value for _, name, value in found.attributes if name == "id"]
        assert len(ids) == len(set(ids))
        assert {value for _, name, value in found.attributes if name == "aria-labelledby"} <= set(ids)

    def test_the_same_record_gives_the_same_text(self) -> None:
        again = SearchRecord.from_json(a_record().to_json())
        assert report.html(a_record()) == report.html(again)
        assert report.markdown(a_record()) == report.markdown(again)

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_colours_have_the_contrast_of_wcag_aa(self, scheme: str) -> None:
        part = STYLE.split("@media")[1 if scheme == "dark" else 0]
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", part))
        for ground in ("ground", "band", "marked", "noted"):
            for text in ("text", "soft"):
                if (text, ground) != ("soft", "noted"):  # the box has no soft text
                    assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for border, ground in (("mark", "marked"), ("note", "noted")):
            assert contrast(colours[border], colours[ground]) >= 3, border


def contrast(one: str, other: str) -> float:
    """Source: WCAG 2.2, relative luminance and contrast ratio."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


class TestDrawing:
    def test_only_what_draws_is_let_through(self) -> None:
        svg = (
            '<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/x.dtd">'
            '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 9 9" '
            'onload="alert(1)"><metadata>m</metadata><script>alert(1)</script><style>* {fill: red}</style>'
            '<foreignObject><p>x</p></foreignObject><defs><path id="m"/><clipPath id="c"><rect/></clipPath></defs>'
            '<g clip-path="url(#c)"><use xlink:href="#m" onclick="x" style="fill: url(http://x)"/>'
            '<use href="http://elsewhere/a.svg#b"/><a href="javascript:alert(1)"><text>gone</text></a>'
            '<image href="data:image/png;base64,AAAA"/><image href="data:image/svg+xml;base64,AAAA"/>'
            "<text>a &lt;b&gt;\u202e</text></g></svg>"
        )
        assert inline(svg, "My picture!", 'says "x"') == (
            '<svg viewBox="0 0 9 9" role="img" aria-label="says &quot;x&quot;">'
            '<defs><path id="my-picture--m" /><clipPath id="my-picture--c"><rect /></clipPath></defs>'
            '<g clip-path="url(#my-picture--c)"><use href="#my-picture--m" /><use />'
            '<image href="data:image/png;base64,AAAA" /><image /><text>a &lt;b&gt;⟨U+202E⟩</text></g></svg>'
        )

    def test_no_svg(self) -> None:
        with pytest.raises(ValueError, match="the picture dots is no SVG"):
            report.html(a_record(), [("dots", "title", "alt", "<svg")])


class TestWrite:
    @pytest.mark.parametrize("ending", ["html", "md", "json", "HTML"])
    def test_the_ending_decides(self, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        path = report.write(a_record(), tmp_path / f"page.{ending}")
        assert path == tmp_path / f"page.{ending}"
        expected = {"html": report.html, "md": report.markdown, "json": SearchRecord.to_json}[ending.lower()]
        assert path.read_bytes() == expected(a_record()).encode("utf-8")

    def test_the_record_comes_back(self, tmp_path: Path) -> None:
        path = report.write(a_record(), str(tmp_path / "r.json"))
        assert SearchRecord.from_json(path.read_text(encoding="utf-8")).to_json() == a_record().to_json()
        assert json.loads(path.read_bytes())["chosen"] == 1

    @pytest.mark.parametrize("name", ["page.pdf", "page", ".html", "page.html.zip"])
    def test_another_ending_is_refused(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(SettingError, match=r"ends in \.html, \.md or \.json"):
            report.write(a_record(), tmp_path / name)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("ending", ["html", "md", "json"])
    @pytest.mark.parametrize("step", ["fsync", "replace"])
    def test_a_disk_that_refuses_leaves_the_old_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, step: str
    ) -> None:
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        path = tmp_path / f"page.{ending}"
        path.write_text("old")

        def fail(*_: object) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, step)), fail)
        with pytest.raises(OSError, match="No space left"):
            report.write(a_record(), path)
        assert path.read_text() == "old"
        assert [entry.name for entry in tmp_path.iterdir()] == [path.name]

    def test_no_folder(self, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match="there is no folder"):
            report.write(a_record(), tmp_path / "no" / "page.md")


def figures() -> list[int]:
    """Figures that are open."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    return [] if pyplot is None else list(pyplot.get_fignums())


class TestPictures:
    def test_without_matplotlib_there_are_none(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "matplotlib", None)
        assert pictures(a_record()) == []

    def test_they_stand_in_the_page(self, tmp_path: Path) -> None:
        matplotlib = pytest.importorskip("matplotlib")
        before = figures()  # of other tests
        first = report.write(a_record(), tmp_path / "a.html").read_bytes()
        with matplotlib.rc_context({"text.color": "red", "figure.facecolor": "black", "svg.fonttype": "path"}):
            second = report.write(a_record(), tmp_path / "b.html").read_bytes()
        assert first == second  # whatever the user's own style is
        page = first.decode("utf-8")
        found = Reader(page)
        assert found.tags["figure"] == found.tags["figcaption"] == found.tags["svg"] > 2
        assert not re.search(r"https?:|<script|<style[^>]|\bon\w+=", page)
        ids = [value for _, name, value in found.attributes if name == "id"]
        assert len(ids) == len(set(ids))
        links = {value[1:] for _, name, value in found.attributes if name == "href" and value.startswith("#")}
        assert links <= set(ids)
        assert figures() == before

    @pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><b>', "two\nlines", "한국어"])
    def test_hostile_names_in_pictures(self, tmp_path: Path, name: str) -> None:
        pytest.importorskip("matplotlib")
        page = report.write(hurt_by(name), tmp_path / "a.html").read_text(encoding="utf-8")
        drawn = {"g", "defs", "use", "path", "rect", "text", "tspan", "clippath", "image", "svg"}
        assert set(Reader(page).tags) <= set(PLAIN.tags) | drawn
