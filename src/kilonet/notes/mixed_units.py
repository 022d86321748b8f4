"""Mixed types of neurons in one network, layer by layer and within a layer: does anything speak against it?"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kilonet.activations import leaky_relu, mixed, relu, sigmoid, tanh
from kilonet.losses import cross_entropy
from kilonet.measured import Figure, Measured, Table, Text, same, together, verdict
from kilonet.network import Dense, Network
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.held_out import MARGIN, Candidate, judged, over_tasks, ratio
from kilonet.notes.intervals import Estimate
from kilonet.notes.tasks import Array, digits, tasks
from kilonet.notes.told import series, spanned
from kilonet.optimizers import Adam
from kilonet.training import value_and_grad

UNITS = (32, 16)  # of both hidden layers
RATES, PENALTY = (0.01, 0.03), 1e-3
DIRECTIONS, REACH = 20, 1e-5  # of central differences
PURE = (relu, leaky_relu, tanh, sigmoid)
BY_LAYER = Text("relu, then tanh", "ReLU 층 다음에 tanh 층")
WITHIN = Text("four types in each layer", "층마다 네 종류")
# The notes: no fundamental problem. So gradients are right to 1e-6, where central differences are good to some 1e-9;
# and whoever mixes types loses nothing that matters against whoever takes the best one of them for the task: over the
# tasks the held-out loss is at most by the margin above that of the best of the same types. All of an interval above
# the margin would disagree.
_RIGHT, _AS_GOOD = "[0, 1e-6]", f"(0, {MARGIN}]"


def networks() -> dict[Text, tuple[Dense, ...]]:
    """Hidden layers of one shape: of one type each, then of one type a layer, then of four types in each layer."""
    pure = {same(unit): tuple(Dense(units, unit) for units in UNITS) for unit in PURE}
    within = tuple(Dense(units, mixed(*((unit, units // len(PURE)) for unit in PURE))) for units in UNITS)
    return pure | {BY_LAYER: (Dense(UNITS[0], relu), Dense(UNITS[1], tanh)), WITHIN: within}


def gradient_error(network: Network, X: Array, y: Array) -> float:
    """Largest error of the gradient along random directions against central differences, by the gradient's norm."""
    theta = network.initial(seed=0, dtype=np.float64)
    gradient = value_and_grad(network, cross_entropy, theta, X, y)[1]
    random, errors = np.random.default_rng(0), []
    for _ in range(DIRECTIONS):
        way = random.normal(size=theta.shape)
        way *= REACH / np.linalg.norm(way)
        up, down = (value_and_grad(network, cross_entropy, theta + step, X, y)[0] for step in (way, -way))
        errors.append(abs(up - down - 2 * gradient @ way) / (2 * REACH * np.linalg.norm(gradient)))
    return float(max(errors))


def compared(names: Sequence[Text], splits: int) -> dict[Text, Estimate]:
    """Each network's held-out loss by that of the best type, of its own where it mixes some, over all tasks.

    names: of those that are trained, beside all networks of one type. Rates, and the best type, are chosen by other
    rows than those that judge.
    """
    every = [(name, layers) for name, layers in networks().items() if name in names or name not in (BY_LAYER, WITHIN)]
    candidates = [Candidate(name.en, layers, (("rate", rate),)) for name, layers in every for rate in RATES]
    settings: dict[str, Any] = {"optimizer": Adam(), "schedule": "cosine", "batch": 64, "l2": PENALTY, "epochs": 30}
    found = [judged(task, candidates, splits, seeds=4, **settings) for task in tasks()]
    types = {name: [str(unit) for unit in ((relu, tanh) if name == BY_LAYER else PURE)] for name, _ in every}
    return {
        name: over_tasks([ratio(one.best(name.en), one.best(*own)).difference for one in found])
        for name, own in types.items()
    }


