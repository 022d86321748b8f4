"""certify: what it reads, what it proves, and the bounds that its proofs stand on."""

import importlib
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilonet.approximation import CertificateError, approximate, certify
from kilonet.approximation.claim import Claim, claim_of
from kilonet.approximation.cones import worst_at, worst_errors
from kilonet.approximation.lines import lines
from kilonet.approximation.local import planes, whole
from kilonet.approximation.settle import settled

Json = dict[str, Any]
REAL = st.floats(-60, 60)


def made(**changes: Any) -> Json:
    return approximate(np.sin, 0.0, 1.0, 0.1, 1.0).certificate | changes


def network(**changes: Any) -> Json:
    return made(network=made()["network"] | changes)


def with_entry(key: str, entry: Any) -> Json:
    return made(**{key: [entry, *made()[key][1:]]})


def test_a_certificate_is_a_table_or_its_text() -> None:
    proof = certify(made())
    assert proof == certify(json.dumps(made()))
    assert (proof.bound, proof.lipschitz, proof.estimated) == (made()["bound"], 1.0, False)


@pytest.mark.parametrize(
    ("certificate", "says"),
    [
        ("", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("1" * 10_000, "no JSON|came as int"),
        ([], "came as list"),
        (None, "came as NoneType"),
        ({}, "has no key axes"),
        (made(extra=1), "has a key 'extra'"),
        (made(format="kilonet.approximation/2"), "this version reads"),
        (made(format=["kilonet.approximation/1"]), "this version reads"),
        (made(says=1), "needs a sentence"),
        (made(low=[1.0]), "low below high"),
        (made(low=[]), "one to three numbers"),
        (made(low=[0.0, 0.0]), "one to three numbers"),
        (made(low=[0.0] * 4), "at most 3 numbers"),
        (made(lipschitz=-1.0), "outside of 0"),
        (made(lipschitz=True), "holds True"),
        (made(lipschitz="1"), "holds '1'"),
        (made(lipschitz_is="proven"), "given or estimated"),
        (made(lipschitz_is=["given"]), "given or estimated"),
        (made(bound=-0.1), "outside of 0"),
        (made(bound=None), "holds None"),
        (json.dumps(made(bound=np.nan)), "outside of 0"),
        (json.dumps(made()).replace('"bound": ', '"bound": 1e999, "bound": '), "a key stands there twice"),
        (json.dumps(made()).replace('"bound": ', '"bound": 1e999, "extra": '), "has a key 'extra'"),
        (json.dumps(made(bound=1.5)).replace("1.5", "1e999"), "outside of 0"),
        (made(bound=10**400), "outside"),
        (made(axes=[]), "one list for each"),
        (made(axes=[[]]), "rising coordinates"),
        (made(axes=[made()["axes"][0][::-1]]), "rising coordinates"),
        (made(axes=[[-1.0, *made()["axes"][0][1:]]]), "rising coordinates"),
        (made(values=made()["values"][1:]), "the grid of axes"),
        (with_entry("values", "0.0"), "holds '0.0'"),
        (with_entry("values", [0.0]), r"holds \[0.0\]"),
        (with_entry("values", np.inf), "outside"),
        (made(network=[]), "network came as list"),
        (network(activation="tanh"), "relu or sigmoid"),
        (network(activation=["relu"]), "relu or sigmoid"),
        (network(sizes=[1, 7, 1]), "needs 22"),
        (network(sizes=[2, 6, 1]), "needs 1 input"),
        (network(sizes=[1, 6, 2]), "needs 1 input"),
        (network(sizes=[1, 1]), "needs 1 input"),
        (network(sizes=[1, 6.0, 1]), "needs 1 input"),
        (network(sizes=[1, 0, 1]), "needs 1 input"),
        (network(sizes=[1, 10**30, 1]), "needs 1 input"),
        (network(theta=made()["network"]["theta"][1:]), "needs 19"),
        (network(theta="x"), "came as str"),
    ],
)
def test_what_is_no_certificate_is_told_what_is_wrong(certificate: Any, says: str) -> None:
    with pytest.raises(CertificateError, match=says):
        certify(certificate)


def test_a_text_without_end_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kilonet.approximation.claim.TEXT", 100)
    with pytest.raises(CertificateError, match="at most 100 are read"):
        certify(json.dumps(made()))


def test_samples_that_no_such_function_can_have_are_refused() -> None:
    with pytest.raises(CertificateError, match=r"No function has the Lipschitz constant 0\.5: samples \(0,\)"):
        certify(made(lipschitz=0.5))


def test_samples_are_taken_again_from_a_function() -> None:
    certify(made(), np.sin)
    certify(made(bound=0.09), lambda x: np.sin(x) + 1e-3)  # 0.0833 and the difference, which moves every cone
    with pytest.raises(CertificateError, match=r"with what rounding \(and differing samples\) cost, 0\.05"):
        certify(made(), lambda x: np.sin(x) + 0.05)
    with pytest.raises(CertificateError, match="about another function"):
        certify(made(), np.cos)


def test_an_interval_is_judged_exactly() -> None:
    """Between samples h apart that differ by r, joined by a line, the worst is (L h − r² / (L h)) / 2."""
    certificate = approximate(lambda x: 0.5 * x * x, -0.5, 1.0, 0.1, 1.0).certificate
    h, r = np.diff(certificate["axes"][0]), np.diff(certificate["values"])
    worst = float(np.max((h - r * r / h) / 2))
    certify(certificate | {"bound": worst * (1 + 1e-7)})
    with pytest.raises(CertificateError, match="is false: at "):
        certify(certificate | {"bound": worst * (1 - 1e-6)})
    with pytest.raises(CertificateError, match="false, or true by too little"):
        certify(certificate | {"bound": worst * (1 - 1e-12)})


def test_cancelling_weights_are_refused_for_what_rounding_makes_of_them() -> None:
    """Two units that cancel exactly change nothing in real numbers, and much in floating-point ones."""
    certificate = made()
    w, b, v, c = np.split(np.array(certificate["network"]["theta"]), [6, 12, 18])
    for size, fine in ((1.0, True), (1e15, False)):
        theta = np.concatenate([w, [1, 1], b, [0.5, 0.5], v, [size, -size], c]).tolist()
        padded = certificate | {"network": {"activation": "relu", "sizes": [1, 8, 1], "theta": theta}}
        if fine:
            certify(padded | {"bound": 0.084})
        else:
            with pytest.raises(CertificateError, match="rounding"):
                certify(padded | {"bound": 0.084})


def test_sums_that_could_overflow_are_refused() -> None:
    certificate = made()
    theta = [1e100 if entry else 0.0 for entry in certificate["network"]["theta"]]
    with pytest.raises(CertificateError):
        certify(certificate | {"network": certificate["network"] | {"theta": theta}})


def test_the_budget_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.import_module("kilonet.approximation.proof"), "_WORK", 100.0)
    with pytest.raises(CertificateError, match="not proven within the budget"):
        certify(made())


