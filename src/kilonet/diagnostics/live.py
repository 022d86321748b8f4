"""What goes wrong while a network trains, said as soon as it is seen: the same rules, on the records of the epochs."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from kilonet.diagnostics.rules_layers import dead, saturation
from kilonet.diagnostics.rules_training import divergence, steps
from kilonet.diagnostics.thresholds import DEFAULT, Thresholds
from kilonet.findings import Examination, Finding, InputFacts, LayerFacts
from kilonet.history import METRICS, EpochRecord, History
from kilonet.monitors import NAMES
from kilonet.network import Network

Floats = NDArray[np.float64]

WATCHED = 8  # members at most: what goes wrong in none of so many is rare
_DEAD, _SATURATED, _MOVED = (NAMES.index(name) for name in ("dead", "saturated", "update_ratio"))
_RULES = (divergence, steps, saturation, dead)  # those that can speak before the end
_TOLD = ("divergence", "steps too large", "saturation", "dead units")  # steps too small are judged by how it ends


class _Course(NamedTuple):
    """Epochs of a training: curves (epochs, members, 4) and monitors (epochs, members, numbers)."""

    curves: Floats
    monitors: NDArray[np.float32]


def plain_inputs(X: Any, names: Sequence[str]) -> InputFacts:
    """What is to be known at once of numbers that go in as they are: an array, or a frame of numbers."""
    table = X if isinstance(X, np.ndarray) else nw.from_native(X, eager_only=True).to_numpy()
    values = np.asarray(table, np.float64)
    return InputFacts(names, values.mean(axis=0), values.std(axis=0), (), (), bool((values >= 0).all()), {}, math.nan)


class Watch:
    """A callback of a training that tells of each finding once for each layer, when it is first seen.

    network: what is trained; settings: of the estimator, see `Examination.settings`; tell: what is done with a finding
    that warns or fails, and with what members it is true of, as a text such as "" or " (in 3 of 8 members)".
    An epoch in which nothing is odd costs a few comparisons, and another one as much as a history of two epochs,
    however many there were before. All of them are read where something is told, to tell since when.

    >>> said = []
    >>> watch = Watch(Network([2, 10, 1]), {"rate": 5.0}, lambda one, _: said.append((one.rule, one.layer, one.since)))
    >>> monitors = np.full(15, np.nan, np.float32)
    >>> monitors[[1, 5, 6, 7]] = 0.4, 1.0, 0.75, 4.0  # dead, then gradient norm, update ratio and weight norm
    >>> watch(EpochRecord(1, 9, 0.6, 0.5, np.nan, np.nan, 0.1, monitors))
    >>> said
    [('steps too large', 1, 1), ('dead units', 1, 1)]
    """

    def __init__(
        self,
        network: Network,
        settings: Mapping[str, Any],
        tell: Callable[[Finding, str], Any],
        *,
        inputs: InputFacts | None = None,
        thresholds: Thresholds = DEFAULT,
    ) -> None:
        self._network, self._settings, self._tell = network, settings, tell
        self._inputs, self._thresholds = inputs, thresholds
        self._epochs: list[_Course] = []
        self._said: set[tuple[str, int | None]] = set()

    def __call__(self, record: EpochRecord) -> None:
        """Look at one epoch; it never ends the training."""
        curves = np.stack([np.atleast_1d(getattr(record, name))[:WATCHED] for name in METRICS], axis=-1)
        now = _Course(curves[np.newaxis], np.atleast_2d(record.monitors)[np.newaxis, :WATCHED])
        self._epochs.append(now)
        # Whether something is to be told depends on the first step and on what is so now: what was, was told then.
        short = _joined([self._epochs[0], now] if len(self._epochs) > 1 else [now])
        if not self._odd(record.epoch) or not any(self._new(short)):
            return
        of_each = self._new(_joined(self._epochs))
        for key, finding in {key: one for found in of_each for key, one in found.items()}.items():
            self._said.add(key)
            having = sum(key in found for found in of_each)
            self._tell(finding, f" (in {having:,} of {len(of_each):,} members)" if len(of_each) > 1 else "")

    def _odd(self, epoch: int) -> bool:
        """Whether a rule could have something to say of the last epoch that it has not said."""
        bounds, now, first = self._thresholds, self._epochs[-1], self._epochs[0].monitors[0, :, 0]
        loss = now.curves[0, :, 0]
        shown = now.monitors[0, :, 1:].reshape(len(loss), -1, len(NAMES))
        dying, saturating = (
            [(rule, place + 1) not in self._said for place in range(shown.shape[1])]
            for rule in ("dead units", "saturation")
        )
        return bool(
            ((shown[..., _DEAD] >= bounds.dead_warn) & dying).any()
            or ((shown[..., _SATURATED] > min(bounds.saturated_warn, bounds.saturated_start)) & saturating).any()
            or (epoch == 1 and (shown[..., _MOVED] > bounds.ratio_warn).any())
            or (("divergence", None) not in self._said
                and np.any(loss > bounds.divergence * np.where(first > 0, first, math.inf)))
        )  # fmt: skip

    def _new(self, course: _Course) -> list[Mapping[tuple[str, int | None], Finding]]:
        """For each member what was not told yet, by rule and layer."""
        return [self._found(course, member) for member in range(course.curves.shape[1])]

    def _found(self, course: _Course, member: int) -> Mapping[tuple[str, int | None], Finding]:
        history = History.of(course.curves[:, [member]], True, course.monitors[:, [member]])
        layers = [self._layer(history, place) for place in range(self._network.n_layers)]
        seen = Examination("kilonet", "", self._settings, layers, history, inputs=self._inputs)
        found = [one for rule in _RULES for one in rule(seen, self._thresholds) if one.rule in _TOLD]
        return {(one.rule, one.layer): one for one in found
                if one.severity != "info" and (one.rule, one.layer) not in self._said}  # fmt: skip

    def _layer(self, history: History, place: int) -> LayerFacts:
        """What the last watched epoch tells of a layer."""
        layer, nan = self._network.layers[place], math.nan
        hidden = place < self._network.n_layers - 1
        gone = _last(history.dead[:, place]) if hidden else nan
        n_dead = round(gone * layer.units) if gone == gone else 0
        activity = np.where(np.arange(layer.units) < n_dead, 0.0, 0.5)
        saturated = _last(history.saturated[:, place]) if hidden else nan
        weight_norm = _last(history.weight_norm[:, place])
        return LayerFacts(place + 1, layer.unit, layer.units, activity, nan, saturated, nan, nan, nan, weight_norm, nan,
                          nan)  # fmt: skip


def _joined(epochs: Sequence[_Course]) -> _Course:
    return _Course(*map(np.concatenate, zip(*epochs, strict=True)))


def _last(values: NDArray[Any]) -> float:
    """The last value that is one."""
    known = values[~np.isnan(values)]
    return float(known[-1]) if len(known) else math.nan
