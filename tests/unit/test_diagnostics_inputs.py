"""Columns that number the rows, and advice to scale what is scaled, or need not be."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import sparse
from sklearn import datasets
from sklearn.neural_network import MLPRegressor

import kilonet as kn
from kilonet.diagnostics.foreign_sklearn import examine_sklearn
from kilonet.diagnostics.inputs import input_facts, numbering, target_facts
from kilonet.diagnostics.rules_data import constant, unscaled
from kilonet.diagnostics.subject import Subject
from kilonet.findings import Examination, TargetFacts
from kilonet.history import History

EMPTY = History.of(np.zeros((0, 1, 4)), single=True)


def data(n=200, seed=0):
    random = np.random.default_rng(seed)
    X = random.normal(size=(n, 3))
    return X, X[:, 0] > 0, random


def estimator(**settings):
    return kn.MLPClassifier(**({"hidden": (4,), "random_state": 0} | settings))


def examined(X, y, own=None, **settings):
    subject = Subject.of(own or estimator(**settings), X, y)
    facts = input_facts(subject, leaking=False)
    return Examination("kilonet", subject.task, subject.settings, [], EMPTY, inputs=facts)


def told(rule, examination):
    return [(finding.rule, finding.severity) for finding in rule(examination)]


class TestNumbering:
    @pytest.mark.parametrize("encode", ["auto", None])
    @pytest.mark.parametrize("shuffled", [False, True])
    def test_a_planted_number_of_the_row_is_named(self, encode, shuffled):
        X, y, random = data()
        number = 5000 + (random.permutation(200) if shuffled else np.arange(200))
        given = examined(np.column_stack([X, number]), y, encode=encode)
        ((finding),) = constant(given)
        assert (finding.rule, finding.severity) == ("numbered rows", "warn")
        assert finding.what.startswith("column 3 seems to number")
        assert finding.remedies[0].text.startswith("leave the column out")
        assert not finding.remedies[0].changes

    @pytest.mark.parametrize("kind", ["int64", "float32", "Int64", "object"])
    def test_in_a_frame_it_has_its_name_beside_texts(self, kind):
        pandas = pytest.importorskip("pandas")
        X, y, _ = data()
        number = pandas.Series(16_777_216 + np.arange(200) * (2 if kind == "float32" else 1)).astype(kind)
        frame = pandas.DataFrame({"place": ["near", "far"] * 100, "a": X[:, 0], "customer": number})
        given = examined(frame, y)
        assert [given.inputs.names[place] for place in given.inputs.numbering] == ["customer"]
        assert told(constant, given) == [("numbered rows", "warn")]

    def test_rows_without_weight_and_gaps_do_not_count(self):
        X, y, _ = data()
        number = np.where(np.arange(200) < 150, np.arange(200.0), 7.0)
        number[:3] = np.nan
        weights = (np.arange(200) < 150).astype(float)
        table = np.column_stack([X, number])
        assert dict(input_facts(Subject.of(estimator(), table, y, weights), leaking=False).numbering) == {3: 1.0}
        assert not input_facts(Subject.of(estimator(), table, y), leaking=False).numbering

    def test_numbers_of_some_of_many_customers_are_told_of(self):
        X, y, random = data(2000)
        given = examined(np.column_stack([X, random.choice(10**6, 2000, replace=False)]), y)
        assert told(constant, given) == [("numbered rows", "info")]

    @pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits", "diabetes"])
    def test_healthy_tables_are_silent(self, name):
        X, _ = getattr(datasets, f"load_{name}")(return_X_y=True)
        raw = datasets.load_diabetes(return_X_y=True, scaled=False)[0] if name == "diabetes" else X
        for factor in (1, 10, 1e3, 1e6, 1e9):
            for column in (*(X * factor).T, *np.rint(X * factor).T, *np.rint(raw * factor).T):
                assert numbering(column) == 0

    def test_what_measures_something_is_silent(self):
        random = np.random.default_rng(1)
        for n in (50, 200, 2000):
            drawn = [random.normal(size=n), random.exponential(size=n), random.triangular(0, 0.5, 1, n),
                     np.exp(random.normal(size=n)), np.sort(random.normal(size=n))]  # fmt: skip
            assert [numbering(np.rint(1e6 * column)) for column in drawn] == [0] * len(drawn)
            assert numbering(random.integers(18, 90, n).astype(float)) == 0
            assert numbering(random.random(n)) == 0
        assert numbering(np.arange(49.0)) == 0
        assert numbering(np.full(100, 3.0)) == 0
        assert numbering(np.full(100, math.nan)) == 0


class TestSmallAndOddTables:
    @pytest.mark.parametrize(("rows", "pairs"), [(2, 0), (4, 0), (6, 1), (200, 1)])
    def test_columns_of_a_few_rows_are_alike_by_luck(self, rows, pairs):
        X, _, _ = data(rows)
        X = np.column_stack([X, X[:, 0]]) if rows > 2 else X  # standardized, two rows are 1 and -1 in every column
        given = examined(X, np.arange(rows) % 2 > 0)
        assert len(given.inputs.duplicated) == pairs  # of 6 pairs; 6 numbers have 720 orders, 4 have 24

    def test_nearly_empty_columns_are_alike_by_luck(self):
        _, y, random = data()
        X = sparse.random(200, 1000, 0.01, "lil", rng=random)
        X[:, 900] = X[:, 901] = sparse.random(200, 1, 0.1, "lil", rng=random)
        for rows in (X.tocsr(), X.toarray()):
            assert list(examined(rows, y).inputs.duplicated) == [(900, 901)]

    @pytest.mark.parametrize("scale", [1e300, 1e-300])
    def test_a_target_whose_squares_are_no_numbers(self, scale):
        X, _, _ = data()
        facts = target_facts(Subject.of(kn.MLPRegressor(hidden=(4,)), X, scale * X[:, 0]))
        assert facts.deviation == pytest.approx(scale * X[:, 0].std(), rel=1e-12)
        assert facts.mean == pytest.approx(scale * X[:, 0].mean(), rel=1e-12)

    def test_a_target_that_is_always_the_same_and_several_of_them(self):
        X, _, _ = data()
        facts = target_facts(Subject.of(kn.MLPRegressor(hidden=(4,)), X, np.full(200, 7.0)))
        assert (facts.mean, facts.deviation) == (7.0, 0.0)
        facts = target_facts(Subject.of(kn.MLPRegressor(hidden=(4,)), X, X[:, :2]))
        assert math.isnan(facts.mean)
        assert math.isnan(facts.deviation)


class TestScaling:
    def test_what_the_estimator_scales_is_not_to_be_scaled(self):
        X, y, _ = data()
        weights = np.where(np.arange(200) < 5, 1e-6, 1.0)
        X[:5] *= 1e5  # hardly any weight, so the encoder does not see them
        for encode, expected in (("auto", []), (kn.TableEncoder(), []), (None, [("unscaled inputs", "fail")])):
            subject = Subject.of(estimator(encode=encode), X, y, weights)
            facts = input_facts(subject, leaking=False)
            assert facts.deviations.max() > 100
            given = Examination("kilonet", "classification", subject.settings, [], EMPTY, inputs=facts)
            assert told(unscaled, given) == expected

    def test_an_encoder_that_leaves_numbers_as_they_are_does_not_scale(self):
        X, y, _ = data()
        assert told(unscaled, examined(1e3 * X, y, encode=kn.TableEncoder(standardize=False))) != []

    def test_sparse_inputs_deviate_little(self):
        _, y, random = data()
        X = sparse.random(200, 30, 0.05, "csr", rng=random) * 0.3
        assert told(unscaled, examined(X, y, encode=None)) == []
        assert told(unscaled, examined(X.toarray(), y, encode=None)) == [("unscaled inputs", "warn")]

    def test_ones_and_zeros_are_as_they_should_be(self):
        _, y, _ = data()
        X = np.eye(200)[:, :150]
        assert told(unscaled, examined(X, y, encode=None)) == []


class TestTarget:
    def given(self, deviation, **changes):
        facts = TargetFacts({}, 0, 3.0, deviation)
        return replace(Examination("scikit-learn", "regression", {}, [], EMPTY, target=facts), **changes)

    @pytest.mark.parametrize(
        ("deviation", "speaks"), [(10.0, False), (10.1, True), (0.1, False), (0.09, True), (0.0, False), (1e-17, False),
                                  (math.nan, False)]
    )  # fmt: skip
    def test_it_speaks_outside_of_a_tenth_to_ten(self, deviation, speaks):
        assert told(unscaled, self.given(deviation)) == [("unscaled target", "warn")] * speaks
        assert told(unscaled, self.given(deviation, origin="kilonet")) == []

    def test_of_scikit_learn(self):
        X, _, _ = data(60)
        for scale, expected in ((1.0, []), (1000.0, [("unscaled target", "warn")])):
            mlp = MLPRegressor(hidden_layer_sizes=(4,), max_iter=5, tol=10.0, n_iter_no_change=1, random_state=0).fit(
                X, scale * X[:, 0]
            )
            assert told(unscaled, examine_sklearn(mlp, X, scale * X[:, 0], full=False)) == expected
