"""Which rows a step sees: the order of the epoch, the gathering of the rows, the noise on them."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from kilonet import philox
from kilonet.engine.problem import Problem

Array = NDArray[Any]
Floats = NDArray[np.float64]


class Batch(NamedTuple):
    """Rows of one step: shared by the members, or with a leading member axis where orders differ."""

    x: Array  # (b, f) or (P, b, f)
    targets: Array  # (b,) or (b, k), with a leading P where x has one
    weights: Floats | None  # (b,) or (P, b)

    @property
    def n_rows(self) -> int:
        """Number of rows that a member sees."""
        return int(self.x.shape[-2])

    @property
    def own(self) -> bool:
        """Whether every member has rows of its own."""
        return self.x.ndim == 3


class Batches:
    """Cuts every epoch of a problem into batches; members of one order share each of them."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._epoch = -1
        self._permutations: dict[int | None, Array] = {}

    def batch(self, epoch: int, position: int, members: Sequence[int]) -> Batch:
        """The batch at `position` of an epoch, both counted from 0, for some of the members."""
        problem = self._problem
        if epoch != self._epoch:
            self._epoch, self._permutations = epoch, {}
        orders = [problem.recipe.orders[member] for member in members]
        start = position * problem.batch
        cut = slice(start, start + problem.batch)
        if len(set(orders)) == 1:
            rows = self._permutation(orders[0])[cut]
        else:
            rows = np.stack([self._permutation(order)[cut] for order in orders])
        weights = problem.weights
        if weights is not None:  # (P, b) where members or their rows differ
            weights = weights[rows] if weights.ndim == 1 else weights[np.array(members)[:, None], rows]
        return Batch(gather(problem.X, rows), problem.targets[rows], weights)

    def first_rows(self, epoch: int, member: int, count: int) -> Array:
        """Places of the first rows of a member's epoch."""
        if epoch != self._epoch:
            self._epoch, self._permutations = epoch, {}
        return self._permutation(self._problem.recipe.orders[member])[:count]

    @property
    def problem(self) -> Problem:
        """Whose batches they are."""
        return self._problem

    def _permutation(self, order: int | None) -> Array:
        if order not in self._permutations:
            n = self._problem.n_rows
            drawn = np.arange(n) if order is None else philox.permutation(order, self._epoch, n)
            self._permutations[order] = drawn
        return self._permutations[order]


def gather(X: Any, rows: Array | slice) -> Array:
    """Rows of a dense or sparse X as a dense array, shaped like `rows` with the inputs at the end."""
    if not scipy.sparse.issparse(X):
        return np.asarray(X[rows])
    if isinstance(rows, slice) or rows.ndim == 1:
        return np.asarray(X[rows].toarray())
    return np.asarray(X[rows.reshape(-1)].toarray()).reshape(*rows.shape, X.shape[1])


def noisy(x: Array, sigma: Floats, seeds: Array, step: int) -> Array:
    """Add Gaussian noise of standard deviation sigma (P,) to x; without any noise x itself comes back.

    seeds (P,) uint64. Returns (P, b, f) in the dtype of x.
    """
    if not sigma.any():
        return x
    drawn: Array = philox.noise(seeds, step, *x.shape[-2:]).astype(x.dtype)
    return np.asarray(x + sigma.astype(x.dtype)[:, None, None] * drawn)


def dropout_masks(
    shares: Floats, seeds: Array, step: int, n_rows: int, sizes: Sequence[int], dtype: Any
) -> list[Array | None]:
    """Dropout factors of every layer, (P, b, units) in dtype; None for the last layer and for no dropout."""
    if not shares.any():
        return [None] * len(sizes)
    masks: list[Array | None] = [
        philox.dropout_mask(seeds, step, layer, n_rows, units, shares).astype(dtype)
        for layer, units in enumerate(sizes[:-1])
    ]
    return [*masks, None]
