"""approximate: a network that is within eps of a function, and the certificate of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from kilonet import checks
from kilonet.activations import sigmoid as sigmoid_unit
from kilonet.approximation.claim import UNPROVEN
from kilonet.approximation.design import METHODS, designed
from kilonet.approximation.outward import Floats
from kilonet.approximation.sampling import point, sampled
from kilonet.approximation.slopes import allowing, estimated
from kilonet.approximation.steps import parameters
from kilonet.engine import choose
from kilonet.errors import DataError, SettingError, ShapeError
from kilonet.network import Network


@dataclass(frozen=True, repr=False)
class Approximation:
    """A network with the certificate that it is within `bound` of a function; called on points, it gives scores.

    Only on points of the box: outside nothing is certified, and it raises DataError. network; theta (n_parameters,) in
    float64; certificate, a dictionary ready for json.dumps, for `kn.certify`.
    """

    network: Network
    theta: Floats
    certificate: dict[str, Any]

    @property
    def bound(self) -> float:
        """What |network − f| does not exceed anywhere on the box, rounding included."""
        return float(self.certificate["bound"])

    @overload
    def __call__(self, X: float) -> np.float64: ...

    @overload
    def __call__(self, X: Any) -> Floats: ...

    def __call__(self, X: Any) -> Any:
        """Scores (n,) in float64 for points (n,) on an interval, (n, d) on a box; a single score for a single point.

        A single point is a number on an interval, (d,) on a box. Raises ShapeError for other shapes, and DataError for
        points outside of the box: nothing is certified there. What the network itself says there is
        network.scores(theta, X), for X (n, d).
        """
        x = np.asarray(X, np.float64)
        d = self.network.n_inputs
        if d == 1 and x.ndim < 2:
            x = x[..., np.newaxis]
        if x.ndim not in (1, 2) or x.shape[-1] != d:
            needed = "(n,), or a number" if d == 1 else f"(n, {d}), or ({d},)"
            raise ShapeError(f"X came with shape {np.shape(X)}; this network needs {needed} for a single point.")
        points = np.ascontiguousarray(x.reshape(-1, d))
        self._inside(points)
        scores = choose(self.network).scores(self.network, self.theta[np.newaxis], points, None)
        return np.asarray(scores)[0, :, 0].reshape(x.shape[:-1])[()]  # of no axes it is a number

    def _inside(self, points: Floats) -> None:
        low, high = np.array(self.certificate["low"]), np.array(self.certificate["high"])
        inside = ((points >= low) & (points <= high)).all(axis=1)  # what is no number is not inside
        if not inside.all():
            raise DataError(
                f"X holds the point {point(points[np.argmin(inside)])}; the network is certified from {point(low)} to "
                f"{point(high)}, and nothing is known outside. What the network itself says there is "
                f"made.network.scores(made.theta, X), for X (n, {len(low)})."
            )

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
    (n, d). lipschitz: |f(x) − f(z)| ≤ lipschitz · |x − z| in Euclidean distance, and the bound holds for functions of
    which that is true. Without it one is estimated from slopes between samples, and the certificate says so: where f is
    steeper than the estimate, nothing is proven of f. method: "relu" joins samples by straight
    pieces; "sigmoid" by steep steps; "bumps" is the sum of indicator bumps Σ c_i 1(a_i < x < b_i) with
    sides as steep as ReLU units make them. One hidden layer on an interval, two on a box.

    Raises SettingError where eps needs more than a million units (and says which eps would do), or where rounding is
    larger than eps; ShapeError where f does not take or return arrays, DataError where it is not finite or steeper than
    lipschitz. Sources: that it can be done, Cybenko 1989 and Hornik,
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
    constant = checks.number("lipschitz", lipschitz, "[0, inf)") if given else estimated(f, lows, highs)
    design = designed(method, lows, highs, eps, constant, not given)
    values = sampled(f, design.axes)
    constant = allowing(design, values, constant, given)
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
        f"{constant:.6g}{'' if given else UNPROVEN}"
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
