"""cross_validate: scores and parameters are those of fitting every estimator alone, on every split."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GroupKFold, RepeatedKFold, TimeSeriesSplit, cross_val_score
from sklearn.utils import _safe_indexing

import kilonet as kn
from kilonet.estimators.trials import Split
from kilonet.population import Population

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(90, 4))
Y = np.where(X[:, 0] * X[:, 1] > 0, "up", np.where(X[:, 2] > 0, "left", "right"))
NUMBERS = X[:, 0] + np.sin(3 * X[:, 1])
FRAME = pd.DataFrame(
    {"a": X[:, 0], "b": np.where(X[:, 1] > 0.5, np.nan, X[:, 1]), "c": np.where(X[:, 2] > 0, "x", "yy")}
)


def classifiers(**settings: Any) -> list[kn.MLPClassifier]:
    """Estimators that share packs, and some that cannot."""
    plain = {"hidden": (8,), "epochs": 4, "random_state": 0} | settings
    own: list[dict[str, Any]] = [
        {}, {"l2": 0.1}, {"rate": 0.03, "dropout": 0.2}, {"random_state": 1}, {"hidden": (5, 3)}, {"hidden": ()},
        {"schedule": "cosine", "input_noise": 0.1}, {"optimizer": "sgd"}, {"members": 3, "l1": 1e-3}, {"batch": 16},
        {"activation": "tanh"}, {"class_weight": "balanced"}, {"early_stopping": True, "patience": 1},
        {"early_stopping": True, "monitor": "score"}, {"loss": "hinge"}, {"encode": None}, {"dtype": "float32"},
    ]  # fmt: skip
    return [kn.MLPClassifier(**(plain | more)) for more in own]


def assert_fits_alone(found: kn.CrossValidation, given: list[Any], data: tuple[Any, Any], weights: Any = None) -> None:
    """Parameters, curves and scores of every fit, one after another, to the last bit."""
    assert found.estimators is not None
    for fold, (train, test) in enumerate(found.splits):
        for place, estimator in enumerate(given):
            own = None if weights is None else weights[train]
            rows = [_safe_indexing(values, train) for values in data]
            alone = kn_clone(estimator).fit(*rows, sample_weight=own)
            held_out = [_safe_indexing(values, test) for values in data]
            mine = found.estimators[fold][place]
            np.testing.assert_array_equal(mine.theta_, alone.theta_, err_msg=str(estimator))
            np.testing.assert_array_equal(mine.history_.to_array(), alone.history_.to_array())
            assert mine.n_iter_ == alone.n_iter_
            assert found.scores[fold, place] == alone.score(*held_out)


def kn_clone(estimator: Any) -> Any:
    return type(estimator)(**estimator.get_params(deep=False))


@pytest.fixture(autouse=True)
def native() -> None:
    if kn.engine_name() != "native":
        pytest.skip("NumPy's sums depend on how many members there are")


def test_classifiers_have_the_bits_of_their_own_fits() -> None:
    given = classifiers()
    found = kn.cross_validate(given, X, Y, cv=3, return_estimator=True)
    assert found.scores.shape == (3, len(given))
    assert_fits_alone(found, given, (X, Y))


def test_scores_are_those_of_cross_val_score() -> None:
    for place, estimator in enumerate(given := classifiers()[:6]):
        expected = cross_val_score(estimator, X, Y, cv=4)
        np.testing.assert_array_equal(kn.cross_validate(given, X, Y, cv=4).scores[:, place], expected)
    single = kn.cross_validate(given[0], X, Y, cv=4)
    np.testing.assert_array_equal(single.scores, cross_val_score(given[0], X, Y, cv=4))
    assert single.estimators is None


def test_regressors_frames_weights_and_missing_values() -> None:
    plain: dict[str, Any] = {"hidden": (6,), "epochs": 3, "random_state": 2}
    given = [kn.MLPRegressor(**plain, l2=l2, loss=loss) for l2 in (0.0, 0.1) for loss in ("squared", "huber(2)")]
    weights = RANDOM.integers(0, 3, 90).astype(float)
    folds = RepeatedKFold(n_splits=2, n_repeats=2, random_state=0)
    found = kn.cross_validate(given, FRAME, NUMBERS, cv=folds, sample_weight=weights, return_estimator=True)
    assert found.scores.shape == (4, 4)
    assert_fits_alone(found, given, (FRAME, NUMBERS), weights)


def test_members_of_a_fold_share_packs() -> None:
    lanes = kn.cross_validate(kn.MLPClassifier(8, epochs=1), X, Y, cv=2).plan.lanes
    if lanes == 1:
        pytest.skip("scalar code has one lane")
    given = [kn.MLPClassifier(8, epochs=1, random_state=0, l2=l2, members=lanes // 2) for l2 in (0.0, 0.1)]
    plan = kn.cross_validate(given, X, Y, cv=3).plan
    assert (plan.packs, plan.members_in_packs, plan.single_members) == (3, 3 * lanes, 0)


def test_held_out_curves_change_nothing_else() -> None:
    given = classifiers()[:3]
    plain = kn.cross_validate(given, X, Y, cv=2, return_estimator=True)
    watched = kn.cross_validate(given, X, Y, cv=2, return_estimator=True, curves=True)
    np.testing.assert_array_equal(plain.scores, watched.scores)
    assert watched.estimators is not None
    model = watched.estimators[1][0]
    assert model.history_.validation_score[-1] == watched.scores[1, 0]
    assert model.validation_data is None


@pytest.mark.parametrize(("cv", "groups"), [(GroupKFold(3), np.arange(90) % 5), (TimeSeriesSplit(3), None)])
def test_splitters_groups_and_scorers_of_scikit_learn(cv: Any, groups: Any) -> None:
    estimator = kn.MLPRegressor(5, epochs=2, random_state=0)
    scoring = "neg_mean_absolute_error"
    found = kn.cross_validate([estimator], X, NUMBERS, cv=cv, groups=groups, scoring=scoring)
    expected = cross_val_score(estimator, X, NUMBERS, cv=cv, groups=groups, scoring=scoring)
    np.testing.assert_array_equal(found.scores[:, 0], expected)


def test_an_estimator_that_learns_nothing_has_no_score_and_the_others_have_theirs() -> None:
    given = [kn.MLPRegressor((), epochs=9, batch=1, random_state=0, rate=r, optimizer="sgd") for r in (0.01, 1e38)]
    with pytest.warns(FitFailedWarning, match="estimator 1 in split [01] has no score: .*rate 1e\\+38 is too high"):
        found = kn.cross_validate(given, X, NUMBERS, cv=2)
    assert np.isfinite(found.scores[:, 0]).all()
    assert np.isnan(found.scores[:, 1]).all()


def test_a_score_that_cannot_be_computed_is_missing_alone() -> None:
    wild = {"rate": 0.9, "optimizer": "sgd", "encode": None, "epochs": 60}
    given = [kn.MLPRegressor(4, random_state=0, **more) for more in ({"epochs": 5}, wild)]
    with (
        pytest.warns(FitFailedWarning, match="estimator 1 in split"),
        pytest.warns(kn.DivergenceWarning, match="estimator 1"),
    ):
        found = kn.cross_validate(given, X * 3, NUMBERS, cv=3)
    assert np.isfinite(found.scores[:, 0]).all()
    assert np.isnan(found.scores[:, 1]).any()


@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        (["accuracy", "f1_macro"], r"scoring came as \['accuracy', 'f1_macro'\]; cross_validate takes one scorer"),
        ({"a": "accuracy"}, "cross_validate takes one scorer.*return_estimator=True"),
        ("acuracy", "'acuracy' is no scorer of scikit-learn. Did you mean accuracy?"),
    ],
)
def test_what_is_not_one_scorer_is_refused_before_training(
    scoring: Any, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kn.MLPClassifier, "_fresh_work", None)
    with pytest.raises(kn.SettingError, match=message):
        kn.cross_validate(kn.MLPClassifier(), X, Y, scoring=scoring)


def test_a_cross_validation_shows_means_and_deviations_in_a_line() -> None:
    scores = np.array([[0.5, 0.25, 1.0], [0.75, np.nan, np.nan], [1.0, 0.75, np.nan]])
    splits = [Split(np.arange(1000), np.arange(1000)) for _ in scores]
    shown = repr(kn.CrossValidation(scores, None, splits, kn.Plan("native"), interrupted=True, seconds=1.2345))
    assert shown == (
        "CrossValidation(3 estimators: 0.75 ± 0.25, 0.5 ± 0.3536 (1 without a score), 1 (2 without a score) over 3 "
        "splits, 1.23 s, interrupted)"
    )
    one = kn.CrossValidation(np.full(1, np.nan), None, splits[:1], kn.Plan("native"), interrupted=False, seconds=0.5)
    assert str(one) == "CrossValidation(nan (1 without a score) over 1 split, 0.5 s)"
    many = kn.CrossValidation(np.ones((2, 50)), None, splits[:2], kn.Plan("native"), interrupted=False, seconds=0.5)
    assert len(str(many)) < 160


def test_the_plan_says_when_too_few_candidates_are_alike() -> None:
    lanes = kn.cross_validate(kn.MLPClassifier(8, epochs=1), X, Y, cv=2).plan.lanes
    if lanes == 1:
        pytest.skip("scalar code has one lane")
    few = kn.cross_validate([kn.MLPClassifier(8, epochs=1, random_state=n) for n in range(lanes)], X, Y, cv=2).plan
    assert (few.packs, few.single_members, few.too_few) == (0, 2 * lanes, 2 * lanes)
    assert f"{2 * lanes} by themselves (too few of one network, number of rows, order and schedule for a pack" in str(
        few
    )
    wide = kn.cross_validate(kn.MLPClassifier((1000, 1000), epochs=1, random_state=0), X, Y, cv=2).plan
    assert (wide.single_members, wide.too_few) == (2, 0)
    assert "2 by themselves;" in str(wide)
    assert "2 by themselves (1: too few of" in str(kn.Plan("native", single_members=2, too_few=1))


def test_an_interruption_says_how_far_the_fits_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def press(population: Population, *_: Any) -> bool:
        population.sessions[0].advance(1)
        return True

    monkeypatch.setattr(Population, "train", press)
    given = [kn.MLPClassifier(5, epochs=4, random_state=0)]
    with pytest.warns(
        kn.InterruptedWarning, match=r"cross-validation was interrupted; .*, 0 to 1 epochs of each fit\."
    ):
        found = kn.cross_validate(given, X, Y, cv=2)
    assert found.interrupted
    assert repr(found).endswith("s, interrupted)")


def test_weights_of_other_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        kn.cross_validate(kn.MLPClassifier(), X, Y, sample_weight=np.ones(100))


def test_threads_do_not_keep_candidates_apart() -> None:
    lanes = kn.cross_validate(kn.MLPClassifier(8, epochs=1), X, Y, cv=2).plan.lanes
    if lanes == 1:
        pytest.skip("scalar code has one lane")
    given = [kn.MLPClassifier(8, epochs=2, random_state=0, n_jobs=1 + (n > 0)) for n in range(lanes)]
    found = kn.cross_validate(given, X, Y, cv=2)
    assert (found.plan.packs, found.plan.single_members) == (2, 0)
    assert (found.scores == found.scores[:, :1]).all()


WRONG: list[tuple[Any, str]] = [
    ([], "empty"),
    ("MLPClassifier", "is a str"),
    (object(), "is a object; needs MLPClassifier or MLPRegressor"),
    ([kn.MLPClassifier(), kn.MLPRegressor()], r"estimator\[1\] is another kind"),
    (kn.MLPClassifier(warm_start=True), "warm_start or callbacks"),
    (kn.MLPClassifier(hidden=-1), "hidden"),
]


@pytest.mark.parametrize(("estimator", "message"), WRONG, ids=str)
def test_what_cannot_be_cross_validated_is_refused(estimator: Any, message: str) -> None:
    with pytest.raises(kn.SettingError, match=message):
        kn.cross_validate(estimator, X, Y)
