"""The gradient law: float64 gradients agree with central differences and with a scalar tape.

Every activation, every loss, one output and three; two hidden layers, weighted examples.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from kilonet.activations import ACTIVATIONS, activation_from
from kilonet.engine import reference
from kilonet.losses import LOSSES, loss_from
from kilonet.network import Network
from kilonet.values import Array
from laws import tape

UNITS = [*tape.UNITS, "prelu", "maxout", "maxout(3)"]
CASES = [pytest.param(unit, loss, k, id=f"{unit}-{loss}-{k}") for unit in UNITS for loss in tape.LOSSES for k in (1, 3)]
N_EXAMPLES = 4


def case(unit: str, loss_name: str, k: int) -> tuple[Network, Any, Array, Array, Array, Array]:
    """A small network with random parameters, and examples whose targets fit the loss."""
    random = np.random.default_rng([UNITS.index(unit), list(tape.LOSSES).index(loss_name), k])
    network, loss = Network([2, 3, 2, k], activation=activation_from(unit)), loss_from(loss_name)
    theta = random.normal(size=network.n_parameters)
    X, weights = random.normal(size=(N_EXAMPLES, 2)), random.uniform(0.5, 2.0, N_EXAMPLES)
    if loss.name == "cross_entropy" or (loss.name.endswith("hinge") and k > 1):
        y: Array = np.arange(N_EXAMPLES) % k
    elif loss.name in {"logistic", "hinge", "squared_hinge"}:
        y = random.integers(0, 2, (N_EXAMPLES, k))
    else:
        y = random.normal(size=(N_EXAMPLES, k))
    return network, loss, theta, X, loss.targets(y, k, np.float64), weights


def on_tape(network: Network, loss: str, unit: str, theta: Array, X: Array, y: Array, weights: Array) -> Array:
    """Value and gradient by the tape, in one array: value first."""
    leaves = [tape.Scalar(float(p)) for p in theta]
    parts = iter(leaves)
    layers = [list(_parameters(network, i, parts)) for i in range(network.n_layers)]
    losses = []
    for row, goal, weight in zip(X, y, weights, strict=True):
        outputs = [tape.wrapped(float(x)) for x in row]
        for i, (pieces, alphas) in enumerate(layers):
            zs = [tape.layer(outputs, W, b) for W, b in pieces]
            outputs = [tape.largest(*z) for z in zip(*zs, strict=True)]
            if alphas:
                outputs = [tape.leaky(alpha)(z) for z, alpha in zip(outputs, alphas, strict=True)]
            elif i < len(layers) - 1 and unit in tape.UNITS:
                outputs = [tape.UNITS[unit](z) for z in outputs]
        losses.append(float(weight) * tape.LOSSES[loss](outputs, goal.tolist()))
    mean = tape.total(losses) / float(weights.sum())
    mean.backward()
    return np.array([mean.value, *(leaf.grad for leaf in leaves)])


def _parameters(network: Network, index: int, parts: Iterator[tape.Scalar]) -> tuple[Any, Any]:
    """Read a layer off theta in the documented order: W row by row, all pieces first; then b; then alpha."""
    layer, fan_in = network.layers[index], network.sizes[index]
    W = [[[next(parts) for _ in range(fan_in)] for _ in range(layer.units)] for _ in range(layer.pieces)]
    b = [[next(parts) for _ in range(layer.units)] for _ in range(layer.pieces)]
    alphas = [next(parts) for _ in range(layer.units)] if layer.unit == "prelu" else []
    return list(zip(W, b, strict=True)), alphas


def gradient(
    network: Network, loss: Any, theta: Array, X: Array, targets: Array, weights: Array
) -> tuple[float, Array]:
    value, grad = reference.value_and_grad(network, loss, theta[np.newaxis], X, targets, weights)
    return float(value[0]), grad[0]


@pytest.mark.parametrize(("unit", "loss_name", "k"), CASES)
def test_the_gradient_is_the_tapes(unit: str, loss_name: str, k: int) -> None:
    network, loss, theta, X, targets, weights = case(unit, loss_name, k)
    value, grad = gradient(network, loss, theta, X, targets, weights)
    expected = on_tape(network, loss_name, unit, theta, X, targets, weights)
    # Both are exact but for rounding; the tape's textbook formulas cancel a few digits in exp(z) - exp(-z) and logs.
    np.testing.assert_allclose([value, *grad], expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("unit", "loss_name", "k"), CASES)
def test_the_gradient_is_that_of_central_differences(unit: str, loss_name: str, k: int) -> None:
    network, loss, theta, X, targets, weights = case(unit, loss_name, k)
    _, grad = gradient(network, loss, theta, X, targets, weights)
    step = 1e-6
    shifts = step * np.eye(len(theta))

    def mean(parameters: Array) -> Array:
        values = loss.value(network.scores(parameters, X), targets)
        return np.asarray(values @ weights / weights.sum())

    differences = (mean(theta + shifts) - mean(theta - shifts)) / (2 * step)
    # Rounding of the two values over 2e-6 is about 1e-10; the third derivative adds 1e-12.
    np.testing.assert_allclose(grad, differences, rtol=1e-6, atol=2e-9)


def test_every_unit_and_loss_is_covered() -> None:
    from_library = {activation_from(name).name for name in UNITS}  # type: ignore[attr-defined]
    assert from_library == set(ACTIVATIONS.table)
    assert {loss_from(name).name for name in tape.LOSSES} == set(LOSSES.table)
