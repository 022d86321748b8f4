"""More hidden units cut the plane into more regions, and fit the outliers."""

from kilonet.measured import Figure, Measured, Table, Text, together, verdict
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.intervals import Estimate
from kilonet.notes.planes import Seen, facts_of, pictured, seen
from kilonet.notes.told import bracketed, percents, points

UNITS = (3, 6, 20)
# The notes: 20 units fit all rows (to less than one in a hundred) at the price of more, disjoint regions; 3 units see
# two blobs, so that the plane has about two parts; and 3 may generalize better.
_MORE, _ALL, _TWO, _BETTER = "(0, inf)", "[0, 0.01]", "[1.5, 2.5]", "(0, inf)"


def _run(size: Size) -> Measured:
    draws, seeds = size.of(40, 24), 4
    found = seen(list(UNITS), [0.0] * len(UNITS), draws, seeds)
    each = found.means()
    more, worse = (found.change(kind, 0, -1) for kind in ("fragments", "error on new rows"))
    parts = ((more, _MORE), (each[-1][2], _ALL), (each[0][0], _TWO), (worse, _BETTER))
    facts = facts_of(each, UNITS) | {
        "more_low": more.low, "training_error_20_high": each[-1][2].high, "worse_low": worse.low, "draws": float(draws)
    }  # fmt: skip
    return Measured(
        together(*(verdict(part.low, part.high, claimed) for part, claimed in parts)),
        _statement(each, more, worse, draws), more.value, more.low, more.high, _table(each), _figure(found), facts,
    )  # fmt: skip


def _statement(each: list[list[Estimate]], more: Estimate, worse: Estimate, draws: int) -> Text:
    few, many, new = each[0], each[-1], points(worse, 1)
    return Text(
        f"From {UNITS[0]} to {UNITS[-1]} units the regions of the plane go from {few[0].value:.1f} to "
        f"{many[0].value:.1f} ({bracketed(more, sign='+')}), the training error from {percents(few[2])} to "
        f"{percents(many[2])}, and the error on new rows changes by {new.en} (95% t over {draws} draws of the rows).",
        f"유닛이 {UNITS[0]}개에서 {UNITS[-1]}개가 되면 평면의 결정 영역은 {few[0].value:.1f}개에서 "
        f"{many[0].value:.1f}개로({bracketed(more, sign='+')}), 훈련 오류율은 {percents(few[2])}에서 "
        f"{percents(many[2])}로, 새 데이터의 오류율은 {new.ko}만큼 변합니다(데이터를 {draws}번 뽑은 95% t 신뢰구간).",
    )


def _table(each: list[list[Estimate]]) -> Table:
    head = (Text("hidden units", "은닉 유닛"), Text("regions", "결정 영역 수"), Text("border", "경계 길이"),
            Text("training error", "훈련 오류율"), Text("error on new rows", "새 데이터 오류율"))  # fmt: skip
    rows = tuple(
        (str(units), bracketed(parts), bracketed(length, 1), percents(own), percents(new))
        for units, (parts, length, own, new) in zip(UNITS, each, strict=True)
    )
    return Table(head, rows)


def _figure(found: Seen) -> Figure:
    titles = [Text(f"{units} units", f"유닛 {units}개") for units in UNITS]
    alt = Text(
        "Decision regions of networks with 3, 6 and 20 hidden units on the same rows, two blobs with two outliers "
        "in each.",
        "같은 데이터(덩어리 두 개와 각 덩어리에 섞인 이상치 두 개)에서 은닉 유닛이 3개, 6개, 20개인 신경망의 결정 "
        "영역.",
    )
    return pictured(found, titles, alt)


EXPERIMENT = Experiment(
    "capacity",
    ("5.1",),
    Text("More units, more complicated regions", "유닛 수와 결정 영역의 복잡도"),
    Text(
        "With 20 hidden units a network fits every row of a plane, outliers included, by cutting it into many "
        "separate regions; with 3 units it sees two blobs, takes the outliers for noise, and may do better on new "
        "rows.",
        "은닉 유닛이 20개이면 신경망은 평면을 서로 떨어진 여러 결정 영역으로 나누어 이상치까지 모든 행을 맞힙니다. "
        "3개이면 두 덩어리로만 보고 이상치는 잡음으로 여기며, 새 데이터에서는 오히려 나을 수 있습니다.",
    ),
    _run,
)
