"""TableEncoder: what it learns and what comes out, against scikit-learn's own parts and by hand."""

import contextlib
import datetime as dt
import tracemalloc
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import sparse
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import kilonet as kn
from kilonet.errors import DataError, DataWarning, LeftOutWarning
from kilonet.tables import TableEncoder

NAN = float("nan")


@parametrize_with_checks([TableEncoder(), TableEncoder(standardize=False), TableEncoder(dtype="float32")])
def test_scikit_learn_checks(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.uint64])
def test_numbers_equal_scikit_learns_scaler(dtype: Any) -> None:
    X = (100 * np.random.default_rng(0).random((5000, 30))).astype(dtype)  # more than one block of rows
    expected = StandardScaler().fit_transform(X.astype(np.float64))
    got = TableEncoder().fit_transform(X)
    assert got.dtype == (np.float32 if dtype == np.float32 else np.float64)
    # Two float64 sums of 5,000 terms in different orders; float32 is rounded once, at the end.
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-12 if got.dtype == np.float64 else 3e-7)


def test_order_of_memory_changes_no_bit() -> None:
    X = np.random.default_rng(1).normal(size=(3000, 40))
    wide = np.zeros((3000, 80))
    wide[:, ::2] = X
    expected = TableEncoder().fit_transform(X)
    for other in (np.asfortranarray(X), wide[:, ::2]):
        assert np.array_equal(TableEncoder().fit_transform(other), expected)


def test_gaps_get_the_mean_and_a_column_that_says_so() -> None:
    X = np.array([[1.0, 5.0], [NAN, 6.0], [3.0, 7.0], [2.0, 9.0]])
    encoder = TableEncoder().fit(X)
    assert encoder.get_feature_names_out().tolist() == ["x0", "x0_missing", "x1"]
    std = np.std([1, 3, 2])
    assert encoder.transform(X)[:, :2].tolist() == [[-1 / std, 0], [0, 1], [1 / std, 0], [0, 0]]
    assert encoder.notes() == [
        'column "x0": 25.0% of its values are missing; their mean 2 stands for them and "x0_missing" is 1 there'
    ]


def test_gap_that_training_did_not_have_is_said_once() -> None:
    encoder = TableEncoder().fit([[1.0], [3.0]])
    with pytest.warns(DataWarning, match=r'column "x0": a value is missing, which never happened in training'):
        assert encoder.transform([[NAN], [3.0]]).tolist() == [[0.0], [1.0]]
    encoder.transform([[NAN]])  # a second warning would be an error here
    with pytest.warns(DataWarning):
        encoder.fit([[1.0], [3.0]]).transform([[NAN]])


@pytest.mark.parametrize("value", [0.1, 1e30, -7.0, 1e-300])
def test_constant_columns_are_zero_whatever_comes(value: float) -> None:
    X = np.full((11, 2), value)
    X[:, 1] = np.arange(11)
    encoder = TableEncoder().fit(X)
    assert not encoder.transform(X)[:, 0].any()
    assert not encoder.transform([[value + 5, 1.0]])[:, 0].any()


SCALES = [(np.float64, scale) for scale in (1e-310, 1e-30, 1e4, 1e30, 1e300)]
SCALES += [(np.float32, scale) for scale in (1e-30, 1e4, 1e30)]


@pytest.mark.parametrize(("dtype", "scale"), SCALES)
def test_extreme_numbers_stay_finite(dtype: Any, scale: float) -> None:
    X = np.random.default_rng(2).normal(size=(50, 3))
    expected = StandardScaler().fit_transform(X.astype(dtype).astype(np.float64))
    got = TableEncoder().fit_transform((X * scale).astype(dtype))
    # Subnormal numbers have lost digits before the encoder sees them: 1e-310 has 14 bits fewer.
    np.testing.assert_allclose(got, expected, atol=1e-9 if scale == 1e-310 else 1e-6 if dtype == np.float32 else 1e-12)
    assert np.isfinite(TableEncoder().fit_transform(np.array([[scale], [-scale], [0.0]], dtype=dtype))).all()


