"""Maxout: ReLU and leaky ReLU as special cases to the last bit, what it costs, and whether its units live and learn."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.activations import activation_from, leaky_relu, relu
from kilonet.engine import choose
from kilonet.losses import cross_entropy
from kilonet.measured import Figure, Measured, Table, Text, together, verdict
from kilonet.network import Dense, Maxout, Network
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.intervals import Estimate, bootstrapped
from kilonet.notes.rates import BOUND
from kilonet.notes.tasks import Array, digits
from kilonet.notes.told import series, spanned
from kilonet.notes.trials import at_rates, orders, trained

Floats = NDArray[np.float64]

SEEDS = 16
HIDDEN, WIDTH = 2, 64
EXACT = 2.0**-7  # a slope that scales weights without rounding: "α is 0.01 or so"
RATES = (0.1, 1.5)  # a sound one, and one at which many ReLU units die


def as_maxout(network: Network, theta: Array, alpha: float) -> tuple[Network, Array]:
    """A network of maxout units whose pieces are α(Wx + b) and Wx + b: what units of slope α below zero compute.

    theta (..., n_parameters) of a network of Dense layers; alpha 0 makes ReLU.

    >>> net = Network([2, 3, 1])
    >>> as_maxout(net, net.initial(seed=0), 0.0)[1].shape
    (22,)
    """
    hidden = [Maxout(layer.units) for layer in network.layers[:-1]]
    wide = Network([network.n_inputs, *hidden, network.layers[-1]])
    found = np.empty((*theta.shape[:-1], wide.n_parameters), theta.dtype)
    for old, new in zip(network.views(theta), wide.views(found), strict=True):
        if new.W.ndim == old.W.ndim:
            new.W[...], new.b[...] = old.W, old.b
            continue
        for piece, slope in enumerate((theta.dtype.type(alpha), theta.dtype.type(1))):
            new.W[..., piece, :, :], new.b[..., piece, :] = slope * old.W, slope * old.b
    return wide, found


def equal_bits(alpha: float, X: Array, y: Array) -> float:
    """Share of scores that are the same number, of trained networks of ReLU (α = 0) or leaky ReLU, and as maxout."""
    network = Network([X.shape[1], *[WIDTH] * HIDDEN, 10], activation=leaky_relu(alpha) if alpha else relu)
    theta = trained(
        network, cross_entropy, X, y, seeds=range(SEEDS), order=orders(range(SEEDS)), epochs=5, watch=0
    ).theta
    wide, pieces = as_maxout(network, theta, alpha)
    engine = choose(wide)
    scores = [engine.Predictor(net, values).scores(X) for net, values in ((network, theta), (wide, pieces))]
    return float((scores[0] == scores[1]).mean())


def _mean(shares: Any) -> Estimate:
    """A bootstrap interval, which stays between 0 and 1 as shares do."""
    return bootstrapped(shares, np.mean)


@dataclass(frozen=True)
class Cell:
    """A unit at a rate: shares of dead hidden units, and accuracy on the training rows in the last epoch."""

    unit: str
    rate: float
    dead: Estimate
    accuracy: Estimate


def alive(unit: str, X: Array, y: Array, epochs: int) -> list[Cell]:
    """Dead units and accuracy at each rate, intervals over seeds."""
    layer: Any = Maxout(WIDTH) if unit == "maxout" else Dense(WIDTH, activation_from(unit))
    network = Network([X.shape[1], *[layer] * HIDDEN, 10])
    runs = at_rates(network, X, y, RATES, SEEDS, max_norm=BOUND, epochs=epochs, watch=1)
    dead = runs.history.last("dead").mean(axis=-1).reshape(len(RATES), SEEDS)
    accuracy = runs.history.last("score").reshape(len(RATES), SEEDS)
    return [Cell(unit, rate, _mean(d), _mean(a)) for rate, d, a in zip(RATES, dead, accuracy, strict=True)]


def run(size: Size) -> Measured:
    """Measure it."""
    X, y = digits()
    bits = {alpha: equal_bits(alpha, X, y) for alpha in (0.0, EXACT, 0.01)}
    one, two = (Network([WIDTH, layer]).n_parameters for layer in (Dense(WIDTH), Maxout(WIDTH)))
    whole = [Network([64, *[layer] * HIDDEN, 10]).n_parameters for layer in (Dense(WIDTH), Maxout(WIDTH))]
    cells = [cell for unit in ("relu", "maxout") for cell in alive(unit, X, y, size.of(15, 8))]
    sound, high = cells[2], cells[3]
    # Special cases: every score the same number. Twice the parameters: exactly, of a layer. "Has all the benefits of
    # ReLU and not its drawback": nothing dies, and it learns at the rate at which ReLU dies, above half of the rows.
    said = together(
        *(verdict(bits[alpha], bits[alpha], "[1, 1]") for alpha in (0.0, EXACT)),
        verdict(two / one, two / one, "[2, 2]"),
        *(verdict(cell.dead.low, cell.dead.high, "[0, 0]") for cell in (sound, high)),
        verdict(high.accuracy.low, high.accuracy.high, "(0.5, 1]"),
    )
    facts = {
        "relu_bits": bits[0.0], "leaky_bits": bits[EXACT], "leaky_0.01_bits": bits[0.01], "factor": two / one,
        "factor_of_network": whole[1] / whole[0], "maxout_dead": high.dead.high, "relu_dead_low": cells[1].dead.low,
        "maxout_accuracy_high": high.accuracy.high, "maxout_sound_low": sound.accuracy.low,
    }  # fmt: skip
    statement = _statement(bits, two / one, cells)
    return Measured(said, statement, high.accuracy.value, high.accuracy.low, high.accuracy.high,
                    _table(cells), _figure(cells), facts)  # fmt: skip


def _statement(bits: dict[float, float], factor: float, cells: list[Cell]) -> Text:
    dying, high = cells[1], cells[3]
    accuracy = f"{high.accuracy.low:.0%}", f"{high.accuracy.high:.0%}"
    return Text(
        f"With one piece zero maxout gives {bits[0.0]:.0%} of the scores of ReLU to the last bit, with α times the "
        f"other {bits[EXACT]:.0%} of those of leaky ReLU (α = 1/128), at {factor:g} times the parameters a layer; at "
        f"a rate of {high.rate:g}, {dying.dead.value:.0%} of ReLU units and {high.dead.value:.0%} of maxout units are "
        f"dead, and the accuracy is {dying.accuracy.value:.0%} with ReLU and {high.accuracy.value:.0%} with maxout "
        f"(95% bootstrap interval over {SEEDS} seeds {accuracy[0]} to {accuracy[1]}).",
        f"한 조각을 0으로 두면 맥스아웃 점수의 {bits[0.0]:.0%}가 ReLU의 점수와 마지막 비트까지 같고, 한 조각을 다른 "
        f"조각의 α배로 두면 {bits[EXACT]:.0%}가 leaky ReLU의 점수와 같습니다(α = 1/128). 대신 층의 매개변수가 "
        f"{factor:g}배입니다. 학습률 {high.rate:g}에서 ReLU 유닛은 {dying.dead.value:.0%}, 맥스아웃 유닛은 "
        f"{high.dead.value:.0%}가 죽었고, 정확도는 ReLU가 {dying.accuracy.value:.0%}, 맥스아웃이 "
        f"{high.accuracy.value:.0%}였습니다(시드 {SEEDS}개의 95% 부트스트랩 신뢰구간 {accuracy[0]}~{accuracy[1]}).",
    )


def _table(cells: list[Cell]) -> Table:
    head = (Text("unit", "유닛"), Text("rate", "학습률"), Text("dead", "죽은 유닛"), Text("accuracy", "정확도"))
    shown = [[spanned(one, ".1%") for one in (c.dead, c.accuracy)] for c in cells]
    return Table(head, tuple((c.unit, f"{c.rate:g}", *own) for c, own in zip(cells, shown, strict=True)))


def _figure(cells: list[Cell]) -> Figure:
    names = tuple(Text(f"{c.unit}, rate {c.rate:g}", f"{c.unit}, 학습률 {c.rate:g}") for c in cells)
    groups = (
        (Text("dead units", "죽은 유닛"), [c.dead for c in cells]),
        (Text("accuracy", "정확도"), [c.accuracy for c in cells]),
    )
    bars = tuple(series(label, [], own) for label, own in groups)
    alt = Text(
        "Dead units and accuracy of ReLU and maxout at a sound and at a high rate.",
        "알맞은 학습률과 높은 학습률에서 ReLU와 맥스아웃의 죽은 유닛 비율과 정확도.",
    )
    return Figure("bars", alt, y=Text("share", "비율"), series=bars, names=names)


EXPERIMENT = Experiment(
    "maxout",
    ("2.11",),
    Text("Maxout", "맥스아웃"),
    Text(
        "Maxout has ReLU and leaky ReLU as special cases, neither saturates nor dies, and doubles the parameters.",
        "맥스아웃은 ReLU와 leaky ReLU를 특수한 경우로 포함하고, 포화되지도 죽지도 않지만, 매개변수가 두 배가 됩니다.",
    ),
    run,
)
