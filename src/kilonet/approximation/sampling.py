"""The values of a function on a grid."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kilonet.approximation.outward import Floats
from kilonet.checks import finite, shown
from kilonet.errors import ShapeError


def sampled(f: Callable[[Any], Any], axes: Sequence[Floats]) -> Floats:
    """The values of f at every point of a grid, one axis for each dimension.

    f gets float64 (n,) if there is one dimension, else (n, d), and returns (n,). Raises ShapeError where it returns
    something else, DataError where a value is not finite.
    """
    grid = np.stack([part.ravel() for part in np.meshgrid(*axes, indexing="ij")], axis=1)
    given = f(grid[:, 0].copy() if len(axes) == 1 else grid)
    try:
        values = np.asarray(given, np.float64)
    except (TypeError, ValueError):
        values = np.zeros(0)
    if values.shape != (len(grid),):
        takes = "(n,)" if len(axes) == 1 else f"(n, {len(axes)})"
        raise ShapeError(
            f"f got {len(grid)} points, {takes}, and returned {shown(given)}; needs an array of {len(grid)} numbers. "
            f"Wrap a function of one point in np.vectorize."
        )
    finite("f(x)", values)
    return values.reshape([len(axis) for axis in axes])
