"""Data that experiments share: real tables that come with scikit-learn, and drawn ones with fixed seeds."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets

from kilonet.losses import cross_entropy, squared
from kilonet.measured import Text

Array = NDArray[Any]
Floats = NDArray[np.float64]
Drawn = tuple[Any, Any]

DIGITS = 1797  # how many there are
_ROWS = 400  # of digits and of drawn tasks


@dataclass(frozen=True, eq=False)
class Task:
    """Rows X (n, inputs), standardized, float32, and targets y (n,): classes, or standardized numbers."""

    title: Text
    X: Array
    y: Array

    @property
    def loss(self) -> Any:
        """The loss that fits the targets."""
        return squared if self.y.dtype.kind == "f" else cross_entropy

    @property
    def n_outputs(self) -> int:
        """How many scores it needs."""
        return 1 if self.y.dtype.kind == "f" else int(self.y.max()) + 1


def standardized(X: Any) -> Array:
    """Columns with mean 0 and standard deviation 1, constant ones 0, as float32; X (n,) or (n, n_inputs)."""
    plain = np.asarray(X, np.float64)
    scaled: Array = (plain - plain.mean(axis=0)) / np.maximum(plain.std(axis=0), 1e-9)
    return scaled.astype(np.float32)


def pixels(rows: int = DIGITS) -> tuple[Array, Array]:
    """The first so many digits after a fixed shuffle: X (rows, 64) in [0, 1], float32, and y (rows,) of 0 to 9."""
    X, y = datasets.load_digits(return_X_y=True)
    kept = np.random.default_rng(0).permutation(len(X))[:rows]
    return (X[kept] / 16).astype(np.float32), y[kept]


def digits(rows: int = DIGITS) -> tuple[Array, Array]:
    """The same digits, standardized.

    >>> X, y = digits()
    >>> X.shape, y.shape
    ((1797, 64), (1797,))
    """
    X, y = pixels(rows)
    return standardized(X), y


def _spirals() -> Drawn:
    random = np.random.default_rng(0)
    angle, side = 3 * np.pi * np.sqrt(random.uniform(size=_ROWS)), random.integers(0, 2, _ROWS)
    points = np.stack([angle * np.cos(angle + np.pi * side), angle * np.sin(angle + np.pi * side)], axis=1)
    return points / 9 + random.normal(0, 0.05, points.shape), side


def _squares() -> Drawn:
    X = np.random.default_rng(1).uniform(-2, 2, (_ROWS, 2))
    return X, np.floor(X).sum(axis=1).astype(int) % 2


def _shells() -> Drawn:
    X = np.random.default_rng(2).normal(size=(_ROWS, 6))
    return X, (np.linalg.norm(X, axis=1) > 2.3).astype(int)


def _waves() -> Drawn:
    random = np.random.default_rng(3)
    X = random.uniform(-1, 1, (_ROWS, 1))
    return X, np.sin(9 * X[:, 0]) + random.normal(0, 0.2, _ROWS)


def _saddle() -> Drawn:
    random = np.random.default_rng(4)
    X = random.normal(size=(_ROWS, 4))
    return X, X[:, 0] * X[:, 1] + random.normal(0, 0.2, _ROWS)


def _teacher(classes: int) -> Drawn:
    """Rows that a random network of one hidden layer has labelled; all classes are about equally many."""
    random = np.random.default_rng(classes)
    X = random.normal(size=(_ROWS, 10))
    scores = np.tanh(X @ random.normal(size=(10, 12))) @ random.normal(size=(12, classes))
    return X, np.argmax(scores - np.median(scores, axis=0), axis=1)


def _clusters() -> Drawn:
    made: Drawn = datasets.make_classification(
        _ROWS, 20, n_informative=8, n_classes=4, n_clusters_per_class=2, random_state=0
    )
    return made


_MADE: dict[Text, Callable[[], Drawn]] = {
    Text("digits", "손글씨 숫자"): lambda: digits(_ROWS),
    Text("breast cancer", "유방암"): lambda: datasets.load_breast_cancer(return_X_y=True),
    Text("wine", "와인"): lambda: datasets.load_wine(return_X_y=True),
    Text("diabetes", "당뇨병"): lambda: datasets.load_diabetes(return_X_y=True),
    Text("iris", "붓꽃"): lambda: datasets.load_iris(return_X_y=True),
    Text("moons", "초승달"): lambda: datasets.make_moons(_ROWS, noise=0.2, random_state=0),
    Text("circles", "동심원"): lambda: datasets.make_circles(_ROWS, noise=0.15, factor=0.5, random_state=0),
    Text("spirals", "나선"): _spirals,
    Text("squares", "체크무늬"): _squares,
    Text("shells", "구 껍질"): _shells,
    Text("clusters", "군집"): _clusters,
    Text("teacher of 2 classes", "교사 신경망(클래스 2개)"): lambda: _teacher(2),
    Text("teacher of 5 classes", "교사 신경망(클래스 5개)"): lambda: _teacher(5),
    Text("friedman", "프리드먼 함수"): lambda: datasets.make_friedman1(_ROWS, noise=1.0, random_state=0),
    Text("waves", "사인파"): _waves,
    Text("saddle", "안장면"): _saddle,
    Text("linear", "선형 함수"): lambda: datasets.make_regression(
        _ROWS, 15, n_informative=10, noise=20.0, random_state=0
    ),
}
_REAL = 5  # of them come first


@cache
def tasks() -> tuple[Task, ...]:
    """Seventeen small tasks: five data sets inside scikit-learn, twelve that are made from fixed seeds.

    >>> len(tasks()), tasks()[5].X.shape, round(float(tasks()[14].y.std()), 3)
    (17, (400, 2), 1.0)
    """
    return tuple(_task(title, *make()) for title, make in _MADE.items())


def real() -> tuple[Task, ...]:
    """The data sets among them.

    >>> [task.title.en for task in real()]
    ['digits', 'breast cancer', 'wine', 'diabetes', 'iris']
    """
    return tasks()[:_REAL]


def _task(title: Text, X: Any, y: Any) -> Task:
    return Task(title, standardized(X), standardized(y) if np.asarray(y).dtype.kind == "f" else np.asarray(y))
