"""Every claim of the notes that is measured: what the measurement says, and the numbers that it rests on.

Experiments run at the size that is small and still decides. A verdict that changes is a change of what Kilonet says
about the notes: it is made here, on purpose.
"""

import json
import re
from pathlib import Path

import pytest

from kilonet.checks import inside
from kilonet.notes import NAMES, experiment
from measuring import measured

# What comes out, and where facts have to lie: numbers of the claim with the ends of our intervals around them.
PINNED: dict[str, tuple[str, dict[str, str]]] = {
    "collapse": (
        "agrees",  # folding is exact up to rounding, and linear layers learn no curve
        {"worst_ulp": "[0, 64]", "linear_low": "[0.45, 0.55]", "relu_high": "[0, 0.25]", "layers_left": "[1, 1]"},
    ),
    "one-neuron": (
        "agrees",  # LogisticRegression's and a linear SVM's weights, to the solvers' tolerances
        {"softmax_apart": "[0, 1e-3]", "svm_apart": "[0, 1e-3]", "off_half": "[0, 1e-9]", "off_one": "[0, 1e-12]"},
    ),
    "approximation": (
        "agrees",  # every network is within its eps, and every certificate is proven
        {"largest_measured": "[0, 1)", "largest_bound": "[0, 1)", "proven": "[1, 1]", "above_bound": "[0, 0]",
         "hidden_layers_on_intervals": "[1, 1]", "hidden_layers_on_squares": "[2, 2]"},
    ),
    "bumps": ("agrees", {}),  # the trained network is nearer, at as many parameters
    "gradual-forgetting": (
        "agrees",  # every step multiplies by 1 − rate · λ, to the rounding of it
        {"worst_ulp": "[0, 1]", "towards_zero": "[1, 1]"},
    ),
    "saturation": (
        "partly",  # large initial weights saturate most units, but not from the first large scale on is little learned
        {"slope_at_tail": "[0, 0.0025]", "worst_saturated": "(0.5, 1]", "worst_left": "(0.5, 1]",
         "healthy_saturated": "[0, 0.1]", "centre": "[0.4, 0.6]"},
    ),
    "zig-zag": (
        "agrees",  # one example: all gradients of a unit have one sign; a batch: not all
        {"lowest_of_one": "[1, 1]", "batch_high": "[0.5, 1)", "tanh_of_one_high": "[0.4, 0.9]",
         "variation_sigmoid": "(0, 0.5]", "variation_relu": "[1, inf)"},
    ),
    "tanh-and-sigmoid": (
        "partly",  # it trains faster, but is not surely better on rows held out
        {"identity_ulp": "[0, 3]", "training_ratio_high": "(0, 1)", "held_out_ratio_high": "[1, inf)"},
    ),
    "convergence": (
        "partly",  # sigmoid is far slower, tanh is not: there is no factor of 6 between it and ReLU here
        {"sigmoid_0.1_low": "(1, inf)", "sigmoid_0.02_low": "(1, inf)", "tanh_0.02_high": "(0, 6)",
         "cost_sigmoid": "(1, inf)", "seeds": "[16, inf)"},
    ),
    "dying-relu": (
        "partly",  # 0% to more than 40%; for ever in a first layer, not in a second one
        {"dead_at_lowest": "[0, 0.001]", "dead_at_highest": "[0.4, 1]", "largest_gradient": "[0, 0]",
         "back_first": "[0, 0]", "back_second_low": "(0.01, 1]"},
    ),
    "leaky-units": (
        "partly",  # leaky ReLU learns where ReLU dies, maxout does not; leaky slopes help on some tasks only
        {"tasks": "[10, inf)", "leaky_relu_gain_low": "(0, 1]", "maxout_gain_high": "[-1, 0)",
         "leaky_relu_wins_high": "[0, 0.9)", "prelu_finite": "[0, 0.5]", "leaky_relu_finite": "[1, 1]",
         "relu_dead": "[0.1, 1]"},
    ),
    "maxout": (
        "partly",  # special cases and parameters as said, alive as well, but it learns nothing at a deadly rate
        {"relu_bits": "[1, 1]", "leaky_bits": "[1, 1]", "factor": "[2, 2]", "maxout_dead": "[0, 0]",
         "relu_dead_low": "[0.4, 1]", "maxout_accuracy_high": "[0, 0.5]"},
    ),
    "mixed-units": (
        "partly",  # four types in each layer are as good as the best of them; of a layer of each that is not sure
        {"gradient_error": "[0, 1e-6]", "within_high": "(0, 1.25]", "by_layer_low": "(0, 1.25]",
         "by_layer_high": "(1.25, 1.5)", "tasks": "[10, inf)"},
    ),
    "neuron-types": (
        "partly",  # whether tanh is worse than relu and maxout stays open: it depends on the task
        {"rank_maxout": "[1, 3)", "rank_sigmoid": "(3, 5]", "tanh_by_relu_low": "(0, 1)",
         "tanh_by_relu_high": "(1, inf)", "tasks": "[10, inf)"},
    ),
    "sizing": (
        "agrees",
        {"neurons_3-4-2": "[6, 6]", "weights_3-4-2": "[20, 20]", "biases_3-4-2": "[6, 6]",
         "parameters_3-4-2": "[26, 26]", "neurons_3-4-4-1": "[9, 9]", "weights_3-4-4-1": "[32, 32]",
         "biases_3-4-4-1": "[9, 9]", "parameters_3-4-4-1": "[41, 41]", "types": "[13, 13]"},
    ),
    "capacity": (
        "agrees",
        {"fragments_3": "(0, 4)", "more_low": "(0, inf)", "training_error_20_high": "[0, 0.02]"},
    ),
    "large-and-regularized": (
        "agrees",
        {"l2_high": "(-1, 0)", "dropout_high": "(-1, 0)", "input_noise_high": "(-1, 0)", "tasks": "[10, inf)"},
    ),
    "seed-variance": (
        "agrees",
        {"seeds": "[100, inf)", "wider_low": "(1, inf)", "trapped_low": "(0, 1]", "trapped_20": "[0, 0]"},
    ),
    "regularization": (
        "partly",  # borders are shorter at 0.01 than at 0.001; beyond there is nothing left to smooth
        {"first_step_high": "(-inf, 0)", "second_step_high": "[0, inf)", "fewer_high": "(-inf, 0)"},
    ),
    "depth": (
        "partly",  # 3 layers are not surely better than 2 on these data
        {"layers_3_low": "(-1, 0)", "layers_3_high": "(0, 1)", "tasks": "[4, inf)"},
    ),
    "hundred-million": (
        "agrees",  # as large and deep as the notes say, a step lowers the loss; memory is Kilonet's own aim
        {"parameters": "[1e8, inf)", "layers": "[10, 20]", "times_sgd": "(1, 3]"},
    ),
}  # fmt: skip

