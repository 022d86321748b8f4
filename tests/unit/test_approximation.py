"""approximate: what it builds, how far that is from the function, and what it says."""

import json
from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from kilonet.approximation import Approximation, approximate, certify
from kilonet.approximation.claim import claim_of
from kilonet.approximation.rounding import evaluation_error
from kilonet.errors import DataError, SettingError, ShapeError

METHODS = ["relu", "sigmoid", "bumps"]
LOW, HIGH = {2: [0.0, -1.0], 3: [0.0, -1.0, 2.0]}, {2: [1.0, 0.5], 3: [1.0, 0.0, 2.5]}


def zigzag(x: np.ndarray) -> np.ndarray:
    """The steepest function allowed, turning between samples."""
    return np.abs(((x * 3.7) % 2) - 1) / 3.7


def cone(X: np.ndarray) -> np.ndarray:
    """A peak that no sample meets: as far from a mean of samples as a function with this constant can be."""
    return np.sqrt(((X - 0.31415) ** 2).sum(axis=1))


def dense(made: Approximation, X: np.ndarray) -> np.ndarray:
    """The network's scores by hand, from theta's layout."""
    start, sizes = 0, made.network.sizes
    for number, (fan_in, units) in enumerate(pairwise(sizes), 1):
        W = made.theta[start : start + units * fan_in].reshape(units, fan_in)
        b = made.theta[start + units * fan_in : start + units * (fan_in + 1)]
        start += units * (fan_in + 1)
        X = np.einsum("nk,jk->nj", X, W) + b
        if number < len(sizes) - 1:
            X = (
                np.maximum(X, 0)
                if made.certificate["network"]["activation"] == "relu"
                else 1 / (1 + np.exp(-np.clip(X, -700, 700)))
            )
    return X[:, 0]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-30.0, 50.0), (1000.0, 1000.5)])
def test_an_interval_is_one_hidden_layer_within_eps(method: str, low: float, high: float) -> None:
    eps = (high - low) / 57
    made = approximate(zigzag, low, high, eps, 1.0, method)
    x = np.linspace(low, high, 20_011)
    assert len(made.network.layers) == 2
    assert made.theta.shape == (made.network.n_parameters,)
    assert made.theta.dtype == np.float64
    assert np.abs(made(x) - zigzag(x)).max() <= made.bound <= eps
    certify(made.certificate, zigzag)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("d", [2, 3])
def test_a_box_is_two_hidden_layers_within_eps(method: str, d: int) -> None:
    eps = {2: 0.25, 3: 0.7}[d]
    made = approximate(cone, LOW[d], HIGH[d], eps, 1.0, method)
    X = np.random.default_rng(0).uniform(LOW[d], HIGH[d], (20_000, d))
    assert len(made.network.layers) == 3
    assert np.abs(made(X) - cone(X)).max() <= made.bound <= eps
    certify(made.certificate, cone)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_samples_are_met_and_scores_are_those_of_theta(method: str, d: int) -> None:
    low, high = (0.0, 1.0) if d == 1 else (LOW[d], HIGH[d])

    def wave(X: np.ndarray) -> np.ndarray:
        return np.cos(X) if X.ndim == 1 else np.cos(X).mean(axis=1)

    made = approximate(wave, low, high, 0.6 * d, 1.0, method)
    grid = np.stack([part.ravel() for part in np.meshgrid(*made.certificate["axes"], indexing="ij")], axis=1)
    # A steep sigmoid is 1e-14 from 0 and 1 at the samples; the rest is rounding.
    assert np.abs(dense(made, grid) - made.certificate["values"]).max() < 1e-11
    assert np.abs(made(grid) - dense(made, grid)).max() < 1e-11
    assert np.array_equal(made.certificate["network"]["theta"], made.theta)


def test_relu_units_of_an_interval_join_samples_by_straight_lines() -> None:
    made = approximate(np.sin, 0.0, 2.0, 0.2, 1.0)
    x = np.linspace(0, 2, 101)
    assert made(x) == pytest.approx(np.interp(x, made.certificate["axes"][0], made.certificate["values"]), abs=1e-14)


def test_bumps_are_the_sum_of_indicators_away_from_their_sides() -> None:
    made = approximate(np.sin, 0.0, 2.0, 0.2, 1.0, "bumps")
    centres, c = np.array(made.certificate["axes"][0]), np.array(made.certificate["values"])
    h = centres[1] - centres[0]
    x = np.concatenate([centres, centres - 0.46 * h, centres + 0.46 * h])
    indicators = ((x[:, None] > centres - h / 2) & (x[:, None] < centres + h / 2)) @ c
    assert made(x) == pytest.approx(indicators, abs=1e-12)


def test_it_says_what_it_built() -> None:
    said = str(approximate(np.sin, 0.0, 1.0, 0.1, 1.0))
    assert said == (
        "1 hidden layer of 6 relu units: within 0.0833 of every function through 7 samples "
        "with the Lipschitz constant 1"
    )
    assert "2 hidden layers of" in str(approximate(cone, LOW[2], HIGH[2], 0.4, 1.0))


