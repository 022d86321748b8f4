"""Saturated sigmoid units: slopes at the tails, what initial weights do to them, and what gradient is left below."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kilonet.activations import sigmoid
from kilonet.losses import cross_entropy
from kilonet.measured import Figure, Measured, Table, Text, together, verdict
from kilonet.monitors import SIGMOID
from kilonet.network import Network
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.intervals import Estimate, mean_of
from kilonet.notes.tasks import digits
from kilonet.notes.told import series
from kilonet.notes.trials import at_rates, best_rate

Floats = NDArray[np.float64]

SEEDS, CHOOSING = 16, 8  # seeds that are judged, and others that choose the rate
DEPTH, WIDTH, CLASSES = 3, 32, 10
RATES = (0.3, 1.0, 3.0)  # each scale is judged at its own, which other seeds choose
TAIL = 10.0  # an input that counts as a tail: σ is 0.99995 there


@dataclass(frozen=True)
class Cell:
    """One scale of the initial weights.

    saturated, centre: share of saturated outputs and mean output of the hidden units at the start; factor: what a
    layer leaves of the gradient that comes from above, geometric mean over the hidden layers; left: loss after
    training, by that of knowing nothing.
    """

    scale: float
    saturated: Estimate
    centre: Estimate
    factor: Estimate
    left: Estimate


def cell(scale: float, rows: int, epochs: int) -> Cell:
    """Networks from Glorot's initial weights times the scale, looked into and then trained at several rates."""
    X, y = digits(rows)
    network = Network([X.shape[1], *[WIDTH] * DEPTH, CLASSES], activation="sigmoid")
    theta = network.initial(seeds=range(SEEDS + CHOOSING))
    for view in network.views(theta)[:-1]:
        view.W[...] *= scale
    runs = at_rates(network, X, y, RATES, len(theta), theta=np.tile(theta, (len(RATES), 1)), epochs=epochs)
    best = best_rate(runs.history.loss[-1].reshape(len(RATES), -1), SEEDS)
    outputs = np.array(network.hidden(theta[:SEEDS], X)[:-1], np.float64)  # (layers, seeds, rows, units)
    saturated = (np.abs(outputs - 0.5) > SIGMOID - 0.5).mean(axis=(0, 2, 3))
    factor = mean_of(np.log(_fading(network, theta[:SEEDS], X, y))).exp()
    return Cell(
        scale, mean_of(saturated), mean_of(outputs.mean(axis=(0, 2, 3))), factor, mean_of(best / np.log(CLASSES))
    )


def _fading(network: Network, theta: NDArray[np.float32], X: NDArray[np.float32], y: NDArray[np.int64]) -> Floats:
    """What a hidden layer leaves of the gradient from above (seeds,): norms of d loss / d z, layer by layer."""
    views, outputs = network.views(theta.astype(np.float64)), network.hidden(theta.astype(np.float64), X)
    delta = cross_entropy.link(outputs[-1]) - np.eye(CLASSES)[y]
    norms = []
    for layer in range(DEPTH - 1, -1, -1):
        delta = (delta @ views[layer + 1].W) * outputs[layer] * (1 - outputs[layer])
        norms.append(np.linalg.norm(delta, axis=(-2, -1)))
    found: Floats = (norms[-1] / norms[0]) ** (1 / (DEPTH - 1))
    return found


def run(size: Size) -> Measured:
    """Measure it."""
    scales = size.of((1.0, 3.0, 10.0, 30.0, 100.0, 300.0), (1.0, 10.0, 300.0))
    cells = [cell(scale, size.of(800, 600), size.of(50, 30)) for scale in scales]
    tail = float(sigmoid.slope(np.array([-TAIL, TAIL])).max())
    mostly = [c for c in cells if c.saturated.low > 0.5]
    healthy, worst = cells[0], cells[-1]
    first = next(iter(mostly), worst)
    # The gradient is "almost zero" below 1% of the largest slope, 1/4. "Most units are saturated": above a half. A
    # network "barely learns" where over half of the loss of knowing nothing is left, at its own best rate: wherever
    # most units are saturated, or in part where it takes more than that.
    said = together(
        verdict(tail, tail, "[0, 0.0025]"),
        verdict(worst.saturated.low, worst.saturated.high, "(0.5, 1]"),
        verdict(healthy.centre.low, healthy.centre.high, "[0.4, 0.6]"),
        *(verdict(c.left.low, c.left.high, "(0.5, inf)") for c in mostly),
    )
    facts = {
        "slope_at_tail": tail, "centre": healthy.centre.value, "healthy_saturated": healthy.saturated.high,
        "healthy_left": healthy.left.high, "healthy_factor": healthy.factor.high, "first_scale": first.scale,
        "first_saturated": first.saturated.low, "first_left": first.left.high,
        "worst_saturated": worst.saturated.low, "worst_left": worst.left.low,
    }  # fmt: skip
    statement = _statement(healthy, first, worst, tail)
    return Measured(
        said, statement, worst.left.value, worst.left.low, worst.left.high, _table(cells), _figure(cells), facts
    )


