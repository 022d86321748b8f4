"""Regularization as gradual forgetting: what the penalty does to the weights, step by step, without and with data."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.losses import cross_entropy, squared
from kilonet.measured import Figure, Measured, Series, Table, Text, same, together, verdict
from kilonet.network import Network
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.intervals import Estimate, mean_of
from kilonet.notes.tasks import digits
from kilonet.notes.trials import orders
from kilonet.training import train

Floats = NDArray[np.float64]

SEEDS = 16
RATE, PENALTY = 0.1, 0.05  # where there are no data
PENALTIES = (0.0, 1e-3, 1e-2, 1e-1)  # where there are some


def without_data(steps: int) -> tuple[float, Floats]:
    """Largest error of a step in units in the last place, and the weights' norms (steps + 1, seeds) by the first.

    Inputs and targets are 0, and biases start there: no weight gets a gradient from the data. Each step is a call of
    its own, and its weights are compared with those before it times 1 − rate · λ, worked out in float64.
    """
    network = Network([20, 8, 1])
    mask, seeds = network.weight_mask, range(SEEDS)
    theta = network.initial(seeds=seeds)
    norms, worst = [_norms(theta[:, mask])], 0.0
    for _ in range(steps):
        before = theta[:, mask]
        theta = train(
            network, squared, np.zeros((4, 20)), np.zeros(4), theta=theta, seeds=seeds, optimizer="sgd", rate=RATE,
            l2=PENALTY, epochs=1, watch=0,
        ).theta  # fmt: skip
        kept = before.astype(np.float64) * (1 - RATE * PENALTY)
        worst = max(worst, float((np.abs(theta[:, mask] - kept) / np.spacing(np.abs(before))).max()))
        norms.append(_norms(theta[:, mask]))
    return worst, np.array(norms) / norms[0]


def with_data(epochs: int) -> tuple[Floats, float]:
    """Norms of all weights (epochs, penalties, seeds) while digits are learned, and the share that the penalty pulled.

    The share is of all weights of all trained members, in one step more with and without λ from the same place: of
    those that are nearer to zero with it than without.
    """
    X, y = digits(600)
    network = Network([X.shape[1], 32, 10])
    seeds = [seed for _ in PENALTIES for seed in range(SEEDS)]
    runs = train(
        network, cross_entropy, X, y, seeds=seeds, order=orders(seeds), l2=np.repeat(PENALTIES, SEEDS), rate=RATE,
        optimizer="sgd", epochs=epochs, watch=1,
    )  # fmt: skip
    norms = np.sqrt((runs.history.weight_norm.astype(np.float64) ** 2).sum(axis=-1))
    once: dict[str, Any] = {"seeds": seeds, "theta": runs.theta, "rate": RATE, "optimizer": "sgd", "epochs": 1}
    free, pulled = (
        train(network, cross_entropy, X, y, **once, batch=len(X), order=None, l2=l2, watch=0).theta
        for l2 in (0.0, PENALTIES[1])
    )
    towards = (pulled - free) * runs.theta < 0
    return norms.reshape(epochs, len(PENALTIES), SEEDS), float(towards[:, network.weight_mask].mean())


def _norms(weights: Any) -> Floats:
    found: Floats = np.linalg.norm(weights.astype(np.float64), axis=-1)
    return found


def run(size: Size) -> Measured:
    """Measure it."""
    steps, epochs = size.of(1000, 200), size.of(100, 40)
    worst, curve = without_data(steps)
    norms, towards = with_data(epochs)
    factor = mean_of(curve[-1] ** (1 / steps))
    left = [mean_of(norms[-1, place] / norms[-1, 0]) for place in range(1, len(PENALTIES))]
    # "Every update pulls every weight towards zero": to one unit in the last place where only the penalty acts, every
    # weight where the data pull too, and the trained weights are shorter for it.
    said = together(
        verdict(worst, worst, "[0, 1]"),
        verdict(towards, towards, "[1, 1]"),
        *(verdict(ratio.low, ratio.high, "[0, 1)") for ratio in left),
    )
    facts = {
        "worst_ulp": worst, "towards_zero": towards, "left_at_0.1_high": left[-1].high,
        "closed_form_error": float(np.abs(curve[-1] / (1 - RATE * PENALTY) ** steps - 1).max()),
    }  # fmt: skip
    return Measured(said, _statement(worst, factor, towards, left[-1]), factor.value, factor.low, factor.high,
                    _table(left), _figure(curve, norms), facts)  # fmt: skip


def _statement(worst: float, factor: Estimate, towards: float, left: Estimate) -> Text:
    claimed, strongest = 1 - RATE * PENALTY, PENALTIES[-1]
    return Text(
        f"Where only the penalty acts, a step leaves {factor.value:.6f} of the weights' norm (95% t-interval over "
        f"{SEEDS} seeds {factor.low:.6f} to {factor.high:.6f}; 1 − rate·λ is {claimed:g}), and no weight is off by "
        f"more than {worst:.2g} units in the last place; where digits are learned it pulls {towards:.0%} of the "
        f"weights towards zero in a step, and with λ = {strongest:g} their norm ends at {left.value:.1%} "
        f"({left.low:.1%} to {left.high:.1%}) of the norm without the penalty.",
        f"벌점만 작용할 때 가중치의 노름은 스텝마다 {factor.value:.6f}배가 되었고(시드 {SEEDS}개의 95% t 신뢰구간 "
        f"{factor.low:.6f}~{factor.high:.6f}, 1 − 학습률·λ는 {claimed:g}), 가중치 하나하나의 오차는 최대 {worst:.2g} "
        f"ULP(마지막 자리 단위)였습니다. 손글씨 숫자를 학습할 때는 한 스텝에 가중치의 {towards:.0%}가 0 쪽으로 "
        f"당겨졌고, 학습을 마쳤을 때 λ = {strongest:g}인 가중치의 노름은 벌점이 없을 때의 "
        f"{left.value:.1%}({left.low:.1%}~{left.high:.1%})였습니다.",
    )


def _table(left: list[Estimate]) -> Table:
    rows = [
        (f"{penalty:g}", f"{ratio.value:.1%}", f"{ratio.low:.1%} – {ratio.high:.1%}")
        for penalty, ratio in zip(PENALTIES[1:], left, strict=True)
    ]
    head = Text("weights' norm, by that of λ = 0", "가중치의 노름(λ = 0 대비)")
    return Table((same("λ"), head, Text("95% interval", "95% 신뢰구간")), tuple(rows))


def _figure(curve: Floats, norms: Floats) -> Figure:
    steps = np.arange(len(curve))
    batches = steps[-1] / (len(norms) - 1)  # epochs are stretched to the same axis: both are shares of the way
    lines = [
        Series.of(Text("no data, measured", "데이터 없음(측정값)"), steps, curve.mean(axis=1)),
        Series.of(Text("(1 − rate·λ)^t", "(1 − 학습률·λ)^t"), steps, (1 - RATE * PENALTY) ** steps),
    ]
    for place, penalty in enumerate(PENALTIES):
        label = Text(f"digits, λ = {penalty:g}", f"손글씨 숫자, λ = {penalty:g}")
        lines.append(
            Series.of(label, np.arange(len(norms)) * batches, (norms[:, place] / norms[0, place]).mean(axis=1))
        )
    return Figure(
        "lines",
        Text(
            "Norm of the weights by that at the start: without data beside (1 − rate·λ)^t, and on digits for each λ.",
            "시작할 때를 1로 놓은 가중치의 노름: 데이터가 없을 때를 (1 − 학습률·λ)^t와 함께, 손글씨 숫자를 학습할 "
            "때를 λ마다 보여 줍니다.",
        ),
        x=Text("steps without data (digits: share of the way)", "스텝 수(데이터 없음; 손글씨 숫자는 진행 비율)"),
        y=Text("norm of the weights, start = 1", "가중치의 노름(시작 = 1)"),
        series=tuple(lines),
    )


EXPERIMENT = Experiment(
    "gradual-forgetting",
    ("2.4",),
    Text("Gradual forgetting", "점진적 망각"),
    Text(
        "Regularization makes a neuron forget little by little: every update pulls all weights towards zero.",
        "정규화는 뉴런이 조금씩 잊게 합니다. 갱신할 때마다 모든 가중치를 0 쪽으로 끌어당깁니다.",
    ),
    run,
)
