"""Which rows are held out to judge by."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

Places = NDArray[np.intp]


class Split(NamedTuple):
    """Places of the training rows and of the held-out rows, and in words how they were drawn."""

    train: Places
    held_out: Places
    how: str


def split_rows(y: NDArray[Any], fraction: float, seed: int, classes: bool) -> Split:
    """Hold out a share of the rows: each class's own share of it where `classes` and the counts allow.

    Where nothing stands against it these are exactly the rows of scikit-learn's
    train_test_split(X, y, test_size=fraction, random_state=seed, stratify=y), so that Python can repeat them.

    >>> split = split_rows(np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1]), 0.2, seed=0, classes=True)
    >>> len(split.train), len(split.held_out), split.how
    (8, 2, 'drawn from every class with seed 0')
    """
    places = np.arange(len(y))
    held = math.ceil(fraction * len(y))
    if fraction == 0 or held >= len(y):
        return Split(places, places[:0], "no rows, as asked" if fraction == 0 else "no rows, because there are too few")
    if not classes:
        train, held_out = train_test_split(places, test_size=fraction, random_state=seed)
        return Split(train, held_out, f"drawn with seed {seed}")
    counts = np.unique(y, return_counts=True)[1]
    if counts.min() > 1 and min(held, len(y) - held) >= len(counts):
        train, held_out = train_test_split(places, test_size=fraction, random_state=seed, stratify=y)
        if len(np.unique(y[train])) == len(counts):  # a large fraction may take the last row of a class
            return Split(train, held_out, f"drawn from every class with seed {seed}")
    return _keep_one_of_each(y, held, seed)


def _keep_one_of_each(y: NDArray[Any], held: int, seed: int) -> Split:
    """For rare classes: one row of each stays in training, because nothing can be learned of a class without rows."""
    order = np.random.default_rng(seed).permutation(len(y))
    kept = np.unique(y[order], return_index=True)[1]
    free = np.delete(order, kept)
    held_out = free[:held]
    train = np.setdiff1d(order, held_out)
    if len(held_out) == 0:
        return Split(train, held_out, "no rows, because every class has a single row")
    how = f"drawn with seed {seed} (one row of each class stays in training, since some classes are rare)"
    return Split(train, held_out, how)
