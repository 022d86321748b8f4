"""Which type of neuron? A ranking of five types over many tasks, each at its own best settings."""

import numpy as np
from numpy.typing import NDArray

from kilonet.measured import Figure, Measured, Table, Text, Verdict, same, together, verdict
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.held_out import judged, of_units, over_tasks
from kilonet.notes.intervals import Estimate, mean_of
from kilonet.notes.tasks import tasks
from kilonet.notes.told import series, spanned

Floats = NDArray[np.float64]

TYPES = ("relu", "leaky_relu", "maxout", "tanh", "sigmoid")
CLAIMS = (("tanh", "relu"), ("tanh", "maxout"), ("sigmoid", "relu"), ("sigmoid", "tanh"))
"""Pairs of which the notes expect the first to be worse."""


def losses(splits: int, seeds: int, epochs: int) -> Floats:
    """Held-out losses (tasks, types), geometric means over splits, each type at its own best rate and λ."""
    found = [judged(task, of_units(*TYPES), splits, seeds, epochs=epochs) for task in tasks()]
    return np.exp([[np.log(one.best(unit)).mean() for unit in TYPES] for one in found])


def _ranks(table: Floats) -> Floats:
    """Rank 1 for the lowest loss of each task, (tasks, types)."""
    found: Floats = (table[:, :, np.newaxis] > table[:, np.newaxis, :]).sum(axis=-1) + 1.0
    return found


def run(size: Size) -> Measured:
    """Measure it."""
    table = losses(splits=size.of(6, 3), seeds=2, epochs=size.of(50, 30))
    ranks = [mean_of(column) for column in _ranks(table).T]
    logs = np.log(table)
    ratios = {}
    for worse, better in CLAIMS:
        ratios[worse, better] = over_tasks(logs[:, TYPES.index(worse)] - logs[:, TYPES.index(better)])
    # "Worse" is a loss that is higher over the tasks, by however little: all of the interval above 1 says so, all below
    # says the contrary.
    verdicts: list[Verdict] = [verdict(found.low, found.high, "(1, inf)") for found in ratios.values()]
    facts = {f"{a}_by_{b}_{part}": getattr(e, part) for (a, b), e in ratios.items() for part in ("low", "high")}
    facts |= {f"rank_{unit}": rank.value for unit, rank in zip(TYPES, ranks, strict=True)} | {"tasks": len(table)}
    main = ratios["tanh", "relu"]
    said = together(*verdicts)
    statement = _statement(ratios, len(table))
    return Measured(said, statement, main.value, main.low, main.high, _table(table, ranks), _figure(ranks), facts)


def _statement(ratios: dict[tuple[str, str], Estimate], total: int) -> Text:
    said = [f"{a}/{b} {e.value:.2f} ({e.low:.2f} – {e.high:.2f})" for (a, b), e in ratios.items()]
    return Text(
        f"Over {total} tasks, each type at its own best rate and λ, the ratios of held-out losses, with 95% intervals "
        f"over tasks, are {', '.join(said[:-1])} and {said[-1]}, where above 1 the first type is worse.",
        f"과제 {total}개에서 뉴런 종류마다 가장 좋은 학습률과 λ를 썼을 때 검증 손실의 비는 "
        f"{', '.join(said)}입니다(1보다 크면 앞의 종류가 못합니다. 괄호 안은 과제에 대한 95% 신뢰구간).",
    )


def _table(table: Floats, ranks: list[Estimate]) -> Table:
    rows: list[tuple[Text | str, ...]] = [
        (task.title, *(f"{loss:.3g}" for loss in own)) for task, own in zip(tasks(), table, strict=True)
    ]
    shown = (spanned(rank, ".1f") for rank in ranks)
    rows.append((Text("mean rank (95% interval)", "평균 순위(95% 신뢰구간)"), *shown))
    return Table((Text("held-out loss", "검증 손실"), *map(same, TYPES)), tuple(rows))


def _figure(ranks: list[Estimate]) -> Figure:
    bars = series(Text("mean rank", "평균 순위"), [], ranks)
    alt = Text(
        "Mean rank of each type of neuron over all tasks, with t-intervals over tasks; 1 is best.",
        "모든 과제에 대한 뉴런 종류별 평균 순위와 과제에 대한 t 신뢰구간. 1이 가장 좋습니다.",
    )
    y = Text("mean rank of the held-out loss", "검증 손실의 평균 순위")
    return Figure("bars", alt, y=y, series=(bars,), names=tuple(map(same, TYPES)))


EXPERIMENT = Experiment(
    "neuron-types",
    ("2.13",),
    Text("Which type of neuron", "뉴런 종류의 선택"),
    Text(
        "Use ReLU; where dead units are a worry try leaky ReLU or maxout; expect tanh to be worse than ReLU and "
        "maxout; never use sigmoid.",
        "ReLU를 쓰고, 죽은 유닛이 걱정되면 leaky ReLU나 맥스아웃을 써 보십시오. tanh는 ReLU나 맥스아웃보다 못하다고 "
        "보십시오. 시그모이드는 절대 쓰지 마십시오.",
    ),
    run,
)
