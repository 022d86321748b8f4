"""Parts of a search by themselves: grids, plans, splits, tests between architectures, words."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score, f1_score, log_loss, make_scorer, r2_score

import kilonet as kn
from kilonet.comparison import compared
from kilonet.errors import SettingError
from kilonet.estimators.trials import Split, Table
from kilonet.evidence import ArchitectureRecord, CandidateRecord, Nested, SearchRecord
from kilonet.search.candidates import Architecture, Candidate
from kilonet.search.grid import Grid
from kilonet.search.marks import digest
from kilonet.search.plan import Plan, falling, plans, repeats
from kilonet.search.selection import choose, smallest_of_equals
from kilonet.search.units import target_std
from kilonet.search.verdict import seed_spread, sentences


def test_a_grid_is_a_product_with_the_single_layer_network() -> None:
    grid = Grid.of([3, (6, 4)], ["relu", "tanh"], {"l2": [0.1, 0.01, 0.1], "dropout": [0.0, 0.5]})
    assert [own.text for own in grid.architectures] == [
        "no hidden layer", "3 relu", "3 tanh", "6-4 relu", "6-4 tanh",
    ]  # fmt: skip
    assert len(grid.candidates) == 4 * 4 + 2  # dropout does nothing without hidden layers
    assert grid.axes[0] == (0.01, 0.1)


def test_candidates_at_an_edge_lead_beyond_it() -> None:
    grid = Grid.of([3], "relu", {"l2": [0.01, 0.1], "rate": [0.001, 0.004]})
    at = Candidate(Architecture((3,), "relu"), (0.01, 0.004, None, None))
    assert [(c.params["l2"], c.params["rate"], c.origin) for c in grid.beyond(at)] == [
        (0.001, 0.004, "edge"), (0.01, 0.016, "edge"),
    ]  # fmt: skip
    single = Grid.of([3], "relu", {"l2": [0.01], "rate": [0.001]})
    assert single.beyond(Candidate(Architecture((3,), "relu"), (0.01, 0.001, None, None))) == []  # no direction known


def test_plans_fall_and_name_themselves_by_their_runs() -> None:
    grid = Grid.of([3, 6, (64, 64)], "relu", {"l2": [1e-3, 1e-2, 1e-1]})
    found = list(falling(plans(None, 10, 5, nested=5), grid))
    totals = [plan.total(grid) for plan in found]
    assert totals == sorted(set(totals), reverse=True)
    assert found[0] == Plan(seeds=8, splits=10, first=2, second=10, nested=5)
    assert all(plan.seeds == 3 for plan in plans(3, 10, 5, nested=5))


@pytest.mark.parametrize("folds", range(2, 13))
def test_there_are_ten_splits_at_least(folds: int) -> None:
    assert folds * repeats(folds) >= 10
    assert folds * (repeats(folds) - 1) < 10


def test_all_pairs_are_counted_when_the_best_is_looked_for() -> None:
    """p-values of the differences to the best are Holm's among all pairs; t is that of Nadeau & Bengio, by hand."""
    random = np.random.default_rng(0)
    means = random.normal([0.0, 0.1, 1.0], 0.2, size=(10, 3))
    best, found = compared(means, 0.25)
    raw = {}
    for i, j in ((0, 1), (0, 2), (1, 2)):
        d = means[:, i] - means[:, j]
        t = d.mean() / np.sqrt((1 / 10 + 0.25) * d.var(ddof=1))
        raw[i, j] = 2 * stats.t.sf(abs(t), 9)
    order = sorted(raw, key=lambda pair: raw[pair])
    adjusted, worst = {}, 0.0
    for rank, pair in enumerate(order):
        worst = max(worst, min(1.0, (3 - rank) * raw[pair]))
        adjusted[pair] = worst
    assert best == int(np.argmin(means.mean(axis=0)))
    for other in range(3):
        if other != best:
            own = found[other]
            assert own is not None
            assert own.adjusted_p == pytest.approx(adjusted[min(best, other), max(best, other)], rel=1e-9)


