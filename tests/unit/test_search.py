"""ArchitectureSearch: what is tried, what comes out, and that it comes out again."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes
from sklearn.metrics import log_loss
from sklearn.model_selection import GroupKFold, TimeSeriesSplit

import kilonet as kn
from kilonet.errors import SettingError


def moons(n: int = 90, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 2))
    return X, np.where((X**2).sum(axis=1) + 0.4 * random.normal(size=n) > 1.4, "out", "in")


X, Y = moons()
SMALL: dict[str, Any] = {"hidden": [2, 8], "l2": [1e-3, 1e-1], "rate": [0.02], "seeds": 2, "cv": 3, "runs": 900,
                         "random_state": 0, "estimator": kn.MLPClassifier(epochs=15)}  # fmt: skip


def search(**changes: Any) -> kn.ArchitectureSearch:
    return kn.ArchitectureSearch(**(SMALL | changes))


@pytest.fixture(scope="module")
def fitted() -> kn.ArchitectureSearch:
    return search().fit(X, Y)


def test_a_run_is_the_fit_of_its_estimator_on_its_split(fitted: kn.ArchitectureSearch) -> None:
    """Loss and accuracy of a run, from an estimator fitted by hand on the rows of the first fold, second seed."""
    record, params = fitted.record_, fitted.cv_results_["params"][1]
    draws = np.random.RandomState(0).randint(0, 2**31, size=5).tolist()
    from kilonet.search.splits import Target, drawn  # noqa: PLC0415 - the folds, to fit on by hand

    split = drawn(3, X, Target(Y, None, None, SMALL["estimator"]), draws[0]).splits[0]
    estimator = (
        clone(SMALL["estimator"]).set_params(**params, random_state=draws[1]).fit(X[split.train], Y[split.train])
    )
    chances, y = estimator.predict_proba(X[split.test]), Y[split.test]
    candidate = record.candidates[1]
    # The search takes the loss from scores, log_loss from probabilities: both in float64, to its last digits.
    assert candidate.losses[0][0] == pytest.approx(log_loss(y, chances, labels=estimator.classes_), rel=1e-6)
    assert candidate.scores[0][0] == estimator.score(X[split.test], y)


def test_the_same_search_gives_the_same_record(fitted: kn.ArchitectureSearch) -> None:
    again = search(n_jobs=1).fit(X, Y)
    assert again.record_.to_json(times=False) == fitted.record_.to_json(times=False)
    other = search(random_state=1).fit(X, Y)
    assert other.record_.to_json(times=False) != fitted.record_.to_json(times=False)


def test_the_record_survives_json(fitted: kn.ArchitectureSearch) -> None:
    text = fitted.record_.to_json()
    assert kn.SearchRecord.from_json(text).to_json() == text
    assert json.loads(text)["task"] == "classification"
    with pytest.raises(kn.FileFormatError, match="no record of a search"):
        kn.SearchRecord.from_json("{}")
    with pytest.raises(kn.FileFormatError, match="version"):
        kn.SearchRecord.from_json(text.replace('"version": 1', '"version": 9'))


def test_runs_are_a_bound_that_is_kept(fitted: kn.ArchitectureSearch) -> None:
    assert fitted.runs_ <= fitted.record_.settings["runs"] <= 900
    exact = search(runs=fitted.record_.settings["runs"]).fit(X, Y)
    assert exact.record_.to_json(times=False) == fitted.record_.to_json(times=False)


def test_the_bound_is_kept_where_the_grid_is_extended() -> None:
    wide = search(l2=[1e-4, 1e-3], rate=[1e-4, 1e-3], hidden=[1, 2]).fit(X, Y)
    assert {c.origin for c in wide.record_.candidates} > {"grid"}
    assert wide.runs_ <= wide.record_.settings["runs"]
    narrow = search(l2=[1e-4, 1e-3], rate=[1e-4, 1e-3], hidden=[1, 2], extend=False).fit(X, Y)
    assert {c.origin for c in narrow.record_.candidates} == {"grid"}


def test_it_is_a_search_of_scikit_learn(fitted: kn.ArchitectureSearch) -> None:
    results = fitted.cv_results_
    n = len(results["params"])
    assert np.stack(results["losses"]).shape == (n, 12, 2)
    assert len(pytest.importorskip("pandas").DataFrame(results)) == n
    assert results["rank_test_score"].min() == 1
    assert results["params"][fitted.best_index_] == fitted.best_params_
    assert fitted.best_score_ == pytest.approx(-fitted.record_.choice.loss)
    assert set(fitted.predict(X[:5])) <= {"in", "out"}
    assert fitted.predict_proba(X[:5]).shape == (5, 2)
    assert fitted.score(X, Y) > 0.7
    assert fitted.classes_.tolist() == ["in", "out"]
    assert (fitted.n_features_in_, fitted.n_splits_) == (2, 12)
    assert clone(fitted).get_params()["seeds"] == 2
    with pytest.raises(AttributeError):
        search(refit=False).fit(X, Y).predict  # noqa: B018 - looking it up is the test


def test_the_refitted_choice_is_the_estimator_of_its_parameters(fitted: kn.ArchitectureSearch) -> None:
    first = np.random.RandomState(0).randint(0, 2**31, size=5).tolist()[1]
    alone = clone(SMALL["estimator"]).set_params(**fitted.best_params_, random_state=first).fit(X, Y)
    np.testing.assert_array_equal(alone.theta_, fitted.best_estimator_.theta_)


def test_the_single_layer_network_and_the_majority_are_always_there(fitted: kn.ArchitectureSearch) -> None:
    record = fitted.record_
    assert [own.hidden for own in record.architectures if not own.hidden] == [[]]
    share = max(np.mean(Y == "in"), np.mean(Y == "out"))
    assert record.baselines[0]["score"] == pytest.approx(share, abs=0.02)  # stratified folds are of nearly that share


def test_the_nested_estimate_is_of_rows_that_the_choice_has_not_seen(fitted: kn.ArchitectureSearch) -> None:
    nested = fitted.record_.nested
    assert nested is not None
    assert len(nested.losses) == len(nested.choices) == 3
    assert nested.score_low < nested.score < nested.score_high
    assert search(nested=False).fit(X, Y).record_.nested is None


def test_regression_and_scoring() -> None:
    rows, b = load_diabetes(return_X_y=True)
    found = search(estimator=kn.MLPRegressor(epochs=5, dtype="float32"), hidden=[4], nested=False).fit(rows, b)
    assert found.record_.metric["score"] == "R²"
    assert found.record_.architectures[0].score > 0.2
    by_error = search(
        estimator=kn.MLPRegressor(epochs=5), hidden=[4], nested=False, scoring="neg_mean_absolute_error"
    ).fit(rows[:150], b[:150])
    assert by_error.best_score_ < -20
    assert by_error.score(rows, b) == pytest.approx(-np.abs(by_error.predict(rows) - b).mean())


def test_groups_are_never_parted_and_time_does_not_run_backwards() -> None:
    from kilonet.search.splits import Target, drawn  # noqa: PLC0415

    groups = np.arange(len(Y)) // 6
    for train, test in drawn(3, X, Target(Y, groups, None, SMALL["estimator"]), 0).splits:
        assert not set(groups[train]) & set(groups[test])
    given = drawn(GroupKFold(3), X, Target(Y, groups, None, SMALL["estimator"]), 0)
    assert len(given.splits) == 3
    ordered = search(cv=TimeSeriesSplit(3), nested=False).fit(X, Y)
    rows = [split["train"] for split in ordered.record_.splits]
    assert rows == sorted(rows, reverse=True)  # the latest first
    assert {own.verdict for own in ordered.record_.architectures} <= {"best", "tie"}  # 3 splits tell nothing for sure


def test_in_time_nothing_is_judged_by_rows_before_those_that_taught_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every split of a nested search over a series: rounds, inner folds, learning curve."""
    from kilonet.search.runs import Runner  # noqa: PLC0415

    seen: list[Any] = []
    train = Runner._train
    monkeypatch.setattr(
        Runner, "_train", lambda self, group: (seen.extend(self.splits[run.split] for run in group), train(self, group))
    )
    found = search(cv=TimeSeriesSplit(4)).fit(X, Y)
    assert found.record_.nested is not None
    assert all(split.train.max() < split.test.min() for split in seen)
    shares = {(len(split.train), int(split.train.max())) for split in seen if split.test.max() == len(Y) - 1}
    # Of the 72 rows before the last 18, a quarter and a half for the learning curve: the latest ones.
    assert {(18, 71), (36, 71), (72, 71)} <= shares


