"""ReLU units die where the rate is too high: how many, and whether for ever."""

import numpy as np

from kilonet.losses import cross_entropy
from kilonet.measured import Figure, Measured, Table, Text, same, together, verdict
from kilonet.network import Network
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.intervals import Estimate, bootstrapped, mean_of
from kilonet.notes.rates import RATES, Bools, Sweep, silent, sweep
from kilonet.notes.tasks import digits
from kilonet.notes.told import series
from kilonet.training import value_and_grad

# The notes: up to 40% dead at too high a rate, next to none at a proper one, one in a hundred at most, and none of them
# ever comes back. The rates that are judged are the outermost ones, fixed beforehand, so that no luck of the largest
# share is picked. "For ever" is no matter of chance in a first hidden layer, whose inputs stay what they are: not one
# unit may come back there. Behind another layer, one in a hundred at most.
_MANY, _FEW, _NONE, _BACK = "[0.4, 1]", "[0, 0.01]", "[0, 0]", "[0, 0.01]"
_KILLING = (3.0, 10.0)  # rates at which units of a single hidden layer die


def _run(size: Size) -> Measured:
    X, y = digits()
    seeds, epochs = size.of(16, 8), size.of(10, 6)
    two = sweep(Network([64, 64, 64, 10]), X, y, RATES, seeds, epochs)
    one = sweep(Network([64, 64, 10]), X, y, _KILLING, seeds, epochs)
    ended = silent(two.network, two.theta, X)
    dead = np.concatenate(ended, axis=-1).mean(axis=-1)  # (rates, seeds)
    means = [mean_of(row, (0, 1)) for row in dead]
    single, behind = _came_back(one, X, 0), _came_back(two, X, 1)
    first = int(single[:, 0].sum())
    second = bootstrapped(behind, lambda drawn: drawn[:, 0].sum() / max(1.0, drawn[:, 1].sum()))
    judged = together(
        verdict(means[-1].low, means[-1].high, _MANY),
        verdict(means[0].low, means[0].high, _FEW),
        verdict(first, first, _NONE),
        verdict(second.low, second.high, _BACK),
    )
    facts = {
        "dead_at_lowest": means[0].value, "dead_at_highest": means[-1].value, "back_first": float(first),
        "back_second": second.value, "back_second_low": second.low,
        "dead_halfway_first": float(single[:, 1].sum()), "dead_halfway_second": float(behind[:, 1].sum()),
        "largest_gradient": _gradient(two, X, y, ended), "seeds": float(seeds),
    }  # fmt: skip
    return Measured(
        judged, _statement(means, second, facts), means[-1].value, means[-1].low, means[-1].high,
        _table(means, two), _figure(means), facts,
    )  # fmt: skip


