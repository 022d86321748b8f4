"""Schedules: their values, and that a factor does not depend on how the run is cut."""

import math
from typing import Any

import numpy as np
import pytest

from kilonet.errors import SettingError
from kilonet.schedules import SCHEDULES, Schedule, constant, cosine, schedule_from, sequence, step, warm_up

EVERY = [*SCHEDULES.table.values(), step(2, 0.3), cosine(0.2), warm_up(1.5, then=cosine(0.1)), sequence([1, 0.5, 0.7])]
PER_EPOCH, TOTAL = 7, 70


@pytest.mark.parametrize("schedule", EVERY, ids=str)
def test_a_factor_depends_on_its_step_alone_to_the_last_bit(schedule: Schedule) -> None:
    steps = np.arange(TOTAL)
    whole = schedule.factors(steps, PER_EPOCH, TOTAL)
    assert whole.dtype == np.float64
    assert whole.shape == (TOTAL,)
    for size in (1, 3, 8, 31):
        pieces = [schedule.factors(steps[i : i + size], PER_EPOCH, TOTAL) for i in range(0, TOTAL, size)]
        np.testing.assert_array_equal(np.concatenate(pieces), whole)


def test_cosine_is_half_a_cosine() -> None:
    steps = np.arange(0, 1001)
    expected = [0.25 + 0.75 * 0.5 * (1 + math.cos(math.pi * s / 1000)) for s in steps]
    # The series and libm agree to a rounding of 1.
    np.testing.assert_allclose(cosine(0.25).factors(steps, 10, 1000), expected, rtol=0, atol=4e-16)
    assert cosine.factors(np.array([5000]), 10, 1000) == pytest.approx(0.0, abs=1e-16)


def test_step_falls_at_the_end_of_every_period() -> None:
    factors = step(every=2, factor=0.1).factors(np.array([0, 13, 14, 27, 28]), PER_EPOCH, TOTAL)
    np.testing.assert_allclose(factors, [1, 1, 0.1, 0.1, 0.01], rtol=1e-15)


def test_warm_up_rises_to_what_follows_and_leaves_it_the_rest_of_the_run() -> None:
    schedule = warm_up(2, then=cosine)
    factors = schedule.factors(np.arange(TOTAL), PER_EPOCH, TOTAL)
    np.testing.assert_allclose(factors[:14], np.arange(1, 15) / 14, rtol=1e-15)
    np.testing.assert_array_equal(factors[14:], cosine.factors(np.arange(TOTAL - 14), PER_EPOCH, TOTAL - 14))
    np.testing.assert_array_equal(warm_up(0).factors(np.arange(9), PER_EPOCH, TOTAL), np.ones(9))
    assert (warm_up(20).factors(np.arange(TOTAL), PER_EPOCH, TOTAL) == np.arange(1, TOTAL + 1) / 140).all()


def test_a_sequence_repeats_its_last_factor() -> None:
    assert sequence([1, 0.5]).factors(np.array([0, 6, 7, 13, 14, 69]), PER_EPOCH, TOTAL).tolist() == [1, 1] + [0.5] * 4


def test_a_list_is_a_sequence() -> None:
    assert schedule_from([1, 0.5]) == schedule_from(np.array([1, 0.5])) == sequence((1.0, 0.5))
    assert warm_up(1, then=[1, 0.5]).then == sequence([1, 0.5])
    assert schedule_from("constant") is constant


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ([], "came without any number"),
        ([1, -1], "sequence's epochs[1] came as -1"),
        ("sequence(3)", "needs a sequence of numbers"),
        ("step(0)", "step's every came as 0; needs a whole number in [1, inf)"),
        ("cosine(2)", "cosine's floor came as 2; needs a number in [0, 1]"),
        ("warm_up(-1)", "warm_up's epochs came as -1"),
        ("warm_up(1, 3)", "unknown schedule 3"),
    ],
)
def test_what_is_no_schedule_is_refused(spec: Any, says: str) -> None:
    with pytest.raises(SettingError) as caught:
        schedule_from(spec)
    assert says in str(caught.value)
