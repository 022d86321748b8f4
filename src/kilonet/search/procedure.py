"""A search from its plan to its record: rounds, extensions, the last round, tests, choice."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kilonet.comparison import compared
from kilonet.evidence import SearchRecord
from kilonet.search.assembly import Found, record_of
from kilonet.search.candidates import Candidate
from kilonet.search.estimates import learning_curve, nested_estimate
from kilonet.search.outcomes import Run
from kilonet.search.selection import Rounds, choose, losses
from kilonet.search.study import Study

Floats = NDArray[np.float64]

_OVERFITS = 0.8  # a training loss below this share of the held-out loss


@dataclass(eq=False)
class Procedure:
    """The steps of a search."""

    study: Study

    def carry_out(self, begun: float) -> tuple[SearchRecord, list[Candidate]]:
        """The record, and the candidates in its order. Ctrl-C is a KeyboardInterrupt."""
        study = self.study
        rounds = Rounds(study.runner, range(study.plan.first), range(study.plan.second))
        rounds.play(study.grid.candidates)
        if study.extend:
            self._widen(rounds)
            rounds.extend(study.grid)
        winners = rounds.winners()
        self._last_round(winners)
        if study.extend:
            winners = self._rescued(rounds, winners)
        self._flag_edges(winners)
        means = np.stack([self._losses(candidate) for candidate in winners], axis=1)
        reference, tests = compared(means, study.splits.test_to_train)
        sizes = [study.size(candidate) for candidate in winners]
        chosen = choose(means, sizes, study.splits.test_to_train, study.prefer)
        nested = nested_estimate(study) if study.plan.nested else None
        learning = learning_curve(study, winners[chosen])
        found = Found(rounds.tried, winners, tests, reference, chosen, nested, learning)
        return record_of(study, found, begun), rounds.tried

    # The rounds.
    def _last_round(self, candidates: Sequence[Candidate]) -> None:
        every = [(split, seed) for split in range(self.study.plan.splits) for seed in range(self.study.plan.seeds)]
        self.study.runner.run(Run(candidate, *place) for candidate in candidates for place in every)

    def _losses(self, candidate: Candidate) -> Floats:
        return losses(self.study.runner, candidate, range(self.study.plan.splits), range(self.study.plan.seeds))

    def _widen(self, rounds: Rounds) -> None:
        """Where the largest network is the best so far, a larger one competes too."""
        winners = rounds.winners()
        best = min(winners, key=lambda candidate: rounds.loss(candidate, rounds.second))
        sized = [own for own in self.study.grid.architectures if own.hidden]
        hidden = best.architecture.hidden
        if len(sized) < 2 or not hidden or self.study.size(best) < max(map(self.study.size, winners)):
            return
        if not all(isinstance(layer, int) for layer in hidden):
            self.study.notes.append(
                f"the largest network, {best.architecture.text}, is the best: larger ones were not tried."
            )
            return
        wider = replace(best.architecture, hidden=tuple(2 * layer for layer in hidden))
        own = [c for c in self.study.grid.candidates if c.architecture == best.architecture]
        rounds.play(Candidate(wider, candidate.tuned, "edge") for candidate in own)
        self.study.notes.append(
            f"the largest network of the grid, {best.architecture.text}, led, so {wider.text} was tried too."
        )

    def _rescued(self, rounds: Rounds, winners: list[Candidate]) -> list[Candidate]:
        """Where the largest network over-fits, it is regularized more before a smaller one is preferred."""
        best = min(winners, key=self._mean)
        most = max(map(self.study.size, winners))
        largest = min((own for own in winners if self.study.size(own) == most), key=self._mean)
        outcomes = self.study.outcomes(largest, range(self.study.plan.second), [0])
        held, training = (float(np.mean([getattr(o, name) for o in outcomes])) for name in ("loss", "training_loss"))
        if largest is best or self.study.runner.scoring is not None or not training < _OVERFITS * held:
            return winners
        known = {(other.architecture, other.tuned) for other in rounds.tried}
        rescues = self.study.grid.rescues(largest)
        tried = [other for other in rescues if (other.architecture, other.tuned) not in known]
        rounds.tried += tried
        self.study.runner.run(Run(candidate, split, 0) for candidate in tried for split in rounds.second)
        saved = min([largest, *tried], key=lambda candidate: rounds.loss(candidate, rounds.second))
        what = f"{largest.architecture.text} over-fits (training loss {training:.3g}, held out {held:.3g})"
        if saved is largest:
            self.study.notes.append(f"{what}; more λ, dropout and input noise did not help it.")
            return winners
        gained = rounds.loss(largest, rounds.second) - rounds.loss(saved, rounds.second)
        self.study.notes.append(f"{what}; {saved.settings} gains it {gained:.2g}.")
        self._last_round([saved])
        return [saved if candidate is largest else candidate for candidate in winners]

    def _flag_edges(self, winners: Sequence[Candidate]) -> None:
        best = min(winners, key=self._mean)
        known = {(other.architecture, other.tuned) for other in self.study.runner.known}
        if any((other.architecture, other.tuned) not in known for other in self.study.grid.beyond(best)):
            self.study.notes.append(
                f"the best candidate, {best.text}, is at the edge of what was tried; try values beyond."
            )

    def _mean(self, candidate: Candidate) -> float:
        value = float(np.mean(self._losses(candidate)))
        return value if math.isfinite(value) else math.inf
