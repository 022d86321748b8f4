"""What a network that tuned itself says of its choice, word by word, and the table of its page."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import kilonet as kn
from kilonet.tuned.page import page_of
from kilonet.tuned.record import Configuration, TunedRecord, worse

SHAPE = {"hidden": [64, 64], "activation": "relu"}
PIECES = "pieces are further inputs that numbers are cut into at quantiles (docs/tuned.md)"
ERRORS = {"rows": 442, "half": 37.5, "most": 90.0, "mean": 0.1, "std": 54.0}


def tried(text: str, verdict: str = "tie", weight: float = 0.0, **changes: Any) -> Configuration:
    losses = changes.pop("losses", [0.3] * 5)
    params = changes.pop("params", SHAPE)
    p_value = changes.pop("p_value", 1.0)
    loss = math.nan if verdict == "dropped" else 0.25
    return Configuration(text, params, losses, loss, 0.5, 0.01, -0.01, 0.03, p_value, verdict, weight)


def record(*configurations: Configuration, **changes: Any) -> TunedRecord:
    """Of numbers."""
    given = {
        "task": "regression", "rows": 442, "inputs": 10, "classes": 0, "folds": "5 folds", "splits": 5, "networks": 28,
        "runs": 28, "members": 10, "best": 0, "loss": 0.2281, "loss_low": 0.2, "loss_high": 0.25, "score": 0.545,
        "score_low": 0.475, "score_high": 0.614, "baseline_loss": 0.5, "baseline_score": 0.0,
        "calibration": {"temperature": 1.0, "out_of_fold": 1.0}, "notes": [], "predictions": {"errors": ERRORS},
        "seconds": 1.2, "configurations": configurations or (tried("λ=0.1", "best", 1.0), tried("λ=0.2")),
    }  # fmt: skip
    return TunedRecord(**(given | changes))


def classes(*configurations: Configuration, **changes: Any) -> TunedRecord:
    given = {
        "task": "classification", "classes": 2, "loss": 0.1234, "score": 0.931, "score_low": 0.9, "score_high": 0.95,
        "baseline_loss": 0.68, "baseline_score": 0.583, "predictions": {"reliability": [{"rows": 442}]},
        "calibration": {"temperature": 1.01, "out_of_fold": 1.04, "before": 0.014, "after": 0.015},
    }  # fmt: skip
    return record(*configurations, **(given | changes))


def said(own: TunedRecord, begins: str) -> str:
    [found] = [sentence for sentence in own.sentences if sentence.startswith(begins)]
    return found


# The first sentence.
def test_of_numbers_it_says_what_the_figures_are_of() -> None:
    assert record().sentences[0] == (
        "Out of fold: R² 0.545 (0.475 to 0.614), half of the rows within 37.5, loss 0.228 (half the squared error, in "
        "standard deviations of the target). Always saying the mean: R² 0. The choice was made by the same rows, so "
        "the model's figures are a little too good."
    )


@pytest.mark.parametrize("changes", [{"predictions": {}}, {"predictions": {"errors": ERRORS | {"half": None}}},
                                     {"loss": 0.0}])  # fmt: skip
def test_without_a_typical_error_none_is_told(changes: dict[str, Any]) -> None:
    assert "half of the rows" not in record(**changes).sentences[0]


def test_of_classes_it_says_what_the_figures_are_of() -> None:
    assert classes().sentences[0] == (
        "Out of fold: accuracy 93.1% (90.0% to 95.0%), log loss 0.123. Always saying the shares of the classes: 58.3%, "
        "log loss 0.68. The choice was made by the same rows, so the model's figures are a little too good."
    )


# What looks at no column.
@pytest.mark.parametrize(
    ("loss", "base", "says"),
    [
        (0.494, 0.49, "is worse than what looks at no column: loss 0.494 against 0.49."),
        (0.49012, 0.49004, "is worse than what looks at no column: loss 0.4901 against 0.49."),
        (0.490014, 0.490004, "is worse than what looks at no column: loss 0.49001 against 0.49."),
        (0.4900002, 0.49, "is no better than what looks at no column, whose loss is 0.49 too."),
    ],
)
def test_worse_is_what_the_digits_show(loss: float, base: float, says: str) -> None:
    assert worse(record(loss=loss, baseline_loss=base)) == f"Out of fold the model {says}"


@pytest.mark.parametrize(("loss", "base"), [(0.49, 0.49), (0.0, 0.0), (0.4, 0.49)])
def test_what_is_no_worse_says_nothing(loss: float, base: float) -> None:
    assert worse(record(loss=loss, baseline_loss=base)) == ""


# Ties.
def test_what_is_in_the_model_is_no_tie_of_it() -> None:
    own = record(tried("λ=1", "best", 0.5), tried("λ=2", "tie", 0.3), tried("λ=3"), tried("λ=4", "behind", 0.2),
                 tried("λ=5", "behind"))  # fmt: skip
    assert said(own, "Ties") == "Ties: λ=3. Behind, by their 95% intervals: λ=5."
    alone = record(tried("λ=1", "best", 0.5), tried("λ=2", "tie", 0.5))
    assert not any(sentence.startswith("Ties") for sentence in alone.sentences)


@pytest.mark.parametrize(
    ("values", "says"),
    [((1.0, 1.0), "p = 1"), ((0.3, 1.0), "p = 0.3 or more"), ((1.0,), "p = 1"), ((0.3,), "p = 0.3"),
     ((0.9999, 1.0), "p = 1")],
)  # fmt: skip
def test_no_p_is_more_than_1(values: tuple[float, ...], says: str) -> None:
    others = [tried(f"λ={place}", p_value=p) for place, p in enumerate(values)]
    own = record(tried("λ=9", "best", 1.0), *others, splits=10)
    assert said(own, "Ties").startswith(f"Ties ({says}): ")


# The words of the configurations.
@pytest.mark.parametrize(
    ("texts", "params", "says"),
    [
        (("λ=1", "numbers in 16 pieces, λ=1"), (SHAPE, SHAPE),
         f"In these configurations λ is the l2 penalty, {PIECES} and the hidden layers are 64-64 relu."),
        (("8 relu, λ=1", "4-4 relu, λ=1"), (SHAPE, {"hidden": [4, 4], "activation": "relu"}),
         "In these configurations λ is the l2 penalty."),
        (("rate=1", "rate=2"), ({"hidden": [], "activation": "relu"},) * 2,
         "In these configurations there is no hidden layer."),
    ],
)  # fmt: skip
def test_words_that_occur_are_explained(texts: Any, params: Any, says: str) -> None:
    first, other = (tried(text, params=own) for text, own in zip(texts, params, strict=True))
    assert said(record(replace(first, verdict="best", weight=1.0), other), "In these") == says


@pytest.mark.parametrize("params", [{}, {"hidden": 99, "activation": None}, {"hidden": None}])
def test_a_single_configuration_tells_its_network_itself(params: dict[str, Any]) -> None:
    alone = record(tried("8 relu, rate=1", "best", 1.0, params={"hidden": [8], "activation": "relu"}))
    assert "In these" not in str(alone)
    assert "hidden" not in str(record(tried("rate=1", "best", 1.0, params=params)))


# Calibration.
def test_the_temperature_was_chosen_for_the_log_loss() -> None:
    assert said(classes(), "Calibration") == (
        "Calibration error: 1.4% before and 1.5% after the temperature 1.04, which was chosen for the log loss."
    )
    none = classes(calibration={"temperature": 1.0, "out_of_fold": 1.0, "before": 0.014, "after": 0.014})
    assert said(none, "Calibration") == "Calibration error: 1.4%, without a temperature."


def test_numbers_were_drawn_in() -> None:
    far = record(calibration={"temperature": 1.1, "out_of_fold": 1.3})
    assert said(far, "Out of fold pre") == (
        "Out of fold predictions were 1.3 times too far from the mean, and were drawn in."
    )


# Effort.
def test_rows_that_no_fold_judged_are_told_of() -> None:
    assert said(record(), "28 networks").startswith("28 networks trained on 5 folds in 1.2 s; the model is")
    few = record(predictions={"errors": ERRORS | {"rows": 178}}, folds="2 of 5 folds")
    assert "28 networks trained on 2 of 5 folds in 1.2 s, judged on 178 of 442 rows; the model is" in str(few)
    bins = classes(predictions={"reliability": [{"rows": 100}, {"rows": 78}]}, folds="TimeSeriesSplit(3), in time")
    assert "in 1.2 s, judged on 178 of 442 rows; the model is" in str(bins)
    assert "judged on" not in str(classes())


def test_the_command_line_is_told_its_own_options() -> None:
    assert record().told(seed=3)[-1].endswith(" With the same data, --runs 28 --seed 3 gives the same again.")
    assert (
        record()
        .sentences[-1]
        .endswith(" With the same data and a random_state that is a number, runs=28 gives the same again.")
    )


# The page.
def test_the_model_is_the_first_row_of_the_table() -> None:
    dropped = tried("λ=3", "dropped", losses=[0.3, 0.4, math.nan])
    own = record(tried("λ=1", "best", 0.75), tried("λ=2", "tie", 0.25), dropped)
    [table] = page_of(own).sections[0].blocks
    assert table.head == ["Configuration", "Verdict", "Loss", "R²", "Against the best", "Share of the model"]
    assert table.rows[0] == ["the model", "–", "0.228", "0.545", "–", "100%"]
    assert table.marked == 0
    assert [row[0] for row in table.rows] == ["the model", "λ=1", "λ=2", "λ=3", "no column"]
    assert table.rows[3][1] == "dropped after 2 folds"
    assert {len(row) for row in table.rows} == {len(table.head)}
    in_time = replace(own, folds="TimeSeriesSplit, 3 splits, in time")
    assert page_of(in_time).sections[0].blocks[0].rows[3][1] == "dropped after 2 splits"


def test_p_stands_in_the_table_where_a_row_has_one() -> None:
    own = record(tried("λ=1", "best", 1.0), tried("λ=2", p_value=0.4), splits=10)
    [table] = page_of(own).sections[0].blocks
    assert table.head[5] == "p, adjusted"
    assert [row[5] for row in table.rows] == ["–", "–", "p = 0.4", "–"]


def test_what_a_table_does_not_allow_is_said() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 2))
    same = kn.MLPRegressorCV(hidden=4, l2=0.01, random_state=0).fit(X, np.ones(40))
    assert "Every row has the same target, so there was nothing to learn." in same.report()
    y = np.array(["a", "b"] * 20)
    y[7] = "c"
    rare = kn.MLPClassifierCV(hidden=4, l2=0.01, random_state=0).fit(X, y)
    assert "1 class has a single row, judged by networks that had never seen the class." in rare.report()
    plain = kn.MLPClassifierCV(hidden=4, l2=0.01, random_state=0).fit(X, ["a", "b"] * 20)
    assert plain.record_.notes == []


def test_few_rows_have_no_interval_of_r2() -> None:
    X = np.random.default_rng(0).normal(size=(20, 2))
    few, enough = (kn.MLPRegressorCV(hidden=4, random_state=0).fit(X[:n], X[:n, 0]).record_ for n in (19, 20))
    assert np.isnan([few.score_low, few.score_high]).all()
    assert enough.score_low < enough.score < enough.score_high
