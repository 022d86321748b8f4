"""Do the verdicts of ArchitectureSearch hold? `python -m benchmarks.calibration --out figures.json`.

Three questions, each on data sets that are drawn anew for every search:

- null: two networks of different size whose true losses are equal. How often is one called better?
- margin: two networks whose true losses differ by a known margin. How often is that seen, and how often reversed?
- choice: a grid of sizes and strengths of regularization. How often is the true loss of the choice within 2% of
  that of the best configuration?

The true loss of a configuration is its mean over many data sets of the same process, with thousands of held-out rows
each. For the null pairs the strength of l2 is found at which the true losses cross. Seeds below TRUTH settle truths,
those of the searches lie above; nothing of the method may be changed after looking at the figures.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import kilonet as kn
from kilonet.comparison import binomial_interval

Floats = NDArray[np.float64]

TRUTH = 30_000_000  # seeds below settle truths, seeds above draw what is judged
ROWS, HELD_OUT = 400, 4000
FOLDS = 5
EPOCHS = 150


def rings(random: np.random.Generator, n: int) -> tuple[Floats, Any]:
    """A disc within a ring; 15% of the labels are wrong."""
    X = random.normal(size=(n, 2))
    return X, _noisy(random, (X**2).sum(axis=1) > 1.4)


def waves(random: np.random.Generator, n: int) -> tuple[Floats, Any]:
    """Two classes on the sides of a wave, two columns that tell nothing; 15% of the labels are wrong."""
    X = random.uniform(-2, 2, size=(n, 4))
    return X, _noisy(random, X[:, 1] > np.sin(1.5 * X[:, 0]))


def hills(random: np.random.Generator, n: int) -> tuple[Floats, Any]:
    """A smooth surface, a column that tells nothing, and as much noise as there is to learn: a regression."""
    X = random.uniform(-2, 2, size=(n, 3))
    return X, np.sin(1.5 * X[:, 0]) * X[:, 1] + random.normal(size=n)


def _noisy(random: np.random.Generator, labels: Any) -> Any:
    return np.where(random.random(len(labels)) < 0.15, ~labels, labels).astype(int)


@dataclass(frozen=True)
class Process:
    """Where data come from; sizes: of the pair whose losses are made equal, margin: of one that differs."""

    name: str
    draw: Callable[[np.random.Generator, int], tuple[Floats, Any]]
    pair: tuple[int, int]
    margin: tuple[int, int]

    @property
    def estimator(self) -> Any:
        """What is trained."""
        kind = kn.MLPRegressor if self.draw is hills else kn.MLPClassifier
        return kind(epochs=EPOCHS, rate=0.01, dtype="float32")


PROCESSES = (
    Process("rings", rings, (6, 48), (2, 16)),
    Process("waves", waves, (2, 48), (6, 48)),
    Process("hills", hills, (16, 48), (2, 6)),
)
STRENGTHS = np.geomspace(1e-4, 0.1, 7)
SIZES = (2, 6, 16, 48)
TRIED = (1e-3, 1e-2, 1e-1)


def true_losses(process: Process, configurations: Sequence[tuple[int, float]], draws: int, seed: int) -> Floats:
    """Held-out losses (draws, configurations) on fresh data sets, of the size that a fold trains on."""
    found = []
    for draw in range(draws):
        random = np.random.default_rng(seed + draw)
        rows = ROWS * (FOLDS - 1) // FOLDS
        X, y = process.draw(random, rows + HELD_OUT)
        split = [(np.arange(rows), np.arange(rows, len(X)))]
        estimators = [
            process.estimator.set_params(hidden=size or (), l2=float(l2), random_state=seed + draw)
            for size, l2 in configurations
        ]
        kept = kn.cross_validate(estimators, X, y, cv=split, curves=True, return_estimator=True).estimators
        found.append([own.history_.validation_loss[-1] for own in kept[0]])
    return np.array(found)


def crossing(process: Process, draws: int) -> tuple[float, Floats]:
    """The l2 at which both networks of the pair have the same true loss, and the differences that were found there."""
    small, large = process.pair
    pairs = [(size, l2) for l2 in STRENGTHS for size in (small, large)]
    losses = true_losses(process, pairs, draws, seed=0).mean(axis=0).reshape(-1, 2)
    gaps = losses[:, 1] - losses[:, 0]
    places = np.flatnonzero(np.sign(gaps[:-1]) != np.sign(gaps[1:]))
    if len(places) == 0:
        raise RuntimeError(f"{process.name}: no strength makes {process.pair} equal; gaps {gaps.round(4).tolist()}")
    at = int(places[0])
    share = gaps[at] / (gaps[at] - gaps[at + 1])
    logs = np.log(STRENGTHS)
    l2 = float(f"{np.exp(logs[at] + share * (logs[at + 1] - logs[at])):.4g}")
    check = true_losses(process, [(small, l2), (large, l2)], 2 * draws, seed=TRUTH // 2)
    return l2, check[:, 1] - check[:, 0]


def searched(process: Process, sizes: Sequence[int], strengths: Sequence[float], seed: int, seeds: int) -> Any:
    """A search on a fresh data set, and its record."""
    X, y = process.draw(np.random.default_rng(seed), ROWS)
    search = kn.ArchitectureSearch(
        list(sizes), l2=list(strengths), rate=[0.01], estimator=process.estimator.set_params(rate=None), seeds=seeds,
        cv=FOLDS, runs=10**6, nested=False, extend=False, refit=False, random_state=seed % 2**31,
    )  # fmt: skip
    return search.fit(X, y).record_


def told(record: Any, sizes: tuple[int, int]) -> str:
    """What a record says of two sizes: "tie", or the size that is called better."""
    by_size = {tuple(own.hidden): own for own in record.architectures}
    pair = [by_size[(size,)] for size in sizes]
    best = record.architectures[record.reference]
    for own, other in (pair, pair[::-1]):
        if own is best and other.verdict == "worse":
            return str(own.hidden[0])
    return "tie"


def judged(process: Process, sizes: tuple[int, int], l2: float, draws: int, seed: int, seeds: int) -> list[str]:
    """What searches on fresh data sets say of two networks."""
    return [told(searched(process, sizes, [l2], seed + draw, seeds), sizes) for draw in range(draws)]


def choices(process: Process, draws: int, truths: int, seed: int, seeds: int) -> list[float]:
    """How much more than the best configuration each choice loses, as a share."""
    grid = [(size, l2) for size in (0, *SIZES) for l2 in TRIED]  # 0: no hidden layer
    losses = dict(zip(grid, true_losses(process, grid, truths, seed=0).mean(axis=0), strict=True))
    best, lost = min(losses.values()), []
    for draw in range(draws):
        record = searched(process, SIZES, TRIED, seed + draw, seeds)
        hidden = record.choice.hidden
        lost.append(losses[hidden[0] if hidden else 0, record.best.params["l2"]] / best - 1)
    return lost


def shown(count: int, of: int) -> dict[str, Any]:
    """A share with its 95% interval."""
    low, high = binomial_interval(int(count), of)
    return {"count": int(count), "of": of, "share": count / of, "low": low, "high": high}


def process_figures(process: Process, draws: int, truths: int, seeds: int) -> dict[str, Any]:
    """All figures of one process."""
    begun = time.perf_counter()
    l2, gaps = crossing(process, truths)
    null = judged(process, process.pair, l2, draws, TRUTH, seeds)
    truth = true_losses(process, [(size, 1e-3) for size in process.margin], truths, seed=0)
    margin = float(truth[:, 0].mean() - truth[:, 1].mean())
    better = str(process.margin[1 if margin > 0 else 0])
    seen = judged(process, process.margin, 1e-3, draws, 2 * TRUTH, seeds)
    lost = choices(process, draws, truths, 3 * TRUTH, seeds)
    return {
        "process": process.name, "rows": ROWS, "pair": process.pair, "l2": l2,
        "true_difference": float(gaps.mean()), "its_error": float(gaps.std(ddof=1) / np.sqrt(len(gaps))),
        "false_better": shown(sum(one != "tie" for one in null), draws),
        "margin": {"pair": process.margin, "relative": abs(margin) / float(truth.mean(axis=0).min())},
        "seen": shown(sum(one == better for one in seen), draws),
        "reversed": shown(sum(one not in ("tie", better) for one in seen), draws),
        "within_2_percent": shown(sum(one <= 0.02 for one in lost), draws),
        "lost": {"median": float(np.median(lost)), "90%": float(np.quantile(lost, 0.9))},
        "seconds": time.perf_counter() - begun,
    }  # fmt: skip


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=140, help="searches of each kind and process")
    parser.add_argument("--truths", type=int, default=300, help="data sets that settle the true losses")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--process", help="one of them only: " + ", ".join(process.name for process in PROCESSES))
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")  # short trainings are what is asked for
    found = []
    for process in PROCESSES:
        if asked.process not in (None, process.name):
            continue
        found.append(process_figures(process, asked.draws, asked.truths, asked.seeds))
        print(json.dumps(found[-1]), flush=True)
        if asked.out is not None:
            asked.out.write_text(json.dumps(found, indent=1))
    for name in ("false_better", "seen", "reversed", "within_2_percent"):
        print(name, json.dumps(shown(sum(one[name]["count"] for one in found), asked.draws * len(found))))


if __name__ == "__main__":
    main()
