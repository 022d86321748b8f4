"""Floating-point arithmetic with its errors on the safe side.

A number that is not known exactly is a middle and a radius. A sum of k products, in any order and with or without
fused operations, is off by at most gamma(k) times the sum of their absolute values (Higham, *Accuracy and Stability
of Numerical Algorithms*, 2002, section 3.1), which goes into the radius. Radii are sums of positive numbers, whose
own errors `up` covers.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

UNIT = 2.0**-53
# Each operation may lose this much more where it underflows, on machines too that flush subnormal numbers to zero.
TINY = 2.0**-1000
# More than all of a proof's products that were lost in this way, each of which is below 2**-1022, together.
LOST = 2.0**-980


def gamma(terms: int) -> float:
    """The largest relative error of a sum of so many products: terms · u / (1 − terms · u), rounded up.

    >>> gamma(10) > 10 * 2.0**-53
    True
    """
    return float(np.nextafter((terms + 2) * UNIT / (1.0 - (terms + 2) * UNIT), np.inf))


def up(radius: Floats) -> Floats:
    """A sum or product of fewer than 2**22 positive numbers, made so large that the exact one cannot be above.

    >>> bool(up(np.float64(1.0)) > 1.0), bool(up(np.float64(0.0)) > 0.0)
    (True, True)
    """
    return np.asarray(radius * (1.0 + 2.0**-30) + TINY)


def underflow(weights: Sequence[Floats], biases: Sequence[Floats], farthest: float) -> float:
    """What numbers too small for float64 can change of a network's score, or of a bound of it.

    A lost product may still be multiplied by a coordinate, at most `farthest` from the middle, and by a parameter of
    each layer; activations magnify nothing.

    >>> underflow([np.ones((1, 1))], [np.zeros(1)], farthest=1.0) < 1e-290
    True
    """
    size = 1.0 + farthest
    for weight, bias in zip(weights, biases, strict=True):
        size *= 1.0 + float(np.abs(weight).sum() + np.abs(bias).sum())
    return LOST * size
