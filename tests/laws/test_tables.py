"""The member law for runs with rows of their own: side by side, also in one pack, each has the bits that it has alone.

Runs such as the folds of a cross-validation have tables of equal length and everything else in common but what
members may have of their own. Their members share packs. Drawn are losses, units, optimizers, weights, validation,
early stopping, noise and monitors; inputs fill a vector's lanes or leave some over. Each run is compared with itself
in a session of its own, in the other packing, to the last bit: parameters, curves, monitors, state.
"""

import itertools
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import kilonet as kn
from kilonet.activations import ACTIVATIONS
from kilonet.engine.problem import Problem
from kilonet.engine.state import STOPPING
from kilonet.losses import LOSSES
from kilonet.network import Dense, Network, Same
from kilonet.optimizers import OPTIMIZERS
from laws.seam import Outcome, assert_same_bits, engine, outcome, problem, rows, run, through_a_file

UNITS = [*ACTIVATIONS.table, "maxout(2)"]
INPUTS = [1, 4, 8, 16, 21, 200]


@st.composite
def tables(draw: Any) -> dict[str, Any]:
    """Several runs: what they have in common, and for each its members' settings."""
    loss, outputs = draw(st.sampled_from(list(LOSSES.table))), draw(st.integers(1, 3))
    told: dict[str, Any] = {
        "loss": loss,
        "outputs": outputs + (loss == "cross_entropy"),
        "inputs": draw(st.sampled_from(INPUTS)),
        "rows": draw(st.sampled_from([37, 37, 300])),
        "hidden": draw(st.lists(st.sampled_from([1, 3, 8, 20]), max_size=2)),
        "unit": draw(st.sampled_from(UNITS)),
        **{name: draw(st.booleans()) for name in ("graph", "weighted", "validated", "constant")},
        "settings": {
            "optimizer": draw(st.sampled_from(list(OPTIMIZERS.table))),
            "batch": draw(st.sampled_from([5, 16, 64])),
            "epochs": draw(st.integers(1, 3)),
            "dtype": draw(st.sampled_from(["float32", "float64"])),
            "watch": draw(st.sampled_from([0, 1, 2])),
            "n_threads": draw(st.sampled_from([1, 2])),
        },
    }

    def run_of(members: int) -> dict[str, Any]:
        def each(values: Any) -> list[Any]:
            return draw(st.lists(values, min_size=members, max_size=members))

        own = {
            "seeds": each(st.integers(0, 2**64 - 1)),
            "order": each(st.sampled_from([0, 0, 7])),
            "rate": each(st.sampled_from([0.01, 0.05, 30.0])),
            "l2": each(st.sampled_from([0.0, 1e-3])),
            "dropout": each(st.sampled_from([0.0, 0.0, 0.3])),
            "input_noise": each(st.sampled_from([0.0, 0.0, 0.3])),
            "max_norm": each(st.sampled_from([None, None, 0.5])),
        }
        if told["validated"]:
            own["stopping"] = each(st.sampled_from([None, kn.Stopping("loss", 1), kn.Stopping("score", 1)]))
        return own

    return told | {"runs": [run_of(n) for n in draw(st.lists(st.integers(1, 9), min_size=2, max_size=6))]}


def graph(chain: Network, outputs: int) -> Network:
    """The inputs, which are each member's own, beside outputs; tied weights; the units of the chain's first layer."""
    first, skip = (replace(chain.layers[0], units=6, source=source) for source in ("input", ("then", "input")))  # type: ignore[call-arg]
    layers = {
        "first": first,
        "then": Dense(9, kn.mixed((kn.relu, 4), (kn.tanh, 5)), source="first"),
        "skip": skip,
        "again": Same("skip", source=("input", "then")),
        "scores": Dense(outputs, source=("input", "again", "skip")),
    }
    return Network.from_layers(layers, n_inputs=chain.n_inputs)


def problems(told: dict[str, Any]) -> list[Problem]:
    """A problem for each run, with rows of its own."""
    network = kn.Network([told["inputs"], *told["hidden"], told["outputs"]], activation=told["unit"])
    if told.get("graph"):
        network = graph(network, told["outputs"])
    made = []
    for number, own in enumerate(told["runs"]):
        given = {"loss": told["loss"], "outputs": told["outputs"], "inputs": told["inputs"]}
        X, y = rows(**given, n=told["rows"], seed=10 + number)
        if told["constant"] and y.dtype.kind == "f" and number % 2:  # R² of a constant output is counted by itself
            y = np.atleast_2d(y.T).T.copy()
            y[:, 0] = 3.0
        more: dict[str, Any] = {}
        if told["weighted"]:
            more["sample_weight"] = np.random.default_rng(number).integers(0, 3, told["rows"]).astype(float)
        if told["validated"]:
            more["validation"] = rows(**given, n=11, seed=50 + number)
        made.append(problem(network, told["loss"], (X, y), told["settings"] | own | more))
    return made


