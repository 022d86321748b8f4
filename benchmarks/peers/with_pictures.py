"""Real pictures, Fashion-MNIST, with the settings that each library has by itself: how soon how good."""

import time
import warnings
from typing import Any

import numpy as np
import threadpoolctl
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

import kilonet as kn
from benchmarks.workloads import PICTURES
from kilonet.data import read

HIDDEN = (256, 128)
Curve = list[tuple[float, float]]  # seconds of training so far and accuracy on the test set, after each epoch


class Pictures:
    """The data: pixels from 0 to 1, and the test set."""

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def prepare_pictures(self) -> None:
        """Read the files."""
        table = read(PICTURES)
        self.X, self.y = table.X, table.y
        self.test_X, self.test_y = table.test


class KilonetPictures(Pictures):
    """`fit` as it comes, its time for measuring the test set included."""

    def curve(self, most_epochs: int) -> Curve:  # noqa: ARG002 - the number of epochs is its own
        """Fit and note the clock after each epoch."""
        clock: list[float] = []

        def note(_: Any) -> None:
            clock.append(time.perf_counter())

        settings = {"validation_data": (self.test_X, self.test_y), "callbacks": [note]}
        model = kn.MLPClassifier(HIDDEN, n_jobs=self.threads, random_state=0, **settings)
        start = time.perf_counter()
        model.fit(self.X, self.y)
        accuracy = model.history_.validation_score
        return [(at - start, float(score)) for at, score in zip(clock, np.ravel(accuracy), strict=True)]


class SklearnPictures(Pictures):
    """`partial_fit` epoch by epoch, its time for measuring the test set left out."""

    def curve(self, most_epochs: int) -> Curve:
        """Train so many epochs."""
        threadpoolctl.threadpool_limits(self.threads)
        warnings.simplefilter("ignore", ConvergenceWarning)
        model, classes = MLPClassifier(HIDDEN, random_state=0), np.unique(self.y)
        seconds, found = 0.0, []
        for _ in range(most_epochs):
            start = time.perf_counter()
            model.partial_fit(self.X, self.y, classes=classes)
            seconds += time.perf_counter() - start
            found.append((seconds, float(model.score(self.test_X, self.test_y))))
        return found
