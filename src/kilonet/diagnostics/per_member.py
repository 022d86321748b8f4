"""Settings of an estimator that are one per member: those of one, who has the same, and changes of some."""

from collections.abc import Mapping
from typing import Any

from sklearn.base import clone

from kilonet.estimators.insight import planned_rate
from kilonet.rules import PER_MEMBER, entries


def settings_of(estimator: Any, member: int) -> dict[str, Any]:
    """Of settings that are one per member, those of this one; settings that all members share are not among them.

    >>> from kilonet.estimators.classifier import MLPClassifier
    >>> settings_of(MLPClassifier(members=2, rate=[0.1, 0.2], l2=0.5), 1)
    {'rate': 0.2}
    """
    given = {name: getattr(estimator, name) for name in PER_MEMBER if hasattr(estimator, name)}
    own = {name: value[member] for name, value in given.items() if (entries(name, value) or 0) > member}
    if getattr(estimator.loss, "n_members", None):
        own["loss"] = estimator.loss.member(member)
    return own


def alike(estimator: Any, members: int) -> list[int]:
    """For each of so many members the first one with the same settings.

    >>> from kilonet.estimators.classifier import MLPClassifier
    >>> alike(MLPClassifier(members=3, rate=[0.1, 0.2, 0.1], l2=[0, 0, 0]), 3), alike(MLPClassifier(members=2), 2)
    ([0, 1, 0], [0, 0])
    """
    first: dict[str, int] = {}
    return [first.setdefault(repr(settings_of(estimator, member)), member) for member in range(members)]


def with_changes(estimator: Any, changes: Mapping[str, Any], member: int = 0, *, everyone: bool = False) -> Any:
    """A clone with some changes; settings that may be one per member are changed for those like this one.

    Those are all with the same settings as the member; everyone: all whose value of what is changed is the same.

    >>> from kilonet.estimators.classifier import MLPClassifier
    >>> several = MLPClassifier(members=3, rate=0.5, l2=[0.0, 1.0, 0.0])
    >>> with_changes(several, {"rate": 0.1}).rate, with_changes(several, {"rate": 0.1}, everyone=True).rate
    ([0.1, 0.5, 0.1], 0.1)
    """
    several: dict[str, Any] = {}
    for name in [name for name in PER_MEMBER if name in changes and entries(name, changes[name]) is None]:
        members = range(int(estimator.members))
        kinds = alike(estimator, len(members))
        now = [settings_of(estimator, one).get(name, _shared(estimator, name)) for one in members]
        alikes = list(map(repr, now)) if everyone else kinds
        if len(set(alikes)) > 1:
            several[name] = [changes[name] if alikes[one] == alikes[member] else now[one] for one in members]
    return clone(estimator).set_params(**{**changes, **several})


def _shared(estimator: Any, name: str) -> Any:
    """A setting of all members, as one of several may be given."""
    value = getattr(estimator, name, None)
    return planned_rate(estimator) if name == "rate" and value is None else value
