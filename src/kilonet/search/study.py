"""What a search is about: data, grid, plan and splits, and the outcomes so far seen as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from kilonet.estimators.plan import network_of
from kilonet.network import Network
from kilonet.search.candidates import Candidate
from kilonet.search.grid import Grid
from kilonet.search.outcomes import LOST, Outcome, Run
from kilonet.search.plan import Plan
from kilonet.search.runs import Runner
from kilonet.search.splits import Nest, Splits, apart

Floats = NDArray[np.float64]

_UNITS = {"cross_entropy": "nats", "logistic": "nats", "squared": "half squared standard deviations"}


@dataclass(eq=False)
class Study:
    """One search: who trains, what is tried, how thoroughly, on which splits.

    inner: folds inside the first folds. prefer: "smallest" or "best".
    extend: whether the grid may grow; nested_asked: whether a nested estimate is wanted. data: what is known of
    the table. notes: what is to be said beside the verdict. no_nested: what stands in the way of a nested estimate.
    """

    runner: Runner
    grid: Grid
    plan: Plan
    splits: Splits
    inner: Sequence[Nest]
    prefer: str
    extend: bool
    nested_asked: bool
    data: Mapping[str, Any]
    notes: list[str] = field(default_factory=list)
    no_nested: str = ""

    def network(self, candidate: Candidate) -> Network:
        """The network of a candidate on these data."""
        return network_of(self.runner.settings_of(candidate), self.runner.n_inputs, self.runner.n_outputs)

    def size(self, candidate: Candidate) -> int:
        """Parameters of a candidate's network."""
        return self.network(candidate).n_parameters

    def outcomes(self, candidate: Candidate, splits: Sequence[int], seeds: Sequence[int]) -> list[Outcome]:
        """What is known of a candidate, split by split; LOST where nothing is."""
        return [self.runner.outcomes.get(Run(candidate, split, seed), LOST) for split in splits for seed in seeds]

    def tables(self, candidate: Candidate) -> tuple[Floats, Floats, Floats]:
        """Losses, scores and training losses (splits, seeds)."""
        splits, seeds = range(self.plan.splits), range(self.plan.seeds)
        whole = np.array(self.outcomes(candidate, splits, seeds), dtype=np.float64).reshape(len(splits), len(seeds), 3)
        return whole[..., 0], whole[..., 1], whole[..., 2]

    @cached_property
    def once(self) -> range:
        """Splits that hold out every row once at most."""
        return range(apart(self.splits.splits[: min(self.splits.folds, self.plan.second)]))

    @property
    def score_name(self) -> str:
        """What the score is called."""
        if self.runner.scoring is not None:
            return scorer_name(self.runner.scoring)
        return "accuracy" if is_classifier(self.runner.estimator) else "R²"

    @property
    def metric(self) -> dict[str, str]:
        """What candidates are judged by."""
        loss, scoring = self.runner.loss_name, self.runner.scoring
        name = "loss" if scoring is None else f"-{self.score_name}"
        return {"name": name, "loss": loss, "unit": _UNITS.get(loss, ""), "score": self.score_name}


def scorer_name(scoring: Any) -> str:
    """What a scorer is called: by its name, that of its function, or of its kind; the same in every process.

    >>> from sklearn.metrics import make_scorer, max_error
    >>> scorer_name("f1"), scorer_name(make_scorer(max_error, greater_is_better=False))
    ('f1', 'neg_max_error')
    """
    if isinstance(scoring, str):
        return scoring
    function = getattr(scoring, "_score_func", scoring)
    return ("neg_" if getattr(scoring, "_sign", 1) < 0 else "") + getattr(function, "__name__", type(function).__name__)
