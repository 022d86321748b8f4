"""What is watched inside networks while they train: which numbers there are, how often, and where they stand.

The engines fill rows of them, one for each epoch and member; histories and callbacks read them by name.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.checks import whole
from kilonet.errors import SettingError

Floats = NDArray[np.float32]

OF_HIDDEN = ("dead", "saturated", "activation_mean", "positive")
"""Of every hidden layer at the epoch's end, dropout and noise off. The output layer has NaN there."""
OF_LAYER = ("gradient_norm", "update_ratio", "weight_norm")
"""Of the weights of every layer in the epoch's first step."""
NAMES = (*OF_HIDDEN, *OF_LAYER)
SAMPLE = 128  # rows of the epoch's first batches that the outputs of hidden units are watched on
LARGEST = 2**24  # parameters of a network whose gradient is watched: beyond, keeping it would cost memory that matters
_APART = 2000  # rows between one watching and the next, at least: about what makes its time not matter
TANH, SIGMOID = 0.97, 0.985  # outputs beyond are saturated, those of sigmoid below 1 - 0.985 too


def width(n_layers: int) -> int:
    """Numbers of a member and epoch: the loss of the first batch, then those of one layer after another.

    >>> width(2)
    15
    """
    return 1 + len(NAMES) * n_layers


def epochs_apart(watch: int | str, n_rows: int) -> int:
    """How many epochs lie between two that are watched; 0 where none is. The first one always is otherwise.

    >>> epochs_apart("auto", 50_000), epochs_apart("auto", 450), epochs_apart(1, 450), epochs_apart(0, 450)
    (1, 5, 1, 0)
    """
    return -(-_APART // n_rows) if watch == "auto" else int(watch)


def checked_watch(name: str, value: Any) -> int | str:
    """A setting of `Recipe`. Raises SettingError for what is neither "auto" nor a whole number."""
    if isinstance(value, str):
        if value != "auto":
            raise SettingError(f'{name} came as {value!r}; needs "auto", or epochs from one watching to the next.')
        return value
    return whole(name, value, "[0, inf)")


class Monitored:
    """Who has monitors (..., width) shows them by name; NaN for epochs that were not watched.

    first_loss (...): data loss of the epoch's first batch, before its step; of the first epoch: the loss at the start.
    At the epoch's end, dropout and noise off, (..., hidden layers): dead: share of units whose local slope is zero on
    all training rows; saturated: share of outputs, on up to 128 training rows, beyond ±0.97 of tanh, or outside of
    0.015 to 0.985 of sigmoid, NaN for other units; activation_mean: mean output on these rows; positive: share of
    outputs above zero. In the epoch's first step, (..., layers), NaN where its rows weigh nothing: gradient_norm: of
    the mean data loss by the weights; update_ratio: norm of what the step really changed by the weights' norm before
    it, penalties, momentum and bounds included; weight_norm: before it. Networks of more than 16.8 million parameters
    have no gradient_norm.

    Source: the notes' dead units and saturation; Stanford CS231n, part 3, for the ratio of updates.
    """

    monitors: Floats

    @property
    def first_loss(self) -> Floats:
        """Data loss (...) of the epoch's first batch."""
        return self.monitors[..., 0]

    @property
    def dead(self) -> Floats:
        """Share (..., hidden layers) of units whose local slope is zero on all training rows."""
        return self._hidden("dead")

    @property
    def saturated(self) -> Floats:
        """Share (..., hidden layers) of saturated outputs; NaN for units that cannot saturate at both ends."""
        return self._hidden("saturated")

    @property
    def activation_mean(self) -> Floats:
        """Mean output (..., hidden layers)."""
        return self._hidden("activation_mean")

    @property
    def positive(self) -> Floats:
        """Share (..., hidden layers) of outputs above zero."""
        return self._hidden("positive")

    @property
    def gradient_norm(self) -> Floats:
        """Norm (..., layers) of the data loss's gradient by the weights."""
        return self._layers("gradient_norm")

    @property
    def update_ratio(self) -> Floats:
        """Norm (..., layers) of a step's real change of the weights, by their norm."""
        return self._layers("update_ratio")

    @property
    def weight_norm(self) -> Floats:
        """Norm (..., layers) of the weights."""
        return self._layers("weight_norm")

    def _hidden(self, name: str) -> Floats:
        return self._layers(name)[..., :-1]

    def _layers(self, name: str) -> Floats:
        return self.monitors[..., 1 + NAMES.index(name) :: len(NAMES)]
