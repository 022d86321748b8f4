"""The certificate law: what is false is never accepted, what is true by more than a hair always is.

Truth is found here by plain evaluation at many points, with the cones of all samples and no code of the checker: a
point where some function through the samples is farther away than the bound shows a certificate to be false.
"""

import copy
import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import count, pairwise, product
from typing import Any

import numpy as np
import pytest

from kilonet.approximation import CertificateError, approximate, certify

Json = dict[str, Any]
EACH = 1000

# How much the largest error at the points may fall short of the largest one: on an interval the points hold every kink
# of a ReLU network and the tips of the cones; elsewhere they are only dense.
MARGIN = {(1, "relu"): 1e-7, (1, "sigmoid"): 0.02, (2, "relu"): 0.08, (2, "sigmoid"): 0.08, (3, "relu"): 0.15}


def wave(X: np.ndarray) -> np.ndarray:
    return np.sin(3 * X) if X.ndim == 1 else np.sin(2 * X).sum(axis=1) / X.shape[1]


def originals() -> list[Json]:
    """Small certificates of every method and dimension."""
    one = [
        approximate(wave, -1.0, 1.0, eps, 3.0, method) for method in ("relu", "sigmoid", "bumps") for eps in (1.0, 0.4)
    ]
    two = [approximate(wave, [0, 0], [1, 1.5], eps, 2.0, method) for method, eps in (("relu", 0.8), ("bumps", 0.9))]
    two.append(approximate(wave, [0, 0], [1, 1], 1.5, 2.0, "sigmoid"))
    three = [approximate(wave, [0, 0, 0], [1, 1, 1], 2.0, 2.0)]
    return [made.certificate for made in 4 * one + 2 * two + three]


def layers(certificate: Json) -> list[tuple[np.ndarray, np.ndarray]]:
    sizes, theta, start, found = certificate["network"]["sizes"], np.array(certificate["network"]["theta"]), 0, []
    for fan_in, units in pairwise(sizes):
        weight = theta[start : start + fan_in * units].reshape(units, fan_in)
        start += fan_in * units
        found.append((weight, theta[start : start + units]))
        start += units
    return found


def scores(certificate: Json, X: np.ndarray) -> np.ndarray:
    parts = layers(certificate)
    for weight, bias in parts[:-1]:
        z = X @ weight.T + bias
        X = np.maximum(z, 0) if certificate["network"]["activation"] == "relu" else 0.5 * (1 + np.tanh(0.5 * z))
    return (X @ parts[-1][0].T + parts[-1][1])[:, 0]


def places(certificate: Json, axis: int) -> np.ndarray:
    """Where to look along an axis: evenly, at samples, at kinks and on the flanks of steep units, between the cones."""
    low, high = certificate["low"][axis], certificate["high"][axis]
    d, samples = len(certificate["low"]), np.array(certificate["axes"][axis])
    weight, bias = layers(certificate)[0]
    alone = (weight != 0).sum(axis=1) == 1
    w, b = weight[alone, axis], bias[alone]
    kinks, steep = -b[w != 0] / w[w != 0], 1 / np.abs(w[w != 0])
    found = [np.linspace(low, high, {1: 301, 2: 41, 3: 9}[d]), samples, kinks, samples[1:] / 2 + samples[:-1] / 2]
    if certificate["network"]["activation"] == "sigmoid":
        found += [kinks + flank * steep for flank in (-6, -4, -2, -1, -0.5, 0.5, 1, 2, 4, 6)]
    if d == 1 and certificate["lipschitz"] > 0:
        lean = np.diff(certificate["values"]) / (2 * certificate["lipschitz"])
        found += [found[3] + lean, found[3] - lean]
    return np.unique(np.clip(np.concatenate(found), low, high))


def worst(certificate: Json) -> float:
    """The largest distance at the points from the network to a function through the samples; NaN if there is none."""
    axes = [np.array(axis) for axis in certificate["axes"]]
    samples = np.stack([part.ravel() for part in np.meshgrid(*axes, indexing="ij")], 1)
    values, lipschitz = np.array(certificate["values"]), certificate["lipschitz"]
    between = np.sqrt(((samples[:, None] - samples) ** 2).sum(-1))
    if (np.abs(values[:, None] - values) > lipschitz * between * (1 + 1e-12) + 1e-12).any():
        return np.nan
    grids = np.meshgrid(*(places(certificate, k) for k in range(len(axes))), indexing="ij")
    points = np.stack([part.ravel() for part in grids], 1)
    cones = lipschitz * np.sqrt(((points[:, None] - samples) ** 2).sum(-1))
    given = scores(certificate, points)
    return float(np.maximum((values + cones).min(1) - given, given - (values - cones).max(1)).max())


def nudge_theta(certificate: Json, rng: np.random.Generator) -> None:
    theta = certificate["network"]["theta"]
    for i in rng.integers(0, len(theta), rng.integers(1, 4)):
        size = 10.0 ** rng.uniform(-9, 0)
        theta[i] = float(theta[i] * (1 + size * rng.normal()) + size * rng.normal() * rng.integers(0, 2))


def nudge_bound(certificate: Json, rng: np.random.Generator) -> None:
    certificate["bound"] *= float(rng.choice([rng.uniform(0.2, 1.3), 1 + rng.normal() * 1e-3]))


