"""Runs for `benchmarks/diagnosing.py`: healthy ones, drawn at random, and faults that are planted in them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import kilonet as kn

Floats = NDArray[np.float64]

TEST = 2000  # rows that decide what a fault has cost


@dataclass
class Case:
    """Rows to train on, to watch and to test with, and what is trained on them."""

    X: Floats
    y: Any
    held_out: tuple[Floats, Any]
    test: tuple[Floats, Any]
    settings: dict[str, Any]
    classes: int

    def every(self, change: Callable[[Floats], Floats]) -> None:
        """The same change of all inputs."""
        self.X, self.held_out, self.test = change(self.X), *((change(X), y) for X, y in (self.held_out, self.test))

    def estimator(self) -> Any:
        """What is to be fitted."""
        kind = kn.MLPClassifier if self.classes else kn.MLPRegressor
        return kind(**self.settings, validation_data=self.held_out)


# Tasks: (random, rows) to standardized inputs and a target.
def blobs(random: np.random.Generator, n: int) -> tuple[Floats, Any, int]:
    """Classes around centres."""
    classes, inputs = int(random.integers(2, 7)), int(random.integers(3, 16))
    centres = random.normal(size=(classes, inputs)) * 2.5
    y = random.integers(0, classes, n)
    return centres[y] + random.normal(size=(n, inputs)), y, classes


def teacher(random: np.random.Generator, n: int) -> tuple[Floats, Any, int]:
    """Classes by a random network of few units."""
    classes, inputs = int(random.integers(2, 5)), int(random.integers(4, 12))
    X = random.normal(size=(n, inputs))
    first, last = random.normal(size=(inputs, 6)), random.normal(size=(6, classes))
    scores = np.tanh(X @ first / math.sqrt(inputs) * 1.5) @ last
    return X, np.argmax(scores + 0.1 * random.normal(size=scores.shape), axis=1), classes


def rings(random: np.random.Generator, n: int) -> tuple[Floats, Any, int]:
    """A ball within a shell, and inputs that tell nothing."""
    inputs, useful = int(random.integers(3, 9)), 3
    X = random.normal(size=(n, inputs))
    return X, ((X[:, :useful] ** 2).sum(axis=1) > 2.4).astype(int), 2


def surface(random: np.random.Generator, n: int) -> tuple[Floats, Any, int]:
    """A smooth surface with noise: a regression."""
    inputs = int(random.integers(3, 12))
    X = random.normal(size=(n, inputs))
    y = np.sin(1.5 * X[:, 0]) + 0.5 * X[:, 1] * X[:, 2] + 0.3 * X @ random.normal(size=inputs)
    return X, 10 + 5 * (y + 0.2 * random.normal(size=n)), 0


TASKS = (blobs, teacher, rings, surface)
HIDDEN = ((16,), (32,), (64,), (100,), (32, 32), (64, 64), (64, 32, 16))
OPTIMIZERS: tuple[dict[str, Any], ...] = (
    {"optimizer": "adam", "rate": 1e-3}, {"optimizer": "adam", "rate": 3e-3}, {"optimizer": "sgd", "rate": 0.05},
    {"optimizer": "momentum", "rate": 0.01},
)  # fmt: skip
UNITS = ("relu", "relu", "leaky_relu", "tanh", "elu", "gelu")


def drawn(random: np.random.Generator) -> Case:
    """A healthy case; no class has ten times the rows of another."""
    n, even = int(random.integers(1500, 3000)), False
    while not even:
        X, y, classes = TASKS[int(random.integers(len(TASKS)))](random, n + TEST + n // 4)
        rows = np.bincount(y[:n], minlength=classes) if classes else np.ones(1)
        even = bool(rows.max() < 8 * rows.min())
    X = (X - X[:n].mean(axis=0)) / X[:n].std(axis=0)
    cut = n + n // 4
    settings: dict[str, Any] = {
        "hidden": HIDDEN[int(random.integers(len(HIDDEN)))], "activation": UNITS[int(random.integers(len(UNITS)))],
        "l2": float(random.choice([1e-4, 1e-3])), "epochs": int(random.integers(20, 60)), "encode": None,
        "random_state": int(random.integers(2**31)), "batch": int(random.choice([32, 64])), "dtype": "float32",
    }  # fmt: skip
    settings |= OPTIMIZERS[int(random.integers(len(OPTIMIZERS)))]
    return Case(X[:n], y[:n], (X[n:cut], y[n:cut]), (X[cut:], y[cut:]), settings, classes)


def small(task: Callable[..., tuple[Floats, Any, int]], seed: int = 0, n: int = 800, **settings: Any) -> Case:
    """A healthy case that is trained and looked at in an instant: what `drawn` draws is the same for every call."""
    X, y, classes = task(np.random.default_rng(seed), 2 * n)
    X, cut = (X - X[:n].mean(axis=0)) / X[:n].std(axis=0), n + n // 2
    usual = {"hidden": (32,), "epochs": 40, "rate": 0.01, "encode": None, "random_state": seed, "batch": 32}
    return Case(X[:n], y[:n], (X[n:cut], y[n:cut]), (X[cut:], y[cut:]), usual | settings, classes)


# Faults: each changes a case; the causes that count as named right.
def rate_too_high(case: Case, random: np.random.Generator) -> None:
    """A rate at which the network cannot learn."""
    adaptive = case.settings["optimizer"] == "adam"
    case.settings["rate"] = (
        float(10 ** random.uniform(-0.3, 1.0)) if adaptive else float(10 ** random.uniform(0.3, 1.5))
    )


def rate_too_low(case: Case, random: np.random.Generator) -> None:
    """A rate at which nothing happens."""
    case.settings["rate"] *= float(10 ** random.uniform(-4.5, -3))


def unscaled(case: Case, random: np.random.Generator) -> None:
    """Inputs of other units: one, or all of them."""
    inputs = case.X.shape[1]
    factor = np.ones(inputs)
    chosen = slice(None) if random.random() < 0.5 else int(random.integers(inputs))
    factor[chosen] = 10 ** random.uniform(2, 4)
    case.every(lambda X: X * factor)


def shifted(case: Case, random: np.random.Generator) -> None:
    """Inputs far from zero."""
    offset = random.uniform(50, 500)
    case.every(lambda X: X + offset)


def large_weights(case: Case, random: np.random.Generator) -> None:
    """Initial weights with a deviation of 5 to 16: 6 to 90 times too large, the more so the more inputs a layer has."""
    case.settings["initializer"] = kn.scaled(float(10 ** random.uniform(0.7, 1.2)))


def forgetting(case: Case, random: np.random.Generator) -> None:
    """A penalty that is stronger than what the data say."""
    case.settings["l2"] = float(10 ** random.uniform(-0.5, 0.9))


def fading(case: Case, random: np.random.Generator) -> None:
    """Many layers of sigmoid units, through which no gradient comes."""
    del random
    case.settings |= {"hidden": (32,) * 7, "activation": "sigmoid"}


def over_fitting(case: Case, random: np.random.Generator) -> None:
    """Few rows with wrong labels, a large network, many epochs."""
    n = int(random.integers(100, 180))
    case.X, case.y = case.X[:n], case.y[:n].copy()
    wrong = random.random(n) < 0.2
    case.y[wrong] = random.permutation(case.y)[wrong]
    case.settings |= {"hidden": (200, 200), "epochs": 300, "l2": 0.0, "optimizer": "adam", "rate": 1e-3}


def contradicting(case: Case, random: np.random.Generator) -> None:
    """A tenth of the rows twice, with another target."""
    places = random.choice(len(case.X), len(case.X) // 10, replace=False)
    others = (case.y[places] + 1) % case.classes
    case.X, case.y = np.concatenate([case.X, case.X[places]]), np.concatenate([case.y, others])


def leaking(case: Case, random: np.random.Generator) -> None:
    """A column that tells the target."""
    place = int(random.integers(case.X.shape[1]))

    def told(X: Floats, y: Any) -> Floats:
        found, numbers = X.copy(), np.asarray(y, np.float64)
        found[:, place] = (numbers - case.y.mean()) / case.y.std() + 0.01 * random.normal(size=len(X))
        return found

    case.held_out, case.test = ((told(X, y), y) for X, y in (case.held_out, case.test))
    case.X = told(case.X, case.y)


def duplicated(case: Case, random: np.random.Generator) -> None:
    """Columns that are there twice."""
    place = int(random.integers(case.X.shape[1]))
    case.every(lambda X: np.concatenate([X, X[:, [place]]], axis=1))


def imbalanced(case: Case, random: np.random.Generator) -> None:
    """A class of which only few rows are left."""
    kept = (case.y != 0) | (random.random(len(case.y)) < 0.02)
    kept[np.flatnonzero(case.y == 0)[:4]] = True
    case.X, case.y = case.X[kept], case.y[kept]


def pale(case: Case, random: np.random.Generator) -> None:
    """Inputs so small that biases decide alone."""
    factor = 10 ** random.uniform(-4, -2.5)
    case.every(lambda X: X * factor)


def one_signed(case: Case, random: np.random.Generator) -> None:
    """Inputs that are never below zero, such as counts and brightness."""
    lowest = case.X.min(axis=0) - random.uniform(0, 1)
    case.every(lambda X: np.maximum(X - lowest, 0))


@dataclass(frozen=True)
class Sloped:
    """Tanh whose slope is off by a factor."""

    factor: float

    def value(self, z: Floats) -> Floats:  # noqa: D102 - as of any activation
        return np.tanh(z)

    def slope(self, z: Floats) -> Floats:  # noqa: D102
        return self.factor * (1 - np.tanh(z) ** 2)


def wrong_slope(case: Case, random: np.random.Generator) -> None:
    """An activation of one's own whose slope does not belong to its value."""
    case.settings["activation"] = Sloped(float(random.choice([-1, 1]) * random.uniform(1.05, 2)))


@dataclass(frozen=True)
class Fault:
    """How it is planted, what counts as its cause, and whether parameters can repair it; of classes alone or of all."""

    plant: Callable[[Case, np.random.Generator], None]
    causes: Sequence[str]
    repairable: bool
    classes: bool = False


FAULTS = (
    Fault(rate_too_high, ("rate",), True),
    Fault(rate_too_low, ("low rate",), True),
    Fault(unscaled, ("inputs",), True),
    Fault(shifted, ("inputs",), True),
    Fault(large_weights, ("initial weights",), True),
    Fault(forgetting, ("l2",), True),
    Fault(fading, ("activation", "initial weights"), True),
    Fault(over_fitting, ("over-fitting",), True, classes=True),
    Fault(contradicting, ("labels",), False, classes=True),
    Fault(leaking, ("leak",), False),
    Fault(duplicated, ("duplicated",), False),
    Fault(imbalanced, ("imbalance",), False, classes=True),
    Fault(pale, ("inputs",), True),
    Fault(one_signed, ("inputs",), True),
    Fault(wrong_slope, ("gradient",), False),
)
