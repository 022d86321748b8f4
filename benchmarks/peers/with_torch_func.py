"""PyTorch's way to train many small networks at once: stacked parameters, and torch.func's vmap over grad."""

import numpy as np
import torch
from torch.func import grad, vmap
from torch.nn.functional import cross_entropy, linear, relu

from benchmarks.workloads import L2, RATE, Floats, Workload


def loss(parameters: tuple[torch.Tensor, ...], x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Return mean cross-entropy of one member; parameters are W and b of the first layer, of the second, and so on."""
    for i in range(0, len(parameters), 2):
        x = linear(x, parameters[i], parameters[i + 1])
        if i + 2 < len(parameters):
            x = relu(x)
    return cross_entropy(x, y)


class VmapGrad:
    """All members in every step."""

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)
        self.gradient = vmap(grad(loss), in_dims=(0, None, None))

    def prepare(self, workload: Workload) -> int:
        """Make the tensors."""
        self.workload = workload
        self.X, self.y = map(torch.from_numpy, workload.data())
        self.parameters = tuple(torch.from_numpy(part) for pair in workload.stacks() for part in pair)
        self.random = np.random.default_rng(2)
        return workload.members

    def epoch(self, order: torch.Tensor) -> None:
        """Train one epoch in this order of the rows. The penalty's slope needs no graph: it is L2 · W."""
        for rows in order.split(self.workload.batch):
            slopes = self.gradient(self.parameters, self.X[rows], self.y[rows])
            for i, (part, slope) in enumerate(zip(self.parameters, slopes, strict=True)):
                if i % 2 == 0:
                    part.mul_(1 - RATE * L2)
                part.add_(slope, alpha=-RATE)

    def epochs(self, count: int) -> None:
        """Train."""
        for _ in range(count):
            self.epoch(torch.from_numpy(self.random.permutation(self.workload.rows)))

    def ordered_epoch(self) -> Floats:
        """Train one epoch without shuffling, from the start."""
        self.prepare(self.workload)
        self.epoch(torch.arange(self.workload.rows))
        return np.concatenate([part.numpy().reshape(len(part), -1) for part in self.parameters], axis=1)
