"""TableEncoder: what it takes, from whom, and what it refuses."""

import datetime as dt
import decimal
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from kilonet.errors import DataError, LeftOutWarning, SettingError, ShapeError
from kilonet.tables import TableEncoder

NAN = float("nan")
ROWS: dict[str, list[Any]] = {
    "age": [30, None, 50, 41],
    "wage": [1.5, 2.5, None, 9.0],
    "flag": [True, None, False, True],
    "city": ["Paris", "Rome", None, "Rome"],
}
ARROW = pa.table(ROWS)
FRAMES = {
    "pandas": pd.DataFrame(ROWS),
    "pandas, plain objects": pd.DataFrame(ROWS, dtype=object),
    "pandas, nullable": pd.DataFrame(ROWS).astype(
        {"age": "Int64", "wage": "Float64", "flag": "boolean", "city": "string"}
    ),
    "pandas, Arrow": ARROW.to_pandas(types_mapper=pd.ArrowDtype),
    "pandas, category": pd.DataFrame(ROWS).astype({"city": "category"}),
    "polars": pl.DataFrame(ROWS),
    "polars, category": pl.DataFrame(ROWS).with_columns(pl.col("city").cast(pl.Categorical)),
    "polars, NaN": pl.DataFrame({**ROWS, "wage": [1.5, 2.5, NAN, 9.0]}),
    "arrow": ARROW,
    "arrow, dictionary": ARROW.set_column(3, "city", ARROW["city"].dictionary_encode()),
    "arrow, decimal": ARROW.set_column(1, "wage", ARROW["wage"].cast(pa.decimal128(5, 2))),
    "narwhals": nw.from_native(pl.DataFrame(ROWS)),
    "array of objects": np.array(list(zip(*ROWS.values(), strict=True)), dtype=object),
    "list of lists": [list(row) for row in zip(*ROWS.values(), strict=True)],
}


@pytest.mark.parametrize("name", FRAMES)
def test_every_library_gives_the_same_numbers(name: str) -> None:
    X = FRAMES[name]
    encoder = TableEncoder(dtype="float64").fit(X)
    got = encoder.transform(X)
    age, wage = np.array([30, 50, 41]), np.array([1.5, 2.5, 9.0])
    expected = np.zeros((4, 9))
    expected[[0, 2, 3], 0], expected[1, 1] = (age - age.mean()) / age.std(), 1
    expected[[0, 1, 3], 2], expected[2, 3] = (wage - wage.mean()) / wage.std(), 1
    expected[:, 4], expected[1, 5] = [1, 2 / 3, 0, 1], 1
    expected[0, 6] = expected[[1, 3], 7] = expected[2, 8] = 1
    np.testing.assert_allclose(got, expected, rtol=1e-15, atol=1e-16)  # a unit or two in the last place
    reference = TableEncoder(dtype="float64").fit(ARROW)
    assert np.array_equal(got, reference.transform(ARROW))
    names = ["age", "wage", "flag", "city"] if hasattr(encoder, "feature_names_in_") else ["x0", "x1", "x2", "x3"]
    age_name, wage_name, flag, city = names
    assert encoder.get_feature_names_out().tolist() == [
        *(age_name, f"{age_name}_missing", wage_name, f"{wage_name}_missing", flag, f"{flag}_missing"),
        *(f"{city}=Paris", f"{city}=Rome", f"{city}_missing"),
    ]


def test_a_frame_of_numbers_equals_its_array_bit_for_bit() -> None:
    X = np.random.default_rng(0).normal(size=(4000, 25))
    frame = pd.DataFrame(X, columns=[f"c{j}" for j in range(25)])
    encoder = TableEncoder(dtype="float64")
    expected = encoder.fit(X).to_json()
    for same in (frame, pl.from_pandas(frame), pa.Table.from_pandas(frame)):
        got = encoder.fit(same).to_json()
        assert {key: got[key] for key in ("mean", "std")} == {key: expected[key] for key in ("mean", "std")}
        assert np.array_equal(encoder.transform(same), TableEncoder().fit_transform(X))


def test_output_types() -> None:
    X = np.arange(6.0).reshape(3, 2)
    kinds = [X, X.astype(np.float32), X.astype(np.float16), X.astype(int), X.astype(object), pd.DataFrame(X)]
    got = [TableEncoder().fit_transform(x).dtype.name for x in kinds]
    assert got == ["float64", "float32", "float32", "float64", "float64", "float32"]
    assert TableEncoder(dtype=np.float32).fit_transform(X).dtype == np.float32
    frame = pd.DataFrame({"a": [1.0, None], "b": ["x", "y"]})
    made = TableEncoder().set_output(transform="pandas").fit_transform(frame)
    assert made.columns.tolist() == ["a", "a_missing", "b=x", "b=y"]


