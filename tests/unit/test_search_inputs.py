"""What a search is given: series in time, weights, groups, scorers and activations of all kinds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
from sklearn.metrics import accuracy_score, f1_score, make_scorer, max_error
from sklearn.model_selection import TimeSeriesSplit

import kilonet as kn
from kilonet.errors import DataError, SettingError
from kilonet.estimators.trials import Split
from kilonet.search.given import groups_of
from kilonet.search.marks import digest
from kilonet.search.runs import Runner
from kilonet.search.splits import Target, drawn, inner, nests
from kilonet.search.study import scorer_name

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(90, 2))
Y = np.where(X[:, 0] + 0.5 * RANDOM.normal(size=90) > 0, "b", "a")
SMALL: dict[str, Any] = {"hidden": [2], "l2": [1e-3], "rate": [0.02], "seeds": 1, "cv": 3, "runs": 500, "extend": False,
                         "random_state": 0, "refit": False, "nested": False,
                         "estimator": kn.MLPClassifier(epochs=3)}  # fmt: skip


def search(**changes: Any) -> kn.ArchitectureSearch:
    return kn.ArchitectureSearch(**(SMALL | changes))


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """No training."""

    def refuse(*_: Any) -> None:
        raise AssertionError("work has started")

    monkeypatch.setattr(Runner, "_train", refuse)


def series() -> Any:
    """A target whose latest quarter, of the first 60 rows, is one class."""
    return np.array(["a", "b"] * 20 + ["a"] * 20 + ["a", "b"] * 30)


def test_a_curve_leaves_out_shares_that_lack_a_class() -> None:
    rows = np.random.default_rng(1).normal(size=(120, 2))
    found = search(cv=TimeSeriesSplit(3), nested=True).fit(rows, series()).record_
    assert [point["rows"] for point in found.learning] == [30, 60]  # no quarter
    assert sum("learning curve leaves out" in note for note in found.notes) == 1


def test_a_curve_is_of_rows_that_have_a_weight() -> None:
    weights = np.zeros(90)
    for label in "ab":
        weights[np.flatnonzero(label == Y)[:12]] = 1.0
    found = search(nested=True).fit(X, Y, sample_weight=weights).record_
    assert [point["rows"] for point in found.learning][:2] == [4, 8]


def test_in_time_the_latest_folds_come_first_and_short_ones_are_left_out() -> None:
    target = Target(Y, None, None, SMALL["estimator"])
    splits = drawn(TimeSeriesSplit(4), X, target, 0)
    assert splits.in_time
    assert splits.how == "TimeSeriesSplit, 4 splits, in time"
    assert splits.splits[0].test.max() == 89
    labels = np.array(["a"] * 8 + ["b", "a"] * 41)  # the first training rows lack a class inside
    found = nests(splits, 4, target._replace(y=labels), 0)
    assert [nest.fold for nest in found] == [0, 1, 2]
    assert search(cv=TimeSeriesSplit(4), nested=True).fit(X, labels).record_.nested is not None


def test_inner_folds_in_time_keep_gaps_and_groups() -> None:
    target = Target(Y, np.arange(90) // 7, None, SMALL["estimator"])
    outer = drawn(TimeSeriesSplit(3, gap=5), X, target._replace(groups=None), 0).splits[0]
    assert outer.test.min() - outer.train.max() == 6
    found = inner(outer, target, 0, in_time=True)
    for train, test in found:
        assert test.min() - train.max() >= 6
        assert not set(target.groups[train]) & set(target.groups[test])


def test_a_single_split_may_be_in_time() -> None:
    target = Target(Y, None, None, SMALL["estimator"])
    assert drawn([(np.arange(60), np.arange(60, 90))], X, target, 0).in_time
    assert not drawn([(np.arange(30, 90), np.arange(30))], X, target, 0).in_time


def test_nested_folds_never_part_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Split] = []
    train = Runner._train
    monkeypatch.setattr(
        Runner, "_train", lambda self, group: (seen.extend(self.splits[run.split] for run in group), train(self, group))
    )
    groups = np.arange(90) // 3
    assert search(nested=True).fit(X, Y, groups=groups).record_.nested is not None
    whole = [split for split in seen if len(split.train) + len(split.test) in (60, 90)]
    assert {len(split.train) + len(split.test) for split in whole} == {60, 90}
    assert not any(set(groups[split.train]) & set(groups[split.test]) for split in whole)


@pytest.mark.parametrize("groups", [[("a", k // 6) for k in range(90)], [None, *(str(k // 6) for k in range(89))],
                                    np.array([k // 6 if k % 2 else f"g{k // 6}" for k in range(90)], object)],
                         ids=["tuples", "none", "mixed"])  # fmt: skip
def test_groups_may_be_any_labels(groups: Any) -> None:
    found = groups_of(groups)
    own = [repr(group) for group in groups]
    assert all((found == found[k]).tolist() == [other == text for other in own] for k, text in enumerate(own))
    assert search().fit(X, Y, groups=groups).record_.data["rows"] == 90


@pytest.mark.usefixtures("idle")
def test_what_is_given_wrongly_is_refused_before_work_starts() -> None:
    with pytest.raises(DataError, match=r"groups has shape \(90, 1\)"):
        search().fit(X, Y, groups=np.zeros((90, 1)))
    fine = (np.arange(45), np.arange(45, 90))
    for bad in (np.arange(46, 92), np.arange(-3, 30), np.linspace(0, 1, 30)):
        with pytest.raises(SettingError, match=r"split 1 of cv has .* for rows; needs places from 0 to 89"):
            search(cv=[fine, (fine[0], bad)]).fit(X, Y)


def test_sparse_targets_are_several_labels() -> None:
    labels = (np.random.default_rng(3).random((90, 2)) < 0.5).astype(int)
    sparse = search().fit(X, scipy.sparse.csr_matrix(labels)).record_
    assert sparse.choice.loss == search().fit(X, labels).record_.choice.loss


@pytest.mark.usefixtures("idle")
def test_a_scorer_that_cannot_judge_a_split_is_refused_with_its_number() -> None:
    labels = (np.random.default_rng(3).random((90, 2)) < 0.5).astype(int)
    with pytest.raises(SettingError, match=r"balanced_accuracy.* cannot judge .* in split 0"):
        search(scoring="balanced_accuracy").fit(X, labels)
    late = np.array(["a", "b"] * 30 + ["a"] * 30)
    with pytest.raises(SettingError, match=r"roc_auc.* cannot judge .* in split 0"):
        search(scoring="roc_auc", cv=TimeSeriesSplit(2)).fit(X, late)


def test_scorers_may_look_at_columns_and_networks() -> None:
    def looking(estimator: Any, rows: Any, y: Any) -> float:
        return float(np.mean((estimator.predict(rows) == y)[rows[:, 1] > -9]))

    def counting(estimator: Any, rows: Any, y: Any) -> float:
        return estimator.score(rows, y) - 1e-9 * estimator.network_.n_parameters

    assert search(scoring=looking).fit(X, Y).record_.baselines[0]["score"] > 0.3
    found = search(scoring=counting).fit(X, Y).record_
    assert np.isnan(found.baselines[0]["score"])
    assert found.metric["name"] == "-counting"


def test_scorers_are_called_by_their_names() -> None:
    assert scorer_name(make_scorer(f1_score, pos_label=1)) == "f1_score"
    assert scorer_name(make_scorer(max_error, greater_is_better=False)) == "neg_max_error"
    assert scorer_name(accuracy_score) == "accuracy_score"


def test_runs_without_a_score_are_no_diverged_ones() -> None:
    def moody(estimator: Any, rows: Any, y: Any) -> float:
        return float("nan") if estimator.network_.n_layers == 2 else float(np.mean(estimator.predict(rows) == y))

    found = search(scoring=moody).fit(X, Y).record_
    silent = next(own for own in found.candidates if own.params["hidden"])
    assert np.isnan(silent.table()).all()
    assert np.isfinite(silent.table("training_losses")[0]).all()


@dataclass
class Swish:
    """A plain dataclass has no hash."""

    beta: float = 1.0

    def value(self, z: Any) -> Any:
        return z / (1 + np.exp(-self.beta * z))

    def slope(self, z: Any) -> Any:
        own = 1 / (1 + np.exp(-self.beta * z))
        return own + self.beta * z * own * (1 - own)


class Cube:
    """Its text holds an address."""

    def value(self, z: Any) -> Any:
        return z**3 / 3

    def slope(self, z: Any) -> Any:
        return z**2


def test_activations_of_ones_own_are_told_apart() -> None:
    one, other = Cube(), Cube()
    found = search(activation=[Swish(), Swish(2.0), one, other, one]).fit(X, Y)
    assert [own.text for own in found.record_.architectures] == [
        "no hidden layer", "2 Swish(beta=1.0)", "2 Swish(beta=2.0)", "2 Cube", "2 Cube 2",
    ]  # fmt: skip
    assert found.cv_results_["params"][4]["activation"] is other


def test_a_stored_plan_belongs_to_its_settings(tmp_path: Path) -> None:
    plans: list[Any] = []
    put = "kilonet.search.store.Store.keep"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(put, lambda _, name, text: plans.append(name))
        for changes in ({}, {"estimator": kn.MLPClassifier(epochs=4)}, {"scoring": "accuracy"}, {"cv": 4},
                        {"estimator": kn.MLPClassifier(epochs=3, verbose=True)}):  # fmt: skip
            search(runs=None, budget="60s", store=tmp_path / "s.db", **changes).fit(X, Y)
    assert len(set(plans)) == 4
    assert plans[0] == plans[4]


SLOPE = 1.0


def _helper(a: float) -> float:
    return a * SLOPE


def _using(a: float) -> Any:
    return [_helper(a) + k for k in range(3)]


def test_functions_are_marked_by_what_they_call(monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest(_using)
    assert digest(_using) == before
    monkeypatch.setitem(_using.__globals__, "SLOPE", 2.0)
    assert digest(_using) != before
    monkeypatch.setitem(_using.__globals__, "SLOPE", object())
    with pytest.raises(SettingError, match="cannot be told apart"):
        digest(_using)


def test_functions_within_functions_have_no_addresses() -> None:
    made = [{}, {}]  # type: list[dict[str, Any]]
    for space in made:
        exec("def f(a):\n    return (lambda b: b + 1)(a)", space)  # noqa: S102 - the same code, compiled twice
    assert digest(made[0]["f"]) == digest(made[1]["f"])


def test_categories_of_all_kinds_have_marks() -> None:
    pandas = pytest.importorskip("pandas")
    cut = pandas.DataFrame({"k": pandas.cut(X[:, 0], 3), "x": X[:, 1]})
    assert digest(cut) == digest(cut.copy()) != digest(cut.assign(k=pandas.cut(X[:, 0], 4)))
    assert search().fit(cut, Y).record_.data["inputs"] >= 3


def test_score_is_not_there_without_a_refit() -> None:
    assert not hasattr(search().fit(X, Y), "score")


def test_ctrl_c_in_the_last_fit_leaves_no_half_trained_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    fit = kn.MLPClassifier.fit

    def stopped(self: Any, *args: Any, **named: Any) -> Any:
        fit(self, *args, **named).interrupted_ = True
        return self

    monkeypatch.setattr(kn.MLPClassifier, "fit", stopped)
    found = search(refit=True)
    with pytest.raises(KeyboardInterrupt):
        found.fit(X, Y)
    assert not hasattr(found, "best_estimator_")


def test_folds_within_folds_share_their_own_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three folds hold out one row for every two that they train on."""
    from kilonet.search import estimates  # noqa: PLC0415

    ratios: list[float] = []
    choose = estimates.choose
    monkeypatch.setattr(
        estimates,
        "choose",
        lambda means, sizes, ratio, prefer: (ratios.append(ratio), choose(means, sizes, ratio, prefer))[1],
    )
    search(nested=True).fit(X, Y)
    assert ratios == pytest.approx([0.5] * 3, rel=0.1)
