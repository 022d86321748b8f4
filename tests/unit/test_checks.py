"""Checks: what passes comes back in its plain form, what does not is named with what is allowed."""

from typing import Any

import numpy as np
import pytest

from kilonet import checks
from kilonet.errors import DataError, SettingError


def test_numbers_come_back_as_python_numbers() -> None:
    assert type(checks.number("x", np.float32(0.5))) is float
    assert type(checks.whole("x", np.int64(5))) is int
    assert checks.per_member("x", [1, 2]) == checks.per_member("x", np.array([1, 2])) == (1.0, 2.0)
    assert checks.per_member("x", np.array(3)) == 3.0


@pytest.mark.parametrize(
    ("interval", "inside", "outside"),
    [
        ("[0, 1)", [0, 0.5], [-1e-9, 1]),
        ("(0, inf)", [1e-300, 1e300], [0, -1, float("inf"), float("nan")]),
        ("[1, inf)", [1, 10**30], [0]),
        ("(-inf, inf)", [0, -1e300], [float("inf"), float("nan")]),
    ],
)
def test_intervals_are_open_and_closed_as_written(interval: str, inside: list[Any], outside: list[Any]) -> None:
    assert all(checks.inside(x, interval) for x in inside)
    assert not any(checks.inside(x, interval) for x in outside)


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: checks.number("l2", "0.1", "[0, inf)"), "l2 came as '0.1'; needs a number in [0, inf)."),
        (lambda: checks.number("l2", True), "l2 came as True"),
        (lambda: checks.number("l2", None), "l2 came as None"),
        (lambda: checks.number("l2", np.zeros(3)), "an array of shape (3,)"),
        (lambda: checks.number("l2", 10**400), "needs a number"),
        (lambda: checks.whole("batch", 2.0), "batch came as 2.0; needs a whole number in [1, inf). Write 2."),
        (lambda: checks.whole("batch", np.float32(-2)), "batch came as -2.0; needs a whole number in [1, inf)."),
        (
            lambda: checks.byte_count("max_memory", 1.5),
            "came as 1.5; needs a whole number of bytes, such as 2000000000",
        ),
        (lambda: checks.byte_count("max_memory", "2 gigs"), 'or a text, such as "2GB" or "500MiB".'),
        (lambda: checks.byte_count("max_memory", np.inf), "came as inf"),
        (lambda: checks.byte_count("max_memory", "0.5B"), "came as '0.5B'"),
        (lambda: checks.byte_count("max_memory", True), "came as True"),
        (lambda: checks.whole("batch", True), "batch came as True"),
        (lambda: checks.whole("batch", np.bool_(True)), "batch came as True"),
        (lambda: checks.choice("metric", "los", ["loss", "score"]), "needs one of loss, score. Did you mean loss?"),
        (lambda: checks.choice("metric", "LOSS", ["Loss", "score"]), "Did you mean Loss?"),
        (lambda: checks.choice("metric", 3, ["loss", "score"]), "metric came as 3"),
        (lambda: checks.per_member("l2", [0.1, -1], "[0, inf)"), "l2[1] came as -1"),
        (lambda: checks.per_member("l2", []), "empty sequence"),
        (lambda: checks.per_member("l2", [[0.1]]), "l2 came as [[0.1]]"),
        (lambda: checks.as_float_dtype("dtype", "int8"), "needs float32 or float64"),
        (lambda: checks.as_float_dtype("dtype", "nonsense"), "needs float32 or float64"),
        (lambda: checks.seed("seed", -1), "needs a whole number in [0, inf)"),
        (lambda: checks.seed("seed", 2**64), "below 2**64"),
    ],
)
def test_what_does_not_fit_is_said(made: Any, says: str) -> None:
    with pytest.raises(SettingError) as caught:
        made()
    assert says in str(caught.value)


def test_the_largest_seed_fits() -> None:
    assert checks.seed("seed", 2**64 - 1) == 2**64 - 1


def test_the_first_infinite_value_is_placed() -> None:
    checks.finite("X", np.ones((2, 2)))
    with pytest.raises(DataError, match="X holds nan at row 1, column 0"):
        checks.finite("X", np.array([[1.0, 2.0], [np.nan, np.inf]]))


@pytest.mark.parametrize("value", [10**9, 1e9, np.float32(1e9), "1GB", "1000 MB", "1gb"])
def test_bytes_may_be_written_in_several_ways(value: Any) -> None:
    counted = checks.byte_count("max_memory", value)
    assert (counted, type(counted)) == (10**9, int)


def test_a_value_too_deep_to_be_written_is_named_by_its_type() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    assert checks.shown(deep) == "a deeply nested list"
