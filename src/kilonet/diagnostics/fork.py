"""Runs that part: trained once up to an epoch, and then on with changes and without them, side by side."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from kilonet.activations import LeakyReLU, ReLU
from kilonet.diagnostics.branches import SEEDS, Branch, prepared
from kilonet.diagnostics.judging import laid_out
from kilonet.engine import Problem
from kilonet.engine.state import EPOCHS, State
from kilonet.history import EpochRecord
from kilonet.layers import Layer
from kilonet.population import Group, Population
from kilonet.record import Runs

_OF_STEPS = {"rate", "schedule", "l2", "l1", "dropout", "input_noise", "max_norm"}  # may change between two steps
_LIKE_RELU = (ReLU, LeakyReLU)  # nearly the same: what was learned with one is worth as much with the other


def forked(
    estimator: Any,
    changes: Sequence[Mapping[str, Any]],
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    epoch: int = 0,
    seeds: int = SEEDS,
    validation: Any = None,
) -> list[Branch]:
    """Train an estimator without changes and with each of the changes: its branches in this order.

    changes: parameters of the estimator. epoch: the last one before they part. Changes of what a step does (rate,
    schedule, l2, l1, dropout, input_noise, max_norm, or leaky_relu for relu) go on from there, with parameters and
    optimizer's memory as they are. Others change what training stands on, and begin anew: their branch has epoch 0.
    Where a run is through by then, by divergence or early stopping, all part in the epoch before that. seeds: runs of
    each branch; they see up to 4 orders of the rows. validation: (X, y), to judge by; else a quarter of the rows is
    held out. Ctrl-C is a KeyboardInterrupt.

    Without changes a run has the bits of one that was never forked.

    >>> from kilonet.estimators.classifier import MLPClassifier
    >>> X = np.linspace(-1, 1, 40)[:, None]
    >>> estimator = MLPClassifier(hidden=4, epochs=5, random_state=0)
    >>> branches = forked(estimator, [{"rate": 0.1}, {"hidden": 8}], X, X[:, 0] > 0, epoch=3, seeds=4)
    >>> [(branch.changes, branch.epoch, len(branch.lost)) for branch in branches]
    [({}, 3, 4), ({'rate': 0.1}, 3, 4), ({'hidden': 8}, 0, 4)]
    """
    data = laid_out(estimator, X, y, sample_weight, validation)
    branches = prepared(estimator, changes, data, seeds)
    return trained(branches, [epoch] * len(branches))


def trained(branches: Sequence[Branch], epochs: Sequence[int]) -> list[Branch]:
    """Train what `prepared` made; epochs: for each branch the last one before it may part from the first."""
    without = branches[0]
    last = without.trials[0].work.problem.recipe.epochs - 1
    wanted = [min(epoch, last) if goes_on(without, own) else 0 for epoch, own in zip(epochs, branches, strict=True)]
    wanted[0] = max(wanted)
    states, latest = _shared(without, {epoch for epoch in wanted if epoch})
    wanted = [min(epoch, latest) for epoch in wanted]
    crowd = _Crowd(
        _Entry(trial.work.problem, epoch, states[epoch][order] if epoch else None)
        for own, epoch in zip(branches, wanted, strict=True)
        for order, trial in enumerate(own.trials)
    )
    with Population(crowd.groups) as population:
        found = iter(crowd.train(population))
    return [
        replace(own, epoch=epoch, runs=[next(found) for _ in own.trials])
        for own, epoch in zip(branches, wanted, strict=True)
    ]


def goes_on(without: Branch, branch: Branch) -> bool:
    """Whether a branch can go on from the state of the runs without changes."""
    if branch.refused:
        return False
    others = set(branch.changes) - _OF_STEPS
    ours, theirs = (own.trials[0].work.problem.network.layers for own in (without, branch))
    return not others or (others == {"activation"} and all(map(_exchangeable, ours, theirs)))


def _exchangeable(ours: Layer, theirs: Layer) -> bool:
    return ours == theirs or (isinstance(ours.activation, _LIKE_RELU) and isinstance(theirs.activation, _LIKE_RELU))


def _shared(without: Branch, wanted: set[int]) -> tuple[dict[int, list[State]], int]:
    """The states of the runs without changes after these epochs, and the latest of them.

    Who is through cannot go on otherwise: the epoch before the first one that is then stands for all later ones.
    """
    while wanted:
        states = _states_after(without, sorted(wanted))
        ends = np.concatenate([state[name] for state in states[max(wanted)] for name in ("diverged", "stopped")])
        latest = int(ends[ends > 0].min(initial=max(wanted) + 1)) - 1
        if latest == max(wanted):
            return states, latest
        wanted = {min(epoch, latest) for epoch in wanted} - {0}
    return {}, 0


def _states_after(without: Branch, epochs: Sequence[int]) -> dict[int, list[State]]:
    crowd = _Crowd(_Entry(trial.work.problem) for trial in without.trials)
    with Population(crowd.groups) as population:
        return {epoch: [runs.state for runs in crowd.train(population, epoch)] for epoch in epochs}


class _Entry(NamedTuple):
    """A problem, and the epoch and state from which it goes on."""

    problem: Problem
    epoch: int = 0
    state: State | None = None


class _Crowd:
    """Problems in training side by side: those that can share packs are one group."""

    def __init__(self, entries: Iterable[_Entry]) -> None:
        self._entries = list(entries)
        self._batches: list[list[int]] = []
        for number, entry in enumerate(self._entries):
            fitting = (batch for batch in self._batches if _fit(self._entries[batch[0]], entry))
            batch = next(fitting, None)
            if batch is None:
                self._batches.append([number])
            else:
                batch.append(number)

    @property
    def groups(self) -> list[Group]:
        """What a population is made of."""
        groups, first = [], 0
        for batch in self._batches:
            own = [self._entries[number] for number in batch]
            problem = Problem.joined([entry.problem for entry in own])
            places = range(first, first + problem.recipe.n_members)
            state = _joined([entry.state for entry in own if entry.state is not None])
            groups.append(Group(problem, tuple(places), state=state))
            first = places.stop
        return groups

    def train(self, population: Population, epoch: int | None = None) -> list[Runs]:
        """Train until so many epochs are complete, or to the end; the record of each entry in its order."""
        begun = time.perf_counter()

        def enough(record: EpochRecord) -> bool:
            return record.epoch >= (epoch or 0)

        if population.train(None if epoch is None else enough):
            raise KeyboardInterrupt
        found: dict[int, Runs] = {}
        for place, batch in enumerate(self._batches):
            runs, first = population.runs(place, single=False, interrupted=False, begun=begun), 0
            for number in batch:
                members = self._entries[number].problem.recipe.n_members
                found[number] = runs.members(range(first, first + members))
                first += members
        return [found[number] for number in range(len(self._entries))]


def _fit(one: _Entry, other: _Entry) -> bool:
    return one.epoch == other.epoch and one.problem.fits(other.problem)


def _joined(states: Sequence[State]) -> State | None:
    """One state of all their members, all after the same epoch."""
    if not states:
        return None
    by_member = {name: 1 if name in ("slots", *EPOCHS) else 0 for name in states[0]}
    return {name: np.concatenate([own[name] for own in states], axis=axis) for name, axis in by_member.items()}
