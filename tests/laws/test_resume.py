"""The resume law: stopped after any epoch or step, saved, loaded, continued = never stopped, bit for bit."""

from typing import Any

import numpy as np
import pytest
import scipy.sparse

import kilonet as kn
from kilonet.engine.problem import Problem
from kilonet.optimizers import OPTIMIZERS
from laws.seam import ENGINES, Outcome, assert_same_bits, outcome, problem, rows, run, session, through_a_file

NET = kn.Network([5, 7, kn.Maxout(4, 2), kn.Dense(3, kn.prelu), 3])
EPOCHS = 5
FULL: dict[str, Any] = {
    "batch": 8, "epochs": EPOCHS, "optimizer": "adam(0.01)", "schedule": "warm_up(1.5, cosine)", "dropout": 0.3,
    "input_noise": 0.2, "l2": 0.01, "l1": 0.001, "max_norm": 2.0, "order": 11, "seeds": [3],
}  # fmt: skip
SEVERAL: dict[str, Any] = FULL | {
    "seeds": [3, 4, 5], "order": [11, 11, 2], "dropout": [0.0, 0.3, 0.5], "rate": [0.01, 0.3, 1e30],
    "stopping": kn.Stopping(patience=1), "epochs": 8,
}  # fmt: skip


def whole(settings: dict[str, Any], loss: str = "cross_entropy") -> Problem:
    validation = (*rows(loss, 3, n=9, seed=8), np.linspace(1, 2, 9))
    return problem(NET, loss, rows(loss, 3), {"validation": validation} | settings)


def with_a_stop(name: str, given: Problem, after: int, steps: int = 0) -> Outcome:
    """Train `after` epochs and some steps, save the state, throw the session away, load, train to the end."""
    first = session(name, given)
    if after:
        first.advance(after, None)
    for _ in range(steps):
        first.advance(given.recipe.epochs, 0.0)  # no time at all: a single step
    saved = outcome(first).state
    second = session(name, given, through_a_file(saved))
    second.advance(given.recipe.epochs, None)
    assert second.done
    return outcome(second)


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_after_any_epoch(name: str, dtype: str) -> None:
    given = whole(FULL | {"dtype": dtype})
    never = run(name, given)
    for after in range(EPOCHS + 1):
        assert_same_bits(never, with_a_stop(name, given, after))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("optimizer", list(OPTIMIZERS.table))
def test_every_optimizer_after_any_step(name: str, optimizer: str) -> None:
    given = whole(FULL | {"optimizer": optimizer, "rate": 0.01})
    never = run(name, given)
    for after, steps in ((0, 1), (0, 2), (1, 1), (3, 2), (4, 2)):
        assert_same_bits(never, with_a_stop(name, given, after, steps))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize("loss", ["squared", "hinge", "logistic"])
def test_running_sums_of_every_kind_of_score(name: str, loss: str) -> None:
    given = whole(FULL | {"sample_weight": np.linspace(0, 1, 23)}, loss)
    never = run(name, given)
    for after, steps in ((0, 1), (2, 2), (3, 0)):
        assert_same_bits(never, with_a_stop(name, given, after, steps))


@pytest.mark.parametrize("name", ENGINES)
def test_a_population_that_stops_and_diverges(name: str) -> None:
    given = whole(SEVERAL)
    never = run(name, given)
    assert never.state["diverged"].tolist() == [0, 0, 1]
    assert never.state["stopped"][1] > 0, "the example should stop a member early"
    for after in range(1, 8):
        assert_same_bits(never, with_a_stop(name, given, after))
    for steps in (1, 2, 4, 7):
        assert_same_bits(never, with_a_stop(name, given, 1, steps))


