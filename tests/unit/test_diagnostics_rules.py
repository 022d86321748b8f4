"""The rules: each finds its planted fault, is silent on a healthy run, and turns at its thresholds."""

import json
import math
from dataclasses import fields, replace

import numpy as np
import pytest

import kilonet as kn
from kilonet.diagnostics import RULES, judge
from kilonet.diagnostics.diagnosis import merged
from kilonet.diagnostics.live import Watch, plain_inputs
from kilonet.diagnostics.page import page
from kilonet.errors import SettingError
from kilonet.findings import (
    Effect,
    Examination,
    Finding,
    GapFacts,
    InputFacts,
    LayerFacts,
    RateFacts,
    Remedy,
    SmallFacts,
    StartFacts,
    TargetFacts,
)
from kilonet.history import EpochRecord, History
from kilonet.monitors import NAMES, width

EPOCHS, UNITS = 20, 40


def layer(number, unit="relu", units=UNITS, **facts):
    """A layer of which half of the rows see each unit active."""
    given = {
        "activity": np.full(units, 0.5), "never_positive": 0.0, "saturated": math.nan, "mean": 0.4, "deviation": 0.6,
        "gradient_norm": 1.0, "weight_norm": 9.0, "agreement": 0.6, "agreement_in_batch": 0.6,
    }  # fmt: skip
    return LayerFacts(number, unit, units, **(given | facts))


def activity(dead=0, rare=0, on=0):
    """Of 40 units so many are dead, rarely active and always on."""
    found = np.full(UNITS, 0.5)
    found[:dead], found[dead : dead + rare], found[dead + rare : dead + rare + on] = 0.0, 0.005, 1.0
    return found


def history(loss=None, layers=3, **monitors):
    """A loss that falls from 2 to 0.1, norms of He's weights; monitors: name → (epochs, layers) or a number."""
    table = np.full((EPOCHS, layers, len(NAMES)), np.nan, np.float32)
    usual = {"dead": 0.0, "positive": 0.5, "activation_mean": 0.4, "gradient_norm": 1.0, "update_ratio": 2e-3,
             "weight_norm": math.sqrt(2 * UNITS)}  # fmt: skip
    for name, value in (usual | monitors).items():
        table[:, :, NAMES.index(name)] = value
    curve = np.geomspace(2.0, 0.1, EPOCHS) if loss is None else np.asarray(loss, float)
    both = np.concatenate([curve[:, None], table.reshape(EPOCHS, -1)], axis=1).astype(np.float32)
    nothing = np.full(EPOCHS, np.nan)
    return History(curve, nothing, nothing, nothing, both)


def inputs(deviations=(1.0, 1.0, 1.0, 1.0), means=None, **facts):
    size = len(deviations)
    given = {"constant": (), "duplicated": (), "positive": False, "leaking": {}, "baseline": 0.5}
    names = [f"x{place}" for place in range(size)]
    means = np.zeros(size) if means is None else np.asarray(means, float)
    return InputFacts(names, means, np.asarray(deviations, float), **(given | facts))


HEALTHY = Examination(
    "kilonet",
    "classification",
    {"rate": 1e-3, "optimizer": "adam", "l2": 1e-4, "epochs": EPOCHS, "batch": 32, "n_rows": 1000, "n_inputs": 4},
    [layer(1), layer(2), layer(3, "identity", UNITS)],
    history(),
    inputs=inputs(),
    target=TargetFacts({"a": 500, "b": 500}, conflicting=0),
    start=StartFacts(0.8, math.log(2)),
    small=SmallFacts(20, 500, 1e-4, 1.0),
    rates=RateFacts(np.array([1e-4, 1e-3, 1e-2]), np.array([0.6, 0.3, 0.3]), 1e-2, 1e-3, 1e-3, 1e-2, 0.5, 0.3),
    gap=GapFacts(0.98, 0.96, 0.001, 0.04, 2),
    gradient_error=1e-8,
)
NUMBERS = replace(HEALTHY, task="regression", target=TargetFacts({}, 0, 3.0, 2.0), start=StartFacts(0.7, 0.5))


def but(base=HEALTHY, **changes):
    settings = dict(base.settings) | changes.pop("settings", {})
    return replace(base, settings=settings, **changes)


def hidden(**facts):
    """The healthy run with another first layer."""
    return but(layers=[layer(1, **facts), *HEALTHY.layers[1:]])


def found(examination, rule, **thresholds):
    """The findings of a rule, as (severity, layer)."""
    named = [one for one in judge(examination, thresholds=kn.Thresholds(**thresholds)) if one.rule == rule]
    return [(one.severity, one.layer) for one in named]


def the(examination, rule):
    (finding,) = [one for one in judge(examination) if one.rule == rule]
    return finding


def test_a_healthy_run_is_silent():
    assert judge(HEALTHY) == []
    assert judge(NUMBERS) == []


def test_nothing_is_said_of_what_was_not_looked_at():
    empty = History.of(np.zeros((0, 1, 4)), single=True)
    assert judge(Examination("torch", "classification", {}, [], empty)) == []
    unwatched = replace(HEALTHY, history=History(*np.full((4, EPOCHS), 0.5)))
    assert [one for one in judge(unwatched) if one.severity != "info"] == []


