"""Single-layer classifiers by name: one neuron, two classes, and the weights of the models that they are."""

import pickle
from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import scale
from sklearn.svm import SVC, LinearSVC
from sklearn.utils.estimator_checks import parametrize_with_checks

import kilonet as kn
from kilonet.estimators.linear import BinarySoftmaxClassifier, BinarySVMClassifier

Floats = NDArray[np.float64]
BOTH = [BinarySoftmaxClassifier, BinarySVMClassifier]
FIXED = {"hidden", "activation", "loss", "dropout"}


def breast_cancer(n: int = 200) -> tuple[Floats, NDArray[Any]]:
    """Two classes that overlap in the first five columns; standardized."""
    X, y = load_breast_cancer(return_X_y=True)
    return scale(X[:n, :5]), np.array(["benign", "malignant"])[y[:n]]


@pytest.mark.filterwarnings("default")  # the checks themselves pass odd data on purpose
@parametrize_with_checks([kind(**more) for kind in BOTH for more in ({}, {"encode": None})])  # type: ignore[untyped-decorator]
def test_scikit_learn_check(estimator: Any, check: Any) -> None:
    check(estimator)


# The models that they are.
@pytest.mark.parametrize("encode", ["auto", None])
def test_binary_softmax_is_logistic_regression(encode: Any) -> None:
    X, y = breast_cancer()
    l2 = 1e-2
    # scikit-learn minimizes ½|w|² + C Σ loss, we the mean of the loss + ½ l2 |w|²
    peer = LogisticRegression(C=1 / (len(X) * l2), tol=1e-12, max_iter=10_000).fit(X, y)
    own = BinarySoftmaxClassifier(
        l2=l2, optimizer=kn.Nesterov(0.5), batch=len(X), epochs=3000, encode=encode, random_state=0
    ).fit(X, y)
    np.testing.assert_allclose(own.coef_, peer.coef_, rtol=0, atol=1e-6)
    np.testing.assert_allclose(own.intercept_, peer.intercept_, rtol=0, atol=1e-6)
    np.testing.assert_allclose(own.predict_proba(X), peer.predict_proba(X), rtol=0, atol=1e-6)
    np.testing.assert_allclose(own.decision_function(X), peer.decision_function(X), rtol=0, atol=1e-5)
    assert own.classes_.tolist() == peer.classes_.tolist()
    assert own.predict(X).tolist() == peer.predict(X).tolist()


def polished_svm(X: Floats, y: NDArray[Any], l2: float) -> BinarySVMClassifier:
    """A subgradient jumps at the margin, so that the steps have to become small: distance is of the rate's order."""
    halving = np.repeat(0.5 ** np.arange(14), 800)
    return BinarySVMClassifier(
        l2=l2, optimizer=kn.Nesterov(0.1), schedule=halving.tolist(), batch=len(X), epochs=len(halving), random_state=0
    ).fit(X, y)


def test_binary_svm_is_a_support_vector_machine() -> None:
    X, y = breast_cancer()
    l2 = 0.05
    peer = SVC(kernel="linear", C=1 / (len(X) * l2), tol=1e-12).fit(X, y)
    own = polished_svm(X, y, l2)
    np.testing.assert_allclose(own.coef_, peer.coef_, rtol=0, atol=2e-5)  # the last rate is 1.2e-5
    np.testing.assert_allclose(own.intercept_, peer.intercept_, rtol=0, atol=2e-5)
    assert own.predict(X).tolist() == peer.predict(X).tolist()
    # LinearSVC penalizes the intercept, 900 times less with a scale of 30.
    linear = LinearSVC(
        loss="hinge", C=1 / (len(X) * l2), intercept_scaling=30, tol=1e-10, max_iter=1_000_000, random_state=0
    ).fit(X, y)
    np.testing.assert_allclose(own.coef_, linear.coef_, rtol=0, atol=1e-4)
    np.testing.assert_allclose(own.intercept_, linear.intercept_, rtol=0, atol=1e-4)


@pytest.mark.parametrize("kind", BOTH)
def test_one_neuron_of_the_same_settings_has_the_same_bits(kind: Any) -> None:
    X, y = breast_cancer()
    own = kind(epochs=5, l2=0.1, random_state=3).fit(X, y)
    network = kn.MLPClassifier((), loss=own.loss, epochs=5, l2=0.1, random_state=3).fit(X, y)
    assert own.network_ == kn.Network([5, 1])
    np.testing.assert_array_equal(own.theta_, network.theta_)
    np.testing.assert_array_equal(own.decision_function(X), network.decision_function(X))


# What they add.
@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("encode", ["auto", None])
def test_coefficients_are_those_of_scikit_learns_linear_models(kind: Any, encode: Any) -> None:
    X, y = breast_cancer()
    X = 3 * X + 1
    own = kind(epochs=5, encode=encode, random_state=0).fit(X, y)
    assert own.coef_.shape == (1, 5)
    assert own.intercept_.shape == (1,)
    scores = own.transform(X) @ own.coef_.T + own.intercept_
    # Sums of 6 terms of size about 10, in another order.
    np.testing.assert_allclose(scores[:, 0], own.decision_function(X), rtol=0, atol=1e-13)
    assert (encode is None) == np.array_equal(own.transform(X), X)


def test_several_members_stand_in_front() -> None:
    X, y = breast_cancer()
    own = BinarySoftmaxClassifier(members=3, epochs=3, random_state=0).fit(X, y)
    assert (own.coef_.shape, own.intercept_.shape) == ((3, 1, 5), (3, 1))
    with pytest.raises(kn.SettingError, match="members=3"):
        own.neuron_  # noqa: B018 - looking it up is the test


