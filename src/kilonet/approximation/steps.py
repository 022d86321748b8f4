"""The network of a design: steps along each axis, and products of steps in place of bumps.

A step rises from 0 to 1. On an interval the score is y_0 + Σ (y_i − y_(i−1)) s_i, which is the sum of indicator bumps
Σ y_i (s_i − s_(i+1)): bumps that are neighbours share a side. On a box the second layer has a unit
relu(Σ s_k − (m − 1)) for each choice of a step from m of the axes, the corner in which all of them have risen, and its
weight is the mixed difference of the samples; a bump is a difference of such corners. With sigmoids it is
sigmoid(STEEP (Σ s_k − m + 1/2)).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import block_diag

from kilonet.approximation.design import RAMP, STEEP, Design
from kilonet.approximation.outward import Floats

Places = npt.NDArray[np.intp]


@dataclass(frozen=True)
class _Axis:
    """First layer's units of one axis: act(weight · x + bias), and its steps, each slope · (a_start − a_end).

    start and end are indices of units; where end is the number of units nothing is subtracted.
    """

    weight: Floats
    bias: Floats
    slope: Floats
    start: Places
    end: Places

    def rises(self) -> Floats:
        """The steps as rows (steps + 1, units); row 0 is no step at all."""
        rows, steps = np.zeros((len(self.slope) + 1, len(self.weight) + 1)), np.arange(len(self.slope))
        rows[steps + 1, self.start] = self.slope
        rows[steps + 1, self.end] = -self.slope
        return rows[:, :-1]

    def weighted(self, heights: Floats) -> Floats:
        """Σ height_i · step_i as weights of the units, without the rows of all steps."""
        weights = np.zeros(len(self.weight) + 1)
        np.add.at(weights, self.start, heights * self.slope)
        np.add.at(weights, self.end, -heights * self.slope)
        return weights[:-1]


def parameters(design: Design, values: Floats) -> Floats:
    """theta of the network that takes these values at the design's samples."""
    axes = [_axis(design, k) for k in range(len(design.pieces))]
    biases = np.concatenate([axis.bias for axis in axes])
    if len(axes) == 1:
        return np.concatenate([axes[0].weight, biases, axes[0].weighted(np.diff(values)), values[:1]])
    first = block_diag(*(axis.weight[:, np.newaxis] for axis in axes))
    chosen = np.indices([len(axis.slope) + 1 for axis in axes]).reshape(len(axes), -1).T[1:]
    link = np.hstack([axis.rises()[chosen[:, k]] for k, axis in enumerate(axes)])
    bias = 1.0 - np.count_nonzero(chosen, axis=1)
    if design.method == "sigmoid":
        link, bias = STEEP * link, STEEP * (bias - 0.5)
    for k in range(len(axes)):
        values = np.diff(values, axis=k, prepend=0.0)
    weights = values.ravel()
    return np.concatenate([first.ravel(), biases, link.ravel(), bias, weights[1:], weights[:1]])


def _axis(design: Design, k: int) -> _Axis:
    edges = design.edges[k]
    width, steps = edges[1] - edges[0], np.arange(design.steps[k])
    if design.method == "sigmoid":
        weight = np.full(len(steps), STEEP / width)
        return _Axis(weight, -weight * edges[1:-1], np.ones(len(steps)), steps, np.full(len(steps), len(steps)))
    if design.method == "relu":  # the last step ends where the box does
        return _Axis(np.ones(len(steps)), -edges[:-1], 1.0 / np.diff(edges), steps, steps + 1)
    half = 0.5 * RAMP * width
    start, end = edges[1:-1] - half, edges[1:-1] + half
    knots = np.concatenate([start, end])
    return _Axis(np.ones(len(knots)), -knots, 1.0 / (end - start), steps, steps + len(steps))
