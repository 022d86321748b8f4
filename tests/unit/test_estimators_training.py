"""What estimators do around training: validation, early stopping, callbacks, tables, settings, errors."""

import re
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import sklearn
from sklearn.datasets import load_iris

import kilonet as kn
from kilonet import MLPClassifier, MLPRegressor
from kilonet.estimators.settings import Settings

X, Y = load_iris(return_X_y=True)
ODD = np.arange(150) % 2 == 1


def quick(**settings: Any) -> MLPClassifier:
    return MLPClassifier(**({"hidden": (8,), "epochs": 20, "rate": 0.02, "random_state": 0} | settings))


# Validation and early stopping


def test_validation_curves_by_hand() -> None:
    model = quick(validation_data=(X[ODD], Y[ODD]), schedule="constant").fit(X[~ODD], Y[~ODD])
    assert model.history_.validation_loss.shape == model.history_.loss.shape == (20,)
    p = model.predict_proba(X[ODD])[np.arange(75), Y[ODD]]
    assert model.history_.validation_loss[-1] == pytest.approx(-np.log(p).mean())
    assert model.history_.validation_score[-1] == pytest.approx(model.score(X[ODD], Y[ODD]))
    without = quick(schedule="constant").fit(X[~ODD], Y[~ODD])
    np.testing.assert_array_equal(model.theta_, without.theta_)
    assert np.isnan(without.history_.validation_loss).all()


def test_validation_rows_may_be_weighted() -> None:
    weights = np.where(Y[ODD] == 1, 3.0, 1.0)
    model = quick(validation_data=(X[ODD], Y[ODD], weights)).fit(X[~ODD], Y[~ODD])
    right = model.predict(X[ODD]) == Y[ODD]
    assert model.history_.validation_score[-1] == pytest.approx(np.average(right, weights=weights))


@pytest.mark.parametrize("monitor", ["loss", "score"])
def test_early_stopping_keeps_the_best_epoch(monitor: str) -> None:
    rng = np.random.default_rng(0)
    noisy = np.where(rng.random(150) < 0.3, rng.integers(0, 3, 150), Y)
    settings = {"hidden": (50,), "epochs": 300, "early_stopping": True, "monitor": monitor, "patience": 8}
    model = quick(validation_data=(X[ODD], noisy[ODD]), **settings).fit(X[~ODD], noisy[~ODD])
    curve = getattr(model.history_, f"validation_{monitor}")
    best = np.argmin(curve) if monitor == "loss" else np.argmax(curve)
    assert model.best_epoch_ == best + 1
    assert model.n_iter_ == len(curve) == model.best_epoch_ + 8
    assert model.loss_ == model.history_.loss[best]
    again = quick(hidden=(50,), epochs=model.best_epoch_, schedule="constant").fit(X[~ODD], noisy[~ODD])
    never_stopped = quick(validation_data=(X[ODD], noisy[ODD]), **(settings | {"schedule": "constant"}))
    assert never_stopped.fit(X[~ODD], noisy[~ODD]).best_epoch_ > 0
    assert again.n_iter_ == model.best_epoch_


def test_no_row_is_held_out_unless_asked() -> None:
    seen: list[int] = []
    quick(epochs=1, callbacks=lambda record: seen.append(np.isnan(record.validation_loss))).fit(X, Y)
    assert seen == [True]


def test_held_out_rows_keep_the_shares_of_the_classes() -> None:
    model = quick(early_stopping=True, validation_fraction=0.2)
    rows, held = model._validation(kn.estimators.rows.Rows(X, Y, None), kn.estimators.plan.Draws(1, 2, 3))
    assert np.bincount(held.targets).tolist() == [10, 10, 10]
    assert sorted([*rows.places, *held.places]) == list(range(150))


def test_held_out_rows_do_not_reach_the_encoder() -> None:
    Z = X.copy()
    model = quick(early_stopping=True, validation_fraction=0.2, epochs=2)
    _, held = model._validation(kn.estimators.rows.Rows(Z, Y, None), kn.estimators.plan.Draws.of(0))
    Z[held.places] += 1e6
    model.fit(Z, Y)
    assert np.abs(model.encoder_.state_.mean).max() < 10


