"""Penalties touch weights only, and max-norm shortens rows, not matrices."""

import numpy as np
import pytest

from kilonet.errors import SettingError
from kilonet.layers import Maxout
from kilonet.network import Network
from kilonet.penalties import L1, L2, Penalty, max_norm

THETA = np.array([[1.0, -2.0, 0.0, 3.0], [2.0, 2.0, -1.0, 5.0]])
IS_WEIGHT = np.array([True, True, True, False])


def test_values_from_their_definitions() -> None:
    assert L2(0.1).value(THETA, IS_WEIGHT) == pytest.approx([0.05 * 5, 0.05 * 9])
    assert L1(0.1).value(THETA, IS_WEIGHT) == pytest.approx([0.3, 0.5])
    assert L1((0.1, 2.0)).value(THETA, IS_WEIGHT) == pytest.approx([0.3, 10.0])
    assert L2(0.1).value(THETA[0], IS_WEIGHT).shape == ()


@pytest.mark.parametrize("penalty", [L2(0.3), L1(0.3), L2((0.3, 2.0)), L1((0.3, 2.0))], ids=str)
def test_slopes_are_those_of_the_values(penalty: Penalty) -> None:
    step = 1e-6
    slopes = penalty.slope(THETA, IS_WEIGHT)
    for i in range(4):
        if i == 2:  # the kink of L1, where the slope is 0 by definition
            continue
        shift = step * np.eye(4)[i]
        differences = penalty.value(THETA + shift, IS_WEIGHT) - penalty.value(THETA - shift, IS_WEIGHT)
        np.testing.assert_allclose(slopes[:, i], differences / (2 * step), rtol=1e-8, atol=1e-9)
    assert slopes[0, 2] == 0.0
    assert (slopes[:, 3] == 0.0).all()


def test_slopes_keep_the_dtype() -> None:
    assert L2((0.3, 2.0)).slope(THETA.astype(np.float32), IS_WEIGHT).dtype == np.float32


def test_negative_strengths_are_refused() -> None:
    with pytest.raises(SettingError, match="l2's strength came as -1"):
        L2(-1)


def test_max_norm_shortens_long_rows_of_every_piece_and_leaves_the_rest() -> None:
    network = Network([2, Maxout(3, pieces=2), 1])
    theta = network.initial(seeds=[0, 1], dtype=np.float64) * 10
    before = theta.copy()
    max_norm([view.W for view in network.views(theta)], np.array([0.5, 1e9]))
    np.testing.assert_array_equal(theta[1], before[1])
    for old, new in zip(network.views(before[0]), network.views(theta[0]), strict=True):
        norms = np.linalg.norm(old.W, axis=-1)
        np.testing.assert_allclose(np.linalg.norm(new.W, axis=-1), np.minimum(norms, 0.5), rtol=1e-12)
        np.testing.assert_array_equal(new.b, old.b)


def test_max_norm_at_the_extremes() -> None:
    W = np.array([[0.0, 0.0], [1e30, 1e30]], np.float32)
    max_norm([W], 1.0)
    np.testing.assert_allclose(W, [[0, 0], [np.sqrt(0.5), np.sqrt(0.5)]], rtol=1e-6)
