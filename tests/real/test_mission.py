"""Claims of the notes with a number or a shape in them that no experiment measures, each shown through what users call.

A claim whose truth depends on data is no rule here: what the product says has to follow the data, whatever is claimed.
"""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import scale
from sklearn.svm import SVC

import kilonet as kn
from kilonet.data.reading import read
from kilonet.errors import SettingError

Floats = NDArray[np.float64]
RANDOM = np.random.default_rng(11)
SEARCH: dict[str, Any] = {"l2": [1e-4], "rate": [0.03], "seeds": 2, "cv": 3, "runs": 900, "extend": False,
                          "nested": False, "random_state": 0}  # fmt: skip


def parts(network: kn.Network, theta: Any) -> list[tuple[Floats, Floats]]:
    """W (units, inputs) and b (units,) of each layer of a chain, cut out of theta by its sizes alone."""
    found, start = [], 0
    for fan_in, units in pairwise(network.sizes):
        middle = start + units * fan_in
        found.append((theta[start:middle].reshape(units, fan_in), theta[middle : middle + units]))
        start = middle + units
    assert start == len(theta)
    return found


def test_an_image_of_3072_numbers_gets_ten_linear_scores(tmp_path: Path) -> None:
    """x [3072 x 1] and W [10 x 3072], from the binary files to s = W x + b, and any loss trains it."""
    records = RANDOM.integers(0, 256, (40, 3073), dtype=np.uint8)
    records[:, 0] = np.arange(40) % 10
    records.tofile(tmp_path / "data_batch_1.bin")
    table = read(tmp_path)
    assert table.X.shape == (40, 3072)
    net = kn.Network([3072, 10])
    theta = net.initial(seed=1, dtype=np.float64)
    ((W, b),) = parts(net, theta)
    assert W.shape == (10, 3072)
    x = records[:, 1:].T.astype(np.float32) / np.float32(255)  # a column for each image
    np.testing.assert_allclose(net.scores(theta, table.X).T, W @ x + b[:, np.newaxis], rtol=0, atol=1e-10)
    for loss in (kn.cross_entropy, kn.hinge, kn.squared_hinge):
        runs = kn.train(net, loss, table.X, table.y, seed=0, rate=1e-3, epochs=5, batch=40)
        assert runs.history.loss[-1] < runs.history.loss[0]


@pytest.mark.parametrize("sizes", [[3072, 100, 10], [3072, 100, 50, 10], [3, 4, 2], [3, 4, 4, 1]])
def test_scores_are_matrix_products_with_maxima_between_them(sizes: list[int]) -> None:
    """W2 max(0, W1 x) with W1 [100 x 3072] and W2 [10 x 100], and W3 max(0, W2 max(0, W1 x))."""
    net = kn.Network(sizes)
    theta = net.initial(seed=2, dtype=np.float64) + 0.01 * RANDOM.normal(size=net.n_parameters)
    layers = parts(net, theta)
    assert [W.shape for W, _ in layers] == [(m, n) for n, m in pairwise(sizes)]
    X = RANDOM.normal(size=(20, sizes[0]))
    s = X.T
    for W, b in layers[:-1]:
        s = np.maximum(0, W @ s + b[:, np.newaxis])
    s = layers[-1][0] @ s + layers[-1][1][:, np.newaxis]
    assert s.min() < 0 < s.max()  # a last layer with an activation would show
    np.testing.assert_allclose(net.scores(theta, X), s.T, rtol=0, atol=1e-11)


def test_what_is_advised_is_what_is_there_without_asking() -> None:
    net = kn.Network([3, 4, 4, 2])
    assert [layer.unit for layer in net.layers] == ["relu", "relu", "identity"]
    assert kn.MLPClassifier().activation == kn.MLPRegressor().activation == "relu"


def test_all_pairs_of_neighbouring_layers_are_joined_and_none_within_a_layer() -> None:
    net = kn.Network([5, kn.Dense(4, kn.tanh), 3])
    theta, X = net.initial(seed=3, dtype=np.float64), RANDOM.normal(size=(1, 5))
    before, scores = net.hidden(theta, X)[0], net.scores(theta, X)
    for place in range(5):
        assert (net.hidden(theta, X + 0.1 * np.eye(5)[place])[0] != before).all()
    for unit in range(4):
        changed = theta.copy()
        changed[unit * 5] += 0.5  # a weight of this unit
        moved = net.hidden(changed, X)[0] != before
        assert moved[0].tolist() == [other == unit for other in range(4)]
        assert (net.scores(changed, X) != scores).all()


def test_a_loop_is_named_in_the_direction_in_which_outputs_would_go_round_it() -> None:
    layers = {"a": kn.Dense(2, source=("input", "c")), "b": kn.Dense(2, source="a"), "c": kn.Dense(2, source="b"),
              "scores": kn.Dense(1, kn.identity, source="c")}  # fmt: skip
    with pytest.raises(SettingError, match=r"a → b → c → a; .* without end"):
        kn.Network.from_layers(layers, n_inputs=3)


