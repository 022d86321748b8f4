"""Training: what a user asks for becomes a Problem, an engine runs it, a record comes back."""

import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from kilonet.checks import shown
from kilonet.engine import Problem, choose
from kilonet.engine.inputs import assemble, check_members, checked_inputs, checked_weights, require_rows
from kilonet.errors import DivergenceWarning, InterruptedWarning, SettingError, ShapeError
from kilonet.losses import loss_from
from kilonet.network import Network, as_theta
from kilonet.numerals import count, span
from kilonet.penalties import L1, L2
from kilonet.population import Callback, Group, Population, merged, mixed_groups
from kilonet.recipe import Recipe, check_names
from kilonet.record import Runs
from kilonet.rules import checked_seeds, one_for_all

Array = NDArray[Any]


def train(
    network: Network | Sequence[Network],
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
    """Train a network, or a population, and return the `Runs`.

    network: one for all members, or a sequence with one for each, which may differ in everything but
    inputs and outputs; theta is then a list. X (n, n_inputs), array or scipy.sparse; y (n,) or
    (n, n_outputs), as the loss needs it. The settings are the fields of `Recipe` (and `rate`), on top
    of `recipe` where one is given; it says which may be one per member. All members share the loss, of
    which cross_entropy(smoothing=[0, 0.1]) may smooth each member's labels by its own.

    seeds: one per member, results get a member axis; seed: a single network without that axis;
    neither: as `recipe` or theta says, else seed 0, or 0, 1, … for a sequence of networks. theta: where
    to start, (n_parameters,) or (members, n_parameters), instead of the initializers. validation:
    (X, y) or (X, y, weights), judged after every epoch. sample_weight (n,): weights of the rows, or
    (members, n) for weights of each member's own, such as bootstrap counts. class_weight: None,
    "balanced" or a dict from class to weight, or a list with one for each member, multiplied into
    them; validation rows keep their own weights.
    callback: called with an `EpochRecord` after every epoch; returning True ends the training.
    state: `Runs.state` of an earlier call, which is then continued exactly: with the same data and
    settings as if it had never stopped; epochs counts from the very start.

    Ctrl-C gives back what is done, with `interrupted` and an InterruptedWarning. A member whose loss
    or parameters stop being finite keeps those of the epoch before, with a DivergenceWarning.
    Raises ShapeError, DataError and SettingError for what cannot be used, MemoryLimitError where
    `max_memory` is too little, before anything begins.

    >>> import kilonet as kn
    >>> X = np.linspace(-1, 1, 64)[:, None]
    >>> runs = kn.train(kn.Network([1, 8, 1]), kn.squared, X, X**2, seeds=[0, 1], optimizer=kn.Adam(0.01), epochs=50)
    >>> runs.theta.shape, runs.history.loss.shape, bool((runs.history.score[-1] > 0.8).all())
    ((2, 25), (50, 2), True)

    Members of several shapes, the same as each would be alone to the last bit:

    >>> nets = [kn.Network([1, 8, 1]), kn.Network([1, 3, 3, 1], activation=kn.tanh)]
    >>> [theta.shape for theta in kn.train(nets, kn.squared, X, X**2, rate=[0.01, 0.02], epochs=5).theta]
    [(25,), (22,)]

    The network predicts from the parameters; the loss turns its scores into predictions:

    >>> runs.network.scores(runs.theta, X[:5]).shape, runs.loss.link(runs.network.scores(runs.theta[0], X[:5])).shape
    ((2, 5, 1), (5, 1))
    """
    begun = time.perf_counter()
    check_names(settings, also=train.__kwdefaults__ or ())
    one_for_all("loss", loss)
    networks = None if isinstance(network, Network) else _networks(network, seeds, seed, recipe)
    if networks is not None and seeds is None and recipe is None:
        seeds = range(len(networks))
    starts = None if networks is None or theta is None else _starts(theta, networks)
    recipe, single = _recipe(recipe, seeds, seed, theta if starts is None else starts[0], state, settings)
    first = network if isinstance(network, Network) else network[0]
    problem = assemble(first, loss_from(loss), X, y, recipe, validation, sample_weight, class_weight)
    if networks is None:
        runs = carry_out(problem, theta, state, callback, single, begun)
    else:
        with Population(mixed_groups(problem, networks, starts, state)) as population:
            interrupted = population.train(callback, begun=begun)
            runs = merged(population, recipe, problem.loss, interrupted, begun)
    _warn(runs, problem)
    return runs


def carry_out(problem: Problem, theta: Any, state: Any, callback: Callback | None, single: bool, begun: float) -> Runs:
    """Train a checked problem as `train` does, but leave it to the caller to warn of what the `Runs` show.

    single: whether the member axis is dropped. begun: when the call began, by `time.perf_counter`.
    """
    with Population([Group.whole(problem, theta, state)]) as population:
        interrupted = population.train(callback, single, begun)
        return population.runs(0, single=single, interrupted=interrupted, begun=begun, last=True)


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
    theta = as_theta(theta)
    theta = theta if theta.dtype in (np.float32, np.float64) else theta.astype(np.float64)
    network.views(theta)  # raises the ShapeError
    flat = theta.reshape(-1, network.n_parameters)
    loss = loss_from(loss)
    X = checked_inputs(X, network.n_inputs, theta.dtype.name)
    targets = loss.targets(y, network.n_outputs, theta.dtype)
    require_rows("y", len(targets), X)
    weights = checked_weights(sample_weight, len(targets))
    check_members(loss, len(flat), seeded=False)
    value, grad = choose(network, loss).value_and_grad(network, loss, flat, X, targets, weights)
    for penalty, strength in ((L2, l2), (L1, l1)):
        if np.any(strength):
            each = tuple(np.broadcast_to(np.asarray(strength, np.float64), theta.shape[:-1]).reshape(-1).tolist())
            value = value + penalty(each).value(flat, network.weight_mask)
            grad += penalty(each).slope(flat, network.weight_mask)
    return value.astype(theta.dtype).reshape(theta.shape[:-1]), grad.reshape(theta.shape)


def _networks(given: Any, seeds: Any, seed: int | None, recipe: Recipe | None) -> list[Network]:
    """One network per member. Raises SettingError or ShapeError for what is none."""
    if seed is not None:
        raise SettingError(f"seed={seed} is for a single network; a sequence of networks takes seeds, one per member.")
    if not isinstance(given, Sequence) or isinstance(given, str) or len(given) == 0:
        raise SettingError(f"network came as {shown(given)}; needs a Network, or a sequence with one per member.")
    for member, network in enumerate(given):
        if not isinstance(network, Network):
            raise SettingError(f"network[{member}] came as {shown(network)}; needs a Network.")
        if (network.n_inputs, network.n_outputs) != (given[0].n_inputs, given[0].n_outputs):
            raise ShapeError(
                f"network[{member}] leads from {network.n_inputs} inputs to {network.n_outputs} outputs, network[0] "
                f"from {given[0].n_inputs} to {given[0].n_outputs}; members of one call share X and y."
            )
    members = len(checked_seeds(seeds)) if seeds is not None else recipe.n_members if recipe is not None else len(given)
    if members != len(given):
        raise SettingError(f"{len(given)} networks came with {members} seeds; needs one of each per member.")
    return list(given)


def _starts(theta: Any, networks: list[Network]) -> list[Array]:
    """Where members with networks of their own begin. Raises ShapeError naming the member that does not fit."""
    if not isinstance(theta, list | tuple) or len(theta) != len(networks):
        raise ShapeError(f"theta came as {shown(theta)}; needs a list of {len(networks)} arrays, one per network.")
    starts = [np.asarray(own) for own in theta]
    for member, (own, network) in enumerate(zip(starts, networks, strict=True)):
        if own.shape != (network.n_parameters,):
            raise ShapeError(f"theta[{member}] has shape {own.shape}; its network needs ({network.n_parameters},).")
    return starts


def _recipe(
    recipe: Recipe | None, seeds: Any, seed: int | None, theta: Any, state: Any, settings: dict[str, Any]
) -> tuple[Recipe, bool]:
    """The recipe of the call, and whether the member axis is dropped."""
    if seed is not None and seeds is not None:
        raise SettingError(f"seed={shown(seed)} and seeds={shown(seeds)} came together; say one of them.")
    start = theta if state is None else next((v for k, v in state.items() if k.rpartition(".")[2] == "theta"), None)
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


def _warn(runs: Runs, problem: Problem) -> None:
    """Say what the caller should know: an interruption, members that diverged."""
    if runs.interrupted:
        low, high = runs.reached
        compared = " (members differ: best and spread() compare different epochs)" if low < high else ""
        text = f"training was interrupted after {span(low, high)} of {count(runs.recipe.epochs, 'epoch')}{compared}"
        more = "this is what is done. Go on with train(..., state=runs.state)."
        warnings.warn(f"{text}; {more}", InterruptedWarning, stacklevel=3)
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
    lower = problem.recipe.optimizer.lower_rate(rate)
    return f"Likely cause: the rate {rate:.3g} is too high. Try rate={lower:.3g}."
