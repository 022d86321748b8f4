"""Mixed types of neurons in one network, layer by layer and within a layer: does anything speak against it?"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.activations import leaky_relu, relu, sigmoid, tanh
from kilonet.comparison import corrected_t
from kilonet.losses import cross_entropy
from kilonet.measured import Figure, Measured, Series, Table, Text, same, together, verdict
from kilonet.network import Dense, Network
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.intervals import Estimate, mean_of
from kilonet.notes.trials import HELD_OUT, ORDERS, TEST_TO_TRAIN, Array, digits, trained
from kilonet.training import value_and_grad

Floats = NDArray[np.float64]

SPLITS, CLASSES = 16, 10
RATE = 0.01
DIRECTIONS, REACH = 20, 1e-5  # of central differences
PURE = (relu, leaky_relu, tanh, sigmoid)
MARGIN = 2.0  # a fundamental problem would at least double the loss


class Several:
    """An activation of one's own: the units of a layer in as many groups as there are types, one type for each.

    It has `value` and `slope`, as `kilonet.train` asks of one, and looks at the last axis: the units.

    >>> Several((relu, tanh)).value(np.array([[-1.0, 0.0]])).tolist()
    [[0.0, 0.0]]
    """

    def __init__(self, types: Sequence[Any]) -> None:
        self.types = tuple(types)

    def _each(self, name: str, z: Array) -> Array:
        found = np.empty_like(z)
        for own, places in zip(self.types, np.array_split(np.arange(z.shape[-1]), len(self.types)), strict=True):
            found[..., places] = getattr(own, name)(z[..., places])
        return found

    def value(self, z: Array) -> Array:
        """Each group's outputs, shaped like z."""
        return self._each("value", z)

    def slope(self, z: Array) -> Array:
        """Each group's slopes, shaped like z."""
        return self._each("slope", z)


def networks(n_inputs: int) -> dict[Text, tuple[Network, Sequence[Any]]]:
    """Networks of one shape and the types they are of: one each, then one a layer, then four in one layer."""
    pure = {same(unit): (Network([n_inputs, 32, 16, CLASSES], activation=unit), (unit,)) for unit in PURE}
    layers = Network([n_inputs, Dense(32, relu), Dense(16, tanh), CLASSES])
    within = Network([n_inputs, Dense(32, Several(PURE)), Dense(16, Several(PURE)), CLASSES])
    return pure | {
        Text("relu, then tanh", "relu 층 다음에 tanh 층"): (layers, (relu, tanh)),
        Text("four types in each layer", "층마다 네 종류"): (within, PURE),
    }


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


