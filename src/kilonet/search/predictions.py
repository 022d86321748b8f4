"""What the evidence shows beside losses: held-out predictions, baselines, regions of the plane, the price of a row."""

import math
import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor

from kilonet.engine import choose
from kilonet.errors import SettingError
from kilonet.estimators.run import adopt
from kilonet.estimators.trials import Split, Trained, trials
from kilonet.network import Network
from kilonet.search.grid import TUNED, Candidate, Grid
from kilonet.search.plan import PANELS
from kilonet.search.runs import Runner

_BINS = 10  # of a reliability diagram
_CLASSES = 50  # that a confusion table has at most
_GRID = 60  # points of a side of the plane
_ROWS, _NUMBERS = 1000, 10**7  # rows that a prediction is timed with, and numbers in them at most


def held_out(runner: Runner, choice: Candidate, splits: Sequence[Split], most: int) -> dict[str, Any]:
    """What the choice says of rows it has not seen: confusion and reliability, or numbers beside the true ones."""
    estimator = runner.estimator_of(choice, runner.random_states[0])
    given = list(trials([(fold, 0, estimator) for fold in range(len(splits))], splits, runner.table))
    true: list[Any] = []
    said: list[Any] = []
    sure: list[Any] = []
    with Trained(given, time.perf_counter()) as trained:
        for trial, runs in trained:
            if np.any(np.asarray(runs.diverged)):
                continue
            _go_on(trained)
            fitted = adopt(trial.estimator, trial.work, runs, said=False)
            X, y = trial.held_out
            true.append(np.asarray(y))
            said.append(np.asarray(fitted.predict(X)))
            if hasattr(fitted, "predict_proba") and np.ndim(y) == 1 and is_classifier(fitted):
                sure.append(fitted.predict_proba(X).max(axis=1))
    if not true or true[0].ndim != 1:
        return {}
    y, predicted = np.concatenate(true), np.concatenate(said)
    if is_classifier(estimator):
        return _classes(y, predicted, np.concatenate(sure) if sure else None)
    step = max(1, len(y) // most)
    return {"true": y[::step].astype(float).tolist(), "predicted": predicted[::step].astype(float).tolist()}


def _go_on(trained: Trained) -> None:
    """Raise KeyboardInterrupt where Ctrl-C has ended the training."""
    if trained.interrupted:
        raise KeyboardInterrupt


def _classes(y: Any, predicted: Any, sure: Any) -> dict[str, Any]:
    texts, said = [str(label) for label in y.tolist()], [str(label) for label in predicted.tolist()]
    names = sorted(set(texts) | set(said), key=_natural)
    found: dict[str, Any] = {}
    if len(names) <= _CLASSES:
        place = {name: i for i, name in enumerate(names)}
        table = np.zeros((len(names), len(names)), dtype=np.int64)
        np.add.at(table, ([place[t] for t in texts], [place[s] for s in said]), 1)
        found |= {"classes": names, "confusion": table.tolist()}
    if sure is not None:
        right = np.array([a == b for a, b in zip(texts, said, strict=True)], dtype=np.float64)
        bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
        rows = [(int((bins == b).sum()), bins == b) for b in range(_BINS)]
        found["reliability"] = [
            {"rows": count, "confidence": float(sure[own].mean()), "accuracy": float(right[own].mean())}
            for count, own in rows if count
        ]  # fmt: skip
        found["calibration_error"] = float(
            sum(bin_["rows"] * abs(bin_["confidence"] - bin_["accuracy"]) for bin_ in found["reliability"]) / len(right)
        )
    return found


def _natural(text: str) -> tuple[int, float, str]:
    """Numbers by their size, before texts."""
    try:
        return 0, float(text), text
    except ValueError:
        return 1, 0.0, text


def baselines(runner: Runner, splits: Sequence[int]) -> list[dict[str, Any]]:
    """The majority class, or the mean: what can be said without looking at any column."""
    if np.ndim(runner.table.y) != 1:
        return []
    classes, scorer = is_classifier(runner.estimator), runner.scorer
    y = runner.estimator._target_array(runner.table.y)
    if classes and scorer is None:
        y = np.array([repr(label) for label in y.tolist()])  # labels may be anything, and need no order
    results = []
    for split in splits:
        train, test = (y[rows] for rows in runner.splits[split])
        zeros = np.zeros((len(test), 1))
        dummy = DummyClassifier(strategy="prior") if classes else DummyRegressor()
        dummy.fit(np.zeros((len(train), 1)), train)
        score = dummy.score(zeros, test) if scorer is None else scorer(dummy, zeros, test)
        loss = _dummy_loss(dummy, train, test, zeros, classes) if scorer is None else -score
        results.append((float(loss), float(score)))
    loss, score = np.mean(results, axis=0)
    comparable = scorer is not None or runner.loss_name in ("cross_entropy", "squared")
    name = "most frequent class" if classes else "mean"
    return [{"name": name, "loss": float(loss) if comparable else math.nan, "score": float(score)}]


def refuse_misfit(scorer: Any, scoring: Any, estimator: Any, y: Any) -> None:
    """Raise SettingError for a scorer that cannot judge such a target, such as accuracy of numbers."""
    zeros, dummy = np.zeros((len(y), 1)), DummyClassifier() if is_classifier(estimator) else DummyRegressor()
    try:
        scorer(dummy.fit(zeros, y), zeros, y)
    except (ValueError, TypeError) as error:
        kind = "classes" if is_classifier(estimator) else "numbers"
        raise SettingError(
            f"scoring={scoring!r} cannot judge this target of {kind} ({error}). Name another."
        ) from error


def _dummy_loss(dummy: Any, known: Any, asked: Any, zeros: Any, classes: bool) -> float:
    if not classes:
        spread = float(np.std(known)) or 1.0
        return float(0.5 * np.mean(((asked - known.mean()) / spread) ** 2))
    place = {label: i for i, label in enumerate(dummy.classes_.tolist())}
    chances = dummy.predict_proba(zeros)[0]
    with np.errstate(divide="ignore"):
        return float(-np.mean(np.log([chances[place[label]] if label in place else 0.0 for label in asked.tolist()])))


def microseconds_a_row(network: Network) -> float:
    """Time to predict a row among many, best of some."""
    rows = max(1, min(_ROWS, _NUMBERS // network.n_inputs))
    X = np.zeros((rows, network.n_inputs), np.float32)
    predictor = choose(network).Predictor(network, network.initial(seed=0, dtype="float32"))
    best = math.inf
    for _ in range(3):
        begun = time.perf_counter()
        predictor.scores(X)
        best = min(best, time.perf_counter() - begun)
    return 1e6 * best / rows


def regions(runner: Runner, grid: Grid, winners: Sequence[Candidate]) -> dict[str, Any] | None:
    """What the plane looks like to networks of every size (rows) and l2 (columns); None where there is no plane."""
    X, y = runner.table.X, runner.table.y
    plane = isinstance(X, np.ndarray) and X.ndim == 2 and X.shape[1] == 2 and X.dtype.kind in "fiu"
    if not plane or not is_classifier(runner.estimator) or np.ndim(y) != 1 or not np.isfinite(X).all():
        return None
    sized = [own for own in winners if own.architecture.hidden]
    strengths = grid.axes[TUNED.index("l2")][-PANELS:] or (1e-4,)
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.1 * np.maximum(high - low, 1e-9)
    axes = [np.linspace(a, b, _GRID) for a, b in zip(low - margin, high + margin, strict=True)]
    points = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2).astype(X.dtype)
    everything = np.arange(len(X))
    given = [(0, place, runner.estimator_of(own.but("grid", l2=l2), runner.random_states[0]))
             for place, (own, l2) in enumerate((own, l2) for own in sized for l2 in strengths)]  # fmt: skip
    prepared = list(trials(given, [Split(everything, everything[:1])], runner.table))
    names: list[str] = []
    with Trained(prepared, time.perf_counter()) as trained, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {}
        for trial, runs in trained:
            _go_on(trained)
            if np.any(np.asarray(runs.diverged)):
                found[trial.place] = [-1] * len(points)
                continue
            fitted = adopt(trial.estimator, trial.work, runs, said=False)
            names = [str(label) for label in fitted.classes_.tolist()]
            place = {label: i for i, label in enumerate(names)}
            found[trial.place] = [place[str(label)] for label in fitted.predict(points).tolist()]
    step = max(1, len(X) // 500)
    return {
        "rows": [own.architecture.text for own in sized], "columns": list(strengths), "classes": names,
        "x": axes[0].tolist(), "y": axes[1].tolist(), "labels": [found[place] for place in sorted(found)],
        "points": X[::step].astype(float).tolist(),
        "point_classes": [names.index(str(label)) for label in np.asarray(y)[::step].tolist()],
    }  # fmt: skip
