"""Networks of one unit are models that scikit-learn has too, and must come to the same weights."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_diabetes
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import scale
from sklearn.svm import SVC

import kilonet as kn

Floats = NDArray[np.float64]


def breast_cancer(n: int = 200) -> tuple[Floats, NDArray[np.int64]]:
    """Two classes that overlap in the first five columns; standardized."""
    X, y = load_breast_cancer(return_X_y=True)
    return scale(X[:n, :5]), y[:n]


def polished(
    loss: object, X: Floats, y: Floats | NDArray[np.int64], l2: float, rates: list[float], epochs: int
) -> Floats:
    """theta of one unit after full-batch training in float64, the rate falling from run to run."""
    net = kn.Network([X.shape[1], 1])
    theta = np.zeros(net.n_parameters)
    for rate in rates:
        optimizer = kn.Nesterov(rate, beta=0.9)
        runs = kn.train(
            net, loss, X, y, theta=theta, optimizer=optimizer, batch=len(X), epochs=epochs, l2=l2, order=None
        )
        theta = runs.theta
    assert theta.dtype == np.float64
    return theta


@pytest.mark.parametrize("l2", [1e-2, 1e-1])
def test_logistic_loss_on_one_unit_is_logistic_regression(l2: float) -> None:
    X, y = breast_cancer()
    # scikit-learn minimizes ½|w|² + C Σ loss, we the mean of the loss + ½ l2 |w|²
    peer = LogisticRegression(C=1 / (len(X) * l2), tol=1e-12, max_iter=10_000).fit(X, y)
    theta = polished(kn.logistic, X, y, l2, [0.5], epochs=3000)
    np.testing.assert_allclose(theta, [*peer.coef_[0], *peer.intercept_], rtol=0, atol=1e-6)


def test_hinge_loss_on_one_unit_is_a_support_vector_machine() -> None:
    X, y = breast_cancer()
    l2 = 0.05
    peer = SVC(kernel="linear", C=1 / (len(X) * l2), tol=1e-12).fit(X, y)
    # The subgradient jumps at the margin, so that the steps have to become small: distance is of the order of the rate.
    rates = [0.1 * 0.5**k for k in range(14)]
    theta = polished(kn.hinge, X, y, l2, rates, epochs=800)
    np.testing.assert_allclose(theta, [*peer.coef_[0], *peer.intercept_], rtol=0, atol=1e-3)


def test_squared_loss_on_one_unit_is_ridge_regression() -> None:
    X, y = load_diabetes(return_X_y=True)
    X, y, l2 = scale(X), scale(y), 0.1
    peer = Ridge(alpha=len(X) * l2).fit(X, y)
    theta = polished(kn.squared, X, y, l2, [0.1], epochs=2000)
    np.testing.assert_allclose(theta, [*peer.coef_, peer.intercept_], rtol=0, atol=1e-6)


def test_the_estimator_comes_to_the_same_weights() -> None:
    X, y = breast_cancer()
    l2 = 1e-2
    peer = LogisticRegression(C=1 / (len(X) * l2), tol=1e-12, max_iter=10_000).fit(X, y)
    classifier = kn.MLPClassifier(
        (),
        loss="logistic",
        optimizer=kn.Nesterov(0.5),
        schedule="constant",
        batch=len(X),
        epochs=3000,
        l2=l2,
        random_state=0,
    )
    classifier.fit(X, y)
    np.testing.assert_allclose(classifier.coefs_[0].ravel(), peer.coef_[0], rtol=0, atol=1e-6)
    np.testing.assert_allclose(classifier.predict_proba(X), peer.predict_proba(X), rtol=0, atol=1e-6)
