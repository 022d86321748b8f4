"""What evaluating a network in float64 can be off by, whatever the order of its sums."""

import numpy as np

from kilonet.approximation.claim import Claim
from kilonet.approximation.outward import TINY, UNIT, gamma, up

_SIGMOID = 16 * UNIT  # what a sigmoid may be off by: exponential, sum and quotient, with room


def evaluation_error(claim: Claim) -> float:
    """The largest difference of a score in float64 from the network in real numbers, on the whole box.

    Sums may be in any order, with fused operations or without; infinite where a sum could overflow.
    """
    low, high, off = claim.low, claim.high, np.zeros(len(claim.low))
    for number, (weight, bias) in enumerate(zip(claim.weights, claim.biases, strict=True), 1):
        steep = np.abs(weight)
        size = up(np.abs(bias) + steep @ (np.maximum(np.abs(low), np.abs(high)) + off))
        reach = 2 * gamma(len(off) + 2) * size  # what the interval's own sums here may be off by
        lifting, lowering = np.maximum(weight, 0.0), np.minimum(weight, 0.0)
        low, high = (
            bias + lifting @ low + lowering @ high - reach,
            bias + lifting @ high + lowering @ low + reach,
        )
        off = up(steep @ off + gamma(len(off) + 2) * size + (len(off) + 2) * TINY)
        if not (size < 1e300).all():
            return np.inf
        if number < len(claim.weights) and claim.activation == "relu":
            low, high = np.maximum(low, 0.0), np.maximum(high, 0.0)
        elif number < len(claim.weights):
            low, high, off = np.zeros(len(low)), np.ones(len(low)), up(0.25 * off + _SIGMOID)
    return float(off[0])
