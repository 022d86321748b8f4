"""Dead units against the rate: `python -m benchmarks.dying`, on the digits, two hidden layers of 64 units, plain SGD.

The notes: as much as 40% of a ReLU network can be dead where the rate is too high; leaky ReLU, PReLU and maxout do not
die. That holds by definition, so the sweep also says what they learn, and how many units are above zero on no row: as
ReLU they would be dead. The norm of each unit's weights is bounded by 10, or the highest rates would end in overflow.
"""

import argparse
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.datasets import load_digits

import kilonet as kn
from benchmarks import machine

UNITS = ("relu", "leaky_relu", "prelu", "maxout")
RATES = (0.1, 0.3, 0.5, 0.7, 1.0, 1.5, 3.0)
ORDERS = 4  # of the rows; seeds beyond share them


@dataclass(frozen=True)
class Cell:
    """One unit at one rate. dead, never_positive: shares of all hidden units, means over seeds that stayed finite."""

    unit: str
    rate: float
    finite: int
    dead: float
    never_positive: float
    accuracy: float


def digits() -> tuple[Any, Any]:
    """The digits, standardized."""
    X, y = load_digits(return_X_y=True)
    return ((X - X.mean(axis=0)) / np.maximum(X.std(axis=0), 1e-9)).astype(np.float32), y


def sweep(unit: str, rates: tuple[float, ...] = RATES, seeds: int = 16, epochs: int = 10) -> list[Cell]:
    """Every rate with every seed, trained as one population."""
    X, y = digits()
    layer = kn.Maxout(64) if unit == "maxout" else kn.Dense(64, unit)
    network = kn.Network([64, layer, layer, 10])
    each = [seed for _ in rates for seed in range(seeds)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", kn.DivergenceWarning)
        runs = kn.train(
            network, kn.cross_entropy, X, y, seeds=each, order=[seed % ORDERS for seed in each], max_norm=10.0,
            rate=[rate for rate in rates for _ in range(seeds)], optimizer="sgd", epochs=epochs, watch=epochs - 1,
        )  # fmt: skip
    finite = np.asarray(runs.diverged) == 0
    dead = runs.history.dead[-1].mean(axis=-1)
    silent = np.array([never_positive(network, theta, X) for theta in runs.theta])
    cells = []
    for place, rate in enumerate(rates):
        own = np.flatnonzero(finite[place * seeds : (place + 1) * seeds]) + place * seeds
        means = [float(np.mean(v[own])) if len(own) else np.nan for v in (dead, silent, runs.history.score[-1])]
        cells.append(Cell(unit, rate, len(own), *means))
    return cells


def never_positive(network: kn.Network, theta: Any, X: Any) -> float:
    """Share of hidden units whose output is above zero on no row."""
    outputs = network.hidden(theta, X)[:-1]
    return float(np.mean([~(a > 0).any(axis=0) for a in outputs]))


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=16)
    asked = parser.parse_args()
    print("| rate |" + "".join(f" {unit}: dead · never above 0 · accuracy |" for unit in UNITS))
    print("|---|" + "---|" * len(UNITS))
    table = {unit: sweep(unit, seeds=asked.seeds) for unit in UNITS}
    for place, rate in enumerate(RATES):
        cells = [table[unit][place] for unit in UNITS]
        said = [
            f"{c.dead:.0%} · {c.never_positive:.0%} · {c.accuracy:.0%}"
            + ("" if c.finite == asked.seeds else f" ({c.finite} of {asked.seeds} stay finite)")
            if c.finite else "none stays finite"
            for c in cells
        ]  # fmt: skip
        print(f"| {rate:g} | " + " | ".join(said) + " |")
    print(machine.describe())


if __name__ == "__main__":
    main()
