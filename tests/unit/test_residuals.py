"""Losses of numbers: values and slopes from their definitions, and R²."""

import numpy as np
import pytest
from sklearn.metrics import mean_pinball_loss, r2_score

from kilonet.residuals import absolute, huber, quantile, squared

RESIDUALS = np.array([[-3.0], [-1.0], [-0.25], [0.0], [0.25], [1.0], [3.0]])
ZEROS = np.zeros_like(RESIDUALS)


def test_slopes_at_and_around_the_kinks() -> None:
    assert squared.slope(RESIDUALS, ZEROS).ravel().tolist() == [-3, -1, -0.25, 0, 0.25, 1, 3]
    assert absolute.slope(RESIDUALS, ZEROS).ravel().tolist() == [-1, -1, -1, 0, 1, 1, 1]
    assert huber(1.0).slope(RESIDUALS, ZEROS).ravel().tolist() == [-1, -1, -0.25, 0, 0.25, 1, 1]
    assert quantile(0.75).slope(RESIDUALS, ZEROS).ravel().tolist() == [-0.75, -0.75, -0.75, 0, 0.25, 0.25, 0.25]


def test_values() -> None:
    assert squared.value(RESIDUALS, ZEROS).tolist() == [4.5, 0.5, 0.03125, 0, 0.03125, 0.5, 4.5]
    assert absolute.value(RESIDUALS, ZEROS).tolist() == [3, 1, 0.25, 0, 0.25, 1, 3]
    assert huber(1.0).value(RESIDUALS, ZEROS).tolist() == [2.5, 0.5, 0.03125, 0, 0.03125, 0.5, 2.5]
    assert huber(0.5).value(RESIDUALS, ZEROS).tolist() == [1.375, 0.375, 0.03125, 0, 0.03125, 0.375, 1.375]


def test_outputs_are_summed() -> None:
    assert squared.value(np.array([[1.0, 2.0, 4.0]]), np.zeros((1, 3))) == 0.5 * (1 + 4 + 16)


def test_quantile_is_scikit_learns_pinball_loss() -> None:
    random = np.random.default_rng(0)
    y, scores = random.normal(size=(2, 50, 1))
    expected = mean_pinball_loss(y, scores, alpha=0.8)
    assert quantile(0.8).value(scores, y).mean() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_r_squared_is_scikit_learns(weighted: bool) -> None:
    random = np.random.default_rng(2)
    y, scores = random.normal(size=(2, 40, 3))
    y[:, 1] = 7.0  # no spread, not met: counts 0
    y[:, 2] = scores[:, 2] = 5.0  # no spread, met: counts 1
    weights = random.uniform(0, 3, 40) if weighted else None
    expected = r2_score(y, scores, sample_weight=weights)
    assert squared.score(scores, y, weights) == pytest.approx(expected, rel=1e-12)
    assert squared.score(scores.astype(np.float32), y.astype(np.float32), weights).dtype == np.float64
