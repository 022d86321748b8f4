"""PyTorch as it is commonly written: eager, one optimizer, rows gathered by index."""

import itertools

import numpy as np
import torch

from benchmarks.workloads import L2, RATE, Floats, Workload, flat

SAMPLE = 8


class Torch:
    """A Sequential of Linear and ReLU."""

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)

    def prepare(self, workload: Workload) -> None:
        """Make model, optimizer and tensors."""
        self.workload = workload
        X, y = workload.data()
        self.X, self.y = torch.from_numpy(X), torch.from_numpy(y)
        self.model, self.optimizer = start(workload)
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


class Loop(Torch):
    """Members one after another: a sample of them, since each takes as long as the next."""

    def prepare(self, workload: Workload) -> int:
        """Make the tensors, and model and optimizer of each member of the sample."""
        super().prepare(workload)
        self.members = [start(workload, member) for member in range(min(SAMPLE, workload.members))]
        return len(self.members)

    def epochs(self, count: int) -> None:
        """Train each."""
        for model, optimizer in self.members:
            self.model, self.optimizer = model, optimizer
            super().epochs(count)

    def ordered_epoch(self) -> Floats:
        """Train all members for one epoch without shuffling, from the start."""
        found = []
        for member in range(self.workload.members):
            self.model, self.optimizer = start(self.workload, member)
            self.epoch(torch.arange(self.workload.rows))
            found.append(np.concatenate([p.detach().numpy().ravel() for p in self.model.parameters()]))
        return np.stack(found)


def start(workload: Workload, member: int = 0) -> tuple[torch.nn.Sequential, torch.optim.Optimizer]:
    """Return a member's network and its optimizer, by which weights are penalized and biases are not."""
    model = build(workload, member)
    groups = [
        {"params": [p for p in model.parameters() if p.ndim == 2], "weight_decay": L2},
        {"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0.0},
    ]
    return model, torch.optim.SGD(groups, lr=RATE, fused=True)


def build(workload: Workload, member: int = 0) -> torch.nn.Sequential:
    """Return the network with a member's parameters."""
    layers = [part for a, b in itertools.pairwise(workload.sizes) for part in (torch.nn.Linear(a, b), torch.nn.ReLU())]
    model = torch.nn.Sequential(*layers[:-1])
    torch.nn.utils.vector_to_parameters(torch.from_numpy(flat(workload.parameters(member))), model.parameters())
    return model
