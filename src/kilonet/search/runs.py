"""Runs of a search: one network on one split. What is known already is not trained again."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from kilonet import __version__
from kilonet.estimators.run import adopt
from kilonet.estimators.trials import Split, Table, Trained, Trial, trials
from kilonet.record import Runs
from kilonet.search.candidates import Architecture, Candidate
from kilonet.search.marks import digest
from kilonet.search.outcomes import LOST, Outcome, Run
from kilonet.search.pace import Pace, training_cost
from kilonet.search.store import Store

Floats = NDArray[np.float64]

_GROUP = 2e9  # nanoseconds of training in one population, about, or a pack: what a kill costs at most
_MOST = 512  # runs in it: getting ready takes time too
_PACK = 16  # lanes of the widest vectors: so many runs may fill one pack
MOST_ORDERS = 4  # of the rows: seeds beyond share them, and their batches


@dataclass(eq=False)
class Runner:
    """Trains runs as populations, group by group, and keeps what comes out.

    estimator: what the candidates' parameters are set on. random_states: one for each order of the rows. scoring: None
    for the loss of the estimator, else a scorer of scikit-learn whose score counts. pace: how long it all takes.
    prepare: what makes trials of estimators, as `trials` does; keep: what is told of every trial and those of its runs
    that were asked for, and may judge them itself. group: how much is trained in one population. widths: inputs of the
    architectures whose encoders are of their own, n_inputs for all others.
    """

    estimator: Any
    table: Table
    splits: list[Split]
    random_states: Sequence[int]
    scoring: Any
    store: Store
    n_inputs: int
    n_outputs: int
    loss_name: str
    scorer: Any = None
    progress: Callable[[int], Any] = lambda _: None
    pace: Pace = field(default_factory=Pace)
    prepare: Callable[[Sequence[tuple[int, int, Any]], Sequence[Split]], Iterable[Trial]] | None = None
    keep: Callable[[Trial, Runs, list[Run]], tuple[Floats, Floats]] | None = None
    group: float = _GROUP
    widths: Mapping[Architecture, int] = field(default_factory=dict)
    outcomes: dict[Run, Outcome] = field(default_factory=dict)
    done: int = 0
    _marks: dict[Candidate, str] = field(default_factory=dict)
    _row_marks: dict[int, str] = field(default_factory=dict)

    def run(self, wanted: Iterable[Run]) -> None:
        """See to it that the outcomes of these runs are known; Ctrl-C is a KeyboardInterrupt."""
        missing = [run for run in dict.fromkeys(wanted) if run not in self.outcomes]
        keys = {} if self.store.path is None else {self._key(run): run for run in missing}
        for key, values in self.store.get(list(keys)).items():
            self._take(keys[key], Outcome(*(np.nan if value is None else value for value in values)))
        self.progress(self.done)
        left = [run for run in missing if run not in self.outcomes]
        left.sort(key=self._place)
        for group in self._groups(left):
            self._train(group)

    @property
    def known(self) -> set[Candidate]:
        """Candidates that were tried."""
        return {run.candidate for run in self.outcomes}

    def beside(self, networks: int) -> None:
        """Networks that were trained for the evidence and at the end: they count too."""
        self.done += networks
        self.progress(self.done)

    def add(self, splits: Sequence[Split]) -> list[int]:
        """Further splits, by the numbers that they get."""
        first = len(self.splits)
        self.splits += splits
        return list(range(first, len(self.splits)))

    def settings_of(self, candidate: Candidate) -> Any:
        """The estimator with its parameters."""
        return clone(self.estimator).set_params(**candidate.params)

    def estimator_of(self, candidate: Candidate, random_state: int) -> Any:
        """The estimator that a candidate is, with a random state."""
        return self.settings_of(candidate).set_params(random_state=random_state)

    def _take(self, run: Run, outcome: Outcome) -> None:
        self.outcomes[run] = outcome
        self.done += 1

    def _place(self, run: Run) -> Any:
        order, member = self._draw(run.seed)
        return run.split, order, repr(run.candidate.architecture), repr(run.candidate.tuned), member

    def _draw(self, seed: int) -> tuple[int, int]:
        """Which random state is a seed's, and which member of it."""
        return seed % len(self.random_states), seed // len(self.random_states)

    def _groups(self, runs: Sequence[Run]) -> Iterable[list[Run]]:
        """Runs that are trained side by side, about as many as take two seconds, or one pack, which is not cut.

        runs: sorted, so that those with the same rows and architecture are neighbours.
        """
        group: list[Run] = []
        cost = 0.0
        for _, same in groupby(runs, key=lambda run: self._place(run)[:3]):
            alike = list(same)
            for pack in (alike[start : start + _PACK] for start in range(0, len(alike), _PACK)):
                own = sum(self.cost(run) for run in pack)
                if group and (cost + own > self.group or len(group) + len(pack) > _MOST):
                    yield group
                    group, cost = [], 0.0
                group += pack
                cost += own
        if group:
            yield group

    def cost(self, run: Run) -> float:
        """Of a run, as `kilonet.search.pace` has it."""
        rows, architecture = len(self.splits[run.split].train), run.candidate.architecture
        ends = self.widths.get(architecture, self.n_inputs), self.n_outputs
        return training_cost(self.estimator, architecture, rows, ends)

    def measure(self, candidates: Sequence[Candidate], seconds: float) -> None:
        """Train candidates on the first split, to know how long it takes: some, and all if that takes few seconds."""
        runs = [Run(candidate, 0, 0) for candidate in candidates]
        plainest = {run.candidate.architecture: run for run in reversed(runs)}
        for some in (list(plainest.values()), [run for run in runs if run not in plainest.values()]):
            costs = sum(self.cost(run) for run in some)
            if not some or self.pace.seconds(costs) > seconds:
                return
            begun = time.perf_counter()
            self.run(some)
            self.pace.measured(costs, time.perf_counter() - begun)

    def estimate(self, runs: Mapping[Architecture, int], extra: int) -> float:
        """Seconds of so many runs of each architecture, and of some more of the largest."""
        each = {own: self.cost(Run(Candidate(own, ()), 0, 0)) for own in runs}
        return self.pace.seconds(sum(n * each[own] for own, n in runs.items()) + extra * max(each.values()))

    def _train(self, group: list[Run]) -> None:
        begun = time.perf_counter()
        given: list[tuple[int, int, Any]] = []
        members: list[tuple[Candidate, int, int, list[int]]] = []
        for (candidate, split, order), same in groupby(
            group, lambda run: (run.candidate, run.split, self._draw(run.seed)[0])
        ):
            own = [self._draw(run.seed)[1] for run in same]
            estimator = self.estimator_of(candidate, self.random_states[order]).set_params(members=max(own) + 1)
            given.append((split, len(members), estimator))
            members.append((candidate, split, order, own))
        prepared = list(self.prepare(given, self.splits) if self.prepare else trials(given, self.splits, self.table))
        for trial in prepared:
            _keep(trial, members[trial.place][3])
        with Trained(prepared, begun) as trained:
            found: dict[Run, Outcome] = {}
            for trial, runs in trained:
                candidate, split, order, own = members[trial.place]
                made = [Run(candidate, split, order + member * len(self.random_states)) for member in own]
                found |= dict(zip(made, self._outcomes(trial, runs, made), strict=True))
        if trained.interrupted:
            raise KeyboardInterrupt
        if self.store.path is not None:
            self.store.put({self._key(run): [_plain(value) for value in outcome] for run, outcome in found.items()})
        self.pace.charge([(run.candidate.architecture, self.cost(run)) for run in found], time.perf_counter() - begun)
        for run, outcome in found.items():
            self._take(run, outcome)
        self.progress(self.done)

    def _outcomes(self, trial: Trial, runs: Runs, made: list[Run]) -> list[Outcome]:
        """What each member came to."""
        losses, scores = trial.judge(runs) if self.keep is None else self.keep(trial, runs, made)
        trained = np.atleast_2d(runs.history.loss.T)
        ends = [own[np.isfinite(own)][-1] if np.isfinite(own).any() else np.nan for own in trained]
        lost = np.atleast_1d(np.asarray(runs.diverged)) > 0
        if self.scoring is not None:
            scores = np.array([np.nan if gone else self._score(trial, runs, m) for m, gone in enumerate(lost)])
            losses = -scores
        found = zip(losses, scores, ends, lost, strict=True)
        return [
            LOST
            if gone
            else Outcome(float(a), float(b), float(c))
            if np.isfinite(a + b)
            else LOST._replace(training_loss=c)
            for a, b, c, gone in found
        ]

    def _score(self, trial: Trial, runs: Runs, member: int) -> float:
        """What a scorer of scikit-learn says of one member."""
        own = runs if runs.single else runs.members([member], single=True)
        estimator = clone(trial.estimator).set_params(members=1)
        estimator.__dict__.update({k: v for k, v in vars(trial.estimator).items() if k.endswith("_in_")})
        adopt(estimator, trial.work, own, said=False)
        return float(self.scorer(estimator, *trial.held_out))

    def _key(self, run: Run) -> str:
        """What an outcome depends on, in a few letters."""
        order, member = self._draw(run.seed)
        return digest(self._settings(run.candidate), self._rows(run.split), int(self.random_states[order]), member)

    def mark(self, candidates: Sequence[Candidate]) -> str:
        """What the outcomes of candidates on all splits depend on; nothing where none is stored."""
        if self.store.path is None:
            return ""
        rows = [self._rows(split) for split in range(len(self.splits))]
        return digest([self._settings(candidate) for candidate in candidates], rows, list(self.random_states))

    def _settings(self, candidate: Candidate) -> str:
        if candidate not in self._marks:
            estimator = self.settings_of(candidate).set_params(**_MOOT)
            self._marks[candidate] = digest([__version__, estimator, self.scoring])
        return self._marks[candidate]

    def _rows(self, split: int) -> str:
        if split not in self._row_marks:
            self._row_marks[split] = digest(*(np.asarray(rows, np.int64) for rows in self.splits[split]))
        return self._row_marks[split]


_MOOT: Any = {"members": 1, "random_state": None, "n_jobs": None, "verbose": False, "callbacks": None, "watch": "auto"}


def _keep(trial: Trial, members: Sequence[int]) -> None:
    """Train only some of the members, and do not look inside, which nobody asks for here."""
    problem = trial.work.problem
    if len(members) < problem.recipe.n_members:
        problem = problem.members(list(members))
    trial.work = replace(trial.work, problem=replace(problem, recipe=replace(problem.recipe, watch=0)))


def _plain(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