class TestInputs:
    @pytest.mark.parametrize(
        ("deviation", "severity"), [(10.0, None), (10.1, "warn"), (100.0, "warn"), (101.0, "fail")]
    )
    def test_large(self, deviation, severity):
        given = but(inputs=inputs((1.0, 1.0, 1.0, deviation)))
        assert found(given, "unscaled inputs") == ([(severity, None)] if severity else [])

    def test_far_from_zero(self):
        assert found(but(inputs=inputs(means=[0, 0, 0, 2000.0])), "unscaled inputs") == [("fail", None)]

    @pytest.mark.parametrize(("small", "severity"), [(2, "info"), (3, "warn")])
    def test_a_few_small_ones_are_common(self, small, severity):
        given = but(inputs=inputs([0.01] * small + [1.0] * (4 - small)))
        assert found(given, "unscaled inputs") == [(severity, None)]

    def test_rare_categories_are_as_they_should_be(self):
        share = 0.001
        rare = inputs([math.sqrt(share * (1 - share))] * 4, means=[share] * 4)
        assert found(but(inputs=rare), "unscaled inputs") == []

    def test_remedy(self):
        finding = the(but(inputs=inputs([300.0] * 4)), "unscaled inputs")
        assert list(finding.remedies) == [Remedy("standardize the inputs", {"encode": "auto"})]
        assert finding.because == "inputs"
        assert finding.evidence["inputs"] == 4
        elsewhere = but(inputs=inputs([300.0] * 4), origin="torch")
        assert the(elsewhere, "unscaled inputs").remedies[0].changes == {}

    def test_constant_and_duplicated(self):
        given = but(inputs=inputs((0.0, 0.0, 1.0, 1.0), constant=(0, 1), duplicated=((0, 1),)))
        assert found(given, "constant inputs") == [("info", None)]
        assert found(given, "duplicated inputs") == []
        given = but(inputs=inputs(duplicated=((2, 3),)))
        assert the(given, "duplicated inputs").what == "1 pair of inputs with the same values: x2 = x3"

    @pytest.mark.parametrize(("score", "severity"), [(0.997, None), (0.998, "warn"), (1.0, "warn")])
    def test_leaking(self, score, severity):
        given = but(inputs=inputs(leaking={1: score}))  # (0.9975 − 0.5) / (1 − 0.5) = 0.995
        assert found(given, "leaking inputs") == ([(severity, None)] if severity else [])

    def test_a_pair_among_many_inputs_is_told_of(self):
        assert found(but(inputs=inputs([1.0] * 20, duplicated=((2, 3),))), "duplicated inputs") == [("warn", None)]
        assert found(but(inputs=inputs([1.0] * 21, duplicated=((2, 3),))), "duplicated inputs") == [("info", None)]

    @pytest.mark.parametrize(("others", "severity"), [(0.5, "warn"), (0.98, "warn"), (0.99, "info"), (1.0, "info")])
    def test_a_leak_tells_far_more_than_all_others(self, others, severity):
        given = but(inputs=replace(inputs(leaking={1: 0.998}), others={1: others}))
        assert found(given, "leaking inputs") == [(severity, None)]

    def test_where_many_inputs_tell_all_the_task_is_easy(self):
        assert found(but(inputs=inputs(leaking={0: 1.0, 1: 1.0, 2: 1.0})), "leaking inputs") == [("info", None)]
        assert found(but(inputs=inputs([1.0], leaking={0: 1.0})), "leaking inputs") == []


class TestTarget:
    @pytest.mark.parametrize(("rows", "severity"), [(1000, None), (1001, "warn")])
    def test_imbalance(self, rows, severity):
        given = but(target=TargetFacts({"a": rows, "b": 100}, 0))
        assert found(given, "class imbalance") == ([(severity, None)] if severity else [])

    def test_imbalance_that_weights_make_up_for(self):
        given = but(target=TargetFacts({"a": 9000, "b": 100}, 0), settings={"class_weight": "balanced"})
        assert found(given, "class imbalance") == [("info", None)]

    def test_imbalance_has_its_cure(self):
        finding = the(but(target=TargetFacts({"a": 9000, "b": 100}, 0)), "class imbalance")
        assert finding.remedies[0].changes == {"class_weight": "balanced"}
        assert finding.what == "class a has 9,000 rows, b has 100: 90 to 1"

    @pytest.mark.parametrize(("rows", "severity"), [(9, "info"), (10, "warn")])
    def test_conflicting_labels(self, rows, severity):
        given = but(target=TargetFacts({"a": 500, "b": 500}, rows))
        assert found(given, "conflicting labels") == [(severity, None)]
        numbers = but(NUMBERS, target=TargetFacts({}, rows))
        assert found(numbers, "conflicting labels") == [("info", None)]


class TestStart:
    @pytest.mark.parametrize(
        ("times", "severity"),
        [(0.24, "warn"), (0.25, None), (10.0, None), (10.1, "warn"), (30.0, "warn"), (31.0, "fail")],
    )
    def test_loss_at_the_start(self, times, severity):
        given = but(start=StartFacts(times, 1.0))
        assert found(given, "loss at the start") == ([(severity, None)] if severity else [])

    def test_loss_at_the_start_of_numbers_is_one_of_squares(self):
        assert found(but(NUMBERS, start=StartFacts(50.0, 0.5)), "loss at the start") == []
        assert found(but(NUMBERS, start=StartFacts(50.6, 0.5)), "loss at the start") == [("warn", None)]

    def test_infinite_loss_at_the_start(self):
        assert found(but(start=StartFacts(math.inf, 1.0)), "loss at the start") == [("fail", None)]

    def test_initial_weights_that_are_too_large(self):
        given = but(history=history(weight_norm=3.1 * math.sqrt(UNITS)))
        assert found(given, "initial weights") == [("warn", 1)]
        assert the(given, "initial weights").remedies[0].changes == {"initializer": None}
        assert found(but(history=history(weight_norm=2.9 * math.sqrt(UNITS))), "initial weights") == []

    def test_small_initial_weights_are_told_of(self):
        assert found(but(history=history(weight_norm=0.04 * math.sqrt(UNITS))), "initial weights") == [("info", 1)]

    @pytest.mark.parametrize(
        ("loss", "score", "severity"), [(0.0099, 1.0, None), (0.01, 1.0, "warn"), (0.001, 0.95, "fail")]
    )
    def test_few_rows_by_heart(self, loss, score, severity):
        given = but(small=SmallFacts(20, 500, loss, score), settings={"n_inputs": 300})
        assert found(given, "few rows by heart") == ([(severity, None)] if severity else [])

    def test_few_rows_of_numbers_by_heart(self):
        noise = but(NUMBERS, small=SmallFacts(20, 500, 0.05, 0.9), settings={"n_inputs": 300})
        assert found(noise, "few rows by heart") == []
        assert found(replace(noise, small=SmallFacts(20, 500, 0.05, 0.89)), "few rows by heart") == [("fail", None)]

    def test_a_tiny_network_is_not_to_blame(self):
        tiny = but(
            layers=[layer(1, units=3), layer(2, "identity", 2)], history=history(layers=2),
            small=SmallFacts(20, 500, 0.4, 0.8),
        )  # fmt: skip
        assert found(tiny, "few rows by heart") == [("info", None)]

    @pytest.mark.parametrize(
        ("error", "severity"), [(1e-4, None), (1.1e-4, "warn"), (1e-2, "warn"), (0.011, "fail"), (math.nan, "fail")]
    )
    def test_gradient_check(self, error, severity):
        assert found(but(gradient_error=error), "gradient check") == ([(severity, None)] if severity else [])