def run(size: Size) -> Measured:
    """Measure it."""
    X, y = digits(100)
    errors = {name: gradient_error(Network([64, *layers, 10]), X, y) for name, layers in networks().items()}
    # Mixtures within a layer have no kernel of their own: more splits take long, and they are far from the margin.
    ratios = compared([BY_LAYER], size.of(12, 4)) | {WITHIN: compared([WITHIN], size.of(4, 2))[WITHIN]}
    error, by_layer, within = max(errors[BY_LAYER], errors[WITHIN]), ratios[BY_LAYER], ratios[WITHIN]
    said = together(
        verdict(error, error, _RIGHT), *(verdict(one.low, one.high, _AS_GOOD) for one in (by_layer, within))
    )
    facts = {
        "gradient_error": error, "gradient_error_of_one_type": max(errors[same(unit)] for unit in PURE),
        "by_layer_low": by_layer.low, "by_layer_high": by_layer.high,
        "within_low": within.low, "within_high": within.high, "tasks": float(len(tasks())),
    }  # fmt: skip
    return Measured(said, _statement(error, by_layer, within), within.value, within.low, within.high,
                    _table(ratios, errors), _figure(ratios), facts)  # fmt: skip


def _statement(error: float, by_layer: Estimate, within: Estimate) -> Text:
    n = len(tasks())
    return Text(
        f"Gradients of mixed networks are right to {error:.1e} of their norm, and over {n} tasks the held-out loss is "
        f"{within.value:.3f} times (95% interval over tasks {within.low:.3f} to {within.high:.3f}) that of the best "
        f"of the same types alone with four types in each layer, and {by_layer.value:.3f} times ({by_layer.low:.3f} "
        f"to {by_layer.high:.3f}) with a layer of relu below one of tanh; up to {MARGIN:g} times counts as no problem.",
        f"여러 종류를 섞은 신경망의 기울기는 오차가 그 노름의 {error:.1e} 이내입니다. 과제 {n}개에서 검증 손실은 "
        f"섞은 종류 가운데 가장 나은 하나만 썼을 때와 견주어, 층마다 네 종류를 섞으면 {within.value:.3f}배(과제에 "
        f"대한 95% 신뢰구간 {within.low:.3f}~{within.high:.3f}), ReLU 층 위에 tanh 층을 쌓으면 "
        f"{by_layer.value:.3f}배({by_layer.low:.3f}~{by_layer.high:.3f})였습니다. {MARGIN:g}배까지는 문제가 없는 "
        "것으로 봅니다.",
    )


def _table(ratios: dict[Text, Estimate], errors: dict[Text, float]) -> Table:
    head = (
        Text("hidden units", "은닉 유닛"),
        Text("held-out loss, by the best type's (95% interval)", "가장 나은 종류 대비 검증 손실(95% 신뢰구간)"),
        Text("gradient's error", "기울기의 오차"),
    )
    return Table(head, tuple((name, spanned(one, ".3f"), f"{errors[name]:.1e}") for name, one in ratios.items()))


def _figure(ratios: dict[Text, Estimate]) -> Figure:
    label = Text(  # the margin is ours, so that it is no line of what the notes say
        f"held-out loss, by the best type's (our margin: {MARGIN:g})",
        f"가장 나은 종류 대비 검증 손실(자체 기준: {MARGIN:g})",
    )
    alt = Text(
        "Held-out loss, by that of the type that does best on each task, of networks of one type of unit and of mixed "
        "ones, with intervals over tasks.",
        "한 종류의 유닛만 쓴 신경망과 여러 종류를 섞은 신경망의 검증 손실을 과제마다 가장 나은 종류의 검증 손실로 나눈 "
        "비와 과제에 대한 신뢰구간.",
    )
    bars = series(label, [], ratios.values())
    return Figure("bars", alt, y=label, series=(bars,), names=tuple(ratios))


EXPERIMENT = Experiment(
    "mixed-units",
    ("2.12",),
    Text("Mixed types in one network", "여러 종류의 유닛을 섞은 신경망"),
    Text(
        "Different types of neurons are seldom mixed in one network, though no fundamental problem forbids it.",
        "한 신경망에 여러 종류의 뉴런을 섞는 일은 드물지만, 근본적인 문제가 있는 것은 아닙니다.",
    ),
    run,
)
