"""Trials of rates: what they come to, what they cost, and that advice which rests on them does not go in a circle."""

import contextlib
import math
import warnings

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine, make_classification

import kilonet as kn
from kilonet.diagnostics import preflight as before
from kilonet.diagnostics import sweep
from kilonet.diagnostics.examine import examine
from kilonet.diagnostics.outcome import knowing_nothing, mean_loss
from kilonet.diagnostics.preflight import preflight, small_facts
from kilonet.diagnostics.reading_rates import own_rate
from kilonet.diagnostics.subject import Subject
from kilonet.diagnostics.sweep import RATES, rate_facts, steps_within
from kilonet.errors import MemoryLimitError

RATE_CAUSES = {"rate", "low rate"}


def blobs(n=200, classes=3, seed=0):
    """Classes that overlap a little."""
    random = np.random.default_rng(seed)
    y = np.arange(n) % classes
    return random.normal(size=(n, 3)) + 2 * random.normal(size=(classes, 3))[y], y


def noisy(seed=0):
    """600 rows of two classes, of which a tenth is labelled wrong."""
    return make_classification(600, 20, n_informative=4, flip_y=0.2, random_state=seed)


TABLES = {
    "noisy": (kn.MLPClassifier, noisy()), "noisier": (kn.MLPClassifier, noisy(7)),
    "breast cancer": (kn.MLPClassifier, load_breast_cancer(return_X_y=True)),
    "wine": (kn.MLPClassifier, load_wine(return_X_y=True)),
    "diabetes": (kn.MLPRegressor, load_diabetes(return_X_y=True)),
}  # fmt: skip


class TestFacts:
    def test_rates_learn_that_come_half_the_way_to_what_is_known_of_other_rows(self):
        X, y = blobs()
        found = rate_facts(kn.MLPClassifier(hidden=(8,), optimizer="sgd", rate=0.3, random_state=0), X, y)
        assert set(found.rates) == {*RATES, 0.3, 0.1}  # that of the training, and SGD's own
        assert (np.diff(found.rates) > 0).all()
        assert found.used == 0.3
        nothing = math.log(3)  # of even classes; 50 rows held out are a little uneven
        assert found.enough == pytest.approx((nothing + found.reached) / 2, rel=0.05)
        learned = found.rates[found.losses <= found.enough]
        assert (found.smallest, found.largest) == (learned.min(), learned.max())
        assert found.learns(found.fastest)
        assert not found.learns(RATES[0])

    def test_noise_that_is_learned_by_heart_does_not_count(self):
        X, y = noisy()
        found = rate_facts(kn.MLPClassifier(random_state=0), X, y)
        assert found.losses.min() < 0.05 < 0.4 < found.reached  # a tenth of wrong labels alone costs 0.33
        assert found.learns(0.001)
        assert found.fastest < 0.02

    def test_where_nothing_can_be_learned_no_rate_is_named(self):
        X, y = blobs()
        found = rate_facts(kn.MLPClassifier(random_state=0), X, np.random.default_rng(1).permutation(y))
        assert np.isnan([found.fastest, found.smallest, found.largest, found.enough, found.reached]).all()
        assert not found.learns(0.001)

    def test_a_rate_that_leaves_the_finite_numbers_has_no_finite_loss(self):
        X, _ = blobs()
        found = rate_facts(kn.MLPRegressor(hidden=(6,), optimizer="sgd", random_state=0), X, X[:, 0])
        assert math.isinf(found.losses[-1])
        assert found.largest < 10

    @pytest.mark.parametrize("rows", [1, 2, 7, 8, 9])
    def test_few_rows(self, rows):
        X, _ = blobs(rows)
        assert rate_facts(kn.MLPRegressor(hidden=(4,), random_state=0), X, X[:, 0]).used == 0.001

    @pytest.mark.parametrize("loss", ["auto", "logistic", "hinge", "squared_hinge"])
    def test_the_best_answer_without_inputs(self, loss):
        """No constant is better: asked of a grid of them, for 40 rows of one class and 20 of the other."""
        X, _ = blobs(60)
        subject = Subject.of(kn.MLPClassifier(hidden=(4,), loss=loss, random_state=0), X, np.arange(60) % 3 == 0)
        direction = np.linspace(-1, 1, subject.network.n_outputs) if loss == "auto" else np.ones(1)
        constants = [np.tile(c * direction, (60, 1)) for c in np.linspace(-2, 2, 401)]
        least = min(mean_loss(subject.loss, one, subject.problem.targets) for one in constants)
        # a step of the grid is 0.01, and losses are flat around their lowest
        given = subject.problem
        assert knowing_nothing(subject, given.targets, given.weights) == pytest.approx(least, abs=1e-3)

    def test_weights_of_rows_count_in_knowing_nothing(self):
        X, _ = blobs(60)
        y = np.arange(60) % 2
        subject = Subject.of(kn.MLPClassifier(hidden=(4,), random_state=0), X, y, np.where(y, 9.0, 1.0))
        entropy = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
        given = subject.problem
        assert knowing_nothing(subject, given.targets, given.weights) == pytest.approx(entropy, rel=1e-6)

    def test_own_rates(self):
        for optimizer in ("sgd", "momentum", "adam", "adagrad"):
            for hidden in ((), (4,)):
                X, y = blobs(30)
                own = kn.MLPClassifier(hidden=hidden, optimizer=optimizer, epochs=1, random_state=0).fit(X, y)
                assert own_rate(optimizer, len(hidden) + 1) == own.recipe_.per_member("rate")[0]
        assert own_rate(kn.Adam(0.5), 2) == 0.001  # of its kind
        assert math.isnan(own_rate("lbfgs", 2))
        assert math.isnan(own_rate(None, 2))