def test_who_lost_a_run_is_not_compared() -> None:
    means = np.ones((10, 2)) + np.arange(10)[:, None] * [[0.01, 0.02]]
    means[3, 0] = np.nan
    best, found = compared(means, 0.25)
    assert (best, found[0]) == (1, None)


def test_seed_spread_is_within_splits() -> None:
    """Differences between splits are no luck of seeds."""
    table = np.array([[1.0, 1.2], [5.0, 5.2], [9.0, 9.2]])
    assert seed_spread(table) == pytest.approx(np.std([0.0, 0.2], ddof=1))


def test_the_smallest_of_equals_is_equal_in_practice_too() -> None:
    """At most 2% of the best loss, with a standard error on top of what was seen."""
    assert smallest_of_equals([90, 30, 10], [0.0, 0.009, 0.021], [0.0, 0.01, 0.0], 1.0) == 1
    assert smallest_of_equals([90, 30], [0.0, 0.009], [0.0, 0.012], 1.0) == 0  # it might lose more
    assert smallest_of_equals([90, 30], [0.0, 0.005], [0.0, 0.01], -1.0) == 1  # negated scores
    assert smallest_of_equals([90, 30], [0.0, np.inf], [0.0, np.inf], 1.0) == 0


def test_the_best_may_be_preferred_whatever_its_size() -> None:
    first = np.linspace(1, 2, 10)
    means = np.stack([first, first + np.tile([0.003, -0.001], 5)], axis=1)
    assert choose(means, [90, 30], 0.25, "best") == 0
    assert choose(means, [90, 30], 0.25, "smallest") == 1


def test_what_a_test_calls_worse_is_not_chosen_however_small() -> None:
    first = np.linspace(1, 2, 10)
    means = np.stack([first, first + 0.001], axis=1)  # a thousandth, on every split
    assert choose(means, [90, 30], 0.25, "smallest") == 0


def test_nobody_wins_where_all_have_lost_a_run() -> None:
    with pytest.raises(kn.DivergenceError, match="every candidate lost a run"):
        compared(np.full((10, 2), np.nan), 0.25)


def test_marks_tell_apart_what_texts_do_not() -> None:
    """Long arrays are cut where they are printed, and functions of one name are not one function."""
    long = np.arange(5000.0)
    other = long.copy()
    other[2500] += 1
    assert digest(long) != digest(other)
    assert digest(lambda a: a + 1) != digest(lambda a: a + 2)
    assert digest(kn.Adam(0.1)) != digest(kn.Adam(0.2))
    assert digest(kn.MLPClassifier(l2=1.0)) != digest(kn.MLPRegressor(l2=1.0))
    assert digest(make_scorer(f1_score, pos_label=0)) != digest(make_scorer(f1_score, pos_label=1))
    assert digest("ab", "c") != digest("a", "bc")
    kept = 1
    with pytest.raises(SettingError, match="cannot be told apart"):
        digest(lambda a: a + kept)


def test_a_column_of_categories_is_another_column() -> None:
    pandas = pytest.importorskip("pandas")
    plain = pandas.DataFrame({"k": [1, 2, 1]})
    assert digest(plain) == digest(plain.copy())
    assert digest(plain) != digest(plain.astype("category"))
    one = pandas.Categorical(["a", "b", "a"], categories=["a", "b"])
    two = pandas.Categorical(["a", "b", "a"], categories=["b", "a"])
    assert digest(pandas.DataFrame({"k": one})) != digest(pandas.DataFrame({"k": two}))


# What looks at no column. Folds are given, so that everything can be made by hand.
def looking_at_nothing(y: np.ndarray, weights: np.ndarray | None = None, **changes: Any) -> tuple[Any, Any]:
    """The baseline of a small search, and its folds."""
    folds = [(np.arange(0, 60, 2), np.arange(1, 60, 2)), (np.arange(1, 60, 2), np.arange(0, 60, 2))]
    settings: dict[str, Any] = {"hidden": [2], "l2": [1e-3], "rate": [0.02], "seeds": 1, "cv": folds, "runs": 99,
                                "extend": False, "nested": False, "refit": False, "random_state": 0}  # fmt: skip
    X = np.random.default_rng(1).normal(size=(60, 2))
    found = kn.ArchitectureSearch(**(settings | changes)).fit(X, y, sample_weight=weights).record_.baselines
    return found, folds


