"""What else is known of a choice: its worth on new rows, and with fewer rows to learn from."""

import math
from collections.abc import Iterable

import numpy as np

from kilonet.comparison import binomial_interval
from kilonet.evidence import Nested
from kilonet.numerals import count
from kilonet.search.candidates import Candidate
from kilonet.search.outcomes import Run
from kilonet.search.plan import LEARNING
from kilonet.search.selection import Rounds, choose, losses
from kilonet.search.splits import Target, apart, shortened, test_to_train
from kilonet.search.study import Study
from kilonet.search.verdict import interval


def nested_estimate(study: Study) -> Nested | None:
    """What the whole procedure, choosing included, is worth on rows that it never saw.

    In every fold the rounds are played again on the training rows alone, in folds of their own. None, and
    why in `study.no_nested`, where a fold has nothing to judge: all candidates in it lost a run, or the one it chose.
    """
    runner, seeds = study.runner, range(study.plan.seeds)
    found: list[tuple[float, float, Candidate]] = []
    nests = study.inner[: study.plan.nested]
    for fold, inside in nests:
        own = runner.add(inside)
        rounds = Rounds(study.runner, own[:1], own)
        rounds.play(study.grid.candidates)
        winners = rounds.winners()
        means = np.stack([losses(runner, candidate, own, [0]) for candidate in winners], axis=1)
        if not np.isfinite(means).all(axis=0).any():
            found.append((math.nan, math.nan, winners[0]))
            continue
        sizes = [study.size(candidate) for candidate in winners]
        choice = winners[choose(means, sizes, test_to_train(inside), study.prefer)]
        runner.run(Run(choice, fold, seed) for seed in seeds)
        outcomes = study.outcomes(choice, [fold], seeds)
        found.append((_mean(o.loss for o in outcomes), _mean(o.score for o in outcomes), choice))
    values, scores, choices = (list(column) for column in zip(*found, strict=True))
    names, networks = [choice.text for choice in choices], [choice.architecture.text for choice in choices]
    lost = int(np.isnan(values).sum())
    if lost:
        study.no_nested = f"in {lost} of {count(len(values), 'fold')} training broke off, or there was no score"
        return None
    held_out = [study.splits.splits[nest.fold] for nest in nests]
    rows = [len(split.test) for split in held_out]
    if study.score_name == "accuracy" and apart(held_out) == len(held_out):
        loss, score = (float(np.average(each, weights=rows)) for each in (values, scores))
        bounds = binomial_interval(round(score * sum(rows)), sum(rows))
        return Nested(values, scores, names, loss, score, *bounds, networks, sum(rows))
    low, high = interval(np.array(scores), study.splits.test_to_train)
    return Nested(values, scores, names, _mean(values), _mean(scores), low, high, networks)


def learning_curve(study: Study, choice: Candidate) -> list[dict[str, float]]:
    """Loss and score of the choice with a part of the training rows, and with all."""
    table = []
    known = study.runner.table
    target = Target(known.y, None, known.weights, study.runner.estimator)
    for share in (*LEARNING, 1.0):
        own = list(study.once)
        rows = [study.splits.splits[fold] for fold in own]
        if share < 1:
            short = [shortened(split, share, target, study.splits.in_time) for split in rows]
            rows = [split for split in short if split is not None]
            if len(rows) < len(short):
                study.notes.append(
                    f"the learning curve leaves out {share:.0%} of the training rows: a class is missing."
                )
                continue
            own = study.runner.add(rows)
            study.runner.run(Run(choice, split, 0) for split in own)
        outcomes = study.outcomes(choice, own, [0])
        each = {"loss": [o.loss for o in outcomes], "score": [o.score for o in outcomes]}
        table.append({"rows": _mean(len(split.train) for split in rows)}
                     | {name: _mean(values) for name, values in each.items()}
                     | {f"{name}_std": float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
                        for name, values in each.items()})  # fmt: skip
    return table


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