DATE = dt.datetime(2020, 1, 1)  # noqa: DTZ001 - a date without a zone is the case


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": [1], "when": [DATE]}),
        pd.DataFrame({"a": [1], "when": pd.Series([DATE.date()], dtype=object)}),
        pd.DataFrame({"a": [1], "when": pd.period_range("2020", periods=1)}),
        pd.DataFrame({"a": [1], "when": pd.to_timedelta([1])}),
        pl.DataFrame({"a": [1], "when": [DATE.time()]}),
        pa.table({"a": [1], "when": [DATE.date()]}),
    ],
)
def test_dates_are_refused_with_the_column_and_a_remedy(frame: Any) -> None:
    with pytest.raises(DataError, match=r'column "when".*: holds dates or times .*Replace the column by numbers'):
        TableEncoder().fit(frame)
    same = nw.from_native(frame).select("a").with_columns(when=nw.col("a")).to_native()
    with pytest.raises(DataError, match='column "when"'):
        TableEncoder().fit(same).transform(frame)


def test_all_columns_of_dates_are_named() -> None:
    frame = pd.DataFrame({"a": [1], "sold": [DATE], "b": ["x"], "built": [DATE.date()], "seen": [pd.Timestamp(DATE)]})
    with pytest.raises(
        DataError, match=r'"sold": holds dates .*; so do the columns "built", "seen"\. Replace each'
    ) as found:
        TableEncoder().fit(frame)
    assert found.value.columns == ("sold", "built", "seen")
    with pytest.raises(DataError, match=r'; so does the column "seen"\. Replace each by numbers') as found:
        TableEncoder().fit(frame.drop(columns="sold"))
    encoder = TableEncoder().fit(frame.assign(sold=1.0, built=2.0, seen=3.0))
    with pytest.raises(
        DataError, match=r'"sold": holds dates.*\. Training had other values there: give such\.'
    ) as found:
        encoder.transform(frame)
    assert found.value.columns == ()


def test_arrays_of_dates_are_refused() -> None:
    with pytest.raises(DataError, match=r'column "x0", row 0 .*dates'):
        TableEncoder().fit(np.array([["2020-01-01"], ["2021-01-01"]], dtype="datetime64[ns]"))


@pytest.mark.parametrize("cell", [{"a": 1}, [1, 2], (1,), {1}, b"bytes", 1j, object()])
def test_cells_with_parts_are_refused(cell: Any) -> None:
    column = np.empty((3, 1), dtype=object)
    column[:, 0] = [1.0, cell, 2.0]
    with pytest.raises(DataError, match=r'column "x0", row 1 .*must be a string or a number'):
        TableEncoder().fit(column)
    with pytest.raises(TypeError):
        TableEncoder().fit(column)


@pytest.mark.parametrize(
    "frame", [pl.DataFrame({"a": [[1], [2]]}), pa.table({"a": [{"b": 1}]}), pa.table({"a": [b"x"]})]
)
def test_nested_types_are_refused(frame: Any) -> None:
    with pytest.raises(DataError, match=r'column "a": holds the type (List|Struct|Binary)'):
        TableEncoder().fit(frame)


def test_numbers_beyond_float64_and_odd_ones() -> None:
    with pytest.raises(DataError, match=r'column "x0", row 1 .*does not fit a float64'):
        TableEncoder().fit(np.array([[1], [10**400]], dtype=object))
    with pytest.raises(DataError, match="thousands of digits"):
        TableEncoder().fit(np.array([[1], [10**9999]], dtype=object))
    odd = np.array([[decimal.Decimal("1.5")], [np.float32(2.5)], [decimal.Decimal("NaN")], [3]], dtype=object)
    assert TableEncoder(standardize=False).fit_transform(odd)[:, 0].tolist() == [1.5, 2.5, 7 / 3, 3.0]
    with pytest.raises(DataError, match="inf"):
        TableEncoder().fit(np.array([["1"], ["inf"]]))