def test_an_activation_of_ones_own_competes(tmp_path: Path) -> None:
    class Softsign:
        def value(self, z: Any) -> Any:
            return z / (1 + np.abs(z))

        def slope(self, z: Any) -> Any:
            return 1 / (1 + np.abs(z)) ** 2

    own = Softsign()
    settings: dict[str, Any] = {"hidden": [8], "activation": [own, "relu"], "l2": [1e-3], "nested": False}
    settings["extend"] = False
    found = search(**settings).fit(X, Y)
    assert [one.text for one in found.record_.architectures] == ["no hidden layer", "8 Softsign", "8 relu"]
    params = found.cv_results_["params"][1]
    assert params["activation"] is own
    assert found.record_.candidates[1].params["activation"] == "Softsign"  # as JSON has it
    with pytest.raises(SettingError, match="cannot be told apart"):
        search(**settings, store=tmp_path / "s.db").fit(X, Y)


def test_without_a_choice_in_some_fold_there_is_no_nested_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    from kilonet.search import estimates  # noqa: PLC0415

    losses, calls = estimates.losses, []

    def lost(runner: Any, candidate: Any, own: Any, seeds: Any) -> Any:
        calls.append(own)
        found = losses(runner, candidate, own, seeds)
        return found * np.nan if list(own) == calls[0] else found  # nothing of the first fold came to anything

    monkeypatch.setattr(estimates, "losses", lost)
    found = search().fit(X, Y)
    assert found.record_.nested is None
    assert "no nested estimate (in 1 of 3 folds training broke off, or there was no score)" in found.verdict_
    assert "nan" not in found.verdict_


