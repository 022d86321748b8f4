"""The reference engine against hand calculations and a plain simulation with one loop per axis."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse

import kilonet as kn
from kilonet import philox
from kilonet.engine import reference
from kilonet.engine.inputs import assemble


@pytest.fixture(autouse=True)
def _reference_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KILONET_ENGINE", "reference")


class Flat:
    """A loss of one's own that has no slope anywhere: only penalties move the weights."""

    def value(self, scores: Any, targets: Any) -> Any:  # noqa: ARG002 - the face of a loss
        return np.zeros(scores.shape[:-1], scores.dtype)

    def slope(self, scores: Any, targets: Any) -> Any:  # noqa: ARG002 - the face of a loss
        return np.zeros_like(scores)


def unit(**settings: Any) -> kn.Runs:
    """Train w and b of one linear unit from w = b = 1 on the single example x = 1, y = 0 of ½s²."""
    return kn.train(kn.Network([1, 1]), kn.squared, [[1.0]], [0.0], theta=np.ones(2), dtype="float64", **settings)


def rows(n: int = 12, inputs: int = 3, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, inputs))
    return X, np.sin(X.sum(axis=1))


def test_sgd_on_a_parabola_by_hand() -> None:
    # s = w + b, and both slopes are s: s is multiplied by 1 - 2 * rate in each step.
    runs = unit(optimizer=kn.SGD(0.125), epochs=3)
    assert runs.theta.tolist() == [0.421875, 0.421875]  # 0.75**3
    assert runs.history.loss.tolist() == [2.0, 1.125, 0.6328125]  # ½ (2 * 0.75**k)²


def test_momentum_on_a_parabola_by_hand() -> None:
    # g = 2; v = 2; w = 0.75.   g = 1.5; v = ½ 2 + 1.5 = 2.5; w = 0.75 - 2.5 / 8 = 0.4375.
    assert unit(optimizer=kn.Momentum(0.125, beta=0.5), epochs=2).theta.tolist() == [0.4375, 0.4375]


def test_nesterov_on_a_parabola_by_hand() -> None:
    # g = 2; v = 2; w = 1 - (½ 2 + 2) / 8 = 0.625.   g = 1.25; v = 2.25; w = 0.625 - (1.125 + 1.25) / 8.
    assert unit(optimizer=kn.Nesterov(0.125, beta=0.5), epochs=2).theta.tolist() == [0.328125, 0.328125]


def test_adams_first_step_is_the_rate_whatever_the_slope() -> None:
    # m / (1 - beta1) = g and v / (1 - beta2) = g², so the step is rate * g / (|g| + epsilon), here g = 2.
    theta = unit(optimizer=kn.Adam(0.01), epochs=1).theta
    np.testing.assert_allclose(theta, 0.99, rtol=0, atol=1e-9)  # epsilon 1e-8 shortens it by 5e-11


def test_weights_are_forgotten_gradually_and_biases_are_not() -> None:
    rate, l2, steps = 0.5, 0.25, 4
    net = kn.Network([2, 3, 1])
    theta = net.initial(seed=3, dtype="float64") + 0.5
    runs = kn.train(net, Flat(), np.ones((1, 2)), [0.0], theta=theta, optimizer=kn.SGD(rate), l2=l2, epochs=steps)
    for start, end in zip(net.views(theta), net.views(runs.theta), strict=True):
        np.testing.assert_allclose(end.W, start.W * (1 - rate * l2) ** steps, rtol=1e-15)  # 4 roundings at most
        np.testing.assert_array_equal(end.b, start.b)


def test_l1_takes_the_same_amount_from_every_weight() -> None:
    net = kn.Network([2, 1])
    runs = kn.train(
        net, Flat(), np.ones((1, 2)), [0.0], theta=[1.0, -1.0, 1.0], optimizer=kn.SGD(0.5), l1=0.25, epochs=2
    )
    assert runs.theta.tolist() == [0.75, -0.75, 1.0]  # 0.5 * 0.25 a step; the bias stays


