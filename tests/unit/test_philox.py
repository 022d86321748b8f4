"""Philox against its authors' published vectors, and the four streams against plain loops of docs/arithmetic.md."""

import math

import numpy as np
import pytest

from kilonet import philox
from kilonet.errors import SettingError

# The lines "philox4x32 7" of kat_vectors, published by D. E. Shaw Research with Random123
# (https://github.com/DEShawResearch/random123, tests/kat_vectors): counter, key, words.
KNOWN_ANSWERS = """
00000000 00000000 00000000 00000000 00000000 00000000   5f6fb709 0d893f64 4f121f81 4f730a48
ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff   5207ddc2 45165e59 4d8ee751 8c52f662
243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0   4dfccaba 190a87f0 c47362ba b6b5242a
"""


@pytest.mark.parametrize("line", KNOWN_ANSWERS.strip().splitlines())
def test_known_answers_of_the_authors(line: str) -> None:
    c0, c1, c2, c3, k0, k1, *expected = (int(word, 16) for word in line.split())
    drawn = philox.words(k0 + (k1 << 32), c0, c1, c2, c3)
    assert drawn.dtype == np.uint32
    assert drawn.tolist() == expected


def test_counters_and_seeds_broadcast() -> None:
    drawn = philox.words(np.array([3, 4])[:, None], np.arange(5), 1, 2, 3)
    assert drawn.shape == (4, 2, 5)
    assert drawn[:, 1, 4].tolist() == philox.words(4, 4, 1, 2, 3).tolist()


@pytest.mark.parametrize("n", [1, 2, 3, 10, 101])
def test_order_is_the_shuffle_of_the_page(n: int) -> None:
    rows = list(range(n))
    for t in range(n - 1):
        w = [int(x) for x in philox.words(12345, t // 2, 0, 7, 0)]
        q, i = t % 2, n - 1 - t
        j = (w[2 * q] + (w[2 * q + 1] << 32)) * (i + 1) >> 64
        rows[i], rows[j] = rows[j], rows[i]
    assert philox.permutation(12345, 7, n).tolist() == rows


def test_a_draw_is_64_bits_scaled_without_losing_any() -> None:
    # The low words move a place only once in 2**32 draws or so; they are looked at by themselves.
    draws = philox._order_draws(12345, 7, 5)
    blocks = [[int(x) for x in philox.words(12345, block, 0, 7, 0)] for block in range(3)]
    assert draws.tolist() == [w[q] + (w[q + 1] << 32) for w in blocks for q in (0, 2)][:5]
    edges = [0, 1, 2**32 - 1, 2**32, 2**63 + 2**31, 2**64 - 2**32, 2**64 - 1, (2**64 - 1) // 3 * 2 + 1]
    for size in (2, 3, 60_000, 2**31 + 1, 2**32 - 1):
        scaled = philox._scaled(np.array(edges, np.uint64), np.array([size], np.uint64))
        assert scaled.tolist() == [draw * size >> 64 for draw in edges]


def test_every_order_of_four_is_as_likely() -> None:
    counts = np.unique([philox.permutation(0, e, 4).tolist() for e in range(2400)], axis=0, return_counts=True)[1]
    assert len(counts) == 24
    # Chi-squared with 23 degrees of freedom exceeds 49.7 once in a thousand; the counters are fixed.
    assert ((counts - 100.0) ** 2 / 100.0).sum() < 49.7


def test_dropout_is_the_table_of_the_page() -> None:
    seed, step, layer, p = 99, 5, 2, 0.3
    mask = philox.dropout_mask(seed, step, layer, n_positions=19, n_units=3, p=p)
    threshold = round(65536 * p)
    for position in range(19):
        for unit in range(3):
            q = position % 8
            word = int(philox.words(seed, unit, position // 8, step, 2 + 256 * layer)[q // 2])
            bits = word >> 16 if q % 2 else word & 0xFFFF
            assert mask[position, unit] == (0.0 if bits < threshold else 1 / (1 - threshold / 65536))


def test_dropout_takes_a_share_per_member() -> None:
    masks = philox.dropout_mask(np.array([1, 2, 2]), 3, 0, 400, 50, np.array([0.5, 0.0, 0.2]))
    assert masks.shape == (3, 400, 50)
    np.testing.assert_array_equal(masks[2], philox.dropout_mask(2, 3, 0, 400, 50, 0.2))
    assert (masks[1] == 1.0).all()
    # 20,000 draws: the share deviates by 0.0035, four times that is generous; the mean output stays 1.
    assert abs((masks[0] == 0).mean() - 0.5) < 0.014
    assert abs(masks[2].mean() - 1.0) < 0.014


@pytest.mark.parametrize("p", [1.0, 0.999999, -0.1])
def test_dropping_everything_is_refused(p: float) -> None:
    with pytest.raises(SettingError, match="at most 65535/65536"):
        philox.dropout_mask(0, 0, 0, 1, 1, p)


def test_noise_is_the_table_of_the_page() -> None:
    drawn = philox.noise(seed=4, step=6, n_positions=7, n_inputs=3)
    for position in range(7):
        for column in range(3):
            q = position % 4
            w = philox.words(4, column, position // 4, 6, 3)
            u1, u2 = ((int(w[2 * (q // 2)]) >> 8) + 1) * 2.0**-24, (int(w[2 * (q // 2) + 1]) >> 8) * 2.0**-24
            turn = math.sin if q % 2 else math.cos
            expected = math.sqrt(-2 * math.log(u1)) * turn(2 * math.pi * u2)
            assert drawn[position, column] == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_noise_and_normals_are_normal() -> None:
    for drawn in (philox.noise([1, 2], 0, 250, 100), philox.normals([3, 4], 0, 0, 25_000)):
        # Of 50,000 normal numbers the mean deviates by 0.0045, the variance by 0.0063, the fourth moment by 0.044;
        # allowed are four times each.
        assert abs(drawn.mean()) < 0.018
        assert abs(drawn.var() - 1.0) < 0.026
        assert abs((drawn**4).mean() - 3.0) < 0.18


def test_initial_numbers_are_words_in_their_order() -> None:
    drawn = philox.uniforms(seed=8, layer=3, tensor=0, count=6)
    blocks = [philox.words(8, block, 0, 0, 1 + 256 * 3) for block in range(2)]
    assert drawn.tolist() == [(int(blocks[e // 4][e % 4]) + 0.5) * 2.0**-32 for e in range(6)]
    np.testing.assert_array_equal(philox.uniforms([7, 8], 3, 0, 6)[1], drawn)
    np.testing.assert_array_equal(philox.normals([7, 8], 3, 0, 5)[1], philox.normals(8, 3, 0, 5))


def test_normals_pair_neighbours() -> None:
    u, z = philox.uniforms(8, 0, 0, 4), philox.normals(8, 0, 0, 4)
    radius = np.sqrt(-2 * np.log(u[[0, 0, 2, 2]]))
    turns = [np.cos(2 * np.pi * u[1]), np.sin(2 * np.pi * u[1]), np.cos(2 * np.pi * u[3]), np.sin(2 * np.pi * u[3])]
    np.testing.assert_allclose(z, radius * turns, rtol=1e-14)