def test_largest_float64_numbers() -> None:
    largest = np.finfo(np.float64).max
    got = TableEncoder().fit_transform([[largest], [-largest], [-largest]])
    np.testing.assert_allclose(got[:, 0], StandardScaler().fit_transform([[1.0], [-1.0], [-1.0]])[:, 0], rtol=1e-14)


def test_small_differences_on_a_large_mean_are_kept() -> None:
    X = 1e9 + np.arange(10.0)[:, np.newaxis]
    assert np.allclose(TableEncoder().fit_transform(X), StandardScaler().fit_transform(np.arange(10.0)[:, np.newaxis]))
    rounding = np.array([[0.3], [0.1 + 0.2], [0.3]])  # the same number but for one unit in the last place
    assert not TableEncoder().fit_transform(rounding).any()


def test_too_far_for_the_output_type_is_an_error() -> None:
    encoder = TableEncoder(dtype="float32").fit([[0.0], [1e-20]])
    with pytest.raises(DataError, match=r'column "x0", row 1 \(counting from 0\): 1e\+30 is too far'):
        encoder.transform([[0.0], [1e30]])


@pytest.mark.parametrize("infinity", [np.inf, -np.inf])
@pytest.mark.parametrize("as_sparse", [False, True])
def test_infinity_is_refused_with_its_place(infinity: float, as_sparse: bool) -> None:
    good = np.random.default_rng(3).normal(size=(9000, 9))
    bad = good.copy()
    bad[8999, 4] = infinity
    bad[5, 1] = NAN
    kind: Any = sparse.csr_array if as_sparse else np.asarray
    message = r'column "x4", row 8999 \(counting from 0\): -?inf \(infinity\)'
    with pytest.raises(DataError, match=message):
        TableEncoder().fit(kind(bad))
    with pytest.raises(DataError, match=message):
        TableEncoder().fit(kind(good)).transform(kind(bad))
    weights = np.ones(9000)
    weights[8999] = 0
    TableEncoder().fit(kind(bad), sample_weight=weights)  # a row of weight zero counts as absent


def test_texts_become_one_hot_as_scikit_learn_has_it() -> None:
    X = np.random.default_rng(4).choice(["Paris", "Rome", "Oslo"], (60, 2)).astype(object)
    got = TableEncoder().fit_transform(X)
    assert np.array_equal(got, OneHotEncoder(sparse_output=False).fit_transform(X))


def test_unknown_category_is_zeros_and_said_once() -> None:
    encoder = TableEncoder().fit(pd.DataFrame({"city": ["Paris", "Rome", None]}))
    assert encoder.get_feature_names_out().tolist() == ["city=Paris", "city=Rome", "city_missing"]
    message = r'column "city": 1 of 2 rows hold a category .* first \'Oslo\' in row 1 \(counting from 0\)'
    with pytest.warns(DataWarning, match=message) as caught:
        got = encoder.transform(pd.DataFrame({"city": ["Rome", "Oslo"]}))
    assert got.tolist() == [[0, 1, 0], [0, 0, 0]]
    assert [warning.message.row for warning in caught] == [1]
    encoder.transform(pd.DataFrame({"city": ["Bern"]}))


@pytest.mark.parametrize("kind", ["frame", "array", "objects"])
def test_empty_columns_are_left_out(kind: str) -> None:
    table: Any = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [NAN] * 3, "c": [3.0, NAN, 5.0]})
    if kind != "frame":
        table = table.to_numpy(dtype=np.float64 if kind == "array" else object)
    expected = TableEncoder(dtype="float64").fit_transform(np.array([[1.0, 3.0], [2.0, NAN], [3.0, 5.0]]))
    name = "b" if kind == "frame" else "x1"
    with pytest.warns(LeftOutWarning, match=f'column "{name}": no row has a value in it; the column is left out'):
        encoder = TableEncoder(dtype="float64").fit(table)
    np.testing.assert_array_equal(encoder.transform(table), expected)
    assert len(encoder.get_feature_names_out()) == 3
    assert encoder.notes()[-1] == f'column "{name}": left out, it was empty in training'
    again = TableEncoder.from_json(encoder.to_json())
    later = table.copy()
    later[name if kind == "frame" else (slice(None), 1)] = 7.0  # whatever comes later says nothing
    np.testing.assert_array_equal(again.transform(later), expected)


