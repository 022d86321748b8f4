"""Certificates forged where float64 ends, and ones that would keep a checker busy for hours."""

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from kilonet.approximation import CertificateError, approximate, certify
from kilonet.approximation.claim import claim_of
from kilonet.approximation.lines import lines
from kilonet.approximation.proof import _Search

Json = dict[str, Any]
SMALLEST = 5e-324


def certificate(sizes: list[int], theta: list[float], **changes: Any) -> Json:
    """That a ReLU network is near the function 0, known at the left end of [0, 1]."""
    made = {
        "format": "kilonet.approximation/1", "says": "", "low": [0.0], "high": [1.0], "lipschitz": 0.0,
        "lipschitz_is": "given", "axes": [[0.0]], "values": [0.0], "bound": 1.0,
        "network": {"activation": "relu", "sizes": sizes, "theta": theta},
    }  # fmt: skip
    made |= changes
    if "axes" not in changes:
        made["axes"] = [made["low"]]
    return made


def exactly(certificate: Json, x: float, flushed: float = 0.0) -> Fraction:
    """The score of a ReLU network in rational numbers; parameters below `flushed` are taken for zero."""
    theta = [Fraction(one if abs(one) >= flushed else 0.0) for one in certificate["network"]["theta"]]
    outputs, sizes = [Fraction(x)], certificate["network"]["sizes"]
    for number, (fan_in, units) in enumerate(pairwise(sizes), 1):
        weights, biases, theta = theta[: fan_in * units], theta[fan_in * units : fan_in * units + units], theta[
            fan_in * units + units :
        ]  # fmt: skip
        z = [
            sum((w * a for w, a in zip(weights[unit * fan_in :], outputs, strict=False)), biases[unit])
            for unit in range(units)
        ]
        outputs = z if number == len(sizes) - 1 else [max(one, Fraction(0)) for one in z]
    return outputs[0]


def test_a_distance_whose_square_is_below_all_numbers_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """At 1e-170 from the sample a function of slope 1e100 may be 1e-70 from the network, which is 0."""
    forged = certificate([1, 1, 1], [0.0] * 4, high=[1e-170], lipschitz=1e100, bound=1e-80)
    monkeypatch.setattr("kilonet.approximation.proof._BOXES", 1000)  # it would be halved 20 times
    with pytest.raises(CertificateError, match="not proven"):
        certify(forged)


@pytest.mark.parametrize("bound", [1e-130, 1e-124, 1.8e-124])
def test_a_slope_below_all_numbers_counts_where_what_is_above_is_steep(bound: float) -> None:
    """Half of the smallest number is 0, and yet 1e200 times it is not."""
    forged = certificate(
        [1, 1, 1, 1], [SMALLEST, 0.0, 1e100, -2.1e-124, 1.0, 0.0], low=[-1e100], high=[8e99], bound=bound
    )
    assert exactly(forged, 8e99) > Fraction(1.8e-124)
    with pytest.raises(CertificateError):
        certify(forged)


def test_a_machine_that_takes_the_smallest_numbers_for_zero_is_told_of() -> None:
    """f is the network at its one sample, the right end; with its weight flushed the network is 0."""
    forged = certificate([1, 1, 1], [1e-310, 0.0, 1e100, 0.0], low=[1e99], high=[1e100])
    forged |= {"axes": [[1e100]], "values": [1e-110], "lipschitz": 1e-210, "bound": 9.1e-111}
    assert exactly(forged, 1e100, flushed=2.0**-1022) == 0
    assert abs(exactly(forged, 1e100) - Fraction(1e-110)) < Fraction(1e-120)
    with pytest.raises(CertificateError, match="rounding"):
        certify(forged)


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
def test_of_what_is_no_number_no_line_is_known(activation: str) -> None:
    """Nothing may make a settled unit of it, whose radius is 0."""
    for low, high in ((np.nan, np.nan), (np.nan, 1.0), (-1.0, np.nan)):
        assert np.isnan(lines(activation, np.float64(low), np.float64(high)).radius)


