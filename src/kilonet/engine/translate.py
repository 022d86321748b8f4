"""From Kilonet's values to what the kernel takes: numbers of units, losses and rules, and plain arrays.

The numbers are places in the enumerations of kernel/plan.h.
"""

from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from kilonet.activations import Mixed
from kilonet.engine.problem import Problem
from kilonet.layers import Layer
from kilonet.monitors import epochs_apart
from kilonet.network import Network
from kilonet.philox import dropout_threshold
from kilonet.recipe import Recipe
from kilonet.residuals import total_squares
from kilonet.stopping import Stopping

Array = NDArray[Any]
Floats = NDArray[np.float64]
LayerSpec = tuple[int, int, list[tuple[int, float, int]], list[int], int]

_UNITS = (
    "identity", "sigmoid", "tanh", "relu", "leaky_relu", "prelu", "elu", "selu", "gelu", "silu", "mish", "softplus",
)  # fmt: skip
_MAXOUT = len(_UNITS)
_LOSSES = (
    ("cross_entropy", "classes"), ("logistic", "bits"), ("hinge", "signs"), ("hinge", "classes"),
    ("squared_hinge", "signs"), ("squared_hinge", "classes"), ("squared", "numbers"), ("absolute", "numbers"),
    ("huber", "numbers"), ("quantile", "numbers"),
)  # fmt: skip
_LOSS_CONSTANTS = {"cross_entropy": "smoothing", "huber": "delta", "quantile": "q"}
_RULES = ("sgd", "momentum", "nesterov", "rmsprop", "adagrad", "adam", "adamw", "none")
_METRICS = ("none", "loss", "score")


def sample(loss: Any, X: Any, targets: Array, weights: Floats | None) -> dict[str, Any]:
    """Rows as the kernel reads them: X (n, n_inputs) dense or CSR; targets and weights as in a Problem.

    weights (1 or members, n), and the scale of R² (1 or members, outputs): R² = base - Σ w (error · scale)², with
    constant outputs left out.
    """
    kind = loss.kind(targets)
    found = inputs(X) | {"classes": None, "numbers": None, "error_scale": None, "score_base": None}
    weights = None if weights is None else np.ascontiguousarray(np.atleast_2d(weights), dtype=np.float64)
    if kind == "classes":
        found["classes"] = np.ascontiguousarray(targets, dtype=np.int32)
    else:
        found["numbers"] = np.ascontiguousarray(targets)
    if kind == "numbers":
        scales = [_scale(targets, own) for own in ([None] if weights is None else weights)]
        found["error_scale"] = np.array([scale for scale, _ in scales])
        found["score_base"] = np.array([base for _, base in scales])
    return found | {"weights": weights}


def _scale(targets: Array, weights: Floats | None) -> tuple[Array, float]:
    """What the errors of each output are multiplied with for R², and R² without errors."""
    squares = total_squares(targets, weights)
    varies = squares > 0
    scale = np.zeros(len(squares))
    scale[varies] = 1.0 / np.sqrt(len(squares) * squares[varies])
    largest = np.finfo(targets.dtype).max  # nearly constant targets: any error is far beyond R2's scale
    return np.minimum(scale, largest).astype(targets.dtype), float(varies.mean())


def inputs(X: Any) -> dict[str, Any]:
    """The rows of a C-contiguous array or a CSR matrix; column numbers must fit 32 bits."""
    found: dict[str, Any] = {"rows": X.shape[0], "dense": None, "starts": None, "columns": None, "entries": None}
    if not scipy.sparse.issparse(X):
        return found | {"dense": X}
    return found | {
        "starts": np.ascontiguousarray(X.indptr, dtype=np.int64),
        "columns": np.ascontiguousarray(X.indices, dtype=np.int32),
        "entries": np.ascontiguousarray(X.data),
    }


def layer_specs(network: Network) -> list[LayerSpec]:
    """Of every place units, pieces, parts, sources (-1 for the inputs) and the place whose parameters it has.

    A part is a kind of unit, its constant and how many of them there are; only mixtures have several.

    >>> layer_specs(Network([3, 4, 1]))
    [(4, 1, [(3, 0.0, 4)], [-1], 0), (1, 1, [(0, 0.0, 1)], [0], 1)]
    """
    graph = network.graph
    return [
        (layer.units, layer.pieces, _parts(layer), [source - 1 for source in sources], owner)
        for layer, sources, owner in zip(network.layers, graph.sources, graph.owners, strict=True)
    ]


