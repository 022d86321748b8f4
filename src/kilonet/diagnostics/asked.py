"""What `kn.diagnose` is asked, in one form: an estimator with its rows, rules as a sequence, remedies as such."""

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sklearn.base import clone

from kilonet.checks import shown
from kilonet.diagnostics.judging import checked_validation
from kilonet.errors import DataError, SettingError
from kilonet.findings import Finding, Remedy

Ruling = Callable[..., Iterable[Finding]]
Rules = Sequence[Ruling]
RESERVED = ("member", "members", "of")  # evidence of whom a finding is, among several members
NEEDED = "an MLPClassifier or MLPRegressor of Kilonet, a pipeline that ends in one, or a kn.Examination"
# Modules of classes that have an examination of their own.
_ELSEWHERE = {
    "sklearn.neural_network": ("scikit-learn", "kn.diagnostics.examine_sklearn(model, X, y)"),
    "torch": ("PyTorch", "kn.diagnostics.examine_torch(model, X, y, loss)"),
}


@dataclass(frozen=True, eq=False)
class Asked:
    """An estimator with the rows of its training, and those to judge by: (X, y), (X, y, sample_weight) or None.

    pipeline: whose last step it is, or None; before: its other steps, fitted, through which the rows have gone.
    """

    estimator: Any
    X: Any
    y: Any
    sample_weight: Any
    validation: tuple[Any, ...] | None
    pipeline: Any = None
    before: Sequence[tuple[str, Any]] = ()

    @classmethod
    def of(cls, estimator: Any, X: Any, y: Any, sample_weight: Any, validation: Any) -> "Asked":
        """Raises SettingError for what is no such thing, and DataError for a validation that no step can read."""
        steps: Any = getattr(estimator, "steps", None)
        in_steps = isinstance(steps, list) and len(steps) > 0 and isinstance(steps[-1], tuple)
        of_kilonet(steps[-1][-1] if in_steps else estimator, steps if in_steps else ())
        if X is None or y is None:
            raise SettingError("diagnose looks at a network with its training rows: give X and y, as `fit` had them.")
        rows = cls(estimator, X, y, sample_weight, None if validation is None else checked_validation(validation))
        return _through(rows) if in_steps else rows

    def ended(self, better: Any) -> Any:
        """An estimator in the place of this one: alone, or as the last step of the pipeline."""
        if self.pipeline is None or better is self.estimator:
            return better if self.pipeline is None else self.pipeline
        whole = copy.copy(self.pipeline)
        whole.steps = [*self.before, (self.pipeline.steps[-1][0], better)]
        return whole


def _through(rows: Asked) -> Asked:
    """The last step of a pipeline, and the rows as the steps before it give them, which are fitted if it is not."""
    pipeline, X, validation = rows.estimator, rows.X, rows.validation
    *before, (_, last) = pipeline.steps
    steps = []
    for name, step in before:
        own = step
        if step is not None and step != "passthrough":
            if not hasattr(step, "transform"):
                raise SettingError(
                    f"the step {name} of the pipeline, {shown(step)}, does not transform. Diagnose the last step with "
                    "the rows that it was given: kn.diagnose(pipeline[-1], X, y)."
                )
            own = step if hasattr(last, "theta_") else clone(step).fit(X, rows.y)
            X = own.transform(X)
            validation = None if validation is None else (_read(own, validation[0]), *validation[1:])
        steps.append((name, own))
    return Asked(last, X, rows.y, rows.sample_weight, validation, pipeline, steps)


def _read(step: Any, X: Any) -> Any:
    try:
        return step.transform(X)
    except ValueError as error:
        raise DataError(f"validation: {error}") from error


def of_kilonet(estimator: Any, steps: Sequence[Any] = ()) -> None:
    """Raise SettingError for what is no estimator of Kilonet; it names who looks at networks of others.

    steps: of the pipeline whose last one it is.
    """
    if hasattr(estimator, "_fresh_work") and not isinstance(estimator, type):
        return
    made_in = [f"{one.__module__}." for one in type(estimator).__mro__]
    for module, (whose, call) in _ELSEWHERE.items():
        if any(own.startswith(f"{module}.") for own in made_in):
            last, rows = f"{type(estimator).__name__} of {whose}", "X" if len(steps) < 2 else "pipe[:-1].transform(X)"
            made = call.replace("model, X", f"pipe[-1], {rows}") if steps else call
            raise SettingError(
                f"diagnose came with {'a pipeline that ends in ' if steps else ''}{last}; needs {NEEDED}, which is "
                f"made of it by {made}: kn.diagnose({made})."
            )
    raise SettingError(f"diagnose came with {shown(estimator)}; needs {NEEDED}.")


def as_sequence(rules: Any) -> Rules | None:
    """Rules as a sequence that can be read again; a single function is one of one, None stays None.

    >>> as_sequence(3)
    Traceback (most recent call last):
    kilonet.errors.SettingError: rules came as 3; needs functions of an examination that give findings, such as
    [*kn.diagnostics.RULES, mine].
    """
    if rules is None or callable(rules):
        return None if rules is None else (rules,)
    if isinstance(rules, Iterable) and not isinstance(rules, str | bytes):
        return tuple(rules)
    raise SettingError(
        f"rules came as {shown(rules)}; needs functions of an examination that give findings, such as "
        "[*kn.diagnostics.RULES, mine]."
    )


def checked(finding: Finding) -> Finding:
    """A finding as a rule means it, in one form: sentences without a full stop, remedies as a sequence of such.

    A text is a remedy that changes nothing. Raises SettingError for evidence that `kn.diagnose` gives itself.

    >>> checked(Finding("mine", "warn", "too slow", remedies=["ask for more time"])).remedies
    (Remedy(text='ask for more time', changes={}),)
    """
    given: Any = finding.remedies
    several = [given] if isinstance(given, str | Remedy) or not isinstance(given, Iterable) else list(given)
    found = [Remedy(one, {}) if isinstance(one, str) else one for one in several]
    for one in found:
        if not isinstance(one, Remedy) or not isinstance(one.changes, Mapping):
            raise SettingError(
                f"the finding {finding.rule} has the remedy {shown(one)}; needs a text for what only a person can do, "
                'or kn.Remedy(text, changes) with parameters of the estimator, such as kn.Remedy("less", {"l2": 0.0}).'
            )
    _check_evidence(finding)
    what, cause = finding.what.removesuffix("."), finding.cause.removesuffix(".")
    return replace(finding, what=what, cause=cause, remedies=tuple(found))


def _check_evidence(finding: Finding) -> None:
    given: Any = finding.evidence
    if given is not None and not isinstance(given, Mapping):
        raise SettingError(
            f"the finding {finding.rule} has the evidence {shown(given)}; needs numbers by name, such as "
            'evidence={"share": 0.5}.'
        )
    taken = [name for name in RESERVED if name in (given or ())]
    if taken:
        raise SettingError(
            f"the finding {finding.rule} has evidence by the name {taken[0]}; {', '.join(RESERVED)} are given by "
            "kn.diagnose, which asks the rule of each member by itself. Give it another name."
        )