@pytest.mark.parametrize("weighted", [False, True])
def test_the_mean_of_several_numbers_is_judged_as_the_estimator_judges(weighted: bool) -> None:
    """Half the squares of standard deviations of the training rows, summed over targets; R² averaged over them."""
    random = np.random.default_rng(2)
    y = random.normal([5.0, -100.0, 0.0], [0.1, 30.0, 2.0], size=(60, 3)) + np.arange(60)[:, None] * [0, 0.5, 0]
    weights = random.integers(0, 4, size=60).astype(float) if weighted else None
    (found,), folds = looking_at_nothing(y, weights, estimator=kn.MLPRegressor(epochs=2))
    losses, scores = [], []
    for train, test in folds:
        own = np.ones(30) if weights is None else weights[train]
        mean = np.average(y[train], axis=0, weights=own)
        variance = np.average((y[train] - mean) ** 2, axis=0, weights=own)
        losses.append((0.5 * (y[test] - mean) ** 2 / variance).sum(axis=1).mean())
        scores.append(r2_score(y[test], np.tile(mean, (30, 1))))
    assert found["name"] == "mean"
    assert found["loss"] == pytest.approx(np.mean(losses), rel=1e-12)
    assert found["score"] == pytest.approx(np.mean(scores), rel=1e-12)


def labels() -> np.ndarray:
    """Three labels, of which the first is rare, the second frequent, and the third always there in even rows."""
    random = np.random.default_rng(3)
    y = (random.random((60, 3)) < [0.2, 0.7, 0.5]).astype(int)
    y[::2, 2] = 1
    return y


def test_the_majority_of_each_label_is_right_where_all_of_them_are() -> None:
    y = labels()
    (found,), folds = looking_at_nothing(y, estimator=kn.MLPClassifier(epochs=2))
    scores = [np.mean((y[test] == (y[train].mean(axis=0) > 0.5)).all(axis=1)) for train, test in folds]
    assert found["name"] == "majority of each label"
    assert found["score"] == pytest.approx(np.mean(scores))
    assert found["loss"] == math.inf  # the third label was sure, and is not
    y[0, 2] = 0
    (found,), folds = looking_at_nothing(y, estimator=kn.MLPClassifier(epochs=2))
    losses = [
        sum(log_loss(y[test][:, k], np.full(30, y[train][:, k].mean()), labels=[0, 1]) for k in range(3))
        for train, test in folds
    ]
    assert found["loss"] == pytest.approx(np.mean(losses), rel=1e-12)
    (hinged,), _ = looking_at_nothing(y, estimator=kn.MLPClassifier(epochs=2, loss="hinge"))
    assert math.isnan(hinged["loss"])
    assert hinged["score"] == found["score"]


@pytest.mark.parametrize("scoring", ["f1_macro", "average_precision"])
def test_labels_are_judged_by_a_scorer_too(scoring: str) -> None:
    y = labels()
    (found,), folds = looking_at_nothing(y, estimator=kn.MLPClassifier(epochs=2), scoring=scoring)
    scores = []
    for train, test in folds:
        share = np.tile(y[train].mean(axis=0), (30, 1))
        scores.append(f1_score(y[test], share > 0.5, average="macro") if scoring == "f1_macro"
                      else average_precision_score(y[test], share))  # fmt: skip
    assert found["score"] == pytest.approx(np.mean(scores))
    assert found["loss"] == -found["score"]


@pytest.mark.parametrize(("loss", "names"), [("cross_entropy", "abc"), ("logistic", "ab"), ("logistic", "abc")])
def test_classes_are_judged_by_their_frequencies_in_the_training_rows(loss: str, names: str) -> None:
    """Of logistic, which tells each class from the others, it is the sum over them; two classes have one output."""
    random = np.random.default_rng(4)
    y = random.choice(list(names), p=[0.6, *[0.4 / (len(names) - 1)] * (len(names) - 1)], size=60)
    weights = random.integers(1, 4, size=60).astype(float)
    (found,), folds = looking_at_nothing(y, weights, estimator=kn.MLPClassifier(epochs=2, loss=loss))
    losses, scores = [], []
    for train, test in folds:
        share = {name: weights[train][y[train] == name].sum() / weights[train].sum() for name in names}
        each = [math.log(share[label]) for label in y[test]]
        if loss == "logistic" and len(names) > 2:
            each = [sum(math.log(share[n] if n == label else 1 - share[n]) for n in names) for label in y[test]]
        losses.append(-np.mean(each))
        scores.append(np.mean(y[test] == max(share, key=lambda name: share[name])))
    assert found["name"] == "most frequent class"
    assert found["loss"] == pytest.approx(np.mean(losses), rel=1e-12)
    assert found["score"] == pytest.approx(np.mean(scores))