def sweep(used, smallest=1e-3, largest=0.05, fastest=0.01):
    """Rates of which some learn: those whose loss came to 0.5 at most, where 0.3 was the lowest on other rows."""
    return RateFacts(np.array([1e-5, 10.0]), np.array([0.7, 0.7]), fastest, used, smallest, largest, 0.5, 0.3)


def rated(used, *, best=False, **settings):
    """A run with this rate that did not learn, or one that did."""
    past = history() if best else history(POOR)
    return but(rates=sweep(used), settings={"rate": used} | settings, history=past)


POOR = np.linspace(2, 1.9, EPOCHS)  # a loss that the trials come far under


class TestRate:
    @pytest.mark.parametrize(
        ("used", "severity"),
        [(10.0, "warn"), (0.051, "warn"), (0.05, "info"), (1e-3, "info"), (0.9e-3, "warn"), (1e-7, "warn")],
    )
    def test_it_speaks_outside_of_the_rates_that_learn(self, used, severity):
        assert found(rated(used), "rate") == ([(severity, None)] if severity else [])

    def test_the_first_remedy_is_the_optimizers_own_rate_and_then_that_of_the_trial(self):
        high, low = the(rated(0.1), "rate"), the(rated(1e-6), "rate")
        assert (high.because, low.because) == ("rate", "low rate")
        for finding in (high, low):
            assert [remedy.changes["rate"] for remedy in finding.remedies] == [0.001, 0.01]

    def test_a_rate_of_its_own_that_does_not_learn_is_not_advised(self):
        given = but(rated(1e-6), rates=sweep(1e-6, smallest=0.002))
        assert [remedy.changes["rate"] for remedy in the(given, "rate").remedies] == [0.01]

    def test_where_no_rate_of_a_trial_is_between_it_is_a_guess(self):
        given = but(rated(0.1), rates=replace(sweep(0.1, smallest=0.02, largest=0.02, fastest=0.02), fastest=0.03))
        assert [remedy.changes["rate"] for remedy in the(given, "rate").remedies] == [0.01]

    @pytest.mark.parametrize("used", [0.06, 1e-4])
    def test_a_training_that_did_well_did_so_with_its_rate(self, used):
        assert found(rated(used, best=True), "rate") == []

    def test_far_below_but_it_learned(self):
        assert found(rated(1e-5, best=True), "rate") == [("info", None)]

    @pytest.mark.parametrize(("used", "severity"), [(0.06, "warn"), (1e-4, None), (3e-5, "warn")])
    def test_before_training_a_low_rate_is_told_of_where_it_is_far_too_low(self, used, severity):
        given = but(rates=sweep(used), settings={"rate": used}, history=History.of(np.zeros((0, 1, 4)), single=True))
        assert found(given, "rate") == ([(severity, None)] if severity else [])

    def test_a_little_above_is_as_good(self):
        assert found(but(rated(0.06), rates=sweep(0.06, fastest=0.03)), "rate") == []

    def test_a_trial_in_which_nothing_is_learned_names_no_rate(self):
        nothing = RateFacts(np.array([1e-5, 10.0]), np.array([0.7, 0.7]), math.nan, 10.0)
        assert found(but(rated(10.0), rates=nothing), "rate") == []

    def test_rates_that_were_not_tried(self):
        assert found(but(rated(10.0), rates=None), "rate") == []

    def test_a_sweep_under_another_trouble_tells_of_that_trouble(self):
        given = but(rated(0.1), inputs=inputs([300.0] * 4))
        assert found(given, "rate") == [("info", None)]


class TestSteps:
    @pytest.mark.parametrize(("moved", "severity"), [(0.59, None), (0.61, "warn"), (1.0, "warn"), (1.1, "fail")])
    def test_too_large(self, moved, severity):
        ratios = np.full((EPOCHS, 3), 2e-3)
        ratios[0, 1] = moved
        given = but(history=history(update_ratio=ratios), settings={"rate": 5.0}, rates=None)
        assert found(given, "steps too large") == ([(severity, 2)] if severity else [])

    def test_a_far_too_high_rate_goes_back_to_the_optimizers_own(self):
        finding = the(but(history=history(update_ratio=3.0), settings={"rate": 5.0}, rates=None), "steps too large")
        assert finding.remedies[0].changes == {"rate": 0.001}
        assert finding.what == "layer 1: the first step changed the weights by 3 times their size"

    @pytest.mark.parametrize(
        ("used", "loss", "severity"), [(0.02, 0.1, "info"), (0.02, 0.31, "fail"), (0.04, 0.1, "fail")]
    )
    def test_large_first_steps_of_a_training_that_came_where_it_should_are_told_of(self, used, loss, severity):
        past = history(np.geomspace(2, loss, EPOCHS), update_ratio=3.0)  # 0.3 is the lowest on other rows
        given = but(history=past, rates=sweep(used), settings={"rate": used})  # 0.01 is the fastest
        assert found(given, "steps too large")[0][0] == severity
        assert found(replace(given, rates=None), "steps too large")[0][0] == "fail"

    @pytest.mark.parametrize(("moved", "severity"), [(1.1e-4, None), (0.9e-4, "warn")])
    def test_too_small(self, moved, severity):
        given = but(history=history(POOR, update_ratio=moved), rates=None)
        assert found(given, "steps too small") == ([(severity, None)] if severity else [])

    def test_small_steps_of_a_rate_that_learns_in_a_trial_are_too_few(self):
        slow = history(POOR, update_ratio=1e-5)
        assert found(but(history=slow, rates=sweep(1e-3)), "steps too small") == []
        assert found(but(history=slow, rates=sweep(0.9e-3)), "steps too small") == [("warn", None)]

    def test_a_trained_network_may_stand_still(self):
        late = np.full((EPOCHS, 3), 1e-3)
        late[4:] = 1e-7
        assert found(but(history=history(np.linspace(2, 1.9, EPOCHS), update_ratio=late)), "steps too small") == []
        assert found(but(history=history(update_ratio=1e-5)), "steps too small") == []  # it has learned

    def test_higher_rates_make_steps_of_a_thousandth(self):
        flat = history(np.linspace(2, 1.9, EPOCHS), update_ratio=1e-6)
        changes = the(but(history=flat, settings={"rate": 1e-6}, rates=None), "steps too small").remedies[0].changes
        assert changes == {"rate": pytest.approx(1e-3)}


