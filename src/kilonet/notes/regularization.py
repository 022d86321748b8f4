"""With 20 units, a larger λ makes regions smoother: shorter borders, fewer fragments."""

from itertools import pairwise

from kilonet.measured import Figure, Measured, Table, Text, same, together, verdict
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.intervals import Estimate
from kilonet.notes.planes import Seen, facts_of, pictured, seen
from kilonet.notes.told import bracketed, percents

STRENGTHS = (0.001, 0.01, 0.1)
_UNITS = 20
# The notes: regions of 20 units get smoother from each λ to the next. The border has to be shorter each time, and the
# fragments of the largest λ fewer than those of the smallest.
_SHORTER, _FEWER = "(-inf, 0)", "(-inf, 0)"


def _run(size: Size) -> Measured:
    draws, seeds = size.of(40, 16), 4
    found = seen([_UNITS] * len(STRENGTHS), list(STRENGTHS), draws, seeds)
    each = found.means()
    steps = [found.change("border", before, after) for before, after in pairwise(range(len(STRENGTHS)))]
    fewer, whole = (found.change(kind, 0, -1) for kind in ("fragments", "border"))
    judged = [verdict(step.low, step.high, _SHORTER) for step in steps] + [verdict(fewer.low, fewer.high, _FEWER)]
    facts = facts_of(each, STRENGTHS) | {
        "first_step_high": steps[0].high, "second_step_high": steps[1].high, "fewer_high": fewer.high,
        "draws": float(draws), "seeds": float(seeds),
    }  # fmt: skip
    return Measured(
        together(*judged), _statement(each, steps, fewer, draws, seeds), whole.value, whole.low, whole.high,
        _table(each), _figure(found), facts,
    )  # fmt: skip


def _statement(
    each: list[list[Estimate]], steps: list[Estimate], fewer: Estimate, draws: int, seeds: int
) -> Text:  # fmt: skip
    lengths = ", ".join(f"{one[1].value:.1f}" for one in each)
    regions = bracketed(fewer, sign="+")
    first, second = (bracketed(step, sign="+") for step in steps)
    return Text(
        f"Borders of 20 units are {lengths} long at λ = 0.001, 0.01 and 0.1, a change of {first} from the first to "
        f"the second and of {second} to the third; regions change by {regions} in all (95% t over {draws} draws of "
        f"the rows with {seeds} seeds each).",
        f"유닛이 20개인 신경망의 경계 길이는 λ = 0.001, 0.01, 0.1에서 차례로 {lengths}입니다. 첫째에서 둘째로 "
        f"{first}, 둘째에서 셋째로 {second}만큼 변하며, 결정 영역의 수는 통틀어 {regions}만큼 변합니다(데이터를 "
        f"{draws}번 뽑고 시드 {seeds}개씩 학습한 95% t 신뢰구간).",
    )


def _table(each: list[list[Estimate]]) -> Table:
    head = (same("λ"), Text("border", "경계 길이"), Text("regions", "결정 영역 수"),
            Text("training error", "훈련 오류율"), Text("error on new rows", "새 데이터 오류율"))  # fmt: skip
    rows = tuple(
        (f"{strength:g}", bracketed(length), bracketed(parts), percents(own), percents(new))
        for strength, (parts, length, own, new) in zip(STRENGTHS, each, strict=True)
    )
    return Table(head, rows)


def _figure(found: Seen) -> Figure:
    titles = [same(f"λ = {strength:g}") for strength in STRENGTHS]
    alt = Text(
        "Decision regions of 20 hidden units on the same rows at λ = 0.001, 0.01 and 0.1.",
        "같은 데이터에서 λ = 0.001, 0.01, 0.1일 때 은닉 유닛 20개인 신경망의 결정 영역.",
    )
    return pictured(found, titles, alt)


EXPERIMENT = Experiment(
    "regularization",
    ("5.4",),
    Text("Regularization strength makes regions smooth", "정규화 강도와 매끄러운 결정 영역"),
    Text(
        "The strength λ of regularization is the preferred way to hold overfitting down: with 20 hidden units, "
        "regions get smoother from λ = 0.001 over 0.01 to 0.1.",
        "과적합은 정규화 강도 λ로 다스리는 것이 바람직합니다. 은닉 유닛이 20개일 때 λ를 0.001, 0.01, 0.1로 높일수록 "
        "결정 영역이 매끄러워집니다.",
    ),
    _run,
)
