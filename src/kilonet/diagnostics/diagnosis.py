"""`kn.diagnose`: what is wrong with a network, what is behind it, and what cures it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kilonet.checks import shown
from kilonet.diagnostics.asked import Asked, Rules, Ruling, as_sequence
from kilonet.diagnostics.branches import SEEDS
from kilonet.diagnostics.effects import enough_seeds
from kilonet.diagnostics.members import examinations, merged
from kilonet.diagnostics.page import not_looked_at, page, summary
from kilonet.diagnostics.per_member import settings_of
from kilonet.diagnostics.rulebook import in_order, rulings
from kilonet.diagnostics.thresholds import DEFAULT, Thresholds
from kilonet.diagnostics.verify import cured, verified
from kilonet.errors import SettingError
from kilonet.findings import Effect, Examination, Finding, Remedy, to_json


@dataclass(eq=False, repr=False)
class Diagnosis:
    """What `kn.diagnose` found: print it, or read `findings`.

    findings: those that fail first, of one cause the root first. examination: the facts that they rest on; of several
    members those of the first. gains_: after `cure`, the remedies that were applied, each with what it gained on top of
    those before it; its `members` are those whose settings were changed, where these are not all.
    """

    findings: Sequence[Finding]
    examination: Examination
    _asked: Asked | None = None
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
        asked = self._subject("verify")
        rows = (asked.X, asked.y, asked.sample_weight)
        self.findings = verified(self.findings, asked.estimator, *rows, **self._judging(asked))
        return self

    def cure(self) -> Any:
        """A fitted estimator with the remedies that help, one after another until none helps; `gains_` says how much.

        Root causes are mended first. The estimator that was diagnosed stays as it is, and comes back itself where
        nothing helps, of which a RemedyWarning tells, as of what fails and is not cured. Of a pipeline it is one with
        another last step. A fit that leaves the finite numbers is no error: a DivergenceWarning tells what was left
        out to avoid it. See `kilonet.diagnostics.verify.cured`. Raises SettingError for a diagnosis of a network that
        was trained elsewhere.

        >>> import numpy as np
        >>> import kilonet as kn
        >>> X = np.linspace(-2, 2, 60)[:, None]
        >>> slow = kn.MLPRegressor(hidden=8, rate=1e-6, epochs=20, random_state=0).fit(X, X[:, 0])
        >>> report = kn.diagnose(slow, X, X[:, 0])
        >>> better = report.cure()
        >>> better.rate > 1e-4, [remedy.text.split(":")[0] for remedy, effect in report.gains_][:1]
        (True, ['a higher rate'])
        """
        asked = self._subject("cure")
        rows = (asked.X, asked.y, asked.sample_weight)
        better, gains = cured(self.findings, asked.estimator, *rows, **self._judging(asked))
        self.gains_ = tuple(gains)
        return asked.ended(better)

    def _judging(self, asked: Asked) -> dict[str, Any]:
        return {"seeds": self._seeds, "validation": asked.validation}

    def _subject(self, what: str) -> Asked:
        if self._asked is None:
            raise SettingError(
                f"{what}() trains networks anew, and this diagnosis is of an examination alone. Diagnose an estimator "
                "with its X and y, or apply a remedy by hand."
            )
        return self._asked

    def to_json(self) -> str:
        """Findings and facts as JSON, with what was not looked at; what is not finite is null."""
        named = {
            "summary": summary(self.findings, self.examination),
            "failed": self.failed,
            "findings": list(self.findings),
            "not_looked_at": not_looked_at(self.examination),
            "examination": self.examination,
        }
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
    rules: Rules | Ruling | None = None,
    thresholds: Thresholds = DEFAULT,
    verify: bool = False,
    seeds: int = SEEDS,
) -> Diagnosis:
    """What is wrong with a network and its training, what is likely behind it, and what may cure it.

    estimator: an `MLPClassifier` or `MLPRegressor`, with the X, y and sample_weight that it was fitted to; before it
    is fitted, what can be known then. Of several members up to eight are looked at, and a finding's
    evidence["member"] is one that has it. Or a pipeline of scikit-learn that ends in such an estimator: X goes through
    the steps before it, and the last one is diagnosed. Or a `kn.Examination`, without X and y, which
    `kn.diagnostics.examine_sklearn` and `examine_torch` make of other networks. validation: (X, y) of rows that
    training did not see. rules: plain functions of an examination that give findings, or one of them, instead of
    `kn.diagnostics.RULES`; thresholds: for those that have a parameter of that name. verify: whether to try the
    remedies, from so many seeds each, 6 at least, which takes as long as training all of them.

    Raises SettingError for what is none of these, and what `fit` raises of data, DataError also of a validation.

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
    enough_seeds(seeds)
    if not isinstance(thresholds, Thresholds):
        raise SettingError(f"thresholds came as {shown(thresholds)}; needs kn.Thresholds(...).")
    ruling = as_sequence(rules)
    if isinstance(estimator, Examination):
        report = Diagnosis(in_order(rulings(estimator, ruling, thresholds)), estimator)
    else:
        asked = Asked.of(estimator, X, y, sample_weight, validation)
        looked = examinations(asked.estimator, asked.X, asked.y, asked.sample_weight, asked.validation)
        findings = [rulings(one, ruling, thresholds) for one in looked.values()]
        own = [settings_of(asked.estimator, member) for member in looked]
        together = findings[0] if len(looked) == 1 else merged(findings, list(looked), own)
        report = Diagnosis(in_order(together), looked[0], asked, seeds)
    return report.verify() if verify else report
