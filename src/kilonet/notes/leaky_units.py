"""Leaky ReLU, PReLU and maxout: what they are worth where ReLU dies, and on ordinary tasks."""

from typing import Any

import numpy as np

from kilonet.activations import leaky_relu, prelu, relu
from kilonet.comparison import Comparison
from kilonet.measured import Figure, Measured, Table, Text, same, together, verdict
from kilonet.network import Dense, Maxout, Network
from kilonet.notes import held_out
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.intervals import Estimate, mean_of, share
from kilonet.notes.rates import Floats, Sweep, share_silent, sweep
from kilonet.notes.tasks import digits, tasks
from kilonet.notes.told import points, series

# The notes: these units mend dying, so they learn more than ReLU at a rate where it dies, which is fixed beforehand;
# and what leaky slopes are worth differs from task to task: they do not help on nine of ten tasks or more, as what is
# a consistent help would.
_MENDED, _MIXED = "(0, inf)", "[0, 0.9)"
_RATES, _DEADLY = (0.1, 0.7, 1.0, 1.5), 1.0
_SOUND = 0.01  # on the tasks, by Adam
_LAYERS: dict[str, Any] = {"relu": Dense(64, relu), "leaky_relu": Dense(64, leaky_relu), "prelu": Dense(64, prelu),
                           "maxout": Maxout(64)}  # fmt: skip
_NAMES = {"relu": same("ReLU"), "leaky_relu": same("leaky ReLU"), "prelu": same("PReLU"), "maxout": same("maxout")}
_LEAKY = ("leaky_relu", "prelu")
_GUESSED = 0.1  # of ten digits, where a network has left the finite numbers


def _run(size: Size) -> Measured:
    X, y = digits()
    seeds, epochs = size.of(16, 12), size.of(10, 6)
    swept = {unit: sweep(Network([64, own, own, 10]), X, y, _RATES, seeds, epochs) for unit, own in _LAYERS.items()}
    accuracy = {unit: _at_the_deadly_rate(one) for unit, one in swept.items()}
    gains = {unit: mean_of(own - accuracy["relu"]) for unit, own in accuracy.items()}
    found = _on_tasks(splits=size.of(10, 6), seeds=4, epochs=size.of(40, 15))
    wins = {unit: share(sum(one.difference < 0 for one in found[unit]), len(found[unit])) for unit in _LEAKY}
    judged = together(
        *(verdict(gains[unit].low, gains[unit].high, _MENDED) for unit in ("leaky_relu", "maxout")),
        *(verdict(wins[unit].low, wins[unit].high, _MIXED) for unit in _LEAKY),
    )
    sure = {unit: sum(held_out.sure(found[unit])) for unit in _LEAKY}
    facts = _facts(gains, wins, sure, swept) | {"relu_dead": _dead_at_the_deadly_rate(swept["relu"], X)}
    main = wins["leaky_relu"]
    statement = _statement(facts, gains, wins, seeds)
    return Measured(judged, statement, main.value, main.low, main.high, _table(swept, X), _figure(found), facts)


def _at_the_deadly_rate(swept: Sweep) -> Floats:
    """Training accuracy of every seed at the rate that is judged."""
    place = _RATES.index(_DEADLY)
    return np.where(swept.finite[place], swept.accuracy[place], _GUESSED)


def _dead_at_the_deadly_rate(swept: Sweep, X: Any) -> float:
    """The share of hidden units that are above zero on no row, of runs that stay finite."""
    place = _RATES.index(_DEADLY)
    return float(share_silent(swept.network, swept.theta[place][swept.finite[place]], X).mean())


def _on_tasks(splits: int, seeds: int, epochs: int) -> dict[str, list[Comparison]]:
    """The leaky units against ReLU on every task, at a rate that is sound for all: logarithms of ratios of losses."""
    each = [held_out.Candidate(unit, (32, 32), (), unit) for unit in ("relu", *_LEAKY)]
    found = [held_out.judged(task, each, splits, seeds, rate=_SOUND, epochs=epochs) for task in tasks()]
    return {unit: [held_out.ratio(one.best(unit), one.best("relu")) for one in found] for unit in _LEAKY}


def _facts(gains: dict[str, Estimate], wins: dict[str, Estimate], sure: dict[str, int], swept: dict[str, Sweep]) -> Any:
    facts = {"tasks": float(len(tasks()))}
    for unit in ("leaky_relu", "maxout"):
        facts |= {f"{unit}_gain": gains[unit].value, f"{unit}_gain_low": gains[unit].low,
                  f"{unit}_gain_high": gains[unit].high}  # fmt: skip
    for unit in _LEAKY:
        facts |= {f"{unit}_wins": wins[unit].value, f"{unit}_wins_low": wins[unit].low,
                  f"{unit}_wins_high": wins[unit].high, f"{unit}_sure": float(sure[unit])}  # fmt: skip
    return facts | {f"{unit}_finite": float(one.finite[_RATES.index(_DEADLY)].mean()) for unit, one in swept.items()}


