"""Losses and scores of many rows, summed in row order in float64, so that batches can be added up."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.residuals import total_squares

Array = NDArray[Any]
Floats = NDArray[np.float64]

WEIGHTED_LOSS, WEIGHT, RIGHT, SQUARES = 0, 1, 2, 4  # columns of the sums; every output has its squares


def row_sum(values: Array) -> Floats:
    """Σ over the last axis in its order, in float64: what NumPy's pairwise sum is not.

    >>> row_sum(np.array([[1.0, 1e16, -1e16]]))
    array([0.])
    """
    total: Floats = np.cumsum(values, axis=-1, dtype=np.float64)[..., -1]
    return total


def value_and_slope(loss: Any, scores: Array, targets: Array, own: bool = False) -> tuple[Array, Array]:
    """Loss (P, b) of every example and its slope (P, b, k); own: targets have a leading P too.

    A loss knows targets of one set of rows only, so members with rows of their own come one after another.
    """
    if not own:
        return loss.value(scores, targets), loss.slope(scores, targets)
    value, slope = np.empty(scores.shape[:2], scores.dtype), np.empty_like(scores)
    for member, rows in enumerate(targets):
        alone, given = loss.members([member]), scores[member : member + 1]
        value[member], slope[member] = alone.value(given, rows)[0], alone.slope(given, rows)[0]
    return value, slope


class Scorer:
    """Turns rows into sums, and sums into mean loss and score, for one set of targets.

    The score is accuracy, or R2 for numbers; total squares are those of all the targets about
    their weighted mean, whichever rows a sum is over.
    """

    def __init__(self, loss: Any, targets: Array, weights: Floats | None) -> None:
        self._loss = loss
        self._kind: str = loss.kind(targets)
        own = weights is not None and weights.ndim == 2
        each = weights if own else [weights]
        found = [total_squares(targets, row) for row in each] if self._kind == "numbers" else [np.zeros(0)]  # type: ignore[union-attr]
        self._total = np.array(found) if own else found[0]  # (k,), or (members, k) where weights are their own

    def sums(self, scores: Array, value: Array, targets: Array, weights: Array) -> Floats:
        """Sums (P, 4 + k) over rows: scores (P, b, k), value and weights (P, b), targets shared or own."""
        sums = np.zeros((len(scores), SQUARES + scores.shape[-1]))
        sums[:, WEIGHTED_LOSS] = row_sum(weights * value)
        sums[:, WEIGHT] = row_sum(weights)
        if self._kind == "numbers":
            squares = weights[..., None] * (scores.astype(np.float64) - targets) ** 2
            sums[:, SQUARES:] = row_sum(squares.swapaxes(-1, -2))
        else:
            sums[:, RIGHT] = row_sum(weights * self._loss.hits(scores, targets))
        return sums

    def results(self, sums: Floats, members: Any = slice(None)) -> tuple[Floats, Floats]:
        """Mean loss (P,) and score (P,) from the sums of some members."""
        loss = sums[:, WEIGHTED_LOSS] / sums[:, WEIGHT]
        if self._kind != "numbers":
            return loss, sums[:, RIGHT] / sums[:, WEIGHT]
        total = self._total[members] if self._total.ndim == 2 else self._total
        squares, constant = sums[:, SQUARES:], total == 0
        share = squares / np.where(constant, 1.0, total)
        # A constant target is either met exactly or not explained at all, as in scikit-learn.
        explained = np.where(constant, squares == 0, 1.0 - share)
        return loss, explained.mean(axis=-1)
