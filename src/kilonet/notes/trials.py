"""How experiments train: every rate with every seed as one population, or networks with rows of their own as one."""

import time
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.engine.inputs import assemble
from kilonet.errors import DivergenceWarning
from kilonet.losses import cross_entropy
from kilonet.network import Network
from kilonet.population import Group, Population
from kilonet.recipe import Recipe
from kilonet.record import Runs
from kilonet.training import train

Floats = NDArray[np.float64]

ORDERS = 4  # of the rows; seeds beyond share them


def trained(network: Network, loss: Any, X: Any, y: Any, **settings: Any) -> Runs:
    """`kilonet.train` without its warning of diverged members: rates are tried of which some are too high."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DivergenceWarning)
        return train(network, loss, X, y, **settings)


def orders(seeds: Sequence[int]) -> list[int]:
    """The order of the rows for each seed.

    >>> orders(range(6))
    [0, 1, 2, 3, 0, 1]
    """
    return [seed % ORDERS for seed in seeds]


def at_rates(network: Network, X: Any, y: Any, rates: Sequence[float], seeds: int, **settings: Any) -> Runs:
    """Train a classifier by plain SGD, every rate with every seed: members (rates · seeds,), a rate's side by side."""
    each = [seed for _ in rates for seed in range(seeds)]
    more = {"watch": 0, "order": orders(each), "rate": np.repeat(rates, seeds)} | settings
    return trained(network, cross_entropy, X, y, seeds=each, optimizer="sgd", **more)


def best_rate(losses: Floats, judged: int) -> Floats:
    """The losses of the first so many seeds, which are judged, at the rate whose mean over all others is least.

    losses (rates, seeds). Who is judged has no part in the choice.

    >>> best_rate(np.array([[1.0, 1.0, np.nan], [2.0, 3.0, 4.0]]), judged=2)
    array([2., 3.])
    """
    choosing = losses[:, judged:]
    found: Floats = losses[np.where(np.isfinite(choosing), choosing, np.inf).mean(axis=1).argmin(), :judged]
    return found


def side_by_side(loss: Any, given: Sequence[tuple[Network, Any, Any, Recipe]]) -> list[Runs]:
    """Train several networks on rows of their own, X and y, as one population; the engine's packs join those alike.

    Who diverged is in each of the records. Ctrl-C is a KeyboardInterrupt, since an experiment needs all of them.
    """
    begun, groups, first = time.perf_counter(), [], 0
    for network, X, y, recipe in given:
        places = range(first, first + recipe.n_members)
        groups.append(Group(assemble(network, loss, X, y, recipe), tuple(places)))
        first = places.stop
    with Population(groups) as population:
        if population.train():
            raise KeyboardInterrupt
        return [population.runs(place, single=False, interrupted=False, begun=begun) for place in range(len(groups))]
