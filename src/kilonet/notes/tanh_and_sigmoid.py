"""Tanh and sigmoid: one is the other one scaled, to the last bits; and which of them learns better."""

import numpy as np

from kilonet.activations import sigmoid, tanh
from kilonet.comparison import Comparison
from kilonet.measured import Figure, Measured, Table, Text, together, verdict
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.held_out import judged, of_units, over_tasks, ratio, sure
from kilonet.notes.intervals import Estimate
from kilonet.notes.tasks import tasks
from kilonet.notes.told import series


def identity_error() -> float:
    """Largest error of tanh(x) = 2σ(2x) − 1 in float64, in units in the last place of 1, from 1e-12 to 1000."""
    x = np.concatenate([np.linspace(0, 25, 200_001), np.geomspace(1e-12, 1e3, 20_001)])
    x = np.concatenate([-x, x])
    error = np.abs(tanh.value(x) - (2 * sigmoid.value(2 * x) - 1))
    return float(error.max() / np.spacing(1.0))


def compared(splits: int, epochs: int) -> tuple[list[Comparison], list[float]]:
    """Of each task: logarithm of tanh's loss by sigmoid's, held-out with its interval over splits, and in training."""
    found = [judged(task, of_units("tanh", "sigmoid"), splits, seeds=2, epochs=epochs) for task in tasks()]
    unseen = [ratio(one.best("tanh"), one.best("sigmoid")) for one in found]
    return unseen, [ratio(one.learned("tanh"), one.learned("sigmoid")).difference for one in found]


def run(size: Size) -> Measured:
    """Measure it."""
    error = identity_error()
    unseen, learned = compared(splits=size.of(12, 6), epochs=80)
    pooled, trained = over_tasks([one.difference for one in unseen]), over_tasks(learned)
    better, worse = sure(unseen)
    # The identity: three units in the last place of 1, since σ is rounded once and its error is doubled. "Always
    # preferred": the loss is lower over the tasks, in training and held out, by however little, and sigmoid is ahead
    # beyond chance on none of them.
    said = together(
        verdict(error, error, "[0, 3]"),
        verdict(trained.low, trained.high, "[0, 1)"),
        verdict(pooled.low, pooled.high, "[0, 1)"),
        verdict(worse, worse, "[0, 0]"),
    )
    facts = {
        "identity_ulp": error, "tasks": len(unseen), "tanh_ahead": better, "sigmoid_ahead": worse,
        "training_ratio_low": trained.low, "training_ratio_high": trained.high,
        "held_out_ratio_low": pooled.low, "held_out_ratio_high": pooled.high,
    }  # fmt: skip
    statement = _statement(error, pooled, trained, (better, worse, len(unseen)))
    return Measured(
        said, statement, trained.value, trained.low, trained.high, _table(unseen, learned), _figure(unseen), facts
    )


def _statement(error: float, ratio: Estimate, final: Estimate, counts: tuple[int, int, int]) -> Text:
    better, worse, total = counts
    return Text(
        f"tanh(x) = 2σ(2x) − 1 holds to {error:.2g} units in the last place of 1; over {total} tasks, each at its own "
        f"best rate and λ, tanh has {final.value:.2f} times the training loss of sigmoid (95% interval over tasks "
        f"{final.low:.2f} to {final.high:.2f}) and {ratio.value:.2f} times its held-out loss ({ratio.low:.2f} to "
        f"{ratio.high:.2f}), beyond chance lower on {better} tasks and higher on {worse}.",
        f"tanh(x) = 2σ(2x) − 1은 1의 ULP(마지막 자리 단위)로 {error:.2g} 이내에서 성립합니다. 과제 {total}개에서 "
        f"저마다 가장 좋은 학습률과 λ를 썼을 때, tanh의 훈련 손실은 시그모이드의 {final.value:.2f}배(과제에 대한 95% "
        f"신뢰구간 {final.low:.2f}~{final.high:.2f}), 검증 손실은 {ratio.value:.2f}배({ratio.low:.2f}~"
        f"{ratio.high:.2f})였습니다. 검증 손실이 우연으로 볼 수 없을 만큼 낮은 과제는 {better}개, 높은 과제는 "
        f"{worse}개입니다.",
    )


def _table(unseen: list[Comparison], learned: list[float]) -> Table:
    head = (
        Text("task", "과제"),
        Text("training loss, tanh by sigmoid", "훈련 손실의 비(tanh/시그모이드)"),
        Text("held-out loss, tanh by sigmoid", "검증 손실의 비(tanh/시그모이드)"),
        Text("95% interval over splits", "분할에 대한 95% 신뢰구간"),
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
    label = Text("held-out loss of tanh by that of sigmoid", "검증 손실의 비(tanh/시그모이드)")
    bars = series(label, [], [Estimate.of(one).exp() for one in unseen])
    alt = Text(
        "Held-out loss of tanh by that of sigmoid on each task, with intervals; below 1 tanh is better.",
        "과제별로 tanh의 검증 손실을 시그모이드의 검증 손실로 나눈 값과 그 신뢰구간. 1보다 작으면 tanh가 낫습니다.",
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
        "tanh는 크기를 조정한 시그모이드, 곧 tanh(x) = 2σ(2x) − 1이지만, 출력의 중심이 0이고 실제로는 언제나 "
        "시그모이드보다 나은 선택입니다.",
    ),
    run,
)
