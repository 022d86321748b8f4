"""What goes wrong while a network trains, said as soon as it is seen: the same rules, on the records of the epochs."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

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


def plain_inputs(X: Any, names: Sequence[str]) -> InputFacts:
    """What is to be known at once of numbers that go in as they are: an array, or a frame of numbers."""
    table = X if isinstance(X, np.ndarray) else nw.from_native(X, eager_only=True).to_numpy()
    values = np.asarray(table, np.float64)
    return InputFacts(names, values.mean(axis=0), values.std(axis=0), (), (), bool((values >= 0).all()), {}, math.nan)


class Watch:
    """A callback of a training that tells of each finding once for each layer, when it is first seen.

    network: what is trained; settings: of the estimator, see `Examination.settings`; tell: what is done with a finding
    that warns or fails, and with what members it is true of, as a text such as "" or " (in 3 of 8 members)".
    An epoch in which nothing is odd costs a few comparisons.

    >>> said = []
    >>> watch = Watch(Network([2, 10, 1]), {"rate": 5.0}, lambda finding, where: said.append(finding.what + where))
    >>> monitors = np.full(15, np.nan, np.float32)
    >>> monitors[[1, 5, 6, 7]] = 0.4, 1.0, 0.75, 4.0  # dead, then gradient norm, update ratio and weight norm
    >>> watch(EpochRecord(1, 9, 0.6, 0.5, np.nan, np.nan, 0.1, monitors))
    >>> said
    ['layer 1: the first step changed 75% of the weights', 'layer 1: 40% of 10 ReLU units are dead since epoch 1']
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
        self._curves: list[Floats] = []
        self._monitors: list[NDArray[np.float32]] = []
        self._said: set[tuple[str, int | None]] = set()

    def __call__(self, record: EpochRecord) -> None:
        """Look at one epoch; it never ends the training."""
        curves = np.stack([np.atleast_1d(getattr(record, name))[:WATCHED] for name in METRICS], axis=-1)
        self._curves.append(curves)
        self._monitors.append(np.atleast_2d(record.monitors)[:WATCHED])
        if not self._odd(record.epoch):
            return
        members = range(len(curves))
        of_each = [self._found(member) for member in members]
        for key, finding in {(one.rule, one.layer): one for found in of_each for one in found}.items():
            if key not in self._said:
                self._said.add(key)
                having = sum(any((one.rule, one.layer) == key for one in found) for found in of_each)
                self._tell(finding, f" (in {having:,} of {len(members):,} members)" if len(members) > 1 else "")

    def _odd(self, epoch: int) -> bool:
        """Whether a rule could have something to say of the last epoch."""
        bounds, (loss, first) = self._thresholds, (self._curves[-1][:, 0], self._monitors[0][:, 0])
        shown = self._monitors[-1][:, 1:].reshape(len(loss), -1, len(NAMES))
        return bool(
            (shown[..., _DEAD] >= bounds.dead_warn).any()
            or (shown[..., _SATURATED] > min(bounds.saturated_warn, bounds.saturated_start)).any()
            or (epoch == 1 and (shown[..., _MOVED] > bounds.ratio_warn).any())
            or np.any(loss > bounds.divergence * np.where(first > 0, first, math.inf))
        )

    def _found(self, member: int) -> Sequence[Finding]:
        monitors = np.stack(self._monitors)[:, [member]]
        history = History.of(np.stack(self._curves)[:, [member]], True, monitors)
        layers = [self._layer(history, place) for place in range(self._network.n_layers)]
        seen = Examination("kilonet", "", self._settings, layers, history, inputs=self._inputs)
        return [
            finding for rule in _RULES for finding in rule(seen, self._thresholds) if finding.severity != "info"
        ]  # fmt: skip

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


def _last(values: NDArray[Any]) -> float:
    """The last value that is one."""
    known = values[~np.isnan(values)]
    return float(known[-1]) if len(known) else math.nan
