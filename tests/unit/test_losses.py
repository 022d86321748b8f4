"""Losses of decisions: values from their definitions, extremes, scores, links, and descriptions."""

import math

import numpy as np
import pytest

from kilonet.errors import DataError, SettingError
from kilonet.losses import (
    LOSSES,
    Loss,
    OwnLoss,
    cross_entropy,
    hinge,
    logistic,
    loss_from,
    quantile,
    squared,
    squared_hinge,
)
from kilonet.values import Array

ALL = list(LOSSES.table.values())


def targets_for(loss: Loss, k: int, dtype: type) -> Array:
    """Four targets of which the first two differ from the last two."""
    y = np.array([0, 0, 1, 1])
    classes = loss.name == "cross_entropy" or (loss.name.endswith("hinge") and k > 1)
    return loss.targets(y if classes or k == 1 else np.stack([y] * k, axis=1), k, dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loss", ALL, ids=str)
def test_extreme_scores_give_no_nan_and_no_warning(loss: Loss, dtype: type) -> None:
    scores: Array = np.array([[1e30, -1e30], [-1e30, 1e30], [1e4, 0.0], [0.0, 0.0]], dtype)
    targets = targets_for(loss, 2, dtype)
    value, slope = loss.value(scores, targets), loss.slope(scores, targets)
    assert value.dtype == slope.dtype == dtype
    assert value.shape == (4,)
    assert slope.shape == (4, 2)
    assert np.isfinite(slope).all()
    assert not np.isnan(value).any()
    if loss.name not in {"squared", "squared_hinge"} or dtype == np.float64:
        assert np.isfinite(value).all()  # the square of 1e30 is larger than any float32
    assert np.isfinite(loss.link(scores)).all()


@pytest.mark.parametrize("loss", ALL, ids=str)
def test_members_lead(loss: Loss) -> None:
    scores = np.random.default_rng(1).normal(size=(3, 4, 2))
    targets = targets_for(loss, 2, np.float64)
    for together, alone in ((loss.value, loss.value), (loss.slope, loss.slope)):
        np.testing.assert_array_equal(together(scores, targets), [alone(s, targets) for s in scores])
    np.testing.assert_array_equal(loss.score(scores, targets), [loss.score(s, targets) for s in scores])


def test_cross_entropy_counts_in_nats_and_smooths() -> None:
    scores, classes = np.log(np.array([[0.2, 0.3, 0.5]])), np.array([2])
    assert cross_entropy.value(scores, classes)[0] == pytest.approx(-math.log(0.5))
    expected = -(0.9 * math.log(0.5) + 0.1 / 3 * (math.log(0.2) + math.log(0.3) + math.log(0.5)))
    assert cross_entropy(0.1).value(scores, classes)[0] == pytest.approx(expected)
    np.testing.assert_allclose(cross_entropy.link(scores), [[0.2, 0.3, 0.5]])


def test_logistic_is_cross_entropy_of_each_output() -> None:
    scores = np.log(np.array([[0.2 / 0.8, 0.6 / 0.4]]))
    assert logistic.value(scores, np.array([[1.0, 0.0]]))[0] == pytest.approx(-math.log(0.2) - math.log(0.4))
    np.testing.assert_allclose(logistic.link(scores), [[0.2, 0.6]])


def test_hinges_of_classes_sum_over_the_wrong_ones() -> None:
    scores, classes = np.array([[2.0, 1.5, 3.0]]), np.array([0], np.int32)
    assert hinge.value(scores, classes)[0] == 0.5 + 2.0
    assert squared_hinge.value(scores, classes)[0] == 0.25 + 4.0
    assert hinge.slope(scores, classes).tolist() == [[-2.0, 1.0, 1.0]]
    assert squared_hinge.slope(scores, classes).tolist() == [[-5.0, 1.0, 4.0]]


def test_a_margin_of_exactly_one_has_no_slope() -> None:
    assert hinge.slope(np.array([[1.0]]), np.array([[1.0]])) == 0.0
    assert hinge.slope(np.array([[2.0, 1.0]]), np.array([0], np.int32)).tolist() == [[0.0, 0.0]]


def test_kinds_decide_what_targets_are() -> None:
    assert cross_entropy.kind(cross_entropy.targets([0, 1], 2)) == "classes"
    assert hinge.kind(hinge.targets([0, 1], 2)) == "classes"
    assert hinge.kind(hinge.targets([0, 1], 1)) == hinge.kind(hinge.targets([[0, 1], [1, 0]], 2)) == "signs"
    assert logistic.kind(logistic.targets([0, 1], 1)) == "bits"
    assert squared.kind(squared.targets([0, 1], 1)) == "numbers"


def test_accuracy_takes_the_first_maximum_and_counts_weights() -> None:
    scores, classes = np.array([[1.0, 1.0], [0.0, 2.0], [3.0, 2.0]]), np.array([1, 1, 0], np.int32)
    assert cross_entropy.score(scores, classes) == pytest.approx(2 / 3)
    assert cross_entropy.score(scores, classes, np.array([2.0, 1.0, 1.0])) == 0.5


def test_accuracy_of_decisions_needs_every_output_and_a_score_above_0() -> None:
    bits = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    scores = np.array([[0.1, -3.0], [0.5, -0.5], [0.0, 0.0]])
    assert logistic.score(scores, bits) == pytest.approx(2 / 3)
    assert hinge.score(scores, 2 * bits - 1) == pytest.approx(2 / 3)


def test_texts_and_json_describe_a_loss() -> None:
    for loss in [*ALL, cross_entropy(smoothing=0.1), quantile(0.9)]:
        assert loss_from(str(loss)) == loss_from(loss.to_json()) == loss


@pytest.mark.parametrize("spec", ["cross_entropy(1)", "huber(0)", "quantile(1)", "quantile(nan)", "crossentropy"])
def test_settings_out_of_range_are_refused(spec: str) -> None:
    with pytest.raises(SettingError):
        loss_from(spec)


def test_a_loss_of_ones_own_becomes_a_loss() -> None:
    class Cubic:
        def value(self, scores: Array, targets: Array) -> Array:
            return np.asarray((np.abs(scores - targets) ** 3).sum(axis=-1))

        def slope(self, scores: Array, targets: Array) -> Array:
            return np.asarray(3 * (scores - targets) * np.abs(scores - targets))

    loss = loss_from(Cubic())
    assert isinstance(loss, OwnLoss)
    targets = loss.targets([1.0, 2.0], 1, np.float64)
    assert loss.value(np.zeros((2, 1)), targets).tolist() == [1.0, 8.0]
    assert loss.link(targets) is targets
    assert loss.kind(targets) == "numbers"
    with pytest.raises(SettingError, match="can be trained but not saved"):
        loss.to_json()


def test_one_output_cannot_tell_classes_apart() -> None:
    with pytest.raises(DataError, match="use logistic or hinge, or two outputs"):
        cross_entropy.targets([0, 1], 1)
