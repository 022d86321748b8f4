"""Every rule finds its planted fault: real trainings through `kn.diagnose`, and what has to be said of each.

The numbers that a finding rests on are asserted beside its severity, by the published bounds. Where the measured
thresholds of `kn.Thresholds` are others, a fault is planted to be beyond both.
"""

import ast
import inspect
import math
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor

import kilonet as kn
from benchmarks import planted
from benchmarks.planted import Case, Floats, blobs, rings, small, surface, teacher
from kilonet.diagnostics import RULES, Diagnosis

BEFORE = {
    "unscaled inputs",
    "leaking inputs",
    "duplicated inputs",
    "constant inputs",
    "class imbalance",
    "conflicting labels",
    "gradient check",
    "loss at the start",
    "zig-zag",
    "vanishing gradients",
    "initial weights",
    "few rows by heart",
}  # what can be known of a network that was not trained
GUIDE = Path(__file__).parents[2] / "docs" / "diagnostics.md"
BEYOND = math.inf


def fitted(case: Case) -> Diagnosis:
    """What Kilonet trains, looked at."""
    estimator = case.estimator()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that training ended too early, or left the finite numbers
        estimator.fit(case.X, case.y)
    return kn.diagnose(estimator, case.X, case.y)


def elsewhere(case: Case) -> Diagnosis:
    """What scikit-learn trains, with its own penalty and rate unless the case has others."""
    given = case.settings
    named = {"alpha": given["l2"] * given["batch"]} if "l2" in given else {}
    kind = MLPClassifier if case.classes else MLPRegressor
    unit = {"sigmoid": "logistic"}.get(str(given.get("activation")), "relu")
    own = kind(hidden_layer_sizes=given["hidden"], activation=unit, learning_rate_init=given["rate"],
               batch_size=given["batch"], max_iter=60, tol=0, random_state=0, **named)  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        own.fit(case.X, case.y)
    return kn.diagnose(kn.diagnostics.examine_sklearn(own, case.X, case.y))


@dataclass(frozen=True)
class Planted:
    """A finding that has to come of a fault. seen: what it rests on, with its bounds; plant changes a healthy case.

    look: how it is trained and looked at.
    """

    rule: str
    severity: str
    because: str
    task: Callable[..., Any]
    plant: Callable[[Case], object]
    seen: Mapping[str, tuple[float, float]]
    layer: int | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 2
    look: Callable[[Case], Diagnosis] = fitted

    def __str__(self) -> str:
        return f"{self.rule} {self.severity} {self.because or 'unknown'}".replace(" ", "-")


class Halved:
    """A squared loss without its half, with the slope of the one that has it."""

    def value(self, scores: Floats, targets: Floats) -> Floats:
        return np.asarray(np.square(scores - targets).sum(axis=-1))

    def slope(self, scores: Floats, targets: Floats) -> Floats:
        return scores - targets


def nothing(case: Case) -> None:
    """The fault is one of the settings."""


def times(factor: float, columns: Any = slice(None)) -> Callable[[Case], None]:
    """Inputs of other units."""

    def plant(case: Case) -> None:
        size = np.ones(case.X.shape[1])
        size[columns] = factor
        case.every(lambda X: X * size)

    return plant


def drawn(fault: Callable[[Case, np.random.Generator], None]) -> Callable[[Case], None]:
    """A fault of the benchmark."""
    return lambda case: fault(case, np.random.default_rng(0))


def plus(offset: float) -> Callable[[Case], None]:
    """Inputs that are all moved."""
    return lambda case: case.every(lambda X: X + offset)


def one_that_never_changes(case: Case) -> None:
    """A column of ones."""
    case.every(lambda X: np.column_stack([X, np.ones(len(X))]))


def never_changing(case: Case) -> None:
    """Inputs that are the same in all rows."""
    case.every(np.ones_like)


def numbered(case: Case) -> None:
    """A column that counts the rows, in no order."""
    random = np.random.default_rng(0)
    case.every(lambda X: np.column_stack([X, 10_000 + random.permutation(len(X))]))


def unscaled_target(case: Case) -> None:
    """Numbers to be learned in other units."""
    case.y = 1000 * case.y


def wrong_labels(case: Case) -> None:
    """A quarter of the labels is drawn anew."""
    random = np.random.default_rng(0)
    wrong = random.random(len(case.y)) < 0.25
    case.y = np.where(wrong, random.integers(0, case.classes, len(case.y)), case.y)


def told_by_the_sign(case: Case) -> None:
    """One input alone: 9 for one class, −9 for the other."""
    case.X, case.held_out, case.test = (
        np.where(case.y == 1, 9.0, -9.0)[:, None],
        *((np.where(y == 1, 9.0, -9.0)[:, None], y) for _, y in (case.held_out, case.test)),
    )


