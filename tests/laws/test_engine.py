"""The engine law: the native engine equals the reference engine on every feature.

Both compute the same formulas; sums are in BLAS's order in one and ascending in the other, and a
fused product rounds once instead of twice. The unit of rounding is u = 2**-53 or 2**-24. A sum of a
few dozen terms is off by a few u, and a dozen steps add up: measured differences stay below 100 u
of the largest parameter. The tolerance is TOLERANCE, ten times that. Units of different formulas
(exponentials of our own against NumPy's) stay within it.
"""

from typing import Any

import numpy as np
import pytest
import scipy.sparse

import kilonet as kn
from kilonet.activations import ACTIVATIONS
from kilonet.losses import LOSSES
from kilonet.optimizers import OPTIMIZERS
from laws.seam import assert_close, engine, problem, rows, run

UNITS = [*ACTIVATIONS.table, "maxout(3)", "leaky_relu(0.3)", "elu(0.5)", "prelu(0.1)"]
DECISIONS = [*LOSSES.table, "cross_entropy(0.1)", "huber(0.3)", "quantile(0.9)"]
DTYPES = ["float32", "float64"]
TOLERANCE = {"float32": 1000 * 2.0**-24, "float64": 1000 * 2.0**-53}


def compare(network: Any, loss: Any = "squared", outputs: int = 1, data: Any = None, **settings: Any) -> None:
    """Train with both engines and compare everything."""
    engine("native")
    settings = {"batch": 8, "epochs": 3, "dtype": "float64", "optimizer": "momentum(0.005)", "order": 1} | settings
    given = problem(network, loss, rows(loss, outputs) if data is None else data, settings)
    expected = run("reference", given)
    assert np.abs(expected.theta).max() < 100, "a run that blows up magnifies every rounding; choose a lower rate"
    assert_close(expected, run("native", given), TOLERANCE[given.recipe.dtype])


def net(outputs: int = 1, activation: Any = "tanh", hidden: tuple[int, ...] = (7, 4)) -> kn.Network:
    return kn.Network([5, *hidden, outputs], activation=activation)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("loss", DECISIONS)
@pytest.mark.parametrize("unit", UNITS)
def test_every_activation_with_every_loss(unit: str, loss: str, outputs: int) -> None:
    compare(net(outputs, unit), loss, outputs)


@pytest.mark.parametrize("loss", DECISIONS)
@pytest.mark.parametrize("unit", UNITS)
def test_every_activation_with_every_loss_in_float32(unit: str, loss: str) -> None:
    compare(net(3, unit), loss, 3, dtype="float32", epochs=2)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optimizer", list(OPTIMIZERS.table))
def test_every_optimizer(optimizer: str, dtype: str) -> None:
    # Adam and its like divide by the size of the slope: where that is next to nothing, rounding decides
    # the step. With epsilon above the rounding of a slope it does not.
    spec: Any = kn.optimizer_from(optimizer)
    spec = spec(epsilon=1e-3) if hasattr(spec, "epsilon") else spec
    compare(net(3), "cross_entropy", 3, optimizer=spec, rate=0.02, dtype=dtype, l2=0.01, epochs=5)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "schedule", ["constant", "step(1, 0.5)", "cosine(0.1)", "warm_up(1.5, cosine)", [1.0, 0.25, 0.5], "warm_up(2)"]
)
def test_every_schedule(schedule: Any, dtype: str) -> None:
    compare(net(), schedule=schedule, epochs=4, dtype=dtype)


