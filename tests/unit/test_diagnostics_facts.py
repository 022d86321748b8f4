"""Facts of an examination: counted by hand, with planted faults, and silent where nothing is wrong."""

import json
import math

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_iris

import kilonet as kn
from kilonet.diagnostics.examine import examine
from kilonet.diagnostics.inputs import input_facts, target_facts
from kilonet.diagnostics.insides import activity, histogram, layer_facts
from kilonet.diagnostics.outcome import gap_facts, start_facts
from kilonet.diagnostics.preflight import few_rows, gradient_error, preflight, small_facts
from kilonet.diagnostics.replay import replay
from kilonet.diagnostics.subject import BLOCK, Subject
from kilonet.errors import SettingError
from kilonet.findings import to_json
from kilonet.initializers import scaled

zeros = scaled(0.0)


def blobs(n=120, inputs=3, classes=3, seed=0):
    """Classes that overlap: no input tells them apart alone."""
    random = np.random.default_rng(seed)
    y = np.arange(n) % classes
    return random.normal(size=(n, inputs)) + 1.2 * random.normal(size=(classes, inputs))[y], y


def quick(**settings):
    return kn.MLPClassifier(**({"hidden": (6, 5), "epochs": 3, "random_state": 0, "rate": 0.01} | settings))


def numbers(**settings):
    return kn.MLPRegressor(**({"hidden": (6,), "epochs": 3, "random_state": 0, "rate": 0.01} | settings))


def encoded(X):
    """What encode="auto" makes of plain numbers: standardized by hand."""
    return (X - X.mean(axis=0)) / X.std(axis=0)


def with_theta(estimator, theta):
    estimator.theta_ = theta.astype(estimator.theta_.dtype)
    return estimator


