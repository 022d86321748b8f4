"""train: what it refuses, what it gives back, callbacks, Ctrl-C, and what a call costs outside the engine."""

import signal
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import kilonet as kn
from kilonet import population, training
from kilonet.engine.inputs import BLOCK
from kilonet.estimators.remarks import remark

NET = kn.Network([3, 4, 1])
THREE = kn.Network([3, 4, 3])


def rows(n: int = 12, seed: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3))
    return X, np.sin(X.sum(axis=1))


X, Y = rows()
CLASSES = np.arange(12) % 3


def test_shapes_with_seeds_with_seed_and_with_neither() -> None:
    several = kn.train(NET, kn.squared, X, Y, seeds=[5, 6], epochs=3)
    assert (several.theta.shape, several.history.loss.shape, several.best_epoch.shape) == ((2, 21), (3, 2), (2,))
    single = kn.train(NET, kn.squared, X, Y, seed=5, epochs=3)
    assert (single.theta.shape, single.history.loss.shape, single.best_epoch) == ((21,), (3,), 3)
    np.testing.assert_array_equal(single.theta, several.theta[0])
    assert kn.train(NET, kn.squared, X, Y, epochs=1).theta.shape == (21,)
    assert kn.train(NET, kn.squared, X, Y, seeds=[0], epochs=1).theta.shape == (1, 21)


def test_theta_says_where_to_start_its_dtype_and_its_members() -> None:
    start = NET.initial(seeds=[3, 4], dtype="float64")
    runs = kn.train(NET, kn.squared, X, Y, theta=start, epochs=1)
    assert runs.theta.dtype == np.float64
    assert runs.recipe.seeds == (0, 1)
    np.testing.assert_array_equal(kn.train(NET, kn.squared, X, Y, theta=start[0], epochs=1).theta, runs.theta[0])
    assert not np.array_equal(runs.theta, start)


def test_a_recipe_holds_every_setting_and_settings_change_it() -> None:
    recipe = kn.Recipe.make(epochs=2, batch=5, seeds=[1, 2], rate=0.01)
    runs = kn.train(NET, kn.squared, X, Y, recipe=recipe, epochs=3)
    assert runs.recipe == recipe.but(epochs=3)
    again = kn.train(NET, kn.squared, X, Y, seeds=[1, 2], rate=0.01, batch=5, epochs=3)
    np.testing.assert_array_equal(runs.theta, again.theta)


def test_a_loss_may_be_named() -> None:
    assert kn.train(NET, "huber(2.0)", X, Y, epochs=1).loss == kn.huber(2.0)


BAD: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"X": X[:, :2]}, kn.ShapeError, r"X has shape \(12, 2\).*\(n_examples, 3\)"),
    ({"X": X[0]}, kn.ShapeError, r"X has shape \(3,\)"),
    ({"X": X[:0], "y": Y[:0]}, kn.DataError, "X has no rows"),
    ({"X": X.astype(object)}, kn.DataError, "dtype object"),
    ({"X": np.where(np.arange(36).reshape(12, 3) == 16, np.inf, X)}, kn.DataError, r"X\[5, 1\] is inf"),
    (
        {"X": np.where(np.arange(36).reshape(12, 3) == 16, 1e300, X)},
        kn.DataError,
        r"X\[5, 1\].*beyond the range of float32",
    ),
    ({"y": Y[:-1]}, kn.ShapeError, "y has 11 rows, but its X has 12"),
    ({"y": np.where(np.arange(12) == 7, np.nan, Y)}, kn.DataError, "y .*row 7"),
    ({"sample_weight": np.ones(11)}, kn.ShapeError, r"sample_weight has shape \(11,\)"),
    ({"sample_weight": -np.ones(12)}, kn.DataError, r"sample_weight\[0\] is -1.0"),
    ({"sample_weight": np.zeros(12)}, kn.DataError, "sums to 0.0"),
    ({"sample_weight": ["a"] * 12}, kn.DataError, "no number"),
    ({"class_weight": "balanced"}, kn.DataError, "class_weight needs one class per row"),
    ({"validation": X}, kn.SettingError, "validation came as"),
    ({"validation": (X[:, :2], Y)}, kn.ShapeError, "validation X has shape"),
    ({"validation": (X, Y[:-1])}, kn.ShapeError, "validation y has 11 rows"),
    ({"stopping": kn.Stopping()}, kn.SettingError, "give validation="),
    ({"seed": 0, "seeds": [0]}, kn.SettingError, "say one of them"),
    ({"theta": np.zeros(20)}, kn.ShapeError, r"theta has shape \(20,\); needs \(1, 21\)"),
    ({"theta": np.full(21, np.nan)}, kn.DataError, "theta holds infinity or NaN"),
    ({"epoch": 3}, kn.SettingError, "unknown setting 'epoch'.*Did you mean epochs"),
    (
        {"rate": [0.1, 0.2]},
        kn.SettingError,
        r"there is 1 member \(one per seed\)\. Give seeds=\[0, 0\] for 2 members with",
    ),
]


