"""MLPClassifier: labels, losses, probabilities, weights."""

from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import polars as pl
import pyarrow as pa
import pytest
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.exceptions import DataConversionWarning
from sklearn.utils.estimator_checks import check_classifier_multioutput

import kilonet as kn
from kilonet import MLPClassifier
from kilonet.estimators.insight import loss_on

X, Y = load_iris(return_X_y=True)
TWO = Y < 2


def quick(**settings: Any) -> MLPClassifier:
    return MLPClassifier(**({"hidden": (8,), "epochs": 40, "rate": 0.02, "random_state": 0} | settings))


LABELS = {
    "texts": np.array(["setosa", "versicolor", "virginica"])[Y],
    "objects": np.array(["setosa", "versicolor", "virginica"], dtype=object)[Y],
    "floats": np.array([-1.0, 0.0, 7.0])[Y],
    "booleans": Y > 0,
    "texts and numbers": [["a", 1, 2.5][k] for k in Y],
    "tuples": [[("a", 1), ("a", 2), ("b", 1)][k] for k in Y],
    "pandas categories": pd.Series(pd.Categorical.from_codes(Y, categories=["u", "v", "w"])),
    "pandas texts": pd.Series(["u", "v", "w"]).take(Y).reset_index(drop=True),
    "polars": pl.Series(np.array(["u", "v", "w"])[Y]),
    "pyarrow": pa.chunked_array([np.array(["u", "v", "w"])[Y].tolist()]),
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_of_any_kind(name: str) -> None:
    y = LABELS[name]
    model = quick().fit(X, y)
    truth = list(y.to_pylist() if isinstance(y, pa.ChunkedArray) else y)
    right = [a == b for a, b in zip(model.predict(X).tolist(), truth, strict=True)]
    assert np.mean(right) > 0.9  # measured 0.97 and more
    assert model.score(X, y) == pytest.approx(np.mean(right))
    assert set(model.classes_.tolist()) == set(truth)


LOSSES = ["cross_entropy", "cross_entropy(smoothing=0.1)", "logistic", "hinge", "squared_hinge"]


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_losses(loss: str, n_classes: int) -> None:
    rows = n_classes > Y
    model = quick(loss=loss).fit(X[rows], Y[rows])
    one_output = n_classes == 2 and not loss.startswith("cross_entropy")
    assert model.n_outputs_ == (1 if one_output else n_classes)
    assert model.score(X[rows], Y[rows]) > 0.93
    decision = model.decision_function(X[rows])
    assert decision.shape == ((100,) if n_classes == 2 else (150, 3))
    chosen = (decision > 0).astype(int) if n_classes == 2 else decision.argmax(axis=1)
    np.testing.assert_array_equal(chosen, model.predict(X[rows]))
    assert hasattr(model, "predict_proba") == ("hinge" not in loss)
    if hasattr(model, "predict_proba"):
        p = model.predict_proba(X[rows])
        np.testing.assert_allclose(p.sum(axis=1), 1)
        np.testing.assert_array_equal(p.argmax(axis=1), model.predict(X[rows]))
        np.testing.assert_allclose(np.exp(model.predict_log_proba(X[rows])), p)


def test_probabilities_by_hand() -> None:
    model = quick(loss="logistic").fit(X[TWO], Y[TWO])
    s = model.decision_function(X[TWO])
    np.testing.assert_allclose(model.predict_proba(X[TWO])[:, 1], 1 / (1 + np.exp(-s)))
    model = quick().fit(X, Y)
    hidden = np.maximum(model.encoder_.transform(X) @ model.coefs_[0] + model.intercepts_[0], 0)
    np.testing.assert_allclose(model.transform(X), hidden, atol=1e-12)
    e = np.exp(hidden @ model.coefs_[1] + model.intercepts_[1])
    np.testing.assert_allclose(model.predict_proba(X), e / e.sum(axis=1, keepdims=True))


def test_several_labels_per_row() -> None:
    Z, bits = make_multilabel_classification(200, n_features=8, n_classes=3, random_state=0)
    for loss in ("auto", "hinge", "squared_hinge"):
        model = quick(loss=loss).fit(Z, bits)
        assert model.predict(Z).shape == model.decision_function(Z).shape == (200, 3)
        assert np.mean(model.predict(Z) == bits) > 0.85
        assert model.score(Z, bits) == np.mean((model.predict(Z) == bits).all(axis=1))
    p = quick().fit(Z, bits).predict_proba(Z)
    assert ((p > 0) & (p < 1)).all()
    with pytest.raises(kn.SettingError, match="one class per row, but y has several labels"):
        quick(loss="cross_entropy").fit(Z, bits)
    with pytest.raises(kn.SettingError, match="one class per row"):
        quick(class_weight="balanced").fit(Z, bits)


def test_scikit_learns_check_of_several_outputs() -> None:
    check_classifier_multioutput("MLPClassifier", MLPClassifier())


def test_class_weights_are_row_weights() -> None:
    chosen = quick(class_weight={0: 1, 1: 2, 2: 5}, encode=None).fit(X, Y)
    same = quick(encode=None).fit(X, Y, sample_weight=np.array([1, 2, 5])[Y])
    np.testing.assert_array_equal(chosen.theta_, same.theta_)
    rows = np.r_[0:50, 50:60, 100:105]
    balanced = quick(class_weight="balanced", encode=None).fit(X[rows], Y[rows])
    same = quick(encode=None, class_weight={0: 65 / 150, 1: 65 / 30, 2: 65 / 15}).fit(X[rows], Y[rows])
    np.testing.assert_array_equal(balanced.theta_, same.theta_)


@pytest.mark.parametrize(
    ("weight", "words"),
    [
        ("even", "'balanced' or a dict"),
        ({0: -1}, "not negative"),
        ({0: 1, 3: 1}, r"names \[3\], which y does not have, and leaves out \[1, 2\]"),
    ],
)
def test_bad_class_weights(weight: Any, words: str) -> None:
    with pytest.raises(kn.SettingError, match=words):
        quick(class_weight=weight).fit(X, Y)


def test_partial_fit_needs_all_classes_first() -> None:
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        quick().partial_fit(X, Y)
    model = quick().partial_fit(X[TWO], Y[TWO], classes=[0, 1])
    with pytest.raises(kn.DataError, match=r"y has 2 \(first in row 100\), not among the classes so far: 0, 1"):
        model.partial_fit(X, Y)
    with pytest.raises(kn.SettingError, match="set early_stopping=False"):
        quick(early_stopping=True).partial_fit(X, Y, classes=[0, 1, 2])
    with pytest.raises(kn.SettingError, match="class_weight='balanced' needs all rows"):
        quick(class_weight="balanced").partial_fit(X, Y, classes=[0, 1, 2])


@pytest.mark.parametrize(
    ("y", "words"),
    [
        (np.zeros(150), "one class only"),
        (np.where(np.arange(150) == 7, np.nan, Y), r"a missing value \(NaN or None\) in row 7"),
        (np.where(np.arange(150) == 7, np.inf, Y), "infinity in row 7"),
        ([None if k == 9 else "ab"[k % 2] for k in range(150)], r"a missing value \(NaN or None\) in row 9"),
        (X[:, 0], "Unknown label type: continuous"),
        (X[:, :2], "Unknown label type: continuous-multioutput"),
        (np.column_stack([Y, Y]), "several columns, so it must hold 0 and 1 only"),
        (Y[:149], "inconsistent numbers of samples"),
        (None, "requires y to be passed"),
    ],
)
def test_bad_targets(y: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        quick().fit(X, y)


def test_a_column_of_labels_is_flattened_with_a_warning() -> None:
    with pytest.warns(DataConversionWarning):
        column = quick().fit(X, Y[:, None])
    np.testing.assert_array_equal(column.theta_, quick().fit(X, Y).theta_)


def test_one_class_left_after_weighting_is_refused() -> None:
    with pytest.raises(kn.DataError, match="one class only"):
        quick().fit(X, Y, sample_weight=(Y == 1).astype(float))


def test_losses_for_numbers_are_refused() -> None:
    with pytest.raises(kn.SettingError, match="loss='squared' is for MLPRegressor"):
        quick(loss="squared").fit(X, Y)


class Brier:
    """A loss of one's own: squared distance of the softmax to the class."""

    def value(self, scores: Any, targets: Any) -> Any:
        return np.square(self.link(scores) - np.eye(scores.shape[-1])[targets]).sum(axis=-1)

    def slope(self, scores: Any, targets: Any) -> Any:
        p = self.link(scores)
        away = 2 * (p - np.eye(scores.shape[-1])[targets])
        return p * (away - (away * p).sum(axis=-1, keepdims=True))

    def link(self, scores: Any) -> Any:
        return kn.cross_entropy.link(scores)

    def targets(self, y: Any, n_outputs: int, dtype: Any) -> Any:
        return kn.cross_entropy.targets(y, n_outputs, dtype)

    def kind(self, targets: Any) -> str:  # noqa: ARG002
        return "classes"

    def score(self, scores: Any, targets: Any, weights: Any = None) -> Any:
        return kn.cross_entropy.score(scores, targets, weights)


def test_a_loss_of_ones_own_runs_on_the_reference_engine() -> None:
    model = quick(loss=Brier(), rate=0.05).fit(X, Y)
    assert model.engine_ == "reference"
    assert model.score(X, Y) > 0.93
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1)


def test_the_loss_on_rows_of_losses_with_targets_of_their_own_form() -> None:
    """Losses that turn class numbers into bits or signs are given those, as in training."""
    sign = 2.0 * Y[TWO] - 1
    model = quick(loss="logistic").fit(X[TWO], Y[TWO])
    margin = sign * model.decision_function(X[TWO])
    assert loss_on(model, X[TWO], Y[TWO]) == pytest.approx(np.log1p(np.exp(-margin)).mean())
    model = quick(loss="hinge").fit(X[TWO], Y[TWO])
    margin = sign * model.decision_function(X[TWO])
    assert loss_on(model, X[TWO], Y[TWO]) == pytest.approx(np.maximum(1 - margin, 0).mean())
    bits = np.column_stack([Y > 0, Y > 1]).astype(int)
    model = quick(loss="squared_hinge").fit(X, bits)
    margins = (2 * bits - 1) * model.decision_function(X)
    assert loss_on(model, X, bits) == pytest.approx((np.maximum(1 - margins, 0) ** 2).sum(axis=1).mean())
