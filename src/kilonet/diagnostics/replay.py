"""A training once more, watched in every epoch: it is deterministic, so that the same network comes out, or none."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.checks import whole
from kilonet.diagnostics.insides import activity
from kilonet.diagnostics.pace import seconds_of
from kilonet.diagnostics.subject import Subject
from kilonet.history import History
from kilonet.population import PATIENCE, Group, Population

Array = NDArray[Any]
Floats = NDArray[np.float64]

MOST_SECONDS = 60.0  # of a training that is worth being repeated
TOO_LONG = "training again takes more than a minute"
ANOTHER = "training could not be repeated with these rows, which may be others than those of `fit`"
STOPPED = f"{ANOTHER}, or it was stopped by others"


@dataclass(frozen=True, eq=False)
class Replay:
    """What came out of a training that was repeated.

    history: the curves as training kept them, with the monitors of every epoch. epochs: after which thetas (epochs,
    n_parameters) were taken, from 0 on, as they were in training; the last ones are those of the last epoch, even if
    early stopping kept others. activity: for each hidden layer the share of rows (epochs, units) on which units have a
    slope.
    """

    history: History
    epochs: list[int]
    thetas: Array
    activity: list[Floats]


def replay(
    estimator: Any, X: Any, y: Any, sample_weight: Any = None, epochs: int = 16, *, member: int = 0
) -> Replay | None:
    """Train a member of a fitted estimator once more, on the X and y of its `fit`, and watch it.

    epochs: how many moments are kept, about, beside the start; more of them early on. None where it would take more
    than about a minute, and where not the same parameters come out, bit for bit: after `partial_fit` or a warm start on
    other rows, with other rows than those of `fit`, on another engine, or after Ctrl-C inside of an epoch.

    >>> import kilonet as kn
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> regressor = kn.MLPRegressor(hidden=(8,), epochs=9, random_state=0).fit(X, X[:, 0])
    >>> found = replay(regressor, X, X[:, 0], epochs=3)
    >>> found.epochs, [own.shape for own in found.activity], replay(regressor, 2 * X + X**2, X[:, 0])
    ([0, 1, 3, 9], [(4, 8)], None)
    """
    found = replay_of(Subject.of(estimator, X, y, sample_weight, member), whole("epochs", epochs))
    return found if isinstance(found, Replay) else None


def replay_of(subject: Subject, epochs: int = 16) -> Replay | str:
    """As `replay`; where there is none, why: nothing for a network of no epoch."""
    last = len(subject.history)
    if last == 0 or seconds_of(subject.problem, last) > MOST_SECONDS:
        return TOO_LONG if last else ""
    problem = replace(subject.problem, recipe=subject.problem.recipe.but(watch=1))
    marks = sorted({0, *np.geomspace(1, last, epochs).round().astype(int).tolist()})
    thetas = []
    with Population([Group.whole(problem)]) as population:
        for mark in marks:
            while population.epoch < mark and not population.done:
                population.advance(mark - population.epoch, PATIENCE)
            thetas.append(np.array(population.sessions[0].state()["theta"][0]))
        runs = population.runs(0, single=True, interrupted=False, begun=0.0)
    if len(runs.history) != last or not np.array_equal(runs.theta, subject.theta):
        return ANOTHER if problem.recipe.stopping is None else STOPPED
    maps = zip(*(activity(subject.network, theta, problem.X) for theta in thetas), strict=True)
    # Curves of validation rows are in no other place: a saved model and `kilonet fit` leave these rows out.
    history = replace(subject.history, monitors=runs.history.monitors)
    return Replay(history, marks, np.array(thetas), [np.array(own) for own in maps])
