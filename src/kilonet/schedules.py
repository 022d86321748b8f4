"""Schedules: the factor on the learning rate at every step of a run.

`factors(steps, steps_per_epoch, total_steps)` gives float64 factors for whole-numbered steps,
counted from 0. A factor depends on its own step alone, to the last bit: only operations that IEEE
754 rounds exactly are used, so that it does not matter how a run is cut into pieces, or where it runs.
"""
# ruff: noqa: D102, ARG002 (methods that the base class documents, with its arguments)

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from kilonet.checks import number
from kilonet.errors import SettingError
from kilonet.values import Family, Value, checked, counted, real

Factors = npt.NDArray[np.float64]
Steps = npt.NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class Schedule(Value):
    """The base of the schedules."""

    def factors(self, steps: Steps, steps_per_epoch: int, total_steps: int) -> Factors:
        """Return the factor of each step, shaped like steps, for a run of total_steps."""
        raise NotImplementedError


@dataclass(frozen=True, repr=False)
class Constant(Schedule):
    """Always 1.

    >>> constant.factors(np.arange(3), steps_per_epoch=1, total_steps=3).tolist()
    [1.0, 1.0, 1.0]
    """

    name: ClassVar[str] = "constant"

    def factors(self, steps: Steps, steps_per_epoch: int, total_steps: int) -> Factors:
        return np.ones(np.shape(steps))


@dataclass(frozen=True, repr=False)
class Step(Schedule):
    """Multiplied by `factor` after every `every` epochs.

    >>> step(every=1, factor=0.5).factors(np.arange(4), steps_per_epoch=2, total_steps=4).tolist()
    [1.0, 1.0, 0.5, 0.5]
    """

    name: ClassVar[str] = "step"
    every: int = field(default=10, metadata=counted())
    factor: float = field(default=0.1, metadata=real("[0, inf)"))

    def factors(self, steps: Steps, steps_per_epoch: int, total_steps: int) -> Factors:
        times, places = np.unique(np.asarray(steps) // (self.every * steps_per_epoch), return_inverse=True)
        powers = np.array([math.pow(self.factor, count) for count in times.tolist()])
        return powers[places].reshape(np.shape(steps))


@dataclass(frozen=True, repr=False)
class Cosine(Schedule):
    """From 1 down to `floor` along half a cosine over the whole run. Source: Loshchilov & Hutter 2017.

    >>> cosine(floor=0.1).factors(np.arange(0, 5), steps_per_epoch=1, total_steps=4).round(6).tolist()
    [1.0, 0.868198, 0.55, 0.231802, 0.1]
    """

    name: ClassVar[str] = "cosine"
    floor: float = field(default=0.0, metadata=real("[0, 1]"))

    def factors(self, steps: Steps, steps_per_epoch: int, total_steps: int) -> Factors:
        share = np.minimum(np.asarray(steps) / max(total_steps, 1), 1.0)
        return self.floor + (1.0 - self.floor) * (0.5 - 0.5 * _sine_of_half_turn(share - 0.5))


def _sine_of_half_turn(u: Factors) -> Factors:
    """Return sin(pi u) for u in [-1/2, 1/2] by its Taylor series, whose rest is below 1e-17.

    NumPy's own cosine may round differently in vector and remainder lanes; products and sums do not.
    """
    x = math.pi * u
    square, total = x * x, np.zeros_like(x)
    for k in range(10, 0, -1):
        total = (total + 1.0) * square * (-1.0 / ((2 * k) * (2 * k + 1)))
    return x * (1.0 + total)


@dataclass(frozen=True, repr=False)
class WarmUp(Schedule):
    """A straight rise over the first epochs, then another schedule over the rest of the run.

    Source: Goyal et al. 2017, section 2.2.

    >>> warm_up(epochs=1).factors(np.arange(6), steps_per_epoch=4, total_steps=6).tolist()
    [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]
    """

    name: ClassVar[str] = "warm_up"
    epochs: float = field(default=1.0, metadata=real("[0, inf)"))
    then: Schedule = field(default=Constant(), metadata=checked(lambda label, spec: schedule_from(spec)))

    def factors(self, steps: Steps, steps_per_epoch: int, total_steps: int) -> Factors:
        rise = math.floor(self.epochs * steps_per_epoch + 0.5)
        rising = np.minimum((np.asarray(steps) + 1) / max(rise, 1), 1.0)
        later = np.maximum(np.asarray(steps) - rise, 0)
        return rising * self.then.factors(later, steps_per_epoch, max(total_steps - rise, 1))


def _factors(label: str, given: Any) -> tuple[float, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise SettingError(f"{label} came as {given!r}; needs a sequence of numbers, one for each epoch.")
    factors = tuple(number(f"{label}[{i}]", factor, "[0, inf)") for i, factor in enumerate(given))
    if not factors:
        raise SettingError(f"{label} came without any number; needs one for each epoch.")
    return factors


@dataclass(frozen=True, repr=False)
class Sequence(Schedule):
    """A factor for each epoch; the last one repeats.

    >>> sequence([1, 0.5]).factors(np.arange(6), steps_per_epoch=2, total_steps=6).tolist()
    [1.0, 1.0, 0.5, 0.5, 0.5, 0.5]
    """

    name: ClassVar[str] = "sequence"
    epochs: tuple[float, ...] = field(default=(1.0,), metadata=checked(_factors))

    def factors(self, steps: Steps, steps_per_epoch: int, total_steps: int) -> Factors:
        epoch = np.minimum(np.asarray(steps) // steps_per_epoch, len(self.epochs) - 1)
        return np.array(self.epochs)[epoch]


def schedule_from(spec: object) -> Schedule:
    """Return the schedule that a spec describes; a list of numbers is a factor for each epoch.

    >>> schedule_from("cosine(0.1)"), schedule_from([1, 0.5]), schedule_from("warm_up(2, then=cosine)")
    (cosine(floor=0.1), sequence(epochs=(1.0, 0.5)), warm_up(epochs=2.0, then=cosine))
    """
    if isinstance(spec, Schedule):
        return spec
    return Sequence(tuple(spec)) if isinstance(spec, list | tuple | np.ndarray) else SCHEDULES.parse(spec)


constant, step, cosine, warm_up, sequence = Constant(), Step(), Cosine(), WarmUp(), Sequence()

SCHEDULES: Family[Schedule] = Family("schedule", constant, step, cosine, warm_up, sequence)
