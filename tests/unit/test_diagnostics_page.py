"""The page of a diagnosis: what a reader of 80 columns sees, nothing of it twice."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kilonet.diagnostics.page import page, summary
from kilonet.diagnostics.words import moved_text, share_text, since_text
from kilonet.findings import Effect, Examination, Finding, InputFacts, Remedy
from kilonet.history import History

ROOT = Finding(
    "steps too large", "fail", "layer 2: the first step changed the weights by 34 times their size",
    "the rate 5 is likely too high. Most likely this is also behind: dead units",
    [Remedy("a lower rate: 0.001", {"rate": 0.001}), Remedy("more rows", {})], 2, since=1,
    source="own: a step that is larger than the weights themselves starts anew at random", because="rate",
)  # fmt: skip
DEAD = Finding("dead units", "fail", "layer 1: 54% are dead", "the rate 5 is likely too high (34 times)",
               [Remedy("a lower rate: 0.001", {"rate": 0.001}), Remedy("leaky ReLU", {"activation": "leaky_relu"})],
               1, source="the course notes' figure", because="rate")  # fmt: skip


def examined(**more: Any) -> Examination:
    return Examination("kilonet", "regression", {}, [], History.of(np.zeros((3, 1, 4)), single=True), **more)


def test_what_follows_from_one_cause_says_it_once() -> None:
    text = page([ROOT, DEAD], examined())
    assert text.splitlines()[0] == "2 findings fail: steps too large and dead units."
    assert "Likely cause: the rate 5 is too high. Most likely" in text
    assert "Likely cause: rate, as above." in text
    assert text.count("rate=0.001") == 1
    assert "Remedy: a lower rate (rate=0.001)." in text
    assert "Remedy: more rows (only you can do that)." in text
    assert "Remedy: leaky ReLU (activation='leaky_relu')." in text
    assert "Threshold: our own; a step" in text
    assert page([ROOT, ROOT, DEAD], examined()).count("Threshold: our own") == 1


def test_no_line_is_longer_than_a_terminal_is_wide() -> None:
    effect = Effect("loss", 0.5, 0.25, 0.25, 0.125, 0.375, 8, 1)
    tried = replace(ROOT, effects=[effect])
    note = replace(DEAD, severity="info", what="layer 3: " + "all of its outputs are the same, " * 6)
    text = page([tried, note], examined(), gains=[(ROOT.remedies[0], effect)])
    assert max(map(len, text.splitlines())) <= 80
    assert "Cured by a lower rate (rate=0.001): helps: held-out loss 0.5 → 0.25" in " ".join(text.split())


@pytest.mark.parametrize("trying", ["--verify", "verify()"])
def test_how_remedies_are_tried_is_said_in_the_reader_s_words(trying: str) -> None:
    assert f"No remedy was tried, so none is known to help here; {trying} tries them." in page(
        [ROOT], examined(), trying=trying
    )


def test_what_informs_of_several_layers_is_one_line() -> None:
    notes = [replace(DEAD, severity="info", rule="zig-zag", what=f"layer {n}: one sign", layer=n) for n in (3, 4, 5, 6)]
    other = Finding("constant inputs", "info", "a is the same")
    lines = page([*notes, other, replace(other, what="b is the same")], examined()).splitlines()
    assert lines[3:6] == [
        "  · layer 3: one sign; likewise in layers 4, 5 and 6.",
        "  · a is the same.",
        "  · b is the same.",
    ]
    assert "; likewise in layer 4." in page(notes[:2], examined())


def test_a_column_keeps_its_spelling_and_other_sentences_begin_with_a_capital() -> None:
    facts = InputFacts(("iPhones", "a"), np.zeros(2), np.ones(2), (), (), False, {}, 1.0)
    told = [replace(DEAD, what=what) for what in ("iPhones tells all", "layer 1: dead", "accuracy is low", "a is 1")]
    text = page(told, examined(inputs=facts))
    assert "FAIL  iPhones tells all." in text
    assert "FAIL  Layer 1: dead." in text
    assert "FAIL  Accuracy is low." in text  # though an input is called a
    assert "FAIL  a is 1." in text


def test_the_first_line_names_the_rules() -> None:
    warned = replace(DEAD, severity="warn")
    assert summary([ROOT, warned, warned], examined()) == (
        "1 finding fails and 2 warnings: steps too large and dead units."
    )
    assert summary([replace(DEAD, severity="info")], examined()) == "Nothing is wrong as far as was looked."


def test_numbers_are_written_out() -> None:
    assert moved_text(318.4, "the") == "the weights by 320 times their size"
    assert moved_text(1e6, "the") == "the weights by 1,000,000 times their size"
    assert [share_text(share) for share in (0.9994, 0.9996, 1.0, 0.0004, 0.0006, 0.0)] == [
        "99.9%", "over 99.9%", "100%", "under 0.1%", "0.1%", "0%"
    ]  # fmt: skip
    assert since_text(1) == " from the first epoch on"


def test_sentences_end_once() -> None:
    untried = Effect("", *[np.nan] * 5, 0, 0, untried="needs a number in [0, inf).")
    text = page([replace(ROOT, effects=[untried])], examined(), gains=[(ROOT.remedies[0], untried)])
    assert text.count("[0, inf).") == 2
    assert ".." not in text


def test_a_cure_of_some_members_says_whose_it_is() -> None:
    effect = Effect("loss", 0.5, 0.25, 0.25, 0.125, 0.375, 8, 1, members=(0, 2))
    text = " ".join(page([ROOT], examined(), gains=[(ROOT.remedies[0], effect)]).split())
    assert "Cured by a lower rate (rate=0.001) for members 0 and 2: helps" in text


def test_training_that_could_not_be_repeated_is_said() -> None:
    text = " ".join(page([], examined(unwatched="training could not be repeated with these rows")).split())
    assert text.endswith("held-out rows, every epoch: training could not be repeated with these rows.")
