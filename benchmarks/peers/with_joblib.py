"""scikit-learn over many networks: a joblib loop over `MLPClassifier.fit`, a process for each core."""

import warnings
from typing import Any

from joblib import Parallel, delayed, parallel_config
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from benchmarks.peers.with_sklearn import classifier
from benchmarks.workloads import Workload

SAMPLE = 4  # members a process, since each takes as long as the next


def fit(workload: Workload, X: NDArray[Any], y: NDArray[Any], epochs: int, seed: int) -> list[NDArray[Any]]:
    """Fit a member and return its weights."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    return list(classifier(workload, epochs).set_params(random_state=seed).fit(X, y).coefs_)


class Loop:
    """A sample of the members."""

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def prepare(self, workload: Workload) -> int:
        """Make the data."""
        self.workload = workload
        self.X, self.y = workload.data()
        self.sample = min(SAMPLE * self.threads, workload.members)
        return self.sample

    def epochs(self, count: int) -> None:
        """Fit each, with one thread of BLAS in each process: more would get in each other's way."""
        with parallel_config(backend="loky", inner_max_num_threads=1):
            jobs = (delayed(fit)(self.workload, self.X, self.y, count, seed) for seed in range(self.sample))
            Parallel(n_jobs=self.threads)(jobs)