def test_weights_at_several_places_are_counted_once_and_their_connections_at_each() -> None:
    """More connections than parameters, as sharing gives them; without sharing there are as many of both."""
    sharing: dict[str, Any] = {
        "first": kn.Dense(6, kn.tanh), "second": kn.Same("first", source="first"),
        "third": kn.Same("first", source="second"), "scores": kn.Dense(2, kn.identity, source="third"),
    }  # fmt: skip
    tied, apart = kn.Network.from_layers(sharing, n_inputs=6), kn.Network([6, 6, 6, 6, 2], activation=kn.tanh)
    assert (tied.n_connections, tied.n_weights, tied.n_parameters) == (3 * 36 + 12, 36 + 12, 36 + 6 + 12 + 2)
    assert tied.n_connections == apart.n_weights == apart.n_connections > tied.n_parameters
    theta, X = tied.initial(seed=4, dtype=np.float64), RANDOM.normal(size=(30, 6))
    once = np.concatenate([theta[:42], theta[:42], theta])  # the shared layer three times over
    np.testing.assert_allclose(tied.scores(theta, X), apart.scores(once, X), rtol=1e-13)
    y = RANDOM.normal(size=(30, 2))
    _, gradient = kn.value_and_grad(tied, kn.squared, theta, X, y)
    _, each = kn.value_and_grad(apart, kn.squared, once, X, y)
    assert gradient.shape == (tied.n_parameters,)
    np.testing.assert_allclose(gradient[:42], each[:126].reshape(3, 42).sum(axis=0), rtol=0, atol=1e-13)
    np.testing.assert_allclose(gradient[42:], each[126:], rtol=0, atol=1e-13)


def test_the_hinge_of_two_scores_is_a_linear_support_vector_machine() -> None:
    """By its difference of scores d = s1 − s0, whose weights have half of the penalty: |w1|² + |w0|² = ½ |w1 − w0|²."""
    X, y = load_breast_cancer(return_X_y=True)
    X, y, l2 = scale(X[:200, :5]), y[:200], 0.1
    peer = SVC(kernel="linear", C=1 / (len(X) * l2 / 2), tol=1e-12).fit(X, y)
    net = kn.Network([5, 2])
    theta = np.zeros(net.n_parameters)
    for rate in (0.1 * 0.5**k for k in range(14)):  # the subgradient jumps, so that the last steps have to be small
        runs = kn.train(net, kn.hinge, X, y, theta=theta, optimizer=kn.Nesterov(rate, beta=0.9), batch=len(X),
                        epochs=600, l2=l2, order=None)  # fmt: skip
        theta = runs.theta
    ((W, b),) = parts(net, theta)
    np.testing.assert_allclose([*(W[1] - W[0]), b[1] - b[0]], [*peer.coef_[0], *peer.intercept_], rtol=0, atol=2e-3)


def chosen(estimator: Any, X: Floats, y: Any, **changes: Any) -> kn.ArchitectureSearch:
    return kn.ArchitectureSearch(estimator=estimator, **(SEARCH | changes)).fit(X, y)


def test_the_size_that_is_chosen_follows_the_data() -> None:
    """Larger is not better by decree: a straight border asks for no hidden layer, a ring for many units."""
    random = np.random.default_rng(0)
    X = random.normal(size=(240, 2))
    far = {"straight": X[:, 0] - 0.3 * X[:, 1], "ring": (X**2).sum(axis=1) - 1.4}
    found = {name: chosen(kn.MLPClassifier(epochs=60), X, distance + 0.4 * random.normal(size=240) > 0, hidden=[1, 16])
             for name, distance in far.items()}  # fmt: skip
    assert found["straight"].best_params_["hidden"] == ()
    assert found["ring"].best_params_["hidden"] == (16,)
    assert "no hidden layer" in found["straight"].record_.choice.text
    assert "16 relu" in found["ring"].record_.choice.text


@pytest.mark.parametrize(
    ("function", "units", "activation"),
    [(lambda x: np.tanh(2 * x), 1, "sigmoid"), (np.abs, 4, "relu")],
    ids=["what one sigmoid unit is", "a kink"],
)
def test_the_type_of_unit_that_is_chosen_follows_the_data(function: Any, units: int, activation: str) -> None:
    """ReLU is the default, and yet a sigmoid unit is chosen for what has its form."""
    x = np.random.default_rng(1).uniform(-2, 2, size=(240, 1))
    settings: dict[str, Any] = {"hidden": [units], "activation": ["relu", "sigmoid"], "seeds": 4}
    found = chosen(kn.MLPRegressor(epochs=100), x, function(x[:, 0]), **settings)
    assert (found.best_params_["hidden"], found.best_params_["activation"]) == ((units,), activation)
