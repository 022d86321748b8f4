"""The proof of a certificate: by branch and bound, on the whole box, for all functions at once.

It shares nothing with what builds certificates but the text of the certificate. The network is bounded by planes on
boxes, ever smaller where that does not do, until the claim is proven on all of them, shown false at a point, or the
budget ends. What evaluating the network in floating-point numbers can be off by, in any order of summation, counts.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from kilonet.approximation.claim import UNPROVEN, Claim, claim_of
from kilonet.approximation.cones import too_steep, worst_at, worst_errors
from kilonet.approximation.faults import CertificateError
from kilonet.approximation.local import Local, planes, whole
from kilonet.approximation.outward import Floats, underflow
from kilonet.approximation.rounding import evaluation_error
from kilonet.approximation.sampling import sampled
from kilonet.approximation.settle import settled

# Work for a point, and cells of the grid of samples, with no more of which a part of the box is not divided further.
_SMALL, _CELLS = 300, 500_000
# What making a network small may cost, by the bound: with one hidden layer the bounds of kinks are exact, with two
# the many units that are almost settled have to go.
_LEFT_OUT = {1: 1e-9, 2: 1e-6}
_PARTS = 200_000  # parts of the box that the network may be divided into
_HALVINGS = 48  # of a box; then it is a hair's breadth
_BOXES = 2_000_000  # boxes of one part that may be open
_WORK = 2e10  # multiplications, about
_SETTLING = 200.0  # of them for each link of a network that is made small
_LOOK, _BOX = 5e5, 200.0  # as many as a look at a part takes however small it is, and a look at a box of one
_CHUNK = 1_000_000  # numbers in one array


@dataclass(frozen=True)
class Proof:
    """A certificate that holds: its bound, and in how many boxes that was proven."""

    bound: float
    lipschitz: float
    estimated: bool
    boxes: int

    def __str__(self) -> str:
        by = "an estimated" if self.estimated else "the"
        return (
            f"proven in {self.boxes:,} boxes: the network is within {self.bound:.6g} of every function through these "
            f"samples with {by} Lipschitz constant {self.lipschitz:.6g}{UNPROVEN if self.estimated else ''}"
        )


def certify(certificate: Any, f: Callable[[Any], Any] | None = None) -> Proof:
    """Prove that the bound of a certificate holds for every function that it speaks of; with f, take f's own samples.

    certificate is a dictionary or its JSON text, from whoever, or an Approximation, whose certificate is read; for a
    file, Path(name).read_text(). The bound is proven for every function on the box that
    takes the certificate's values at its samples and whose Lipschitz constant (Euclidean distance) is not above the
    certificate's, and for every way of evaluating the network in float64. f gets (n,) on an interval, else (n, d),
    and returns (n,); then the bound has to hold for functions through the values that f gives here.

    Whether f has that Lipschitz constant no proof can tell: it is for whoever names it to know, and a constant that was
    estimated proves nothing about an f that is steeper. That lipschitz_is says "given" cannot be checked either.

    Raises CertificateError when the certificate is malformed, false, or true by so little that it is not proven.

    >>> from kilonet.approximation import approximate
    >>> print(certify(approximate(np.sin, 0.0, 1.0, eps=0.1, lipschitz=1.0).certificate))
    proven in 6 boxes: the network is within 0.0833334 of every function through these samples with the Lipschitz \
