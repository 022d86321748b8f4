"""Work through the fits that are not in the results yet, one process at a time."""

import os
import signal
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.tables import store, worker
from benchmarks.tables.learners import LEARNERS
from benchmarks.tables.registry import Table
from benchmarks.tables.store import Job, Result
from benchmarks.tables.worker import Answer, Request

THREAD_VARIABLES = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS", "NUMBA_NUM_THREADS",
)  # fmt: skip
PINNED_KERNELS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # everybody computes with what fits the processor
BEYOND_ITS_LIMIT = (-signal.SIGXCPU, -signal.SIGKILL)


@dataclass(frozen=True)
class Plan:
    """How fits are done.

    threads: of each fit. limit: seconds of processor time that each may take. timed: nothing else runs here, so that
    seconds count. settings: of our learners, against their defaults. apart: each fit in a process of its own; without
    it there is no limit.
    """

    results: Path
    splits: int = 3
    threads: int = 2
    limit: int = 1200
    timed: bool = False
    settings: dict[str, Any] = field(default_factory=dict)
    apart: bool = True

    def settings_of(self, learner: str) -> dict[str, Any]:
        """Return a learner's settings: peers have none."""
        return self.settings if LEARNERS[learner].own else {}


def jobs(tables: Iterable[Table], learners: Sequence[str], plan: Plan) -> list[Job]:
    """Return all fits, the cheap ones first, and later splits later."""
    digests = {name: LEARNERS[name].digest(plan.settings_of(name)) for name in learners}
    found = []
    for table in tables:
        rows, columns = table.shape
        for split in range(plan.splits):
            for name in learners:
                cost = rows * columns**0.5 * LEARNERS[name].cost * 4**split
                found.append((cost, Job(table.name, table.digest(), split, name, digests[name], plan.timed)))
    return [job for _, job in sorted(found, key=lambda pair: pair[0])]


def set_environment(threads: int) -> None:
    """Let the processes that are started from now on have so many threads in every library, and no pinned kernels."""
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, str(threads)))
    for name in PINNED_KERNELS:
        os.environ.pop(name, None)


def prepared(learners: Sequence[str]) -> Any:
    """Return a context whose processes have loaded what the learners need, but computed nothing yet."""
    context = get_context("forkserver")
    with_torch = any("torch" in LEARNERS[name].packages for name in learners)
    context.set_forkserver_preload([worker.__name__, *(["pytabkit"] if with_torch else [])])
    return context


def answered(request: Request, context: Any) -> Answer:
    """Return what a process of its own makes of a request; one that was ended is an answer too."""
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=worker.serve, args=(request, sending))
    process.start()
    sending.close()
    try:
        answer: Answer = receiving.recv()
    except EOFError:
        process.join()
        late = process.exitcode in BEYOND_ITS_LIMIT
        answer = ("too long" if late else "failed", {}, f"the process ended with {process.exitcode}")
    process.join()
    return answer


def run(tables: Iterable[Table], learners: Sequence[str], plan: Plan) -> Iterator[Result]:
    """Do what is not done, append each result and yield it; what failed is tried again only as another version."""
    set_environment(plan.threads)
    context = prepared(learners)
    for job in jobs(tables, learners, plan):
        if any(job == result.job for result in store.read(plan.results)):
            continue
        settings = plan.settings_of(job.learner)
        request = Request(job.table, job.split, job.learner, plan.threads, plan.limit, plan.timed, settings)
        status, values, error = answered(request, context) if plan.apart else worker.attempt(request)
        notes = {"when": datetime.now(tz=UTC).isoformat(timespec="seconds"), "threads": plan.threads,
                 "limit": plan.limit, "settings": settings, "error": error}  # fmt: skip
        result = Result(job, status, values, notes)
        store.append(plan.results, result)
        yield result
