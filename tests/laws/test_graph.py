"""The laws for graphs of layers, drawn at random: skips, concatenation, mixtures, maxout, PReLU and tied weights.

The gradient law (central differences, the scalar tape), the resume law and the member law; and that a drawn graph is
the function that its description says, read by this file alone: names, sources, W row by row.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kilonet as kn
from kilonet.engine.problem import Problem
from kilonet.losses import loss_from
from kilonet.network import Dense, Maxout, Network, Same
from kilonet.values import Array
from laws import tape
from laws.drawn import Drawn, graphs, taken
from laws.seam import (
    ENGINES,
    Outcome,
    assert_close,
    assert_same_bits,
    engine,
    outcome,
    problem,
    rows,
    run,
    session,
    through_a_file,
)

INPUTS, SCORES, EXAMPLES = 3, 2, 4
GRAPHS = graphs(INPUTS, SCORES)


@dataclass(frozen=True)
class Parameters:
    """A layer's numbers, read off theta by this file: pieces of W and b, alphas."""

    W: list[list[list[Any]]]
    b: list[list[Any]]
    alphas: list[Any]


def read(drawn: Drawn, numbers: Iterator[Any]) -> dict[str, Parameters]:
    """The parameters by the names of layers that have some, in the order in which all that they take comes first."""
    found: dict[str, Parameters] = {}
    for name in order(drawn.layers):
        layer = drawn.layers[name]
        if isinstance(layer, Same):
            continue
        fan_in = sum(drawn.units[one] for one in taken(layer))
        pieces = layer.pieces if isinstance(layer, Maxout) else 1
        W = [[[next(numbers) for _ in range(fan_in)] for _ in range(layer.units)] for _ in range(pieces)]
        b = [[next(numbers) for _ in range(layer.units)] for _ in range(pieces)]
        found[name] = Parameters(W, b, [next(numbers) for _ in range(layer.units * (layer.unit == "prelu"))])
    assert next(numbers, None) is None
    return found


def order(layers: Mapping[str, Any]) -> list[str]:
    """Always the first given of those that could come next."""
    found: list[str] = []
    while len(found) < len(layers):
        ready = (n for n in layers if n not in found and all(s in found or s == "input" for s in taken(layers[n])))
        found.append(next(ready))
    return found


def kinds(layer: Any, units: int) -> list[str]:
    """The activation of each unit by the name that the tape knows."""
    text = layer.unit.replace("alpha=", "")
    if text.startswith("mixed("):
        return [part.rpartition(":")[0] for part in text[6:-1].split(", ") for _ in range(int(part.rpartition(":")[2]))]
    return [text] * units


def outputs_on_tape(drawn: Drawn, parameters: dict[str, Parameters], x: list[Any]) -> list[tape.Scalar]:
    """The scores of one example: each layer asks its sources, by recursion from the scores down."""
    known: dict[str, list[Any]] = {"input": x}

    def of(name: str) -> list[Any]:
        if name not in known:
            layer = drawn.layers[name]
            inputs = [number for source in taken(layer) for number in of(source)]
            owner = layer.layer if isinstance(layer, Same) else name
            own, formula = parameters[owner], drawn.layers[owner]
            zs = [tape.layer(inputs, W, b) for W, b in zip(own.W, own.b, strict=True)]
            z = [tape.largest(*each) for each in zip(*zs, strict=True)]
            if own.alphas:
                known[name] = [tape.leaky(alpha)(one) for one, alpha in zip(z, own.alphas, strict=True)]
            elif isinstance(formula, Maxout) or owner == "scores":
                known[name] = z
            else:
                named = kinds(formula, len(z))
                known[name] = [tape.UNITS.get(kind, tape.leaky(0.2))(one) for kind, one in zip(named, z, strict=True)]
        return known[name]

    return of("scores")


def examples(network: Network, seed: int) -> tuple[Array, Array, Array, Array]:
    random = np.random.default_rng(seed)
    theta = random.normal(size=network.n_parameters)
    return theta, random.normal(size=(EXAMPLES, INPUTS)), random.normal(size=(EXAMPLES, SCORES)), random.uniform(
        0.5, 2.0, EXAMPLES
    )  # fmt: skip


