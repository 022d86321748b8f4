"""Leaky ReLU, PReLU and maxout: what they are worth where ReLU dies, and on ordinary tasks."""

from typing import Any

import numpy as np

from kilonet.activations import leaky_relu, prelu, relu
from kilonet.comparison import Comparison, holm
from kilonet.measured import Figure, Measured, Series, Table, Text, same, together, verdict
from kilonet.network import Dense, Maxout, Network
from kilonet.notes.benefit import losses, relative
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.intervals import Estimate, mean_of, share
from kilonet.notes.rates import Floats, Sweep, share_silent, sweep
from kilonet.notes.tasks import CLASSIFICATIONS, REGRESSIONS, digits

# The notes: these units mend dying, so they learn more than ReLU at a rate where it dies, which is fixed beforehand;
# and what leaky slopes are worth differs from task to task: they are no help on nine of ten tasks or more.
_MENDED, _MIXED = "(0, inf)", "[0, 0.9)"
_RATES, _DEADLY = (0.1, 0.7, 1.0, 1.5), 1.0
_LAYERS: dict[str, Any] = {"relu": Dense(64, relu), "leaky_relu": Dense(64, leaky_relu), "prelu": Dense(64, prelu),
                           "maxout": Maxout(64)}  # fmt: skip
_NAMES = {"relu": same("ReLU"), "leaky_relu": same("leaky ReLU"), "prelu": same("PReLU"), "maxout": same("maxout")}
_LEAKY = ("leaky_relu", "prelu")
_TASKS = CLASSIFICATIONS + REGRESSIONS
_GUESSED = 0.1  # of ten digits, where a network has left the finite numbers


def _run(size: Size) -> Measured:
    X, y = digits()
    seeds, epochs = size.of(16, 6), size.of(10, 6)
    swept = {unit: sweep(Network([64, own, own, 10]), X, y, _RATES, seeds, epochs) for unit, own in _LAYERS.items()}
    accuracy = {unit: _at_the_deadly_rate(one) for unit, one in swept.items()}
    gains = {unit: mean_of(own - accuracy["relu"]) for unit, own in accuracy.items()}
    found = _on_tasks(size.of(24, 6), size.of(40, 15))
    wins = {unit: share(sum(one.difference < 0 for one in found[unit]), len(_TASKS)) for unit in _LEAKY}
    judged = together(
        *(verdict(gains[unit].low, gains[unit].high, _MENDED) for unit in ("leaky_relu", "maxout")),
        *(verdict(wins[unit].low, wins[unit].high, _MIXED) for unit in _LEAKY),
    )
    sure = {unit: int((holm([one.p_value for one in found[unit]]) < 0.05).sum()) for unit in _LEAKY}
    table, facts = _table(swept, X), _facts(gains, wins, sure, swept)
    main = wins["leaky_relu"]
    statement = _statement(gains, wins, sure, seeds)
    return Measured(judged, statement, main.value, main.low, main.high, table, _figure(found), facts)


def _at_the_deadly_rate(swept: Sweep) -> Floats:
    """Training accuracy of every seed at the rate that is judged."""
    place = _RATES.index(_DEADLY)
    return np.where(swept.finite[place], swept.accuracy[place], _GUESSED)


def _on_tasks(splits: int, epochs: int) -> dict[str, list[Comparison]]:
    """The leaky units against ReLU on every task."""
    found: dict[str, list[Comparison]] = {unit: [] for unit in _LEAKY}
    for name in _TASKS:
        reference = losses(name, "relu", splits, epochs)
        for unit in _LEAKY:
            found[unit].append(relative(losses(name, unit, splits, epochs), reference))
    return found


def _facts(gains: dict[str, Estimate], wins: dict[str, Estimate], sure: dict[str, int], swept: dict[str, Sweep]) -> Any:
    facts = {"tasks": float(len(_TASKS))}
    for unit in ("leaky_relu", "maxout"):
        facts |= {f"{unit}_gain": gains[unit].value, f"{unit}_gain_low": gains[unit].low,
                  f"{unit}_gain_high": gains[unit].high}  # fmt: skip
    for unit in _LEAKY:
        facts |= {f"{unit}_wins": wins[unit].value, f"{unit}_wins_low": wins[unit].low,
                  f"{unit}_wins_high": wins[unit].high, f"{unit}_sure": float(sure[unit])}  # fmt: skip
    return facts | {f"{unit}_finite": float(one.finite[_RATES.index(_DEADLY)].mean()) for unit, one in swept.items()}


