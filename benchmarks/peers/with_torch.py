"""PyTorch as it is commonly written: eager, one optimizer, rows gathered by index."""

import itertools

import numpy as np
import torch

from benchmarks.workloads import L2, RATE, Floats, Workload, flat


class Torch:
    """A Sequential of Linear and ReLU."""

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)

    def prepare(self, workload: Workload) -> None:
        """Make model, optimizer and tensors. Weights are penalized, biases are not."""
        self.workload = workload
        X, y = workload.data()
        self.X, self.y = torch.from_numpy(X), torch.from_numpy(y)
        self.model = build(workload)
        groups = [
            {"params": [p for p in self.model.parameters() if p.ndim == 2], "weight_decay": L2},
            {"params": [p for p in self.model.parameters() if p.ndim == 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.SGD(groups, lr=RATE, fused=True)
        self.loss = torch.nn.CrossEntropyLoss()
        self.random = np.random.default_rng(2)

    def epoch(self, order: torch.Tensor) -> None:
        """Train one epoch in this order of the rows."""
        for rows in order.split(self.workload.batch):
            self.optimizer.zero_grad(set_to_none=True)
            self.loss(self.model(self.X[rows]), self.y[rows]).backward()
            self.optimizer.step()

    def epochs(self, count: int) -> None:
        """Train."""
        for _ in range(count):
            self.epoch(torch.from_numpy(self.random.permutation(self.workload.rows)))

    def ordered_epoch(self) -> Floats:
        """Train one epoch without shuffling, from the start."""
        self.prepare(self.workload)
        self.epoch(torch.arange(self.workload.rows))
        return np.concatenate([p.detach().numpy().ravel() for p in self.model.parameters()])

    def prepare_prediction(self, workload: Workload, rows: int) -> None:
        """Make model and rows."""
        self.model = build(workload)
        self.rows = torch.from_numpy(np.resize(workload.data()[0], (rows, workload.sizes[0])))

    def predictions(self, count: int) -> None:
        """Predict probabilities."""
        with torch.inference_mode():
            for _ in range(count):
                torch.softmax(self.model(self.rows), 1)


def build(workload: Workload) -> torch.nn.Sequential:
    """Return the network with the workload's parameters."""
    layers = [part for a, b in itertools.pairwise(workload.sizes) for part in (torch.nn.Linear(a, b), torch.nn.ReLU())]
    model = torch.nn.Sequential(*layers[:-1])
    torch.nn.utils.vector_to_parameters(torch.from_numpy(flat(workload.parameters())), model.parameters())
    return model
