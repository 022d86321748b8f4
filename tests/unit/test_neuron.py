"""One neuron: what the notes write, the same numbers as a network, its boundary and its picture."""

import io
import math
import pickle
import re
from collections.abc import Callable, Iterator
from dataclasses import FrozenInstanceError
from fractions import Fraction
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from scipy import sparse

from kilonet import activations
from kilonet.activations import ACTIVATIONS, identity, leaky_relu, prelu, relu, sigmoid, tanh
from kilonet.engine import choose
from kilonet.errors import DataError, SettingError, ShapeError
from kilonet.estimators import MLPClassifier
from kilonet.losses import hinge
from kilonet.network import Dense, Maxout, Network
from kilonet.neuron import Neuron
from kilonet.optimizers import SGD
from kilonet.plots.neuron import NeuronDisplay
from kilonet.training import train
from kilonet.values import Array

plt.switch_backend("Agg")

ELEMENTWISE = [value for name, value in ACTIVATIONS.table.items() if name != "maxout"]


@pytest.fixture(autouse=True)
def _nothing_stays_open() -> Iterator[None]:
    yield
    plt.close("all")


def slack(neuron: Neuron, X: Array) -> Array:
    """How far two ways of summing d products and a bias may lie apart, for each row.

    Each sum of d + 1 terms is within (d + 1)·u·Σ|terms| of the exact one (Higham 2002, section 3.1), u being half of
    epsilon; two of them are twice that apart. No slope is above 1.8 (SELU's left of 0), for which there is a factor
    of 2, and the activation of a kernel may be 3.5 ULP off, for which there are 8.
    """
    size, eps = np.abs(X) @ np.abs(neuron.weights) + abs(neuron.bias), np.finfo(neuron.weights.dtype).eps
    return 2 * (len(neuron.weights) + 1) * eps * size + 8 * eps * (1 + size)


# Forward.
def test_forward_is_the_firing_rate_of_the_notes() -> None:
    inputs, weights, bias = np.array([0.5, -1.5, 2.0]), np.array([1.0, 0.25, -0.75]), 0.1
    cell_body_sum = np.sum(inputs * weights) + bias
    firing_rate = 1.0 / (1.0 + math.exp(-cell_body_sum))
    assert Neuron(weights, bias).forward(inputs) == pytest.approx(firing_rate, rel=1e-15)
    assert Neuron(weights, bias).activation is sigmoid


def test_one_example_gives_a_number_and_several_give_one_each() -> None:
    neuron = Neuron([1, -2], 0.5, "relu")
    assert neuron.forward([3, 1]).shape == ()
    assert neuron.forward([3, 1]) == 1.5
    assert neuron.forward([[3, 1], [0, 1]]).tolist() == [1.5, 0.0]
    assert neuron.forward(sparse.csr_array([[3.0, 1.0], [0.0, 1.0]])).tolist() == [1.5, 0.0]
    assert neuron.forward(np.empty((0, 2))).shape == (0,)


@pytest.mark.parametrize("activation", ELEMENTWISE, ids=str)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_as_network_gives_the_same_bits_and_the_engines_the_same_numbers(activation: Any, dtype: Any) -> None:
    random = np.random.default_rng(3)
    neuron = Neuron(random.normal(size=7).astype(dtype), 0.3, activation)
    X = random.normal(size=(50, 7)).astype(dtype)
    network, theta = neuron.as_network()
    assert network == Network([7, Dense(1, activation)])
    assert theta.dtype == neuron.weights.dtype == neuron.forward(X).dtype == dtype
    np.testing.assert_array_equal(neuron.forward(X), network.scores(theta, X)[:, 0])
    of_engine = choose(network).Predictor(network, theta).scores(X)[:, 0]
    assert (np.abs(neuron.forward(X) - of_engine) <= slack(neuron, X)).all()