def test_early_stopping_on_too_few_rows_is_refused() -> None:
    with pytest.raises(kn.SettingError, match="leaves none to train on"):
        quick(early_stopping=True, validation_fraction=0.9).fit(X[[0, 100]], Y[[0, 100]])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (X, "must be"),
        ((X, Y, None, None), "must be"),
        ((X[:, :2], Y), "validation_data: X has 2 features, but MLPClassifier is expecting 4"),
        ((X, Y + 1), r"y has 3 \(first in row 100\)"),
        ((X, np.where(Y == 0, np.nan, Y)), "validation_data: y has a missing value"),
    ],
)
def test_bad_validation_data(given: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        quick(validation_data=given).fit(X, Y)


# Callbacks and progress


def test_callbacks_see_every_epoch_and_may_stop() -> None:
    seen: list[kn.EpochRecord] = []

    def stop_at_five(record: kn.EpochRecord) -> bool:
        return bool(record.epoch == 5)

    model = quick(callbacks=[stop_at_five, seen.append], schedule="constant").fit(X, Y)
    assert [record.epoch for record in seen] == [1, 2, 3, 4, 5]
    assert model.n_iter_ == 5
    np.testing.assert_array_equal([record.loss for record in seen], model.history_.loss)
    np.testing.assert_array_equal(model.theta_, quick(epochs=5, schedule="constant").fit(X, Y).theta_)


def test_the_bar_shows_on_a_terminal_only(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    quick(verbose=True, epochs=2).fit(X, Y)
    assert capfd.readouterr() == ("", "")
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich's way of calling a pipe a terminal
    quick(verbose=True, epochs=2).fit(X, Y)
    out, err = capfd.readouterr()
    assert out == ""
    assert "2/2" in re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", err)


def test_bad_callbacks() -> None:
    with pytest.raises(kn.SettingError, match="cannot be called"):
        quick(callbacks=["print"]).fit(X, Y)


# Tables


def table() -> dict[str, list[Any]]:
    sizes = X[:, 2].tolist()
    sizes[4] = None
    cities = [["Oslo", "Rome", "Bonn"][k % 3] for k in range(150)]
    return {"size": sizes, "city": cities, "wide": (X[:, 3] > 1).tolist()}


def test_frames_of_every_kind_give_the_same_network() -> None:
    frames = [pd.DataFrame(table()), pl.DataFrame(table()), pa.table(table()), pl.LazyFrame(table())]
    fits = [quick(epochs=5).fit(frame, Y) for frame in frames]
    for frame, model in zip(frames, fits, strict=True):
        np.testing.assert_array_equal(model.theta_, fits[0].theta_)
        assert model.theta_.dtype == np.float32
        assert model.feature_names_in_.tolist() == ["size", "city", "wide"]
        assert model.network_.n_inputs == 6  # size and its indicator, three cities, wide
        np.testing.assert_array_equal(model.predict(frame), fits[0].predict(frames[0]))


def test_frame_with_other_columns() -> None:
    frame = pd.DataFrame(table())
    model = quick(epochs=2).fit(frame, Y)
    with pytest.raises(ValueError, match="Feature names unseen at fit time"):
        model.predict(frame.rename(columns={"size": "length"}))
    with pytest.raises(ValueError, match="size"):
        model.predict(frame[["city", "wide"]])


def test_number_types() -> None:
    assert quick(epochs=1).fit(X, Y).theta_.dtype == np.float64
    assert quick(epochs=1).fit(X.astype(np.float32), Y).theta_.dtype == np.float32
    assert quick(epochs=1).fit(X.astype(int), Y).theta_.dtype == np.float64
    assert quick(epochs=1, dtype="float32").fit(X, Y).theta_.dtype == np.float32
    assert quick(epochs=1, dtype=np.float64).fit(pd.DataFrame(X), Y).theta_.dtype == np.float64
    assert quick(epochs=1, encode=None).fit(X.tolist(), Y).theta_.dtype == np.float64
    with pytest.raises(kn.SettingError, match="dtype"):
        quick(dtype="float16").fit(X, Y)


def test_missing_values_and_infinity() -> None:
    gaps = X.copy()
    gaps[3, 1] = np.nan
    model = quick(epochs=2).fit(gaps, Y)
    assert model.network_.n_inputs == 5
    assert np.isfinite(model.predict_proba(gaps)).all()
    with pytest.raises(kn.DataError, match="NaN at row 3, column 1"):
        quick(encode=None).fit(gaps, Y)
    with pytest.raises(kn.DataError, match="NaN at row 3, column 1"):
        quick(encode=None).fit(scipy.sparse.csr_array(gaps), Y)
    gaps[3, 1] = -np.inf
    for encode in ("auto", None):
        for to in (np.asarray, scipy.sparse.csr_array):
            with pytest.raises(kn.DataError, match=r"(?s)inf.*row 3|row 3.*inf"):
                quick(encode=encode).fit(to(gaps), Y)
    with pytest.raises(kn.DataError, match="row 3"):
        model.predict(gaps)


def test_the_row_of_a_fault_is_counted_as_the_user_does() -> None:
    bad = X.copy()
    bad[140, 2] = np.inf
    with pytest.raises(kn.DataError, match="row 140"):
        quick(early_stopping=True).fit(bad, Y, sample_weight=(np.arange(150) > 3).astype(float))


def test_encode_none_and_an_encoder_of_ones_own() -> None:
    raw = quick(epochs=1, encode=None).fit(X, Y)
    assert raw.encoder_ is None
    with pytest.raises(kn.DataError, match="column 'city'"):
        quick(encode=None).fit(pd.DataFrame(table()), Y)
    encoder = kn.TableEncoder(standardize=False)
    own = quick(epochs=1, encode=encoder).fit(X, Y)
    assert own.encoder_ is not encoder
    np.testing.assert_allclose(own.encoder_.transform(X), X)


def test_pandas_output_everywhere_does_not_reach_the_network() -> None:
    frame = pd.DataFrame(X, columns=list("abcd"))
    with sklearn.config_context(transform_output="pandas"):
        model = quick(epochs=2).fit(frame, Y)
        hidden = model.transform(frame)
    assert hidden.columns.tolist() == [f"mlpclassifier{k}" for k in range(8)]
    np.testing.assert_array_equal(hidden.to_numpy(), quick(epochs=2).fit(frame, Y).transform(frame))


# Looking inside


def test_hidden_layers_and_coefficients() -> None:
    model = quick(hidden=(7, kn.Maxout(5, pieces=3), kn.Dense(4, kn.tanh)), epochs=1).fit(X, Y)
    assert [w.shape for w in model.coefs_] == [(4, 7), (3, 7, 5), (5, 4), (4, 3)]
    assert [b.shape for b in model.intercepts_] == [(7,), (3, 5), (4,), (3,)]
    assert [model.transform(X, layer).shape[1] for layer in (0, 1, 2, -1, -3)] == [7, 5, 4, 4, 7]
    np.testing.assert_array_equal(model.transform(X), model.transform(X, layer=2))
    assert len(model.get_feature_names_out()) == 4
    for layer in (3, -4):
        with pytest.raises(kn.SettingError, match="layer"):
            model.transform(X, layer=layer)
    single = quick(hidden=(), epochs=1).fit(X, Y)
    np.testing.assert_array_equal(single.transform(X), single.encoder_.transform(X))
    with pytest.raises(kn.SettingError, match="without hidden layers"):
        single.transform(X, layer=0)


def test_set_output_names_the_last_hidden_layer_only() -> None:
    model = quick(hidden=(6, 3), epochs=1).set_output(transform="polars").fit(X, Y)
    assert model.transform(X).columns == ["mlpclassifier0", "mlpclassifier1", "mlpclassifier2"]
    with pytest.raises(kn.SettingError, match=r"set_output\(transform='default'\)"):
        model.transform(X, layer=0)


def test_what_notebooks_show() -> None:
    assert "MLPClassifier" in quick()._repr_html_()
    assert repr(MLPClassifier(hidden=(3,), activation=kn.elu(0.5))).startswith("MLPClassifier(")


# Settings


def test_settings_are_written_once_and_documented() -> None:
    shared = [name for name in Settings.__dataclass_fields__ if name != "_"]
    assert set(MLPRegressor().get_params()) == set(shared)
    assert set(MLPClassifier().get_params()) == {*shared, "class_weight"}
    for kind in (MLPClassifier, MLPRegressor):
        text = kind.__doc__ or ""
        assert not [name for name in shared if not re.search(rf"\b{name}\b", text)]
        assert "{settings}" not in text
        assert "{attributes}" not in text


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"hidden": (8, 0)}, r"hidden\[1\] came as 0"),
        ({"hidden": "8"}, "hidden"),
        ({"hidden": 2.5}, "hidden came as 2.5"),
        ({"activation": "rleu"}, "Did you mean relu"),
        ({"loss": "huge"}, "unknown loss"),
        ({"optimizer": "adom"}, "unknown optimizer"),
        ({"rate": -1}, "rate"),
        ({"schedule": "cos"}, "unknown schedule"),
        ({"batch": 0}, "batch came as 0"),
        ({"batch": "all"}, "batch='all'"),
        ({"epochs": 0}, "epochs came as 0"),
        ({"epochs": "many"}, "epochs='many'"),
        ({"l2": -1.0}, "l2"),
        ({"l1": [1.0, 2.0]}, "l1"),
        ({"dropout": 1.0}, "dropout"),
        ({"input_noise": float("nan")}, "input_noise"),
        ({"max_norm": 0}, "max_norm"),
        ({"early_stopping": "yes"}, "early_stopping='yes'"),
        ({"early_stopping": True, "monitor": "accuracy"}, "monitor"),
        ({"early_stopping": True, "patience": 0}, "patience"),
        ({"early_stopping": True, "min_delta": -1}, "min_delta"),
        ({"validation_fraction": 0}, "validation_fraction=0"),
        ({"encode": "onehot"}, "encode='onehot'"),
        ({"initializer": "xavier"}, "initializer"),
        ({"n_jobs": 0}, "n_jobs=0"),
        ({"n_jobs": 1.5}, "n_jobs"),
        ({"random_state": "seed"}, "seed"),
    ],
)
def test_bad_settings(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        quick(**settings).fit(X, Y)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (np.ones(149), r"needed is \(150,\)"),
        (np.ones((150, 1)), r"needed is \(150,\)"),
        (np.where(np.arange(150) == 2, -1.0, 1.0), "-1.0 in row 2"),
        (np.where(np.arange(150) == 2, np.nan, 1.0), "sample_weight holds nan at row 2"),
        (np.zeros(150), "zero in every row"),
    ],
)
def test_bad_weights(weights: Any, words: str) -> None:
    with pytest.raises(kn.DataError, match=words):
        quick().fit(X, Y, sample_weight=weights)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (np.zeros((0, 4)), "0 sample"),
        (np.zeros((150, 0)), "0 feature"),
        (pd.DataFrame(index=range(150)), "0 feature"),
        (X[:, 0], "1D array"),
        (X + 1j, "Complex data not supported"),
        (pd.DataFrame({"when": pd.date_range("2020-01-01", periods=150)}), "when"),
    ],
)
def test_bad_inputs(bad: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        quick().fit(bad, Y[: len(bad)])


def test_wrong_number_of_columns() -> None:
    model = quick(epochs=1).fit(X, Y)
    for call in (model.predict, model.transform, model.decision_function, lambda Z: model.partial_fit(Z, Y)):
        with pytest.raises(ValueError, match="X has 3 features, but MLPClassifier is expecting 4 features"):
            call(X[:, :3])


def test_divergence() -> None:
    settings: dict[str, Any] = {"optimizer": "sgd", "rate": 1e9, "encode": None, "schedule": "constant"}
    with pytest.warns(kn.DivergenceWarning), pytest.raises(kn.DivergenceError, match="first epoch"):
        MLPRegressor((8, 8), **settings, random_state=0).fit(X, Y.astype(float))


def test_automatic_batch_and_epochs() -> None:
    assert quick(epochs="auto", batch="auto").fit(X, Y).recipe_.batch == 32
    model = quick(epochs="auto").fit(X, Y)
    assert model.n_iter_ == 400  # 5 steps an epoch, 2,000 in all
    assert quick(epochs="auto", batch=1000).fit(X, Y).n_iter_ == 500
