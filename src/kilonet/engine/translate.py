"""From Kilonet's values to what the kernel takes: numbers of units, losses and rules, and plain arrays.

The numbers are places in the enumerations of kernel/plan.h.
"""

from collections.abc import Sequence
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
LayerSpec = tuple[int, int, int, float, bool]

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
_OWN = ("rate", "l2", "l1", "input_noise", "max_norm", "stopping")
_METRICS = ("none", "loss", "score")


class Sample:
    """Rows as the kernel reads them; it holds the arrays alive."""

    def __init__(self, loss: Any, X: Any, targets: Array, weights: Floats | None) -> None:
        """X (n, n_inputs) dense or CSR; targets and weights as in a Problem."""
        self._kind = loss.kind(targets)
        self._common = inputs(X) | {"classes": None, "numbers": None}
        if self._kind == "classes":
            self._common["classes"] = np.ascontiguousarray(targets, dtype=np.int32)
        else:
            self._common["numbers"] = np.ascontiguousarray(targets)
        self._targets = targets
        self._weights = None if weights is None else np.ascontiguousarray(weights, dtype=np.float64)
        self._scales: dict[int, tuple[Array, float]] = {}

    def of(self, members: Sequence[int]) -> dict[str, Any]:
        """The rows with the weights, and the scale of R², of some members."""
        found: dict[str, Any] = {"weights": None, "error_scale": None, "score_base": [0.0] * len(members)}
        if self._weights is not None:
            found["weights"] = [self._weights[self._row(member)] if self._own else self._weights for member in members]
        if self._kind == "numbers":
            scales = [self._scale(self._row(member)) for member in members]
            found["error_scale"] = np.ascontiguousarray([scale for scale, _ in scales])
            found["score_base"] = [base for _, base in scales]
        return self._common | found

    @property
    def _own(self) -> bool:
        return self._weights is not None and self._weights.ndim == 2

    def _row(self, member: int) -> int:
        """Which row of weights is a member's; 0 where all have the same."""
        return member if self._own else 0

    def _scale(self, row: int) -> tuple[Array, float]:
        """R2 = base - Σ w (error · scale)², constant outputs left out."""
        if row not in self._scales:
            targets = self._targets
            squares = total_squares(targets, self._weights[row] if self._own else self._weights)  # type: ignore[index]
            varies = squares > 0
            scale = np.zeros(len(squares))
            scale[varies] = 1.0 / np.sqrt(len(squares) * squares[varies])
            largest = np.finfo(targets.dtype).max  # nearly constant targets: any error is far beyond R2's scale
            self._scales[row] = np.minimum(scale, largest).astype(targets.dtype), float(varies.mean())
        return self._scales[row]


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


def layer_specs(network: Network, drops: bool = False) -> list[LayerSpec]:
    """Units, pieces, kind of unit, its constant and whether there is dropout, of every layer."""
    specs = []
    for place, layer in enumerate(network.layers):
        name = getattr(layer.activation, "name", "")
        kind = _MAXOUT if layer.pieces > 1 else _UNITS.index(name)
        last = place == network.n_layers - 1
        constant = float(getattr(layer.activation, "alpha", 0.0))
        specs.append((layer.units, layer.pieces, kind, constant, drops and not last))
    return specs


def packed_size(network: Network, members: int, group: int) -> int:
    """Numbers of a network's parameters, or of those of a pack, in the kernel's layout: whole groups of columns.

    >>> packed_size(Network([2, 20, 2]), members=8, group=8), packed_size(Network([2, 20, 2]), members=1, group=16)
    (1344, 528)
    """
    total, fan_in = 0, network.n_inputs
    for layer in network.layers:
        columns = -(-layer.units * layer.pieces * members // group) * group
        total += columns // group * (fan_in * group + 16) + 2 * columns
        fan_in = layer.units
    return total


def gradient_settings(loss: Any, sample: Sample, targets: Array, member: int) -> dict[str, Any]:
    """Settings of one pass over all rows that leaves the gradient of a member in its place."""
    train = sample.of([0])
    member_settings = _MEMBER | {"loss_constant": _loss_constant(loss, member)}
    return _BLANK | {"loss": _loss(loss, targets), "train": train, "batch": train["rows"], "members": [member_settings]}


class Translator:
    """A problem as the kernel takes it: the settings of any of its members."""

    def __init__(self, problem: Problem) -> None:
        recipe, loss = problem.recipe, problem.loss
        self._recipe, self._loss = recipe, loss
        self._train = Sample(loss, problem.X, problem.targets, problem.weights)
        self._valid = None if problem.validation is None else Sample(loss, *problem.validation)
        self._each = {name: recipe.each(name) for name in _OWN}
        self._thresholds = dropout_threshold(recipe.per_member("dropout")).tolist()
        self._orders = recipe.orders
        self._common = _BLANK | _optimizer_settings(recipe.optimizer)
        self._common |= {"loss": _loss(loss, problem.targets), "batch": problem.batch, "epochs": recipe.epochs}

    def settings(self, members: Sequence[int], packed: bool) -> dict[str, Any]:
        """Settings of members that train together: of one, or packed of several with one order and schedule."""
        order = self._orders[members[0]]
        return self._common | {
            "train": self._train.of(members),
            "valid": None if self._valid is None else self._valid.of([0] * len(members)),
            "order": order or 0, "shuffled": order is not None, "packed": packed,
            "members": [self._member(member) for member in members],
        }  # fmt: skip

    def _member(self, member: int) -> dict[str, Any]:
        """What a member has of its own."""
        own = {name: values[member] for name, values in self._each.items()}
        most, stopping = own.pop("max_norm"), own.pop("stopping")
        settings = _MEMBER | own | {
            "noise": own.pop("input_noise"), "max_norm": 0.0 if most is None else most,
            "threshold": self._thresholds[member], "seed": self._recipe.seeds[member],
            "loss_constant": _loss_constant(self._loss, member),
        }  # fmt: skip
        if stopping is not None:
            settings["monitor"] = _METRICS.index(stopping.metric)
            settings |= {"min_delta": stopping.min_delta, "patience": stopping.patience}
        return settings


def _loss(loss: Any, targets: Array) -> int:
    return _LOSSES.index((loss.name, loss.kind(targets)))


def _loss_constant(loss: Any, member: int) -> float:
    value = getattr(loss, _LOSS_CONSTANTS.get(loss.name, ""), 0.0)
    return float(value[member] if isinstance(value, tuple) else value)


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
    "train": None, "valid": None, "rule": _RULES.index("none"), "beta1": 0.0, "beta2": 0.0, "epsilon": 0.0,
    "decay": 0.0, "batch": 1, "epochs": 1, "order": 0, "shuffled": False, "packed": False, "members": [],
}  # fmt: skip
_MEMBER: dict[str, Any] = {
    "rate": 0.0, "l2": 0.0, "l1": 0.0, "noise": 0.0, "max_norm": 0.0, "threshold": 0, "loss_constant": 0.0, "seed": 0,
    "monitor": 0, "min_delta": 0.0, "patience": 0,
}  # fmt: skip
