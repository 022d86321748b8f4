"""One neuron as a value: weights, a bias and an activation."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy import sparse

from kilonet import checks
from kilonet.activations import ActivationLike, MaxoutActivation, Mixed, PReLU, activation_from, sigmoid
from kilonet.errors import DataError, SettingError, ShapeError
from kilonet.layers import Dense, Maxout
from kilonet.network import Network, as_theta
from kilonet.values import Array


class Boundary(NamedTuple):
    """A point, line or hyperplane: the places x with normal · x = offset.

    normal (d,) has length 1 and points to where the score is positive; offset is the distance from the origin to it
    along the normal.
    """

    normal: Array
    offset: float


@dataclass(frozen=True, eq=False, repr=False)
class Neuron:
    """A unit by itself: activation(weights · inputs + bias).

    weights: (d,), kept in float32 where they are, else in float64; read-only. bias: a number. activation: any that
    works on numbers one by one; a maxout unit is the largest of several neurons, not one.

    With the sigmoid the output is a rate of firing between 0 and 1, or the probability of one of two classes: the
    neuron "likes" one side of its boundary and "dislikes" the other. Source: Stanford CS231n, "Neural Networks
    part 1".

    >>> neuron = Neuron([1.0, -2.0], bias=0.5)
    >>> float(neuron.forward([3.0, 1.75])), neuron.forward(np.array([[9.0, 0.0], [0.0, 9.0]])).round(3).tolist()
    (0.5, [1.0, 0.0])

    Raises ShapeError for weights of another shape, DataError where they are no finite numbers, and SettingError for a
    bias or an activation that is none.
    """

    weights: Array
    bias: float = 0.0
    activation: ActivationLike = sigmoid

    def __post_init__(self) -> None:
        weights = _numbers(self.weights)
        checks.finite("weights", weights)
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "bias", _rounded(self.bias, weights.dtype))
        object.__setattr__(self, "activation", _elementwise(self.activation))

    @classmethod
    def of(cls, network: Network, theta: Any, layer: int, unit: int) -> "Neuron":
        """Take one unit out of a network.

        theta: (n_parameters,), of one member. layer, unit: counted from 0, or from the end where they are negative.
        What the neuron is given are the outputs of the layer below: `network.hidden(theta, X)[layer - 1]`, or X
        itself for layer 0; in a graph those of all its sources, side by side. A PReLU unit keeps the slope that it has
        learned.

        >>> network = Network([3, 4, 2])
        >>> Neuron.of(network, network.initial(seed=0), -1, 0).weights.shape
        (4,)

        Raises SettingError where there is no such unit and for a maxout unit, and ShapeError where theta does not fit.
        """
        place = checks.whole("layer", layer, f"[{-network.n_layers}, {network.n_layers - 1}]")
        chosen, view = network.layers[place], network.views(theta)[place]
        at = checks.whole("unit", unit, f"[{-chosen.units}, {chosen.units - 1}]")
        members = as_theta(theta).shape[:-1]
        if members:
            raise ShapeError(f"theta has {members[0]} members; needs one: theta[0], or that of another member.")
        if isinstance(chosen, Maxout):
            raise _of_several(chosen.pieces, "; take weights and biases of a piece from network.views(theta)")
        activation = chosen.activation
        if isinstance(activation, Mixed):
            at_unit = range(chosen.units)[at]
            activation = next(own for own, columns in activation.columns if at_unit < columns.stop)
        if isinstance(activation, PReLU) and view.alpha is not None:
            activation = activation(alpha=float(view.alpha[at]))
        return cls(view.W[at], float(view.b[at]), activation)

    def as_network(self) -> tuple[Network, Array]:
        """Return a network of this one unit, and its parameters theta (n_parameters,) in the type of the weights.

        `network.scores(theta, X)[:, 0]` has the bits of `forward(X)`. The kernel, which estimators predict with, adds
        in the order that docs/arithmetic.md tells, NumPy in one of its own: they lie at most
        2 (d + 1) eps (Σ|w x| + |b|) apart before the activation, as any two orders do.

        >>> network, theta = Neuron([1.0, -2.0], bias=0.5).as_network()
        >>> network, theta.tolist()
        (Network([2, Dense(1, activation=sigmoid)]), [1.0, -2.0, 0.5])
        """
        slope = [self.activation.alpha] if isinstance(self.activation, PReLU) else []
        theta = np.array([*self.weights, self.bias, *slope], self.weights.dtype)
        return Network([len(self.weights), Dense(1, self.activation)]), theta

    def forward(self, inputs: Any) -> Any:
        """Return the output: a number for inputs (d,), (n,) for n examples (n, d), dense or scipy.sparse.

        Inputs are cast to the type of the weights. An example alone and among others may differ in its last bits.
        Raises ShapeError where the inputs do not fit the weights.
        """
        x, d = inputs if sparse.issparse(inputs) else np.asarray(inputs), len(self.weights)
        if x.ndim not in (1, 2) or x.shape[-1] != d:
            raise ShapeError(
                f"inputs came with shape {x.shape}; needs ({d},), one number for each weight, or (n, {d}) for several "
                "examples, one a row."
            )
        network, theta = self.as_network()
        outputs = network.scores(theta, x if x.ndim == 2 else x[np.newaxis])[:, 0]
        return outputs if x.ndim == 2 else outputs[0]

    def boundary(self) -> Boundary:
        """Return where the score, weights · x + bias, is 0; there a sigmoid neuron's output is 0.5.

        In float64. Raises SettingError where all weights are 0.

        >>> Neuron([3.0, -4.0], bias=10.0).boundary()
        Boundary(normal=array([ 0.6, -0.8]), offset=-2.0)
        """
        weights = self.weights.astype(np.float64)
        largest = float(np.abs(weights).max())
        if largest == 0:
            raise SettingError(
                f"all {len(weights)} weights are 0, so that the score is {self.bias} everywhere; there is no boundary."
            )
        scaled = weights / largest  # squares of the weights themselves might overflow
        length = float(np.linalg.norm(scaled))
        return Boundary(scaled / length, -self.bias / largest / length)

    def _key(self) -> tuple[Any, ...]:
        return self.weights.dtype.name, tuple(self.weights.tolist()), self.bias, self.activation

    def __eq__(self, other: object) -> bool:
        return self._key() == other._key() if isinstance(other, Neuron) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        first = self.weights.tolist()
        said = ", ".join(map(repr, first)) if len(first) <= 6 else f"{str(first[:3])[1:-1]}, … {len(first)} weights"
        return f"Neuron([{said}], {self.bias}, {self.activation})"


def _numbers(weights: Any) -> Array:
    """Weights as a copy that nobody writes to, (d,) in float32 or float64."""
    given = np.asarray(weights)
    if given.ndim != 1 or not len(given):
        raise ShapeError(f"weights came with shape {given.shape}; a neuron needs (d,), one number for each input.")
    if given.dtype.kind not in "buif":
        raise DataError(f"weights came as {checks.shown(weights)}; needs numbers.")
    copy = np.array(given, np.float32 if given.dtype == np.float32 else np.float64)
    copy.flags.writeable = False
    return copy


def _rounded(bias: Any, dtype: np.dtype[Any]) -> float:
    """The bias as the weights' type can hold it."""
    given = checks.number("bias", bias)
    if abs(given) > float(np.finfo(dtype).max):
        raise SettingError(f"bias came as {given}; needs a number that {dtype} can hold, the type of the weights.")
    return float(dtype.type(given))


def _elementwise(spec: Any) -> ActivationLike:
    """The activation of one neuron. Raises SettingError for maxout, which takes several."""
    activation = activation_from(spec)
    if isinstance(activation, MaxoutActivation):
        raise _of_several(activation.pieces, "")
    return activation


def _of_several(pieces: int, advice: str) -> SettingError:
    return SettingError(
        f"a maxout unit of {pieces} pieces is the largest of {pieces} neurons with activation=kn.identity, and none "
        f"by itself{advice}."
    )
