"""What networks that tune themselves say of themselves: rows without weight, intervals, budgets, and words."""

import inspect
import re
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.model_selection import GroupKFold, KFold, PredefinedSplit, StratifiedKFold, TimeSeriesSplit

import kilonet as kn
from kilonet.comparison import binomial_interval
from kilonet.errors import DataError, DivergenceWarning, SettingError
from kilonet.estimators import MLPRegressor
from kilonet.estimators.labels import Labels
from kilonet.estimators.numbers import Numbers
from kilonet.search import splits as drawing
from kilonet.search.splits import Target
from kilonet.tuned import Tuning
from kilonet.tuned.folds import drawn
from kilonet.tuned.intervals import Residuals
from kilonet.tuned.judging import Judge, accuracy_interval, temperature_of, tempered

ALONE = {"numbers": ((0, 3.0),), "first": 5, "combine": "best"}
QUICK = Tuning(hidden=((8,),), l2=(1e-3, 1e-1), steps=120, rate=(3e-3,), **ALONE)


def table(n: int = 120) -> tuple[Any, Any]:
    """Two columns, and classes that a line mostly tells apart."""
    random = np.random.default_rng(0)
    X = random.normal(size=(n, 2))
    return X, np.where(X[:, 0] + 0.5 * random.normal(size=n) > 0, "yes", "no")


def classifier(**settings: Any) -> Any:
    return kn.MLPClassifierCV(**({"tuning": QUICK, "random_state": 0} | settings))


def regressor(**settings: Any) -> Any:
    return kn.MLPRegressorCV(**({"tuning": QUICK, "random_state": 0} | settings))


# Rows without weight.
@pytest.mark.parametrize("cv", [None, 4, KFold(5), TimeSeriesSplit(3), GroupKFold(3)])
def test_rows_without_weight_make_no_interval(cv: Any) -> None:
    X, _ = table()
    weights = np.where(np.arange(len(X)) % 6 == 0, 0.0, 1.0)
    y = np.where(weights > 0, X[:, 0], 1e6)
    groups = np.arange(len(X)) % 12 if isinstance(cv, GroupKFold) else None
    some = regressor(cv=cv).fit(X, y, sample_weight=weights, groups=groups)
    low, high = some.predict_interval(X)
    assert (high - low).max() < 10
    assert np.isnan(some.oof_[weights == 0]).all()
    assert np.abs(some.record_.predictions["true"]).max() < 10
    for train, test in some.splits_:
        assert (weights[np.concatenate([train, test])] > 0).all()


@pytest.mark.parametrize("cv", [None, 4, KFold(5), StratifiedKFold(5), [(np.arange(100), np.arange(100, 121))]])
@pytest.mark.filterwarnings("ignore:The least populated class")
def test_a_stray_label_without_weight_is_absent_for_any_splits(cv: Any) -> None:
    X, y = table(121)
    y = np.where(np.arange(121) == 120, "stray", y)
    some = classifier(cv=cv).fit(X, y, sample_weight=(y != "stray").astype(float))
    assert some.classes_.tolist() == ["no", "yes"]
    assert "stray" not in some.record_.predictions["classes"]


def test_a_class_without_weight_is_judged_nowhere() -> None:
    X, y = table()
    record = classifier(class_weight={"no": 0.0}, rate=0.05).fit(X, y).record_
    assert record.score == 1
    assert record.calibration["after"] < 0.05
    assert np.sum(record.predictions["confusion"]) == np.sum(y == "yes")
    test = np.flatnonzero(y == "no")[:5]
    alone = classifier(cv=[(np.setdiff1d(np.arange(len(y)), test), test)], class_weight={"no": 0.0})
    with pytest.raises(DataError, match="no row that is held out has a weight"):
        alone.fit(X, y)


