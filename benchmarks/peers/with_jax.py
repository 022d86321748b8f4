"""JAX, compiled: a whole epoch as one scan, or one step at a time. Permutations come from NumPy, which is quicker."""

import os
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.workloads import L2, RATE, Floats, Workload, flat

Parameters = list[tuple[Any, Any]]


def loss(parameters: Parameters, x: Any, y: Any) -> Any:
    """Return mean cross-entropy and the penalty."""
    penalty = sum(jnp.sum(W * W) for W, _ in parameters)
    for i, (W, b) in enumerate(parameters):
        x = x @ W + b
        if i < len(parameters) - 1:
            x = jax.nn.relu(x)
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], 1)) + 0.5 * L2 * penalty


def update(parameters: Parameters, X: Any, y: Any, rows: Any) -> Parameters:
    """Return the parameters after one step on these rows."""
    gradient = jax.grad(loss)(parameters, X[rows], y[rows])
    return jax.tree.map(lambda p, g: p - RATE * g, parameters, gradient)


class Scan:
    """One compiled call an epoch."""

    def __init__(self, threads: int) -> None:
        if threads == 1:  # the only way that holds for all of XLA's thread pools
            os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    def prepare(self, workload: Workload) -> None:
        """Put data and parameters on the device and make the compiled functions."""
        self.workload = workload
        self.X, self.y = map(jnp.asarray, workload.data())
        # (fan_in, fan_out), as JAX code has it
        self.parameters: Parameters = [(jnp.asarray(W.T), jnp.asarray(b)) for W, b in workload.parameters()]
        self.random = np.random.default_rng(2)
        self.step = jax.jit(update, donate_argnums=0)

        def epoch(parameters: Parameters, X: Any, y: Any, order: Any) -> Parameters:
            return jax.lax.scan(lambda p, rows: (update(p, X, y, rows), None), parameters, order)[0]

        self.scan = jax.jit(epoch, donate_argnums=0)

    def epoch(self, order: Any) -> None:
        """Train one epoch; order is (batches, batch)."""
        self.parameters = self.scan(self.parameters, self.X, self.y, order)

    def epochs(self, count: int) -> None:
        """Train."""
        for _ in range(count):
            order = self.random.permutation(self.workload.rows).astype(np.int32)
            self.epoch(order.reshape(self.workload.batches, -1))
        jax.block_until_ready(self.parameters)

    def ordered_epoch(self) -> Floats:
        """Train one epoch without shuffling, from the start."""
        self.prepare(self.workload)
        self.epoch(np.arange(self.workload.rows, dtype=np.int32).reshape(self.workload.batches, -1))
        return flat([(np.asarray(W).T, np.asarray(b)) for W, b in self.parameters])


class Step(Scan):
    """One compiled call a step."""

    def epoch(self, order: Any) -> None:
        """Train one epoch; order is (batches, batch)."""
        for rows in order:
            self.parameters = self.step(self.parameters, self.X, self.y, rows)
