"""Which loss a foreign network was trained with, and what its targets are."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.errors import SettingError
from kilonet.estimators.labels import Labels
from kilonet.estimators.numbers import Numbers
from kilonet.losses import absolute, cross_entropy, huber, logistic, loss_from, squared

Array = NDArray[Any]


def codec_of(loss: Any, y: Array, n_outputs: int) -> Labels | Numbers:
    """What turns targets y (n,) or (n, n_outputs) into those of the loss.

    loss: one of torch's by its class, one of Kilonet's, or None for the one that fits y.

    >>> codec_of(None, np.array([0, 2, 1]), 3).loss, codec_of(None, np.array([0.5, 2.0]), 1).loss
    (cross_entropy, squared)
    """
    own = _fitting(y, n_outputs) if loss is None else _known(loss)
    if own.name not in ("cross_entropy", "logistic", "hinge", "squared_hinge"):
        return Numbers(np.zeros(n_outputs), np.ones(n_outputs), flat=y.ndim == 1, loss=own)
    if y.ndim == 2:
        return Labels(np.arange(n_outputs), multilabel=True, loss=own)
    return Labels(np.arange(max(2, n_outputs)), multilabel=False, loss=own)


def _fitting(y: Array, n_outputs: int) -> Any:
    whole = y.dtype.kind in "iub"
    if y.ndim == 1 and whole and n_outputs > 1:
        return cross_entropy
    if np.isin(y, (0, 1)).all() and (n_outputs == 1 or y.ndim == 2):
        return logistic
    return squared


def _known(loss: Any) -> Any:
    """The loss by Kilonet's name; those that are only scaled otherwise stand for each other."""
    name = type(loss).__name__
    if name == "CrossEntropyLoss":
        return cross_entropy(smoothing=float(getattr(loss, "label_smoothing", 0.0)))
    if name in ("HuberLoss", "SmoothL1Loss"):
        return huber(float(getattr(loss, "delta", getattr(loss, "beta", 1.0))))
    plain = {"BCEWithLogitsLoss": logistic, "MSELoss": squared, "L1Loss": absolute}
    if name in plain:
        return plain[name]
    if name.endswith("Loss"):
        raise SettingError(
            f"loss came as {name}; needs CrossEntropyLoss, BCEWithLogitsLoss, MSELoss, L1Loss, HuberLoss or "
            "SmoothL1Loss, or one of Kilonet's. CrossEntropyLoss is what NLLLoss behind LogSoftmax is."
        )
    return loss_from(loss)
