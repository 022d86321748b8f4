"""The parts of `make bench` that measure populations."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, replace

from benchmarks import machine, plot
from benchmarks import population_report as report
from benchmarks.measure import Series, interleaved, started, training
from benchmarks.part import Asked, Part, say
from benchmarks.population_report import Point
from benchmarks.workloads import (
    FEATURES,
    POPULATIONS,
    RUN,
    STUDY_BATCH,
    STUDY_EPOCHS,
    STUDY_HIDDEN,
    STUDY_ROWS,
    STUDY_SEEDS,
    Workload,
    chosen,
)

HOW = (
    "Populations, microseconds a network and step, measured in the same way: networks of one shape that start from "
    "parameters of their own and share their batches, in one call of `kn.train`. JAX is a scan over a vmapped step, of "
    "all members or of 32 at a time, whichever is quicker; loops were timed on samples of the members. The peak is "
    "that of one core in the same rounds, times {cores}."
)
COSTS = (
    "What else populations do, and the speed that is left of plain SGD's; validation is on another 20% of all rows "
    "after every epoch:"
)
SCALING = "{network}, up to {threads} threads, {run}, what a call costs included; * is computed from one:"
STUDY = (
    "A study of {seeds} seeds × {{{hidden}}} hidden units, {rows} points in the plane, {epochs} epochs, batch {batch}, "
    "Adam: {networks} networks in one call, {seconds:.2f} s."
)
COUNTS = [2**power for power in range(11)]
APART = 16  # populations up to this size are also trained one after another


def populations(asked: Asked) -> Part | None:
    """Measure the populations against the peers."""
    workloads = chosen(POPULATIONS, asked.only)
    if not workloads:
        return None
    names = [report.OWN, *(name for names in report.TRAINERS.values() for name in names)]
    sgemm = [("sgemm", 1)]
    found = {}
    with started([(name, n) for name in names for n in machine.threads()] + sgemm) as workers:
        for workload in workloads:
            say(f"{workload.name} ...")
            found[workload.name] = training(workload, workers, asked.rounds, asked.seconds)
    rows = [report.population_row(workload, found[workload.name], machine.cores()) for workload in workloads]
    table = report.population_table(rows, machine.threads())
    sentences = [report.all_against_one(workload, found[workload.name]) for workload in workloads]
    text = " ".join(sentence for sentence in sentences if sentence)
    return Part([HOW.format(cores=machine.cores()), table, text], found)


def features(asked: Asked) -> Part | None:
    """Measure what each feature costs."""
    workloads = chosen(POPULATIONS, asked.only)
    if not workloads:
        return None
    variants: dict[str, dict[str, object]] = {"plain": {}, **FEATURES}
    found, rows = {}, []
    with started([(report.OWN, machine.cores(), name) for name in variants]) as workers:
        for workload in workloads:
            say(f"{workload.name}, features ...")
            for worker in workers:
                worker.ask("prepare", workload=asdict(workload), settings=variants[worker.label])
            series = interleaved(workers, "epochs", asked.rounds, asked.seconds)
            found[f"{workload.name}, features"] = series
            rows.append(report.feature_row(workload, series))
    return Part([COSTS, report.feature_table(rows)], found)


def curve(workload: Workload, asked: Asked) -> tuple[list[Point], list[Series]]:
    """Measure how time and memory of a network's populations grow; every point has a process of its own."""
    wanted = [("kilonet by default", machine.cores(), str(members)) for members in COUNTS]
    wanted += [
        ("kilonet one after another", machine.cores(), f"{members} apart") for members in COUNTS if members <= APART
    ]
    with started(wanted) as workers:
        for worker in workers:
            members = int(worker.label.split()[0])
            worker.ask("prepare", workload=asdict(replace(workload, members=members)))
        peaks = {worker.label: worker.ask("peak")["result"] for worker in workers[: len(COUNTS)]}
        series = interleaved(workers, "runs", asked.rounds, asked.seconds)
    seconds = {found.peer: found.median for found in series}
    points = [Point(n, seconds[str(n)], peaks[str(n)], seconds.get(f"{n} apart")) for n in COUNTS]
    return points, series


def scaling(asked: Asked) -> Part | None:
    """Measure and draw populations of 1 to 1,024 members."""
    workloads = chosen(POPULATIONS, asked.only)
    if not workloads:
        return None
    curves: dict[str, Sequence[Point]] = {}
    found, shown = {}, []
    for workload in workloads:
        say(f"{workload.network}, 1 to {COUNTS[-1]:,} members ...")
        curves[workload.network], found[f"{workload.network}, scaling"] = curve(workload, asked)
        run = f"a run of {RUN} epochs of {workload.batches} batches of {workload.batch}"
        shown.append(SCALING.format(network=workload.network, threads=machine.cores(), run=run))
        shown.append(report.scaling_table(curves[workload.network]))
    for path in plot.draw(curves, run):
        say(f"drawn: {path}")
    return Part([report.worst(curves)], found, shown=shown)


def study(asked: Asked) -> Part | None:
    """Time a study of many seeds and some widths in one call."""
    if asked.only:
        return None
    say("study ...")
    with started([(report.OWN, machine.cores())]) as (worker,):
        worker.ask("study")
        seconds = [worker.ask("study")["seconds"] for _ in range(min(asked.rounds, 5))]
    text = STUDY.format(
        seeds=STUDY_SEEDS,
        hidden=", ".join(map(str, STUDY_HIDDEN)),
        rows=STUDY_ROWS,
        epochs=STUDY_EPOCHS,
        batch=STUDY_BATCH,
        networks=STUDY_SEEDS * len(STUDY_HIDDEN),
        seconds=statistics.median(seconds),
    )
    return Part([text], {"study": [Series(report.OWN, machine.cores(), seconds)]})
