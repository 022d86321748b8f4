"""What is to be trained to try changes of an estimator: runs without them and with them, on the same rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone, is_classifier

from kilonet.estimators.labels import Labels, label_array
from kilonet.estimators.numbers import number_array
from kilonet.estimators.rows import Rows, hold_out
from kilonet.estimators.trials import Split, Table, Trial, trials
from kilonet.record import Runs
from kilonet.rules import PER_MEMBER, entries

SEEDS = 8
ORDERS = 4  # of the rows: seeds beyond share them, and their batches, so that packs of networks are full
HELD_OUT = 0.25


class Data(NamedTuple):
    """Rows to train on and to judge by; validation: rows of another table to judge by, or None for those of split."""

    table: Table
    split: Split
    validation: tuple[Any, Any] | None


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


def laid_out(estimator: Any, X: Any, y: Any, sample_weight: Any, validation: Any) -> Data:
    """The rows to train on and to judge by: all and those of validation, or a quarter is held out.

    Rows are held out by the estimator's random_state; 0 stands for one that is no number.
    """
    n_rows = len(_targets(estimator, y))
    weights = None if sample_weight is None else np.broadcast_to(np.asarray(sample_weight), n_rows)
    table = Table(X, y, weights)
    if validation is not None:
        everything = np.arange(n_rows)
        return Data(table, Split(everything, everything[:0]), tuple(validation[:2]))
    return Data(table, held_out_rows(estimator, y, weights, _random_state(estimator)), None)


def held_out_rows(estimator: Any, y: Any, sample_weight: Any, seed: int) -> Split:
    """A quarter of the rows is held out, of every class where it can be; none that has weight 0 or an unknown class.

    >>> from kilonet.estimators.classifier import MLPClassifier
    >>> len(held_out_rows(MLPClassifier(), ["a", "b"] * 20, None, seed=0).test)
    10
    """
    classes = is_classifier(estimator)
    targets = _targets(estimator, y)
    rows = Rows.of(targets, targets, sample_weight)
    places = np.arange(len(targets))
    train, test = (places[part.places] for part in hold_out(rows, HELD_OUT, seed, stratify=classes))
    if classes and targets.ndim == 1:
        test = test[np.isin(targets[test], targets[train])]
    return Split(train, test)


def prepared(estimator: Any, changes: Sequence[Mapping[str, Any]], data: Data, seeds: int) -> list[Branch]:
    """The branch without changes, and one for each of the changes, not yet trained.

    Changes that the estimator refuses make a branch that says so. Raises what `fit` raises of the estimator without
    changes.

    The first seed is the run that `fit` of the estimator makes of the training rows. Of several members with settings
    of their own the first ones are taken.
    """
    try:
        return _branches(estimator, [{}, *changes], data, seeds)
    except (ValueError, TypeError):
        refusals = [_refusal(estimator, own, data) for own in changes]
        _branches(estimator, [{}], data, 1)
        if not any(refusals):
            raise
    sound = [own for own, why in zip(changes, refusals, strict=True) if not why]
    without, *rest = _branches(estimator, [{}, *sound], data, seeds)
    left = iter(rest)
    return [without] + [
        Branch(own, refused=why) if why else next(left) for own, why in zip(changes, refusals, strict=True)
    ]


def _branches(estimator: Any, changes: Sequence[Mapping[str, Any]], data: Data, seeds: int) -> list[Branch]:
    given = [(0, place, own) for place, more in enumerate(changes) for own in _variants(estimator, more, seeds)]
    found: list[list[Trial]] = [[] for _ in changes]
    for trial in trials(given, [data.split], data.table):
        if data.validation is not None:
            trial.held_out = data.validation
        recipe = replace(trial.work.problem.recipe, watch=0)  # nobody looks at what would be seen
        trial.work = replace(trial.work, problem=replace(trial.work.problem, recipe=recipe))
        found[trial.place].append(trial)
    return [Branch(own, made) for own, made in zip(changes, found, strict=True)]


def _refusal(estimator: Any, changes: Mapping[str, Any], data: Data) -> str:
    try:
        _branches(estimator, [changes], data, 1)
    except (ValueError, TypeError) as error:
        return str(error)
    return ""


def _variants(estimator: Any, changes: Mapping[str, Any], seeds: int) -> list[Any]:
    """The estimator with some changes, for each order of the rows with as many members as have it."""
    changed = clone(estimator).set_params(**changes)
    own = _of_first_member(changed) | {"warm_start": False, "callbacks": None, "verbose": False}
    if not changed.early_stopping:  # only curves are made of these rows
        own["validation_data"] = None
    first = _random_state(estimator)
    states = [first, *np.random.RandomState(first).randint(0, 2**31, size=ORDERS - 1).tolist()]
    return [
        clone(changed).set_params(**own, random_state=state, members=len(range(order, seeds, ORDERS)))
        for order, state in enumerate(states[:seeds])
    ]


def _of_first_member(estimator: Any) -> dict[str, Any]:
    """Settings that are one per member, as those of the first."""
    given = {name: getattr(estimator, name) for name in PER_MEMBER if hasattr(estimator, name)}
    first = {name: value[0] for name, value in given.items() if entries(name, value)}
    if getattr(estimator.loss, "n_members", None):
        first["loss"] = estimator.loss.member(0)
    return first


def _random_state(estimator: Any) -> int:
    state = estimator.random_state
    return int(state) if isinstance(state, Integral) else 0


def _targets(estimator: Any, y: Any) -> NDArray[Any]:
    """Numbers of the classes, where there are some, else y as numbers."""
    if not is_classifier(estimator):
        return number_array(y)
    labels = label_array(y)
    return Labels.of(labels).indices(labels)
