"""A diagnosis as a page for a terminal."""

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kilonet.findings import SEVERITIES, Effect, Examination, Finding, Remedy
from kilonet.numerals import count

WIDTH = 100
_HEAD = {"fail": "FAIL", "warn": "warn", "info": "info"}


def settings_text(changes: Mapping[str, Any]) -> str:
    """Changes as parameters in Python.

    >>> settings_text({"rate": 0.001, "activation": "relu"})
    "rate=0.001, activation='relu'"
    """
    return ", ".join(f"{name}={value!r}" for name, value in changes.items())


def page(
    findings: Sequence[Finding],
    examination: Examination,
    written: Callable[[Mapping[str, Any]], str] = settings_text,
    gains: Sequence[tuple[Remedy, Effect]] = (),
) -> str:
    """Findings as text, what fails first, with causes, remedies, and what these gained where that was tried.

    written: how the changes of a remedy are written. gains: of a cure.
    """
    told: list[Any] = []
    lines = [summary(findings, examination)]
    for finding in findings:
        lines += ["", *_finding(finding, written, told, examination)] if finding.severity != "info" else []
    for remedy, effect in gains:
        lines += ["", *_wrapped("Cured by ", f"{remedy.text} ({written(remedy.changes)}): {effect_text(effect)}.")]
    if not gains and any(finding.severity != "info" and _untouched(finding) for finding in findings):
        lines += ["", *_wrapped("", "No remedy was tried, so none is known to help here; verifying trains with each.")]
    notes = [finding for finding in findings if finding.severity == "info"]
    if notes:
        lines += ["", "For information:"]
        lines += [line for finding in notes for line in _wrapped("  · ", _ended(finding.what))]
    untold = not_looked_at(examination)
    if untold:
        lines += ["", *_wrapped("", f"Not looked at: {', '.join(untold)}.")]
    return "\n".join(lines)


def _untouched(finding: Finding) -> bool:
    """Whether a finding has remedies that were not tried."""
    return not finding.effects and any(remedy.changes for remedy in finding.remedies)


def summary(findings: Sequence[Finding], examination: Examination) -> str:
    """The first line: how many findings of each severity, or that there are none.

    >>> import numpy as np
    >>> from kilonet.history import History
    >>> summary([], Examination("kilonet", "regression", {}, [], History.of(np.zeros((0, 1, 4)), True)))
    'Nothing is wrong as far as was looked; the network is not trained yet.'
    """
    counts = {name: sum(finding.severity == name for finding in findings) for name in SEVERITIES}
    before = "" if len(examination.history) else "; the network is not trained yet"
    if not counts["fail"] and not counts["warn"]:
        return f"Nothing is wrong as far as was looked{before}."
    said = (
        [f"{count(counts['fail'], 'finding')} {'fails' if counts['fail'] == 1 else 'fail'}"] if counts["fail"] else []
    )
    said += [count(counts["warn"], "warning")] if counts["warn"] else []
    return f"{' and '.join(said)}{before}."


def _finding(
    finding: Finding, written: Callable[[Mapping[str, Any]], str], told: list[Any], examination: Examination
) -> Iterator[str]:
    """One finding; told: changes that were told of before, which are not told twice."""
    names = () if examination.inputs is None else examination.inputs.names
    is_name = any(finding.what.startswith(name) for name in names)  # which keeps its own spelling
    what = finding.what if is_name else finding.what[:1].upper() + finding.what[1:]
    yield from _wrapped(f"{_HEAD[finding.severity]}  ", _ended(what))
    if finding.cause:
        yield from _wrapped("      Likely cause: ", _ended(finding.cause))
    effects = iter(finding.effects)
    for remedy in finding.remedies:
        effect = next(effects, None) if remedy.changes else None
        if not remedy.changes:
            yield from _wrapped("      Remedy: ", f"{_ended(remedy.text)} Only you can do that.")
        elif remedy.changes not in told:
            told.append(remedy.changes)
            outcome = f": {effect_text(effect)}" if effect is not None else ""
            yield from _wrapped("      Remedy: ", f"{remedy.text} ({written(remedy.changes)}){outcome}.")
    if finding.source:
        yield from _wrapped("      Threshold: ", _ended(finding.source))


def effect_text(effect: Effect) -> str:
    """What a remedy gained, in a sentence without its end.

    >>> effect_text(Effect("loss", 0.5, 0.25, 0.25, 0.125, 0.375, 8, 1))
    'helps: held-out loss 0.5 → 0.25 (gain 0.25, 95% interval 0.125 to 0.375, 8 seeds)'
    """
    if effect.untried:
        return f"not tried: {effect.untried}"
    verdict = "helps" if effect.helps else "harms" if effect.high < 0 else "not sure"
    lost = ""
    if effect.lost_without or effect.lost_with:
        lost = f"; {effect.lost_without} of {effect.seeds} runs diverged without it, {effect.lost_with} with it"
    name = effect.metric if effect.metric.startswith("held-out") else f"held-out {effect.metric}"
    return (
        f"{verdict}: {name} {effect.without:.3g} → {effect.with_it:.3g} (gain {effect.gain:.3g}, 95% interval "
        f"{effect.low:.3g} to {effect.high:.3g}, {count(effect.seeds, 'seed')}{lost})"
    )


def not_looked_at(examination: Examination) -> list[str]:
    """What the examination holds nothing of, in words."""
    trained = len(examination.history) > 0
    missing: dict[str, Any] = {
        "the inputs": examination.inputs, "the target": examination.target, "the loss at the start": examination.start,
        "whether a few rows can be learned": examination.small, "other rates": examination.rates,
        "the gradients' correctness": examination.gradient_error,
    }  # fmt: skip
    if trained:
        missing["held-out rows"] = examination.gap
    return [what for what, facts in missing.items() if facts is None]


def _ended(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else text + "."


def _wrapped(head: str, text: str) -> list[str]:
    indent = " " * (min(6, len(head)))
    return textwrap.wrap(text, WIDTH, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False)