def held_out(network: Network, size: Size) -> Floats:
    """Held-out loss (splits,) after training, means over seeds."""
    X, y = digits(size.of(600, 400))
    seeds = range(size.of(ORDERS, 2))
    found = np.empty(SPLITS)
    for split in range(SPLITS):
        test, training = np.split(np.random.default_rng(split).permutation(len(X)), [len(X) // HELD_OUT])
        runs = trained(
            network, cross_entropy, X[training], y[training], seeds=seeds, order=list(seeds), rate=RATE, l2=1e-3,
            epochs=size.of(30, 15), validation=(X[test], y[test]), watch=0, n_threads=1,
        )  # fmt: skip
        found[split] = runs.history.validation_loss[-1].mean()
    return found


def run(size: Size) -> Measured:
    """Measure it."""
    X, y = digits(100)
    made = networks(X.shape[1])
    errors = {name: gradient_error(network, X, y) for name, (network, _) in made.items()}
    losses = {name: held_out(network, size) for name, (network, _) in made.items()}
    ratios = [
        _ratio(losses[name], [losses[same(part)] for part in parts]) for name, (_, parts) in made.items() if parts[1:]
    ]
    error = max(errors.values())
    # "No fundamental problem": the gradients are right, to 1e-6, where central differences are good to some 1e-9, and
    # the held-out loss is surely below twice the geometric mean of the losses of the same types by themselves.
    said = together(
        verdict(error, error, "[0, 1e-6]"), *(verdict(found.low, found.high, f"(0, {MARGIN})") for found in ratios)
    )
    by_layer, within = ratios
    facts = {
        "gradient_error": error, "by_layer_low": by_layer.low, "by_layer_high": by_layer.high,
        "within_low": within.low, "within_high": within.high,
    }  # fmt: skip
    estimates = {name: mean_of(own) for name, own in losses.items()}
    statement = _statement(error, by_layer, within)
    return Measured(said, statement, within.value, within.low, within.high, _table(estimates, errors),
                    _figure(estimates), facts)  # fmt: skip


def _ratio(mixed: Floats, parts: list[Floats]) -> Estimate:
    """Mixed by the geometric mean of its types on the same rows; the splits share rows, which widens the interval."""
    found = corrected_t(np.log(mixed) - np.log(parts).mean(axis=0), TEST_TO_TRAIN)
    return Estimate(*(float(np.exp(bound)) for bound in (found.difference, found.low, found.high)))


def _statement(error: float, by_layer: Estimate, within: Estimate) -> Text:
    return Text(
        f"Gradients of mixed networks are right to {error:.1e} of their norm, and on digits their held-out loss is "
        f"{within.value:.2f} times the geometric mean of its types by themselves for four types in each layer (95% "
        f"interval of the corrected resampled t over {SPLITS} splits {within.low:.2f} to {within.high:.2f}), and "
        f"{by_layer.value:.2f} times ({by_layer.low:.2f} to {by_layer.high:.2f}) for a layer of relu below one of "
        "tanh.",
        f"여러 종류를 섞은 신경망의 기울기는 그 노름의 {error:.1e} 이내로 정확합니다. 숫자 이미지의 검증 손실은 같은 "
        f"종류를 하나씩만 썼을 때의 기하 평균에 견주어, 층마다 네 종류를 섞으면 {within.value:.2f}배(분할 "
        f"{SPLITS}개에 대한 95% 보정 t-구간 {within.low:.2f}~{within.high:.2f}), relu 층 위에 tanh 층을 쌓으면 "
        f"{by_layer.value:.2f}배({by_layer.low:.2f}~{by_layer.high:.2f})였습니다.",
    )


def _table(estimates: dict[Text, Estimate], errors: dict[Text, float]) -> Table:
    head = (
        Text("hidden units", "은닉 유닛"),
        Text("held-out loss", "검증 손실"),
        Text("95% interval", "95% 구간"),
        Text("gradient's error", "기울기의 오차"),
    )
    rows = tuple(
        (name, f"{e.value:.3f}", f"{e.low:.3f} – {e.high:.3f}", f"{errors[name]:.1e}") for name, e in estimates.items()
    )
    return Table(head, rows)


def _figure(estimates: dict[Text, Estimate]) -> Figure:
    found = list(estimates.values())
    bars = Series.of(
        Text("held-out loss", "검증 손실"),
        [],
        *([getattr(e, part) for e in found] for part in ("value", "low", "high")),
    )
    alt = Text(
        "Held-out loss on digits of networks of one type of unit and of mixed ones, with intervals over splits.",
        "한 종류의 유닛만 쓴 신경망과 여러 종류를 섞은 신경망의 숫자 이미지 검증 손실과 분할에 대한 구간.",
    )
    return Figure("bars", alt, y=Text("held-out loss", "검증 손실"), series=(bars,), names=tuple(estimates))


EXPERIMENT = Experiment(
    "mixed-units",
    ("2.12",),
    Text("Mixed types in one network", "여러 종류를 섞은 신경망"),
    Text(
        "Different types of neurons are seldom mixed in one network, though no fundamental problem forbids it.",
        "한 신경망에 여러 종류의 뉴런을 섞는 일은 드물지만, 근본적인 문제가 있는 것은 아니다.",
    ),
    run,
)
