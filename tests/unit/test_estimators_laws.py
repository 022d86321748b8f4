"""What estimators promise: going on exactly, weights as repeated rows, copies that are equal."""

import copy
import pickle
import warnings
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
import scipy.sparse
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

import kilonet as kn
from kilonet import MLPClassifier, MLPRegressor

Floats = NDArray[np.float64]
IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)


def same(a: Any, b: Any) -> None:
    """Equal parameters and curves, bit for bit."""
    np.testing.assert_array_equal(a.theta_, b.theta_)
    for curve in ("loss", "score", "validation_loss", "validation_score"):
        np.testing.assert_array_equal(getattr(a.history_, curve), getattr(b.history_, curve))
    assert a.n_iter_ == b.n_iter_


CASES = [
    (MLPClassifier, IRIS, {"hidden": (8, 5), "dropout": 0.2, "input_noise": 0.1}),
    (MLPRegressor, DIABETES, {"hidden": (8,), "optimizer": "momentum", "rate": 0.01}),
]


@pytest.mark.parametrize(("kind", "data", "settings"), CASES)
def test_warm_start_goes_on_exactly(kind: Any, data: Any, settings: dict[str, Any]) -> None:
    X, y = data
    never_stopped = kind(epochs=10, schedule="step(every=4)", random_state=3, **settings).fit(X, y)
    stopped = kind(epochs=4, schedule="step(every=4)", random_state=3, warm_start=True, **settings).fit(X, y)
    assert stopped.n_iter_ == 4
    same(stopped.set_params(epochs=10).fit(X, y), never_stopped)


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(5)])
def test_warm_start_keeps_its_draws_whatever_random_state(random_state: Any) -> None:
    X, y = IRIS
    model = MLPClassifier((4,), epochs=2, warm_start=True, random_state=random_state).fit(X, y)
    order = model.recipe_.order
    assert model.set_params(epochs=4).fit(X, y).recipe_.order == order
    assert len(model.history_.loss) == 4


@pytest.mark.parametrize(("kind", "data", "settings"), CASES)
def test_partial_fits_are_one_fit(kind: Any, data: Any, settings: dict[str, Any]) -> None:
    X, y = data
    whole = kind(epochs=5, schedule="constant", random_state=3, **settings).fit(X, y)
    parts = kind(random_state=3, **settings)  # cosine, the default, is constant in partial_fit
    more = {"classes": np.unique(y)} if kind is MLPClassifier else {}
    for _ in range(5):
        parts.partial_fit(X, y, **more)
    same(parts, whole)


def test_partial_fit_after_fit_is_a_longer_fit() -> None:
    X, y = IRIS
    long = MLPClassifier((6,), epochs=4, schedule="constant", random_state=0).fit(X, y)
    short = MLPClassifier((6,), epochs=3, schedule="constant", random_state=0).fit(X, y)
    same(short.partial_fit(X, y), long)


def test_partial_fit_takes_chunks_of_any_size() -> None:
    X, y = IRIS
    rng = np.random.default_rng(0)
    model = MLPClassifier((20,), rate=0.01, random_state=0)
    for _ in range(60):
        rows = rng.permutation(len(X))[: rng.integers(20, 150)]
        model.partial_fit(X[rows], y[rows], classes=[0, 1, 2])
    assert model.n_iter_ == len(model.history_.loss) == 60
    assert model.score(X, y) > 0.94  # measured 0.97; a linear rule reaches 0.97


def test_going_on_trains_the_new_epochs_only() -> None:
    X, y = IRIS
    seen: list[int] = []
    model = MLPClassifier((4,), epochs=3, warm_start=True, callbacks=lambda record: seen.append(record.epoch))
    model.fit(X, y).set_params(epochs=5).fit(X, y).partial_fit(X, y)
    assert seen == [1, 2, 3, 4, 5, 6]


