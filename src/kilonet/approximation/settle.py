"""The network on a part of the box made small: settled units have become lines, and units that do the same are one.

A unit is settled where lines bound it almost exactly: a ReLU unit that is on or off on the whole part, a sigmoid that
is saturated. What little the lines are off by goes into a radius, so that every statement stays true.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from kilonet.approximation.lines import Lines
from kilonet.approximation.local import Local, boxed, hidden_layers
from kilonet.approximation.outward import Floats, gamma, up

Mask = npt.NDArray[np.bool_]

_DIGITS = 9  # of weights, in which units that may be one agree


def settled(local: Local, low: Floats, high: Floats, tolerance: float) -> Local:
    """The network on one box, low and high (d,), without the units that change the score by no more than lines do.

    What is left out of each adds at most `tolerance` to the radius.
    """
    centre, half = boxed(low, high)
    one, two, loss = hidden_layers(local, centre[np.newaxis], half[np.newaxis])
    first = np.column_stack([one.middle[0], local.first[:, 1:]])
    size = np.abs(local.second) @ np.concatenate([[1.0], np.abs(centre - local.centre)])
    second = local.second.copy()
    second[:, 0] += local.second[:, 1:] @ (centre - local.centre)
    direct = local.direct.copy()
    direct[0] += direct[1:] @ (centre - local.centre)
    moved = np.abs(local.direct) @ np.concatenate([[1.0], np.abs(centre - local.centre)])
    here = Local(
        local.activation, centre, first, one.off[0], second, local.link, up(local.second_radius + loss * size), direct,
        local.above_first, local.above_second, float(up(local.radius + loss * moved)),
    )  # fmt: skip
    weight = np.abs(local.above_first) + np.abs(local.above_second) @ np.abs(local.link)
    keep_first = ~(one.lines.radius[0] * weight <= tolerance)
    keep_second = ~(two.lines.radius[0] * np.abs(local.above_second) <= tolerance)
    reach = np.concatenate([[1.0], half])
    here = _without_second(_without_first(here, one.lines, keep_first, reach), two.lines, keep_second, reach)
    return _merged(here, reach, tolerance)


def _without_first(local: Local, units: Lines, keep: Mask, reach: Floats) -> Local:
    """Put the lines of the first layer's units that are not kept into what is above them."""
    slope, middle, radius = (part[0, ~keep] for part in units)
    given, link, above = local.first[~keep], local.link[:, ~keep], local.above_first[~keep]
    rows = slope[:, np.newaxis] * given
    rows[:, 0] += middle
    off = up(radius + slope * local.first_radius[~keep])
    loss = gamma(len(rows) + 8)
    size = (slope[:, np.newaxis] * np.abs(given)) @ reach + np.abs(middle)
    lost = loss * (np.abs(local.second) @ reach + np.abs(link) @ size)
    lost_above = loss * (np.abs(local.direct) @ reach + np.abs(above) @ size)
    return replace(
        local,
        first=local.first[keep],
        first_radius=local.first_radius[keep],
        second=local.second + link @ rows,
        second_radius=up(local.second_radius + np.abs(link) @ off + lost),
        link=local.link[:, keep],
        direct=local.direct + above @ rows,
        above_first=local.above_first[keep],
        radius=float(up(local.radius + np.abs(above) @ off + lost_above)),
    )


def _without_second(local: Local, units: Lines, keep: Mask, reach: Floats) -> Local:
    """Put the lines of the second layer's units that are not kept into the score."""
    slope, middle, radius = (part[0, ~keep] for part in units)
    given, above = local.second[~keep], local.above_second[~keep]
    weight = above * slope
    rows = weight @ given
    rows[0] += above @ middle
    off = up(radius + slope * local.second_radius[~keep])
    link = weight @ local.link[~keep]
    loss = gamma(len(given) + 8)
    most = _most(local, reach)
    size = np.abs(weight) @ (np.abs(given) @ reach + np.abs(local.link[~keep]) @ most) + np.abs(above) @ np.abs(middle)
    size = size + np.abs(local.direct) @ reach + np.abs(local.above_first) @ most
    return replace(
        local,
        second=local.second[keep],
        second_radius=local.second_radius[keep],
        link=local.link[keep],
        direct=local.direct + rows,
        above_first=local.above_first + link,
        above_second=local.above_second[keep],
        radius=float(up(local.radius + np.abs(above) @ off + loss * size)),
    )


def _most(local: Local, reach: Floats) -> Floats:
    """The largest outputs of the first layer's units."""
    return _given(local, np.abs(local.first) @ reach + local.first_radius)


def _given(local: Local, taken: Floats) -> Floats:
    """The largest outputs of units whose inputs are at most `taken` in size."""
    return up(taken if local.activation == "relu" else np.ones(len(taken)))


def _merged(local: Local, reach: Floats, tolerance: float) -> Local:
    """Take units of the second layer as one where their inputs agree, so that their weights add up with their signs."""
    rows = np.hstack([local.second, local.link])
    if len(rows) < 2:
        return local
    keys = np.round(rows / np.abs(rows).max(), _DIGITS) + 0.0  # without the sign of zero
    _, chosen, group = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    likeness = chosen[group.ravel()]
    apart = np.abs(local.second - local.second[likeness]) @ reach
    apart = apart + np.abs(local.link - local.link[likeness]) @ _most(local, reach)
    size = np.abs(local.second) @ reach + np.abs(local.link) @ _most(local, reach)
    apart = apart + local.second_radius + local.second_radius[likeness] + 4 * gamma(len(reach) + 2) * size
    lost = np.abs(local.above_second) * apart  # no unit is steeper than 1
    own = ~(lost <= tolerance)
    likeness = np.where(own, np.arange(len(rows)), likeness)
    lost[likeness == np.arange(len(rows))] = 0.0
    above = np.bincount(likeness, local.above_second, len(rows))
    keep = np.bincount(likeness, minlength=len(rows)) > 0
    most = float(_given(local, size + local.second_radius).max())
    rounding = gamma(len(rows) + 2) * np.abs(local.above_second).sum() * most
    return replace(
        local,
        second=local.second[keep],
        second_radius=local.second_radius[keep],
        link=local.link[keep],
        above_second=above[keep].astype(np.float64),
        radius=float(up(local.radius + lost.sum() + rounding)),
    )
