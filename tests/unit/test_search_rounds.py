"""Decisions of a search by themselves: losses are made up, nothing is trained."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from kilonet.comparison import compared
from kilonet.search.candidates import Architecture, Candidate
from kilonet.search.grid import Grid
from kilonet.search.outcomes import Outcome, Run
from kilonet.search.plan import Plan
from kilonet.search.procedure import Procedure
from kilonet.search.runs import Runner
from kilonet.search.selection import Rounds, smallest_of_equals


class Study(SimpleNamespace):
    """As much of a study as decisions look at; loss: of a candidate; training: share of it that is left in training."""

    def __init__(self, grid: Grid, loss: Callable[[Candidate], float], training: float = 1.0) -> None:
        outcomes: dict[Run, Outcome] = {}

        def run(wanted: Any) -> None:
            for own in wanted:
                value = loss(own.candidate) + 0.001 * own.split
                outcomes[own] = Outcome(value, -value, training * value)

        known = {own.candidate for own in outcomes}
        runner = SimpleNamespace(outcomes=outcomes, run=run, scoring=None, known=known)
        super().__init__(runner=runner, grid=grid, plan=Plan(1, 5, 2, 5, 0), notes=[], extend=True)

    def size(self, candidate: Candidate) -> int:
        return sum(candidate.architecture.hidden)

    def outcomes(self, candidate: Candidate, splits: Any, seeds: Any) -> list[Outcome]:
        return [self.runner.outcomes[Run(candidate, split, seed)] for split in splits for seed in seeds]


def played(grid: Grid, loss: Callable[[Candidate], float], training: float = 1.0) -> tuple[Procedure, Rounds]:
    study: Any = Study(grid, loss, training)
    rounds = Rounds(study.runner, range(2), range(5))
    rounds.play(grid.candidates)
    procedure = Procedure(study)
    procedure._last_round(rounds.winners())
    return procedure, rounds


def l2_of(candidate: Candidate) -> float:
    return float(candidate.tuned[0] or 0)


def test_a_larger_network_competes_where_the_largest_leads() -> None:
    grid = Grid.of([4, (8,)], "relu", {"l2": [0.01]})
    procedure, rounds = played(grid, lambda own: 1 / (1 + sum(own.architecture.hidden)))
    procedure._widen(rounds)
    assert [own.architecture.text for own in rounds.winners()][-1] == "16 relu"


def test_the_best_of_equally_large_networks_leads() -> None:
    grid = Grid.of([8], ["relu", "tanh"], {"l2": [0.01]})
    procedure, rounds = played(
        grid, lambda own: {"tanh": 0.1}.get(own.architecture.activation, 0.2) if own.architecture.hidden else 0.5
    )
    procedure._widen(rounds)
    assert [own.architecture.text for own in rounds.winners()][-1] == "16 tanh"
    procedure, rounds = played(grid, lambda own: 0.1 if own.architecture.activation == "tanh" else 0.2, training=0.1)
    winners = rounds.winners()
    assert procedure._rescued(rounds, winners) == winners  # the best is not rescued, whichever of them comes first
    assert procedure.study.notes == []


def test_a_rescue_takes_the_place_of_what_over_fits() -> None:
    def loss(own: Candidate) -> float:
        if own.origin == "rescue":
            return 0.2 if own.tuned[2] == 0.5 else 0.9
        return 0.1 if own.architecture.hidden == (2,) else 0.5

    procedure, rounds = played(Grid.of([2, 64], "relu", {"l2": [0.01]}), loss, training=0.1)
    found = procedure._rescued(rounds, rounds.winners())
    assert [own.origin for own in found] == ["grid", "grid", "rescue"]
    assert found[-1].params["dropout"] == 0.5


def test_what_lies_beyond_the_grid_has_to_gain_a_percent() -> None:
    grid = Grid.of([2], "relu", {"l2": [0.01, 0.1]})
    for gain, wins in ((0.005, False), (0.02, True)):
        _, rounds = played(grid, lambda own, gain=gain: 1 - gain * (l2_of(own) > 0.1) + (l2_of(own) < 0.1))
        rounds.extend(grid)
        assert any(own.origin == "edge" for own in rounds.winners()) == wins


def test_the_edge_is_told_of() -> None:
    grid = Grid.of([2], "relu", {"l2": [0.01, 0.1, 1.0]})
    for best, told in ((0.01, True), (0.1, False), (1.0, True)):
        procedure, rounds = played(grid, lambda own, best=best: 1 + abs(np.log(l2_of(own) / best)))
        procedure._flag_edges(rounds.winners())
        assert bool(procedure.study.notes) == told


def test_who_can_share_a_pack_stays_together() -> None:
    runs = [Run(Candidate(Architecture((k,), "relu"), (l2,)), 0, 0) for k in (2, 4) for l2 in range(16)]
    runner: Any = SimpleNamespace(
        cost=lambda _: 1.5e9, group=2e9, _place=lambda run: (0, 0, run.candidate.architecture, 0, 0)
    )
    assert [len(group) for group in Runner._groups(runner, runs)] == [16, 16]


def test_rounding_makes_no_difference() -> None:
    base = np.linspace(0.1, 0.3, 10)
    means = np.stack([base, base[::-1] * (1 + 1e-16), base + 1e-17], axis=1)
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        best, tests = compared(means[:, order], 0.25)
        assert best == 0
        assert [test.difference for test in tests if test] == [0.0] * 3
        assert not any(np.signbit(test.difference) for test in tests if test)


def test_an_equal_mean_alone_does_not_let_a_network_in() -> None:
    assert smallest_of_equals([90, 30], [0.0, 0.0], [0.0, 0.5], 1.0) == 0
