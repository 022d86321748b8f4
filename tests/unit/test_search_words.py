"""What a search says: names, numbers and reasons come from the record, and hold whatever networks are called."""

import ast
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import fbeta_score, make_scorer
from sklearn.model_selection import TimeSeriesSplit

import kilonet as kn
from kilonet import report
from kilonet.cli.standings import standings
from kilonet.comparison import ENOUGH
from kilonet.evidence import ArchitectureRecord, CandidateRecord, Nested, SearchRecord
from kilonet.plots.outcomes import ResidualsDisplay
from kilonet.search.predictions import told_classes
from kilonet.search.verdict import sentences

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(60, 2))
Y = np.where(X[:, 0] + 0.5 * RANDOM.normal(size=60) > 0, "up", "down")
SMALL: dict[str, Any] = {"hidden": [2], "l2": [1e-3], "rate": [0.02], "seeds": 1, "cv": 2, "runs": 600, "nested": False,
                         "extend": False, "random_state": 0}  # fmt: skip


class Swish:
    """An activation of the user's own, which has no text."""

    def value(self, z: Any) -> Any:
        return z / (1 + np.exp(-z))

    def slope(self, z: Any) -> Any:
        s = 1 / (1 + np.exp(-z))
        return s * (1 + z * (1 - s))


def searched(y: Any = Y, rows: Any = X, groups: Any = None, **changes: Any) -> SearchRecord:
    """The record of a small search."""
    base = kn.MLPRegressor if np.asarray(y).dtype.kind == "f" else kn.MLPClassifier
    settings = SMALL | {"estimator": base(epochs=5)} | changes
    found: SearchRecord = kn.ArchitectureSearch(**settings).fit(rows, y, groups=groups).record_
    return found


def architecture(number: int, **changes: Any) -> ArchitectureRecord:
    own: dict[str, Any] = {
        "number": number, "text": ["no hidden layer", "16 relu"][number], "hidden": [[], [16]][number],
        "activation": "relu", "n_parameters": [6, 82][number], "best": number, "loss": [0.35, 0.2][number],
        "loss_low": 0.1, "loss_high": 0.3, "score": [0.82, 0.93][number], "training_loss": 0.15, "seed_spread": 0.01,
        "difference": [0.15, 0.0][number], "low": [0.11, 0.0][number], "high": [0.19, 0.0][number], "p_value": 1e-5,
        "adjusted_p": [1.9e-4, 1.0][number], "verdict": ["worse", "best"][number], "diverged": 0,
        "training_seconds": 0.01, "microseconds_a_row": 0.1,
    }  # fmt: skip
    return ArchitectureRecord(**own | changes)


def a_record(**changes: Any) -> SearchRecord:
    table = [[0.2, 0.2]] * 10
    own: dict[str, Any] = {
        "task": "classification", "data": {"rows": 300}, "settings": {"prefer": "smallest", "runs": 100},
        "metric": {"name": "loss", "loss": "cross_entropy", "unit": "nats", "score": "accuracy"},
        "splits": [{"train": 240, "test": 60}] * 10, "test_to_train": 0.25,
        "candidates": tuple(CandidateRecord(n, "", {}, n, table, table, table, settings="λ=0.1") for n in range(2)),
        "architectures": (architecture(0), architecture(1)), "chosen": 1, "reference": 1,
        "baselines": [{"name": "most frequent class", "loss": 0.69, "score": 0.5}], "nested": None, "learning": [],
        "predictions": {}, "regions": None, "verdict": [], "notes": [], "reproduce": "",
    }  # fmt: skip
    return SearchRecord(**own | changes)


def said(record: SearchRecord) -> str:
    return " ".join(sentences(record))


def page(record: SearchRecord) -> str:
    return report.markdown(record).replace("\\", "")


SCORED = {"name": "-accuracy", "loss": "cross_entropy", "unit": "nats", "score": "accuracy"}


# Networks whose names have commas in them.
def test_layers_with_commas_keep_their_names_apart_from_their_settings() -> None:
    layers = [(kn.Maxout(4, pieces=3),), (kn.Dense(6, kn.tanh), 4)]
    record = searched(hidden=layers, nested=True, cv=3, extend=True)
    assert {own.settings for own in record.candidates} >= {"λ=0.001, rate=0.02"}
    for own in record.candidates:
        assert own.text == f"{record.architectures[own.architecture].text}, {own.settings}"
    assert record.nested is not None
    assert set(record.nested.networks) <= {own.text for own in record.architectures}
    for number in range(len(record.architectures)):
        chosen = replace(record, chosen=number)
        assert " (λ=0.001, rate=0.02): " in sentences(chosen)[0]
        cell = next(line for line in page(chosen).splitlines() if line.startswith("| **✓")).split(" | ")[3]
        assert cell.strip("*") == "λ=0.001, rate=0.02"
    assert "Maxout(4, pieces=3) relu  " in standings(record)


