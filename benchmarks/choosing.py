"""How long it takes to choose a network: `python -m benchmarks.choosing`, on the digits and in the plane.

The grid search is scikit-learn's, over its own MLPClassifier, with the same candidates, splits, batches and epochs;
both use all cores. `--skip-grid` leaves it out: it takes minutes.
"""

import argparse
import json
import os
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.datasets import load_digits, make_moons
from sklearn.model_selection import GridSearchCV, RepeatedStratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import kilonet as kn
from benchmarks import machine
from kilonet.errors import SettingError
from kilonet.search.grid import DEFAULT_L2, DEFAULT_RATE, default_hidden

EPOCHS, BATCH = 100, 32  # what "auto" means for 1,437 rows
FEWER = 400  # networks at most: the plan with 5 splits in the second round
PICTURES = Path("build/bench")


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what came out."""
    begun = time.perf_counter()
    found = work()
    return time.perf_counter() - begun, found


def plane() -> dict[str, Any]:
    """3, 6 and 20 units, and three strengths of regularization with 20 units: a call each, with pictures."""
    X, y = make_moons(200, noise=0.25, random_state=0)
    PICTURES.mkdir(parents=True, exist_ok=True)
    common = {"rate": [0.01], "extend": False, "nested": False, "seeds": 2, "runs": 10**4, "random_state": 0}

    def both() -> list[str]:
        verdicts = []
        for name, hidden, l2 in (("sizes", [3, 6, 20], [1e-3]), ("strengths", [20], [1e-3, 1e-2, 1e-1])):
            search = kn.ArchitectureSearch(hidden, l2=l2, **common).fit(X, y)
            picture = kn.plots.RegionsDisplay.from_search(search)
            picture.plot()
            picture.figure_.savefig(PICTURES / f"{name}.png", dpi=100)
            verdicts.append(search.verdict_)
        return verdicts

    seconds, verdicts = timed(both)
    return {
        "what": "3/6/20 units and λ 0.001/0.01/0.1 in the plane, with pictures",
        "seconds": seconds,
        "verdicts": verdicts,
    }


def digits() -> dict[str, Any]:
    """`kilonet choose digits` within 60 seconds."""
    X, y = load_digits(return_X_y=True)
    seconds, search = timed(lambda: kn.ArchitectureSearch(budget="60s", random_state=0).fit(X, y))
    nested = search.record_.nested
    return {"what": "digits, budget 60s", "seconds": seconds, "networks": search.runs_, "nested accuracy": nested.score,
            "interval": [nested.score_low, nested.score_high], "verdict": search.verdict_}  # fmt: skip


def folds() -> dict[str, Any]:
    """One small network on ten folds: side by side in packs, and one after another."""
    X, y = make_moons(500, noise=0.25, random_state=0)
    X, own = X.astype(np.float32), kn.MLPClassifier(20, epochs=1000, batch=BATCH, random_state=0, n_jobs=1)
    found: dict[str, list[float]] = {"networks": [], "columns": []}
    for _ in range(5):
        for packing, seconds in found.items():
            os.environ["KILONET_PACKING"] = packing
            seconds.append(timed(lambda: kn.cross_validate(own, X, y, cv=10))[0])
    del os.environ["KILONET_PACKING"]
    side_by_side, alone = (float(np.median(seconds)) for seconds in found.values())
    return {"what": "10 folds of 2-20-2", "seconds": side_by_side, "one after another": alone / side_by_side}


@dataclass(frozen=True)
class Digits:
    """The digits, ten splits of them, and a grid of candidates."""

    X: Any
    y: Any
    splits: Sequence[Any]
    hidden: Sequence[tuple[int, ...]]

    @classmethod
    def load(cls) -> "Digits":
        """The grid is what `kilonet choose` takes by itself, without the single layer."""
        X, y = load_digits(return_X_y=True)
        splits = list(RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=0).split(X, y))
        return cls(X.astype(np.float32), y, splits, [own for own in default_hidden(len(y)) if own])

    def exhaustive(self) -> Any:
        """Every candidate on every split."""
        common = {"epochs": EPOCHS, "batch": BATCH, "schedule": "constant", "random_state": 0}
        whole = [kn.MLPClassifier(own, l2=l2, rate=rate, **common)
                 for own in self.hidden for l2 in DEFAULT_L2 for rate in DEFAULT_RATE]  # fmt: skip
        return kn.cross_validate(whole, self.X, self.y, cv=self.splits)

    def search(self, **limit: Any) -> Any:
        """By successive halving, with its evidence and a final fit."""
        base = kn.MLPClassifier(epochs=EPOCHS, batch=BATCH, schedule="constant", dtype="float32")
        return kn.ArchitectureSearch(
            self.hidden, estimator=base, l2=DEFAULT_L2, rate=DEFAULT_RATE, cv=self.splits, seeds=1, nested=False,
            extend=False, random_state=0, **limit,
        ).fit(self.X, self.y)  # fmt: skip

    def grid_search(self) -> Any:
        """scikit-learn's, on all cores, with its final fit."""
        network = MLPClassifier(batch_size=BATCH, max_iter=EPOCHS, tol=0.0, n_iter_no_change=EPOCHS, random_state=0)
        grid = {
            "mlpclassifier__hidden_layer_sizes": self.hidden,
            "mlpclassifier__alpha": [BATCH * l2 for l2 in DEFAULT_L2],  # scikit-learn divides it by the batch
            "mlpclassifier__learning_rate_init": list(DEFAULT_RATE),
        }
        pipeline = make_pipeline(StandardScaler(), network)
        return GridSearchCV(pipeline, grid, cv=self.splits, n_jobs=machine.cores()).fit(self.X, self.y)