class TestLayers:
    @pytest.mark.parametrize(("dead", "severity"), [(11, None), (12, "warn"), (15, "warn"), (16, "fail")])
    def test_dead(self, dead, severity):
        given = hidden(activity=activity(dead))
        assert found(given, "dead units") == ([(severity, 1)] if severity else [])

    @pytest.mark.parametrize(("dead", "severity"), [(2, None), (3, "fail")])
    def test_a_few_dead_of_a_few_may_be_luck(self, dead, severity):
        # of 5 units that are dead with a probability of 0.15: 2 or more 16% of the time, 3 or more 2.7%
        few = np.where(np.arange(5) < dead, 0.0, 0.5)
        assert found(hidden(activity=few, units=5), "dead units") == ([(severity, 1)] if severity else [])

    def test_dead_in_the_words_of_the_notes_and_since_when(self):
        curve = np.zeros((EPOCHS, 3))
        curve[1:, 0] = 0.43
        given = replace(hidden(activity=activity(17)), history=history(dead=curve))
        assert the(given, "dead units").what == "layer 1: 42% of 40 ReLU units are dead since epoch 2"
        assert the(given, "dead units").since == 2

    def test_dead_because_of_the_rate(self):
        ratios = np.full((EPOCHS, 3), 2e-3)
        ratios[0] = 4.0
        given = replace(hidden(activity=activity(30)), history=history(update_ratio=ratios))
        finding = the(but(given, settings={"rate": 5.0}), "dead units")
        assert finding.because == "rate"
        # the optimizer's own rate, the fastest of the trial, and units that cannot die
        assert [remedy.changes for remedy in finding.remedies] == [
            {"rate": 0.001}, {"rate": 0.01}, {"activation": "leaky_relu"},
        ]  # fmt: skip

    def test_dead_because_of_the_inputs(self):
        given = but(hidden(activity=activity(30)), inputs=inputs([500.0] * 4), history=history(update_ratio=9.0))
        assert the(given, "dead units").because == "inputs"

    @pytest.mark.parametrize(("thin", "changes"), [(False, {"encode": "auto"}), (True, {})])
    def test_dead_because_no_input_is_below_zero(self, thin, changes):
        seen = replace(inputs(positive=True), sparse=thin)  # which are scaled, and not centred
        given = but(hidden(activity=activity(30)), inputs=seen)
        assert the(given, "dead units").remedies[0].changes == changes

    def test_dead_because_of_the_initial_weights(self):
        given = but(hidden(activity=activity(30)), history=history(weight_norm=100.0, update_ratio=9.0))
        assert the(given, "dead units").because == "initial weights"

    def test_dead_from_the_start(self):
        given = but(hidden(activity=activity(30)), history=history(dead=0.75))
        assert the(given, "dead units").because == "initial weights"
        assert the(given, "dead units").since == 1

    def test_rare_and_always_on_are_listed_apart(self):
        given = hidden(activity=activity(rare=4, on=8))
        assert found(given, "rare units") == [("info", 1)]
        assert found(given, "always on") == [("info", 1)]

    @pytest.mark.parametrize(("share", "severity"), [(0.5, None), (0.51, "warn"), (0.8, "warn"), (0.81, "fail")])
    def test_saturation(self, share, severity):
        given = replace(hidden(unit="tanh", saturated=share), history=history(POOR))
        assert found(given, "saturation") == ([(severity, 1)] if severity else [])

    def test_units_that_are_sure_where_the_network_is_right_do_not_alarm(self):
        assert found(hidden(unit="tanh", saturated=0.51), "saturation") == [("info", 1)]

    @pytest.mark.parametrize(("at_start", "severity"), [(0.39, None), (0.41, "warn")])
    def test_saturation_from_the_start(self, at_start, severity):
        curve = np.full((EPOCHS, 3), at_start)
        given = replace(hidden(unit="tanh", saturated=0.45), history=history(saturated=curve))
        assert found(given, "saturation") == ([(severity, 1)] if severity else [])

    @pytest.mark.parametrize(("norms", "rule"), [
        ([69.0, 1, 1], None), ([71.0, 1, 1], "exploding gradients"), ([7e-9, 1e-10, 1e-10], None),
        ([math.inf, 1, 1], "exploding gradients"), ([1.1e-3, 1, 1], None), ([0.9e-3, 1, 1], "vanishing gradients"),
    ])  # fmt: skip
    def test_gradients(self, norms, rule):
        table = np.broadcast_to(norms, (EPOCHS, 3))
        given = but(history=history(gradient_norm=table, update_ratio=np.array([1e-5, 1e-3, 1e-3])))
        rules = [one.rule for one in judge(given) if "gradients" in one.rule]
        assert rules == ([rule] if rule else [])

    def test_small_gradients_that_the_optimizer_makes_up_for(self):
        table = np.broadcast_to([1e-4, 1, 1], (EPOCHS, 3))
        assert found(but(history=history(gradient_norm=table)), "vanishing gradients") == []

    def test_vanishing_in_deep_sigmoid_networks(self):
        table = np.broadcast_to([1e-6, 1, 1], (EPOCHS, 3))
        past = history(np.full(EPOCHS, 0.69), gradient_norm=table)
        given = but(hidden(unit="sigmoid"), history=past)
        finding = the(given, "vanishing gradients")
        assert finding.because == "activation"
        assert finding.remedies[0].changes == {"activation": "relu"}
        assert [one.rule for one in judge(given)] == ["vanishing gradients", "nothing learned"]

    @pytest.mark.parametrize(
        ("share", "positive", "severity"), [(0.89, True, None), (0.9, True, "warn"), (1.0, False, None)]
    )
    def test_zigzag(self, share, positive, severity):
        given = but(hidden(agreement_in_batch=share, agreement=1.0), inputs=inputs(positive=positive))
        assert found(given, "zig-zag") == ([(severity, 1)] if severity else [])

    def test_zigzag_one_example_at_a_time(self):
        given = but(hidden(agreement=1.0), inputs=inputs(positive=True), settings={"batch": 1})
        assert found(given, "zig-zag") == [("warn", 1)]

    def test_zigzag_behind_sigmoid_units_is_told_of(self):
        layers = [layer(1, "sigmoid"), layer(2, agreement_in_batch=0.95), HEALTHY.layers[2]]
        assert found(but(layers=layers), "zig-zag") == [("info", 2)]


