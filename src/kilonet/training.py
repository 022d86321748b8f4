"""Training: what a user asks for becomes a Problem, an engine runs it, a record comes back."""

import time
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kilonet.checks import shown
from kilonet.engine import Problem, choose
from kilonet.engine.inputs import assemble, checked_inputs, checked_weights, require_rows
from kilonet.engine.interrupt import CtrlC
from kilonet.engine.state import kept_theta
from kilonet.errors import DataError, DivergenceWarning, InterruptedWarning, SettingError, ShapeError
from kilonet.losses import loss_from
from kilonet.network import Network
from kilonet.penalties import L1, L2
from kilonet.recipe import Recipe, check_names
from kilonet.record import METRICS, EpochRecord, History, Runs

Array = NDArray[Any]
Callback = Callable[[EpochRecord], Any]

PATIENCE = 0.1  # seconds of an engine call at most: how long Ctrl-C may go unseen


def train(
    network: Network,
    loss: Any,
    X: Any,
    y: ArrayLike,
    *,
    seeds: Any = None,
    seed: int | None = None,
    theta: ArrayLike | None = None,
    state: Mapping[str, Array] | None = None,
    validation: Any = None,
    sample_weight: ArrayLike | None = None,
    class_weight: Any = None,
    callback: Callback | None = None,
    recipe: Recipe | None = None,
    **settings: Any,
) -> Runs:
    """Train a network, or a population of it, and return the `Runs`.

    X (n, n_inputs), array or scipy.sparse; y (n,) or (n, n_outputs), as the loss needs it. The
    settings are the fields of `Recipe` (and `rate`), on top of `recipe` where one is given.

    seeds: one per member, results get a member axis; seed: a single network without that axis;
    neither: as `recipe` or theta says, else seed 0. theta: where to start, (n_parameters,) or
    (members, n_parameters), instead of the initializers. validation: (X, y) or (X, y, weights),
    judged after every epoch. sample_weight (n,): weights of the rows. class_weight: None, "balanced"
    or a dict from class to weight, multiplied into them; validation rows keep their own weights.
    callback: called with an `EpochRecord` after every epoch; returning True ends the training.
    state: `Runs.state` of an earlier call, which is then continued exactly: with the same data and
    settings as if it had never stopped; epochs counts from the very start.

    Ctrl-C gives back what is done, with `interrupted` and an InterruptedWarning. A member whose loss
    or parameters stop being finite keeps those of the epoch before, with a DivergenceWarning.
    Raises ShapeError, DataError and SettingError for what cannot be used.

    >>> import kilonet as kn
    >>> X = np.linspace(-1, 1, 64)[:, None]
    >>> runs = kn.train(kn.Network([1, 8, 1]), kn.squared, X, X**2, seeds=[0, 1], optimizer=kn.Adam(0.01), epochs=50)
    >>> runs.theta.shape, runs.history.loss.shape, bool((runs.history.score[-1] > 0.8).all())
    ((2, 25), (50, 2), True)

    The network predicts from the parameters; the loss turns its scores into predictions:

    >>> runs.network.scores(runs.theta, X[:5]).shape, runs.loss.link(runs.network.scores(runs.theta[0], X[:5])).shape
    ((2, 5, 1), (5, 1))
    """
    begun = time.perf_counter()
    check_names(settings, also=train.__kwdefaults__ or ())
    recipe, single = _recipe(recipe, seeds, seed, theta, state, settings)
    problem = assemble(network, loss_from(loss), X, y, recipe, validation, sample_weight, class_weight)
    runs = carry_out(problem, theta, state, callback, single, begun)
    _warn(runs, problem)
    return runs


def carry_out(problem: Problem, theta: Any, state: Any, callback: Callback | None, single: bool, begun: float) -> Runs:
    """Train a checked problem as `train` does, but leave it to the caller to warn of what the `Runs` show.

    single: whether the member axis is dropped. begun: when the call began, by `time.perf_counter`.
    """
    engine = choose(problem)
    session = engine.Session(problem, _start(problem.network, problem.recipe, theta, state), state)
    try:
        interrupted = _run(session, problem.recipe, callback, begun, single)
        return _runs(problem, session, engine.NAME, single, interrupted, begun)
    finally:
        session.close()


