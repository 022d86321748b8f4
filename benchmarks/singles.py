"""The parts of `make bench` that measure one network at a time: training, predictions, real pictures."""

import statistics

from benchmarks import machine, report
from benchmarks.measure import prediction, started, training
from benchmarks.part import Asked, Part, say
from benchmarks.workloads import PICTURES, PREDICTION, TRAINING, chosen

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


def singles(asked: Asked) -> Part | None:
    """Measure training of one network, and large matrix products in the same rounds."""
    workloads = chosen(TRAINING, asked.only)
    if not workloads:
        return None
    found = {}
    wanted = [(peer, n) for peer in ("kilonet", *report.TRAINERS, "sgemm") for n in machine.threads()]
    with started(wanted) as workers:
        for workload in workloads:
            say(f"{workload.name} ...")
            found[workload.name] = training(workload, workers, asked.rounds, asked.seconds)
    rows = [report.training_row(workload, found[workload.name]) for workload in workloads]
    how = HOW.format(rounds=asked.rounds, cores=machine.cores())
    return Part([how, report.training_table(rows, machine.threads())], found, [*map(report.sgemm, found.values())])


def predictions(asked: Asked) -> Part | None:
    """Measure predictions of one network, and what fit costs outside the engine."""
    if asked.only:
        return None
    say("predictions ...")
    wanted = [(name, n) for name in ("kilonet", "kilonet estimator", *report.PREDICTORS) for n in machine.threads()]
    with started(wanted) as workers:
        found = {f"{rows:,}": prediction(PREDICTION, rows, workers, asked.rounds, asked.seconds) for rows in ROWS}
        estimator = next(worker for worker in workers if worker.peer == "kilonet estimator")
        outside = [estimator.ask("seconds_outside_engine")["result"] for _ in range(max(3, asked.rounds))]
    calls = [report.prediction_row(rows, found[f"{rows:,}"]) for rows in ROWS]
    texts = [
        PREDICTING.format(name=PREDICTION.network),
        report.prediction_table([row for row in calls if row]),
        OVERHEAD.format(milliseconds=statistics.median(outside) * 1e3),
    ]
    return Part(texts, found)


def pictures(asked: Asked) -> Part | None:
    """Measure how soon a fit with default settings is good enough on Fashion-MNIST, and scikit-learn's."""
    if asked.only:
        return None
    if not PICTURES.is_dir():
        text = f"Fashion-MNIST was not measured: {PICTURES} is not there (Debian: dataset-fashion-mnist)."
        return Part([text], {})
    say("Fashion-MNIST ...")
    curves = []
    for peer, most_epochs in (("kilonet, pictures", 0), ("scikit-learn, pictures", 40)):
        with started([(peer, machine.cores())]) as (worker,):
            worker.ask("prepare_pictures")
            curves.append(worker.ask("curve", most_epochs=most_epochs)["result"])
    return Part([report.pictures(*curves, ENOUGH)], {})
