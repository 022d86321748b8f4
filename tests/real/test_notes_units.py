"""What the notes claim of units and sizes, measured at small size: each verdict is pinned, and the numbers behind it.

Where the measurement does not agree with the notes, it is the disagreement that is pinned.
"""

from typing import Any

import pytest

from kilonet.network import Network
from kilonet.notes import Size, hundred_million, mixed_units
from kilonet.notes.held_out import MARGIN
from kilonet.notes.intervals import Estimate
from kilonet.notes.mixed_units import BY_LAYER, WITHIN, gradient_error, networks
from kilonet.notes.tasks import digits
from measuring import measured


def test_a_penalty_alone_leaves_the_claimed_share_of_each_weight_to_one_unit_in_the_last_place() -> None:
    found = measured("gradual-forgetting")
    assert found.facts["worst_ulp"] <= 1
    assert found.low <= 1 - 0.1 * 0.05 + 1e-9  # 200 roundings of 2^-24 may have one direction
    assert found.high >= 1 - 0.1 * 0.05 - 1e-9
    assert found.facts["closed_form_error"] < 200 * 2**-24
    assert found.facts["towards_zero"] == 1
    assert found.facts["left_at_0.1_high"] < 0.5


def test_large_initial_weights_saturate_most_units_but_it_takes_far_larger_ones_to_stop_the_learning() -> None:
    facts = measured("saturation").facts
    assert facts["slope_at_tail"] < 1e-4
    assert facts["centre"] == pytest.approx(0.5, abs=0.02)
    assert facts["healthy_saturated"] < 0.01
    assert facts["healthy_factor"] < 0.25  # no slope of sigmoid is larger, and Glorot's weights keep the rest
    assert facts["healthy_left"] < 0.02
    assert facts["first_scale"] == 10
    assert facts["first_saturated"] > 0.5
    assert facts["first_left"] < 0.02  # the disagreement: most units are saturated, and all is learned
    assert facts["worst_saturated"] > 0.95
    assert facts["worst_left"] > 0.5


def test_positive_inputs_give_one_sign_for_one_example_and_less_in_a_batch() -> None:
    facts = measured("zig-zag").facts
    assert facts["lowest_of_one"] == 1
    assert 0.8 < facts["batch_low"] <= facts["batch_high"] < 0.95
    assert facts["tanh_of_one_high"] < 0.6
    # What a batch mitigates depends on how much the inputs vary, and ReLU's vary more than those of sigmoid; its size
    # matters little: behind sigmoid four examples do nearly all of it.
    assert facts["variation_sigmoid"] < 0.5 < 1 < facts["variation_relu"]
    assert facts["relu_256"] < facts["sigmoid_256"] - 0.05
    assert abs(facts["sigmoid_4"] - facts["sigmoid_256"]) < 0.03 < facts["relu_4"] - facts["relu_256"]


def test_tanh_is_a_scaled_sigmoid_and_ahead_in_training_but_not_always_on_rows_held_out() -> None:
    facts = measured("tanh-and-sigmoid").facts
    assert facts["identity_ulp"] <= 3
    assert facts["training_ratio_high"] < 0.9
    assert facts["tasks"] == 17
    assert facts["sigmoid_ahead"] == 0
    assert facts["held_out_ratio_low"] < 1 < facts["held_out_ratio_high"]


def test_relu_needs_a_fraction_of_sigmoids_steps_but_not_of_those_of_a_tanh_at_its_own_rate() -> None:
    facts = measured("convergence").facts
    assert facts["seeds"] >= 16
    for target in ("0.1", "0.02"):
        assert 3 < facts[f"sigmoid_{target}_low"] <= facts[f"sigmoid_{target}_high"] < 7
        assert facts[f"tanh_{target}_high"] < 1.5  # the disagreement: the notes report 6
    assert 2 < facts["same_rate_low"] <= facts["same_rate_high"] < 3
    # A time by another one, on a machine that does other things too: which of them is longer, and no more.
    assert facts["cost_sigmoid"] > 1


def test_maxout_holds_relu_and_leaky_relu_to_the_last_bit_lives_and_yet_learns_nothing_where_relu_dies() -> None:
    facts = measured("maxout").facts
    assert facts["relu_bits"] == facts["leaky_bits"] == 1
    assert facts["leaky_0.01_bits"] < 1  # 0.01 is no number of the machine: its products are rounded
    assert facts["factor"] == 2
    assert facts["factor_of_network"] < 2  # the output layer has no maxout units
    assert facts["relu_dead_low"] >= 0.4
    assert facts["maxout_dead"] == 0
    assert facts["maxout_sound_low"] > 0.99
    assert facts["maxout_accuracy_high"] < 0.2


