"""What a model file says of an estimator's settings: training that goes on from it is as it would have been."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

import kilonet as kn
from kilonet import MLPClassifier
from kilonet.estimators.insight import planned_rate

X, Y = load_iris(return_X_y=True)


def fitted(**settings: Any) -> MLPClassifier:
    plain: dict[str, Any] = {"hidden": (), "epochs": 1, "schedule": "constant", "warm_start": True, "random_state": 0}
    return MLPClassifier(**plain | settings).fit(X, Y)


@pytest.mark.parametrize(
    ("given", "then", "rate"),
    [
        ({"optimizer": kn.Adam}, {}, 0.001),  # a class; by name it would be 0.01 where there is no hidden layer
        ({"optimizer": {"name": "adam"}}, {}, 0.001),
        ({"optimizer": kn.Adam([0.02])}, {}, 0.02),
        ({"rate": [0.03]}, {}, 0.03),
        ({"rate": np.array([0.03])}, {}, 0.03),
        ({}, {}, 0.01),
        ({}, {"optimizer": kn.Adam(0.5)}, 0.5),  # set after fitting: the file holds what goes on, not what was
        ({}, {"optimizer": kn.Adam}, 0.001),
        ({"optimizer": "sgd"}, {"rate": [0.5]}, 0.5),
        ({"optimizer": kn.Adam(0.5)}, {"rate": 0.25}, 0.25),
    ],
)
def test_a_loaded_estimator_goes_on_at_the_rate_of_the_one_that_was_saved(
    given: dict[str, Any], then: dict[str, Any], rate: float, tmp_path: Path
) -> None:
    model = fitted(**given).set_params(**then)
    loaded = kn.load(model.save(tmp_path / "model.kn"))
    assert planned_rate(model) == planned_rate(loaded) == rate
    for either in (model, loaded):
        either.set_params(epochs=2).fit(X, Y)
        assert either.recipe_.per_member("rate").tolist() == [rate]
    np.testing.assert_array_equal(loaded.theta_, model.theta_)


def test_the_optimizer_that_was_set_last_is_saved_however_it_was_written(tmp_path: Path) -> None:
    for optimizer in (kn.SGD, kn.SGD(0.2), {"name": "sgd", "rate": 0.2}):
        loaded = kn.load(fitted().set_params(optimizer=optimizer).save(tmp_path / "model.kn"))
        assert str(loaded.optimizer).startswith("sgd")
