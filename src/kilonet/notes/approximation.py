"""For every eps a network that is within it: built, measured on a fine grid, and proven everywhere."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.approximation import CertificateError, approximate, certify
from kilonet.measured import LANGUAGES, Figure, Measured, Series, Table, Text, same, together, verdict
from kilonet.notes.experiment import Experiment, Size

Floats = NDArray[np.float64]

# The notes: for any continuous f and eps > 0 there is a network with one hidden layer, closer than eps to f for all x,
# which holds on a bounded region. It is judged for functions of one variable, where ours has one hidden layer, too. The
# square is beyond that: ours has two hidden layers there, and that one suffices is not shown.
# What was measured on the grid is at most the true distance, and what was proven is at least it: both in parts of eps,
# and the largest of all cases. Every proof has to succeed.
_CLOSER, _PROVEN = "[0, 1)", "[1, 1]"
_ONE_LAYER = "[1, 1]"  # hidden ones, for functions of one variable


@dataclass(frozen=True)
class _Function:
    """f of points (n,), or (n, 2) on a square, with its Lipschitz constant."""

    title: Text
    f: Callable[[Any], Any]
    lipschitz: float
    inputs: int = 1


_FUNCTIONS = (
    _Function(same("sin 2πx"), lambda x: np.sin(2 * np.pi * x), 2 * np.pi),
    _Function(same("|x − 0.3|"), lambda x: np.abs(x - 0.3), 1.0),
    _Function(same("sin 20x / (1 + x)"), lambda x: np.sin(20 * x) / (1 + x), 21.0),
    _Function(Text("x₁ x₂ (square)", "x₁ x₂ (정사각형)"), lambda X: X[:, 0] * X[:, 1], float(np.sqrt(2)), inputs=2),
)
_METHODS = ("relu", "sigmoid")


@dataclass(frozen=True)
class _Case:
    """What came of one function, method and eps; distances in the units of f."""

    title: Text
    method: str
    eps: float
    hidden: tuple[int, ...]
    parameters: int
    measured: float
    bound: float
    proven: bool


def _run(size: Size) -> Measured:
    steps = size.of(20_000, 5_000)
    line = [f for f in _FUNCTIONS if f.inputs == 1]
    cases = [_case(f, method, eps, steps) for f in line for method in _METHODS for eps in size.of(
        (0.3, 0.1, 0.03, 0.01, 0.003), (0.3, 0.1, 0.03))]  # fmt: skip
    square = [_case(f, "relu", eps, steps) for f in _FUNCTIONS if f.inputs == 2 for eps in (0.3, 0.1)]
    every = cases + square
    low, high = (max(getattr(case, name) / case.eps for case in every) for name in ("measured", "bound"))
    proven = float(np.mean([case.proven for case in every]))
    facts = {
        "largest_measured": low, "largest_bound": high, "proven": proven, "cases": float(len(every)),
        "hidden_layers_on_intervals": float(max(len(case.hidden) for case in cases)),
        "hidden_layers_on_squares": float(max(len(case.hidden) for case in square)),
        "above_bound": float(sum(case.measured > case.bound for case in every)),
        "smallest_eps": min(case.eps for case in cases), "most_parameters": float(max(c.parameters for c in every)),
    }  # fmt: skip
    layers = facts["hidden_layers_on_intervals"]
    judged = together(
        verdict(low, high, _CLOSER), verdict(proven, proven, _PROVEN), verdict(layers, layers, _ONE_LAYER)
    )
    return Measured(judged, _statement(facts), low, low, high, _table(every), _figure(cases), facts)


def _case(function: _Function, method: str, eps: float, steps: int) -> _Case:
    """Build the network, measure it on a fine grid that has no samples in common with it, and prove its bound."""
    d = function.inputs
    low, high = (0.0, 1.0) if d == 1 else ([0.0] * d, [1.0] * d)
    made = approximate(function.f, low, high, eps, lipschitz=function.lipschitz, method=method)
    places = np.linspace(0, 1, steps if d == 1 else 257)
    X: Floats = places if d == 1 else np.stack(np.meshgrid(*[places] * d), axis=-1).reshape(-1, d)
    measured = float(np.abs(made(X) - function.f(X)).max())
    try:
        certify(made.certificate, function.f)
        proven = True
    except CertificateError:
        proven = False
    hidden = tuple(layer.units for layer in made.network.layers[:-1])
    return _Case(function.title, method, eps, hidden, made.network.n_parameters, measured, made.bound, proven)


def _statement(facts: dict[str, float]) -> Text:
    cases, proven = int(facts["cases"]), round(facts["cases"] * facts["proven"])
    one, two = int(facts["hidden_layers_on_intervals"]), int(facts["hidden_layers_on_squares"])
    low, high = f"{facts['largest_measured']:.3f}", f"{facts['largest_bound']:.3f}"
    return Text(
        f"In {cases} cases down to ε = {facts['smallest_eps']:g} the largest distance lies between {low} ε, measured "
        f"on a fine grid, and {high} ε, the largest bound, and bounds are proven for all x of the region in {proven} "
        f"of {cases} cases; for functions of one variable, which the claim is about, networks have {one} hidden "
        f"layer{'s' if one > 1 else ''}, and beyond it, on the square, {two}.",
        f"ε = {facts['smallest_eps']:g}까지 {cases}가지 경우를 통틀어 가장 큰 오차는 촘촘한 격자에서 잰 {low} ε과 가장 "
        f"큰 한계 {high} ε 사이에 있습니다. {cases}가지 가운데 {proven}가지에서 한계가 영역의 모든 x에 대해 "
        f"증명되었습니다. 은닉층은 주장이 다루는 변수 하나짜리 함수에서 {one}개이고, 주장을 벗어나는 정사각형에서는 "
        f"{two}개입니다.",
    )


def _table(cases: list[_Case]) -> Table:
    head = (Text("function", "함수"), Text("units", "유닛 종류"), same("ε"), Text("hidden units", "은닉 유닛"),
            Text("parameters", "매개변수"), Text("measured", "측정 오차"), Text("bound", "증명된 한계"))  # fmt: skip
    rows = tuple(
        (case.title, case.method, f"{case.eps:g}", "–".join(f"{units:,}" for units in case.hidden),
         f"{case.parameters:,}", f"{case.measured:.3g}",
         f"{case.bound:.3g}" if case.proven else Text("not proven", "증명되지 않음"))
        for case in cases
    )  # fmt: skip
    return Table(head, rows)


def _figure(cases: list[_Case]) -> Figure:
    series = []
    for method in _METHODS:
        for title in dict.fromkeys(case.title for case in cases):
            own = [case for case in cases if (case.title, case.method) == (title, method)]
            series.append(
                Series.of(
                    Text(*(f"{title.of(one)}, {method}" for one in LANGUAGES)),
                    [case.eps for case in own],
                    [c.measured / c.eps for c in own],
                )
            )
    alt = Text("The measured distance in parts of eps, for each function and kind of unit; all are below 1.",
               "함수와 유닛 종류마다 측정 오차를 ε으로 나눈 값. 모두 1보다 작습니다.") if max(
        case.measured / case.eps for case in cases) < 1 else Text(
        "The measured distance in parts of eps; some are not below 1.", "측정 오차를 ε으로 나눈 값. 1 이상인 것이 "
        "있습니다.",
    )  # fmt: skip
    return Figure("lines", alt, same("ε"), Text("measured distance / ε", "측정 오차 / ε"), tuple(series),
                  claimed=1.0, log_x=True, log_y=True)  # fmt: skip


EXPERIMENT = Experiment(
    "approximation",
    ("4.1",),
    Text("Any function, as closely as is wished", "원하는 만큼 정확한 함수 근사"),
    Text(
        "A network with one hidden layer is a universal approximator: for every continuous function of one variable "
        "on a bounded region and every ε there is one that stays closer than ε for all x of the region.",
        "은닉층이 하나인 신경망은 보편 근사기입니다. 유계인 영역에서 변수 하나짜리 어떤 연속 함수와 어떤 ε에 대해서도 "
        "그 영역의 모든 x에서 오차가 ε보다 작은 신경망이 있습니다.",
    ),
    _run,
)