def two_that_contradict(case: Case) -> None:
    """A row twice, with another label."""
    case.X, case.y = np.vstack([case.X, case.X[:1]]), np.append(case.y, (case.y[0] + 1) % case.classes)


def shuffled(case: Case) -> None:
    """Inputs that belong to other rows."""
    case.X = np.random.default_rng(0).permutation(case.X)


SGD, LARGE = {"optimizer": "sgd"}, {"initializer": kn.scaled(5.0)}
DEEP = {"hidden": (32,) * 6, "n": 300, "epochs": 20}
SIGMOIDS = {"hidden": (16,) * 12, "activation": "sigmoid", "rate": 0.001, "n": 300, "epochs": 20}

PLANTED = [
    Planted("unscaled inputs", "fail", "inputs", blobs, times(300, 0), {"highest deviation": (100, BEYOND)}),
    Planted("unscaled inputs", "warn", "inputs", blobs, times(30, 0), {"highest deviation": (10, 100)}),
    Planted("unscaled inputs", "warn", "inputs", surface, plus(30), {"farthest mean": (10, 100)}),
    Planted("unscaled inputs", "warn", "inputs", blobs, times(0.01), {"highest deviation": (0, 0.1)}),
    Planted("unscaled target", "warn", "target", surface, unscaled_target, {"deviation": (1000, BEYOND)},
            look=elsewhere),
    Planted("numbered rows", "warn", "numbered", blobs, numbered, {"inputs": (1, 1)}, settings={"encode": "auto"}),
    Planted("leaking inputs", "warn", "leak", rings, drawn(planted.leaking), {"score": (0.995, 1)}),
    Planted("leaking inputs", "warn", "leak", surface, drawn(planted.leaking), {"score": (0.995, 1)}),
    Planted("duplicated inputs", "warn", "duplicated", blobs, drawn(planted.duplicated), {"pairs": (1, 1)}),
    Planted("constant inputs", "info", "constant", blobs, one_that_never_changes, {"inputs": (1, 1)}),
    Planted("class imbalance", "warn", "imbalance", blobs, drawn(planted.imbalanced), {"ratio": (10, BEYOND)}),
    Planted("class imbalance", "info", "imbalance", blobs, drawn(planted.imbalanced), {"ratio": (10, BEYOND)},
            settings={"class_weight": "balanced"}),
    Planted("conflicting labels", "info", "labels", blobs, two_that_contradict, {"rows": (2, 2), "share": (0, 0.01)}),
    Planted("conflicting labels", "warn", "labels", blobs, drawn(planted.contradicting), {"share": (0.1, 0.2)}),
    Planted("gradient check", "fail", "gradient", rings, nothing, {"relative error": (0.09, 0.1)},
            settings={"activation": planted.Sloped(1.1), "epochs": 5}),
    Planted("gradient check", "warn", "gradient", blobs, nothing, {"relative error": (0.0019, 0.0021)},
            settings={"activation": planted.Sloped(1.002), "epochs": 5}),
    Planted("gradient check", "fail", "gradient", surface, nothing, {"relative error": (0.49, 0.51)},
            settings={"loss": Halved(), "epochs": 5}),
    Planted("initial weights", "warn", "initial weights", blobs, nothing, {"norm by root of units": (3, BEYOND)}, 2,
            settings=LARGE),
    Planted("initial weights", "info", "initial weights", blobs, nothing, {"norm by root of units": (0, 0.05)}, 1,
            settings={"initializer": kn.scaled(0.001)}),
    Planted("rate", "warn", "rate", teacher, nothing, {"rate": (3, 3)}, settings={"rate": 3.0}, seed=1),
    Planted("rate", "warn", "rate", teacher, nothing, {"rate": (50, 50)}, settings=SGD | {"rate": 50.0}, seed=1),
    Planted("rate", "warn", "low rate", blobs, nothing, {"rate": (1e-6, 1e-6)}, settings={"rate": 1e-6}),
    Planted("rate", "warn", "low rate", surface, nothing, {"rate": (1e-5, 1e-5)}, settings=SGD | {"rate": 1e-5}),
    Planted("steps too large", "fail", "rate", blobs, nothing, {"update ratio": (1, BEYOND)}, 2,
            settings={"rate": 3.0}),
    Planted("steps too large", "warn", "rate", blobs, nothing, {"update ratio": (0.6, 1)}, 2, settings={"rate": 0.19}),
    Planted("steps too small", "warn", "low rate", blobs, nothing, {"update ratio": (0, 1e-4)},
            settings={"rate": 1e-6}),
    Planted("forgetting", "fail", "l2", blobs, nothing, {"loss left": (0.95, 1.01), "pull": (0.5, BEYOND)},
            settings={"l2": 3.0}),
    Planted("forgetting", "warn", "l2", blobs, nothing, {"loss left": (0.4, 0.95), "pull": (0.5, BEYOND)},
            settings={"l2": 0.3}),
    Planted("loss at the start", "warn", "inputs", blobs, times(20), {"loss": (10 * math.log(6), 30 * math.log(6))}),
    Planted("loss at the start", "fail", "inputs", blobs, times(300), {"loss": (30 * math.log(6), BEYOND)}),
    Planted("loss at the start", "fail", "initial weights", surface, nothing, {"loss": (30**2 / 2, BEYOND)},
            settings=LARGE),
    Planted("loss at the start", "warn", "leak", rings, told_by_the_sign, {"loss": (0, math.log(2) / 4)}, seed=0),
    Planted("divergence", "fail", "rate", blobs, nothing, {"epoch": (2, 40)}, settings=SGD | {"rate": 100.0}),
    Planted("divergence", "fail", "rate", blobs, nothing, {"largest loss": (2000, BEYOND)},
            settings=SGD | {"rate": 10.0}),
    Planted("exploding gradients", "fail", "initial weights", blobs, nothing, {"first by last": (70, BEYOND)}, 1,
            settings=DEEP | {"hidden": (32,) * 8, "activation": "tanh", "initializer": kn.scaled(2.0), "rate": 1e-3}),
    Planted("vanishing gradients", "warn", "activation", blobs, nothing, {"first by last": (0, 1e-3)}, 1,
            settings=SIGMOIDS),
    Planted("saturation", "fail", "initial weights", blobs, nothing, {"saturated": (0.8, 1)}, 1,
            settings={"activation": "tanh", "initializer": kn.scaled(20.0)}),
    Planted("saturation", "fail", "inputs", blobs, times(300), {"saturated": (0.8, 1)}, 1,
            settings={"activation": "sigmoid"}),
    Planted("saturation", "fail", "rate", blobs, nothing, {"saturated": (0.8, 1)}, 1,
            settings={"activation": "tanh", "rate": 10.0}),
    Planted("dead units", "fail", "rate", blobs, nothing, {"dead": (0.4, 1)}, 1, settings=SGD | {"rate": 10.0}),
    Planted("dead units", "fail", "inputs", blobs, plus(50), {"dead": (0.4, 1)}, 1, settings=SGD | {"rate": 0.1}),
    Planted("dead units", "fail", "inputs", blobs, times(1e-4), {"dead": (0.4, 1)}, 1),
    Planted("dead units", "fail", "l2", blobs, nothing, {"dead": (0.4, 1)}, 1, settings={"l2": 8.0}, seed=0),
    Planted("dead units", "warn", "l2", blobs, nothing, {"dead": (0.3, 0.4)}, 1, settings={"l2": 8.0}),
    Planted("zig-zag", "warn", "inputs", blobs, drawn(planted.one_signed), {"batch": (0.9, 1)}, 1),
    Planted("zig-zag", "warn", "inputs", blobs, drawn(planted.one_signed), {"one example": (0.9, 1)}, 1,
            settings={"batch": 1, "epochs": 5}),
    Planted("zig-zag", "info", "activation", blobs, nothing, {"batch": (0.9, 1)}, 4, settings=SIGMOIDS),
    Planted("few rows by heart", "fail", "activation", blobs, nothing, {"score": (0, 0.99), "rows": (20, 20)},
            settings=SIGMOIDS),
    Planted("few rows by heart", "fail", "initial weights", surface, nothing, {"score": (-1, 0.9)},
            settings=DEEP | {"initializer": kn.scaled(0.001)}),
    Planted("nothing learned", "fail", "activation", blobs, nothing, {"loss left": (0.95, 1.01)}, settings=SIGMOIDS),
    Planted("nothing learned", "fail", "low rate", blobs, nothing, {"loss left": (0.95, BEYOND)},
            settings={"rate": 1e-6}),
    Planted("nothing learned", "info", "", rings, shuffled, {"loss left": (0.95, 1.01)},
            settings={"hidden": (2,), "epochs": 20}),
    Planted("nothing learned", "fail", "low rate", rings, nothing, {"loss left": (0.95, BEYOND)},
            settings={"rate": 1e-7}, look=elsewhere),
    Planted("nothing learned", "fail", "low rate", surface, nothing, {"loss left": (0.95, BEYOND)},
            settings={"rate": 1e-7}, look=elsewhere),
    Planted("nothing learned", "fail", "l2", rings, nothing, {"loss left": (0.95, 1.1)}, settings={"l2": 3.0},
            look=elsewhere),
    Planted("forgetting", "fail", "l2", surface, nothing, {"loss left": (0.95, 1.1), "pull": (0.5, BEYOND)},
            settings={"l2": 30.0}, look=elsewhere),
    Planted("forgetting", "fail", "l1", blobs, nothing, {"loss left": (0.95, 1.01), "pull": (0.5, BEYOND)},
            settings={"l1": 1.0}),
    Planted("nothing learned", "fail", "activation", rings, nothing, {"loss left": (0.95, 1.1)},
            settings=SIGMOIDS, look=elsewhere),
    Planted("nothing learned", "fail", "activation", surface, nothing, {"loss left": (0.95, BEYOND)},
            settings=SIGMOIDS, look=elsewhere),
    Planted("nothing learned", "fail", "constant", blobs, never_changing, {"loss left": (0.95, 1.1)}),
    Planted("over-fitting", "warn", "over-fitting", teacher, wrong_labels,
            {"epochs rising": (10, 200), "low": (0.1, 1)}, settings={"hidden": (200,), "epochs": 100}, seed=1),
    Planted("rare units", "info", "", blobs, nothing, {"rare": (1 / 32, 1)}, 1, settings={"rate": 3.0}),
    Planted("always on", "info", "", blobs, nothing, {"always on": (1 / 32, 1)}, 1, settings={"l2": 3.0}),
]  # fmt: skip


