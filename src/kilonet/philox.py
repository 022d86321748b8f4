"""Random numbers by counter: Philox4x32 with 7 rounds, and Kilonet's four streams of them.

A number is a pure function of (seed, stream, place), so that no draw depends on how many were made
before it, by whom, or in which order. Streams and counters are those of docs/arithmetic.md.
Seeds and steps may be arrays: their shape then leads the shape of what is returned.
Source: Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from kilonet.errors import SettingError

ROUNDS = 7
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
WEYL = (0x9E3779B9, 0xBB67AE85)  # added to the two words of the key after every round

ORDER, INITIAL, DROPOUT, NOISE = 0, 1, 2, 3

Words = npt.NDArray[np.uint32]
Seeds = Any  # an int, or an array of them

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def words(seed: Seeds, c0: Any, c1: Any, c2: Any, c3: Any) -> Words:
    """Return the four words of every counter: uint32 (4, ...), where ... is what seed and counters broadcast to.

    >>> [f"{word:08x}" for word in words(0, 0, 0, 0, 0)]
    ['5f6fb709', '0d893f64', '4f121f81', '4f730a48']
    """
    key = np.asarray(seed, np.uint64)
    k0, k1 = key & _LOW, key >> _HALF
    a, b, c, d = (np.asarray(counter, np.uint64) & _LOW for counter in (c0, c1, c2, c3))
    for _ in range(ROUNDS):
        product_a, product_c = a * np.uint64(MULTIPLIERS[0]), c * np.uint64(MULTIPLIERS[1])
        a, b, c, d = (product_c >> _HALF) ^ b ^ k0, product_c & _LOW, (product_a >> _HALF) ^ d ^ k1, product_a & _LOW
        k0, k1 = (k0 + np.uint64(WEYL[0])) & _LOW, (k1 + np.uint64(WEYL[1])) & _LOW
    return np.stack(np.broadcast_arrays(a, b, c, d)).astype(np.uint32)


def permutation(order: int, epoch: int, n: int) -> npt.NDArray[np.int64]:
    """Return the order of n examples in an epoch (counted from 0), by Fisher and Yates from the identity.

    >>> permutation(0, 0, 8).tolist() == permutation(0, 0, 8).tolist() != permutation(0, 1, 8).tolist()
    True
    """
    if n < 2:
        return np.arange(n)
    last = np.arange(n - 1, 0, -1)
    other = _scaled(_order_draws(order, epoch, n - 1), (last + 1).astype(np.uint64))
    rows = list(range(n))
    for i, j in zip(last.tolist(), other.tolist(), strict=True):
        rows[i], rows[j] = rows[j], rows[i]
    return np.array(rows)


def _order_draws(order: int, epoch: int, count: int) -> npt.NDArray[np.uint64]:
    """Return the 64-bit draws of stream 0: two in a block, low word first."""
    w = words(order, np.arange((count + 1) // 2), 0, epoch, ORDER).astype(np.uint64)
    return (w[0::2] | w[1::2] << _HALF).T.reshape(-1)[:count]


def _scaled(draws: npt.NDArray[np.uint64], sizes: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return floor(draw * size / 2**64) by halves: sizes are below 2**32, so that no product overflows."""
    return ((draws >> _HALF) * sizes + ((draws & _LOW) * sizes >> _HALF)) >> _HALF


def dropout_threshold(p: Any) -> npt.NDArray[np.int64]:
    """Return the number t of 65,536 that stands for the probability p: a unit is dropped with t / 65,536.

    >>> int(dropout_threshold(0.5)), int(dropout_threshold(1e-9))
    (32768, 0)

    Raises SettingError where p is so near to 1 that nothing would be kept.
    """
    threshold = np.floor(65536.0 * np.asarray(p, np.float64) + 0.5).astype(np.int64)
    if np.any(threshold < 0) or np.any(threshold > 65535):
        raise SettingError(f"dropout came as {p}; needs a probability in [0, 1), and at most 65535/65536.")
    return threshold