def test_a_smoothed_loss_has_a_smoothed_baseline() -> None:
    y = np.repeat([0, 1], [20, 40])
    (found,), folds = looking_at_nothing(y, estimator=kn.MLPClassifier(epochs=2, loss=kn.cross_entropy(smoothing=0.2)))
    losses = []
    for train, test in folds:
        share = np.bincount(y[train]) / 30
        target = 0.8 * np.eye(2)[y[test]] + 0.1
        losses.append(-(target * np.log(share)).sum(axis=1).mean())
    assert found["loss"] == pytest.approx(np.mean(losses), rel=1e-12)


def architecture(number: int, **changes: object) -> ArchitectureRecord:
    plain = ArchitectureRecord(
        number=number, text=f"{number} relu", hidden=[number], activation="relu", n_parameters=100 * (number + 1),
        best=number, loss=0.1, loss_low=0.08, loss_high=0.12, score=0.95, training_loss=0.05, seed_spread=0.01,
        difference=0.0, low=0.0, high=0.0, p_value=1.0, adjusted_p=1.0, verdict="best", diverged=0,
        training_seconds=0.1, microseconds_a_row=1.0,
    )  # fmt: skip
    return replace(plain, **changes)  # type: ignore[arg-type]


def record(*architectures: ArchitectureRecord, splits: int = 10) -> SearchRecord:
    table = [[0.1, 0.1]] * splits
    candidates = tuple(
        CandidateRecord(
            own.number, f"{own.text}, λ=0.01", {"l2": 0.01}, own.number, table, table, table, settings="λ=0.01"
        )
        for own in architectures
    )
    return SearchRecord(
        task="classification", data={}, settings={}, metric={"name": "loss", "score": "accuracy"},
        splits=[{"train": 80, "test": 20}] * splits, test_to_train=0.25, candidates=candidates,
        architectures=architectures, chosen=0, reference=0, baselines=[], nested=None, learning=[], predictions={},
        regions=None, verdict=[], notes=[], reproduce="",
    )  # fmt: skip


def test_the_verdict_names_ties_losers_and_luck() -> None:
    said = " ".join(sentences(record(
        architecture(0), architecture(1, verdict="tie", adjusted_p=0.41, n_parameters=400),
        architecture(2, verdict="worse", adjusted_p=0.0001, difference=0.21, seed_spread=0.09),
        architecture(3, verdict="worse", adjusted_p=0.02, difference=0.15, hidden=[]),
        architecture(4, verdict="diverged", diverged=3, loss=float("nan")),
    )))  # fmt: skip
    assert "Use 0 relu (λ=0.01): validation loss 0.1 ± 0.02, accuracy 95.0% (2 seeds, 10 splits)." in said
    assert "1 relu ties (p = 0.41) at 4 × the parameters" in said
    assert "2 relu loses 0.21 (p < 0.001)" in said
    assert "a single-layer network loses 0.15 (p = 0.02)" in said
    assert "4 relu diverged in 3 runs" in said
    assert "Seed luck: ±0.01 at 0 relu, ±0.09 at 2 relu." in said
    assert "There is no nested estimate, so the winner's own figures are a little too good." in said


def test_the_lowest_loss_is_named_where_it_is_not_chosen() -> None:
    best = architecture(1, n_parameters=900)
    choice = architecture(0, n_parameters=100, verdict="tie", difference=0.001, adjusted_p=0.7)
    said = " ".join(sentences(replace(record(choice, best), reference=1)))
    assert "1 relu has the lowest loss, by 0.001 (p = 0.7), at 9 × the parameters." in said


