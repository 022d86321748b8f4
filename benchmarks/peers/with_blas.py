"""The machine's own matrix product: what NumPy's BLAS reaches on large square matrices in float32."""

import numpy as np
import threadpoolctl

from benchmarks.workloads import PRODUCT, Workload


class Sgemm:
    """Products of one size."""

    def __init__(self, threads: int) -> None:
        threadpoolctl.threadpool_limits(threads)

    def prepare(self, workload: Workload) -> None:  # noqa: ARG002 - the peak is the machine's, not a workload's
        """Make the matrices."""
        random = np.random.default_rng(0)
        self.a, self.b = (random.standard_normal((PRODUCT, PRODUCT), dtype=np.float32) for _ in range(2))
        self.c = np.empty_like(self.a)

    def epochs(self, count: int) -> None:
        """Multiply so often."""
        for _ in range(count):
            np.matmul(self.a, self.b, out=self.c)
