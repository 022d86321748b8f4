"""The state of a run as a dict of arrays: all that exact resumption needs, for either engine.

P members, n parameters. A file can hold it as it is.

| key | shape, type | what |
|---|---|---|
| theta | (P, n) T | current parameters |
| slots | (n_slots, P, n) T | what the optimizer remembers |
| step | (P,) int64 | batches seen, counted from the start of training |
| epoch | (P,) int64 | completed epochs; for a diverged member the last finite one |
| history | (epochs, P, 4) float64 | loss, score, validation loss, validation score |
| monitors | (epochs, P, width) float32 | what `kilonet.monitors` says, NaN for epochs that were not watched |
| opening | (P, width) float32 | inside an epoch only: the monitors of its first step |
| sums | (P, 4 + outputs) float64 | inside an epoch: Σw·loss, Σw, then what the engine counts the score with |
| maker | (P,) int64 | inside an epoch: the engine's number, else 0 |
| start_theta | (P, n) T | inside an epoch only: parameters at its start, to which divergence goes back |
| diverged | (P,) int64 | the epoch, from 1, that left the finite numbers, else 0 |
| stopped | (P,) int64 | the epoch after which early stopping ended the member, else 0 |
| best_theta, best_value, best_epoch, wait | | with stopping: best epoch so far, and how long ago |

A state belongs to the engine that made it. Between epochs the other one goes on from it with other
last bits; inside an epoch it is refused, because engines add up the score differently.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.engine.problem import Problem
from kilonet.errors import SettingError, ShapeError
from kilonet.monitors import width
from kilonet.recipe import Recipe
from kilonet.stopping import Stopping

State = dict[str, NDArray[Any]]
INSIDE = ("start_theta", "opening")  # what is there only inside an epoch
PARAMETERS = ("theta", "slots", "start_theta", "best_theta")  # what has numbers for every parameter: nearly all of it
EPOCHS = ("history", "monitors")  # what has a row for every epoch
STOPPING = ("best_theta", "best_value", "best_epoch", "wait")  # what is there only where a member may stop early


def fresh_state(problem: Problem, theta: NDArray[Any]) -> State:
    """The state before the first step; theta (P, n) is copied."""
    return _owned(lent_state(problem, theta))


def restored_state(problem: Problem, given: Mapping[str, NDArray[Any]], maker: int) -> State:
    """A copy of a state, checked against the problem and the engine that goes on with it, as `lent_again` does."""
    return _owned(lent_again(problem, given, maker))


def _owned(state: State) -> State:
    return {name: np.array(value, order="C") for name, value in state.items()}


def lent_state(problem: Problem, theta: NDArray[Any]) -> State:
    """The state before the first step for engines that train in memory of their own.

    theta (P, n) is not copied: start_theta and best_theta are further names of it, and all slots are one zero. None of
    `PARAMETERS` may be written to.
    """
    recipe, members = problem.recipe, len(theta)
    theta = theta.astype(recipe.dtype, order="C", copy=False)
    slots = np.broadcast_to(np.zeros((), theta.dtype), (recipe.optimizer.n_slots, *theta.shape))
    state: State = {"theta": theta, "slots": slots}
    for name in ("step", "epoch", "diverged", "stopped", "maker"):
        state[name] = np.zeros(members, dtype=np.int64)
    state["history"] = np.zeros((0, members, 4))
    state["sums"] = np.zeros((members, 4 + problem.network.n_outputs))
    state["start_theta"] = theta
    numbers = width(problem.network.n_layers)
    state["monitors"] = np.zeros((0, members, numbers), np.float32)
    state["opening"] = np.full((members, numbers), np.nan, np.float32)
    stopping = recipe.each("stopping")
    if any(rule is not None for rule in stopping):
        state |= _fresh_best(state, [rule is not None and rule.metric == "score" for rule in stopping])
    return state


def _fresh_best(state: State, rises: Sequence[bool]) -> State:
    """What early stopping remembers, whether or not each member has it; rises: whose metric is better when larger."""
    members = len(state["theta"])
    return {
        "best_theta": state["theta"],
        "best_value": np.where(rises, -np.inf, np.inf),
        "best_epoch": np.zeros(members, dtype=np.int64),
        "wait": np.zeros(members, dtype=np.int64),
    }


def lent_again(problem: Problem, given: Mapping[str, NDArray[Any]], maker: int) -> State:
    """A state, checked against the problem and the engine (its number) that goes on with it.

    `PARAMETERS` are lent as in `lent_state`, the rest is copied.
    Raises ShapeError for another number of members or parameters, SettingError where optimizer,
    dtype, number of epochs or engine do not fit, or where counters and history contradict each other.
    """
    recipe, network = problem.recipe, problem.network
    needed = (recipe.n_members, network.n_parameters)
    if "theta" not in given or given["theta"].shape != needed:
        came = given["theta"].shape if "theta" in given else "nothing"
        raise ShapeError(
            f"state['theta'] is {came}; needs {needed}, members × parameters. "
            "Give the network and the seeds that it was made with."
        )
    blank = lent_state(problem, given["theta"])
    if "monitors" not in given and "history" in given:  # whoever trained it did not watch
        blank["monitors"] = np.full((len(given["history"]), *blank["opening"].shape), np.nan, np.float32)
    state = {
        name: np.array(given.get(name, value), value.dtype, order="C", copy=None if name in PARAMETERS else True)
        for name, value in blank.items()
    }
    for name, value in blank.items():
        if name not in EPOCHS and state[name].shape != value.shape:
            raise SettingError(
                f"state[{name!r}] is {state[name].shape}; needs {value.shape}. "
                "A run goes on with the optimizer that it began with."
            )
    if given["theta"].dtype != state["theta"].dtype:
        raise SettingError(f"the state is {given['theta'].dtype}, the run {recipe.dtype}; give the same dtype.")
    if state["epoch"].max() > recipe.epochs:
        raise SettingError(
            f"epochs came as {recipe.epochs}, but the state has seen {state['epoch'].max()} epochs; "
            "epochs counts from the start of training, so give a larger number."
        )
    _forget_best(recipe, state, blank)
    _require_sound_counters(state, blank["opening"].shape)
    _require_same_steps(problem, state)
    if not np.isin(state["maker"], (0, maker)).all():
        raise SettingError(
            "the state was taken inside an epoch by another engine. Go on with the engine that made it "
            "(environment variable KILONET_ENGINE), or from a state between two epochs."
        )
    return state


def _forget_best(recipe: Recipe, state: State, blank: State) -> None:
    """Where stopping was switched off, what was best before is of no use any more."""
    off = np.array([rule is None for rule in recipe.each("stopping")])
    for name in STOPPING if off.any() else ():
        if name in state:
            chosen = off[:, None] if name in PARAMETERS else off
            state[name] = np.where(chosen, blank[name], state[name])


def inside_an_epoch(problem: Problem, state: State) -> NDArray[np.bool_]:
    """Which members (P,) are between two batches of one epoch."""
    live = np.zeros(len(state["step"]), dtype=bool)
    live[live_members(state, problem.recipe.epochs)] = True
    inside: NDArray[np.bool_] = live & (state["step"] != state["epoch"] * problem.steps_per_epoch)
    return inside


def _require_sound_counters(state: State, watched: tuple[int, ...]) -> None:
    """Engines index the history with the counters, and believe them."""
    for name in ("step", "epoch", "diverged", "stopped", "best_epoch", "wait"):
        if name in state and state[name].min() < 0:
            raise SettingError(f"state[{name!r}] holds {state[name].min()}; it counts from 0. Give a state as it came.")
    epochs, members = int(state["epoch"].max()), len(state["theta"])
    for name, row in (("history", (members, 4)), ("monitors", watched)):
        shape = state[name].shape
        if len(shape) != 3 or shape[0] < epochs or shape[1:] != row or shape[0] != len(state["history"]):
            needed = (epochs, *row)
            raise SettingError(
                f"state[{name!r}] is {shape}; needs {needed}, epochs × members × {row[1]}. Give a state as it came."
            )


def _require_same_steps(problem: Problem, state: State) -> None:
    for member in live_members(state, problem.recipe.epochs).tolist():
        step, epoch = int(state["step"][member]), int(state["epoch"][member])
        if not 0 <= step - epoch * problem.steps_per_epoch < problem.steps_per_epoch:
            raise SettingError(
                f"the state was made with other rows or another batch: it has {step} steps in {epoch} epochs, this run "
                f"{problem.steps_per_epoch} steps an epoch. Give the data and the batch that the run began with."
            )


def live_members(state: State, epochs: int) -> NDArray[np.int64]:
    """Indices of the members that still train."""
    return np.flatnonzero((state["stopped"] == 0) & (state["diverged"] == 0) & (state["epoch"] < epochs))


def completed_epochs(state: State, epochs: int) -> int:
    """Epochs that all members still training have completed; of a finished run the maximum."""
    live = live_members(state, epochs)
    return int(state["epoch"][live].min() if len(live) else state["epoch"].max())


def kept_theta(state: State) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Parameters (P, n) to give back and the epochs (P,) that they are of: the best ones of members with stopping."""
    epoch = state["epoch"]
    if "best_theta" not in state:
        return state["theta"].copy(), epoch.copy()
    has_best = state["best_epoch"] > 0
    return np.where(has_best[:, None], state["best_theta"], state["theta"]), np.where(
        has_best, state["best_epoch"], epoch
    )


def stop(state: State, member: int, row: NDArray[np.float64], stopping: Stopping) -> None:
    """Early stopping of a member after an epoch: remember better parameters, end after waiting for too long.

    row (4,): the epoch's line of the history.
    """
    best = state["best_value"][member]
    if stopping.metric == "loss":
        value = row[2]
        better = value < best - stopping.min_delta
    else:
        value = row[3]
        better = value > best + stopping.min_delta
    if better:
        state["best_value"][member] = value
        state["best_theta"][member] = state["theta"][member]
        state["best_epoch"][member] = state["epoch"][member]
        state["wait"][member] = 0
        return
    state["wait"][member] += 1
    if state["wait"][member] >= stopping.patience:
        state["stopped"][member] = state["epoch"][member]