def diagnosed(fault: Planted) -> Diagnosis:
    """A training with the fault, looked at."""
    return _diagnosed(fault.look, fault.task, fault.seed, fault.plant, tuple(fault.settings.items()))


def twin(fault: Planted) -> Diagnosis:
    """The same training without it."""
    return _diagnosed(fault.look, fault.task, fault.seed, nothing, ())


@cache
def _diagnosed(look: Any, task: Any, seed: int, plant: Any, settings: tuple[tuple[str, Any], ...]) -> Diagnosis:
    case = small(task, seed, **dict(settings))
    plant(case)
    return look(case)


def finding_of(fault: Planted, report: Diagnosis) -> kn.Finding:
    """What the rule says of the layer."""
    own = [one for one in report.findings if (one.rule, one.layer) == (fault.rule, fault.layer)]
    assert own, f"{fault.rule} of layer {fault.layer} was not found, but {[one.what for one in report.findings]}"
    return own[0]


@pytest.mark.parametrize("fault", PLANTED, ids=str)
def test_a_planted_fault_is_found(fault: Planted) -> None:
    report = diagnosed(fault)
    finding = finding_of(fault, report)
    assert (finding.severity, finding.because) == (fault.severity, fault.because)
    for name, (low, high) in fault.seen.items():
        assert low <= (finding.evidence or {})[name] <= high, name
    if fault.severity != "info":  # what is told first is the planted cause, and nothing that comes of it
        assert report.findings[0].because == fault.because
    assert report.failed == any(one.severity == "fail" for one in report.findings)


