"""Both engines behind one call, for the laws that compare them.

Without the kernel the tests of it are skipped; with KILONET_REQUIRE_NATIVE=1 they fail instead, so
that a machine that must have it cannot pass by having nothing to compare.
"""

import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from kilonet.engine import reference
from kilonet.engine.inputs import assemble
from kilonet.engine.problem import Problem
from kilonet.losses import loss_from
from kilonet.network import Network
from kilonet.recipe import Recipe

Array = np.ndarray
ENGINES = ("reference", "native")
COUNTERS = ("step", "epoch", "diverged", "stopped", "best_epoch", "wait")


def engine(name: str) -> Any:
    """The engine module; the test is skipped where there is no kernel, unless it is required."""
    if name == "reference":
        return reference
    try:
        return import_module("kilonet.engine.native")
    except ImportError as error:
        if os.environ.get("KILONET_REQUIRE_NATIVE") == "1":
            pytest.fail(f"KILONET_REQUIRE_NATIVE=1, but the kernel cannot be loaded: {error}")
        pytest.skip(f"the kernel cannot be loaded: {error}")


def rows(loss: Any, outputs: int, n: int = 23, inputs: int = 5, seed: int = 3) -> tuple[Array, Array]:
    """Normal inputs, and targets of the kind that the loss needs, which depend on them."""
    rng = np.random.default_rng([seed, outputs])
    X = rng.normal(size=(n, inputs))
    signal = X @ rng.normal(size=(inputs, outputs)) + 0.3 * rng.normal(size=(n, outputs))
    name = loss_from(loss).name
    if name == "cross_entropy" or (name.endswith("hinge") and outputs > 1):
        return X, signal.argmax(axis=1)
    if name in ("logistic", "hinge", "squared_hinge"):
        return X, (signal > 0).astype(int)
    return X, signal


@dataclass
class Outcome:
    """What a run ends with."""

    theta: Array
    history: Array
    state: Mapping[str, Array]


def problem(network: Network, loss: Any, data: tuple[Any, Any], settings: dict[str, Any]) -> Problem:
    """The assembled problem, watched in every epoch unless told otherwise.

    All settings but validation, sample_weight and class_weight are the recipe's.
    """
    settings = {"watch": 1} | settings
    extra = {name: settings.pop(name, None) for name in ("validation", "sample_weight", "class_weight")}
    return assemble(network, loss_from(loss), *data, Recipe.make(**settings), **extra)


def session(name: str, given: Problem, state: Mapping[str, Array] | None = None) -> Any:
    """A session of an engine, from the network's own initial parameters or from a state."""
    start = given.network.initial(seeds=given.recipe.seeds, dtype=given.recipe.dtype)
    return engine(name).Session(given, start, state)


def outcome(running: Any) -> Outcome:
    """What there is so far; the session is closed."""
    result = Outcome(running.theta(), running.history(), running.state())
    running.close()
    return result


def run(name: str, given: Problem) -> Outcome:
    """Train to the end in one call of the engine."""
    running = session(name, given)
    running.advance(given.recipe.epochs, None)
    assert running.done
    return outcome(running)


def through_a_file(state: Mapping[str, Array]) -> dict[str, Array]:
    """The state as bytes and back."""
    buffer = io.BytesIO()
    np.savez(buffer, **state)
    buffer.seek(0)
    with np.load(buffer, allow_pickle=False) as loaded:
        return {name: loaded[name] for name in loaded.files}


def assert_same_bits(one: Outcome, other: Outcome) -> None:
    """Parameters, history and state are equal to the last bit; NaN equals NaN."""
    np.testing.assert_array_equal(one.theta, other.theta)
    np.testing.assert_array_equal(one.history, other.history)
    assert set(one.state) == set(other.state)
    for key, value in one.state.items():
        np.testing.assert_array_equal(value, other.state[key], err_msg=key)


def assert_close(one: Outcome, other: Outcome, tolerance: float) -> None:
    """Parameters, slots and history agree relative to the largest of their kind; counters are equal."""
    for key in COUNTERS:
        if key in one.state:
            np.testing.assert_array_equal(one.state[key], other.state[key], err_msg=key)
    pairs = {"theta": (one.theta, other.theta), "history": (one.history, other.history)}
    pairs |= {f"slot {i}": pair for i, pair in enumerate(zip(one.state["slots"], other.state["slots"], strict=True))}
    # Monitors are kept in float32, whatever the run; a step's change of the weights is known to their own rounding.
    loose = max(tolerance, 4 * 2.0**-24)
    for i, (a, b) in enumerate(zip(*(np.moveaxis(x.state["monitors"], -1, 0) for x in (one, other)), strict=True)):
        np.testing.assert_array_equal(np.isnan(a), np.isnan(b), err_msg=f"monitor {i}")
        largest = max(1.0, float(np.nanmax(np.abs(a), initial=0.0)))
        np.testing.assert_allclose(b / largest, a / largest, rtol=0, atol=loose, err_msg=f"monitor {i}")
    for key, (a, b) in pairs.items():
        scale = float(np.nanmax(np.abs(a), initial=0.0)) or 1.0
        np.testing.assert_allclose(b / scale, a / scale, rtol=0, atol=tolerance, err_msg=key)
