"""The parts of networks that tune themselves, and what was made for them below."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import kilonet as kn
from kilonet import persistence
from kilonet.comparison import compared
from kilonet.errors import DataError, FileFormatError, SettingError
from kilonet.estimators import MLPClassifier, MLPRegressor
from kilonet.estimators.labels import Labels
from kilonet.estimators.numbers import Numbers
from kilonet.estimators.saving import to_model
from kilonet.search.grid import Grid
from kilonet.search.splits import Target
from kilonet.tables import TableEncoder
from kilonet.tuned import Tuning
from kilonet.tuned.effort import Effort
from kilonet.tuned.folds import drawn
from kilonet.tuned.intervals import Residuals
from kilonet.tuned.judging import Judge, greedy, of_more, temperature_of, tempered

EVERY = slice(None)


def judge_of(y: Any, weights: Any = None) -> Judge:
    labels = Labels.of(np.array(["a", "b"]))
    return Judge(labels, np.asarray(y), np.ones(len(y)) if weights is None else np.asarray(weights, dtype=float))


# Judging.
def test_losses_and_scores_are_weighted_means() -> None:
    judge = judge_of([0, 1, 1], [1, 1, 2])
    said = np.array([[0.5, 0.5], [0.25, 0.75], [0.9, 0.1]])
    assert judge.loss(said) == pytest.approx(-(np.log(0.5) + np.log(0.75) + 2 * np.log(0.1)) / 4)
    assert judge.score(said) == pytest.approx(2 / 4)  # of two equal probabilities the first is taken
    assert judge.loss(np.stack([said, said])).shape == (2,)
    numbers = Judge(Numbers.of(np.arange(3.0), None), np.array([-1.0, 0.0, 1.0]), np.ones(3))
    assert numbers.loss(np.array([[0.0], [0.0], [1.0]])) == pytest.approx(0.5 / 3)
    assert numbers.score(np.array([[0.0], [0.0], [1.0]])) == pytest.approx(0.5)


def test_a_temperature_corrects_what_was_too_sure() -> None:
    random = np.random.default_rng(0)
    logits = random.normal(size=20_000)
    y = (random.random(20_000) < 1 / (1 + np.exp(-logits))).astype(int)
    sure = 1 / (1 + np.exp(-2.5 * logits))
    said = np.stack([1 - sure, sure], axis=1)
    judge = judge_of(y)
    # Of 20,000 rows the standard error of a slope is about 1 / sqrt(20,000 · 0.15 · 6) in units of the slope.
    assert temperature_of(judge, said, EVERY) == pytest.approx(2.5, rel=0.06)
    assert judge.loss(tempered(said, 2.5)) < judge.loss(said)


def test_rows_that_are_all_told_apart_do_not_make_a_temperature_extreme() -> None:
    y = np.arange(40) % 2
    said = np.where(y[:, np.newaxis] == np.arange(2), 0.9, 0.1)
    assert 0.3 < temperature_of(judge_of(y), said, EVERY) < 1


def test_numbers_that_say_nothing_are_drawn_to_the_mean() -> None:
    random = np.random.default_rng(0)
    target, said = random.normal(size=50), random.normal(size=(50, 1))
    judge = Judge(Numbers.of(target, None), target, np.ones(50))
    warm = temperature_of(judge, said, EVERY)
    assert warm > 2
    assert judge.loss(tempered(said, warm)) < judge.loss(said)


def test_a_mean_of_more_networks_is_less_sure() -> None:
    assert of_more(one=2.0, some=1.5, draws=3, splits=15) < 1.5
    assert of_more(one=1.0, some=1.0, draws=3, splits=15) == 1
    assert of_more(one=0.7, some=0.8, draws=3, splits=15) == 0.8  # more networks are never taken to be surer
    assert of_more(one=1.5, some=1.5, draws=1, splits=5) == pytest.approx(1.5**0.2)


def test_the_greedy_choice_takes_what_makes_the_mean_better() -> None:
    judge = judge_of([0, 0, 1, 1])
    half = [[0.9, 0.1], [0.4, 0.6], [0.1, 0.9], [0.6, 0.4]]
    other = [[0.4, 0.6], [0.9, 0.1], [0.6, 0.4], [0.1, 0.9]]
    bad = [[0.1, 0.9]] * 4
    shares = greedy(judge, [np.array(own) for own in (bad, half, other)], EVERY, 10)
    assert shares[0] == 0
    assert shares[1:] == pytest.approx([0.5, 0.5])


# Effort, folds, grids.
def test_an_effort_counts_its_networks() -> None:
    grid = Tuning(numbers=((0, None),), l2=(1e-4, 5e-4, 2.5e-3, 0.012, 0.06, 0.3)).grid()
    assert Effort(15, 15, 1).total(grid) == 90
    assert Effort(5, 1, 1).total(grid) == 6 + 2 * 4
    assert Effort(5, 5, 2).total(grid) == 60
    assert Effort(5, 2, 1).total(Tuning().grid()) == 2 * (4 * 2 + 2 * 3)


def test_a_network_without_hidden_layers_has_nothing_to_drop_out() -> None:
    grid = Grid.of([4], "relu", {"l2": [0.1], "dropout": [0.2, 0.5]})
    assert [own.params.get("dropout") for own in grid.candidates] == [0.0, 0.2, 0.5]


def test_there_are_fewer_folds_where_rows_and_groups_are_few() -> None:
    y = np.array(["a", "b", "c", "a", "b", "c", "d"])
    target = Target(y, None, None, MLPClassifier())
    assert drawn(None, None, target, 5, 1, 0).first.folds == 5
    few = drawn(None, None, Target(y[:3], None, None, MLPClassifier()), 5, 2, 0)
    assert [few.reaching(splits).how for splits in (3, 6, 60)] == ["3 folds", *2 * ["3 folds, drawn 2 times"]]
    groups = np.array([0, 0, 1, 1, 2, 2, 2])
    found = drawn(None, None, Target(np.arange(7.0), groups, None, MLPRegressor()), 5, 1, 0)
    assert found.first.folds == 3
    with pytest.raises(SettingError, match="class 'd' has only 1 row"):
        drawn(3, None, target, 5, 1, 0)
    with pytest.raises(DataError, match="1 sample"):
        drawn(None, None, Target(y[:1], None, None, MLPClassifier()), 5, 1, 0)


def test_every_row_with_a_weight_is_held_out_once_a_draw() -> None:
    weights = np.where(np.arange(30) % 3 == 0, 0.0, 1.0)
    target = Target(np.arange(30.0), None, weights, MLPRegressor())
    found = drawn(None, None, target, 4, 3, 0).reaching(12)
    held = np.concatenate([split.test for split in found.splits])
    assert np.bincount(held, minlength=30).tolist() == np.where(weights > 0, 3, 0).tolist()
    for train, test in found.splits:
        assert sorted([*train, *test]) == np.flatnonzero(weights).tolist()


def test_a_candidate_may_be_compared_with_another_than_the_best() -> None:
    means = np.array([[1.0, 2.0, 3.0]] * 9 + [[1.1, 1.9, 3.2]])
    best, tests = compared(means, 0.25, to=1)
    assert best == 1
    assert [test.verdict() for test in tests if test is not None] == ["better", "tie", "worse"]


# Intervals.
def test_of_many_rows_some_make_the_intervals() -> None:
    held = np.arange(10_000)[:, np.newaxis] % 5 == np.arange(5)
    off = np.random.default_rng(0).normal(size=10_000)
    found = Residuals.of(off, held, seed=3)
    assert len(found.residuals) == 4096
    low, high = found.interval(np.zeros((5, 2)), np.full(5, 0.2), np.arange(5), 0.9)
    assert high[0] == pytest.approx(1.645, abs=0.08)  # of the normal distribution, whose sign is lost
    assert low[0] == -high[0]


def test_rows_that_none_held_out_make_no_interval() -> None:
    off = np.array([np.nan, 1.0, -2.0, 3.0])
    found = Residuals.of(off, np.ones((4, 1), dtype=bool), seed=0)
    assert found.residuals.tolist() == [1.0, 2.0, 3.0]
    low, high = found.interval(np.array([[10.0]]), np.ones(1), np.zeros(1, dtype=np.int64), 0.7)
    assert (low[0], high[0]) == (7.0, 13.0)  # the third smallest of three, since 0.7 · 4 is above 2


# Tables.
def test_bounded_numbers_stay_within_their_bound_and_keep_their_order() -> None:
    X = np.array([[0.0], [1.0], [2.0], [3.0], [1e30]])
    plain = TableEncoder().fit(X[:4])
    bounded = TableEncoder(bound=3.0).fit(X[:4])
    x = plain.transform(X[:4])
    np.testing.assert_allclose(bounded.transform(X[:4]), x / np.sqrt(1 + (x / 3) ** 2), rtol=1e-14)
    far = TableEncoder(bound=3.0, dtype="float32").fit(X[:4]).transform([[1e30], [-1e300]])
    assert far.ravel().tolist() == pytest.approx([3.0, -3.0])


def test_truth_values_and_categories_are_not_bounded() -> None:
    table = np.array([[True, "x"], [False, "y"], [True, "x"]], dtype=object)
    assert TableEncoder(bound=0.5).fit_transform(table).tolist() == TableEncoder().fit_transform(table).tolist()


def test_sparse_tables_are_bounded_where_they_are_not_zero() -> None:
    X = sparse.csr_matrix(np.array([[0.0, 4.0], [2.0, 0.0], [0.0, 100.0]]))
    found = TableEncoder(bound=3.0).fit(X).transform(X)
    plain = TableEncoder().fit(X).transform(X).toarray()
    np.testing.assert_allclose(found.toarray(), plain / np.sqrt(1 + (plain / 3) ** 2), rtol=1e-14)


@pytest.mark.parametrize("kind", [np.asarray, lambda X: X.astype(object)])
def test_outliers_move_neither_medians_nor_quartiles(kind: Any) -> None:
    X = np.random.default_rng(0).normal(size=(4001, 2))
    spoilt = X.copy()
    spoilt[:40, 0] = 1e12
    spoilt[50, 1] = np.nan
    encoder = TableEncoder(robust=True).fit(kind(spoilt))
    # Standard errors of a median and of a quartile of 4,001 rows are 0.02; 40 outliers move them by 0.02 more.
    np.testing.assert_allclose(encoder.state_.mean, 0, atol=0.08)
    np.testing.assert_allclose(encoder.state_.std, 1, atol=0.08)
    assert "their median" in encoder.notes()[0]
    again = TableEncoder.from_json(encoder.to_json())
    assert np.array_equal(again.transform(kind(spoilt)), encoder.transform(kind(spoilt)))


def test_quartiles_of_weighted_rows_are_those_of_repeated_ones_and_may_be_equal() -> None:
    X = np.array([[1.0, 0.0], [2.0, 0.0], [4.0, 0.0], [9.0, 5.0]])
    weights = np.array([1, 3, 2, 1])
    one = TableEncoder(robust=True).fit(X, sample_weight=weights).state_
    other = TableEncoder(robust=True).fit(np.repeat(X, weights, axis=0)).state_
    assert one.mean.tolist() == other.mean.tolist() == [2.0, 0.0]
    np.testing.assert_allclose(one.std, other.std, rtol=1e-14)
    assert one.std[1] == pytest.approx(TableEncoder().fit(X, sample_weight=weights).state_.std[1])


def test_a_bound_is_kept_in_descriptions_and_refused_where_it_is_none() -> None:
    X = np.array([[0.0], [1.0], [7.0]])
    encoder = TableEncoder(bound=3.0).fit(X)
    again = TableEncoder.from_json(json.loads(json.dumps(encoder.to_json())))
    assert np.array_equal(again.transform(X), encoder.transform(X))
    for wrong in (0, -1.0, "3", True):
        with pytest.raises(FileFormatError, match="bound"):
            TableEncoder.from_json({**encoder.to_json(), "bound": wrong})
    with pytest.raises(SettingError, match="bound came as 0"):
        TableEncoder(bound=0).fit(X)


# Files.
def test_a_file_may_hold_several_models_and_arrays(tmp_path: Path) -> None:
    X = np.array([[0.0], [1.0], [2.0], [3.0]])
    one, other = (to_model(kn.MLPRegressor(hidden=own, epochs=2, random_state=0).fit(X, X[:, 0])) for own in (2, 3))
    assert b'\\"format\\":1' in persistence.save(one, tmp_path / "one.kn").read_bytes()
    both = replace(one, others=(other,), arrays={"held": np.array([True, False]), "x": np.arange(3.0)})
    path = persistence.save(both, tmp_path / "both.kn")
    assert b'\\"format\\":2' in path.read_bytes()  # which older versions, that know of one model only, refuse
    again = persistence.load(path)
    assert np.array_equal(again.others[0].theta, other.theta)
    assert again.others[0].network == other.network
    assert again.arrays["held"].tolist() == [1, 0]
    assert again.arrays["x"].tolist() == [0.0, 1.0, 2.0]
    broken = replace(both, others=(replace(other, theta=other.theta[:-1]),))
    with pytest.raises(FileFormatError, match="the model beside it, number 0: theta has shape"):
        persistence.save(broken, tmp_path / "wrong.kn")


def test_shapes_that_no_column_tells_apart_are_tried_once() -> None:
    grid = Tuning(hidden=((8,), ()), numbers=((0, None), (4, None), (16, None))).grid()
    assert len(grid.architectures) == 6
    alike = dict.fromkeys(grid.architectures, "the same")
    assert [own.numbers for own in grid.apart(alike).architectures] == [(0, None)] * 2
    wide = {own: "wide" if own.numbers[0] else "narrow" for own in grid.architectures}
    assert sorted(own.numbers[0] for own in grid.apart(wide).architectures) == [0, 0, 4, 4]
