"""Kilonet through its public interface: checks, shuffling, gather, history and all."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

import kilonet as kn
from benchmarks.workloads import L2, RATE, Floats, Workload, flat
from kilonet import engine


class Kilonet:
    """Plain `kn.train`."""

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def prepare(self, workload: Workload) -> None:
        """Make network, data and parameters."""
        self.workload = workload
        self.network = kn.Network(list(workload.sizes), activation=kn.relu)
        self.X, self.y = workload.data()
        self.theta = flat(workload.parameters())

    def train(self, epochs: int, order: int | None) -> Any:
        """Train from the workload's parameters."""
        return kn.train(
            self.network,
            kn.cross_entropy,
            self.X,
            self.y,
            theta=self.theta,
            optimizer=kn.SGD(RATE),
            batch=self.workload.batch,
            epochs=epochs,
            l2=L2,
            order=order,
            n_threads=self.threads,
        )

    def epochs(self, count: int) -> None:
        """Train."""
        self.train(count, order=0)

    def ordered_epoch(self) -> Floats:
        """Train one epoch without shuffling."""
        return np.asarray(self.train(1, order=None).theta).ravel()

    def prepare_prediction(self, workload: Workload, rows: int) -> None:
        """Pack the parameters once, as repeated predictions do."""
        self.prepare(workload)
        self.rows = np.resize(self.X, (rows, workload.sizes[0]))
        # Its threads are those of OMP_NUM_THREADS, which the worker was started with.
        self.predictor = engine.choose(self.network).Predictor(self.network, self.theta[None])

    def predictions(self, count: int) -> None:
        """Predict the same rows again and again."""
        for _ in range(count):
            kn.cross_entropy.link(self.predictor.scores(self.rows))


class KilonetEstimator:
    """`kn.MLPClassifier`, and what its fit costs besides training."""

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def prepare_prediction(self, workload: Workload, rows: int) -> None:
        """Fit for one epoch; what was learned does not change how long a prediction takes."""
        X, y = workload.data()
        model = kn.MLPClassifier(workload.sizes[1:-1], epochs=1, encode=None, n_jobs=self.threads, random_state=0)
        self.model = model.fit(X, y)
        self.rows = np.resize(X, (rows, workload.sizes[0]))

    def predictions(self, count: int) -> None:
        """Predict probabilities, checks of the input included."""
        for _ in range(count):
            self.model.predict_proba(self.rows)

    def seconds_outside_engine(self) -> float:
        """Return the time that fit needs for everything but training, on 1,797 handwritten digits."""
        X, y = load_digits(return_X_y=True)
        model = kn.MLPClassifier((64,), epochs=2, n_jobs=self.threads, random_state=0)
        with engine_time() as inside:
            start = time.perf_counter()
            model.fit(X, y)
            return time.perf_counter() - start - sum(inside)


@contextmanager
def engine_time() -> Iterator[list[float]]:
    """Collect the seconds of every call that trains."""
    chosen = engine.choose(kn.Network([1, 1]), kn.cross_entropy)
    advance, seconds = chosen.advance, []

    def timed(*arguments: Any, **named: Any) -> Any:
        start = time.perf_counter()
        try:
            return advance(*arguments, **named)
        finally:
            seconds.append(time.perf_counter() - start)

    chosen.advance = timed
    try:
        yield seconds
    finally:
        chosen.advance = advance