@pytest.mark.parametrize("name", ENGINES)
@settings(deadline=None)
@given(GRAPHS, st.integers(0, 2**32))
def test_the_gradient_is_the_tapes_and_so_are_the_scores(name: str, drawn: Drawn, seed: int) -> None:
    network, loss = drawn.network, loss_from("squared")
    theta, X, y, weights = examples(network, seed)
    value, grad = engine(name).value_and_grad(network, loss, theta[np.newaxis], X, y, weights)
    leaves = [tape.Scalar(float(p)) for p in theta]
    parameters = read(drawn, iter(leaves))
    each = [outputs_on_tape(drawn, parameters, [tape.wrapped(float(x)) for x in row]) for row in X]
    scores = engine(name).scores(network, theta[np.newaxis], X, None)[0]
    np.testing.assert_allclose(scores, [[s.value for s in row] for row in each], rtol=1e-9, atol=1e-9)
    losses = [float(w) * tape.LOSSES["squared"](s, goal) for s, goal, w in zip(each, y.tolist(), weights, strict=True)]
    mean = tape.total(losses) / float(weights.sum())
    mean.backward()
    expected = np.array([mean.value, *(leaf.grad for leaf in leaves)])
    # Five layers of up to nine inputs magnify a rounding by some thousands at most; scale by the largest number.
    scale = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(np.array([value[0], *grad[0]]) / scale, expected / scale, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ENGINES)
@settings(deadline=None)
@given(GRAPHS, st.integers(0, 2**32))
def test_the_gradient_is_that_of_central_differences(name: str, drawn: Drawn, seed: int) -> None:
    network, loss = drawn.network, loss_from("squared")
    theta, X, y, weights = examples(network, seed)
    _, grad = engine(name).value_and_grad(network, loss, theta[np.newaxis], X, y, weights)

    def mean(parameters: Array) -> Array:
        return np.asarray(loss.value(network.scores(parameters, X), y) @ weights / weights.sum())

    differences, near = [], []
    for step in (1e-5, 1e-6):
        shifts = step * np.eye(len(theta))
        differences.append((mean(theta + shifts) - mean(theta - shifts)) / (2 * step))
        near.append((mean(theta + shifts) - 2 * mean(theta) + mean(theta - shifts)) / step)
    # A kink within a step shows: two steps then differ, or both one-sided slopes do.
    size = max(1.0, float(np.abs(grad).max()), float(np.abs(mean(theta)).max()))
    smooth = np.abs(differences[0] - differences[1]) < 1e-4 * size
    smooth &= np.abs(near[0]) < 1e-2 * size
    np.testing.assert_allclose(grad[0][smooth] / size, differences[1][smooth] / size, rtol=0, atol=1e-5)


FULL: dict[str, Any] = {
    "batch": 8, "epochs": 4, "optimizer": "adam(0.01)", "schedule": "warm_up(1.5, cosine)", "dropout": 0.3,
    "input_noise": 0.2, "l2": 0.01, "l1": 0.001, "max_norm": 2.0, "order": 11,
}  # fmt: skip
NET = Network.from_layers(
    {
        "scores": Dense(3, source=("mixture", "again", "input")),
        "first": Dense(5, "prelu", source="input"),  # type: ignore[arg-type]
        "again": Same("first", source="first"),
        "mixture": Dense(4, kn.mixed(("relu", 3), ("tanh", 1)), source=("wide", "again")),
        "wide": Maxout(6, 2, source=("first", "input")),
    },
    n_inputs=5,
)


def whole(**changes: Any) -> Problem:
    validation = (*rows("cross_entropy", 3, n=9, seed=8), np.linspace(1, 2, 9))
    return problem(NET, "cross_entropy", rows("cross_entropy", 3), FULL | {"validation": validation} | changes)


def stopped(name: str, given: Problem, after: int, steps: int) -> Outcome:
    first = session(name, given)
    if after:
        first.advance(after, None)
    for _ in range(steps):
        first.advance(given.recipe.epochs, 0.0)
    second = session(name, given, through_a_file(outcome(first).state))
    second.advance(given.recipe.epochs, None)
    return outcome(second)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_stopped_saved_loaded_and_continued_is_never_stopped(name: str, dtype: str) -> None:
    given = whole(dtype=dtype, seeds=[3, 4])
    never = run(name, given)
    for after, steps in ((0, 1), (1, 0), (2, 2), (4, 0)):
        assert_same_bits(never, stopped(name, given, after, steps))


WIDTHS = st.sampled_from([1, 2, 3, 5, 8, 15, 16, 17, 33, 40, 70])