@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_rows_alone_and_together_differ_by_rounding_only(n_inputs: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    neuron = Neuron(random.normal(size=n_inputs), random.normal(), tanh)
    X = random.normal(size=(9, n_inputs))
    alone = np.array([neuron.forward(row) for row in X])
    assert (np.abs(alone - neuron.forward(X)) <= slack(neuron, X)).all()


def test_an_activation_of_ones_own() -> None:
    class Sine:
        def value(self, z: Array) -> Array:
            return np.sin(z)

        def slope(self, z: Array) -> Array:
            return np.cos(z)

    assert Neuron([1.0, 1.0], 0.0, Sine()).forward([1.0, 2.0]) == math.sin(3.0)


# Out of a network.
def test_units_of_a_network_are_neurons_whose_inputs_are_the_outputs_before_them() -> None:
    network = Network([3, 4, Dense(2, prelu), Dense(2, tanh)])
    theta = network.initial(seed=1)
    network.views(theta)[1].alpha[:] = [0.5, -0.125]  # type: ignore[index]
    X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    inputs = [X, *network.hidden(theta, X)]
    for place, layer in enumerate(network.layers):
        for unit in range(layer.units):
            neuron = Neuron.of(network, theta, place, unit)
            expected = inputs[place + 1][:, unit]
            found = neuron.forward(inputs[place])
            assert (np.abs(found - expected) <= slack(neuron, inputs[place])).all()
    assert Neuron.of(network, theta, 1, 1).activation == prelu(-0.125)
    assert Neuron.of(network, theta, -1, -1) == Neuron.of(network, theta, 2, 1)
    assert Neuron.of(network, theta, 0, 0).weights.dtype == np.float32


def test_a_neuron_goes_through_a_network_and_comes_back_the_same() -> None:
    for activation in (sigmoid, prelu(0.3), leaky_relu(0.2)):
        neuron = Neuron(np.array([0.1, -0.7], np.float32), 0.3, activation)
        again = Neuron.of(*neuron.as_network(), 0, 0)
        assert again.weights.tolist() == neuron.weights.tolist()
        assert again.bias == neuron.bias
        # A learned slope is a parameter, so that it has the precision of the weights.
        assert again.activation == (prelu(float(np.float32(0.3))) if activation == prelu(0.3) else activation)


def test_the_columns_of_the_notes_give_the_numbers_of_the_rows_here() -> None:
    network = Network([3, 4, 4, 1], activation=sigmoid)
    theta = network.initial(seed=2, dtype=np.float64) + 0.125
    x = np.random.default_rng(1).normal(size=(3, 10))  # ten examples, one a column, as the notes have it
    (W1, b1, _), (W2, b2, _), (W3, b3, _) = network.views(theta)
    assert (W1.shape, W2.shape, W3.shape) == ((4, 3), (4, 4), (1, 4))
    f = lambda z: 1.0 / (1.0 + np.exp(-z))  # noqa: E731 - as the notes write it
    h1 = f(np.dot(W1, x) + b1[:, np.newaxis])
    h2 = f(np.dot(W2, h1) + b2[:, np.newaxis])
    out = np.dot(W3, h2) + b3[:, np.newaxis]
    # Sums of up to 4 terms of size about 1, three layers: some 20 roundings.
    np.testing.assert_allclose(network.scores(theta, x.T), out.T, rtol=0, atol=20 * np.finfo(float).eps)


# Boundary.
def test_the_boundary_is_where_a_sigmoid_neuron_says_one_half() -> None:
    neuron = Neuron([3.0, -4.0], 10.0)
    normal, offset = neuron.boundary()
    assert (normal.tolist(), offset) == ([0.6, -0.8], -2.0)
    assert Neuron([2.0], -1.0, relu).boundary() == ([1.0], 0.5)
    along = np.array([-normal[1], normal[0]])
    places = offset * normal + np.linspace(-5, 5, 11)[:, np.newaxis] * along
    np.testing.assert_allclose(neuron.forward(places), 0.5, rtol=0, atol=1e-14)  # slope ¼, scores off by some 1e-14
    assert (neuron.forward(places + 0.1 * normal) > 0.5).all()  # the normal points to what it likes
    assert (neuron.forward(places - 0.1 * normal) < 0.5).all()


@pytest.mark.parametrize("size", [1e-300, 1e-30, 1e30, 1e300])
def test_the_boundary_does_not_depend_on_the_size_of_the_weights(size: float) -> None:
    found = Neuron([3 * size, -4 * size], 10 * size).boundary()
    np.testing.assert_allclose([*found.normal, found.offset], [0.6, -0.8, -2.0], rtol=1e-15)


def test_a_neuron_without_weights_has_no_boundary() -> None:
    with pytest.raises(SettingError, match="all 2 weights are 0, so that the score is 1"):
        Neuron([0.0, 0.0], 1.0).boundary()


# Forgetting.
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_where_the_data_ask_for_nothing_regularization_forgets_geometrically(dtype: Any) -> None:
    X, y = np.array([[2.0, -1.0], [-3.0, 0.5]]), np.array([1, 0])
    rate, l2 = dtype(0.125), dtype(0.3)
    network, theta = Neuron(np.array([8.0, 5.0], dtype), 0.7, identity).as_network()
    first = theta
    for _ in range(30):  # so long both rows stay beyond the margin, where the hinge loss has no slope
        before = theta
        runs = train(
            network, hinge, X, y, theta=before, optimizer=SGD(float(rate)), l2=float(l2), batch=2, epochs=1, dtype=dtype
        )
        theta = runs.theta
        assert runs.history.loss[-1] == 0.0
        for now, was in zip(theta[:2].tolist(), before[:2].tolist(), strict=True):
            exact = Fraction(was) * (1 - Fraction(float(rate)) * Fraction(float(l2)))
            assert abs(Fraction(now) - exact) <= Fraction(float(np.spacing(dtype(was))))  # 1 ULP
    assert theta[2] == first[2]  # the bias is not forgotten
    # 30 steps of 1 ULP each at the most.
    np.testing.assert_allclose(theta[:2], first[:2] * (1 - 0.125 * 0.3) ** 30, rtol=31 * np.finfo(dtype).eps)


# A value.
def test_neurons_are_values() -> None:
    weights = np.array([1.0, 2.0])
    neuron = Neuron(weights, 1, "tanh")
    weights[0] = 5.0
    assert neuron.weights.tolist() == [1.0, 2.0]
    assert neuron == Neuron([1, 2], 1.0, tanh)
    assert len({neuron, Neuron([1, 2], 1.0, tanh), Neuron([1, 2], 1.0, relu)}) == 2
    assert neuron != Neuron(np.array([1, 2], np.float32), 1.0, tanh)
    assert neuron != "tanh"
    assert pickle.loads(pickle.dumps(neuron)) == neuron  # noqa: S301 (made here)
    assert repr(neuron) == "Neuron([1.0, 2.0], 1.0, tanh)"
    assert (
        repr(Neuron(np.ones(784), 0.0, leaky_relu(0.2)))
        == "Neuron([1.0, 1.0, 1.0, … 784 weights], 0.0, leaky_relu(alpha=0.2))"
    )
    with pytest.raises(FrozenInstanceError):
        neuron.bias = 2.0  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        neuron.weights[0] = 2.0


NETWORK = Network([3, 4, Maxout(2, 2), 1])
THETA = NETWORK.initial(seeds=[0, 1])


@pytest.mark.parametrize(
    ("made", "error", "says"),
    [
        (lambda: Neuron([[1.0, 2.0]]), ShapeError, "weights came with shape (1, 2); a neuron needs (d,), one"),
        (lambda: Neuron(3.0), ShapeError, "weights came with shape ()"),
        (lambda: Neuron([]), ShapeError, "weights came with shape (0,)"),
        (lambda: Neuron([1.0, math.nan]), DataError, "weights holds nan at row 1"),
        (lambda: Neuron(["a"]), DataError, "weights came as ['a']; needs numbers"),
        (lambda: Neuron([1.0], math.inf), SettingError, "bias came as inf"),
        (lambda: Neuron(np.ones(1, np.float32), 1e300), SettingError, "came as 1e+300; needs a number that float32"),
        (lambda: Neuron([1.0], "b"), SettingError, "bias came as 'b'"),
        (lambda: Neuron([1.0], 0.0, "sigmod"), SettingError, "Did you mean sigmoid?"),
        (lambda: Neuron([1.0], 0.0, activations.maxout), SettingError, "largest of 2 neurons"),
        (lambda: Neuron([1.0, 2.0]).forward([1.0, 2.0, 3.0]), ShapeError, "inputs came with shape (3,); needs (2,)"),
        (lambda: Neuron([1.0, 2.0]).forward(np.ones((3, 1))), ShapeError, "or (n, 2)"),
        (lambda: Neuron([1.0, 2.0]).forward(np.ones((1, 1, 2))), ShapeError, "inputs came with shape (1, 1, 2)"),
        (lambda: Neuron([1.0]).forward(2.0), ShapeError, "inputs came with shape ()"),
        (lambda: Neuron.of(NETWORK, THETA, 0, 0), ShapeError, "theta has 2 members; needs one: theta[0]"),
        (lambda: Neuron.of(NETWORK, THETA[0, :-1], 0, 0), ShapeError, "Was it made for another network?"),
        (lambda: Neuron.of(NETWORK, THETA[0], 3, 0), SettingError, "layer came as 3; needs a whole number in [-3, 2]"),
        (lambda: Neuron.of(NETWORK, THETA[0], 0, 4), SettingError, "unit came as 4; needs a whole number in [-4, 3]"),
        (lambda: Neuron.of(NETWORK, THETA[0], 1, 0), SettingError, "largest of 2 neurons"),
    ],
)  # fmt: skip
def test_errors_say_what_came_and_what_was_needed(made: Callable[[], Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        made()
    assert says in str(caught.value)


# Its picture.
def lines(display: NeuronDisplay) -> list[tuple[list[float], list[float]]]:
    return [(list(line.get_xdata()), list(line.get_ydata())) for line in display.ax_.get_lines()]


def test_the_picture_has_the_output_of_every_place_and_the_line_at_one_half() -> None:
    neuron = Neuron([2.0, -1.0], 0.5)
    display = NeuronDisplay.from_neuron(neuron, ax=Figure().subplots())
    places = np.stack(np.meshgrid(display.x, display.y), axis=-1).reshape(-1, 2)
    np.testing.assert_array_equal(display.outputs.ravel(), neuron.forward(places))
    np.testing.assert_allclose(neuron.forward(display.line), 0.5, rtol=0, atol=1e-12)
    assert display.line is not None
    assert (display.line.T.tolist()[0], display.line.T.tolist()[1]) in lines(display)
    (image,) = display.ax_.get_images()
    np.testing.assert_array_equal(np.asarray(image.get_array()), display.outputs)
    assert (image.norm.vmin, image.norm.vmax) == (0.0, 1.0)
    np.testing.assert_allclose(np.abs(display.line).max(axis=1), 3.0, rtol=1e-12)  # it ends at the picture's edges
    assert display.title_ == "The neuron likes the side where 2·x0 − x1 + 0.5 > 0"


@pytest.mark.parametrize(
    ("weights", "bias"), [([1.0, -2.0], 0.3), ([-3.0, 0.5], 1.0), ([0.0, 2.0], 1.0), ([1.0, 1.0], 90.0)]
)
def test_the_line_ends_at_the_edges_wherever_it_is(weights: list[float], bias: float) -> None:
    neuron = Neuron(weights, bias)
    display = NeuronDisplay.from_neuron(neuron, ax=Figure().subplots())
    assert display.line is not None
    edge = display.x[-1]
    np.testing.assert_allclose(np.abs(display.line).max(axis=1), edge, rtol=1e-12)
    np.testing.assert_allclose(neuron.forward(display.line), 0.5, rtol=0, atol=1e-12)
    assert np.ptp(display.line, axis=0).max() > edge / 2  # across the picture, not along its edge


def test_rows_are_drawn_by_class_and_those_on_the_wrong_side_are_counted() -> None:
    X = np.array([[1.0, 0.0], [2.0, 0.0], [-1.0, 0.0], [0.25, 3.0]])
    display = NeuronDisplay.from_neuron(
        Neuron([1.0, 0.0]), X, ["yes", "yes", "no", "no"], features=("dose", "age"), ax=Figure().subplots()
    )
    assert display.misfits == 0.25
    assert display.title_ == "The neuron tells 3 of 4 rows right: it says yes where dose > 0"
    assert display.classes == ["no", "yes"]
    for rows in (([-1.0, 0.25], [0.0, 3.0]), ([1.0, 2.0], [0.0, 0.0])):
        assert rows in lines(display)
    assert display.ax_.get_xlabel() == "dose"
    assert display.ax_.get_ylabel() == "age"
    assert display.x[0] < -1.0 < 2.0 < display.x[-1]
    assert display.y[0] < 0.0 < 3.0 < display.y[-1]


@pytest.mark.parametrize("activation", ELEMENTWISE, ids=str)
def test_every_activation_has_a_picture(activation: Any) -> None:
    file = io.BytesIO()
    display = NeuronDisplay.from_neuron(Neuron([1.0, 1.0], 0.0, activation), ax=Figure().subplots())
    display.save(file, dpi=40)
    assert file.getvalue().startswith(b"\x89PNG")
    assert ("likes" in display.title) == (activation == sigmoid)


def test_a_neuron_whose_line_is_elsewhere_says_the_same_everywhere() -> None:
    X = np.random.default_rng(0).normal(size=(20, 2))
    display = NeuronDisplay.from_neuron(Neuron([1.0, 0.0], -100.0), X, ax=Figure().subplots())
    assert display.line is None
    assert display.title == "The neuron likes nothing of this plane: no line goes through it"
    display = NeuronDisplay.from_neuron(Neuron([0.0, 0.0], 1.0, tanh), X, ax=Figure().subplots())
    assert display.line is None
    assert display.title == "The score of the tanh neuron is positive everywhere in this plane"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((Neuron([1.0, 2.0, 3.0]),), "it has 3 inputs; a plane has 2"),
        (("neuron",), "came as 'neuron'; needs a kn.Neuron"),
        ((Neuron([1.0, 2.0]), np.ones((4, 3))), "X came with shape (4, 3); needs (n, 2)"),
        ((Neuron([1.0, 2.0]), np.ones((4, 2)), [0, 1]), "y came with shape (2,); needs (4,)"),
        ((Neuron([1.0, 2.0]), np.ones((3, 2)), [0, 1, 2]), "y has 3 classes; a neuron tells two apart"),
        ((Neuron([1.0, 2.0]), None, [0, 1]), "y came without X"),
        ((Neuron([1.0, 2.0]), np.full((2, 2), np.nan)), "X holds nan"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_the_reason(given: tuple[Any, ...], says: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is compared below
        NeuronDisplay.from_neuron(*given)
    assert says in str(caught.value)


# The page.
def test_the_page_says_what_happens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "neuron.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE):
        exec(block, names)  # noqa: S102 - the project's own examples, as they stand
    assert sorted(path.name for path in tmp_path.iterdir()) == ["neuron.png", "sides.png"]
    for own, said in (("softmax", "1e-6"), ("svm", "2e-5")):
        assert f"within {said}" in page
        assert names[f"{own}_apart"] < float(said)
    for own, loss in ((names["softmax"], "logistic"), (names["svm"], "hinge")):
        assert f'`loss="{loss}"`' in page
        network = MLPClassifier(hidden=(), loss=loss, l2=1e-2, random_state=0).fit(names["rows"], names["sides"])
        np.testing.assert_array_equal(own.theta_, network.theta_)
