"""Comparisons over splits: against other derivations of the same tests, and by what they promise."""

import dataclasses
import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from kilonet.comparison import ENOUGH, Comparison, binomial_interval, corrected_t, holm, signed_rank_interval
from kilonet.errors import DataError, SettingError, ShapeError

RNG = np.random.default_rng(0)
SAMPLES = [RNG.normal(0.3, 1.0, size) for size in (2, 3, 10, 50)]
# Sums of at most 50 float64 terms and SciPy's functions of t and beta: a few hundred roundings of 1e-16 at the worst.
ROUNDING = 1e-12

# Whole thousandths: spreads far above rounding, so that a law cannot fail by the last bit of a sum.
thousandths = st.integers(-2000, 2000).map(lambda number: number / 1000)
samples = st.lists(thousandths, min_size=2, max_size=15)
ratios = st.sampled_from([0.0, 1 / 9, 0.25, 1.0])
probabilities = st.lists(st.floats(0, 1), max_size=6)


@pytest.mark.parametrize("ratio", [0.0, 1 / 9, 0.25, 2.0])
@pytest.mark.parametrize("sample", SAMPLES, ids=len)
def test_the_corrected_test_is_the_formula_of_its_source(sample: Any, ratio: float) -> None:
    n = len(sample)
    mean = math.fsum(sample) / n
    variance = math.fsum((value - mean) ** 2 for value in sample) / (n - 1)
    error = math.sqrt((1 / n + ratio) * variance)
    low, high = stats.t.interval(0.9, n - 1, loc=mean, scale=error)
    found = corrected_t(sample, ratio, confidence=0.9)
    expected = (mean, low, high, error, 2 * stats.t.sf(abs(mean / error), n - 1))
    got = (found.difference, found.low, found.high, found.standard_error, found.p_value)
    assert got == pytest.approx(expected, rel=ROUNDING)
    assert (found.n_splits, found.degrees_of_freedom, found.confidence) == (n, n - 1, 0.9)
    assert found.adjusted_p == found.p_value


@pytest.mark.parametrize("sample", SAMPLES, ids=len)
def test_without_correction_it_is_the_paired_test(sample: Any) -> None:
    paired = stats.ttest_rel(sample, np.zeros(len(sample)))
    interval = paired.confidence_interval(0.95)
    found = corrected_t(list(sample), 0)
    assert (found.p_value, found.low, found.high) == pytest.approx((paired.pvalue, *interval), rel=ROUNDING)


def test_two_and_three_splits_by_the_closed_forms_of_student() -> None:
    # With 1 degree of freedom t is Cauchy's; with 2, P(|T| > t) = 1 − t / sqrt(2 + t²). Here s² is 2 and 1.
    two, three = corrected_t([1.0, 3.0], 0.5), corrected_t([1.0, 2.0, 3.0], 2 / 3)
    t = 2 / math.sqrt((1 / 2 + 1 / 2) * 2)
    assert two.p_value == pytest.approx(1 - 2 / math.pi * math.atan(t), rel=ROUNDING)
    assert two.high == pytest.approx(2 + math.sqrt(2) * math.tan(math.pi * 0.475), rel=ROUNDING)
    t = 2 / math.sqrt((1 / 3 + 2 / 3) * 1)
    assert three.p_value == pytest.approx(1 - t / math.sqrt(2 + t * t), rel=ROUNDING)
    assert three.low == pytest.approx(2 - 0.95 * math.sqrt(2 / (1 - 0.95**2)), rel=ROUNDING)


@pytest.mark.parametrize("ratio", [0.0, 0.25, 1.0])
def test_false_positives_come_as_often_as_alpha_says(ratio: float) -> None:
    # Where any two differences correlate by r, the variance of their mean is σ²(1 + (n − 1)r)/n and s² is on average
    # σ²(1 − r), independent of it. So 1/n + ratio is the exact correction for normal differences with r / (1 − r) =
    # ratio, that is r = test rows / all rows, as the source assumes. The count of false positives is then binomial.
    runs, alpha, correlation = 5000, 0.05, ratio / (1 + ratio)
    draw = np.random.default_rng(20).normal(size=(runs, 11))
    differences = math.sqrt(correlation) * draw[:, :1] + math.sqrt(1 - correlation) * draw[:, 1:]
    count = sum(corrected_t(row, ratio).p_value < alpha for row in differences)
    fewest, most = stats.binom.interval(1 - 1e-4, runs, alpha)  # a right test fails for one seed in 10,000
    assert fewest <= count <= most
    if ratio:  # and the uncorrected test is wrong by far: 2 P(T9 > 2.262 / sqrt(1 + 10 · ratio)) is 0.26 and more
        assert sum(corrected_t(row, 0).p_value < alpha for row in differences) > 4 * alpha * runs