def test_folds_are_drawn_until_there_are_ten_splits(fitted: kn.ArchitectureSearch) -> None:
    assert len(fitted.record_.splits) == 12
    assert fitted.record_.settings["folds"] == "3 folds, drawn 4 times"


BAD: list[tuple[dict[str, Any], str]] = [
    ({"hidden": []}, "hidden came as"),
    ({"hidden": ["64"]}, r"hidden\[0\] came as '64'; needs"),
    ({"hidden": [0]}, r"hidden\[0\] came as 0"),
    ({"l2": [-1]}, r"l2\[0\] came as -1"),
    ({"activation": "rleu"}, "Did you mean relu"),
    ({"runs": 5}, "runs=5 is not enough for 6 candidates: needs"),
    ({"runs": None, "budget": "soon"}, "budget came as 'soon'; needs seconds"),
    ({"runs": None, "budget": 0.0001}, "is not enough for 6 candidates on these rows: needs about"),
    ({"cv": 50}, "cv=50 folds"),
    ({"cv": 1}, "cv came as 1"),
    ({"prefer": "largest"}, "prefer came as 'largest'"),
    ({"estimator": kn.MLPClassifier(members=3)}, "members=3"),
    ({"estimator": "mlp"}, "needs MLPClassifier or MLPRegressor"),
    ({"scoring": "accuracies"}, "accuracies"),
    ({"scoring": "r2"}, "scoring='r2' cannot judge this target of classes"),
    ({"seeds": 0}, "seeds came as 0"),
]