class TestTraining:
    @pytest.mark.parametrize(("grown", "severity"), [(1999.0, None), (2001.0, "fail")])
    def test_divergence(self, grown, severity):
        loss = np.full(EPOCHS, 1.0)
        loss[6] = grown
        given = but(history=history(loss), start=StartFacts(2.0, 1.5))
        assert found(given, "divergence") == ([(severity, None)] if severity else [])

    def test_divergence_out_of_the_finite_numbers(self):
        finding = the(but(diverged=7), "divergence")
        assert finding.since == 7
        assert "epoch 7" in finding.what
        assert finding.remedies[-1].changes == {"max_norm": 3.0}

    def test_forgetting(self):
        shrunk = [replace(one, weight_norm=1.0) for one in HEALTHY.layers]
        past = history(np.linspace(0.7, 0.69, EPOCHS))
        given = but(layers=shrunk, history=past, settings={"l2": 1.0})
        finding = the(given, "forgetting")
        assert (finding.severity, finding.because) == ("fail", "l2")
        assert [remedy.changes["l2"] for remedy in finding.remedies] == pytest.approx([0.1, 0.01, 1e-3, 1e-4])
        assert found(but(given, history=history(np.linspace(0.7, 0.2, EPOCHS))), "forgetting") == []
        assert found(but(given, settings={"l2": 0.01}), "forgetting") == []
        assert found(but(given, layers=HEALTHY.layers), "forgetting") == []

    def test_dead_units_that_a_penalty_made(self):
        shrunk = [replace(one, weight_norm=1.0, activity=activity(20)) for one in HEALTHY.layers]
        past = history(np.linspace(0.7, 0.69, EPOCHS))
        findings = judge(but(layers=shrunk, history=past, settings={"l2": 1.0}))
        assert {one.because for one in findings} == {"l2"}
        assert findings[0].rule == "forgetting"
        assert "dead units" in findings[0].cause

    def test_nothing_learned(self):
        past = history(np.full(EPOCHS, 0.95 * math.log(2)))
        assert found(but(history=past), "nothing learned") == []
        past = history(np.full(EPOCHS, 0.96 * math.log(2)))
        assert found(but(history=past), "nothing learned") == [("info", None)]
        slow = but(history=history(np.full(EPOCHS, 0.96 * math.log(2)), update_ratio=1e-6), rates=sweep(1e-6))
        slow = but(slow, settings={"rate": 1e-6})
        assert found(slow, "nothing learned") == [("fail", None)]
        assert [remedy.changes["rate"] for remedy in the(slow, "nothing learned").remedies] == [0.001, 0.01]

    def test_nothing_learned_is_judged_by_the_entropy_of_the_classes(self):
        entropy = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
        given = but(target=TargetFacts({"a": 900, "b": 100}, 0), history=history(np.full(EPOCHS, 0.96 * entropy)))
        assert found(given, "nothing learned") == [("info", None)]

    @pytest.mark.parametrize(
        ("facts", "severity"),
        [
            (GapFacts(0.9, 0.81, 0.01, 0.2, 12), None),
            (GapFacts(0.9, 0.79, 0.01, 0.2, 12), "warn"),
            (GapFacts(0.9, 0.79, -0.01, 0.2, 12), None),
            (GapFacts(0.9, 0.79, 0.01, 0.2, 9), None),
            (GapFacts(0.95, 0.87, 0.01, 0.2, 10), "warn"),
            (GapFacts(0.95, 0.89, 0.01, 0.2, 10), None),
        ],
    )
    def test_overfitting(self, facts, severity):
        watched = replace(history(), validation_loss=np.full(EPOCHS, 0.5))
        assert found(but(gap=facts, history=watched), "over-fitting") == ([(severity, None)] if severity else [])

    @pytest.mark.parametrize(("low", "severity"), [(0.1, "warn"), (-0.01, None)])
    def test_without_a_validation_curve_the_scores_are_all_there_is(self, low, severity):
        given = but(gap=GapFacts(1.0, 0.7, low, 0.4, 0))
        assert found(given, "over-fitting") == ([(severity, None)] if severity else [])
        assert not severity or "validation loss" not in the(given, "over-fitting").what

    @pytest.mark.parametrize(("end", "rising", "severity"), [(0.41, 12, "warn"), (0.39, 12, None), (0.41, 9, None)])
    def test_a_validation_loss_that_has_doubled_is_overfitting_too(self, end, rising, severity):
        losses = np.append(np.linspace(0.7, 0.2, EPOCHS - 1), end)  # the lowest is 0.2
        past = replace(history(losses), validation_loss=losses)
        given = but(gap=GapFacts(0.99, 0.97, 0.0, 0.05, rising), history=past)
        assert found(given, "over-fitting") == ([(severity, None)] if severity else [])

    def test_overfitting_began_where_the_validation_loss_was_lowest(self):
        watched = replace(history(), validation_loss=np.full(EPOCHS, 0.5))
        finding = the(but(gap=GapFacts(1.0, 0.7, 0.1, 0.4, 12), history=watched), "over-fitting")
        assert finding.since == EPOCHS - 12
        assert {"early_stopping": True} in [remedy.changes for remedy in finding.remedies]

    @pytest.mark.parametrize(("lowest", "severity"), [(9, None), (2, "warn")])
    def test_the_patience_of_early_stopping_is_not_what_was_kept(self, lowest, severity):
        """Kept is the best epoch: by the loss that where it is lowest; by the score, it may lie behind that."""
        loss, score = np.full(EPOCHS, 0.5), np.full(EPOCHS, 0.7)
        loss[lowest - 1], loss[9:], score[13] = 0.2, 5.0, 0.8
        watched = replace(history(), validation_loss=loss, validation_score=score)
        facts = GapFacts(1.0, 0.7, 0.1, 0.4, EPOCHS - lowest)
        stopped = but(gap=facts, history=watched, settings={"early_stopping": True, "monitor": "loss"})
        assert found(stopped, "over-fitting") == []
        by_score = but(stopped, settings={"monitor": "score"})  # epoch 14 was kept
        assert found(by_score, "over-fitting") == ([(severity, None)] if severity else [])
        if severity:
            finding = the(by_score, "over-fitting")
            assert (finding.evidence["epochs rising"], finding.since) == (14 - lowest, lowest)

    def test_what_is_set_already_is_not_advised(self):
        settings = {"early_stopping": True, "dropout": 0.5, "l2": 1e-3, "max_norm": 3.0}
        given = but(gap=GapFacts(1.0, 0.7, 0.1, 0.4, 12), settings=settings, diverged=3)
        assert [remedy.changes for remedy in the(given, "over-fitting").remedies] == [{"l2": 0.01}, {}]
        assert {"max_norm": 3.0} not in [remedy.changes for remedy in the(given, "divergence").remedies]
        assert {"max_norm": 3.0} in [
            remedy.changes for remedy in the(but(given, settings={"max_norm": None}), "divergence").remedies
        ]

    @pytest.mark.parametrize(
        ("encode", "told"),
        [("auto", []), (kn.TableEncoder(), []), (None, ["auto"]), (kn.TableEncoder(standardize=False), ["auto"])],
    )
    def test_inputs_that_an_encoder_left_at_ones_and_zeros_are_no_fault(self, encode, told):
        given = but(hidden(agreement_in_batch=0.95), inputs=inputs(positive=True), settings={"encode": encode})
        zigzag = [finding for finding in judge(given) if finding.rule == "zig-zag"]
        assert [remedy.changes["encode"] for finding in zigzag for remedy in finding.remedies] == told


