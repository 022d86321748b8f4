"""members=: many networks as one estimator. Each is the network of its own seed; their mean predicts."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest
import scipy.sparse
from scipy.special import expit, softmax
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV

import kilonet as kn
from kilonet import MLPClassifier, MLPRegressor
from kilonet.estimators.insight import loss_on
from kilonet.estimators.progress import describe

X, Y = load_iris(return_X_y=True)
TWO = Y < 2
BITS, LABELS = make_multilabel_classification(120, n_features=8, n_classes=3, random_state=0)
Z, T = load_diabetes(return_X_y=True)
CURVES = ("loss", "score", "validation_loss", "validation_score")


def quick(**settings: Any) -> MLPClassifier:
    return MLPClassifier(**({"hidden": (8,), "epochs": 6, "rate": 0.02, "random_state": 0, "members": 3} | settings))


def quick_regressor(**settings: Any) -> MLPRegressor:
    return MLPRegressor(**({"hidden": (8,), "epochs": 6, "rate": 0.02, "random_state": 0, "members": 3} | settings))


def same_curves(history: Any, other: Any, member: Any = ...) -> None:
    """The curves of one member, bit for bit, as long as it trained; NaN after that."""
    for curve in CURVES:
        ours, theirs = getattr(history, curve)[:, member] if member is not ... else getattr(history, curve), other
        theirs = np.asarray(getattr(theirs, curve))
        np.testing.assert_array_equal(ours[: len(theirs)], theirs)
        assert np.isnan(ours[len(theirs) :]).all()


def same(a: Any, b: Any) -> None:
    np.testing.assert_array_equal(a.theta_, b.theta_)
    same_curves(a.history_, b.history_)
    np.testing.assert_array_equal(a.best_epoch_, b.best_epoch_)
    assert a.n_iter_ == b.n_iter_


# Each member is the network of its seed


LAWS: list[tuple[Any, Any, Any, dict[str, Any]]] = [
    (MLPClassifier, X, Y, {}),
    (MLPClassifier, X, Y, {"dropout": 0.2, "input_noise": 0.1, "hidden": (8, 5)}),
    (MLPClassifier, X, Y, {"early_stopping": True, "patience": 2, "epochs": 40, "rate": 0.1}),
    (MLPClassifier, X, Y, {"validation_data": (X[::2], Y[::2]), "loss": "hinge", "class_weight": "balanced"}),
    (MLPRegressor, Z, T, {"optimizer": "momentum", "rate": 0.01, "hidden": (), "dtype": "float32"}),
    (MLPRegressor, Z, T, {"early_stopping": True, "patience": 1, "epochs": 30, "rate": 0.1, "dropout": 0.1}),
]


@pytest.mark.parametrize("engine", ["", "reference"])
@pytest.mark.parametrize(("kind", "data", "y", "settings"), LAWS)
def test_every_member_has_the_bits_of_its_seed_trained_alone(
    kind: Any, data: Any, y: Any, settings: dict[str, Any], engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KILONET_ENGINE", engine)
    quick = {"hidden": (8,), "epochs": 6, "rate": 0.02, "random_state": 0} | settings
    alone, together = kind(**quick).fit(data, y), kind(members=3, **quick).fit(data, y)
    np.testing.assert_array_equal(together.theta_[0], alone.theta_)
    same_curves(together.history_, alone.history_, 0)
    assert together.best_epoch_[0] == alone.best_epoch_
    first, *_ = alone.recipe_.seeds
    assert together.recipe_.seeds == tuple((first + m * 0x9E3779B97F4A7C15) % 2**64 for m in range(3))
    assert together.recipe_.order == alone.recipe_.order
    # A member that is not the first one has no estimator of its own: the estimator's rows, trained alone.
    rows, held = together._validation(together._rows(data, y, None, reset=False), together._footing.draws)
    codec, given = together._footing.codec, together._footing.inputs(data)
    validation = None
    if held is not None:
        whole = given if held.X is data else together._footing.inputs(held.X)
        validation = (whole if held.places is None else whole[held.places], codec.targets(held.targets))
        if together.get_params().get("class_weight"):
            validation = (*validation, together._row_weights(held, codec))
    inputs, targets = given if rows.places is None else given[rows.places], codec.targets(rows.targets)
    for member in range(3):
        runs = kn.train(
            together.network_, codec.loss, inputs, targets, recipe=together.recipe_.members([member]),
            sample_weight=together._row_weights(rows, codec), validation=validation,
        )  # fmt: skip
        np.testing.assert_array_equal(together.theta_[member], runs.theta)
        same_curves(together.history_, runs.history, member)
        assert together.best_epoch_[member] == runs.best_epoch


def test_one_member_is_one_network() -> None:
    one, none = quick(members=1).fit(X, Y), MLPClassifier((8,), epochs=6, rate=0.02, random_state=0).fit(X, Y)
    same(one, none)
    assert (one.theta_.ndim, one.history_.loss.shape, type(one.best_epoch_)) == (1, (6,), int)
    np.testing.assert_array_equal(one.predict_members(X), [one.predict(X)])
    np.testing.assert_array_equal(one.predict_proba_members(X), [one.predict_proba(X)])
    np.testing.assert_array_equal(one.predict_std(X), np.zeros((150, 3)))
    number = quick_regressor(members=1).fit(Z, T)
    np.testing.assert_array_equal(number.predict_members(Z), [number.predict(Z)])
    np.testing.assert_array_equal(number.predict_std(Z), np.zeros(442))


def test_shapes() -> None:
    model = quick(hidden=(7, kn.Maxout(5, pieces=2)), validation_data=(X, Y)).fit(X, Y)
    assert model.theta_.shape == (3, model.network_.n_parameters)
    assert {getattr(model.history_, curve).shape for curve in CURVES} == {(6, 3)}
    assert [w.shape for w in model.coefs_] == [(3, 4, 7), (3, 2, 7, 5), (3, 5, 3)]
    assert [b.shape for b in model.intercepts_] == [(3, 7), (3, 2, 5), (3, 3)]
    assert model.best_epoch_.tolist() == [6, 6, 6]
    assert (model.n_iter_, model.n_outputs_) == (6, 3)
    assert model.loss_ == pytest.approx(model.history_.loss[-1].mean())
    assert isinstance(model.loss_, float)
    with pytest.raises(ValueError, match="read-only"):
        model.theta_[0, 0] = 1.0


def test_loss_is_the_mean_over_members_each_at_its_best_epoch() -> None:
    model = quick(early_stopping=True, patience=2, epochs=60, rate=0.1).fit(X, Y)
    assert len(set(model.best_epoch_.tolist())) > 1
    own = [model.history_.loss[epoch - 1, member] for member, epoch in enumerate(model.best_epoch_)]
    assert model.loss_ == pytest.approx(np.mean(own))
    assert model.n_iter_ == len(model.history_) == max(model.best_epoch_) + 2


@pytest.mark.parametrize(
    ("members", "words"), [(0, "members came as 0"), (2.0, "members came as 2.0"), (True, "members"), ("2", "members")]
)
def test_numbers_of_members_that_are_none(members: Any, words: str) -> None:
    for model in (quick(members=members), quick_regressor(members=members)):
        with pytest.raises(kn.SettingError, match=words):
            model.fit(X, Y)
    with pytest.raises(kn.SettingError, match=words):
        quick(members=members).partial_fit(X, Y, classes=[0, 1, 2])


# What the mean of the members predicts


def scores_of(model: Any, rows: Any) -> Any:
    """Every member's scores (3, n, k), by way of the network and not of the estimator's predictor."""
    inputs = model.encoder_.transform(rows)
    return np.array([model.network_.scores(theta, inputs) for theta in model.theta_])


def test_probabilities_are_the_mean_of_the_members() -> None:
    model = quick().fit(X, Y)
    own = softmax(scores_of(model, X), axis=-1)
    np.testing.assert_allclose(model.predict_proba_members(X), own)
    np.testing.assert_allclose(model.predict_proba(X), own.mean(axis=0))
    np.testing.assert_allclose(model.predict_log_proba(X), np.log(own.mean(axis=0)))
    np.testing.assert_allclose(model.predict_std(X), own.std(axis=0), atol=1e-15)
    np.testing.assert_array_equal(model.predict(X), own.mean(axis=0).argmax(axis=1))
    np.testing.assert_array_equal(model.predict_members(X), own.argmax(axis=-1))
    np.testing.assert_allclose(model.decision_function(X), np.log(own.mean(axis=0)))
    assert model.score(X, Y) == np.mean(model.predict(X) == Y)


def test_two_classes_with_one_output_and_with_two() -> None:
    names = np.array(["no", "yes"])
    for loss in ("cross_entropy", "logistic"):
        model = quick(loss=loss).fit(X[TWO], names[Y[TWO]])
        scores = scores_of(model, X[TWO])
        own = expit(scores[..., 0]) if loss == "logistic" else softmax(scores, axis=-1)[..., 1]
        p = own.mean(axis=0)
        np.testing.assert_allclose(model.predict_proba(X[TWO]), np.column_stack([1 - p, p]))
        np.testing.assert_allclose(model.decision_function(X[TWO]), np.log(p / (1 - p)))
        np.testing.assert_array_equal(model.predict(X[TWO]), names[(p > 0.5).astype(int)])
        np.testing.assert_array_equal(model.predict_members(X[TWO]), names[(own > 0.5).astype(int)])
        assert model.predict_std(X[TWO]).shape == (100, 2)
        assert model.predict_proba_members(X[TWO]).shape == (3, 100, 2)


def test_one_against_the_rest() -> None:
    model = quick(loss="logistic").fit(X, Y)
    raw = expit(scores_of(model, X))
    p = (raw / raw.sum(axis=-1, keepdims=True)).mean(axis=0)
    np.testing.assert_allclose(model.predict_proba(X), p)
    np.testing.assert_allclose(model.decision_function(X), np.log(p))
    np.testing.assert_array_equal(model.predict(X), p.argmax(axis=1))


def test_several_labels_per_row() -> None:
    model = quick().fit(BITS, LABELS)
    own = expit(scores_of(model, BITS))
    p = own.mean(axis=0)
    np.testing.assert_allclose(model.predict_proba(BITS), p)
    np.testing.assert_allclose(model.decision_function(BITS), np.log(p / (1 - p)))
    np.testing.assert_array_equal(model.predict(BITS), (p > 0.5).astype(int))
    np.testing.assert_array_equal(model.predict_members(BITS), (own > 0.5).astype(int))
    np.testing.assert_allclose(model.predict_std(BITS), own.std(axis=0), atol=1e-15)


@pytest.mark.parametrize("loss", ["hinge", "squared_hinge"])
def test_margins_have_a_mean_score_and_no_probabilities(loss: str) -> None:
    for rows, k in ((TWO, 1), (slice(None), 3)):
        model = quick(loss=loss).fit(X[rows], Y[rows])
        mean = scores_of(model, X[rows]).mean(axis=0)
        decision = model.decision_function(X[rows])
        np.testing.assert_allclose(decision, mean[:, 0] if k == 1 else mean)
        np.testing.assert_array_equal(model.predict(X[rows]), mean[:, 0] > 0 if k == 1 else mean.argmax(axis=1))
        assert model.predict_members(X[rows]).shape == (3, len(X[rows]))
        for method in ("predict_proba", "predict_proba_members", "predict_std", "predict_log_proba"):
            assert not hasattr(model, method)


def test_decisions_stay_finite_where_probabilities_are_0_and_1() -> None:
    model = quick(members=2, hidden=(), encode=None, epochs=1).fit(X[TWO][:, :1], Y[TWO])
    model.theta_ = np.array([[0, 0, 0, 1000.0], [0, 0, 0, 900.0]])
    # p(first class) is (exp(-1000) + exp(-900)) / 2, of which doubles know nothing but the logarithm.
    np.testing.assert_allclose(model.decision_function([[1.0]]), 900 + np.log(2))
    np.testing.assert_array_equal(model.predict_proba([[1.0]]), [[0, 1]])
    several = quick(members=2, hidden=(), encode=None, epochs=1).fit(BITS[:, :1], LABELS)
    several.theta_ = np.array([[0, 0, 0, 1000.0, -1000, 0], [0, 0, 0, 900.0, -900, 0]])
    np.testing.assert_allclose(several.decision_function([[1.0]]), [[900 + np.log(2), -900 - np.log(2), 0]])


def test_members_that_disagree_are_outvoted_by_the_mean_not_by_their_number() -> None:
    model = quick(hidden=(), encode=None, epochs=1).fit(X[TWO][:, :1], Y[TWO])
    model.theta_ = np.array([[0, 0, 0.1, 0], [0, 0, 0.1, 0], [0, 0, 0, 9.0]])  # two lean to 0, one is sure of 1
    assert model.predict_members([[0.0]]).tolist() == [[0], [0], [1]]
    assert model.predict([[0.0]]).tolist() == [1]


def test_predictions_of_numbers() -> None:
    targets = np.column_stack([T, -1e5 * T])
    for y in (T, targets, T[:, None]):
        model = quick_regressor().fit(Z, y)
        own = y.mean(axis=0) + y.std(axis=0) * scores_of(model, Z).reshape(3, *y.shape)
        np.testing.assert_allclose(model.predict_members(Z), own)
        np.testing.assert_allclose(model.predict(Z), own.mean(axis=0))
        np.testing.assert_allclose(model.predict_std(Z), own.std(axis=0))
        assert model.predict(Z).dtype == model.predict_std(Z).dtype == np.float64


def test_numbers_far_from_zero_keep_their_spread() -> None:
    near, far = quick_regressor().fit(Z, T), quick_regressor().fit(Z, 1e12 + T)
    np.testing.assert_allclose(far.predict_std(Z), near.predict_std(Z), rtol=1e-2)  # 1e12 leaves 4 digits of T
    huge = quick_regressor().fit(Z, 4e305 * T)  # the sum of three such predictions is no double
    assert np.isfinite(huge.predict(Z)).all()
    assert np.isfinite(huge.predict_std(Z)).all()


class Squares:
    """A loss of one's own without a link: squared distance of the scores to the class."""

    def value(self, scores: Any, targets: Any) -> Any:
        return np.square(scores - np.eye(scores.shape[-1])[targets]).sum(axis=-1)

    def slope(self, scores: Any, targets: Any) -> Any:
        return 2 * (scores - np.eye(scores.shape[-1])[targets])


