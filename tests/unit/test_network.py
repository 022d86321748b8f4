"""The network: counts of the notes, layout of theta, views, scores, summary, descriptions and errors."""

import json
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from kilonet.activations import identity, leaky_relu, maxout, prelu, relu, tanh
from kilonet.errors import SettingError, ShapeError
from kilonet.initializers import glorot, scaled
from kilonet.network import Dense, Maxout, Network
from kilonet.values import Array


@pytest.mark.parametrize(
    ("layers", "unit", "counts"),
    [
        ([3, 4, 2], relu, (2, 6, 20, 6, 26)),
        ([3, 4, 4, 1], relu, (3, 9, 32, 9, 41)),
        ([3, 1], relu, (1, 1, 3, 1, 4)),
        ([3, 4, 4, 1], maxout(2), (3, 9, 60, 17, 77)),  # hidden layers double, the output layer does not
        ([3, 4, 2], prelu, (2, 6, 20, 6, 30)),
    ],
)
def test_counts(layers: list[int], unit: Any, counts: tuple[int, ...]) -> None:
    net = Network(layers, activation=unit)
    assert (net.n_layers, net.n_neurons, net.n_weights, net.n_biases, net.n_parameters) == counts
    assert net.sizes == tuple(layers)
    assert net.n_inputs == layers[0]
    assert net.n_outputs == layers[-1]


def test_maxout_everywhere_doubles_the_parameters() -> None:
    plain, double = Network([3, 4, 2]), Network([3, 4, 2], activation=maxout, output_activation=maxout)
    assert double.n_weights == 2 * plain.n_weights
    assert double.n_biases == 2 * plain.n_biases
    assert double.n_parameters == 2 * plain.n_parameters


def test_theta_is_weights_row_by_row_then_biases_layer_by_layer() -> None:
    net = Network([2, Dense(3, prelu), Maxout(1, 2)])
    first, second = net.views(np.arange(net.n_parameters))
    assert first.W.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert first.b.tolist() == [6, 7, 8]
    assert first.alpha is not None
    assert first.alpha.tolist() == [9, 10, 11]
    assert second.W.tolist() == [[[12, 13, 14]], [[15, 16, 17]]]
    assert second.b.tolist() == [[18], [19]]
    assert second.alpha is None
    assert np.flatnonzero(net.weight_mask).tolist() == [*range(6), *range(12, 18)]


@given(lead=st.lists(st.integers(0, 3), max_size=2), units=st.lists(st.integers(1, 4), min_size=2, max_size=4))
def test_views_share_memory_keep_leading_axes_and_cover_theta_once(lead: list[int], units: list[int]) -> None:
    net = Network(units, activation=maxout if len(units) % 2 else prelu)
    theta = np.zeros((*lead, net.n_parameters))
    for view in net.views(theta):
        for part in view:
            if part is not None:
                assert part.shape[: len(lead)] == tuple(lead)
                part[...] += 1.0
    assert (theta == 1.0).all()


def test_initial_parameters() -> None:
    net = Network([30, Dense(20, prelu), Dense(20, tanh), 5])
    theta = net.initial(seeds=[3, 4])
    assert theta.dtype == np.float32
    assert theta.shape == (2, net.n_parameters)
    np.testing.assert_array_equal(theta[1], net.initial(seed=4))
    np.testing.assert_array_equal(net.initial(), net.initial(seed=0))
    np.testing.assert_array_equal(net.initial(seed=4), net.initial(seed=4, dtype="float64").astype(np.float32))
    for view, variance in zip(net.views(theta), (2 / (1.0625 * 30), 2 / 40, 2 / 25), strict=True):
        assert (view.b == 0).all()
        assert view.W.var() == pytest.approx(variance, rel=0.2)  # 200 to 1,200 uniform numbers
        assert view.alpha is None or (view.alpha == 0.25).all()
    assert not np.array_equal(net.views(theta)[1].W[0], net.views(theta)[1].W[1])
    square = Network([4, Dense(4), Dense(4)])
    first, second = square.views(square.initial())
    assert not np.array_equal(first.W, second.W)  # layers draw from streams of their own


def test_an_initializer_for_all_layers_that_name_none() -> None:
    net = Network([3, 4, Dense(4, relu, glorot), 1], initializer=scaled(0.5))
    assert [layer.initializer for layer in net.layers] == [scaled(0.5), glorot, scaled(0.5)]


def test_scores_by_hand() -> None:
    net = Network([2, 2, 1])
    theta = np.array([1.0, 2.0, -1.0, 1.0, 0.5, 0.0, 3.0, -2.0, 0.25])
    X = np.array([[1.0, 1.0], [-1.0, 2.0]])
    # Row 0: z = 3.5, 0; row 1: z = 3.5, 3.
    assert net.hidden(theta, X)[0].tolist() == [[3.5, 0.0], [3.5, 3.0]]
    assert net.scores(theta, X).tolist() == [[10.75], [4.75]]
    assert net.scores(theta, sparse.csr_array(X)).tolist() == [[10.75], [4.75]]
    assert net.scores([theta, 0 * theta], X.tolist()).tolist() == [[[10.75], [4.75]], [[0.0], [0.0]]]