def test_every_look_at_all_samples_is_work() -> None:
    """Otherwise a million samples and 200,000 parts, each refuted once, would take hours."""
    samples = np.linspace(0.0, 1.0, 1001)
    claimed = certificate([1, 1, 1], [0.0] * 4, lipschitz=1.0, axes=[samples.tolist()], values=[0.0] * 1001, bound=1e-5)
    spent: list[float] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_Search, "_spend", lambda self, work: spent.append(work))
        with pytest.raises(CertificateError, match="is false"):
            certify(claimed)
    assert spent[2:] == [1001]  # after what settling and the cells are


def broad(n_samples: int) -> Json:
    """305 sigmoids that nothing settles and no two of which agree, and samples of their sum: a part for each cell."""
    rng, samples = np.random.default_rng(5), np.linspace(0.0, 1.0, n_samples)
    weights, biases, above = rng.uniform(5, 20, 305), rng.uniform(-16, 4, 305), rng.normal(size=305)
    values = (1 / (1 + np.exp(-np.outer(samples, weights) - biases))) @ above
    made = certificate([1, 305, 1], [*weights.tolist(), *biases.tolist(), *above.tolist(), 0.0])
    made["network"]["activation"] = "sigmoid"
    return made | {"axes": [samples.tolist()], "values": values.tolist(), "lipschitz": 1e3, "bound": 3.0}


def test_a_part_is_work_however_few_multiplications_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    claimed = broad(257)
    assert certify(claimed).boxes >= 256
    monkeypatch.setattr("kilonet.approximation.proof._WORK", 1e8)  # 256 parts have 5e7 multiplications
    with pytest.raises(CertificateError, match="within the budget"):
        certify(claimed)


def test_the_samples_of_a_part_are_found_without_looking_at_all_others() -> None:
    """A comparison with all coordinates for each part would take as many steps as parts times samples."""
    compared: list[int] = []

    class Watched(np.ndarray):
        def __gt__(self, other: Any) -> Any:
            compared.append(self.size)
            return super().__gt__(other)

    search = _Search(claim_of(broad(33)), 1.0)
    search.claim = replace(search.claim, axes=tuple(axis.view(Watched) for axis in search.claim.axes))
    low, high = np.array([0.3]), np.array([0.5])
    inside = search.claim.axes[0]
    expected = [place for place in inside.tolist() if 0.3 < place < 0.5]
    assert search._cells(low, high)[0].ravel().tolist() == [0.3, *expected]
    assert not compared


def test_a_grid_of_any_size_is_looked_at_a_handful_of_cells_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    axes = [np.linspace(0.0, 1.0, n).tolist() for n in (30, 5, 7)]
    made = certificate([3, 1, 1], [0.0] * 6, low=[0.0] * 3, high=[1.0] * 3, axes=axes, values=[0.0] * 1050)
    whole = certify(made).boxes
    seen: list[int] = []
    cells = _Search._cells

    def counted(*given: Any) -> Any:
        found = cells(*given)
        seen.append(len(found[0]))
        return found

    monkeypatch.setattr(_Search, "_cells", counted)
    monkeypatch.setattr("kilonet.approximation.proof._CELLS", 40)
    assert certify(made).boxes == whole == sum(seen) == 29 * 4 * 6
    assert max(seen) <= 40


@pytest.mark.parametrize("method", ["relu", "sigmoid", "bumps"])
@pytest.mark.parametrize("scale", [1e-45, 1e-20, 1e20, 1e50])
def test_what_is_true_is_proven_whatever_the_unit_of_length(method: str, scale: float) -> None:
    """What a unit gives is bounded by what goes into it: on a box of 1e-20 it is far below 1, and slopes are 1e20."""
    built = approximate(lambda x: np.sin(x / scale), -scale, scale, 0.1, 1 / scale, method)
    assert certify(built.certificate).boxes < 100


def test_what_is_true_is_proven_on_tiny_boxes_of_two_dimensions() -> None:
    built = approximate(lambda X: np.sin(X[:, 0] / 1e-20), [0.0, 0.0], [2e-20, 2e-20], 0.5, 1e20)
    assert certify(built.certificate).boxes < 2000
