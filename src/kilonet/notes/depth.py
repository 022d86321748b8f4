"""Does depth help on real data? Networks of 2 to 7 layers with about as many parameters each."""

from collections.abc import Sequence
from itertools import count

import numpy as np

from kilonet.measured import Figure, Measured, Table, Text, together, verdict
from kilonet.network import Network
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.held_out import MARGIN, Candidate, Floats, judged, pooled, ratio, sure
from kilonet.notes.intervals import Estimate
from kilonet.notes.tasks import Task, real
from kilonet.notes.told import percents, series
from kilonet.numerals import count as counted
from kilonet.optimizers import Adam

HIDDEN = (1, 2, 3, 4, 5, 6)  # hidden layers; the layers are one more, since the scores are a layer too
_PARAMETERS, _EPOCHS = 2000, 60
_RATES, _STRENGTHS = (0.003, 0.01), (0.001, 0.01)
# The notes: 3 layers often beat 2, so the loss falls, in the mean over these data of its logarithm; and 4, 5 and 6
# layers rarely help much more than 3: none of them lowers the loss by more than the margin of what is about as good.
_LOWER, _LITTLE = "(-inf, 0)", f"[{-np.log(MARGIN)}, inf)"


def _run(size: Size) -> Measured:
    splits, seeds, strengths = size.of(12, 6), size.of(4, 2), size.of(_STRENGTHS, _STRENGTHS[1:])
    each = [_losses(task, splits, seeds, strengths) for task in real()]
    third = [ratio(found[:, 1], found[:, 0]) for found in each]
    better, worse = sure(third)
    deeper = [pooled([ratio(found[:, depth - 1], found[:, 1]) for found in each]) for depth in HIDDEN[2:]]
    lower = pooled(third)
    judged = [verdict(lower.low, lower.high, _LOWER)]
    judged += [verdict(one.low, one.high, _LITTLE) for one in deeper[:3]]
    facts = {f"layers_{depth + 1}": one.value for depth, one in zip(HIDDEN[2:], deeper, strict=True)} | {
        f"layers_{depth + 1}_low": one.low for depth, one in zip(HIDDEN[2:], deeper, strict=True)
    } | {
        f"layers_{depth + 1}_high": one.high for depth, one in zip(HIDDEN[2:], deeper, strict=True)
    } | {
        "layers_3": lower.value, "layers_3_low": lower.low, "layers_3_high": lower.high, "tasks": float(len(each)),
        "better": float(better), "worse": float(worse),
        "splits": float(splits), "seeds": float(seeds),
    }  # fmt: skip
    return Measured(
        together(*judged), _statement(lower, deeper, facts), lower.value, lower.low, lower.high, _table(each),
        _figure(each), facts,
    )  # fmt: skip


def sizes(inputs: int, outputs: int, depth: int) -> tuple[int, ...]:
    """As many equal hidden layers, as wide as brings the parameters nearest to the common number.

    >>> sizes(64, 10, 1), sizes(64, 10, 6)
    ((27,), (13, 13, 13, 13, 13, 13))
    """

    def parameters(units: int) -> int:
        return Network([inputs, *[units] * depth, outputs]).n_parameters

    enough = next(units for units in count(2) if parameters(units) >= _PARAMETERS)
    return (min(enough - 1, enough, key=lambda units: abs(parameters(units) - _PARAMETERS)),) * depth


def _losses(task: Task, splits: int, seeds: int, strengths: Sequence[float]) -> Floats:
    """Held-out losses (splits, depths), each depth at the rate and λ that suit it."""
    settings = [(("rate", rate), ("l2", l2)) for rate in _RATES for l2 in strengths]
    candidates = [
        Candidate(str(depth), sizes(task.X.shape[1], task.n_outputs, depth), own)
        for depth in HIDDEN
        for own in settings
    ]
    found = judged(task, candidates, splits, seeds, optimizer=Adam(), schedule="cosine", batch=32, epochs=_EPOCHS)
    return np.stack([found.best(str(depth)) for depth in HIDDEN], axis=1)


def _statement(lower: Estimate, deeper: Sequence[Estimate], facts: dict[str, float]) -> Text:
    third = percents(lower.change(), 0, "+")
    more = ", ".join(percents(one.change(), 0, "+") for one in deeper[:3])
    tasks, better, worse = (int(facts[name]) for name in ("tasks", "better", "worse"))
    splits, seeds = int(facts["splits"]), int(facts["seeds"])
    return Text(
        f"With about {_PARAMETERS:,} parameters each, the held-out loss changes by {third} from 2 to 3 layers (beyond "
        f"chance lower on {better} of {tasks} real data sets, higher on {worse}), and from 3 to 4, 5 and 6 layers by "
        f"{more} (geometric means, corrected 95% t over {splits} splits, {counted(seeds, 'seed')} each).",
        f"매개변수가 저마다 약 {_PARAMETERS:,}개일 때 검증 손실은 2층에서 3층으로 가면 {third} 변하고(실제 데이터 "
        f"{tasks}개 중 우연으로 볼 수 없을 만큼 낮은 것이 {better}개, 높은 것이 {worse}개), 3층에서 4층, 5층, 6층으로 "
        f"가면 차례로 {more} 변합니다(기하평균, 분할 {splits}번에 시드 {seeds}개씩 구한 보정 95% t 신뢰구간).",
    )


def _table(each: Sequence[Floats]) -> Table:
    head = (Text("data", "데이터"), *(Text(f"{depth + 1} layers", f"{depth + 1}층") for depth in HIDDEN))
    rows: list[tuple[Text | str, ...]] = [
        (task.title, *(f"{loss:.3f}" for loss in found.mean(axis=0))) for task, found in zip(real(), each, strict=True)
    ]
    every = [pooled([ratio(found[:, depth - 1], found[:, 0]) for found in each]) for depth in HIDDEN[1:]]
    rows.append(
        (Text("all, against 2 layers", "전체, 2층 대비"), "", *(percents(one.change(), 0, "+") for one in every))
    )
    return Table(head, tuple(rows))


def _figure(each: Sequence[Floats]) -> Figure:
    layers = [depth + 1 for depth in HIDDEN]
    lines = []
    for task, found in zip(real(), each, strict=True):
        ratios = [Estimate.of(ratio(found[:, depth - 1], found[:, 0])).exp() for depth in HIDDEN]
        lines.append(series(task.title, layers, ratios))
    alt = Text(
        "Held-out loss over that of 2 layers, from 2 to 7 layers, for each data set; below 1 the deeper is better.",
        "데이터마다 2층부터 7층까지 검증 손실을 2층의 검증 손실로 나눈 비. 1보다 작으면 더 깊은 쪽이 낫습니다.",
    )
    return Figure("lines", alt, Text("layers", "층 수"), Text("loss, over that of 2 layers", "2층 대비 검증 손실"),
                  tuple(lines), claimed=1.0, log_y=True)  # fmt: skip


EXPERIMENT = Experiment(
    "depth",
    ("4.3",),
    Text("Does depth help?", "깊이의 효과"),
    Text(
        "Though equal in power, 3-layer networks often beat 2-layer ones in practice, while 4, 5 and 6 layers rarely "
        "help much more.",
        "표현력은 같아도 실제로는 3층 신경망이 2층 신경망보다 나은 경우가 많습니다. 그러나 4층, 5층, 6층으로 더 "
        "깊어져도 크게 나아지는 일은 드뭅니다.",
    ),
    _run,
)
