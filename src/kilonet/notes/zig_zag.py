"""Zig-zag: inputs that are all positive force the weight gradients of a unit to one sign, one example at a time."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.losses import cross_entropy
from kilonet.measured import Figure, Measured, Table, Text, same, together, verdict
from kilonet.network import Network
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.intervals import Estimate, mean_of
from kilonet.notes.tasks import digits, pixels
from kilonet.notes.told import series, spanned
from kilonet.notes.trials import at_rates, best_rate
from kilonet.training import value_and_grad

Floats = NDArray[np.float64]

SEEDS, CHOOSING = 16, 8  # seeds that are judged, and others that choose the rate of a training
BATCHES = (1, 4, 16, 64, 256)
BATCH = 64  # the one that is judged
UNITS = ("sigmoid", "relu", "tanh")  # the inputs of the second layer: in (0, 1), from 0 on, of both signs
RATES = (0.1, 0.3, 1.0)


def agreement(unit: str, draws: int) -> tuple[Floats, float]:
    """Shares (batches, seeds) of a unit's weight gradients with its commoner sign, and the lowest with one example.

    Of the second hidden layer, at the initial weights, over so many batches of each size. Gradients of exactly 0 have
    no sign and are left out; a unit of which all are 0 too.
    """
    X, y = digits(600)
    network = Network([X.shape[1], 32, 32, 10], activation=unit)
    theta = network.initial(seeds=range(SEEDS), dtype=np.float64)
    random = np.random.default_rng(0)
    found, lowest = np.empty((len(BATCHES), SEEDS)), 1.0
    for place, batch in enumerate(BATCHES):
        shares = []
        for _ in range(draws):
            rows = random.choice(len(X), batch, replace=False)
            _, gradient = value_and_grad(network, cross_entropy, theta, X[rows], y[rows])
            shares.append(_commoner(network.views(gradient)[1].W))
        found[place] = np.nanmean(shares, axis=(0, 2))
        lowest = float(np.nanmin(shares)) if batch == 1 else lowest
    return found, lowest


def _commoner(W: Any) -> Floats:
    """The share of the commoner sign among the weight gradients of each unit: (seeds, units)."""
    above, below = (W > 0).sum(axis=-1), (W < 0).sum(axis=-1)
    signed = above + below
    shares: Floats = np.where(signed > 0, np.maximum(above, below) / np.maximum(signed, 1), np.nan)
    return shares


def variation(unit: str) -> float:
    """How much the inputs of the second hidden layer vary over the rows, by their mean, at the initial weights.

    Of an example and of a sum over examples all gradients of a unit have one sign as far as its inputs are alike: what
    a batch can mitigate depends on this number.
    """
    X, _ = digits(600)
    network = Network([X.shape[1], 32, 32, 10], activation=unit)
    outputs = np.asarray(network.hidden(network.initial(seeds=range(SEEDS), dtype=np.float64), X)[0])
    return float(outputs.std(axis=-2).mean() / outputs.mean())


def cost(epochs: int) -> Estimate:
    """Loss after training on pixels from 0 to 1 by that on the same ones centred, each at its own best rate.

    The rate is chosen by other seeds than those that are judged.
    """
    X, y = pixels(600)
    network = Network([X.shape[1], 32, 10], activation="tanh")
    ends = []
    for inputs in (X, X - X.mean(axis=0)):
        runs = at_rates(network, inputs, y, RATES, SEEDS + CHOOSING, epochs=epochs)
        ends.append(best_rate(runs.history.loss[-1].reshape(len(RATES), -1), SEEDS))
    return mean_of(np.log(ends[0] / ends[1])).exp()


def run(size: Size) -> Measured:
    """Measure it."""
    measured = {unit: agreement(unit, size.of(40, 10)) for unit in UNITS}
    slower = cost(size.of(40, 15))
    estimates = {unit: [mean_of(shares) for shares in found] for unit, (found, _) in measured.items()}
    lowest = measured["sigmoid"][1]
    batch = estimates["sigmoid"][BATCHES.index(BATCH)]
    # One example: all of one sign, without exception. A batch: fewer, which is all that "somewhat mitigated" says. What
    # it costs is told beside it: the notes give no number, and centring helps a training in other ways too.
    said = together(verdict(lowest, lowest, "[1, 1]"), verdict(batch.low, batch.high, "[0.5, 1)"))
    facts = {
        "lowest_of_one": lowest, "batch": batch.value, "batch_low": batch.low, "batch_high": batch.high,
        "tanh_of_one_high": estimates["tanh"][0].high, "cost": slower.value, "cost_low": slower.low,
        "cost_high": slower.high,
    } | {f"variation_{unit}": variation(unit) for unit in UNITS[:2]} | {
        f"{unit}_{n}": one.value for unit, found in estimates.items() for n, one in zip(BATCHES, found, strict=True)
    }  # fmt: skip
    statement = _statement(facts, batch, slower)
    return Measured(said, statement, batch.value, batch.low, batch.high, _table(estimates), _figure(estimates), facts)


def _statement(facts: dict[str, float], batch: Estimate, slower: Estimate) -> Text:
    few, lowest = BATCHES[1], f"{facts['lowest_of_one']:.0%}"
    four, relu_four, relu_many = (f"{facts[name]:.1%}" for name in (f"sigmoid_{few}", f"relu_{few}", f"relu_{BATCH}"))
    varied, more_varied = (f"{facts[f'variation_{unit}']:.0%}" for unit in UNITS[:2])
    return Text(
        f"Behind sigmoid units {lowest} of a unit's weight gradients have one sign for every single example, {four} "
        f"in batches of {few} and {batch.value:.1%} (95% t-interval over {SEEDS} seeds {batch.low:.1%} to "
        f"{batch.high:.1%}) in batches of {BATCH}; behind ReLU, whose outputs vary by {more_varied} of their mean "
        f"where those of sigmoid vary by {varied}, {relu_four} and {relu_many}; the cost is not judged: training on "
        f"pixels from 0 to 1 ends at {slower.value:.3g} ({slower.low:.3g} to {slower.high:.3g}) times the loss of "
        "centred ones.",
        f"시그모이드 층 다음의 유닛에서 부호가 같은 가중치 기울기는 예제 하나마다 {lowest}, 크기가 {few}인 배치에서 "
        f"{four}, {BATCH}인 배치에서 {batch.value:.1%}(시드 {SEEDS}개의 95% t 신뢰구간 "
        f"{batch.low:.1%}~{batch.high:.1%})였습니다. 시그모이드의 출력은 평균의 {varied}만큼, ReLU의 출력은 "
        f"{more_varied}만큼 변하는데, ReLU 층 다음에서는 같은 배치 크기에서 {relu_four}와 {relu_many}였습니다. 비용은 "
        f"판정에 넣지 않았습니다. 0~1의 픽셀로 학습한 뒤의 손실은 중심을 0으로 옮긴 픽셀로 학습했을 때의 "
        f"{slower.value:.3g}배({slower.low:.3g}~{slower.high:.3g})였습니다.",
    )


def _table(estimates: dict[str, list[Estimate]]) -> Table:
    head = (Text("batch", "배치 크기"), *(Text(f"behind {unit}", f"{unit} 다음 층") for unit in UNITS))
    rows = []
    for place, size in enumerate(BATCHES):
        found = [estimates[unit][place] for unit in UNITS]
        rows.append((str(size), *(spanned(one, ".1%") for one in found)))
    return Table(head, tuple(rows))


def _figure(estimates: dict[str, list[Estimate]]) -> Figure:
    lines = [series(same(unit), BATCHES, found) for unit, found in estimates.items()]
    alt = Text(
        "Share of a unit's weight gradients with one sign, against the batch, behind each type of unit.",
        "유닛 종류와 배치 크기에 따른, 부호가 같은 가중치 기울기의 비율.",
    )
    y = Text("gradients with the commoner sign", "더 많은 쪽 부호인 기울기의 비율")
    return Figure("lines", alt, x=Text("batch", "배치 크기"), y=y, series=tuple(lines), claimed=1.0, log_x=True)


EXPERIMENT = Experiment(
    "zig-zag",
    ("2.6",),
    Text("Zig-zag", "지그재그"),
    Text(
        "Where all inputs of a neuron are positive, the gradients of its weights all have one sign, so that steps "
        "zig-zag; adding them up over a batch mitigates it somewhat.",
        "뉴런의 입력이 모두 양수이면 가중치의 기울기가 모두 같은 부호가 되어 갱신 방향이 지그재그로 흔들립니다. 배치 "
        "전체에 걸쳐 더하면 어느 정도 누그러집니다.",
    ),
    run,
)
