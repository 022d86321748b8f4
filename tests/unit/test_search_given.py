"""What a search says of an estimator that it cannot search with."""

from typing import Any

import numpy as np
import pytest

import kilonet as kn
from kilonet.errors import SettingError

X = np.random.default_rng(0).normal(size=(60, 2))


@pytest.mark.parametrize(
    ("estimator", "said"),
    [
        (kn.BinarySoftmaxClassifier(), "BinarySoftmaxClassifier, which has no setting hidden, activation, dropout"),
        (kn.BinarySVMClassifier(l2=0.1), "BinarySVMClassifier, which has no setting hidden, activation, dropout"),
        (kn.MLPClassifier, "the class MLPClassifier"),
        ("mlp", "'mlp'"),
        (kn.MLPClassifier(members=3), "members=3"),
    ],
)
def test_what_cannot_be_searched_with_is_named_with_what_can(estimator: Any, said: str) -> None:
    with pytest.raises(SettingError) as raised:
        kn.ArchitectureSearch(estimator=estimator, runs=500).fit(X, X[:, 0] > 0)
    assert said in str(raised.value)
    assert "Invalid parameter" not in str(raised.value)


@pytest.mark.parametrize(
    ("neuron", "loss"), [(kn.BinarySoftmaxClassifier, "logistic"), (kn.BinarySVMClassifier, "hinge")]
)
def test_what_a_neuron_is_told_to_be_replaced_by_is_searched(neuron: Any, loss: str) -> None:
    with pytest.raises(SettingError, match=rf"kn\.MLPClassifier\(loss='{loss}'\)"):
        kn.ArchitectureSearch(estimator=neuron(), runs=500).fit(X, X[:, 0] > 0)
    small = {"hidden": [2], "l2": [1e-3], "rate": [0.02], "seeds": 1, "cv": 3, "runs": 500, "extend": False}
    search = kn.ArchitectureSearch(estimator=kn.MLPClassifier(loss=loss, epochs=2), nested=False, **small)
    searched = search.fit(X, X[:, 0] > 0)
    assert {candidate["hidden"] for candidate in searched.cv_results_["params"]} == {(), (2,)}
