"""The rules, each a plain function from an examination to findings, and how their findings are put in order."""

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from kilonet.diagnostics.asked import Ruling, as_sequence, checked
from kilonet.diagnostics.rules_data import conflicting, constant, duplicated, imbalance, leaking, unscaled
from kilonet.diagnostics.rules_layers import dead, gradients, rare, saturation, zigzag
from kilonet.diagnostics.rules_start import gradients_right, rate, small, start, weights
from kilonet.diagnostics.rules_training import divergence, forgetting, gap, steps, stuck
from kilonet.diagnostics.thresholds import DEFAULT, Thresholds
from kilonet.diagnostics.words import listed
from kilonet.errors import SettingError
from kilonet.findings import SEVERITIES, Examination, Finding

RULES: tuple[Ruling, ...] = (
    unscaled, leaking, duplicated, constant, imbalance, conflicting,
    gradients_right, weights, rate, steps, forgetting,
    start, divergence, gradients, saturation, dead, zigzag, small, stuck, gap, rare,
)  # fmt: skip
"""All rules; of two with the same cause, the one that is nearer to it comes first."""


def judge(
    examination: Examination, rules: Sequence[Ruling] | None = None, thresholds: Thresholds = DEFAULT
) -> list[Finding]:
    """What the rules find: what fails first, and of findings with one cause the root of them first.

    rules: functions of an examination that give findings; one with a parameter `thresholds` is given these. None are
    all of `RULES`. Raises SettingError for what is no such function, or gives something else.

    >>> import numpy as np
    >>> from kilonet.findings import TargetFacts
    >>> from kilonet.history import History
    >>> rows = TargetFacts({"yes": 10, "no": 990}, conflicting=0)
    >>> table = Examination("kilonet", "classification", {}, [], History.of(np.zeros((0, 1, 4)), True), target=rows)
    >>> [finding.what for finding in judge(table)]
    ['class no has 990 rows, yes has 10: 99 to 1']
    """
    return in_order(rulings(examination, rules, thresholds))


def rulings(examination: Examination, rules: Sequence[Ruling] | None, thresholds: Thresholds) -> list[Finding]:
    """What the rules find, one after another."""
    asked = as_sequence(rules)
    return [
        finding for rule in (RULES if asked is None else asked) for finding in _asked(rule, examination, thresholds)
    ]


def _asked(rule: Ruling, examination: Examination, thresholds: Thresholds) -> list[Finding]:
    if not callable(rule):
        raise SettingError(f"rules has {rule!r}; needs functions of an examination that give findings.")
    knows = "thresholds" in inspect.signature(rule).parameters
    given: Any = (partial(rule, thresholds=thresholds) if knows else rule)(examination)
    found = list(given) if isinstance(given, Iterable) else [given]
    for finding in found:
        if not isinstance(finding, Finding):
            name = getattr(rule, "__name__", repr(rule))
            raise SettingError(
                f"the rule {name} gave {finding!r:.60}; needs an iterable of kn.Finding. A rule that finds nothing "
                "gives an empty list."
            )
    return [checked(finding) for finding in found]


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """Findings by severity, those of one cause together, with what follows said where their root is.

    Findings of one cause are as grave as the gravest of them; within, they keep their order, which is that of the
    rules. Those that only inform come last, each for itself.
    """
    groups: dict[tuple[str, int], list[Finding]] = {}
    for place, finding in enumerate(findings):
        alone = finding.because == "" or finding.severity == "info"
        groups.setdefault(("", place) if alone else (finding.because, -1), []).append(finding)
    ordered = sorted(groups.values(), key=lambda group: -max(SEVERITIES.index(one.severity) for one in group))
    return [finding for group in ordered for finding in _rooted(group)]


def _rooted(group: Sequence[Finding]) -> list[Finding]:
    """Findings of one cause, the first of which names the others as what comes of it."""
    root, *rest = group
    follows = dict.fromkeys(one.rule for one in rest if one.rule != root.rule)
    if not follows:
        return list(group)
    said = f"{root.cause}. Most likely this is also behind: {listed(list(follows))}"
    return [replace(root, cause=said), *rest]