class TestLayers:
    def test_activity_of_relu_units_is_counted_on_every_row(self):
        X, y = blobs(1500)
        estimator = quick(epochs=1).fit(X, y)
        theta = estimator.theta_.copy()
        estimator.network_.views(theta)[0].b[:] = [-9, -2.5, 0, 1, 9, -1]  # never, rarely, sometimes, always
        with_theta(estimator, theta)
        found = examine(estimator, X, y, full=False)
        a = encoded(X)
        for facts, W, b in zip(found.hidden, estimator.coefs_, estimator.intercepts_, strict=False):
            z = a @ W + b
            a = np.maximum(z, 0)
            np.testing.assert_array_equal(facts.activity, (z > 0).mean(axis=0))
            assert facts.never_positive == np.mean(~(z > 0).any(axis=0))
            # sums of 1,500 rows in another order: some rounding in float64
            assert facts.mean == pytest.approx(a.mean(), rel=1e-12)
            assert facts.deviation == pytest.approx(a.std(), rel=1e-9)
            assert facts.weight_norm == pytest.approx(math.sqrt((W**2).sum()), rel=1e-12)
        first = found.layers[0]
        assert first.dead == 1 / 6
        assert first.always_on == 1 / 6
        assert math.isnan(first.saturated)
        assert (first.number, first.unit, first.units) == (1, "relu", 6)

    def test_rows_of_every_block_are_counted(self):
        X = np.zeros((2 * BLOCK + 5, 1))
        X[[0, BLOCK, -1], 0] = 1, 2, 3
        theta = np.array([1.0, 1.0, 0.0, -2.5, 1.0, 1.0, 0.0])  # z = x and z = x - 2.5
        found = activity(kn.Network([1, 2, 1]), theta, X)
        assert (found[0] * len(X)).tolist() == [3, 1]

    def test_the_output_layer_always_has_a_slope(self):
        X, y = blobs()
        last = examine(quick().fit(X, y), X, y, full=False).layers[-1]
        assert last.activity.tolist() == [1, 1, 1]
        assert math.isnan(last.saturated)
        assert last.unit == "identity"

    @pytest.mark.parametrize(
        ("activation", "slope_below"), [("leaky_relu", True), ("prelu", True), ("leaky_relu(0)", False)]
    )
    def test_leaking_units_are_alive_below_zero_too(self, activation, slope_below):
        X, y = blobs()
        estimator = quick(activation=activation, hidden=(4,)).fit(X, y)
        theta = estimator.theta_.copy()
        estimator.network_.views(theta)[0].b[:] = -50
        facts = examine(with_theta(estimator, theta), X, y, full=False).layers[0]
        assert facts.activity.tolist() == [float(slope_below)] * 4
        assert facts.never_positive == 1

    def test_a_learned_slope_may_be_zero_or_negative(self):
        X, y = blobs()
        estimator = quick(activation="prelu", hidden=(3,)).fit(X, y)
        theta = estimator.theta_.copy()
        view = estimator.network_.views(theta)[0]
        view.alpha[:] = [0, -0.5, 0.5]
        facts = examine(with_theta(estimator, theta), X, y, full=False).layers[0]
        z = encoded(X) @ view.W.T + view.b
        np.testing.assert_array_equal(facts.activity, [np.mean(z[:, 0] > 0), 1, 1])

    @pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
    def test_saturation_is_a_share_of_outputs_on_all_rows(self, activation):
        X, y = blobs(300)
        estimator = quick(activation=activation, hidden=(4,)).fit(X, y)
        theta = estimator.theta_.copy()
        view = estimator.network_.views(theta)[0]
        view.W[...] *= 4
        z = encoded(X) @ view.W.T + view.b
        a = np.tanh(z) if activation == "tanh" else 1 / (1 + np.exp(-z))
        expected = np.mean(np.abs(a) > 0.97) if activation == "tanh" else np.mean((a > 0.985) | (a < 0.015))
        facts = examine(with_theta(estimator, theta), X, y, full=False).layers[0]
        assert 0.05 < expected < 0.95
        assert facts.saturated == expected
        assert facts.activity.tolist() == [1] * 4

    def test_a_tanh_unit_whose_slope_is_exactly_zero_is_dead(self):
        X, y = blobs()
        estimator = quick(activation="tanh", hidden=(3,)).fit(X, y)
        theta = estimator.theta_.copy()
        estimator.network_.views(theta)[0].b[:] = [1000, 0, -1000]
        facts = examine(with_theta(estimator, theta), X, y, full=False).layers[0]
        assert facts.activity.tolist() == [0, 1, 0]

    def test_maxout_always_has_a_slope(self):
        X, y = blobs()
        facts = examine(quick(activation="maxout", hidden=(4,)).fit(X, y), X, y, full=False).layers[0]
        assert facts.activity.tolist() == [1] * 4

    def test_gradients_are_those_of_the_data_loss(self):
        X, y = blobs()
        estimator = quick(l2=0.3).fit(X, y)
        _, gradient = kn.value_and_grad(estimator.network_, kn.cross_entropy, estimator.theta_, encoded(X), y)
        expected = [np.linalg.norm(view.W) for view in estimator.network_.views(gradient)]
        found = [facts.gradient_norm for facts in examine(estimator, X, y, full=False).layers]
        np.testing.assert_allclose(found, expected, rtol=1e-9)  # inputs standardized in another order of sums

    def test_histograms_hold_every_number(self):
        X, y = blobs()
        first = examine(quick().fit(X, y), X, y, full=False).layers[0]
        assert sum(first.weights.counts) == 18
        assert sum(first.gradients.counts) == 18
        assert sum(first.outputs.counts) == 120 * 6
        assert len(first.weights.edges) == len(first.weights.counts) + 1

    def test_an_outlier_does_not_squeeze_a_histogram(self):
        found = histogram(np.append(np.linspace(-1, 1, 999), 1e9))
        assert found.edges[-1] < 2
        assert sum(found.counts) == 1000
        assert max(found.counts) < 50

    def test_a_histogram_of_equal_or_no_numbers(self):
        assert sum(histogram(np.zeros(7)).counts) == 7
        assert histogram(np.array([np.nan, np.inf])) is None

    def test_one_member_of_several(self):
        X, y = blobs()
        several = quick(members=3).fit(X, y)
        alone = quick().fit(X, y)
        one, same = examine(several, X, y, full=False), examine(alone, X, y, full=False)
        np.testing.assert_array_equal(one.layers[0].activity, same.layers[0].activity)
        np.testing.assert_array_equal(one.history.loss, same.history.loss)
        assert one.history.loss.shape == (3,)
        np.testing.assert_array_equal(one.history.weight_norm, same.history.weight_norm)
        other = examine(several, X, y, member=2, full=False)
        np.testing.assert_array_equal(other.history.weight_norm, several.history_.weight_norm[:, 2])
        assert other.layers[0].weight_norm != one.layers[0].weight_norm
        with pytest.raises(SettingError, match="member"):
            examine(several, X, y, member=3)

    def test_sparse_rows_are_as_good(self):
        X, y = blobs()
        X = np.where(np.abs(X) < 0.5, 0, X)
        settings = {"encode": None, "epochs": 2}
        dense = examine(quick(**settings).fit(X, y), X, y, full=False)
        thin = examine(quick(**settings).fit(sparse.csr_matrix(X), y), sparse.csr_matrix(X), y, full=False)
        np.testing.assert_array_equal(thin.layers[0].activity, dense.layers[0].activity)
        np.testing.assert_allclose(thin.inputs.means, dense.inputs.means, rtol=1e-12, atol=1e-15)
        np.testing.assert_allclose(thin.inputs.deviations, dense.inputs.deviations, rtol=1e-9)


