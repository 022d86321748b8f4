"""From a search's outcomes to its record."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from sklearn.base import is_classifier

from kilonet.comparison import Comparison
from kilonet.evidence import ArchitectureRecord, CandidateRecord, Nested, SearchRecord
from kilonet.search import predictions
from kilonet.search.candidates import TUNED, Candidate
from kilonet.search.regions import regions
from kilonet.search.study import Study
from kilonet.search.verdict import interval, seed_spread, sentences

_TOO_MANY = 600  # held-out rows that a picture shows


@dataclass(frozen=True)
class Found:
    """What a procedure came to.

    tried: all candidates; winners: the best one of each architecture, with their tests against the one at place
    `reference`; chosen: the place of the choice.
    """

    tried: Sequence[Candidate]
    winners: Sequence[Candidate]
    tests: Sequence[Comparison | None]
    reference: int
    chosen: int
    nested: Nested | None
    learning: Sequence[Mapping[str, float]]


def record_of(study: Study, found: Found, begun: float) -> SearchRecord:
    """All evidence. begun: when the search began, by `time.perf_counter`."""
    runner, splits = study.runner, study.splits.splits[: study.plan.splits]
    chosen = found.winners[found.chosen]
    # These before the settings, which tell how many networks there were.
    held_out = predictions.held_out(runner, chosen, splits[: len(study.once)], _TOO_MANY)
    plane = regions(runner, study.grid, found.winners, chosen)
    record = SearchRecord(
        task="classification" if is_classifier(runner.estimator) else "regression",
        data=dict(study.data),
        settings=_settings(study),
        metric=study.metric,
        splits=[{"train": len(split.train), "test": len(split.test)} for split in splits],
        test_to_train=study.splits.test_to_train,
        candidates=_candidates(study, found),
        architectures=tuple(_architecture(study, found, number) for number in range(len(found.winners))),
        chosen=found.chosen,
        reference=found.reference,
        baselines=predictions.baselines(runner, range(len(splits))),
        nested=found.nested,
        learning=found.learning,
        predictions=held_out,
        regions=plane,
        verdict=[],
        notes=study.notes,
        reproduce="",
        no_nested=_no_nested(study, found),
        seconds={"all": time.perf_counter() - begun, "training": runner.pace.total},
    )
    return replace(record, verdict=sentences(record))


def _no_nested(study: Study, found: Found) -> str:
    """Why there is no nested estimate; nothing where there is one."""
    if found.nested is not None:
        return ""
    return study.no_nested or ("the budget has no room for it" if study.nested_asked else "it was not asked for")


def _architecture(study: Study, found: Found, number: int) -> ArchitectureRecord:
    candidate, test = found.winners[number], found.tests[number]
    losses, scores, training_losses = study.tables(candidate)
    low, high = interval(losses.mean(axis=1), study.splits.test_to_train)
    network = study.network(candidate)
    return ArchitectureRecord(
        number=number,
        text=candidate.architecture.text,
        hidden=_plain(candidate)["hidden"],
        activation=candidate.architecture.activation_name,
        n_parameters=network.n_parameters,
        best=found.tried.index(candidate),
        loss=float(losses.mean()),
        loss_low=low,
        loss_high=high,
        score=float(scores.mean()),
        training_loss=float(training_losses.mean()),
        seed_spread=seed_spread(losses),
        **_against(test),
        verdict="diverged" if test is None else "best" if number == found.reference else test.verdict(),
        diverged=int(np.isnan(losses).sum()),
        training_seconds=study.runner.pace.seconds_a_run(candidate.architecture),
        microseconds_a_row=predictions.microseconds_a_row(network),
    )


def _candidates(study: Study, found: Found) -> tuple[CandidateRecord, ...]:
    numbers = {winner.architecture: number for number, winner in enumerate(found.winners)}
    records = []
    for number, candidate in enumerate(found.tried):
        losses, scores, training = (table.tolist() for table in study.tables(candidate))
        own = numbers[candidate.architecture]
        params = _plain(candidate)
        about = (candidate.origin, candidate.settings)
        records.append(CandidateRecord(number, candidate.text, params, own, losses, scores, training, *about))
    return tuple(records)


def _plain(candidate: Candidate) -> dict[str, Any]:
    """Parameters as JSON can hold them: layers that are no number of units, and own activations, are described."""
    hidden = [layer if isinstance(layer, int) else repr(layer) for layer in candidate.architecture.hidden]
    return candidate.params | {"hidden": hidden, "activation": candidate.architecture.activation_name}


def _against(test: Comparison | None) -> dict[str, float]:
    """The numbers of a comparison, NaN without one."""
    names = ("difference", "low", "high", "p_value", "adjusted_p")
    return {name: math.nan if test is None else getattr(test, name) for name in names}


def _settings(study: Study) -> dict[str, Any]:
    plan, grid = study.plan, study.grid
    return {
        "architectures": [own.text for own in grid.architectures],
        **{name: list(axis) for name, axis in zip(TUNED, grid.axes, strict=True)},
        "seeds": plan.seeds, "orders": min(plan.seeds, len(study.runner.random_states)), "splits": plan.splits,
        "folds": study.splits.how if plan.splits == len(study.splits.splits) else f"{plan.splits} folds",
        "nested": plan.nested, "networks": study.runner.done, "runs": plan.total(grid), "prefer": study.prefer,
        "in_time": study.splits.in_time,
    }  # fmt: skip
