"""What several members make together: predictions that are their mean, and one figure for all of them.

Scores are (members, n, outputs). One member alone is left as it is, to the last bit.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_expit, log_softmax

from kilonet.estimators.labels import Labels
from kilonet.losses import OwnLoss

Array = NDArray[Any]
Floats = NDArray[np.float64]

BLOCK = 1 << 22  # scores of several members that are held at once, so that many members do not fill the memory
STEP = 1024  # rows of a block are a multiple of it: the reference engine takes so many together


def blocks(n_rows: int, members: int, outputs: int) -> Iterator[slice]:
    """The rows in pieces whose scores can be held at once; of a single member all of them.

    >>> list(blocks(5000, 4096, 1)), list(blocks(5000, 1, 10**9))
    ([slice(0, 1024, None), ..., slice(4096, 5000, None)], [slice(0, 5000, None)])
    """
    size = n_rows if members == 1 else max(1, BLOCK // (members * outputs * STEP)) * STEP
    return (slice(start, min(start + size, n_rows)) for start in range(0, n_rows, max(size, 1)))


def probabilities(labels: Labels, scores: Array) -> Floats:
    """Every member's probabilities of the classes, (members, n, n_classes)."""
    return np.stack([labels.probabilities(own.astype(np.float64)) for own in scores])


def deciding(labels: Labels, scores: Array) -> Array:
    """Scores (n, outputs) that `Labels` decides by as the mean of the members' probabilities does.

    They are logarithms of the mean probability, or its log-odds where a score stands for one alone; the mean
    score for margins. A loss of one's own decides by the mean of its link.

    >>> labels = Labels.of(np.array([0, 1]))
    >>> scores = np.log([[[0.5, 0.5]], [[0.3, 0.7]]])
    >>> np.exp(deciding(labels, scores)), labels.chosen(deciding(labels, scores))
    (array([[0.4, 0.6]]), array([1]))
    """
    loss = labels.loss
    if len(scores) == 1:
        return scores[0]  # type: ignore[no-any-return]
    if _own_link(loss):
        mean: Floats = np.mean([loss.link(own) for own in scores], axis=0, dtype=np.float64)
        return np.subtract(mean, 0.5) if labels.multilabel else mean
    if loss.name == "logistic" and not labels.multilabel and scores.shape[-1] > 1:  # one against the rest
        logs = log_expit(scores.astype(np.float64))
        return _log_mean_exp(log_softmax(logs, axis=-1))
    return _pooled(loss, scores)


def values(loss: Any, scores: Array, targets: Array) -> Array:
    """Loss (n,) of the mean prediction; for a loss of one's own with a link, the mean of the members' losses.

    A link of one's own cannot be turned round: there are no scores whose link is the mean.

    >>> from kilonet.losses import cross_entropy
    >>> np.exp(-values(cross_entropy, np.log([[[0.5, 0.5]], [[0.3, 0.7]]]), np.array([1])))
    array([0.6])
    """
    if _own_link(loss):
        return np.mean([loss.value(own, targets) for own in scores], axis=0)  # type: ignore[no-any-return]
    found: Array = loss.value(scores[0] if len(scores) == 1 else _pooled(loss, scores), targets)
    return found if found.ndim == 1 else found.mean(axis=0)  # a setting of each member gives a loss for each


def _pooled(loss: Any, scores: Array) -> Floats:
    """Scores (n, outputs) whose link is the mean of the members' links; without a link the mean score."""
    given = scores.astype(np.float64)
    if loss.name == "cross_entropy":
        return _log_mean_exp(log_softmax(given, axis=-1))
    if loss.name == "logistic":
        return _log_mean_exp(log_expit(given)) - _log_mean_exp(log_expit(-given))
    mean: Floats = given.mean(axis=0)
    return mean


def _own_link(loss: Any) -> bool:
    return isinstance(loss, OwnLoss) and hasattr(loss.own, "link")


def _log_mean_exp(logs: Floats) -> Floats:
    """Logarithm of the mean over the first axis: the largest is taken out, so that none is lost to 0."""
    top = logs.max(axis=0)
    mean: Floats = top + np.log(np.exp(logs - top).mean(axis=0))
    return mean


def over_members(figures: Any) -> float:
    """The mean of the members that have a figure; NaN where none has one.

    >>> over_members([1.0, 2.0, float("nan")]), over_members(0.5), over_members([float("nan")])
    (1.5, 0.5, nan)
    """
    given = np.atleast_1d(np.asarray(figures, dtype=np.float64))
    known = given[~np.isnan(given)]
    return float(known.mean()) if len(known) else float("nan")


def at_epochs(curve: Array, epochs: Any) -> Floats:
    """A curve (epochs,) or (epochs, members) at an epoch (from 1) of each member, (members,); NaN where it has none.

    >>> at_epochs(np.array([[0.5, 0.6], [0.3, 0.4]]), [2, 1]), at_epochs(np.array([0.5]), 0)
    (array([0.3, 0.6]), array([nan]))
    """
    curves = curve if curve.ndim == 2 else curve[:, np.newaxis]
    chosen = np.atleast_1d(np.asarray(epochs))
    found = np.full(len(chosen), np.nan)
    for member, epoch in enumerate(chosen.tolist()):
        if 0 < epoch <= len(curves):
            found[member] = curves[epoch - 1, member]
    return found