constant 1
    """
    claim = claim_of(certificate)
    with np.errstate(all="ignore"):  # what is not finite is not proven
        steep = too_steep(claim)
        if steep:
            raise CertificateError(f"No function has the Lipschitz constant {claim.lipschitz:.6g}: {steep}.")
        farthest = 2.0 * float(np.maximum(np.abs(claim.low), np.abs(claim.high)).max())
        spare = claim.bound - evaluation_error(claim) - underflow(claim.weights, claim.biases, farthest)
        if f is not None:
            spare -= _differences(claim, f)
        if not spare >= 0.0:
            raise CertificateError(
                f"The bound {claim.bound:.6g} is below what rounding (and differing samples) cost, by {-spare:.3g}."
            )
        return Proof(claim.bound, claim.lipschitz, claim.estimated, _Search(claim, float(spare)).boxes())


def _differences(claim: Claim, f: Callable[[Any], Any]) -> float:
    """The largest difference of f from the samples; it moves every cone by that much."""
    again = sampled(f, claim.axes)
    apart = float(np.abs(again - claim.values).max())
    if apart > claim.bound:
        place = np.unravel_index(int(np.argmax(np.abs(again - claim.values))), again.shape)
        at = [float(axis[i]) for axis, i in zip(claim.axes, place, strict=True)]
        raise CertificateError(
            f"f is {again[place]:.6g} at {at}, and the certificate says {claim.values[place]:.6g}: it is about another "
            f"function."
        )
    return float(np.nextafter(apart * (1 + 2.0**-40), np.inf)) if apart else 0.0


class _Search:
    """Branch and bound for one claim."""

    def __init__(self, claim: Claim, spare: float) -> None:
        self.claim, self.spare, self.work = claim, spare, 0.0

    def boxes(self) -> int:
        """Prove the claim on every part; return in how many boxes."""
        return sum(self._prove(local, low, high) for local, low, high in self._parts())

    def _parts(self) -> Iterator[tuple[Local, Floats, Floats]]:
        """Parts of the box with what the network is there, so small that a point is little work."""
        claim = self.claim
        start = whole(claim.activation, claim.weights, claim.biases, claim.low + 0.5 * (claim.high - claim.low))
        tolerance = _LEFT_OUT[len(claim.biases) - 1] * self.spare / sum(map(len, claim.biases))
        stack, parts = [(start, claim.low, claim.high)], 0
        while stack:
            local, low, high = stack.pop()
            local = settled(local, low, high, tolerance)
            self._spend(_SETTLING * local.size)
            parts += 1
            inside = self._inside(low, high)
            cells = prod(len(places) + 1 for places in inside)
            if (local.size <= _SMALL and cells <= _CELLS) or cells == 1 or parts > _PARTS:
                yield local, low, high
            else:
                axis = int(np.argmax([len(places) for places in inside]))  # the middle of the most samples
                place = inside[axis][len(inside[axis]) // 2]
                left, right = high.copy(), low.copy()
                left[axis] = right[axis] = place
                stack += [(local, right, high), (local, low, left)]

    def _inside(self, low: Floats, high: Floats) -> list[Floats]:
        """The samples' coordinates between the sides of a part, without looking at all others."""
        sides = zip(self.claim.axes, low, high, strict=True)
        return [axis[np.searchsorted(axis, a, "right") : np.searchsorted(axis, b, "left")] for axis, a, b in sides]

    def _prove(self, local: Local, low: Floats, high: Floats) -> int:
        lows, highs = self._cells(low, high)
        done = 0
        for _ in range(_HALVINGS):
            errors = np.concatenate(
                [self._errors(local, lows[rows], highs[rows]) for rows in self._chunks(local, lows)]
            )
            open_ = ~(errors <= self.spare)
            done += int((~open_).sum())
            if not open_.any():
                return done
            worst = int(np.argmax(np.where(np.isnan(errors), np.inf, errors)))
            self._refute(local, lows[worst] + 0.5 * (highs[worst] - lows[worst]))
            lows, highs = _halves(lows[open_], highs[open_])
            if len(lows) > _BOXES:
                break
        raise CertificateError(
            f"The bound {self.claim.bound:.9g} was not proven: near {lows[0].tolist()} it is false, or true by too "
            f"little. State a bound that is a little larger."
        )

    def _cells(self, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        """The cells of the grid of samples in a part of the box, to begin with."""
        edges = [
            np.concatenate([[a], places, [b]]) for a, places, b in zip(low, self._inside(low, high), high, strict=True)
        ]
        lows = np.meshgrid(*(edge[:-1] for edge in edges), indexing="ij")
        highs = np.meshgrid(*(edge[1:] for edge in edges), indexing="ij")
        return np.stack([part.ravel() for part in lows], 1), np.stack([part.ravel() for part in highs], 1)

    def _chunks(self, local: Local, lows: Floats) -> Iterator[slice]:
        d, (m2, m1) = lows.shape[1], local.link.shape
        size = max(1, _CHUNK // ((m1 + m2 + 4**d) * (d + 1)))
        self._spend(len(lows) * (local.size + 4**d + _BOX) * (d + 1))
        return (slice(start, start + size) for start in range(0, len(lows), size))

    def _errors(self, local: Local, low: Floats, high: Floats) -> Floats:
        return worst_errors(self.claim, planes(local, low, high))

    def _refute(self, local: Local, x: Floats) -> None:
        """Give up if the claim is false at x, or if what rounding and differing samples leave of the bound is."""
        self._spend(float(self.claim.values.size))
        plane = planes(local, x[np.newaxis], x[np.newaxis])
        worst = worst_at(self.claim, x, float(plane.middle[0])) - 2 * float(plane.radius[0])
        bound, hair = self.claim.bound, 1.0 + 2.0**-40
        where = f"at {x.tolist()} a function through the samples is {worst:.9g} from the network"
        if worst > bound * hair:
            raise CertificateError(f"The bound {bound:.9g} is false: {where}.")
        if worst > self.spare * hair:
            raise CertificateError(
                f"The bound {bound:.9g} does not hold with what rounding (and differing samples) cost, "
                f"{bound - self.spare:.3g}: {where}."
            )

    def _spend(self, work: float) -> None:
        self.work += work + _LOOK
        if not self.work <= _WORK:
            raise CertificateError(
                f"The bound {self.claim.bound:.9g} was not proven within the budget of this check. State a larger "
                f"bound, or build a smaller network."
            )


def _halves(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Each box cut in two across its longest side."""
    rows, axis = np.arange(len(low)), np.argmax(high - low, axis=1)
    middle = low[rows, axis] + 0.5 * (high - low)[rows, axis]
    left, right = high.copy(), low.copy()
    left[rows, axis] = right[rows, axis] = middle
    return np.concatenate([low, right]), np.concatenate([left, high])
