"""Comparing learners over tables: ranks, and how far apart they have to be to tell learners apart.

Sources: Demšar 2006, Statistical Comparisons of Classifiers over Multiple Data Sets; Benavoli, Corani & Mangili 2016 on
pairwise tests.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.float64]
ALPHA = 0.05


def ranks(goodness: Floats) -> Floats:
    """Return ranks (tables, learners), 1 for the best of a table; equal ones share theirs, NaN is behind all others.

    >>> ranks(np.array([[0.9, 0.7, 0.9, np.nan]])).tolist()
    [[1.5, 3.0, 1.5, 4.0]]
    """
    return np.asarray(stats.rankdata(-filled(goodness), axis=1), dtype=np.float64)


def filled(goodness: Floats) -> Floats:
    """Return the same with −∞ for NaN: who gave no answer is worst."""
    return np.where(np.isnan(goodness), -np.inf, goodness)


def friedman(found: Floats) -> float:
    """Return Friedman's p for ranks (tables, learners): small where the learners are not all alike.

    Three learners and two tables at least, else NaN.
    """
    tables, learners = found.shape
    if learners < 3 or tables < 2:
        return float("nan")
    return float(stats.friedmanchisquare(*found.T).pvalue)


def critical_difference(learners: int, tables: int) -> float:
    """Return how far mean ranks have to lie apart by Nemenyi's test at ALPHA.

    >>> round(critical_difference(4, 14), 2)  # 1.25 in Demšar's table 5 and text
    1.25
    """
    studentized = stats.studentized_range.ppf(1 - ALPHA, learners, np.inf) / np.sqrt(2)
    return float(studentized * np.sqrt(learners * (learners + 1) / (6 * tables)))


def wilcoxon(own: Floats, peer: Floats) -> float:
    """Return the two-sided p of a signed-rank test over tables; no answer is further off than any answer.

    >>> round(wilcoxon(np.arange(1.0, 9.0), np.zeros(8)), 4)  # 2 of 2^8 ways to give signs
    0.0078
    """
    with np.errstate(invalid="ignore"):
        difference = filled(own) - filled(peer)
    difference[np.isnan(difference)] = 0.0  # neither gave an answer
    finite = np.abs(difference[np.isfinite(difference)])
    beyond = 2 * finite.max(initial=1.0)
    difference = np.clip(difference, -beyond, beyond)
    return float(stats.wilcoxon(difference).pvalue) if difference.any() else 1.0


def holm(p: Sequence[float]) -> list[float]:
    """Return p adjusted for as many tests by Holm's step-down.

    >>> holm([0.04, 0.01, 0.03])
    [0.06, 0.03, 0.06]
    """
    order, adjusted, least = np.argsort(p), [0.0] * len(p), 0.0
    for place, index in enumerate(order):
        least = max(least, min(1.0, (len(p) - place) * p[index]))
        adjusted[index] = least
    return adjusted


def cliques(mean_ranks: Sequence[float], apart: float) -> list[tuple[int, int]]:
    """Return first and last place of the longest runs of sorted mean ranks that lie less than `apart` apart.

    >>> cliques([1.0, 1.5, 2.5, 4.0], 1.6)
    [(0, 2), (2, 3)]
    """
    found: list[tuple[int, int]] = []
    for first, low in enumerate(mean_ranks):
        last = max(place for place, rank in enumerate(mean_ranks) if rank - low < apart)
        if last > first and not (found and found[-1][1] >= last):
            found.append((first, last))
    return found