def test_the_folds_name_whole_networks() -> None:
    other = "Dense(6, activation=tanh)-4 relu"
    nested = Nested([0.2] * 3, [0.9] * 3, [f"{other}, λ=0.1"] * 3, 0.2, 0.9, 0.8, 0.95, [other] * 3, 300)
    assert f"In 3 of 3 folds the choice was another: {other}." in said(a_record(nested=nested))
    assert f"the choice was {other} 3 times." in page(a_record(nested=nested))


# Labels.
def test_labels_that_print_alike_are_classes_of_their_own() -> None:
    true, told = np.array([1, "1", "1", "b"], dtype=object), np.array(["1", "1", 1, "b"], dtype=object)
    found = told_classes(true, told, np.array([0.9, 0.9, 0.9, 0.9]))
    assert found["classes"] == ["1", "'1'", "b"]
    assert found["confusion"] == [[0, 1, 0], [1, 1, 0], [0, 0, 1]]
    assert found["reliability"][0]["accuracy"] == 0.5
    names = np.array([10, 9, 10], dtype=object)
    assert told_classes(names, names, None)["classes"] == ["9", "10"]


def test_labels_that_print_alike_have_two_names_in_the_picture_of_regions() -> None:
    labels = np.empty(60, dtype=object)
    labels[:] = [1 if label == "up" else "1" for label in Y]
    record = searched(labels)
    assert record.regions is not None
    assert sorted(record.regions["classes"]) == ["'1'", "1"]
    assert sorted(record.predictions["classes"]) == ["'1'", "1"]


# The call that gives the same numbers again.
GIVEN = [
    {"estimator": kn.MLPClassifier(epochs=5, loss=kn.cross_entropy(smoothing=0.1))},
    {"hidden": [kn.Dense(3, kn.tanh), (kn.Maxout(4, pieces=3), 2)], "activation": [kn.leaky_relu(0.2)]},
    {"cv": TimeSeriesSplit(2)},
    {"cv": [(np.arange(40), np.arange(40, 60)), (np.arange(20, 60), np.arange(20))]},
    {"scoring": make_scorer(fbeta_score, beta=2, pos_label="up")},
    {"activation": [Swish()]},
    {"hidden": range(2, 4), "rate": np.array([0.02])},
]


@pytest.mark.parametrize("given", GIVEN, ids="-".join)
def test_the_call_can_be_run(given: dict[str, Any]) -> None:
    first = searched(**given)
    names = {"kn": kn, "X": X, "y": Y, **{key: value for key, value in given.items() if key in ("cv", "scoring")},
             "activation": given.get("activation")}  # fmt: skip
    again = eval(first.reproduce, names).record_  # noqa: S307 - our own text
    assert again.to_json(times=False) == first.to_json(times=False)
    assert len(first.reproduce) < 400


def test_an_estimator_with_many_settings_is_written_whole() -> None:
    settings = {"epochs": 5, "batch": 7, "class_weight": {"up": 2.0, "down": 1.0}, "dtype": "float32", "l1": 1e-5,
                "max_norm": 3.0, "optimizer": kn.Momentum(0.1), "schedule": kn.cosine, "loss": kn.cross_entropy(
                    smoothing=0.05), "initializer": kn.orthogonal}  # fmt: skip
    known = {name: value for name, value in settings.items() if name in kn.MLPClassifier().get_params()}
    estimator = kn.MLPClassifier(**known)
    line = searched(estimator=estimator).reproduce
    call = ast.parse(line, mode="eval").body
    assert isinstance(call, ast.Call)
    search = eval(line.removesuffix(".fit(X, y)"), {"kn": kn})  # noqa: S307 - our own text
    assert {name: repr(search.estimator.get_params()[name]) for name in known} == {
        name: repr(value) for name, value in known.items()
    }


# Numbers of few splits, of other scores, of all rows.
def test_with_few_splits_the_page_tells_no_p() -> None:
    few = a_record(splits=[{"train": 240, "test": 60}] * (ENOUGH - 1))
    assert "p < 0.001" in page(a_record())
    assert "below 0.05" in page(a_record())
    assert "p < 0.001" not in page(few)
    assert "below 0.05" not in page(few)
    assert f"with less than {ENOUGH} splits no p is told" in page(few)


def test_the_kind_of_interval_is_told() -> None:
    nested = Nested([0.2] * 3, [0.9] * 3, ["16 relu"] * 3, 0.2, 0.9, 0.8, 0.95, ["16 relu"] * 3, 123)
    assert "the interval takes each of 123 rows as a trial of its own" in page(a_record(nested=nested))
    assert "the interval is of the mean over 3 folds" in page(a_record(nested=replace(nested, trials=0)))


