"""Interleaved rounds over peers that live in processes of their own, and medians."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.workloads import Workload, flats

ROOT = Path(__file__).parents[1]
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
UNWANTED = ("OPENBLAS_CORETYPE", "KILONET_ENGINE", "KILONET_ISA")  # each would measure something else than the machine
SHORTEST_RUN = 5  # epochs of one call, where a call costs something by itself: nobody trains for a single one
CALLS = ("kilonet", "scikit-learn")  # how the names of those begin
# The peers that can start from given parameters.
ORDERED = (
    "kilonet", "PyTorch", "JAX scan", "JAX step",
    "kilonet population", "JAX vmap", "JAX vmap in chunks", "torch.func", "PyTorch loop",
)  # fmt: skip
FEW = 16  # members of a population that are compared with the peers': a pack in the widest vectors


class Worker:
    """A peer with its number of threads, behind a pipe; label: what it is called where a peer stands for several."""

    def __init__(self, peer: str, threads: int, label: str = "") -> None:
        self.peer, self.threads, self.label = peer, threads, label or peer
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


@contextmanager
def started(wanted: Iterable[tuple[Any, ...]]) -> Iterator[list[Worker]]:
    """Start workers, each from its arguments, and end them all in the end."""
    with ExitStack() as stack:
        workers = []
        for arguments in wanted:
            workers.append(Worker(*arguments))
            stack.callback(workers[-1].close)
        yield workers


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


def interleaved(workers: list[Worker], do: str, rounds: int, seconds: float) -> list[Series]:
    """Return the seconds of one repetition of `do`, every worker taking its turn in every round.

    How many repetitions fill `seconds` is found out first, which also compiles and warms what there is.
    """
    counts = [max(fewest(worker.peer, do), repetitions(worker, do, seconds)) for worker in workers]
    series = [Series(worker.label, worker.threads) for worker in workers]
    for _ in range(rounds):
        for worker, count, found in zip(workers, counts, series, strict=True):
            time.sleep(min(0.05, seconds))  # threads of the one before that still spin go to sleep
            found.seconds.append(worker.ask(do, count=count)["seconds"] / count)
    return series


def fewest(peer: str, do: str) -> int:
    """Return the fewest repetitions that a measurement has.

    >>> fewest("kilonet population", "epochs"), fewest("JAX vmap", "epochs"), fewest("kilonet", "predictions")
    (5, 1, 1)
    """
    return SHORTEST_RUN if do == "epochs" and peer.startswith(CALLS) else 1


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
    """Return the seconds of one epoch of one network of each worker, after the check that they compute the same."""
    few = replace(workload, members=min(workload.members, FEW))
    for worker in workers:
        worker.ask("prepare", workload=asdict(few))
    agree(few, [worker for worker in workers if worker.peer in ORDERED])
    # Who trains but a sample of the members says so.
    trained = [worker.ask("prepare", workload=asdict(workload))["result"] or 1 for worker in workers]
    series = interleaved(workers, "epochs", rounds, seconds)
    for found, members in zip(series, trained, strict=True):
        found.seconds = [each / members for each in found.seconds]
    return series


def agree(workload: Workload, workers: list[Worker]) -> None:
    """Raise RuntimeError unless an epoch in the rows' order leads everybody to the same parameters.

    The distance is measured by how far training went, member by member. Rounding in float32, and units of wide
    networks whose scores round to different sides of 0, make up to 1e-3 of it; leaving out L2 makes more than 1e-2.
    """
    start = flats(workload.stacks()).astype(np.float64)
    with tempfile.TemporaryDirectory() as folder:
        found = []
        for i, worker in enumerate(workers):
            path = Path(folder) / f"{i}.npy"
            worker.ask("ordered_epoch", path=str(path))
            found.append(np.load(path).astype(np.float64).reshape(start.shape))
    way = np.linalg.norm(found[0] - start, axis=1)
    for worker, theta in zip(workers, found, strict=True):
        distance = float((np.linalg.norm(theta - found[0], axis=1) / way).max())
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