class Shares(Squares):
    """The same of the softmax, which knows one network's scores (n, k) only."""

    def value(self, scores: Any, targets: Any) -> Any:
        return super().value(softmax(scores, axis=-1), targets)

    def slope(self, scores: Any, targets: Any) -> Any:
        p = softmax(scores, axis=-1)
        away = super().slope(p, targets)
        return p * (away - (away * p).sum(axis=-1, keepdims=True))

    def link(self, scores: Any) -> Any:
        assert scores.ndim == 2
        return softmax(scores, axis=1)


def test_losses_of_ones_own() -> None:
    for rows in (TWO, slice(None)):
        model = quick(loss=Squares()).fit(X[rows], Y[rows])
        mean = scores_of(model, X[rows]).mean(axis=0)
        np.testing.assert_array_equal(model.predict(X[rows]), mean.argmax(axis=1))
        assert not hasattr(model, "predict_proba_members")
        assert loss_on(model, X[rows], Y[rows]) == pytest.approx(Squares().value(mean, Y[rows]).mean())
        model = quick(loss=Shares()).fit(X[rows], Y[rows])
        p = softmax(scores_of(model, X[rows]), axis=-1)
        np.testing.assert_allclose(model.predict_proba(X[rows]), p.mean(axis=0))
        np.testing.assert_array_equal(model.predict(X[rows]), p.mean(axis=0).argmax(axis=1))
        decision = model.decision_function(X[rows])
        chosen = decision > 0 if decision.ndim == 1 else decision.argmax(axis=1)
        np.testing.assert_array_equal(chosen, model.predict(X[rows]))
        each = [Shares().value(s, Y[rows]).mean() for s in scores_of(model, X[rows])]
        assert loss_on(model, X[rows], Y[rows]) == pytest.approx(np.mean(each))