def test_a_large_array_with_an_empty_column_is_not_copied_whole() -> None:
    X = np.random.default_rng(6).normal(size=(100_000, 20)).astype(np.float32)
    X[::7, 4] = NAN
    expected = TableEncoder().fit_transform(np.delete(X, 3, axis=1))
    X[:, 3] = NAN
    with pytest.warns(LeftOutWarning):
        encoder = TableEncoder().fit(X)
    tracemalloc.start()
    try:
        got = encoder.transform(X)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert np.array_equal(got, expected)
    assert peak < got.nbytes + 8 * 2**19  # the outputs, and a few blocks of half a megabyte
    X[9, 4] = np.inf
    with pytest.raises(DataError, match=r'column "x4", row 9 \(counting from 0\): inf'):
        encoder.transform(X)


@pytest.mark.parametrize("cell", [dt.date(2024, 1, 1), {"a": 1}])
def test_whatever_an_empty_column_holds_later_is_not_looked_at(cell: Any) -> None:
    with pytest.warns(LeftOutWarning):
        encoder = TableEncoder().fit(pd.DataFrame({"a": [1.0, 3.0], "b": [NAN, NAN], "c": ["x", "y"]}))
    later = pd.DataFrame({"a": [3.0, 1.0], "b": pd.Series([cell, cell], dtype=object), "c": ["y", "x"]})
    expected = [[1, 0, 1], [-1, 1, 0]]
    assert encoder.transform(later).tolist() == expected
    assert encoder.transform(pl.DataFrame(later.to_dict("list"))).tolist() == expected
    array = TableEncoder.from_json(encoder.to_json() | {"named": False})
    assert array.transform(later.to_numpy()).tolist() == expected


def test_whatever_an_identifier_holds_later_is_not_looked_at() -> None:
    with pytest.warns(LeftOutWarning):
        encoder = TableEncoder().fit(pd.DataFrame({"a": range(150), "name": [f"name {i}" for i in range(150)]}))
    assert encoder.transform(pd.DataFrame({"a": [74.5], "name": [dt.date(2024, 1, 1)]})).tolist() == [[0]]


def test_warnings_point_at_the_users_line() -> None:
    X = np.array([[1.0, NAN], [2.0, NAN]])
    encoder = TableEncoder()
    for call in (lambda: encoder.fit(X), lambda: encoder.fit_transform(X), lambda: encoder.transform([[NAN, 1.0]]),
                 lambda: kn.MLPRegressor(epochs=1).fit(X, [1.0, 2.0])):  # fmt: skip
        with pytest.warns(DataWarning) as caught:
            call()
        assert {warning.filename for warning in caught} == {__file__}


def test_rows_of_weight_zero_do_not_fill_a_column() -> None:
    X = np.array([[1.0, 5.0], [2.0, NAN], [4.0, NAN]])
    with pytest.warns(LeftOutWarning, match="x1"):
        encoder = TableEncoder().fit(X, sample_weight=[0, 1, 2])
    assert encoder.transform(X).shape == (3, 1)
    with pytest.warns(LeftOutWarning), pytest.raises(DataError, match="no column of the table"):
        TableEncoder().fit(X[:, 1:], sample_weight=[0, 1, 2])


def test_identifiers_are_left_out_and_many_categories_cut() -> None:
    names = [f"name {i}" for i in range(150)]
    frame = pd.DataFrame({"name": names, "size": range(150)})
    with pytest.warns(DataWarning, match=r'column "name": 150 different texts in 150 rows look like an identifier'):
        encoder = TableEncoder().fit(frame)
    assert encoder.get_feature_names_out().tolist() == ["size"]
    assert encoder.notes() == ['column "name": left out, it looks like an identifier']
    assert encoder.transform(frame).shape == (150, 1)
    assert TableEncoder().fit(pd.concat([frame] * 2)).transform(frame).shape == (150, 151)
    # Weights of 2 stand for two rows each; small ones only say "less", and a row stays a row.
    for weight, width in ((2, 151), (1, 1)):
        with pytest.warns(DataWarning, match="identifier") if width == 1 else contextlib.nullcontext():
            weighted = TableEncoder().fit(frame, sample_weight=np.full(150, weight))
        assert weighted.state_.width == width
    assert TableEncoder().fit(pd.concat([frame] * 2), sample_weight=np.full(300, 0.01)).state_.width == 151
    many = [f"{i:04}x" for i in range(1200)] * 3 + ["0000x", "1199x"]
    with pytest.warns(DataWarning, match="1200 different texts; the 1000 most frequent"):
        encoder = TableEncoder().fit(pd.DataFrame({"code": many}))
    kept = encoder.state_.categories[0]
    assert len(kept) == 1000
    assert "1199x" in kept
    assert "1198x" not in kept
    with pytest.warns(DataWarning, match="identifier"), pytest.raises(DataError, match="no column of the table"):
        TableEncoder().fit(frame[["name"]])