@pytest.mark.parametrize(("changes", "error", "message"), BAD, ids=[message for _, _, message in BAD])
def test_what_cannot_be_used_is_named_with_its_place(
    changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    given = {"X": X, "y": Y, "epochs": 1} | changes
    with pytest.raises(error, match=message):
        kn.train(NET, kn.squared, given.pop("X"), given.pop("y"), **given)


@pytest.mark.parametrize("loss", [[kn.squared, kn.absolute], ("squared", "absolute")])
def test_members_share_the_loss_and_may_have_smoothing_of_their_own(loss: Any) -> None:
    with pytest.raises(
        kn.SettingError, match=r"loss came as .*all members share it.*order, stopping and label smoothing"
    ):
        kn.train(NET, loss, X, Y, seeds=[0, 1], epochs=1)
    smoothing = kn.cross_entropy(smoothing=[0, 0.1])
    with pytest.raises(kn.SettingError, match=r"has 2 entries, but there is 1 member .*Give seeds=\[0, 0\]"):
        kn.train(THREE, smoothing, X, CLASSES, epochs=1)
    with pytest.raises(kn.SettingError, match=r"has settings for 2 members, but theta is of 1 member\."):
        kn.value_and_grad(THREE, smoothing, THREE.initial(), X, CLASSES)


def test_parameters_of_differing_networks_are_taken_one_by_one() -> None:
    runs = kn.train([NET, kn.Network([3, 2, 1])], kn.squared, X, Y, epochs=1)
    for use in (NET.scores, NET.hidden, lambda theta, X: kn.value_and_grad(NET, kn.squared, theta, X, Y)):
        with pytest.raises(
            kn.ShapeError, match=r"Take them one by one: runs\.network\[m\]\.scores\(runs\.theta\[m\], X\)"
        ):
            use(runs.theta, X)
    with pytest.raises(kn.SettingError, match=r"network\[m\] is that of theta\[m\]"):
        runs.members(0)


def test_the_record_of_the_best_member_is_that_of_a_single_network() -> None:
    runs = kn.train(NET, kn.squared, X, Y, seeds=[4, 5, 6], epochs=2)
    alone = kn.train(NET, kn.squared, X, Y, seed=5, epochs=2)
    for one in (runs.members(1), runs.members(np.int64(-2)), runs.members([1], single=True)):
        assert one.single
        assert one.recipe == alone.recipe
        np.testing.assert_array_equal(one.theta, alone.theta)
        np.testing.assert_array_equal(one.history.loss, alone.history.loss)
    assert runs.members(runs.best).history.loss[-1] == runs.history.loss[-1].min()
    np.testing.assert_array_equal(runs.members([-1, 0]).theta, runs.theta[[2, 0]])
    for wrong in (3, [0, -4], [0.5]):
        with pytest.raises(kn.SettingError, match=r"a place of members came as .*whole number in \[-3, 2\]"):
            runs.members(wrong)  # type: ignore[arg-type]


def test_infinity_in_sparse_rows_is_found_at_its_place() -> None:
    sparse = scipy.sparse.csr_array(([1.0, np.inf], ([0, 4], [2, 1])), shape=(12, 3))
    with pytest.raises(kn.DataError, match=r"X\[4, 1\] is inf"):
        kn.train(NET, kn.squared, sparse, Y)


def test_infinity_is_found_at_the_end_of_a_large_array() -> None:
    large = np.zeros((BLOCK // 64 + 100, 64), np.float32)
    large[-1, -1] = -np.inf
    with pytest.raises(kn.DataError, match=rf"X\[{len(large) - 1}, 63\] is -inf"):
        kn.train(kn.Network([64, 1]), kn.squared, large, np.zeros(len(large)))


def test_duplicates_in_sparse_rows_are_added_and_the_users_matrix_is_left_alone() -> None:
    twice = scipy.sparse.csr_array((np.ones(4, np.float32), [0, 0, 1, 2], [0, 4, *[4] * 11]), shape=(12, 3))
    runs = kn.train(NET, kn.squared, twice, Y, epochs=1)
    np.testing.assert_array_equal(runs.theta, kn.train(NET, kn.squared, twice.toarray(), Y, epochs=1).theta)
    assert twice.nnz == 4


def test_class_weights_multiply_sample_weights() -> None:
    weight = np.linspace(1, 2, 12)
    given: dict[str, Any] = {"seed": 0, "epochs": 2}
    factor = {0: 2.0, 1: 0.5, 2: 1.0}
    by_class = kn.train(
        THREE, kn.cross_entropy, X, CLASSES, sample_weight=weight, class_weight={0: 2.0, 1: 0.5}, **given
    )
    by_row = kn.train(
        THREE, kn.cross_entropy, X, CLASSES, sample_weight=weight * [factor[c] for c in CLASSES.tolist()], **given
    )
    np.testing.assert_array_equal(by_class.theta, by_row.theta)


def test_balanced_gives_every_class_the_same_weight() -> None:
    y = np.array([0] * 8 + [1] * 4)
    balanced = kn.train(NET, kn.logistic, X, y, class_weight="balanced", epochs=2)
    by_row = kn.train(NET, kn.logistic, X, y, sample_weight=np.where(y == 0, 12 / 16, 12 / 8), epochs=2)
    np.testing.assert_array_equal(balanced.theta, by_row.theta)


@pytest.mark.parametrize(("weight", "error"), [("even", kn.SettingError), ({0: -1.0}, kn.DataError)])
def test_class_weights_that_mean_nothing_are_refused(weight: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="class_weight"):
        kn.train(THREE, kn.cross_entropy, X, CLASSES, class_weight=weight)


def test_a_callback_sees_every_epoch_once_and_may_stop() -> None:
    seen: list[kn.EpochRecord] = []

    def look(record: kn.EpochRecord) -> bool:
        seen.append(record)
        return record.epoch == 3

    runs = kn.train(NET, kn.squared, X, Y, seed=0, epochs=10, validation=(X, Y), callback=look)
    assert [record.epoch for record in seen] == [1, 2, 3]
    assert [record.loss for record in seen] == runs.history.loss.tolist()
    assert [record.validation_score for record in seen] == runs.history.validation_score.tolist()
    assert seen[0].epochs == 10
    assert 0 < seen[0].seconds <= seen[-1].seconds <= runs.seconds
    assert not runs.interrupted
    np.testing.assert_array_equal(runs.theta, kn.train(NET, kn.squared, X, Y, seed=0, epochs=3).theta)


def test_a_callback_of_a_population_gets_one_number_per_member() -> None:
    seen: list[Any] = []
    kn.train(NET, kn.squared, X, Y, seeds=[0, 1], epochs=1, callback=seen.append)
    assert seen[0].loss.shape == (2,)
    assert np.isnan(seen[0].validation_loss).all()


def press_in_epoch_2(record: kn.EpochRecord) -> None:
    if record.epoch == 2:
        signal.raise_signal(signal.SIGINT)


def raise_in_epoch_2(record: kn.EpochRecord) -> None:
    if record.epoch == 2:
        raise KeyboardInterrupt


@pytest.mark.parametrize("interrupt", [press_in_epoch_2, raise_in_epoch_2])
def test_ctrl_c_gives_back_what_is_done(interrupt: Any) -> None:
    with pytest.warns(kn.InterruptedWarning, match="after 2 of 9 epochs"):
        runs = kn.train(NET, kn.squared, X, Y, epochs=9, callback=interrupt)
    assert runs.interrupted
    assert len(runs.history) == 2
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    rest = kn.train(NET, kn.squared, X, Y, epochs=9, state=runs.state)
    np.testing.assert_array_equal(rest.theta, kn.train(NET, kn.squared, X, Y, epochs=9).theta)


def test_ctrl_c_says_that_members_are_at_different_epochs(recwarn: pytest.WarningsRecorder) -> None:
    runs = kn.train(NET, kn.squared, X, Y, seeds=[0, 1], epochs=9, callback=lambda record: record.epoch == 3)
    history = runs.history.to_array()
    history[1:, 0] = np.nan
    history = kn.History.of(history, single=False)
    cut = replace(runs, interrupted=True, history=history, best_epoch=np.array([1, 3]))
    assert cut.reached == (1, 3)
    training._warn(cut, SimpleNamespace())  # type: ignore[arg-type]
    remark(cut, "", None)
    of_train, of_estimators = (str(recwarn.pop(kn.InterruptedWarning).message) for _ in range(2))
    said = "interrupted after 1 to 3 of 9 epochs (members differ: best and spread() compare different epochs)"
    assert said in of_train
    assert "interrupted after 1 to 3 of 9 epochs; the model" in of_estimators
    assert str(cut.spread()).endswith("; interrupted at epochs 1 to 3")


def test_ctrl_c_is_seen_while_the_engine_works() -> None:
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    with pytest.warns(kn.InterruptedWarning):
        runs = kn.train(kn.Network([3, 50, 1]), kn.squared, *rows(5000), epochs=10**9)  # a year
    assert runs.interrupted


def test_a_second_ctrl_c_is_raised() -> None:
    def press_twice(_: kn.EpochRecord) -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        kn.train(NET, kn.squared, X, Y, epochs=9, callback=press_twice)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_interrupted_with_stopping_the_best_parameters_so_far_come_back() -> None:
    settings: dict[str, Any] = {"validation": rows(6, 8), "optimizer": kn.SGD(1.5), "dtype": "float64"}
    free = kn.train(NET, kn.squared, X, Y, epochs=5, **settings)
    best = int(np.argmin(free.history.validation_loss)) + 1
    assert best < 5, "the rate should be too high to end at the best epoch"
    cut = kn.train(
        NET, kn.squared, X, Y, epochs=99, stopping=kn.Stopping(patience=50), **settings,
        callback=lambda record: record.epoch == 5,
    )  # fmt: skip
    assert cut.best_epoch == best
    np.testing.assert_array_equal(cut.theta, kn.train(NET, kn.squared, X, Y, epochs=best, **settings).theta)


@pytest.mark.parametrize(
    ("X_", "y", "rate", "cause"),
    [
        (X * 1e15, Y, 0.1, "inputs are not scaled"),
        (X, Y * 1e15, 10.0, "targets are not scaled"),
        (X, Y, 1e30, r"the rate 1e\+30 is too high. Try rate=0\.1\."),
    ],
)
def test_divergence_names_epoch_cause_and_remedy(X_: Any, y: Any, rate: float, cause: str) -> None:
    with pytest.warns(kn.DivergenceWarning, match=f"^training left the finite numbers in epoch [1-9].*{cause}") as said:
        runs = kn.train(NET, kn.squared, X_, y, optimizer=kn.SGD(rate), epochs=50)
    assert said[0].filename == __file__
    assert "member" not in str(said[0].message)
    assert runs.diverged == len(runs.history) + 1
    assert np.isfinite(runs.theta).all()


def test_divergence_of_several_names_the_members() -> None:
    with pytest.warns(kn.DivergenceWarning, match=r"member 1 in epoch [1-9] \(of 3 members\).*Try rate=0\.1\."):
        kn.train(NET, kn.squared, X, Y, seeds=[0, 1, 2], optimizer="sgd", rate=[0.01, 1e30, 0.01], epochs=50)


@pytest.mark.parametrize(
    ("name", "meant"), [("rates", "rate"), ("lr", "rate"), ("batch_size", "batch"), ("callbacks", "callback")]
)
def test_a_misspelled_setting_gets_a_hint(name: str, meant: str) -> None:
    with pytest.raises(kn.SettingError, match=f"unknown setting '{name}'.*Did you mean {meant}\\?"):
        kn.train(NET, kn.squared, X, Y, **{name: 1})


def test_value_and_grad_by_hand() -> None:
    net = kn.Network([1, 1])
    # s = 2x + 1: 3 and 5, y = 1 and 2: r = 2 and 3; weights 1 and 3: mean ½r² = (2 + 3 * 4.5) / 4.
    theta = np.array([[2.0, 1.0], [2.0, 1.0]])
    value, grad = kn.value_and_grad(net, kn.squared, theta, [[1], [2]], [1, 2], sample_weight=[1, 3], l2=[0, 0.5])
    np.testing.assert_allclose(value, [15.5 / 4, 15.5 / 4 + 0.5 * 0.5 * 4], rtol=1e-15)
    np.testing.assert_allclose(grad, [[(2 + 3 * 3 * 2) / 4, 11 / 4], [5.0 + 0.5 * 2, 11 / 4]], rtol=1e-15)


def test_value_and_grad_keeps_axes_and_dtype() -> None:
    theta = NET.initial(seeds=range(6)).reshape(2, 3, -1)
    value, grad = kn.value_and_grad(NET, kn.squared, theta, X, Y, l1=0.1)
    assert (value.shape, grad.shape, value.dtype, grad.dtype) == ((2, 3), theta.shape, np.float32, np.float32)
    with pytest.raises(kn.ShapeError, match="theta"):
        kn.value_and_grad(NET, kn.squared, theta[..., :-1], X, Y)


class Counting:
    """A session that does every epoch at once, and counts how often it is asked."""

    calls = 0

    def __init__(self, problem: Any, theta: Any, state: Any = None) -> None:
        self.problem, self.start, self.given, self.epoch = problem, theta, state, 0

    @property
    def done(self) -> bool:
        return self.epoch >= self.problem.recipe.epochs

    def advance(self, epochs: int, seconds: float | None = None) -> int:
        assert seconds is not None
        assert seconds <= 0.1
        Counting.calls += 1
        self.epoch += epochs
        return self.epoch

    def state(self) -> dict[str, np.ndarray]:
        zeros, history = np.zeros(len(self.start), np.int64), np.zeros((self.epoch, len(self.start), 4))
        epoch = zeros + self.epoch
        curves = {"history": history, "monitors": np.zeros((self.epoch, len(self.start), 15), np.float32)}
        return {"theta": self.start, "stopped": zeros, "diverged": zeros, "epoch": epoch} | curves

    def plan(self) -> kn.Plan:
        return kn.Plan("none")

    def close(self) -> None:
        """Nothing is held."""


def advance(sessions: list[Counting], epoch: int, seconds: float | None = None) -> None:
    for session in sessions:
        session.advance(epoch - session.epoch, seconds)


def test_without_a_callback_all_epochs_are_one_call_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    opened = {"sessions": lambda given: [Counting(*one) for one in given], "advance": advance}
    engine = SimpleNamespace(NAME="none", needed_bytes=lambda _: 0, **opened)
    monkeypatch.setattr(population, "choose", lambda _: engine)
    X, y = np.random.default_rng(0).normal(size=(50, 4)), np.arange(50) % 3
    kn.train(kn.Network([4, 5, 3]), kn.cross_entropy, X, y, epochs=100)
    assert Counting.calls == 1


def test_value_and_grad_visits_the_rows_in_their_order() -> None:
    """Sums depend on the order of the rows: a step at rate 1 from zero is exactly minus the gradient, unshuffled."""
    random = np.random.default_rng(0)
    X, y = random.normal(size=(50, 3)).astype(np.float32), np.arange(50) % 2
    net = kn.Network([3, 2])
    theta = np.zeros(net.n_parameters, np.float32)
    _, grad = kn.value_and_grad(net, kn.cross_entropy, theta, X, y)
    runs = kn.train(net, kn.cross_entropy, X, y, theta=theta, optimizer=kn.SGD(1.0), batch=50, epochs=1, order=None)
    assert np.array_equal(-grad, runs.theta)


def test_parameters_to_start_from_may_lie_in_any_order() -> None:
    random = np.random.default_rng(0)
    X, y = random.normal(size=(20, 3)).astype(np.float32), np.arange(20) % 2
    net = kn.Network([3, 2])
    theta = net.initial(seeds=range(5))
    starts = [kn.train(net, kn.cross_entropy, X, y, theta=t, epochs=2).theta for t in (theta, np.asfortranarray(theta))]
    assert np.array_equal(*starts)