class TestSigns:
    def test_all_positive_inputs_give_every_weight_of_a_unit_one_sign(self):
        X, y = blobs(inputs=8)
        first = examine(quick(encode=None).fit(np.abs(X), y), np.abs(X), y, full=False).layers[0]
        assert first.agreement == 1

    def test_centred_inputs_do_not(self):
        X, y = blobs(inputs=8)
        estimator = quick(hidden=(5,), activation="tanh").fit(X, y)
        first = examine(estimator, X, y, full=False).layers[0]
        # The sign of a weight's gradient is that of its input times one number of the unit and row. 64 of 120 rows.
        signs = encoded(X)[np.linspace(0, 119, 64).round().astype(int)] > 0
        share = signs.mean(axis=1)
        assert first.agreement == pytest.approx(np.maximum(share, 1 - share).mean(), abs=1e-12)
        assert first.agreement < 0.8

    def test_one_weight_cannot_disagree(self):
        X, y = blobs(inputs=1)
        first = examine(quick().fit(X, y), X, y, full=False).layers[0]
        assert math.isnan(first.agreement)
        assert math.isnan(first.agreement_in_batch)

    def test_batches_agree_as_their_gradients_do(self):
        X, y = blobs(n=64, inputs=8)
        estimator = quick(batch=64).fit(X, y)
        facts = examine(estimator, X, y, full=False).layers
        _, gradient = kn.value_and_grad(estimator.network_, kn.cross_entropy, estimator.theta_, encoded(X), y)
        for layer, view in zip(facts, estimator.network_.views(gradient), strict=True):
            share = [(row[row != 0] > 0).mean() for row in view.W if (row != 0).sum() > 1]
            expected = np.mean(np.maximum(share, 1 - np.array(share)))
            assert layer.agreement_in_batch == pytest.approx(expected, abs=1e-12)


class TestImages:
    def test_weights_of_a_square_image(self):
        X, y = blobs(inputs=64)
        estimator = quick(hidden=(70,), epochs=1).fit(X, y)
        found = examine(estimator, X, y, full=False)
        assert found.layers[0].images.shape == (64, 8, 8)
        np.testing.assert_array_equal(found.layers[0].images[5], estimator.coefs_[0][:, 5].reshape(8, 8))
        assert found.layers[1].images is None

    @pytest.mark.parametrize("inputs", [63, 49])
    def test_other_inputs_are_no_image(self, inputs):
        X, y = blobs(inputs=inputs)
        assert examine(quick(epochs=1).fit(X, y), X, y, full=False).layers[0].images is None

    def test_columns_with_names_of_their_own_are_no_image(self):
        pandas = pytest.importorskip("pandas")
        X, y = blobs(inputs=64)
        for name, image in (("pixel", True), ("", False)):
            frame = pandas.DataFrame(X, columns=[f"{name or 'abcdefgh'[j // 8]}{j}" for j in range(64)])
            facts = examine(quick(epochs=1).fit(frame, y), frame, y, full=False).layers[0]
            assert (facts.images is not None) == image


