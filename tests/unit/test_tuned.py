"""Networks that tune themselves: what is chosen, what it is worth, and that it is the same again."""

import json
import pickle
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold, PredefinedSplit, TimeSeriesSplit

import kilonet as kn
from kilonet.errors import DataError, FileFormatError, SettingError
from kilonet.tuned import TunedRecord, Tuning

ALONE = {
    "numbers": ((0, 3.0),),
    "first": 5,
    "combine": "best",
}  # one shape, all folds, one configuration: simplest to follow
QUICK = Tuning(hidden=((8,),), l2=(1e-3, 1e-1), steps=120, draws=2, rate=(3e-3,), **ALONE)


def table(n: int = 120, seed: int = 0) -> tuple[Any, Any]:
    """Two columns, and classes that a line mostly tells apart."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 2))
    return X, np.where(X[:, 0] + 0.5 * random.normal(size=n) > 0, "yes", "no")


def classifier(**settings: Any) -> Any:
    X, y = table()
    return kn.MLPClassifierCV(**({"tuning": QUICK, "random_state": 0} | settings)).fit(X, y)


@pytest.fixture(scope="module")
def fitted() -> Any:
    return classifier()


@pytest.fixture(scope="module")
def numbers() -> Any:
    X, _ = table()
    return kn.MLPRegressorCV(tuning=QUICK, random_state=0).fit(X, 100 + 20 * X[:, 0])


def test_the_model_is_the_mean_of_the_fold_networks_of_one_configuration(fitted: Any) -> None:
    X, _ = table()
    members = fitted.members_
    assert len(members) == 10  # 5 folds, drawn twice
    assert [member.split for member in members] == list(range(10))
    assert {json.dumps(member.params) for member in members} == {json.dumps(fitted.best_params_)}
    inputs = fitted._parts[0].estimator._footing.inputs(X)
    scores = np.stack([member.network.scores(member.theta, inputs) for member in members]).astype(np.float64)
    each = np.exp(scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True)))
    mean = each.mean(axis=0) ** (1 / fitted.temperature_)
    # float32 scores of two ways to multiply: some rounding of 1e-7 each, in networks with weights of about 1.
    np.testing.assert_allclose(fitted.predict_proba(X), mean / mean.sum(axis=1, keepdims=True), atol=1e-5)


def test_out_of_fold_predictions_come_from_networks_that_had_not_seen_the_row(fitted: Any) -> None:
    X, _ = table()
    inputs = fitted._parts[0].estimator._footing.inputs(X)
    row = 17
    said = []
    for member in fitted.members_:
        train, test = fitted.splits_[member.split]
        assert set(train.tolist()).isdisjoint(test.tolist())
        if row in test:
            scores = member.network.scores(member.theta, inputs[[row]])[0].astype(np.float64)
            said.append(np.exp(scores) / np.exp(scores).sum())
    assert len(said) == 2
    mean = np.mean(said, axis=0) ** (1 / fitted.record_.calibration["out_of_fold"])
    np.testing.assert_allclose(fitted.oof_[row], mean / mean.sum(), atol=1e-5)


def test_the_record_has_the_loss_of_the_out_of_fold_predictions(fitted: Any) -> None:
    _, y = table()
    record = fitted.record_
    assert record.loss == pytest.approx(log_loss(y, fitted.oof_), rel=1e-6)
    assert record.score == pytest.approx(np.mean(fitted.classes_[fitted.oof_.argmax(axis=1)] == y))
    assert record.score_low < record.score < record.score_high
    assert record.loss_low < record.loss < record.loss_high
    assert record.networks == record.runs == fitted.runs_ == 20
    best = record.configurations[record.best]
    assert best.loss == min(own.loss for own in record.configurations)
    assert best.params["l2"] == fitted.best_params_["l2"]
    assert [own.weight for own in record.configurations].count(1.0) == 1


def test_a_temperature_never_makes_the_out_of_fold_loss_worse(fitted: Any) -> None:
    best = fitted.record_.configurations[fitted.record_.best]
    assert fitted.record_.loss <= best.loss  # which is told of before the temperature
    assert fitted.record_.calibration["out_of_fold"] != 1
    assert fitted.temperature_ == fitted.record_.calibration["temperature"]
    # The model is a mean of ten networks, a row out of fold is judged by two: the mean of more is less sure.
    assert fitted.temperature_ <= fitted.record_.calibration["out_of_fold"]
    without = classifier(tuning=Tuning(**(vars(QUICK) | {"calibrate": False})))
    assert without.temperature_ == 1
    assert without.record_.loss == pytest.approx(best.loss, rel=1e-12)


def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads() -> None:
    X, _ = table()
    one, other = classifier(n_jobs=1), classifier(n_jobs=2)
    assert np.array_equal(one.predict_proba(X), other.predict_proba(X))
    assert one.record_.to_json(times=False) == other.record_.to_json(times=False)
    assert not np.array_equal(one.predict_proba(X), classifier(random_state=1).predict_proba(X))


def test_a_number_of_networks_is_kept_to_and_gives_the_same_again() -> None:
    X, _ = table()
    told: list[tuple[int, int]] = []
    some = classifier(runs=13, callback=lambda done, most: told.append((done, most)))
    assert told[0] == (0, 10)  # before anything is trained: both configurations on five folds
    assert told[-1] == (10, 10)
    assert some.runs_ == some.record_.runs == 10
    assert np.array_equal(some.predict_proba(X), classifier(runs=some.record_.runs).predict_proba(X))
    with pytest.raises(SettingError, match=r"runs=3 is not enough for 2 configurations: needs \d+ at least"):
        classifier(runs=3)


def test_few_networks_mean_fewer_splits_for_the_configurations_that_lose() -> None:
    tuning = Tuning(hidden=((8,),), l2=(1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0), steps=120, **ALONE)
    some = classifier(tuning=tuning, runs=14)
    assert some.runs_ == 14  # six on the first split, two of them on the other four
    verdicts = [own.verdict for own in some.record_.configurations]
    assert verdicts.count("dropped") == 4
    assert not np.isnan(some.oof_).any()


def test_a_budget_in_seconds_is_kept_about() -> None:
    some = classifier(budget="2s")
    assert some.record_.seconds < 8  # of a machine that others share
    assert some.runs_ <= some.record_.runs


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"budget": "soon"}, "budget came as 'soon'"),
        ({"runs": 0}, "runs came as 0"),
        ({"hidden": [0]}, "hidden"),
        ({"l2": [-1.0]}, "l2"),
        ({"cv": 1}, "cv came as 1"),
        ({"cv": 200}, "cv=200 folds"),
        ({"tuning": 3}, "tuning came as 3"),
        ({"activation": "spam"}, "spam"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingError, match=says):
        classifier(**settings)


def test_an_unknown_setting_gets_a_hint() -> None:
    with pytest.raises(TypeError, match="Instead of scikit-learn's alpha there is l2"):
        kn.MLPClassifierCV(alpha=1)


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"combine": "all"}, {"folds": ((5, 5),)}, {"smoothing": 1.0}])
def test_a_tuning_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        Tuning(**wrong)


def test_values_of_a_user_replace_those_of_the_tuning() -> None:
    some = classifier(hidden=[(4,), (), (3, 3)], activation=["relu", "tanh"], l2=0.01, rate=[0.01, 0.02], dropout=0.0)
    params = [own.params for own in some.record_.configurations]
    assert len(params) == 10  # networks without hidden layers have one activation
    assert {(tuple(own["hidden"]), own["activation"], own["l2"], own["rate"]) for own in params} >= {
        ((4,), "tanh", 0.01, 0.02), ((3, 3), "relu", 0.01, 0.01), ((), "relu", 0.01, 0.01)
    }  # fmt: skip


def test_without_hidden_layers_rates_are_ten_times_the_others() -> None:
    found = {own.text for own in Tuning(hidden=((8,), ()), l2=(1e-3,), numbers=((0, None),)).grid().candidates}
    assert {text.replace(", numbers as they are", "") for text in found} == {
        "8 relu, λ=0.001, rate=0.005, dropout=0.1",
        "no hidden layer, λ=0.001, rate=0.05, dropout=0",
    }


def test_greedy_choice_is_no_worse_out_of_fold_than_the_best_alone() -> None:
    wide = {"hidden": ((8,), (), (4, 4)), "combine": "greedy", "calibrate": False}
    some = classifier(tuning=Tuning(**(vars(QUICK) | wide)))
    X, _ = table()
    record = some.record_
    assert sum(own.weight for own in record.configurations) == pytest.approx(1)
    assert record.loss <= record.configurations[record.best].loss
    assert len(some.members_) == 10 * sum(own.weight > 0 for own in record.configurations)
    assert sum(member.weight for member in some.members_) == pytest.approx(1)
    np.testing.assert_allclose(some.predict_proba(X).sum(axis=1), 1)


def test_several_networks_of_each_split() -> None:
    some = classifier(tuning=Tuning(**(vars(QUICK) | {"members": 3})), runs=30)
    assert some.runs_ == 30
    thetas = np.stack([member.theta for member in some.members_])
    assert len(np.unique(thetas, axis=0)) == len(thetas) == 15
    X, _ = table()
    row, said = 23, []
    inputs = some._parts[0].estimator._footing.inputs(X[[row]])
    for member in some.members_:
        if row in some.splits_[member.split].test:
            scores = member.network.scores(member.theta, inputs)[0].astype(np.float64)
            said.append(np.exp(scores) / np.exp(scores).sum())
    assert len(said) == 3
    mean = np.mean(said, axis=0) ** (1 / some.record_.calibration["out_of_fold"])
    np.testing.assert_allclose(some.oof_[row], mean / mean.sum(), atol=1e-5)


def test_labels_are_smoothed_and_the_loss_is_told_without() -> None:
    some = classifier(tuning=Tuning(**(vars(QUICK) | {"smoothing": 0.2, "calibrate": False})))
    _, y = table()
    assert some.record_.loss == pytest.approx(log_loss(y, some.oof_), rel=1e-6)
    assert some.oof_.max() < classifier(tuning=Tuning(**(vars(QUICK) | {"calibrate": False}))).oof_.max()


# Rows of all kinds.
def test_tables_of_any_library_give_the_same() -> None:
    X, y = table(80)
    texts = np.where(X[:, 1] > 0, "up", "down")
    gaps = np.where(np.arange(80) % 9 == 0, np.nan, X[:, 0])
    frame = {"kind": texts, "size": gaps}
    some = [kn.MLPClassifierCV(tuning=QUICK, random_state=0).fit(own(frame), y) for own in (pd.DataFrame, pl.DataFrame)]
    assert some[0].feature_names_in_.tolist() == ["kind", "size"]
    proba = [own.predict_proba(kind(frame)) for own, kind in zip(some, (pd.DataFrame, pl.DataFrame), strict=True)]
    # A gap is NaN for pandas, and a number that is NaN for polars: both are missing.
    np.testing.assert_array_equal(*proba)
    assert some[0].score(pd.DataFrame(frame), y) > 0.7


def test_groups_are_never_parted() -> None:
    X, y = table()
    groups = np.arange(len(y)) // 6
    some = kn.MLPClassifierCV(tuning=QUICK, random_state=0).fit(X, y, groups=groups)
    for train, test in some.splits_:
        assert not set(groups[train]) & set(groups[test])
    given = kn.MLPClassifierCV(tuning=QUICK, cv=GroupKFold(3), random_state=0).fit(X, y, groups=groups)
    assert len(given.splits_) == 3
    with pytest.raises(DataError, match="one group only"):
        kn.MLPClassifierCV(tuning=QUICK).fit(X, y, groups=np.zeros(len(y)))


def test_splits_in_time_are_taken_as_they_are() -> None:
    X, _ = table()
    some = kn.MLPRegressorCV(tuning=QUICK, cv=TimeSeriesSplit(4), random_state=0).fit(X, X[:, 0])
    assert all(train.max() < test.min() for train, test in some.splits_)
    assert np.isnan(some.oof_[:24]).all()
    assert np.isfinite(some.oof_[24:]).all()
    low, high = some.predict_interval(X)
    assert (low < high).all()


def test_rows_of_weight_zero_count_as_absent() -> None:
    X, y = table()
    weights = np.ones(len(y))
    weights[::5] = 0
    some = kn.MLPClassifierCV(tuning=QUICK, random_state=0).fit(X, y, sample_weight=weights)
    kept = weights > 0
    other = kn.MLPClassifierCV(tuning=QUICK, random_state=0).fit(X[kept], y[kept])
    assert np.array_equal(some.predict_proba(X), other.predict_proba(X))
    assert np.isnan(some.oof_[~kept]).all()
    assert some.record_.to_json(times=False) == other.record_.to_json(times=False).replace("5 folds", "5 folds")


def test_weights_count_in_the_choice_and_in_training() -> None:
    X, y = table()
    heavy = np.where(y == "yes", 20.0, 1.0)
    by_rows = kn.MLPClassifierCV(tuning=QUICK, random_state=0).fit(X, y, sample_weight=heavy)
    by_class = kn.MLPClassifierCV(tuning=QUICK, random_state=0, class_weight={"yes": 20.0, "no": 1.0}).fit(X, y)
    for own in (by_rows, by_class):  # which differ in what the encoder, that knows no classes, is told
        assert own.oof_[:, 1].mean() > classifier().oof_[:, 1].mean() + 0.1
        losses = -np.log(own.oof_[np.arange(len(y)), (y == "yes").astype(int)])
        assert own.record_.loss == pytest.approx(np.average(losses, weights=heavy))


def test_a_single_split_that_a_user_gives_is_enough() -> None:
    X, y = table()
    some = kn.MLPClassifierCV(tuning=QUICK, cv=PredefinedSplit(np.arange(len(y)) % 4 - 1), random_state=0).fit(X, y)
    assert len(some.members_) == 3


def test_two_targets_are_refused() -> None:
    X, _ = table()
    with pytest.raises(DataError, match="takes one target"):
        kn.MLPRegressorCV(tuning=QUICK).fit(X, X)


# Numbers.
def test_predictions_are_in_the_units_of_the_target(numbers: Any) -> None:
    X, _ = table()
    assert numbers.score(X, 100 + 20 * X[:, 0]) > 0.8
    assert abs(numbers.oof_.mean() - 100) < 5
    assert numbers.record_.score > 0.7
    assert numbers.record_.baseline_score == 0


def test_intervals_cover_as_often_as_they_say() -> None:
    random = np.random.default_rng(1)
    X = random.normal(size=(1600, 2))
    y = X[:, 0] + random.standard_t(3, size=1600)
    some = kn.MLPRegressorCV(tuning=QUICK, random_state=0).fit(X[:400], y[:400])
    for level in (0.5, 0.9):
        low, high = some.predict_interval(X[400:], level)
        # Of 1,200 rows 3.5 standard deviations of the share, and about as much for the 400 that it was learned from.
        spread = np.sqrt(level * (1 - level)) * (1 / np.sqrt(1200) + 1 / np.sqrt(400))
        assert abs(np.mean((low <= y[400:]) & (y[400:] <= high)) - level) < 3 * spread


def test_an_interval_by_hand(numbers: Any) -> None:
    """The definition of CV+, row by row: the networks that had not seen a row, give or take its residual."""
    X, _ = table()
    y = 100 + 20 * X[:, 0]
    new = np.array([[0.3, -0.2]])
    inputs = numbers._parts[0].estimator._footing.inputs(new)
    codec = numbers._codec
    warm = numbers.record_.calibration["out_of_fold"]  # as the residuals are
    assert warm != numbers.temperature_
    each = np.array([codec.predictions(m.network.scores(m.theta, inputs) / warm)[0] for m in numbers.members_])
    held = np.array([[row in split.test for split in numbers.splits_] for row in range(len(y))])
    centres = np.array([each[own].mean() for own in held])
    off = np.abs(y - numbers.oof_)
    rank = int(np.ceil(0.8 * (len(y) + 1)))
    low, high = numbers.predict_interval(new, level=0.8)
    assert high[0] == pytest.approx(np.sort(centres + off)[rank - 1], rel=1e-5)
    assert low[0] == pytest.approx(np.sort(centres - off)[len(y) - rank], rel=1e-5)
    with pytest.raises(SettingError, match=r"level=0.999 needs 999 rows that were held out, and there are 120"):
        numbers.predict_interval(new, level=0.999)


# Copies and files.
def test_copies_predict_the_same(fitted: Any) -> None:
    X, _ = table()
    again = pickle.loads(pickle.dumps(fitted))  # noqa: S301 - just written
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert clone(fitted).get_params() == fitted.get_params()
    assert clone(fitted).set_params(l2=0.5).l2 == 0.5


def test_files_bring_everything_back(fitted: Any, numbers: Any, tmp_path: Any) -> None:
    X, _ = table()
    again = kn.load(fitted.save(tmp_path / "c.kn"))
    assert type(again) is kn.MLPClassifierCV
    assert again.get_params() == fitted.get_params()
    assert np.array_equal(again.predict_proba(X), fitted.predict_proba(X))
    assert np.array_equal(again.oof_, fitted.oof_)
    assert again.record_.to_json() == fitted.record_.to_json()
    assert again.best_params_ == fitted.best_params_
    for one, other in zip(again.members_, fitted.members_, strict=True):
        assert one[:4] == other[:4]
        assert np.array_equal(one.theta, other.theta)
    same = kn.load(numbers.save(tmp_path / "r.kn"))
    assert np.array_equal(same.predict_interval(X), numbers.predict_interval(X))
    assert np.array_equal(kn.load(same.save(tmp_path / "s.kn")).predict(X), numbers.predict(X))


def test_networks_of_several_shapes_go_into_one_file(tmp_path: Any) -> None:
    wide = {"hidden": ((8,), (4, 4)), "combine": "greedy", "l2": (0.001,)}
    X, _ = table()
    each = (classifier(tuning=Tuning(**(vars(QUICK) | wide)), random_state=seed) for seed in range(9))
    some = next(own for own in each if len(own._parts) == 2)
    for own in some.record_.configurations:
        shares = [member.weight for member in some.members_ if list(member.params["hidden"]) == own.params["hidden"]]
        assert sum(shares) == pytest.approx(own.weight)
    again = kn.load(some.save(tmp_path / "m.kn"))
    assert np.array_equal(again.predict_proba(X), some.predict_proba(X))


def test_a_file_that_was_edited_is_refused(fitted: Any, tmp_path: Any) -> None:
    from dataclasses import replace  # noqa: PLC0415

    from kilonet import persistence  # noqa: PLC0415
    from kilonet.tuned.saving import to_model  # noqa: PLC0415

    model = to_model(fitted)
    for wrong in ({"estimator": "Spam"}, {"of": []}, {"record": "{}"}, {"temperature": "warm"}):
        own = replace(model, extra={**model.extra, "tuned": {**model.extra["tuned"], **wrong}})
        persistence.save(own, tmp_path / "wrong.kn")
        with pytest.raises(FileFormatError):
            kn.load(tmp_path / "wrong.kn")


def test_the_report_is_text_and_data(fitted: Any, tmp_path: Any) -> None:
    text = fitted.report()
    assert text.startswith("Out of fold: accuracy ")
    assert "Chosen of 2 configurations: λ=" in text
    assert "runs=20 gives the same again." in text
    path = fitted.report(tmp_path / "r.json")
    assert TunedRecord.from_json(path.read_text()).to_json() == fitted.record_.to_json()
    page = fitted.report(tmp_path / "r.html").read_text()
    assert "What was tried" in page
    assert page.count("<svg") == 2  # how sure it is, and which classes
    assert fitted.report(tmp_path / "s.html").read_text() == page
    assert "| no column |" in fitted.report(tmp_path / "r.md").read_text()
    with pytest.raises(SettingError, match=r"ends in \.html, \.md or \.json"):
        fitted.report(tmp_path / "r.txt")
    with pytest.raises(FileFormatError):
        TunedRecord.from_json("{}")
