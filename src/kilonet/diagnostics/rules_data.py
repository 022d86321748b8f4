"""Rules on the data: what no training can mend, and what makes every training hard."""

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from kilonet.diagnostics.causes import change, large_inputs, standardize
from kilonet.diagnostics.thresholds import DEFAULT, Thresholds
from kilonet.diagnostics.words import listed, share_text
from kilonet.findings import Examination, Finding, InputFacts, Remedy
from kilonet.numerals import count

_LEAKS = 0.1  # of the inputs: more of them do not leak at once
_EASY = 0.99  # of what is to be known: what the others tell without it
_ERRORS = 0.25  # of those that all other inputs make: a leak makes fewer
_DUMMY = 1e-3  # relative: how near the variance of ones and zeros is to p(1 - p), which float32 blurs a little


def unscaled(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """Inputs that are too large, too far from 0, or too small."""
    inputs, large = examination.inputs, large_inputs(examination, thresholds)
    if inputs is None:
        return
    remedy = standardize(examination)
    if len(large):
        worst = float(np.maximum(inputs.deviations, np.abs(inputs.means))[large].max())
        severity = "fail" if worst > thresholds.deviation_fail else "warn"
        yield _unscaled(inputs, large, severity, remedy, thresholds.source("deviation_warn"))
    small = (inputs.deviations > 0) & (inputs.deviations < thresholds.deviation_low) & ~_dummies(inputs)
    pale = np.setdiff1d(np.flatnonzero(small), large)
    if len(pale):  # a few pale columns are common, and harmless where others speak
        most = 2 * len(pale) > np.count_nonzero(inputs.deviations > 0)
        source = thresholds.source("deviation_low")
        yield _unscaled(inputs, pale, "warn" if most else "info", remedy, source)


def _dummies(inputs: InputFacts) -> NDArray[np.bool_]:
    """Which inputs hold ones and zeros: rare categories deviate little, and so they should."""
    expected = inputs.means * (1 - inputs.means)
    return np.asarray(np.abs(inputs.deviations**2 - expected) <= _DUMMY * np.abs(expected))


def _unscaled(inputs: InputFacts, places: NDArray[np.intp], severity: str, remedy: Remedy, source: str) -> Finding:
    deviations, farthest = inputs.deviations[places], float(np.abs(inputs.means[places]).max())
    low, high = float(deviations.min()), float(deviations.max())
    spread = f"standard deviations {low:.2g} to {high:.2g}" if low < high else f"standard deviation {high:.2g}"
    which = f"{len(places):,} of {count(len(inputs.names), 'input')} {'is' if len(places) == 1 else 'are'} not scaled"
    return Finding(
        "unscaled inputs",
        severity,
        f"{which}: {_named(inputs, places.tolist())} ({spread}, means up to {farthest:.2g})",
        "columns go in as they are, while initial weights and rates are made for a mean of 0 and a deviation of 1",
        [remedy],
        evidence={
            "inputs": len(places), "lowest deviation": low, "highest deviation": high, "farthest mean": farthest,
        },
        source=source,
        because="inputs",
    )  # fmt: skip


def constant(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:  # noqa: ARG001 - all rules have it
    """Inputs that are the same in all rows."""
    inputs = examination.inputs
    if inputs is not None and len(inputs.constant):
        yield Finding(
            "constant inputs",
            "info",
            f"{count(len(inputs.constant), 'input')} the same in all rows: {_named(inputs, inputs.constant)}",
            "nothing can be learned from what never changes; it does no harm either",
            [Remedy("leave them out, or find out why they do not change", {})],
            evidence={"inputs": len(inputs.constant)},
            because="constant",
        )


def duplicated(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """Inputs that say the same as another one."""
    inputs = examination.inputs
    if inputs is None:
        return
    fixed = set(inputs.constant)
    pairs = [(one, other) for one, other in inputs.duplicated if one not in fixed and other not in fixed]
    if pairs:
        named = listed([f"{inputs.names[one]} = {inputs.names[other]}" for one, other in pairs])
        yield Finding(
            "duplicated inputs",
            "warn" if 2 * len(pairs) >= thresholds.duplicated_warn * len(inputs.names) else "info",
            f"{count(len(pairs), 'pair')} of inputs with the same values: {named}",
            "a column was copied or joined twice; it counts twice, and penalties on it count half",
            [Remedy("drop one of each pair", {})],
            evidence={"pairs": len(pairs)},
            source=thresholds.source("duplicated_warn"),
            because="duplicated",
        )


def leaking(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """An input that tells the target alone, as if it had been computed from it."""
    inputs = examination.inputs
    if inputs is None or len(inputs.names) < 2 or not inputs.baseline < 1:
        return
    told = {place: (score - inputs.baseline) / (1 - inputs.baseline) for place, score in inputs.leaking.items()}
    sure = {place: share for place, share in told.items() if share >= thresholds.leak_warn}
    if not sure:
        return
    best = max(sure, key=lambda place: sure[place])
    # Where many inputs can, or all others together nearly can, the task is an easy one.
    easy = len(sure) > max(1, _LEAKS * len(inputs.names)) or not _tells_more(inputs, best)
    yield Finding(
        "leaking inputs",
        "info" if easy else "warn",
        f"{_named(inputs, sorted(sure))} {'predicts' if len(sure) == 1 else 'predict'} the target alone: "
        f"{inputs.leaking[best]:.4g} on held-out rows, where knowing nothing gives {inputs.baseline:.3g}",
        "others can too, so the task is an easy one" if easy else
        "such a column is often made from the target, or known only after it; then no network has learned anything",
        [Remedy("ask where the column comes from; drop it if it is not there when predictions are needed", {})],
        evidence={"inputs": len(sure), "score": inputs.leaking[best], "baseline": inputs.baseline},
        source=thresholds.source("leak_warn"),
        because="leak",
    )  # fmt: skip


def _tells_more(inputs: InputFacts, place: int) -> bool:
    """Whether an input alone makes at most a quarter of the errors that all other inputs make together."""
    alone, others = inputs.leaking[place], inputs.others.get(place, math.nan)
    return not others >= min(alone, _EASY) and not 1 - alone > _ERRORS * (1 - others)


def imbalance(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """Classes of which one has many times the rows of another."""
    target = examination.target
    rows = {} if target is None else {name: n for name, n in target.classes.items() if n > 0}
    if examination.task != "classification" or len(rows) < 2:
        return
    smallest, largest = min(rows, key=lambda name: rows[name]), max(rows, key=lambda name: rows[name])
    ratio = rows[largest] / rows[smallest]
    if ratio > thresholds.imbalance_warn:
        weighted = examination.settings.get("class_weight") is not None
        yield Finding(
            "class imbalance",
            "info" if weighted else "warn",
            f"class {largest} has {rows[largest]:,} rows, {smallest} has {rows[smallest]:,}: {ratio:.3g} to 1",
            "weights make up for it" if weighted else
            "the loss is little but the loss of the large class, and accuracy hides what is lost on the small one",
            [] if weighted else [change(examination, "classes that count the same", class_weight="balanced")],
            evidence={"ratio": ratio, "smallest": rows[smallest], "largest": rows[largest]},
            source=thresholds.source("imbalance_warn"),
            because="imbalance",
        )  # fmt: skip


def conflicting(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """Rows with the same inputs and other targets."""
    target, n_rows = examination.target, examination.settings.get("n_rows") or 0
    if target is None or target.conflicting == 0 or n_rows == 0:
        return
    share = target.conflicting / n_rows
    numbers = examination.task == "regression"
    yield Finding(
        "conflicting labels",
        "warn" if share >= thresholds.conflicting_warn and not numbers else "info",
        f"{count(target.conflicting, 'row')} ({share_text(share)}) have the same inputs as another row, "
        f"but another {'target' if numbers else 'label'}",
        "labels are wrong, or what tells such rows apart is not among the columns; no network gets all of them right",
        [Remedy("look at these rows: mend labels, or add the column that tells them apart", {})],
        evidence={"rows": target.conflicting, "share": share},
        source=thresholds.source("conflicting_warn"),
        because="labels",
    )


def _named(inputs: InputFacts, places: Sequence[int]) -> str:
    return listed([str(inputs.names[place]) for place in places])
