"""Rules on layers: dying, saturation, vanishing and exploding gradients, zig-zag."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from kilonet.diagnostics.causes import Cause, cause_of, fades, gradient_norms, grave, handicap
from kilonet.diagnostics.changes import centre, change, positive
from kilonet.diagnostics.reading import end_loss, first, knowing_nothing, since
from kilonet.diagnostics.thresholds import DEFAULT, Thresholds
from kilonet.diagnostics.words import share_text, since_text, unit_name, units_text
from kilonet.findings import Examination, Finding, LayerFacts, Remedy
from kilonet.numerals import significant

Floats = NDArray[np.float64]

_LUCK = 0.05  # probability from which on a count is taken for luck


def dead(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """Dying: units that no training row gives a slope, so that they never learn again."""
    for layer in examination.hidden:
        share = layer.dead
        if share >= thresholds.dead_warn and not _luck(layer, thresholds):
            begun = since(examination, "dead", layer.number, thresholds.dead_warn)
            found = cause_of(examination, thresholds, begun)
            fails = share >= thresholds.dead_fail and grave(examination, found)
            yield Finding(
                "dead units",
                "fail" if fails else "warn",
                f"layer {layer.number}: {share_text(share)} of {units_text(layer.units, layer.unit)} are dead"
                f"{since_text(begun)}",
                found.text,
                [*found.remedies, *_leaky(examination, layer)],
                layer.number,
                {"dead": share, "units": layer.units},
                begun,
                source=thresholds.source("dead_fail" if fails else "dead_warn"),
                because=found.because,
            )


def _luck(layer: LayerFacts, thresholds: Thresholds) -> bool:
    """Whether so many of a few units may be dead where each of them is so with the share that is usual."""
    n_dead = round(layer.dead * layer.units)
    return bool(binom.sf(n_dead - 1, layer.units, min(thresholds.dead_luck, 1.0)) > _LUCK)


def _leaky(examination: Examination, layer: LayerFacts) -> list[Remedy]:
    """Units that cannot die."""
    if layer.unit.partition("(")[0] != "relu":
        return []
    return [change(examination, "units that cannot die: leaky ReLU", activation="leaky_relu")]


def rare(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:  # noqa: ARG001 - all rules have it
    """Units that are active on hardly any row, or on all: listed, not judged."""
    for layer in examination.hidden:
        kind = unit_name(layer.unit)
        if layer.rare > 0:
            what = (
                f"{share_text(layer.rare)} of {units_text(layer.units, layer.unit)} are active on less than 1% of rows"
            )
            yield Finding("rare units", "info", f"layer {layer.number}: {what}", "they learn from a few rows only",
                          layer=layer.number, evidence={"rare": layer.rare, "units": layer.units})  # fmt: skip
        if layer.always_on > 0 and kind == "ReLU":
            what = f"{share_text(layer.always_on)} of {units_text(layer.units, layer.unit)} are active on every row"
            evidence = {"always on": layer.always_on, "units": layer.units}
            yield Finding("always on", "info", f"layer {layer.number}: {what}", "they add nothing but a straight line",
                          layer=layer.number, evidence=evidence)  # fmt: skip


def saturation(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """Saturation: outputs near their bounds, where units hardly have a slope."""
    begin = first(examination, "saturated")
    for layer in examination.hidden:
        share, at_start = layer.saturated, begin[layer.number - 1] if layer.number <= len(begin) else np.nan
        early_on = at_start > thresholds.saturated_start and share > thresholds.saturated_start
        if not (share > thresholds.saturated_warn or early_on):
            continue
        bound = thresholds.saturated_start if early_on else thresholds.saturated_warn
        begun = since(examination, "saturated", layer.number, bound)
        found = cause_of(examination, thresholds, begun)
        fails = share > thresholds.saturated_fail and grave(examination, found)
        learned = not found.because and end_loss(examination) < thresholds.unlearned * knowing_nothing(examination)
        yield Finding(
            "saturation",
            "fail" if fails else "info" if learned else "warn",  # units that are sure where the network is right
            f"layer {layer.number}: {share_text(share)} of the outputs of {units_text(layer.units, layer.unit)} are "
            f"saturated{since_text(begun)}",
            found.text,
            found.remedies,
            layer.number,
            {"saturated": share, "saturated after epoch 1": float(at_start), "units": layer.units},
            begun,
            source=thresholds.source("saturated_fail" if fails else "saturated_warn"),
            because=found.because,
        )


def gradients(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """Gradients that vanish or explode on their way from the last layer to the first, or are no numbers."""
    norms = gradient_norms(examination, thresholds)
    if len(norms) < 2 or np.isnan(norms).all():
        return
    with np.errstate(all="ignore"):
        ratio = float(norms[0] / norms[-1])
    if np.isinf(norms).any() or (ratio > thresholds.exploding and norms[0] > thresholds.exploding_norm):
        found = cause_of(examination, thresholds)
        yield _gradients(examination, norms, ratio, "exploding gradients", found, thresholds.source("exploding"))
    elif fades(examination, thresholds):
        found = handicap(examination, thresholds) or cause_of(examination, thresholds)
        yield _gradients(examination, norms, ratio, "vanishing gradients", found, thresholds.source("vanishing"))


def _gradients(examination: Examination, norms: Floats, ratio: float, rule: str, found: Cause, source: str) -> Finding:
    verb = "grow" if rule.startswith("exploding") else "fade"
    told = f"a norm of {significant(norms[-1])} in the last layer, {significant(norms[0])} in the first"
    return Finding(
        rule,
        "fail" if rule.startswith("exploding") else "warn",
        f"gradients {verb} on their way back through {len(norms):,} layers: {told}",
        found.text,
        found.remedies,
        1,
        {"first by last": ratio, "layers": len(examination.layers)},
        1,
        source=source,
        because=found.because,
    )


def zigzag(examination: Examination, thresholds: Thresholds = DEFAULT) -> Iterator[Finding]:
    """Zig-zag: all weights of a unit are pushed the same way at once, since what it sees has one sign."""
    small = examination.settings.get("batch") == 1
    for layer in examination.layers:
        share = layer.agreement if small else layer.agreement_in_batch
        kind = "" if layer.number == 1 else examination.layers[layer.number - 2].unit.partition("(")[0]
        if not share >= thresholds.agreement or not (positive(examination) if layer.number == 1 else kind == "sigmoid"):
            continue
        at_inputs = layer.number == 1
        yield Finding(
            "zig-zag",
            "warn" if at_inputs else "info",  # sigmoid networks learn with it, more slowly
            f"layer {layer.number}: {share_text(share)} of a unit's weight gradients have the same sign, so its "
            "weights go up together or down together",
            "no input is ever below 0" if at_inputs else "sigmoid outputs are never below 0",
            [centre(examination)] if at_inputs else
            [change(examination, "units with outputs around 0: tanh", activation="tanh")],
            layer.number,
            {"one example": layer.agreement, "batch": layer.agreement_in_batch},
            1,
            source=thresholds.source("agreement"),
            because="inputs" if at_inputs else "activation",
        )  # fmt: skip