def test_going_on_after_early_stopping() -> None:
    X, y = IRIS
    settings: dict[str, Any] = {"schedule": "constant", "rate": 0.05, "random_state": 0, "validation_data": (X, -y + 2)}
    never_stopped = MLPClassifier((4,), epochs=12, **settings).fit(X, y)
    stopped = MLPClassifier((4,), epochs=12, early_stopping=True, patience=3, **settings).fit(X, y)
    assert stopped.n_iter_ < 12  # the validation labels are the wrong way round: it only becomes worse
    with pytest.warns(UserWarning, match="early stopping ended training after epoch"):
        stopped.set_params(warm_start=True).fit(X, y)
    same(stopped.set_params(early_stopping=False).fit(X, y), never_stopped)


def test_ctrl_c_keeps_what_was_learned_and_can_be_gone_on_from() -> None:
    X, y = IRIS

    def press(record: kn.EpochRecord) -> None:
        if record.epoch == 3:
            raise KeyboardInterrupt

    model = MLPClassifier((4,), epochs=6, schedule="constant", warm_start=True, callbacks=press, random_state=0)
    with pytest.warns(kn.InterruptedWarning):
        model.fit(X, y)
    assert model.interrupted_
    assert model.n_iter_ == 3
    assert model.predict(X).shape == (150,)
    whole = MLPClassifier((4,), epochs=6, schedule="constant", random_state=0).fit(X, y)
    same(model.set_params(callbacks=None).fit(X, y), whole)
    assert not model.interrupted_


@pytest.mark.parametrize("stage", ["pickle", "deepcopy", "file"])
def test_copies_predict_and_go_on_alike(stage: str, tmp_path: Path) -> None:
    X, y = IRIS
    model = MLPClassifier((6,), epochs=3, schedule="constant", warm_start=True, random_state=0).fit(X, y)
    if stage == "pickle":
        copied = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes
    elif stage == "deepcopy":
        copied = copy.deepcopy(model)
    else:
        copied = kn.load(model.save(tmp_path / "model.kn"))
    np.testing.assert_array_equal(copied.predict_proba(X), model.predict_proba(X))
    whole = clone(model).set_params(epochs=7).fit(X, y)
    same(copied.set_params(epochs=7).fit(X, y), whole)


@pytest.mark.parametrize("to", [np.asarray, scipy.sparse.csr_array])
@pytest.mark.parametrize("kind", [MLPClassifier, MLPRegressor])
def test_weights_are_repeated_rows(kind: Any, to: Any) -> None:
    rng = np.random.default_rng(1)
    X, y, counts = rng.normal(size=(14, 5)), rng.integers(0, 3, 14), rng.integers(0, 4, 14)
    X[rng.random(X.shape) < 0.2] = np.nan
    y[:3], counts[:3] = [0, 1, 2], 1
    # Missing values and balanced classes too: every statistic has to be weighted.
    extra = {"class_weight": "balanced"} if kind is MLPClassifier else {}
    weighted = kind((9,), random_state=0, **extra).fit(to(X), y, sample_weight=counts)
    repeated = kind((9,), random_state=0, **extra).fit(to(X.repeat(counts, axis=0)), y.repeat(counts))
    # 1,000 steps in float64 from sums that differ in their last bits; measured 1e-12
    np.testing.assert_allclose(weighted.theta_, repeated.theta_, rtol=0, atol=1e-8)
    np.testing.assert_allclose(weighted.history_.score, repeated.history_.score, rtol=0, atol=1e-9)


def test_a_row_of_weight_zero_is_absent_whatever_the_batch() -> None:
    X, y = IRIS
    weights = np.ones(len(X))
    weights[::7] = 0
    kept = weights > 0
    with_zeros = MLPClassifier((5,), epochs=4, random_state=0).fit(X, y, sample_weight=weights)
    without = MLPClassifier((5,), epochs=4, random_state=0).fit(X[kept], y[kept])
    np.testing.assert_array_equal(with_zeros.theta_, without.theta_)


def test_sparse_and_dense_rows_agree_without_an_encoder() -> None:
    X, y = IRIS
    dense = MLPClassifier((5,), epochs=4, encode=None, random_state=0).fit(X, y)
    for container in (scipy.sparse.csr_array, scipy.sparse.csc_matrix, scipy.sparse.coo_array):
        sparse = MLPClassifier((5,), epochs=4, encode=None, random_state=0).fit(container(X), y)
        np.testing.assert_allclose(sparse.theta_, dense.theta_, rtol=0, atol=1e-12)
        np.testing.assert_allclose(sparse.predict_proba(container(X)), dense.predict_proba(X), atol=1e-12)


