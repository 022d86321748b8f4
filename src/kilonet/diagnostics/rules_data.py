"""Rules on the data: what no training can mend, and what makes every training hard."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from kilonet.diagnostics.changes import change, is_set, standardize
from kilonet.diagnostics.reading import large_inputs, mostly_pale, pale_inputs, unscaled_target
from kilonet.diagnostics.thresholds import DEFAULT, Thresholds
from kilonet.diagnostics.words import listed, share_text
from kilonet.findings import Examination, Finding, InputFacts, Remedy
from kilonet.numerals import count, figure, significant

_LEAKS = 0.1  # of the inputs: more of them do not leak at once
_EASY = 0.99  # of what is to be known: what the others tell without it
_ERRORS = 0.25  # of those that all other inputs make: a leak makes fewer
_SAME = 1e-9  # of the mean: what deviates less is rounding
_DENSE = 0.5  # of the whole numbers in the range: what measures something is not so dense and without repetition


def unscaled(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """Inputs that are too large, too far from 0, or too small; and a target that is, where it is learned as it is."""
    yield from _unscaled_target(examination, thresholds)
    inputs, large = examination.inputs, large_inputs(examination, thresholds)
    if inputs is None or is_set(examination, {"encode": "auto"}):  # gaps and weights make what is not of size 1 then
        return
    remedy = standardize(examination)
    if len(large):
        worst = float(np.maximum(inputs.deviations, np.abs(inputs.means))[large].max())
        severity = "fail" if worst > thresholds.deviation_fail else "warn"
        yield _unscaled(inputs, large, severity, remedy, thresholds.source("deviation_warn"))
    pale = pale_inputs(examination, thresholds)
    if len(pale):
        severity = "warn" if mostly_pale(examination, thresholds) else "info"
        yield _unscaled(inputs, pale, severity, remedy, thresholds.source("deviation_low"))


def _unscaled_target(examination: Examination, thresholds: Thresholds) -> Iterator[Finding]:
    """Numbers to be learned that are far from size 1. Kilonet's estimators standardize them, others do not."""
    target = examination.target
    if target is None or not unscaled_target(examination, thresholds):
        return
    large = target.deviation > thresholds.deviation_warn
    if large or target.deviation < thresholds.deviation_low:
        yield Finding(
            "unscaled target",
            "warn",
            f"the target is not scaled (standard deviation {significant(target.deviation)}, "
            f"mean {significant(target.mean)})",
            "errors are as large as the target, and so are steps; it takes long to come there from outputs around 0"
            if large else "errors are so small from the start that steps and tolerances hardly see them",
            [Remedy("learn (y - mean) / deviation, as TransformedTargetRegressor of scikit-learn does", {})],
            evidence={"deviation": target.deviation, "mean": target.mean},
            source=thresholds.source("deviation_warn" if large else "deviation_low"),
            because="target",
        )  # fmt: skip


def _unscaled(inputs: InputFacts, places: NDArray[np.intp], severity: str, remedy: Remedy, source: str) -> Finding:
    deviations, farthest = inputs.deviations[places], float(np.abs(inputs.means[places]).max())
    low, high = float(deviations.min()), float(deviations.max())
    ends = list(dict.fromkeys(map(significant, (low, high))))
    spread = f"standard deviation{'s' if len(ends) > 1 else ''} {' to '.join(ends)}"
    which = f"{len(places):,} of {count(len(inputs.names), 'input')} {'is' if len(places) == 1 else 'are'} not scaled"
    return Finding(
        "unscaled inputs",
        severity,
        f"{which}: {_named(inputs, places.tolist())} ({spread}, means up to {significant(farthest)})",
        "columns go in as they are, while initial weights and rates are made for a mean of 0 and a deviation of 1",
        [remedy],
        evidence={
            "inputs": len(places), "lowest deviation": low, "highest deviation": high, "farthest mean": farthest,
        },
        source=source,
        because="inputs",
    )  # fmt: skip


def constant(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:  # noqa: ARG001 - all rules have it
    """Inputs that tell nothing of other rows: the same in all of them, or another one in each."""
    inputs = examination.inputs
    if inputs is None:
        return
    numbering = inputs.numbering
    if numbering:
        yield _numbering(inputs, numbering)
    if len(inputs.constant):
        yield Finding(
            "constant inputs",
            "info",
            f"{count(len(inputs.constant), 'input')} with one value in all rows: {_named(inputs, inputs.constant)}",
            "nothing can be learned from what never changes; it does no harm either",
            [Remedy("leave them out, or find out why they do not change", {})],
            evidence={"inputs": len(inputs.constant)},
            because="constant",
        )


def _numbering(inputs: InputFacts, numbering: Mapping[int, float]) -> Finding:
    """Whole numbers that are all different: an identifier, surely where most of those in between occur too."""
    densest = max(numbering.values())
    seems = "seems to number the rows" if len(numbering) == 1 else "seem to number the rows"
    return Finding(
        "numbered rows",
        "warn" if densest >= _DENSE else "info",
        f"{_named(inputs, sorted(numbering))} {seems}: whole numbers, all different and evenly spread",
        "a number that only names its row tells nothing of others, and rows are learned by heart with it",
        [Remedy("leave the column out, unless its size means something", {})],
        evidence={"inputs": len(numbering), "share of its range": densest},
        source="own: whole numbers that measure something repeat, or pile up somewhere",
        because="numbered",
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
    # Where the others together nearly can as well, the task is an easy one.
    more = [place for place in sure if _tells_more(inputs, place, len(sure))]
    named = sorted(more or sure)
    best, tried = max(named, key=lambda place: sure[place]), inputs.tried
    some = f"; of {len(inputs.names):,} inputs the {tried:,} most promising were tried"
    yield Finding(
        "leaking inputs",
        "warn" if more else "info",
        f"{_named(inputs, named)} {'predicts' if len(named) == 1 else 'predict'} the target alone: "
        f"{inputs.leaking[best]:.4g} on held-out rows, where knowing nothing gives {figure(inputs.baseline)}"
        + (some if 0 < tried < len(inputs.names) else ""),
        "such a column is often made from the target, or known only after it; then no network has learned anything"
        if more else "others can too, so the task is an easy one",
        [Remedy("ask where the column comes from; drop it if it is not there when predictions are needed", {})],
        evidence={"inputs": len(named), "score": inputs.leaking[best], "baseline": inputs.baseline},
        source=thresholds.source("leak_warn"),
        because="leak",
    )  # fmt: skip


def _tells_more(inputs: InputFacts, place: int, n_sure: int) -> bool:
    """Whether an input alone makes at most a quarter of the errors that those make together which say something else.

    Where the others were not tried: whether at most a tenth of all inputs are as sure.
    """
    alone, others = inputs.leaking[place], inputs.others.get(place)
    if others is None:
        return n_sure <= max(1, _LEAKS * len(inputs.names))
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
            f"class {largest} has {rows[largest]:,} rows, {smallest} has {rows[smallest]:,}: {figure(ratio)} to 1",
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
