"""TableEncoder: weights as repeated rows, and what was learnt, copied and through JSON."""

import json
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone

from kilonet.errors import FileFormatError
from kilonet.tables import TableEncoder

NAN = float("nan")
TABLE = pa.table(
    {"age": [30, None, 50], "wage": [1.5, 2.5, None], "flag": [True, None, False], "city": ["a", "b", None]}
)


def through_json(encoder: TableEncoder) -> TableEncoder:
    return TableEncoder.from_json(json.loads(json.dumps(encoder.to_json(), allow_nan=False)))


WORDS = st.sampled_from(["a", "b", "c", "", None])
NUMBERS = st.sampled_from([0.0, 1.0, -2.5, 1e30, 1e-3, NAN, None])
ROWS = st.lists(st.tuples(WORDS, NUMBERS, st.integers(0, 3)), min_size=1, max_size=12)


def has_values(rows: list[tuple[Any, Any, int]]) -> bool:
    """Whether a column has a value in a row that counts: without any, the encoder refuses the table."""
    return any(weight and (word or (number is not None and number == number)) for word, number, weight in rows)


EMPTY_COLUMN = pytest.mark.filterwarnings("ignore::kilonet.errors.LeftOutWarning")  # test_tables has these


@EMPTY_COLUMN
@given(ROWS.filter(has_values))
def test_weights_equal_repeated_rows(rows: list[tuple[Any, Any, int]]) -> None:
    X = np.array([row[:2] for row in rows], dtype=object).reshape(-1, 2)
    weights = np.array([row[2] for row in rows])
    weighted = TableEncoder().fit(X, sample_weight=weights)
    repeated = TableEncoder().fit(np.repeat(X, weights, axis=0))
    one, other = weighted.state_, repeated.state_
    assert (one.kinds, one.categories) == (other.kinds, other.categories)
    for field in ("mean", "std", "missing"):  # the same sums with w·x in place of x + ... + x
        np.testing.assert_allclose(getattr(one, field), getattr(other, field), rtol=1e-14)
    assert np.array_equal(one.marked, other.marked)


@EMPTY_COLUMN
@given(ROWS.filter(lambda rows: has_values([(word, number, 1) for word, number, _ in rows])))
def test_json_brings_everything_back(rows: list[tuple[Any, Any, int]]) -> None:
    X = pd.DataFrame([row[:2] for row in rows], columns=["word", "number"], dtype=object)
    encoder = TableEncoder().fit(X)
    again = through_json(encoder)
    assert again.to_json() == encoder.to_json()
    assert np.array_equal(again.transform(X), encoder.transform(X))
    assert again.get_feature_names_out().tolist() == encoder.get_feature_names_out().tolist()
    assert again.feature_names_in_.tolist() == ["word", "number"]


def test_copies_hold_what_was_learnt() -> None:
    encoder = TableEncoder(dtype="float32").fit(TABLE)
    again = pickle.loads(pickle.dumps(encoder))  # noqa: S301 - just written
    assert np.array_equal(again.transform(TABLE), encoder.transform(TABLE))
    assert clone(encoder).get_params() == {
        "standardize": True,
        "robust": False,
        "bound": None,
        "pieces": 0,
        "dtype": "float32",
    }
    numpy_type = TableEncoder(dtype=np.float64).fit(TABLE)
    assert TableEncoder.from_json(json.loads(json.dumps(numpy_type.to_json()))).transform(TABLE).dtype == np.float64


BROKEN: list[dict[str, Any]] = [
    {"mean": [1.0]},
    {"kinds": ["number", "number", "boolean", "spam"]},
    {"std": [-1.0, 0, 0, 0]},
    {"mean": [NAN, 0, 0, 0]},
    {"mean": "abc"},
    {"categories": {}},
    {"categories": {"3": ["a", "a"]}},
    {"categories": {"3": [1]}},
    {"categories": None},
    {"names": []},
    {"centred": 1},
    {"name": "spam"},
    {"dtype": "int8"},
    {"dtype": []},
]


@pytest.mark.parametrize("change", BROKEN)
def test_broken_descriptions_are_refused(change: dict[str, Any]) -> None:
    good = TableEncoder().fit(TABLE).to_json()
    with pytest.raises(FileFormatError, match="table encoder"):
        TableEncoder.from_json({**good, **change})
    for key in good.keys() - {"named", "dtype"}:
        with pytest.raises(FileFormatError):
            TableEncoder.from_json({other: value for other, value in good.items() if other != key})
    for nothing in (None, [], "text", 3):
        with pytest.raises(FileFormatError):
            TableEncoder.from_json(nothing)
