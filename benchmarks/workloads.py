"""What is trained: networks, batches and data, the same numbers for everybody."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

L2 = 1e-3
RATE = 0.01
PRODUCT = 2048  # rows and columns of the matrices whose product is the machine's peak
PRODUCT_FLOPS = 2.0 * PRODUCT**3
PICTURES = Path("/usr/share/datasets/fashion-mnist")  # Debian: dataset-fashion-mnist

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Workload:
    """A ReLU network, softmax cross-entropy, plain SGD with L2, in float32, on rows that are shuffled every epoch."""

    sizes: tuple[int, ...]
    batch: int
    batches: int

    @property
    def name(self) -> str:
        """The network's sizes and the batch."""
        return f"{'-'.join(map(str, self.sizes))}, {self.batch}"

    @property
    def rows(self) -> int:
        """Rows of the data: whole batches only."""
        return self.batch * self.batches

    @property
    def flops(self) -> float:
        """Multiplications and additions of the matrix products of one step; the first layer needs no delta below it."""
        pairs = list(zip(self.sizes, self.sizes[1:], strict=False))
        return sum(2.0 * a * b * self.batch * (2 if i == 0 else 3) for i, (a, b) in enumerate(pairs))

    def data(self) -> tuple[Floats, NDArray[np.int64]]:
        """Return X (rows, inputs) and y (rows,): normal numbers and labels at random."""
        random = np.random.default_rng(0)
        X = random.standard_normal((self.rows, self.sizes[0]), dtype=np.float32)
        return X, random.integers(0, self.sizes[-1], self.rows)

    def parameters(self) -> list[tuple[Floats, Floats]]:
        """Return W (fan_out, fan_in) and b (fan_out,) of each layer."""
        random = np.random.default_rng(1)
        return [
            (
                random.standard_normal((b, a), dtype=np.float32) * np.float32(np.sqrt(2 / a)),
                np.zeros(b, np.float32),
            )
            for a, b in zip(self.sizes, self.sizes[1:], strict=False)
        ]


def flat(parameters: list[tuple[Floats, Floats]]) -> Floats:
    """Return Kilonet's theta: layer by layer W row by row, then b."""
    return np.concatenate([np.asarray(part, np.float32).ravel() for pair in parameters for part in pair])


TRAINING = [
    Workload((2, 20, 2), 32, 50),
    Workload((64, 100, 10), 32, 50),
    Workload((784, 256, 128, 10), 128, 50),
    Workload((3072, 100, 10), 100, 50),
    Workload((784, 1024, 1024, 10), 256, 12),
]
PREDICTION = Workload((784, 256, 128, 10), 128, 2)
