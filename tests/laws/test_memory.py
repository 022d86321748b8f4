"""The law of memory: of all parameters there are few copies at any time, and none is shared with what is given."""

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import kilonet as kn
from kilonet.engine import engine_name
from kilonet.engine.crews import thread_bytes, workspace_bytes
from kilonet.engine.state import live_members
from kilonet.notes.hundred_million import step
from laws.seam import ENGINES, assert_same_bits, engine, problem, rows, run, session

# At the peak, by copies of the parameters in float32. In training: the parameters, those of the epoch's start and the
# optimizer's slots; at the end: parameters and slots, in the kernel and in the state.
COPIES = {"sgd": 2, "momentum": 4, "adam": 6}
NOISE = 0.6  # a batch on its way, what is drawn of a layer, and what the allocator keeps of it

NET = kn.Network([5, 7, 3])
THREE: dict[str, Any] = {
    "seeds": [1, 2, 3], "optimizer": "adam", "rate": [0.01, 0.3, 1e30], "epochs": 8, "batch": 8,
    "stopping": [kn.Stopping(patience=most) for most in (9, 1, 9)], "validation": rows("cross_entropy", 3, n=9, seed=8),
}  # fmt: skip


@pytest.mark.parametrize("optimizer", list(COPIES))
def test_one_copy_more_would_be_seen(optimizer: str) -> None:
    if sys.platform != "linux" or engine_name() != "native":
        pytest.skip("the kernel's memory, as Linux tells of it")
    found = step(optimizer, 10**7)
    copies = found.taken / (4 * found.n_parameters)
    assert COPIES[optimizer] - 0.1 < copies < COPIES[optimizer] + NOISE
    assert found.needed == 4 * found.n_parameters * (1 + kn.optimizer_from(optimizer).n_slots)


def shared(one: Any, other: Any) -> Iterator[str]:
    """Names of what two states share."""
    for name in one:
        if any(np.shares_memory(one[name], value) for value in other.values()):
            yield name


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(("epochs", "steps"), [(0, 0), (0, 1), (2, 0), (2, 1), (8, 0)])
def test_a_state_shares_nothing_with_the_one_before(name: str, epochs: int, steps: int) -> None:
    """At first everybody trains, then some rest, who stopped or diverged; in the end they all do."""
    given = problem(NET, "cross_entropy", rows("cross_entropy", 3), THREE)
    first = session(name, given)
    first.advance(epochs, None)
    for _ in range(steps):
        first.advance(8, 0.0)
    before = first.state()
    assert len(live_members(before, 8)) == {0: 3, 2: 1, 8: 0}[epochs]
    kept = {key: value.copy() for key, value in before.items()}
    second = session(name, given, before)
    found = second.state()
    assert list(shared(found, before)) == []
    for value in before.values():
        value[...] = 7  # of no consequence to who goes on from it
    for state in (found, second.state()):
        for key, value in kept.items():
            np.testing.assert_array_equal(state[key], value, err_msg=key)


@pytest.mark.parametrize("name", ENGINES)
def test_a_start_is_not_shared_and_not_written(name: str) -> None:
    given = problem(NET, "cross_entropy", rows("cross_entropy", 3), THREE)
    start = NET.initial(seeds=THREE["seeds"])
    start.flags.writeable = False
    running = engine(name).Session(given, start)
    for epochs in (0, 2, 6):
        running.advance(epochs, None)
        state = running.state()
        assert list(shared(state, {"start": start})) == []
        assert all(value.flags.writeable for value in state.values())


def test_the_result_is_not_shared_with_its_state() -> None:
    X, y = rows("cross_entropy", 3)
    start = NET.initial(seeds=[1])
    runs = kn.train(NET, kn.cross_entropy, X, y, theta=start, epochs=1)
    assert list(shared(runs.state, {"start": start, "theta": runs.theta})) == []
    assert not np.shares_memory(runs.theta, start)


def test_a_state_does_not_tell_how_members_were_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where some members stop early and others do not: nothing in it is left as the memory was."""
    engine("native")
    given = problem(NET, "cross_entropy", rows("cross_entropy", 3), THREE | {"stopping": [None, kn.Stopping(), None]})
    found = []
    for packing in ("columns", "networks"):
        monkeypatch.setenv("KILONET_PACKING", packing)
        found.append(run("native", given))
    assert_same_bits(*found)
    np.testing.assert_array_equal(found[0].state["best_theta"][0], found[0].theta[0])


TIED = kn.Network.from_layers(
    {"a": kn.Dense(700), "b": kn.Same("a", source="a"), "s": kn.Dense(2, source=("a", "b", "input"))}, n_inputs=700
)


@pytest.mark.parametrize("packing", ["columns", "networks"])
@pytest.mark.parametrize("network", [kn.Network([40, 700, kn.Maxout(90, 2), 2]), TIED], ids=["chain", "tied"])
@pytest.mark.parametrize("settings", [{"batch": 8, "watch": 0}, {"batch": 600, "watch": 0}, {"batch": 8}], ids=str)
def test_what_the_kernel_takes_is_what_was_said(
    monkeypatch: pytest.MonkeyPatch, packing: str, network: kn.Network, settings: dict[str, Any]
) -> None:
    """Buffers of one team. What is said holds for every unit: maxout keeps three times as many numbers as ReLU."""
    engine("native")
    monkeypatch.setenv("KILONET_PACKING", packing)
    given = problem(network, "cross_entropy", rows("cross_entropy", 2, n=600, inputs=network.n_inputs), settings)
    taken = session("native", given).crews[0].crew.kernel.buffer_bytes(1)
    said = workspace_bytes(given, packing == "networks") + thread_bytes(given)
    assert taken <= said <= 3 * taken
