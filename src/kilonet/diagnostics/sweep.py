"""Short trainings that ask something of a network: which rates learn at all, in how few steps, and from where not."""

import math
import time
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.diagnostics.outcome import knowing_nothing, mean_loss
from kilonet.diagnostics.reading_rates import own_rate
from kilonet.diagnostics.subject import Places, Subject, initial, spaced
from kilonet.engine import Problem, choose
from kilonet.errors import MemoryLimitError
from kilonet.findings import RateFacts
from kilonet.record import Runs
from kilonet.training import carry_out

Array = NDArray[Any]
Floats = NDArray[np.float64]

RATES = np.geomspace(1e-5, 10, 16)
WORK = 1.5e10  # steps times rows times parameters of all networks of a trial: one or two seconds of one processor
_UPDATE = 40  # rows whose gradients take as long as a step of their parameters does
_ROWS, _JUDGED = 4000, 1000  # that a trial is of, and that it is judged by
_MOST_STEPS, _STEPS, _FEWEST_STEPS = 1000, 200, 40
_BATCH = 32  # rows of a step at most, where all rates would take too long
_HELD_OUT, _FEWEST_ROWS = 4, 8  # one of so many rows; of fewer none is held out
_ABOUT, _HALF = 0.05, 0.5  # of the fall on held-out rows: what is about as good, and what a rate that learns may miss
_NOTHING = 0.05  # of the loss of knowing nothing: where rows held out gain no more, no rate is the right one


def steps_within(members: int, rows: int, parameters: int) -> int:
    """Steps of so many rows that may be made with each of so many networks.

    >>> steps_within(16, 32, 3_000), steps_within(10, 32, 352_000)
    (4340, 59)
    """
    return int(WORK / (members * (rows + _UPDATE) * parameters))


def rate_facts(estimator: Any, X: Any, y: Any, sample_weight: Any = None, *, member: int = 0) -> RateFacts | None:
    """How far rates from 0.00001 to 10 get from one start in a few steps, with a constant rate, else as `fit`.

    Tried are 16 rates, that of the training and the optimizer's own, on up to 3,000 rows; what they come to is judged
    by those rows and by up to 1,000 others. There are as many steps as the training has, but 200 at least and 1,000 at
    most. So that it takes a second or two, large networks get every second rate, and fewer steps of 32 rows at most.
    Where fewer than 40 are left, or memory does not suffice, nothing is tried, and there are no facts: None.

    A rate learns that comes at least half the way from the loss of knowing nothing to the lowest one on rows held out.
    Half of that, and not of what rates come to on the rows that they see: where classes overlap, large rates learn
    noise by heart. It says which rates learn, not which is best: few steps favour large ones. Where nothing is learned
    with any rate, none is named.
    Source: after Smith 2017, Cyclical learning rates, with a run for each rate instead of one with rising rates.

    >>> import kilonet as kn
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> found = rate_facts(kn.MLPRegressor(hidden=(8,), random_state=0), X, X[:, 0])
    >>> found.used, found.smallest < found.fastest < found.largest
    (0.001, True)
    """
    return rates_of(Subject.of(estimator, X, y, sample_weight, member))


def rates_of(subject: Subject) -> RateFacts | None:
    """As `rate_facts`."""
    recipe, used = subject.problem.recipe, float(subject.problem.recipe.per_member("rate")[0])
    given = (used, own_rate(recipe.optimizer.name, subject.network.n_layers))
    planned = _planned(subject, np.asarray([one for one in given if math.isfinite(one)]))
    if planned is None:
        return None
    rates, steps, batch = planned
    seen, others = _parted(subject.problem.n_rows)
    seen = seen[: max(1, steps * batch)]
    epochs = max(1, steps // -(-len(seen) // batch))
    recipe = subject.recipe(len(rates), rate=rates.tolist(), epochs=epochs, batch=batch, schedule="constant")
    problem = subject.problem_on(seen, recipe)
    try:
        runs = trained(problem)
    except MemoryLimitError:
        return None
    judged = [subject.problem_on(places[:_JUDGED], recipe) for places in (seen, others)]
    losses, held_out = (losses_of(own, runs) for own in judged)
    start = mean_loss(subject.loss, subject.scores(initial(problem), judged[1].X), judged[1].targets, judged[1].weights)
    nothing = min(start, knowing_nothing(subject, judged[1].targets, judged[1].weights))
    return replace(_facts(rates, losses, held_out, nothing, used), steps=problem.total_steps, held_out=held_out)


def _planned(subject: Subject, given: Floats) -> tuple[Floats, int, int] | None:
    """Rates, steps and rows of a step: what can be afforded, None where that tells nothing."""
    own = subject.problem
    wanted = max(_STEPS, min(_MOST_STEPS, own.total_steps))
    for every, batch, fewest in ((1, own.batch, _STEPS), (2, _BATCH, _FEWEST_STEPS)):
        rates, rows = np.unique([*RATES[::every], *given]), min(batch, own.batch, own.n_rows)
        steps = steps_within(len(rates), rows, own.network.n_parameters)
        if steps >= fewest:
            return rates, min(wanted, steps), rows
    return None


def _parted(n_rows: int) -> tuple[Places, Places]:
    """Places of the rows of a trial in an order by chance, always the same one, and of rows held out from it."""
    places = np.random.default_rng(0).permutation(spaced(n_rows, _ROWS))
    kept = len(places) // _HELD_OUT if len(places) >= _FEWEST_ROWS else 0
    return places[kept:], places[:kept] if kept else places


def _facts(rates: Floats, losses: Floats, held_out: Floats, nothing: float, used: float) -> RateFacts:
    reached = float(held_out.min())
    fall = nothing - reached
    if not fall > _NOTHING * nothing:
        return RateFacts(rates, losses, math.nan, used)
    good = rates[held_out <= reached + _ABOUT * fall]
    enough = nothing - _HALF * fall
    learning = rates[losses <= enough]
    smallest, largest = (float(learning.min()), float(learning.max())) if len(learning) else (math.nan, math.nan)
    return RateFacts(rates, losses, float(good[len(good) // 2]), used, smallest, largest, enough, reached)


def trained(problem: Problem) -> Runs:
    """The networks of a problem, trained. Raises MemoryLimitError where memory does not suffice."""
    return carry_out(problem, None, None, None, single=False, begun=time.perf_counter())


def losses_of(problem: Problem, runs: Runs) -> Floats:
    """Data loss of every network at the end, on all rows; infinite for those that left the finite numbers."""
    predictor, loss = choose(problem.network).Predictor(problem.network, runs.theta), problem.loss
    found = [mean_loss(loss, own, problem.targets, problem.weights) for own in predictor.scores(problem.X)]
    return np.where(np.asarray(runs.diverged) > 0, np.inf, found)
