"""One table of what was measured, and its place in the README."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks.measure import Series, best
from benchmarks.workloads import PRODUCT_FLOPS, Workload

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
TRAINERS = ("PyTorch", "JAX scan", "JAX step", "scikit-learn")
Curve = Sequence[tuple[float, float]]  # seconds of training and accuracy on the test set, epoch by epoch
PREDICTORS = ("ONNX Runtime", "PyTorch", "scikit-learn")


def sgemm(series: list[Series]) -> float:
    """Return the GFLOP/s of large matrix products in float32 in the rounds of a workload."""
    return PRODUCT_FLOPS / min(found.median for found in series if found.peer == "sgemm") * 1e-9


def peak(sgemms: Sequence[float], fma: float | None) -> str:
    """Return what the machine reached in float32 on all cores, in the rounds of the workloads and in a bare loop."""
    loop = f", {fma:.0f} in a loop of fused multiply-adds" if fma else ""
    return (
        f"The machine's peak in float32, all cores: {min(sgemms):.0f} to {max(sgemms):.0f} GFLOP/s in sgemm, "
        f"workload by workload{loop}."
    )


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table with its first column to the left and the others to the right, padded for reading."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(cells, widths, strict=True))
        ]
        return f"| {' | '.join(padded)} |"

    rule = ["-" * w if i == 0 else "-" * (w - 1) + ":" for i, w in enumerate(widths)]
    return "\n".join([line(head), line(rule), *map(line, rows)])


def number(value: float) -> str:
    """Return three significant digits without an exponent.

    >>> number(1.2345), number(1234.5), number(14160.2)
    ('1.23', '1,234', '14,160')
    """
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def microseconds(series: Series | None, steps: int = 1) -> str:
    """Return the median of a step; a dash for nothing."""
    return "–" if series is None else number(series.median / steps * 1e6)


def against(peer: Series | None, own: Series, steps: int = 1) -> str:
    """Return a peer's microseconds, and how many times longer than our own that is."""
    return "–" if peer is None else f"{microseconds(peer, steps)} ({number(peer.median / own.median)}×)"


def training_row(workload: Workload, series: list[Series]) -> list[str]:
    """Return a workload's row: our one thread, our all threads, share of peak, the peers at their best."""
    own = [found for found in series if found.peer == "kilonet"]
    quickest = min(own, key=lambda found: found.median)
    share = workload.flops * workload.batches / quickest.median * 1e-9 / sgemm(series)
    peers = [best(series, lambda name, wanted=wanted: name == wanted) for wanted in TRAINERS]
    return [
        workload.name,
        *(microseconds(found, workload.batches) for found in own),
        f"{share:.0%}",
        *(against(found, quickest, workload.batches) for found in peers),
    ]


def training_table(rows: list[list[str]], threads: list[int]) -> str:
    """Return the table of training steps."""
    own = [f"Kilonet, {n} thread{'s' if n > 1 else ''}" for n in threads]
    return markdown(["network, batch", *own, "of peak", *TRAINERS], rows)


def prediction_row(rows: int, series: list[Series]) -> list[str] | None:
    """Return the row for so many rows a call: the packed network, the estimator, the peers at their best."""
    packed = best(series, lambda name: name == "kilonet")
    if packed is None:
        return None
    estimator = best(series, lambda name: name == "kilonet estimator")
    peers = [best(series, lambda name, wanted=wanted: name == wanted) for wanted in PREDICTORS]
    return [f"{rows:,}", microseconds(packed), microseconds(estimator), *(against(found, packed) for found in peers)]


def prediction_table(rows: list[list[str]]) -> str:
    """Return the table of predictions."""
    return markdown(["rows a call", "Kilonet, packed", "MLPClassifier", *PREDICTORS], rows)


def first(curve: Curve, accuracy: float) -> float | None:
    """Return the seconds after which an accuracy was reached first, or None.

    >>> first([(1.0, 0.5), (2.0, 0.7), (3.0, 0.6)], 0.6)
    2.0
    """
    return next((seconds for seconds, found in curve if found >= accuracy), None)


def pictures(own: Curve, peer: Curve, enough: float) -> str:
    """Return what two curves of seconds and accuracy say: when they were good enough, and where they ended."""
    (seconds, accuracy), soon = own[-1], first(own, enough)
    parts = [f"Fashion-MNIST, 784-256-128-10, default settings: Kilonet's `fit` ends at {accuracy:.1%} on the test set"]
    parts.append(f"after {seconds:.1f} s" + (f", and is at {enough:.1%} after {soon:.1f} s." if soon else "."))
    for wanted, mine in ((enough, soon), (accuracy, first(own, accuracy))):
        at = first(peer, wanted)
        if at is None:
            best_of_peer = max(found for _, found in peer)
            parts.append(
                f"scikit-learn does not reach {wanted:.1%} in {len(peer)} epochs, {peer[-1][0]:.0f} s "
                f"(its best is {best_of_peer:.1%})."
            )
        else:
            times = f"{number(at / mine)} times as long" if mine else "Kilonet never"
            parts.append(f"scikit-learn reaches {wanted:.1%} after {at:.1f} s, {times}.")
    return " ".join(parts)


def write_readme(text: str, path: Path = README) -> None:
    """Put the text between the README's marks; raises ValueError when they are not there."""
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path} has no place for measurements: it needs the lines {BEGIN} and {END}, in this order.")
    path.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", encoding="utf-8")