def _came_back(swept: Sweep, X: object, layer: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """For each seed: units of a layer that were dead halfway and not at the end, and dead halfway: (seeds, 2)."""
    before: Bools = silent(swept.network, swept.halfway, X)[layer]
    after: Bools = silent(swept.network, swept.theta, X)[layer]
    counts = [(before & ~after).sum(axis=(0, 2)), before.sum(axis=(0, 2))]
    return np.stack(counts, axis=1).astype(np.float64)


def _gradient(swept: Sweep, X: object, y: object, dead: list[Bools]) -> float:
    """The largest entry of the data loss's gradient at weights and biases of dead units."""
    flat = swept.theta.reshape(-1, swept.theta.shape[-1])
    views = swept.network.views(value_and_grad(swept.network, cross_entropy, flat, X, y)[1])  # type: ignore[arg-type]
    largest = 0.0
    for view, units in zip(views, dead, strict=False):  # the scores have no dead units
        chosen = units.reshape(len(flat), -1)
        largest = max(
            largest, float(np.abs(view.W[chosen]).max(initial=0)), float(np.abs(view.b[chosen]).max(initial=0))
        )
    return largest


def _statement(means: list[Estimate], second: Estimate, facts: dict[str, float]) -> Text:
    low, high = means[0], means[-1]
    units, behind = int(facts["dead_halfway_first"]), int(facts["dead_halfway_second"])
    rates = [f"{rate:g}" for rate in _KILLING]
    never, gradient = f"{facts['back_first']:.0f}", f"{facts['largest_gradient']:g}"
    return Text(
        f"In a network with two hidden layers {low.value:.1%} of the units are dead at rate {RATES[0]:g} and "
        f"{high.value:.1%} (95% t-interval over {facts['seeds']:.0f} seeds {high.low:.1%} to {high.high:.1%}) at rate "
        f"{RATES[-1]:g}; the largest gradient of a dead unit is {gradient}; of units dead halfway through the "
        f"training, {second.value:.1%} of {behind:,} come back in its second layer, over all rates (95% bootstrap "
        f"interval over seeds {second.low:.1%} to {second.high:.1%}), and {never} of {units:,} in another network, "
        f"with one hidden layer, at rates {rates[0]} and {rates[1]}.",
        f"은닉층이 두 개인 신경망에서 죽은 유닛은 학습률 {RATES[0]:g}에서 {low.value:.1%}, 학습률 {RATES[-1]:g}에서 "
        f"{high.value:.1%}였습니다(시드 {facts['seeds']:.0f}개의 95% t 신뢰구간 {high.low:.1%}~{high.high:.1%}). 죽은 "
        f"유닛이 받는 기울기의 최댓값은 {gradient}입니다. 학습을 절반 마쳤을 때 죽어 있던 유닛 가운데 "
        f"되살아난 것은 이 신경망의 둘째 은닉층에서 모든 학습률의 {behind:,}개 중 {second.value:.1%}(시드에 대한 95% "
        f"부트스트랩 신뢰구간 {second.low:.1%}~{second.high:.1%}), 은닉층이 하나뿐인 다른 신경망에서 학습률 "
        f"{rates[0]}과 {rates[1]}의 {units:,}개 중 {never}개였습니다.",
    )


def _table(means: list[Estimate], swept: Sweep) -> Table:
    head = (Text("rate", "학습률"), Text("dead units", "죽은 유닛"), Text("95% interval", "95% 신뢰구간"),
            Text("training accuracy", "훈련 정확도"))  # fmt: skip
    rows = [
        (f"{rate:g}", f"{m.value:.1%}", f"{m.low:.1%} – {m.high:.1%}", f"{accuracy:.1%}")
        for rate, m, accuracy in zip(RATES, means, swept.accuracy.mean(axis=1), strict=True)
    ]
    return Table(head, tuple(rows))


def _figure(means: list[Estimate]) -> Figure:
    line = series(same("ReLU"), RATES, means)
    alt = Text(
        f"The share of dead units at each rate, {means[0].value:.1%} at the lowest, {means[-1].value:.1%} at the "
        "highest.",
        f"학습률에 따른 죽은 유닛의 비율. 가장 낮은 학습률에서 {means[0].value:.1%}, 가장 높은 학습률에서 "
        f"{means[-1].value:.1%}입니다.",
    )
    return Figure("lines", alt, Text("rate", "학습률"), Text("share of dead units", "죽은 유닛의 비율"), (line,),
                  claimed=0.4, log_x=True)  # fmt: skip


EXPERIMENT = Experiment(
    "dying-relu",
    ("2.9",),
    Text("ReLU units die", "죽는 ReLU 유닛"),
    Text(
        "At too high a rate as much as 40% of a ReLU network can be dead, active on no training row; a dead unit gets "
        "no gradient and stays dead for ever; at a proper rate this is rare.",
        "학습률이 너무 높으면 ReLU 신경망에서 40%에 이르는 유닛이 어떤 훈련 행에도 반응하지 않는 죽은 유닛이 될 수 "
        "있습니다. 죽은 유닛은 기울기를 받지 못해 영영 되살아나지 않습니다. 학습률이 알맞으면 드문 일입니다.",
    ),
    _run,
)
