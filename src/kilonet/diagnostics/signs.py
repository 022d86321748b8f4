"""Gradients on some of the rows, and how far the weights of a unit pull in one direction: the zig-zag of the notes."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.diagnostics.subject import Places, Subject, spaced
from kilonet.engine import choose

Array = NDArray[Any]
Floats = NDArray[np.float64]

EXAMPLES, BATCHES = 64, 16  # whose gradients are looked at, at most
_WORK = 1 << 30  # parameters times examples: with larger networks it is fewer examples, but 8 at least


def one_gradient(subject: Subject, places: Places) -> Array:
    """Gradient (n_parameters,) of the mean data loss over some rows, without penalties, dropout and noise."""
    problem = subject.problem
    weights = None if problem.weights is None else problem.weights[places]
    engine = choose(problem.network, problem.loss)
    with np.errstate(all="ignore"):
        rows = problem.X[places], problem.targets[places], weights
        _, gradient = engine.value_and_grad(problem.network, problem.loss, subject.theta[np.newaxis], *rows)
    first: Array = gradient[0]
    return first


def agreements(subject: Subject) -> tuple[list[float], list[float]]:
    """Share of a unit's weight gradients with the more frequent sign, for each layer: of single examples, of batches.

    Gradients of exactly zero count for neither sign, units with fewer than two others not at all; NaN where no unit
    has more. Mean over examples or batches, then over units.
    Source: Stanford CS231n, part 1, on activations that are not centred.
    """
    n, batch = subject.problem.n_rows, subject.problem.batch
    most = min(EXAMPLES, max(8, _WORK // subject.network.n_parameters))
    singles = [np.array([row]) for row in spaced(n, most)]
    apart = -(-n // batch)  # every batch has rows from everywhere, as shuffled ones have
    batches = [np.arange(start, n, apart) for start in spaced(apart, min(BATCHES, most))]
    return _mean_agreement(subject, singles), _mean_agreement(subject, batches)


def _mean_agreement(subject: Subject, pieces: list[Any]) -> list[float]:
    """Agreement of each layer in the gradients of several sets of rows."""
    totals = [np.zeros((2, layer.units)) for layer in subject.network.layers]
    for places in pieces:
        views = subject.network.views(one_gradient(subject, places))
        for total, view in zip(totals, views, strict=True):
            share = agreement(view.W)
            known = np.isfinite(share)
            np.add(total, np.where(known, [share, np.ones_like(share)], 0.0), out=total)
    found = []
    for shares, counts in totals:
        known = counts > 0
        found.append(float(np.mean(shares[known] / counts[known])) if known.any() else float("nan"))
    return found


def agreement(W: Array) -> Floats:
    """Share (units,) of the gradients of each unit's weights with the more frequent sign, NaN for fewer than two.

    W (units, fan_in), or (pieces, units, fan_in) for maxout.

    >>> agreement(np.array([[1.0, 2.0, -3.0, 0.0], [0.0, 0.0, 0.0, 4.0]]))
    array([0.66666667,        nan])
    """
    axes = tuple(axis for axis in range(W.ndim) if axis != W.ndim - 2)
    plus, minus = np.count_nonzero(W > 0, axis=axes), np.count_nonzero(W < 0, axis=axes)
    total = plus + minus
    return np.where(total >= 2, np.maximum(plus, minus) / np.maximum(total, 1), np.nan)
