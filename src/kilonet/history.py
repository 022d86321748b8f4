"""The curves of a run, and what a callback is told of an epoch.

Nothing here computes with networks.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.checks import choice
from kilonet.monitors import OF_HIDDEN, OF_LAYER, Monitored
from kilonet.numerals import count

Floats = NDArray[np.float64]
METRICS = ("loss", "score", "validation_loss", "validation_score")
SHOWN = (*METRICS, "first_loss", *OF_HIDDEN, *OF_LAYER)
"""All that a history has by name."""
_NONE = np.zeros(0, np.float32)  # stands for what nobody watched


def _fill(record: Any) -> None:
    """Monitors without layers where nobody watched."""
    if record.monitors is _NONE:
        object.__setattr__(record, "monitors", np.full((*np.shape(record.loss), 1), np.nan, np.float32))


@dataclass(frozen=True, eq=False, repr=False)
class History(Monitored):
    """The curves of a run: each array is (epochs, members), or (epochs,) for a single network.

    loss: mean data loss over the batches of the epoch, without penalties, dropout and noise on;
    score: accuracy, or R2 for numbers, from the same forward passes; validation_*: the same on the
    validation set with dropout and noise off. NaN where there is no validation set, and from the
    epoch on in which a member diverged, or after the one in which it stopped. monitors (epochs, members, numbers):
    what `Monitored` shows by name, such as dead (epochs, members, hidden layers).

    >>> history = History.of(np.zeros((5, 3, 4)), single=False)
    >>> len(history), history.loss.shape
    (5, (5, 3))
    >>> History(np.array([0.7, 0.5]), np.array([0.5, 0.75]), *np.full((2, 2), np.nan))
    History(2 epochs, last loss 0.5, score 0.75)
    """

    loss: Floats
    score: Floats
    validation_loss: Floats
    validation_score: Floats
    monitors: NDArray[np.float32] = field(default_factory=lambda: _NONE)

    def __post_init__(self) -> None:
        _fill(self)

    @classmethod
    def of(cls, values: Floats, single: bool, monitors: NDArray[np.float32] = _NONE) -> "History":
        """From an engine's (epochs, members, 4) and monitors (epochs, members, numbers); single: drop that axis."""
        kept = values[:, 0] if single else values
        own = monitors[:, 0] if single and monitors is not _NONE else monitors
        curves = {metric: np.ascontiguousarray(kept[..., place]) for place, metric in enumerate(METRICS)}
        return cls(**curves, monitors=own)

    def __len__(self) -> int:
        return len(self.loss)

    def __repr__(self) -> str:
        epochs = count(len(self), "epoch")
        members = "" if self.loss.ndim == 1 else f" of {count(self.loss.shape[1], 'member')}"
        told = [name for name in METRICS if np.isfinite(getattr(self, name)).any()]
        last = ", ".join(f"{name} {short(getattr(self, name)[-1])}" for name in told)
        return f"History({epochs}{members}{', last ' if last else ''}{last})"

    def last(self, name: str) -> NDArray[Any]:
        """The last known value of a curve or monitor, shaped as in one epoch; NaN where no epoch has one.

        Networks are not looked into in every epoch, and a member that stopped or diverged has no more epochs: so
        `dead[-1]` may be NaN where `last("dead")` is not. Raises SettingError for what a history has not.

        >>> History(np.array([0.7, 0.5, np.nan]), *np.full((3, 3), np.nan)).last("loss")
        np.float64(0.5)
        """
        values = np.asarray(getattr(self, choice("name", name, SHOWN)))
        values = np.concatenate([np.full_like(values, np.nan, shape=(1, *values.shape[1:])), values])
        back = np.argmax(~np.isnan(values[::-1]), axis=0)  # where nothing is known the last place, which is NaN too
        found: NDArray[Any] = np.take_along_axis(values, (len(values) - 1 - back)[np.newaxis], axis=0)[0]
        return found

    def to_array(self) -> Floats:
        """The curves side by side, (epochs, members, 4) in the order of the fields."""
        stacked = np.stack([getattr(self, metric) for metric in METRICS], axis=-1)
        return stacked[:, None] if stacked.ndim == 2 else stacked

    def to_json(self) -> dict[str, Any]:
        """The curves and monitors as nested lists; NaN becomes None, which JSON can say."""
        return {name: _plain(getattr(self, name)) for name in SHOWN}


def short(values: Floats) -> str:
    """A number, or the numbers of the members, in four digits."""
    return np.array2string(values, precision=4, threshold=6)


def _plain(values: Floats) -> Any:
    exact = values.astype(object)
    exact[~np.isfinite(values)] = None
    return exact.tolist()


@dataclass(frozen=True, eq=False)
class EpochRecord(Monitored):
    """What a callback gets after every epoch.

    epoch counts from 1 to epochs; the metrics are as in `History`, (members,) or a float for a
    single network; seconds since this call of `train` began; monitors (members, numbers) or (numbers,): what
    `Monitored` shows by name, NaN in epochs that were not watched.
    """

    epoch: int
    epochs: int
    loss: Floats | float
    score: Floats | float
    validation_loss: Floats | float
    validation_score: Floats | float
    seconds: float
    monitors: NDArray[np.float32] = field(default_factory=lambda: _NONE, repr=False)

    def __post_init__(self) -> None:
        _fill(self)