def test_the_neuron_is_the_classifier() -> None:
    X, y = breast_cancer()
    softmax = BinarySoftmaxClassifier(epochs=5, random_state=0).fit(X, y)
    assert softmax.neuron_.activation == kn.sigmoid
    inputs = softmax.transform(X)
    # P(second class) = σ(w·x + b), decided at 0.5, and P(first class) = 1 − P.
    np.testing.assert_allclose(softmax.neuron_.forward(inputs), softmax.predict_proba(X)[:, 1], rtol=1e-13)
    np.testing.assert_allclose(softmax.predict_proba(X).sum(axis=1), 1.0, rtol=1e-14)
    assert (
        softmax.predict(X).tolist() == np.where(softmax.neuron_.forward(inputs) > 0.5, *softmax.classes_[::-1]).tolist()
    )
    svm = BinarySVMClassifier(epochs=5, random_state=0).fit(X, y)
    assert svm.neuron_.activation == kn.identity
    np.testing.assert_allclose(svm.neuron_.forward(inputs), svm.decision_function(X), rtol=0, atol=1e-13)
    assert not hasattr(svm, "predict_proba")


# What they leave out.
@pytest.mark.parametrize("kind", BOTH)
def test_settings_are_those_of_the_network_but_for_what_one_neuron_fixes(kind: Any) -> None:
    every = set(signature(kn.MLPClassifier).parameters)
    assert set(signature(kind).parameters) == set(kind().get_params()) == every - FIXED
    assert {name: getattr(kind(), name) for name in every - FIXED} == {
        name: getattr(kn.MLPClassifier(), name) for name in every - FIXED
    }
    assert repr(kind(l2=0.5)) == f"{kind.__name__}(l2=0.5)"
    with pytest.raises(ValueError, match="Invalid parameter 'hidden'"):
        kind().set_params(hidden=3)


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("name", sorted(FIXED))
def test_a_fixed_setting_is_refused_with_what_it_is(kind: Any, name: str) -> None:
    with pytest.raises(TypeError) as caught:
        kind(**{name: 1})
    loss = "logistic" if kind is BinarySoftmaxClassifier else "hinge"
    known = {"hidden": "()", "activation": "'identity'", "loss": repr(loss), "dropout": "0.0"}[name]
    assert str(caught.value) == (
        f"{kind.__name__} has no setting {name!r}: it is one neuron, with {name}={known}. kn.MLPClassifier takes it."
    )


def test_other_unknown_settings_get_the_hints_of_the_networks() -> None:
    with pytest.raises(TypeError, match=r"no setting 'max_iter'\. Instead of scikit-learn's max_iter there is epochs"):
        BinarySVMClassifier(max_iter=3)  # type: ignore[call-arg]


THREE = np.array([[0.0], [1.0], [2.0]] * 4), ["a", "b", "c"] * 4


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    ("fitted", "says"),
    [
        (lambda own: own.fit(*THREE), "y has 3 classes ('a', 'b', 'c'). Use kn.MLPClassifier(hidden=()), or fit one "),
        (lambda own: own.partial_fit(*THREE, classes=["a", "b", "c"]), "y has 3 classes"),
        (lambda own: own.fit(np.ones((9, 1)), np.arange(9) % 6), "y has 6 classes (0, 1, 2, 3, 4, ...)"),
        (lambda own: own.fit(np.ones((4, 1)), np.eye(2)[[0, 1, 0, 1]].astype(int)), "y has 2 labels a row"),
    ],
)
def test_more_than_two_classes_are_refused(kind: Any, fitted: Callable[[Any], Any], says: str) -> None:
    with pytest.raises(kn.DataError) as caught:
        fitted(kind(epochs=2))
    assert str(caught.value).startswith("Only binary classification is supported. ")  # scikit-learn's words
    assert says in str(caught.value)


@pytest.mark.parametrize("kind", BOTH)
def test_they_are_cloned_pickled_cross_validated_and_go_on_like_other_estimators(kind: Any) -> None:
    X, y = breast_cancer()
    own = kind(epochs=4, schedule="constant", random_state=0).fit(X, y)
    again = pickle.loads(pickle.dumps(own))  # noqa: S301 (made here)
    np.testing.assert_array_equal(again.predict(X), own.predict(X))
    assert clone(own).get_params() == own.get_params()
    found = kn.cross_validate([kind(l2=l2, epochs=4, random_state=0) for l2 in (1e-4, 1.0)], X, y, cv=3)
    assert found.scores.shape == (3, 2)
    step = kind(schedule="constant", random_state=0)
    for _ in range(4):
        step.partial_fit(X, y, classes=["benign", "malignant"])
    np.testing.assert_array_equal(step.coef_, own.coef_)


@pytest.mark.parametrize("kind", BOTH)
def test_they_come_back_from_files_with_the_same_numbers(kind: Any, tmp_path: Any) -> None:
    X, y = breast_cancer()
    own = kind(epochs=4, random_state=0).fit(X, y)
    again = kn.load(own.save(tmp_path / "one.kn"))
    assert type(again) is kind
    np.testing.assert_array_equal(again.decision_function(X), own.decision_function(X))
    np.testing.assert_array_equal(again.coef_, own.coef_)
    assert again.loss == own.loss
    assert again.hidden == ()