class TestInputs:
    def test_planted_constant_and_duplicated_inputs(self):
        X, y = blobs(inputs=4)
        X = np.hstack([X, np.full((120, 1), 7.0), X[:, 1:2], X[:, 1:2]])
        for rows in (X, sparse.csr_matrix(X)):
            found = input_facts(Subject.of(quick(encode=None), rows, y))
            assert list(found.constant) == [4]
            assert list(found.duplicated) == [(1, 5), (1, 6)]
            assert not found.positive
            assert list(found.names[:2]) == ["column 0", "column 1"]
            np.testing.assert_allclose(found.means, X.mean(axis=0), rtol=1e-9)
            np.testing.assert_allclose(found.deviations, X.std(axis=0), rtol=1e-7, atol=1e-7)

    def test_positive_inputs_and_inputs_as_the_network_sees_them(self):
        X, y = blobs()
        assert input_facts(Subject.of(quick(encode=None), np.abs(X), y)).positive
        seen = input_facts(Subject.of(quick(), 1000 * np.abs(X), y))
        assert not seen.positive
        np.testing.assert_allclose(seen.deviations, 1, rtol=1e-9)  # standardized by the estimator: nothing is unscaled

    def test_names_are_those_of_the_frame(self):
        pandas = pytest.importorskip("pandas")
        X, y = blobs()
        frame = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1], "place": ["near", "far"] * 60})
        assert list(input_facts(Subject.of(quick(), frame, y)).names) == ["a", "b", "place=far", "place=near"]

    @pytest.mark.parametrize("kind", ["number", "code", "text"])
    def test_a_planted_copy_of_the_label_leaks(self, kind):
        pandas = pytest.importorskip("pandas")
        X, y = blobs(300)
        copy = {"number": y, "code": np.array([5, 1, 3])[y], "text": np.array(["x", "y", "z"])[y]}[kind]
        frame = pandas.DataFrame(X).rename(columns=str).assign(copy=copy)
        found = input_facts(Subject.of(quick(), frame, y))
        assert dict(found.leaking) == {3: 1.0}
        assert found.others[3] < 0.95  # the classes overlap without it
        assert found.baseline == pytest.approx(1 / 3, abs=0.05)

    @pytest.mark.parametrize("leak", [lambda y: 3 * y - 2, np.exp])
    def test_a_planted_copy_of_the_number_leaks(self, leak):
        random = np.random.default_rng(3)
        X = random.normal(size=(600, 3))
        y = X[:, 0] + random.normal(size=600)
        found = input_facts(Subject.of(numbers(), np.column_stack([X, leak(y)]), y))
        assert list(found.leaking) == [3]
        assert found.leaking[3] > 0.99
        assert found.others[3] < 0.7

    def test_nothing_leaks_in_healthy_data(self):
        X, y = blobs(300)
        assert not input_facts(Subject.of(quick(), X, y)).leaking
        assert not input_facts(Subject.of(numbers(), X, X[:, 0] + np.sin(X[:, 1]))).leaking

    def test_iris_has_strong_columns_but_no_perfect_one(self):
        X, y = load_iris(return_X_y=True)
        assert all(score < 0.99 for score in input_facts(Subject.of(quick(), X, y)).leaking.values())

    def test_a_target_that_is_always_the_same_is_nobodys_secret(self):
        X, _ = blobs(100)
        assert not input_facts(Subject.of(numbers(), X, np.ones(100))).leaking
        assert not input_facts(Subject.of(numbers(), X, np.column_stack([np.ones(100), X.sum(axis=1)]))).leaking

    def test_a_rare_class_is_no_leak(self):
        X, _ = blobs(300)
        y = (np.arange(300) % 30 == 0).astype(int)
        found = input_facts(Subject.of(quick(), X, y))
        assert not found.leaking
        assert found.baseline > 0.9


class TestTarget:
    def test_classes_and_conflicts(self):
        X, _ = blobs(10)
        y = np.array(["no"] * 6 + ["yes"] * 4)
        X[1], X[9] = X[0], X[0]  # three equal rows: no, no, yes
        X[3] = X[2]  # equal rows that agree
        for rows in (X, sparse.csr_matrix(X)):
            found = target_facts(Subject.of(quick(encode=None), rows, y))
            assert found.classes == {"no": 6, "yes": 4}
            assert found.conflicting == 3
        assert math.isnan(found.mean)

    def test_numbers(self):
        X, _ = blobs(50)
        y = 100 + 7 * X[:, 0]
        found = target_facts(Subject.of(numbers(), X, y))
        assert not found.classes
        assert found.mean == pytest.approx(y.mean(), rel=1e-12)
        assert found.deviation == pytest.approx(y.std(), rel=1e-9)

    @pytest.mark.parametrize("loss", ["auto", "logistic", "hinge"])
    def test_every_loss_counts_the_same_classes(self, loss):
        X, y = blobs(90)
        assert target_facts(Subject.of(quick(loss=loss), X, y)).classes == {"0": 30, "1": 30, "2": 30}
        assert target_facts(Subject.of(quick(loss=loss), X, y > 0)).classes == {"False": 30, "True": 60}

    def test_several_labels_a_row(self):
        X, y = blobs(60)
        labels = np.column_stack([y == 0, y > 0, np.ones(60)]).astype(int)
        subject = Subject.of(quick(), X, labels)
        assert target_facts(subject).classes == {"0": 20, "1": 40, "2": 60}
        assert subject.task == "multilabel"
        assert start_facts(subject).expected == pytest.approx(3 * math.log(2), rel=1e-12)