class TestJudging:
    def test_what_fails_comes_first_and_a_root_before_what_follows(self):
        given = but(
            hidden(unit="tanh", saturated=0.9), inputs=inputs([20.0] * 4), target=TargetFacts({"a": 2000, "b": 100}, 0)
        )
        findings = judge(given)
        assert [one.rule for one in findings] == ["unscaled inputs", "saturation", "class imbalance"]
        assert "saturation" in findings[0].cause
        assert [one.severity for one in findings] == ["warn", "fail", "warn"]

    def test_a_root_is_as_grave_as_what_follows_from_it(self):
        ratios = np.full((EPOCHS, 3), 2e-3)
        ratios[0] = 0.7
        given = but(
            hidden(activity=activity(30)),
            history=history(update_ratio=ratios),
            target=TargetFacts({"a": 2000, "b": 100}, 0),
            rates=None,
        )
        assert [(one.rule, one.severity) for one in judge(given)] == [
            ("steps too large", "warn"),
            ("dead units", "fail"),
            ("class imbalance", "warn"),
        ]

    def test_members_are_counted(self):
        of_member = judge(hidden(activity=activity(12))), judge(hidden(activity=activity(30))), judge(HEALTHY)
        (finding,) = merged(of_member)
        assert finding.severity == "fail"
        assert finding.what.endswith("are dead (in 2 of 3 members)")
        assert (finding.evidence["dead"], finding.evidence["members"], finding.evidence["of"]) == (0.75, 2, 3)

    def test_every_finding_is_complete(self):
        given = but(
            hidden(activity=activity(30), agreement_in_batch=1.0),
            inputs=inputs([300.0] * 4, positive=True, duplicated=((0, 1),)), diverged=3,
            gap=GapFacts(1.0, 0.5, 0.3, 0.6, 15), start=StartFacts(90.0, 0.7), small=SmallFacts(20, 500, 2.0, 0.5),
            target=TargetFacts({"a": 900, "b": 20}, 100), gradient_error=1.0, history=history(np.full(EPOCHS, 3.0)),
        )  # fmt: skip
        findings = judge(given)
        assert len({one.rule for one in findings}) >= 10
        for one in findings:
            assert one.what
            if one.severity != "info":
                assert one.cause
                assert one.source
                assert one.evidence
        json.loads(kn.Diagnosis(findings, given).to_json())

    def test_rules_of_ones_own(self):
        def mine(examination):
            yield Finding("mine", "fail", f"{len(examination.layers)} layers")

        def strict(examination, thresholds):
            return [Finding("strict", "info", f"{len(examination.layers)} {thresholds.dead_fail}")]

        findings = judge(HEALTHY, [*RULES, strict, mine], kn.Thresholds(dead_fail=0.5))
        assert [one.what for one in findings] == ["3 layers", "3 0.5"]

    def test_a_rule_that_is_none(self):
        with pytest.raises(SettingError, match="functions of an examination"):
            judge(HEALTHY, [3])
        with pytest.raises(SettingError, match=r"needs an iterable of kn\.Finding"):
            judge(HEALTHY, [lambda _: ["dead"]])
        with pytest.raises(SettingError, match="severity"):
            judge(HEALTHY, [lambda _: [Finding("mine", "fatal", "x")]])

    def test_thresholds_are_the_users(self):
        given = hidden(activity=activity(16))
        assert found(given, "dead units", dead_fail=0.5) == [("warn", 1)]
        assert found(given, "dead units", dead_warn=0.5, dead_fail=0.5) == []
        assert kn.Thresholds(dead_fail=0.5).source("dead_fail") == "set by the user"
        with pytest.raises(SettingError, match="dead_fail"):
            kn.Thresholds(dead_fail=-1)
        assert all(kn.Thresholds().source(one.name) for one in fields(kn.Thresholds))


class TestDiagnose:
    def test_an_examination(self):
        report = kn.diagnose(hidden(activity=activity(30)))
        assert report.failed
        assert "dead" in str(report)
        assert "1 finding" in repr(report)
        with pytest.raises(SettingError, match="examination alone"):
            report.cure()

    def test_what_cannot_be_diagnosed(self):
        with pytest.raises(SettingError, match="MLPClassifier"):
            kn.diagnose(3, [[1.0]], [1])
        with pytest.raises(SettingError, match="X and y"):
            kn.diagnose(kn.MLPClassifier())
        with pytest.raises(SettingError, match="thresholds"):
            kn.diagnose(HEALTHY, thresholds=0.5)
        with pytest.raises(SettingError, match="seeds"):
            kn.diagnose(HEALTHY, seeds=1)

    def test_members_are_merged_and_the_rate_is_cured(self):
        X = np.random.default_rng(0).normal(size=(200, 3))
        y = X[:, 0] + X[:, 1] ** 2 > 1
        fast = kn.MLPClassifier(hidden=(30,), rate=20.0, epochs=60, members=2, random_state=0).fit(X, y)
        report = kn.diagnose(fast, X, y)
        steps = [one for one in report.findings if one.rule == "steps too large"]
        assert steps[0].evidence["members"] == 2
        assert steps[0].what.endswith("(in 2 of 2 members)")
        assert "also behind" in "".join(one.cause for one in report.findings)
        assert report.verify() is report
        assert any(effect.helps for one in report.findings for effect in one.effects)
        better = report.cure()
        assert better.rate < 1
        assert fast.rate == 20.0
        assert report.gains_[0][1].helps
        assert json.loads(report.to_json())["gains"]

    def test_before_training(self):
        X = np.random.default_rng(0).normal(size=(60, 3)) * 500
        report = kn.diagnose(kn.MLPClassifier(hidden=(12,), encode=None, random_state=0), X, X[:, 0] > 0)
        assert report.findings[0].rule == "unscaled inputs"
        assert "not trained yet" in str(report)


