"""Tables and sentences of what was measured on populations."""

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.measure import Series, best
from benchmarks.report import against, markdown, microseconds, number, sgemm
from benchmarks.workloads import FEATURES, Workload

OWN = "kilonet population"
# The columns, and the workers of whom the better one stands there.
TRAINERS: dict[str, tuple[str, ...]] = {
    "JAX vmap, scan": ("JAX vmap", "JAX vmap in chunks"),
    "torch.func vmap": ("torch.func",),
    "PyTorch, loop": ("PyTorch loop",),
    "scikit-learn, joblib": ("scikit-learn loop",),
}


@dataclass(frozen=True)
class Point:
    """A population of so many members: seconds of a run, bytes at most, seconds one after another if measured."""

    members: int
    seconds: float
    bytes: int
    apart: float | None = None


def population_row(workload: Workload, series: list[Series], cores: int) -> list[str]:
    """Return a population's row: our one thread, our all threads, share of peak, the peers at their best.

    The series hold seconds of one epoch of one network; the peak is that of one core, times the cores.
    """
    own = [found for found in series if found.peer == OWN]
    quickest = min(own, key=lambda found: found.median)
    peak = cores * sgemm([found for found in series if found.threads == 1])
    share = workload.flops * workload.batches / quickest.median * 1e-9 / peak
    peers = [best(series, lambda name, wanted=wanted: name in wanted) for wanted in TRAINERS.values()]
    return [
        workload.name,
        *(microseconds(found, workload.batches) for found in own),
        f"{share:.0%}",
        *(against(found, quickest, workload.batches) for found in peers),
    ]


def population_table(rows: list[list[str]], threads: list[int]) -> str:
    """Return the table of populations."""
    own = [f"Kilonet, {n} thread{'s' if n > 1 else ''}" for n in threads]
    return markdown(["population, batch", *own, "of peak", *TRAINERS], rows)


def all_against_one(workload: Workload, series: list[Series]) -> str | None:
    """Return how long a step of all members takes, measured by PyTorch's step of one; None without either."""
    own, one = (best(series, lambda name, wanted=wanted: name == wanted) for wanted in (OWN, "PyTorch loop"))
    if own is None or one is None:
        return None
    times = own.median * workload.members / one.median
    share = f"{times:.0%} of" if times < 1 else f"{number(times)} times"
    return f"All {workload.members:,} networks of {workload.network} take {share} the time in which PyTorch steps one."


def feature_row(workload: Workload, series: list[Series]) -> list[str]:
    """Return a population's row of features: microseconds of a network's plain step, then shares of plain speed."""
    found = {each.peer: each for each in series}
    plain = found["plain"]
    shares = [f"{plain.median / found[name].median:.0%}" for name in FEATURES]
    return [workload.name, microseconds(plain, workload.batches * workload.members), *shares]


def feature_table(rows: list[list[str]]) -> str:
    """Return the table of what features cost."""
    return markdown(["share of plain speed", "plain, µs a network and step", *FEATURES], rows)


def apart(points: Sequence[Point]) -> list[float]:
    """Return the seconds of the members one after another: measured, or as many times as long as one.

    >>> apart([Point(1, 2.0, 0, 1.5), Point(2, 2.0, 0, 2.5), Point(8, 4.0, 0)])
    [1.5, 2.5, 12.0]
    """
    one = next(point.apart for point in points if point.members == 1 and point.apart is not None)
    return [one * point.members if point.apart is None else point.apart for point in points]


def ratios(points: Sequence[Point]) -> list[float]:
    """Return the time of each population as a share of that of its members one after another."""
    return [point.seconds / each for point, each in zip(points, apart(points), strict=True)]


def scaling_table(points: Sequence[Point]) -> str:
    """Return how time and memory grow with the members."""
    rows = [
        [
            f"{point.members:,}",
            number(point.seconds * 1e3),
            number(each * 1e3) + ("" if point.apart is not None else " *"),
            f"{ratio:.2f}",
            number(point.bytes / 1e6),
        ]
        for point, each, ratio in zip(points, apart(points), ratios(points), strict=True)
    ]
    head = ["members", "ms a run", "one after another", "ratio", "MB at most"]
    return markdown(head, rows)


def worst(curves: dict[str, Sequence[Point]]) -> str:
    """Return where a population gains least over its members one after another."""
    found = [
        (ratio, name, point.members)
        for name, points in curves.items()
        for point, ratio in zip(points, ratios(points), strict=True)
    ]
    ratio, name, members = max(found)
    return (
        f"A population takes at most {ratio:.2f} of the time of its members one after another ({name}, "
        f"{members:,} member{'s' if members > 1 else ''})."
    )


def titles(curves: dict[str, Sequence[Point]]) -> tuple[str, str]:
    """Return what the two panels show: how much quicker together, and the memory of the largest populations."""
    gains = [f"{number(1 / ratios(points)[-1])} ({name})" for name, points in curves.items()]
    most = max(point.members for points in curves.values() for point in points)
    memory = [f"{number(points[-1].bytes / 1e6)} MB ({name})" for name, points in curves.items()]
    return (
        f"Together, {most:,} networks are trained\n{' and '.join(gains)} times as fast as one after another",
        f"Memory grows with the members: {most:,} networks need\n{' and '.join(memory)}",
    )
