"""The kernel's own functions against extended precision, on every instruction set of this machine.

The bounds are those of docs/arithmetic.md. The oracle is NumPy in long double (64 bits of mantissa
or more), SciPy's erf in float64 for erf: its error is far below a unit in the last place of float32,
and below one of float64.
"""

import numpy as np
import pytest
from scipy.special import erf

kernel = pytest.importorskip("kilonet.engine._kernel")

WIDE = np.longdouble
TURN = 2 * WIDE("3.14159265358979323846264338327950288")

# name: (number in the kernel, oracle, samples, bound in units in the last place)
FUNCTIONS = {
    "exp": (0, np.exp, (-87.0, 88.0), 1.1),
    "log": (1, np.log, (1e-6, 8.0), 1.0),
    "tanh": (2, np.tanh, (-20.0, 20.0), 3.0),
    "erf": (3, lambda x: erf(x.astype(np.float64)).astype(WIDE), (-7.0, 7.0), 3.5),
    "log1p": (4, np.log1p, (0.0, 1.0), 1.5),
    "expm1": (7, np.expm1, (-60.0, 0.0), 1.5),
}
TURNS = {"sine": (5, np.sin), "cosine": (6, np.cos)}
DTYPES = (np.float32, np.float64)


def computed(isa, which, x):
    out = np.empty_like(x)
    getattr(kernel, f"functions_{x.dtype.name}")(isa, which, x, out)
    return out


def samples(low, high, dtype):
    """Evenly spread ones, and as many ten and a thousand times nearer to 0."""
    rng = np.random.default_rng(7)
    x = rng.uniform(low, high, 60_000)
    return np.concatenate([x, x[:20_000] / 10, x[:20_000] / 1000]).astype(dtype) if low <= 0 else x.astype(dtype)


@pytest.mark.parametrize("isa", kernel.variants())
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_stay_within_their_bounds(name, dtype, isa):
    which, oracle, (low, high), bound = FUNCTIONS[name]
    x = samples(low, high, dtype)
    exact = oracle(x.astype(WIDE))
    error = np.abs(computed(isa, which, x) - exact) / np.spacing(np.abs(exact.astype(dtype)))
    assert error.max() <= bound, f"{error.max()} units at {x[error.argmax()]!r}"


@pytest.mark.parametrize("isa", kernel.variants())
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", TURNS)
def test_turns_are_exact_to_three_quarters_of_epsilon(name, dtype, isa):
    which, oracle = TURNS[name]
    x = (np.random.default_rng(8).integers(0, 2**24, 100_000) / 2**24).astype(dtype)
    error = np.abs(computed(isa, which, x) - oracle(TURN * x.astype(WIDE))) / np.finfo(dtype).eps
    assert error.max() <= 0.75


@pytest.mark.parametrize("isa", kernel.variants())
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_not_finite_or_very_large(isa, dtype):
    x = np.array([np.nan, np.inf, -np.inf, 1e30, -1e30, 0.0], dtype=dtype)
    np.testing.assert_array_equal(computed(isa, 0, x), np.array([np.nan, np.inf, 0, np.inf, 0, 1], dtype=dtype))
    np.testing.assert_array_equal(computed(isa, 2, x), np.array([np.nan, 1, -1, 1, -1, 0], dtype=dtype))
    np.testing.assert_array_equal(computed(isa, 3, x), np.array([np.nan, 1, -1, 1, -1, 0], dtype=dtype))
    logs = computed(isa, 1, x)
    assert np.isnan(logs[[0, 2, 4]]).all()
    assert logs[1] == np.inf
    assert logs[5] == -np.inf


@pytest.mark.parametrize("dtype", DTYPES)
def test_small_results_of_exp_keep_their_subnormal_bits(dtype):
    x = np.array([-100.0 if dtype == np.float32 else -740.0], dtype=dtype)
    exact = np.exp(x.astype(WIDE))
    for isa in kernel.variants():
        got = computed(isa, 0, x)
        assert got > 0
        assert abs(got - exact) <= np.finfo(dtype).smallest_subnormal
