"""The thread law: the same bits for any number of threads and for every instruction set of the machine.

The networks are wide enough that two and three threads really share their rows, units and sums, and
their widths are no multiples of any vector.
"""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import kilonet as kn
from kilonet.activations import ACTIVATIONS
from kilonet.losses import LOSSES
from kilonet.optimizers import OPTIMIZERS
from laws.seam import Outcome, assert_same_bits, engine, problem, rows, run

DTYPES = ["float32", "float64"]


def variants() -> list[tuple[str, int]]:
    """Every instruction set with one thread, and the best one (named by nothing) with several."""
    known = engine("native").instruction_sets()
    return [("", 2), ("", 3), *((isa, 1) for isa in known), (known[-1], 3)]


def everywhere(monkeypatch: pytest.MonkeyPatch, network: Any, loss: Any, data: Any, **settings: Any) -> None:
    """Train on one thread of the best instruction set, then on all others, and compare bits."""
    engine("native")

    def trained(isa: str, threads: int) -> Outcome:
        monkeypatch.setenv("KILONET_ISA", isa)
        return run("native", problem(network, loss, data, settings | {"n_threads": threads}))

    one = trained("", 1)
    assert np.isfinite(one.theta).all()
    for isa, threads in variants():
        assert_same_bits(one, trained(isa, threads))


FULL: dict[str, Any] = {
    "batch": 37, "epochs": 3, "dropout": 0.2, "input_noise": 0.1, "l2": 1e-3, "l1": 1e-4, "max_norm": 2.0, "rate": 0.01,
}  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", list(LOSSES.table))
def test_every_loss(monkeypatch: pytest.MonkeyPatch, loss: str, dtype: str) -> None:
    data, validation = rows(loss, 3, n=100, inputs=41), rows(loss, 3, n=67, inputs=41, seed=7)
    network = kn.Network([41, 67, 35, 3])
    everywhere(monkeypatch, network, loss, data, dtype=dtype, validation=validation, **FULL)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("unit", [*ACTIVATIONS.table, "maxout(3)"])
def test_every_activation(monkeypatch: pytest.MonkeyPatch, unit: str, dtype: str) -> None:
    network = kn.Network([41, 67, 35, 10], activation=unit)
    everywhere(monkeypatch, network, "cross_entropy", rows("cross_entropy", 10, n=100, inputs=41), dtype=dtype, **FULL)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("optimizer", list(OPTIMIZERS.table))
def test_every_optimizer(monkeypatch: pytest.MonkeyPatch, optimizer: str, dtype: str) -> None:
    settings = FULL | {"optimizer": optimizer, "schedule": "warm_up(1, cosine)"}
    data = rows("squared", 3, n=100, inputs=41)
    everywhere(monkeypatch, kn.Network([41, 67, 3]), "squared", data, dtype=dtype, **settings)


@pytest.mark.parametrize("hidden", [(), (1,), (300,), (130, 257), (5, 5, 5)], ids=str)
@pytest.mark.parametrize("batch", [1, 64, 100])
def test_shapes(monkeypatch: pytest.MonkeyPatch, hidden: tuple[int, ...], batch: int) -> None:
    data = rows("cross_entropy", 3, n=100, inputs=200)
    network = kn.Network([200, *hidden, 3])
    everywhere(monkeypatch, network, "cross_entropy", data, batch=batch, epochs=1 if batch == 1 else 2)


def test_sparse_rows_weights_and_stopping(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = rows("squared", 1, n=100, inputs=60)
    sparse = scipy.sparse.csr_array(np.where(X > 1, X, 0))
    settings = FULL | {"epochs": 30, "stopping": kn.Stopping(patience=2), "validation": (sparse[:40], y[:40])}
    network, weights = kn.Network([60, 90, 1]), np.linspace(0, 2, 100)
    everywhere(monkeypatch, network, "squared", (sparse, y), sample_weight=weights, **settings)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("n_rows", [1, 50, 3000])
def test_predictions_and_gradients(monkeypatch: pytest.MonkeyPatch, n_rows: int, dtype: str) -> None:
    network = kn.Network([41, 67, kn.Maxout(35, 3), kn.Dense(20, kn.gelu), 3])
    theta = network.initial(seeds=[0, 1], dtype=dtype)
    given = problem(network, "cross_entropy", rows("cross_entropy", 3, n=n_rows, inputs=41), {"dtype": dtype})
    native = engine("native")
    monkeypatch.setenv("KILONET_ISA", "")
    scores = native.scores(network, theta, given.X, 1)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    gradient = native.value_and_grad(network, given.loss, theta, given.X, given.targets, None)
    for isa, threads in variants():
        monkeypatch.setenv("KILONET_ISA", isa)
        monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
        np.testing.assert_array_equal(native.scores(network, theta, given.X, threads), scores)
        found = native.value_and_grad(network, given.loss, theta, given.X, given.targets, None)
        np.testing.assert_array_equal(found[0], gradient[0])
        np.testing.assert_array_equal(found[1], gradient[1])


def test_a_row_is_scored_alone_as_among_others() -> None:
    network = kn.Network([41, 67, 35, 3])
    theta, X = network.initial(seeds=[0]), rows("squared", 3, n=300, inputs=41)[0].astype("float32")
    native = engine("native")
    together = native.scores(network, theta, X, 2)
    for row in (0, 1, 17, 299):
        np.testing.assert_array_equal(native.scores(network, theta, X[row : row + 1], 1)[:, 0], together[:, row])


def test_a_member_has_the_bits_that_it_has_alone() -> None:
    data = rows("cross_entropy", 3, n=60)
    network, shared = kn.Network([5, 9, 3]), {"batch": 7, "epochs": 4, "dropout": 0.2, "validation": data}
    together = run("native", problem(network, "cross_entropy", data, shared | {"seeds": [4, 9], "l2": [0.1, 0.0]}))
    for member, (seed, l2) in enumerate([(4, 0.1), (9, 0.0)]):
        alone = run("native", problem(network, "cross_entropy", data, shared | {"seeds": [seed], "l2": l2}))
        np.testing.assert_array_equal(together.theta[member], alone.theta[0])
        np.testing.assert_array_equal(together.history[:, member], alone.history[:, 0])


MANY_SHORT_RUNS = """
import numpy as np
import kilonet as kn

X, y = np.linspace(-1, 1, 40).reshape(20, 2), np.arange(20) % 2
for seed in range(60):
    kn.train(kn.Network([2, 3, 2]), "cross_entropy", X, y, seed=seed, batch=7, epochs=25, n_threads=2)
print("done")
"""


def test_threads_never_wait_for_each_other_for_ever() -> None:
    """A thread that is slow to see an epoch's end must not begin a step that nobody else takes."""
    engine("native")
    command = [sys.executable, "-W", "error", "-c", MANY_SHORT_RUNS]
    # Two threads that meet 9,000 times: some tenths of a second, and a minute where others hold the processors.
    ended = subprocess.run(command, timeout=120, capture_output=True, text=True, check=True)  # noqa: S603  our own text
    assert ended.stdout == "done\n"