def test_texts_that_write_numbers_are_numbers() -> None:
    texts = pd.DataFrame({"a": ["1.5", " 2 ", "", "1e1"]})
    numbers = pd.DataFrame({"a": [1.5, 2.0, None, 10.0]})
    assert np.array_equal(TableEncoder().fit_transform(texts), TableEncoder().fit_transform(numbers))
    declared = TableEncoder().fit(texts.astype("category"))
    assert declared.get_feature_names_out().tolist() == ["a= 2 ", "a=1.5", "a=1e1", "a_missing"]
    # A column that training saw as texts and prediction as numbers (a CSV file's types are guessed), and the reverse.
    codes = TableEncoder().fit(pd.DataFrame({"a": ["1", "2", "x"] * 9}))
    assert codes.transform(pd.DataFrame({"a": [2, 1]})).tolist() == [[0, 1, 0], [1, 0, 0]]
    assert codes.transform(pd.DataFrame({"a": [2.0, 1.0]})).tolist() == [[0, 1, 0], [1, 0, 0]]
    assert TableEncoder(standardize=False).fit(numbers).transform(texts).tolist() == [
        [1.5, 0],
        [2, 0],
        [4.5, 1],
        [10, 0],
    ]


@pytest.mark.parametrize(
    ("cells", "place"),
    [
        (["1", "2", "abc", "4"], r"row 2 \(counting from 0\): holds the text 'abc' in a column of which 75.0% are"),
        ([1.0, None, "?", 3.0, 4.5], r"row 2 \(counting from 0\): holds the text '\?'"),
        (["1.5", "2,5", "3.5"], r"row 1 .* holds the text '2,5', a number with a decimal comma. Write decimals with"),
        (["1,5", "2,5", "3,5"], r"row 0 [^%]* put a letter before each of its values"),
        ([*map(str, range(9999)), "oops"], r"row 9999 .* of which 99.99% are numbers"),
        ([str(i) for i in range(30)] + ["?"] * 8, r"row 30 "),
    ],
)
def test_text_among_numbers_is_refused_with_its_place(cells: list[Any], place: str) -> None:
    with pytest.raises(DataError, match='column "price", ' + place):
        TableEncoder().fit(pd.DataFrame({"price": pd.Series(cells, dtype=object)}))
    encoder = TableEncoder().fit(pd.DataFrame({"price": [1.0, 2.0]}))
    with pytest.raises(DataError, match=r'column "price", row \d+ .*where training had numbers'):
        encoder.transform(pd.DataFrame({"price": pd.Series([1.0, "abc"], dtype=object)}))


def test_codes_with_texts_are_categories() -> None:
    encoder = TableEncoder().fit(pd.DataFrame({"floor": ["1", "2", "3", "attic"] * 5}))
    assert encoder.get_feature_names_out().tolist() == ["floor=1", "floor=2", "floor=3", "floor=attic"]


def test_truth_values() -> None:
    frame = pd.DataFrame({"flag": [True, False, True, True]})
    encoder = TableEncoder().fit(frame)
    for same in (frame, frame.astype(int), frame.astype(str), frame.astype(object)):
        assert encoder.transform(same).tolist() == [[1], [0], [1], [1]]
    assert TableEncoder().fit_transform(frame.to_numpy()).tolist() == [[1], [0], [1], [1]]
    with pytest.raises(DataError, match=r'column "flag", row 0 .*: holds 2 where training had truth values'):
        encoder.transform(pd.DataFrame({"flag": [2]}))


