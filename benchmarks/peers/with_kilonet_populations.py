"""Kilonet's populations through its public interface, and what came out is looked at."""

from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import make_moons

import kilonet as kn
from benchmarks.workloads import (
    L2,
    PLAIN,
    RUN,
    STUDY_BATCH,
    STUDY_EPOCHS,
    STUDY_HIDDEN,
    STUDY_ROWS,
    STUDY_SEEDS,
    Floats,
    Workload,
    flats,
)

PAGE = 4096  # bytes that the system gives at least


def require(what: bool, otherwise: str) -> None:
    """Raise RuntimeError with this message unless something is so: a quick wrong result must not count."""
    if not what:
        raise RuntimeError(otherwise)


class Population:
    """One call of `kn.train` for all members."""

    def __init__(self, threads: int) -> None:
        self.threads: int | None = threads

    def prepare(self, workload: Workload, settings: dict[str, Any] | None = None) -> int:
        """Make network, data and parameters; settings: in place of plain SGD with L2."""
        self.workload = workload
        self.network = kn.Network(list(workload.sizes), activation=kn.relu)
        self.X, self.y = workload.data()
        self.theta = flats(workload.stacks())
        self.settings = {**PLAIN, "l2": L2} if settings is None else PLAIN | settings
        share = self.settings.pop("held_out", 0.0)
        held_out = round(workload.rows * share / (1 - share))
        if held_out:
            random = np.random.default_rng(3)
            rows = random.standard_normal((held_out, workload.sizes[0]), dtype=np.float32)
            self.settings["validation"] = (rows, random.integers(0, workload.sizes[-1], held_out))
        return workload.members

    def train(self, epochs: int, order: int | None = 0, members: slice = slice(None)) -> Any:
        """Train members from the workload's parameters, and require that they learned."""
        theta = self.theta[members]
        runs = kn.train(
            self.network,
            kn.cross_entropy,
            self.X,
            self.y,
            theta=theta,
            seeds=range(self.workload.members)[members],
            batch=self.workload.batch,
            epochs=epochs,
            order=order,
            n_threads=self.threads,
            **self.settings,
        )
        require(runs.theta.shape == theta.shape, f"theta came back as {runs.theta.shape}")
        require(bool(np.isfinite(runs.theta).all()), "theta is not finite")
        require(bool((runs.theta != theta).any(axis=1).all()), "a member did not move")
        loss = runs.history.loss.mean(axis=1)
        require(bool(loss[-1] < loss[0]) or epochs == 1, f"the loss did not fall: {loss}")
        return runs

    def epochs(self, count: int) -> None:
        """Train."""
        self.train(count)

    def ordered_epoch(self) -> Floats:
        """Train one epoch without shuffling."""
        return np.asarray(self.train(1, order=None).theta)

    def study(self) -> float:
        """Train some widths with many seeds each, in one call on points in the plane; return their mean accuracy."""
        X, y = make_moons(STUDY_ROWS, noise=0.2, random_state=0)
        networks = [kn.Network([2, hidden, 2]) for hidden in STUDY_HIDDEN for _ in range(STUDY_SEEDS)]
        runs = kn.train(
            networks,
            kn.cross_entropy,
            X,
            y,
            seeds=list(range(STUDY_SEEDS)) * len(STUDY_HIDDEN),
            optimizer=kn.Adam(0.01),
            batch=STUDY_BATCH,
            epochs=STUDY_EPOCHS,
            n_threads=self.threads,
        )
        require(len(runs.theta) == len(networks), f"{len(networks)} networks gave {len(runs.theta)}")
        accuracy = float(runs.history.score[-1].mean())
        require(accuracy > 0.9, f"the networks' mean accuracy is {accuracy:.2f}")
        return accuracy


class ByDefault(Population):
    """With as many threads as Kilonet takes by itself."""

    def __init__(self, threads: int) -> None:  # noqa: ARG002 - OMP_NUM_THREADS, which the worker was started with, says it
        self.threads = None

    def runs(self, count: int) -> None:
        """Train from the start, again and again."""
        for _ in range(count):
            self.train(RUN)

    def peak(self) -> int:
        """Return how many bytes a call adds to what the process held before, at most. Linux only."""
        self.train(1, members=slice(1))  # what is loaded once is not the population's
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # VmHWM starts anew
        before = resident("VmRSS")
        self.train(2)
        return max(resident("VmHWM") - before, PAGE)


class OneAfterAnother(ByDefault):
    """A call for each member."""

    def runs(self, count: int) -> None:
        """Train each from the start, again and again."""
        for member in list(range(self.workload.members)) * count:
            self.train(RUN, members=slice(member, member + 1))


def resident(name: str) -> int:
    """Return bytes of this process as /proc/self/status has them under VmRSS or VmHWM."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
