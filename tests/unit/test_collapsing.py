"""Collapsing: runs of linear layers become one, and nothing else changes."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilonet.activations import identity, prelu, relu, tanh
from kilonet.collapsing import collapse
from kilonet.errors import DataError, SettingError, ShapeError
from kilonet.initializers import glorot
from kilonet.network import Dense, Maxout, Network
from kilonet.values import Array


def drawn(network: Network, lead: tuple[int, ...] = (), dtype: Any = np.float64, seed: int = 0) -> Array:
    """Parameters of size 1, biases and slopes too."""
    return np.random.default_rng(seed).normal(size=(*lead, network.n_parameters)).astype(dtype)


def whole_numbers(network: Network, seed: int = 0) -> Array:
    """Small whole numbers, of which all sums and products are exact."""
    return np.random.default_rng(seed).integers(-3, 4, network.n_parameters).astype(float)


def slack(network: Network, theta: Array, X: Array) -> Array:
    """Bound (..., n, n_outputs) of how far scores before and after collapsing may lie apart.

    A sum of m products is within m·u·Σ|terms| of the exact one (Higham 2002, section 3.1). A score goes through
    m = Σ(fan_in + 2) roundings on either side of the comparison, and Σ|terms| is what the network gives of absolute
    numbers; the parameters' own rounding to their type is one of the + 2. All units here are 1-Lipschitz.
    """
    h = np.abs(X)
    for layer, view in zip(network.layers, network.views(theta), strict=True):
        alpha = 1.0 if view.alpha is None else np.maximum(1.0, np.abs(view.alpha))[..., np.newaxis, :]
        z = layer.affine(view._replace(W=np.abs(view.W), b=np.abs(view.b)), h)
        h = (z.max(axis=-2) if isinstance(layer, Maxout) else z) * alpha
    roundings = sum(fan_in + 2 for fan_in in network.sizes[:-1])
    return 2 * roundings * np.finfo(theta.dtype).eps * h


def test_two_matrices_without_a_non_linearity_are_one() -> None:
    network = Network([3, 4, 2], activation=identity)
    theta = whole_numbers(network)
    one, other = network.views(theta)
    single, parameters = collapse(network, theta)
    assert single == Network([3, Dense(2, identity)])
    (view,) = single.views(parameters)
    assert view.W.tolist() == (other.W @ one.W).tolist()
    assert view.b.tolist() == (other.W @ one.b + other.b).tolist()
    assert (network.n_parameters, single.n_parameters) == (26, 8)
    X = np.arange(12.0).reshape(4, 3)
    assert single.scores(parameters, X).tolist() == network.scores(theta, X).tolist()


def test_a_linear_layer_goes_into_whatever_follows_it() -> None:
    network = Network([3, Dense(4, identity), Dense(5, prelu, glorot), Dense(6, identity), Dense(7, identity),
                       Maxout(2, 3), Dense(1, identity), 2])  # fmt: skip
    theta = whole_numbers(network)
    found, parameters = collapse(network, theta)
    assert found == Network([3, Dense(5, prelu, glorot), Maxout(2, 3), 2])
    assert parameters.shape == (found.n_parameters,)
    alpha, kept = found.views(parameters)[0].alpha, network.views(theta)[1].alpha
    assert alpha is not None
    assert kept is not None
    assert alpha.tolist() == kept.tolist()
    X = np.arange(12.0).reshape(4, 3) - 5
    assert found.scores(parameters, X).tolist() == network.scores(theta, X).tolist()


def test_a_maxout_layer_of_one_piece_is_linear_too() -> None:
    network = Network([3, Maxout(4, 1), Maxout(2, 1), 2])
    theta = whole_numbers(network)
    found, parameters = collapse(network, theta)
    assert found == Network([3, 2])
    X = np.arange(12.0).reshape(4, 3)
    assert found.scores(parameters, X).tolist() == network.scores(theta, X).tolist()


LAYERS = st.builds(Dense, st.integers(1, 5), st.sampled_from([identity, identity, relu, tanh, prelu])) | st.builds(
    Maxout, st.integers(1, 5), st.integers(1, 3)
)


@given(
    layers=st.lists(LAYERS, min_size=1, max_size=6),
    lead=st.sampled_from([(), (1,), (3,), (2, 3)]),
    dtype=st.sampled_from([np.float32, np.float64]),
    seed=st.integers(0, 1000),
)
def test_scores_stay_the_same_to_rounding(layers: list[Any], lead: tuple[int, ...], dtype: Any, seed: int) -> None:
    network = Network([4, *layers])
    theta = drawn(network, lead, dtype, seed)
    found, parameters = collapse(network, theta)
    assert parameters.dtype == dtype
    assert parameters.shape == (*lead, found.n_parameters)
    assert found.n_outputs == network.n_outputs
    assert all(layer.activation != identity or layer.pieces > 1 for layer in found.layers[:-1])
    X = np.random.default_rng(seed).normal(size=(5, 4)).astype(dtype)
    apart = np.abs(found.scores(parameters, X) - network.scores(theta, X))
    assert (apart <= slack(network, theta, X)).all()
    for place in np.ndindex(lead):  # a member is collapsed as it would be alone
        alone, own = collapse(network, theta[place])
        assert alone == found
        np.testing.assert_allclose(parameters[place], own, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-12)


def test_products_are_rounded_once() -> None:
    network = Network([1, 1, 1, 1], activation=identity)
    theta = drawn(network, (200,), np.float32)  # of so many some would round another way, had they been rounded before
    w1, b1, w2, b2, w3, b3 = theta.T.astype(np.float64)
    _, parameters = collapse(network, theta)
    expected = np.stack([w3 * (w2 * w1), w3 * (w2 * b1 + b2) + b3], axis=-1)
    np.testing.assert_array_equal(parameters, expected.astype(np.float32))


@pytest.mark.parametrize("layers", [[3, 4, 2], [3, 2], [3, Maxout(4, 2), 2], [3, Dense(4, tanh), Dense(2, identity)]])
def test_where_there_is_nothing_to_fold_the_same_objects_come_back(layers: list[Any]) -> None:
    network = Network(layers)
    theta = drawn(network)
    found, parameters = collapse(network, theta)
    assert found is network
    assert parameters is theta


def test_theta_itself_does_not_change() -> None:
    network = Network([3, 4, 2], activation=identity)
    theta = drawn(network)
    before = theta.copy()
    theta.flags.writeable = False
    _, parameters = collapse(network, theta)
    np.testing.assert_array_equal(theta, before)
    assert parameters.flags.writeable


def test_a_member_that_diverged_stays_so_and_leaves_the_others_alone() -> None:
    network = Network([2, 2, 1], activation=identity)
    theta = drawn(network, (2,))
    theta[0, 0] = np.inf
    _, parameters = collapse(network, theta)
    assert not np.isfinite(parameters[0]).all()
    np.testing.assert_array_equal(parameters[1], collapse(network, theta[1])[1])


def test_products_too_large_for_their_type_are_refused() -> None:
    network = Network([1, 1, 1], activation=identity)
    theta = np.array([1e30, 0.0, 1e30, 0.0], np.float32)
    with pytest.raises(DataError, match=r"too large for float32; give theta.astype\(np.float64\)"):
        collapse(network, theta)
    assert collapse(network, theta.astype(np.float64))[1][0] == pytest.approx(1e60)
    with pytest.raises(DataError, match="too large for float64; scale the layers"):
        collapse(network, [1e200, 0.0, 1e200, 0.0])


@pytest.mark.parametrize("layers", [[3, 4, 2], [3, Dense(4, identity), 2]])
def test_parameters_of_another_network_are_refused(layers: list[Any]) -> None:
    with pytest.raises(ShapeError, match="Was it made for another network"):
        collapse(Network(layers), np.zeros(25))


@pytest.mark.parametrize("given", ["[3, 2]", np.zeros(8), None])
def test_what_is_no_network_is_refused(given: Any) -> None:
    with pytest.raises(SettingError, match=r"^network came as .*; needs a kn\.Network, and theta after it"):
        collapse(given, Network([3, 2]))
