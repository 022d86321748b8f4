"""What a fit says of itself when it is over, in the words of those who use estimators."""

import warnings

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from kilonet.errors import DivergenceWarning, InterruptedWarning, users_line
from kilonet.history import History
from kilonet.numerals import count, span
from kilonet.record import Runs

JUDGED = 50  # epochs that a curve needs: of a few long ones the first has most of the fall inside itself
NAMED = 5  # members that are named one by one
RISING = 10  # epochs since the lowest validation loss that are no chance
AS_FAST = 0.8  # of its mean speed: more than this at the end is no slowing down


def remark(runs: Runs, cause: str, steps_per_epoch: int | None) -> None:
    """Warn where training was interrupted, diverged (of which cause is the reason), or ended too early.

    steps_per_epoch: None where it is not to be judged whether training ended too early.
    """
    done, asked = len(runs.history), runs.recipe.epochs
    if runs.interrupted:
        warnings.warn(
            f"training was interrupted after {span(*runs.reached)} of {count(asked, 'epoch')}; the model is what was "
            "learned until then. To go on, set warm_start=True and fit the same rows again.",
            InterruptedWarning,
            stacklevel=users_line(),
        )
    elif np.any(runs.diverged):
        warnings.warn(f"{_lost(runs)} {cause}", DivergenceWarning, stacklevel=users_line())
    elif steps_per_epoch and runs.recipe.stopping is None and done == asked >= JUDGED:
        steps, mean = np.arange(done) * steps_per_epoch, runs.history.loss.reshape(done, -1).mean(axis=1)
        factors = runs.recipe.each("schedule")[0].factors(steps, steps_per_epoch, done * steps_per_epoch)
        if still_falling(mean, factors):
            warnings.warn(f"after {done} epochs {_too_early(runs)}", ConvergenceWarning, stacklevel=users_line())


def _too_early(runs: Runs) -> str:
    still, lowest = "the training loss still fell as fast as before", lowest_before(runs.history)
    if lowest:
        known = f"the validation loss was lowest in epoch {lowest:,}"
        return f"{still}, but {known}: raise epochs only with early_stopping=True."
    rate = runs.recipe.per_member("rate")[0]
    return f"{still}, so the network has not learned what it could. Raise epochs, or rate (it was {rate:.3g})."


def lowest_before(history: History) -> int:
    """The epoch of the lowest validation loss, of several members of their mean, if 10 or more came after it, else 0.

    >>> falls, valley = np.linspace(1, 0.1, 40), np.abs(np.linspace(-1, 2, 40))
    >>> lowest_before(History(falls, falls, falls, falls)), lowest_before(History(falls, falls, valley, valley))
    (0, 14)
    """
    curve = history.validation_loss.reshape(len(history), -1).mean(axis=1)
    if not np.isfinite(curve).any():
        return 0
    lowest = int(np.nanargmin(curve)) + 1
    return lowest if len(curve) - lowest >= RISING else 0


def _lost(runs: Runs) -> str:
    """Who left the finite numbers, and when."""
    diverged = np.atleast_1d(np.asarray(runs.diverged))
    lost = np.flatnonzero(diverged)
    if runs.single:
        when = f"in epoch {diverged[0]} of {runs.recipe.epochs}"
        return f"training left the finite numbers {when}; the model is that of the epoch before."
    named = ", ".join(f"member {member} in epoch {diverged[member]}" for member in lost[:NAMED])
    more = f" and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
    who = f"{len(lost)} of {len(diverged)} members left the finite numbers"
    return f"{who} ({named}{more}, counting from 0); each of them is kept as it was the epoch before."


def still_falling(loss: NDArray[np.float64], factors: NDArray[np.float64]) -> bool:
    """Whether the loss fell in the last tenth of the learning about as fast as on average.

    loss, factors (epochs,): the curve and what the rate was multiplied with. Learning is counted in
    rates, not in epochs: at the end of a cosine schedule every loss stands still. A network that has
    learned what it can falls slower than before, even where it goes on to learn the noise by heart.

    >>> rates, steady = np.ones(100), np.linspace(1, 0.5, 100)
    >>> still_falling(steady, rates), still_falling(0.5 + 0.5**np.linspace(1, 9, 100), rates)
    (True, False)
    """
    if not factors.any():
        return False
    share = np.cumsum(factors) / factors.sum()
    last, before = loss[share > 0.9], loss[(share > 0.8) & (share <= 0.9)]
    fell = float(loss[0] - last.mean())
    return fell > 0 and len(before) > 0 and 10 * float(before.mean() - last.mean()) > AS_FAST * fell