class TestPage:
    def test_effects_are_told_with_their_intervals(self):
        effect = Effect("loss", 0.5, 0.25, 0.25, -0.1, 0.6, 8, 1, lost_without=2)
        assert effect.text.startswith("not sure: held-out loss 0.5 → 0.25")
        assert "2 of 8 runs diverged without it, 0 with it" in effect.text
        assert replace(effect, low=-0.6, high=-0.1).text.startswith("harms")
        assert replace(effect, untried="too slow").text == "not tried: too slow"

    def test_a_page_is_honest_about_what_was_not_tried_or_looked_at(self):
        given = hidden(activity=activity(30))
        text = page(judge(given), replace(given, gap=None, rates=None))
        assert text.splitlines()[0] == "1 finding fails: dead units."
        assert "No remedy was tried" in text
        assert "Not looked at: other rates, held-out rows." in text
        assert page([], HEALTHY) == "Nothing is wrong as far as was looked."


def record(epoch, loss=1.0, layers=2, **monitors):
    table = np.full((layers, len(NAMES)), np.nan, np.float32)
    for name, values in monitors.items():
        table[:, NAMES.index(name)] = values
    row = np.concatenate([[1.0], table.ravel()]).astype(np.float32)
    return EpochRecord(epoch, 9, loss, 0.5, math.nan, math.nan, 0.1, row)


class TestLive:
    def watch(self, **settings):
        said = []
        network = kn.Network([4, 40, 2], activation=settings.pop("activation", kn.relu))
        return Watch(
            network, {"rate": 5.0, "optimizer": "adam"} | settings, lambda one, where: said.append(one.what + where)
        ), said

    def test_each_thing_is_said_once(self):
        watch, said = self.watch()
        usual = {"gradient_norm": 1.0, "weight_norm": 9.0}
        watch(record(1, update_ratio=[2.0, 0.1], dead=[0.0, math.nan], **usual))
        assert said == ["layer 1: the first step changed the weights by 2 times their size"]
        for epoch in (2, 3, 4):
            watch(record(epoch, update_ratio=0.1, dead=[0.425, math.nan], **usual))
        assert said[1:] == ["layer 1: 42% of 40 ReLU units are dead since epoch 2"]

    def test_a_healthy_run_is_silent_and_unwatched_epochs_are_passed_over(self):
        watch, said = self.watch()
        for epoch in range(1, 9):
            seen = {"update_ratio": 0.01, "dead": [0.1, math.nan], "weight_norm": 9.0, "gradient_norm": 1.0}
            watch(record(epoch, **(seen if epoch % 2 else {})))
        assert said == []

    def test_saturation_and_divergence(self):
        watch, said = self.watch(activation=kn.tanh)
        watch(record(1, saturated=[0.1, math.nan], update_ratio=0.1, weight_norm=9.0, gradient_norm=1.0))
        watch(record(2, loss=2000.0, saturated=[0.9, math.nan], update_ratio=0.1, weight_norm=9.0, gradient_norm=1.0))
        assert said == [
            "the loss grew to 2,000 in epoch 2, from 1",
            "layer 1: 90% of the outputs of 40 tanh units are saturated since epoch 2",
        ]

    def test_members(self):
        watch, said = self.watch()
        one = record(1, update_ratio=2.0, weight_norm=9.0, gradient_norm=1.0)
        two = record(1, update_ratio=0.1, weight_norm=9.0, gradient_norm=1.0)
        both = np.stack([one.monitors, two.monitors])
        watch(EpochRecord(1, 9, np.ones(2), np.ones(2), *np.full((2, 2), math.nan), 0.1, both))
        assert said == ["layer 1: the first step changed the weights by 2 times their size (in 1 of 2 members)"]

    def test_monitors_have_the_width_that_the_test_takes_them_to_have(self):
        assert len(record(1).monitors) == width(2)

    def test_inputs_that_go_in_as_they_are(self):
        facts = plain_inputs(np.array([[1.0, 10.0], [3.0, 10.0]]), ["a", "b"])
        assert facts.means.tolist() == [2.0, 10.0]
        assert facts.deviations.tolist() == [1.0, 0.0]
        assert facts.positive


FLAT = 1.2 * math.log(2) * np.ones(EPOCHS)  # above knowing nothing


def tried(used, losses, **facts):
    """A trial of 1e-5, the optimizer's own 1e-3, 0.01 and 1 with these losses on rows held out; 0.01 is the fastest."""
    given = RateFacts(np.array([1e-5, 1e-3, 0.01, 1.0]), np.asarray(losses), 0.01, used, 1e-3, 1.0, 0.5, min(losses))
    return replace(given, **({"held_out": np.asarray(losses), "steps": 1000} | facts))


