"""Remedies that are tried: runs that part have the bits of runs that never did, and the gains are those by hand."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.metrics import balanced_accuracy_score, log_loss

import kilonet as kn
from kilonet.diagnostics import verify
from kilonet.diagnostics.curing import finite
from kilonet.diagnostics.effects import paired
from kilonet.diagnostics.fork import forked
from kilonet.diagnostics.judging import held_out_rows
from kilonet.diagnostics.pace import seconds_of
from kilonet.diagnostics.verify import cured, verified
from kilonet.findings import Effect, Finding, Remedy
from kilonet.population import Population


def rings(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 4)).astype(np.float32)
    return X, np.where((X[:, :2] ** 2).sum(axis=1) + 0.3 * random.normal(size=n) > 1.4, "out", "in")


X, Y = rings(160)
HELD_OUT = rings(120, seed=1)
PLAIN = kn.MLPClassifier(hidden=8, epochs=12, encode=None, random_state=3)


def finding(*changes: dict[str, Any], severity: str = "fail", since: int = 0) -> Finding:
    remedies = tuple(Remedy(f"set {own}", own) for own in changes)
    return Finding("planted", severity, "something is wrong", remedies=remedies, since=since)


def tried(estimator: Any, *changes: dict[str, Any], data: Any = (X, Y), since: int = 0, **more: Any) -> list[Effect]:
    (found,) = verified([finding(*changes, since=since)], estimator, *data, **more)
    return list(found.effects)


def by_hand(branch: Any, changes: dict[str, Any]) -> list[Any]:
    """What fit() makes of the estimator with some changes, for every order of the rows."""
    return [clone(t.estimator).set_params(**changes).fit(X, Y) for t in branch.trials]


# Laws of the fork.


def test_without_a_change_a_forked_run_has_the_bits_of_one_that_was_never_forked() -> None:
    without, _ = forked(PLAIN, [{"rate": 0.02}], X, Y, epoch=5, validation=HELD_OUT)
    assert without.epoch == 5
    for runs, fitted in zip(without.runs, by_hand(without, {}), strict=True):
        np.testing.assert_array_equal(runs.theta, fitted.theta_)
        np.testing.assert_array_equal(runs.history.loss, fitted.history_.loss)


def test_the_first_seed_is_the_run_of_the_estimator_itself() -> None:
    without, _ = forked(PLAIN, [{"rate": 0.02}], X, Y, epoch=5, validation=HELD_OUT)
    np.testing.assert_array_equal(without.runs[0].theta[0], clone(PLAIN).fit(X, Y).theta_)


def test_eight_seeds_see_four_orders_of_the_rows_and_differ() -> None:
    (without,) = forked(PLAIN, [], X, Y, validation=HELD_OUT)
    assert [runs.n_members for runs in without.runs] == [2, 2, 2, 2]
    assert len({order for runs in without.runs for order in runs.recipe.orders}) == 4
    assert len({theta.tobytes() for runs in without.runs for theta in runs.theta}) == 8
    assert [runs.n_members for runs in forked(PLAIN, [], X, Y, seeds=3)[0].runs] == [1, 1, 1]
    assert [runs.n_members for runs in forked(PLAIN, [], X, Y, seeds=9)[0].runs] == [3, 2, 2, 2]


@pytest.mark.parametrize(("name", "value"), [("rate", 1e-4), ("l2", 0.1), ("dropout", 0.5), ("max_norm", 0.5)])
def test_a_fork_goes_on_from_the_state_as_train_does(name: str, value: float) -> None:
    _, with_it = forked(PLAIN, [{name: value}], X, Y, epoch=5, validation=HELD_OUT)
    assert with_it.epoch == 5
    for runs, fitted in zip(with_it.runs, by_hand(with_it, {name: getattr(PLAIN, name)}), strict=True):
        net, y, recipe = fitted.network_, np.searchsorted(["in", "out"], Y), fitted.recipe_
        before = kn.train(net, kn.cross_entropy, X, y, recipe=recipe, callback=lambda record: record.epoch >= 5)
        after = kn.train(net, kn.cross_entropy, X, y, recipe=recipe.but(**{name: value}), state=before.state)
        np.testing.assert_array_equal(runs.theta, after.theta)


def test_a_leaky_unit_goes_on_where_a_relu_was_and_a_tanh_begins_anew() -> None:
    _, leaky, tanh = forked(
        PLAIN, [{"activation": "leaky_relu"}, {"activation": "tanh"}], X, Y, epoch=5, validation=HELD_OUT
    )
    assert (leaky.epoch, tanh.epoch) == (5, 0)
    before = by_hand(leaky, {"activation": "relu"})[0].history_.loss
    np.testing.assert_array_equal(leaky.runs[0].history.loss[:5], before[:5])
    assert (leaky.runs[0].history.loss[5] != before[5]).all()
    np.testing.assert_array_equal(tanh.runs[0].theta, by_hand(tanh, {})[0].theta_)


@pytest.mark.parametrize(
    "changes",
    [{"encode": "auto"}, {"initializer": "lecun"}, {"hidden": (8, 8)}, {"optimizer": "sgd"}, {"epochs": 20},
     {"class_weight": "balanced"}, {"rate": 0.01, "activation": "prelu"}],
)  # fmt: skip
def test_what_training_stands_on_is_changed_from_the_start(changes: dict[str, Any]) -> None:
    _, with_it = forked(PLAIN, [changes], X, Y, epoch=5, validation=HELD_OUT)
    assert with_it.epoch == 0
    for runs, fitted in zip(with_it.runs, by_hand(with_it, {}), strict=True):
        assert {name: getattr(fitted, name) for name in changes} == changes
        np.testing.assert_array_equal(runs.theta, fitted.theta_)


def exploding(epoch: int) -> Any:
    """A regressor whose rate is a thousand times too high from an epoch on."""
    factors = [1.0] * (epoch - 1) + [1e3] * (13 - epoch)
    return kn.MLPRegressor(hidden=8, optimizer="sgd", rate=0.1, schedule=factors, epochs=12, random_state=0)


def test_a_fork_is_moved_before_the_first_run_that_is_lost() -> None:
    without, with_it = forked(exploding(5), [{"schedule": "constant"}], X, X[:, 0], epoch=9)
    assert without.lost.all()
    assert np.concatenate([runs.diverged for runs in without.runs]).min() == 5
    assert (without.epoch, with_it.epoch) == (4, 4)
    assert not with_it.lost.any()


def test_a_fork_of_runs_that_are_lost_at_once_begins_at_the_start() -> None:
    without, with_it = forked(exploding(1), [{"schedule": "constant"}], X, X[:, 0], epoch=9)
    assert (without.epoch, with_it.epoch, without.lost.all(), with_it.lost.any()) == (0, 0, True, False)


# Judging.


def test_effects_are_those_by_hand() -> None:
    (effect,) = tried(PLAIN, {"rate": 0.02}, validation=HELD_OUT)
    branches = forked(PLAIN, [{"rate": 0.02}], X, Y, validation=HELD_OUT)
    losses = []
    for branch in branches:
        chances = [own for fitted in by_hand(branch, {}) for own in fitted.predict_proba_members(HELD_OUT[0])]
        losses.append(np.array([log_loss(HELD_OUT[1], own, labels=["in", "out"]) for own in chances]))
    gains = losses[0] - losses[1]
    pairs = sorted((a + b) / 2 for place, a in enumerate(gains) for b in gains[place:])
    # Signs of eight seeds: sums of ranks up to 3 have 5 of 256 chances, up to 4 have 7, and 2.5% are 6.4.
    low, high = pairs[3], pairs[-4]
    # The loss is summed from float32 scores here, and made of float64 probabilities by hand: seven digits agree.
    assert (effect.without, effect.with_it) == pytest.approx((losses[0].mean(), losses[1].mean()), rel=1e-6)
    assert (effect.gain, effect.low, effect.high) == pytest.approx((np.median(pairs), low, high), rel=1e-5)
    assert (effect.seeds, effect.epoch, effect.lost_without, effect.lost_with) == (8, 0, 0, 0)
    assert effect.metric == "held-out loss (cross_entropy, 120 rows)"


def test_weights_of_classes_are_judged_by_balanced_accuracy() -> None:
    y, held = (np.where(np.arange(len(own)) % 12 == 0, own, "in") for own in (Y, HELD_OUT[1]))
    (effect,) = tried(PLAIN, {"class_weight": "balanced"}, data=(X, y), validation=(HELD_OUT[0], held))
    branches = forked(PLAIN, [{"class_weight": "balanced"}], X, y, validation=(HELD_OUT[0], held))
    means = []
    for branch in branches:
        fits = [clone(t.estimator).fit(X, y) for t in branch.trials]
        members = [own for fitted in fits for own in fitted.predict_members(HELD_OUT[0])]
        means.append([balanced_accuracy_score(held, own) for own in members])
    # Sums of the same few shares.
    assert (effect.without, effect.with_it) == pytest.approx(np.mean(means, axis=1), rel=1e-12)
    gains = np.subtract(means[1], means[0])
    pairs = [(a + b) / 2 for place, a in enumerate(gains) for b in gains[place:]]
    assert effect.gain == pytest.approx(np.median(pairs), abs=1e-12)
    assert effect.metric == "held-out balanced accuracy (120 rows)"


def test_another_loss_is_judged_by_the_score() -> None:
    regressor = kn.MLPRegressor(hidden=4, epochs=5, random_state=0)
    x = X[:, :2]
    (effect,) = tried(regressor, {"loss": "absolute"}, data=(x, x[:, 0]), seeds=6)
    assert effect.metric == "held-out R² (40 rows)"
    assert effect.low < effect.gain < effect.high
    assert effect.low < effect.with_it - effect.without < effect.high


def test_lost_runs_count_as_the_worst_that_was_seen_and_as_knowing_nothing_at_least() -> None:
    lost = math.nan
    without, with_it, other = np.array([lost, 0.5, 0.4]), np.array([0.3, 0.2, 0.1]), np.array([0.9, lost, 0.3])
    effect, worse = paired([without, with_it, other], -1, nothing=0.7, furthest=7.0)
    assert (effect.without, effect.with_it) == pytest.approx((0.6, 0.2))  # 0.9 stands for the lost one
    assert (effect.lost_without, effect.lost_with) == (1, 0)
    assert (worse.with_it, worse.lost_with) == (pytest.approx(0.7), 1)
    (effect,) = paired([without, with_it], -1, nothing=0.7, furthest=7.0)
    assert effect.without == pytest.approx(1.6 / 3)
    (effect,) = paired([1 - without, 1 - with_it], 1, nothing=0.3, furthest=-6.0)  # the same as a score
    assert effect.without == pytest.approx(1.4 / 3)
    assert effect.gain == pytest.approx((0.3 + 0.35) / 2)  # of 0.4, 0.3, 0.3: means of pairs 0.3 three times, 0.35 …


def test_one_run_far_off_does_not_hide_that_all_others_gain() -> None:
    without = np.array([1e9, 1.0, 1.1, 0.9, 1.2, 1.0, 1.1, 0.95])
    (effect,) = paired([without, np.full(8, 0.3)], -1, nothing=0.7, furthest=1.4)
    assert effect.helps
    assert effect.without == pytest.approx((1.4 + without[1:].sum()) / 8)


def test_rows_are_held_out_by_class_and_never_those_of_weight_zero() -> None:
    y = np.array(["a"] * 80 + ["b"] * 20)
    split = held_out_rows(kn.MLPClassifier(), y, None, 0)
    assert (np.bincount((y[split.test] == "b").astype(int)) == [20, 5]).all()
    assert not set(split.train) & set(split.test)
    weights = np.where(np.arange(100) < 40, 0.0, 1.0)
    split = held_out_rows(kn.MLPClassifier(), y, weights, 0)
    assert split.test.min() >= 40
    assert len(split.test) == 15


def test_a_class_that_is_not_trained_on_is_not_asked_for() -> None:
    """With one row of a class, wherever it falls, the rest can be judged."""
    y = Y.astype(object)
    y[7] = "rare"
    for state in range(6):
        assert tried(clone(PLAIN).set_params(random_state=state, epochs=2), {"rate": 0.1}, data=(X, y))[0].seeds == 8


def choosing_rows(estimator: Any, **given: Any) -> tuple[set[bytes], set[bytes]]:
    """Rows by which the epoch is chosen, and rows that are judged by."""
    (branch,) = forked(estimator, [], X, Y, seeds=2, **given)
    found: tuple[set[bytes], set[bytes]] = (set(), set())
    for trial in branch.trials:
        found[0].update(row.tobytes() for row in trial.work.problem.validation.X)
        found[1].update(np.asarray(row).tobytes() for row in trial.held_out[0])
    return found


@pytest.mark.parametrize("own", [None, HELD_OUT, (X, Y), (X[::2], Y[::2])], ids=["none", "held out", "all", "half"])
@pytest.mark.parametrize("validation", [None, HELD_OUT, (HELD_OUT[0][5:], HELD_OUT[1][5:], None)])
def test_rows_that_are_judged_by_never_choose_the_epoch(own: Any, validation: Any) -> None:
    stopping = clone(PLAIN).set_params(early_stopping=True, validation_data=own)
    choosing, judged = choosing_rows(stopping, validation=validation)
    assert choosing
    assert not choosing & judged


def test_validation_rows_that_are_others_choose_the_epoch_as_they_do_in_a_fit() -> None:
    others = rings(50, seed=2)
    stopping = clone(PLAIN).set_params(early_stopping=True, validation_data=others)
    choosing, _ = choosing_rows(stopping, validation=HELD_OUT)
    assert choosing == {row.tobytes() for row in others[0]}
    without, _ = forked(stopping, [{"rate": 0.02}], X, Y, validation=HELD_OUT)
    np.testing.assert_array_equal(without.runs[0].theta[0], clone(stopping).fit(X, Y).theta_)


def test_where_all_validation_rows_are_judged_by_half_of_them_choose() -> None:
    stopping = clone(PLAIN).set_params(early_stopping=True, validation_data=HELD_OUT)
    (branch,) = forked(stopping, [], X, Y, seeds=2, validation=HELD_OUT)
    for trial in branch.trials:
        assert len(trial.held_out[1]) == 60
        assert trial.work.problem.validation.X.shape == (60, 4)
        assert trial.work.problem.n_rows == 160
        shares = [float((y == "in").mean()) for y in (trial.held_out[1], HELD_OUT[1])]
        assert shares[0] == pytest.approx(shares[1], abs=1 / 60)
    (branch,) = forked(stopping, [], X, Y, seeds=2, validation=(HELD_OUT[0][:50], HELD_OUT[1][:50]))
    assert len(branch.trials[0].held_out[1]) == 50  # the other 70 suffice to choose by
    assert branch.trials[0].work.problem.validation.X.shape == (70, 4)


def test_a_remedy_that_stops_early_does_not_choose_by_what_judges_it() -> None:
    curves = clone(PLAIN).set_params(validation_data=HELD_OUT, epochs=6)
    _, stopping = forked(curves, [{"early_stopping": True}], X, Y, seeds=2, validation=HELD_OUT)
    for trial in stopping.trials:
        choosing, judged = (
            {row.tobytes() for row in rows} for rows in (trial.work.problem.validation.X, trial.held_out[0])
        )
        assert choosing
        assert not choosing & judged


def test_encoded_sparse_and_mixed_rows_are_known_again() -> None:
    automatic = clone(PLAIN).set_params(encode="auto", early_stopping=True, epochs=2)
    for own in ((csr_array(HELD_OUT[0]), HELD_OUT[1]), (HELD_OUT[0].tolist(), list(HELD_OUT[1]))):
        data = (csr_array(X), Y) if hasattr(own[0], "tocsr") else (X.tolist(), list(Y))
        (branch,) = forked(clone(automatic).set_params(validation_data=own), [], *data, seeds=2, validation=own)
        assert branch.trials[0].work.problem.validation.X.shape[0] == 60  # and the other 60 judge
        assert len(branch.trials[0].held_out[1]) == 60


def test_rows_to_judge_by_that_do_not_fit_are_told_of_before_anything_is_trained() -> None:
    for given, said in (((X[:, :2], Y), "2 features"), ((X, np.full(160, "outer")), "outer")):
        with pytest.raises(kn.DataError, match=f"validation: .*{said}"):
            tried(PLAIN, {"rate": 0.02}, {"l2": -1.0}, validation=given)
    with pytest.raises(kn.SettingError, match=r"validation came as 5; needs \(X, y\)"):
        tried(PLAIN, {"rate": 0.02}, validation=5)


@pytest.mark.parametrize("seeds", [5, 0, 6.5])
def test_too_few_seeds_are_refused_because_no_interval_would_be_finite(seeds: Any) -> None:
    for ask in (verified, cured):
        with pytest.raises(kn.SettingError, match=r"\[6, inf\).*cannot show"):
            ask([finding({"rate": 0.02})], PLAIN, X, Y, seeds=seeds)
    gains = np.arange(1.0, 7.0)
    assert paired([gains, gains * 0], -1, nothing=9.0, furthest=99.0)[0].helps
    assert not paired([gains[:5], gains[:5] * 0], -1, nothing=9.0, furthest=99.0)[0].helps


# Planted faults.


def test_dead_units_are_cured_by_a_lower_rate_or_a_leak_and_not_by_a_penalty() -> None:
    dying = kn.MLPClassifier(hidden=(16, 16), optimizer="sgd", rate=4.0, epochs=25, random_state=0)
    for state in range(2):
        lower, leaky, penalty = tried(
            clone(dying).set_params(random_state=state),
            {"rate": 0.4}, {"activation": "leaky_relu"}, {"l2": 1e-3}, data=rings(300, state),
        )  # fmt: skip
        assert lower.helps
        assert leaky.gain > 0.1  # it helps where the rate lets it live at all
        assert not penalty.helps


def test_inputs_without_a_scale_are_cured_by_one() -> None:
    x = X * np.array([1000, 0.001, 1, 50], np.float32) + np.array([5000, 0, 0, 0], np.float32)
    (scaled,) = tried(PLAIN, {"encode": "auto"}, data=(x, Y), since=4)
    assert scaled.helps
    assert scaled.epoch == 0
    assert scaled.without <= 10 * math.log(2) + 1e-9  # a loss counts up to ten times that of knowing nothing, ln 2
    assert scaled.without > 9 * math.log(2)  # nearly all of them are beyond


def test_too_strong_a_penalty_is_cured_by_less() -> None:
    held_down = clone(PLAIN).set_params(l2=1.0, rate=0.02)
    less, dropout = tried(held_down, {"l2": 1e-3}, {"dropout": 0.5}, since=1, data=rings(300))
    assert less.helps
    assert not dropout.helps


def test_runs_that_are_lost_are_rescued() -> None:
    wild = kn.MLPRegressor(hidden=8, optimizer="sgd", rate=3.0, epochs=12, random_state=0)
    lower, penalty = tried(wild, {"rate": 0.3}, {"l2": 1e-2}, data=(X, X[:, 0] * X[:, 1]))
    assert lower.helps
    assert (lower.lost_without, lower.lost_with) == (8, 0)
    assert (penalty.helps, penalty.lost_with) == (False, 8)


def test_a_healthy_run_is_not_bettered_by_what_does_nearly_nothing() -> None:
    """Not a matter of luck: the changes are far too small to move a loss by a thousandth."""
    healthy = kn.MLPClassifier(hidden=16, epochs=15, random_state=0)
    slight, gone = tried(healthy, {"l2": 1.001e-4}, {"input_noise": 1e-6}, since=3)
    # 15 epochs of training do not make more of differences of 1e-6 than this.
    assert max(abs(slight.gain), abs(gone.gain)) < 1e-3


def test_a_change_that_changes_nothing_gains_nothing() -> None:
    (effect,) = tried(PLAIN, {"l2": PLAIN.l2}, since=4)
    assert (effect.gain, effect.low, effect.high, effect.epoch) == (0, 0, 0, 3)
    assert not effect.helps


def test_every_kind_of_data_and_target_is_tried() -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=list("abcd")).assign(e=np.where(X[:, 0] > 0, "yes", "no"))
    several = np.stack([Y == "in", X[:, 0] > 0], axis=1).astype(int)
    automatic = clone(PLAIN).set_params(encode="auto", epochs=3)
    stopping = clone(automatic).set_params(early_stopping=True, members=3, rate=[0.1, 0.2, 0.3])
    assert tried(automatic, {"rate": 0.1}, data=(frame, list(Y)), since=2)[0].seeds == 8
    assert tried(automatic, {"rate": 0.1}, data=(X, several), since=2)[0].seeds == 8
    assert tried(automatic, {"rate": 0.1}, data=(csr_array(X), Y, 2.0), since=2)[0].seeds == 8
    assert tried(automatic, {"class_weight": "balanced"}, data=(frame, list(Y)))[0].seeds == 8
    two = kn.MLPRegressor(hidden=(), epochs=3, random_state=np.random.RandomState(0))
    assert tried(two, {"rate": 0.1}, {"loss": "absolute"}, data=(X.tolist(), X[:, :2]), since=2)[0].seeds == 8
    assert tried(stopping, {"rate": 0.1}, data=(X, Y, np.arange(160) % 3), since=3)[0].gain == 0  # the first member's
    assert math.isfinite(tried(stopping, {"rate": 0.3}, data=(X, Y), since=2, validation=HELD_OUT)[0].gain)


def test_the_time_of_a_run_is_that_of_its_epochs_also_where_it_ends_early() -> None:
    for estimator in (PLAIN, exploding(2), clone(PLAIN).set_params(early_stopping=True, patience=1, epochs=500)):
        (branch,) = forked(estimator, [], X, X[:, 0] if isinstance(estimator, kn.MLPRegressor) else Y, seeds=1)
        problem = branch.trials[0].work.problem
        assert 0 < seconds_of(problem, 10) < 1  # 160 rows: some milliseconds
        assert seconds_of(problem, 100_000) > 10 * seconds_of(problem, 10)


# Findings.


def test_effects_stand_in_the_order_of_the_remedies_that_change_something() -> None:
    given = [
        finding({"rate": 0.02}, {}, {"l2": 0.5}, since=5),
        finding({"rate": 0.02}, severity="info"),
        finding({}),
        finding({"l2": 0.5}, {"rate": 0.02}, severity="warn", since=3),
        finding({"l2": 0.5}, since=9),
    ]
    found = verified(given, PLAIN, X, Y)
    assert [len(own.effects) for own in found] == [2, 0, 0, 2, 1]
    # Tried once, before the trouble that began first.
    assert [own.epoch for own in found[0].effects] == [2, 2]
    assert list(found[3].effects) == list(found[0].effects)[::-1]
    assert found[4].effects[0] == found[3].effects[0]
    assert [own.remedies for own in found] == [own.remedies for own in given]


def test_nothing_to_try_leaves_findings_as_they_are() -> None:
    given = [finding({}), finding({"rate": 1.0}, severity="info")]
    assert verified(given, PLAIN, X, Y) == given


def test_a_change_that_the_estimator_refuses_is_said_and_the_others_are_tried() -> None:
    wrong, rate, unknown = tried(PLAIN, {"l2": -1.0}, {"rate": 0.02}, {"colour": "red"})
    assert "l2" in wrong.untried
    assert "colour" in unknown.untried
    assert (wrong.seeds, wrong.helps, math.isnan(wrong.gain)) == (0, False, True)
    assert rate == tried(PLAIN, {"rate": 0.02})[0]


def test_the_estimators_own_fault_is_an_error() -> None:
    with pytest.raises(kn.SettingError, match="l2"):
        tried(clone(PLAIN).set_params(l2=-1.0), {"rate": 0.02})


def test_what_takes_too_long_is_not_tried_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "LONGEST", 0.0)
    (effect,) = tried(PLAIN, {"rate": 0.02})
    assert effect.untried.startswith("one run takes about")
    assert effect.seeds == 0


def test_too_few_rows_are_not_split() -> None:
    (effect,) = tried(PLAIN, {"rate": 0.02}, data=(X[:6], Y[:6]))
    assert "6 rows" in effect.untried
    (effect,) = tried(PLAIN, {"rate": 0.02}, data=(X, Y, (np.arange(160) < 7).astype(float)))
    assert "7 rows" in effect.untried
    (effect,) = tried(PLAIN, {"rate": 0.02}, data=(X, np.arange(160)))
    assert "single row" in effect.untried
    (effect,) = tried(clone(PLAIN).set_params(epochs=1), {"rate": 0.02}, data=(X[:6], Y[:6]), validation=HELD_OUT)
    assert effect.seeds == 8


def test_too_little_memory_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> None:
        raise kn.MemoryLimitError("it needs 9 GB")

    monkeypatch.setattr(verify, "trained", none_left)
    assert tried(PLAIN, {"rate": 0.02})[0].untried == "it needs 9 GB"


def test_ctrl_c_is_a_keyboard_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Population, "train", lambda *_: True)
    with pytest.raises(KeyboardInterrupt):
        tried(PLAIN, {"rate": 0.02})


def test_the_same_call_gives_the_same_effects_and_leaves_the_estimator_alone() -> None:
    fitted = clone(PLAIN).fit(X, Y)
    before, theta = fitted.get_params(), fitted.theta_.copy()
    assert tried(fitted, {"rate": 0.02}, since=3) == tried(PLAIN, {"rate": 0.02}, since=3)
    assert fitted.get_params() == before
    np.testing.assert_array_equal(fitted.theta_, theta)


def test_a_finding_of_which_nothing_helps_says_so_once_and_stays_as_grave() -> None:
    given = [finding({"l2": 30.0}), finding({"l2": 30.0}, {"rate": 0.02}), finding({"l2": -1.0}), finding({})]
    once = verified(given, PLAIN, X, Y)
    again = verified(once, PLAIN, X, Y)
    assert not once[0].effects[0].helps
    assert once[1].effects[1].helps
    for found in (once, again):
        assert [one.severity for one in found] == ["fail"] * 4
        assert found[0].what == "something is wrong" + verify.ALL_HARM
        assert [one.what for one in found[1:]] == ["something is wrong"] * 3
    (unsure,) = verified([finding({"l2": PLAIN.l2})], PLAIN, X, Y)
    assert unsure.what == "something is wrong" + verify.NONE_HELPS


def test_a_finding_is_tried_with_the_settings_of_its_member() -> None:
    several = clone(PLAIN).set_params(members=3, rate=[0.02, 1e-6, 1e-6])
    of_first, of_third, of_nobody = (
        replace(finding({"rate": 0.02}), evidence=evidence) for evidence in (None, {"member": 2}, {"member": 7})
    )
    found = [one.effects[0] for one in verified([of_first, of_third, of_nobody], several, X, Y)]
    assert [effect.gain == 0 for effect in found] == [True, False, True]
    alone = clone(PLAIN).set_params(rate=1e-6)
    assert found[1] == tried(alone, {"rate": 0.02})[0]
    better, gained = cured([of_first, of_third], several, X, Y)
    assert (better.rate, len(gained)) == ([0.02, 0.02, 0.02], 1)


# Cures.


def test_a_cure_applies_what_helps_one_after_another() -> None:
    x, y = rings(300)
    x *= np.array([1000, 0.001, 1, 50], np.float32)
    sick = clone(PLAIN).set_params(l2=1.0, rate=0.02)
    better, gained = cured([finding({"encode": "auto"}, {"l2": 1e-3}, {"dropout": 0.6})], sick, x, y)
    assert [remedy.changes for remedy, _ in gained] == [{"encode": "auto"}, {"l2": 1e-3}]
    assert all(effect.helps for _, effect in gained)
    # What the second remedy gains, it gains on top of the first.
    assert gained[1][1].without == gained[0][1].with_it
    assert (better.encode, better.l2, better.dropout) == ("auto", 1e-3, 0.0)
    np.testing.assert_array_equal(better.theta_, clone(sick).set_params(encode="auto", l2=1e-3).fit(x, y).theta_)


def helping(gain: float) -> Effect:
    return Effect("held-out loss", 0.5, 0.5 - gain, gain, gain / 2, gain, 8, 0)


def test_the_root_is_mended_before_what_gains_more(monkeypatch: pytest.MonkeyPatch) -> None:
    gains = {"l2": 0.4, "rate": 0.1, "max_norm": 0.3, "dropout": 0.45}
    asked = []

    def canned(_: Any, candidates: Any, *rest: Any) -> list[Effect]:
        asked.append(rest)
        return [helping(gains[name]) for one in candidates for name in one.remedy.changes]

    monkeypatch.setattr(verify, "_tried", canned)
    given = [
        finding({"dropout": 0.1}),
        replace(finding({"rate": 0.02}), because="rate"),
        replace(finding({"l2": 0.01}, {"max_norm": 3.0}), because="over-fitting"),
        replace(finding({"max_norm": 3.0}), because="rate"),
    ]
    better, gained = cured(given, clone(PLAIN).set_params(epochs=1), X, Y)
    # Of the first cause what gains more, its other remedy; then the second one; the unknown one in the end.
    assert [name for remedy, _ in gained for name in remedy.changes] == ["max_norm", "rate", "l2", "dropout"]
    assert len(asked) == 4
    assert (better.rate, better.max_norm, better.l2, better.dropout) == (0.02, 3.0, 0.01, 0.1)


def test_a_remedy_with_which_runs_diverge_comes_after_one_with_which_none_does(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {0.1: replace(helping(0.4), lost_with=1), 0.04: helping(0.3)}

    def canned(_: Any, candidates: Any, *__: Any) -> list[Effect]:
        return [rates[float(one.remedy.changes["rate"])] for one in candidates]

    monkeypatch.setattr(verify, "_tried", canned)
    _, gained = cured([finding({"rate": 0.1}, {"rate": 0.04})], clone(PLAIN).set_params(epochs=1), X, Y)
    assert gained[0][0].changes == {"rate": 0.04}


def test_what_fails_and_is_not_cured_is_told_of() -> None:
    slow = clone(PLAIN).set_params(rate=1e-6)
    given = [replace(finding({"rate": 0.02}), because="rate"), replace(finding({}), rule="leak", because="leak")]
    with pytest.warns(kn.RemedyWarning, match=r"against leak: .*only you can do.*the rest is applied"):
        better, gained = cured(given, slow, X, Y)
    assert (better.rate, len(gained)) == (0.02, 1)


def test_what_could_not_be_tried_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "LONGEST", 0.0)
    with pytest.warns(kn.RemedyWarning, match=r"against planted: no remedy was tried \(one run takes"):
        cured([finding({"rate": 0.02})], PLAIN, X, Y)


def test_a_fit_that_is_lost_leaves_out_what_was_applied_last() -> None:
    lost, sound = exploding(1), exploding(20).set_params(epochs=3)
    gained = [(Remedy("one", {}), helping(0.1)), (Remedy("two", {}), helping(0.1))]
    for first, kept in ((sound, 0), (clone(sound).fit(X, X[:, 0]), 0)):
        with pytest.warns(kn.DivergenceWarning, match=r"left the finite numbers.*with one and two.*with one: "):
            better, left = finite([first, lost, lost], gained, X, X[:, 0], None)
        assert (better is first) == hasattr(first, "theta_")
        assert np.isfinite(better.theta_).all()
        assert len(left) == kept
    with pytest.warns(kn.DivergenceWarning, match=r"with one and two.*the estimator with one\."):
        better, left = finite([lost, sound, lost], gained, X, X[:, 0], None)
    assert (len(left), np.isfinite(better.theta_).all()) == (1, True)


def test_an_estimator_that_cannot_be_fitted_at_all_comes_back_as_it_was() -> None:
    lost = exploding(1)
    with pytest.warns() as told:
        better, gained = cured([finding({"l2": 1e-3})], lost, X, X[:, 0])
    assert better is lost
    assert gained == []
    assert {one.category for one in told} == {kn.RemedyWarning, kn.DivergenceWarning}
    assert "not fitted" in str(next(one.message for one in told if one.category is kn.DivergenceWarning))


def test_where_nothing_helps_the_estimator_comes_back_as_it_is() -> None:
    fitted = clone(PLAIN).fit(X, Y)
    given = [finding({"l2": 30.0}), finding({"rate": 0.02}, severity="info")]
    with pytest.warns(kn.RemedyWarning, match="helps against planted: 1 remedy was tried, none gains for sure"):
        better, gained = cured(given, fitted, X, Y)
    assert better is fitted
    assert gained == []
    unfitted, gained = cured([], PLAIN, X, Y)
    assert gained == []
    np.testing.assert_array_equal(unfitted.theta_, fitted.theta_)


def test_values_that_count_as_less_bad_ones_are_counted() -> None:
    without, with_it = np.array([30.0, 5.0, 2.0, 9.0, 9.0, 9.0]), np.array([0.1, 0.1, 0.1, 0.1, 0.1, 6.0])
    (effect,) = paired([without, with_it], -1, nothing=0.5, furthest=5.0)
    assert (effect.furthest, effect.cut_without, effect.cut_with) == (5.0, 4, 1)
    assert effect.without == pytest.approx(27 / 6)  # five of 5 and a 2
    (effect,) = paired([-without, -with_it], 1, nothing=0.0, furthest=-5.0)  # the same as a score
    assert (effect.cut_without, effect.cut_with) == (4, 1)
    (effect,) = paired([np.full(6, np.nan), with_it], -1, nothing=0.5, furthest=5.0)
    assert effect.cut_without == 0  # lost runs are told of as such