def value_and_grad(
    network: Network,
    loss: Any,
    theta: ArrayLike,
    X: Any,
    y: ArrayLike,
    *,
    sample_weight: ArrayLike | None = None,
    l2: Any = 0.0,
    l1: Any = 0.0,
) -> tuple[Array, Array]:
    """Mean loss of each member over the examples with its penalties, and its gradient.

    theta (..., n_parameters); X (n, n_inputs); y (n,) or (n, n_outputs); l2, l1: a number, or one
    per member, shaped like theta without its last axis. Returns value (...,), in nats for
    cross_entropy, and grad shaped like theta, both in theta's dtype; no dropout, no noise.
    Raises ShapeError when theta's last axis is not network.n_parameters.
    Source: Rumelhart, Hinton & Williams 1986.

    >>> import kilonet as kn
    >>> net, theta = kn.Network([1, 1]), np.array([2.0, 0.0])
    >>> kn.value_and_grad(net, kn.squared, theta, [[1.0], [3.0]], [0.0, 0.0])
    (array(10.), array([10., 4.]))
    """
    theta = np.asarray(theta)
    theta = theta if theta.dtype in (np.float32, np.float64) else theta.astype(np.float64)
    network.views(theta)  # raises the ShapeError
    flat = theta.reshape(-1, network.n_parameters)
    loss = loss_from(loss)
    X = checked_inputs(X, network.n_inputs, theta.dtype.name)
    targets = loss.targets(y, network.n_outputs, theta.dtype)
    require_rows("y", len(targets), X)
    weights = checked_weights(sample_weight, len(targets))
    value, grad = choose(network, loss).value_and_grad(network, loss, flat, X, targets, weights)
    for penalty, strength in ((L2, l2), (L1, l1)):
        if np.any(strength):
            each = tuple(np.broadcast_to(np.asarray(strength, np.float64), theta.shape[:-1]).reshape(-1).tolist())
            value = value + penalty(each).value(flat, network.weight_mask)
            grad += penalty(each).slope(flat, network.weight_mask)
    return value.astype(theta.dtype).reshape(theta.shape[:-1]), grad.reshape(theta.shape)


def _recipe(
    recipe: Recipe | None, seeds: Any, seed: int | None, theta: Any, state: Any, settings: dict[str, Any]
) -> tuple[Recipe, bool]:
    """The recipe of the call, and whether the member axis is dropped."""
    if seed is not None and seeds is not None:
        raise SettingError(f"seed={shown(seed)} and seeds={shown(seeds)} came together; say one of them.")
    start = theta if state is None else state.get("theta")
    if recipe is None and start is not None and "dtype" not in settings:
        came = np.asarray(start).dtype  # results have theta's dtype
        settings = settings | {"dtype": came if came.kind == "f" else "float64"}
    if seed is not None:
        return (recipe or Recipe()).but(seeds=(seed,), **settings), True
    if seeds is not None:
        return (recipe or Recipe()).but(seeds=seeds, **settings), False
    if theta is not None and np.ndim(theta) == 2 and recipe is None:
        return Recipe.make(seeds=range(len(np.asarray(theta))), **settings), False
    chosen = (recipe or Recipe()).but(**settings)
    return chosen, chosen.n_members == 1 and np.ndim(theta) < 2


def _start(network: Network, recipe: Recipe, theta: Any, state: Mapping[str, Array] | None) -> Array:
    """The parameters (P, n) before the first step."""
    if state is not None:
        if theta is not None:
            raise SettingError("theta and state came together; a state holds its own parameters, so leave theta out.")
        return np.asarray(state.get("theta"))
    if theta is None:
        return network.initial(seeds=recipe.seeds, dtype=recipe.dtype)
    start = np.atleast_2d(np.asarray(theta, dtype=recipe.dtype))
    needed = (recipe.n_members, network.n_parameters)
    if start.shape != needed:
        raise ShapeError(f"theta has shape {np.shape(theta)}; needs {needed}, members (one per seed) × parameters.")
    if not np.isfinite(start).all():
        raise DataError("theta holds infinity or NaN; training has to start from finite parameters.")
    return start


