"""Networks that see numbers as they are and in pieces, side by side in one model."""

import tracemalloc
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

import kilonet as kn
from kilonet.errors import SettingError
from kilonet.tuned.loading import from_model
from kilonet.tuned.saving import to_model
from kilonet.tuned.tuning import Tuning

QUICK = Tuning(hidden=((16,),), l2=(1e-4, 1e-2), steps=150)


def wave(jumps: float = 0.1) -> tuple[Any, Any]:
    """A target that jumps in one column, is round in another, and has noise."""
    random = np.random.default_rng(0)
    X = pd.DataFrame({"at": random.random(300), "by": random.normal(size=300), "kind": random.choice(["a", "b"], 300)})
    steps, noise = np.sign(np.sin(14 * X["at"])), 0.5 * random.normal(size=300)
    return X, jumps * steps + X["by"] + (X["kind"] == "a") + noise


@pytest.fixture(scope="module")
def fitted() -> Any:
    found = kn.MLPRegressorCV(tuning=QUICK, random_state=0).fit(*wave())
    assert len(found._parts) == 2, "this test needs networks with and without pieces in the model"
    return found


def test_both_kinds_are_tried_and_their_mean_predicts(fitted: Any) -> None:
    X, _ = wave()
    given = [(own.params["encode__pieces"], own.params["encode__bound"]) for own in fitted.record_.configurations]
    assert given == [(0, None)] * 2 + [(16, 3.0)] * 2
    inputs = {own.params["encode__pieces"]: own.network.n_inputs for own in fitted.members_}
    assert inputs == {0: 4, 16: 4 + 2 * 16}
    assert fitted.record_.inputs == inputs[fitted.best_params_["encode__pieces"]]
    total = np.zeros(300)
    for own in fitted.members_:
        how = {name: own.params[f"encode__{name}"] for name in ("pieces", "bound")}
        encoder = kn.TableEncoder(**how, dtype="float32").fit(X)
        total += own.weight * own.network.scores(own.theta, encoder.transform(X))[:, 0].astype(np.float64)
    codec, warm = fitted._codec, fitted.temperature_
    by_hand = codec.predictions(total[:, np.newaxis] / warm)
    np.testing.assert_allclose(fitted.predict(X), by_hand, atol=1e-5)  # scores are float32, about 1


def test_weights_of_each_split_are_those_of_the_configurations(fitted: Any) -> None:
    chosen = {own.text: own.weight for own in fitted.record_.configurations if own.weight > 0}
    assert sum(chosen.values()) == pytest.approx(1)
    for split in range(5):
        assert sum(own.weight for own in fitted.members_ if own.split == split) == pytest.approx(1 / 5)
    assert any("numbers in up to 16 pieces within ±3" in text for text in chosen)


def test_pieces_find_a_jump_that_plain_inputs_do_not() -> None:
    plain = Tuning(**(vars(QUICK) | {"numbers": ((0, None),)}))
    losses = [
        kn.MLPRegressorCV(tuning=own, random_state=0).fit(*wave(jumps=2.0)).record_.loss for own in (QUICK, plain)
    ]
    assert losses[0] < 0.7 * losses[1]


def test_a_file_keeps_both_encoders(fitted: Any, tmp_path: Path) -> None:
    X, _ = wave()
    again = kn.load(fitted.save(tmp_path / "m.kn"))
    assert np.array_equal(again.predict(X), fitted.predict(X))
    low, high = fitted.predict_interval(X)
    assert np.array_equal(again.predict_interval(X)[0], low)
    assert np.array_equal(again.predict_interval(X)[1], high)
    assert again.save(tmp_path / "n.kn").read_bytes() == (tmp_path / "m.kn").read_bytes()


def test_a_table_without_numbers_to_cut_tries_each_shape_once() -> None:
    X, y = wave()
    found = kn.MLPRegressorCV(tuning=QUICK, random_state=0).fit(X[["kind"]], y)
    assert len(found.record_.configurations) == 2
    assert found.record_.networks == 10


def test_the_bits_are_those_of_a_number_of_networks_and_of_any_threads(fitted: Any) -> None:
    X, y = wave()
    again = kn.MLPRegressorCV(tuning=QUICK, random_state=0, runs=fitted.record_.runs, n_jobs=1).fit(X, y)
    assert np.array_equal(again.predict(X), fitted.predict(X))


@pytest.mark.parametrize(
    ("numbers", "says"),
    [
        ((), "numbers came as"), (16, "numbers came as"), ((16, 3.0), "numbers came as"), (((16,),), "numbers came as"),
        (((-1, None),), "pieces came as -1"), (((2, None),), "pieces came as 2"), (((0, 0.0),), "bound came as"),
    ],
)  # fmt: skip
def test_numbers_that_are_no_pairs_are_refused(numbers: Any, says: str) -> None:
    with pytest.raises(SettingError, match=says):
        Tuning(numbers=numbers)