def test_columns_without_any_value() -> None:
    for empty in (pa.table({"a": pa.nulls(3), "b": [1, 2, 3]}), pd.DataFrame({"a": [NAN] * 3, "b": [1, 2, 3]})):
        with pytest.warns(LeftOutWarning, match='column "a": no row has a value'):
            encoder = TableEncoder().fit(empty)
        assert encoder.get_feature_names_out().tolist() == ["b"]
        assert encoder.transform(empty).shape == (3, 1)


def test_columns_are_compared_with_those_of_training() -> None:
    frame = pd.DataFrame({"age": [1, 2], "city": ["x", "y"]})
    encoder = TableEncoder().fit(frame)
    with pytest.raises(
        DataError,
        match=r'yet now missing:\n- city\n.*Add the column "city", or rename .* holds it\. Did you mean citi\?',
    ):
        encoder.transform(frame.rename(columns={"city": "citi"}))
    with pytest.raises(DataError, match=r"same order .*\n.*encoder.arrange"):
        encoder.transform(frame[["city", "age"]])
    more = pl.DataFrame({"city": ["y"], "spare": [1], "age": [2]})
    assert encoder.transform(encoder.arrange(more)).tolist() == [[1, 0, 1]]
    with pytest.raises(DataError, match=r'has no column "city", which training had\. It has "age"\. Add'):
        encoder.arrange(more.select("age"))
    with pytest.raises(DataError, match=r'has no column "city", which training had\. Did you mean City\? It has'):
        encoder.arrange(more.rename({"city": "City"}))
    assert encoder.arrange([[1, "x"]]) == [[1, "x"]]
    with pytest.raises(DataError, match="X has 3 features, but TableEncoder is expecting 2"):
        TableEncoder().fit(np.ones((2, 2))).transform(np.ones((2, 3)))
    with pytest.raises(ShapeError, match="X has 3 columns; training had 2"):
        encoder.encode(np.ones((2, 3)))
    assert np.array_equal(encoder.encode(frame), encoder.transform(frame))


@pytest.mark.parametrize(
    ("X", "message"),
    [
        (pd.DataFrame({"a": []}), "0 rows and 1 columns"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "unique column names"),
        (pl.LazyFrame({"a": [1]}), r"\.collect\(\)"),
        ([[1.0], [1.0, 2.0]], "rows of X differ in length"),
        (np.ones(3), "Expected 2D array"),
        (pd.Series([1.0, 2.0]), "2"),
        (np.empty((0, 2)), "0 sample"),
    ],
)
def test_what_is_no_table(X: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        TableEncoder().fit(X)


@pytest.mark.parametrize(
    ("weights", "error", "message"),
    [
        ([1.0], ShapeError, r"shape \(1,\); needs one weight for each of the 2 rows"),
        ([[1.0], [2.0]], ShapeError, r"shape \(2, 1\)"),
        ([1.0, -1.0], DataError, r"sample_weight\[1\] is -1"),
        ([1.0, NAN], DataError, r"sample_weight\[1\] is nan"),
        ([0.0, 0.0], DataError, "every sample_weight is zero"),
    ],
)
def test_weights_that_are_none(weights: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        TableEncoder().fit([[1.0], [2.0]], sample_weight=weights)


def test_rows_of_weight_zero_are_absent() -> None:
    for frame in (pd.DataFrame(ROWS), pl.DataFrame(ROWS), ARROW):
        encoder = TableEncoder().fit(frame, sample_weight=[1, 0, 0, 1])
        assert encoder.get_feature_names_out().tolist() == ["age", "wage", "flag", "city=Paris", "city=Rome"]
    cells = np.array([[1.0], [{}], ["x"], [2.0], [3.0]], dtype=object)
    with pytest.raises(DataError, match="row 2 "):  # of the table, not of the rows that count
        TableEncoder().fit(cells, sample_weight=[1, 0, 1, 1, 1])


@pytest.mark.parametrize("settings", [{"standardize": "yes"}, {"dtype": "int32"}, {"dtype": "nonsense"}, {"dtype": 3}])
def test_settings_are_checked(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=next(iter(settings))):
        TableEncoder(**settings).fit([[1.0]])


def test_names_are_distinct() -> None:
    frame = pd.DataFrame({"a": [1, None], "a_missing": [1, 2], "c": ["x", "y"], "c=x": [1, 2]})
    names = TableEncoder().fit(frame).get_feature_names_out().tolist()
    assert names == ["a", "a_missing", "a_missing_2", "c=x", "c=y", "c=x_2"]
    with pytest.raises(DataError, match="input_features is not equal"):
        TableEncoder().fit(frame).get_feature_names_out(["a", "b", "c", "d"])
