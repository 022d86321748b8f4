"""Populations through `train`: networks of several shapes, weights of each member's own, memory, going on, Ctrl-C."""

import signal
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import kilonet as kn
from kilonet.engine import memory

X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] * X[:, 1] > 0).astype(int) + (X[:, 2] > 1)
NETS = [kn.Network([3, 8, 3]), kn.Network([3, 3]), kn.Network([3, 8, 3]), kn.Network([3, 5, 5, 3], activation=kn.tanh)]
MIXED: dict[str, Any] = {
    "epochs": 6, "rate": [0.01, 0.02, 0.03, 0.04], "schedule": ["constant", "cosine", "step", "constant"],
    "stopping": [None, kn.Stopping(patience=1), None, kn.Stopping("score", 2)], "validation": (X[:15], Y[:15]),
    "sample_weight": np.random.default_rng(1).integers(0, 3, (4, 40)),
    "class_weight": [None, "balanced", {0: 2.0}, None],
}  # fmt: skip
LOSS = kn.cross_entropy(smoothing=(0.1, 0.0, 0.2, 0.0))


@pytest.fixture(params=["native", "reference"], autouse=True)
def chosen_engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "native" and kn.engine_name() != "native":
        pytest.skip("the kernel cannot be loaded")
    monkeypatch.setenv("KILONET_ENGINE", request.param)


def mixed(**more: Any) -> kn.Runs:
    return kn.train(NETS, LOSS, X, Y, **(MIXED | more))


def test_one_network_per_member() -> None:
    runs = mixed()
    assert [theta.shape for theta in runs.theta] == [(59,), (12,), (59,), (68,)]
    assert runs.network == tuple(NETS)
    assert runs.recipe.seeds == (0, 1, 2, 3)
    assert runs.history.loss.shape == (6, 4)
    assert "4 members of networks of 3 shapes" in repr(runs)
    assert runs.plan.members_in_packs + runs.plan.single_members == 4
    for member, network in enumerate(NETS):
        own = {name: value[member] if len(value) == 4 else value for name, value in MIXED.items() if name != "epochs"}
        alone = kn.train(
            network, kn.cross_entropy(smoothing=LOSS.smoothing[member]), X, Y, seed=member, epochs=6, **own
        )
        if runs.engine == "native":  # NumPy's sums depend on how many members there are
            np.testing.assert_array_equal(runs.theta[member], alone.theta)
        np.testing.assert_allclose(runs.theta[member], alone.theta, rtol=1e-4, atol=1e-5)
        epochs = len(alone.history)
        np.testing.assert_allclose(runs.history.loss[:epochs, member], alone.history.loss, rtol=1e-5)


