"""What is watched inside networks, counted by hand over the training rows, for both engines.

The engine, member, thread and resume laws compare monitors too; here they are compared with what they mean.
"""

from typing import Any

import numpy as np
import pytest
import scipy.sparse

import kilonet as kn
from kilonet.engine import choose
from laws.seam import ENGINES, engine, rows

N = 517  # several blocks of rows, the last of them short
SINGLE = 4 * 2.0**-24  # monitors are kept in float32


@pytest.fixture(params=ENGINES, autouse=True)
def name(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    engine(request.param)  # skips where there is no kernel
    monkeypatch.setenv("KILONET_ENGINE", request.param)
    return str(request.param)


def trained(network: kn.Network, X: Any, y: Any, **settings: Any) -> kn.Runs:
    told: dict[str, Any] = {"seeds": [1, 2, 3], "epochs": 3, "watch": 1, "optimizer": "sgd", "rate": 0.3, "batch": 32}
    return kn.train(network, "cross_entropy", X, y, **told | settings)


def dead_by_hand(runs: kn.Runs, member: int, X: Any) -> list[float]:
    """Share of units of each hidden layer whose slope is zero on every row, from the engine's own outputs."""
    shares = []
    for number, layer in enumerate(runs.network.layers[:-1]):  # type: ignore[union-attr]
        a = choose(runs.network).Predictor(runs.network, runs.theta[member]).hidden(X, number)
        kind = layer.unit.partition("(")[0]
        slope = {"relu": a > 0, "leaky_relu": a > 0, "tanh": 1 - a * a, "sigmoid": a * (1 - a)}.get(
            kind, np.ones(a.shape)
        )
        shares.append(float(np.mean(~(slope != 0).any(axis=0))))
    return shares


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("unit", ["relu", "leaky_relu(0)", "tanh", "sigmoid", "prelu"])
def test_dead_units_are_those_that_no_training_row_gives_a_slope(name: str, unit: str, sparse: bool) -> None:
    X, y = rows("cross_entropy", 3, n=N)
    given = scipy.sparse.csr_array(np.where(X > 0, X, 0).astype(np.float32)) if sparse else X.astype(np.float32)
    network = kn.Network([5, 21, 9, 3], activation=unit)
    start = network.initial(seeds=[1, 2, 3])
    for view in network.views(start)[:-1]:
        view.b[:, ::2] -= 400 if unit in ("tanh", "sigmoid") else 3  # many never fire, some rarely
    runs = trained(network, given, y, theta=start, epochs=2)
    assert runs.engine == name
    found = runs.history.dead
    assert found.shape == (2, 3, 2)
    for member in range(3):
        # Counts of the very same numbers: nothing to round.
        np.testing.assert_array_equal(found[-1, member], np.float32(dead_by_hand(runs, member, given)))
    assert (found[-1] > 0).any() or unit == "prelu"
    assert (found[-1] < 1).all()


@pytest.mark.parametrize("n_threads", [1, 2, 3])
def test_a_unit_that_a_single_row_keeps_alive_is_not_dead(n_threads: int) -> None:
    X, y = rows("cross_entropy", 3, n=N)
    X[:, 0] = 0
    network, dead = kn.Network([5, 4, 3]), []
    for alive in (None, 0, 127, 128, 400, N - 1):
        own = X.copy()
        if alive is not None:
            own[alive, 0] = 1.0
        start = network.initial(seeds=[1])
        start[0, :] = 0
        network.views(start)[0].W[0, 0, 0], network.views(start)[0].b[0, 0] = 2.0, -1.0  # fires where x0 is one
        network.views(start)[0].b[0, 1:] = 1.0  # always on
        runs = kn.train(
            network, "cross_entropy", own, y, theta=start, seeds=[1], rate=1e-6, optimizer="sgd", epochs=3, watch=1,
            n_threads=n_threads,
        )  # fmt: skip
        dead.append(runs.history.dead[:, 0, 0].tolist())
    assert dead == [[0.25] * 3, *([[0.0] * 3] * 5)]


@pytest.mark.parametrize("unit", ["relu", "tanh", "sigmoid"])
def test_outputs_are_those_of_the_first_rows_of_the_epoch(unit: str) -> None:
    X, y = rows("cross_entropy", 3, n=N)
    X = 3 * X
    network = kn.Network([5, 21, 3], activation=unit)
    runs = trained(network, X, y, dtype="float64", order=None, dropout=0.3, input_noise=0.1)
    for member in range(3):
        a = network.hidden(runs.theta[member], X[:128])[0]  # in their order, of which order=None keeps the data's
        last = {metric: getattr(runs.history, metric)[-1, member, 0] for metric in ("saturated", "positive")}
        assert runs.history.activation_mean[-1, member, 0] == pytest.approx(a.mean(), rel=SINGLE)
        assert last["positive"] == np.float32((a > 0).mean())
        beyond = np.abs(a) > 0.97 if unit == "tanh" else (a > 0.985) | (a < 0.015)
        if unit == "relu":
            assert np.isnan(last["saturated"])
        else:
            assert last["saturated"] == np.float32(beyond.mean()) > 0


def test_gradient_update_and_loss_are_those_of_the_first_step() -> None:
    """With one batch in an epoch the step is all that happens in it."""
    X, y = rows("cross_entropy", 3, n=N)
    network = kn.Network([5, 8, kn.Maxout(4), 3])
    settings: dict[str, Any] = {"batch": N, "epochs": 1, "l2": 0.1, "rate": 0.01, "dtype": "float64"}
    for optimizer in ("sgd", "adam"):
        start = network.initial(seeds=[1, 2, 3], dtype="float64")
        runs = trained(network, X, y, optimizer=optimizer, **settings)
        value, gradient = kn.value_and_grad(network, kn.cross_entropy, start, X, y)  # of the data, without λ
        np.testing.assert_allclose(runs.history.first_loss[0], value, rtol=SINGLE)
        before, after, slopes = network.views(start), network.views(runs.theta), network.views(gradient)
        for layer in range(3):
            norms = [np.sqrt((v.W.reshape(3, -1) ** 2).sum(axis=1)) for v in (before[layer], slopes[layer])]
            change = np.sqrt(((after[layer].W - before[layer].W).reshape(3, -1) ** 2).sum(axis=1))
            np.testing.assert_allclose(runs.history.weight_norm[0, :, layer], norms[0], rtol=SINGLE)
            np.testing.assert_allclose(runs.history.gradient_norm[0, :, layer], norms[1], rtol=SINGLE)
            np.testing.assert_allclose(runs.history.update_ratio[0, :, layer], change / norms[0], rtol=1e-6)


def test_watching_changes_nothing_and_is_as_often_as_asked() -> None:
    X, y = rows("cross_entropy", 3, n=N)
    network = kn.Network([5, 8, 3])
    runs = {watch: trained(network, X, y, watch=watch, epochs=9, optimizer="adam") for watch in ("auto", 0, 1, 3)}
    for other in runs.values():
        np.testing.assert_array_equal(other.theta, runs[0].theta)
        np.testing.assert_array_equal(other.history.to_array(), runs[0].history.to_array())
    seen = {watch: np.flatnonzero(np.isfinite(own.history.dead[:, 0, 0])).tolist() for watch, own in runs.items()}
    assert seen == {0: [], 1: list(range(9)), 3: [0, 3, 6], "auto": [0, 4, 8]}  # 2,000 rows are four epochs
    np.testing.assert_array_equal(runs[3].history.monitors[::3], runs[1].history.monitors[::3])


def test_a_callback_sees_what_the_history_keeps() -> None:
    X, y = rows("cross_entropy", 3, n=N)
    seen: list[Any] = []
    runs = trained(kn.Network([5, 8, 3]), X, y, callback=lambda record: seen.append((record.dead, record.update_ratio)))
    np.testing.assert_array_equal([dead for dead, _ in seen], runs.history.dead)
    np.testing.assert_array_equal([ratio for _, ratio in seen], runs.history.update_ratio)


def test_members_of_several_shapes_have_nothing_where_a_layer_is_missing() -> None:
    X, y = rows("cross_entropy", 3, n=N)
    shapes = [kn.Network([5, 8, 3]), kn.Network([5, 4, 4, 3]), kn.Network([5, 3])]
    history = trained(shapes, X, y).history  # type: ignore[arg-type]
    assert history.dead.shape == (3, 3, 2)
    assert np.isfinite(history.dead[-1]).tolist() == [[True, False], [True, True], [False, False]]
    assert np.isfinite(history.gradient_norm[-1]).tolist() == [[True, True, False], [True] * 3, [True, False, False]]


def test_who_diverges_has_no_monitors_in_that_epoch() -> None:
    X, y = rows("squared", 1, n=N)
    with pytest.warns(kn.DivergenceWarning):
        runs = kn.train(
            kn.Network([5, 8, 1]), "squared", X, y, seeds=[1, 2], optimizer="sgd", rate=[0.01, 30.0], epochs=4, watch=1
        )
    lost = int(runs.diverged[1])  # type: ignore[index]
    assert lost > 0
    assert np.isfinite(runs.history.dead[:, 0]).all()
    assert np.isnan(runs.history.monitors[lost - 1 :, 1]).all()


@pytest.mark.parametrize("n_threads", [2, 3, 4])
def test_threads_agree_where_the_last_row_kept_a_unit_alive_that_dies(n_threads: int) -> None:
    """The search for rare units goes on where they were found before; no thread may run ahead of another there."""
    X, y = np.zeros((128 * 20, 2), np.float32), np.zeros(128 * 20)
    X[-1, 0], y[-1] = 1, -100  # the only row that a unit fires on, and a step on it that kills the unit
    network = kn.Network([2, 2, 1])
    start = network.initial(seeds=[1])
    start[:] = 0
    hidden, last = network.views(start)
    hidden.W[0, 0, 0], hidden.b[0, 0], hidden.b[0, 1], last.W[0, 0, 0] = 1, -0.5, -1000, 1
    settings: dict[str, Any] = {"theta": start, "seeds": [1], "rate": 0.77, "optimizer": "sgd", "batch": 512}

    def run(threads: int) -> kn.Runs:
        return kn.train(network, "squared", X, y, epochs=4, watch=1, order=None, n_threads=threads, **settings)

    alone = run(1)
    assert alone.history.dead[:, 0, 0].tolist() == [0.5, 1.0, 1.0, 1.0]  # the other one never lived
    for _ in range(40):
        together = run(n_threads)
        np.testing.assert_array_equal(together.theta, alone.theta)
        np.testing.assert_array_equal(together.history.monitors, alone.history.monitors)