def _run(session: Any, recipe: Recipe, callback: Callback | None, begun: float, single: bool) -> bool:
    """Advance to the end, a callback's True, or Ctrl-C; returns whether it was Ctrl-C."""
    with CtrlC() as ctrl_c:
        try:
            while not session.done and not ctrl_c.pressed:
                before = session.epoch
                after = session.advance(recipe.epochs if callback is None else 1, PATIENCE)
                if callback is None or after == before:
                    continue
                if callback(_epoch_record(session, recipe.epochs, begun, single)):
                    break
        except KeyboardInterrupt:
            if ctrl_c.pressed:  # for the second time: whoever waits for us is in a hurry
                raise
            return True
        return ctrl_c.pressed


def _epoch_record(session: Any, epochs: int, begun: float, single: bool) -> EpochRecord:
    row = session.history(session.epoch - 1)[0]
    values = {name: float(row[0, i]) if single else row[:, i] for i, name in enumerate(METRICS)}
    return EpochRecord(session.epoch, epochs, seconds=time.perf_counter() - begun, **values)


def _runs(problem: Problem, session: Any, engine: str, single: bool, interrupted: bool, begun: float) -> Runs:
    state = session.state()
    # Also where training was cut short, the best parameters so far are what is worth having.
    theta, best_epoch = kept_theta(state)
    per_member = {"best_epoch": best_epoch, "stopped_epoch": state["stopped"], "diverged": state["diverged"]}
    return Runs(
        network=problem.network,
        loss=problem.loss,
        recipe=problem.recipe,
        theta=theta[0] if single else theta,
        history=History.of(state["history"], single),
        interrupted=interrupted,
        engine=engine,
        state=state,
        seconds=time.perf_counter() - begun,
        **{name: int(value[0]) if single else value for name, value in per_member.items()},
    )


def _warn(runs: Runs, problem: Problem) -> None:
    """Say what the caller should know: an interruption, members that diverged."""
    if runs.interrupted:
        text = (
            f"training was interrupted after {len(runs.history)} of {runs.recipe.epochs} epochs; this is what is done."
        )
        warnings.warn(f"{text} Go on with train(..., state=runs.state).", InterruptedWarning, stacklevel=3)
    diverged = np.atleast_1d(np.asarray(runs.diverged))
    lost = np.flatnonzero(diverged)
    if len(lost) == 0:
        return
    if len(diverged) == 1:
        what = f"training left the finite numbers in epoch {diverged[0]}; theta is that of the epoch before."
    else:
        named = ", ".join(f"member {member} in epoch {diverged[member]}" for member in lost[:5])
        more = f" and {len(lost) - 5} more" if len(lost) > 5 else ""
        lost_ones = f"{named}{more} (of {len(diverged)} members)"
        what = f"left the finite numbers: {lost_ones}; each keeps its parameters of the epoch before."
    warnings.warn(f"{what} {likely_cause(problem, int(lost[0]))}", DivergenceWarning, stacklevel=3)


def likely_cause(problem: Problem, member: int = 0, scaling: str = "Standardize the columns of X.") -> str:
    """Why a member diverged, as far as can be seen, and what to do; scaling: what to do about wide inputs."""
    values = problem.X if isinstance(problem.X, np.ndarray) else problem.X.data
    largest = max(abs(float(values.max(initial=0))), abs(float(values.min(initial=0))))
    if largest > 100:
        return f"Likely cause: inputs are not scaled (largest {largest:.3g}). {scaling}"
    if problem.loss.kind(problem.targets) == "numbers" and float(np.abs(problem.targets).max()) > 100:
        return f"Likely cause: targets are not scaled (largest {np.abs(problem.targets).max():.3g}). Standardize y."
    rate = problem.recipe.per_member("rate")[member]
    return f"Likely cause: the rate {rate:.3g} is too high. Try rate={rate / 10:.3g}."
