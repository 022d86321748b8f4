"""The member law: a member of any population has the bits that it has alone, parameters and history.

Whole populations are drawn: mixed shapes of 1 to 300 units, chains and graphs, units, losses, optimizers,
regularizers, weights and early stopping. Each member is then trained by itself, in the kernel's other packing where
there is one, and compared to the last bit; on one and two threads, for every instruction set of the machine.
"""

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import kilonet as kn
from kilonet.activations import ACTIVATIONS
from kilonet.losses import LOSSES
from kilonet.optimizers import OPTIMIZERS
from laws.drawn import Drawn, graphs
from laws.seam import engine, rows

UNITS = [*ACTIVATIONS.table, "maxout(2)", "maxout(3)"]
ROWS, INPUTS = 37, 4
WIDTHS = st.sampled_from([1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 20, 33, 50, 100, 131, 300])


@st.composite
def populations(draw: Any) -> dict[str, Any]:
    """A population: what `train` is told, with a list where members differ."""
    members = draw(st.integers(1, 20))
    loss, outputs = draw(st.sampled_from(list(LOSSES.table))), draw(st.integers(1, 3))
    if loss == "cross_entropy":
        outputs += 1
    chains = st.tuples(st.lists(WIDTHS, max_size=2), st.sampled_from(UNITS))
    shapes = draw(st.lists(st.one_of(chains, graphs(INPUTS, outputs, WIDTHS)), min_size=1, max_size=3))
    networks = [
        shape.network if isinstance(shape, Drawn) else kn.Network([INPUTS, *shape[0], outputs], activation=shape[1])
        for shape in shapes
    ]

    def each(values: Any) -> list[Any]:
        """One value for each member, often the same for several."""
        return draw(st.lists(values, min_size=members, max_size=members))

    told: dict[str, Any] = {
        "networks": each(st.sampled_from(networks)),
        "loss": loss,
        "outputs": outputs,
        "optimizer": draw(st.sampled_from(list(OPTIMIZERS.table))),
        "batch": draw(st.sampled_from([1, 5, 8, 16, 64])),
        "epochs": draw(st.integers(1, 3)),
        "dtype": draw(st.sampled_from(["float32", "float64"])),
        "validated": draw(st.booleans()),
        "seeds": each(st.integers(0, 2**64 - 1)),
        "order": each(st.sampled_from([0, 0, 7, None])),
        "rate": each(st.sampled_from([1e-3, 0.01, 0.05, 30.0])),
        "l2": each(st.sampled_from([0.0, 0.0, 1e-3, 0.1])),
        "l1": each(st.sampled_from([0.0, 0.0, 1e-3])),
        "dropout": each(st.sampled_from([0.0, 0.0, 0.2, 0.7])),
        "input_noise": each(st.sampled_from([0.0, 0.0, 0.3])),
        "max_norm": each(st.sampled_from([None, None, 0.5])),
        "schedule": each(st.sampled_from(["constant", "constant", "cosine", "step(1, 0.5)"])),
    }
    if draw(st.booleans()):
        told["weights"] = draw(st.integers(0, 2**32))
    if told["validated"]:
        told["stopping"] = each(st.sampled_from([None, kn.Stopping("loss", 1), kn.Stopping("score", 1)]))
    return told


def data(told: dict[str, Any]) -> tuple[Any, Any, dict[str, Any]]:
    """X, y and what else `train` is told of rows."""
    X, y = rows(told["loss"], told["outputs"], n=ROWS, inputs=INPUTS)
    more: dict[str, Any] = {}
    if told["validated"]:
        more["validation"] = rows(told["loss"], told["outputs"], n=11, inputs=INPUTS, seed=9)
    if "weights" in told:  # bootstrap counts: each member draws its rows with repetition
        draws = np.random.default_rng(told["weights"]).integers(0, ROWS, (len(told["seeds"]), ROWS))
        more["sample_weight"] = np.stack([np.bincount(draw, minlength=ROWS) for draw in draws]).astype(float)
    return X, y, more


def shared(told: dict[str, Any]) -> dict[str, Any]:
    """Settings that all members have."""
    return {"watch": 1} | {name: told[name] for name in ("optimizer", "batch", "epochs", "dtype")}


OWN = ("rate", "l2", "l1", "dropout", "input_noise", "max_norm", "order", "schedule", "stopping")


