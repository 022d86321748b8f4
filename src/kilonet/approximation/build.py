"""approximate: a network that is within eps of a function, and the certificate of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from kilonet import checks
from kilonet.activations import sigmoid as sigmoid_unit
from kilonet.approximation.design import METHODS, Design, designed
from kilonet.approximation.outward import Floats
from kilonet.approximation.sampling import sampled
from kilonet.approximation.steps import parameters
from kilonet.engine import choose
from kilonet.errors import DataError, SettingError, ShapeError
from kilonet.network import Network

_DENSE = {1: 1025, 2: 65, 3: 25}  # samples along an axis from which a Lipschitz constant is estimated


@dataclass(frozen=True, repr=False)
class Approximation:
    """A network with the certificate that it is within `bound` of a function; called on points, it gives scores.

    network; theta (n_parameters,) in float64; certificate, a dictionary ready for json.dumps, for `kn.certify`.
    """

    network: Network
    theta: Floats
    certificate: dict[str, Any]

    @property
    def bound(self) -> float:
        """What |network − f| does not exceed anywhere on the box, rounding included."""
        return float(self.certificate["bound"])

    def __call__(self, X: Any) -> Floats:
        """Scores (n,) in float64 for points (n,) on an interval, (n, d) on a box."""
        x = np.asarray(X, np.float64)
        if self.network.n_inputs == 1 and x.ndim == 1:
            x = x[:, np.newaxis]
        if x.ndim != 2 or x.shape[1] != self.network.n_inputs:
            needed = "(n,)" if self.network.n_inputs == 1 else f"(n, {self.network.n_inputs})"
            raise ShapeError(f"X came with shape {np.shape(X)}; this network needs {needed}.")
        engine = choose(self.network)
        return np.asarray(engine.scores(self.network, self.theta[np.newaxis], np.ascontiguousarray(x), None))[0, :, 0]

    def __str__(self) -> str:
        return str(self.certificate["says"])

    __repr__ = __str__


def approximate(
    f: Callable[[Any], Any],
    low: Any,
    high: Any,
    eps: float,
    lipschitz: float | None = None,
    method: str = "relu",
) -> Approximation:
    """Build a network that is within eps of f everywhere on an interval or a box, and the certificate of it.

    low and high are numbers, and f gets float64 (n,) and returns (n,); or sequences of two or three numbers, and f gets
    (n, d). lipschitz: |f(x) − f(z)| ≤ lipschitz · |x − z| in Euclidean distance; without it one is estimated from
    slopes between samples, and the certificate says that it is an estimate. method: "relu" joins samples by straight
    pieces; "sigmoid" by steep steps; "bumps" is the sum of indicator bumps Σ c_i 1(a_i < x < b_i) with
    sides as steep as ReLU units make them. One hidden layer on an interval, two on a box.

    Raises SettingError where eps needs more than a million units (and says which eps would do), or where rounding is
    larger than eps; ShapeError and DataError for what f returns. Sources: that it can be done, Cybenko 1989 and Hornik,
    Stinchcombe & White 1989; how, and with what error, the module design says.

    >>> made = approximate(np.sin, 0.0, 3.0, eps=0.01, lipschitz=1.0)
    >>> print(made)
    1 hidden layer of 152 relu units: within 0.00987 of every function through 153 samples with the Lipschitz constant 1
    >>> bool(abs(made(np.array([1.0]))[0] - np.sin(1.0)) < 0.01)
    True
    """
    checks.choice("method", method, METHODS)
    lows, highs = _box(low, high)
    eps = checks.number("eps", eps, "(0, inf)")
    given = lipschitz is not None
    constant = checks.number("lipschitz", lipschitz, "[0, inf)") if given else _estimate(f, lows, highs)
    design = designed(method, lows, highs, eps, constant)
    values = sampled(f, design.axes)
    constant = _allowing(design, values, constant)
    theta = parameters(design, values)
    activation = "sigmoid" if method == "sigmoid" else "relu"
    network = Network(list(design.sizes), activation=activation)
    # The proof itself is in floating-point numbers, and loses a little of the size of what it compares.
    spare = 1e-12 * float(np.abs(values).max() + constant * (np.abs(lows) + np.abs(highs)).sum())
    bound = design.error(constant) + _rounding(network, theta, lows, highs) + spare
    if bound > eps:
        raise SettingError(f"eps came as {eps:g}; rounding in float64 leaves {bound:.3g} here. Give a larger eps.")
    says = _sentence(network, activation, bound, constant, given, values.size)
    return Approximation(network, theta, {
        "format": "kilonet.approximation/1", "says": says,
        "low": lows.tolist(), "high": highs.tolist(),
        "lipschitz": constant, "lipschitz_is": "given" if given else "estimated",
        "axes": [axis.tolist() for axis in design.axes], "values": values.ravel().tolist(),
        "network": {"activation": activation, "sizes": list(design.sizes), "theta": theta.tolist()},
        "bound": bound,
    })  # fmt: skip


def _sentence(network: Network, unit: str, bound: float, constant: float, given: bool, samples: int) -> str:
    hidden = [f"{layer.units:,}" for layer in network.layers[:-1]]
    layers = f"{len(hidden)} hidden layer{'s' if len(hidden) > 1 else ''} of {' and '.join(hidden)} {unit} units"
    by = "the" if given else "an estimated"
    return (
        f"{layers}: within {bound:.3g} of every function through {samples:,} samples with {by} Lipschitz constant "
        f"{constant:.6g}"
    )


def _box(low: Any, high: Any) -> tuple[Floats, Floats]:
    """low and high as float64 (d,)."""
    scalar = np.ndim(low) == 0 and np.ndim(high) == 0
    if not scalar and (np.ndim(low) != 1 or np.shape(low) != np.shape(high) or not 1 <= np.size(low) <= 3):
        raise SettingError(
            f"low came as {checks.shown(low)} and high as {checks.shown(high)}; needs two numbers, or two sequences of "
            f"one to three numbers."
        )
    lows = [checks.number("low", one, "[-1e50, 1e50]") for one in ([low] if scalar else low)]
    highs = [checks.number("high", one, "[-1e50, 1e50]") for one in ([high] if scalar else high)]
    if not all(a < b for a, b in zip(lows, highs, strict=True)):
        raise SettingError(f"low came as {checks.shown(low)} and high as {checks.shown(high)}; needs low below high.")
    return np.array(lows), np.array(highs)


def _estimate(f: Callable[[Any], Any], low: Floats, high: Floats) -> float:
    """Twice the steepest slope between neighbours of a dense grid; nothing is known of what lies between them."""
    axes = [np.linspace(a, b, _DENSE[len(low)]) for a, b in zip(low, high, strict=True)]
    values = sampled(f, axes)
    slopes = np.array([
        float(np.abs(np.diff(values, axis=k) / (axis[1] - axis[0])).max()) for k, axis in enumerate(axes)
    ])  # fmt: skip
    return 2.0 * float(np.sqrt((slopes * slopes).sum()))


def _allowing(design: Design, values: Floats, lipschitz: float) -> float:
    """The Lipschitz constant, raised by a hair where the samples' own rounding needs it.

    Raises DataError where f itself shows that its Lipschitz constant is larger.
    """
    raised = lipschitz
    for k, axis in enumerate(design.axes):
        if len(axis) > 1:
            run = np.diff(axis).reshape([-1 if k == j else 1 for j in range(len(design.axes))])
            slope = float((np.abs(np.diff(values, axis=k)) / run).max())
            rounding = float(np.abs(values).max() + lipschitz * np.abs(axis).max()) / float(run.min())
            if slope > lipschitz * (1 + 1e-9) + 1e-14 * rounding:
                raise DataError(
                    f"f rises by {slope:.6g} for each unit along axis {k} between neighbouring samples; lipschitz came "
                    f"as {lipschitz:.6g}. Give a larger one."
                )
            raised = max(raised, slope)
    return raised


def _rounding(network: Network, theta: Floats, low: Floats, high: Floats) -> float:
    """A generous bound of what float64 changes, and of what is left of a sigmoid far out (below 2e-14)."""
    most, off = np.maximum(np.abs(low), np.abs(high)), np.zeros(len(low))
    sigmoid = network.layers[0].activation == sigmoid_unit
    for number, view in enumerate(network.views(theta)):
        W = np.abs(view.W)
        off = W @ off + (W.shape[1] + 8) * 2.0**-53 * (W @ most + np.abs(view.b))
        # The first layer's units have their kinks inside of the box.
        most = W @ (high - low) if number == 0 else W @ most + np.abs(view.b)
        if sigmoid and number < network.n_layers - 1:
            most, off = np.ones(len(most)), off + 2e-14
    return 4.0 * float(off[0])