def test_mixed_networks_have_right_gradients_and_four_types_in_a_layer_are_as_good_as_the_best_of_them() -> None:
    facts = measured("mixed-units").facts
    assert facts["gradient_error"] < 1e-7
    # Of mixed networks alone: one of sigmoid has the largest error of all, and it is not theirs.
    X, y = digits(100)
    mixed = [gradient_error(Network([64, *networks()[name], 10]), X, y) for name in (BY_LAYER, WITHIN)]
    assert facts["gradient_error"] == max(mixed) != facts["gradient_error_of_one_type"]
    assert 0.8 < facts["within_low"] <= facts["within_high"] < MARGIN
    # Undecided: a layer of each of two types may lose more than what counts as no problem, or nothing at all.
    assert facts["by_layer_low"] < 1 < MARGIN < facts["by_layer_high"]


def test_the_margin_of_mixed_networks_is_called_ours_and_is_no_claim_of_the_notes() -> None:
    figure = measured("mixed-units").figure
    assert figure.claimed is None
    assert f"our margin: {MARGIN:g}" in figure.y.en
    assert f"{MARGIN:g}" in figure.y.ko


def test_a_small_run_of_mixed_networks_takes_fewer_splits_of_each_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: dict[bool, list[int]] = {True: [], False: []}
    for full, splits in taken.items():

        def compared(names: Any, n: int, splits: list[int] = splits) -> dict[Any, Estimate]:
            splits.append(n)
            return dict.fromkeys(names, Estimate(1.0, 0.9, 1.1))

        monkeypatch.setattr(mixed_units, "compared", compared)
        mixed_units.run(Size(full=full))
    assert all(small < full for small, full in zip(taken[False], taken[True], strict=True))
    assert sum(taken[False]) * 2 <= sum(taken[True])


def test_no_order_of_the_types_is_sure_over_the_tasks_but_that_nothing_speaks_for_sigmoid() -> None:
    facts = measured("neuron-types").facts
    ranks = {unit: facts[f"rank_{unit}"] for unit in ("relu", "leaky_relu", "maxout", "tanh", "sigmoid")}
    assert sum(ranks.values()) == pytest.approx(15)
    # Whether tanh is worse than the units of straight pieces is no finding of these tasks. Other splits and seeds of
    # them leave it open too, and whether sigmoid is the last: its intervals begin between 0.9 and 1.1.
    for pair in ("tanh_by_relu", "tanh_by_maxout"):
        assert 0.8 < facts[f"{pair}_low"] < 1 < facts[f"{pair}_high"]
    for pair in ("sigmoid_by_relu", "sigmoid_by_tanh"):
        assert 0.85 < facts[f"{pair}_low"] < 1.2 < facts[f"{pair}_high"]


def test_sizes_are_those_of_the_notes_for_every_type_of_unit() -> None:
    facts = measured("sizing").facts
    parts = ("neurons", "weights", "biases", "parameters")
    assert [facts[f"{part}_3-4-2"] for part in parts] == [6, 20, 6, 26]
    assert [facts[f"{part}_3-4-4-1"] for part in parts] == [9, 32, 9, 41]
    # A PReLU unit has a slope more, a maxout unit as many weights and biases again: 4 or 8 hidden units.
    assert (facts["prelu_3-4-2"], facts["maxout_3-4-2"]) == (26 + 4, 26 + 4 * 4)
    assert (facts["prelu_3-4-4-1"], facts["maxout_3-4-4-1"]) == (41 + 8, 41 + 4 * 4 + 4 * 5)
    assert facts["column_form_ulp"] <= 8


def test_a_hundred_million_parameters_are_built_counted_and_trained_a_step() -> None:
    facts = measured("hundred-million").facts
    assert facts["parameters"] >= 10**8
    assert 10 <= facts["layers"] <= 20
    assert facts["after"] < facts["before"]
    # Three times is the aim, and no part of the verdict. In training the parameters are there and those of the epoch's
    # start, so that less than twice would be a fault of the measurement. Other optimizers: tests/laws/test_memory.py.
    assert 1.9 < facts["times_sgd"] <= 3


@pytest.mark.parametrize(("after", "verdict"), [(2.0, "agrees"), (4.0, "partly")])
def test_a_step_is_judged_by_the_loss_and_memory_is_told_beside_it(monkeypatch, after: float, verdict: str) -> None:
    planted = hundred_million.Step("sgd", 10**8, 12, needed=1, taken=9, before=3.0, after=after, seconds=1.0)
    monkeypatch.setattr(hundred_million, "step", lambda _: planted)
    found = hundred_million.run(Size(full=False))
    assert found.verdict == verdict
    assert found.figure.claimed is None  # the notes say nothing of memory
    assert "9.00 (sgd) times" in found.statement.en
