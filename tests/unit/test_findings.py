"""Findings as data: what a page says of them, JSON says too."""

import json
import math

import pytest

from kilonet.errors import SettingError
from kilonet.findings import Effect, Finding, Remedy, to_json

GAIN = Effect("held-out loss (20 rows)", 0.5, 0.25, 0.25, 0.125, 0.375, 8, 3, lost_without=2)
REMEDIES = [
    Remedy("a lower rate: 0.01", {"rate": 0.01}),
    Remedy("more rows", {}),
    Remedy("ReLU", {"activation": "relu"}),
]
UNTRIED = Effect("", *[math.nan] * 5, 0, 0, untried="too slow")
FINDING = Finding(
    "dead units", "fail", "layer 1: half of the units are dead", "the rate is too high", REMEDIES, 1,
    {"dead": 0.5}, 2, [GAIN, UNTRIED], "own", "rate",
)  # fmt: skip


@pytest.mark.parametrize(
    ("low", "high", "untried", "verdict"),
    [(0.1, 0.3, "", "helps"), (-0.3, -0.1, "", "harms"), (-0.1, 0.1, "", "not sure"), (0, 0.2, "", "not sure"),
     (math.nan, math.nan, "too slow", "not tried")],
)  # fmt: skip
def test_the_verdict_follows_from_the_interval(low: float, high: float, untried: str, verdict: str) -> None:
    effect = Effect("loss", 0.5, 0.25, 0.25, low, high, 8, 1, untried=untried)
    assert effect.verdict == verdict
    assert effect.text.startswith(f"{verdict}: ")


def test_json_says_what_a_page_says() -> None:
    told = json.loads(to_json([FINDING]))[0]
    assert told["text"] == "layer 1: half of the units are dead. Likely cause: the rate is too high."
    assert [remedy["text"] for remedy in told["remedies"]] == ["a lower rate: 0.01", "more rows", "ReLU"]
    assert [remedy["changes"] for remedy in told["remedies"]] == [{"rate": 0.01}, {}, {"activation": "relu"}]
    first, by_hand, last = (remedy["effect"] for remedy in told["remedies"])
    assert {name: first[name] for name in ("verdict", "gain", "low", "high", "seeds")} == {
        "verdict": "helps", "gain": 0.25, "low": 0.125, "high": 0.375, "seeds": 8}  # fmt: skip
    assert first["text"] == (
        "helps: held-out loss (20 rows) 0.5 → 0.25 (gain 0.25, 95% interval 0.125 to 0.375, 8 seeds; 2 of 8 runs "
        "diverged without it, 0 with it)"
    )
    assert by_hand is None  # what only a person can do has no effect: the second one is of the last remedy
    assert (last["verdict"], last["gain"], last["text"]) == ("not tried", None, "not tried: too slow")
    assert (told["rule"], told["layer"], told["since"], told["evidence"]) == ("dead units", 1, 2, {"dead": 0.5})


def test_sentences_end_once() -> None:
    assert Finding("mine", "info", "is it so?").text == "is it so?"
    assert Finding("mine", "info", "it is so", "of itself.").text == "it is so. Likely cause: of itself."


def test_what_is_no_severity_is_refused_at_once() -> None:
    with pytest.raises(
        SettingError, match=r"the severity of the finding mine came as 'bad'; needs one of info, warn, f"
    ):
        Finding("mine", "bad", "so")


def test_effects_stand_in_json_once() -> None:
    told = json.loads(to_json([FINDING]))[0]
    assert "effects" not in told
    assert told["remedies"][0]["effect"]["gain"] == 0.25


def test_a_mean_of_runs_that_were_cut_is_a_bound() -> None:
    effect = Effect("loss", 4.5, 0.1, 4.4, 4.0, 4.9, 8, 0, furthest=5.0, cut_without=6)
    assert "held-out loss over 4.5 → 0.1 (gain 4.4, " in effect.text
    assert effect.text.endswith("8 seeds; what is worse than 5 counts as 5)")
    assert "over" not in Effect("loss", 4.5, 0.1, 4.4, 4.0, 4.9, 8, 0, furthest=5.0).text
    score = Effect("R²", 0.5, -9.0, -9.5, -10.0, -9.0, 8, 0, furthest=-9.0, cut_with=8)
    assert "held-out R² 0.5 → under -9 (" in score.text
