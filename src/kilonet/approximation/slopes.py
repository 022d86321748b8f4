"""How steep a function shows itself to be: the Lipschitz constant that is estimated, and the one that is given."""

from collections.abc import Callable
from typing import Any

import numpy as np

from kilonet.approximation.design import Design
from kilonet.approximation.outward import Floats
from kilonet.approximation.sampling import evaluated, grid
from kilonet.errors import DataError

_DENSE = {1: 1025, 2: 65, 3: 25}  # samples along an axis of the grid
_SCATTERED = 2048  # places that belong to no grid
_NEAR, _NEARER = -10, -20  # powers of two between which the neighbours of such a place are away, by the box's sides
_ROUNDING = 2.0**-51  # of a value of f, by its size


def estimated(f: Callable[[Any], Any], low: Floats, high: Floats) -> float:
    """Twice the steepest slope seen: between neighbours of a grid, and at places and over distances that fit no period.

    A wave that is zero on the whole grid is steep elsewhere. What is steep on parts that no place meets is not seen.
    """
    axes = [np.linspace(a, b, _DENSE[len(low)]) for a, b in zip(low, high, strict=True)]
    regular, places, moved = grid(axes), *_scattered(low, high)
    values = evaluated(f, np.concatenate([regular, places, *moved]))
    dense = values[: len(regular)].reshape([len(axis) for axis in axes])
    here, *near = values[len(regular) :].reshape(1 + len(axes), -1)
    slopes = []
    for k, (axis, there) in enumerate(zip(axes, near, strict=True)):
        run = moved[k][:, k] - places[:, k]
        apart = run > 0  # far from zero a short way may be none
        rise = np.abs(there - here) - _ROUNDING * (np.abs(there) + np.abs(here))  # over a short way, rounding is steep
        steps = rise[apart] / run[apart]
        slopes.append(max(float(np.abs(np.diff(dense, axis=k) / (axis[1] - axis[0])).max()), steps.max(initial=0.0)))
    return 2.0 * float(np.linalg.norm(slopes))


def _scattered(low: Floats, high: Floats) -> tuple[Floats, list[Floats]]:
    """Places (n, d) that are spread evenly but fit no grid, and for each axis the same places moved along it.

    Multiples of powers of an irrational number, without their whole parts; one power more says how far to move. Source:
    the sequence R_d of Roberts 2018, The unreasonable effectiveness of quasirandom sequences.
    """
    d = len(low)
    root = 2.0
    for _ in range(64):  # of x^(d + 2) = x + 1
        root = (1.0 + root) ** (1.0 / (d + 2))
    parts = np.arange(1, _SCATTERED + 1)[:, np.newaxis] * root ** -np.arange(1.0, d + 2) % 1.0
    away = 2.0 ** (_NEAR + (_NEARER - _NEAR) * parts[:, d:])
    side = high - low
    places = low + parts[:, :d] * (1.0 - away) * side
    moved = np.minimum(places + away * side, high)
    return places, [np.where(np.arange(d) == k, moved, places) for k in range(d)]


def allowing(design: Design, values: Floats, lipschitz: float, given: bool) -> float:
    """The Lipschitz constant, raised by a hair where the samples' own rounding needs it.

    Raises DataError where f itself shows that its Lipschitz constant is larger.
    """
    raised = lipschitz
    for k, axis in enumerate(design.axes):
        if len(axis) > 1:
            run = np.diff(axis).reshape([-1 if k == j else 1 for j in range(len(design.axes))])
            slope = float((np.abs(np.diff(values, axis=k)) / run).max())
            rounding = float(np.abs(values).max() + lipschitz * np.abs(axis).max()) / float(run.min())
            if slope > lipschitz * (1 + 1e-9) + 1e-14 * rounding:
                raise DataError(
                    f"f rises by {slope:.6g} for each unit along axis {k} between neighbouring samples; "
                    + (_GIVEN if given else _ESTIMATED).format(lipschitz)
                )
            raised = max(raised, slope)
    return raised


_GIVEN = "lipschitz came as {:.6g}. Give a larger one."
_ESTIMATED = (
    "no lipschitz was given, and {:.6g} is what was estimated from slopes between other samples. If f has a Lipschitz "
    "constant, give it. A jump has no Lipschitz constant: end the box before it, or join its sides by a slope."
)
