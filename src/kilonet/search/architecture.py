"""ArchitectureSearch: which network, with evidence, as a scikit-learn estimator."""

import time
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Self

from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.metrics import check_scoring
from sklearn.utils import check_random_state, indexable

from kilonet.checks import choice, whole
from kilonet.data.task import task_of
from kilonet.errors import SettingError
from kilonet.estimators import MLPClassifier, MLPRegressor
from kilonet.estimators.crossval import check_scorer
from kilonet.estimators.footing import Encodings
from kilonet.estimators.run import Work
from kilonet.estimators.trials import Table
from kilonet.evidence import SearchRecord
from kilonet.search import given
from kilonet.search import splits as drawing
from kilonet.search.again import call
from kilonet.search.candidates import TUNED
from kilonet.search.chosen import Chosen
from kilonet.search.grid import DEFAULT_L2, DEFAULT_RATE, Grid, default_hidden
from kilonet.search.marks import digest
from kilonet.search.plan import Plan, affordable, budget_seconds, falling, plans
from kilonet.search.predictions import refuse_misfit
from kilonet.search.procedure import Procedure
from kilonet.search.results import cv_results
from kilonet.search.runs import MOST_ORDERS, Runner
from kilonet.search.store import Store
from kilonet.search.study import Study
from kilonet.search.units import target_std

_FITTED = ("best_estimator_", "refit_time_", "scorer_", "classes_", "feature_names_in_")
_PROBE = 0.1  # of a budget in seconds, for finding out how quick the machine is
_SHARE = 0.75  # of a budget in seconds that is planned for: estimates are no measurements