class TestStart:
    @pytest.mark.parametrize(
        ("loss", "expected"), [("auto", math.log(3)), ("hinge", 2), ("squared_hinge", 2), ("logistic", 3 * math.log(2))]
    )
    def test_a_network_that_knows_nothing(self, loss, expected):
        X, y = blobs()
        found = start_facts(Subject.of(quick(loss=loss, initializer=zeros), X, y))
        assert found.expected == pytest.approx(expected, rel=1e-12)  # scores are exactly 0
        assert found.loss == pytest.approx(expected, rel=1e-12)

    def test_of_numbers(self):
        X, _ = blobs()
        found = start_facts(Subject.of(numbers(initializer=zeros), X, 1e3 * X[:, 0]))
        assert found.expected == pytest.approx(0.5, rel=1e-9)
        assert found.loss == pytest.approx(0.5, rel=1e-9)

    def test_it_is_the_loss_of_the_member_before_its_first_step(self):
        X, y = blobs()
        estimator = quick(members=2, batch=120, l2=0.0).fit(X, y)
        for member in (0, 1):
            found = examine(estimator, X, y, member=member, full=False).start
            # the loss of an epoch of one batch is that before its only step
            assert found.loss == pytest.approx(estimator.history_.loss[0, member], rel=1e-12)


class TestGap:
    def test_against_rows_that_are_given(self):
        X, y = blobs(150, inputs=10)
        noise = np.random.default_rng(1).permutation(y)
        estimator = quick(hidden=(40,), epochs=60).fit(X[:100], noise[:100])
        gap = examine(estimator, X[:100], noise[:100], validation=(X[100:], noise[100:]), full=False).gap
        assert gap.training == estimator.score(X[:100], noise[:100])
        assert gap.held_out == estimator.score(X[100:], noise[100:])
        assert gap.low < gap.training - gap.held_out < gap.high
        assert gap.low > 0  # learned by heart
        # the normal approximation of the interval; 2,000 resamples of counts of 50 rows make about 0.03
        errors = [p * (1 - p) / n for p, n in ((gap.training, 100), (gap.held_out, 50))]
        assert gap.high - gap.low == pytest.approx(2 * 1.96 * math.sqrt(sum(errors)), rel=0.15)
        assert gap.rising == 0

    def test_against_rows_that_early_stopping_held_out(self):
        X, y = blobs(150)
        estimator = quick(early_stopping=True, patience=2, epochs=30).fit(X, y)
        found = examine(estimator, X, y, full=False)
        assert found.settings["n_rows"] == 135
        assert found.gap.rising == len(found.history) - 1 - int(np.argmin(found.history.validation_loss))
        assert found.gap.held_out == pytest.approx(found.history.validation_score[estimator.best_epoch_ - 1], abs=1e-12)

    def test_of_numbers(self):
        X, _ = blobs(200)
        y = X[:, 0] + np.random.default_rng(0).normal(size=200)
        estimator = numbers().fit(X[:100], y[:100])
        gap = examine(estimator, X[:100], y[:100], validation=(X[100:], y[100:]), full=False).gap
        assert gap.training == pytest.approx(estimator.score(X[:100], y[:100]), rel=1e-9)
        assert gap.held_out == pytest.approx(estimator.score(X[100:], y[100:]), rel=1e-9)
        assert gap.low < gap.training - gap.held_out < gap.high

    def test_of_many_rows_the_interval_is_that_of_a_normal_distribution(self, monkeypatch):
        X, _ = blobs(600)
        y = X[:, :2] + np.random.default_rng(0).normal(size=(600, 2))
        estimator = numbers().fit(X[:300], y[:300])
        subject, held_out = Subject.of(estimator, X[:300], y[:300]), (X[300:], y[300:])
        one = gap_facts(subject, held_out)
        monkeypatch.setattr("kilonet.diagnostics.outcome._DRAWN", 100)
        other = gap_facts(subject, held_out)
        # quantiles of 2,000 samples: each is off by about 0.06 standard deviations, and 300 rows are not quite normal
        assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=0.1 * (one.high - one.low))

    def test_a_single_row_is_not_sure(self):
        X, y = blobs()
        gap = examine(quick(epochs=30).fit(X, y), X, y, validation=(X[:1], y[:1]), full=False).gap
        assert (gap.held_out, gap.rows) == (1.0, 1)
        assert gap.low < 0 < gap.high
        assert gap.high - gap.low > 0.7  # Wilson's interval of one right answer is 0.79 wide

    def test_samples_of_one_row_drawn_twice_are_left_out(self):
        X, _ = blobs()
        y = X[:, 0] + 1e3
        estimator = numbers(epochs=5).fit(X, y)
        gap = examine(estimator, X, y, validation=(X[:2], y[:2]), full=False).gap
        assert gap.low == pytest.approx(gap.high, abs=2)  # one sample is left: both rows, and training's are many
        same = examine(estimator, X, y, validation=(X[[0, 0]], y[[0, 0]]), full=False).gap
        assert np.isnan(same.low)
        assert np.isnan(same.high)

    def test_nothing_was_held_out(self):
        X, y = blobs()
        assert examine(quick().fit(X, y), X, y, full=False).gap is None


