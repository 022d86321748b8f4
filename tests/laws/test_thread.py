"""The thread law: the same bits for any number of threads and for every instruction set of the machine.

The networks are wide enough that two and three threads really share their rows, units and sums, and
their widths are no multiples of any vector.
"""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import kilonet as kn
from kilonet.activations import ACTIVATIONS
from kilonet.losses import LOSSES
from kilonet.optimizers import OPTIMIZERS
from laws.seam import Outcome, assert_close, assert_same_bits, engine, problem, rows, run

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


GRAPH: dict[str, Any] = {
    "first": kn.Dense(67, kn.mixed((kn.relu, 30), (kn.tanh, 21), (kn.gelu, 16))),
    "wide": kn.Maxout(130, 2, source=("input", "first")),
    "again": kn.Same("wide", source=("first", "input")),
    "learned": kn.Dense(35, kn.prelu, source=("wide", "again", "wide")),
    "scores": kn.Dense(3, source=("learned", "input", "again")),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("batch", "optimizer"), [(37, "adam"), (64, "sgd"), (1, "momentum"), (600, "sgd")])
def test_graphs(monkeypatch: pytest.MonkeyPatch, batch: int, optimizer: str, dtype: str) -> None:
    data, network = rows("cross_entropy", 3, n=620, inputs=41), kn.Network.from_layers(GRAPH, n_inputs=41)
    settings = FULL | {"batch": batch, "optimizer": optimizer, "epochs": 1 if batch == 1 else 2, "dtype": dtype}
    everywhere(monkeypatch, network, "cross_entropy", data, validation=data, **settings)


WIDE_GRAPH: dict[str, Any] = {  # columns of wide layers are laid out as rows, source by source
    "first": kn.Dense(600, kn.mixed((kn.relu, 301), (kn.tanh, 299))),
    "again": kn.Same("deep", source=("input", "first")),
    "deep": kn.Dense(520, source=("first", "input")),
    "scores": kn.Dense(3, source=("again", "deep", "input")),
}


@pytest.mark.parametrize("batch", [64, 600])
def test_wide_graphs_agree_with_the_reference_engine_and_on_any_number_of_threads(batch: int) -> None:
    engine("native")
    data, network = rows("cross_entropy", 3, n=600, inputs=300), kn.Network.from_layers(WIDE_GRAPH, n_inputs=300)
    settings: dict[str, Any] = {"batch": batch, "epochs": 1, "order": 1, "watch": 0, "optimizer": "momentum(0.002)"}
    one = run("native", problem(network, "cross_entropy", data, settings | {"n_threads": 1}))
    for threads in (2, 3):
        assert_same_bits(one, run("native", problem(network, "cross_entropy", data, settings | {"n_threads": threads})))
    expected = run("reference", problem(network, "cross_entropy", data, settings))
    # Sums of some hundred terms: the root of their number of roundings, ten steps, and room for a factor of ten.
    assert_close(expected, one, 1000 * 2.0**-24)


def test_wide_layers_of_different_sizes() -> None:
    """Threads are in different layers at the same time: what one lays ready must not be another's."""
    data = rows("cross_entropy", 3, n=512, inputs=784)
    network = kn.Network([784, 520, 1030, 3])
    one = run("native", problem(network, "cross_entropy", data, {"batch": 64, "epochs": 6, "n_threads": 1}))
    for threads in (2, 3, 5):
        given = problem(network, "cross_entropy", data, {"batch": 64, "epochs": 6, "n_threads": threads})
        assert_same_bits(one, run("native", given))


@pytest.mark.parametrize("threads", [7, 70])
def test_more_threads_than_rows(threads: int) -> None:
    data, network = rows("squared", 2, n=5), kn.Network([5, 4, 2])
    settings: dict[str, Any] = {"batch": 3, "epochs": 2, "validation": rows("squared", 2, n=100, seed=8)}
    one = run("native", problem(network, "squared", data, settings | {"n_threads": 1}))
    assert_same_bits(one, run("native", problem(network, "squared", data, settings | {"n_threads": threads})))
    theta, X = network.initial(seeds=[0]), rows("squared", 2, n=300)[0].astype("float32")
    native = engine("native")
    np.testing.assert_array_equal(native.scores(network, theta, X, threads), native.scores(network, theta, X, 1))


FEW_THREADS = """
import resource
import numpy as np
import kilonet as kn

X, y = np.random.default_rng(0).normal(size=(300, 5)), np.arange(300) % 3
given = kn.Network([5, 40, 3]), "cross_entropy", X, y
one = kn.train(*given, batch=300, epochs=2, n_threads=1)
pages = int(open("/proc/self/statm").read().split()[0])
room = pages * resource.getpagesize() + (100 << 20)  # stacks of some ten threads
resource.setrlimit(resource.RLIMIT_AS, (room, room))
many = kn.train(*given, batch=300, epochs=2, n_threads=64)
print((one.theta == many.theta).all())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit and /proc are Linux's")
def test_fewer_threads_than_asked_for_where_the_system_gives_no_more() -> None:
    engine("native")
    command = [sys.executable, "-c", FEW_THREADS]
    ended = subprocess.run(command, check=False, timeout=120, capture_output=True, text=True)  # noqa: S603  our own text
    assert (ended.stdout, ended.stderr) == ("True\n", "")


def test_one_predictor_for_several_callers() -> None:
    """A web server predicts from several Python threads with one model."""
    network = kn.Network([41, 130, 67, 3])
    native, X = engine("native"), rows("squared", 3, n=2000, inputs=41)[0].astype("float32")
    predictor = native.Predictor(network, network.initial(seed=0), 1)
    pieces = [X[start : start + 500] for start in range(0, 2000, 500)] * 25
    expected = [predictor.scores(piece) for piece in pieces[:4]] * 25
    with ThreadPoolExecutor(4) as pool:
        for found, scores in zip(pool.map(predictor.scores, pieces), expected, strict=True):
            np.testing.assert_array_equal(found, scores)


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
