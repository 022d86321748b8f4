"""Tables as nobody wishes for them: a sane answer, or a refusal that says why."""

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import kilonet as kn
from kilonet.errors import DataError, LeftOutWarning, SettingError

N = 200
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(N, 4))
Y = np.where(X[:, 0] + 0.7 * RANDOM.normal(size=N) > 0, "yes", "no")
NUMBERS = 3 * X[:, 0] + RANDOM.normal(size=N)
RARE = np.where(np.arange(N) == 7, "rare", "common")
WIDE = RANDOM.normal(size=(50, 10_000)).astype(np.float32)
GAPS = np.where(RANDOM.random(X.shape) < 0.3, np.nan, X)
OUTLIER = np.where((np.arange(N) == 3)[:, np.newaxis] & (np.arange(4) == 1), 1e30, X)
SKEWED = np.exp(5 * X)


def sane_classes(rows: Any, y: Any, **settings: Any) -> Any:
    """A fitted classifier whose probabilities are such, and whose loss is hardly above that of the class shares."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        model = kn.MLPClassifierCV(random_state=0, **settings).fit(rows, y)
        proba = model.predict_proba(rows)
    for own in (proba, model.oof_):
        assert np.isfinite(own).all()
        np.testing.assert_allclose(own.sum(axis=1), 1)
    record = model.record_
    assert record.loss < record.baseline_loss + max(0.1, 5 / np.sqrt(record.rows))
    return model


def sane_numbers(rows: Any, y: Any, **settings: Any) -> Any:
    """A fitted regressor whose predictions are finite and hardly worse than the mean, within their intervals."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        model = kn.MLPRegressorCV(random_state=0, **settings).fit(rows, y)
        predicted, (low, high) = model.predict(rows), model.predict_interval(rows, level=0.8)
    assert np.isfinite([predicted, low, high, model.oof_]).all()
    assert (low <= high).all()
    assert np.mean((low <= y) & (y <= high)) > 0.7
    assert model.record_.score > -0.2
    return model


def test_a_label_that_is_constant_but_for_one_row() -> None:
    model = sane_classes(X, RARE)
    assert model.score(X, RARE) >= 1 - 1 / N
    assert model.predict_proba(X)[:, 1].mean() < 0.1


def test_one_class_is_refused_as_by_the_others() -> None:
    with pytest.raises(DataError, match="y has one class only"):
        kn.MLPClassifierCV().fit(X, np.repeat("a", N))


def test_three_rows_a_class_and_one() -> None:
    assert sane_classes(X[:30], np.repeat(np.arange(10), 3)).oof_.shape == (30, 10)
    assert sane_classes(X[:12], np.arange(12)).oof_.shape == (12, 12)


def test_two_rows_and_one() -> None:
    assert sane_classes(X[:2], ["a", "b"]).record_.splits >= 2
    model = kn.MLPRegressorCV(random_state=0).fit(X[:2], [1.0, 2.0])
    assert np.isfinite(model.predict(X)).all()
    with pytest.raises(SettingError, match=r"level=0\.9 needs 9 rows that were held out, and there are 2"):
        model.predict_interval(X)
    with pytest.raises(DataError, match="1 sample"):
        kn.MLPRegressorCV().fit(X[:1], [1.0])


@pytest.mark.slow
def test_ten_thousand_columns_and_fifty_rows() -> None:
    sane_classes(WIDE, WIDE[:, 0] > 0)
    sane_numbers(WIDE, WIDE[:, :50].sum(axis=1))


def test_a_category_a_row_is_left_out_or_does_no_harm() -> None:
    frame = pd.DataFrame({"id": [f"r{row}" for row in range(N)], "x": X[:, 0]})
    with pytest.warns(LeftOutWarning, match="look like an identifier"):
        assert sane_classes(frame, Y).record_.score > 0.7
    few = frame.head(90)
    assert sane_numbers(few, 3 * X[:90, 0]).record_.score > 0.8
    with pytest.warns(LeftOutWarning), pytest.raises(DataError, match="no column of the table can be used"):
        kn.MLPClassifierCV().fit(frame[["id"]], Y)


def test_one_cell_of_1e30_spoils_its_column_alone() -> None:
    assert sane_classes(OUTLIER, Y).record_.score > 0.7
    assert sane_numbers(OUTLIER, NUMBERS).record_.score > 0.6


def test_columns_of_heavy_tails() -> None:
    sane_classes(SKEWED, Y)
    sane_numbers(SKEWED, NUMBERS)


def test_targets_of_heavy_tails() -> None:
    sane_numbers(X, SKEWED[:, 0])
    sane_numbers(X, np.where(np.arange(N) == 5, 1e30, NUMBERS))


def test_thirty_percent_gaps() -> None:
    assert sane_classes(GAPS, Y).record_.score > 0.6
    assert sane_numbers(GAPS, NUMBERS).record_.score > 0.4


def test_a_constant_target_is_predicted() -> None:
    model = kn.MLPRegressorCV(random_state=0).fit(X, np.full(N, 3.0))
    np.testing.assert_allclose(model.predict(X), 3, atol=0.05)
    low, high = model.predict_interval(X)
    assert ((low <= 3.0) & (high >= 3.0)).all()


def test_rows_that_repeat_and_rows_that_are_all_alike() -> None:
    assert sane_classes(np.repeat(X[:40], 5, axis=0), np.repeat(Y[:40], 5)).record_.score > 0.9
    assert sane_numbers(np.ones((N, 3)), NUMBERS).record_.score == pytest.approx(0, abs=0.1)
    sane_classes(np.ones((N, 1)), Y)


def test_a_column_and_a_table_without_any_value() -> None:
    empty = X.copy()
    empty[:, 2] = np.nan
    with pytest.warns(LeftOutWarning, match="no row has a value in it"):
        assert sane_classes(empty, Y).record_.score > 0.7
    with pytest.warns(LeftOutWarning), pytest.raises(DataError, match="no column of the table can be used"):
        kn.MLPClassifierCV().fit(np.full((N, 2), np.nan), Y)


def test_infinity_is_refused_by_its_place() -> None:
    with pytest.raises(DataError, match=r'column "x1", row 3 .*infinity'):
        kn.MLPClassifierCV().fit(np.where(OUTLIER > 1e29, np.inf, OUTLIER), Y)
