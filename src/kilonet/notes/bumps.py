"""A sum of indicator bumps approximates everything too, but would anybody learn with it?"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.approximation import approximate
from kilonet.losses import squared
from kilonet.measured import Figure, Measured, Table, Text, together, verdict
from kilonet.network import Network
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.intervals import Estimate, mean_of
from kilonet.notes.told import bracketed, series
from kilonet.optimizers import Adam
from kilonet.training import train

Floats = NDArray[np.float64]

BUDGETS = (16, 31, 61, 121)  # parameters: 3 for each bump, 3 for each hidden unit and 1
NAMES = (
    Text("sum of bumps", "범프의 합"),
    Text("ReLU interpolation", "ReLU 보간"),
    Text("trained network", "학습한 신경망"),
)
_EPSILONS = (0.3, 0.1, 0.03)
_ROWS, _NOISE = 100, 0.2
_STEEPEST = 2 * np.pi + 2.5  # of the function below
# The notes: sums of bumps are universal approximators as well (the measured error is below every eps), but nobody would
# learn with them, since networks say smooth functions compactly and are easy to train: with as many parameters a
# trained network is nearer to the truth than bumps, whichever the number, by the mean logarithm of their errors' ratio.
_UNIVERSAL, _NEARER = "[0, 1)", "(-inf, 0)"


def truth(x: Floats) -> Floats:
    """A smooth function on [0, 1], (n,) to (n,)."""
    return np.sin(2 * np.pi * x) + 0.5 * np.cos(5 * x)


def _run(size: Size) -> Measured:
    draws, epochs = size.of(64, 24), size.of(2000, 1500)
    errors = np.array([_errors(draw, epochs) for draw in range(draws)])  # (draws, budgets, NAMES)
    against = [mean_of(np.log(errors[:, place, 2] / errors[:, place, 0])) for place in range(len(BUDGETS))]
    interpolated = [mean_of(np.log(errors[:, place, 2] / errors[:, place, 1])) for place in range(len(BUDGETS))]
    best = mean_of(np.log(errors[:, :, 2].mean(axis=1) / errors[:, :, 0].min(axis=1)))
    sizes, distances = _universal()
    worst = float((distances / np.array(_EPSILONS)).max())
    judged = [verdict(one.low, one.high, _NEARER) for one in against] + [verdict(worst, worst, _UNIVERSAL)]
    facts = {f"ratio_{budget}": float(np.exp(one.value)) for budget, one in zip(BUDGETS, against, strict=True)} | {
        f"ratio_{budget}_high": float(np.exp(one.high)) for budget, one in zip(BUDGETS, against, strict=True)
    } | {
        f"interpolation_{budget}_high": float(np.exp(one.high))
        for budget, one in zip(BUDGETS, interpolated, strict=True)
    } | {
        "best_bumps_high": float(np.exp(best.high)), "largest_of_eps": worst, "draws": float(draws),
        "bump_parameters": float(sizes[0, -1]), "relu_parameters": float(sizes[1, -1]),
    }  # fmt: skip
    overall = mean_of(np.log(errors[:, :, 2] / errors[:, :, 0]).mean(axis=1)).exp()
    return Measured(
        together(*judged), _statement(overall, best.exp(), facts), overall.value, overall.low, overall.high,
        _table(errors), _figure(errors), facts,
    )  # fmt: skip


def _universal() -> tuple[Floats, Floats]:
    """Parameters (2, eps) of built bumps and interpolations without noise, and distances of the bumps (eps,)."""
    x = np.linspace(0, 1, 10_001)
    made = [
        [approximate(truth, 0.0, 1.0, eps, lipschitz=_STEEPEST, method=method) for eps in _EPSILONS]
        for method in ("bumps", "relu")
    ]
    sizes = np.array([[one.network.n_parameters for one in row] for row in made], np.float64)
    return sizes, np.array([np.abs(one(x) - truth(x)).max() for one in made[0]])


def _errors(draw: int, epochs: int) -> Floats:
    """Distances from the truth (root of the mean square over a grid) from noisy rows: (budgets, NAMES)."""
    random = np.random.default_rng(draw)
    x = np.sort(random.uniform(0, 1, _ROWS))
    y = truth(x) + random.normal(0, _NOISE, _ROWS)
    grid = np.linspace(0, 1, 1001)
    made = [(_bumps(x, y, n // 3, grid), _joined(x, y, n // 3, grid), _trained(x, y, n // 3, grid, draw, epochs))
            for n in BUDGETS]  # fmt: skip
    found: Floats = np.sqrt(np.square(np.array(made) - truth(grid)).mean(axis=-1))
    return found


def _nearest(x: Floats, y: Floats, places: Floats) -> Floats:
    """The value of the row that is nearest to each place."""
    found: Floats = y[np.abs(x[:, np.newaxis] - places).argmin(axis=0)]
    return found


def _bumps(x: Floats, y: Floats, bumps: int, grid: Floats) -> Floats:
    """Equal bumps side by side, as high as their rows on average (least squares), or as the nearest where none is."""
    place = np.minimum((x * bumps).astype(int), bumps - 1)
    rows = np.bincount(place, minlength=bumps)
    means = np.bincount(place, y, bumps) / np.maximum(rows, 1)
    heights = np.where(rows > 0, means, _nearest(x, y, (np.arange(bumps) + 0.5) / bumps))
    found: Floats = heights[np.minimum((grid * bumps).astype(int), bumps - 1)]
    return found


def _joined(x: Floats, y: Floats, units: int, grid: Floats) -> Floats:
    """Straight pieces through the rows nearest to equal steps: what `approximate` builds of so many ReLU units."""
    steps = np.linspace(0, 1, units + 1)
    return np.interp(grid, steps, _nearest(x, y, steps))


def _trained(x: Floats, y: Floats, units: int, grid: Floats, seed: int, epochs: int) -> Floats:
    """A network of so many ReLU units, trained on all rows at once; nothing is chosen by the truth."""
    network, wide = Network([1, units, 1]), float(np.sqrt(12))  # a uniform input of standard deviation 1

    def inputs(points: Floats) -> Any:
        return (wide * (points[:, np.newaxis] - 0.5)).astype(np.float32)

    runs = train(
        network, squared, inputs(x), y, seed=seed, optimizer=Adam(0.02), schedule="cosine", batch=_ROWS,
        epochs=epochs, watch=0,
    )  # fmt: skip
    return np.asarray(network.scores(runs.theta, inputs(grid))[:, 0], np.float64)


def _statement(overall: Estimate, best: Estimate, facts: dict[str, float]) -> Text:
    ratio, chosen = bracketed(overall), bracketed(best)
    worst, draws = f"{facts['largest_of_eps']:.2f}", int(facts["draws"])
    bumps, lines = int(facts["bump_parameters"]), int(facts["relu_parameters"])
    return Text(
        f"Without noise, bumps come within {worst} ε of a smooth function (for ε = {_EPSILONS[-1]:g} with {bumps:,} "
        f"parameters, where straight pieces take {lines:,}), and from {_ROWS} noisy rows a trained network has, on "
        f"average over {BUDGETS[0]} to {BUDGETS[-1]} parameters, {ratio} times the error of as many parameters in "
        f"bumps and {chosen} times that of the best number of bumps, picked by the truth (95% t over {draws} draws).",
        f"잡음이 없으면 범프의 합은 오차 {worst} ε 이내로 매끄러운 함수에 다가갑니다(ε = {_EPSILONS[-1]:g}일 때 "
        f"매개변수 {bumps:,}개, 직선 조각은 {lines:,}개). 잡음 섞인 {_ROWS}행으로 학습한 신경망의 오차는 매개변수 "
        f"{BUDGETS[0]}개부터 {BUDGETS[-1]}개까지 평균하여 매개변수 수가 같은 범프의 {ratio}배이고, 참값을 보고 고른 "
        f"가장 좋은 개수의 범프의 {chosen}배입니다(데이터를 {draws}번 뽑은 95% t 신뢰구간).",
    )


def _table(errors: Floats) -> Table:
    rows = tuple(
        (str(budget), *(bracketed(mean_of(errors[:, place, kind]), 3) for kind in range(len(NAMES))))
        for place, budget in enumerate(BUDGETS)
    )
    return Table((Text("parameters", "매개변수"), *NAMES), rows)


def _figure(errors: Floats) -> Figure:
    lines = [
        series(name, BUDGETS, [mean_of(errors[:, place, kind]) for place in range(len(BUDGETS))])
        for kind, name in enumerate(NAMES)
    ]
    alt = Text("Distance from the truth against the number of parameters: bumps, interpolation, trained network.",
               "매개변수 수에 따른 참값과의 거리: 범프의 합, 보간, 학습한 신경망.")  # fmt: skip
    return Figure("lines", alt, Text("parameters", "매개변수"), Text("distance from the truth", "참값과의 거리"),
                  tuple(lines), log_x=True, log_y=True)  # fmt: skip


EXPERIMENT = Experiment(
    "bumps",
    ("4.2",),
    Text("The sum of bumps", "범프의 합"),
    Text(
        "Sums of indicator bumps Σ cᵢ 1(aᵢ < x < bᵢ) approximate every function too, but nobody would learn with them: "
        "networks express smooth functions compactly and are easy to train.",
        "지시 함수로 된 범프의 합 Σ cᵢ 1(aᵢ < x < bᵢ)도 모든 함수를 근사하지만, 이것으로 학습하려는 사람은 없을 "
        "것입니다. 신경망은 매끄러운 함수를 간결하게 나타내고 학습하기도 쉽습니다.",
    ),
    _run,
)
