"""What trained networks leave behind: their parameters, and what they say of the rows that they have not seen."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.estimators.run import adopt
from kilonet.estimators.trials import Common, Trial
from kilonet.history import History
from kilonet.recipe import Recipe
from kilonet.record import Runs
from kilonet.search.candidates import Candidate
from kilonet.search.outcomes import Run
from kilonet.search.runs import Runner
from kilonet.tuned.judging import Judge

Floats = NDArray[np.float64]


@dataclass(eq=False)
class Gathered:
    """Takes in what a runner trains. said: of a candidate the sum (n, k) over networks that hold a row out, and counts.

    networks: of each run that kept finite numbers, with the trial that it came from.
    """

    common: Common
    judge: Judge
    said: dict[Candidate, tuple[Floats, Floats]] = field(default_factory=dict)
    networks: dict[Run, tuple[Trial, Runs]] = field(default_factory=dict)

    def keep(self, trial: Trial, runs: Runs, made: list[Run]) -> tuple[Floats, Floats]:
        """Losses and scores of some runs on the rows that they hold out; NaN of those that left the finite numbers."""
        test = trial.held_out[0]
        with np.errstate(all="ignore"):
            said = self._said(trial, runs)
            losses, scores = self.judge.loss(said, test), self.judge.score(said, test)
        lost, light = np.atleast_1d(np.asarray(runs.diverged)) > 0, _without_rows(trial)
        for member, run in enumerate(made):
            if lost[member] or not np.isfinite(said[member]).all():
                losses[member] = np.nan
                continue
            total, counts = self._sums(run.candidate, said.shape[-1])
            total[test] += said[member]
            counts[test] += 1
            alone = runs if runs.single else runs.members([member], single=True)
            self.networks[run] = light, replace(alone, state={})  # nothing goes on, and it is most of the memory
        # Rows without weight alone judge nothing; that is no reason to call a run lost.
        unjudged = ~np.isfinite(losses) & ~lost & (self.judge.weights[test].sum() == 0)
        return np.where(unjudged, 0.0, losses), np.where(unjudged, 0.0, scores)

    def _said(self, trial: Trial, runs: Runs) -> Floats:
        """What members say of the rows that they hold out (members, rows, k)."""
        pieces = [
            self.judge.said(own)
            for _, own in trial.scores(runs, self.common.inputs(trial.work.footing, trial.held_out[0]))
        ]
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces, axis=1)

    def on_split(self, weights: dict[Candidate, float], split: int) -> Floats:
        """What candidates with weights, the networks of one split alone, say of the rows that it holds out."""
        total: Any = 0.0
        for candidate, weight in weights.items():
            if weight > 0:
                own = [run for run in self.networks if run.split == split and run.candidate == candidate]
                total = total + weight * np.mean([self._said(*self.networks[run])[0] for run in own], axis=0)
        return total  # type: ignore[no-any-return]

    def _sums(self, candidate: Candidate, k: int) -> tuple[Floats, Floats]:
        if candidate not in self.said:
            n = len(self.judge.targets)
            self.said[candidate] = np.zeros((n, k)), np.zeros(n)
        return self.said[candidate]

    def out_of_fold(self, candidate: Candidate) -> Floats:
        """What its networks say, as a mean, of rows that they have not seen (n, k); NaN of rows that none held out."""
        total, counts = self.said[candidate]
        with np.errstate(invalid="ignore"):
            found: Floats = total / counts[:, np.newaxis]
        return found


def _without_rows(trial: Trial) -> Trial:
    """The trial when it is over: many of them with their rows would fill the memory."""
    none = np.empty((0, trial.work.footing.network.n_inputs), np.float32)
    problem = replace(trial.work.problem, X=none, targets=none, weights=None, validation=None)
    return replace(trial, work=replace(trial.work, problem=problem))


@dataclass(frozen=True, eq=False)
class Part:
    """Networks of one shape as a fitted estimator with as many members.

    splits (members,): the number of the split that each was trained on. weights (members,): of what each says; those
    of all parts sum to 1. params: of each member's configuration.
    """

    estimator: Any
    splits: NDArray[np.int64]
    weights: Floats
    params: Sequence[dict[str, Any]]


def parts(runner: Runner, gathered: Gathered, weights: dict[Candidate, float]) -> list[Part]:
    """The networks of the candidates that have a weight, those of one shape together."""
    shapes: dict[Any, list[Run]] = {}
    for run in gathered.networks:
        if weights.get(run.candidate, 0.0) > 0:
            shapes.setdefault(run.candidate.architecture, []).append(run)
    found = []
    for own in shapes.values():
        own.sort(key=lambda run: (repr(run.candidate), run.split, run.seed))
        each = [sum(run.candidate == other.candidate for other in gathered.networks) for run in own]
        shares = np.array([weights[run.candidate] / n for run, n in zip(own, each, strict=True)])
        found.append(_part(runner, gathered, own, shares))
    return found


def _part(runner: Runner, gathered: Gathered, own: Sequence[Run], shares: Floats) -> Part:
    trials = [gathered.networks[run][0] for run in own]
    runs = [gathered.networks[run][1] for run in own]
    trial = trials[0]
    recipe = Recipe.joined([each.recipe for each in runs])
    # No axis of members is made for a single network, as no estimator has one.
    joined = runs[0] if len(runs) == 1 else replace(runs[0], recipe=recipe, **_stacked(runs))
    estimator = runner.settings_of(own[0].candidate).set_params(members=len(own), random_state=None)
    work = replace(trial.work, footing=replace(trial.work.footing, seeds=recipe.seeds))
    adopt(estimator, work, joined, said=False)
    estimator._state = None  # rows differ from member to member: nothing could go on
    splits = np.array([run.split for run in own], dtype=np.int64)
    return Part(estimator, splits, shares, [run.candidate.params for run in own])


def _stacked(runs: Sequence[Runs]) -> dict[str, Any]:
    """What runs of single networks have each for itself, side by side."""
    curves = np.concatenate([own.history.to_array() for own in runs], axis=1)
    monitors = np.stack([own.history.monitors for own in runs], axis=1)
    counts = {
        name: np.array([getattr(own, name) for own in runs]) for name in ("best_epoch", "stopped_epoch", "diverged")
    }
    theta = np.stack([own.theta for own in runs])
    return {"theta": theta, "history": History.of(curves, single=False, monitors=monitors), **counts}
