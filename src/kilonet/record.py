"""A run as data: what training did, epoch by epoch, for every member.

Nothing here computes with networks. Reports, diagnostics and files read these values and nothing else.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.network import Network
from kilonet.recipe import Recipe

Floats = NDArray[np.float64]
METRICS = ("loss", "score", "validation_loss", "validation_score")


@dataclass(frozen=True, eq=False, repr=False)
class History:
    """The curves of a run: each array is (epochs, members), or (epochs,) for a single network.

    loss: mean data loss over the batches of the epoch, without penalties, dropout and noise on;
    score: accuracy, or R2 for numbers, from the same forward passes; validation_*: the same on the
    validation set with dropout and noise off. NaN where there is no validation set, and from the
    epoch on in which a member diverged, or after the one in which it stopped.

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

    @classmethod
    def of(cls, values: Floats, single: bool) -> "History":
        """From an engine's (epochs, members, 4); `single` drops the member axis."""
        kept = values[:, 0] if single else values
        return cls(*(np.ascontiguousarray(kept[..., metric]) for metric in range(len(METRICS))))

    def __len__(self) -> int:
        return len(self.loss)

    def __repr__(self) -> str:
        epochs = f"{len(self)} epoch{'' if len(self) == 1 else 's'}"
        members = "" if self.loss.ndim == 1 else f" of {self.loss.shape[1]} members"
        told = [name for name in METRICS if np.isfinite(getattr(self, name)).any()]
        last = ", ".join(f"{name} {_short(getattr(self, name)[-1])}" for name in told)
        return f"History({epochs}{members}{', last ' if last else ''}{last})"

    def to_array(self) -> Floats:
        """The curves side by side, (epochs, members, 4) in the order of the fields."""
        stacked = np.stack([getattr(self, metric) for metric in METRICS], axis=-1)
        return stacked[:, None] if stacked.ndim == 2 else stacked

    def to_json(self) -> dict[str, Any]:
        """The curves as nested lists; NaN becomes None, which JSON can say."""
        return {metric: _plain(getattr(self, metric)) for metric in METRICS}


def _short(values: Floats) -> str:
    """A number, or the numbers of the members, in four digits."""
    return np.array2string(values, precision=4, threshold=6)


def _plain(values: Floats) -> Any:
    exact = values.astype(object)
    exact[np.isnan(values)] = None
    return exact.tolist()


@dataclass(frozen=True, eq=False)
class EpochRecord:
    """What a callback gets after every epoch.

    epoch counts from 1 to epochs; the metrics are as in `History`, (members,) or a float for a
    single network; seconds since this call of `train` began.
    """

    epoch: int
    epochs: int
    loss: Floats | float
    score: Floats | float
    validation_loss: Floats | float
    validation_score: Floats | float
    seconds: float


@dataclass(frozen=True, eq=False)
class Runs:
    """What `train` gives back: the trained members and how they came to be.

    theta (members, n_parameters), (n_parameters,) for a single network: the parameters of the best
    epoch where `stopping` was set, else of the last one. best_epoch: the epoch (from 1) that theta
    is of, 0 for the initial parameters. stopped_epoch: the epoch after which early stopping ended
    the member, else 0. diverged: the epoch in which the member left the finite numbers, else 0; its
    theta is of the epoch before. engine: the name of the engine that ran. state: arrays from which
    `train(..., state=runs.state)` goes on exactly. seconds: wall time of the call.
    """

    network: Network
    loss: Any
    recipe: Recipe
    theta: NDArray[Any]
    history: History
    best_epoch: NDArray[np.int64] | int
    stopped_epoch: NDArray[np.int64] | int
    diverged: NDArray[np.int64] | int
    interrupted: bool
    engine: str
    state: dict[str, NDArray[Any]] = field(repr=False)
    seconds: float

    @property
    def single(self) -> bool:
        """Whether the member axis was dropped."""
        return self.theta.ndim == 1

    @property
    def n_members(self) -> int:
        """Number of trained members."""
        return self.recipe.n_members

    @property
    def best(self) -> int:
        """Index of the best member: by the stopping metric, else validation loss, else loss.

        Each member is judged at the epoch its theta is of; diverged members come last.
        """
        curves = self.history.to_array()
        epochs = np.atleast_1d(np.asarray(self.best_epoch))
        otherwise = 2 if len(curves) and np.isfinite(curves[..., 2]).any() else 0
        value = np.full(len(epochs), np.inf)
        for member, (epoch, stopping) in enumerate(zip(epochs, self.recipe.each("stopping"), strict=True)):
            judged = otherwise if stopping is None else (2 if stopping.metric == "loss" else 3)
            if epoch > 0 and np.isfinite(curves[epoch - 1, member, judged]):
                value[member] = (-1.0 if judged == 3 else 1.0) * curves[epoch - 1, member, judged]
        return int(np.lexsort((value, np.atleast_1d(np.asarray(self.diverged)) > 0))[0])

    def __repr__(self) -> str:
        members = "1 network" if self.single else f"{self.n_members} members"
        last = self.history.to_array()[-1:, :, 0]
        loss = f", loss {_short(last[0])}" if len(last) else ""
        interrupted = ", interrupted" if self.interrupted else ""
        return (
            f"Runs({members} of {self.network!r}, {len(self.history)} epochs{loss}{interrupted}, {self.engine} engine)"
        )
