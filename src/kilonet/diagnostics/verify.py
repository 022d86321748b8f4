"""Remedies are tried before they are advised, and what helps is applied."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.base import clone

from kilonet.diagnostics.branches import SEEDS, laid_out, prepared
from kilonet.diagnostics.effects import effects, untried
from kilonet.diagnostics.fork import seconds_a_run, trained
from kilonet.errors import MemoryLimitError
from kilonet.findings import Effect, Finding, Remedy
from kilonet.numerals import count

LONGEST = 60.0  # seconds of a run: what takes longer is not tried, as each remedy takes several of them
FEWEST = 20  # rows: a quarter of them says little enough
Changes = Mapping[str, Any]


def verified(
    findings: Sequence[Finding],
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    seeds: int = SEEDS,
    validation: Any = None,
) -> list[Finding]:
    """The findings, with what their remedies gained where these were tried: effects, one for each with changes.

    Tried are remedies with changes of findings that warn or fail. `seeds` runs of the estimator's settings are
    trained up to the epoch before the finding's first sign, and then on to the end without and with each remedy: see
    `kilonet.diagnostics.fork.forked`, and `kilonet.diagnostics.effects.effects` for what is judged and what an
    interval says. The runs with the remedy on and off are the same but for it. A remedy that does not help has an
    effect that says so. One that could not be tried says why: the estimator refuses the change, a run takes more than
    a minute, there are too few rows or too little memory.

    validation: (X, y) to judge by; else a quarter of the rows is held out from training. The estimator itself, fitted
    or not, stays as it is. Raises what `fit` raises of its settings and data; Ctrl-C is a KeyboardInterrupt.

    >>> import numpy as np
    >>> from kilonet.estimators.regressor import MLPRegressor
    >>> X = np.linspace(-2, 2, 60)[:, None]
    >>> slow = MLPRegressor(hidden=8, rate=1e-5, epochs=20, random_state=0)
    >>> finding = Finding("rate", "warn", "steps are small", remedies=[Remedy("a larger rate", {"rate": 0.01})])
    >>> verified([finding], slow, X, X[:, 0])[0].effects[0].helps
    True
    """
    wanted = _distinct(findings)
    if not wanted:
        return list(findings)
    changes, epochs = [own for own, _ in wanted], [epoch for _, epoch in wanted]
    found = _tried(estimator, changes, epochs, (X, y, sample_weight, validation), seeds)
    return [
        replace(finding, effects=tuple(found[changes.index(remedy.changes)] for remedy in _to_try(finding)))
        for finding in findings
    ]


def cured(
    findings: Sequence[Finding],
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    seeds: int = SEEDS,
    validation: Any = None,
) -> tuple[Any, list[tuple[Remedy, Effect]]]:
    """A fitted estimator with the remedies that help, and what each of them gained on top of those before it.

    Applied is the remedy that takes away the largest share of the loss (or of what a score lacks to 1), then the rest
    is tried on top of it, until nothing helps: until no interval lies above zero. All are tried from the start of
    training, as a fit with them is. A clone with all of them is then fitted to all rows. Being the best of several
    is luck in part, so gains are a little flattering.

    Where nothing helps the list is empty, and the estimator itself comes back as it is: fitted to the rows, as a
    clone, only if it was not.

    >>> import numpy as np
    >>> from kilonet.estimators.regressor import MLPRegressor
    >>> X = np.linspace(-2, 2, 60)[:, None]
    >>> slow = MLPRegressor(hidden=8, rate=1e-5, epochs=20, random_state=0)
    >>> finding = Finding("rate", "warn", "steps are small", remedies=[Remedy("a larger rate", {"rate": 0.01})])
    >>> better, gained = cured([finding], slow, X, X[:, 0])
    >>> better.rate, [remedy.text for remedy, effect in gained]
    (0.01, ['a larger rate'])
    """
    left = list(_unique(findings))
    current, gained = estimator, []
    while left:
        changes = [remedy.changes for remedy in left]
        found = _tried(current, changes, [0] * len(left), (X, y, sample_weight, validation), seeds)
        best = max(range(len(left)), key=lambda place: _share(found[place]))
        if not found[best].helps:
            break
        remedy = left.pop(best)
        current = clone(current).set_params(**remedy.changes)
        gained.append((remedy, found[best]))
    if not gained and hasattr(estimator, "theta_"):
        return estimator, []
    return clone(current).fit(X, y, sample_weight), gained


def _tried(
    estimator: Any, changes: Sequence[Changes], epochs: Sequence[int], given: tuple[Any, Any, Any, Any], seeds: int
) -> list[Effect]:
    """What each of the changes gained, all tried together; epochs: the last ones before the trouble."""
    X, y, sample_weight, validation = given
    n_rows = len(y) if sample_weight is None else int(np.count_nonzero(np.broadcast_to(sample_weight, len(y))))
    if validation is None and n_rows < FEWEST:
        return [untried(f"{count(n_rows, 'row')}: too few to hold some out, which takes {FEWEST}")] * len(changes)
    data = laid_out(estimator, X, y, sample_weight, validation)
    if validation is None and len(data.split.test) == 0:
        return [untried("every class has a single row: none can be held out")] * len(changes)
    branches = prepared(estimator, changes, data, seeds)
    try:
        seconds = seconds_a_run(branches[0])
        slow = [
            "" if own.refused else _too_long(seconds * max(own.cost / branches[0].cost, 1.0)) for own in branches[1:]
        ]
        quick = [place for place, why in enumerate(slow) if not why]
        found = {}
        if quick:
            some = trained([branches[0], *(branches[place + 1] for place in quick)], [0, *(epochs[p] for p in quick)])
            found = dict(zip(quick, effects(some), strict=True))
        return [found.get(place) or untried(why) for place, why in enumerate(slow)]
    except MemoryLimitError as error:
        return [untried(str(error))] * len(changes)


def _too_long(seconds: float) -> str:
    if seconds <= LONGEST:
        return ""
    return f"one run takes about {seconds:.0f} s, and remedies are tried where it is {LONGEST:.0f} s at most"


def _to_try(finding: Finding) -> list[Remedy]:
    """The remedies of a finding that are tried."""
    return [] if finding.severity == "info" else [remedy for remedy in finding.remedies if remedy.changes]


def _distinct(findings: Sequence[Finding]) -> list[tuple[Changes, int]]:
    """All that is to be tried, each once, and the last epoch before the trouble that began first."""
    changes: list[Changes] = []
    epochs: list[int] = []
    for finding in findings:
        epoch = max(finding.since - 1, 0)
        for remedy in _to_try(finding):
            if remedy.changes not in changes:
                changes.append(remedy.changes)
                epochs.append(epoch)
            place = changes.index(remedy.changes)
            epochs[place] = min(epochs[place], epoch)
    return list(zip(changes, epochs, strict=True))


def _unique(findings: Sequence[Finding]) -> Iterator[Remedy]:
    """Remedies to be tried, one for each of the changes."""
    seen: list[Changes] = []
    for remedy in (own for finding in findings for own in _to_try(finding)):
        if remedy.changes not in seen:
            seen.append(remedy.changes)
            yield remedy


def _share(effect: Effect) -> float:
    """The share of the loss, or of what a score lacks to 1, that a remedy takes away; −1 where it does not help."""
    if not effect.helps:
        return -1.0
    lacking = effect.without if effect.with_it < effect.without else 1 - effect.without
    return effect.gain / lacking if lacking > 0 else effect.gain
