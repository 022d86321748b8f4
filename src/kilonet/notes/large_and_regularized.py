"""Against overfitting: a large network with L2, dropout or input noise, or a small network without?"""

from kilonet.comparison import Comparison
from kilonet.measured import Figure, Measured, Table, Text, together, verdict
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.held_out import Candidate, judged, pooled, ratio, sure
from kilonet.notes.intervals import Estimate
from kilonet.notes.tasks import Task, tasks
from kilonet.notes.told import percents, series
from kilonet.optimizers import Adam

_LARGE = (100,)
_METHODS = {
    "L2": ("l2", (0.003, 0.01, 0.03, 0.1)),
    "dropout": ("dropout", (0.2, 0.4, 0.6, 0.8)),
    "input noise": ("input_noise", (0.1, 0.2, 0.4, 0.8)),
}
_SMALL, _PLAIN = "small", "large without"
_TITLES = {
    "L2": Text("L2", "L2"), "dropout": Text("dropout", "드롭아웃"), "input noise": Text("input noise", "입력 잡음"),
    _PLAIN: Text("nothing", "정규화 없음"),
}  # fmt: skip
# Four sizes of small networks are tried, and four strengths of each method: everybody has as much choice.
CANDIDATES = (
    *(Candidate(_SMALL, (units,), ()) for units in (2, 3, 5, 10)),
    Candidate(_PLAIN, _LARGE, ()),
    *(Candidate(name, _LARGE, ((field, at),)) for name, (field, each) in _METHODS.items() for at in each),
)
# The notes: to control overfitting it is always better to use these methods than fewer neurons. So with each of the
# three the held-out loss of the large network is at most that of the small one, by the mean logarithm over tasks; and
# always: on no task is one of the three worse beyond chance, of all pairs of a task and a method.
_AT_MOST, _NEVER = "(-inf, 0]", "[0, 0]"


def _run(size: Size) -> Measured:
    splits, seeds, epochs = size.of(10, 8), 2, size.of(60, 40)
    found = {task.title: _ratios(task, splits, seeds, epochs) for task in tasks()}
    every = {name: pooled([each[name] for each in found.values()]) for name in _TITLES}
    worst = max((every[name] for name in _METHODS), key=lambda one: one.high)
    won, lost = sure([each[name] for each in found.values() for name in _METHODS])
    parts = [verdict(every[name].low, every[name].high, _AT_MOST) for name in _METHODS] + [verdict(lost, lost, _NEVER)]
    facts = {f"{name.replace(' ', '_').lower()}_high": every[name].high for name in _TITLES} | {
        "tasks": float(len(found)), "splits": float(splits), "seeds": float(seeds),
        "lost": float(lost), "won": float(won),
    }  # fmt: skip
    return Measured(
        together(*parts), _statement(every, facts), worst.value, worst.low, worst.high, _table(found, every),
        _figure(found), facts,
    )  # fmt: skip


def _ratios(task: Task, splits: int, seeds: int, epochs: int) -> dict[str, Comparison]:
    """The logarithm of the large network's held-out loss over the small one's, by what regularizes it."""
    found = judged(task, CANDIDATES, splits, seeds, optimizer=Adam(0.01), schedule="cosine", batch=32, epochs=epochs)
    return {name: ratio(found.best(name), found.best(_SMALL)) for name in _TITLES}


def _statement(every: dict[str, Estimate], facts: dict[str, float]) -> Text:
    said = {name: percents(one.change(), 0, "+") for name, one in every.items()}
    tasks, splits = int(facts["tasks"]), int(facts["splits"])
    won, lost, pairs = int(facts["won"]), int(facts["lost"]), len(_METHODS) * int(facts["tasks"])
    return Text(
        f"Against the best of 2, 3, 5 and 10 units, the held-out loss of 100 units changes by {said['L2']} with L2, "
        f"{said['dropout']} with dropout, {said['input noise']} with input noise and {said[_PLAIN]} with nothing "
        f"(geometric mean of {tasks} tasks, corrected 95% t over {splits} splits); one by one, {won} of {pairs} pairs "
        f"of task and method are better beyond chance and {lost} worse.",
        "유닛 2, 3, 5, 10개 가운데 가장 나은 신경망과 견준 유닛 100개인 신경망의 검증 손실 변화는 L2를 쓰면 "
        f"{said['L2']}, 드롭아웃을 쓰면 {said['dropout']}, 입력 잡음을 쓰면 {said['input noise']}, 아무것도 쓰지 "
        f"않으면 {said[_PLAIN]}입니다(과제 {tasks}개의 기하평균, 분할 {splits}번의 보정 95% t 신뢰구간). 과제와 "
        f"방법의 짝 {pairs}개를 하나씩 보면 우연으로 볼 수 없을 만큼 나은 것이 {won}개, 못한 것이 {lost}개입니다.",
    )


def _table(found: dict[Text, dict[str, Comparison]], every: dict[str, Estimate]) -> Table:
    estimates = {title: {name: Estimate.of(one) for name, one in each.items()} for title, each in found.items()}
    everything = {**estimates, Text("all tasks", "전체 과제"): every}
    rows: list[tuple[Text | str, ...]] = [
        (title, *(percents(each[name].change(), 0, "+") for name in _TITLES)) for title, each in everything.items()
    ]
    return Table((Text("100 units against the best small network, with", "가장 나은 작은 신경망 대비 유닛 100개"),
                  *_TITLES.values()), tuple(rows))  # fmt: skip


def _figure(found: dict[Text, dict[str, Comparison]]) -> Figure:
    bars = [series(_TITLES[name], [], [Estimate.of(each[name]).exp() for each in found.values()]) for name in _METHODS]
    alt = Text(
        "Held-out loss of 100 regularized units over that of the best small network, for each task and method; below 1 "
        "the large network is better.",
        "과제와 방법마다 정규화한 유닛 100개의 검증 손실을 가장 나은 작은 신경망의 검증 손실로 나눈 비. 1보다 작으면 "
        "큰 신경망이 낫습니다.",
    )
    return Figure("bars", alt, Text("task", "과제"), Text("loss, large over small", "손실의 비(큰 신경망/작은 신경망)"),
                  tuple(bars), tuple(found), claimed=1.0, log_y=True)  # fmt: skip


EXPERIMENT = Experiment(
    "large-and-regularized",
    ("5.2",),
    Text("Large and regularized, or small?", "정규화한 큰 신경망과 작은 신경망"),
    Text(
        "Do not take fewer neurons for fear of overfitting: in practice L2, dropout and input noise are always the "
        "better way to control it.",
        "과적합이 걱정된다고 뉴런 수를 줄이지 마십시오. 실제로는 L2, 드롭아웃, 입력 잡음으로 다스리는 편이 언제나 "
        "낫습니다.",
    ),
    _run,
)