@pytest.mark.parametrize("more", [{}, {"draws": 2}, {"members": 2}, {"first": 1}, {"first": 3}, {"first": 4}])
def test_the_number_of_networks_that_a_record_names_gives_the_same_again(more: dict[str, int]) -> None:
    X, y = wave()
    tuning = Tuning(hidden=((4,),), passes=1, steps=20, **more)
    auto = kn.MLPRegressorCV(tuning=tuning, random_state=0).fit(X, y)
    again = kn.MLPRegressorCV(tuning=tuning, random_state=0, runs=auto.record_.runs).fit(X, y)
    assert again.record_.runs == auto.record_.runs == auto.runs_
    assert np.array_equal(again.oof_, auto.oof_)
    assert np.array_equal(again.predict(X), auto.predict(X))


def test_every_configuration_has_a_name() -> None:
    found = kn.MLPRegressorCV(l2=0.01, tuning=QUICK, random_state=0).fit(*wave())
    texts = [own.text for own in found.record_.configurations]
    assert texts == ["numbers as they are", "numbers in up to 16 pieces within ±3"]


def test_what_is_odd_in_a_table_is_said_once() -> None:
    X, y = wave()
    X = X.assign(name=[f"row {place}" for place in range(300)])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = kn.MLPRegressorCV(tuning=QUICK, random_state=0).fit(X, y)
        found.predict(X.assign(kind="new").head())
        found.predict(X.assign(kind="new").head())
    assert [str(own.message).partition(" ")[2].split('"')[1] for own in said] == ["name", "kind"]


def test_tables_of_splits_do_not_stay_in_memory() -> None:
    random = np.random.default_rng(0)
    X = random.normal(size=(4000, 8)).astype(np.float32)
    tuning = Tuning(hidden=((2,),), passes=1, steps=1, group=1.0)  # one pack after another, as large tables are trained
    tracemalloc.start()
    kn.MLPRegressorCV(tuning=tuning, random_state=0).fit(X, X[:, 0])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # The encoded table, 17 times as wide, and one copy of it in parts at a time; with those of five splits it is 7.
    assert peak < 5 * 17 * X.nbytes


@pytest.mark.parametrize(
    "edit", [{"budget": -5}, {"runs": "x"}, {"hidden": "abc"}, {"l2": "much"}, {"budget": "3s", "runs": 28}]
)
def test_edited_settings_are_refused_when_a_file_is_read(fitted: Any, edit: dict[str, Any]) -> None:
    model = to_model(fitted)
    tuned = {**model.extra["tuned"], "settings": {**model.extra["tuned"]["settings"], **edit}}
    with pytest.raises(kn.FileFormatError):
        from_model(replace(model, extra={**model.extra, "tuned": tuned}))


def test_a_budget_and_a_number_of_networks_are_not_taken_together() -> None:
    with pytest.raises(SettingError, match="two ways to say how much"):
        kn.MLPRegressorCV(budget="3s", runs=28).fit(*wave())


def test_the_narrowest_interval_is_one(fitted: Any) -> None:
    low, high = fitted.predict_interval(wave()[0], level=1e-12)
    assert (low <= high).all()


def test_the_best_configuration_can_be_given_to_an_estimator(fitted: Any) -> None:
    single = kn.MLPRegressor(encode=kn.TableEncoder(), epochs=2).set_params(**fitted.best_params_).fit(*wave())
    assert single.network_.n_inputs == fitted.record_.inputs


def test_an_estimator_from_a_file_cuts_numbers_as_before(tmp_path: Path) -> None:
    X, y = wave()
    own = kn.MLPRegressor(hidden=(4,), encode=kn.TableEncoder(pieces=8, bound=3.0), epochs=2, random_state=0).fit(X, y)
    again = kn.load(own.save(tmp_path / "m.kn"))
    assert clone(again).fit(X, y).network_.n_inputs == own.network_.n_inputs
    plain = kn.load(kn.MLPRegressor(hidden=(4,), epochs=2).fit(X, y).save(tmp_path / "n.kn"))
    assert plain.encode == "auto"


def test_pieces_of_a_copied_column_are_no_further_copies() -> None:
    X, y = wave()
    X["again"] = X["at"]
    own = kn.MLPRegressor(hidden=(4,), encode=kn.TableEncoder(pieces=8), epochs=5, random_state=0).fit(X, y)
    told = [str(finding) for finding in kn.diagnose(own, X, y).findings if "duplicated" in str(finding)]
    assert len(told) == 1
    assert "1 pair of inputs with the same values: at = again" in told[0]
