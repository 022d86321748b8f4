"""`make bench`: measure and print one table. `make bench ARGS=--help` lists what can be set."""

import argparse
import json
import statistics
import sys
from pathlib import Path

from benchmarks import machine, report
from benchmarks.measure import Series, Worker, prediction, training
from benchmarks.workloads import PICTURES, PREDICTION, TRAINING, Workload

ROWS = (1, 10_000)
HOW = (
    "Microseconds a step, medians of {rounds} interleaved rounds; in brackets how many times longer than Kilonet's "
    "better one. float32, ReLU, softmax cross-entropy, SGD with L2, rows shuffled every epoch and gathered by batch. "
    "Kilonet is timed through `kn.train`, in runs of at least 5 epochs with everything included; peers without their "
    "start-up and compilation, each at its best of 1 and {cores} threads. The peak is that of NumPy's matrix product, "
    "measured in the same rounds."
)
PREDICTING = "Predicting with {name}, microseconds a call:"
ENOUGH = 0.885
OVERHEAD = "`MLPClassifier.fit` on 1,797 rows of digits costs {milliseconds:.1f} ms outside the engine (median)."


def arguments() -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9, help="interleaved rounds; the median of them counts")
    parser.add_argument("--seconds", type=float, default=0.5, help="length of one measurement of one peer")
    parser.add_argument(
        "--only", default="", help="only training, of workloads whose name contains this, such as 784-256"
    )
    parser.add_argument("--json", type=Path, help="write every single measurement to this file")
    parser.add_argument("--write-readme", action="store_true", help="put the result into README.md")
    asked = parser.parse_args()
    if asked.write_readme and (asked.only or asked.rounds < 5):
        parser.error("README.md gets whole measurements only: all workloads, at least 5 rounds.")
    return asked


def threads() -> list[int]:
    """Return the numbers of threads that everybody is measured with: one and all."""
    return sorted({1, machine.cores()})


def say(text: str) -> None:
    """Tell on stderr what goes on."""
    print(text, file=sys.stderr, flush=True)


def measured_training(workloads: list[Workload], rounds: int, seconds: float) -> dict[str, list[Series]]:
    """Return the series of every workload, and of large matrix products in the same rounds."""
    workers = [Worker(peer, n) for peer in ("kilonet", *report.TRAINERS, "sgemm") for n in threads()]
    found = {}
    try:
        for workload in workloads:
            say(f"{workload.name} ...")
            found[workload.name] = training(workload, workers, rounds, seconds)
    finally:
        for worker in workers:
            worker.close()
    return found


def measured_predictions(rounds: int, seconds: float) -> tuple[dict[str, list[Series]], float]:
    """Return the series for each number of rows, and the milliseconds that fit costs outside the engine."""
    say("predictions ...")
    workers = [Worker(peer, n) for peer in ("kilonet", "kilonet estimator", *report.PREDICTORS) for n in threads()]
    try:
        found = {f"{rows:,}": prediction(PREDICTION, rows, workers, rounds, seconds) for rows in ROWS}
        estimator = next(worker for worker in workers if worker.peer == "kilonet estimator")
        outside = [estimator.ask("seconds_outside_engine")["result"] for _ in range(max(3, rounds))]
    finally:
        for worker in workers:
            worker.close()
    return found, statistics.median(outside) * 1e3


def measured_pictures(enough: float) -> str:
    """Return how soon a fit with default settings is good enough on Fashion-MNIST, and scikit-learn's."""
    if not PICTURES.is_dir():
        return f"Fashion-MNIST was not measured: {PICTURES} is not there (Debian: dataset-fashion-mnist)."
    say("Fashion-MNIST ...")
    curves = {}
    for peer, most_epochs in (("kilonet, pictures", 0), ("scikit-learn, pictures", 40)):
        worker = Worker(peer, machine.cores())
        try:
            worker.ask("prepare_pictures")
            curves[peer] = worker.ask("curve", most_epochs=most_epochs)["result"]
        finally:
            worker.close()
    return report.pictures(*curves.values(), enough)


def main() -> None:
    """Measure, print, and write what was asked for."""
    asked = arguments()
    workloads = [workload for workload in TRAINING if asked.only in workload.name]
    if not workloads:
        raise SystemExit(f"no workload's name contains {asked.only!r}: {'; '.join(w.name for w in TRAINING)}")
    found = measured_training(workloads, asked.rounds, asked.seconds)
    rows = [report.training_row(workload, found[workload.name]) for workload in workloads]
    peaks = [report.sgemm(found[workload.name]) for workload in workloads]
    parts = [HOW.format(rounds=asked.rounds, cores=machine.cores()), report.training_table(rows, threads())]
    if not asked.only:
        predicted, milliseconds = measured_predictions(asked.rounds, asked.seconds)
        found |= predicted
        calls = [report.prediction_row(n, predicted[f"{n:,}"]) for n in ROWS]
        parts += [
            PREDICTING.format(name=PREDICTION.name.partition(",")[0]),
            report.prediction_table([row for row in calls if row]),
            OVERHEAD.format(milliseconds=milliseconds),
            measured_pictures(ENOUGH),
        ]
    parts.append(f"{report.peak(peaks, machine.fma_peak(machine.cores()))}\n{machine.describe()}")
    text = "\n\n".join(parts)
    print(text)
    if asked.json:
        everything = {name: [vars(found) for found in series] for name, series in found.items()}
        asked.json.write_text(json.dumps({"machine": machine.describe(), "seconds": everything}, indent=1))
    if asked.write_readme:
        report.write_readme(text)


if __name__ == "__main__":
    main()
