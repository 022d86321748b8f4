"""One training run of an estimator, and what the estimator keeps of it."""

import time
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from kilonet.engine import Problem
from kilonet.engine.inputs import assemble
from kilonet.errors import DivergenceError, SettingError, users_line
from kilonet.estimators.ensemble import at_epochs, over_members
from kilonet.estimators.footing import Encodings, Footing
from kilonet.estimators.labels import Labels
from kilonet.estimators.progress import progress
from kilonet.estimators.remarks import remark
from kilonet.estimators.rows import Rows
from kilonet.estimators.settings import callbacks_of
from kilonet.history import EpochRecord
from kilonet.optimizers import optimizer_from
from kilonet.recipe import Recipe
from kilonet.record import Runs
from kilonet.training import carry_out, likely_cause

Estimator = TypeVar("Estimator", bound=Any)


def go_on(estimator: Any, settings: dict[str, Any]) -> bool:
    """Whether there are epochs left for a warm start; fills in what "auto" means then.

    Raises SettingError when fewer epochs are asked for than were trained, or for another optimizer.
    """
    done, state = estimator.n_iter_, estimator._state
    stopped = (np.asarray(state["stopped"]) > 0) & bool(estimator.early_stopping)
    if stopped.all():
        warnings.warn(
            f"warm_start=True: early stopping ended training after epoch {done}, so nothing was done. "
            "Set early_stopping=False to go on, or warm_start=False to begin anew.",
            UserWarning,
            stacklevel=users_line(),
        )
        return False
    if estimator.epochs == "auto":
        settings["epochs"] = max(settings["epochs"], done)
    if settings["epochs"] < done:
        raise SettingError(
            f"epochs={settings['epochs']}, but {done} epochs are trained already, and warm_start=True counts them in. "
            f"Set epochs above {done}, or warm_start=False to begin anew."
        )
    waiting = ~stopped & (np.asarray(state["diverged"]) == 0)  # members stop, and are interrupted, at their own epochs
    left = settings["epochs"] > done or bool((state["epoch"][waiting] < settings["epochs"]).any())
    if not left:
        warnings.warn(
            f"warm_start=True: {'1 epoch is' if done == 1 else f'all {done} epochs are'} trained already, so nothing "
            f"was done. Set epochs above {done} to go on, or use partial_fit for one more.",
            UserWarning,
            stacklevel=users_line(),
        )
    return left


@dataclass(frozen=True, eq=False)
class Work:
    """What an estimator is going to train, and from where; n_rows: of the training rows."""

    footing: Footing
    problem: Problem
    state: Mapping[str, Any] | None
    n_rows: int

    @classmethod
    def of(
        cls,
        estimator: Any,
        footing: Footing,
        settings: dict[str, Any],
        rows: tuple[Rows, Rows | None],
        encodings: Encodings,
        *,
        going_on: bool,
    ) -> "Work":
        """Training on the first rows, judged by the second ones; going_on: from the estimator's state."""
        state = None
        if going_on:
            _check_resumable(estimator, settings)
            state = _in_pace(estimator, settings, len(rows[0]))
        train_rows, held_out = rows
        validation = None if held_out is None else _data(estimator, footing, held_out, encodings)
        X, y, weights = _data(estimator, footing, train_rows, encodings)
        recipe = Recipe.make(seeds=footing.seeds, **settings)
        problem = assemble(footing.network, footing.loss, X, y, recipe, validation, weights)
        return cls(footing, problem, state, len(train_rows))


def run(estimator: Any, work: Work) -> Runs:
    """Train, with the estimator's progress bar and callbacks."""
    begun, recipe = time.perf_counter(), work.problem.recipe
    with progress(bool(estimator.verbose), recipe.epochs) as bar:
        callback = _joined([*callbacks_of(estimator), *bar])
        return carry_out(work.problem, None, work.state, callback, recipe.n_members == 1, begun)


def _cause(estimator: Any, work: Work, runs: Runs) -> str:
    """Why members left the finite numbers, if any did."""
    lost = np.flatnonzero(runs.diverged)
    scaling = "Standardize the columns of X" + (", or use encode='auto'." if estimator.encode is None else ".")
    return likely_cause(work.problem, int(lost[0]), scaling) if len(lost) else ""


