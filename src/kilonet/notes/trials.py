"""What experiments that compare units share: small tasks, and held-out losses at each unit's own best settings.

Nothing here is a claim. Splits of the rows are the unit of comparison within a task, tasks the one across tasks.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn import datasets

from kilonet.errors import DivergenceWarning
from kilonet.losses import cross_entropy, squared
from kilonet.measured import Text
from kilonet.network import Network
from kilonet.notes.tasks import standardized
from kilonet.record import Runs
from kilonet.training import train

Array = NDArray[Any]
Floats = NDArray[np.float64]

ORDERS = 4  # of the rows; seeds beyond share them
HELD_OUT = 4  # one row of so many is held out
TEST_TO_TRAIN = 1 / (HELD_OUT - 1)


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


def pixels(rows: int) -> tuple[Array, Array]:
    """The first so many digits after a fixed shuffle: X (rows, 64) in [0, 1], float32, and y (rows,)."""
    X, y = datasets.load_digits(return_X_y=True)
    kept = np.random.default_rng(0).permutation(len(X))[:rows]
    return (X[kept] / 16).astype(np.float32), y[kept]


def digits(rows: int) -> tuple[Array, Array]:
    """The same digits, standardized."""
    X, y = pixels(rows)
    return standardized(X), y


def _spirals() -> tuple[Array, Array]:
    random = np.random.default_rng(0)
    angle, side = 3 * np.pi * np.sqrt(random.uniform(size=400)), random.integers(0, 2, 400)
    points = np.stack([angle * np.cos(angle + np.pi * side), angle * np.sin(angle + np.pi * side)], axis=1)
    return points / 9 + random.normal(0, 0.05, points.shape), side


def _squares() -> tuple[Array, Array]:
    X = np.random.default_rng(1).uniform(-2, 2, (400, 2))
    return X, np.floor(X).sum(axis=1).astype(int) % 2


def _waves() -> tuple[Array, Array]:
    random = np.random.default_rng(3)
    X = random.uniform(-1, 1, (300, 1))
    return X, np.sin(9 * X[:, 0]) + random.normal(0, 0.2, 300)


def _saddle() -> tuple[Array, Array]:
    random = np.random.default_rng(4)
    X = random.normal(size=(300, 4))
    return X, X[:, 0] * X[:, 1] + random.normal(0, 0.2, 300)


def _shells() -> tuple[Array, Array]:
    X = np.random.default_rng(2).normal(size=(400, 6))
    return X, (np.linalg.norm(X, axis=1) > 2.3).astype(int)


_MADE: dict[Text, Callable[[], Any]] = {
    Text("digits", "숫자 이미지"): lambda: digits(400),
    Text("breast cancer", "유방암"): lambda: datasets.load_breast_cancer(return_X_y=True),
    Text("wine", "와인"): lambda: datasets.load_wine(return_X_y=True),
    Text("diabetes", "당뇨병"): lambda: datasets.load_diabetes(return_X_y=True),
    Text("friedman", "프리드먼 함수"): lambda: datasets.make_friedman1(400, noise=1.0, random_state=0),
    Text("moons", "초승달"): lambda: datasets.make_moons(400, noise=0.2, random_state=0),
    Text("spirals", "나선"): _spirals,
    Text("squares", "체크무늬"): _squares,
    Text("shells", "구 껍질"): _shells,
    Text("waves", "사인파"): _waves,
    Text("saddle", "안장면"): _saddle,
    Text("iris", "붓꽃"): lambda: datasets.load_iris(return_X_y=True),
}


def trained(network: Network, loss: Any, X: Any, y: Any, **settings: Any) -> Runs:
    """`kilonet.train` without its warning of diverged members: rates are tried of which some are too high."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DivergenceWarning)
        return train(network, loss, X, y, **settings)


@cache
def tasks() -> tuple[Task, ...]:
    """Twelve small tasks: five data sets inside scikit-learn, seven that are made from fixed seeds."""
    return tuple(_task(title, *make()) for title, make in _MADE.items())


def _task(title: Text, X: Any, y: Any) -> Task:
    y = (y - y.mean()) / y.std() if y.dtype.kind == "f" else y
    return Task(title, standardized(X), y)


@dataclass(frozen=True)
class Grid:
    """What is tried of each unit on each split: every rate with every λ, from so many seeds."""

    rates: Sequence[float]
    penalties: Sequence[float]
    seeds: int
    epochs: int
    splits: int


def held_out(task: Task, unit: str, hidden: Sequence[int], grid: Grid) -> tuple[Floats, Floats]:
    """Losses of the last epoch, held-out and of training: each (splits, candidates), means over seeds.

    All candidates and seeds of a split are one population, trained by Adam. A run that diverged counts as infinitely
    bad.
    """
    candidates = [(rate, penalty) for rate in grid.rates for penalty in grid.penalties]
    each = [(*candidate, seed) for candidate in candidates for seed in range(grid.seeds)]
    rates, penalties, seeds = (list(values) for values in zip(*each, strict=True))
    network = Network([task.X.shape[1], *hidden, task.n_outputs], activation=unit)
    found = np.empty((2, grid.splits, len(candidates)))
    for split in range(grid.splits):
        rows = np.random.default_rng(split).permutation(len(task.X))
        test, training = np.split(rows, [len(rows) // HELD_OUT])
        runs = trained(
            network, task.loss, task.X[training], task.y[training], seeds=seeds, order=[s % ORDERS for s in seeds],
            rate=rates, l2=penalties, epochs=grid.epochs, validation=(task.X[test], task.y[test]), watch=0,
            n_threads=1,
        )  # fmt: skip
        for place, losses in enumerate((runs.history.validation_loss[-1], runs.history.loss[-1])):
            finite = np.where(np.isfinite(losses), losses, np.inf)
            found[place, split] = finite.reshape(len(candidates), grid.seeds).mean(axis=1)
    return found[0], found[1]


def own_best(losses: ArrayLike) -> Floats:
    """The loss (splits,) of the candidate that is best on all other splits, so that no split chooses for itself.

    losses (splits, candidates).

    >>> own_best(np.array([[1.0, 2.0], [1.0, 2.0], [9.0, 2.0]]))
    array([2., 2., 9.])
    """
    table = np.asarray(losses, np.float64)
    others = np.array([np.delete(table, split, axis=0).sum(axis=0) for split in range(len(table))])
    found: Floats = table[np.arange(len(table)), others.argmin(axis=1)]
    return found