class TestSmall:
    @pytest.mark.parametrize("settings", [{}, {"hidden": (100,)}, {"optimizer": "sgd", "rate": None}, {"rate": 50.0}])
    def test_twenty_rows_can_be_learned_by_heart(self, settings):
        X, y = blobs()
        found = small_facts(quick(**({"hidden": (20,), "dropout": 0.5, "l2": 1.0} | settings)), X, y)
        assert (found.rows, found.steps, found.score) == (20, 500, 1.0)
        assert found.loss < 0.01

    @pytest.mark.parametrize("loss", ["squared", "absolute", "quantile"])
    def test_numbers_too(self, loss):
        X, _ = blobs()
        found = small_facts(numbers(hidden=(20,), loss=loss), X, np.sin(3 * X[:, 0]))
        assert found.score > 0.99
        assert found.loss < 0.01

    def test_dead_units_cannot(self):
        X, y = blobs()
        found = small_facts(quick(initializer=zeros), X, y)
        assert found.score < 1
        assert found.loss > 0.5

    def test_a_single_layer_cannot_learn_exclusive_or(self):
        X = np.random.default_rng(0).normal(size=(200, 2))
        found = small_facts(quick(hidden=()), X, (X[:, 0] > 0) ^ (X[:, 1] > 0))
        assert found.score < 1

    def test_rows_that_contradict_each_other_are_left_out_first(self):
        X, y = blobs(60)
        X[:40:2] = X[1:40:2]  # pairs of equal rows with neighbouring classes
        assert small_facts(quick(hidden=(20,)), X, y).score == 1.0

    def test_where_all_contradict_it_fails(self):
        _, y = blobs(40)
        assert small_facts(quick(encode=None), np.ones((40, 3)), y).score < 1

    def test_every_class_is_there(self):
        X, _ = blobs(400)
        y = np.where(np.arange(400) < 395, 0, np.arange(400))  # five classes of one row each
        assert small_facts(quick(hidden=(20,)), X, y).rows == 20
        subject = Subject.of(quick(hidden=(20,)), X, y)
        assert set(subject.problem.targets[few_rows(subject)].tolist()) == set(range(6))


class TestGradient:
    @pytest.mark.parametrize("activation", ["relu", "tanh", "maxout", "prelu", "gelu"])
    def test_gradients_are_right(self, activation):
        X, y = blobs()
        # truncation and rounding of central differences: about 1e-8, on 1e-5 of the largest gradient
        assert gradient_error(quick(activation=activation), X, y) < 1e-5
        assert gradient_error(numbers(activation=activation), X, X[:, 0]) < 1e-5

    def test_a_planted_wrong_slope_is_seen(self):
        class Wrong:
            def value(self, z):
                return np.tanh(z)

            def slope(self, z):
                return 1.1 * (1 - np.tanh(z) ** 2)

        X, y = blobs()
        # 10% off in one of two factors: 0.1/1.1 of the larger one
        assert gradient_error(quick(activation=Wrong()), X, y) > 0.05


