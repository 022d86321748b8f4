"""`kn.diagnose`: what is wrong with a network, what is behind it, and what cures it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kilonet.checks import shown, whole
from kilonet.diagnostics.examine import examine
from kilonet.diagnostics.page import page, summary
from kilonet.diagnostics.preflight import preflight
from kilonet.diagnostics.rulebook import in_order, rulings
from kilonet.diagnostics.thresholds import DEFAULT, Thresholds
from kilonet.diagnostics.verify import cured, verified
from kilonet.errors import SettingError
from kilonet.estimators.insight import Estimator
from kilonet.findings import SEVERITIES, Effect, Examination, Finding, Remedy, to_json

SEEDS = 8
MOST_MEMBERS = 8  # of several members that are looked at: what goes wrong in none of so many is rare

Rules = Sequence[Callable[..., Iterable[Finding]]]


@dataclass(eq=False, repr=False)
class Diagnosis:
    """What `kn.diagnose` found: print it, or read `findings`.

    findings: those that fail first, of one cause the root first. examination: the facts that they rest on; of several
    members those of the first. gains_: after `cure`, the remedies that were applied, each with what it gained on top of
    those before it.
    """

    findings: Sequence[Finding]
    examination: Examination
    _asked: tuple[Any, Any, Any, Any] | None = None
    _validation: Any = None
    _seeds: int = SEEDS
    gains_: Sequence[tuple[Remedy, Effect]] = field(default=(), init=False)

    @property
    def failed(self) -> bool:
        """Whether anything fails."""
        return any(finding.severity == "fail" for finding in self.findings)

    def verify(self) -> "Diagnosis":
        """Try the remedies, and give this diagnosis, whose findings now tell what each of them gained.

        Runs are trained up to before the trouble, and on with and without each remedy, from several seeds; see
        `kilonet.diagnostics.verify`. Raises SettingError for a diagnosis of a network that was trained elsewhere.
        """
        estimator, X, y, weights = self._subject("verify")
        given = {"seeds": self._seeds, "validation": self._validation}
        self.findings = verified(self.findings, estimator, X, y, weights, **given)
        return self

    def cure(self) -> Estimator:
        """A fitted estimator with the remedies that help, one after another until none helps; `gains_` says how much.

        The estimator that was diagnosed stays as it is, and comes back itself where nothing helps. Raises SettingError
        for a diagnosis of a network that was trained elsewhere.

        >>> import numpy as np
        >>> import kilonet as kn
        >>> X = np.linspace(-2, 2, 60)[:, None]
        >>> slow = kn.MLPRegressor(hidden=8, rate=1e-6, epochs=20, random_state=0).fit(X, X[:, 0])
        >>> report = kn.diagnose(slow, X, X[:, 0])
        >>> better = report.cure()
        >>> better.rate > 1e-4, [remedy.text.split(":")[0] for remedy, effect in report.gains_][:1]
        (True, ['a higher rate'])
        """
        estimator, X, y, weights = self._subject("cure")
        given = {"seeds": self._seeds, "validation": self._validation}
        better, gains = cured(self.findings, estimator, X, y, weights, **given)
        self.gains_ = tuple(gains)
        return better  # type: ignore[no-any-return]

    def _subject(self, what: str) -> tuple[Any, Any, Any, Any]:
        if self._asked is None:
            raise SettingError(
                f"{what}() trains networks anew, and this diagnosis is of an examination alone. Diagnose an estimator "
                "with its X and y, or apply a remedy by hand."
            )
        return self._asked

    def to_json(self) -> str:
        """Findings and facts as JSON; what is not finite is null."""
        named = {"failed": self.failed, "findings": list(self.findings), "examination": self.examination}
        gains = [{"remedy": remedy, "effect": effect} for remedy, effect in self.gains_]
        return to_json(named | ({"gains": gains} if gains else {}))

    def __str__(self) -> str:
        return page(self.findings, self.examination, gains=self.gains_)

    def __repr__(self) -> str:
        return f"Diagnosis({summary(self.findings, self.examination)})"


def diagnose(
    estimator: Any,
    X: Any = None,
    y: Any = None,
    sample_weight: Any = None,
    *,
    validation: Any = None,
    rules: Rules | None = None,
    thresholds: Thresholds = DEFAULT,
    verify: bool = False,
    seeds: int = SEEDS,
) -> Diagnosis:
    """What is wrong with a network and its training, what is likely behind it, and what may cure it.

    estimator: an `MLPClassifier` or `MLPRegressor`, with the X, y and sample_weight that it was fitted to; before it
    is fitted, what can be known then. Of several members up to eight are looked at. Or a `kn.Examination`, without
    X and y. validation: (X, y) of rows that training did not see. rules: plain functions of an examination that give
    findings, instead of `kn.diagnostics.RULES`; thresholds: for those that have a parameter of that name. verify:
    whether to try the remedies, from so many seeds each, which takes as long as training all of them.

    Raises SettingError for what is none of these, and what `fit` raises of data.

    >>> import numpy as np
    >>> import kilonet as kn
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> classifier = kn.MLPClassifier(hidden=20, epochs=60, random_state=0).fit(X, X[:, 0] + X[:, 1] > 0)
    >>> kn.diagnose(classifier, X, X[:, 0] + X[:, 1] > 0).failed
    False

    A rule of your own:

    >>> def many_epochs(examination):
    ...     if len(examination.history) > 10:
    ...         yield kn.Finding("many epochs", "warn", f"{len(examination.history)} epochs are many")
    >>> report = kn.diagnose(classifier, X, X[:, 0] + X[:, 1] > 0, rules=[*kn.diagnostics.RULES, many_epochs])
    >>> [finding.what for finding in report.findings if finding.severity == "warn"]
    ['60 epochs are many']
    """
    whole("seeds", seeds, "[2, inf)")
    if not isinstance(thresholds, Thresholds):
        raise SettingError(f"thresholds came as {shown(thresholds)}; needs kn.Thresholds(...).")
    if isinstance(estimator, Examination):
        report = Diagnosis(in_order(rulings(estimator, rules, thresholds)), estimator)
    else:
        _check(estimator, X, y)
        looked = _examinations(estimator, (X, y, sample_weight), validation)
        of_each = [rulings(one, rules, thresholds) for one in looked]
        findings = of_each[0] if len(looked) == 1 else merged(of_each)
        report = Diagnosis(in_order(findings), looked[0], (estimator, X, y, sample_weight), validation, seeds)
    return report.verify() if verify else report


def _check(estimator: Any, X: Any, y: Any) -> None:
    if not hasattr(estimator, "_fresh_work"):
        raise SettingError(
            f"diagnose came with {shown(estimator)}; needs an MLPClassifier or MLPRegressor, or a kn.Examination."
        )
    if X is None or y is None:
        raise SettingError("diagnose looks at a network with its training rows: give X and y, as `fit` had them.")


def _examinations(estimator: Any, rows: tuple[Any, Any, Any], validation: Any) -> list[Examination]:
    """Of each member that is looked at; what all have in common is looked at once."""
    if not hasattr(estimator, "theta_"):
        return [preflight(estimator, *rows)]
    first = examine(estimator, *rows, validation=validation)
    alike: dict[str, Any] = {"inputs": first.inputs, "target": first.target, "small": first.small, "rates": first.rates,
             "gradient_error": first.gradient_error}  # fmt: skip
    others = range(1, min(int(estimator.members), MOST_MEMBERS))
    looked = [examine(estimator, *rows, validation=validation, member=member, full=False) for member in others]
    return [first, *(replace(one, **alike) for one in looked)]


def merged(findings: Sequence[Sequence[Finding]]) -> list[Finding]:
    """Findings of several members as one list: of one rule and layer the gravest, which says how many members have it.

    >>> one = Finding("dead units", "warn", "a third is dead", layer=1)
    >>> other = Finding("dead units", "fail", "half is dead", layer=1)
    >>> [finding.what for finding in merged([[one], [other], []])]
    ['half is dead (in 2 of 3 members)']
    """
    found: dict[tuple[str, int | None], list[Finding]] = {}
    for of_member in findings:
        own: dict[tuple[str, int | None], Finding] = {}
        for finding in of_member:  # a rule may have several things to say of the whole network: the first counts
            own.setdefault((finding.rule, finding.layer), finding)
        for key, finding in own.items():
            found.setdefault(key, []).append(finding)
    worst = []
    for group in found.values():
        grave = max(group, key=lambda finding: SEVERITIES.index(finding.severity))
        known = [one.since for one in group if one.since]
        evidence = dict(grave.evidence or {}) | {"members": len(group), "of": len(findings)}
        said = f"{grave.what} (in {len(group):,} of {len(findings):,} members)"
        worst.append(replace(grave, what=said, evidence=evidence, since=int(np.min(known, initial=grave.since))))
    return worst
