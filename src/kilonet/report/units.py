"""Losses of numbers in the units that the numbers have."""

import math
from collections.abc import Sequence

from kilonet.evidence import ArchitectureRecord, SearchRecord
from kilonet.report.words import number


def rmse(record: SearchRecord, losses: Sequence[float]) -> float:
    """The root mean squared error in units of the target, from the losses of the first splits; NaN where unknown.

    The loss of a split is half the mean squared error over the variance of the target in its training rows, which
    `data["target_std"]` has the root of: so errors are known exactly, as long as the loss is squared and is what
    networks are judged by. Every split counts the same.

    >>> from types import SimpleNamespace
    >>> metric, data = {"name": "loss", "loss": "squared"}, {"target_std": [10.0, 20.0]}
    >>> rmse(SimpleNamespace(metric=metric, data=data), [0.5, 0.125])  # 10 and 10 off
    10.0
    """
    scales = record.data.get("target_std") or ()
    known = record.metric.get("name") == "loss" and record.metric.get("loss") == "squared"
    if not known or not losses or len(scales) < len(losses) or not all(math.isfinite(loss) for loss in losses):
        return math.nan
    squares = [2 * loss * scale**2 for loss, scale in zip(losses, scales, strict=False)]
    return math.sqrt(sum(squares) / len(squares))


def losses_of(record: SearchRecord, architecture: ArchitectureRecord) -> list[float]:
    """The losses of an architecture at its own best settings, seeds averaged: one for each split."""
    return [float(loss) for loss in record.candidates[architecture.best].table().mean(axis=1)]


def rmse_of(record: SearchRecord, architecture: ArchitectureRecord) -> float:
    """The root mean squared error of an architecture at its own best settings, over all splits and seeds."""
    return rmse(record, losses_of(record, architecture))


def rmse_of_mean(record: SearchRecord) -> float:
    """About that of always answering the mean: the standard deviation of the target."""
    return rmse(record, [0.5] * len(record.splits))


def with_rmse(record: SearchRecord, losses: Sequence[float]) -> str:
    """The error as the end of a list: ", RMSE 23,600"; empty where it is not known."""
    value = rmse(record, losses)
    return f", RMSE {number(value)}" if math.isfinite(value) else ""
