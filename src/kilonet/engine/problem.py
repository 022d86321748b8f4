"""What an engine is given: one checked, frozen description of a training problem.

Everything an engine needs is here and has been checked; engines check nothing again. Both engines
have the same face, `Session`, which `kilonet.engine` describes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kilonet.monitors import epochs_apart
from kilonet.network import Network
from kilonet.recipe import Recipe

Floats = NDArray[np.float64]


class Validation(NamedTuple):
    """A validation set: inputs and targets like those of the Problem; weights (n,) or None."""

    X: Any
    targets: NDArray[Any]
    weights: Floats | None


@dataclass(frozen=True, eq=False)
class Problem:
    """Network, loss, data and recipe of one run.

    X (n, n_inputs): C-contiguous array or scipy.sparse CSR (canonical: sorted, no duplicates), in
    the recipe's dtype. targets: what `loss.targets` gives: int32 (n,) for classes, else (n, k) in
    the recipe's dtype. weights: float64 (n,), or (members, n) where each member has its own, sample
    and class weights already multiplied, with positive sums; None for 1 each. validation: None or a
    `Validation` of the same kinds.
    """

    network: Network
    loss: Any
    X: Any
    targets: NDArray[Any]
    weights: Floats | None
    validation: Validation | None
    recipe: Recipe

    def members(self, places: Sequence[int], network: Network | None = None) -> "Problem":
        """The problem of some of the members, with another network where one is given."""
        own = None if self.weights is None else self.weights if self.weights.ndim == 1 else self.weights[list(places)]
        recipe, loss = self.recipe.members(places), self.loss.members(places)
        return replace(self, network=network or self.network, recipe=recipe, loss=loss, weights=own)

    def fits(self, other: "Problem") -> bool:
        """Whether members of both can be one population: the same rows, network, kind of loss and `Recipe.shared`."""
        return (
            self.X is other.X
            and self.network == other.network
            and self.recipe.shared == other.recipe.shared
            and self.loss.fits(other.loss)
            and np.array_equal(self.targets, other.targets)
            and _same_validation(self.validation, other.validation)
        )

    @classmethod
    def joined(cls, problems: Sequence["Problem"]) -> "Problem":
        """One problem of all their members; each has to fit the first."""
        first, recipes = problems[0], [problem.recipe for problem in problems]
        sizes = [recipe.n_members for recipe in recipes]
        weights = first.weights
        if any(not _equal(p.weights, weights) or (p.weights is not None and p.weights.ndim == 2) for p in problems):
            each = [np.ones(p.n_rows) if p.weights is None else p.weights for p in problems]
            rows = [np.broadcast_to(own, (size, first.n_rows)) for own, size in zip(each, sizes, strict=True)]
            weights = np.concatenate(rows)
        loss = first.loss.joined([problem.loss for problem in problems], sizes)
        return replace(first, recipe=Recipe.joined(recipes), loss=loss, weights=weights)

    @property
    def n_rows(self) -> int:
        """Number of training examples."""
        return int(self.X.shape[0])

    @property
    def batch(self) -> int:
        """Rows of a full batch: the recipe's, but never more than there are."""
        return min(self.recipe.batch, self.n_rows)

    @property
    def steps_per_epoch(self) -> int:
        """Batches in an epoch; the last one may be short."""
        return -(-self.n_rows // self.batch)

    def watched(self, epoch: int) -> bool:
        """Whether the networks are looked into in an epoch, counted from 0."""
        apart = epochs_apart(self.recipe.watch, self.n_rows)
        return apart > 0 and epoch % apart == 0

    @property
    def total_steps(self) -> int:
        """Steps of the whole run, which schedules such as cosine refer to."""
        return self.recipe.epochs * self.steps_per_epoch


def _equal(one: Floats | None, other: Floats | None) -> bool:
    return one is other or (one is not None and other is not None and np.array_equal(one, other))


def _same_validation(one: Validation | None, other: Validation | None) -> bool:
    if one is None or other is None:
        return one is other
    return one.X is other.X and np.array_equal(one.targets, other.targets) and _equal(one.weights, other.weights)
