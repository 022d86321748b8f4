"""scikit-learn's MLPClassifier, with nothing but plain SGD and L2."""

import warnings

import numpy as np
import threadpoolctl
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

from benchmarks.workloads import L2, RATE, Workload


def classifier(workload: Workload, epochs: int) -> MLPClassifier:
    """Return the workload's classifier. Its alpha is divided by the batch's rows, ours is not."""
    return MLPClassifier(
        workload.sizes[1:-1],
        solver="sgd",
        momentum=0.0,
        nesterovs_momentum=False,
        batch_size=workload.batch,
        learning_rate_init=RATE,
        alpha=L2 * workload.batch,
        max_iter=epochs,
        tol=0.0,
        n_iter_no_change=10**9,
    )


class Sklearn:
    """`fit` with so many iterations."""

    def __init__(self, threads: int) -> None:
        threadpoolctl.threadpool_limits(threads)
        warnings.simplefilter("ignore", ConvergenceWarning)

    def prepare(self, workload: Workload) -> None:
        """Make the data."""
        self.workload = workload
        self.X, self.y = workload.data()

    def epochs(self, count: int) -> None:
        """Fit."""
        self.model = classifier(self.workload, count).fit(self.X, self.y)

    def prepare_prediction(self, workload: Workload, rows: int) -> None:
        """Fit for one iteration; what was learned does not change how long a prediction takes."""
        self.prepare(workload)
        self.epochs(1)
        self.rows = np.resize(self.X, (rows, workload.sizes[0]))

    def predictions(self, count: int) -> None:
        """Predict probabilities."""
        for _ in range(count):
            self.model.predict_proba(self.rows)