REGULARIZERS: list[dict[str, Any]] = [
    {"l2": 0.1},
    {"l1": 0.05},
    {"l2": 0.1, "l1": 0.05},
    {"dropout": 0.3},
    {"dropout": 1e-6},
    {"dropout": 0.99},
    {"input_noise": 0.5},
    {"max_norm": 0.5},
    {"l2": 0.01, "l1": 0.01, "dropout": 0.5, "input_noise": 0.1, "max_norm": 1.0},
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("unit", ["tanh", "prelu", "maxout(3)"])
@pytest.mark.parametrize("regularizer", REGULARIZERS, ids=str)
def test_every_regularizer(regularizer: dict[str, Any], unit: str, dtype: str) -> None:
    compare(net(3, unit), "cross_entropy", 3, dtype=dtype, seeds=[2**63 + 5], **regularizer)


@pytest.mark.parametrize("stopping", [kn.Stopping("loss", 1), kn.Stopping("score", 2), kn.Stopping("loss", 2, 0.5)])
def test_stopping(stopping: kn.Stopping) -> None:
    validation = (*rows("squared", 1, n=11, seed=9), np.linspace(0.5, 2, 11))
    compare(net(), validation=validation, stopping=stopping, epochs=40, rate=0.2)


@pytest.mark.parametrize("loss", DECISIONS)
def test_weights_and_validation(loss: str) -> None:
    weights = np.random.default_rng(1).integers(0, 3, 23) / 2
    compare(net(3), loss, 3, sample_weight=weights, validation=rows(loss, 3, n=11, seed=9))


def test_batches_without_any_weight_change_nothing() -> None:
    weights = np.repeat([0.0, 1.0, 0.0], [8, 8, 7])
    compare(net(), sample_weight=weights, order=None, optimizer="adam(epsilon=1e-3)", max_norm=0.5, l2=0.1)


def test_rows_without_weight_do_not_count_in_the_score_of_a_constant_output() -> None:
    X, y = rows("squared", 1)
    y[1:], weights = 0.0, np.ones(23)
    weights[0] = 0.0
    start = {"rate": 1e-30, "sample_weight": weights, "epochs": 1}  # stays where it began
    given = problem(kn.Network([5, 1], initializer="scaled(0)"), "squared", (X, y), start)
    for name in ("reference", "native"):
        np.testing.assert_array_equal(run(name, given).history[0, 0, :2], [0.0, 1.0])


def test_class_weights() -> None:
    compare(net(3), "cross_entropy", 3, class_weight="balanced")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("inputs", [3, 40])
def test_sparse_rows(inputs: int, dtype: str) -> None:
    X, y = rows("squared", 1, inputs=inputs)
    X[X < 0.8] = 0
    sparse = scipy.sparse.csr_array(X)
    network = kn.Network([inputs, 7, 1])
    compare(network, data=(sparse, y), dtype=dtype, input_noise=0.1, validation=(sparse, y))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("batch", [1, 2, 7, 22, 23, 1000])
def test_every_size_of_batch(batch: int, dtype: str) -> None:
    compare(net(3), "cross_entropy", 3, batch=batch, dtype=dtype, epochs=1 if batch < 7 else 3)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("hidden", [(), (1,), (16,), (17,), (33, 31), (1, 1, 1), (64, 100)], ids=str)
def test_widths_around_the_lanes(hidden: tuple[int, ...], dtype: str) -> None:
    compare(net(3, hidden=hidden), "cross_entropy", 3, dtype=dtype, epochs=2)


def test_a_network_of_one_of_each() -> None:
    layers = [5, kn.Dense(4, kn.prelu), kn.Maxout(3, 4), kn.Dense(6, kn.selu), kn.Maxout(2, 1), kn.Dense(3, kn.sigmoid)]
    compare(kn.Network(layers), "squared", 3, dropout=0.2, max_norm=1.0, l2=0.01)


def test_a_population_with_settings_of_their_own() -> None:
    compare(
        net(3), "cross_entropy", 3, seeds=[4, 5, 6], order=[1, 1, 8], l2=[0.0, 0.1, 0.2], l1=[0.01, 0.0, 0.0],
        dropout=[0.0, 0.5, 0.2], input_noise=[0.2, 0.0, 0.1], max_norm=[None, 1.0, 0.5],
        optimizer=kn.Nesterov((0.01, 0.02, 0.03)), validation=rows("cross_entropy", 3, n=11, seed=9),
        stopping=kn.Stopping(patience=1), epochs=8,
    )  # fmt: skip


def test_divergence_is_seen_in_the_same_epoch() -> None:
    data = rows("squared", 1)
    for rate in ((0.1, 1e30), (3.0, 30.0)):
        given = problem(
            net(activation="identity"), "squared", data, {"seeds": [0, 1], "rate": rate, "optimizer": "sgd"}
        )
        mine, native = run("reference", given), run("native", given)
        np.testing.assert_array_equal(mine.state["diverged"], native.state["diverged"])
        np.testing.assert_array_equal(mine.state["epoch"], native.state["epoch"])
        assert mine.state["diverged"][1] > 0
        assert mine.history.shape == native.history.shape
        np.testing.assert_array_equal(np.isnan(mine.history), np.isnan(native.history))
        assert np.isfinite(native.theta).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("unit", UNITS)
def test_predictions_and_hidden_outputs(unit: str, dtype: str) -> None:
    network = net(3, unit)
    theta = network.initial(seeds=[0, 1], dtype=dtype)
    X = rows("squared", 3, n=67)[0].astype(dtype)
    sparse = scipy.sparse.csr_array(np.where(X > 0, X, 0))
    native, reference = engine("native"), engine("reference")
    tolerance = TOLERANCE[dtype]
    for given in (X, X[:1], sparse):
        found, expected = (module.scores(network, theta, given, 1) for module in (native, reference))
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
        for layer in (0, 1, 2, -1):
            found, expected = (module.Predictor(network, theta).hidden(given, layer) for module in (native, reference))
            assert found.dtype == theta.dtype
            np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(
        native.Predictor(network, theta[1]).scores(X), reference.Predictor(network, theta[1]).scores(X), atol=tolerance
    )


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", DECISIONS)
@pytest.mark.parametrize("unit", UNITS)
def test_values_and_gradients(unit: str, loss: str, dtype: str) -> None:
    network = net(3, unit)
    given = problem(network, loss, rows(loss, 3), {"dtype": dtype, "sample_weight": np.linspace(0, 2, 23)})
    theta = network.initial(seeds=[0, 1], dtype=dtype)
    arguments = (network, given.loss, theta, given.X, given.targets, given.weights)
    found, expected = (engine(name).value_and_grad(*arguments) for name in ("native", "reference"))
    tolerance = TOLERANCE[dtype]
    np.testing.assert_allclose(found[0], expected[0], rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(found[1], expected[1], rtol=tolerance, atol=tolerance)
    turned = np.asfortranarray(theta)  # the order in memory is nothing that a user should have to know
    for name, gradient in (("native", found[1]), ("reference", expected[1])):
        again = engine(name).value_and_grad(network, given.loss, turned, *arguments[3:])
        np.testing.assert_array_equal(again[1], gradient)