@pytest.mark.parametrize("name", ENGINES)
def test_only_between_epochs_with_another_engine(name: str) -> None:
    given, other = whole(FULL), next(other for other in ENGINES if other != name)
    first = session(name, given)
    first.advance(1, None)
    second = session(other, given, through_a_file(first.state()))
    second.advance(EPOCHS, None)
    assert second.done
    first.advance(EPOCHS, 0.0)  # a single step
    with pytest.raises(kn.SettingError, match="inside an epoch by another engine"):
        session(other, given, through_a_file(first.state()))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"history": np.zeros((5, 1))}, "history"),
        ({"history": np.zeros((1, 1, 4))}, "history"),
        ({"epoch": np.array([-1]), "step": np.array([-3])}, "counts from 0"),
        ({"stopped": np.array([-1])}, "counts from 0"),
    ],
)
def test_a_state_that_contradicts_itself_is_refused(name: str, changes: dict[str, Any], message: str) -> None:
    given = whole(FULL)
    first = session(name, given)
    first.advance(2, None)
    with pytest.raises(kn.SettingError, match=message):
        session(name, given, {**outcome(first).state, **changes})


@pytest.mark.parametrize("name", ENGINES)
def test_very_many_epochs_are_no_memory(name: str) -> None:
    running = session(name, whole(FULL | {"epochs": 10**9, "schedule": "constant"}))
    assert running.advance(2, None) == 2
    saved = outcome(running)
    assert saved.history.shape == (2, 1, 4)
    again = session(name, whole(FULL | {"epochs": 10**9, "schedule": "constant"}), through_a_file(saved.state))
    assert again.advance(1500, None) == 1502
    assert again.history().shape == (1502, 1, 4)
    np.testing.assert_array_equal(again.history(1500), again.history()[1500:])
    np.testing.assert_array_equal(again.history()[:2], saved.history)


@pytest.mark.parametrize("name", ENGINES)
def test_sparse_rows(name: str) -> None:
    X, y = rows("squared", 3)
    given = problem(NET, "squared", (scipy.sparse.csr_array(np.where(X > 0, X, 0)), y), FULL)
    never = run(name, given)
    for after, steps in ((1, 0), (2, 2)):
        assert_same_bits(never, with_a_stop(name, given, after, steps))


@pytest.mark.parametrize("name", ENGINES)
def test_through_train_with_a_callback_that_stops(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session(name, whole(FULL)).close()  # skips where there is no kernel
    monkeypatch.setenv("KILONET_ENGINE", name)
    X, y = rows("cross_entropy", 3)
    settings = FULL | {"validation": rows("cross_entropy", 3, n=9, seed=8), "stopping": kn.Stopping(patience=2)}
    never = kn.train(NET, "cross_entropy", X, y, **settings)
    assert never.engine == name
    assert len(never.history) > 2
    for epoch in range(1, len(never.history)):
        stopped = kn.train(NET, "cross_entropy", X, y, callback=lambda record: record.epoch == epoch, **settings)  # noqa: B023
        assert len(stopped.history) == epoch
        again = kn.train(NET, "cross_entropy", X, y, state=through_a_file(stopped.state), **settings)
        np.testing.assert_array_equal(again.theta, never.theta)
        np.testing.assert_array_equal(again.history.to_array(), never.history.to_array())
        assert again.best_epoch.tolist() == never.best_epoch.tolist()


@pytest.mark.parametrize("name", ENGINES)
def test_more_epochs_than_were_planned(name: str) -> None:
    plan = FULL | {"schedule": "step(2, 0.5)"}  # a schedule that does not depend on the planned length
    long, short = whole(plan), whole(plan | {"epochs": 3})
    first = run(name, short)
    second = session(name, long, through_a_file(first.state))
    second.advance(EPOCHS, None)
    assert_same_bits(run(name, long), outcome(second))


@pytest.mark.parametrize("name", ENGINES)
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 1}, "epochs counts from the start"),
        ({"batch": 4}, "other rows or another batch"),
        ({"optimizer": "sgd"}, "the optimizer that it began with"),
        ({"dtype": "float64"}, "give the same dtype"),
        ({"seeds": [3, 4]}, "members × parameters"),
    ],
)
def test_a_state_of_another_run_is_refused(name: str, changes: dict[str, Any], message: str) -> None:
    first = session(name, whole(FULL))
    first.advance(2, None)
    state = outcome(first).state
    with pytest.raises((kn.SettingError, kn.ShapeError), match=message):
        session(name, whole(FULL | changes), state)