def _data(estimator: Any, footing: Footing, rows: Rows, encodings: Encodings) -> tuple[Any, Any, Any]:
    """X, y and weights of the rows as training takes them."""
    return (
        encodings.inputs(footing, rows),
        footing.codec.targets(rows.targets),
        estimator._row_weights(rows, footing.codec),
    )


def steps_per_epoch(n_rows: int, batch: int) -> int:
    """Batches in an epoch; a batch larger than the data is clipped, and the last one may be short."""
    return -(-n_rows // min(batch, n_rows))


def _in_pace(estimator: Any, settings: dict[str, Any], n_rows: int) -> dict[str, Any]:
    """The estimator's training state, made to fit epochs of another length if the rows are other ones now.

    A state counts its steps, and its place in the epoch follows from them. With other rows the count is
    set to what it would be had all epochs been of the new length: exact where lengths are equal.
    """
    state = dict(estimator._state)
    if not estimator.early_stopping:  # switched off: whoever stopped may go on
        state["stopped"] = np.zeros_like(state["stopped"])
    pace = steps_per_epoch(n_rows, settings["batch"])
    if pace != estimator._pace:
        state["step"] = state["epoch"] * pace
        state["sums"] = np.zeros_like(state["sums"])
    return state


def _joined(callbacks: list[Any]) -> Any:
    """One callback for all; every one of them sees every record, and any may stop the run."""
    if not callbacks:
        return None

    def tell(record: EpochRecord) -> bool:
        answers = [callback(record) for callback in callbacks]
        return any(answers)

    return tell


def _check_resumable(estimator: Any, settings: dict[str, Any]) -> None:
    before, now = estimator.recipe_.optimizer, optimizer_from(settings["optimizer"])
    if type(before) is not type(now):
        raise SettingError(
            f"training cannot go on with optimizer={now!r}: it began with {before!r}, whose memory means something "
            "else. Set it back, or fit anew with warm_start=False."
        )
    diverged = np.asarray(estimator._state["diverged"]) > 0
    if diverged.any():
        who = "it" if len(diverged) == 1 else f"{np.count_nonzero(diverged)} of its {len(diverged)} members"
        raise DivergenceError(
            f"training cannot go on: {who} left the finite numbers before. "
            "Fit anew with a lower rate, or with max_norm set."
        )


def adopt(estimator: Estimator, work: Work, runs: Runs, *, judged: bool = True, said: bool = True) -> Estimator:
    """Put what came out of training onto the estimator, say what there is to say of it, and give the estimator.

    judged: whether to say where training ended too early; said: whether to say anything. Raises
    DivergenceError, with the cause, where nothing was learned.
    """
    footing, cause = work.footing, _cause(estimator, work, runs)
    lost = np.count_nonzero(np.asarray(runs.diverged) == 1)
    if lost and runs.single:
        raise DivergenceError(f"training left the finite numbers in its first epoch, so nothing was learned. {cause}")
    if lost:
        who = f"{lost} of {runs.n_members} members"
        raise DivergenceError(f"{who} left the finite numbers in their first epoch and learned nothing. {cause}")
    theta, best = runs.theta.view(), runs.best_epoch
    theta.flags.writeable = False
    estimator._footing, estimator._state = footing, runs.state
    estimator._pace = steps_per_epoch(work.n_rows, runs.recipe.batch)
    estimator.network_, estimator.encoder_, estimator.theta_ = footing.network, footing.encoder, theta
    estimator.recipe_, estimator.history_, estimator.engine_ = runs.recipe, runs.history, runs.engine
    estimator.n_outputs_, estimator.n_iter_, estimator.best_epoch_ = footing.network.n_outputs, len(runs.history), best
    estimator.loss_ = over_members(at_epochs(runs.history.loss, best))
    estimator.interrupted_ = runs.interrupted
    if isinstance(footing.codec, Labels):
        estimator.classes_ = footing.codec.classes
    if said:
        remark(runs, cause, estimator._pace if judged else None)
    return estimator
