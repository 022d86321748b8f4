"""Numbers cut into pieces: what they are, where they end, and that nothing of them is lost."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import sparse

from kilonet.errors import FileFormatError, SettingError
from kilonet.tables import TableEncoder
from kilonet.tables.pieces import TOGETHER, Pieces

NAN = float("nan")
VALUES = st.lists(
    st.one_of(st.floats(allow_nan=True, allow_infinity=False), st.integers(-3, 3).map(float)), min_size=1, max_size=40
)


def test_pieces_are_straight_between_quantiles_by_hand() -> None:
    X = np.array([[0.0], [1.0], [3.0], [7.0], [NAN]])
    encoder = TableEncoder(pieces=3, standardize=False, dtype="float64").fit(X)
    # Of four values the thirds are the first, the second and the third: inverted_cdf takes a value at or above.
    assert encoder.state_.pieces[0].knots.tolist() == [0.0, 1.0, 3.0, 7.0]
    names = ["x0", "x0 0..1", "x0 1..3", "x0 3..7", "x0_missing"]
    assert encoder.get_feature_names_out().tolist() == names
    out = encoder.transform([[0.5], [5.0], [-9.0], [99.0], [NAN]])
    mean = [3 / 4, 2 / 4, 1 / 4]  # of 0 1 1 1, of 0 0 1 1, of 0 0 0 1
    assert out[:, 1:4].tolist() == [[0.5, 0, 0], [1, 1, 0.5], [0, 0, 0], [1, 1, 1], mean]
    assert out[:, 4].tolist() == [0, 0, 0, 0, 1]


def test_standard_pieces_have_mean_0_and_together_the_variance_of_a_number() -> None:
    X = np.random.default_rng(0).gamma(2.0, size=(500, 2))
    out = TableEncoder(pieces=16, dtype="float64").fit_transform(X)
    assert out.shape == (500, 34)
    np.testing.assert_allclose(out.mean(axis=0), 0, atol=1e-12)  # 500 sums of float64
    np.testing.assert_allclose(out[:, 1:17].var(axis=0), 1 / 16, rtol=1e-12)
    bounded = TableEncoder(pieces=16, bound=3.0, dtype="float64").fit_transform(X)
    standard = 4 * out[:, 1:17]
    np.testing.assert_allclose(4 * bounded[:, 1:17], standard / np.sqrt(1 + (standard / 3) ** 2), rtol=1e-12)


@given(VALUES, st.integers(3, 20))
@example([place * 1e-309 for place in range(10)], 3)
@example([5e-324, 1e-323, 1.5e-323, 1.0], 4)
def test_whatever_the_numbers_pieces_rise_and_stay_between_0_and_1(values: list[float], most: int) -> None:
    column = np.array(values)
    own = Pieces.of(column, None, most)
    if own is None:
        return
    assert 3 <= len(own.mean) <= most
    out = np.zeros((len(column), len(own.mean)))
    own.write(column, out, False, None)
    assert ((out >= 0) & (out <= 1)).all()
    there = column[~np.isnan(column)]
    order = np.argsort(column[~np.isnan(column)], kind="stable")
    assert (np.diff(out[~np.isnan(column)][order], axis=0) >= 0).all()
    assert out[np.nanargmax(column)].tolist() == [1.0] * len(own.mean)
    assert own.knots[-1] <= there.max()
    standard = np.zeros_like(out)
    own.write(column, standard, True, 3.0)
    assert np.isfinite(standard).all()


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0, -2.5, 1e30, 1e-3, 4.0, 5.0, NAN]), st.integers(0, 3)), min_size=1))
def test_weights_equal_repeated_rows(rows: list[tuple[float, int]]) -> None:
    values, weights = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    counted = weights > 0
    one = Pieces.of(values[counted], weights[counted].astype(float), 16)
    other = Pieces.of(np.repeat(values, weights), None, 16)
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert one.knots.tolist() == other.knots.tolist()
        np.testing.assert_allclose(one.mean, other.mean, rtol=1e-12)
        np.testing.assert_allclose(one.std, other.std, rtol=1e-12)


def test_frames_arrays_and_single_rows_are_cut_alike() -> None:
    random = np.random.default_rng(1)
    frame = pd.DataFrame({
        "age": random.normal(size=300), "city": random.choice(["a", "b"], 300), "flag": random.random(300) < 0.5,
        "two": random.integers(0, 2, 300), "wage": np.where(random.random(300) < 0.2, np.nan, random.random(300)),
    })  # fmt: skip
    encoder = TableEncoder(pieces=8).fit(frame)
    assert set(encoder.state_.pieces) == {0, 4}, "truth values, two values and texts are not cut"
    whole = encoder.transform(frame)
    assert whole.shape[1] == 9 + 2 + 1 + 1 + 9 + 1
    rows = np.concatenate([encoder.transform(frame.iloc[[row]]) for row in range(20)])
    assert np.array_equal(rows, whole[:20])
    numbers = TableEncoder(pieces=8, dtype="float32").fit(frame[["age", "wage"]].to_numpy())
    assert np.array_equal(numbers.transform(frame[["age", "wage"]].to_numpy()), whole[:, [*range(9), *range(13, 23)]])


def test_enough_different_values_give_as_many_pieces_as_asked_for() -> None:
    for values in (np.arange(300.0), np.random.default_rng(0).lognormal(sigma=3, size=300), -np.arange(300.0) * 1e300):
        own = Pieces.of(values, None, 16)
        assert own is not None
        assert len(own.mean) == 16


def test_ends_that_hardly_a_row_has_are_no_pieces_and_inputs_stay_small() -> None:
    random = np.random.default_rng(0)
    values = np.where(random.random(20_000) < 0.4, 0.0, random.lognormal(size=20_000))
    values[7] = -1.0
    own = Pieces.of(values, None, 16)
    assert own is not None
    assert own.knots[0] == 0.0
    encoder = TableEncoder(pieces=16, dtype="float64").fit(values[:, np.newaxis])
    assert np.abs(encoder.transform([[-1.0], [1e9]])[:, 1:]).max() < 1 / 0.02 / 3**0.5  # of 3 pieces at least


def test_decaying_weights_make_a_file_that_can_be_read() -> None:
    random = np.random.default_rng(3)
    values = np.where(random.random(2000) < 0.4, 0.0, random.lognormal(size=2000))
    values[:5] = -1.0
    for scale in (5, 20, 80):
        encoder = TableEncoder(pieces=16).fit(values[:, np.newaxis], sample_weight=0.5 ** (np.arange(2000) / scale))
        again = TableEncoder.from_json(json.loads(json.dumps(encoder.to_json())))
        assert np.array_equal(again.transform(values[:, np.newaxis]), encoder.transform(values[:, np.newaxis]))


def test_names_tell_pieces_apart_however_near_they_are() -> None:
    names = TableEncoder(pieces=4).fit(1e15 + np.arange(50.0)[:, np.newaxis]).get_feature_names_out().tolist()
    assert len(set(names)) == 5
    assert names[1] == "x0 1000000000000000..1000000000000012"


def test_columns_without_pieces_take_none_from_the_others() -> None:
    random = np.random.default_rng(0)
    X = np.column_stack([random.normal(size=200), random.integers(0, 2, (200, 200))])
    assert len(TableEncoder(pieces=16).fit(X).state_.pieces[0].mean) == 16


def test_wide_and_sparse_tables_have_fewer_pieces_or_none() -> None:
    random = np.random.default_rng(2)
    for columns, pieces in ((1, 16), (64, TOGETHER // 64), (TOGETHER // 3, 3), (TOGETHER // 3 + 1, 0)):
        encoder = TableEncoder(pieces=16).fit(random.normal(size=(100, columns)))
        assert encoder.state_.width == columns * (1 + pieces)
    assert TableEncoder(pieces=16).fit(sparse.random_array((50, 3), rng=random).tocsr()).state_.width == 3


def test_json_brings_pieces_back_and_refuses_what_is_none() -> None:
    encoder = TableEncoder(pieces=5, bound=3.0).fit(np.random.default_rng(3).normal(size=(50, 2)))
    told = json.loads(json.dumps(encoder.to_json()))
    again = TableEncoder.from_json(told)
    assert again.get_params() == encoder.get_params()
    X = np.random.default_rng(4).normal(size=(9, 2))
    assert np.array_equal(again.transform(X), encoder.transform(X))
    own = told["pieces"]["1"]
    for name, wrong in (
        ("knots", own["knots"][::-1]), ("knots", own["knots"][:-1]), ("knots", [0, 1, 2, 3, 4, float("inf")]),
        ("mean", [2.0] * 5), ("std", [0.0] * 5), ("std", own["std"][:2]), ("knots", None), ("mean", ["a"] * 5),
    ):  # fmt: skip
        with pytest.raises(FileFormatError):
            TableEncoder.from_json({**told, "pieces": {"1": {**own, name: wrong}}})
    for wrong in ({"7": own}, {"x": own}, {"01": own}, [own], {"1": None}, {"1": {**own, "mean": ["0.5"] * 5}}):
        with pytest.raises(FileFormatError):
            TableEncoder.from_json({**told, "pieces": wrong})
    for wrong in (-1, 0, 4, 2.0, "5", 10**9):
        with pytest.raises(FileFormatError):
            TableEncoder.from_json({**told, "cuts": wrong})


@pytest.mark.parametrize("pieces", [-1, 1, 2, 1.5, True, TOGETHER + 1, "many"])
def test_numbers_of_pieces_that_are_none_are_refused(pieces: object) -> None:
    with pytest.raises(SettingError, match="pieces came as"):
        TableEncoder(pieces=pieces).fit([[1.0], [2.0]])
