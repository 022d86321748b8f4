"""What estimators do around training: validation, early stopping, callbacks, tables, settings, errors."""

import os
import re
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import sklearn
import sklearn.neural_network as sklearn_mlp
from sklearn.base import clone
from sklearn.datasets import load_iris, make_circles, make_regression
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression

import kilonet as kn
from kilonet import MLPClassifier, MLPRegressor
from kilonet.estimators.plan import epoch_count
from kilonet.estimators.renamed import FROM_SCIKIT_LEARN
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
    for other in (frame[["city", "size", "wide"]], pl.DataFrame(table()).select("city", "size", "wide")):
        with pytest.raises(ValueError, match="must be in the same order"):
            model.predict(other)


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
    with sklearn.config_context(transform_output="pandas"), pytest.raises(kn.SettingError, match="data frame"):
        quick(hidden=(3, 3), epochs=1).fit(X, Y).transform(scipy.sparse.csr_array(X), layer=0)
    assert clone(model).set_output(transform="default").fit(X, Y).transform(X, layer=0).shape == (150, 6)


@pytest.mark.parametrize("output", ["default", "polars", "pandas"])
def test_an_inner_layer_is_computed_once(output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether `set_output` is at work is found out without rows: no second warning, no second encoding."""
    model = quick(hidden=(3, 3), epochs=1).fit(pd.DataFrame(X, columns=list("abcd")), Y).set_output(transform=output)
    encoded: list[int] = []
    encode = kn.TableEncoder.encode
    monkeypatch.setattr(kn.TableEncoder, "encode", lambda self, Z: (encoded.append(len(Z)), encode(self, Z))[1])
    refused = nullcontext() if output == "default" else pytest.raises(kn.SettingError, match="data frame")
    with pytest.warns(UserWarning, match="does not have valid feature names") as said, refused:
        model.transform(X, layer=0)
    assert len(said) == len(encoded) == 1


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
        ({"loss": "squared_error"}, 'Instead of scikit-learn\'s squared_error there is loss="squared"'),
        ({"loss": "log_loss"}, 'there is loss="cross_entropy"'),
        ({"loss": "poisson"}, "a loss of your own"),
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


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("hidden_layer_sizes", r"Instead of scikit-learn's hidden_layer_sizes there is hidden=\(100,\)"),
        ("alpha", "l2 = alpha / batch"),
        ("learning_rate", "Instead of scikit-learn's learning_rate there is rate, a number, and schedule="),
        ("lr", r"Did you mean rate\?"),
        ("weight_decay", r"Did you mean l2\?"),
        ("epoch", "Did you mean epochs"),
        ("depth", "It has hidden, activation, "),
    ],
)
def test_an_unknown_setting_gets_a_hint(name: str, words: str) -> None:
    with pytest.raises(TypeError, match=f"MLPClassifier has no setting '{name}'.*{words}"):
        quick(**{name: 1})


def test_every_parameter_of_scikit_learns_networks_is_known_or_has_a_hint() -> None:
    for theirs, ours in ((sklearn_mlp.MLPClassifier, MLPClassifier), (sklearn_mlp.MLPRegressor, MLPRegressor)):
        for name in set(theirs().get_params()) - set(FROM_SCIKIT_LEARN):
            assert name in ours().get_params()
    page = (Path(__file__).parents[2] / "docs" / "from-scikit-learn.md").read_text(encoding="utf-8")
    alike = re.findall(r"\w+", re.findall(r"The same here: (.*?)\.", page)[0])
    assert not {*alike} & {*FROM_SCIKIT_LEARN, *re.findall(r"- \*\*`(\w+)`", page)}
    for name, hint in FROM_SCIKIT_LEARN.items():
        assert f"| `{name}` | {hint} |" in page
        settings = re.findall(r"\b(\w+)=", hint) or [re.split(r"\W", hint)[0]]
        assert settings[0] in {*MLPClassifier().get_params(), "nothing"}


# Defaults


def test_automatic_batch_and_epochs() -> None:
    assert quick(epochs="auto", batch="auto").fit(X, Y).recipe_.batch == 32
    model = quick(epochs="auto").fit(X, Y)
    assert model.n_iter_ == 400  # 5 steps an epoch, 2,000 in all
    assert quick(epochs="auto", batch=1000).fit(X, Y).n_iter_ == 1000


@pytest.mark.parametrize(
    ("n_rows", "batch", "epochs"),
    [
        (20, 32, 1000),
        (640, 32, 100),
        (2560, 32, 100),
        (5000, 32, 50),
        (10_000, 32, 25),
        (20_000, 128, 50),
        (60_000, 128, 20),
    ],
)
def test_automatic_epochs_by_hand(n_rows: int, batch: int, epochs: int) -> None:
    assert epoch_count("auto", n_rows, batch) == epochs  # 8,000 // steps an epoch from 81 steps on


@pytest.mark.parametrize(
    ("settings", "rate"),
    [
        ({"hidden": ()}, 0.01),
        ({"hidden": (), "optimizer": "rmsprop"}, 0.01),
        ({"hidden": (), "optimizer": "adagrad"}, 0.1),
        ({"hidden": (), "optimizer": "sgd"}, 0.1),
        ({"hidden": (), "optimizer": kn.Adam()}, 0.001),
        ({"hidden": (), "optimizer": "adam(0.002)"}, 0.002),
        ({"hidden": (), "rate": 0.3}, 0.3),
        ({"hidden": 8}, 0.001),
        ({"hidden": [kn.Maxout(4)]}, 0.001),
    ],
)
def test_the_rate_that_none_stands_for(settings: dict[str, Any], rate: float, tmp_path: Path) -> None:
    model = quick(**{"rate": None, "epochs": 1, "warm_start": True} | settings).fit(X, Y)
    assert model.recipe_.optimizer.rate == rate
    loaded = kn.load(model.save(tmp_path / "model.kn")).set_params(epochs=2)
    assert loaded.fit(X, Y).recipe_.optimizer.rate == rate


def test_a_single_layer_learns_with_the_defaults_what_a_linear_model_does() -> None:
    assert MLPClassifier((), random_state=0).fit(X[ODD], Y[ODD]).score(X[~ODD], Y[~ODD]) > 0.93  # measured 0.96
    Z, y = make_regression(300, 10, noise=10, random_state=0)
    model, exact = MLPRegressor((), random_state=0).fit(Z, y), LinearRegression().fit(Z, y)
    np.testing.assert_allclose(model.predict(Z), exact.predict(Z), atol=0.02 * y.std())  # measured 0.004


# What a fit says of itself


def diverging(**settings: Any) -> MLPRegressor:
    return MLPRegressor((8, 8), **({"optimizer": "sgd", "schedule": "constant", "random_state": 0} | settings))


def test_divergence_in_the_first_epoch_is_an_error_with_its_cause() -> None:
    with pytest.raises(kn.DivergenceError, match=r"first epoch.*rate 1e\+09 is too high. Try rate=0\.1\."):
        diverging(rate=1e9).fit(X, Y.astype(float))
    with pytest.raises(kn.DivergenceError, match=r"inputs are not scaled \(largest 7.9e\+15\).*encode='auto'"):
        diverging(encode=None, activation="identity").fit(1e15 * X, Y.astype(float))


def test_later_divergence_is_a_warning_in_the_estimators_words() -> None:
    model = diverging(rate=1e-3, warm_start=True, epochs=3).fit(X, Y.astype(float))
    with pytest.warns(kn.DivergenceWarning, match=r"in epoch 4 of 6; the model is that of the epoch before") as said:
        model.set_params(rate=1e9, epochs=6).fit(X, Y.astype(float))
    assert said[0].filename == __file__
    assert "member" not in str(said[0].message)
    with pytest.raises(kn.DivergenceError, match="cannot go on"):
        model.fit(X, Y.astype(float))


def test_an_interruption_is_told_in_the_estimators_words() -> None:
    def press(_: kn.EpochRecord) -> None:
        raise KeyboardInterrupt

    for fit in (quick(callbacks=press).fit, lambda X, y: quick(callbacks=press).partial_fit(X, y, classes=[0, 1, 2])):
        with pytest.warns(kn.InterruptedWarning, match=r"after 1 of .* set warm_start=True and fit") as said:
            fit(X, Y)
        assert said[0].filename == __file__


@pytest.mark.parametrize(
    "settings",
    [
        {"rate": 1e-5},
        {"rate": 1e-5, "schedule": "constant"},
        {"rate": 1e-4, "epochs": 50},
        {"rate": [1e-5]},  # one number per member, of which there is one
        {"optimizer": kn.Adam([1e-5])},
    ],
)
def test_training_that_ends_while_the_loss_falls_as_before_is_told(settings: dict[str, Any]) -> None:
    slow: dict[str, Any] = {"hidden": (8,), "random_state": 0} | settings
    with pytest.warns(
        ConvergenceWarning, match=r"still fell as fast as before.*rate \(it was (1e-05|0.0001)\)"
    ) as said:
        MLPClassifier(**slow).fit(X, Y)
    assert said[0].filename == __file__
    # Whoever stops by a rule, goes on later or asks for a few epochs knows what he does; warnings are errors here.
    MLPClassifier(**slow | {"epochs": 60, "early_stopping": True, "patience": 1000}).fit(X, Y)
    MLPClassifier(**slow | {"epochs": 49}).fit(X, Y)
    MLPClassifier(**slow | {"epochs": 60, "callbacks": lambda record: record.epoch == 55}).fit(X, Y)


def test_exclusive_or_is_learned_with_the_defaults() -> None:
    corners, odd = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    for seed in range(5):
        assert MLPClassifier((8,), random_state=seed).fit(corners, odd).score(corners, odd) == 1


@pytest.mark.parametrize("hidden", [(), (32,), (64, 32)])
def test_defaults_end_quietly(hidden: tuple[int, ...]) -> None:
    for X_, y in (load_iris(return_X_y=True), make_circles(400, noise=0.1, factor=0.5, random_state=0)):
        MLPClassifier(hidden, random_state=0).fit(X_, y)
    rng = np.random.default_rng(0)
    MLPClassifier(hidden, random_state=0).fit(rng.normal(size=(300, 8)), rng.integers(0, 2, 300))  # nothing to learn
    MLPRegressor(hidden, schedule=[0], random_state=0).fit(X, np.ones(150))


@pytest.mark.parametrize("stop", ["callback", "early stopping", "progress bar"])
def test_a_number_of_epochs_without_end_costs_nothing(stop: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    settings: dict[str, Any] = {"callbacks": lambda record: record.epoch == 3}
    if stop == "early stopping":
        settings = {"early_stopping": True, "patience": 2, "rate": 0.5}
    model = quick(epochs=10**9, verbose=stop == "progress bar", **settings).fit(X, Y)
    assert model.n_iter_ < 1000


FORK_WHILE_PREDICTING = """
import os, threading
import numpy as np
import kilonet as kn

X = np.random.default_rng(0).normal(size=(20000, 20))
model = kn.MLPClassifier((64,), epochs=1, random_state=0).fit(X[:100], np.arange(100) % 2)
stop = threading.Event()
def serve():
    while not stop.is_set():
        model.predict(X)
busy = threading.Thread(target=serve)
busy.start()
expected, statuses = model.predict(X[:5]).tolist(), []
for _ in range(20):
    child = os.fork()
    if child == 0:
        os._exit(0 if model.predict(X[:5]).tolist() == expected else 1)
    statuses.append(os.waitpid(child, 0)[1])
stop.set()
busy.join()
print(set(statuses))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_a_child_predicts_though_its_parent_was_predicting_when_it_forked() -> None:
    command = [sys.executable, "-W", "ignore", "-c", FORK_WHILE_PREDICTING]
    ended = subprocess.run(command, timeout=120, capture_output=True, text=True, check=False)  # noqa: S603  our own text
    assert (ended.stdout, ended.stderr) == ("{0}\n", "")


def test_more_of_what_makes_held_out_rows_worse_is_not_advised() -> None:
    slow = MLPClassifier(hidden=(8,), rate=1e-4, epochs=50, random_state=0, validation_data=(X, Y[::-1]))
    with pytest.warns(ConvergenceWarning) as said:
        slow.fit(X, Y)
    (told,) = (str(one.message) for one in said)
    lowest = int(np.argmin(slow.history_.validation_loss)) + 1
    assert f"the validation loss was lowest in epoch {lowest}: raise epochs only with early_stopping=True" in told
    assert "rate" not in told