@given(samples, ratios)
def test_exchanging_the_two_mirrors_the_comparison(sample: list[float], ratio: float) -> None:
    found, mirrored = corrected_t(sample, ratio), corrected_t([-value for value in sample], ratio)
    assert (mirrored.difference, mirrored.low, mirrored.high) == (-found.difference, -found.high, -found.low)
    assert (mirrored.p_value, mirrored.standard_error) == (found.p_value, found.standard_error)


@given(samples, ratios, st.integers(-900, 900))
def test_units_of_the_loss_change_nothing_but_the_units(sample: list[float], ratio: float, power: int) -> None:
    scale = 2.0**power  # exact, and far beyond where squares leave the floats
    found, scaled = corrected_t(sample, ratio), corrected_t([scale * value for value in sample], ratio)
    for name in ("difference", "low", "high", "standard_error"):
        assert getattr(scaled, name) == scale * getattr(found, name)
    assert scaled.p_value == found.p_value


@given(samples, ratios, st.floats(0.01, 0.99))
def test_the_interval_excludes_zero_exactly_where_p_is_small(
    sample: list[float], ratio: float, confidence: float
) -> None:
    found = corrected_t(sample, ratio, confidence)
    assert found.low <= found.difference <= found.high
    assume(abs(found.p_value - (1 - confidence)) > 1e-9)  # at the edge itself, rounding decides
    assert (found.low > 0 or found.high < 0) == (found.p_value < 1 - confidence)


@given(samples, ratios)
def test_more_shared_rows_and_more_confidence_never_make_it_surer(sample: list[float], ratio: float) -> None:
    found, shared, wider = (
        corrected_t(sample, ratio),
        corrected_t(sample, ratio + 0.5),
        corrected_t(sample, ratio, 0.99),
    )
    assert shared.p_value >= found.p_value
    assert shared.low <= found.low
    assert wider.low <= found.low <= found.high <= wider.high


def test_one_split_and_no_spread() -> None:
    for difference in (0.0, -0.4):
        one = corrected_t([difference], 0.25)
        assert one == Comparison(difference, -math.inf, math.inf, math.inf, 1.0, 1.0, 1, 0.95)
        assert one.degrees_of_freedom == 0
    assert corrected_t([0.0, -0.0, 0.0], 0.25) == Comparison(0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 3, 0.95)
    # The mean of ten times 0.1 is another float than 0.1 when simply summed.
    assert corrected_t([0.1] * 10, 0.25) == Comparison(0.1, 0.1, 0.1, 0.0, 0.0, 0.0, 10, 0.95)


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e4, 1e30, 1e300])
def test_extreme_differences(scale: float) -> None:
    found = corrected_t([scale, 2 * scale, 3 * scale], 0.0)
    # t = 2 sqrt(3) with 2 degrees of freedom: 1 − t / sqrt(2 + t²).
    assert found.p_value == pytest.approx(1 - math.sqrt(12 / 14), rel=ROUNDING)
    assert found.standard_error / scale == pytest.approx(1 / math.sqrt(3), rel=ROUNDING)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([0.1, math.nan], 0.25), DataError, "holds nan at split 1 .*needs finite numbers.*as diverged"),
        (([math.inf, 0.1], 0.25), DataError, "holds inf at split 0"),
        (([], 0.25), DataError, "differences came empty; needs one for each split"),
        ((["a", "b"], 0.25), DataError, r"differences came as \['a', 'b'\]; needs numbers of shape \(n_splits,\)"),
        (([[0.1], [0.2]], 0.25), ShapeError, r"differences has shape \(2, 1\); needs \(n_splits,\)"),
        (([0.1, 0.2], -0.1), SettingError, r"test_to_train came as -0.1; needs a number in \[0, inf\)"),
        (([0.1, 0.2], math.nan), SettingError, "test_to_train came as nan"),
        (([0.1, 0.2], 0.25, 1.0), SettingError, r"confidence came as 1.0; needs a number in \(0, 1\)"),
        (([0.1], 0.25, 0), SettingError, "confidence came as 0"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        corrected_t(*arguments)


def test_a_verdict_needs_enough_splits_and_a_small_adjusted_p() -> None:
    better = corrected_t([-1.0, -1.1] * 5, 0.25)
    assert (better.n_splits, better.verdict()) == (ENOUGH, "better")
    assert corrected_t([1.0, 1.1] * 5, 0.25).verdict() == "worse"
    few = corrected_t([-1.0, -1.1, -1.0] * 3, 0.25)
    assert few.p_value < 1e-6
    assert few.verdict() == "tie"
    unsure = dataclasses.replace(better, adjusted_p=0.04)
    assert (unsure.verdict(), unsure.verdict(alpha=0.04), unsure.verdict(0.01)) == ("better", "tie", "tie")
    with pytest.raises(SettingError, match=r"alpha came as 5; needs a number in \(0, 1\)"):
        few.verdict(5)


def test_holm_of_an_example_worked_by_hand() -> None:
    # 0.005·4 = 0.02; 0.01·3 = 0.03; 0.03·2 = 0.06; 0.04·1 = 0.04, raised to 0.06. The same four are the example of
    # Wikipedia's "Holm–Bonferroni method", where alpha 0.05 rejects the first and the last as given here.
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03, 0.005]), [0.03, 0.06, 0.06, 0.02], rtol=1e-15)
    np.testing.assert_array_equal(holm([0.5, 1.0, 0.75]), [1.0, 1.0, 1.0])
    assert holm([0.25]).tolist() == [0.25]
    assert holm([]).shape == (0,)


