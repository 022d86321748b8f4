"""What one kind of unit is worth beside another on held-out rows, over splits and seeds of a task."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.comparison import Comparison, corrected_t
from kilonet.losses import cross_entropy, squared
from kilonet.network import Dense, Network
from kilonet.notes.tasks import CLASSIFICATIONS, task
from kilonet.training import train, value_and_grad

Floats = NDArray[np.float64]

_WIDTH, _RATE = 32, 0.01  # of both hidden layers; of Adam
_ORDERS = 4
_TRAINED = 2 / 3  # of the rows of each split


def losses(name: str, unit: Any, splits: int, epochs: int) -> Floats:
    """Held-out losses (splits,) of networks with this unit on a task: each has its own seed and its own split.

    Rows that are held out have weight zero in training, so that all splits are one population.
    """
    X, y = task(name)
    loss: Any = cross_entropy if name in CLASSIFICATIONS else squared
    n_outputs = len(np.unique(y)) if name in CLASSIFICATIONS else 1
    layer = Dense(_WIDTH, unit)
    network = Network([X.shape[1], layer, layer, n_outputs])
    taken = np.zeros((splits, len(X)))
    for split in range(splits):
        taken[split, np.random.default_rng(split).permutation(len(X))[: int(_TRAINED * len(X))]] = 1
    orders = [split % _ORDERS for split in range(splits)]
    runs = train(network, loss, X, y, seeds=range(splits), order=orders, sample_weight=taken, optimizer="adam",
                 rate=_RATE, epochs=epochs, watch=0)  # fmt: skip
    held = [row == 0 for row in taken]
    each = [value_and_grad(network, loss, one, X[own], y[own])[0] for one, own in zip(runs.theta, held, strict=True)]
    return np.asarray(each, np.float64)


def relative(candidate: Floats, reference: Floats) -> Comparison:
    """The difference of held-out losses over the same splits, in shares of the reference's mean; below 0 is better.

    Its interval is that of the corrected resampled t, since splits share rows: Nadeau & Bengio 2003.
    """
    return corrected_t((candidate - reference) / reference.mean(), (1 - _TRAINED) / _TRAINED)
