"""What is trained: networks, batches and data, the same numbers for everybody."""

from collections.abc import Sequence
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
    members: int = 1

    @property
    def network(self) -> str:
        """The network's sizes."""
        return "-".join(map(str, self.sizes))

    @property
    def name(self) -> str:
        """How many networks, where there are several, their sizes and the batch."""
        members = f"{self.members:,} × " if self.members > 1 else ""
        return f"{members}{self.network}, {self.batch}"

    @property
    def rows(self) -> int:
        """Rows of the data: whole batches only."""
        return self.batch * self.batches

    @property
    def flops(self) -> float:
        """Multiplications and additions of one network's step in matrix products; no delta below the first layer."""
        pairs = list(zip(self.sizes, self.sizes[1:], strict=False))
        return sum(2.0 * a * b * self.batch * (2 if i == 0 else 3) for i, (a, b) in enumerate(pairs))

    def data(self) -> tuple[Floats, NDArray[np.int64]]:
        """Return X (rows, inputs) and y (rows,): normal numbers and labels at random."""
        random = np.random.default_rng(0)
        X = random.standard_normal((self.rows, self.sizes[0]), dtype=np.float32)
        return X, random.integers(0, self.sizes[-1], self.rows)

    def stacks(self) -> list[tuple[Floats, Floats]]:
        """Return W (members, fan_out, fan_in) and b (members, fan_out) of each layer."""
        random = np.random.default_rng(1)
        return [
            (
                random.standard_normal((self.members, b, a), dtype=np.float32) * np.float32(np.sqrt(2 / a)),
                np.zeros((self.members, b), np.float32),
            )
            for a, b in zip(self.sizes, self.sizes[1:], strict=False)
        ]

    def parameters(self, member: int = 0) -> list[tuple[Floats, Floats]]:
        """Return W (fan_out, fan_in) and b (fan_out,) of each layer of a member."""
        return [(W[member], b[member]) for W, b in self.stacks()]


def flat(parameters: list[tuple[Floats, Floats]]) -> Floats:
    """Return Kilonet's theta: layer by layer W row by row, then b."""
    return np.concatenate([np.asarray(part, np.float32).ravel() for pair in parameters for part in pair])


def flats(stacks: list[tuple[Floats, Floats]]) -> Floats:
    """Return Kilonet's theta (members, parameters) of stacked W and b."""
    parts = [np.asarray(part, np.float32) for pair in stacks for part in pair]
    return np.concatenate([part.reshape(len(part), -1) for part in parts], axis=1)


def chosen(workloads: Sequence[Workload], text: str) -> list[Workload]:
    """Return the workloads whose name contains the text, however its commas, spaces and crosses are written.

    >>> [workload.name for workload in chosen(POPULATIONS, "1500 x 2")]
    ['1,500 × 2-20-2, 32']
    """

    def plain(name: str) -> str:
        return name.replace(",", "").replace(" ", "").replace("×", "x").lower()

    return [workload for workload in workloads if plain(text) in plain(workload.name)]


TRAINING = [
    Workload((2, 20, 2), 32, 50),
    Workload((64, 100, 10), 32, 50),
    Workload((784, 256, 128, 10), 128, 50),
    Workload((3072, 100, 10), 100, 50),
    Workload((784, 1024, 1024, 10), 256, 12),
]
POPULATIONS = [
    Workload((2, 20, 2), 32, 50, members=1500),
    Workload((64, 100, 10), 32, 50, members=256),
]
PREDICTION = Workload((784, 256, 128, 10), 128, 2)

HELD_OUT = 0.2  # share of all rows that validation takes; as many are trained on as without it
PLAIN = {"optimizer": "sgd", "rate": RATE}
ADAM = {"optimizer": "adam", "rate": 1e-3}
FEATURES: dict[str, dict[str, object]] = {
    "Adam": ADAM,
    "L2": {"l2": L2},
    "dropout 0.2": {"dropout": 0.2},
    "input noise 0.2": {"input_noise": 0.2},
    "validation": {"held_out": HELD_OUT},
    "all of them": {**ADAM, "l2": L2, "dropout": 0.2, "input_noise": 0.2, "held_out": HELD_OUT},
}
RUN = 10  # epochs of a run of a population that is to be scaled: a call's own cost counts for all in the same way
STUDY_HIDDEN = (3, 6, 20, 50)
STUDY_SEEDS, STUDY_ROWS, STUDY_EPOCHS, STUDY_BATCH = 100, 300, 200, 32
