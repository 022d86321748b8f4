"""Remedies are tried before they are advised, and what helps is applied."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from kilonet.checks import whole
from kilonet.diagnostics.branches import SEEDS, prepared
from kilonet.diagnostics.curing import changed_members, finite, warn_of_what_is_left
from kilonet.diagnostics.effects import effects, enough_seeds, untried
from kilonet.diagnostics.fork import trained
from kilonet.diagnostics.judging import laid_out
from kilonet.diagnostics.pace import seconds_of
from kilonet.diagnostics.per_member import alike, with_changes
from kilonet.errors import MemoryLimitError
from kilonet.findings import Effect, Finding, Remedy
from kilonet.numerals import count

LONGEST = 60.0  # seconds of a run: what takes longer is not tried, as each remedy takes several of them
FEWEST = 20  # rows: a quarter of them says little enough
NONE_HELPS = "; none of the remedies that were tried helps here"
ALL_HARM = "; the remedies that were tried do harm here, so look at it before you change anything"


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
    effect that says so, and a finding of which none helps says so itself; it is as grave as before, since a network
    that is sick of something else is no better for it. A remedy that could not be tried says why: the estimator refuses
    the change, a run takes more than a minute, there are too few rows or too little memory. Of several members with
    settings of their own, those of the member that the finding is of are tried: its evidence["member"], else the first.

    validation: (X, y) to judge by; else a quarter of the rows is held out from training. The estimator itself, fitted
    or not, stays as it is. Raises what `fit` raises of its settings and data, SettingError for fewer than six seeds
    and for another validation; Ctrl-C is a KeyboardInterrupt.

    >>> import numpy as np
    >>> from kilonet.estimators.regressor import MLPRegressor
    >>> X = np.linspace(-2, 2, 60)[:, None]
    >>> slow = MLPRegressor(hidden=8, rate=1e-5, epochs=20, random_state=0)
    >>> finding = Finding("rate", "warn", "steps are small", remedies=[Remedy("a larger rate", {"rate": 0.01})])
    >>> verified([finding], slow, X, X[:, 0])[0].effects[0].helps
    True
    """
    enough_seeds(seeds)
    candidates = _candidates(findings, estimator)
    once = _once(candidates)
    rows = _Rows(X, y, sample_weight, validation)
    found = dict(zip(once, _tried(estimator, list(once.values()), rows, seeds), strict=True))
    return [_told(one, [found[own.key] for own in asked]) for one, asked in zip(findings, candidates, strict=True)]


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

    Applied is a remedy of the cause that is named first: what stands behind others is mended before them. Of several
    it is one with which the fewest runs diverge, and of these the one that takes away the largest share of the loss (or
    of what a score lacks to 1): what is lost by chance in a trial may be lost in the fit. Then the rest is tried
    on top of it, until nothing helps: until no interval lies above zero. All are tried from the start of training, as
    a fit with them is. A clone with all of them is then fitted to all rows; of several members, settings are
    changed of those who have what it is against. Being the best of several is luck in part, so gains are a little
    flattering.

    Where nothing helps the list is empty, and the estimator itself comes back as it is: fitted to the rows, as a
    clone, only if it was not. A UserWarning says so, and of what fails and no remedy helps against. Where a fit leaves
    the finite numbers, the remedy that was applied last is left out, with a DivergenceWarning; if it was none that
    can be left out, what comes back is not fitted. Raises what `verified` raises.

    >>> import numpy as np
    >>> from kilonet.estimators.regressor import MLPRegressor
    >>> X = np.linspace(-2, 2, 60)[:, None]
    >>> slow = MLPRegressor(hidden=8, rate=1e-5, epochs=20, random_state=0)
    >>> finding = Finding("rate", "warn", "steps are small", remedies=[Remedy("a larger rate", {"rate": 0.01})])
    >>> better, gained = cured([finding], slow, X, X[:, 0])
    >>> better.rate, [remedy.text for remedy, effect in gained]
    (0.01, ['a larger rate'])
    """
    enough_seeds(seeds)
    left = [replace(one, epoch=0) for one in _once(_candidates(findings, estimator)).values()]
    steps, gained, vain = [estimator], [], []
    while left:
        found = _tried(steps[-1], left, _Rows(X, y, sample_weight, validation), seeds)
        helping = [place for place, effect in enumerate(found) if effect.helps]
        if not helping:
            vain = [(one.remedy, effect) for one, effect in zip(left, found, strict=True)]
            break
        best = min(helping, key=lambda place: (left[place].rank, found[place].lost_with, -_share(found[place])))
        chosen = left.pop(best)
        steps.append(with_changes(steps[-1], chosen.remedy.changes, chosen.member, everyone=chosen.everyone))
        whose = changed_members(steps[-2], steps[-1], chosen.remedy.changes)
        gained.append((chosen.remedy, replace(found[best], members=whose)))
    better, kept = finite(steps, gained, X, y, sample_weight)
    warn_of_what_is_left(findings, kept, vain)
    return better, kept


class _Rows(NamedTuple):
    X: Any
    y: Any
    sample_weight: Any
    validation: Any


@dataclass(frozen=True)
class _Candidate:
    """A remedy that is tried with the settings of a member, from an epoch on.

    rank: of its cause, the first has 0. everyone: whether all members have what it is against.
    """

    remedy: Remedy
    member: int
    epoch: int
    rank: int
    everyone: bool

    @property
    def key(self) -> tuple[int, str]:
        """What is the same for those that are tried once."""
        return self.member, repr(sorted(self.remedy.changes.items()))


def _candidates(findings: Sequence[Finding], estimator: Any) -> list[list[_Candidate]]:
    """What is to be tried of each finding: remedies with changes, unless it only informs."""
    members: dict[float, int] = dict(enumerate(alike(estimator, whole("members", estimator.members))))
    causes = [*dict.fromkeys(one.because for one in findings if one.because), ""]  # unknown ones come last
    found = []
    for finding in findings:
        known = finding.evidence or {}
        member, everyone = members.get(known.get("member", 0), 0), known.get("members") == known.get("of")
        asked = () if finding.severity == "info" else finding.remedies
        rank, epoch = causes.index(finding.because), max(finding.since - 1, 0)
        found.append([_Candidate(remedy, member, epoch, rank, everyone) for remedy in asked if remedy.changes])
    return found


def _once(candidates: Sequence[Sequence[_Candidate]]) -> dict[tuple[int, str], _Candidate]:
    """Each of them once: from before the trouble that began first, and for the cause that is named first."""
    found: dict[tuple[int, str], _Candidate] = {}
    for one in (own for of_finding in candidates for own in of_finding):
        known = found.setdefault(one.key, one)
        epoch, rank = min(known.epoch, one.epoch), min(known.rank, one.rank)
        found[one.key] = replace(known, epoch=epoch, rank=rank, everyone=known.everyone or one.everyone)
    return found


def _tried(estimator: Any, candidates: Sequence[_Candidate], rows: _Rows, seeds: int) -> list[Effect]:
    """What each of them gained, those of one member tried together."""
    found: dict[int, Effect] = {}
    for member in dict.fromkeys(one.member for one in candidates):
        places = [place for place, one in enumerate(candidates) if one.member == member]
        own = _tried_together(estimator, [candidates[place] for place in places], rows, seeds)
        found |= dict(zip(places, own, strict=True))
    return [found[place] for place in range(len(candidates))]


def _tried_together(estimator: Any, candidates: Sequence[_Candidate], rows: _Rows, seeds: int) -> list[Effect]:
    """What candidates of one member gained over the same runs without them."""
    n_rows = len(rows.y)
    if rows.sample_weight is not None:
        n_rows = int(np.count_nonzero(np.broadcast_to(rows.sample_weight, n_rows)))
    if rows.validation is None and n_rows < FEWEST:
        why = f"{count(n_rows, 'row')}: too few to hold some out, which takes {FEWEST}"
        return [untried(why)] * len(candidates)
    data = laid_out(estimator, *rows)
    if rows.validation is None and len(data.split.test) == 0:
        return [untried("every class has a single row: none can be held out")] * len(candidates)
    changes = [one.remedy.changes for one in candidates]
    without, *branches = prepared(estimator, changes, data, seeds, candidates[0].member)
    try:
        problem = without.trials[0].work.problem.members([0])
        seconds = seconds_of(problem, problem.recipe.epochs)
        slow = ["" if own.refused else _too_long(seconds * max(own.cost / without.cost, 1.0)) for own in branches]
        quick = [place for place, why in enumerate(slow) if not why]
        found = {}
        if quick:
            epochs = [0, *(candidates[place].epoch for place in quick)]
            found = dict(zip(quick, effects(trained([without, *(branches[p] for p in quick)], epochs)), strict=True))
        return [found.get(place) or untried(why) for place, why in enumerate(slow)]
    except MemoryLimitError as error:
        return [untried(str(error))] * len(candidates)


def _too_long(seconds: float) -> str:
    if seconds <= LONGEST:
        return ""
    return f"one run takes about {seconds:.0f} s, and remedies are tried where it is {LONGEST:.0f} s at most"


def _told(finding: Finding, found: Sequence[Effect]) -> Finding:
    """A finding with its effects; it says so if all were tried and none helps."""
    what = finding.what.removesuffix(NONE_HELPS).removesuffix(ALL_HARM)  # of an earlier trial
    if found and not any(effect.untried or effect.helps for effect in found):
        what += ALL_HARM if all(effect.high < 0 for effect in found) else NONE_HELPS
    return replace(finding, what=what, effects=tuple(found))


def _share(effect: Effect) -> float:
    """The share of the loss, or of what a score lacks to 1, that a remedy takes away."""
    lacking = effect.without if effect.with_it < effect.without else 1 - effect.without
    return effect.gain / lacking if lacking > 0 else effect.gain
