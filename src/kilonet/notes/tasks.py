"""Data that experiments share: real tables that come with scikit-learn, and drawn ones with fixed seeds."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets

Floats = NDArray[Any]
Drawn = tuple[Any, Any]


def standardized(X: Any) -> Floats:
    """Columns with mean 0 and standard deviation 1, constant ones 0, as float32; X (n, n_inputs)."""
    plain = np.asarray(X, np.float64)
    scaled: Floats = (plain - plain.mean(axis=0)) / np.maximum(plain.std(axis=0), 1e-9)
    return scaled.astype(np.float32)


def digits() -> tuple[Floats, NDArray[Any]]:
    """The 1,797 digits of 8 × 8 pixels, standardized: X (1797, 64), y (1797,) of 0 to 9.

    >>> X, y = digits()
    >>> X.shape, y.shape
    ((1797, 64), (1797,))
    """
    X, y = datasets.load_digits(return_X_y=True)
    return standardized(X), y


def _teacher(classes: int) -> Drawn:
    """Rows that a random network of one hidden layer has labelled; all classes are about equally many."""
    rng = np.random.default_rng(classes)
    X = rng.normal(size=(600, 10))
    scores = np.tanh(X @ rng.normal(size=(10, 12))) @ rng.normal(size=(12, classes))
    return X, np.argmax(scores - np.median(scores, axis=0), axis=1)


def _waves() -> Drawn:
    rng = np.random.default_rng(0)
    X = rng.uniform(-2, 2, size=(600, 2))
    return X, np.sin(2 * X[:, 0]) * np.cos(2 * X[:, 1]) + 0.1 * rng.normal(size=600)


_CLASSES: Mapping[str, Callable[[], Drawn]] = {
    "digits": lambda: _first(datasets.load_digits(return_X_y=True)),
    "breast cancer": lambda: datasets.load_breast_cancer(return_X_y=True),
    "wine": lambda: datasets.load_wine(return_X_y=True),
    "iris": lambda: datasets.load_iris(return_X_y=True),
    "moons": lambda: datasets.make_moons(600, noise=0.25, random_state=0),
    "circles": lambda: datasets.make_circles(600, noise=0.15, factor=0.5, random_state=0),
    "shells": lambda: datasets.make_gaussian_quantiles(n_samples=600, n_features=6, n_classes=3, random_state=0),
    "clusters": lambda: datasets.make_classification(
        600, 20, n_informative=8, n_classes=4, n_clusters_per_class=2, random_state=0
    ),
    "teacher of 2 classes": lambda: _teacher(2),
    "teacher of 5 classes": lambda: _teacher(5),
}
_NUMBERS: Mapping[str, Callable[[], Drawn]] = {
    "diabetes": lambda: datasets.load_diabetes(return_X_y=True),
    "friedman": lambda: datasets.make_friedman1(600, noise=1.0, random_state=0),
    "waves": _waves,
    "linear": lambda: datasets.make_regression(600, 15, n_informative=10, noise=20.0, random_state=0),
}
CLASSIFICATIONS, REGRESSIONS = tuple(_CLASSES), tuple(_NUMBERS)


def task(name: str) -> tuple[Floats, NDArray[Any]]:
    """A task of `CLASSIFICATIONS` or `REGRESSIONS`: X (n, n_inputs) standardized; y (n,) classes, or standardized.

    >>> task("moons")[0].shape, round(float(task("waves")[1].std()), 3)
    ((600, 2), 1.0)
    """
    if name in _CLASSES:
        X, y = _CLASSES[name]()
        return standardized(X), np.asarray(y)
    X, y = _NUMBERS[name]()
    return standardized(X), standardized(y)


def _first(data: Drawn) -> Drawn:
    """600 rows, as many as drawn tasks have."""
    return data[0][:600], data[1][:600]