def test_max_norm_shortens_only_long_rows() -> None:
    net = kn.Network([2, 2])
    theta = np.array([3.0, 4.0, 0.3, 0.4, 9.0, 9.0])
    runs = kn.train(net, Flat(), np.ones((1, 2)), np.zeros((1, 2)), theta=theta, epochs=1, max_norm=1.0)
    np.testing.assert_allclose(runs.theta, [0.6, 0.8, 0.3, 0.4, 9.0, 9.0], rtol=1e-15)


def plain_run(net: kn.Network, theta: Any, X: Any, y: Any, recipe: kn.Recipe, steps: int) -> np.ndarray:
    """Train member 0 with loops over rows: two layers of tanh and identity, squared loss, momentum."""
    theta, v = theta.astype(np.float64), np.zeros(len(theta))
    (W1, b1, _), (W2, b2, _) = net.views(theta)
    seed, rate, beta = recipe.seeds[0], float(recipe.per_member("rate")[0]), 0.9
    per_epoch = -(-len(X) // recipe.batch)
    for step in range(steps):
        epoch, place = divmod(step, per_epoch)
        chosen = philox.permutation(recipe.orders[0], epoch, len(X))[place * recipe.batch :][: recipe.batch]
        normal = philox.noise(seed, step, len(chosen), net.n_inputs)
        mask = philox.dropout_mask(seed, step, 0, len(chosen), len(b1), float(recipe.per_member("dropout")[0]))
        grad = np.zeros_like(theta)
        (g1, c1, _), (g2, c2, _) = net.views(grad)
        for position, row in enumerate(chosen):
            x = X[row] + recipe.per_member("input_noise")[0] * normal[position]
            a = np.tanh(W1 @ x + b1)
            h = a * mask[position]
            d2 = (W2 @ h + b2 - y[row]) / len(chosen)
            d1 = (W2.T @ d2) * mask[position] * (1 - a * a)
            g2 += np.outer(d2, h)
            c2 += d2
            g1 += np.outer(d1, x)
            c1 += d1
        g1 += recipe.per_member("l2")[0] * W1
        g2 += recipe.per_member("l2")[0] * W2
        v[:] = beta * v + grad
        theta -= rate * 0.5**epoch * v
    return theta


def test_a_plain_simulation_gives_the_same_parameters() -> None:
    X, y = rows(11)
    net = kn.Network([3, 5, 1], activation=kn.tanh)
    recipe = kn.Recipe.make(
        optimizer=kn.Momentum(0.05), schedule=kn.step(every=1, factor=0.5), batch=4, epochs=3, l2=0.01,
        dropout=0.3, input_noise=0.2, order=7, seeds=[2**40 + 3], dtype="float64",
    )  # fmt: skip
    start = net.initial(seeds=recipe.seeds, dtype="float64")
    expected = plain_run(net, start[0], X, y, recipe, steps=9)
    runs = kn.train(net, kn.squared, X, y, recipe=recipe)
    # The same products in another order: a few hundred roundings of 1e-16 of numbers near 1.
    np.testing.assert_allclose(runs.theta, expected, rtol=0, atol=1e-13)


def test_a_batch_without_weight_counts_but_changes_nothing() -> None:
    X, y = rows(4)
    settings: dict[str, Any] = {"batch": 2, "order": None, "optimizer": kn.Momentum(0.1), "dtype": "float64"}
    net = kn.Network([3, 1])
    both = kn.train(net, kn.squared, X, y, sample_weight=[1, 1, 0, 0], epochs=3, **settings)
    first = kn.train(net, kn.squared, X[:2], y[:2], epochs=3, **settings)
    np.testing.assert_array_equal(both.theta, first.theta)
    np.testing.assert_array_equal(both.history.loss, first.history.loss)
    assert both.state["step"].tolist() == [6]


def test_weights_equal_repeated_rows_when_all_rows_fit_one_batch() -> None:
    X, y = rows(5)
    times = np.array([1, 3, 0, 2, 1])
    settings: dict[str, Any] = {"batch": 100, "order": None, "epochs": 4, "dtype": "float64"}
    net = kn.Network([3, 4, 1], activation=kn.tanh)
    weighted = kn.train(net, kn.squared, X, y, sample_weight=times, **settings)
    repeated = kn.train(net, kn.squared, np.repeat(X, times, axis=0), np.repeat(y, times), **settings)
    np.testing.assert_allclose(weighted.theta, repeated.theta, rtol=1e-12)  # Adam near its start amplifies roundings
    np.testing.assert_allclose(weighted.history.score, repeated.history.score, rtol=1e-12)


MIXED: dict[str, Any] = {
    "optimizer": "adam", "rate": [0.01, 0.02, 0.01], "l2": [0.0, 0.1, 0.01], "l1": [0.0, 0.0, 0.01],
    "dropout": [0.0, 0.5, 0.2], "input_noise": [0.1, 0.0, 0.2], "max_norm": [None, 1.0, 2.0], "batch": 5, "epochs": 6,
    "stopping": kn.Stopping(patience=1),
}  # fmt: skip


@pytest.mark.parametrize("orders", [[4, 4, 4], [4, 9, 2]])
def test_a_member_has_the_bits_that_it_has_alone(orders: list[int]) -> None:
    X, y = rows(17)
    net = kn.Network([3, 4, kn.Maxout(3, 2), kn.Dense(3, kn.prelu), 1])
    data: dict[str, Any] = {"X": X, "y": y, "validation": rows(9, seed=6)}
    together = kn.train(net, kn.squared, **data, seeds=[7, 8, 9], order=orders, **MIXED)
    for member, seed in enumerate([7, 8, 9]):
        own = {name: value[member] if isinstance(value, list) else value for name, value in MIXED.items()}
        alone = kn.train(net, kn.squared, **data, seed=seed, order=orders[member], **own)
        np.testing.assert_array_equal(together.theta[member], alone.theta)
        epochs = len(alone.history)
        np.testing.assert_array_equal(together.history.to_array()[:epochs, member], alone.history.to_array()[:, 0])
        assert np.isnan(together.history.loss[epochs:, member]).all()


def test_sparse_rows_are_the_same_rows() -> None:
    X, y = rows(17)
    X[X < 0] = 0
    net = kn.Network([3, 4, 1])
    for order in (0, [0, 1]):
        settings: dict[str, Any] = {"seeds": [0, 1], "epochs": 2, "batch": 5, "order": order}
        dense = kn.train(net, kn.squared, X, y, validation=(X, y), **settings)
        X_sparse = scipy.sparse.csc_array(X)
        sparse = kn.train(net, kn.squared, X_sparse, y, validation=(X_sparse, y), **settings)
        np.testing.assert_array_equal(dense.theta, sparse.theta)
        np.testing.assert_array_equal(dense.history.to_array(), sparse.history.to_array())


def test_stopping_follows_the_validation_curve() -> None:
    X, y = rows(12)
    net = kn.Network([3, 8, 1])
    settings: dict[str, Any] = {"validation": rows(6, seed=8), "optimizer": kn.Adam(0.05), "seed": 1, "batch": 4}
    free = kn.train(net, kn.squared, X, y, epochs=60, **settings)
    curve, best, waited, stopped = free.history.validation_loss, 0, 0, 0
    for epoch in range(1, 61):
        if epoch == 1 or curve[epoch - 1] < curve[best - 1]:
            best, waited = epoch, 0
        else:
            waited += 1
        if waited == 3:
            stopped = epoch
            break
    assert 0 < best < stopped < 60, "the example should stop early"
    runs = kn.train(net, kn.squared, X, y, epochs=60, stopping=kn.Stopping(patience=3), **settings)
    assert (runs.best_epoch, runs.stopped_epoch, len(runs.history)) == (best, stopped, stopped)
    np.testing.assert_array_equal(runs.history.validation_loss, curve[:stopped])
    np.testing.assert_array_equal(runs.theta, kn.train(net, kn.squared, X, y, epochs=best, **settings).theta)


def test_min_delta_asks_for_more_than_any_improvement() -> None:
    X, y = rows(12)
    runs = kn.train(
        kn.Network([3, 8, 1]), kn.squared, X, y, validation=(X, y), epochs=9, stopping=kn.Stopping("score", 4, 5.0)
    )
    # The first epoch beats minus infinity; no R2 can then rise by 5.
    assert (runs.best_epoch, runs.stopped_epoch) == (1, 5)


def test_a_member_that_diverges_is_frozen_and_the_others_go_on() -> None:
    X, y = rows(12)
    net = kn.Network([3, 4, 1])
    settings: dict[str, Any] = {"epochs": 4, "batch": 4, "order": 3}
    with pytest.warns(kn.DivergenceWarning, match="member 1 in epoch 1 "):
        runs = kn.train(net, kn.squared, X, y, seeds=[0, 1], optimizer=kn.SGD((0.1, 1e30)), **settings)
    alone = kn.train(net, kn.squared, X, y, seed=0, optimizer=kn.SGD(0.1), **settings)
    np.testing.assert_array_equal(runs.theta[0], alone.theta)
    np.testing.assert_array_equal(runs.theta[1], net.initial(seed=1))
    assert runs.diverged.tolist() == [0, 1]
    assert runs.best_epoch.tolist() == [4, 0]
    assert np.isnan(runs.history.loss[:, 1]).all()


def test_scores_and_losses_of_the_last_epoch_agree_with_the_losses_own() -> None:
    X, y = rows(30)
    weights = np.linspace(0, 2, 30)
    for loss, target in ((kn.squared, y), (kn.logistic, y > 0), (kn.hinge, y > 0)):
        net = kn.Network([3, 4, 1])
        runs = kn.train(net, loss, X, target, validation=(X, target, weights), dtype="float64", epochs=2)
        given, targets = net.scores(runs.theta, X), loss.targets(target, 1, "float64")
        value = np.average(loss.value(given, targets), weights=weights)
        np.testing.assert_allclose(runs.history.validation_loss[-1], value, rtol=1e-12)
        np.testing.assert_allclose(runs.history.validation_score[-1], loss.score(given, targets, weights), rtol=1e-12)


def test_an_advance_of_no_time_is_one_step() -> None:
    X, y = rows(10)
    recipe = kn.Recipe.make(batch=4, epochs=2)
    net = kn.Network([3, 1])
    session = reference.Session(assemble(net, kn.squared, X, y, recipe), net.initial(seeds=[0]))
    assert [session.advance(2, 0.0) for _ in range(6)] == [0, 0, 1, 1, 1, 2]
    assert session.done
    assert session.advance(1, None) == 2


@pytest.mark.parametrize("activation", [kn.tanh, kn.prelu, kn.maxout(3), kn.gelu])
def test_gradients_are_central_differences(activation: Any) -> None:
    X, y = rows(6)
    net = kn.Network([3, 4, 3, 1], activation=activation)
    theta = net.initial(seeds=[0, 1], dtype="float64")
    weights = np.linspace(0.5, 2, 6)
    _, grad = kn.value_and_grad(net, kn.squared, theta, X, y, sample_weight=weights, l2=0.1, l1=0.2)
    step = 1e-6
    for place in range(net.n_parameters):
        moved = theta[:, None] + step * np.array([[1.0], [-1.0]]) * (np.arange(net.n_parameters) == place)
        up, down = (
            kn.value_and_grad(net, kn.squared, moved[:, side], X, y, sample_weight=weights, l2=0.1, l1=0.2)[0]
            for side in (0, 1)
        )
        # Truncation is step² and rounding 1e-16 / step, both below 1e-9.
        np.testing.assert_allclose(grad[:, place], (up - down) / (2 * step), rtol=1e-6, atol=1e-8)
