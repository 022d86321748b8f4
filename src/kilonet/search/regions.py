"""Regions: what networks of every size and λ say of a plane through the data. A picture; it decides nothing."""

import math
import time
import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import is_classifier

from kilonet.estimators.trials import Split, Trained, Trial, trials
from kilonet.search.candidates import TUNED, Candidate
from kilonet.search.grid import Grid
from kilonet.search.plan import PANELS
from kilonet.search.plane import Coded, Learnt, Places, most_used, rounded
from kilonet.search.runs import Runner
from kilonet.telling import class_names

Floats = NDArray[np.float64]

_GRID = 60  # points of a side of the plane
_POINTS = 500  # rows that are drawn
_NAMED = 8  # columns beside the plane whose values are told
_NUMBERS = 1 << 22  # that are asked about at once


def regions(runner: Runner, grid: Grid, winners: Sequence[Candidate], chosen: Candidate) -> dict[str, Any] | None:
    """What a plane looks like to networks of every size (rows) and l2 (columns), trained on all rows.

    The plane goes through the two columns of numbers that `chosen` uses most; see `most_used`. None where there are
    no two such columns, no single class for each row, or no network with hidden layers.
    """
    sized = [own for own in winners if own.architecture.hidden]
    strengths = grid.axes[TUNED.index("l2")][-PANELS:] or (1e-4,)
    panels = [own.but("grid", l2=l2) for own in sized for l2 in strengths]
    classes = is_classifier(runner.estimator) and np.ndim(runner.table.y) == 1
    if not panels or not classes:
        return None
    place = _place(chosen, panels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the runs, on parts of the same rows, have said all that there is to say
        prepared = _prepared(runner, panels if place < len(panels) else [*panels, chosen])
        rows = Coded.of(prepared[0])
        if rows is None or len(rows.numbers) < 2:
            return None
        networks = _trained(prepared)
    runner.beside(len(prepared))
    known = [network for network in (networks[place], *networks) if network is not None]
    if not known:
        return None
    plane = most_used(rows, known[0], runner.random_states[0])
    axes = [_axis(*rows.ends(j)) for j in plane]
    if not all(axes):
        return None
    labels, held = _slice(rows, plane, axes, networks[: len(panels)])
    true = _true_classes(runner, prepared[0], known[0])
    return {
        "rows": [own.architecture.text for own in sized], "columns": list(strengths),
        "classes": class_names(known[0].codec.classes.tolist()), "x": axes[0], "y": axes[1],
        "labels": labels, "misfits": [_misfits(network, rows, true) for network in networks[: len(panels)]],
        **held, **_points(rows, plane, true, runner.random_states[0]),
    }  # fmt: skip


def _place(chosen: Candidate, panels: Sequence[Candidate]) -> int:
    """Which panel is the chosen candidate's; a place behind them if none is."""
    same = ((own.architecture, own.tuned) == (chosen.architecture, chosen.tuned) for own in panels)
    return next((place for place, own in enumerate(same) if own), len(panels))


def _prepared(runner: Runner, candidates: Sequence[Candidate]) -> list[Trial]:
    """Candidates as they are trained on all rows, one seed."""
    everything = np.arange(len(runner.table.y))
    given = [(0, place, runner.estimator_of(own, runner.random_states[0])) for place, own in enumerate(candidates)]
    return list(trials(given, [Split(everything, everything[:1])], runner.table))


def _trained(prepared: Sequence[Trial]) -> list[Learnt | None]:
    """A network of each, None where training left the finite numbers. Ctrl-C is a KeyboardInterrupt."""
    with Trained(prepared, time.perf_counter()) as trained:
        if trained.interrupted:
            raise KeyboardInterrupt
        found = {trial.place: Learnt.of(trial, runs) for trial, runs in trained}
    return [found[place] for place in sorted(found)]


def _axis(low: float, high: float) -> list[float]:
    """Coordinates around a column; none where float64 has no room for them."""
    margin = 0.1 * (high - low or abs(high) or 1.0)
    if not math.isfinite(high + margin) or not math.isfinite(low - margin):
        return []
    found = rounded(np.linspace(low - margin, high + margin, _GRID), low, high)
    return found if all(a < b for a, b in pairwise(found)) else []


def _slice(
    rows: Coded, plane: tuple[int, int], axes: Sequence[Sequence[float]], networks: Sequence[Learnt | None]
) -> tuple[list[list[int]], dict[str, Any]]:
    """What networks say of each place, −1 where there is none, and where the columns beside the plane are held."""
    row, typical = rows.typical()
    beside = {j: value for j, value in typical.items() if j not in plane}
    places = np.stack(np.meshgrid(*axes), axis=-1).reshape(-1, 2)
    said: list[list[int]] = [[] for _ in networks]
    for piece in np.array_split(places, 1 + len(places) * len(row) // _NUMBERS):  # a wide row, 3600 times, is much
        Z = np.tile(row, (len(piece), 1))
        for j, values in zip(plane, piece.T, strict=True):
            Z[:, rows.own(j).start] = rows.codes(j, values)
        for labels, network in zip(said, networks, strict=True):
            labels.extend([-1] * len(piece) if network is None else network.classes(Z).tolist())
    names, kinds = rows.state.names, [rows.state.kinds[j] for j in beside]
    return said, {
        "features": [str(names[j]) for j in plane],
        "held": {str(names[j]): value for j, value in beside.items()} if len(beside) <= _NAMED else {},
        "others": {"medians": kinds.count("number"), "most_frequent": len(kinds) - kinds.count("number")},
    }


def _true_classes(runner: Runner, trial: Trial, network: Learnt) -> Places:
    """Places of the classes of the training rows (n,): those that have a weight and are not held out for stopping."""
    estimator = trial.estimator
    rows, _ = estimator._validation(estimator._rows(*runner.table, reset=False), trial.work.footing.draws)
    return network.codec.indices(rows.targets)


def _misfits(network: Learnt | None, rows: Coded, true: Places) -> float:
    """The share of the training rows that a network tells wrong; NaN without one."""
    return math.nan if network is None else float(np.mean(network.classes(rows.Z) != true))


def _points(rows: Coded, plane: tuple[int, int], true: Places, seed: int) -> dict[str, Any]:
    """Some training rows by their numbers in the two columns, and their classes."""
    random = np.random.default_rng(seed)
    known = np.flatnonzero(rows.known(plane[0]) & rows.known(plane[1]))
    some = np.sort(random.choice(known, min(len(known), _POINTS), replace=False))
    columns = [rounded(rows.values(j, rows.Z[some, rows.own(j).start]), *rows.ends(j)) for j in plane]
    return {"points": [list(pair) for pair in zip(*columns, strict=True)], "point_classes": true[some].tolist()}
