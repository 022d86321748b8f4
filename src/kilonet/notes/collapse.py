"""Without a non-linearity between them, layers are one: folded, and compared on random rows; with ReLU they are not."""

import numpy as np
from numpy.typing import NDArray

from kilonet.activations import identity, relu
from kilonet.collapsing import collapse
from kilonet.losses import squared
from kilonet.measured import Figure, Measured, Table, Text, same, together, verdict
from kilonet.network import Network
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.intervals import Estimate, bootstrapped, mean_of
from kilonet.notes.told import layered, series
from kilonet.training import train

Floats = NDArray[np.float64]

SIZES = ([3, 16, 1], [3, 16, 16, 1], [3, 32, 8, 32, 1])
ROWS = 400
_CONSTANT = 0.5  # the loss of the best constant: half of the variance, which is 1
_ROUNDING = 64.0  # units in the last place of the largest score: sums of up to 32 terms in another order, four times


def run(size: Size) -> Measured:
    """Measure it."""
    seeds = size.of(64, 16)
    gaps = {layered(sizes): differences(sizes, seeds) for sizes in SIZES}
    left = {unit: mean_of(losses(unit, seeds, size.of(200, 60))) for unit in (str(identity), str(relu))}
    counts = {layered(sizes): folded_parameters(sizes) for sizes in SIZES}
    worst = bootstrapped(np.concatenate(list(gaps.values())), np.max)
    linear, bent = left[str(identity)], left[str(relu)]
    # Folding is exact up to rounding; and of a curve that no straight line comes near, layers of identity units learn
    # nothing, whatever their number (the loss stays within a tenth of the 0.5 of a constant), where the same layers
    # with ReLU between them do (they halve it at least).
    said = together(
        verdict(worst.low, worst.high, f"[0, {_ROUNDING:g}]"),
        verdict(linear.low, linear.high, "[0.45, 0.55]"),
        verdict(bent.low, bent.high, "[0, 0.25]"),
    )
    facts: dict[str, float] = {
        "worst_ulp": worst.value, "linear_left": linear.value, "linear_low": linear.low, "relu_left": bent.value,
        "relu_high": bent.high, "layers_left": float(max(n for _, _, n in counts.values())),
    }  # fmt: skip
    return Measured(said, _statement(worst, linear, bent), worst.value, worst.low, worst.high,
                    _table(gaps, counts), _figure(left), facts)  # fmt: skip


def differences(sizes: list[int], seeds: int) -> Floats:
    """Largest difference of the scores before and after (seeds,), in units in the last place of the largest score."""
    network = Network(sizes, activation=identity)
    random, found = np.random.default_rng(0), []
    theta = network.initial(seeds=range(seeds), dtype=np.float64)
    theta = theta + random.normal(0, 0.1, theta.shape)  # biases other than 0
    X = random.normal(size=(ROWS, sizes[0]))
    single, folded = collapse(network, theta)
    for before, after in zip(network.scores(theta, X), single.scores(folded, X), strict=True):
        found.append(np.abs(before - after).max() / np.spacing(np.abs(before).max()))
    return np.array(found)


def folded_parameters(sizes: list[int]) -> tuple[int, int, int]:
    """Parameters before and after, and layers after."""
    network = Network(sizes, activation=identity)
    single, _ = collapse(network, network.initial(seed=0))
    return network.n_parameters, single.n_parameters, single.n_layers


def losses(unit: str, seeds: int, epochs: int) -> Floats:
    """Training loss (seeds,) of 1-16-16-1 on y = x², standardized, of which a straight line explains nothing."""
    x = np.linspace(-1, 1, ROWS)[:, np.newaxis]
    y = (x**2 - np.mean(x**2)) / np.std(x**2)
    network = Network([1, 16, 16, 1], activation=unit)
    runs = train(network, squared, x, y, seeds=range(seeds), rate=0.01, optimizer="adam", epochs=epochs)
    return np.asarray(runs.history.loss[-1], np.float64)


def _statement(worst: Estimate, linear: Estimate, bent: Estimate) -> Text:
    return Text(
        "Folded into one layer, the scores of networks of two to four layers without a non-linearity change by at "
        f"most {worst.value:.2g} units in the last place (95% bootstrap interval of the largest {worst.low:.2g} to "
        f"{worst.high:.2g}), and on y = x², where a constant answer has a loss of {_CONSTANT}, such layers end at "
        f"{linear.value:.3f} ({linear.low:.3f} to {linear.high:.3f}) and layers of ReLU at {bent.value:.3f} "
        f"({bent.low:.3f} to {bent.high:.3f}; 95% t intervals over seeds).",
        f"비선형성 없이 두 층에서 네 층까지 쌓은 신경망을 한 층으로 합쳐도 점수의 차이는 최대 {worst.value:.2g} "
        f"ULP(마지막 자리 단위)입니다(최댓값의 95% 부트스트랩 신뢰구간 {worst.low:.2g}~{worst.high:.2g}). y = x²에서 "
        f"상수로만 답하면 손실이 {_CONSTANT}인데, 이런 층들의 최종 손실은 {linear.value:.3f}({linear.low:.3f}~"
        f"{linear.high:.3f}), ReLU 층들의 최종 손실은 {bent.value:.3f}({bent.low:.3f}~{bent.high:.3f})입니다(시드에 "
        "대한 95% t 신뢰구간).",
    )


def _table(gaps: dict[str, Floats], counts: dict[str, tuple[int, int, int]]) -> Table:
    head = (
        Text("network", "신경망"),
        Text("parameters", "매개변수"),
        Text("parameters of the one layer", "한 층으로 합친 뒤의 매개변수"),
        Text("largest difference, ULP", "최대 차이(ULP)"),
    )
    rows = [(key, str(counts[key][0]), str(counts[key][1]), f"{own.max():.2g}") for key, own in gaps.items()]
    return Table(head, tuple(rows))


def _figure(left: dict[str, Estimate]) -> Figure:
    bars = series(Text("training loss", "훈련 손실"), [], left.values())
    alt = Text(
        "Training loss on y = x²: " + ", ".join(f"{one.value:.3f} with {unit}" for unit, one in left.items()),
        "y = x²의 훈련 손실: " + ", ".join(f"{unit} {one.value:.3f}" for unit, one in left.items()),
    )
    return Figure("bars", alt, y=Text("training loss", "훈련 손실"), series=(bars,), names=tuple(map(same, left)))


EXPERIMENT = Experiment(
    "collapse",
    ("1.3",),
    Text("Layers without a non-linearity are one", "비선형성이 없을 때 합쳐지는 층"),
    Text(
        "Without the non-linearity between them two matrices could be multiplied into one, so the scores would again "
        "be a linear function of the input.",
        "층 사이에 비선형성이 없으면 두 행렬을 곱해 하나로 합칠 수 있으므로 점수는 다시 입력의 선형 함수가 됩니다.",
    ),
    run,
)