def test_a_split_that_holds_out_no_row_with_a_weight_is_left_out() -> None:
    weights = np.where(np.arange(20) < 5, 0.0, 1.0)
    target = Target(np.arange(20.0), None, weights, MLPRegressor())
    found = drawn(PredefinedSplit(np.arange(20) // 5), np.zeros((20, 1)), target, 5, 1, 0)
    assert found.reaching(4).how == "PredefinedSplit, 3 splits"
    one = drawn([(np.arange(10), np.arange(10, 20))], None, target, 5, 1, 0)
    assert one.first.how == "1 given split, in time"


# Folds are drawn as far as they are used, and a budget counts from the beginning.
def test_folds_are_drawn_only_where_they_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = table()
    draws: list[int] = []
    folds = drawing.folds
    monkeypatch.setattr(drawing, "folds", lambda *given: [draws.append(1), folds(*given)][1])
    few = classifier(runs=10).fit(X, y)
    assert len(draws) == 1
    more = classifier(runs=31).fit(X, y)
    assert len(draws) == 1 + 3
    assert more.record_.folds == "5 folds, drawn 3 times"
    for one, other in zip(few.splits_, more.splits_[:5], strict=True):
        assert np.array_equal(one.test, other.test)
    assert len({tuple(split.test) for split in more.splits_}) == 15


def test_a_budget_counts_from_the_beginning_of_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = table()
    numbers = kn.MLPClassifierCV._numbers

    def slowly(self: Any, *given: Any) -> Any:
        time.sleep(1.0)
        return numbers(self, *given)

    monkeypatch.setattr(kn.MLPClassifierCV, "_numbers", slowly)
    some = classifier(budget="1s").fit(X, y)
    assert some.record_.runs <= 4  # nothing is left: the sparsest plan, whatever the machine


# Intervals.
def test_members_of_a_pattern_are_weighed_by_their_shares() -> None:
    patterns = np.array([[True, False, True], [False, True, False]])
    found = Residuals(np.array([1.0, 2.0, 0.5]), patterns, np.array([0, 1, 0]))
    predicted, shares = np.array([[1.0], [5.0], [4.0], [9.0]]), np.array([0.1, 0.5, 0.2, 0.2])
    low, high = found.interval(predicted, shares, np.array([0, 1, 2, 1]), 0.75)
    first, second = (0.1 * 1 + 0.2 * 4) / 0.3, (0.5 * 5 + 0.2 * 9) / 0.7
    assert high[0] == pytest.approx(max(first + 1, second + 2))
    assert low[0] == pytest.approx(min(first - 1, second - 2))


def test_the_accuracy_of_rows_of_unequal_weights_has_no_interval_of_one_point() -> None:
    labels, y = Labels.of(np.array(["a", "b"])), np.arange(40) % 2
    weights = np.where(np.arange(40) < 20, 1.0, 3.0)
    said = np.where(y[:, np.newaxis] == np.arange(2), 0.9, 0.1)
    low, high = accuracy_interval(Judge(labels, y, weights), said, slice(None))
    trials = 80**2 / 200
    assert (low, high) == (pytest.approx(0.025 ** (1 / trials)), 1.0)  # Clopper & Pearson, of no failure
    none = accuracy_interval(Judge(labels, 1 - y, weights), said, slice(None))
    assert none == (0.0, pytest.approx(1 - 0.025 ** (1 / trials)))
    said[3:9] = said[3:9, ::-1]
    equal = accuracy_interval(Judge(labels, y, np.full(40, 0.7)), said, slice(None))
    assert equal == pytest.approx(binomial_interval(34, 40), rel=1e-9)
    right = 32.0 * 74 / 80
    some = accuracy_interval(Judge(labels, y, weights), said, slice(None))
    assert some[0] == pytest.approx(stats.beta.ppf(0.025, right, trials - right + 1))


# Temperatures, rounding, and models that are worse than none.
def test_the_temperature_of_numbers_has_its_prior_beside_a_normal_likelihood() -> None:
    random = np.random.default_rng(0)
    target, said = random.normal(size=30), random.normal(size=(30, 1))
    judge = Judge(Numbers.of(target, None), target, np.ones(30))
    variance = np.mean((said[:, 0] - target) ** 2)
    logs = np.linspace(0, 3, 3001)
    each = np.exp(-logs)[:, np.newaxis] * said[:, 0] - target
    cost = (each**2).sum(axis=1) / (2 * variance) + logs**2 / (2 * 0.5**2)
    assert np.log(temperature_of(judge, said, slice(None))) == pytest.approx(logs[cost.argmin()], abs=3e-3)
    assert judge.loss(tempered(said, 2.0)) < judge.loss(said)


@pytest.mark.parametrize("constant", [5.0, 0.1, 1e9 + 0.1])
def test_rounding_is_no_finding(constant: float) -> None:
    X, _ = table()
    some = kn.MLPRegressorCV(random_state=0).fit(X, np.full(len(X), constant))
    assert (some.record_.loss, some.record_.score, some.record_.baseline_score) == (0.0, 1.0, 1.0)
    assert some.record_.calibration["out_of_fold"] == 1
    assert "too far" not in some.report()
    assert "worse than" not in some.report()


def test_a_model_that_is_worse_than_none_says_so() -> None:
    X, y = table()
    random = np.random.default_rng(3)
    wild = Tuning(hidden=((8,),), l2=(0.0,), steps=120, calibrate=False, **ALONE)
    with pytest.warns(DivergenceWarning, match="worse than what looks at no column"):
        some = regressor(tuning=wild, rate=30.0).fit(X, X[:, 0])
    assert some.record_.loss > 2 * some.record_.baseline_loss
    assert "Out of fold the model is worse than what looks at no column" in some.report()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        noise = regressor(tuning=Tuning(hidden=((8,),), l2=(1e-4,), calibrate=False, **ALONE)).fit(
            X, random.normal(size=120)
        )
        fine = classifier().fit(X, y)
    assert "worse than what looks at no column" in noise.report()
    assert "worse than" not in fine.report()


# What is refused, and how.
def test_a_callback_that_is_none_is_refused_before_anything_else() -> None:
    X, y = table()
    with pytest.raises(SettingError, match=r"callback came as 'tell'; needs a function"):
        classifier(callback="tell").fit(X, y)


def test_messages_name_the_estimator_that_was_used() -> None:
    X, y = table()
    with pytest.raises(ValueError, match=r"For classes use MLPClassifierCV\."):
        regressor().fit(X, y)
    for own, target in ((classifier(), y), (regressor(), X[:, 0])):
        with pytest.raises(ValueError, match=f"required by {type(own).__name__}"):
            own.fit(X[:, :0], target)


# Words.
def test_the_report_names_what_ties_and_what_gives_the_same_again() -> None:
    X, y = table()
    some = classifier(l2=[1e-3, 1e-2, 1e-1], rate=[1e-3, 3e-3], runs=30).fit(X, y)
    ties = next(sentence for sentence in some.record_.sentences if sentence.startswith("Ties"))
    assert re.fullmatch(r"Ties: λ=\S+, rate=[^,;]+(; λ=\S+, rate=[^,;]+){4}\.", ties)
    assert "With the same data and a random_state that is a number, runs=30 gives the same again." in some.report()


def test_the_report_says_that_splits_in_time_weigh_alike() -> None:
    X, _ = table()
    said = "Networks of old and of new splits weigh alike."
    assert said in regressor(cv=TimeSeriesSplit(3)).fit(X, X[:, 0]).report()
    assert said not in regressor(cv=KFold(3)).fit(X, X[:, 0]).report()


def test_of_uneven_groups_no_more_splits_are_reached_than_there_are() -> None:
    X, y = table()
    groups = np.where(np.arange(len(y)) < 90, 0, np.arange(len(y)) % 5)
    for runs in (10, 35, 60):
        some = classifier(runs=runs).fit(X, y, groups=groups)
        assert some.runs_ == some.record_.runs <= runs
        assert len(some.splits_) == some.record_.splits


def test_documents_promise_no_more_than_is_known() -> None:
    said = " ".join((inspect.getdoc(kn.MLPRegressorCV.predict_interval) or "").split())
    assert "guaranteed" not in said
    assert "about level comes" in said
    page = " ".join((Path(__file__).parents[2] / "docs" / "tuned.md").read_text(encoding="utf-8").split())
    assert "2·level − 1 is guaranteed" not in page
    assert "min(2(1 − 1/k)/(n/k + 1), (1 − k/n)/(k + 1))" in page
    assert "means of one to three" not in page


def test_what_a_number_of_folds_needs_is_what_documents_say() -> None:
    target = Target(np.arange(9.0), None, None, MLPRegressor())
    assert drawn(None, None, target, 5, 1, 0).first.folds == 5
    with pytest.raises(SettingError, match="two a fold"):
        drawn(5, None, target, 5, 1, 0)
    assert "two rows for each fold" in (kn.MLPRegressorCV.__doc__ or "")


def test_all_right_with_unequal_weights_is_no_certainty() -> None:
    X, _ = table()
    y = np.where(X[:, 0] > 0, "yes", "no")
    far = np.abs(X[:, 0]) > 0.3
    weights = np.where(np.arange(len(X)) % 2 == 0, 1.0, 3.0)[far]
    record = classifier(rate=0.05).fit(X[far], y[far], sample_weight=weights).record_
    trials = weights.sum() ** 2 / (weights**2).sum()
    assert record.score == 1
    assert (record.score_low, record.score_high) == (pytest.approx(0.025 ** (1 / trials)), 1.0)


def test_few_splits_say_behind_by_the_interval_and_never_worse() -> None:
    X, _ = table()
    some = regressor(l2=[1e-3, 30.0]).fit(X, X[:, 0])
    one = next(own for own in some.record_.configurations if own.params["l2"] == 30.0)
    assert one.low > 0
    assert one.verdict == "behind"
    assert "Behind, by their 95% intervals: λ=30." in some.report()
    assert "Ties" not in some.report()
