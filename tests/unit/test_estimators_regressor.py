"""MLPRegressor: units of the target, several targets, losses."""

from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest
from sklearn.datasets import load_diabetes
from sklearn.utils.estimator_checks import check_regressor_multioutput

import kilonet as kn
from kilonet import MLPRegressor

X, Y = load_diabetes(return_X_y=True)


def quick(**settings: Any) -> MLPRegressor:
    return MLPRegressor(**({"hidden": (8,), "epochs": 30, "rate": 0.01, "random_state": 0} | settings))


@pytest.mark.parametrize("loss", ["squared", "absolute", "huber", kn.quantile(0.8)])
def test_place_and_size_of_the_target_do_not_matter(loss: Any) -> None:
    plain = quick(loss=loss).fit(X, Y)
    moved = quick(loss=loss).fit(X, 1e6 + 1024 * Y)
    # 1e6 costs about four of the sixteen digits; the rest is 400 steps of rounding
    np.testing.assert_allclose((moved.predict(X) - 1e6) / 1024, plain.predict(X), rtol=1e-5)
    np.testing.assert_allclose(moved.history_.loss, plain.history_.loss, rtol=1e-5)
    assert plain.score(X, Y) > (0.3 if loss == kn.quantile(0.8) else 0.5) - 0.3


def test_history_is_in_standard_deviations() -> None:
    model = quick(epochs=1, optimizer="sgd", rate=1e-12, encode=None).fit(X, Y)
    scores = (model.predict(X) - Y.mean()) / Y.std()  # the rate is next to nothing: scores of the initial network
    z = (Y - Y.mean()) / Y.std()
    assert model.history_.loss[0] == pytest.approx(0.5 * np.mean((scores - z) ** 2))
    assert model.history_.score[0] == pytest.approx(model.score(X, Y))


def test_quantiles_lie_where_they_should() -> None:
    rng = np.random.default_rng(0)
    Z = rng.uniform(-1, 1, size=(1500, 1))
    y = 5 + 2 * Z[:, 0] + rng.normal(size=1500)
    for q in (0.1, 0.5, 0.9):
        model = MLPRegressor((), loss=kn.quantile(q), rate=0.02, random_state=0).fit(Z, y)
        assert np.mean(y < model.predict(Z)) == pytest.approx(q, abs=0.02)


def test_several_targets_keep_their_shape_and_units() -> None:
    targets = np.column_stack([Y, 1e-3 * Y, -1e5 * Y])
    model = quick().fit(X, targets)
    assert model.predict(X).shape == (442, 3)
    assert model.n_outputs_ == 3
    assert model.score(X, targets) > 0.4  # measured 0.53
    assert quick().fit(X, Y[:, None]).predict(X).shape == (442, 1)
    np.testing.assert_array_equal(quick().fit(X, Y[:, None]).predict(X)[:, 0], quick().fit(X, Y).predict(X))
    check_regressor_multioutput("MLPRegressor", MLPRegressor())


def test_target_statistics_are_of_the_training_rows_and_weighted() -> None:
    weights = np.where(Y > 150, 3.0, 1.0)
    model = quick(epochs=1).fit(X, Y, sample_weight=weights)
    assert model._footing.codec.mean[0] == pytest.approx(np.average(Y, weights=weights))
    kept = quick(epochs=1, early_stopping=True, validation_fraction=0.5).fit(X, Y)
    assert kept._footing.codec.mean[0] != pytest.approx(Y.mean(), rel=1e-6)


@pytest.mark.parametrize("y", [np.full(442, 7.0), np.full(442, 0.1) * 3, np.full(442, -1e300)])
def test_a_constant_target_is_predicted(y: Any) -> None:
    model = quick(epochs=3).fit(X, y)
    size = max(1.0, abs(y[0]))
    assert np.isfinite(model.predict(X)).all()
    assert np.abs(model.predict(X) - y).max() < 3 * size  # scale 1 about the constant: scores are about 1


@pytest.mark.parametrize("size", [1e-300, 1e-30, 1e30, 1e300])
def test_extreme_targets(size: float) -> None:
    model = quick().fit(X, size * Y)
    np.testing.assert_allclose(model.predict(X) / size, quick().fit(X, Y).predict(X), rtol=1e-6)


def test_one_row() -> None:
    model = quick(epochs=2).fit(X[:1], Y[:1])
    assert np.isfinite(model.predict(X)).all()


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.where(np.arange(442) == 3, np.nan, Y), r"missing value \(NaN\) at row 3"),
        (np.where(np.arange(442) == 3, -np.inf, Y), "infinity at row 3"),
        (["high"] * 442, "cannot be read as numbers.*MLPClassifier"),
        (pd.date_range("2020-01-01", periods=442), "needs real numbers"),
        (Y[:, None, None], r"y has shape \(442, 1, 1\)"),
        (Y[:5], "inconsistent numbers of samples"),
        (None, "requires y to be passed"),
    ],
)
def test_bad_targets(y: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        quick().fit(X, y)


def test_losses_for_classes_are_refused() -> None:
    with pytest.raises(kn.SettingError, match="loss='hinge' is for MLPClassifier"):
        quick(loss="hinge").fit(X, Y)


def test_other_number_of_targets_when_going_on() -> None:
    model = quick().partial_fit(X, Y)
    with pytest.raises(kn.DataError, match="y has 2 columns; training was begun with 1"):
        model.partial_fit(X, np.column_stack([Y, Y]))
