"""One neuron as a classifier: firing rates, the line where it does not know, and what trusted libraries find."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

from kilonet.estimators import BinarySoftmaxClassifier, BinarySVMClassifier
from kilonet.measured import Figure, Measured, Region, Table, Text, same, together, verdict
from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.intervals import Estimate, bootstrapped

Floats = NDArray[np.float64]

ROWS, L2, GRID = 200, 0.01, 60
_AGREE = 1e-3  # of the weights' norm: what is left of the solvers' tolerances

Kind = tuple[str, Callable[[int], Any], Any]
KINDS: tuple[Kind, ...] = (
    ("softmax", lambda seed: BinarySoftmaxClassifier(random_state=seed, **_TRAINED), LogisticRegression(
        C=1 / (ROWS * L2), tol=1e-10, max_iter=10_000)),
    ("svm", lambda seed: BinarySVMClassifier(random_state=seed, **_TRAINED), SVC(
        kernel="linear", C=1 / (ROWS * L2), tol=1e-8)),
)  # fmt: skip
_TRAINED: dict[str, Any] = {
    "l2": L2, "encode": None, "batch": ROWS, "optimizer": "nesterov", "rate": 0.5, "schedule": "cosine", "epochs": 4000,
    "dtype": "float64",
}  # fmt: skip


def run(size: Size) -> Measured:
    """Measure it."""
    tables = [rows(seed) for seed in range(size.of(12, 8))]
    fits = {name: [(make(seed).fit(*own), clone(theirs).fit(*own)) for seed, own in enumerate(tables)]
            for name, make, theirs in KINDS}  # fmt: skip
    apart = {name: bootstrapped([distance(ours, theirs) for ours, theirs in own], np.max) for name, own in fits.items()}
    middle = bootstrapped([_at_boundary(ours) for ours, _ in fits["softmax"]], np.max)
    sums = max(float(np.abs(ours.predict_proba(own[0]).sum(axis=1) - 1).max())
               for (ours, _), own in zip(fits["softmax"], tables, strict=True))  # fmt: skip
    # P of both classes add up to 1 and are a half on the line; and with either loss the neuron is the classifier that a
    # trusted solver finds, up to the solvers' tolerances.
    said = together(
        *(verdict(own.low, own.high, f"[0, {_AGREE:g}]") for own in apart.values()),
        verdict(middle.low, middle.high, "[0, 1e-9]"),
        verdict(sums, sums, "[0, 1e-12]"),
    )
    facts = {"softmax_apart": apart["softmax"].value, "svm_apart": apart["svm"].value, "off_half": middle.value,
             "off_one": sums, "tables": float(len(tables))}  # fmt: skip
    worst = max(apart.values(), key=lambda own: own.value)
    return Measured(said, _statement(apart, middle, len(tables)), worst.value, worst.low, worst.high,
                    _table(apart), _figure(fits["softmax"][0][0], *tables[0]), facts)  # fmt: skip


def rows(seed: int) -> tuple[Floats, NDArray[np.int64]]:
    """Two classes that overlap, in the plane."""
    random = np.random.default_rng(seed)
    X = random.normal(size=(ROWS, 2))
    y = (X @ random.normal(size=2) + 0.5 * random.normal(size=ROWS) + 0.3 > 0).astype(np.int64)
    return X, y


def distance(ours: Any, theirs: Any) -> float:
    """Distance of weights and bias from those of the other library, by the norm of these."""
    one, other = (np.append(own.coef_, own.intercept_) for own in (ours, theirs))
    return float(np.linalg.norm(one - other) / np.linalg.norm(other))


def _at_boundary(fitted: Any) -> float:
    """How far the output is from a half on the line where the score is 0."""
    neuron = fitted.neuron_
    normal, offset = neuron.boundary()
    along = np.array([-normal[1], normal[0]])
    places = offset * normal + np.linspace(-3, 3, 41)[:, np.newaxis] * along
    return float(np.abs(neuron.forward(places) - 0.5).max())


def _statement(apart: dict[str, Estimate], middle: Estimate, tables: int) -> Text:
    softmax, svm = apart["softmax"], apart["svm"]
    return Text(
        f"On {tables} tables of {ROWS} rows the neuron's weights and bias differ from LogisticRegression's by "
        f"at most {softmax.value:.1e} of their norm (95% bootstrap interval of the largest {softmax.low:.1e} to "
        f"{softmax.high:.1e}) and from a linear SVM's by {svm.value:.1e} ({svm.low:.1e} to {svm.high:.1e}); on the "
        f"line its output is 0.5 to within {middle.value:.1e}.",
        f"행이 {ROWS}개인 데이터 {tables}벌에서 뉴런의 가중치와 편향을 LogisticRegression의 것과 비교하면 그 차이는 "
        f"노름에 견주어 최대 {softmax.value:.1e}이고(최댓값의 95% 부트스트랩 신뢰구간 "
        f"{softmax.low:.1e}~{softmax.high:.1e}), 선형 SVM과의 차이는 최대 "
        f"{svm.value:.1e}입니다({svm.low:.1e}~{svm.high:.1e}). 경계선 위에서 뉴런의 출력은 0.5이며, 오차는 "
        f"{middle.value:.1e} 이내입니다.",
    )


def _table(apart: dict[str, Estimate]) -> Table:
    head = (
        Text("neuron with", "뉴런의 손실"),
        Text("compared with", "비교 대상"),
        Text("largest difference by the norm", "노름 대비 최대 차이"),
    )
    losses = {"softmax": Text("cross-entropy", "교차 엔트로피"), "svm": Text("hinge", "힌지")}
    names = {"softmax": "LogisticRegression", "svm": 'SVC(kernel="linear")'}
    return Table(head, tuple((losses[name], names[name], f"{own.value:.1e}") for name, own in apart.items()))


def _figure(fitted: Any, X: Floats, y: NDArray[np.int64]) -> Figure:
    axis = np.linspace(-3, 3, GRID)
    grid = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    said = fitted.predict_proba(grid)[:, 1].reshape(GRID, GRID)
    alt = Text(
        "What one neuron says in the plane: two halves with a straight line between them.",
        "평면에서 뉴런 하나가 내린 판단: 직선을 사이에 둔 두 반평면.",
    )
    return Figure("regions", alt, regions=(Region.of(same("σ(w·x + b)"), said, (-3, 3, -3, 3), X, y),))


EXPERIMENT = Experiment(
    "one-neuron",
    ("2.1", "2.2", "2.3", "2.4b"),
    Text("One neuron is a linear classifier", "뉴런 하나로 된 선형 분류기"),
    Text(
        "A neuron with a sigmoid gives the probability of one of two classes and is undecided, 0.5, on a line; with "
        "the cross-entropy it is the binary softmax classifier, with the hinge loss a binary SVM.",
        "시그모이드 뉴런은 두 클래스 가운데 한쪽의 확률을 내며, 한 직선 위에서는 그 값이 0.5여서 어느 쪽으로도 "
        "정하지 못합니다. 교차 엔트로피를 쓰면 이진 소프트맥스 분류기, 힌지 손실을 쓰면 이진 SVM이 됩니다.",
    ),
    run,
)
