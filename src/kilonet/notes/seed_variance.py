"""The luck of the seed: small networks end at very different losses, large ones all at about the same."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import make_moons

from kilonet.losses import logistic
from kilonet.measured import Figure, Measured, Series, Table, Text, together, verdict
from kilonet.network import Network
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.intervals import Estimate, bootstrapped, share
from kilonet.notes.tasks import standardized
from kilonet.notes.told import bracketed, percents
from kilonet.optimizers import Adam
from kilonet.training import train

Floats = NDArray[np.float64]

WIDTHS = (2, 3, 5, 10, 20, 50)
_SMALL, _LARGE = WIDTHS.index(3), WIDTHS.index(20)  # those of the notes' picture, fixed before any was trained
_ROWS, _NOISE = 200, 0.15
# The notes: the final loss of small networks varies a good deal, that of large ones much less (here by half at
# least); some small ones are lucky and some are trapped (a tenth to nine tenths end 0.1 nats above the best of their
# width, a seventh of the 0.69 nats of knowing nothing); and large ones are all about as good (nine of ten within a
# fiftieth of it).
_TRAP = 0.1
_WIDER, _TRAPPED, _ALIKE = "(2, inf)", "[0.1, 0.9]", "[0, 0.014]"


def _run(size: Size) -> Measured:
    losses = _losses(seeds=size.of(256, 128), epochs=size.of(2000, 1500))
    # Seeds are the same for all widths, but a seed draws other weights in another width: nothing pairs them.
    wider = bootstrapped(losses, lambda drawn: _std(drawn[:, _SMALL]) / _std(drawn[:, _LARGE]))
    trapped, free = (_trapped(losses[:, place]) for place in (_SMALL, _LARGE))
    alike = bootstrapped(losses[:, _LARGE], _middle)
    parts = ((wider, _WIDER), (trapped, _TRAPPED), (alike, _ALIKE))
    stds = [bootstrapped(losses[:, place], _std) for place in range(len(WIDTHS))]
    facts = {f"std_{units}": stds[place].value for place, units in enumerate(WIDTHS)} | {
        f"median_{units}": float(np.median(losses[:, place])) for place, units in enumerate(WIDTHS)
    } | {
        "seeds": float(len(losses)), "wider_low": wider.low,
        "trapped": trapped.value, "trapped_low": trapped.low,
        "trapped_high": trapped.high, "trapped_20": free.value, "alike_high": alike.high,
        "diverged": float((~np.isfinite(losses)).sum()),
    }  # fmt: skip
    return Measured(
        together(*(verdict(part.low, part.high, claimed) for part, claimed in parts)),
        _statement((stds[_SMALL], stds[_LARGE]), wider, trapped, alike, len(losses)),
        wider.value, wider.low, wider.high,
        _table(losses, stds), _figure(losses), facts,
    )  # fmt: skip


def _losses(seeds: int, epochs: int) -> Floats:
    """Final losses on the training rows (seeds, widths), each width as one population, by full batches."""
    X, y = make_moons(_ROWS, noise=_NOISE, random_state=0)
    rows: Any = standardized(X)
    runs = [
        train(
            Network([2, units, 1]), logistic, rows, y, seeds=range(seeds), optimizer=Adam(0.02), schedule="cosine",
            batch=_ROWS, epochs=epochs, watch=0,
        )
        for units in WIDTHS
    ]  # fmt: skip
    return np.stack([np.asarray(run.history.loss[-1], np.float64) for run in runs], axis=1)


def _trapped(values: Floats) -> Estimate:
    """The share of networks that end well above the best of them."""
    return share(int((values > values.min() + _TRAP).sum()), len(values))


def _std(values: Floats) -> float:
    return float(values.std(ddof=1))


def _middle(values: Floats) -> float:
    """How far the middle nine of ten values lie apart."""
    return float(np.subtract(*np.quantile(values, [0.95, 0.05])))


def _statement(
    stds: tuple[Estimate, Estimate], wider: Estimate, trapped: Estimate, alike: Estimate, seeds: int
) -> Text:
    few, many = (bracketed(std, 4) for std in stds)
    return Text(
        f"Over {seeds} seeds the final loss has a standard deviation of {few} nats with 3 units and {many} with 20, "
        f"{bracketed(wider, 0)} times as much with 3 as with 20; {percents(trapped)} of the networks with 3 units end "
        f"more than {_TRAP:g} nats above the best of them, and the middle 90% of those with 20 lie within "
        f"{bracketed(alike, 4)} nats (95% bootstrap over seeds, the share by the binomial).",
        f"시드 {seeds}개에서 최종 손실의 표준편차는 유닛이 3개일 때 {few} nat, 20개일 때 {many} nat이며, 3개일 때가 "
        f"20개일 때의 {bracketed(wider, 0)}배입니다. 유닛이 3개인 신경망의 {percents(trapped)}는 그중 가장 좋은 것보다 "
        f"손실이 {_TRAP:g} nat 넘게 높은 채 끝나고, 20개인 신경망은 가운데 90%가 {bracketed(alike, 4)} nat 안에 "
        "있습니다(시드에 대한 95% 부트스트랩 신뢰구간, 비율은 이항 신뢰구간).",
    )


def _table(losses: Floats, stds: list[Estimate]) -> Table:
    head = (Text("hidden units", "은닉 유닛"), Text("standard deviation", "표준편차"), Text("best", "최소"),
            Text("median", "중앙값"), Text("95% quantile", "95% 분위수"), Text("worst", "최대"))  # fmt: skip
    cells = [[f"{v:.4f}" for v in np.quantile(losses[:, place], [0, 0.5, 0.95, 1])] for place in range(len(WIDTHS))]
    rows = tuple(
        (str(units), bracketed(std, 4), *own) for units, std, own in zip(WIDTHS, stds, cells, strict=True)
    )  # fmt: skip
    return Table(head, rows)


def _figure(losses: Floats) -> Figure:
    """Every network as a dot, beside its width; the spread along x only keeps dots apart."""
    aside = np.geomspace(0.94, 1.06, len(losses))
    dots = Series.of(Text("one network", "신경망 하나"), np.outer(aside, WIDTHS).ravel(), losses.ravel())
    middle = Series.of(Text("median", "중앙값"), WIDTHS, np.median(losses, axis=0))
    alt = Text(
        f"Final losses of {len(losses)} seeds at each width: over a range of {np.ptp(losses[:, _SMALL]):.2f} nats with "
        f"3 units, of {np.ptp(losses[:, _LARGE]):.3f} with 20.",
        f"너비마다 시드 {len(losses)}개의 최종 손실. 범위는 유닛이 3개일 때 {np.ptp(losses[:, _SMALL]):.2f} nat, "
        f"20개일 때 {np.ptp(losses[:, _LARGE]):.3f} nat입니다.",
    )
    return Figure("dots", alt, Text("hidden units", "은닉 유닛"),
                  Text("final training loss, nats", "최종 훈련 손실(nat)"),
                  (dots, middle), log_x=True, log_y=True)  # fmt: skip


EXPERIMENT = Experiment(
    "seed-variance",
    ("5.3",),
    Text("The luck of the seed", "시드에 따른 운"),
    Text(
        "The final losses of small networks vary a good deal with the initial weights, and many of them are bad; those "
        "of large networks are all about as good.",
        "작은 신경망의 최종 손실은 초기 가중치에 따라 크게 달라지고 그중 나쁜 것이 많습니다. 큰 신경망의 최종 손실은 "
        "모두 비슷하게 좋습니다.",
    ),
    _run,
)