def test_what_lies_outside_of_the_samples_counts() -> None:
    """One sample in a corner: on the far side the function is known by one cone alone."""
    certificate = made(axes=[[0.0]], values=[0.0], bound=2.0)
    certify(certificate)  # sin(1) + 1
    with pytest.raises(CertificateError, match="is false"):
        certify(certificate | {"bound": 1.8})


@given(REAL, REAL, st.floats(0, 1), st.sampled_from(["relu", "sigmoid"]))
def test_units_stay_between_their_lines(one: float, other: float, share: float, activation: str) -> None:
    low, high = min(one, other), max(one, other)
    z = min(max(low + share * (high - low), low), high)
    slope, middle, radius = (float(part) for part in lines(activation, np.float64(low), np.float64(high)))
    value = max(z, 0.0) if activation == "relu" else 0.5 * (1 + np.tanh(0.5 * z))
    assert abs(value - slope * z - middle) <= radius + 1e-15 * (1 + abs(slope * z))  # of this line here
    assert radius <= (high - low if activation == "relu" else 1.0) + 1e-12


def some(
    seed: int, activation: str, hidden: tuple[int, ...], d: int
) -> tuple[Claim, Callable[[np.ndarray], np.ndarray]]:
    """A claim with a random network, and the network as a function."""
    rng, fans = np.random.default_rng(seed), (d, *hidden)
    weights = tuple(rng.normal(size=(m, n)) * 3 for n, m in zip(fans, (*hidden, 1), strict=True))
    biases = tuple(rng.normal(size=m) for m in (*hidden, 1))
    axes = tuple(np.sort(rng.uniform(-1, 1, 5)) for _ in range(d))
    values = rng.normal(size=[5] * d)
    claim = Claim(-np.ones(d), np.ones(d), 50.0, False, axes, values, activation, weights, biases, 1.0)

    def score(X: np.ndarray) -> np.ndarray:
        for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
            z = X @ weight.T + bias
            X = np.maximum(z, 0) if activation == "relu" else 1 / (1 + np.exp(-z))
        return (X @ weights[-1].T + biases[-1])[:, 0]

    return claim, score


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
@pytest.mark.parametrize("hidden", [(20,), (12, 15)])
@pytest.mark.parametrize("d", [1, 2, 3])
@pytest.mark.parametrize("tolerance", [0.0, 1e-6, 0.1])
def test_a_network_made_small_and_its_planes_hold_the_network(
    d: int, hidden: tuple[int, ...], activation: str, tolerance: float
) -> None:
    rng = np.random.default_rng(0)
    for seed in range(10):
        claim, score = some(seed, activation, hidden, d)
        local = whole(claim.activation, claim.weights, claim.biases, np.zeros(d))
        low, high = claim.low, claim.high
        for _ in range(5):
            local = settled(local, low, high, tolerance)
            middle, half = 0.5 * (low + high), 0.25 * (high - low)
            low, high = middle - half * rng.uniform(0, 2, d), middle + half * rng.uniform(0, 2, d)
            plane = planes(local, low[np.newaxis], high[np.newaxis])
            X = rng.uniform(low, high, (200, d))
            between = np.abs(score(X) - plane.middle - (X - plane.centre) @ plane.slope[0])
            assert between.max() <= plane.radius[0] + 1e-12  # of the score here
        if tolerance == 0.0 and activation == "relu":
            assert plane.radius[0] < 10 * np.abs(high - low).max() * sum(hidden) * 30