@pytest.mark.parametrize("made", [np.asarray, sparse.csr_array, sparse.csr_matrix])
def test_members_score_alike_alone_and_together(made: Any) -> None:
    net = Network([3, Dense(4, prelu), Maxout(3, 2), 2])
    X, theta = made(np.random.default_rng(0).normal(size=(6, 3))), net.initial(seeds=[1, 2, 3])
    together = net.scores(theta, X)
    assert together.shape == (3, 6, 2)
    assert together.dtype == np.float32
    for p in range(3):
        np.testing.assert_allclose(together[p], net.scores(theta[p], X), rtol=1e-5, atol=1e-6)  # BLAS orders its sums
    assert [h.shape for h in net.hidden(theta, X)] == [(3, 6, 4), (3, 6, 3), (3, 6, 2)]


@pytest.mark.parametrize("scale", [1e4, 1e30, -1e30])
def test_extreme_inputs_do_not_warn(scale: float) -> None:
    net = Network([3, 4, 2], activation=tanh)
    assert np.isfinite(net.scores(net.initial(), np.full((2, 3), scale))).all()
    assert net.scores(net.initial() * 1e30, np.full((2, 3), scale)).shape == (2, 2)


def test_summary_is_aligned_and_adds_up() -> None:
    net = Network([784, 1000, Maxout(20, 3), Dense(10, leaky_relu(0.2)), 1])
    lines = net.summary().splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[0].split() == ["layer", "shape", "unit", "weights", "biases", "parameters"]
    assert lines[1].split() == ["1", "784", "→", "1000", "relu", "784,000", "1,000", "785,000"]
    assert lines[2].split()[4:] == ["maxout(3)", "60,000", "60", "60,060"]
    assert lines[-1].split() == ["total", "784-1000-20-10-1", "1,031", "neurons", "844,210", "1,071", "845,281"]


def test_networks_are_values() -> None:
    net = Network([3, 4, Maxout(5, 3), 1], activation=tanh)
    assert net == Network([3, Dense(4, tanh), Maxout(5, 3), Dense(1, identity)])
    assert net != Network([3, 4, Maxout(5, 3), 1])
    assert hash(net) == hash(pickle.loads(pickle.dumps(net)))  # noqa: S301 (made here)
    assert repr(net) == "Network([3, Dense(4, activation=tanh), Maxout(5, pieces=3), Dense(1, activation=identity)])"
    assert eval(repr(net)) == net  # noqa: S307 (its own repr)
    assert Network.from_json(json.loads(json.dumps(net.to_json()))) == net
    with pytest.raises(AttributeError):
        net.n_inputs = 4  # type: ignore[misc]


def test_an_activation_of_ones_own_works_but_has_no_description() -> None:
    class Sine:
        def value(self, z: Array) -> Array:
            return np.sin(z)

        def slope(self, z: Array) -> Array:
            return np.cos(z)

    net = Network([3, 4, 1], activation=Sine())
    assert net.scores(net.initial(), np.ones((2, 3))).shape == (2, 1)
    assert "Sine" in net.summary()
    with pytest.raises(SettingError, match="can be trained but not saved"):
        net.to_json()


@pytest.mark.parametrize(
    ("made", "error", "says"),
    [
        (lambda n: n.views(np.zeros(40)), ShapeError, "theta came with shape (40,)"),
        (lambda n: n.views(np.zeros(40)), ShapeError, "needs (..., 41). Was it made for another network?"),
        (lambda n: n.scores(np.float32(3), np.ones((5, 3))), ShapeError, "theta came with shape ()"),
        (lambda n: n.scores(n.initial(), np.ones((5, 2))), ShapeError, "layer 1 (Dense(4)) got X with shape (5, 2)"),
        (lambda n: n.scores(n.initial(), np.ones((5, 2))), ShapeError, "needs (n, 3). Did you drop or add a feature"),
        (lambda n: n.scores(n.initial(), np.ones(3)), ShapeError, "For one example write X[np.newaxis]"),
        (lambda n: n.initial(seed=-1), SettingError, "seed came as -1"),
        (lambda n: n.initial(seeds=[0, 0.5]), SettingError, "seeds[1] came as 0.5"),
        (lambda n: n.initial(seeds=3), SettingError, "seeds came as 3; needs a sequence of seeds, or write seed=3"),
        (lambda n: n.initial(seeds=[]), SettingError, "seeds came empty"),
        (lambda n: n.initial(seeds=[0], seed=0), SettingError, "say one of them"),
        (lambda n: n.initial(dtype="float16"), SettingError, "needs float32 or float64"),
        (lambda n: Network.from_json([]), SettingError, "needs n_inputs and layers"),
        (lambda n: Network.from_json({"n_inputs": 3}), SettingError, "has the keys ['n_inputs']"),
        (lambda n: Network.from_json({"n_inputs": 3, "layers": 4}), SettingError, "needs a list of layers"),
        (lambda n: Network.from_json({"n_inputs": 3, "layers": [4]}), SettingError, "unknown layer 4"),
        (lambda n: Network.from_json({"n_inputs": 3, "layers": []}), SettingError, "at least one layer"),
    ],
)
def test_errors_say_what_came_and_what_was_needed(made: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error) as caught:
        made(Network([3, 4, 4, 1]))
    assert says in str(caught.value)