def test_search_pipeline_and_cross_validation() -> None:
    X, y = IRIS
    pipeline = make_pipeline(MinMaxScaler(), MLPClassifier((10,), epochs=30, rate=0.05, random_state=0))
    assert cross_val_score(pipeline, X, y, cv=3).mean() > 0.9  # measured 0.95
    grid = {"mlpclassifier__hidden": [(), (4,), 8], "mlpclassifier__activation": ["tanh", kn.elu(0.5)]}
    search = GridSearchCV(pipeline, grid, cv=2, n_jobs=2).fit(X, y)
    assert search.best_score_ > 0.9
    assert search.predict(X).shape == (150,)


def test_one_thread_inside_a_joblib_worker_and_the_same_result() -> None:
    X, y = IRIS
    model = MLPClassifier((4,), epochs=2, random_state=0)
    inside = joblib.Parallel(n_jobs=2)(joblib.delayed(clone(model).fit)(X, y) for _ in range(2))
    assert [worker.recipe_.n_threads for worker in inside] == [1, 1]
    outside = model.fit(X, y)
    assert outside.recipe_.n_threads is None
    np.testing.assert_array_equal(inside[0].theta_, outside.theta_)


def test_random_state_decides_everything() -> None:
    X, y = IRIS
    fits = [MLPClassifier((4,), epochs=2, random_state=seed).fit(X, y).theta_ for seed in (0, 0, 1)]
    np.testing.assert_array_equal(fits[0], fits[1])
    assert not np.array_equal(fits[0], fits[2])


def test_threads_do_not_matter() -> None:
    X, y = IRIS
    fits = [MLPClassifier((4,), epochs=2, n_jobs=n, random_state=0).fit(X, y).theta_ for n in (1, 2, -1)]
    np.testing.assert_array_equal(fits[0], fits[1])
    np.testing.assert_array_equal(fits[0], fits[2])


def test_warm_start_says_when_there_is_nothing_to_do() -> None:
    X, y = IRIS
    model = MLPClassifier((4,), epochs=3, warm_start=True, random_state=0).fit(X, y)
    before = model.theta_
    with pytest.warns(UserWarning, match="all 3 epochs are trained already"):
        model.fit(X, y)
    np.testing.assert_array_equal(model.theta_, before)
    with pytest.raises(kn.SettingError, match="epochs=2, but 3 epochs are trained already"):
        model.set_params(epochs=2).fit(X, y)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"hidden": (5,)}, "another network"),
        ({"loss": "hinge"}, "cannot go on with loss=hinge"),
        ({"optimizer": "sgd"}, "cannot go on with optimizer"),
    ],
)
def test_going_on_with_other_parts_is_refused(change: dict[str, Any], words: str) -> None:
    X, y = IRIS
    model = MLPClassifier((4,), epochs=2, warm_start=True, random_state=0).fit(X, y)
    with pytest.raises(kn.SettingError, match=words):
        model.set_params(epochs=4, **change).fit(X, y)


def test_unfitted_estimators_say_so() -> None:
    for method in ("predict", "predict_proba", "decision_function", "transform"):
        with pytest.raises(NotFittedError):
            getattr(MLPClassifier(), method)(IRIS[0])
    with pytest.raises(NotFittedError):
        MLPClassifier().coefs_  # noqa: B018 - a property that raises
    with pytest.raises(NotFittedError):
        MLPClassifier().save("nowhere.kn")


def test_predicting_after_parameters_were_replaced() -> None:
    X, y = IRIS
    model = MLPClassifier((4,), epochs=2, random_state=0).fit(X, y)
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match="read-only"):
        model.theta_[0] = 1
    model.theta_ = np.zeros_like(model.theta_)
    assert not np.array_equal(model.predict_proba(X), before)
    np.testing.assert_allclose(model.predict_proba(X), 1 / 3)


def test_a_quiet_fit_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    X, y = IRIS
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        MLPClassifier((4,), epochs=2, verbose=True, random_state=0).fit(X, y)
    assert capfd.readouterr() == ("", "")
