"""Are diagnoses right? `python -m benchmarks.diagnosing --out figures.json`; prints the tables of docs/diagnostics.md.

Tasks, shapes and seeds are drawn; half of the runs are healthy, half have one planted fault. Asked is

- how often a healthy run gets a warning or a failure (a false alarm): one whose held-out loss neither a rate ten times
  higher or lower nor stopping earlier would have halved,
- how often a fault gets one (detection), and whether the first of them names the planted cause,
- of faults that a change of parameters can repair: whether `cure()` regains at least 80% of the held-out loss that the
  fault had cost, against the same run without the fault. Nobody has to lose more than who knows nothing, so what is
  above that is no part of the cost: to come from ten times of it back to twice is no cure. Nor is it one to do nothing
  about a fault that turned out to cost nothing: such runs are left out, and counted.

Seeds below TRUTH were used to set thresholds; nothing may be changed after looking at figures of seeds above.
"""

import argparse
import json
import math
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import kilonet as kn
from benchmarks import machine
from benchmarks.planted import FAULTS, Case, Fault, drawn, over_fitting
from kilonet.comparison import binomial_interval
from kilonet.estimators.insight import loss_on

TRUTH = 200_000_000
REGAINED = 0.8  # of the held-out loss that a fault had cost
HARMLESS = 0.03  # of held-out loss: what costs less is no fault
NEGLIGIBLE = 0.1  # of the loss of knowing nothing
ATTEMPTS = 20  # at a fault that does harm, or a run that is healthy


def knowing_nothing(case: Case) -> float:
    """The loss of who has seen no row."""
    return math.log(case.classes) if case.classes else 0.5


def loss_of(estimator: Any, case: Case) -> float:
    """Held-out loss, at most ten times that of knowing nothing, infinite losses too."""
    limit = 10 * knowing_nothing(case)
    loss = loss_on(estimator, *case.test)
    return min(loss, limit) if math.isfinite(loss) else limit


def fitted(case: Case) -> tuple[Any, float]:
    """The fitted estimator and its held-out loss; one that learned nothing is given as it was before."""
    estimator = case.estimator()
    try:
        estimator.fit(case.X, case.y)
    except kn.DivergenceError:
        return case.estimator(), 10 * knowing_nothing(case)
    return estimator, loss_of(estimator, case)


def planted(seed: int, fault: Fault | None) -> tuple[Case, Any, float, float, int]:
    """A case with a fault that does harm, the fit, its held-out loss, that without the fault, and how many were drawn.

    What costs nothing is no fault: a rate that turns out to be a better one, a leak where all is known anyway.
    """
    for attempt in range(ATTEMPTS):
        random = np.random.default_rng([seed, attempt])
        case = drawn(random)
        while fault is not None and fault.classes and not case.classes:
            case = drawn(random)
        if fault is None:
            estimator, loss = fitted(case)
            if is_healthy(case, estimator, loss):
                return case, estimator, loss, math.nan, attempt + 1
            continue
        twin = Case(case.X, case.y, case.held_out, case.test, dict(case.settings), case.classes)
        fault.plant(case, random)
        healthy = _healthy_loss(case, twin, fault)
        estimator, loss = fitted(case)
        if cost(loss, healthy, knowing_nothing(case)) > HARMLESS if fault.repairable else healthy > HARMLESS:
            break
    return case, estimator, loss, healthy, attempt + 1


def cost(loss: float, healthy: float, nothing: float) -> float:
    """Held-out loss that a fault has cost, of what is to be known at all.

    >>> cost(6.0, 0.25, 1.0), cost(0.5, 0.25, 1.0), cost(0.25, 0.5, 1.0)
    (0.75, 0.25, -0.25)
    """
    return min(loss, nothing) - healthy


def is_healthy(case: Case, estimator: Any, loss: float) -> bool:
    """Whether neither another rate nor stopping earlier would have brought the held-out loss to less than half."""
    if loss < NEGLIGIBLE * knowing_nothing(case):
        return True
    best = float(np.nanmin(estimator.history_.validation_loss)) if hasattr(estimator, "history_") else 0.0
    rates = [factor * case.settings["rate"] for factor in (0.1, 10.0)]
    others = [fitted(replace(case, settings=case.settings | {"rate": rate}))[1] for rate in rates]
    return loss < 2 * min(best, *others)


def judged(seed: int, fault: Fault | None, *, cures: bool) -> dict[str, Any]:
    """One run with a fault or without one."""
    begun = time.perf_counter()
    case, estimator, loss, healthy, drawn_cases = planted(seed, fault)
    report = kn.diagnose(estimator, case.X, case.y, validation=case.held_out)
    grave = [finding for finding in report.findings if finding.severity != "info"]
    told = {"seed": seed, "fault": None if fault is None else fault.plant.__name__, "loss": loss,
            "nothing": knowing_nothing(case),
            "said": [finding.rule for finding in grave], "because": [finding.because for finding in grave],
            "unit": case.settings["activation"], "drawn": drawn_cases,
            "seconds": time.perf_counter() - begun}  # fmt: skip
    if fault is None or not cures or not fault.repairable:
        return told
    better = report.cure()
    cured = loss_of(better, case) if hasattr(better, "theta_") else loss
    return told | {"healthy loss": healthy, "cured loss": cured, "gains": [remedy.text for remedy, _ in report.gains_],
                   "seconds": time.perf_counter() - begun}  # fmt: skip


