"""One fit of a network that tunes itself: configurations on folds, the choice among them, and the model."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.errors import DataError, DivergenceError
from kilonet.estimators.trials import Common, Table
from kilonet.search.candidates import Candidate
from kilonet.search.grid import Grid
from kilonet.search.outcomes import Run
from kilonet.search.runs import Runner
from kilonet.search.selection import Rounds, by_architecture
from kilonet.search.splits import Splits
from kilonet.search.store import Store
from kilonet.tuned.effort import Effort, Wanted
from kilonet.tuned.folds import Draws
from kilonet.tuned.gathering import Gathered, Part, parts
from kilonet.tuned.judging import Judge, greedy, of_more, temperature_of, tempered
from kilonet.tuned.tuning import Tuning

Floats = NDArray[np.float64]
_ROUNDS = 25  # of the greedy choice, at most


@dataclass(eq=False)
class Fitting:
    """What a fit knows: rows as numbers, splits, what is tried, how thoroughly; and what was gathered."""

    common: Common
    grid: Grid
    splits: Splits
    effort: Effort
    runner: Runner
    gathered: Gathered
    tuning: Tuning

    @classmethod
    def begun(cls, base: Any, common: Common, judge: Judge, grid: Grid, draws: Draws, tuning: Tuning,
              wanted: Wanted, random_state: int, callback: Any, when: float) -> "Fitting":  # fmt: skip
        """All that there is to be done, with its size settled; a budget in seconds trains a first split for that.

        when: the fit began, by time.perf_counter. Folds are drawn as far as they are needed.
        """
        gathered = Gathered(common, judge)
        known = common.width(base), common.codec.n_outputs, str(common.codec.loss.name)
        runner = Runner(
            base, Table(None, None), list(draws.first.splits), [random_state], None, Store(None, "tuned"), *known,
            prepare=common.trials, keep=gathered.keep, group=tuning.group,
        )  # fmt: skip
        plain = {own: runner.settings_of(some[0]) for own, some in by_architecture(grid.candidates).items()}
        runner.widths = {own: common.width(estimator) for own, estimator in plain.items()}
        grid = grid.apart({own: common.inputs_of(estimator) for own, estimator in plain.items()})
        folds = len(draws.first.splits)  # of groups of very different sizes some folds may stay empty
        effort = wanted.plan(runner, grid, folds, draws.most, tuning, when)
        splits = draws.reaching(effort.splits)
        reached = min(effort.splits, len(splits.splits))
        effort = replace(effort, splits=reached, first=min(effort.first, reached))
        runner.add(splits.splits[folds:])
        if callback is not None:
            runner.progress = lambda done: callback(done, effort.total(grid))
        return cls(common, grid, splits, effort, runner, gathered, tuning)

    def train(self) -> list[Candidate]:
        """Train what the effort allows; the configurations that no split lost, all splits seen."""
        effort = self.effort
        rounds = Rounds(self.runner, range(effort.first), range(effort.splits))
        if effort.first == effort.splits and effort.members == 1:
            self.runner.run(Run(own, split, 0) for own in self.grid.candidates for split in range(effort.splits))
        else:
            rounds.play(self.grid.candidates)
        every = range(effort.splits)
        lasting = [
            own for own in self.grid.candidates if all(Run(own, split, 0) in self.runner.outcomes for split in every)
        ]
        if effort.members > 1:
            self.runner.run(
                Run(own, split, seed) for own in lasting for split in every for seed in range(effort.members)
            )
        sound = [own for own in lasting if all(np.isfinite(self.table(own)))]
        if not sound:
            raise DivergenceError(
                "training left the finite numbers in every configuration, so nothing was learned. Try lower rates."
            )
        return sound

    def table(self, candidate: Candidate) -> Floats:
        """Loss of a candidate on each split, members averaged; NaN where a run is missing or lost."""
        outcomes = self.runner.outcomes
        return np.array([
            np.mean([outcomes[run].loss if (run := Run(candidate, split, seed)) in outcomes else np.nan
                     for seed in range(self.effort.members)])
            for split in range(self.effort.splits)
        ])  # fmt: skip

    @property
    def used(self) -> Splits:
        """The splits that the effort reaches."""
        return self.splits._replace(splits=self.splits.splits[: self.effort.splits])

    def held(self) -> NDArray[np.bool_]:
        """Which splits hold out which rows (n, splits)."""
        found = np.zeros((len(self.gathered.judge.targets), self.effort.splits), dtype=bool)
        for number, split in enumerate(self.used.splits):
            found[split.test, number] = True
        return found


@dataclass(frozen=True, eq=False)
class Choice:
    """What was chosen among sound configurations: weights of each, and what they say out of fold (n, k).

    rows: that were held out and have a weight. raw: what they say before the temperature, as a mean. temperature:
    that is best out of fold, where a row is judged by few networks; of_model: that of the model, the mean of more.
    """

    sound: Sequence[Candidate]
    losses: Floats
    weights: dict[Candidate, float]
    rows: NDArray[np.intp]
    raw: Floats
    temperature: float = 1.0
    of_model: float = 1.0

    @classmethod
    def of(cls, fitting: Fitting, sound: Sequence[Candidate]) -> "Choice":
        """The configuration with the lowest loss out of fold, or the best mean of several."""
        judge = fitting.gathered.judge
        rows = np.flatnonzero(fitting.held().any(axis=1) & (judge.weights > 0))
        if not len(rows):
            raise DataError("no row that is held out has a weight, so nothing can be judged; see cv and class_weight.")
        said = [fitting.gathered.out_of_fold(own) for own in sound]
        losses = np.array([float(judge.loss(own[rows], rows)) for own in said])
        if fitting.tuning.combine == "greedy":
            shares = greedy(judge, [own[rows] for own in said], rows, _ROUNDS)
        else:
            shares = (np.arange(len(sound)) == int(np.argmin(losses))).astype(np.float64)
        raw = np.sum([share * own for share, own in zip(shares, said, strict=True) if share > 0], axis=0)
        choice = cls(sound, losses, dict(zip(sound, shares.tolist(), strict=True)), rows, raw)
        return choice._calibrated(fitting) if fitting.tuning.calibrate else choice

    def _calibrated(self, fitting: Fitting) -> "Choice":
        """With the temperatures that are best out of fold, of one draw of the folds and of the mean of all."""
        judge, splits = fitting.gathered.judge, fitting.used.splits
        draws = round(sum(np.count_nonzero(judge.weights[split.test]) for split in splits) / len(self.rows))
        some = temperature_of(judge, self.raw[self.rows], self.rows)
        each = [(split.test, fitting.gathered.on_split(self.weights, number)) for number, split in enumerate(splits)]
        rows, said = (np.concatenate(parts) for parts in zip(*each, strict=True))
        one = temperature_of(judge, said, rows) if draws > 1 else some
        return replace(self, temperature=some, of_model=of_more(one, some, draws, len(splits)))

    @property
    def best(self) -> int:
        """The place of the configuration with the lowest loss."""
        return int(np.argmin(self.losses))

    @property
    def out_of_fold(self) -> Floats:
        """What the model says of rows that its networks had not seen (n, k)."""
        return tempered(self.raw, self.temperature)


def carried_out(fitting: Fitting) -> tuple[Choice, list[Part], float]:
    """Training and choice: what was chosen, its networks, and the seconds that training took."""
    begun = time.perf_counter()
    sound = fitting.train()
    seconds = time.perf_counter() - begun
    choice = Choice.of(fitting, sound)
    return choice, parts(fitting.runner, fitting.gathered, choice.weights), seconds