class TestRootCauses:
    def test_a_network_from_elsewhere_is_judged_by_the_loss_of_knowing_nothing_in_its_own_terms(self):
        numbers = TargetFacts({}, 0, 0.0, 1.0, nothing=1.0)  # squares, not halves of them
        given = but(NUMBERS, origin="torch", target=numbers, start=None, settings={"loss": "squared"})
        assert found(but(given, history=history(np.full(EPOCHS, 0.94))), "nothing learned") == []
        assert found(but(given, history=history(np.full(EPOCHS, 0.96))), "nothing learned") == [("info", None)]

    def test_a_rate_below_all_that_learn_is_why_nothing_was_learned(self):
        given = but(rates=sweep(1e-5), settings={"rate": 1e-5}, history=history(FLAT))  # the steps are as usual
        assert {(one.severity, one.because) for one in judge(given)} == {("warn", "low rate"), ("fail", "low rate")}

    def test_the_target_is_named_where_it_is_not_scaled(self):
        target = TargetFacts({}, 0, 0.0, 1000.0, nothing=1e6)
        given = but(NUMBERS, origin="torch", target=target, start=None, history=history(np.full(EPOCHS, 1.2e6)))
        given = but(given, rates=sweep(1e-5), settings={"rate": 1e-5})
        assert {one.because for one in judge(given) if one.severity != "info"} == {"target"}

    def test_early_stopping_is_judged_by_the_epoch_that_it_kept(self):
        losses, held_out = np.linspace(1.2, 0.1, EPOCHS), np.linspace(0.9, 1.5, EPOCHS)
        past = replace(history(losses), validation_loss=held_out)
        assert found(but(history=past), "nothing learned") == []
        finding = the(but(history=past, settings={"early_stopping": True, "monitor": "loss"}), "nothing learned")
        assert finding.evidence["loss left"] == pytest.approx(1.2 / math.log(2))
        assert "kept epoch 1," in finding.cause

    @pytest.mark.parametrize(("l1", "l2", "because"), [(1.0, 0.0, "l1"), (0.01, 3.0, "l2"), (0.01, 0.0, None)])
    def test_the_penalty_that_pulls_hardest_is_to_blame(self, l1, l2, because):
        shrunk = [replace(one, weight_norm=1.0) for one in HEALTHY.layers]
        given = but(layers=shrunk, history=history(FLAT), settings={"l1": l1, "l2": l2})
        causes = [one for one in judge(given) if one.rule == "forgetting"]
        assert [one.because for one in causes] == ([because] if because else [])
        if because == "l1":  # 4 * 40 + 2 * 40 * 40 weights pull with l1 each, the data with 1 a layer
            assert causes[0].evidence["pull"] == pytest.approx(math.sqrt(3360 / 3))
            assert [one.changes["l1"] for one in causes[0].remedies] == [0.1, 0.01, 0.001, 0.0]

    def test_inputs_that_never_change_are_why_units_are_dead(self):
        still = but(hidden(activity=activity(40)), inputs=inputs([0.0] * 4, constant=(0, 1, 2, 3)))
        assert the(still, "dead units").because == "constant"
        some = but(still, inputs=inputs([0.0, 0.0, 1.0, 1.0], constant=(0, 1)))
        assert the(some, "dead units").because != "constant"

    @pytest.mark.parametrize(("rows", "severity"), [(9, None), (10, "warn")])
    def test_a_few_rows_may_be_known_from_the_start_by_luck(self, rows, severity):
        given = but(start=StartFacts(0.1, 1.0), settings={"n_rows": rows})
        assert found(given, "loss at the start") == ([(severity, None)] if severity else [])


class TestOtherRates:
    @pytest.mark.parametrize(("own", "order"), [(0.19, [0.001, 0.01]), (0.21, [0.01, 0.001])])
    def test_the_fastest_goes_first_where_the_own_rate_leaves_far_more(self, own, order):
        given = but(rated(3.0), rates=tried(3.0, [0.7, own, 0.1, 0.2], largest=0.5))
        assert [remedy.changes["rate"] for remedy in the(given, "rate").remedies] == order

    def test_what_hardly_matters_changes_no_order(self):
        given = but(rated(3.0), rates=tried(3.0, [0.7, 0.03, 0.001, 0.2], largest=0.5))
        assert [remedy.changes["rate"] for remedy in the(given, "rate").remedies] == [0.001, 0.01]

    @pytest.mark.parametrize(("own", "severity"), [(0.09, "fail"), (0.11, "warn")])
    def test_a_rate_that_learned_as_much_as_the_own_one_does_not_fail(self, own, severity):
        past = history(update_ratio=3.0)  # ends at 0.1
        rates = tried(1.0, [0.7, own, 0.01, 0.2])
        given = but(hidden(activity=activity(30)), rates=rates, history=past, settings={"rate": 1.0})
        assert found(given, "steps too large")[0][0] == found(given, "dead units")[0][0] == severity

    @pytest.mark.parametrize(("reached", "speaks"), [(0.04, True), (0.06, False)])
    def test_a_better_rate_is_told_of(self, reached, speaks):
        given = but(rates=tried(1e-3, [0.7, 0.3, reached, 0.3]), settings={"rate": 1e-3})  # ends at 0.1
        assert found(given, "rate") == ([("info", None)] if speaks else [])
        if speaks:
            finding = the(given, "rate")
            assert [remedy.changes for remedy in finding.remedies] == [{"rate": 0.01}]
            assert finding.what.startswith("a rate of 0.01 learns more in a trial of 1,000 steps: ")
            assert found(but(given, settings={"n_rows": 39}), "rate") == []


class TestByHeart:
    GAP = GapFacts(0.52, 0.3, 0.1, 0.4, 0, 50)

    def test_what_was_not_learned_was_not_learned_by_heart(self):
        assert found(but(gap=self.GAP), "over-fitting") == []  # half of the rows are of one class
        assert found(but(gap=replace(self.GAP, training=0.53)), "over-fitting") == [("warn", None)]

    def test_where_a_cause_is_known_it_is_that(self):
        some = replace(self.GAP, training=0.75)
        high = history(update_ratio=3.0)
        assert found(but(gap=some), "over-fitting") == [("warn", None)]
        assert found(but(gap=some, history=high), "over-fitting") == []
        assert found(but(gap=replace(some, training=1.0), history=high), "over-fitting") == [("warn", None)]

    @pytest.mark.parametrize(("rows", "severity"), [(9, None), (10, "warn")])
    def test_a_few_rows_held_out_say_nothing(self, rows, severity):
        given = but(gap=replace(self.GAP, training=1.0, rows=rows))
        assert found(given, "over-fitting") == ([(severity, None)] if severity else [])

    def test_where_the_losses_say_it_they_are_told(self):
        losses = np.append(np.linspace(0.7, 0.2, EPOCHS - 1), 0.5)
        past = replace(history(losses), validation_loss=losses)
        finding = the(but(gap=GapFacts(0.99, 0.97, 0.0, 1.0, 12), history=past), "over-fitting")
        assert finding.what.startswith("the validation loss grew from 0.2 to 0.5 in 12 epochs, while accuracy is 0.99")
        assert "apart" not in finding.what
