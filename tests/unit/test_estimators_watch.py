"""`watch` of the estimators: how often they look inside, what it does not change, and the last known values."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import kilonet as kn
from kilonet import MLPClassifier, MLPRegressor
from kilonet.cli import main
from kilonet.history import History
from kilonet.persistence import load as load_model

X = np.random.default_rng(0).normal(size=(60, 3))
Y = X[:, 0] + X[:, 1] > 0


def fitted(**settings: Any) -> MLPClassifier:
    return MLPClassifier(**{"hidden": (6,), "epochs": 5, "random_state": 0} | settings).fit(X, Y)


@pytest.mark.parametrize(
    ("watch", "looked"),
    [("auto", [0]), (0, []), (1, [0, 1, 2, 3, 4]), (2, [0, 2, 4]), (3, [0, 3])],  # 60 rows: 2,000 are 34 epochs
)
def test_how_often_it_is_looked_inside(watch: int | str, looked: list[int]) -> None:
    found = fitted(watch=watch)
    assert found.recipe_.watch == watch
    assert np.flatnonzero(np.isfinite(found.history_.dead[:, 0])).tolist() == looked
    assert_array_equal(found.theta_, fitted().theta_)


def test_it_is_a_parameter_like_its_neighbours(tmp_path: Path) -> None:
    model = fitted(watch=2, warm_start=True)
    assert model.get_params()["watch"] == 2
    loaded = kn.load(model.save(tmp_path / "model.kn"))
    assert loaded.watch == 2
    assert_array_equal(loaded.history_.dead, model.history_.dead)
    for either in (model, loaded):
        either.set_params(epochs=8, schedule="constant", watch=1).fit(X, Y)
        assert np.isfinite(either.history_.dead[:, 0]).tolist() == [True, False, True, False, True, True, True, True]
    assert MLPRegressor(hidden=(4,), epochs=2, watch=0).fit(X, X[:, 0]).recipe_.watch == 0


def test_a_model_that_holds_no_settings_tells_it_by_its_recipe(tmp_path: Path) -> None:
    from dataclasses import replace  # noqa: PLC0415

    from kilonet.estimators.loading import from_model  # noqa: PLC0415

    saved = load_model(fitted(watch=3).save(tmp_path / "model.kn"))
    bare = {name: value for name, value in saved.extra.items() if name != "settings"}
    assert from_model(replace(saved, extra=bare)).watch == 3


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(kn.errors.SettingError, match="watch came as 'often'; needs \"auto\""):
        fitted(watch="often")
    with pytest.raises(kn.errors.SettingError, match=r"watch came as -1"):
        fitted(watch=-1)


def test_the_last_known_value_of_what_is_not_looked_at_in_every_epoch() -> None:
    monitors = np.full((4, 2, 15), np.nan, np.float32)
    monitors[0, :, 1] = 0.25, 0.5
    monitors[2, 0, 1] = 0.75
    history = History.of(np.full((4, 2, 4), np.nan), single=False, monitors=monitors)
    assert history.last("dead").tolist() == [[0.75], [0.5]]
    assert np.isnan(history.last("saturated")).tolist() == [[True], [True]]
    single = fitted(epochs=40).history_
    assert np.isnan(single.dead[-1]).all()
    assert_array_equal(single.last("dead"), single.dead[34])
    assert single.last("loss") == single.loss[-1]
    assert np.shape(single.last("loss")) == np.shape(single.last("first_loss")) == ()


def test_the_last_value_of_a_run_without_epochs_and_of_what_there_is_not() -> None:
    assert np.isnan(History.of(np.zeros((0, 1, 4)), single=True).last("loss"))
    with pytest.raises(kn.errors.SettingError, match=r"'dying'.*needs one of loss.*dead"):
        fitted().history_.last("dying")


def test_the_command_line_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for given in ("0", "3", "auto"):
        assert main(["fit", "digits", "--hidden", "4", "--epochs", "2", "--watch", given, "-q", "--out", "d.kn"]) == 0
        assert str(kn.load("d.kn").watch) == given
    assert main(["fit", "digits", "--watch", "-1"]) == 2
