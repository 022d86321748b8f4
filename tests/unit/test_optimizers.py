"""Optimizers against their papers' formulas in plain Python numbers, and at work on two functions."""
# ruff: noqa: ARG001 (one signature for all papers)

import math
from collections.abc import Callable

import numpy as np
import pytest

from kilonet.errors import SettingError
from kilonet.optimizers import (
    SGD,
    Adagrad,
    Adam,
    AdamW,
    Momentum,
    Nesterov,
    Optimizer,
    RMSProp,
    optimizer_from,
    running_power,
)
from kilonet.values import Array

GRADIENTS = [0.5, -2.0, 0.25, 3.0, 0.0]
RATE = 0.1


def sgd(w: float, g: float, memory: dict[str, float], t: int) -> float:
    return w - RATE * g


def momentum(w: float, g: float, memory: dict[str, float], t: int) -> float:
    memory["v"] = 0.9 * memory.get("v", 0.0) + g
    return w - RATE * memory["v"]


def nesterov(w: float, g: float, memory: dict[str, float], t: int) -> float:
    memory["v"] = 0.9 * memory.get("v", 0.0) + g
    return w - RATE * (g + 0.9 * memory["v"])


def rmsprop(w: float, g: float, memory: dict[str, float], t: int) -> float:
    memory["s"] = 0.9 * memory.get("s", 0.0) + 0.1 * g**2
    return w - RATE * g / (math.sqrt(memory["s"]) + 1e-8)


def adagrad(w: float, g: float, memory: dict[str, float], t: int) -> float:
    memory["s"] = memory.get("s", 0.0) + g**2
    return w - RATE * g / (math.sqrt(memory["s"]) + 1e-10)


def adam(w: float, g: float, memory: dict[str, float], t: int) -> float:
    """Algorithm 1 of Kingma & Ba, with both corrected means written out."""
    memory["m"] = 0.9 * memory.get("m", 0.0) + (1 - 0.9) * g
    memory["v"] = 0.999 * memory.get("v", 0.0) + (1 - 0.999) * g**2
    m, v = memory["m"] / (1 - 0.9**t), memory["v"] / (1 - 0.999**t)
    return w - RATE * m / (math.sqrt(v) + 1e-8)


def adamw(w: float, g: float, memory: dict[str, float], t: int) -> float:
    return adam(w * (1 - RATE * 0.01), g, memory, t)


PAPERS: list[tuple[Optimizer, Callable[[float, float, dict[str, float], int], float]]] = [
    (SGD(RATE), sgd),
    (Momentum(RATE), momentum),
    (Nesterov(RATE), nesterov),
    (RMSProp(RATE), rmsprop),
    (Adagrad(RATE), adagrad),
    (Adam(RATE), adam),
    (AdamW(RATE), adamw),
]
EVERY = [optimizer for optimizer, _ in PAPERS]


@pytest.mark.parametrize(("optimizer", "paper"), PAPERS, ids=str)
def test_five_steps_are_those_of_the_paper(optimizer: Optimizer, paper: Callable[..., float]) -> None:
    w, slots = np.array([0.7]), np.zeros((optimizer.n_slots, 1))
    expected, memory = 0.7, dict[str, float]()
    for t, g in enumerate(GRADIENTS, 1):
        w, slots = optimizer.update(w, np.array([g]), slots, RATE, t, np.array([True]))
        expected = paper(expected, g, memory, t)
        assert w[0] == pytest.approx(expected, rel=1e-13)  # a few roundings; bias correction loses a digit


