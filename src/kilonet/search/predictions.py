"""What the evidence shows beside losses: held-out predictions, baselines, the price of a row."""

import math
import time
import warnings
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from scipy.special import xlog1py, xlogy
from sklearn.base import BaseEstimator, ClassifierMixin, is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.utils import _safe_indexing

from kilonet.engine import choose
from kilonet.errors import SettingError
from kilonet.estimators.labels import Labels
from kilonet.estimators.numbers import Numbers
from kilonet.estimators.rows import Rows
from kilonet.estimators.run import adopt
from kilonet.estimators.trials import Split, Trained, trials
from kilonet.losses import squared
from kilonet.network import Network
from kilonet.search.candidates import Candidate
from kilonet.search.runs import Runner
from kilonet.telling import class_names, ordered

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
    runner.beside(len(given))
    if not true or true[0].ndim != 1:
        return {}
    y, predicted = np.concatenate(true), np.concatenate(said)
    if is_classifier(estimator):
        return told_classes(y, predicted, np.concatenate(sure) if sure else None)
    return told_numbers(y.astype(np.float64), predicted.astype(np.float64), most)


def told_numbers(y: Any, predicted: Any, most: int) -> dict[str, Any]:
    """True and predicted numbers of at most so many rows, and how far off they are, of all."""
    step = math.ceil(len(y) / most)
    return {"true": y[::step].tolist(), "predicted": predicted[::step].tolist(), "errors": _errors(predicted - y)}


def _errors(off: Any) -> dict[str, float]:
    """How far off predictions are, over all rows: half of them and 90% at the most, mean and standard deviation."""
    half, most = np.quantile(np.abs(off), [0.5, 0.9]).tolist()
    spread = float(off.std(ddof=1)) if len(off) > 1 else math.nan
    return {"rows": len(off), "half": half, "most": most, "mean": float(off.mean()), "std": spread}


def _go_on(trained: Trained) -> None:
    """Raise KeyboardInterrupt where Ctrl-C has ended the training."""
    if trained.interrupted:
        raise KeyboardInterrupt


def told_classes(y: Any, predicted: Any, sure: Any) -> dict[str, Any]:
    """Tables of classes and of how sure it is; labels are told apart as the estimator does it, not by their texts."""
    labels = list(dict.fromkeys([*y.tolist(), *predicted.tolist()]))
    names = class_names(labels)
    order = ordered(names)
    place = {labels[own]: i for i, own in enumerate(order)}
    true, said = ([place[label] for label in own.tolist()] for own in (y, predicted))
    found: dict[str, Any] = {}
    if len(names) <= _CLASSES:
        table = np.zeros((len(names), len(names)), dtype=np.int64)
        np.add.at(table, (true, said), 1)
        found |= {"classes": [names[own] for own in order], "confusion": table.tolist()}
    if sure is not None:
        found["reliability"], found["calibration_error"] = reliability(sure, np.equal(true, said))
    return found


def reliability(sure: Any, right: Any) -> tuple[list[dict[str, Any]], float]:
    """How often predictions (n,) are right that are so sure, in ten bins, and how far off that is on average."""
    bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    rows = [(int((bins == b).sum()), bins == b) for b in range(_BINS)]
    found = [
        {"rows": count, "confidence": float(sure[own].mean()), "accuracy": float(right[own].mean())}
        for count, own in rows if count
    ]  # fmt: skip
    return found, float(sum(each["rows"] * abs(each["confidence"] - each["accuracy"]) for each in found) / len(sure))


def baselines(runner: Runner, splits: Sequence[int]) -> list[dict[str, Any]]:
    """What can be said without looking at any column: class frequencies, those of each label, or the mean.

    Judged as networks are; the loss is NaN where it has no formula here (`_constant_loss`).
    """
    table = runner.table
    y = runner.estimator._target_array(table.y)
    weights = np.ones(len(y)) if table.weights is None else np.asarray(table.weights, dtype=np.float64)
    results = []
    for split in splits:
        train, test = runner.splits[split]
        known = Rows(None, y, weights, train[weights[train] > 0])
        if runner.scorer is None:
            results.append(_constant(runner.estimator._codec(known, known), known, y[test]))
        else:
            score = _dummy_score(runner, known, test)[0]
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


def _dummy_score(runner: Runner, known: Rows, test: Any) -> tuple[float, str]:
    """The score of what looks at no column, and why there is none: NaN where a scorer of one's own needs a network."""
    X, y = (_safe_indexing(part, test) for part in (runner.table.X, runner.table.y))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as classes that are never named
            score = float(runner.scorer(_dummy(runner.estimator, known), X, y))
    except Exception as error:  # noqa: BLE001 - whatever a user's function does with a dummy
        return math.nan, str(error)
    return score, "it gives no number" if math.isnan(score) else ""


def refuse_misfit(runner: Runner) -> None:
    """Raise SettingError where a scorer cannot judge a split, such as accuracy of numbers, or areas of one class.

    Only scorers made by scikit-learn are asked, which look at targets and predictions alone.
    """
    if not hasattr(runner.scorer, "_score_func"):
        return
    y, table = runner.estimator._target_array(runner.table.y), runner.table
    weights = np.ones(len(y)) if table.weights is None else np.asarray(table.weights, dtype=np.float64)
    for number, (train, test) in enumerate(runner.splits):
        fault = _dummy_score(runner, Rows(None, y, weights, train[weights[train] > 0]), test)[1]
        if fault:
            kind = "classes" if is_classifier(runner.estimator) else "numbers"
            raise SettingError(
                f"scoring={runner.scoring!r} cannot judge this target of {kind} in split {number} ({fault}). "
                "Name another, or draw other splits."
            )


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
