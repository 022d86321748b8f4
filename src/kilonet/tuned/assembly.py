"""From a fit to its record."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from kilonet.comparison import Comparison, compared
from kilonet.estimators.labels import Labels
from kilonet.numerals import count
from kilonet.search.candidates import Candidate
from kilonet.search.grid import Grid
from kilonet.search.predictions import reliability, told_classes, told_numbers
from kilonet.tuned.fitting import Choice, Fitting
from kilonet.tuned.judging import Judge, accuracy_interval, shares
from kilonet.tuned.record import Configuration, TunedRecord

Floats = NDArray[np.float64]
_SHOWN = 600  # rows that a picture shows
_Z = float(ndtri(0.975))
_FEW = 20  # rows, of which no spread is known well enough for an interval of R²


def record_of(fitting: Fitting, choice: Choice, members: int, seconds: float) -> TunedRecord:
    """The record of a fit. members: networks in the model."""
    judge, rows, said = fitting.gathered.judge, choice.rows, choice.out_of_fold[choice.rows]
    loss, score = float(judge.loss(said, rows)), float(judge.score(said, rows))
    base = np.broadcast_to(shares(judge), said.shape)
    configurations = _configurations(fitting, choice)
    loss_low, loss_high = _interval(judge.losses(said, rows) - loss, judge, rows, loss)
    score_low, score_high = _score_interval(judge, said, rows, score)
    return TunedRecord(
        task="classification" if judge.classes else "regression",
        rows=int(np.count_nonzero(judge.weights)),
        inputs=fitting.runner.widths[choice.sound[choice.best].architecture],
        classes=said.shape[1] if judge.classes else 0,
        folds=fitting.used.how if fitting.effort.splits == len(fitting.splits.splits) else _shortened(fitting),
        splits=fitting.effort.splits,
        networks=fitting.runner.done,
        runs=fitting.effort.total(fitting.grid),
        members=members,
        best=fitting.grid.candidates.index(choice.sound[choice.best]),
        configurations=configurations,
        loss=loss,
        loss_low=loss_low,
        loss_high=loss_high,
        score=score,
        score_low=score_low,
        score_high=score_high,
        baseline_loss=float(judge.loss(base, rows)),
        baseline_score=float(judge.score(base, rows)),
        calibration=_calibration(judge, choice),
        notes=_notes(judge),
        predictions=_predictions(fitting, choice),
        seconds=seconds,
    )


def _shortened(fitting: Fitting) -> str:
    draws, rest = divmod(fitting.effort.splits, fitting.splits.folds)
    if rest:
        return f"{fitting.effort.splits} of {fitting.splits.folds} folds"
    return f"{fitting.splits.folds} folds" + (f", drawn {draws} times" if draws > 1 else "")


def _notes(judge: Judge) -> list[str]:
    """What could not be learned of these rows, or not be judged by them."""
    counted = judge.targets[judge.weights > 0]
    if not judge.classes:
        return [] if np.ptp(counted) > 0 else ["Every row has the same target, so there was nothing to learn."]
    alone = int(np.count_nonzero(np.bincount(counted) == 1))
    has = f"{count(alone, 'class', 'classes')} {'has' if alone == 1 else 'have'} a single row"
    return [f"{has}, judged by networks that had never seen the class."] if alone else []


def _configurations(fitting: Fitting, choice: Choice) -> tuple[Configuration, ...]:
    sound = list(choice.sound)
    tables = np.stack([fitting.table(own) for own in sound], axis=1)
    _, tests = compared(tables, fitting.used.test_to_train, to=choice.best)
    judge, rows, found = fitting.gathered.judge, choice.rows, []
    for candidate, text in zip(fitting.grid.candidates, _texts(fitting.grid), strict=True):
        place = sound.index(candidate) if candidate in sound else None
        test = None if place is None else tests[place]
        losses = fitting.table(candidate)
        numbers = dict.fromkeys(("loss", "score", "difference", "low", "high", "p_value"), math.nan)
        if place is not None and test is not None:
            said = fitting.gathered.out_of_fold(candidate)[rows]
            numbers = {
                "loss": float(choice.losses[place]), "score": float(judge.score(said, rows)),
                "difference": test.difference, "low": test.low, "high": test.high, "p_value": test.adjusted_p,
            }  # fmt: skip
            verdict = "best" if place == choice.best else _verdict(test)
        else:
            verdict = "diverged" if _lost(fitting, candidate) else "dropped"
        weight = choice.weights.get(candidate, 0.0)
        found.append(
            Configuration(text, _params(candidate), losses.tolist(), **numbers, verdict=verdict, weight=weight)
        )
    return tuple(found)


def _verdict(test: Comparison) -> str:
    """Against the best: "behind" where only the interval says so, since too few splits are no test."""
    return "worse" if test.verdict() == "worse" else "behind" if test.low > 0 else "tie"


def _texts(grid: Grid) -> list[str]:
    """What tells each configuration from the others, in a few words; of a single one all of it."""
    own = grid.candidates
    if len(own) == 1:
        return [own[0].text]
    parts = [[*each.architecture.parts, *filter(None, each.settings.split(", "))] for each in own]
    shared = set.intersection(*map(set, parts))
    return [", ".join(part for part in each if part not in shared) for each in parts]


def _lost(fitting: Fitting, candidate: Candidate) -> bool:
    return any(run.candidate == candidate and not np.isfinite(own.loss) for run, own in fitting.runner.outcomes.items())


def _params(candidate: Candidate) -> dict[str, Any]:
    """Parameters as JSON can hold them."""
    hidden = [layer if isinstance(layer, int) else repr(layer) for layer in candidate.architecture.hidden]
    return candidate.params | {"hidden": hidden, "activation": candidate.architecture.activation_name}


def _calibration(judge: Judge, choice: Choice) -> dict[str, float]:
    """Temperatures, and of classes the calibration error before and after."""
    found = {"temperature": choice.of_model, "out_of_fold": choice.temperature}
    if not judge.classes:
        return found
    for name, said in (("before", choice.raw), ("after", choice.out_of_fold)):
        own = said[choice.rows]
        found[name] = reliability(own.max(axis=1), own.argmax(axis=1) == judge.targets[choice.rows])[1]
    return found


def _predictions(fitting: Fitting, choice: Choice) -> dict[str, Any]:
    """What is said out of fold, for pictures."""
    judge, rows, codec = fitting.gathered.judge, choice.rows, fitting.common.codec
    said, y = choice.out_of_fold[rows], fitting.common.rows.y[rows]
    if isinstance(codec, Labels):
        return told_classes(codec.classes[judge.targets[rows]], codec.classes[said.argmax(axis=1)], said.max(axis=1))
    return told_numbers(y, codec.predictions(said), _SHOWN)


def _score_interval(judge: Judge, said: Floats, rows: Any, score: float) -> tuple[float, float]:
    """Of accuracy the exact binomial one, of R² by the spread over rows."""
    if judge.classes:
        return accuracy_interval(judge, said, rows)
    own = judge.targets[rows]
    away, off = (own - judge.mean(own, rows)) ** 2, (said[:, 0] - own) ** 2
    spread = float(judge.mean(away, rows))
    if spread == 0 or len(own) < _FEW:
        return math.nan, math.nan
    # By the delta method: how much each row moves 1 - mean(off) / mean(away).
    return _interval(((1 - score) * away - off) / spread, judge, rows, score)


def _interval(moves: Floats, judge: Judge, rows: Any, value: float) -> tuple[float, float]:
    """The 95% interval of a weighted mean over rows, each of which moves it by so much."""
    weights = judge.weights[rows]
    total = float(weights.sum())
    error = math.sqrt(float((weights * weights * moves * moves).sum())) / total if len(moves) > 1 else math.nan
    return value - _Z * error, value + _Z * error