def test_units_that_agree_become_one() -> None:
    claim, _ = some(0, "sigmoid", (3, 4), 2)
    weights = (claim.weights[0], np.repeat(claim.weights[1][:2], 2, axis=0), claim.weights[2])
    biases = (claim.biases[0], np.repeat(claim.biases[1][:2], 2), claim.biases[2])
    local = settled(whole("sigmoid", weights, biases, np.zeros(2)), claim.low, claim.high, 1e-9)
    assert len(local.second) == 2
    assert np.sort(local.above_second) == pytest.approx(np.sort(weights[2][0].reshape(2, 2).sum(axis=1)))


@pytest.mark.parametrize("d", [1, 2, 3])
def test_no_function_between_the_cones_is_farther_away_than_the_bound_of_a_box(d: int) -> None:
    rng = np.random.default_rng(0)
    for seed in range(10):
        claim, score = some(seed, "relu", (8,), d)
        local = whole(claim.activation, claim.weights, claim.biases, np.zeros(d))
        low = rng.uniform(-1, 0.5, (20, d))
        high = low + rng.uniform(0, 0.5, (20, d))
        bounds = worst_errors(claim, planes(local, low, high))
        for a, b, bound in zip(low, high, bounds, strict=True):
            X = rng.uniform(a, b, (30, d))
            assert max(worst_at(claim, x, s) for x, s in zip(X, score(X), strict=True)) <= bound + 1e-12


def test_the_claim_reads_theta_as_the_library_lays_it_out() -> None:
    built = approximate(lambda X: np.sin(X).sum(axis=1), [0, 0], [1, 1], 0.9, 1.5)
    claim = claim_of(built.certificate)
    for view, weight, bias in zip(built.network.views(built.theta), claim.weights, claim.biases, strict=True):
        assert np.array_equal(view.W, weight)
        assert np.array_equal(view.b, bias)


def test_units_that_nearly_agree_become_one_whose_radius_says_so() -> None:
    """Four steps that differ by 1e-12 cost what they differ by, times their weights, and no less."""
    weights = (np.ones((1, 1)), 1.0 + np.arange(4.0)[:, np.newaxis] * 1e-12, np.array([[1e6, -1e6, 1e6, -1e6]]))
    biases = (np.full(1, 5.0), np.full(4, -5.0), np.zeros(1))
    low, high = -np.ones(1), np.ones(1)
    local = settled(whole("relu", weights, biases, np.zeros(1)), low, high, 1e-3)
    assert len(local.second) == 1
    x = np.linspace(-1, 1, 201)
    exact = np.maximum(x[:, np.newaxis] * weights[1][:, 0] + 5.0 * (weights[1][:, 0] - 1.0), 0) @ weights[2][0]
    plane = planes(local, x[:, np.newaxis], x[:, np.newaxis])
    off = np.abs(exact - plane.middle)
    assert off.max() > 1e-6  # one unit for all four is no longer the network itself
    assert (off <= plane.radius + 1e-8).all()  # 1e-8: rounding of `exact`