def test_a_mixed_population_goes_on_as_if_it_had_never_stopped() -> None:
    half = mixed(callback=lambda record: record.epoch == 3)
    assert len(half.history) == 3
    rest, whole = mixed(state=half.state), mixed()
    for one, other in zip(rest.theta, whole.theta, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(rest.history.to_array(), whole.history.to_array())


def test_a_state_goes_on_with_its_own_networks_only() -> None:
    state = mixed(epochs=2).state
    with pytest.raises(kn.SettingError, match="a population with other networks"):
        kn.train(NETS[::-1], LOSS, X, Y, state=state, **MIXED)


def test_results_continue_as_a_start() -> None:
    runs = mixed(epochs=1)
    again = kn.train(NETS, LOSS, X, Y, theta=runs.theta, recipe=runs.recipe, validation=MIXED["validation"])
    assert [theta.shape for theta in again.theta] == [theta.shape for theta in runs.theta]


def test_stopping_that_is_switched_off_for_one_member_is_forgotten() -> None:
    told: dict[str, Any] = {"validation": MIXED["validation"], "rate": 0.05, "seeds": [0, 1]}
    rule = kn.Stopping(patience=50)
    state = kn.train(NETS[0], kn.cross_entropy, X, Y, epochs=20, stopping=rule, **told).state
    runs = kn.train(NETS[0], kn.cross_entropy, X, Y, epochs=21, stopping=[rule, None], state=state, **told)
    assert runs.best_epoch[1] == 21
    free = kn.train(NETS[0], kn.cross_entropy, X, Y, epochs=21, **told)
    np.testing.assert_array_equal(runs.theta[1], free.theta[1])


def test_each_members_smoothing_counts_in_value_and_grad() -> None:
    theta = NETS[0].initial(seeds=[3, 3], dtype="float64")
    both = kn.value_and_grad(NETS[0], kn.cross_entropy(smoothing=(0.0, 0.5)), theta, X, Y)
    for member, smoothing in enumerate((0.0, 0.5)):
        alone = kn.value_and_grad(NETS[0], kn.cross_entropy(smoothing=smoothing), theta[member], X, Y)
        np.testing.assert_allclose(both[0][member], alone[0], rtol=1e-12)
        np.testing.assert_allclose(both[1][member], alone[1], rtol=1e-9, atol=1e-12)
    with pytest.raises(kn.SettingError, match="settings for 3 members"):
        kn.value_and_grad(NETS[0], kn.cross_entropy(smoothing=(0.0, 0.1, 0.2)), theta, X, Y)


def test_workspaces_are_counted_once() -> None:
    shapes = [kn.Network([3, 300 + width, 3]) for width in range(8)]
    told: dict[str, Any] = {"batch": 40, "epochs": 1, "n_threads": 1}
    apart = [kn.train(network, kn.cross_entropy, X, Y, **told).plan.bytes for network in shapes]
    assert kn.train(shapes, kn.cross_entropy, X, Y, **told).plan.bytes < 0.7 * sum(apart)


def test_a_mixed_population_starts_from_given_parameters() -> None:
    start = [network.initial(seed=9) for network in NETS]
    runs = mixed(theta=start, rate=1e-30, sample_weight=None)
    for one, other in zip(runs.theta, start, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-20)


def test_callbacks_hear_of_all_members_at_their_places() -> None:
    seen: list[kn.EpochRecord] = []
    runs = mixed(callback=seen.append, stopping=None)
    np.testing.assert_array_equal([record.loss for record in seen], runs.history.loss)
    assert [record.epoch for record in seen] == [1, 2, 3, 4, 5, 6]


WRONG: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"network": []}, kn.SettingError, "one per member"),
    ({"network": "3-4"}, kn.SettingError, "needs a Network"),
    ({"network": [NETS[0], 3]}, kn.SettingError, r"network\[1\] came as 3"),
    ({"network": [NETS[0], kn.Network([3, 2])]}, kn.ShapeError, r"network\[1\] leads from 3 inputs to 2 outputs"),
    ({"network": NETS, "seeds": [1, 2]}, kn.SettingError, "4 networks came with 2 seeds"),
    ({"network": NETS, "seed": 1}, kn.SettingError, "seed=1 is for a single network"),
    ({"network": NETS[0], "seeds": [1, 2], "sample_weight": np.ones((3, 40))}, kn.ShapeError, r"or \(2, 40\)"),
    ({"network": NETS[0], "seeds": [1, 2], "sample_weight": [[1] * 40, [0] * 40]}, kn.DataError, r"weight\[1\] sums"),
    ({"network": NETS[0], "seeds": [1, 2], "class_weight": [None]}, kn.SettingError, "class_weight has 1 entry, but"),
    ({"network": NETS, "seeds": 5}, kn.SettingError, "seeds came as 5"),
    ({"network": NETS[:2], "theta": [np.zeros(59)]}, kn.ShapeError, "needs a list of 2 arrays"),
    ({"network": NETS[:2], "theta": [np.zeros(59), np.zeros(9)]}, kn.ShapeError, r"theta\[1\] has shape \(9,\)"),
    ({"network": NETS[0], "seeds": [1, 2], "loss": LOSS}, kn.SettingError, "has 4 entries, but there are 2 members"),
]  # fmt: skip


@pytest.mark.parametrize(("told", "error", "message"), WRONG, ids=lambda value: "" if isinstance(value, dict) else None)
def test_what_does_not_fit_together_is_refused(told: dict[str, Any], error: type[Exception], message: str) -> None:
    told = {"loss": kn.cross_entropy, "X": X, "y": Y} | told
    with pytest.raises(error, match=message):
        kn.train(told.pop("network"), told.pop("loss"), told.pop("X"), told.pop("y"), **told)


