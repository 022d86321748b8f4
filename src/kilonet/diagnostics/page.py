"""A diagnosis as a page for a terminal."""

import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from kilonet.diagnostics.words import cause_text, listed, members_text
from kilonet.findings import SEVERITIES, Effect, Examination, Finding, Remedy
from kilonet.numerals import capital, count, ended

WIDTH = 80  # what a terminal has at least
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
    trying: str = "verify()",
) -> str:
    """Findings as text, what fails first, with causes, remedies, and what these gained where that was tried.

    written: how the changes of a remedy are written. gains: of a cure. trying: what has the remedies tried.
    """
    telling = _Telling(written, () if examination.inputs is None else examination.inputs.names)
    lines = [*_wrapped("", summary(findings, examination))]
    for finding in findings:
        lines += ["", *telling.lines(finding)] if finding.severity != "info" else []
    for remedy, effect in gains:
        whose = f" for {members_text(effect.members)}" if effect.members else ""
        lines += ["", *_wrapped("Cured by ", ended(f"{telling.remedy(remedy)}{whose}: {effect.text}"))]
    if not gains and any(finding.severity != "info" and _untouched(finding) for finding in findings):
        lines += ["", *_wrapped("", f"No remedy was tried, so none is known to help here; {trying} tries them.")]
    notes = _notes([finding for finding in findings if finding.severity == "info"])
    if notes:
        lines += ["", "For information:", *(line for note in notes for line in _wrapped("  · ", note))]
    untold = not_looked_at(examination)
    if untold:
        lines += ["", *_wrapped("", f"Not looked at: {', '.join(untold)}.")]
    return "\n".join(lines)


def _untouched(finding: Finding) -> bool:
    """Whether a finding has remedies that were not tried."""
    return not finding.effects and any(remedy.changes for remedy in finding.remedies)


def _notes(findings: Sequence[Finding]) -> list[str]:
    """What informs, in a sentence each; what a rule has to say of several layers is said of the first of them."""
    groups: dict[tuple[str, Any], list[Finding]] = {}
    for place, finding in enumerate(findings):
        groups.setdefault((finding.rule, place if finding.layer is None else None), []).append(finding)
    said = []
    for first, *others in groups.values():
        numbers = [str(other.layer) for other in others]
        more = f"; likewise in layer{'s' if len(numbers) > 1 else ''} {listed(numbers, 8)}" if numbers else ""
        said.append(ended(f"{first.what}{more}"))
    return said


def summary(findings: Sequence[Finding], examination: Examination) -> str:
    """The first line: how many findings of each severity, and by what rules, or that there are none.

    >>> import numpy as np
    >>> from kilonet.history import History
    >>> untrained = Examination("kilonet", "regression", {}, [], History.of(np.zeros((0, 1, 4)), True))
    >>> summary([], untrained)
    'Nothing is wrong as far as was looked; the network is not trained yet.'
    >>> summary([Finding("leaking inputs", "warn", "a tells all")], untrained)
    '1 warning: leaking inputs; the network is not trained yet.'
    """
    counts = {name: sum(finding.severity == name for finding in findings) for name in SEVERITIES}
    before = "" if len(examination.history) else "; the network is not trained yet"
    if not counts["fail"] and not counts["warn"]:
        return f"Nothing is wrong as far as was looked{before}."
    fails = f"{count(counts['fail'], 'finding')} {'fails' if counts['fail'] == 1 else 'fail'}"
    said = ([fails] if counts["fail"] else []) + ([count(counts["warn"], "warning")] if counts["warn"] else [])
    rules = dict.fromkeys(finding.rule for finding in findings if finding.severity != "info")
    return f"{' and '.join(said)}: {listed(list(rules), 8)}{before}."


class _Telling:
    """Findings one after another: what was said of one of them is not said again."""

    def __init__(self, written: Callable[[Mapping[str, Any]], str], names: Sequence[str]) -> None:
        self._written, self._names = written, tuple(names)
        self._said: list[Any] = []

    def _new(self, said: Any) -> bool:
        """Whether something was not said before; it counts as said from then on."""
        new = said not in self._said
        if new:
            self._said.append(said)
        return new

    def lines(self, finding: Finding) -> Iterator[str]:
        """One finding."""
        what = finding.what if self._begins_with_a_name(finding.what) else capital(finding.what)
        yield from _wrapped(f"{_HEAD[finding.severity]}  ", ended(what))
        if finding.cause:
            again = finding.because and not self._new(("because", finding.because))
            yield from _wrapped("      ", cause_text(f"{finding.because}, as above" if again else finding.cause))
        member = (finding.evidence or {}).get("member")
        for remedy, effect in finding.tried:
            outcome = f": {effect.text}" if effect is not None else ""
            if not self._new(("remedy", member, remedy.changes or remedy.text)):
                continue
            yield from _wrapped("      Remedy: ", ended(f"{self.remedy(remedy)}{outcome}"))
        if finding.source and self._new(("source", finding.source)):
            yield from _wrapped("      Threshold: ", ended(re.sub("^own: ", "our own; ", finding.source)))

    def _begins_with_a_name(self, what: str) -> bool:
        """Whether it begins with the name of an input, which keeps its spelling: the whole of it, not "a" of "all"."""
        return any(what.startswith(name) and not re.match(r"\w", what[len(name) :]) for name in self._names)

    def remedy(self, remedy: Remedy) -> str:
        """A remedy, and how it is made; what follows a colon in its text is in the latter too."""
        if not remedy.changes:
            return f"{remedy.text} (only you can do that)"
        return f"{remedy.text.partition(': ')[0]} ({self._written(remedy.changes)})"


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
    every = [f"every epoch: {examination.unwatched}"] if examination.unwatched else []
    return [what for what, facts in missing.items() if facts is None] + every


def _wrapped(head: str, text: str) -> list[str]:
    indent = " " * (min(6, len(head)))
    return textwrap.wrap(text, WIDTH, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False)
