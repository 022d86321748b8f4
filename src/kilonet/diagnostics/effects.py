"""What changes gained: runs with them against runs without them, seed by seed, on rows that none was trained on."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import _safe_indexing

from kilonet.checks import whole
from kilonet.comparison import signed_rank_interval
from kilonet.diagnostics.branches import Branch
from kilonet.errors import SettingError
from kilonet.estimators.labels import Labels, label_array
from kilonet.estimators.trials import Trial
from kilonet.findings import Effect
from kilonet.numerals import count
from kilonet.record import Runs

Floats = NDArray[np.float64]

FEWEST = 6  # seeds: of fewer differences no interval of the signed-rank test is finite at 95%
FAR = 10.0  # times the loss of knowing nothing: what is worse counts as much, or a mean would be of the worst run alone


@dataclass(frozen=True)
class Measure:
    """What branches are compared by, chosen by what they change before anything is seen.

    text: in words. sign: 1 where more is better, −1 where less is. nothing: what knowing nothing comes to. furthest:
    what is worse counts as this. each: of a trial's runs, (members,).
    """

    text: str
    sign: int
    nothing: float
    furthest: float
    each: Callable[[Trial, Runs], Floats]


def enough_seeds(seeds: Any) -> int:
    """The number of seeds, if it is one that can show that something helps.

    >>> enough_seeds(2)
    Traceback (most recent call last):
    kilonet.errors.SettingError: seeds came as 2; needs a whole number in [6, inf). Fewer cannot show that a remedy
    helps: five seeds that all gain are luck in 1 of 16 cases, and the interval of their gain, at 95%, is infinite.
    """
    try:
        return whole("seeds", seeds, f"[{FEWEST}, inf)")
    except SettingError as error:
        raise SettingError(
            f"{error} Fewer cannot show that a remedy helps: five seeds that all gain are luck in 1 of 16 cases, and "
            "the interval of their gain, at 95%, is infinite."
        ) from None


def effects(branches: Sequence[Branch]) -> list[Effect]:
    """What each branch but the first, which is without changes, gained over it.

    Judged is the loss on held-out rows, without penalties, dropout and noise, each row counting once; of changed class
    weights the balanced accuracy, because they change what a row counts; of a changed loss the accuracy or R², because
    losses of two kinds cannot be compared. All seeds share one split of the rows: the intervals say how sure it is
    that other initial weights and orders of these rows gain too, not what other rows would say.
    """
    without, *others = branches
    found: dict[int, Effect] = {
        place: untried(own.refused) for place, own in enumerate(others) if own.refused
    }  # fmt: skip
    kinds = {place: _kind(own.changes) for place, own in enumerate(others) if place not in found}
    for kind in dict.fromkeys(kinds.values()):
        places = [place for place, own in kinds.items() if own == kind]
        measure = _MEASURES[kind](without.trials[0])
        values = [_values(own, measure) for own in (without, *(others[place] for place in places))]
        pairs = paired(values, measure.sign, measure.nothing, measure.furthest)
        for place, effect in zip(places, pairs, strict=True):
            found[place] = replace(effect, metric=measure.text, epoch=others[place].epoch)
    return [found[place] for place in range(len(others))]


def paired(values: Sequence[Floats], sign: int, nothing: float, furthest: float) -> list[Effect]:
    """What all but the first gained over it; values (seeds,) of each, NaN where a run was lost.

    sign: 1 where more is better, −1 where less is. furthest: what is worse than this counts as this, and effects say
    how many runs were, lest a mean be of the worst run alone. Lost runs count as the worst that is among all values, or
    as nothing, what knowing nothing comes to, where that is worse. The gain and its interval are those of the
    signed-rank test over the differences, which are paired by seed.

    >>> effect, = paired([np.array([0.5, 0.75]), np.array([0.25, 0.25])], -1, nothing=0.7, furthest=7.0)
    >>> effect.without, effect.with_it, effect.gain, effect.helps
    (0.625, 0.25, 0.375, False)
    """
    oriented = [np.maximum(sign * own, sign * furthest) for own in values]
    cut, *cut_with = (int((sign * own < sign * furthest).sum()) for own in values)
    seen = np.concatenate(oriented)
    worst = min(np.min(seen[np.isfinite(seen)], initial=np.inf), sign * nothing)
    lost = [~np.isfinite(own) for own in values]
    first, *rest = (np.where(gone, worst, own) for gone, own in zip(lost, oriented, strict=True))
    found = [_effect(first, own, sign, lost[0], gone) for own, gone in zip(rest, lost[1:], strict=True)]
    return [
        replace(effect, furthest=furthest, cut_without=cut, cut_with=own)
        for effect, own in zip(found, cut_with, strict=True)
    ]


def untried(why: str) -> Effect:
    """What stands for a remedy that was not tried."""
    return Effect("", *(math.nan,) * 5, seeds=0, epoch=0, untried=why)


def _effect(without: Floats, with_it: Floats, sign: int, lost: Any, lost_with: Any) -> Effect:
    gain, low, high = signed_rank_interval(with_it - without)
    return Effect(
        metric="",
        without=sign * float(without.mean()),
        with_it=sign * float(with_it.mean()),
        gain=gain,
        low=low,
        high=high,
        seeds=len(without),
        epoch=0,
        lost_without=int(lost.sum()),
        lost_with=int(lost_with.sum()),
    )


def _values(branch: Branch, measure: Measure) -> Floats:
    """What the runs (seeds,) of a branch are judged by, NaN for those that were lost."""
    each = [measure.each(trial, runs) for trial, runs in zip(branch.trials, branch.runs, strict=True)]
    return np.where(branch.lost, np.nan, np.concatenate(each))


def _kind(changes: Mapping[str, Any]) -> str:
    return "score" if "loss" in changes else "balanced" if "class_weight" in changes else "loss"


def _loss(trial: Trial) -> Measure:
    problem = trial.work.problem
    loss, scores = problem.loss.member(0), np.zeros((problem.n_rows, problem.network.n_outputs))
    nothing = float(np.mean(loss.value(scores, problem.targets)))
    furthest = FAR * nothing if nothing > 0 else math.inf
    return Measure(_text(trial, "loss", f"{loss.name}, "), -1, nothing, furthest, lambda own, runs: own.judge(runs)[0])


def _score(trial: Trial) -> Measure:
    if isinstance(trial.work.footing.codec, Labels):
        text, nothing, furthest = _text(trial, "accuracy"), 1 / len(trial.work.footing.codec.classes), 0.0
    else:
        text, nothing, furthest = _text(trial, "R²"), 0.0, 1 - FAR
    return Measure(text, 1, nothing, furthest, lambda own, runs: own.judge(runs)[1])


def _balanced(trial: Trial) -> Measure:
    nothing = 1 / len(trial.work.footing.codec.classes)  # type: ignore[union-attr]
    return Measure(_text(trial, "balanced accuracy"), 1, nothing, 0.0, _mean_over_classes)


def _mean_over_classes(trial: Trial, runs: Runs) -> Floats:
    """Mean over the classes of the share of their rows that is told, for every member."""
    X, y = trial.held_out
    numbers = trial.work.footing.codec.targets(label_array(y))
    classes = [np.flatnonzero(numbers == number) for number in np.unique(numbers)]
    parts = [(_safe_indexing(X, rows), _safe_indexing(y, rows)) for rows in classes]
    shares = [replace(trial, held_out=part).judge(runs)[1] for part in parts]
    return np.mean(shares, axis=0)  # type: ignore[no-any-return]


def _text(trial: Trial, what: str, kind: str = "") -> str:
    return f"held-out {what} ({kind}{count(len(trial.held_out[1]), 'row')})"


_MEASURES = {"loss": _loss, "score": _score, "balanced": _balanced}
