"""Several members of an estimator: each is looked at, and findings say how many have them, and which has it worst."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from sklearn.base import clone

from kilonet.diagnostics.examine import examine
from kilonet.diagnostics.insides import layer_facts
from kilonet.diagnostics.outcome import gap_facts, start_facts
from kilonet.diagnostics.per_member import alike, settings_of
from kilonet.diagnostics.preflight import preflight, rates_of
from kilonet.diagnostics.subject import Subject
from kilonet.diagnostics.words import members_text
from kilonet.findings import SEVERITIES, Examination, Finding, RateFacts
from kilonet.rules import PER_MEMBER

MOST = 8  # members that are looked at: what goes wrong in none of so many is rare
_NUMBERS = re.compile(r"\d+([.,]\d+)*")
NOT_SWEPT = ("rate", "schedule")  # settings that a sweep of rates does not look at


def examinations(
    estimator: Any, X: Any, y: Any, sample_weight: Any = None, validation: Any = None
) -> dict[int, Examination]:
    """Of each member that is looked at, up to eight; one of each setting comes before a second one of the same.

    What all have in common is looked at once: the rows, whether a few of them can be learned by heart, whether
    gradients are right. A sweep of rates is shared by those who differ in their rate and in its schedule alone. Raises
    what `fit` raises of data and settings, and SettingError and DataError for a validation that does not suit them.
    """
    fitted, rows = hasattr(estimator, "theta_"), (X, y, sample_weight)
    first = examine(estimator, *rows, validation=validation) if fitted else preflight(estimator, *rows)
    if not fitted and validation is not None:
        Subject.of(clone(estimator), *rows).held_out(validation)  # it is asked for later, when remedies are tried
    n_members = len(np.atleast_2d(estimator.theta_)) if fitted else int(estimator.members)
    kinds = alike(estimator, n_members)
    by_kind = sorted(range(n_members), key=lambda member: kinds[member] != member)
    found, sweeps = {0: first}, {_swept(estimator, 0): first.rates}
    for member in sorted(by_kind[:MOST])[1:]:
        subject = Subject.of(estimator if fitted else clone(estimator), *rows, member)
        kind = _swept(estimator, member)
        if kind not in sweeps:
            sweeps[kind] = rates_of(subject)
        found[member] = _of_another(first, subject, sweeps[kind], validation if fitted else None)
    return found


def _swept(estimator: Any, member: int) -> str:
    """What a sweep of rates depends on, but for the seed."""
    return repr({name: value for name, value in settings_of(estimator, member).items() if name not in NOT_SWEPT})


def _of_another(first: Examination, subject: Subject, rates: RateFacts | None, validation: Any) -> Examination:
    """The examination of another member than the first: what is its own, beside what all have in common."""
    used = float(subject.problem.recipe.per_member("rate")[0])
    return replace(
        first,
        settings=subject.settings,
        layers=layer_facts(subject),
        history=subject.history,
        diverged=subject.diverged,
        start=start_facts(subject),
        rates=None if rates is None else replace(rates, used=used),
        gap=None if first.gap is None else gap_facts(subject, validation),
        activity=None,
    )


def merged(
    findings: Sequence[Sequence[Finding]],
    members: Sequence[int] | None = None,
    settings: Sequence[Mapping[str, Any]] | None = None,
) -> list[Finding]:
    """Findings of several members as one list: of one rule, layer and cause the gravest.

    What a rule has several of in one member is told apart by its words, then by its order: none goes missing. A finding
    says how many members have it; evidence["member"] is the one that it is taken from. members: their numbers;
    settings: of each those that it has for itself. Findings stay apart where remedies would change something else, or
    something that is not the same before; and those of members with other settings, where some members have none of it:
    what is tried with one member is then true of the others, and can be changed for them alone.

    >>> one = Finding("dead units", "warn", "a third is dead", layer=1)
    >>> other = Finding("dead units", "fail", "half is dead", layer=1)
    >>> [(finding.what, finding.evidence["member"]) for finding in merged([[one], [other], []])]
    [('half is dead (in 2 of 3 members)', 1)]
    """
    members = range(len(findings)) if members is None else members
    own = ["{}"] * len(findings) if settings is None else [repr(one) for one in settings]
    several = {key for one in findings for key, own in Counter(map(_key, one)).items() if own > 1}
    told: dict[str, str] = {}  # what the first member with some settings is to change
    groups: dict[str, list[_Own]] = {}
    for member, kind, of_member, given in zip(members, own, findings, settings or [{}] * len(own), strict=True):
        for what, finding in _by_what(of_member, several):
            change = told.setdefault(repr((what, kind)), _change(finding, given))
            groups.setdefault(repr((what, change)), []).append(_Own(member, kind, finding))
    parts = (part for group in groups.values() for part in _apart(group, len(findings)))
    return [_together(part, len(findings), named=len(set(own)) > 1) for part in parts]


class _Own(NamedTuple):
    """A member's finding; kind: its settings."""

    member: int
    kind: str
    finding: Finding


def _apart(group: Sequence[_Own], of: int) -> Iterable[Sequence[_Own]]:
    """By settings, where some members do not have it and remedies change what may be one per member; else as it is."""
    names = {name for one in group for remedy in one.finding.remedies for name in remedy.changes}
    if len(group) == of or names.isdisjoint(PER_MEMBER):
        return [group]
    kinds = dict.fromkeys(one.kind for one in group)
    return [[one for one in group if one.kind == kind] for kind in kinds]


def _key(finding: Finding) -> tuple[Any, ...]:
    return finding.rule, finding.layer, finding.because


def _by_what(
    findings: Iterable[Finding], several: Collection[tuple[Any, ...]]
) -> Iterable[tuple[tuple[Any, ...], Finding]]:
    """Findings by rule, layer and cause; those of which a member has several also by their words and their order."""
    seen: Counter[tuple[Any, ...]] = Counter()
    for finding in findings:
        key = _key(finding)
        if key in several:
            key = (*key, _NUMBERS.sub("", finding.what))  # of each member they may be others
            seen[key] += 1
            key = (*key, seen[key])
        yield key, finding


def _change(finding: Finding, settings: Mapping[str, Any]) -> str:
    """What the remedies of a finding would change, from what to what."""
    changes = [one.changes for one in finding.remedies]
    return repr([(name, settings.get(name), value) for own in changes for name, value in own.items()])


def _together(group: Sequence[_Own], of: int, *, named: bool) -> Finding:
    """The gravest of some findings, for all of them; named: which members have it is told, unless all have."""
    member, _, grave = max(group, key=lambda one: SEVERITIES.index(one.finding.severity))
    known = [one.finding.since for one in group if one.finding.since]
    whose = ""
    if named and len(group) < of:
        whose = f": {members_text([one.member for one in group])}"
    evidence = dict(grave.evidence or {}) | {"members": len(group), "of": of, "member": member}
    said = f"{grave.what} (in {len(group):,} of {of:,} members{whose})"
    return replace(grave, what=said, evidence=evidence, since=int(np.min(known, initial=grave.since)))
