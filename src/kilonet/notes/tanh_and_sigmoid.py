"""Tanh and sigmoid: one is the other one scaled, to the last bits; and which of them learns better."""

import numpy as np
from numpy.typing import NDArray

from kilonet.activations import sigmoid, tanh
from kilonet.comparison import Comparison, corrected_t
from kilonet.measured import Figure, Measured, Series, Table, Text, together, verdict
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.intervals import Estimate, mean_of
from kilonet.notes.trials import TEST_TO_TRAIN, Grid, held_out, own_best, tasks

Floats = NDArray[np.float64]

HIDDEN = (32, 32)
RATES, PENALTIES = (3e-3, 1e-2, 3e-2, 1e-1), (1e-4, 1e-2)


def identity_error() -> float:
    """Largest error of tanh(x) = 2σ(2x) − 1 in float64, in units in the last place of 1, from 1e-12 to 1000."""
    x = np.concatenate([np.linspace(0, 25, 200_001), np.geomspace(1e-12, 1e3, 20_001)])
    x = np.concatenate([-x, x])
    error = np.abs(tanh.value(x) - (2 * sigmoid.value(2 * x) - 1))
    return float(error.max() / np.spacing(1.0))


def compared(grid: Grid) -> tuple[list[Comparison], list[float]]:
    """Of each task: logarithm of tanh's loss by sigmoid's, held-out with its interval over splits, and in training."""
    unseen, learned = [], []
    for task in tasks():
        found = {unit: held_out(task, unit, HIDDEN, grid) for unit in ("tanh", "sigmoid")}
        logs = [np.log(own_best(found["tanh"][part]) / own_best(found["sigmoid"][part])) for part in (0, 1)]
        unseen.append(corrected_t(logs[0], TEST_TO_TRAIN))
        learned.append(float(logs[1].mean()))
    return unseen, learned


def run(size: Size) -> Measured:
    """Measure it."""
    error = identity_error()
    grid = Grid(RATES, PENALTIES, seeds=size.of(4, 2), epochs=size.of(80, 40), splits=size.of(16, 8))
    unseen, learned = compared(grid)
    pooled = mean_of([c.difference for c in unseen])
    trained = mean_of(learned)
    better, worse = sum(c.high < 0 for c in unseen), sum(c.low > 0 for c in unseen)
    # The identity: three units in the last place of 1, since σ is rounded once and its error is doubled. "Always
    # preferred": the loss is lower over all tasks, in training and held out, and sigmoid is ahead on none of them.
    said = together(
        verdict(error, error, "[0, 3]"),
        verdict(trained.low, trained.high, "(-inf, 0)"),
        verdict(pooled.low, pooled.high, "(-inf, 0)"),
        verdict(worse, worse, "[0, 0]"),
    )
    facts = {
        "identity_ulp": error, "tasks": len(unseen), "tanh_ahead": better, "sigmoid_ahead": worse,
        "training_ratio_low": float(np.exp(trained.low)), "training_ratio_high": float(np.exp(trained.high)),
        "held_out_ratio_low": float(np.exp(pooled.low)), "held_out_ratio_high": float(np.exp(pooled.high)),
    }  # fmt: skip
    ratio, final = _exp(pooled), _exp(trained)
    statement = _statement(error, ratio, final, (better, worse, len(unseen)))
    return Measured(
        said, statement, final.value, final.low, final.high, _table(unseen, learned), _figure(unseen), facts
    )


def _exp(found: Estimate) -> Estimate:
    return Estimate(*(float(np.exp(bound)) for bound in (found.value, found.low, found.high)))


def _statement(error: float, ratio: Estimate, final: Estimate, counts: tuple[int, int, int]) -> Text:
    better, worse, total = counts
    return Text(
        f"tanh(x) = 2σ(2x) − 1 holds to {error:.2g} units in the last place of 1; over {total} tasks, each unit at "
        f"its own best rate and λ, the final training loss of tanh is {final.value:.2f} times that of sigmoid (95% "
        f"t-interval over tasks {final.low:.2f} to {final.high:.2f}), the held-out loss {ratio.value:.2f} times "
        f"({ratio.low:.2f} to {ratio.high:.2f}): tanh is surely ahead on {better} tasks, sigmoid on {worse}.",
        f"tanh(x) = 2σ(2x) − 1은 1의 마지막 자리 단위(ULP)로 {error:.2g} 이내에서 성립합니다. 과제 {total}개에서 "
        f"유닛마다 가장 좋은 학습률과 λ를 썼을 때, tanh의 최종 훈련 손실은 시그모이드의 {final.value:.2f}배(과제에 "
        f"대한 95% t-구간 {final.low:.2f}~{final.high:.2f}), 검증 손실은 "
        f"{ratio.value:.2f}배({ratio.low:.2f}~{ratio.high:.2f})였습니다. tanh가 확실히 앞선 과제는 {better}개, "
        f"시그모이드가 확실히 앞선 과제는 {worse}개입니다.",
    )


def _table(unseen: list[Comparison], learned: list[float]) -> Table:
    head = (
        Text("task", "과제"),
        Text("training loss, tanh by sigmoid", "훈련 손실, tanh/시그모이드"),
        Text("held-out loss, tanh by sigmoid", "검증 손실, tanh/시그모이드"),
        Text("95% interval over splits", "분할에 대한 95% 구간"),
    )
    rows = [
        (
            task.title, f"{np.exp(own):.2f}", f"{np.exp(c.difference):.2f}",
            f"{np.exp(c.low):.2f} – {np.exp(c.high):.2f}",
        )
        for task, c, own in zip(tasks(), unseen, learned, strict=True)
    ]  # fmt: skip
    return Table(head, tuple(rows))


def _figure(unseen: list[Comparison]) -> Figure:
    bars = Series.of(
        Text("held-out loss of tanh by that of sigmoid", "검증 손실의 비, tanh/시그모이드"), [],
        *(np.exp([getattr(c, part) for c in unseen]) for part in ("difference", "low", "high")),
    )  # fmt: skip
    alt = Text(
        "Held-out loss of tanh by that of sigmoid on each task, with intervals; below 1 tanh is better.",
        "과제별로 tanh의 검증 손실을 시그모이드의 검증 손실로 나눈 값과 그 구간. 1보다 작으면 tanh가 낫다.",
    )
    y = Text("held-out loss, tanh by sigmoid", "검증 손실의 비")
    names = tuple(task.title for task in tasks())
    return Figure("bars", alt, y=y, series=(bars,), names=names, claimed=1.0, log_y=True)


EXPERIMENT = Experiment(
    "tanh-and-sigmoid",
    ("2.7",),
    Text("Tanh against sigmoid", "tanh와 시그모이드"),
    Text(
        "Tanh is a scaled sigmoid, tanh(x) = 2σ(2x) − 1, but centred on zero, and in practice always to be preferred.",
        "tanh는 크기를 바꾼 시그모이드, 곧 tanh(x) = 2σ(2x) − 1이지만 중심이 0이어서 실제로는 언제나 시그모이드보다 "
        "낫다.",
    ),
    run,
)