def _statement(gains: dict[str, Estimate], wins: dict[str, Estimate], sure: dict[str, int], seeds: int) -> Text:
    leaky, maxout, n = gains["leaky_relu"], gains["maxout"], len(_TASKS)
    won = {unit: round(wins[unit].value * n) for unit in _LEAKY}
    spans = {unit: f"{wins[unit].low:.0%} – {wins[unit].high:.0%}" for unit in _LEAKY}
    return Text(
        f"At rate {_DEADLY:g}, where ReLU dies, leaky ReLU gains {leaky.value:+.0%} training accuracy "
        f"({leaky.low:+.0%} to {leaky.high:+.0%}, t over {seeds} seeds), while maxout, which cannot die, comes to "
        f"{maxout.value:+.0%} ({maxout.low:+.0%} to {maxout.high:+.0%}); at an ordinary rate leaky ReLU has the lower "
        f"held-out loss on {won['leaky_relu']} of {n} tasks ({spans['leaky_relu']}, binomial) and PReLU on "
        f"{won['prelu']} ({spans['prelu']}); differences are beyond chance on {sure['leaky_relu']} and "
        f"{sure['prelu']} tasks.",
        f"ReLU가 죽는 학습률 {_DEADLY:g}에서 ReLU와 견준 학습 정확도의 차이는 leaky ReLU가 {leaky.value:+.0%}p"
        f"(시드 {seeds}개의 t 구간 {leaky.low:+.0%}p~{leaky.high:+.0%}p), 죽을 수 없는 maxout이 {maxout.value:+.0%}p"
        f"({maxout.low:+.0%}p~{maxout.high:+.0%}p)이다. 보통 학습률에서 검증 손실이 ReLU보다 낮은 과제는 "
        f"{n}개 가운데 leaky ReLU가 {won['leaky_relu']}개(이항 구간 {spans['leaky_relu']}), PReLU가 "
        f"{won['prelu']}개({spans['prelu']})이며, 우연이라 볼 수 없는 차이는 각각 {sure['leaky_relu']}개와 "
        f"{sure['prelu']}개 과제에서 나왔다.",
    )  # fmt: skip


def _table(swept: dict[str, Sweep], X: Any) -> Table:
    """The sweep: what no unit's definition tells."""
    head = (Text("unit", "유닛"), Text("rate", "학습률"), Text("units above 0 on no row", "한 번도 0을 넘지 않는 유닛"),
            Text("training loss", "학습 손실"), Text("training accuracy", "학습 정확도"),
            Text("runs that stay finite", "발산하지 않은 실행"))  # fmt: skip
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
    series = tuple(
        Series.of(_NAMES[unit], [], [one.difference for one in each], [one.low for one in each],
                  [one.high for one in each])
        for unit, each in found.items()
    )  # fmt: skip
    alt = Text(
        "Differences of the held-out loss to that of ReLU on each task, some above zero and some below.",
        "과제별 검증 손실을 ReLU와 견준 차이로, 0보다 큰 과제도 있고 작은 과제도 있다.",
    )
    y = Text("held-out loss against ReLU's (share of it)", "ReLU 대비 검증 손실의 차이(비율)")
    return Figure("bars", alt, y=y, series=series, names=tuple(same(name) for name in _TASKS))


EXPERIMENT = Experiment(
    "leaky-units",
    ("2.10", "2.11"),
    Text("Units that cannot die", "죽지 않는 유닛"),
    Text(
        "Leaky ReLU and PReLU keep a slope below zero and maxout is linear everywhere, which mends dying; but the gain "
        "of leaky slopes is not consistent from task to task.",
        "leaky ReLU와 PReLU는 0 아래에서도 기울기가 있고 maxout은 어디서나 선형이라 유닛이 죽지 않는다. "
        "그러나 leaky 기울기의 이득은 과제마다 달라 일관되지 않다.",
    ),
    _run,
)