def _healthy_loss(case: Case, twin: Case, fault: Fault) -> float:
    """What the run would have come to without the fault; of over-fitting, its own best epoch."""
    if fault.plant is not over_fitting:
        return fitted(twin)[1]
    watched = case.estimator().set_params(validation_data=case.test).fit(case.X, case.y)
    return float(np.nanmin(watched.history_.validation_loss))


def named_right(run: dict[str, Any]) -> bool:
    """Whether the first finding names the planted cause."""
    fault = next(fault for fault in FAULTS if fault.plant.__name__ == run["fault"])
    return bool(run["because"]) and run["because"][0] in fault.causes


def cost_of(run: dict[str, Any]) -> float:
    """What the fault of a run has cost; NaN where that was not asked."""
    return cost(run["loss"], run.get("healthy loss", math.nan), run["nothing"])


def is_cured(run: dict[str, Any]) -> bool:
    """Whether enough of what the fault had cost was regained; where that was nothing, there is nothing to cure.

    >>> run = {"loss": 8.0, "nothing": 1.0, "healthy loss": 0.2}
    >>> [is_cured(run | {"cured loss": loss}) for loss in (8.0, 1.6, 0.37, 0.35, 0.1)]
    [False, False, False, True, True]
    >>> is_cured({"loss": 0.2, "nothing": 1.0, "healthy loss": 0.2, "cured loss": 0.2})
    False
    """
    lost = cost_of(run)
    return bool(lost > HARMLESS and run["cured loss"] - run["healthy loss"] <= (1 - REGAINED) * lost)


def share_text(hits: Sequence[bool]) -> str:
    """A share with its binomial interval."""
    if not hits:
        return "–"
    low, high = binomial_interval(sum(hits), len(hits))
    return f"{sum(hits)} of {len(hits)} = {np.mean(hits):.1%} ({low:.1%} to {high:.1%})"


def summary(runs: Sequence[dict[str, Any]]) -> str:
    """Rates, and the confusion table: planted fault against the cause that was named first."""
    healthy, faulty = ([run for run in runs if (run["fault"] is None) is flag] for flag in (True, False))
    found, asked = [run for run in faulty if run["said"]], [run for run in faulty if "healthy loss" in run]
    worth = [run for run in asked if cost_of(run) > HARMLESS]
    lines = [
        f"- false alarms: {share_text([bool(run['said']) for run in healthy])} of healthy runs",
        f"- detection: {share_text([bool(run['said']) for run in faulty])} of faults",
        f"- cause named right: {share_text([named_right(run) for run in found])} of those found",
        f"- cured: {share_text([is_cured(run) for run in worth])} of faults that parameters can repair",
        f"- left out of these, as they cost nothing: {len(asked) - len(worth)}",
        "",
    ]
    names = [None, *(fault.plant.__name__ for fault in FAULTS)]
    causes = sorted({(run["because"] or [""])[0] if run["said"] else "nothing" for run in runs})
    lines += ["| planted | runs | " + " | ".join(cause or "cause unknown" for cause in causes) + " | cured |",
              "|---|---|" + "---|" * (len(causes) + 1)]  # fmt: skip
    for name in names:
        own = [run for run in runs if run["fault"] == name]
        counts = Counter((run["because"] or [""])[0] if run["said"] else "nothing" for run in own)
        repaired = [is_cured(run) for run in own if cost_of(run) > HARMLESS]
        cells = [str(counts[cause] or "") for cause in causes]
        cured = f"{sum(repaired)} of {len(repaired)}" if repaired else ""
        shown = "nothing" if name is None else name.replace("_", " ")
        lines.append(f"| {shown} | {len(own)} | " + " | ".join(cells) + f" | {cured} |")
    return "\n".join(lines)


def main() -> None:
    """Draw, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=360)
    parser.add_argument("--from", dest="first", type=int, default=TRUTH, help="the first seed")
    parser.add_argument("--process", default="0/1", help="which part of how many, such as 0/2")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--read", type=Path, nargs="*", help="figures to sum up, instead of drawing")
    parser.add_argument("--no-cures", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    if asked.read:
        print(summary([run for path in asked.read for run in json.loads(path.read_text())]))
        return
    part, parts = map(int, asked.process.split("/"))
    runs = []
    for number in range(part, asked.runs, parts):
        fault = None if number % 2 == 0 else FAULTS[number // 2 % len(FAULTS)]
        runs.append(judged(asked.first + number, fault, cures=not asked.no_cures))
        print(json.dumps(runs[-1], default=repr), flush=True)
        if asked.out:
            asked.out.write_text(json.dumps(runs, default=repr))
    print(summary(runs))
    print(machine.describe())


if __name__ == "__main__":
    main()
