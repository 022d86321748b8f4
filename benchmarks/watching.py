"""What it costs to look inside networks in every epoch: `python -m benchmarks.watching`.

Healthy runs on 5,000 rows, with monitors in every epoch and without any, by turns; the ratio of the medians.
"""

import argparse
import statistics
import time
from typing import Any

import numpy as np

import kilonet as kn
from benchmarks import machine

CASES: list[tuple[str, list[int], str, int, dict[str, Any]]] = [
    ("2-20-2 × 64", [2, 20, 2], "relu", 64, {"batch": 32, "epochs": 4}),
    ("2-20-2, alone", [2, 20, 2], "relu", 1, {"batch": 32, "epochs": 20}),
    ("20-64-64-3 × 16", [20, 64, 64, 3], "relu", 16, {"batch": 32, "epochs": 2}),
    ("20-64-64-3, tanh, alone", [20, 64, 64, 3], "tanh", 1, {"batch": 32, "epochs": 8}),
    ("64-100-10, alone", [64, 100, 10], "relu", 1, {"batch": 32, "epochs": 8}),
    ("64-100-10 × 16", [64, 100, 10], "relu", 16, {"batch": 32, "epochs": 2}),
    ("64-100-10, batch 256", [64, 100, 10], "relu", 1, {"batch": 256, "epochs": 20}),
    ("784-256-128-10, batch 128", [784, 256, 128, 10], "relu", 1, {"batch": 128, "epochs": 2}),
]


def rows(inputs: int, classes: int, n: int = 5000) -> tuple[Any, Any]:
    """Classes that a network learns without trouble."""
    random = np.random.default_rng(0)
    X = random.normal(size=(n, inputs)).astype(np.float32)
    return X, np.argmax(X @ random.normal(size=(inputs, classes)) + np.sin(3 * X[:, :1]), axis=1)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    asked = parser.parse_args()
    print(f"{'network':28} {'dead':>6}  time with monitors / without")
    for name, sizes, unit, members, settings in CASES:
        X, y = rows(sizes[0], sizes[-1])
        network = kn.Network(sizes, activation=unit)
        taken: dict[int, list[float]] = {0: [], 1: []}
        for _ in range(asked.rounds):
            for watch, times in taken.items():
                begun = time.perf_counter()
                runs = kn.train(network, kn.cross_entropy, X, y, seeds=range(members), watch=watch, **settings)
                times.append(time.perf_counter() - begun)
        ratio = statistics.median(taken[1]) / statistics.median(taken[0])
        print(f"{name:28} {np.nanmax(runs.history.dead):6.1%}  {ratio:.3f}", flush=True)
    print(machine.describe())


if __name__ == "__main__":
    main()