@pytest.mark.parametrize(("changes", "message"), BAD, ids=lambda value: str(value)[:40])
def test_what_cannot_be_done_is_refused_before_work_starts(
    changes: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "budget" not in changes or changes["budget"] != 0.0001:  # to know the machine, some networks are trained
        monkeypatch.setattr("kilonet.search.runs.Runner._train", None)
    with pytest.raises(ValueError, match=message):
        search(**changes).fit(X, Y)


def test_folds_larger_than_the_smallest_class_are_refused() -> None:
    labels = np.where(np.arange(len(Y)) < 4, "rare", Y)
    with pytest.raises(SettingError, match="class 'rare' has only 4 rows; every class needs 5"):
        search(cv=5).fit(X, labels)


def test_a_candidate_that_diverges_is_said_to_and_does_not_win() -> None:
    plain = kn.MLPClassifier(epochs=5, optimizer="sgd", dtype="float32")
    with np.errstate(all="ignore"):
        found = search(estimator=plain, rate=[0.1, 1e30], extend=False, nested=False).fit(X, Y)
    assert found.best_params_["rate"] == 0.1
    assert np.isnan([c.losses[0][0] for c in found.record_.candidates if c.params["rate"] == 1e30]).all()


def test_progress_is_told_up_to_the_bound() -> None:
    told: list[tuple[int, int]] = []
    found = search(callback=lambda done, most: told.append((done, most)), nested=False).fit(X, Y)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == found.runs_ <= told[-1][1]


def test_the_call_that_gives_the_same_again(fitted: kn.ArchitectureSearch) -> None:
    line = fitted.record_.reproduce
    assert line.startswith("kn.ArchitectureSearch(")
    assert f"runs={fitted.record_.settings['runs']}" in line
    again = eval(line, {"kn": kn, "X": X, "y": Y})  # noqa: S307 - our own text
    assert again.record_.to_json(times=False) == fitted.record_.to_json(times=False)
    assert search(random_state=None, nested=False).fit(X, Y).record_.reproduce == ""


def test_the_report_is_made_of_the_record(fitted: kn.ArchitectureSearch, tmp_path: Path) -> None:
    page = fitted.report(tmp_path / "r.md").read_text()
    assert fitted.record_.choice.text in page
    assert fitted.report(tmp_path / "r.json").read_text() == fitted.record_.to_json()
    with pytest.raises(SettingError, match=r"r\.pdf"):
        fitted.report(tmp_path / "r.pdf")


def test_folds_that_lack_a_class_are_refused_before_work_starts() -> None:
    groups = np.arange(len(Y)) // 10
    labels = np.where(groups == 0, "third", Y)
    with pytest.raises(SettingError, match="holds out class 'third', of which it has no training row"):
        search().fit(X, labels, groups=groups)
    weights = np.where(labels == "third", 0.0, 1.0)
    with pytest.raises(SettingError, match="third"):
        search().fit(X, labels, sample_weight=weights)


def test_a_class_too_rare_for_folds_within_folds_costs_the_nested_estimate_alone() -> None:
    labels = np.where(np.arange(len(Y)) < 3, "rare", Y)
    found = search().fit(X, labels).record_
    assert found.nested is None
    assert found.no_nested == "rows of a class are too few for folds within folds"


def test_the_activation_of_the_estimator_is_kept_where_none_is_asked_for() -> None:
    base = kn.MLPClassifier(epochs=3, activation="tanh")
    found = search(estimator=base, nested=False, hidden=2 ** np.arange(1, 3)).fit(X, Y)
    assert found.best_params_["activation"] == "tanh"
    assert [own.text for own in found.record_.architectures][1:3] == ["2 tanh", "4 tanh"]


def test_a_strength_that_diverges_leaves_its_place_in_the_plane_empty() -> None:
    plain = kn.MLPClassifier(epochs=3, optimizer="sgd", batch=1, dtype="float32")
    with np.errstate(all="ignore"):
        found = search(estimator=plain, rate=[0.1], l2=[1e-3, 1e3], extend=False, nested=False).fit(X, Y)
    assert found.record_.regions is not None
    assert {min(labels) for labels in found.record_.regions["labels"]} == {-1, 0}


def test_a_second_fit_leaves_nothing_of_the_first() -> None:
    found = search(nested=False).fit(X, Y)
    assert hasattr(found, "best_estimator_")
    assert not hasattr(found.set_params(refit=False).fit(X, Y), "best_estimator_")


def test_ctrl_c_is_a_keyboard_interrupt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Pressed in the third group of runs: what was finished is in the store, and is not done again."""
    from kilonet.estimators import trials  # noqa: PLC0415 - where a population says that it was interrupted
    from kilonet.search.runs import Runner  # noqa: PLC0415

    enter, calls = trials.Trained.__enter__, []

    def entered(self: trials.Trained) -> trials.Trained:
        calls.append(1)
        enter(self)
        self.interrupted = len(calls) == 3
        return self

    monkeypatch.setattr(trials.Trained, "__enter__", entered)
    monkeypatch.setattr("kilonet.search.runs._MOST", 8)
    with pytest.raises(KeyboardInterrupt):
        search(store=tmp_path / "s.db").fit(X, Y)
    assert len(calls) == 3
    resumed = search(store=tmp_path / "s.db")
    trained: list[int] = []
    train = Runner._train
    monkeypatch.setattr(Runner, "_train", lambda self, group: (trained.append(len(group)), train(self, group)))
    resumed.fit(X, Y)
    assert 0 < sum(trained) < resumed.runs_  # the two groups before are not trained again


def test_a_budget_in_seconds_has_one_plan_in_a_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings: dict[str, Any] = {"runs": None, "budget": "6s", "store": tmp_path / "s.db"}
    first = search(**settings).fit(X, Y)
    # Everything is there: the machine would seem to be very quick. It is not even asked.
    monkeypatch.setattr("kilonet.search.runs.Runner.measure", None)
    again = search(**settings).fit(X, Y)
    assert again.record_.to_json(times=False) == first.record_.to_json(times=False)
