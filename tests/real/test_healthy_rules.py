"""Every rule is silent on healthy runs: real trainings of several tasks, units and optimizers through `kn.diagnose`."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

import kilonet as kn
from benchmarks.planted import Case, blobs, rings, small, surface, teacher
from kilonet.diagnostics import RULES, Diagnosis

HEALTHY: list[tuple[Callable[..., Any], dict[str, Any]]] = [
    (blobs, {"activation": "relu"}),
    (blobs, {"activation": "tanh", "hidden": (16, 16)}),
    (blobs, {"activation": "sigmoid", "optimizer": "momentum", "rate": 0.05}),
    (teacher, {"activation": "relu", "optimizer": "sgd", "rate": 0.1}),
    (teacher, {"activation": "tanh"}),
    (teacher, {"activation": "gelu", "batch": 64}),
    (rings, {"activation": "relu", "optimizer": "momentum"}),
    (rings, {"activation": "tanh"}),
    (rings, {"encode": "auto", "members": 3}),
    (surface, {"activation": "relu"}),
    (surface, {"activation": "tanh", "optimizer": "momentum"}),
    (surface, {"activation": "elu", "loss": "huber"}),
    (surface, {"activation": "leaky_relu", "hidden": (24, 12)}),
    (surface, {"encode": "auto", "dtype": "float32", "epochs": 200, "early_stopping": True, "patience": 20}),
]
ENOUGH = 2  # runs of either kind that a rule has to be silent on


def healthy(place: int) -> Case:
    """The rows and settings of a run."""
    task, settings = HEALTHY[place]
    return small(task, 3 if task in (blobs, teacher) else 1, **settings)


@cache
def diagnosed(place: int) -> Diagnosis:
    """The run, looked at after its training."""
    case = healthy(place)
    return kn.diagnose(case.estimator().fit(case.X, case.y), case.X, case.y)


def told(report: Diagnosis) -> list[str]:
    """What warns or fails."""
    return [f"{one.severity}: {one.what}" for one in report.findings if one.severity != "info"]


def named(place: int) -> str:
    task, settings = HEALTHY[place]
    return "-".join([task.__name__, *(f"{value}".replace(" ", "") for value in settings.values())])


@pytest.mark.parametrize("place", range(len(HEALTHY)), ids=named)
def test_nothing_is_wrong_with_a_healthy_run(place: int) -> None:
    report = diagnosed(place)
    assert told(report) == []
    assert not report.failed
    assert report.examination.gap is not None, "held-out rows have to be looked at too"


@pytest.mark.parametrize("place", range(len(HEALTHY)), ids=named)
def test_the_runs_are_healthy(place: int) -> None:
    # What is silent on a network that learned nothing proves nothing: most of what is to be known is known.
    case = healthy(place)
    assert case.estimator().fit(case.X, case.y).score(*case.test) > 0.8


@pytest.mark.parametrize("place", range(len(HEALTHY)), ids=named)
def test_nothing_is_wrong_before_training(place: int) -> None:
    case = healthy(place)
    assert told(kn.diagnose(case.estimator(), case.X, case.y)) == []


@pytest.mark.parametrize("task", ["classification", "regression"])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_says_nothing_at_all_of_most_healthy_runs(rule: Callable[..., Any], task: str) -> None:
    """Not even for information."""
    runs = [diagnosed(place).examination for place in range(len(HEALTHY))]
    silent = [run for run in runs if run.task == task and not list(rule(run))]
    assert len(silent) >= ENOUGH
