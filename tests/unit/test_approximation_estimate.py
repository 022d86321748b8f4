"""approximate: the Lipschitz constant that it estimates, and the eps that it advises."""

import re
import warnings
from collections.abc import Callable

import numpy as np
import pytest

from kilonet.approximation import approximate, certify
from kilonet.approximation.design import METHODS, designed
from kilonet.approximation.slopes import estimated
from kilonet.errors import DataError, SettingError


def advised(method: str, d: int, eps: float, lipschitz: float) -> float:
    """The eps that the error for a smaller one names."""
    with pytest.raises(SettingError, match=r"eps=\S+ would do\.") as raised:
        designed(method, np.zeros(d), np.ones(d), eps, lipschitz)
    found = re.search(r"eps=(\S+) would do", str(raised.value))
    assert found is not None
    return float(found[1])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("lipschitz", [1e-7, 0.3, 1.0, 2.0, 3.2, 7.7, 1e9, *np.geomspace(0.5, 5, 20).tolist()])
def test_the_eps_that_is_advised_is_accepted_and_no_other_is_much_smaller(
    method: str, d: int, lipschitz: float
) -> None:
    eps = advised(method, d, 1e-9 * lipschitz, lipschitz)
    designed(method, np.zeros(d), np.ones(d), eps, lipschitz)
    with pytest.raises(SettingError, match="would do"):
        designed(method, np.zeros(d), np.ones(d), 0.97 * eps, lipschitz)


def test_advice_on_a_box_can_be_followed() -> None:
    eps = advised("relu", 2, 0.001, 3.2)
    assert approximate(lambda X: X[:, 0], [0, 0], [1, 1], eps=eps, lipschitz=3.2).bound <= eps


@pytest.mark.parametrize("waves", [512, 1024, 4096])
def test_a_wave_that_is_zero_on_every_regular_grid_is_seen(waves: int) -> None:
    def f(x: np.ndarray) -> np.ndarray:
        return np.sin(2 * np.pi * waves * x)

    made = approximate(f, 0.0, 1.0, eps=0.9)
    assert made.certificate["lipschitz_is"] == "estimated"
    assert made.certificate["lipschitz"] >= 2 * np.pi * waves  # the largest slope that f has
    x = np.random.default_rng(0).uniform(0, 1, 20_000)
    assert np.abs(made(x) - f(x)).max() <= made.bound


@pytest.mark.parametrize(("d", "waves"), [(2, 64), (3, 24), (3, 120)])
def test_so_it_is_on_a_box(d: int, waves: int) -> None:
    found = estimated(lambda X: np.sin(2 * np.pi * waves * X[:, 0]), np.zeros(d), np.ones(d))
    assert 2 * np.pi * waves <= found <= 2.01 * 2 * np.pi * waves


def test_an_estimate_is_the_same_every_time_and_twice_the_slope_whatever_the_unit() -> None:
    for low, high in ((0.0, 1e-20), (-1e20, 3e20), (1e6, 1e6 + 1e-3)):
        first, again = (estimated(lambda x: 3.0 * x, np.array([low]), np.array([high])) for _ in range(2))
        # Neighbours of the grid are 1e-6 apart, where numbers of the last case have steps of 1e-10.
        assert first == again == pytest.approx(6.0, rel=1e-3)


def test_an_estimate_stays_in_the_box() -> None:
    low, high = np.array([-1.0, 2.0]), np.array([0.0, 5.0])

    def f(X: np.ndarray) -> np.ndarray:
        assert ((low <= X) & (high >= X)).all()
        return X.sum(axis=1)

    assert estimated(f, low, high) == pytest.approx(2 * np.sqrt(2))


def test_a_jump_is_told_from_a_constant_that_was_given_too_small() -> None:
    with pytest.raises(DataError) as raised:
        approximate(np.sign, -1, 1, eps=0.1)
    said = str(raised.value)
    assert "no lipschitz was given" in said
    assert "came as" not in said
    assert "A jump has no Lipschitz constant" in said
    with pytest.raises(DataError, match=r"lipschitz came as 0\.5\. Give a larger one"):
        approximate(np.sin, 0.0, 1.0, 0.01, 0.5)


def test_an_eps_too_small_for_an_estimate_says_that_it_is_one() -> None:
    with pytest.raises(SettingError, match=r"an estimated Lipschitz constant of \S+ \(a jump has none\) it needs"):
        approximate(np.sign, -1, 1, eps=1e-5)
    with pytest.raises(SettingError, match=r"with a Lipschitz constant of 1 it needs"):
        approximate(np.sin, 0, 1, eps=1e-7, lipschitz=1.0)


def test_what_is_said_of_an_estimate_says_what_it_does_not_prove() -> None:
    made = approximate(np.sin, 0.0, 3.0, 0.1)
    for said in (str(made), str(certify(made))):
        assert "a function that is steeper than the estimate" in said
    given = approximate(np.sin, 0.0, 3.0, 0.1, 1.0)
    assert "estimate" not in str(given) + str(certify(given))


@pytest.mark.parametrize(
    ("f", "low", "high", "place"),
    [
        (np.log, 0.0, 1.0, r"-inf at x = 0\.0"),
        (np.sqrt, -1.0, 1.0, r"nan at x = -1\.0"),
        (lambda X: 1 / (X[:, 0] + X[:, 1]), [0, 0], [1, 1], r"inf at x = \[0\.0, 0\.0\]"),
    ],
)
@pytest.mark.parametrize("lipschitz", [None, 1.0])
def test_where_a_function_is_not_finite_is_named(
    f: Callable[[np.ndarray], np.ndarray], low: float, high: float, place: str, lipschitz: float | None
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DataError, match=f"f is {place}") as raised:
            approximate(f, low, high, 0.1, lipschitz)
    assert "row" not in str(raised.value)
