"""Leaks: columns that say the same do not hide each other, and wide tables do not take long."""

import numpy as np
import pytest
from scipy import sparse

import kilonet as kn
from kilonet.diagnostics import leaks as module
from kilonet.diagnostics.inputs import input_facts
from kilonet.diagnostics.rules_data import leaking
from kilonet.diagnostics.subject import Subject
from kilonet.findings import Examination
from kilonet.history import History


def told(X, y, estimator=None):
    """(severity, what) of the rule on leaks."""
    estimator = estimator or kn.MLPClassifier(hidden=(4,), random_state=0)
    subject = Subject.of(estimator, X, y)
    empty = History.of(np.zeros((0, 1, 4)), single=True)
    given = Examination("kilonet", subject.task, {"n_rows": len(y)}, [], empty, inputs=input_facts(subject))
    return [(finding.severity, finding.what) for finding in leaking(given)]


def overlapping(n=300, inputs=4, seed=0):
    random = np.random.default_rng(seed)
    y = np.arange(n) % 3
    return random.normal(size=(n, inputs)) + random.normal(size=(3, inputs))[y], y, random


class TestTwins:
    @pytest.mark.parametrize("copies", [2, 3])
    def test_copies_of_the_label_are_all_named(self, copies):
        X, y, _ = overlapping()
        own = [y, 5 - 2 * y, np.array([4, 9, 1])[y]][:copies]
        (finding,) = told(np.column_stack([X, *own]), y)
        assert finding[0] == "warn"
        assert all(f"column {place}" in finding[1] for place in range(4, 4 + copies))

    def test_a_number_and_a_text(self):
        pandas = pytest.importorskip("pandas")
        X, y, _ = overlapping()
        frame = pandas.DataFrame(X).rename(columns=str).assign(code=5 - y, name=np.array(["x", "y", "z"])[y])
        (finding,) = told(frame, y)
        assert finding[0] == "warn"
        assert finding[1].startswith("code and name=x predict")

    def test_a_copy_and_a_score_that_follows_it(self):
        X, y, random = overlapping()
        (finding,) = told(np.column_stack([X, y, y + 0.1 * random.normal(size=300)]), y)
        assert finding[0] == "warn"
        assert finding[1].startswith("column 4 and column 5")

    def test_two_that_follow_a_number(self):
        X, _, random = overlapping(900)
        y = X[:, 0] + random.normal(size=900)
        (finding,) = told(np.column_stack([X, 3 * y - 2, np.exp(y)]), y, kn.MLPRegressor(hidden=(4,), random_state=0))
        assert finding[0] == "warn"
        assert finding[1].startswith("column 4 and column 5")

    def test_well_separated_heaps_are_an_easy_task(self):
        X, y, _ = overlapping()
        X[:, :2] += 12 * y[:, np.newaxis]
        assert [severity for severity, _ in told(X, y)] == ["info"]

    def test_a_leak_is_found_in_an_easy_task_too(self):
        X, y, _ = overlapping()
        X[:, :2] += 12 * y[:, np.newaxis]
        ((severity, what),) = told(np.column_stack([X, y]), y)
        assert severity == "warn"
        assert what.startswith("column 4 predicts")


class TestLargeNumbers:
    @pytest.mark.parametrize("size", [1e30, 1e37, 1e300])
    @pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix])
    def test_numbers_that_float32_does_not_hold_are_judged_too(self, size, kind):
        X, y, random = overlapping()
        dtype = np.float32 if size < 1e38 else np.float64
        X = kind((size * np.column_stack([X, y])).astype(dtype))
        estimator = kn.MLPClassifier(hidden=(4,), encode=None, random_state=0)
        ((severity, what),) = told(X, y, estimator)
        assert severity == "warn"
        assert what.startswith("column 4 predicts")
        numbers = kn.MLPRegressor(hidden=(4,), encode=None, random_state=0)
        ((severity, what),) = told(X, 1e200 * (y + 0.01 * random.normal(size=300)), numbers)
        assert severity == "warn"
        assert what.startswith("column 4 predicts")


class TestWideTables:
    def test_it_says_how_many_were_tried(self):
        random = np.random.default_rng(0)
        X, y = random.normal(size=(100, 300)), np.arange(100) % 2
        X[:, 7] = y
        ((_, what),) = told(X, y)
        assert what.endswith("; of 300 inputs the 200 most promising were tried")
        ((_, what),) = told(X[:, :200], y)
        assert "tried" not in what

    @pytest.mark.parametrize("task", ["classes", "numbers"])
    def test_forests_see_the_most_promising_inputs_only(self, task, monkeypatch):
        random = np.random.default_rng(0)
        X = random.normal(size=(400, 1000))
        y = np.arange(400) % 3 if task == "classes" else X[:, 9] + 0.3 * random.normal(size=400)
        X[:, 9] += 3 * y if task == "classes" else y
        X[:, 700] = y
        seen = []
        forest = module.ExtraTreesClassifier if task == "classes" else module.ExtraTreesRegressor
        fit = forest.fit
        monkeypatch.setattr(
            forest, "fit", lambda own, rows, target: seen.append(rows.shape[1]) or fit(own, rows, target)
        )
        estimator = kn.MLPClassifier if task == "classes" else kn.MLPRegressor
        found = input_facts(Subject.of(estimator(hidden=(2,), random_state=0), X, y))
        assert list(found.leaking)[-1] == 700
        assert 0.4 < found.others[700] < 0.99  # the promising input is among those that were kept
        assert seen
        assert max(seen) <= module.COLUMNS
