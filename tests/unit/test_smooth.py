"""What the smooth activations promise beyond the values that test_activations checks."""

import numpy as np

from kilonet.smooth import gelu, mish, sigmoid, silu, softplus, tanh


def test_tails_keep_their_relative_precision() -> None:
    # Far out, 1 - tanh² would be 0; the true slopes are 4 exp(-2z), exp(-z), exp(-z).
    z = np.array([25.0])
    np.testing.assert_allclose(tanh.slope(z), 4 * np.exp(-50.0), rtol=1e-14)
    np.testing.assert_allclose(sigmoid.slope(z), np.exp(-25.0), rtol=1e-10)
    np.testing.assert_allclose(softplus.value(-z), np.exp(-25.0), rtol=1e-10)


def test_a_number_alone_is_taken() -> None:
    for unit in (gelu, mish, sigmoid, silu, softplus, tanh):
        assert np.isclose(unit.value(np.array(0.5)), unit.value(np.array([0.5]))[0], rtol=1e-15)
