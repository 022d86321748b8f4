"""The plan of crews: sharing packs between runs never costs more than keeping runs apart, by the model of costs."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kilonet as kn
from kilonet.engine import planner
from kilonet.engine.inputs import assemble
from kilonet.engine.planner import Crew, Part, plan
from kilonet.engine.problem import Problem
from kilonet.recipe import Recipe

LANES = 16


def problem(sizes: tuple[int, ...], members: int, rows: int = 40, batch: int = 32) -> Problem:
    X = np.zeros((rows, sizes[0]), np.float32)
    recipe = Recipe.make(seeds=range(members), order=0, batch=batch)
    return assemble(kn.Network(list(sizes)), kn.cross_entropy, X, np.arange(rows) % sizes[-1], recipe)


def parts(sizes: tuple[int, ...], members: list[int]) -> list[Part]:
    return [Part(problem(sizes, own), range(own), [0] * own) for own in members]


def cost(given: list[Part], crews: list[Crew]) -> float:
    return sum(planner._cost(given[0].problem, crew, LANES) for crew in crews)


@settings(deadline=None, max_examples=100)
@given(
    sizes=st.tuples(st.sampled_from([1, 2, 20, 64, 300, 784]), st.sampled_from([1, 8, 32, 100]), st.just(3)),
    members=st.lists(st.integers(1, 40), min_size=1, max_size=6),
)
def test_sharing_never_costs_more_than_keeping_apart(sizes: tuple[int, ...], members: list[int]) -> None:
    given = parts(sizes, members)
    together = plan(given, lambda _: LANES)
    alone = [crew for part in given for crew in plan([part], lambda _: LANES)]
    assert cost(given, together) <= cost(given, alone) * (1 + 1e-12)  # sums in another order
    seats = [(number, member) for crew in together for number, own in crew.seats for member in own]
    everybody = [(number, member) for number, own in enumerate(members) for member in range(own)]
    assert sorted(seats) == everybody


@pytest.mark.parametrize(
    ("sizes", "members", "packs"),
    [
        ((2, 20, 2), [4, 4, 4, 4], 1),  # too few for packs of their own
        ((784, 8, 10), [12, 12, 12, 12, 12], 5),  # a pack of its own each, since many inputs are dear side by side
        ((64, 8, 2), [15, 15], 2),  # as many packs in either way
        ((64, 8, 2), [15, 1, 1], 1),  # a nearly full pack stays apart from the two, for which none pays
    ],
)
def test_what_is_left_over_shares_packs_where_that_pays(
    sizes: tuple[int, ...], members: list[int], packs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KILONET_PACKING", raising=False)
    crews = [crew for crew in plan(parts(sizes, members), lambda _: LANES) if crew.packed]
    assert len(crews) == packs
    assert all(len(crew.seats) == 1 for crew in crews) == (members != [4, 4, 4, 4])


def test_members_that_have_not_come_as_far_share_no_pack() -> None:
    one, other = parts((2, 20, 2), [4, 4])
    crews = plan([one, other._replace(step=[3] * 4)], lambda _: LANES)
    assert all(len(crew.seats) == 1 for crew in crews)


def test_other_numbers_of_rows_share_no_pack() -> None:
    given = [Part(problem((2, 20, 2), 4, rows), range(4), [0] * 4) for rows in (40, 41)]
    found = itertools.chain.from_iterable(crew.seats for crew in plan(given, lambda _: LANES) if len(crew.seats) > 1)
    assert list(found) == []
