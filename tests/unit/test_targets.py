"""The user's targets: what is taken, what is refused, and whether the message says where and what to do."""

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest

from kilonet import targets
from kilonet.errors import DataError, ShapeError


def test_classes_come_in_any_kind_of_number() -> None:
    for y in ([0, 2], np.array([0.0, 2.0]), np.array([0, 2], np.uint8), pd.Series([0, 2], dtype="Int64"), (False, 2)):
        given = targets.classes(y, 3)
        assert given.dtype == np.int32
        assert given.tolist() == [0, 2]


def test_numbers_become_columns_in_the_dtype_asked_for() -> None:
    assert targets.numbers([1, 2], 1, np.float32).dtype == np.float32
    assert targets.numbers([1, 2], 1, np.float32).shape == (2, 1)
    assert targets.numbers([[1, 2]], 2, np.float64).shape == (1, 2)
    assert targets.numbers(np.asfortranarray(np.ones((3, 2))), 2, np.float64).flags.c_contiguous


def test_signs_may_be_said_as_bits() -> None:
    assert targets.signs([0, 1], 1, float).tolist() == targets.signs([-1, 1], 1, float).tolist() == [[-1], [1]]
    assert targets.signs([True, False], 1, float).tolist() == [[1], [-1]]
    assert targets.signs([1, 1], 1, float).tolist() == [[1], [1]]


def test_the_users_array_is_never_changed() -> None:
    y = np.array([[0.0], [1.0]])
    targets.signs(y, 1, np.float64)[...] = 9
    assert y.tolist() == [[0.0], [1.0]]


@pytest.mark.parametrize(
    ("made", "error", "says"),
    [
        (lambda: targets.classes([0, 3], 3), DataError, "y holds 3 at row 1; the network has 3 outputs"),
        (lambda: targets.classes([0, -1], 3), DataError, "a whole number in 0 … 2"),
        (lambda: targets.classes([0, 0.5], 3), DataError, "y holds 0.5 at row 1"),
        (lambda: targets.classes([[0, 1]], 3), ShapeError, "numpy.argmax(y, axis=1)"),
        (lambda: targets.classes([[0], [1]], 3), ShapeError, "y.ravel()"),
        (lambda: targets.classes(["cat", "dog"], 3), DataError, "y holds 'cat' at row 0; this loss needs numbers"),
        (lambda: targets.classes([], 3), DataError, "at least one example"),
        (lambda: targets.numbers(3.0, 1, float), ShapeError, "one target for each row"),
        (lambda: targets.numbers([1.0, np.nan], 1, float), DataError, "a missing target (NaN) at row 1"),
        (lambda: targets.numbers([1.0, None], 1, float), DataError, "row 1"),
        (lambda: targets.numbers([[1.0, -np.inf]], 2, float), DataError, "y holds -inf at row 0, column 1"),
        (lambda: targets.numbers([1e39], 1, np.float32), DataError, "too large for float32"),
        (lambda: targets.numbers([[1, 2]], 3, float), ShapeError, "so y needs the shape (n, 3)"),
        (lambda: targets.numbers([1j], 1, float), DataError, "needs numbers"),
        (lambda: targets.bits([0, -1], 1, float), DataError, "(y + 1) / 2"),
        (lambda: targets.signs([0, -1], 1, float), DataError, "Use either 0 and 1, or -1 and +1"),
        (lambda: targets.signs([2, 1], 1, float), DataError, "y holds 2.0 at row 0"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(made, error, says) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(error) as caught:
        made()
    assert says in str(caught.value)