def dropout_mask(seed: Seeds, step: Any, layer: int, n_positions: int, n_units: int, p: Any) -> npt.NDArray[np.float64]:
    """Return the factors (..., n_positions, n_units) of a layer's outputs: 0 for dropped ones, else 1 / (1 - p).

    seed, step and p may be numbers or arrays with one entry per member; layer counts from 0.

    >>> dropout_mask(seed=0, step=0, layer=0, n_positions=4, n_units=2, p=0.5).shape
    (4, 2)
    """
    seed, step, threshold = np.broadcast_arrays(np.asarray(seed, np.uint64), step, dropout_threshold(p))
    members = (..., np.newaxis, np.newaxis)
    blocks = np.arange((n_positions + 7) // 8)[:, np.newaxis]
    four = words(seed[members], np.arange(n_units), blocks, step[members], DROPOUT + 256 * layer)
    eight = np.stack([four & np.uint32(0xFFFF), four >> np.uint32(16)], axis=1)  # (4, 2, ..., blocks, units)
    draws = np.moveaxis(eight.reshape(8, *four.shape[1:]), 0, -2)  # (..., blocks, 8, units)
    draws = draws.reshape(*seed.shape, -1, n_units)[..., :n_positions, :]
    kept = 65536.0 / (65536.0 - threshold)
    return np.where(draws < threshold[members], 0.0, kept[members])


def noise(seed: Seeds, step: Any, n_positions: int, n_inputs: int) -> npt.NDArray[np.float64]:
    """Return standard normal numbers (..., n_positions, n_inputs) by Box and Muller from 24-bit uniforms.

    >>> noise(seed=0, step=0, n_positions=5, n_inputs=3).shape
    (5, 3)
    """
    seed, step = np.broadcast_arrays(np.asarray(seed, np.uint64), step)
    members = (..., np.newaxis, np.newaxis)
    blocks = np.arange((n_positions + 3) // 4)[:, np.newaxis]
    four = words(seed[members], np.arange(n_inputs), blocks, step[members], NOISE) >> np.uint32(8)
    pairs = _box_muller((four[0::2] + 1.0) * 2.0**-24, four[1::2] * 2.0**-24)  # (4, ..., blocks, inputs)
    return np.moveaxis(pairs, 0, -2).reshape(*seed.shape, -1, n_inputs)[..., :n_positions, :]


def uniforms(seed: Seeds, layer: int, tensor: int, count: int, first: int = 0) -> npt.NDArray[np.float64]:
    """Return `count` uniform numbers in (0, 1), shape (..., count), for a layer's tensor (0 is W).

    first: the place of the first of them, a multiple of 4.

    >>> uniforms(seed=0, layer=0, tensor=0, count=3).shape, uniforms([0, 1], 0, 0, 3).shape
    ((3,), (2, 3))
    >>> bool((uniforms(0, 0, 0, 3, first=4) == uniforms(0, 0, 0, 7)[4:]).all())
    True
    """
    return _initial(seed, layer, tensor, count, first).reshape(*np.shape(seed), -1)[..., :count]


def normals(seed: Seeds, layer: int, tensor: int, count: int, first: int = 0) -> npt.NDArray[np.float64]:
    """Return `count` standard normal numbers, shape (..., count): Box and Muller on neighbouring uniforms.

    first: as of `uniforms`.

    >>> normals(seed=0, layer=0, tensor=0, count=3).shape
    (3,)
    """
    four = np.moveaxis(_initial(seed, layer, tensor, count, first), -1, 0)
    pairs = _box_muller(four[0::2], four[1::2])
    return np.moveaxis(pairs, 0, -1).reshape(*np.shape(seed), -1)[..., :count]


def _initial(seed: Seeds, layer: int, tensor: int, count: int, first: int) -> npt.NDArray[Any]:
    """Return the uniforms of stream 1 in blocks of four: (..., blocks, 4)."""
    key = np.asarray(seed, np.uint64)[..., np.newaxis]
    four = words(key, first // 4 + np.arange((count + 3) // 4), 0, tensor, INITIAL + 256 * layer)
    return np.moveaxis((four + 0.5) * 2.0**-32, 0, -1)


def _box_muller(u1: npt.NDArray[Any], u2: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Turn uniforms (pairs, ...) into normals (2 * pairs, ...): cosine first, sine second of each pair."""
    radius, angle = np.sqrt(-2.0 * np.log(u1)), (2.0 * math.pi) * u2
    both = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return both.reshape(-1, *u1.shape[1:])