def test_what_l2_does_is_told_of_candidates_that_differ_in_nothing_else() -> None:
    """The weakest λ has another rate: what it loses may be the rate's."""
    steps = np.linspace(0.1, 0.2, 10)
    own = replace(record(architecture(0)), candidates=(
        CandidateRecord(0, "", {"l2": 0.1, "rate": 0.1}, 0, *[(steps[:, None] + [[0.0]]).tolist()] * 3),
        CandidateRecord(1, "", {"l2": 0.01, "rate": 0.01}, 0, *[(steps[:, None] + 9).tolist()] * 3),
    ))  # fmt: skip
    assert "λ=0.01" not in " ".join(sentences(own))
    same = replace(own.candidates[1], params={"l2": 0.01, "rate": 0.1}, training_losses=[[0.01]] * 10)
    wobbly = (steps[:, None] + 1 + np.tile([[0.1], [-0.1]], (5, 1))).tolist()
    told = replace(own, candidates=(own.candidates[0], replace(same, losses=wobbly)))
    assert "With λ=0.01 0 relu would lose 1 (p < 0.001): over-fitting is held by λ" in " ".join(sentences(told))


def test_a_smaller_network_that_ties_says_why_it_is_not_taken() -> None:
    said = " ".join(sentences(record(architecture(0), architecture(1, verdict="tie", adjusted_p=0.4, n_parameters=50))))
    assert "1 relu ties (p = 0.4) at 1/2 of the parameters, but may lose over 2%" in said


def test_folds_that_chose_otherwise_are_told() -> None:
    nested = Nested([0.1] * 5, [0.9] * 5, ["1 relu, λ=0.1"] * 4 + ["0 relu, λ=0.1"], 0.1, 0.9, 0.8, 0.95,
                    ["1 relu"] * 4 + ["0 relu"])  # fmt: skip
    said = " ".join(sentences(replace(record(architecture(0)), nested=nested)))
    assert "accuracy 90.0% (80.0% to 95.0%), loss 0.1 (nested, 5 folds)." in said
    assert "In 4 of 5 folds the choice was another: 1 relu." in said


def test_a_score_by_which_candidates_are_judged_is_told_once() -> None:
    own = replace(record(architecture(0, loss=-0.95, loss_low=-0.97, loss_high=-0.93)),
                  metric={"name": "-balanced_accuracy", "score": "balanced_accuracy"})  # fmt: skip
    assert "Use 0 relu (λ=0.01): held-out balanced_accuracy 0.95 ± 0.02 (2 seeds, 10 splits)." in sentences(own)


def test_ties_that_are_not_taken_for_one_reason_are_told_together() -> None:
    said = " ".join(sentences(record(
        architecture(0, n_parameters=100), architecture(1, verdict="tie", adjusted_p=0.4, n_parameters=50),
        architecture(2, verdict="tie", adjusted_p=0.3, n_parameters=10, hidden=[]),
        architecture(3, verdict="tie", adjusted_p=1.0, n_parameters=200),
        architecture(4, verdict="tie", adjusted_p=1.0, n_parameters=1200),
    )))  # fmt: skip
    assert "a single-layer network and 1 relu tie (p = 0.3 or more) at 1/10 to 1/2 of the parameters, but may" in said
    assert "3 relu and 4 relu tie (p = 1) at 2 to 12 × the parameters; " in said


def test_small_numbers_are_written_out() -> None:
    best, choice = architecture(1, n_parameters=900), architecture(0, verdict="tie", difference=2.13e-5, adjusted_p=0.7)
    said = " ".join(sentences(replace(record(choice, best), reference=1)))
    assert "1 relu has the lowest loss, by 0.000021 (p = 0.7)" in said


