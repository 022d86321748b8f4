"""What came out of a fit, as plain values for people, JSON and the model file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kilonet.cli.asked import Asked
from kilonet.cli.rows import Parts
from kilonet.cli.seam import Estimator, at_epochs, loss_on, over_members
from kilonet.persistence import SavedModel


def notes(estimator: Estimator, rows: Parts, asked: Asked) -> dict[str, Any]:
    """What `kilonet fit` did, for its result and for the model file; equal runs give equal notes."""
    history, network = estimator.history_, estimator.network_
    done, best = int(estimator.n_iter_), np.asarray(estimator.best_epoch_).tolist()
    curves = {name: getattr(history, name) for name in ("loss", "score")}
    kept = kept_epochs(best, estimator.recipe_.n_members, done)
    counts = ("n_layers", "n_neurons", "n_weights", "n_biases", "n_parameters")
    classes = None if rows.task == "regression" else estimator.classes_
    return {
        "source": asked.data,
        "task": rows.task,
        "why": rows.why,
        "target": rows.target_name,
        "classes": None if classes is None else classes.tolist(),
        "rows": len(rows.y),
        "columns": rows.n_columns,
        "dropped": rows.dropped,
        "split": rows.how,
        "seed": asked.seed,
        "members": estimator.recipe_.n_members,
        "network": {"sizes": list(network.sizes)} | {name: getattr(network, name) for name in counts},
        "engine": estimator.engine_,
        "epochs": estimator.recipe_.epochs,
        "epochs_done": done,
        "best_epoch": best,
        "stopping": asked.early_stopping,
        "interrupted": bool(estimator.interrupted_),
        "training": {name: _finite(over_members(at_epochs(curve, kept))) for name, curve in curves.items()},
    }


def kept_epochs(best: int | Sequence[int], members: int, done: int) -> list[int]:
    """The epoch (from 1) that each member's parameters are of: its best one, or where that is not known the last.

    >>> kept_epochs(7, 1, 9), kept_epochs([3, 0], 2, 9), kept_epochs(0, 2, 9)
    ([7], [3, 9], [9, 9])
    """
    each = [best] if isinstance(best, int) else list(best)
    if len(each) != members:
        each = [0] * members
    return [epoch if 0 < epoch <= done else done for epoch in each]


def judge(estimator: Estimator, rows: Parts) -> dict[str, Any] | None:
    """Loss and score on the held-out rows, every row counting once; None where none are held out."""
    if rows.held_y is None:
        return None
    predicted = np.asarray(estimator.predict(rows.held_x))
    judged = rows.task != "regression" or len(rows.held_y) > 1  # R² of a single row means nothing
    result: dict[str, Any] = {
        "rows": len(rows.held_y),
        "loss": _finite(loss_on(estimator, rows.held_x, rows.held_y)),
        "score": _finite(estimator.score(rows.held_x, rows.held_y)) if judged else None,
    }
    if rows.task == "regression":
        off = predicted - rows.held_y
        result["rms_error"] = _finite(np.sqrt(np.mean(off**2)))
        result["absolute_error"] = _finite(np.mean(np.abs(off)))
    else:
        result["right"] = int(np.sum(predicted == rows.held_y))
    return result


def _finite(value: Any) -> float | None:
    """A float that JSON can hold, or None."""
    number = float(value)
    return number if np.isfinite(number) else None


_KINDS: dict[str, type | tuple[type, ...]] = {
    "source": str,
    "rows": int,
    "seed": int,
    "engine": str,
    "epochs_done": int,
    "best_epoch": (int, list),  # a list has one for each member
    "stopping": bool,
    "interrupted": bool,
    "held_out": dict,
}
_HELD_OUT: dict[str, type | tuple[type, ...]] = {
    "rows": int,
    "right": int,
    "loss": (int, float),
    "score": (int, float),
    "rms_error": (int, float),
    "absolute_error": (int, float),
}


def noted(saved: SavedModel) -> dict[str, Any]:
    """What a file tells of the run it came from, as far as it is there and of the right kind.

    Files of any origin come here; a note that is something else is left out, since nothing depends on it.
    """
    general = {name: saved.extra[name] for name in ("engine", "best_epoch") if name in saved.extra}
    general["epochs_done"] = len(saved.history.get("loss", ()))
    run = saved.extra.get("run")
    found = {**general, **run} if isinstance(run, dict) else general
    kept = {name: found[name] for name, kind in _KINDS.items() if isinstance(found.get(name), kind)}
    best = kept.get("best_epoch")
    if isinstance(best, list) and not all(isinstance(epoch, int) for epoch in best):
        del kept["best_epoch"]
    if "held_out" in kept:
        inner = kept["held_out"]
        kept["held_out"] = {name: inner[name] for name, kind in _HELD_OUT.items() if isinstance(inner.get(name), kind)}
        if "rows" not in kept["held_out"]:
            del kept["held_out"]
    return kept