def _statement(facts: dict[str, float], gains: dict[str, Estimate], wins: dict[str, Estimate], seeds: int) -> Text:
    n, dead = len(tasks()), f"{facts['relu_dead']:.0%}"
    leaky, maxout = (points(gains[unit]) for unit in ("leaky_relu", "maxout"))
    won = {unit: round(wins[unit].value * n) for unit in _LEAKY}
    spans = {unit: f"{wins[unit].low:.0%} – {wins[unit].high:.0%}" for unit in _LEAKY}
    sure = {unit: f"{facts[f'{unit}_sure']:.0f}" for unit in _LEAKY}
    return Text(
        f"At rate {_DEADLY:g}, where {dead} of the units of ReLU are dead, leaky ReLU changes the training accuracy "
        f"by {leaky.en} and maxout by {maxout.en} (95% t over {seeds} seeds); at rate {_SOUND:g} the held-out loss is "
        f"lower than that of ReLU on {won['leaky_relu']} of {n} tasks ({spans['leaky_relu']}, 95% binomial) with "
        f"leaky ReLU and on {won['prelu']} ({spans['prelu']}) with PReLU, and differs beyond chance on "
        f"{sure['leaky_relu']} and {sure['prelu']}.",
        f"ReLU 유닛의 {dead}가 죽는 학습률 {_DEADLY:g}에서 ReLU와 견준 훈련 정확도의 변화는 leaky ReLU가 {leaky.ko}, "
        f"맥스아웃이 {maxout.ko}입니다(시드 {seeds}개의 95% t 신뢰구간). 학습률 {_SOUND:g}에서 검증 손실이 ReLU보다 "
        f"낮은 과제는 {n}개 가운데 leaky ReLU가 {won['leaky_relu']}개(95% 이항 신뢰구간 {spans['leaky_relu']}), "
        f"PReLU가 {won['prelu']}개({spans['prelu']})이며, 우연으로 볼 수 없는 차이가 난 과제는 각각 "
        f"{sure['leaky_relu']}개와 {sure['prelu']}개입니다.",
    )


def _table(swept: dict[str, Sweep], X: Any) -> Table:
    """The sweep: what no unit's definition tells."""
    head = (Text("unit", "유닛"), Text("rate", "학습률"), Text("units above 0 on no row", "0을 넘는 행이 없는 유닛"),
            Text("training loss", "훈련 손실"), Text("training accuracy", "훈련 정확도"),
            Text("runs that stay finite", "발산하지 않은 학습"))  # fmt: skip
    rows: list[tuple[Text | str, ...]] = []
    for unit, one in swept.items():
        quiet = share_silent(one.network, one.theta, X)
        for place, rate in enumerate(_RATES):
            own = one.finite[place]
            means = [float(v[place][own].mean()) if own.any() else np.nan for v in (quiet, one.loss, one.accuracy)]
            texts = [f"{means[0]:.0%}", f"{means[1]:.3g}", f"{means[2]:.0%}"] if own.any() else ["–"] * 3
            rows.append((_NAMES[unit], f"{rate:g}", *texts, f"{own.sum()}/{len(own)}"))
    return Table(head, tuple(rows))


def _figure(found: dict[str, list[Comparison]]) -> Figure:
    bars = tuple(series(_NAMES[unit], [], [Estimate.of(one).change() for one in each]) for unit, each in found.items())
    alt = Text(
        "Differences of the held-out loss to that of ReLU on each task; below zero the unit is better than ReLU.",
        "과제별 검증 손실을 ReLU와 견준 차이. 0보다 작으면 ReLU보다 낫습니다.",
    )
    y = Text("held-out loss against ReLU's (share of it)", "ReLU 대비 검증 손실의 차이(비율)")
    return Figure("bars", alt, y=y, series=bars, names=tuple(task.title for task in tasks()))


EXPERIMENT = Experiment(
    "leaky-units",
    ("2.10", "2.11"),
    Text("Units that cannot die", "죽지 않는 유닛"),
    Text(
        "Leaky ReLU and PReLU keep a slope below zero, and maxout is piecewise linear and has no side where it is "
        "zero, which mends dying; but the gain of leaky slopes is not consistent from task to task.",
        "leaky ReLU와 PReLU는 0 아래에서도 기울기가 있고, 맥스아웃은 조각마다 선형이며 0으로 고정되는 쪽이 없어서 "
        "유닛이 죽지 않습니다. 그러나 "
        "0 아래의 기울기로 얻는 이득은 과제마다 달라 일관되지 않습니다.",
    ),
    _run,
)
