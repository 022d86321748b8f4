"""How a cure ends: a fit with what helped that stays finite, and a word of what is left as it was."""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from sklearn.base import clone

from kilonet.diagnostics.per_member import settings_of
from kilonet.diagnostics.words import listed, members_text
from kilonet.errors import DivergenceError, DivergenceWarning, RemedyWarning, users_line
from kilonet.estimators.insight import planned_rate
from kilonet.findings import Effect, Finding, Remedy
from kilonet.numerals import count

Gains = list[tuple[Remedy, Effect]]


def changed_members(before: Any, after: Any, changes: Mapping[str, Any]) -> tuple[int, ...]:
    """The members whose settings a change changed; none where those of all were, as of what all have in common.

    >>> from kilonet.estimators.classifier import MLPClassifier
    >>> before, after = MLPClassifier(members=3, rate=[0.1, 0.2, 0.3]), MLPClassifier(members=3, rate=[0.3, 0.2, 0.3])
    >>> changed_members(before, after, {"rate": 0.3}), changed_members(before, before, {"l2": 0.1})
    ((0,), ())
    """
    members = range(int(after.members))
    old, new = ([[_setting(one, member, name) for name in changes] for member in members] for one in (before, after))
    changed = tuple(member for member in members if repr(old[member]) != repr(new[member]))
    return changed if len(changed) < len(members) else ()


def _setting(estimator: Any, member: int, name: str) -> Any:
    shared = planned_rate(estimator) if name == "rate" and estimator.rate is None else getattr(estimator, name, None)
    return settings_of(estimator, member).get(name, shared)


def finite(steps: Sequence[Any], gained: Gains, X: Any, y: Any, sample_weight: Any) -> tuple[Any, Gains]:
    """The fit of the last of the steps that stays finite, and what of the gains is in it.

    steps: the estimator, and what it became with one remedy after another. It comes back itself where no other fit
    stays finite, or there is no other; not fitted, if it was not and even its own fit does not. A DivergenceWarning
    tells of fits that do not stay finite: none of them is an error.
    """
    lost: list[str] = []
    for place in range(len(steps) - 1, -1, -1):
        if place == 0 and hasattr(steps[0], "theta_"):
            break
        try:
            fitted = clone(steps[place]).fit(X, y, sample_weight)
        except DivergenceError as error:
            lost.append(f"{_with(gained[:place])}: {error}")
            continue
        _warn_of_lost(lost, "What comes back is the estimator " + _with(gained[:place]))
        return fitted, gained[:place]
    fitted = hasattr(steps[0], "theta_")
    _warn_of_lost(lost, f"The estimator comes back as it was, {'fitted' if fitted else 'not fitted'}")
    return steps[0], []


def _with(gained: Gains) -> str:
    said = [
        f"{remedy.text}{f' for {members_text(effect.members)}' if effect.members else ''}" for remedy, effect in gained
    ]
    return f"with {listed(said)}" if gained else "without any remedy"


def _warn_of_lost(lost: Sequence[str], outcome: str) -> None:
    if lost:
        text = f"the fit left the finite numbers on all rows, {'; and '.join(lost)} {outcome}."
        warnings.warn(text, DivergenceWarning, stacklevel=users_line())


def warn_of_what_is_left(findings: Sequence[Finding], gained: Gains, last: Gains) -> None:
    """Say that nothing helped, or what fails and was not helped; last: what was tried in vain in the end."""
    applied = [remedy.changes for remedy, _ in gained]
    helped = {_cause(one) for one in findings if any(remedy.changes in applied for remedy in one.remedies)}
    grave = [one for one in findings if one.severity == "fail" or (one.severity == "warn" and not gained)]
    left = [one for one in grave if _cause(one) not in helped]
    if not left:
        return
    theirs = [remedy.changes for one in left for remedy in one.remedies if remedy.changes]
    why = _why([effect for remedy, effect in last if remedy.changes in theirs])
    said = f"cure() found nothing that helps against {listed(list(dict.fromkeys(one.rule for one in left)))}: {why}."
    end = "What helps against the rest is applied." if gained else "The estimator keeps the settings that it had."
    warnings.warn(f"{said} {end}", RemedyWarning, stacklevel=users_line())


def _cause(finding: Finding) -> str:
    return finding.because or finding.rule


def _why(last: Sequence[Effect]) -> str:
    if not last:
        return "what is advised only you can do; print the diagnosis"
    tried = [effect for effect in last if not effect.untried]
    if not tried:
        return f"no remedy was tried ({last[0].untried})"
    return (
        f"{count(len(tried), 'remedy', 'remedies')} {'was' if len(tried) == 1 else 'were'} tried, none gains for sure"
    )