@pytest.mark.parametrize("fault", [fault for fault in PLANTED if fault.rule in BEFORE], ids=str)
def test_what_training_has_no_part_in_is_found_before_it(fault: Planted) -> None:
    case = small(fault.task, fault.seed, **fault.settings)
    fault.plant(case)
    finding = finding_of(fault, kn.diagnose(case.estimator(), case.X, case.y))
    assert (finding.severity, finding.because) == (fault.severity, fault.because)


@pytest.mark.parametrize("fault", PLANTED, ids=str)
def test_without_the_fault_the_rule_is_silent(fault: Planted) -> None:
    assert [one.what for one in twin(fault).findings if one.rule == fault.rule] == []


def test_every_rule_has_a_planted_fault() -> None:
    speak = {
        rule.__name__
        for fault in PLANTED
        for rule in RULES
        if any(one.rule == fault.rule for one in rule(diagnosed(fault).examination))
    }
    assert speak == {rule.__name__ for rule in RULES}


def test_every_finding_has_a_planted_fault() -> None:
    """Those that the guide has in its table, and those whose names stand in the rules' own modules."""
    table = GUIDE.read_text().partition("| rule | speaks when |")[2].partition("\n\n")[0]
    names = {name for line in table.splitlines()[2:] for name in line.split("|")[1].strip().split(", ")}
    for module in {inspect.getmodule(rule) for rule in RULES}:
        calls = [node for node in ast.walk(ast.parse(inspect.getsource(module))) if isinstance(node, ast.Call)]
        made = [call.args[0] for call in calls if isinstance(call.func, ast.Name) and call.func.id == "Finding"]
        names |= {str(name.value) for name in made if isinstance(name, ast.Constant)}
    assert {fault.rule for fault in PLANTED} == names
