"""What the evidence shows beside losses: held-out predictions, baselines, the price of a row."""

import math
import time
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from scipy.special import xlog1py, xlogy
from sklearn.base import BaseEstimator, ClassifierMixin, is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor

from kilonet.engine import choose
from kilonet.errors import SettingError
from kilonet.estimators.labels import Labels
from kilonet.estimators.numbers import Numbers
from kilonet.estimators.rows import Rows
from kilonet.estimators.run import adopt
from kilonet.estimators.trials import Split, Trained, trials
from kilonet.losses import squared
from kilonet.network import Network
from kilonet.search.grid import Candidate
from kilonet.search.runs import Runner

_BINS = 10  # of a reliability diagram
_CLASSES = 50  # that a confusion table has at most
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
    """What can be said without looking at any column: class frequencies, those of each label, or the mean.

    Judged as networks are; the loss is NaN where it has no formula here (`_constant_loss`).
    """
    table, scorer = runner.table, runner.scorer
    y = runner.estimator._target_array(table.y)
    weights = np.ones(len(y)) if table.weights is None else np.asarray(table.weights, dtype=np.float64)
    results = []
    for split in splits:
        train, test = runner.splits[split]
        known = Rows(None, y, weights, train[weights[train] > 0])
        if scorer is None:
            results.append(_constant(runner.estimator._codec(known, known), known, y[test]))
        else:
            score = float(scorer(_dummy(runner.estimator, known), np.zeros((len(test), 1)), y[test]))
            results.append((-score, score))
    loss, score = np.mean(results, axis=0).tolist()
    if not is_classifier(runner.estimator):
        name = "mean"
    else:
        name = "most frequent class" if y.ndim == 1 else "majority of each label"
    return [{"name": name, "loss": loss, "score": score}]


def _constant(codec: Labels | Numbers, known: Rows, asked: Any) -> tuple[float, float]:
    """Mean loss and score on asked targets of the constant that known ones suggest."""
    if isinstance(codec, Numbers):
        targets = codec.targets(asked)
        mean = np.zeros_like(targets)  # of standardized targets
        loss = float(squared.value(mean, targets).mean()) if codec.loss == squared else math.nan
        return loss, float(squared.score(mean, targets))
    found, own = (codec.indices(y) for y in (known.targets, asked))
    if not codec.multilabel:
        found, own = (np.eye(len(codec.classes), dtype=np.int64)[places] for places in (found, own))
    shares = np.average(found, axis=0, weights=known.own_weights)
    majority = shares > 0.5 if codec.multilabel else np.arange(len(shares)) == shares.argmax()
    return _constant_loss(codec, shares, own), float(np.mean((own == majority).all(axis=1)))


def _constant_loss(codec: Labels, shares: Any, own: Any) -> float:
    """Mean loss of shares (k,) as probabilities, where classes or labels own (n, k) of 0 and 1 are right.

    NaN where the loss is none of probabilities, and for one of the user's own. Of a label that always was, and is
    not, it is infinite.
    """
    if codec.loss.name == "cross_entropy":
        scores = np.broadcast_to(np.log(shares), own.shape)
        return float(codec.loss.value(scores, own.argmax(axis=1)).mean())
    if codec.loss.name != "logistic":
        return math.nan
    outputs = slice(1, 2) if codec.n_outputs == 1 else slice(None)
    own, shares = own[:, outputs], shares[outputs]
    return float(-(xlogy(own, shares) + xlog1py(1 - own, -shares)).sum(axis=1).mean())


class _Frequencies(ClassifierMixin, BaseEstimator):
    """The share of each label as its probability, (n, k) as networks give them: scikit-learn's dummy gives a list."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:  # noqa: ARG002 - it looks at no column
        self.classes_, self.shares_ = np.arange(y.shape[1]), np.average(y, axis=0, weights=sample_weight)
        return self

    def predict_proba(self, X: Any) -> Any:
        return np.tile(self.shares_, (len(X), 1))

    def predict(self, X: Any) -> Any:
        return (self.predict_proba(X) > 0.5).astype(np.int64)


def _dummy(estimator: Any, known: Rows) -> Any:
    """What a scorer is given to judge."""
    y = known.targets
    several = is_classifier(estimator) and y.ndim == 2
    dummy = _Frequencies() if several else DummyClassifier() if is_classifier(estimator) else DummyRegressor()
    return dummy.fit(np.zeros((len(y), 1)), y, sample_weight=known.own_weights)


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