class Bits:
    """A loss of one's own for several labels: squared distance of the link to the bits."""

    def value(self, scores: Any, targets: Any) -> Any:
        return np.square(expit(scores) - targets).sum(axis=-1)

    def slope(self, scores: Any, targets: Any) -> Any:
        p = expit(scores)
        return 2 * (p - targets) * p * (1 - p)

    def link(self, scores: Any) -> Any:
        return expit(scores)


def test_several_labels_with_a_loss_of_ones_own() -> None:
    model = quick(loss=Bits()).fit(BITS, LABELS)
    p = expit(scores_of(model, BITS)).mean(axis=0)
    np.testing.assert_allclose(model.predict_proba(BITS), p)
    np.testing.assert_array_equal(model.predict(BITS), (p > 0.5).astype(int))
    np.testing.assert_array_equal(model.decision_function(BITS) > 0, p > 0.5)


def test_the_loss_on_rows_is_that_of_the_prediction() -> None:
    model = quick().fit(X, Y)
    p = softmax(scores_of(model, X), axis=-1).mean(axis=0)
    assert loss_on(model, X, Y) == pytest.approx(-np.log(p[np.arange(150), Y]).mean())
    smooth = quick(loss="cross_entropy(smoothing=0.3)").fit(X, Y)
    log_p = np.log(smooth.predict_proba(X))
    by_hand = -(0.7 * log_p[np.arange(150), Y] + 0.3 * log_p.mean(axis=1)).mean()
    assert loss_on(smooth, X, Y) == pytest.approx(by_hand)
    each = quick(loss=kn.cross_entropy([0.3, 0.0, 0.0])).fit(X, Y)  # smoothing of each member's own
    log_p = np.log(each.predict_proba(X))
    right = log_p[np.arange(150), Y]
    assert loss_on(each, X, Y) == pytest.approx(-(0.9 * right + 0.1 * log_p.mean(axis=1)).mean())
    several = quick().fit(BITS, LABELS)
    p = several.predict_proba(BITS)
    assert loss_on(several, BITS, LABELS) == pytest.approx(-np.log(np.where(LABELS, p, 1 - p)).sum(axis=1).mean())
    rest = quick(loss="logistic").fit(X, Y)
    p, right = expit(scores_of(rest, X)).mean(axis=0), np.eye(3)[Y]
    assert loss_on(rest, X, Y) == pytest.approx(-np.log(np.where(right, p, 1 - p)).sum(axis=1).mean())
    hinge = quick(loss="hinge").fit(X[TWO], Y[TWO])
    margin = (2 * Y[TWO] - 1) * hinge.decision_function(X[TWO])
    assert loss_on(hinge, X[TWO], Y[TWO]) == pytest.approx(np.maximum(1 - margin, 0).mean())
    number = quick_regressor().fit(Z, T)
    assert loss_on(number, Z, T) == pytest.approx(0.5 * np.mean((number.predict(Z) - T) ** 2) / T.var())


