"""Initializers: spread, bounds, orthogonality, and which one fits which unit."""

from typing import Any

import numpy as np
import pytest

from kilonet import initializers
from kilonet.activations import ACTIVATIONS, activation_from, leaky_relu, maxout, prelu
from kilonet.errors import SettingError
from kilonet.initializers import Scaling, default_for, glorot, he, initializer_from, lecun, orthogonal, scaled

FAN_IN, FAN_OUT = 200, 100


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
@pytest.mark.parametrize(
    ("initializer", "variance"),
    [(he, 2 / 200), (he(slope=0.5), 2 / (1.25 * 200)), (glorot, 2 / 300), (lecun, 1 / 200)],
    ids=str,
)
def test_weights_spread_as_their_papers_say(initializer: Scaling, variance: float, distribution: str) -> None:
    drawn = initializer(distribution).weights((FAN_OUT, FAN_IN), FAN_IN, FAN_OUT, 0, 0)
    assert drawn.shape == (FAN_OUT, FAN_IN)
    # 20,000 numbers: the mean deviates by std / 141 and the variance by 1% (normal); four times that is allowed.
    assert abs(drawn.mean()) < 4 * np.sqrt(variance) / 141
    assert drawn.var() == pytest.approx(variance, rel=0.04)
    if distribution == "uniform":
        assert np.abs(drawn).max() <= np.sqrt(3 * variance)
    else:
        assert np.abs(drawn).max() > np.sqrt(3 * variance)


def test_scaled_has_its_plain_deviation() -> None:
    assert scaled(0.5).weights((100, 200), 200, 100, 0, 0).std() == pytest.approx(0.5, rel=0.02)
    assert (scaled(0).weights((3, 2), 2, 3, 0, 0) == 0).all()


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (2, 3, 7), (2, 7, 3)])
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    drawn = orthogonal(2.0).weights(shape, shape[-1], shape[-2], [0, 1], 0)
    assert drawn.shape == (2, *shape)
    for matrix in drawn.reshape(-1, *shape[-2:]):
        gram = matrix @ matrix.T if shape[-2] <= shape[-1] else matrix.T @ matrix
        np.testing.assert_allclose(gram, 4.0 * np.eye(min(shape[-2:])), atol=1e-14 * 4)


@pytest.mark.parametrize("initializer", [he, he("normal"), glorot, lecun, orthogonal, scaled], ids=str)
def test_a_members_weights_depend_on_its_own_seed_alone(initializer: Scaling) -> None:
    together = initializer.weights((4, 3), 3, 4, np.array([5, 6, 7], np.uint64), 1)
    for seed, weights in zip([5, 6, 7], together, strict=True):
        np.testing.assert_array_equal(weights, initializer.weights((4, 3), 3, 4, seed, 1))
    assert not np.array_equal(together[0], initializer.weights((4, 3), 3, 4, 5, 2))


def test_defaults_fit_the_units() -> None:
    fits = {name: default_for(unit).name for name, unit in ACTIVATIONS.table.items()}
    assert {name for name, fit in fits.items() if fit == "glorot"} == {"identity", "sigmoid", "tanh"}
    assert {name for name, fit in fits.items() if fit == "lecun"} == {"selu"}
    assert set(fits.values()) == {"glorot", "lecun", "he"}
    assert default_for(leaky_relu(0.3)) == he(slope=0.3)
    assert default_for(prelu) == he(slope=0.25)
    assert default_for(maxout(3)) == default_for(activation_from("gelu")) == default_for(object()) == he


def test_unknown_settings_are_refused() -> None:
    with pytest.raises(SettingError, match="he's distribution came as 'cauchy'; needs one of uniform, normal"):
        initializer_from("he(cauchy)")


@pytest.mark.parametrize("spec", ["he", "he(normal)", "scaled(0.3)", "orthogonal"])
@pytest.mark.parametrize("seed", [np.uint64(3), np.array([3, 2**63], np.uint64)])
def test_what_is_drawn_piece_by_piece_is_the_same(spec: str, seed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the last piece is not full, and where a piece is no whole number of rows."""
    own = initializer_from(spec)
    at_once = own.weights((5, 9), 9, 5, seed, 2)
    monkeypatch.setattr(initializers, "_TOGETHER", 16)
    np.testing.assert_array_equal(own.weights((5, 9), 9, 5, seed, 2), at_once)
    filled = np.empty(at_once.shape, np.float32)
    own.fill(filled, 9, 5, seed, 2)
    np.testing.assert_array_equal(filled, at_once.astype(np.float32))
