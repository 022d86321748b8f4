"""The layers of a network with given parameters, looked at on all rows of its training."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.activations import LeakyReLU, PReLU, ReLU
from kilonet.diagnostics.signs import agreements, one_gradient
from kilonet.diagnostics.subject import BLOCK, Subject, spaced
from kilonet.engine import choose
from kilonet.engine.insides import fires, saturated
from kilonet.findings import Histogram, LayerFacts
from kilonet.layers import Maxout
from kilonet.network import LayerView, Network

Array = NDArray[Any]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

SAMPLE = 2000  # rows that gradients and histograms are of, at most
BINS = 40
IMAGES = 64  # units whose weights are kept as images, at most
SMALLEST = 8  # rows and columns of what is taken for an image


def layer_facts(subject: Subject) -> list[LayerFacts]:
    """What `LayerFacts` says of every layer; gradients are of the data loss on up to 2,000 rows."""
    network, theta = subject.network, subject.theta
    tallies = [_Tally(layer, place == network.n_layers - 1) for place, layer in enumerate(network.layers)]
    for outputs in _passes(network, theta, subject.problem.X):
        for place, (tally, view) in enumerate(zip(tallies, network.views(theta), strict=True)):
            tally.add(view, network.graph.inputs(place, outputs), outputs[place + 1])
    sample = spaced(subject.problem.n_rows, SAMPLE)
    gradient = network.views(one_gradient(subject, sample))
    seen = next(_passes(network, theta, subject.problem.X[sample], len(sample)))
    signs = agreements(subject)
    found = []
    for place, (tally, view, slope) in enumerate(zip(tallies, network.views(theta), gradient, strict=True)):
        facts = tally.facts() | {
            "number": place + 1,
            "gradient_norm": _norm(slope.W),
            "weight_norm": _norm(view.W),
            "agreement": signs[0][place],
            "agreement_in_batch": signs[1][place],
            "outputs": histogram(seen[place + 1]),
            "gradients": histogram(slope.W),
            "weights": histogram(view.W),
            "images": _images(subject, view) if place == 0 else None,
        }
        found.append(LayerFacts(**facts))
    return found


def activity(network: Network, theta: Array, X: Any) -> list[Floats]:
    """Share of rows of X on which each unit has a slope, (units,) for every hidden layer.

    Outputs are those that the engine computes in training, and so are the counts for ReLU: a unit puts out more than
    zero where, and only where, it has a slope. The sums of smooth units are added up here in another order: where a
    slope is next to the smallest number that there is, another count of a row is possible.

    >>> net = Network([1, 2, 1])
    >>> theta = np.array([1.0, -1.0, 0.0, -9.0, 1.0, 1.0, 0.0])
    >>> activity(net, theta, np.array([[1.0], [2.0], [-3.0], [4.0]]))
    [array([0.75, 0.  ])]
    """
    hidden = list(zip(network.layers[:-1], network.views(theta), strict=False))
    counts = [np.zeros(layer.units) for layer, _ in hidden]
    for outputs in _passes(network, theta, X):
        for place, (count, (layer, view)) in enumerate(zip(counts, hidden, strict=True)):
            x = network.graph.inputs(place, outputs)
            np.add(count, slopes(layer, view, x, outputs[place + 1])[0].sum(axis=0), out=count)
    return [count / X.shape[0] for count in counts]


def slopes(layer: Any, view: LayerView, x: Any, a: Array) -> tuple[Flags, Flags]:
    """Where units have a slope, and where their weighted sum is above zero: both (n, units).

    x (n, fan_in): inputs of the layer; a (n, units): its outputs, as an engine computed them.
    """
    if isinstance(layer, Maxout):
        return np.ones(a.shape, dtype=bool), a > 0
    below = _slope_below(layer, view)
    if below is not None and (below >= 0).all():
        return (a > 0) | (below != 0), a > 0
    with np.errstate(all="ignore"):
        z = layer.affine(view, x)
        return fires(layer, view, z), z > 0


def _slope_below(layer: Any, view: LayerView) -> Array | None:
    """Slope of units for sums below zero, (units,) or of all; None for what is not made of two straight lines."""
    kind = type(layer.activation)
    if kind is PReLU and view.alpha is not None:
        return view.alpha
    if kind is LeakyReLU:
        return np.asarray(layer.activation.alpha, view.W.dtype)
    return np.zeros(1) if kind is ReLU else None


def _passes(network: Network, theta: Array, X: Any, size: int = BLOCK) -> Iterator[list[Any]]:
    """Blocks of rows with the outputs of all layers, by the engine that trains them: [x, first layer's, ...]."""
    predictor = choose(network).Predictor(network, theta)
    for start in range(0, X.shape[0], size):
        x = X[start : start + size]
        yield [x, *(predictor.hidden(x, layer) for layer in range(network.n_layers))]


class _Tally:
    """What is counted of one layer, block after block."""

    def __init__(self, layer: Any, last: bool) -> None:
        self.layer, self.last = layer, last
        self.rows, self.active, self.above = 0, np.zeros(layer.units), np.zeros(layer.units, dtype=bool)
        self.saturated, self.bounded = 0, 0
        self.moments: list[tuple[float, float]] = []
        self.sizes: list[int] = []

    def add(self, view: LayerView, x: Any, a: Array) -> None:
        """Count a block with inputs x (n, fan_in) and outputs a (n, units)."""
        fired, above = slopes(self.layer, view, x, a)
        self.rows += len(a)
        self.active += len(a) if self.last else fired.sum(axis=0)
        self.above |= above.any(axis=0)
        if not self.last:
            beyond = saturated(self.layer, a)
            self.saturated += int(np.count_nonzero(beyond))
            self.bounded += beyond.size
        with np.errstate(all="ignore"):
            self.moments.append((float(a.mean(dtype=np.float64)), float(a.var(dtype=np.float64))))
        self.sizes.append(a.size)

    def facts(self) -> dict[str, Any]:
        """What was counted, by the names of `LayerFacts`."""
        share = np.array(self.sizes) / sum(self.sizes)
        means, variances = np.array(self.moments).T
        with np.errstate(all="ignore"):
            mean = float(share @ means)
            deviation = float(np.sqrt(share @ (variances + (means - mean) ** 2)))
        beyond = self.saturated / self.bounded if self.bounded else np.nan
        return {
            "unit": self.layer.unit, "units": self.layer.units, "activity": self.active / self.rows,
            "never_positive": float(np.mean(~self.above)), "saturated": beyond, "mean": mean,
            "deviation": deviation,
        }  # fmt: skip


def _norm(W: Array) -> float:
    with np.errstate(all="ignore"):  # a network on its way out of the finite numbers
        return float(np.linalg.norm(W.astype(np.float64).ravel()))


def histogram(values: Any) -> Histogram | None:
    """Counts of finite values between 41 edges; None where there are none.

    The edges leave out half a percent at either end, so that one outlier does not squeeze all others into one bin;
    the first and the last bin count what lies beyond them too.

    >>> found = histogram(np.arange(4000.0))
    >>> len(found.counts), sum(found.counts), min(found.counts) > 90
    (40, 4000, True)
    """
    given = np.asarray(values, np.float64).ravel()
    finite = given[np.isfinite(given)]
    if not len(finite):
        return None
    low, high = np.quantile(finite, [0.005, 0.995])
    if not low < high:
        low, high = finite.min(), finite.max()
    if not low < high:
        low, high = low - max(abs(low), 1.0) / 2, high + max(abs(high), 1.0) / 2
    counts, edges = np.histogram(np.clip(finite, low, high), BINS, (low, high))
    return Histogram(edges.tolist(), counts.tolist())


def _images(subject: Subject, view: LayerView) -> Array | None:
    """Weights of the first units as images, (units, rows, columns), where the inputs are the pixels of a square.

    Of maxout units the first piece. Columns that a table names are pixels where the names are numbers of one word,
    such as pixel0 and pixel1.
    """
    n, k = subject.network.n_inputs, round(subject.network.n_inputs**0.5)
    if k < SMALLEST or k * k != n:
        return None
    encoder = subject.footing.encoder
    if encoder is not None and (set(encoder.state_.kinds) != {"number"} or encoder.state_.width != len(
        encoder.state_.kinds)):  # fmt: skip
        return None
    words = {str(name).rstrip("0123456789") for name in getattr(subject.estimator, "feature_names_in_", [])}
    if len(words) > 1:
        return None
    W = view.W if view.W.ndim == 2 else view.W[0]
    return W[:IMAGES].reshape(-1, k, k).copy()
