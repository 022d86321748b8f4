"""Sizes of the two example networks, for every type of unit, and the forward pass with examples as columns."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.activations import ACTIVATIONS, relu
from kilonet.losses import squared
from kilonet.measured import Figure, Measured, Series, Table, Text, same, together, verdict
from kilonet.network import Network
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.intervals import Estimate, bootstrapped
from kilonet.notes.told import layered
from kilonet.training import value_and_grad

Floats = NDArray[np.float64]

SEEDS = 16
CLAIMED = {(3, 4, 2): (6, 20, 6, 26), (3, 4, 4, 1): (9, 32, 9, 41)}
"""What the notes count of each network: neurons, weights, biases, parameters."""


@dataclass(frozen=True)
class Counted:
    """Of a network with one type of hidden unit: what it says of itself, and how many parameters were found."""

    sizes: tuple[int, ...]
    unit: str
    said: tuple[int, int, int, int]
    found: int

    @property
    def name(self) -> str:
        """The sizes of the layers with hyphens, inputs first."""
        return layered(self.sizes)


def influential(network: Network, rows: int) -> int:
    """How many parameters move the scores on random rows: those that get a gradient from any of several seeds.

    A unit that fires on no row of one start does so on another: so each parameter is found, whatever the unit.
    """
    X = np.random.default_rng(0).normal(size=(rows, network.n_inputs))
    theta = network.initial(seeds=range(SEEDS), dtype=np.float64)
    _, gradient = value_and_grad(network, squared, theta, X, np.ones((rows, network.n_outputs)))
    return int((gradient != 0).any(axis=0).sum())


def counted(sizes: tuple[int, ...], unit: Any, rows: int) -> Counted:
    """Count a network of these sizes in both ways."""
    network = Network(list(sizes), activation=unit)
    said = (network.n_neurons, network.n_weights, network.n_biases, network.n_parameters)
    return Counted(sizes, str(unit), said, influential(network, rows))


def columns(network: Network, theta: Floats, x: Floats) -> Floats:
    """The forward pass as the notes write it: x (inputs, n) holds an example in each column, and so do the scores.

    Matrix products with the activation between them, the last layer without: W3·f(W2·f(W1·x + b1) + b2) + b3.
    """
    *hidden, last = network.views(theta)
    for view in hidden:
        x = relu.value(view.W @ x + view.b[:, np.newaxis])
    found: Floats = last.W @ x + last.b[:, np.newaxis]
    return found


def difference(rows: int) -> Floats:
    """Largest difference of the two forms (seeds,), in units in the last place of the largest score, in float64."""
    network = Network([3, 4, 4, 1])
    random, found = np.random.default_rng(1), []
    for seed in range(SEEDS):
        theta, X = network.initial(seed=seed, dtype=np.float64), random.normal(size=(rows, 3))
        theta = theta + random.normal(0, 0.1, theta.shape)  # biases other than 0
        scores = network.scores(theta, X)
        gap = np.abs(scores - columns(network, theta, X.T).T).max()
        found.append(gap / np.spacing(np.abs(scores).max()))
    return np.array(found)


def run(size: Size) -> Measured:
    """Measure it."""
    units = list(ACTIVATIONS.table.values())
    rows = size.of(1000, 200)
    made = [counted(sizes, unit, rows) for sizes in CLAIMED for unit in units]
    plain = {sizes: next(c for c in made if c.sizes == sizes and c.unit == str(relu)) for sizes in CLAIMED}
    gaps = difference(rows)
    worst = bootstrapped(gaps, np.max)
    # Counts are exact or wrong. The two forms of the forward pass may differ in the order of their sums alone: by a few
    # units in the last place.
    said = together(
        *(verdict(ours, ours, f"[{theirs}, {theirs}]") for ours, theirs in _pairs(plain)),
        *(verdict(c.found - c.said[-1], c.found - c.said[-1], "[0, 0]") for c in made),
        verdict(worst.low, worst.high, "[0, 8]"),
    )
    facts: dict[str, float] = {
        f"{part}_{c.name}": n for c in plain.values() for part, n in zip(PARTS, c.said, strict=True)
    }
    facts |= {f"{c.unit}_{c.name}": c.found for c in made} | {"column_form_ulp": worst.value, "types": len(units)}
    total = plain[(3, 4, 4, 1)].said[-1]
    return Measured(said, _statement(plain, made, worst), total, total, total, _table(made), _figure(made), facts)


PARTS = ("neurons", "weights", "biases", "parameters")


def _pairs(plain: dict[tuple[int, ...], Counted]) -> Iterable[tuple[int, int]]:
    """Ours and theirs of each count, and of the parameters that were found."""
    for sizes, claimed in CLAIMED.items():
        yield from zip((*plain[sizes].said, plain[sizes].found), (*claimed, claimed[-1]), strict=True)


def _statement(plain: dict[tuple[int, ...], Counted], made: list[Counted], worst: Estimate) -> Text:
    types, right = len({c.unit for c in made}), sum(c.found == c.said[-1] for c in made)
    english, korean = [], []
    for c in plain.values():
        neurons, weights, biases, total = c.said
        english.append(f"{c.name} has {neurons} neurons, {weights} weights and {biases} biases, {total} parameters")
        korean.append(
            f"{c.name} 신경망은 뉴런 {neurons}개, 가중치 {weights}개, 편향 {biases}개로 매개변수가 모두 {total}개"
        )
    return Text(
        f"{'; '.join(english)}; as many as are counted were found to move the scores in {right} of {len(made)} "
        f"networks of {types} types of units, and the forward pass with examples as columns differs by at most "
        f"{worst.value:.2g} units in the last place (95% bootstrap interval of the largest over {SEEDS} seeds "
        f"{worst.low:.2g} to {worst.high:.2g}).",
        f"{', '.join(korean)}입니다. 유닛 {types}종류로 만든 신경망 {len(made)}개 가운데 {right}개에서, 센 개수와 "
        "실제로 점수를 움직이는 매개변수의 개수가 같았습니다. 예제를 열에 놓은 순전파와의 차이는 최대 "
        f"{worst.value:.2g} ULP(마지막 자리 단위)였습니다(시드 {SEEDS}개에서 구한 최댓값의 95% 부트스트랩 신뢰구간 "
        f"{worst.low:.2g}~{worst.high:.2g}).",
    )


def _table(made: list[Counted]) -> Table:
    head = (
        Text("network", "신경망"),
        Text("hidden units", "은닉 유닛"),
        Text("neurons", "뉴런"),
        Text("weights", "가중치"),
        Text("biases", "편향"),
        Text("parameters", "매개변수"),
        Text("found", "찾은 개수"),
    )
    alike: dict[tuple[str, ...], list[str]] = {}
    for c in made:
        alike.setdefault((c.name, *map(str, c.said), str(c.found)), []).append(c.unit)
    return Table(head, tuple((name, ", ".join(units), *numbers) for (name, *numbers), units in alike.items()))


def _figure(made: list[Counted]) -> Figure:
    units = [c.unit for c in made if c.sizes == made[0].sizes]
    bars = tuple(Series.of(same(layered(sizes)), [], [c.found for c in made if c.sizes == sizes]) for sizes in CLAIMED)
    alt = Text(
        "Parameters of both networks for each type of hidden unit.",
        "은닉 유닛의 종류에 따른 두 신경망의 매개변수 수.",
    )
    return Figure("bars", alt, y=Text("parameters", "매개변수 수"), series=bars, names=tuple(map(same, units)))


EXPERIMENT = Experiment(
    "sizing",
    ("3.5", "3.7"),
    Text("Sizes of networks", "신경망의 크기"),
    Text(
        "A 3-4-2 network has 6 neurons, 20 weights and 6 biases, 26 parameters; a 3-4-4-1 network 9 neurons, 32 "
        "weights and 9 biases, 41; its forward pass is three matrix products, of a whole batch at once.",
        "3-4-2 신경망은 뉴런 6개, 가중치 20개, 편향 6개로 매개변수가 26개이고, 3-4-4-1 신경망은 뉴런 9개, 가중치 "
        "32개, 편향 9개로 41개입니다. 3-4-4-1 신경망의 순전파는 행렬 곱 세 번이며, 배치 전체를 한꺼번에 계산합니다.",
    ),
    run,
)