@pytest.mark.parametrize("numbers", [1, 10_000])
def test_rows_taken_in_blocks_predict_the_same(numbers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = np.tile(X, (30, 1))
    model, number = quick().fit(X, Y), quick_regressor().fit(Z, T)

    def predictions() -> list[Any]:
        own = [model.predict_members(rows), model.predict_proba_members(rows), model.predict_std(rows)]
        return [model.predict_proba(rows), model.decision_function(rows), *own, number.predict(Z)]

    whole, loss = predictions(), loss_on(model, rows, np.tile(Y, 30))
    monkeypatch.setattr("kilonet.estimators.ensemble.BLOCK", numbers)
    for one, other in zip(whole, predictions(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert loss_on(model, rows[:1500], np.tile(Y, 10)) == pytest.approx(loss)  # a block of 1,024 rows, and the rest
    each = quick(loss=kn.cross_entropy([0.3, 0.0, 0.0])).fit(X, Y)
    assert loss_on(each, rows[:1500], np.tile(Y, 10)) == pytest.approx(loss_on(each, X, Y))


def test_hidden_outputs_stand_side_by_side() -> None:
    frame = pd.DataFrame(X, columns=list("abcd"))
    model = quick(hidden=(5, 2)).fit(frame, Y)
    inputs = model.encoder_.transform(frame)
    expected = np.hstack([model.network_.hidden(theta, inputs)[1] for theta in model.theta_])
    np.testing.assert_allclose(model.transform(frame), expected, rtol=1e-5, atol=1e-6)  # float32: it is a frame
    assert model.transform(frame, layer=0).shape == (150, 15)
    assert model.get_feature_names_out().tolist() == [f"mlpclassifier{k}" for k in range(6)]
    named = model.set_output(transform="pandas").transform(frame)
    assert named.columns.tolist() == model.get_feature_names_out().tolist()
    sparse = quick(encode=None).fit(scipy.sparse.csr_array(X), Y)
    assert sparse.transform(scipy.sparse.csr_array(X)).shape == (150, 24)
    single = quick(hidden=()).fit(X, Y)  # what all members see: once
    np.testing.assert_array_equal(single.transform(X), single.encoder_.transform(X))
    assert len(single.get_feature_names_out()) == 4


# Going on


GOING: list[tuple[Any, Any, Any, dict[str, Any]]] = [
    (MLPClassifier, X, Y, {"hidden": (8, 5), "dropout": 0.2, "input_noise": 0.1}),
    (MLPRegressor, Z, T, {"hidden": (8,), "optimizer": "momentum", "rate": 0.01}),
]


@pytest.mark.parametrize(("kind", "data", "y", "settings"), GOING)
def test_warm_start_and_partial_fit_go_on_exactly(
    kind: Any, data: Any, y: Any, settings: dict[str, Any], tmp_path: Path
) -> None:
    plain = {"schedule": "constant", "random_state": 3, "members": 3} | settings
    whole = kind(epochs=6, **plain).fit(data, y)
    begun = kind(epochs=2, warm_start=True, **plain).fit(data, y)
    predicted = begun.predict_members(data)
    for stopped in (begun, pickle.loads(pickle.dumps(begun)), kn.load(begun.save(tmp_path / "model.kn"))):  # noqa: S301
        np.testing.assert_array_equal(stopped.predict_members(data), predicted)
        assert stopped.n_iter_ == 2
        same(stopped.set_params(epochs=6).fit(data, y), whole)
    parts = kind(**plain)
    more = {"classes": np.unique(y)} if kind is MLPClassifier else {}
    for _ in range(6):
        parts.partial_fit(data, y, **more)
    same(parts, whole)


def test_going_on_after_members_stopped_at_different_epochs() -> None:
    settings: dict[str, Any] = {"schedule": "constant", "rate": 0.1, "validation_data": (X[::2], Y[::2])}
    whole = quick(epochs=60, **settings).fit(X, Y)
    stopped = quick(epochs=60, early_stopping=True, patience=2, **settings).fit(X, Y)
    longest = stopped.n_iter_
    assert longest < 60
    assert len(set(stopped._state["stopped"].tolist())) > 1
    with pytest.warns(UserWarning, match="early stopping ended training"):
        stopped.set_params(warm_start=True).fit(X, Y)
    # Even where the longest has no epoch left, the others have.
    caught_up = clone(stopped).set_params(warm_start=True).fit(X, Y).set_params(early_stopping=False, epochs=longest)
    assert caught_up.fit(X, Y).best_epoch_.tolist() == [longest] * 3
    np.testing.assert_array_equal(caught_up.history_.loss, whole.history_.loss[:longest])
    same(caught_up.set_params(epochs=60).fit(X, Y), whole)
    part = clone(stopped).fit(X, Y).set_params(early_stopping=False).partial_fit(X, Y)
    np.testing.assert_array_equal(part.history_.loss, whole.history_.loss[: longest + 1])


def test_one_member_that_has_not_stopped_goes_on() -> None:
    settings: dict[str, Any] = {"schedule": "constant", "rate": 0.1, "validation_data": (X[::2], Y[::2])}
    stopping = settings | {"early_stopping": True, "patience": 2}
    whole = quick(epochs=60, **stopping).fit(X, Y)
    first = int(np.min(whole._state["stopped"]))
    cut = quick(epochs=first, **stopping, warm_start=True).fit(X, Y)
    assert (cut._state["stopped"] == 0).any()
    same(cut.set_params(epochs=60).fit(X, Y), whole)


@pytest.mark.parametrize("changed", [1, 4])
def test_another_number_of_members_is_refused_when_going_on(changed: int, tmp_path: Path) -> None:
    model = quick(warm_start=True).fit(X, Y)
    for begun in (model, kn.load(model.save(tmp_path / "model.kn"))):
        begun.set_params(members=changed, epochs=9)
        for go_on in (begun.fit, begun.partial_fit):
            with pytest.raises(
                kn.SettingError, match=rf"members={changed}.*began with 3.*fit anew with warm_start=Fal"
            ):
                go_on(X, Y)
        assert begun.set_params(warm_start=False).fit(X, Y).recipe_.n_members == changed


def test_callbacks_see_every_member_and_may_stop() -> None:
    seen: list[kn.EpochRecord] = []
    model = quick(callbacks=lambda record: (seen.append(record), record.epoch == 4)[1], schedule="constant").fit(X, Y)
    assert [np.shape(record.loss) for record in seen] == [(3,)] * 4
    np.testing.assert_array_equal([record.loss for record in seen], model.history_.loss)
    same(model, quick(epochs=4, schedule="constant").fit(X, Y))


def test_an_interruption_keeps_all_members_and_can_be_gone_on_from() -> None:
    def press(record: kn.EpochRecord) -> None:
        if record.epoch == 3:
            raise KeyboardInterrupt

    model = quick(schedule="constant", callbacks=press, warm_start=True)
    with pytest.warns(kn.InterruptedWarning, match="after 3 of 6 epochs"):
        model.fit(X, Y)
    assert (model.interrupted_, model.n_iter_) == (True, 3)
    same(model.set_params(callbacks=None).fit(X, Y), quick(schedule="constant").fit(X, Y))


def test_the_bar_tells_the_mean_of_those_that_train() -> None:
    nan = np.full(3, np.nan)
    record = kn.EpochRecord(1, 5, np.array([0.5, 1.5, np.nan]), np.array([0.25, 0.75, np.nan]), nan, nan, 0.1)
    assert describe(record) == "loss 1, score 0.5"


# What goes wrong


def test_members_that_diverge_later_are_named_and_keep_the_epoch_before() -> None:
    settings: dict[str, Any] = {"hidden": (8, 8), "optimizer": "sgd", "schedule": "constant", "warm_start": True}
    model = quick_regressor(rate=1e-3, epochs=3, members=8, **settings).fit(Z, T)
    kept = model.theta_
    model.set_params(rate=[1e-3, 1e9] + 6 * [1e9], epochs=5)
    with pytest.warns(kn.DivergenceWarning, match="7 of 8 members left the finite numbers") as said:
        model.fit(Z, T)
    assert said[0].filename == __file__
    words = str(said[0].message)
    assert "member 1 in epoch 4, member 2 in epoch 4" in words
    assert "and 2 more" in words
    assert "the rate 1e+09 is too high" in words
    np.testing.assert_array_equal(model.theta_[1:], kept[1:])
    assert model.best_epoch_.tolist() == [5] + 7 * [3]
    assert np.isfinite(model.predict(Z)).all()
    assert np.isfinite(model.loss_)
    with pytest.raises(kn.DivergenceError, match="cannot go on: 7 of its 8 members left the finite numbers"):
        model.set_params(epochs=7).fit(Z, T)


def test_members_that_learned_nothing_are_an_error() -> None:
    settings: dict[str, Any] = {"hidden": (8, 8), "optimizer": "sgd", "schedule": "constant", "members": 4}
    with pytest.raises(kn.DivergenceError, match=r"2 of 4 members.*first epoch.*rate 1e\+09 is too high"):
        quick_regressor(rate=[1e-3, 1e9, 1e-3, 1e9], **settings).fit(Z, T)


def test_training_that_ends_too_early_is_judged_by_the_mean_curve() -> None:
    with pytest.warns(ConvergenceWarning, match=r"rate \(it was 1e-05\)"):
        quick(rate=1e-5, epochs=60).fit(X, Y)
    quick(epochs=60, rate=[1e-5, 0.02, 0.02]).fit(X, Y)  # two have learned; warnings are errors


# Copies and searches


def test_clone_and_search() -> None:
    model = clone(quick(members=np.int64(2)))
    assert model.get_params()["members"] == 2
    search = GridSearchCV(quick(epochs=3), {"members": np.array([1, 3])}, cv=2).fit(X, Y)
    assert search.best_params_["members"] in (1, 3)
    assert search.cv_results_["mean_test_score"].shape == (2,)


def test_a_file_keeps_the_members(tmp_path: Path) -> None:
    for model, rows in (
        (quick(early_stopping=True, rate=0.1, epochs=40).fit(X, Y), X),
        (quick_regressor().fit(Z, T), Z),
    ):
        loaded: Any = kn.load(model.save(tmp_path / "model.kn"))
        same(loaded, model)
        assert loaded.get_params()["members"] == 3
        assert (loaded.loss_, loaded.recipe_) == (model.loss_, model.recipe_)
        for method in ("predict", "predict_members", "predict_std"):
            np.testing.assert_array_equal(getattr(loaded, method)(rows), getattr(model, method)(rows))
        assert not loaded.theta_.flags.writeable


def test_a_rate_of_ones_own_for_every_member_is_saved(tmp_path: Path) -> None:
    model = quick(rate=[0.01, 0.02, 0.03], l2=[0.0, 0.1, 0.2], schedule="constant", warm_start=True).fit(X, Y)
    loaded = kn.load(model.save(tmp_path / "model.kn"))
    same(loaded.set_params(epochs=9).fit(X, Y), model.set_params(epochs=9).fit(X, Y))
    assert loaded.recipe_.optimizer.rate == (0.01, 0.02, 0.03)


def test_members_of_another_make_are_loaded_and_go_on(tmp_path: Path) -> None:
    """What `kn.train` gave, put into a file by hand: seeds are its own, and there are no settings."""
    network, data = kn.Network([4, 5, 3]), (X.astype(np.float32), Y)
    plain: dict[str, Any] = {"seeds": [4, 2], "order": 9, "dropout": 0.1, "rate": [0.01, 0.02]}
    plain["schedule"] = ["constant", "step(every=2)"]
    runs = kn.train(network, kn.cross_entropy, *data, epochs=3, **plain)
    curves = {name: getattr(runs.history, name) for name in CURVES}
    model = kn.persistence.SavedModel(
        network, kn.cross_entropy, runs.recipe, runs.theta, "classification",
        classes=np.arange(3), history=curves, state=runs.state,
    )  # fmt: skip
    loaded: Any = kn.load(kn.persistence.save(model, tmp_path / "two.kn"))
    assert (loaded.members, loaded.n_iter_, loaded.best_epoch_.tolist()) == (2, 3, [3, 3])
    np.testing.assert_allclose(
        loaded.predict_proba_members(data[0]), softmax(network.scores(runs.theta, X), axis=-1), 1e-4
    )
    longer = kn.train(network, kn.cross_entropy, *data, epochs=5, **plain)
    loaded.set_params(warm_start=True, epochs=5).fit(*data)
    np.testing.assert_array_equal(loaded.theta_, longer.theta)


@pytest.mark.parametrize("epochs", [[1, 2], "x", [1, 2, 10**30], [[1], [2], [3]]])
def test_a_file_with_best_epochs_that_cannot_be(epochs: Any, tmp_path: Path) -> None:
    model = kn.persistence.load(quick().fit(X, Y).save(tmp_path / "model.kn"))
    strange = replace(model, extra={**model.extra, "best_epoch": epochs})
    with pytest.raises(kn.FileFormatError, match="does not describe an estimator"):
        kn.load(kn.persistence.save(strange, tmp_path / "strange.kn"))


@pytest.mark.parametrize(
    "edit", [{"optimizer": "nonsense"}, {"optimizer": "adam(beta2=2)"}, {"verbose": "loud"}, {"batch": "all"}]
)
def test_edited_settings_are_refused_when_a_file_is_read(edit: dict[str, Any], tmp_path: Path) -> None:
    model = kn.persistence.load(quick().fit(X, Y).save(tmp_path / "model.kn"))
    strange = replace(model, extra={**model.extra, "settings": {**model.extra["settings"], **edit}})
    with pytest.raises(kn.FileFormatError, match="does not describe an estimator"):
        kn.load(kn.persistence.save(strange, tmp_path / "strange.kn"))


@pytest.mark.parametrize("members", [1, 3])
def test_an_interruption_before_the_first_epoch_is_over(members: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def press(*_: Any) -> None:
        raise KeyboardInterrupt

    model = quick(members=members, callbacks=lambda record: None, schedule="constant", warm_start=True)
    monkeypatch.setattr(kn.engine.choose(kn.Network([1, 1])), "advance", press)
    with pytest.warns(kn.InterruptedWarning, match="after 0 of 6 epochs"):
        model.fit(X, Y)
    monkeypatch.undo()
    assert np.all(np.asarray(model.best_epoch_) == 0)
    assert np.isnan(model.loss_)
    assert model.history_.loss.shape == ((0, 3) if members == 3 else (0,))
    assert model.predict_members(X).shape == (members, 150)
    same(model.fit(X, Y), quick(members=members, schedule="constant").fit(X, Y))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"optimizer": ["sgd", "adam", "adam"]},
            r"optimizer came as .*One per member may be: rate, schedule, .*max_norm\.$",
        ),
        ({"loss": ["hinge", "hinge", "hinge"]}, r"loss came as .*all members share it.*kn\.cross_entropy\(smoothing="),
        ({"epochs": [1, 2, 3]}, "epochs came as .*all members share it"),
        ({"batch": (8, 16, 32)}, "batch came as .*all members share it"),
        ({"dtype": ["float32"] * 3}, "dtype came as .*all members share it"),
        ({"rate": [0.1, 0.2]}, "rate has 2 entries, one per member, but members=3; .*set members=2"),
        ({"schedule": ["step"]}, "schedule has 1 entry, one per member, but members=3"),
        ({"loss": kn.cross_entropy(smoothing=[0, 0.1])}, "the loss has 2 entries, one per member, but members=3"),
    ],
)
def test_what_members_share_is_no_list_and_other_lists_are_of_their_number(settings: Any, message: str) -> None:
    with pytest.raises(kn.SettingError, match=message):
        quick(**settings).fit(X, Y)


def test_members_may_have_smoothing_of_their_own() -> None:
    both = quick(members=2, loss=kn.cross_entropy(smoothing=[0, 0.3])).fit(X, Y)
    assert both.loss_ > quick(members=2).fit(X, Y).loss_