@pytest.mark.parametrize("optimizer", EVERY, ids=str)
def test_updates_are_pure_and_keep_dtype_and_shape(optimizer: Optimizer) -> None:
    random = np.random.default_rng(0)
    w, g = random.normal(size=(2, 3, 4)).astype(np.float32)
    slots = np.zeros((optimizer.n_slots, 3, 4), np.float32)
    kept = w.copy(), g.copy(), slots.copy()
    rates = np.array([[0.1], [0.2], [0.0]])
    is_weight = np.array([True, True, False, False])
    new, moved = optimizer.update(w, g, slots, rates, 3, is_weight)
    assert new.dtype == moved.dtype == np.float32
    assert moved.shape == slots.shape
    for before, after in zip(kept, (w, g, slots), strict=True):
        np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(new[2], w[2])
    alone, _ = optimizer.update(w[1], g[1], slots[:, 1], 0.2, 3, is_weight)
    np.testing.assert_array_equal(new[1], alone)


def test_decay_of_adamw_touches_weights_only() -> None:
    w, g, slots = np.ones(2), np.zeros(2), np.zeros((2, 2))
    new, _ = AdamW(0.1, decay=0.5).update(w, g, slots, 0.1, 1, np.array([True, False]))
    assert new.tolist() == [0.95, 1.0]


@pytest.mark.parametrize(
    ("optimizer", "n_steps"),
    [(SGD(0.1), 200), (Momentum(0.02), 400), (Nesterov(0.02), 400), (RMSProp(0.01), 1000), (Adagrad(0.5), 500),
     (Adam(0.05), 500), (AdamW(0.05, decay=0.0), 500)],
    ids=str,
)  # fmt: skip
def test_every_optimizer_descends_a_parabola(optimizer: Optimizer, n_steps: int) -> None:
    w, slots = np.array([3.0, -2.0]), np.zeros((optimizer.n_slots, 2))
    for t in range(1, n_steps + 1):
        w, slots = optimizer.update(w, w * np.array([1.0, 4.0]), slots, optimizer.rate, t, True)
    assert np.abs(w).max() < 0.02


def test_adam_solves_rosenbrock() -> None:
    def gradient(w: Array) -> Array:
        x, y = w
        return np.array([-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)])

    optimizer = Adam(0.05)
    w, slots = np.array([-1.0, 1.0]), np.zeros((2, 2))
    for t in range(1, 6001):
        w, slots = optimizer.update(w, gradient(w), slots, 0.05, t)
    np.testing.assert_allclose(w, [1.0, 1.0], atol=1e-3)


def test_the_running_power_multiplies_one_by_one() -> None:
    product = 1.0
    for t in range(1, 2000):
        product *= 0.999
        assert running_power(0.999, t) == product
    assert running_power(0.9, np.array([1, 2, 10**9])).tolist()[:2] == [0.9, 0.9 * 0.9]
    assert 1.0 - running_power(0.9, 10**9) == 1.0
    assert running_power(0.0, 5) == 0.0


@pytest.mark.parametrize(
    ("optimizer", "rate", "lower"),
    [(SGD(), 1e20, 0.1), (SGD(3.0), 3.0, 0.3), (SGD(), 0.05, 0.005), (Momentum(), 10.0, 1.0), (Momentum(), 11.0, 0.1),
     (Adam(), 1e20, 1e-3), (Adam((0.1, 0.2)), 0.2, 1e-3), (AdamW(), 0.05, 0.005), (Adagrad(), 2.0, 0.01)],
)  # fmt: skip
def test_a_lower_rate_is_a_tenth_or_the_optimizers_own(optimizer: Optimizer, rate: float, lower: float) -> None:
    assert optimizer.lower_rate(rate) == pytest.approx(lower, rel=1e-12)  # a quotient is rounded


def test_a_rate_is_a_number_or_one_for_each_member() -> None:
    assert SGD([0.1, 0.2]).rate == (0.1, 0.2)  # type: ignore[arg-type]
    assert optimizer_from("adam(1e-2, beta1=0.8)") == Adam(0.01, beta1=0.8)
    assert repr(Adam(3e-3)) == "Adam(rate=0.003)"
    for wrong in (lambda: SGD(-1), lambda: SGD(float("nan")), lambda: Adam(beta1=1.0), lambda: Adam(epsilon=0)):
        with pytest.raises(SettingError, match="came as"):
            wrong()