def nudge_bound_to_the_truth(certificate: Json, rng: np.random.Generator) -> None:
    certificate["bound"] = float(worst(certificate) * (1 + rng.choice([-1, 1]) * 10 ** rng.uniform(-6, -0.5)))


def nudge_interval(certificate: Json, rng: np.random.Generator) -> None:
    k, size = rng.integers(len(certificate["low"])), 10 ** rng.uniform(-6, 0)
    if rng.integers(2):
        certificate["low"][k] = float(certificate["low"][k] - size * rng.uniform())
    else:
        certificate["high"][k] = float(certificate["high"][k] + size * rng.uniform())


def nudge_lipschitz(certificate: Json, rng: np.random.Generator) -> None:
    certificate["lipschitz"] *= float(rng.uniform(0.7, 1.5))


def nudge_samples(certificate: Json, rng: np.random.Generator) -> None:
    i = rng.integers(len(certificate["values"]))
    certificate["values"][i] += float(rng.normal() * 10 ** rng.uniform(-6, 0))


def permute_units(certificate: Json, rng: np.random.Generator) -> None:
    """The same function, its first layer's units in another order and, if they are ReLU units, of other scales."""
    (weight, bias), (above, last), *rest = layers(certificate)
    order = rng.permutation(len(bias))
    scale = (
        2.0 ** rng.integers(-3, 4, len(bias)) if certificate["network"]["activation"] == "relu" else np.ones(len(bias))
    )
    parts = [(scale[:, None] * weight[order], scale * bias[order]), (above[:, order] / scale, last), *rest]
    certificate["network"]["theta"] = np.concatenate([part.ravel() for pair in parts for part in pair]).tolist()
    nudge_bound(certificate, rng)


MUTATIONS = [
    nudge_theta, nudge_bound, nudge_bound_to_the_truth, nudge_interval, nudge_lipschitz, nudge_samples, permute_units,
]  # fmt: skip


def mutants(seed: int) -> Iterator[tuple[str, Json, bool]]:
    """Mutations of which it is known whether they are true: (name, certificate, whether it is true)."""
    rng, pool = np.random.default_rng(seed), originals()
    for turn in count():
        certificate = copy.deepcopy(pool[turn % len(pool)])
        mutation: Callable[[Json, np.random.Generator], None] = MUTATIONS[rng.integers(len(MUTATIONS))]
        mutation(certificate, rng)
        error, bound = worst(certificate), certificate["bound"]
        margin = MARGIN[len(certificate["low"]), certificate["network"]["activation"]]
        if error > bound + 1e-9:
            yield mutation.__name__, certificate, False
        elif error * (1 + margin) + 1e-9 < bound:
            yield mutation.__name__, certificate, True


def refused(certificate: Json) -> str:
    try:
        certify(json.dumps(certificate))
    except CertificateError as error:
        return str(error)
    return ""


def test_false_certificates_are_refused_and_true_ones_accepted() -> None:
    told: Counter[tuple[str, bool]] = Counter()
    seen = {False: 0, True: 0}
    for name, certificate, true in mutants(seed=0):
        if seen[true] < EACH:
            seen[true] += 1
            told[name, true] += 1
            said = refused(certificate)
            assert bool(said) is not true, f"{name}, {'true' if true else 'false'}: {said}\n{certificate['bound']}"
        if min(seen.values()) == EACH:
            break
    # Every kind of mutation has been met with both outcomes.
    assert set(told) == set(product([mutation.__name__ for mutation in MUTATIONS], [False, True]))
    assert seen == {False: EACH, True: EACH}


@pytest.mark.parametrize("hidden", [(5,), (40,), (4, 3), (9, 12)])
@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
@pytest.mark.parametrize("d", [1, 2])
def test_networks_that_nothing_built_are_judged_by_what_they_are(
    d: int, hidden: tuple[int, ...], activation: str
) -> None:
    rng, sizes = np.random.default_rng(d), (d, *hidden, 1)
    shapes = [(units, fan_in) for fan_in, units in pairwise(sizes)]
    theta = np.concatenate([rng.normal(size=(units * (fan_in + 1))) for units, fan_in in shapes])
    axes = [np.linspace(-1, 1, 9).tolist()] * d
    certificate = {
        "format": "kilonet.approximation/1", "says": "", "low": [-1.0] * d, "high": [1.0] * d,
        "lipschitz": 0.0, "lipschitz_is": "given", "axes": axes, "values": [0.0] * 9**d, "bound": 0.0,
        "network": {"activation": activation, "sizes": list(sizes), "theta": theta.tolist()},
    }  # fmt: skip
    samples = np.stack([part.ravel() for part in np.meshgrid(*axes, indexing="ij")], 1)
    certificate["values"] = scores(certificate, samples).tolist()
    steepest = 0.0  # no less than any slope between samples, so that there are functions through them
    for i in range(len(samples)):
        apart = np.sqrt(((samples - samples[i]) ** 2).sum(1))
        rise = np.abs(np.array(certificate["values"]) - certificate["values"][i])
        steepest = max(steepest, float((rise[apart > 0] / apart[apart > 0]).max()))
    certificate["lipschitz"] = 1.1 * steepest
    error = worst(certificate)
    assert "false" in refused(certificate | {"bound": 0.999 * error})
    assert not refused(certificate | {"bound": (1.001 if d == 1 else 1.15) * error})
