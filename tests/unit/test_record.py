"""Records: shapes with and without the member axis, the best member, and what can be written down."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from kilonet.engine.planner import Plan
from kilonet.history import History
from kilonet.losses import squared
from kilonet.network import Network
from kilonet.recipe import Recipe
from kilonet.record import Runs
from kilonet.stopping import Stopping


def curves(*loss: list[float], validation: list[list[float]] | None = None) -> np.ndarray:
    """(epochs, members, 4) from the losses of each epoch."""
    values = np.full((len(loss), len(loss[0]), 4), np.nan)
    values[..., 0] = loss
    if validation is not None:
        values[..., 2] = validation
        values[..., 3] = 1.0 - np.array(validation)
    return values


def runs(values: np.ndarray, single: bool = False, **changes: Any) -> Runs:
    members = values.shape[1]
    theta = np.zeros((members, 4))
    last = np.full(members, len(values))
    fields: dict[str, Any] = {"best_epoch": last, "stopped_epoch": 0 * last, "diverged": 0 * last} | changes
    recipe = Recipe.make(seeds=range(members), stopping=fields.pop("stopping", None))
    return Runs(
        network=Network([3, 1]),
        loss=squared,
        recipe=recipe,
        theta=theta[0] if single else theta,
        history=History.of(values, single),
        interrupted=False,
        plan=Plan("reference", single_members=members),
        state={},
        seconds=0.0,
        **fields,
    )


def test_a_single_network_has_no_member_axis_and_gets_it_back_in_to_array() -> None:
    values = curves([3.0], [2.0])
    history = History.of(values, single=True)
    assert history.loss.tolist() == [3.0, 2.0]
    np.testing.assert_array_equal(history.to_array(), values)
    assert len(history) == 2


def test_json_says_none_where_there_is_no_number() -> None:
    written = json.loads(json.dumps(History.of(curves([3.0, 4.0]), single=False).to_json(), allow_nan=False))
    assert written["loss"] == [[3.0, 4.0]]
    assert written["validation_loss"] == [[None, None]]


def test_the_best_member_has_the_smallest_loss_where_there_is_no_validation() -> None:
    assert runs(curves([1.0, 9.0, 9.0], [5.0, 3.0, 4.0])).best == 1


def test_validation_decides_where_there_is_one() -> None:
    assert runs(curves([1.0, 9.0], validation=[[0.5, 0.2]])).best == 1


def test_with_stopping_a_member_is_judged_at_its_best_epoch() -> None:
    values = curves([1.0, 1.0], [1.0, 1.0], validation=[[0.1, 0.3], [0.9, 0.2]])
    assert runs(values, best_epoch=np.array([1, 2]), stopping=Stopping("loss")).best == 0
    assert runs(values, best_epoch=np.array([1, 2]), stopping=Stopping("score")).best == 0
    assert runs(values, best_epoch=np.array([2, 2]), stopping=Stopping("score")).best == 1


def test_diverged_members_come_last_even_with_the_smaller_loss() -> None:
    assert runs(curves([0.1, 9.0]), diverged=np.array([2, 0])).best == 1
    assert runs(curves([9.0, 1.0]), diverged=np.array([2, 2])).best == 1


def test_a_history_shows_its_length_and_where_its_curves_ended() -> None:
    single = History.of(curves([3.0], [0.123456], validation=[[0.5], [0.25]]), single=True)
    assert repr(single) == "History(2 epochs, last loss 0.1235, validation_loss 0.25, validation_score 0.75)"
    assert repr(History.of(curves([3.0, 1.0]), single=False)) == "History(1 epoch of 2 members, last loss [3. 1.])"
    assert repr(History.of(np.zeros((0, 1, 4)), single=True)) == "History(0 epochs)"
    long = repr(History.of(np.random.default_rng(0).random((10_000, 500, 4)), single=False))
    assert len(long) < 400


def test_repr_is_one_short_line() -> None:
    text = repr(runs(curves([1.0], [0.25]), single=True))
    assert "1 network" in text
    assert "2 epochs, loss [0.25]" in text
    assert "\n" not in text


@pytest.mark.parametrize("single", [False, True])
def test_single_says_whether_the_axis_was_dropped(single: bool) -> None:
    assert runs(curves([1.0]), single=single).single is single


def test_members_are_judged_by_their_own_stopping_metric() -> None:
    values = curves([1.0, 1.0, 1.0], [1.0, 1.0, 1.0], validation=[[0.5, 0.1, 0.7], [0.4, 0.2, 0.6]])
    mixed = (Stopping("score"), None, Stopping("loss"))
    found = runs(values, stopping=mixed, best_epoch=np.array([2, 2, 0]))
    np.testing.assert_array_equal(found.judged(), [1 - 0.4, 0.2, np.nan])
    with pytest.raises(ValueError, match="judged by validation_loss and validation_score"):
        found.spread()


def test_spread_leaves_out_who_diverged() -> None:
    found = runs(curves([4.0, 1.0, 2.0, 3.0]), diverged=np.array([0, 0, 0, 7])).spread()
    # 1, 2 and 4 by hand: mean 7/3, squares about it 14/3, n - 1 = 2
    assert (found.metric, found.members, found.diverged) == ("loss", 3, 1)
    assert (found.low, found.median, found.high) == (1.0, 2.0, 4.0)
    assert found.mean == pytest.approx(7 / 3)
    assert found.std == pytest.approx((7 / 3) ** 0.5)
    assert (found.quarter, found.three_quarters) == (1.5, 3.0)
    nobody = runs(curves([4.0]), diverged=np.array([1])).spread()
    assert nobody.members == 0
    assert np.isnan(nobody.mean)


def test_after_an_interruption_spread_says_at_which_epochs() -> None:
    nan = float("nan")
    values = curves([4.0, 5.0, nan, 9.0], [3.0, nan, nan, nan], [2.0, nan, nan, nan])
    cut = runs(values, best_epoch=np.array([3, 1, 0, 1]), diverged=np.array([0, 0, 0, 2]))
    assert cut.reached == (0, 3)
    assert (cut.spread().epochs, cut.spread().unfinished) == (None, 0)
    spread = replace(cut, interrupted=True).spread()
    assert (spread.epochs, spread.unfinished, spread.members) == ((1, 3), 1, 2)
    assert str(spread).endswith("; 1 diverged; interrupted at epochs 1 to 3; 1 without a complete epoch")
    level = replace(runs(curves([4.0, 5.0])), interrupted=True).spread()
    assert str(level).endswith("; interrupted at epoch 1")
    nothing = replace(runs(np.zeros((0, 2, 4)), best_epoch=np.zeros(2, int)), interrupted=True)
    assert nothing.reached == (0, 0)
    assert str(nothing.spread()) == "loss of 0 members; 2 without a complete epoch"


def test_members_that_stopped_or_diverged_are_not_those_that_were_interrupted() -> None:
    nan = float("nan")
    values = curves([1.0, 1.0, 1.0], [1.0, nan, 1.0], [1.0, nan, nan])
    found = runs(values, diverged=np.array([0, 2, 0]), stopped_epoch=np.array([0, 0, 2]))
    assert found.reached == (3, 3)
    assert runs(values[:, :1], single=True).reached == (3, 3)


def test_one_of_something_is_said_in_the_singular() -> None:
    one = runs(curves([2.625]))
    assert str(one.spread()) == "loss of 1 member: 2.625"
    assert repr(one).startswith("Runs(1 member of Network([3, Dense(1, activation=identity)]), 1 epoch, loss [2.625]")
    assert repr(one.history) == "History(1 epoch of 1 member, last loss [2.625])"
    alike = replace(runs(curves([1.0, 2.0])), network=(Network([3, 1]), Network([3, 1])))
    assert repr(alike).startswith("Runs(2 members of Network([3,")
    differ = replace(alike, network=(Network([3, 1]), Network([3, 2, 1])))
    assert repr(differ).startswith("Runs(2 members of networks of 2 shapes, 1 epoch")


def test_what_is_not_finite_is_null_in_json() -> None:
    monitors = np.array([[np.inf, *[np.nan] * 6, np.inf]], np.float32)
    own = History(*np.full((4, 1), np.inf), monitors=monitors)
    written = json.loads(json.dumps(own.to_json(), allow_nan=False))
    assert written["loss"] == written["first_loss"] == [None]
    assert written["weight_norm"] == [[None]]