def test_without_a_lipschitz_constant_there_is_an_estimate_that_says_so() -> None:
    made = approximate(np.sin, 0.0, 3.0, 0.1)
    assert made.certificate["lipschitz_is"] == "estimated"
    assert made.certificate["lipschitz"] == pytest.approx(2.0, rel=1e-3)  # twice the steepest slope that it saw
    assert "an estimated Lipschitz constant" in str(made)
    assert "an estimated Lipschitz constant" in str(certify(made.certificate))


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_needs_no_more_than_the_least_network(method: str) -> None:
    made = approximate(lambda x: np.full(len(x), 2.5), 0.0, 1.0, 1e-9, 0.0, method)
    assert made.network.n_neurons <= 3
    assert made(np.array([0.3])) == pytest.approx([2.5], abs=1e-12)
    certify(made.certificate)


def test_an_eps_that_needs_too_much_names_one_that_would_do() -> None:
    with pytest.raises(SettingError, match=r"sizes 1-5,050,511-1, and at most .* eps=7\.58e-07 would do\.") as raised:
        approximate(np.sin, 0.0, 1.0, 1e-7, 1.0)
    offered = float(str(raised.value).split("eps=")[1].split()[0])
    assert approximate(np.sin, 0.0, 1.0, offered, 1.0).bound <= offered
    with pytest.raises(SettingError, match=r"sizes 3-.* would do\."):
        approximate(cone, LOW[3], HIGH[3], 1e-3, 1.0)


def test_an_eps_below_rounding_is_refused() -> None:
    with pytest.raises(SettingError, match=r"rounding in float64 leaves .* larger eps"):
        approximate(np.sin, 1e9, 1e9 + 1e-3, 1e-6, 1.0)


def test_a_function_that_shows_itself_to_be_steeper_is_refused() -> None:
    with pytest.raises(DataError, match=r"rises by 0\.99.* lipschitz came as 0\.5"):
        approximate(np.sin, 0.0, 1.0, 0.01, 0.5)


@pytest.mark.parametrize(
    ("f", "fault", "says"),
    [
        (lambda _: 3.0, ShapeError, "returned 3.0; needs an array of 7 numbers"),
        (lambda x: x[:-1], ShapeError, "needs an array of 7 numbers"),
        (lambda x: x[:, None], ShapeError, "needs an array of 7 numbers"),
        (lambda _: "text", ShapeError, "returned 'text'"),
        (lambda x: x + np.nan, DataError, "f is nan at x = 0.0"),
    ],
)
def test_what_a_function_must_return(f: Callable[[Any], Any], fault: type[Exception], says: str) -> None:
    with pytest.raises(fault, match=says):
        approximate(f, 0.0, 1.0, 0.1, 1.0)


@pytest.mark.parametrize(
    ("low", "high", "settings", "says"),
    [
        (1.0, 1.0, {}, "low below high"),
        (0.0, np.inf, {}, "high came as inf"),
        (0.0, [1.0], {}, "two numbers, or two sequences"),
        ([0] * 4, [1] * 4, {}, "one to three numbers"),
        ([[0.0]], [[1.0]], {}, "one to three numbers"),
        (0.0, 1.0, {"eps": 0.0}, "eps came as 0.0"),
        (0.0, 1.0, {"lipschitz": -1.0}, "lipschitz came as -1.0"),
        (0.0, 1.0, {"method": "bump"}, "Did you mean bumps"),
    ],
)
def test_settings_are_checked(low: Any, high: Any, settings: dict[str, Any], says: str) -> None:
    with pytest.raises(SettingError, match=says):
        approximate(np.sin, low, high, **({"eps": 0.1, "lipschitz": 1.0} | settings))


def test_points_are_checked() -> None:
    made = approximate(np.sin, 0.0, 1.0, 0.1, 1.0)
    assert made([0.5]).shape == made([[0.5]]).shape == (1,)
    with pytest.raises(ShapeError, match=r"needs \(n,\)"):
        made([[0.5, 0.5]])
    with pytest.raises(ShapeError, match=r"needs \(n, 2\)"):
        approximate(cone, LOW[2], HIGH[2], 0.4, 1.0)(np.zeros((1, 3)))


@pytest.mark.parametrize("d", [1, 2])
def test_rounding_counts_in_any_order_of_sums(d: int) -> None:
    low, high = (1000.0, 1001.0) if d == 1 else ([1000.0] * 2, [1001.0] * 2)
    f = zigzag if d == 1 else (lambda X: zigzag(X).mean(axis=1))
    made = approximate(f, low, high, 0.2, 1.0)
    claim = claim_of(json.dumps(made.certificate))
    rng, largest = np.random.default_rng(0), 0.0
    for x in rng.uniform(1000, 1001, (20, d)):
        exact = [Fraction(v) for v in x]
        for weight, bias in zip(claim.weights, claim.biases, strict=True):
            z = [
                sum(map(Fraction.__mul__, map(Fraction, row), exact), Fraction(b))
                for row, b in zip(weight, bias, strict=True)
            ]
            exact = [max(v, Fraction(0)) for v in z] if len(z) > 1 else z
        for _ in range(5):
            a = x
            for weight, bias in zip(claim.weights, claim.biases, strict=True):
                order = rng.permutation(len(a))
                a = np.cumsum(np.column_stack([weight[:, order] * a[order], bias]), axis=1)[:, -1]
                a = np.maximum(a, 0) if len(a) > 1 else a
            largest = max(largest, float(abs(Fraction(a[0]) - exact[0])))
    assert 0 < largest <= evaluation_error(claim) < 1e6 * largest