class TestWork:
    def test_what_is_trained_stays_within_the_work(self, monkeypatch):
        """The more parameters, the fewer rates and steps: steps times rows (and 40 for the update) times parameters."""
        asked = []

        def noted(problem: object) -> None:
            asked.append(problem)
            raise MemoryLimitError("not enough")

        monkeypatch.setattr(sweep, "trained", noted)
        monkeypatch.setattr(before, "trained", noted)
        X, y = blobs(5000)
        for hidden in ((8,), (200, 200), (300, 300), (480, 480)):
            estimator = kn.MLPClassifier(hidden=hidden, random_state=0)
            assert rate_facts(estimator, X, y) is None
            assert small_facts(estimator, X, y) is None
        work = [len(one.recipe.seeds) * one.total_steps * (one.batch + 40) * one.network.n_parameters for one in asked]
        assert max(work) <= 1.5e10
        members, steps = [len(one.recipe.seeds) for one in asked], [one.total_steps for one in asked]
        assert members == [16, 8, 16, 8, 9, 4, 9, 4]  # sweep and twenty rows by turns; 0.001 is a rate and Adam's own
        assert steps[:2] == [940, 500]  # ten epochs of 94 steps
        assert min(steps[::2]) >= 40
        assert min(steps[1::2]) >= 100

    def test_what_is_too_large_is_not_looked_at(self):
        X, y = blobs(100)
        found = preflight(kn.MLPClassifier(hidden=(800, 800), random_state=0), X, y)
        assert found.rates is None
        assert found.small is None
        assert not [one for one in kn.diagnose(found).findings if one.severity != "info"]

    def test_large_batches_are_cut_where_they_take_too_long(self):
        X, y = blobs(4000)
        found = rate_facts(kn.MLPClassifier(hidden=(60, 60), batch=4000, random_state=0), X, y)
        assert len(found.rates) < len(RATES)
        assert found.learns(0.001)

    def test_memory_that_does_not_suffice_does_not_end_a_diagnosis(self, monkeypatch):
        X, y = blobs()
        fitted = kn.MLPClassifier(hidden=(8,), epochs=3, random_state=0).fit(X, y)

        def lacking(problem: object) -> None:
            raise MemoryLimitError(f"{problem} needs more than there is")

        monkeypatch.setattr(sweep, "trained", lacking)
        monkeypatch.setattr(before, "trained", lacking)
        found = examine(fitted, X, y)
        assert found.rates is None
        assert found.small is None
        assert "few rows can be learned, other rates" in str(kn.diagnose(fitted, X, y))

    def test_steps(self):
        assert steps_within(10, 60, 10_000) == 1500


def advised(estimator, X, y):
    """The rate that is advised first; None where nothing is wrong with the rate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # rates of 10 leave the finite numbers
        with contextlib.suppress(kn.DivergenceError):
            estimator.fit(X, y)
        findings = kn.diagnose(estimator, X, y).findings
    told = [one for one in findings if one.severity != "info" and one.because in RATE_CAUSES]
    rates = [remedy.changes["rate"] for one in told for remedy in one.remedies if "rate" in remedy.changes]
    assert bool(rates) == bool(told)
    return rates[0] if rates else None


class TestAdvice:
    @pytest.mark.parametrize("rate", [1e-7, 10.0])
    @pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
    @pytest.mark.parametrize("table", ["noisy", "breast cancer", "diabetes"])
    def test_it_leads_to_a_rate_of_which_nothing_is_said(self, table, optimizer, rate):
        kind, (X, y) = TABLES[table]
        taken = [rate]
        while len(taken) <= 3:
            found = advised(kind(hidden=(30,), optimizer=optimizer, rate=taken[-1], random_state=0), X, y)
            if found is None:
                break
            taken.append(found)
        assert 2 <= len(taken) <= 3, taken  # something was said of the first, and after two steps nothing more

    @pytest.mark.parametrize("table", TABLES)
    def test_estimators_as_they_are_get_no_warning(self, table):
        kind, (X, y) = TABLES[table]
        for fitted in (False, True):
            estimator = kind(random_state=0)
            findings = kn.diagnose(estimator.fit(X, y) if fitted else estimator, X, y).findings
            assert [one.what for one in findings if one.severity != "info" and one.because in RATE_CAUSES] == []

    @pytest.mark.parametrize("hidden", [(), (30,)])
    @pytest.mark.parametrize("table", ["noisy", "breast cancer"])
    def test_nor_do_rates_within_those_that_learn(self, table, hidden):
        kind, (X, y) = TABLES[table]
        rates = rate_facts(kind(hidden=hidden, random_state=0), X, y)
        for rate in (rates.smallest, rates.fastest):
            findings = kn.diagnose(kind(hidden=hidden, rate=rate, random_state=0).fit(X, y), X, y).findings
            assert [one.what for one in findings if one.severity != "info" and one.because in RATE_CAUSES] == []
