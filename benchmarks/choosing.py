"""How long it takes to choose a network: `python -m benchmarks.choosing`, on the digits and in the plane.

The grid search is scikit-learn's, over its own MLPClassifier, with the same candidates, splits, batches and epochs;
both use all cores. `--skip-grid` leaves it out: it takes minutes.
"""

import argparse
import json
import time
import warnings
from collections.abc import Callable
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
from kilonet.search.grid import DEFAULT_L2, DEFAULT_RATE, default_hidden

EPOCHS, BATCH = 100, 32  # what "auto" means for 1,437 rows
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


def against_grid_search() -> dict[str, Any]:
    """The same grid on the same splits: exhaustively, by successive halving, and by scikit-learn."""
    X, y = load_digits(return_X_y=True)
    X = X.astype(np.float32)
    hidden = [own for own in default_hidden(len(y)) if own]
    splits = list(RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=0).split(X, y))
    whole = [kn.MLPClassifier(own, l2=l2, rate=rate, epochs=EPOCHS, batch=BATCH, schedule="constant", random_state=0)
             for own in hidden for l2 in DEFAULT_L2 for rate in DEFAULT_RATE]  # fmt: skip
    ours, _ = timed(lambda: kn.cross_validate(whole, X, y, cv=splits))
    settings = {"l2": DEFAULT_L2, "rate": DEFAULT_RATE, "cv": splits, "seeds": 1, "nested": False, "extend": False}
    base = kn.MLPClassifier(epochs=EPOCHS, batch=BATCH, schedule="constant", dtype="float32")
    halving, _ = timed(
        lambda: kn.ArchitectureSearch(hidden, estimator=base, runs=10**5, random_state=0, **settings).fit(X, y)
    )
    theirs = GridSearchCV(
        make_pipeline(
            StandardScaler(),
            MLPClassifier(batch_size=BATCH, max_iter=EPOCHS, tol=0.0, n_iter_no_change=EPOCHS, random_state=0),
        ),
        {
            "mlpclassifier__hidden_layer_sizes": hidden,
            "mlpclassifier__alpha": [BATCH * l2 for l2 in DEFAULT_L2],  # scikit-learn divides it by the batch
            "mlpclassifier__learning_rate_init": list(DEFAULT_RATE),
        },
        cv=splits, n_jobs=machine.cores(), refit=False,
    )  # fmt: skip
    seconds, _ = timed(lambda: theirs.fit(X, y))
    return {
        "what": "digits, the same grid and splits", "fits": len(whole) * len(splits), "scikit-learn": seconds,
        "cross_validate": ours, "ratio": seconds / ours, "search": halving, "search ratio": seconds / halving,
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--skip-grid", action="store_true")
    asked = parser.parse_args()
    warnings.simplefilter("ignore")  # epochs are fixed on purpose
    plane()  # what is imported and compiled for the first time does not count
    parts = [plane, digits] if asked.skip_grid else [plane, digits, against_grid_search]
    for part in parts:
        print(json.dumps(part(), indent=1, ensure_ascii=False), flush=True)
    print(machine.describe())


if __name__ == "__main__":
    main()