def test_weights_of_a_members_own_are_repeated_rows() -> None:
    counts = np.random.default_rng(2).integers(0, 3, (2, 40))
    own: dict[str, Any] = {"batch": 1000, "epochs": 5, "dtype": "float64", "order": None}
    both = kn.train(NETS[0], kn.cross_entropy, X, Y, seeds=[3, 3], sample_weight=counts, **own)
    for member in (0, 1):
        rows = np.repeat(np.arange(40), counts[member])
        alone = kn.train(NETS[0], kn.cross_entropy, X[rows], Y[rows], seed=3, **own)
        # The same sums, of terms w * loss instead of loss + … + loss: rounding in float64.
        np.testing.assert_allclose(both.theta[member], alone.theta, rtol=1e-9, atol=1e-12)


def test_a_diverged_member_is_named_and_the_others_go_on() -> None:
    with pytest.warns(kn.DivergenceWarning, match="member 1 in epoch"):
        runs = kn.train(NETS[:2], kn.squared, X, np.eye(3)[Y], rate=[0.01, 1e30], optimizer="sgd", epochs=4)
    assert runs.diverged[0] == 0
    assert np.isfinite(runs.history.loss[:, 0]).all()
    assert runs.best == 0


def test_ctrl_c_returns_what_is_trained_so_far() -> None:
    def press(record: kn.EpochRecord) -> None:
        if record.epoch == 2:
            signal.raise_signal(signal.SIGINT)

    with pytest.warns(kn.InterruptedWarning, match="after 2 of 6 epochs"):
        runs = mixed(callback=press, stopping=None)
    assert runs.interrupted
    for one, other in zip(
        runs.theta, mixed(epochs=6, stopping=None, callback=lambda r: r.epoch == 2).theta, strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_what_cannot_fit_is_refused_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        kn.MemoryLimitError, match=r"100000 members needs about [0-9.]+ [MG]B .* allows 1 MB.*Nothing has"
    ):
        kn.train(NETS[0], kn.cross_entropy, X, Y, seeds=range(100_000), max_memory="1MB")
    monkeypatch.setattr(memory, "free_bytes", lambda: 10_000)
    many: dict[str, Any] = {"seeds": range(5000), "epochs": 1}
    with pytest.raises(MemoryError, match="allows 5 kB"):
        kn.train(NETS[1], kn.cross_entropy, X, Y, **many)
    monkeypatch.setattr(memory, "free_bytes", lambda: None)
    assert kn.train(NETS[1], kn.cross_entropy, X, Y, **many).plan.max_memory is None


@pytest.mark.parametrize(
    ("sizes", "members"), [((2, 20, 2), 3000), ((64, 100, 10), 200), ((20, 300, 300, 3), 8), ((5000, 1), 60)]
)
def test_what_is_announced_is_kept(sizes: tuple[int, ...], members: int) -> None:
    """The peak of a fresh process over what it had when everything was loaded."""
    if sys.platform != "linux":
        pytest.skip("reads /proc")
    code = f"""
import numpy as np, kilonet as kn
def peak():
    return next(1024 * int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
X, y = np.ones((100, {sizes[0]}), np.float32), np.arange(100) % {max(2, sizes[-1])}
loss = kn.cross_entropy if {sizes[-1]} > 1 else kn.logistic
told = dict(validation=(X, y), stopping=kn.Stopping(), epochs=2, optimizer="adam")
kn.train(kn.Network([{sizes[0]}, 2, {sizes[-1]}]), loss, X, y, **told)
before = peak()
told["order"] = list(range({members})) if {sizes[-1]} == 1 else 0  # each by itself
runs = kn.train(kn.Network({list(sizes)}), loss, X, y, seeds=range({members}), **told)
print(peak() - before, runs.plan.bytes)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603
    grown, announced = map(int, done.stdout.split())
    assert 0.1 * announced < grown <= announced