def _parts(layer: Layer) -> list[tuple[int, float, int]]:
    if layer.pieces > 1:
        return [(_MAXOUT, 0.0, layer.units)]
    activation = layer.activation
    parts = activation.parts if isinstance(activation, Mixed) else ((activation, layer.units),)
    return [(_UNITS.index(getattr(own, "name", "")), float(getattr(own, "alpha", 0.0)), units) for own, units in parts]


def packed_size(network: Network, members: int, group: int) -> int:
    """Numbers of a network's parameters, or of those of a pack, in the kernel's layout: whole groups of columns.

    >>> packed_size(Network([2, 20, 2]), members=8, group=8), packed_size(Network([2, 20, 2]), members=1, group=16)
    (1344, 528)
    """
    total = 0
    for place in network.graph.own:
        layer, fan_in = network.layers[place], network.fan_ins[place]
        columns = -(-layer.units * layer.pieces * members // group) * group
        total += columns // group * (fan_in * group + 16) + 2 * columns
    return total


def described(problem: Problem) -> dict[str, Any]:
    """A problem as the kernel takes it; what members have of their own stands in arrays with one entry for each."""
    recipe, loss = problem.recipe, problem.loss
    validation = None if problem.validation is None else sample(loss, *problem.validation)
    return {
        **_optimizer_settings(recipe.optimizer), **_member_settings(recipe), **_loss_settings(problem),
        "n_inputs": problem.network.n_inputs, "layers": layer_specs(problem.network),
        "train": sample(loss, problem.X, problem.targets, problem.weights), "valid": validation,
        "batch": problem.batch, "epochs": recipe.epochs, "watch_every": epochs_apart(recipe.watch, problem.n_rows),
    }  # fmt: skip


def gradient_described(problem: Problem) -> dict[str, Any]:
    """A problem of which only the gradient over all rows is wanted; its recipe has no penalties, noise or order."""
    return described(problem) | {"rule": _RULES.index("none"), "batch": problem.n_rows, "watch_every": 0}


def _loss_settings(problem: Problem) -> dict[str, Any]:
    loss = problem.loss
    constant = getattr(loss, _LOSS_CONSTANTS.get(loss.name, ""), 0.0)
    number = _LOSSES.index((loss.name, loss.kind(problem.targets)))
    return {"loss": number, "loss_constant": _each(constant, problem.recipe.n_members, np.float64)}


def _member_settings(recipe: Recipe) -> dict[str, Any]:
    """What members have of their own."""
    n, stopping, orders = recipe.n_members, recipe.stopping, recipe.orders
    rules = stopping if isinstance(stopping, tuple) else (stopping,)
    watched = [Stopping() if rule is None else rule for rule in rules]
    norms = recipe.max_norm if isinstance(recipe.max_norm, tuple) else (recipe.max_norm,)
    return {
        "rate": _each(recipe.optimizer.rate, n, np.float64),
        "l2": _each(recipe.l2, n, np.float64),
        "l1": _each(recipe.l1, n, np.float64),
        "noise": _each(recipe.input_noise, n, np.float64),
        "max_norm": _each([0.0 if most is None else most for most in norms], n, np.float64),
        "threshold": _each(dropout_threshold(np.array(recipe.dropout, np.float64)), n, np.uint32),
        "seed": _each(recipe.seeds, n, np.uint64),
        "monitor": _each([0 if rule is None else _METRICS.index(rule.metric) for rule in rules], n, np.uint8),
        "min_delta": _each([rule.min_delta for rule in watched], n, np.float64),
        "patience": _each([rule.patience for rule in watched], n, np.int64),
        "order": _each([order or 0 for order in orders], n, np.uint64),
        "shuffled": _each([order is not None for order in orders], n, np.uint8),
    }


def _each(value: Any, members: int, dtype: Any) -> Array:
    """One number for each member."""
    out = np.empty(members, dtype)
    out[:] = value
    return out


def _optimizer_settings(optimizer: Any) -> dict[str, Any]:
    """Its constants; RMSProp's decay of the squares is beta2 in the kernel, as in Adam."""
    name = optimizer.name
    settings: dict[str, Any] = {"rule": _RULES.index(name), "epsilon": getattr(optimizer, "epsilon", 0.0)}
    settings |= {"beta1": 0.0, "beta2": 0.0, "decay": 0.0}
    if name in ("momentum", "nesterov"):
        settings["beta1"] = optimizer.beta
    if name == "rmsprop":
        settings["beta2"] = optimizer.decay
    if name in ("adam", "adamw"):
        settings |= {"beta1": optimizer.beta1, "beta2": optimizer.beta2}
    if name == "adamw":
        settings["decay"] = optimizer.decay
    return settings
