"""JAX over many networks: the step of one, vmapped over stacked parameters, and an epoch as one compiled scan."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.peers.with_jax import Parameters, Scan, update
from benchmarks.workloads import Floats, Workload, flats

CHUNK = 32


class Vmap(Scan):
    """All members in every step."""

    def prepare(self, workload: Workload) -> int:  # type: ignore[override]
        """Put data and parameters on the device and make the compiled function."""
        self.workload = workload
        self.X, self.y = map(jnp.asarray, workload.data())
        self.parameters: Parameters = [(jnp.asarray(W.swapaxes(1, 2)), jnp.asarray(b)) for W, b in workload.stacks()]
        self.random = np.random.default_rng(2)
        self.scan = jax.jit(self.trained, donate_argnums=0)
        return workload.members

    def trained(self, parameters: Parameters, X: Any, y: Any, order: Any) -> Parameters:
        """Return the parameters after one epoch."""
        step = jax.vmap(update, in_axes=(0, None, None, None))
        return jax.lax.scan(lambda p, rows: (step(p, X, y, rows), None), parameters, order)[0]

    def ordered_epoch(self) -> Floats:
        """Train one epoch without shuffling, from the start."""
        self.prepare(self.workload)
        self.epoch(np.arange(self.workload.rows, dtype=np.int32).reshape(self.workload.batches, -1))
        return flats([(np.asarray(W).swapaxes(1, 2), np.asarray(b)) for W, b in self.parameters])


class Chunks(Vmap):
    """The epochs of some members after those of others: their parameters stay in the caches."""

    def trained(self, parameters: Parameters, X: Any, y: Any, order: Any) -> Parameters:
        """Return the parameters after one epoch."""

        def epoch(member: Parameters) -> Parameters:
            return jax.lax.scan(lambda p, rows: (update(p, X, y, rows), None), member, order)[0]

        return jax.lax.map(epoch, parameters, batch_size=CHUNK)