def _statement(healthy: Cell, first: Cell, worst: Cell, tail: float) -> Text:
    return Text(
        f"At ±{TAIL:g} a sigmoid's slope is {tail:.1e}, and hidden outputs are at first {healthy.centre.value:.3f} on "
        f"average; from initial weights {first.scale:g} times the usual, with {first.saturated.value:.0%} of the "
        f"outputs saturated, training leaves {first.left.value:.2%} ({first.left.low:.2%} to {first.left.high:.2%}) "
        f"of the loss of knowing nothing, and from {worst.scale:g} times, with {worst.saturated.value:.0%} saturated, "
        f"{worst.left.value:.0%} ({worst.left.low:.0%} to {worst.left.high:.0%}; 95% t-intervals over {SEEDS} seeds, "
        "rates chosen by others).",
        f"±{TAIL:g}에서 시그모이드의 도함수는 {tail:.1e}이고, 학습 전 은닉 출력의 평균은 "
        f"{healthy.centre.value:.3f}입니다. 초기 가중치를 보통의 {first.scale:g}배로 키우면 출력의 "
        f"{first.saturated.value:.0%}가 포화되고, 학습한 뒤에 아무것도 모를 때 손실의 "
        f"{first.left.value:.2%}({first.left.low:.2%}~{first.left.high:.2%})가 남습니다. {worst.scale:g}배로 키우면 "
        f"{worst.saturated.value:.0%}가 포화되고 {worst.left.value:.0%}({worst.left.low:.0%}~{worst.left.high:.0%})가 "
        f"남습니다(시드 {SEEDS}개의 95% t 신뢰구간, 학습률은 다른 시드로 골랐습니다).",
    )


def _table(cells: list[Cell]) -> Table:
    head = (
        Text("initial weights, times", "초기 가중치의 배율"),
        Text("saturated", "포화된 출력"),
        Text("mean output", "출력의 평균"),
        Text("gradient left by a layer", "층 하나를 지나며 남는 기울기"),
        Text("loss left after training", "학습 뒤에 남은 손실"),
        Text("95% interval", "95% 신뢰구간"),
    )
    rows = [
        (
            f"{c.scale:g}", f"{c.saturated.value:.1%}", f"{c.centre.value:.3f}", f"{c.factor.value:.1%}",
            f"{c.left.value:.2%}", f"{c.left.low:.2%} – {c.left.high:.2%}",
        )
        for c in cells
    ]  # fmt: skip
    return Table(head, tuple(rows))


def _figure(cells: list[Cell]) -> Figure:
    scales = [c.scale for c in cells]
    labelled = (
        (Text("saturated outputs at the start", "시작할 때 포화된 출력"), [c.saturated for c in cells]),
        (Text("loss left after training", "학습 뒤에 남은 손실"), [c.left for c in cells]),
        (Text("gradient left by a layer", "층 하나를 지나며 남는 기울기"), [c.factor for c in cells]),
    )
    lines = [series(label, scales, found) for label, found in labelled]
    alt = Text(
        "Against the scale of the initial weights: saturated outputs, loss left after training, gradient left by a "
        "layer.",
        "초기 가중치의 배율에 따른 포화된 출력, 학습 뒤에 남은 손실, 층 하나를 지나며 남는 기울기.",
    )
    x = Text("initial weights, times the usual", "초기 가중치(보통 크기의 배수)")
    return Figure("lines", alt, x=x, y=Text("share", "비율"), series=tuple(lines), log_x=True)


EXPERIMENT = Experiment(
    "saturation",
    ("2.5",),
    Text("Saturated sigmoids", "시그모이드의 포화"),
    Text(
        "At both tails a sigmoid's gradient is almost zero; from too large initial weights most units are saturated, "
        "and the network barely learns. Its outputs are not centred on zero.",
        "시그모이드는 양쪽 끝에서 기울기가 거의 0입니다. 초기 가중치가 너무 크면 유닛이 대부분 포화되어 신경망이 "
        "거의 학습하지 못합니다. 출력의 중심도 0이 아닙니다.",
    ),
    run,
)