def test_a_search_knows_its_kind_of_interval() -> None:
    folds = searched(nested=True, cv=3).nested
    assert folds is not None
    assert folds.trials == 60
    random = np.random.default_rng(1)
    twice = [(order[:40], order[40:]) for order in (random.permutation(60) for _ in range(3))]
    drawn = searched(nested=True, cv=twice).nested
    assert drawn is not None
    assert drawn.trials == 0


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"nested": False}, "it was not asked for"),
        ({"nested": True, "runs": 34}, "the budget has no room for it"),
        ({"nested": True, "y": np.where(np.arange(60) < 2, "rare", Y)}, "rows of a class are too few for folds"),
        ({"nested": True, "groups": np.arange(60) % 3, "y": X[:, 0]}, "rows, or groups, are too few for folds"),
    ],
)
def test_why_there_is_no_nested_estimate(changes: dict[str, Any], why: str) -> None:
    record = searched(**changes)
    assert record.nested is None
    assert record.no_nested.startswith(why)
    assert f"There is no nested estimate ({record.no_nested}), so the winner's own figures" in said(record)
    assert f"No nested estimate was made ({record.no_nested})" in page(record)
    assert not any("nested" in note for note in record.notes)


def test_splits_in_time_are_told_as_what_they_are() -> None:
    record = searched(cv=TimeSeriesSplit(5), y=X[:, 0])
    assert record.settings["in_time"]
    assert "trained on 10 to 50 rows, judged on 10 later ones." in page(record)
    assert "The choice with the latest part of its training rows" in page(record)
    assert "judged on the 30 others" in page(searched())


def test_given_splits_are_called_so() -> None:
    record = searched(cv=[(np.arange(40), np.arange(40, 60)), (np.arange(20, 60), np.arange(20))])
    assert record.settings["folds"] == "2 given splits"
    assert searched(cv=TimeSeriesSplit(2)).settings["folds"].startswith("TimeSeriesSplit, 2 splits")


def test_how_far_off_is_of_all_rows_and_the_picture_shows_some() -> None:
    random = np.random.default_rng(2)
    rows = random.normal(size=(1300, 1))
    record = searched(rows[:, 0] + random.normal(size=1300), rows, cv=2)
    found = record.predictions
    assert len(found["true"]) == 434  # every third one: 650 would be more than 600
    assert found["errors"]["rows"] == 1300
    within = found["errors"]["half"]
    off = np.abs(np.subtract(found["true"], found["predicted"]))
    assert np.mean(off <= within) == pytest.approx(0.5, abs=0.08)
    assert within != np.median(off)
    assert "Of 1,300 held-out rows, half were predicted to within" in page(record)
    assert ResidualsDisplay.from_record(record).half == within


def test_an_accuracy_that_is_not_all_never_reads_100_percent() -> None:
    good = a_record(architectures=(architecture(0), architecture(1, score=0.9996)))
    assert "accuracy 99.96%" in said(good)
    assert "99.96%" in standings(good)


def test_a_baseline_that_is_better_is_told_without_a_nested_estimate() -> None:
    bad = a_record(baselines=[{"name": "most frequent class", "loss": 0.6, "score": 0.93}])
    assert "Always answering the most frequent class gives accuracy 93.0%: the network may be no better." in said(bad)
    assert "and the network may be no better" in page(bad)
    assert "no better" not in said(a_record())
    assert "no better" not in page(a_record())


def test_one_split_has_no_interval() -> None:
    one = searched(cv=[(np.arange(40), np.arange(40, 60))])
    assert " ± " not in said(one)
    assert "inf" not in said(one)
    assert " ± " not in "".join(line for line in standings(one).splitlines() if line.startswith("→"))


def test_with_scoring_scores_are_told_as_scores() -> None:
    few = a_record(metric=SCORED, data={"rows": 60}, architectures=(
        architecture(0, loss=-0.82, low=0.0, high=0.2), architecture(1, loss=-0.506, score=0.506, loss_low=-0.559,
                                                                     loss_high=-0.453)))  # fmt: skip
    assert "Use 16 relu (λ=0.1): held-out accuracy 50.6% ± 5.3% (2 seeds, 10 splits)." in said(few)
    assert "differences of the accuracy below about 10% cannot be told from luck" in said(few)
    assert "-accuracy" not in said(few) + page(few) + standings(few)
    other = replace(few, chosen=0)
    assert "16 relu has the best accuracy, by 0.15" in said(other)


def test_a_negative_score_has_a_minus_sign() -> None:
    numbers = {"name": "loss", "loss": "squared", "unit": "", "score": "R²"}
    assert "R² −0.0123" in said(
        a_record(metric=numbers, architectures=(architecture(0), architecture(1, score=-0.0123)))
    )
