"""How experiments train on splits of a task's rows, choose by some of them and judge by others."""

import numpy as np
import pytest

from kilonet.comparison import corrected_t
from kilonet.losses import cross_entropy
from kilonet.network import Network
from kilonet.notes.held_out import Candidate, Judged, judged, pooled, ratio, sure
from kilonet.notes.planes import seen
from kilonet.notes.tasks import digits, pixels, real, tasks
from kilonet.notes.trials import at_rates, best_rate, side_by_side
from kilonet.population import Population
from kilonet.recipe import Recipe
from kilonet.training import train, value_and_grad

IRIS = next(task for task in tasks() if task.title.en == "iris")
WAVES = next(task for task in tasks() if task.title.en == "waves")
TWO = (
    Candidate("narrow", (3,), (("rate", 0.01),)),
    Candidate("narrow", (3,), (("rate", 0.1),)),
    Candidate("tanh", (8,), (("rate", 0.01), ("l2", 0.1)), "tanh"),
)


@pytest.mark.parametrize("task", [IRIS, WAVES], ids=lambda task: task.title.en)
def test_each_loss_is_that_of_networks_trained_alone(task) -> None:
    found = judged(task, TWO, splits=2, seeds=2, epochs=3)
    rows = np.random.default_rng(1).permutation(len(task.X))
    half, end = int(0.5 * len(rows)), int(0.75 * len(rows))
    training, choosing, judging = rows[:half], rows[half:end], rows[end:]
    for place, one in enumerate(TWO):
        network = Network([task.X.shape[1], *one.hidden, task.n_outputs], activation=one.units)
        runs = train(
            network,
            task.loss,
            task.X[training],
            task.y[training],
            seeds=[2, 3],
            order=0,
            epochs=3,
            **dict(one.settings),
        )
        expected = [
            value_and_grad(network, task.loss, runs.theta, task.X[held], task.y[held])[0].mean()
            for held in (choosing, judging)
        ]
        # the kernel's losses are float32 numbers, of which ours differ by their rounding
        assert [found.choosing[1, place], found.judging[1, place]] == pytest.approx(expected, rel=1e-5)
        assert found.training[1, place] == runs.history.loss[-1].mean()


def test_scores_come_from_the_engine_and_not_from_the_blas_of_this_machine(monkeypatch) -> None:
    monkeypatch.delattr(Network, "scores")
    assert np.isfinite(judged(IRIS, TWO, splits=1, seeds=1, epochs=1).judging).all()
    assert seen([3], [0.0], draws=1, seeds=1).numbers.shape == (1, 1, 4)


def test_the_rows_that_judge_do_not_choose() -> None:
    candidates = [Candidate("a", (1,)), Candidate("a", (2,)), Candidate("b", (3,))]
    found = Judged(
        candidates,
        choosing=np.array([[1.0, 2.0, 0.0], [2.0, 1.0, 9.0]]),
        judging=np.array([[5.0, 4.0, 3.0], [5.0, 4.0, 3.0]]),
        training=np.array([[7.0, 6.0, 8.0], [6.0, 7.0, 1.0]]),
    )
    assert found.best("a").tolist() == [5, 4]
    assert found.best("a", "b").tolist() == [3, 4]
    assert found.learned("a").tolist() == [6, 6]


def test_a_run_that_diverged_is_infinitely_bad() -> None:
    each = (Candidate("sound", (4,), (("rate", 0.01),)), Candidate("lost", (4,), (("rate", 1e30),)))
    found = judged(WAVES, each, splits=1, seeds=2, optimizer="sgd", epochs=5)
    assert np.isfinite(found.judging[:, 0]).all()
    assert np.isinf([found.choosing[0, 1], found.judging[0, 1], found.training[0, 1]]).all()


def test_what_is_sure_is_so_among_all_comparisons() -> None:
    random = np.random.default_rng(0)
    chance = [corrected_t(random.normal(size=12), 0.5) for _ in range(30)]
    clear = corrected_t(random.normal(-3, 0.1, size=12), 0.5)
    assert sure([*chance, clear]) == (1, 0)
    even = np.linspace(-1, 1, 12)
    by_itself = corrected_t(even / even.std(ddof=1) + 0.75, 0.0)  # t is 0.75 · √12
    assert 0.01 < by_itself.p_value < 0.05
    assert sure([by_itself]) == (0, 1)
    assert sure([by_itself, *chance]) == (0, 0)


def test_pooling_takes_errors_of_tasks_as_independent() -> None:
    one, other = ratio(np.array([1.0, 2.0, 4.0]), np.ones(3)), ratio(np.array([8.0, 4.0, 2.0]), np.ones(3))
    found = pooled([one, other])
    assert found.value == pytest.approx(np.log(2) * 1.5)
    assert found.high - found.value == pytest.approx(
        np.hypot(one.high - one.difference, other.high - other.difference) / 2
    )


def test_networks_side_by_side_are_the_same_to_the_last_bit_as_alone() -> None:
    recipe = Recipe.make(seeds=[0, 1], epochs=2)
    given = [(Network([4, 5, 3]), IRIS.X[start:], IRIS.y[start:], recipe) for start in (0, 30)]
    for (network, X, y, _), runs in zip(given, side_by_side(cross_entropy, given), strict=True):
        assert np.array_equal(runs.theta, train(network, cross_entropy, X, y, seeds=[0, 1], epochs=2).theta)


def test_an_experiment_that_is_interrupted_is_no_measurement(monkeypatch) -> None:
    monkeypatch.setattr(Population, "train", lambda _: True)
    with pytest.raises(KeyboardInterrupt):
        judged(IRIS, TWO, splits=1, seeds=1, epochs=1)


def test_every_rate_is_tried_with_every_seed() -> None:
    runs = at_rates(Network([4, 3]), IRIS.X, IRIS.y, (0.1, 0.2), seeds=5, epochs=1)
    assert runs.recipe.each("rate") == (0.1,) * 5 + (0.2,) * 5
    assert runs.recipe.seeds == (0, 1, 2, 3, 4) * 2
    assert runs.recipe.orders == (0, 1, 2, 3, 0) * 2


def test_the_rate_is_chosen_by_other_seeds_than_those_that_are_judged() -> None:
    losses = np.array([[1.0, 1.0, np.inf], [3.0, 2.0, 5.0], [0.0, 0.0, 6.0]])
    assert best_rate(losses, judged=2).tolist() == [3, 2]
    assert best_rate(losses[:, ::-1], judged=1).tolist() == [6]


def test_digits_are_drawn_in_one_way() -> None:
    X, y = pixels(50)
    assert 0 <= X.min() < X.max() <= 1
    assert np.array_equal(y, digits()[1][:50])
    assert np.array_equal(tasks()[0].y, digits(400)[1])


def test_every_task_is_standardized_and_the_real_ones_come_first() -> None:
    for task in tasks():
        assert task.X.mean(axis=0) == pytest.approx(0, abs=1e-5)
        spread = task.X.std(axis=0)
        assert spread[spread > 0] == pytest.approx(1, abs=1e-4)
        assert len(task.X) == len(task.y)
        assert task.n_outputs == (1 if task.y.dtype.kind == "f" else len(np.unique(task.y)))
    assert [task.title.en for task in real()] == ["digits", "breast cancer", "wine", "diabetes", "iris"]