def against_grid_search() -> dict[str, Any]:
    """The same grid and splits: by scikit-learn, exhaustively, by two plans of a search, and in a 40th of the time."""
    digits = Digits.load()
    ways = {
        "exhaustively": digits.exhaustive,
        "search, 10 splits in its second round": lambda: digits.search(runs=10**5),
        "search, 5 splits": lambda: digits.search(runs=FEWER),
    }
    took: dict[str, list[float]] = {name: [] for name in ways}

    def ours() -> dict[str, Any]:
        last = {}
        for name, work in ways.items():
            seconds, last[name] = timed(work)
            took[name].append(seconds)
        return last

    for _ in range(2):  # before and after, since the machine is not always as quick
        ours()
    theirs, search = timed(digits.grid_search)
    for _ in range(2):
        last = ours()
    found: dict[str, Any] = {"what": "digits, the same grid and splits",
                             "scikit-learn": {"seconds": theirs, "accuracy": float(search.best_score_)}}  # fmt: skip
    budget = {"search, a 40th of the time": lambda: digits.search(budget=theirs / 40)}
    for name, work in budget.items():
        try:
            seconds, last[name] = timed(work)
            took[name] = [seconds]
        except SettingError as error:  # the machine is busy: the search says so before it begins
            found[name] = str(error)
    for name, seconds_each in took.items():
        median = float(np.median(seconds_each))
        found[name] = {"seconds": median, "times as fast": theirs / median} | outcome(last[name])
    return found


def outcome(found: Any) -> dict[str, Any]:
    """Accuracy of the choice, mean over the splits, and how many networks it took."""
    if not hasattr(found, "record_"):
        return {"networks": found.scores.size, "accuracy": float(found.scores.mean(axis=0).max())}
    record = found.record_
    return {"networks": found.runs_, "splits": record.settings["splits"],
            "accuracy": record.architectures[record.chosen].score}  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skip-grid", action="store_true")
    parser.add_argument("--only-grid", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")  # epochs are fixed on purpose
    plane()  # what is imported and compiled for the first time does not count
    parts = [plane, folds, digits] if asked.skip_grid else [plane, folds, digits, against_grid_search]
    parts = [against_grid_search] if asked.only_grid else parts
    for part in parts:
        print(json.dumps(part(), indent=1, ensure_ascii=False), flush=True)
    print(machine.describe())


if __name__ == "__main__":
    main()
