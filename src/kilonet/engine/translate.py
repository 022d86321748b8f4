"""From Kilonet's values to what the kernel takes: numbers of units, losses and rules, and plain arrays.

The numbers are places in the enumerations of kernel/plan.h.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from kilonet.engine.problem import Problem
from kilonet.network import Network
from kilonet.philox import dropout_threshold
from kilonet.residuals import total_squares

Array = NDArray[Any]
Floats = NDArray[np.float64]
LayerSpec = tuple[int, int, int, float, int]

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


@dataclass(frozen=True)
class Sample:
    """Rows as the kernel reads them; the dictionary holds the arrays alive."""

    arrays: dict[str, Any]

    @classmethod
    def of(cls, loss: Any, X: Any, targets: Array, weights: Floats | None) -> "Sample":
        """X (n, n_inputs) dense or CSR; targets and weights as in a Problem."""
        return cls(inputs(X) | _answers(loss, targets, weights))


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


def _answers(loss: Any, targets: Array, weights: Floats | None) -> dict[str, Any]:
    found: dict[str, Any] = {
        "classes": None, "numbers": None, "error_scale": None, "score_base": 0.0,
        "weights": None if weights is None else np.ascontiguousarray(weights, dtype=np.float64),
    }  # fmt: skip
    kind = loss.kind(targets)
    if kind == "classes":
        return found | {"classes": np.ascontiguousarray(targets, dtype=np.int32)}
    found["numbers"] = np.ascontiguousarray(targets)
    if kind == "numbers":  # R2 = score_base - Σ w (error · error_scale)², constant outputs left out
        squares = total_squares(targets, weights)
        varies = squares > 0
        scale = np.zeros(len(squares))
        scale[varies] = 1.0 / np.sqrt(len(squares) * squares[varies])
        largest = np.finfo(targets.dtype).max  # nearly constant targets: any error is far beyond R2's scale
        found |= {"error_scale": np.minimum(scale, largest).astype(targets.dtype), "score_base": float(varies.mean())}
    return found


def layer_specs(network: Network, dropout: float = 0.0) -> list[LayerSpec]:
    """Units, pieces, kind of unit, its constant and the dropout threshold of every layer."""
    threshold = int(dropout_threshold(dropout))
    specs = []
    for place, layer in enumerate(network.layers):
        name = getattr(layer.activation, "name", "")
        kind = _MAXOUT if layer.pieces > 1 else _UNITS.index(name)
        last = place == network.n_layers - 1
        constant = float(getattr(layer.activation, "alpha", 0.0))
        specs.append((layer.units, layer.pieces, kind, constant, 0 if last else threshold))
    return specs


def loss_settings(loss: Any, targets: Array) -> dict[str, Any]:
    """Number and constant of a loss."""
    field = _LOSS_CONSTANTS.get(loss.name)
    return {
        "loss": _LOSSES.index((loss.name, loss.kind(targets))),
        "loss_constant": float(getattr(loss, field)) if field else 0.0,
    }


def gradient_settings(loss: Any, sample: Sample, targets: Array) -> dict[str, Any]:
    """Settings of one pass over all rows that leaves the gradient in its place."""
    rows = sample.arrays["rows"]
    return _BLANK | loss_settings(loss, targets) | {"train": sample.arrays, "batch": rows}


def run_settings(problem: Problem, member: int, sample: Sample, valid: Sample | None) -> dict[str, Any]:
    """Settings of one member of a problem."""
    recipe = problem.recipe
    most = float(recipe.per_member("max_norm")[member])
    order = recipe.orders[member]
    settings = _BLANK | loss_settings(problem.loss, problem.targets) | _optimizer_settings(recipe.optimizer)
    settings |= {
        "train": sample.arrays, "valid": None if valid is None else valid.arrays,
        "l2": float(recipe.per_member("l2")[member]), "l1": float(recipe.per_member("l1")[member]),
        "noise": float(recipe.per_member("input_noise")[member]), "max_norm": most if np.isfinite(most) else 0.0,
        "batch": problem.batch, "epochs": recipe.epochs,
        "seed": recipe.seeds[member], "order": order or 0, "shuffled": order is not None,
    }  # fmt: skip
    if recipe.stopping is not None:
        settings["monitor"] = _METRICS.index(recipe.stopping.metric)
        settings |= {"min_delta": recipe.stopping.min_delta, "patience": recipe.stopping.patience}
    return settings


def _optimizer_settings(optimizer: Any) -> dict[str, Any]:
    """Its constants; RMSProp's decay of the squares is beta2 in the kernel, as in Adam."""
    name = optimizer.name
    settings: dict[str, Any] = {"rule": _RULES.index(name), "epsilon": getattr(optimizer, "epsilon", 0.0)}
    if name in ("momentum", "nesterov"):
        settings["beta1"] = optimizer.beta
    if name == "rmsprop":
        settings["beta2"] = optimizer.decay
    if name in ("adam", "adamw"):
        settings |= {"beta1": optimizer.beta1, "beta2": optimizer.beta2}
    if name == "adamw":
        settings["decay"] = optimizer.decay
    return settings


_BLANK: dict[str, Any] = {
    "train": None, "valid": None, "rule": _RULES.index("none"), "l2": 0.0, "l1": 0.0, "noise": 0.0, "max_norm": 0.0,
    "beta1": 0.0, "beta2": 0.0, "epsilon": 0.0, "decay": 0.0, "batch": 1, "epochs": 1,
    "seed": 0, "order": 0, "shuffled": False, "monitor": 0, "min_delta": 0.0, "patience": 0,
}  # fmt: skip