def side_by_side(given: list[Problem], states: list[Any] | None = None) -> list[Any]:
    """Sessions that were opened together, from their starts or from states."""
    native = engine("native")
    starts = [p.network.initial(seeds=p.recipe.seeds, dtype=p.recipe.dtype) for p in given]
    opened: list[Any] = native.sessions(list(zip(given, starts, states or [None] * len(given), strict=True)))
    return opened


def in_pieces(given: list[Problem]) -> list[Outcome]:
    """Stopped inside epochs, put into a file, and continued by other neighbours: in reverse order, the first alone."""
    native, epochs = engine("native"), given[0].recipe.epochs
    opened = side_by_side(given)
    for _ in range(2):
        native.advance(opened, epochs, 0.0)
    states = [through_a_file(session.state()) for session in opened]
    for session in opened:
        session.close()
    groups = [slice(0, 1), slice(1, None)]
    found: list[Outcome] = []
    for group in groups:
        again = side_by_side(given[group][::-1], states[group][::-1])
        native.advance(again, epochs, None)
        found += [outcome(session) for session in again[::-1]]
    return found


def assert_same(given: Problem, one: Outcome, other: Outcome) -> None:
    """Equal to the last bit, but for what is best of members that do not stop early: nobody asks for it."""
    free = [rule is None for rule in given.recipe.each("stopping")]
    for found in (one, other):
        for name in STOPPING:
            if name in found.state:
                found.state[name][free] = 0
    assert_same_bits(one, other)


def check(told: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    given = problems(told)
    with monkeypatch.context() as patch:
        patch.setenv("KILONET_PACKING", "columns")
        alone = [run("native", own) for own in given]
    assert all(len(solo.history) or solo.state["diverged"].all() for solo in alone)  # all have trained
    for isa, packing in itertools.product(engine("native").instruction_sets(), ("", "networks")):
        with monkeypatch.context() as patch:
            patch.setenv("KILONET_ISA", isa)
            patch.setenv("KILONET_PACKING", packing)
            opened = side_by_side(given)
            engine("native").advance(opened, given[0].recipe.epochs, None)
            assert all(session.done for session in opened)
            whole = [outcome(session) for session in opened]
            for own, solo, one, other in zip(given, alone, whole, in_pieces(given), strict=True):
                assert_same(own, solo, one)
                assert_same(own, solo, other)


FOLDS: dict[str, Any] = {  # four runs of three members, most of a pack for each instruction set
    "loss": "cross_entropy", "outputs": 3, "inputs": 21, "rows": 37, "hidden": [20], "unit": "relu", "weighted": False,
    "validated": True, "constant": False,
    "settings": {"optimizer": "adam", "batch": 16, "epochs": 3, "dtype": "float32", "watch": 1},
    "runs": [{"seeds": [fold, 1, 2], "rate": [0.01, 0.02, 0.03], "l2": [0.0, 1e-3, 0.1]} for fold in range(4)],
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*left the finite numbers")
@settings(
    deadline=None, max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@example(told=FOLDS)
@example(told=FOLDS | {"loss": "squared", "constant": True, "weighted": True})
@given(told=tables())
def test_a_run_beside_others_has_the_bits_that_it_has_alone(
    told: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine("native")
    check(told, monkeypatch)


def test_members_of_several_runs_share_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    lanes = engine("native").machine.lanes("float32")
    if lanes < 8:
        pytest.skip("a pack of three networks is hardly one")
    monkeypatch.delenv("KILONET_PACKING", raising=False)
    plans = [session.plan() for session in side_by_side(problems(FOLDS))]
    assert sum(plan.packs for plan in plans) == -(-12 // lanes)
    assert [plan.members_in_packs for plan in plans] == [3, 3, 3, 3]


def test_tables_of_other_lengths_and_sparse_ones_share_no_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    scipy_sparse = pytest.importorskip("scipy.sparse")
    monkeypatch.setenv("KILONET_PACKING", "networks")
    network = kn.Network([5, 4, 2])
    X, y = rows("cross_entropy", 2)
    kinds = [(X, y), (X[1:], y[1:]), (scipy_sparse.csr_array(X), y), (scipy_sparse.csr_array(X), y)]
    given = [problem(network, "cross_entropy", kind, {"seeds": [0, 1], "order": 0}) for kind in kinds]
    assert [session.plan().packs for session in side_by_side(given)] == [1, 1, 1, 1]