# The words of a statement at most: what a student takes in at once; the table holds the rest.
LONGEST = 85
# Those that measure no chance: every case is built and counted.
CERTAIN = ("approximation", "hundred-million")

# Rows whose behaviour a test shows: they need no measurement of ours.
MISSION = "tests/real/test_mission.py::"
BY_TEST = {
    "1.1": (
        "tests/unit/test_data_images.py::test_cifar_folders",
        MISSION + "test_an_image_of_3072_numbers_gets_ten_linear_scores",
    ),
    "1.2": (
        "tests/unit/test_network.py::test_scores_by_hand",
        MISSION + "test_scores_are_matrix_products_with_maxima_between_them",
    ),
    "1.4": ("tests/laws/test_gradient.py::test_the_gradient_is_that_of_central_differences",),
    "3.1": ("tests/unit/test_graph.py::test_what_is_no_graph_is_refused",),
    "3.2": ("tests/unit/test_layers.py::test_a_layer_is_its_definition",),
    "3.3": ("tests/unit/test_network.py::test_counts",),
    "3.4": ("tests/unit/test_graph.py::test_scores_have_no_activation_unless_one_is_said",),
    "3.6": (MISSION + "test_weights_at_several_places_are_counted_once_and_their_connections_at_each",),
    "6": (MISSION + "test_the_size_that_is_chosen_follows_the_data",),
}
# Rows of the mission that ask for a measurement.
MEASURED = "1.3 2.1 2.2 2.3 2.4 2.4b 2.5 2.6 2.7 2.8 2.9 2.10 2.11 2.12 2.13 3.5 3.6 3.7 4.1 4.2 4.3 5.1 5.2 5.3 5.4"


@pytest.mark.parametrize("name", PINNED)
def test_the_verdict_is_the_one_that_stands_here(name: str) -> None:
    found = measured(name)
    assert found.verdict == PINNED[name][0], found.statement.en


@pytest.mark.parametrize(("name", "fact"), [(name, fact) for name, (_, facts) in PINNED.items() for fact in facts])
def test_the_numbers_of_the_claim_lie_where_they_have_to(name: str, fact: str) -> None:
    found = measured(name)
    assert inside(found.facts[fact], PINNED[name][1][fact]), f"{fact} is {found.facts[fact]}: {found.statement.en}"


@pytest.mark.parametrize("name", PINNED)
def test_both_languages_tell_the_same_numbers(name: str) -> None:
    found = measured(name)
    english, korean = ({*re.findall(r"\d+(?:[.,]\d+)*%?", text)} for text in (found.statement.en, found.statement.ko))
    assert english <= korean
    assert korean - english <= {"0"}  # which English writes as "zero"
    assert found.low <= found.value <= found.high
    assert len(found.table.cells("ko")) == len(found.table.cells("en")) > 0
    for text in (found.statement, found.figure.alt, experiment(name).claim):
        assert any("가" <= letter <= "힣" for letter in text.ko)
        assert not any("가" <= letter <= "힣" for letter in text.en)
    assert json.loads(json.dumps(found.to_json(), allow_nan=False))["statement"]["ko"] == found.statement.ko


@pytest.mark.parametrize("name", PINNED)
def test_a_statement_is_one_sentence_that_names_its_confidence_and_signs_its_changes_alike(name: str) -> None:
    found = measured(name)
    statement = found.statement
    assert not re.search(r"[.!?] ", statement.en), statement.en
    assert len(statement.en.split()) <= LONGEST, statement.en
    assert re.search(r"니다(\(.*\))?\.$", statement.ko), statement.ko
    if name not in CERTAIN:
        assert "95%" in statement.en
        assert "95%" in statement.ko
    cells = [cell for language in ("en", "ko") for row in found.table.cells(language) for cell in row]
    for text in (statement.en, statement.ko, *cells):  # a hyphen is a minus in exponents alone, and joins sizes
        assert not re.search(r"(?<![\w.])-\d", text), text


def test_every_experiment_is_pinned() -> None:
    assert sorted(PINNED) == sorted(NAMES)


def test_every_row_that_asks_for_a_measurement_has_one() -> None:
    rows = {row for name in NAMES for row in experiment(name).rows}
    assert not set(MEASURED.split()) - rows


@pytest.mark.parametrize("test", [test for tests in BY_TEST.values() for test in tests])
def test_every_other_row_leads_to_a_test_that_is_there(test: str) -> None:
    path, _, function = test.partition("::")
    assert f"def {function}(" in (Path(__file__).parents[2] / path).read_text(encoding="utf-8")
