"""The values of a function at points and on grids, and what to say where it gives none."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kilonet.approximation.outward import Floats
from kilonet.checks import shown
from kilonet.errors import DataError, ShapeError


def sampled(f: Callable[[Any], Any], axes: Sequence[Floats]) -> Floats:
    """The values of f at every point of a grid, one axis for each dimension; errors are those of `evaluated`."""
    return evaluated(f, grid(axes)).reshape([len(axis) for axis in axes])


def grid(axes: Sequence[Floats]) -> Floats:
    """The points (n, d) of a grid; the last axis runs fastest."""
    return np.stack([part.ravel() for part in np.meshgrid(*axes, indexing="ij")], axis=1)


def evaluated(f: Callable[[Any], Any], points: Floats) -> Floats:
    """The values (n,) of f at points (n, d).

    f gets float64 (n,) if there is one dimension, else (n, d), and returns (n,). Raises ShapeError where it cannot
    take that or returns something else, DataError where a value is not finite.
    """
    n, d = points.shape
    try:
        with np.errstate(divide="ignore", invalid="ignore"):  # what is not finite is refused below, with its place
            given = f(points[:, 0].copy() if d == 1 else points.copy())
    except (TypeError, ValueError, IndexError) as error:
        said = (str(error).splitlines() or [""])[0][:200]
        raise ShapeError(f"f raised {type(error).__name__}: {said}. {_needed(n, d)}") from error
    try:
        values = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        values = np.zeros(0)
    if values.shape != (n,):
        raise ShapeError(f"f returned {shown(given)}; needs an array of {n} numbers. {_needed(n, d)}")
    good = np.isfinite(values)
    if not good.all():
        first = int(np.argmin(good))
        raise DataError(
            f"f is {values[first]} at x = {point(points[first])}; needs finite numbers everywhere. Choose low and high "
            f"so that f is finite between them and at both."
        )
    return values


def point(coordinates: Floats) -> str:
    """A point for people: a number on an interval, a list on a box."""
    return str(coordinates.tolist() if len(coordinates) > 1 else float(coordinates[0]))


def _needed(n: int, d: int) -> str:
    """What f gets and returns, and how to make a function of single numbers into one that does."""
    takes = "x of shape (n,)" if d == 1 else f"X of shape (n, {d}), a point in each row,"
    wrapped = "np.vectorize(f, otypes=[float])"
    if d > 1:
        wrapped = f"lambda X: {wrapped}(*X.T)"
    return (
        f"f gets all points at once, here {n:,}: it takes {takes} in float64 and returns (n,). A function of "
        f"{'one number' if d == 1 else f'{d} numbers'} becomes one with {wrapped}."
    )
