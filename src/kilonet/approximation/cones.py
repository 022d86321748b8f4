"""How far the score can be from a function of which only samples and a Lipschitz constant are known.

Such a function lies between cones: f(x) ≤ y_v + L |x − v| and f(x) ≥ y_v − L |x − v| for every sample v, and all that
lies between the cones is possible (McShane 1934). Below a cone minus a plane is convex, so that on a box it is largest
at a corner; and a mean of cones, which the least of them cannot exceed, is convex too.
"""

from itertools import product

import numpy as np
import numpy.typing as npt

from kilonet.approximation.claim import Claim
from kilonet.approximation.local import Plane
from kilonet.approximation.outward import Floats, up

_CLOSE = 2.0**-500  # more than a distance loses where squares are too small for float64


def worst_errors(claim: Claim, plane: Plane) -> Floats:
    """On each of B boxes a bound of |score − f| for all functions f of the claim, (B,)."""
    d = len(claim.axes)
    corners = np.array(list(product((-1.0, 1.0), repeat=d)))
    points, values = _around(claim, plane.centre)  # (B, V, d), (B, V)
    offset = plane.half[:, np.newaxis] * corners  # (B, K, d)
    apart = plane.centre[:, np.newaxis, np.newaxis] + offset[:, :, np.newaxis] - points[:, np.newaxis]
    cone = claim.lipschitz * (np.sqrt((apart * apart).sum(axis=-1)) + _CLOSE)  # (B, K, V)
    height = plane.middle[:, np.newaxis] + (offset * plane.slope[:, np.newaxis]).sum(axis=-1)  # (B, K)
    rise = values[:, np.newaxis] - height[:, :, np.newaxis]
    means = _means(2**d)
    above = ((cone + rise) @ means).max(axis=1).min(axis=1)
    below = ((cone - rise) @ means).max(axis=1).min(axis=1)
    # Everything here is a handful of operations on numbers of this size.
    size = cone.max(axis=(1, 2)) + np.abs(values).max(axis=1) + np.abs(plane.middle)
    size = size + (plane.half * np.abs(plane.slope)).sum(axis=1)
    far = claim.lipschitz * (np.abs(plane.centre) + plane.half).sum(axis=1)
    return up(np.maximum(above, below) + plane.radius + 2.0**-47 * (size + far))


def worst_at(claim: Claim, x: Floats, score: float) -> float:
    """How far the score can be from f at one point x (d,), by all samples, in plain floating-point numbers."""
    squares = np.zeros(claim.values.shape)
    for k, axis in enumerate(claim.axes):
        squares += np.square(axis - x[k]).reshape([-1 if k == j else 1 for j in range(len(x))])
    cone = claim.lipschitz * np.sqrt(squares)
    return float(max((claim.values + cone).min() - score, score - (claim.values - cone).max()))


def too_steep(claim: Claim) -> str:
    """Say which neighbouring samples no function with this Lipschitz constant can join, or nothing."""
    for k, axis in enumerate(claim.axes):
        rise = np.abs(np.diff(claim.values, axis=k))
        run = np.diff(axis).reshape([-1 if k == j else 1 for j in range(len(claim.axes))])
        allowed = claim.lipschitz * run * (1.0 + 2.0**-40) + 2.0**-45 * np.abs(claim.values).max()
        if (rise > allowed).any():
            place = np.unravel_index(int(np.argmax(rise - allowed)), rise.shape)
            return f"samples {tuple(map(int, place))} and the next along axis {k} differ by {rise[place]:.6g}"
    return ""


def _around(claim: Claim, centre: Floats) -> tuple[Floats, Floats]:
    """The samples at the corners of the grid's cell around each of B points: places (B, V, d) and values (B, V)."""
    sides = []
    for k, axis in enumerate(claim.axes):
        right = np.searchsorted(axis, centre[:, k])
        sides.append((np.maximum(right - 1, 0), np.minimum(right, len(axis) - 1)))
    chosen = [[side[bit] for side, bit in zip(sides, bits, strict=True)] for bits in product((0, 1), repeat=len(sides))]
    values = np.stack([claim.values[tuple(index)] for index in chosen], axis=1)
    points = [[axis[i] for axis, i in zip(claim.axes, index, strict=True)] for index in chosen]
    return np.moveaxis(np.array(points), 2, 0), values


def _means(corners: int) -> Floats:
    """Means of cones, one a column: each alone, all together, and opposite ones; weights are powers of two: exact."""
    columns: list[npt.NDArray[np.float64]] = [*np.eye(corners), np.full(corners, 1.0 / corners)]
    for i in range(corners // 2):
        pair = np.zeros(corners)
        pair[[i, corners - 1 - i]] = 0.5
        columns.append(pair)
    return np.array(columns).T
