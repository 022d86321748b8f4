"""What predictions on held-out rows are worth."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, r2_score, root_mean_squared_error

Floats = NDArray[np.float64]
LEAST = 1e-7  # of a probability in the log loss: a class that was ruled out costs 16 nats, not infinitely many
BINS = 15  # of equal width, as in Guo et al. 2017


def log_loss(y: Any, classes: Any, probabilities: Floats) -> float:
    """Return the mean of −ln p of the true classes; rows are divided by their sums, then p is clipped at LEAST.

    y (n,); classes (k,), sorted as the columns of probabilities (n, k).

    >>> round(log_loss(["a", "b"], ["a", "b"], np.array([[0.5, 0.5], [1.0, 0.0]])), 3)
    8.406
    """
    columns = {name: place for place, name in enumerate(classes)}
    own = probabilities[np.arange(len(y)), [columns[name] for name in y]] / probabilities.sum(axis=1)
    return float(-np.log(np.clip(own, LEAST, 1.0)).mean())


def calibration_error(y: Any, classes: Any, probabilities: Floats) -> float:
    """Return the expected calibration error of the likeliest class: |accuracy − confidence|, mean of BINS bins by rows.

    Source: Guo, Pleiss, Sun & Weinberger 2017.

    >>> float(calibration_error(["a", "a"], ["a", "b"], np.array([[0.8, 0.2], [0.8, 0.2]])).__round__(3))
    0.2
    """
    confidence = probabilities.max(axis=1)
    right = np.asarray(classes)[probabilities.argmax(axis=1)] == np.asarray(y)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=right - confidence, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def of_classes(y: Any, classes: Any, probabilities: Floats) -> dict[str, float]:
    """Return accuracy, log loss and calibration error."""
    predicted = np.asarray(classes)[probabilities.argmax(axis=1)]
    return {
        "accuracy": float(accuracy_score(y, predicted)),
        "log_loss": log_loss(y, classes, probabilities),
        "calibration_error": calibration_error(y, classes, probabilities),
    }


def of_numbers(y: Floats, predicted: Floats) -> dict[str, float]:
    """Return R² and the root mean squared error."""
    return {"r2": float(r2_score(y, predicted)), "rmse": float(root_mean_squared_error(y, predicted))}


def of_intervals(y: Floats, low: Floats, high: Floats) -> dict[str, float]:
    """Return how many of y lie in their intervals, and the median width in standard deviations of y; all are (n,).

    >>> of_intervals(np.array([0.0, 2.0]), np.array([-1.0, 3.0]), np.array([1.0, 5.0]))
    {'coverage': 0.5, 'width': 2.0}
    """
    inside = (low <= y) & (y <= high)
    return {"coverage": float(inside.mean()), "width": float(np.median(high - low) / np.std(y))}
