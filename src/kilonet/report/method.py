"""The last part of the page: what was done, how to do it again, and what the words mean."""

import math
from collections import Counter

from kilonet.evidence import SearchRecord
from kilonet.numerals import count, listed
from kilonet.report.blocks import Code, Pairs, Section, Text
from kilonet.report.tables import grid_values
from kilonet.report.words import clean, named, number, short
from kilonet.telling import by_loss, loss_name, rmse_of

_LOSSES = {
    "cross_entropy": (
        "minus the logarithm of the probability that was given to the true class; saying 50% and 50% of two classes "
        "scores 0.693, knowing all for sure scores 0"
    ),
    "squared": (
        "half the squared error, where the standard deviation of the target in the training rows is 1; always "
        "answering the mean scores about 0.5, knowing all scores 0"
    ),
}
_AXES = {"l2": "λ (L2)", "rate": "Learning rate", "dropout": "Dropout", "input_noise": "Input noise"}
_MOST_NAMES = 12  # of columns and classes
_ORIGINS = {
    "grid": "of the grid",
    "edge": "beyond its edge (where the best lay at one)",
    "rescue": "with more regularization (the largest network over-fitted)",
}


def done(record: SearchRecord) -> Section:
    """Data, grid, procedure and effort."""
    pairs = [*_data(record), *_grid(record), ("Judged by", _judged(record)), ("Procedure", _procedure(record)),
             ("Effort", _effort(record))]  # fmt: skip
    return Section("What was done", [Pairs(pairs)])


def _data(record: SearchRecord) -> list[tuple[str, str]]:
    data = record.data
    source = f"{named(data['source'])}: " if data.get("source") else ""
    counts = [count(data[f"{name}s"], name) for name in ("row", "input", "output") if data.get(f"{name}s")]
    mark = f"; fingerprint {clean(data['fingerprint'])[:16]}" if data.get("fingerprint") else ""
    pairs = [("Data", f"{source}{', '.join(counts)}{mark}.")]
    if data.get("target"):
        pairs.append(("Predicted", named(data["target"])))
    for key, label in (("columns", "Columns"), ("classes", "Classes"), ("dropped", "Left out")):
        found = data.get(key)
        if isinstance(found, int | float) and found:
            pairs.append((label, f"{found:,}"))
        elif isinstance(found, list | tuple) and found:
            own = [str(name) for name in found]
            most = data.get(f"n_{key}", len(own))
            pairs.append((label, f"{most:,}: {listed_names(own, most)}" if key != "dropped" else listed_names(own)))
    return pairs


def listed_names(names: list[str], most: int = 0) -> str:
    """Names from the data, not too many; most: how many there are, where some of them were left out before."""
    own = [named(name) for name in names[:_MOST_NAMES]]
    more = max(len(names), most) - len(own)
    return f"{', '.join(own)} and {more:,} more" if more else listed(own)


def _grid(record: SearchRecord) -> list[tuple[str, str]]:
    settings = record.settings
    pairs = [("Architectures", ", ".join(short(text) for text in settings.get("architectures", ())))]
    pairs += [(label, grid_values(settings[key])) for key, label in _AXES.items() if settings.get(key)]
    origins = Counter(own.origin for own in record.candidates)
    parts = listed(f"{n:,} {_ORIGINS.get(name, clean(name))}" for name, n in origins.items())
    return [*pairs, ("Combinations", f"{len(record.candidates):,}: {parts}.")]


def _judged(record: SearchRecord) -> str:
    loss, unit = clean(record.metric["loss"]), clean(record.metric["unit"])
    if by_loss(record):
        known = _LOSSES.get(loss, "")
        return f"The loss on held-out rows, {loss}{f' in {unit}' if unit else ''}{f': {known}' if known else ''}."
    return f"{clean(loss_name(record))} on held-out rows, lower is better; trained with {loss}."


def _procedure(record: SearchRecord) -> str:
    return (
        "Every combination was trained on a few splits, the better third of each architecture on more, and the best "
        f"one of each on all {count(len(record.splits), 'split')} with {count(_seeds(record), 'seed')}. These were "
        "compared by the corrected resampled t-test (Nadeau & Bengio 2003) over splits; p-values are adjusted for all "
        "pairs (Holm 1979)."
    )


def _seeds(record: SearchRecord) -> int:
    return len(record.best.losses[0])


def _effort(record: SearchRecord) -> str:
    most, done = (record.settings.get(name) for name in ("runs", "networks"))
    own = f"At most {count(most or 0, 'network')} trained"
    if done is not None:
        own = f"{count(done, 'network')} trained of at most {most or done:,}"
    every, training = (record.seconds.get(name) for name in ("all", "training"))
    if every is None or not math.isfinite(every):
        return f"{own}."
    part = f", {number(training)} s of them training" if training is not None else ""
    return f"{own}, {number(every)} s{part}."


def again(record: SearchRecord) -> list[Section]:
    """The line that gives the same numbers."""
    if not record.reproduce:
        return []
    told = (
        "This gives the same numbers, times excepted, on the same data. A name that stands for itself, as in cv=cv, is "
        "what the search was given:"
    )
    return [Section("How to reproduce it", [Text(told), Code(clean(record.reproduce, lines=True))])]


def glossary(record: SearchRecord) -> Section:
    """What the words of the page mean."""
    judged = clean(loss_name(record))
    words = _WORDS | (_OF_NUMBERS if math.isfinite(rmse_of(record, record.choice)) else {})
    return Section("Words", [Pairs([(word, text.format(judged=judged)) for word, text in words.items()])])


_WORDS = {
    "Architecture": (
        "How many hidden layers, how many units in each, and their activation: 64-64 relu has two hidden layers of 64 "
        "units each."
    ),
    "Single-layer network": (
        "One with no hidden layer: columns are weighed and summed straight into the answer, as linear or logistic "
        "regression does."
    ),
    "Parameters": (
        "The numbers that training finds: weights and biases. More make a network more flexible, slower, and easier to "
        "over-fit."
    ),
    "Validation loss": "The error ({judged}) on held-out rows, which training has not seen. Lower is better.",
    "Split": (
        "One way to divide the rows into some to train on and others to judge by. Folds are splits drawn together, so "
        "that every row is held out once."
    ),
    "λ": "Strength of L2 regularization: how strongly large weights are held back. Larger is smoother.",
    "Rate": "Learning rate: how large a step of training is.",
    "Over-fitting": "Learning training rows by heart, noise included: training loss falls, validation loss rises.",
    "Seed luck": (
        "How much the loss changes when only the random start and the order of the rows change, as a standard "
        "deviation. A smaller difference between two single networks says nothing."
    ),
    "95% interval": "Made so that in 95 of 100 such studies it holds the true value.",
    "Adjusted p": (
        "How often luck alone would give a difference this large or larger, raised because many pairs are compared. "
        "Below 0.05 counts as a difference."
    ),
    "Tie": "No test tells the two apart. That proves no equality: the interval says how far apart they may be.",
    "Nested": (
        "The choice itself is put to the test: it is made again on a part of the rows, and what is chosen is judged on "
        "the rest."
    ),
}
_OF_NUMBERS = {
    "R²": "The share of the target’s variance that is explained: 1 is all, 0 is no better than always the mean.",
    "RMSE": (
        "Root mean squared error: how far predictions are off, in the target’s own units, large misses counting more "
        "than small ones. Of always answering the mean it is about the standard deviation of the target."
    ),
}
