"""The extreme law: whatever comes in, finite numbers come out, or a clear error or DivergenceWarning."""

import warnings
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import kilonet as kn
from kilonet.activations import ACTIVATIONS
from kilonet.losses import LOSSES
from laws.seam import ENGINES, engine, rows

UNITS = [*ACTIVATIONS.table, "maxout(3)"]


@pytest.fixture(params=ENGINES, autouse=True)
def _engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    engine(request.param)
    monkeypatch.setenv("KILONET_ENGINE", request.param)


def settles(network: Any, loss: Any, X: Any, y: Any, **settings: Any) -> kn.Runs:
    """Train; all that comes out is finite, and what left the finite numbers is said."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        runs = kn.train(network, loss, X, y, **({"epochs": 3, "batch": 8} | settings))
    assert {warning.category for warning in said} == ({kn.DivergenceWarning} if np.any(runs.diverged) else set())
    assert np.isfinite(runs.theta).all()
    assert np.isfinite(runs.history.loss).all()
    assert len(runs.history) == (3 if not runs.diverged else runs.diverged - 1)
    return runs


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("size", [1e4, 1e30])
@pytest.mark.parametrize("loss", list(LOSSES.table))
@pytest.mark.parametrize("unit", UNITS)
def test_huge_inputs(unit: str, loss: str, size: float, dtype: str) -> None:
    X, y = rows(loss, 3)
    X = size * np.sign(X)
    network = kn.Network([5, 6, 4, 3], activation=unit)
    runs = settles(network, loss, X, y, dtype=dtype, validation=(X, y))
    if loss in ("cross_entropy", "logistic", "hinge"):  # their slopes are bounded, so one finite step is sure
        assert np.isfinite(network.scores(runs.theta, X)).all()


@pytest.mark.parametrize("unit", UNITS)
def test_inputs_at_the_end_of_the_range(unit: str) -> None:
    X, y = rows("cross_entropy", 3)
    X = np.sign(X) * np.where(np.abs(X) > 1, np.finfo(np.float32).max, np.finfo(np.float32).smallest_subnormal)
    settles(kn.Network([5, 6, 3], activation=unit), "cross_entropy", X, y)


@pytest.mark.parametrize("loss", ["squared", "absolute", "huber", "quantile"])
@pytest.mark.parametrize("size", [1e4, 1e30])
def test_huge_targets(loss: str, size: float) -> None:
    X, y = rows(loss, 1)
    settles(kn.Network([5, 6, 1]), loss, X, size * y, validation=(X, size * y))


@pytest.mark.parametrize("loss", list(LOSSES.table))
def test_constant_columns_and_constant_targets(loss: str) -> None:
    X, y = rows(loss, 3)
    X[:, 1], X[:, 2] = 0.0, 7.0
    runs = settles(kn.Network([5, 6, 3]), loss, X, np.repeat(y[:1], len(y), axis=0), validation=(X, y))
    assert np.isfinite(runs.history.score).all()


def test_a_constant_target_that_is_met_exactly_scores_one() -> None:
    runs = settles(kn.Network([2, 1]), "squared", np.zeros((9, 2)), np.zeros(9), theta=np.zeros(3))
    assert runs.history.score.tolist() == [1.0, 1.0, 1.0]
    near = settles(kn.Network([2, 1]), "squared", np.zeros((9, 2)), np.zeros(9), theta=np.array([0.0, 0.0, 1.0]))
    assert near.history.score.tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("loss", list(LOSSES.table))
@pytest.mark.parametrize("outputs", [1, 3])
def test_one_example(loss: str, outputs: int) -> None:
    X, y = rows(loss, outputs, n=1)
    runs = settles(kn.Network([5, 6, outputs]), loss, X, y, dropout=0.5, input_noise=0.1, validation=(X, y))
    assert np.isfinite(runs.history.score).all()


def test_one_input_one_unit_one_class() -> None:
    settles(kn.Network([1, 1, 1]), "cross_entropy", np.ones((4, 1)), np.zeros(4, int))


@pytest.mark.parametrize("X", [np.zeros((0, 5)), scipy.sparse.csr_array((0, 5))])
def test_no_example_is_refused(X: Any) -> None:
    with pytest.raises(kn.DataError, match="no rows"):
        kn.train(kn.Network([5, 1]), "squared", X, np.zeros(0))


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_is_refused_wherever_it_stands(value: float) -> None:
    X, y = rows("squared", 1)
    spoiled = np.where(np.arange(X.size).reshape(X.shape) == X.size - 1, value, X)
    bad_y = np.where(np.arange(len(y)) == 3, value, y[:, 0])
    for given in (spoiled, spoiled.astype("float32"), np.asfortranarray(spoiled), scipy.sparse.csr_array(spoiled)):
        with pytest.raises(kn.DataError, match=r"X\[22, 4\]"):
            kn.train(kn.Network([5, 1]), "squared", given, y)
    with pytest.raises(kn.DataError, match="validation X"):
        kn.train(kn.Network([5, 1]), "squared", X, y, validation=(spoiled, y))
    with pytest.raises(kn.DataError, match="row 3"):
        kn.train(kn.Network([5, 1]), "squared", X, bad_y)
    with pytest.raises(kn.DataError, match=r"sample_weight\[3\]"):
        kn.train(kn.Network([5, 1]), "squared", X, y, sample_weight=bad_y**2)


def test_sparse_rows_without_any_entry() -> None:
    settles(kn.Network([5, 6, 1]), "squared", scipy.sparse.csr_array((9, 5)), np.arange(9.0), input_noise=0.1)


@pytest.mark.parametrize("weight", [5e-324, 1e-300, 1e300])
def test_tiny_and_huge_weights_count_by_their_ratio(weight: float) -> None:
    X, y = rows("squared", 1)
    given = settles(kn.Network([5, 6, 1]), "squared", X, y, sample_weight=np.full(23, weight))
    plain = settles(kn.Network([5, 6, 1]), "squared", X, y)
    np.testing.assert_allclose(given.theta, plain.theta, rtol=1e-5, atol=1e-6)  # equal up to rounding in float32


def test_weights_whose_sum_overflows_are_refused() -> None:
    X, y = rows("squared", 1)
    with pytest.raises(kn.DataError, match="sums to inf"):
        kn.train(kn.Network([5, 1]), "squared", X, y, sample_weight=np.full(23, 1e308))


@pytest.mark.parametrize(
    "settings",
    [
        {"rate": 1e-300},
        {"rate": 1e30},
        {"rate": 1e300},
        {"l2": 1e30},
        {"l1": 1e30},
        {"max_norm": 1e-300},
        {"max_norm": 1e300},
        {"input_noise": 1e30},
        {"dropout": 0.9999},
        {"dropout": 1e-300},
        {"optimizer": "adam(0.1, 0.0, 0.0)"},
        {"optimizer": "rmsprop(0.1, 0.0, 1e-300)"},
        {"optimizer": "adagrad(1e10)"},
        {"schedule": [0.0, 1e300]},
        {"batch": 10**15},
        {"order": 2**64 - 1, "seeds": [2**64 - 1]},
    ],
    ids=str,
)
def test_settings_at_the_ends_of_their_ranges(settings: dict[str, Any]) -> None:
    X, y = rows("squared", 1)
    settles(kn.Network([5, 6, 1]), "squared", X, y, **settings)


def test_predictions_of_no_rows_are_none() -> None:
    network = kn.Network([5, 6, 3])
    for name in ENGINES:
        assert engine(name).scores(network, network.initial(seeds=[0]), np.zeros((0, 5), np.float32), 1).shape == (
            1,
            0,
            3,
        )
