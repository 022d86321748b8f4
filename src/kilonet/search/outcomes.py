"""A run of a search, and what it came to."""

from typing import NamedTuple

import numpy as np

from kilonet.search.candidates import Candidate


class Run(NamedTuple):
    """A candidate on a split (its number) with a seed (its number)."""

    candidate: Candidate
    split: int
    seed: int


class Outcome(NamedTuple):
    """Held-out loss and score, NaN without a score; loss of the last epoch. All NaN where training diverged."""

    loss: float
    score: float
    training_loss: float


LOST = Outcome(np.nan, np.nan, np.nan)