def test_sparse_equals_dense_without_centring() -> None:
    X = sparse.random_array((200, 9), density=0.3, rng=np.random.default_rng(5)).tocsr()
    X.data[3] = NAN
    encoder = TableEncoder().fit(X)
    got = encoder.transform(X)
    assert sparse.issparse(got)
    assert np.array_equal(got.toarray(), encoder.transform(X.toarray()))
    dense = TableEncoder().fit(X.toarray())
    np.testing.assert_allclose(encoder.state_.std, dense.state_.std, rtol=1e-12)  # sums in another order
    np.testing.assert_allclose(encoder.state_.mean, dense.state_.mean, rtol=1e-12)
    assert encoder.get_feature_names_out().tolist() == dense.get_feature_names_out().tolist()
    assert np.array_equal(dense.transform(X), dense.transform(X.toarray()))
    constant = sparse.csr_array(np.array([[2.0, 0.0], [2.0, 1.0]]))
    assert TableEncoder().fit_transform(constant).toarray().tolist() == [[0, 0], [0, 2]]


def test_sparse_cells_that_occur_twice_are_added() -> None:
    twice = sparse.csr_array((np.array([1.0, 2.0, 5.0]), np.array([0, 0, 0]), np.array([0, 2, 3])), shape=(2, 1))
    assert TableEncoder(standardize=False).fit_transform(twice).toarray().tolist() == [[3.0], [5.0]]
    assert TableEncoder().fit(twice).state_.std.tolist() == [1.0]  # of 3 and 5, not of 1, 2 and 5
    assert twice.nnz == 3  # the caller's table is as it was


DATES = [
    [f"{day:02}.{month:02}.2020" for month in range(1, 13) for day in range(1, 29)],
    [f"{month}/{day}/21" for month in range(1, 13) for day in range(1, 29)],
    [f"2020-{month:02}-{day:02}" for month in range(1, 13) for day in range(1, 29)],
    [f"2020-{month:02}-{day:02}T10:{day:02}:00Z" for month in range(1, 13) for day in range(1, 29)],
    [f"{month}/{day}/2021 1:{day + 10} PM" for month in range(1, 13) for day in range(1, 29)],
    ["2020-01", "2020-02", "2021-03"],
    ["13 April 2020", "Apr 14, 2020", "15-Apr-20", "3 Sept. 2021"],
    [f"{day}.4.2020" for day in range(1, 30)] + ["unknown"],
]


@pytest.mark.parametrize("dates", DATES, ids=lambda dates: dates[0])
@pytest.mark.parametrize("times", [1, 3])
def test_texts_that_look_like_dates_are_said(dates: list[str], times: int) -> None:
    table = pd.DataFrame({"day": dates * times, "x": range(times * len(dates))})
    with pytest.warns(DataWarning) as said:
        TableEncoder().fit(table)
    mine = [warning.message for warning in said if not issubclass(warning.category, LeftOutWarning)]
    assert len(mine) == 1
    assert 'column "day": its texts look like dates, such as ' in str(mine[0])
    assert "the year, the month, days since a first day), or drop the column." in str(mine[0])
    assert isinstance(mine[0], DataWarning)
    assert mine[0].columns == ("day",)


@pytest.mark.parametrize(
    "texts",
    [
        ["1.2.3", "1.10.0", "2.0.1"],  # versions
        ["192.168.0.1", "10.0.0.1"],
        ["12-34-5678", "98-76-5432"],
        ["32.01.2020", "13/13/2020"],
        ["may", "june", "march 3"],
        ["2020-1-100", "1/2", "3/4"],
        ["03.04.2020", "later", "never"],
    ],
    ids=lambda texts: texts[0],
)
def test_other_texts_do_not_look_like_dates(texts: list[str]) -> None:
    TableEncoder().fit(pd.DataFrame({"text": texts * 3}))  # warnings are errors


def test_dates_that_are_declared_categories_are_categories() -> None:
    TableEncoder().fit(pd.DataFrame({"day": pd.Categorical(["13.04.2020", "14.04.2020"])}))
