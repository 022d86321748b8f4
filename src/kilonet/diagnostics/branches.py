"""What is to be trained to try changes of an estimator: runs without them and with them, on the same rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from kilonet.diagnostics.judging import Data, chosen_by_others, judged_rows, random_state
from kilonet.diagnostics.per_member import settings_of, with_changes
from kilonet.estimators.trials import Trial, trials
from kilonet.record import Runs

SEEDS = 8
ORDERS = 4  # of the rows: seeds beyond share them, and their batches, so that packs of networks are full


@dataclass(frozen=True, eq=False)
class Branch:
    """Runs with some changes, a run for each seed. The same place in another branch has the same seed and rows.

    changes: parameters of the estimator. trials: for each order of the rows those of its seeds; runs: what became of
    them. epoch: after which they part from those without changes. refused: why they cannot be trained, or empty.
    """

    changes: Mapping[str, Any]
    trials: Sequence[Trial] = ()
    runs: Sequence[Runs] = ()
    epoch: int = 0
    refused: str = ""

    @property
    def lost(self) -> NDArray[np.bool_]:
        """Which runs (seeds,) left the finite numbers."""
        return np.concatenate([np.atleast_1d(np.asarray(runs.diverged)) for runs in self.runs]) > 0

    @property
    def cost(self) -> float:
        """Of a run, as far as it differs between branches: only proportions matter."""
        problem = self.trials[0].work.problem
        return float(problem.total_steps) * problem.network.n_parameters


def prepared(
    estimator: Any, changes: Sequence[Mapping[str, Any]], data: Data, seeds: int, member: int = 0
) -> list[Branch]:
    """The branch without changes, and one for each of the changes, not yet trained.

    member: of several with settings of their own the one whose settings are tried. Changes that the estimator refuses
    make a branch that says so. Raises what `fit` raises of the estimator without changes, and DataError for rows to
    judge by that do not suit it.

    The first seed is the run of the first member with these settings: the one that `fit` of the estimator makes of the
    training rows. Early stopping never chooses by rows that judge what it chose: see `chosen_by_others`.
    """
    if estimator.early_stopping or any(own.get("early_stopping") for own in changes):
        estimator, data = chosen_by_others(estimator, data, member)
    try:
        return _branches(estimator, [{}, *changes], data, seeds, member)
    except (ValueError, TypeError):
        refusals = [_refusal(estimator, own, data, member) for own in changes]
        _branches(estimator, [{}], data, 1, member)
        if not any(refusals):
            raise
    sound = [own for own, why in zip(changes, refusals, strict=True) if not why]
    without, *rest = _branches(estimator, [{}, *sound], data, seeds, member)
    left = iter(rest)
    return [without] + [
        Branch(own, refused=why) if why else next(left) for own, why in zip(changes, refusals, strict=True)
    ]


def _branches(
    estimator: Any, changes: Sequence[Mapping[str, Any]], data: Data, seeds: int, member: int
) -> list[Branch]:
    given = [(0, place, own) for place, more in enumerate(changes) for own in _variants(estimator, more, seeds, member)]
    found: list[list[Trial]] = [[] for _ in changes]
    for trial in trials(given, [data.split], data.table):
        if data.validation is not None:
            trial.held_out = data.validation
        recipe = replace(trial.work.problem.recipe, watch=0)  # nobody looks at what would be seen
        trial.work = replace(trial.work, problem=replace(trial.work.problem, recipe=recipe))
        found[trial.place].append(trial)
    if data.validation is not None:
        judged_rows(found[0][0])
    return [Branch(own, made) for own, made in zip(changes, found, strict=True)]


def _refusal(estimator: Any, changes: Mapping[str, Any], data: Data, member: int) -> str:
    try:
        _branches(estimator, [changes], data, 1, member)
    except (ValueError, TypeError) as error:
        return str(error)
    return ""


def _variants(estimator: Any, changes: Mapping[str, Any], seeds: int, member: int) -> list[Any]:
    """The estimator with some changes, for each order of the rows with as many members as have it."""
    changed = with_changes(estimator, changes, member)
    own = settings_of(changed, member) | {"warm_start": False, "callbacks": None, "verbose": False}
    if not changed.early_stopping:  # only curves are made of these rows
        own["validation_data"] = None
    first = random_state(estimator)
    states = [first, *np.random.RandomState(first).randint(0, 2**31, size=ORDERS - 1).tolist()]
    return [
        clone(changed).set_params(**own, random_state=state, members=len(range(order, seeds, ORDERS)))
        for order, state in enumerate(states[:seeds])
    ]
