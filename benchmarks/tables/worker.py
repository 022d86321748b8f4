"""One fit in a process of its own, which is measured, limited and then ended.

The limit is of processor time, so that a busy neighbour does not decide who is too slow.
"""

import resource
import signal
import time
import traceback
import warnings
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from benchmarks.tables import metrics, registry
from benchmarks.tables.learners import LEARNERS, Asked, Learner

TEST_SHARE = 0.25
WARM_ROWS = 60
LEVEL = 0.9  # of the intervals
ENOUGH_TO_TELL = 600  # characters of an error
Answer = tuple[str, dict[str, float], str]  # status, values, error


@dataclass(frozen=True)
class Request:
    """What to fit and how; limit is in seconds of processor time."""

    table: str
    split: int
    learner: str
    threads: int
    limit: int
    warm: bool = False
    settings: dict[str, Any] = field(default_factory=dict)


def parted(X: pd.DataFrame, y: pd.Series, split: int, classifies: bool) -> list[Any]:
    """Return training and held-out inputs, then targets; the split's number is the seed, classes are stratified."""
    return train_test_split(X, y, test_size=TEST_SHARE, random_state=split, stratify=y if classifies else None)


def warm_up(learner: Learner, asked: Asked) -> None:
    """Fit some rows of a small table, so that what is loaded and compiled once is not timed."""
    X, y = registry.load(registry.read()["iris" if asked.classifies else "diabetes"])
    rows = np.random.default_rng(0).choice(len(X), WARM_ROWS, replace=False)
    learner.make(asked).fit(X.iloc[rows], y.iloc[rows])


def score(fitted: Any, X: pd.DataFrame, y: pd.Series, asked: Asked) -> dict[str, float]:
    """Return every figure of a fitted learner on held-out rows."""
    if asked.classifies:
        return metrics.of_classes(y.to_numpy(), fitted.classes_, np.asarray(fitted.predict_proba(X), dtype="float64"))
    truth = y.to_numpy()
    found = metrics.of_numbers(truth, np.asarray(fitted.predict(X), dtype="float64").reshape(-1))
    if hasattr(fitted, "predict_interval"):
        found |= metrics.of_intervals(truth, *fitted.predict_interval(X, level=LEVEL))
    return found


def measure(request: Request) -> dict[str, float]:
    """Return scores and seconds of one fit, in this process."""
    table, learner = registry.read()[request.table], LEARNERS[request.learner]
    asked = Asked(table.task == "classification", request.threads, request.split, request.settings)
    X_train, X_test, y_train, y_test = parted(*registry.load(table), request.split, asked.classifies)
    if request.warm:
        warm_up(learner, asked)
    model = learner.make(asked)
    begun, used = time.perf_counter(), time.process_time()
    model.fit(X_train, y_train)
    took = {"seconds": time.perf_counter() - begun, "processor_seconds": time.process_time() - used}
    begun = time.perf_counter()
    scores = score(model, X_test, y_test, asked)
    return scores | took | {"predict_seconds": time.perf_counter() - begun}


def attempt(request: Request) -> Answer:
    """Measure; whatever a learner raises is an answer too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # peers warn of their own defaults
        try:
            return "done", measure(request), ""
        except Exception:  # noqa: BLE001 - of any learner, for any reason
            return "failed", {}, traceback.format_exc()[-ENOUGH_TO_TELL:]


def serve(request: Request, answers: Connection) -> None:
    """Answer one request within its limit: beyond it the system ends the process."""
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CPU, (request.limit, request.limit + 5))
    answers.send(attempt(request))