def alone(told: dict[str, Any], member: int) -> kn.Runs:
    """One member trained by itself."""
    X, y, more = data(told)
    if "sample_weight" in more:
        more["sample_weight"] = more["sample_weight"][member]
    own = {name: told[name][member] for name in OWN if name in told}
    return kn.train(
        told["networks"][member],
        told["loss"],
        X,
        y,
        seed=told["seeds"][member],
        n_threads=1,
        **shared(told),
        **own,
        **more,
    )


def together(told: dict[str, Any], n_threads: int) -> kn.Runs:
    X, y, more = data(told)
    own = {name: told[name] for name in OWN if name in told}
    return kn.train(
        told["networks"], told["loss"], X, y, seeds=told["seeds"], n_threads=n_threads, **shared(told), **own, **more
    )


def assert_member(runs: kn.Runs, member: int, solo: kn.Runs) -> None:
    """A member's parameters, curves and counts are those of its solo run, to the last bit."""
    np.testing.assert_array_equal(bits(runs.theta[member]), bits(solo.theta))
    epochs = len(solo.history)
    for metric in ("loss", "score", "validation_loss", "validation_score"):
        curve = getattr(runs.history, metric)[:, member]
        np.testing.assert_array_equal(curve[:epochs], getattr(solo.history, metric), err_msg=metric)
        assert np.isnan(curve[epochs:]).all()
    watched, own = runs.history.monitors[:, member], solo.history.monitors
    np.testing.assert_array_equal(bits(watched[:epochs, : own.shape[1]]), bits(own))
    assert np.isnan(watched[epochs:]).all() and np.isnan(watched[:, own.shape[1] :]).all()  # noqa: PT018
    for count in ("best_epoch", "stopped_epoch", "diverged"):
        assert getattr(runs, count)[member] == getattr(solo, count), count


def bits(values: Any) -> Any:
    """The numbers as integers, so that -0 is not 0."""
    return values.view({"float32": np.uint32, "float64": np.uint64}[values.dtype.name])


def check(told: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    solos = {}
    with monkeypatch.context() as patch:
        patch.setenv("KILONET_PACKING", "columns")
        for member in range(len(told["seeds"])):
            solos[member] = alone(told, member)
    for isa, packing in itertools.product(engine("native").instruction_sets(), ("", "networks")):
        with monkeypatch.context() as patch:
            patch.setenv("KILONET_ISA", isa)
            patch.setenv("KILONET_PACKING", packing)
            for n_threads in (1, 2):
                runs = together(told, n_threads)
                for member, solo in solos.items():
                    assert_member(runs, member, solo)


STRIPED: dict[str, Any] = {  # 19 members of one shape: full packs and a rest, everything its own
    "networks": [kn.Network([INPUTS, 9, 3])] * 19, "loss": "cross_entropy", "outputs": 3, "optimizer": "adam",
    "batch": 8, "epochs": 3, "dtype": "float32", "validated": True, "seeds": list(range(19)), "order": [0] * 19,
    "rate": [0.01 * (1 + i % 5) for i in range(19)], "l2": [1e-3 * (i % 3) for i in range(19)],
    "l1": [1e-3 * (i % 2) for i in range(19)], "dropout": [0.1 * (i % 4) for i in range(19)],
    "input_noise": [0.2 * (i % 2) for i in range(19)], "max_norm": [None, 0.8] * 9 + [None],
    "schedule": ["constant"] * 19, "weights": 3,
    "stopping": [None, kn.Stopping("loss", 1), kn.Stopping("score", 1)] * 6 + [None],
}  # fmt: skip


@pytest.mark.filterwarnings("ignore:.*left the finite numbers")
@settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@example(told=STRIPED)
@example(told=STRIPED | {"dtype": "float64", "optimizer": "sgd"})
@given(told=populations())
def test_a_member_has_the_bits_that_it_has_alone(told: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    engine("native")
    check(told, monkeypatch)


def test_packs_are_really_used(monkeypatch: pytest.MonkeyPatch) -> None:
    lanes = engine("native").machine.lanes("float32")
    if lanes == 1:
        pytest.skip("scalar code has one lane")
    monkeypatch.delenv("KILONET_PACKING", raising=False)
    plan = together(STRIPED, 1).plan
    assert plan.members_in_packs >= 19 // lanes * lanes
    assert plan.lanes == lanes
