"""Interleaved rounds over peers that live in processes of their own, and medians."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workloads import Workload, flat

ROOT = Path(__file__).parents[1]
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
UNWANTED = ("OPENBLAS_CORETYPE", "KILONET_ENGINE", "KILONET_ISA")  # each would measure something else than the machine
SHORTEST_RUN = 5  # epochs of one call: nobody trains for a single one
ORDERED = ("kilonet", "PyTorch", "JAX scan", "JAX step")  # the peers that can start from given parameters


class Worker:
    """A peer with its number of threads, behind a pipe."""

    def __init__(self, peer: str, threads: int) -> None:
        self.peer, self.threads = peer, threads
        environment = {key: value for key, value in os.environ.items() if key not in UNWANTED}
        self.process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "benchmarks.worker", peer, str(threads)],
            cwd=ROOT,
            env=environment | dict.fromkeys(THREAD_VARIABLES, str(threads)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.read()

    def read(self) -> Any:
        """Return the next answer."""
        assert self.process.stdout is not None  # noqa: S101 - for the type checker
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the worker for {self.peer} on {self.threads} threads ended; its message stands above.")
        return json.loads(line)

    def ask(self, do: str, **arguments: Any) -> Any:
        """Have a command carried out and return the answer."""
        assert self.process.stdin is not None  # noqa: S101 - for the type checker
        print(json.dumps({"do": do, **arguments}), file=self.process.stdin, flush=True)
        return self.read()

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin is not None  # noqa: S101 - for the type checker
        self.process.stdin.close()
        self.process.wait(timeout=60)


@dataclass
class Series:
    """The seconds of one repetition, round by round."""

    peer: str
    threads: int
    seconds: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.seconds)


def interleaved(workers: list[Worker], do: str, rounds: int, seconds: float, fewest: int = 1) -> list[Series]:
    """Return the seconds of one repetition of `do`, every worker taking its turn in every round.

    How many repetitions fill `seconds` is found out first, which also compiles and warms what there is.
    """
    counts = [max(fewest, repetitions(worker, do, seconds)) for worker in workers]
    series = [Series(worker.peer, worker.threads) for worker in workers]
    for _ in range(rounds):
        for worker, count, found in zip(workers, counts, series, strict=True):
            time.sleep(min(0.05, seconds))  # threads of the one before that still spin go to sleep
            found.seconds.append(worker.ask(do, count=count)["seconds"] / count)
    return series


def repetitions(worker: Worker, do: str, seconds: float) -> int:
    """Return how many repetitions fill so many seconds."""
    worker.ask(do, count=1)
    count = 1
    while True:
        took = worker.ask(do, count=count)["seconds"]
        if took >= 0.2 * seconds:
            return max(1, round(count * seconds / took))
        count *= 4


def training(workload: Workload, workers: list[Worker], rounds: int, seconds: float) -> list[Series]:
    """Return the seconds of one epoch of each worker, after the check that they compute the same."""
    for worker in workers:
        worker.ask("prepare", workload=asdict(workload))
    agree(workload, [worker for worker in workers if worker.peer in ORDERED])
    for worker in workers:
        worker.ask("prepare", workload=asdict(workload))
    return interleaved(workers, "epochs", rounds, seconds, SHORTEST_RUN)


def agree(workload: Workload, workers: list[Worker]) -> None:
    """Raise RuntimeError unless an epoch in the rows' order leads everybody to the same parameters.

    The distance is measured by how far training went. Rounding in float32, and units of wide networks whose
    scores round to different sides of 0, make up to 1e-3 of it; leaving out L2 makes more than 1e-2.
    """
    start = flat(workload.parameters()).astype(np.float64)
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for i, worker in enumerate(workers):
            path = Path(folder) / f"{i}.npy"
            worker.ask("ordered_epoch", path=str(path))
            found.append(np.load(path).astype(np.float64))
    way = float(np.linalg.norm(found[0] - start))
    for worker, theta in zip(workers, found, strict=True):
        distance = float(np.linalg.norm(theta - found[0])) / way
        if not distance < 3e-3:
            raise RuntimeError(
                f"{workload.name}: {worker.peer} on {worker.threads} threads and {workers[0].peer} do not train the "
                f"same: their parameters differ by {distance:.1e} of the way they went."
            )


def prediction(workload: Workload, rows: int, workers: list[Worker], rounds: int, seconds: float) -> list[Series]:
    """Return the seconds of one call of each worker."""
    for worker in workers:
        worker.ask("prepare_prediction", workload=asdict(workload), rows=rows)
    return interleaved(workers, "predictions", rounds, seconds)


def best(series: list[Series], wanted: Callable[[str], bool]) -> Series | None:
    """Return the quickest of the wanted peers' series."""
    return min((found for found in series if wanted(found.peer)), key=lambda found: found.median, default=None)