def test_few_rows_are_called_few_with_what_they_cannot_show() -> None:
    networks = [architecture(0), architecture(1, verdict="tie", low=-0.01, high=0.03),
                architecture(2, verdict="tie", low=-0.03, high=0.03),
                architecture(3, verdict="worse", low=0.1, high=0.3)]  # fmt: skip
    own = replace(record(*networks), data={"rows": 99}, splits=[{"train": 79, "test": 20}] * 9 + [{"test": 19}])
    # Half-widths are 0.02, 0.03 and 0.1; the middle one is 30% of the lowest loss, 0.1.
    assert sentences(own)[-1] == (
        "99 rows are few: each split is judged by 19 to 20 of them, and differences of the loss below about 0.03 "
        "(30% of it) cannot be told from luck. Another 99 may well lead to another choice."
    )
    short = replace(own, splits=own.splits[:5])
    assert sentences(short)[-1].startswith("99 rows are few: each split is judged by 20 of them. Another 99")
    assert "few" not in " ".join(sentences(replace(own, data={"rows": 100})))


@pytest.mark.parametrize(("score", "told"), [(0.8, True), (0.79, False), (None, False)])
def test_a_choice_that_may_be_no_better_than_no_network_is_told(score: float | None, told: bool) -> None:
    nested = Nested([0.1] * 5, [0.9] * 5, ["0 relu, λ=0.1"] * 5, 0.1, 0.9, 0.8, 0.95)
    base = [{"name": "most frequent class", "loss": 0.6, "score": score}]
    said = " ".join(sentences(replace(record(architecture(0)), nested=nested, baselines=base)))
    always = "(nested, 5 folds). Always answering the most frequent class gives accuracy 80.0%: the network may be no"
    assert (always in said) == told


def test_errors_of_numbers_are_told_in_their_own_units() -> None:
    nested = Nested([0.02, 0.08], [0.9] * 2, ["0 relu, λ=0.1"] * 2, 0.05, 0.9, 0.8, 0.95)
    own = replace(record(architecture(0), splits=2), task="regression", data={"target_std": [1000.0, 2000.0]},
                  metric={"name": "loss", "loss": "squared", "score": "R²"}, nested=nested)  # fmt: skip
    said = " ".join(sentences(own))
    # Losses of 0.1 are 0.2 of the squared scale: the root of (200,000 + 800,000) / 2; nested (40,000 + 640,000) / 2.
    assert "R² 0.95, RMSE 707 (2 seeds, 2 splits)." in said
    assert "R² 0.9 (0.8 to 0.95), RMSE 583, loss 0.05 (nested, 2 folds)." in said


def test_scales_of_a_target_are_those_of_the_training_rows() -> None:
    y = np.array([0.0, 2.0, 0.0, 6.0])
    splits = [Split(np.array([0, 1]), np.array([2, 3])), Split(np.array([2, 3]), np.array([0, 1]))]
    X, weights = np.zeros((4, 1)), np.array([3.0, 1.0, 1.0, 1.0])
    assert target_std(kn.MLPRegressor(), Table(X, y), splits) == {"target_std": [1.0, 3.0]}
    weighted = target_std(kn.MLPRegressor(), Table(X, y, weights), splits)["target_std"]
    assert weighted == pytest.approx([math.sqrt(3 / 4), 3.0])  # the mean is 1/2: (3 · 1/4 + 9/4) / 4
    for estimator, target in ((kn.MLPRegressor(early_stopping=True), y), (kn.MLPRegressor(), np.stack([y, y], axis=1)),
                              (kn.MLPClassifier(), y > 1)):  # fmt: skip
        assert target_std(estimator, Table(X, target), splits) == {}


def test_few_splits_tell_nothing_for_sure() -> None:
    other = architecture(1, verdict="tie", difference=0.55, adjusted_p=1e-6)
    said = " ".join(sentences(record(architecture(0), other, splits=5)))
    assert "1 relu lost 0.55 more" in said
    assert "ties" not in said
    assert "p <" not in said
    assert "With 5 splits nothing can be told apart for sure: that takes 10." in said


def test_a_grid_that_is_too_large_is_refused() -> None:
    with pytest.raises(SettingError, match="needs 100,000 at most"):
        Grid.of(range(1, 400), "relu", {"l2": np.linspace(0, 1, 300)})


def test_layers_may_be_maxout() -> None:
    grid = Grid.of([(kn.Maxout(4, pieces=3),)], "relu", {})
    assert grid.architectures[1].text.startswith("Maxout(4")