class TestReplay:
    @pytest.mark.parametrize("engine", ["", "reference"])
    def test_it_is_the_same_training_watched_in_every_epoch(self, engine, monkeypatch):
        monkeypatch.setenv("KILONET_ENGINE", engine)
        X, y = blobs()
        estimator = quick(epochs=30, members=2, hidden=(6, 5)).fit(X, y)
        found = replay(estimator, X, y, member=1)
        np.testing.assert_array_equal(found.history.loss, estimator.history_.loss[:, 1])
        assert np.isfinite(found.history.dead).all()
        assert found.history.dead.shape == (30, 2)
        assert found.epochs[0] == 0
        assert found.epochs[-1] == 30
        assert len(found.epochs) <= 17
        np.testing.assert_array_equal(found.thetas[-1], estimator.theta_[1])
        start = estimator.network_.initial(estimator.recipe_.seeds, dtype="float64")
        np.testing.assert_array_equal(found.thetas[0], start[1])
        dead = [np.mean(layer == 0, axis=1) for layer in found.activity]
        for epoch, *shares in zip(found.epochs[1:], *(own[1:] for own in dead), strict=True):
            np.testing.assert_allclose(found.history.dead[epoch - 1], shares, atol=1e-7)  # float32 against float64

    def test_early_stopping(self):
        X, y = blobs(150)
        estimator = quick(early_stopping=True, patience=2, epochs=40, rate=0.05).fit(X, y)
        assert estimator.best_epoch_ < estimator.n_iter_ < 40
        found = replay(estimator, X, y)
        np.testing.assert_array_equal(found.history.validation_loss, estimator.history_.validation_loss)

    def test_other_rows_or_other_bits_are_no_replay(self):
        X, y = blobs()
        estimator = quick().fit(X, y)
        assert replay(estimator, X[::-1], y[::-1]) is None
        theta = estimator.theta_.copy()
        theta[0] = np.nextafter(theta[0], 1)
        assert replay(with_theta(estimator, theta), X, y) is None

    def test_what_would_take_long_is_left(self, monkeypatch):
        X, y = blobs()
        estimator = quick().fit(X, y)
        monkeypatch.setattr("kilonet.diagnostics.replay.MOST_SECONDS", 0.0)
        assert replay(estimator, X, y) is None
        assert examine(estimator, X, y).activity is None

    def test_settings_changed_afterwards_do_not_matter(self):
        X, y = blobs()
        estimator = quick().fit(X, y).set_params(rate=7.0, epochs=1)
        assert replay(estimator, X, y) is not None