@dataclass(eq=False, repr=False)
class ArchitectureSearch(Chosen, MetaEstimatorMixin, BaseEstimator):
    """Which network for these data, how much regularization, and is it luck: measured, tested, and put into words.

    Every architecture is judged at its own best l2 and rate, found by successive halving over folds, then with all
    seeds on all splits, and compared by the corrected resampled t-test with Holm's adjustment. A smaller network is
    preferred where it loses at most 2% of the best loss, a standard error included. Then tuning and choosing are
    repeated on the training rows of every fold alone, so that the figure for new rows is not the winner's luck.
    docs/search.md has the details.

    Settings:
        hidden: architectures, each as MLPClassifier's `hidden`; None for what suits the number of rows. The network
            without hidden layers is always among them.
        activation: one, or several to be tried; None for the estimator's own.
        l2, rate, dropout, input_noise: values to be tried; None for the estimator's own, but for l2 and rate, which
            are then tried at 1e-4 to 0.1 and at 1e-3 and 1e-2.
        estimator: an MLPClassifier or MLPRegressor with all other settings; None lets the target's type decide.
        seeds: networks of each architecture and split in the last round; None for 8, or fewer within the budget.
            They share four orders of the rows.
        cv: a number of folds, drawn anew until there are ten splits at least (5 folds twice), a splitter or splits.
        budget: seconds, or a text such as "60s" or "2min", that all of it may take, about. runs: instead of it, how
            many networks may be trained at most; the result then does not depend on the machine's speed.
        scoring: None to judge by the loss on held-out rows, else a name or a scorer of scikit-learn.
        extend: whether to try what lies beyond where the best is at the edge of the grid, and more regularization where
            the largest network over-fits.
        prefer: "smallest" network among equals, or the "best" mean whatever its size.
        nested: whether to estimate what the whole procedure is worth on new rows.
        refit: whether to train the choice on all rows, for predicting.
        store: a file that keeps every outcome, so that a search that was killed goes on where it was.
        callback: a function that is told (runs done, most that there may be) whenever some are done.
        n_jobs, random_state: as for the estimators.

    Attributes after `fit`:
        record_: all evidence, a `SearchRecord`. verdict_: it in words. best_params_, best_score_, best_index_,
        best_estimator_, refit_time_, cv_results_, n_splits_, scorer_, n_features_in_: as scikit-learn's searches have
        them; in cv_results_ are also "losses" and "scores", an array (splits, seeds) of each candidate. runs_:
        networks that were trained.

    >>> import numpy as np
    >>> X = np.random.default_rng(0).normal(size=(120, 2))
    >>> search = ArchitectureSearch(hidden=[2, 8], l2=[1e-3], rate=[0.01], seeds=2, cv=3, runs=500, extend=False)
    >>> search.fit(X, (X**2).sum(axis=1) > 1.4).best_params_["hidden"]
    (8,)
    """

    hidden: Any = None
    _: KW_ONLY
    activation: Any = None
    l2: Any = None
    rate: Any = None
    dropout: Any = None
    input_noise: Any = None
    estimator: Any = None
    seeds: int | None = None
    cv: Any = None
    budget: Any = "60s"
    runs: int | None = None
    scoring: Any = None
    extend: bool = True
    prefer: str = "smallest"
    nested: bool = True
    refit: bool = True
    store: Any = None
    n_jobs: int | None = None
    callback: Any = None
    random_state: Any = None

    def fit(self, X: Any, y: Any, *, groups: Any = None, sample_weight: Any = None) -> Self:
        """Search on X (n, n_features) and y, and give the search itself.

        groups (n,): rows of one group are never parted; sample_weight (n,): for training. Raises SettingError for a
        grid, a budget or folds that cannot be used, before anything is trained; data are refused as by the estimators.
        Ctrl-C ends the search: what was finished is in the store, if there is one, and KeyboardInterrupt is raised.
        """
        begun = time.perf_counter()
        X, y, groups, sample_weight = indexable(X, given.target(y), given.groups_of(groups), sample_weight)
        base = self._base(y)
        seen = clone(base)
        look = seen._fresh_work(X, y, sample_weight, Encodings())  # refuses what cannot be used, before any work
        grid = self._grid(len(y), base)
        seconds = budget_seconds(self.budget) if self.runs is None else None
        allowed = None if self.runs is None else whole("runs", self.runs)
        choice("prefer", self.prefer, ("smallest", "best"))
        draws = check_random_state(self.random_state).randint(0, 2**31, size=1 + MOST_ORDERS).tolist()
        target = drawing.Target(y, groups, sample_weight, base)
        splits = drawing.drawn(self.cv, X, target, draws[0])
        inner = drawing.nests(splits, min(splits.folds, 5), target, draws[0]) if self.nested else []
        mark = digest(X, y, sample_weight)
        with Store(self.store, mark) as store:
            runner = self._runner(base, Table(X, y, sample_weight), splits, draws, store, look)
            every = falling(plans(self.seeds, len(splits.splits), splits.folds, len(inner)), grid)
            plan = self._plan(runner, grid, list(every), seconds, allowed)
            data = {"rows": len(y), "fingerprint": mark, "inputs": runner.n_inputs, "outputs": runner.n_outputs}
            data |= target_std(base, runner.table, splits.splits)
            if self.callback is not None:
                most = plan.total(grid)
                runner.progress = lambda done: self.callback(done, most)
            study = Study(runner, grid, plan, splits, inner, self.prefer, bool(self.extend), bool(self.nested), data)
            if self.nested and not inner:
                study.no_nested = drawing.too_few(target)
            record, candidates = Procedure(study).carry_out(begun)
        for name in _FITTED:
            self.__dict__.pop(name, None)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(seen, name):
                setattr(self, name, getattr(seen, name))
        told = [
            f"{name}={name}"
            for name, value in (("groups", groups), ("sample_weight", sample_weight))
            if value is not None
        ]
        return self._keep(record, candidates, runner, ", ".join(["X, y", *told]))

    def _base(self, y: Any) -> Any:
        estimator = self.estimator
        if estimator is None:
            estimator = (MLPClassifier if task_of(y).kind == "classification" else MLPRegressor)(dtype="float32")
        given.check_estimator(estimator)
        base = clone(estimator)
        return base.set_params(n_jobs=self.n_jobs) if self.n_jobs is not None else base

    def _grid(self, n_rows: int, base: Any) -> Grid:
        tuned = {name: getattr(self, name) for name in TUNED}
        tuned["l2"] = DEFAULT_L2 if self.l2 is None else self.l2
        tuned["rate"] = DEFAULT_RATE if self.rate is None else self.rate
        hidden = default_hidden(n_rows) if self.hidden is None else self.hidden
        return Grid.of(hidden, base.activation if self.activation is None else self.activation, tuned)

    def _runner(
        self, base: Any, table: Table, splits: drawing.Splits, draws: list[int], store: Store, look: Work
    ) -> Runner:
        """Whoever trains; look: what a fit to all rows would be."""
        check_scorer(base, self.scoring)
        scorer = None if self.scoring is None else check_scoring(base, self.scoring)
        network = look.problem.network
        orders = draws[1 : 1 + min(MOST_ORDERS, 8 if self.seeds is None else whole("seeds", self.seeds))]
        known = (network.n_inputs, network.n_outputs, str(getattr(look.footing.loss, "name", "loss")))
        runner = Runner(base, table, list(splits.splits), orders, self.scoring, store, *known, scorer=scorer)
        refuse_misfit(runner)
        return runner

    def _plan(self, runner: Runner, grid: Grid, every: list[Plan], seconds: float | None, allowed: int | None) -> Plan:
        """The most thorough plan that the budget allows. Raises SettingError where there is none."""
        if allowed is not None:
            plan = affordable(iter(every), lambda plan: plan.total(grid) <= allowed)
            if plan is None:
                raise SettingError(
                    f"runs={allowed} is not enough for {grid.size} candidates: needs {every[-1].total(grid)} at least. "
                    "Allow more, or try fewer values."
                )
            return plan
        assert seconds is not None  # noqa: S101 - for the type checker: one of the two is given
        # Who goes on where a search was killed finds its first runs done, and would take the machine for quick.
        asked = "plan " + digest([runner.mark(grid.candidates), repr(every), seconds])
        known = runner.store.recall(asked)
        if known is not None:
            return next((plan for plan in every if repr(plan) == known), every[-1])
        runner.measure(grid.candidates, _PROBE * seconds)
        plan = affordable(iter(every), lambda plan: runner.estimate(plan.runs(grid), plan.extra) <= _SHARE * seconds)
        if plan is None:
            needed = runner.estimate(every[-1].runs(grid), every[-1].extra) / _SHARE
            raise SettingError(
                f"budget={self.budget!r} is not enough for {grid.size} candidates on these rows: needs about "
                f"{needed:.0f} s on this machine. Allow more, or try fewer values."
            )
        runner.store.keep(asked, repr(plan))
        return plan

    def _keep(self, record: SearchRecord, candidates: list[Any], runner: Runner, rows: str) -> Self:
        """What the search is known by afterwards."""
        self.record_ = record = replace(record, reproduce=call(self, record.settings["runs"], rows))
        self.verdict_ = " ".join(record.verdict)
        self.best_index_ = record.choice.best
        self.best_params_ = candidates[self.best_index_].params
        self.cv_results_ = cv_results(record, candidates)
        self.best_score_ = float(self.cv_results_["mean_test_score"][self.best_index_])
        self.n_splits_ = len(record.splits)
        if self.refit:
            begun = time.perf_counter()
            best = runner.estimator_of(candidates[self.best_index_], runner.random_states[0])
            if best.fit(*runner.table).interrupted_:
                raise KeyboardInterrupt
            runner.beside(1)
            self.best_estimator_ = best
            self.refit_time_ = time.perf_counter() - begun
            self.scorer_ = check_scoring(self.best_estimator_, self.scoring)
            if is_classifier(best):
                self.classes_ = best.classes_
        self.runs_ = runner.done
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        like = (self.estimator or MLPClassifier()).__sklearn_tags__()
        tags.estimator_type = None if self.estimator is None else like.estimator_type
        tags.classifier_tags = None if self.estimator is None else like.classifier_tags
        tags.regressor_tags = None if self.estimator is None else like.regressor_tags
        tags.target_tags.required = True
        tags.input_tags.sparse, tags.input_tags.allow_nan = True, like.input_tags.allow_nan
        return tags