# Rates are so low that no rounding is magnified; tolerances are those of the engine law of chains (test_engine.py).
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@settings(deadline=None, max_examples=60)
@given(drawn=graphs(5, 3, WIDTHS), batch=st.sampled_from([1, 7, 23, 40]), penalty=st.sampled_from([0.0, 0.01]))
def test_engines_agree(dtype: str, drawn: Drawn, batch: int, penalty: float) -> None:
    engine("native")
    told = {"batch": batch, "epochs": 2, "dtype": dtype, "optimizer": "momentum(0.002)", "l2": penalty, "dropout": 0.2}
    given = problem(drawn.network, "cross_entropy", rows("cross_entropy", 3, n=40), told | {"order": 1})
    roundoff = 2.0**-24 if dtype == "float32" else 2.0**-53
    assert_close(run("reference", given), run("native", given), 1000 * roundoff)


@pytest.mark.parametrize("changes", [{}, {"order": [11, 2, 11]}, {"dropout": [0.0, 0.3, 0.5]}], ids=str)
def test_a_member_is_what_it_is_alone(changes: dict[str, Any]) -> None:
    """Up to BLAS's order of sums, which the reference engine does not decide: a few dozen roundings of float64."""
    together = run("reference", whole(seeds=[3, 4, 5], dtype="float64", **changes))
    for member, seed in enumerate((3, 4, 5)):
        own = {name: [setting[member]] for name, setting in changes.items()}
        alone = run("reference", whole(seeds=[seed], dtype="float64", **own))
        np.testing.assert_allclose(together.theta[member], alone.theta[0], rtol=0, atol=1e-10)
        np.testing.assert_allclose(together.history[:, member], alone.history[:, 0], rtol=1e-9)


def test_tied_layers_gather_the_gradients_of_all_places() -> None:
    """The gradient of a tied layer is the sum of what two layers of their own get from the same numbers."""
    apart = Network.from_layers(
        {
            "first": Dense(3, "tanh"),  # type: ignore[arg-type]
            "again": Dense(3, "tanh", source="first"),  # type: ignore[arg-type]
            "scores": Dense(2, source=("again", "first")),
        },
        n_inputs=3,
    )
    tied = Network.from_layers(
        {
            "first": Dense(3, "tanh"),  # type: ignore[arg-type]
            "again": Same("first", source="first"),
            "scores": Dense(2, source=("again", "first")),
        },
        n_inputs=3,
    )
    theta, X, y, _ = examples(tied, 1)
    spread = np.concatenate([theta[:12], theta])
    value, grad = kn.value_and_grad(tied, "squared", theta, X, y)
    other_value, other = kn.value_and_grad(apart, "squared", spread, X, y)
    np.testing.assert_allclose(value, other_value, rtol=1e-13)
    np.testing.assert_allclose(grad, np.concatenate([other[:12] + other[12:24], other[24:]]), rtol=1e-12)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("scale", [1e4, 1e30, -1e30])
def test_extreme_inputs_give_finite_parameters_without_a_warning(name: str, scale: float) -> None:
    X, y = rows("cross_entropy", 3)
    given = problem(NET, "cross_entropy", (X * scale, y), {"epochs": 2, "batch": 8, "rate": 1e-6})
    ended = run(name, given)
    assert np.isfinite(ended.theta).all()
    assert NET.scores(ended.theta, X * scale).shape == (1, 23, 3)


@pytest.mark.parametrize("name", ENGINES)
def test_monitors_of_each_place(name: str) -> None:
    given = whole(seeds=[3], dtype="float64", dropout=0.0)
    running = session(name, given)
    running.advance(1, None)
    table = running.monitors()[0, 0, 1:].reshape(NET.n_layers, -1)
    assert NET.names == ("first", "again", "wide", "mixture", "scores")
    hidden = NET.hidden(running.theta(), given.X)
    views = NET.views(running.theta()[0])
    for place, layer in enumerate(NET.layers[:-1]):
        inputs = NET.graph.inputs(place, [given.X, *(a[0] for a in hidden)])
        z = inputs @ views[place].W.reshape(-1, inputs.shape[-1]).T + views[place].b.reshape(-1)
        dead = 0.0 if isinstance(layer, Maxout) else np.mean((z <= 0).all(axis=0))
        if layer.unit.startswith("mixed"):
            dead = np.mean([(z[:, unit] <= 0).all() for unit in range(3)] + [0.0])
        if layer.unit == "prelu":
            dead = 0.0  # a learned slope is not zero
        assert table[place, kn.monitors.NAMES.index("dead")] == np.float32(dead)
    first_weights = table[:2, kn.monitors.NAMES.index("weight_norm")]
    assert first_weights[0] == first_weights[1]