@given(probabilities)
def test_holm_closes_bonferroni(p: list[float]) -> None:
    """A hypothesis falls where Bonferroni rejects every set of hypotheses that it belongs to (Marcus et al. 1976)."""
    places = range(len(p))
    sets = [chosen for size in places for chosen in itertools.combinations(places, size + 1)]
    expected = [max(min(1, len(own) * min(p[j] for j in own)) for own in sets if i in own) for i in places]
    np.testing.assert_array_equal(holm(p), expected)  # the same products, so the same bits


@given(probabilities)
def test_holm_keeps_the_order_and_lowers_nothing(p: list[float]) -> None:
    adjusted = holm(p)
    assert (adjusted >= p).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()
    np.testing.assert_array_equal(holm(p[::-1]), adjusted[::-1])  # so equal ones stay equal


@pytest.mark.parametrize("wrong", [math.nan, -0.01, 1.01, math.inf])
def test_what_is_no_probability_is_refused(wrong: float) -> None:
    with pytest.raises(DataError, match=r"p_values holds .* at place 1 .*needs numbers in \[0, 1\]"):
        holm([0.5, wrong])
    with pytest.raises(ShapeError, match=r"p_values has shape \(\); needs \(n,\)"):
        holm(0.5)


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
@pytest.mark.parametrize(("k", "n"), [(0, 1), (1, 1), (0, 10), (3, 10), (10, 10), (1, 1000), (500, 1000)])
def test_the_exact_interval_of_a_probability(k: int, n: int, confidence: float) -> None:
    low, high = binomial_interval(k, n, confidence)
    expected = stats.binomtest(k, n).proportion_ci(confidence, method="exact")
    assert (low, high) == pytest.approx((expected.low, expected.high), rel=1e-9)  # SciPy may find them by search
    assert (low == 0) == (k == 0)
    assert (high == 1) == (k == n)
    # By its definition: at its ends, what was seen or more (or less) has just half of the rest of the probability.
    # The tails are sums of up to 1001 terms, at ends that are known to 1e-16; the tail falls up to n times as fast.
    if k > 0:
        assert stats.binom.sf(k - 1, n, low) == pytest.approx((1 - confidence) / 2, rel=1e-10)
    if k < n:
        assert stats.binom.cdf(k, n, high) == pytest.approx((1 - confidence) / 2, rel=1e-10)


def test_no_trials_tell_nothing_and_wrong_counts_are_refused() -> None:
    assert binomial_interval(0, 0) == (0.0, 1.0)
    assert binomial_interval(np.int64(3), np.int64(7)) == binomial_interval(3, 7)  # type: ignore[arg-type]
    for successes, trials, message in [
        (5, 4, r"successes came as 5; needs a whole number in \[0, 4\]"),
        (-1, 4, "successes came as -1"),
        (1.5, 4, "successes came as 1.5"),
        (0, -1, r"trials came as -1; needs a whole number in \[0, inf\)"),
    ]:
        with pytest.raises(SettingError, match=message):
            binomial_interval(successes, trials)  # type: ignore[arg-type]
    with pytest.raises(SettingError, match="confidence came as nan"):
        binomial_interval(1, 2, math.nan)


def test_a_signed_rank_interval_holds_what_the_exact_test_does_not_reject() -> None:
    differences = np.random.default_rng(0).normal(0.5, 1, 11)
    middle, low, high = signed_rank_interval(differences)

    def chance(value: float) -> float:
        return float(stats.wilcoxon(differences - value, method="exact").pvalue)

    assert max(chance(low - 1e-9), chance(high + 1e-9)) < 0.05
    assert min(chance(low + 1e-9), chance(middle), chance(high - 1e-9)) >= 0.05


def test_one_large_difference_does_not_hide_that_all_are_of_one_sign() -> None:
    assert signed_rank_interval([0.1, 0.2, 0.1, 0.3, 0.2, 0.1, 0.2, 1e6])[1] > 0
    assert corrected_t([0.1, 0.2, 0.1, 0.3, 0.2, 0.1, 0.2, 1e6], test_to_train=0.0).low < 0
    assert signed_rank_interval([1.0] * 5)[1:] == (-np.inf, np.inf)  # one in 32 is the least that five signs can tell
    with pytest.raises(DataError):
        signed_rank_interval([])
