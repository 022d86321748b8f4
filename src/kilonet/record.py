"""A run as data: what training did, epoch by epoch, for every member.

Nothing here computes with networks. Reports, diagnostics and files read these values and nothing else.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.checks import whole
from kilonet.engine.planner import Plan
from kilonet.engine.state import EPOCHS, STOPPING
from kilonet.errors import SettingError
from kilonet.history import METRICS, History, short
from kilonet.network import Network
from kilonet.numerals import count
from kilonet.recipe import Recipe
from kilonet.spread import Spread

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Runs:
    """What `train` gives back: the trained members and how they came to be.

    network: that of all members, or a tuple with one for each. theta (members, n_parameters), (n_parameters,)
    for a single network, a list of (n_parameters,) where the networks differ: the parameters of the best
    epoch where `stopping` was set, else of the last one. best_epoch: the epoch (from 1) that theta
    is of, 0 where it is of none: the initial parameters, or those inside the first epoch after Ctrl-C.
    stopped_epoch: the epoch after which early stopping ended the member, else 0. diverged: the epoch in
    which the member left the finite numbers, else 0; its theta is of the epoch before. plan: how the
    members were trained. state: arrays from which `train(..., state=runs.state)` goes on exactly.
    seconds: wall time of the call.
    """

    network: Network | tuple[Network, ...]
    loss: Any
    recipe: Recipe
    theta: Any
    history: History
    best_epoch: NDArray[np.int64] | int
    stopped_epoch: NDArray[np.int64] | int
    diverged: NDArray[np.int64] | int
    interrupted: bool
    plan: Plan
    state: dict[str, NDArray[Any]] = field(repr=False)
    seconds: float

    @property
    def single(self) -> bool:
        """Whether the member axis was dropped."""
        return isinstance(self.theta, np.ndarray) and self.theta.ndim == 1

    @property
    def engine(self) -> str:
        """The name of the engine that ran."""
        return self.plan.engine

    @property
    def n_members(self) -> int:
        """Number of trained members."""
        return self.recipe.n_members

    @property
    def reached(self) -> tuple[int, int]:
        """Fewest and most complete epochs of members that neither stopped nor diverged; they differ after Ctrl-C."""
        done = np.isfinite(self.history.to_array()[..., 0]).sum(axis=0)
        going = (np.atleast_1d(self.stopped_epoch) == 0) & (np.atleast_1d(self.diverged) == 0)
        counted = done[going] if going.any() else done
        return int(counted.min()), int(counted.max())

    def members(self, places: int | Sequence[int], *, single: bool = False) -> "Runs":
        """The record of some members with one network, as if only they had been trained.

        places: several, or a number for one of them; single: whether the member axis of one is dropped, as for
        a number it always is: `runs.members(runs.best)`. Raises SettingError for a place where no member is.

        >>> import kilonet as kn
        >>> runs = kn.train(kn.Network([1, 1]), kn.squared, [[0.0], [1.0]], [0.0, 1.0], seeds=[3, 4, 5], epochs=2)
        >>> alone = kn.train(kn.Network([1, 1]), kn.squared, [[0.0], [1.0]], [0.0, 1.0], seeds=[5], epochs=2)
        >>> bool((runs.members([2]).theta == alone.theta).all())
        True
        """
        single = single or not np.ndim(places)
        own = self._places(places)
        state = {
            name: value[:, own] if name in ("slots", *EPOCHS) else value[own] for name, value in self.state.items()
        }
        epochs = int(state["epoch"].max()) if own else 0
        state |= {name: state[name][:epochs] for name in EPOCHS}
        if all(rule is None for rule in self.recipe.members(own).each("stopping")):
            state = {name: value for name, value in state.items() if name not in STOPPING}
        counts = {name: getattr(self, name)[own] for name in ("best_epoch", "stopped_epoch", "diverged")}
        changed: dict[str, Any] = {name: int(value[0]) if single else value for name, value in counts.items()}
        return replace(
            self,
            loss=self.loss.member(own[0]) if single else self.loss.members(own),
            recipe=self.recipe.members(own),
            theta=self.theta[own[0]] if single else self.theta[own],
            history=History.of(state["history"], single, state["monitors"]),
            state=state,
            **changed,
        )

    def _places(self, places: int | Sequence[int]) -> list[int]:
        """Places of members, from 0 on. Raises SettingError where they are none of these."""
        if isinstance(self.network, tuple) or self.single:
            which = "; network[m] is that of theta[m]" if isinstance(self.network, tuple) else ""
            raise SettingError(
                f"members is for runs of several members with one network; use theta and history here{which}."
            )
        n, given = self.n_members, np.atleast_1d(np.asarray(places, dtype=object)).tolist()
        return [whole("a place of members", place, f"[{-n}, {n - 1}]") % n for place in given]

    def judged(self) -> Floats:
        """The value (members,) by which each member is judged, at the epoch that its theta is of, or NaN.

        That is the metric of its early stopping, else the validation loss, else the loss.
        """
        curves = self.history.to_array()
        value = np.full(self.n_members, np.nan)
        for member, (epoch, metric) in enumerate(zip(np.atleast_1d(self.best_epoch), self._judges(), strict=True)):
            if epoch > 0:
                value[member] = curves[epoch - 1, member, METRICS.index(metric)]
        return value

    def _judges(self) -> list[str]:
        """The metric by which each member is judged."""
        validated = bool(np.isfinite(self.history.validation_loss).any())
        otherwise = "validation_loss" if validated else "loss"
        rules = self.recipe.each("stopping")
        return [otherwise if rule is None else f"validation_{rule.metric}" for rule in rules]

    def _one_metric(self, what: str) -> str:
        metrics = sorted(set(self._judges()))
        if len(metrics) > 1:
            raise SettingError(f"members are judged by {' and '.join(metrics)}; {what} needs one metric for all.")
        return metrics[0]

    @property
    def best(self) -> int:
        """Index of the best member, judged as `judged` says; diverged members come last.

        After Ctrl-C members are judged at different epochs, as `spread()` says. Raises SettingError where early
        stopping judges members by different metrics.
        """
        self._one_metric("the best one")
        sign = np.array([-1.0 if metric.endswith("score") else 1.0 for metric in self._judges()])
        value = np.nan_to_num(sign * self.judged(), nan=np.inf, posinf=np.inf, neginf=-np.inf)
        return int(np.lexsort((value, np.atleast_1d(np.asarray(self.diverged)) > 0))[0])

    def spread(self) -> Spread:
        """How much the members differ in what they are judged by; those that diverged are counted and left out.

        After Ctrl-C it says the epochs that members are compared at. Raises SettingError where early stopping judges
        members by different metrics.
        """
        metric, diverged = self._one_metric("a spread"), np.atleast_1d(np.asarray(self.diverged)) > 0
        return Spread.of(metric, self.judged(), diverged, np.atleast_1d(self.best_epoch) if self.interrupted else None)

    def __repr__(self) -> str:
        shapes = set(self.network) if isinstance(self.network, tuple) else {self.network}
        what = repr(next(iter(shapes))) if len(shapes) == 1 else f"networks of {len(shapes)} shapes"
        members = "1 network" if self.single else count(self.n_members, "member")
        last = self.history.to_array()[-1:, :, 0]
        loss = f", loss {short(last[0])}" if len(last) else ""
        interrupted = ", interrupted" if self.interrupted else ""
        return (
            f"Runs({members} of {what}, {count(len(self.history), 'epoch')}{loss}{interrupted}, {self.engine} engine)"
        )
