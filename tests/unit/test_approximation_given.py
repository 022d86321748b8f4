"""What is handed in: functions of single numbers, points, and certificates in other forms."""

import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kilonet.approximation import Approximation, CertificateError, approximate, certify
from kilonet.errors import DataError, ShapeError


@pytest.fixture(scope="module")
def interval() -> Approximation:
    return approximate(np.sin, 0.0, 3.0, 0.1, 1.0)


@pytest.fixture(scope="module")
def box() -> Approximation:
    return approximate(lambda X: X[:, 0] * X[:, 1], [0, 0], [1, 2], 0.4, math.sqrt(5))


@pytest.mark.parametrize(
    ("f", "raised", "hint"),
    [
        (math.sin, "TypeError", "np.vectorize(f, otypes=[float])"),
        (lambda x: x if x > 1 else 1.0, "ValueError", "np.vectorize(f, otypes=[float])"),
        (lambda x: x[:, 0], "IndexError", "x of shape (n,)"),
    ],
)
@pytest.mark.parametrize("lipschitz", [None, 1.0])
def test_a_function_of_one_number_is_told_what_it_gets(
    f: Callable[[Any], Any], raised: str, hint: str, lipschitz: float | None
) -> None:
    with pytest.raises(ShapeError) as found:
        approximate(f, 0.0, 3.0, 0.1, lipschitz)
    assert raised in str(found.value)
    assert hint in str(found.value)
    assert found.value.__cause__ is not None  # where in f it was


def test_a_function_of_two_numbers_is_told_what_it_gets() -> None:
    with pytest.raises(ShapeError) as found:
        approximate(lambda x, y: x * y, [0, 0], [1, 1], 0.5, 2.0)
    assert "shape (n, 2)" in str(found.value)
    hint = "lambda X: np.vectorize(f, otypes=[float])(*X.T)"
    assert hint in str(found.value)
    certify(approximate(eval(hint, {"np": np, "f": lambda x, y: x * y}), [0, 0], [1, 1], 0.5, 2.0))  # noqa: S307


def test_other_errors_of_a_function_are_its_own() -> None:
    def f(_: np.ndarray) -> np.ndarray:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        approximate(f, 0.0, 1.0, 0.1, 1.0)


def test_a_single_point_gives_a_single_score(interval: Approximation, box: Approximation) -> None:
    assert isinstance(interval(1.0), float)
    assert interval(1.0) == interval([1.0])[0] == interval([[1.0]])[0]
    assert isinstance(box([0.5, 1.5]), float)
    assert box([0.5, 1.5]) == box([[0.5, 1.5]])[0]
    assert interval([]).shape == (0,)
    assert box(np.zeros((0, 2))).shape == (0,)


@pytest.mark.parametrize("X", [1.0, [1.0], [[0.5, 1.0, 1.0]], np.zeros((2, 2, 2))])
def test_points_of_another_dimension_are_refused(box: Approximation, X: Any) -> None:
    with pytest.raises(ShapeError, match=r"needs \(n, 2\), or \(2,\) for a single point"):
        box(X)


def test_points_of_an_interval_have_one_coordinate(interval: Approximation) -> None:
    with pytest.raises(ShapeError, match=r"needs \(n,\), or a number"):
        interval([[0.5, 1.0]])


@pytest.mark.parametrize("X", [3.0001, -1e-9, math.nan, math.inf, [0.0, 1.0, 3.0001]])
def test_outside_of_the_box_nothing_is_certified_and_nothing_is_answered(interval: Approximation, X: Any) -> None:
    with pytest.raises(DataError, match=r"from 0\.0 to 3\.0.*made\.network\.scores\(made\.theta"):
        interval(X)


def test_on_a_box_the_point_outside_is_named(box: Approximation) -> None:
    with pytest.raises(DataError, match=r"point \[0\.5, 2\.5\].*from \[0\.0, 0\.0\] to \[1\.0, 2\.0\]"):
        box([[0.5, 2.0], [0.5, 2.5]])


def test_outside_of_the_box_the_network_itself_answers(interval: Approximation) -> None:
    assert np.isfinite(interval.network.scores(interval.theta, [[3.5]])).all()
    inside = interval.network.scores(interval.theta, [[1.0]]).ravel()
    assert inside == pytest.approx([interval(1.0)], abs=1e-12)


def test_an_approximation_is_certified_by_its_certificate(interval: Approximation) -> None:
    assert certify(interval) == certify(interval.certificate)
    certify(interval, np.sin)


def test_a_file_is_told_to_be_read(interval: Approximation, tmp_path: Path) -> None:
    path = tmp_path / "sine.json"
    path.write_text(json.dumps(interval.certificate), encoding="utf-8")
    with path.open() as file:
        for given in (path, str(path), file, io.StringIO("{}")):
            with pytest.raises(CertificateError, match=r"Path\(.*\)\.read_text\(\)"):
                certify(given)
    assert certify(path.read_text()) == certify(interval)
    with pytest.raises(CertificateError, match=r"came as bytes.*or its JSON text"):
        certify(path.read_bytes())