class TestExamination:
    def test_everything(self):
        X, y = blobs()
        estimator = quick(l2=0.25, dropout=0.1).fit(X, y)
        before = estimator.theta_.tobytes()
        found = examine(estimator, X, y)
        assert found.origin == "kilonet"
        assert found.task == "classification"
        assert found.diverged == 0
        epochs, maps = found.activity
        assert len(epochs) == len(maps[0]) == len(maps[1])
        assert np.isfinite(found.history.dead).all()
        assert found.small.score <= 1
        assert found.rates.used == 0.01
        assert found.gradient_error < 1e-4
        told = {name: found.settings[name] for name in ("optimizer", "rate", "batch", "epochs", "l2", "dropout")}
        assert told == {"optimizer": "adam", "rate": 0.01, "batch": 32, "epochs": 3, "l2": 0.25, "dropout": 0.1}
        told = {name: found.settings[name] for name in ("hidden", "activation", "loss", "n_rows")}
        assert told == {"hidden": (6, 5), "activation": "relu", "loss": "cross_entropy", "n_rows": 120}
        json.loads(to_json(found))
        assert estimator.theta_.tobytes() == before

    def test_preflight_does_not_touch_the_estimator(self):
        X, y = blobs()
        estimator = quick()
        found = preflight(estimator, X, y)
        assert not hasattr(estimator, "theta_")
        assert len(found.history) == 0
        assert [facts.units for facts in found.layers] == [6, 5, 3]
        assert found.small is not None
        assert found.rates is not None
        assert found.gap is None
        json.loads(to_json(found))

    def test_preflight_of_a_fitted_estimator_looks_at_its_start(self):
        X, y = blobs()
        fitted, fresh = preflight(quick().fit(X, y), X, y), Subject.of(quick(), X, y)
        assert fitted.layers[0].weight_norm == layer_facts(fresh)[0].weight_norm

    def test_divergence(self):
        X, _ = blobs()
        with pytest.warns(UserWarning, match="finite"):
            estimator = numbers(optimizer="sgd", rate=4.0, epochs=300, batch=120, schedule="constant").fit(X, X[:, 0])
        found = examine(estimator, X, X[:, 0])
        assert found.diverged > 1
        assert len(found.history) == found.diverged - 1
        assert found.activity is not None

    @pytest.mark.parametrize(
        "settings",
        [
            {"hidden": ()},
            {"class_weight": "balanced", "loss": "logistic"},
            {"members": 2, "rate": [0.01, 0.02], "l2": [0.0, 0.1]},
            {"hidden": (kn.Dense(5, "gelu"), kn.Maxout(4, 3), kn.Dense(3, "elu"))},
        ],
    )
    def test_settings_of_all_kinds(self, settings):
        X, y = blobs(60)
        estimator = quick(**settings).fit(X, y > 0)
        found = examine(estimator, X, y > 0, member=estimator.members - 1)
        assert (found.activity is not None) == bool(found.hidden)
        assert found.settings["rate"] == (0.02 if estimator.members == 2 else 0.01)

    def test_training_in_pieces_is_replayed_where_it_is_the_same(self):
        X, y = blobs()
        estimator = quick()
        for _ in range(3):
            estimator.partial_fit(X, y, classes=[0, 1, 2])
        assert replay(estimator, X, y) is not None
        assert replay(estimator.partial_fit(X[:50], y[:50]), X, y) is None

    def test_validation_curves_stay_where_their_rows_are_gone(self):
        X, y = blobs()
        estimator = quick(validation_data=(X[:30], y[:30])).fit(X[30:], y[30:])
        curve = estimator.history_.validation_loss
        found = examine(estimator.set_params(validation_data=None), X[30:], y[30:])
        assert np.isfinite(curve).all()
        assert np.array_equal(found.history.validation_loss, curve)
        assert np.isfinite(found.history.dead).all()  # of every epoch
        assert found.unwatched == ""

    def test_why_training_was_not_repeated(self, monkeypatch):
        X, y = blobs()
        estimator = quick().fit(X, y)
        assert "others than those of `fit`" in examine(estimator, X[::-1], y[::-1]).unwatched
        stopped = quick(epochs=60, patience=1, early_stopping=True, validation_data=(X[:30], y[:30])).fit(
            X[30:], y[30:]
        )
        assert examine(stopped, X[30:], y[30:]).unwatched == ""
        again = examine(stopped.set_params(validation_data=None), X[30:], y[30:])
        assert again.unwatched.endswith("others than those of `fit`, or it was stopped by others")
        monkeypatch.setattr("kilonet.diagnostics.replay.MOST_SECONDS", 0.0)
        assert examine(estimator, X, y).unwatched == "training again takes more than a minute"

    def test_examples_of_weight_zero_are_absent(self):
        X, y = blobs()
        weights = (np.arange(120) < 100).astype(float)
        found = examine(quick().fit(X, y, weights), X, y, weights)
        assert found.settings["n_rows"] == 100
        assert found.activity is not None

    def test_a_saved_model_is_as_good(self, tmp_path):
        X, y = blobs()
        estimator = kn.load(quick().fit(X, y).save(tmp_path / "a.kn"))
        assert examine(estimator, X, y).activity is not None

    @pytest.mark.parametrize("engine", ["", "reference"])
    def test_the_map_ends_with_what_the_layers_say(self, engine, monkeypatch):
        monkeypatch.setenv("KILONET_ENGINE", engine)
        X, y = blobs(500)
        estimator = quick().fit(X, y)
        last = [own[-1] for own in replay(estimator, X, y).activity]
        for own, facts in zip(last, examine(estimator, X, y, full=False).hidden, strict=True):
            np.testing.assert_array_equal(own, facts.activity)
