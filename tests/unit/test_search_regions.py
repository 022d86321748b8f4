"""Regions of a plane: through which columns it goes, where the others are held, and what networks say there."""

import math
from typing import Any

import narwhals.stable.v2 as nw
import numpy as np
import pytest
import scipy.sparse
from sklearn.datasets import load_iris

import kilonet as kn
from kilonet.search import plane

BASE = kn.MLPClassifier(epochs=30, dtype="float32")
SMALL: dict[str, Any] = {"hidden": [8], "l2": [1e-3, 1e-2], "rate": [0.02], "seeds": 1, "cv": 2, "runs": 900,
                         "random_state": 0, "estimator": BASE, "nested": False, "extend": False,
                         "refit": False}  # fmt: skip
FEW = 0.002  # of the places: those where the last bit of a float32 decides between two classes


def searched(X: Any, y: Any, sample_weight: Any = None, **changes: Any) -> Any:
    """The record of a small search."""
    return kn.ArchitectureSearch(**(SMALL | changes)).fit(X, y, sample_weight=sample_weight).record_


def panel(X: Any, y: Any, l2: float = 1e-3, sample_weight: Any = None, base: Any = BASE, **changes: Any) -> Any:
    """The network of a panel, fitted by hand: the search's settings, and the first of its random states."""
    drawn = np.random.RandomState(0).randint(0, 2**31, size=5).tolist()[1]
    own = {"hidden": (8,), "l2": l2, "rate": 0.02, "random_state": drawn} | changes
    return kn.MLPClassifier(**(base.get_params() | own)).fit(X, y, sample_weight=sample_weight)


def ring(n: int = 151, d: int = 6, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Classes inside and outside of a ring in columns 2 and 4: of both their means are the same in every column."""
    X = np.random.default_rng(seed).normal([0, 5, 10, 0, -3, 100], [1, 2, 3, 1, 0.5, 9], size=(n, d))
    inside = ((X[:, 2] - 10) / 3) ** 2 + ((X[:, 4] + 3) / 0.5) ** 2 < 1.4
    return X, np.where(inside, "in", "out")


RING = ring()


@pytest.fixture(scope="module")
def slice_() -> Any:
    return searched(*RING, estimator=kn.MLPClassifier(epochs=150, dtype="float32"))


def at(found: Any, columns: list[int], held: np.ndarray) -> np.ndarray:
    """The places of the grid as rows of the table, those of one y one after another."""
    x, y = np.meshgrid(found["x"], found["y"])
    rows = np.tile(np.asarray(held, dtype=np.float64), (x.size, 1))
    rows[:, columns] = np.stack([x.ravel(), y.ravel()], axis=1)
    return rows


# A slice through more than two columns.
def test_the_slice_goes_through_the_columns_that_the_network_uses(slice_: Any) -> None:
    found = slice_.regions
    assert sorted(found["features"]) == ["x2", "x4"]
    X = RING[0]
    for name, axis in zip(found["features"], ("x", "y"), strict=True):
        values = X[:, int(name[1:])]
        margin = 0.1 * (values.max() - values.min())
        # Coordinates are rounded to a millionth of the column's spread.
        low, high = values.min() - margin, values.max() + margin
        assert (found[axis][0], found[axis][-1]) == pytest.approx((low, high), abs=1e-5 * values.std())


def test_the_other_columns_are_held_at_their_medians(slice_: Any) -> None:
    X, found = RING[0], slice_.regions
    assert found["others"] == {"medians": 4, "most_frequent": 0}
    assert list(found["held"]) == ["x0", "x1", "x3", "x5"]
    for name, value in found["held"].items():
        column = X[:, int(name[1:])]
        assert value == pytest.approx(np.median(column), abs=1e-5 * column.std())  # rounded as coordinates are


def test_panels_say_what_networks_fitted_to_all_rows_say_of_the_slice(slice_: Any) -> None:
    X, y = RING
    found = slice_.regions
    rows = at(found, [int(name[1:]) for name in found["features"]], np.median(X, axis=0))
    base = kn.MLPClassifier(epochs=150, dtype="float32")
    assert (found["rows"], found["columns"], found["classes"]) == (["8 relu"], [1e-3, 1e-2], ["in", "out"])
    for l2, labels, misfits in zip(found["columns"], found["labels"], found["misfits"], strict=True):
        network = panel(X, y, l2, base=base)
        said = np.array(found["classes"])[labels]
        assert set(said) == {"in", "out"}
        assert np.mean(said != network.predict(rows)) <= FEW
        assert misfits == pytest.approx(np.mean(network.predict(X) != y))


def test_rows_are_drawn_where_they_lie_among_the_two_columns(slice_: Any) -> None:
    X, y = RING
    found = slice_.regions
    columns = [int(name[1:]) for name in found["features"]]
    np.testing.assert_allclose(found["points"], X[:, columns], rtol=0, atol=1e-5 * X[:, columns].std())
    assert np.array(found["classes"])[found["point_classes"]].tolist() == y.tolist()


def test_misfits_are_those_of_the_network_and_not_of_the_picture() -> None:
    """A third column turns the classes round, so that half of the dots lie on the wrong side of a right border."""
    random = np.random.default_rng(1)
    X = np.column_stack([random.normal(size=(201, 2)), random.choice([-1.0, 1.0], size=201)])
    y = X[:, 0] * X[:, 2] > 0
    found = searched(X, y, hidden=[16], l2=[1e-4], estimator=kn.MLPClassifier(epochs=300, dtype="float32")).regions
    places = [np.abs(np.subtract.outer(found[axis], X[:, j])).argmin(axis=0) for j, axis in enumerate("xy")]
    assert np.mean(np.reshape(found["labels"][0], (60, 60))[places[1], places[0]] != y) > 0.4
    assert found["misfits"][0] < 0.05


@pytest.mark.parametrize("loss", ["logistic", "hinge"])
@pytest.mark.parametrize("classes", [2, 3])
def test_whatever_the_loss_a_place_has_the_class_that_is_predicted(loss: str, classes: int) -> None:
    X, y = load_iris(return_X_y=True)
    X, y = X[y < classes], y[y < classes] + 5
    base = kn.MLPClassifier(loss=loss, epochs=30, dtype="float32")
    found = searched(X, y, l2=[1e-3], estimator=base).regions
    names = [f"x{j}" for j in range(4)]
    rows = at(found, [names.index(name) for name in found["features"]], np.median(X, axis=0))
    network = panel(X, y, base=base)
    assert found["classes"] == [str(label) for label in range(5, 5 + classes)]
    assert np.mean(np.array(found["labels"][0]) + 5 != network.predict(rows)) <= FEW
    assert found["misfits"] == [pytest.approx(np.mean(network.predict(X) != y))]


def test_rows_that_do_not_train_are_not_among_those_that_are_misfitted() -> None:
    """Rows of weight 0 have the wrong labels here, and the rows that early stopping holds out are no training rows."""
    X, y = load_iris(return_X_y=True)
    weights = (np.arange(150) % 3 > 0).astype(float)
    wrong = np.where(weights > 0, y, (y + 1) % 3)
    found = searched(X, wrong, weights, l2=[1e-3]).regions
    network = panel(X, wrong, sample_weight=weights)
    right = network.predict(X)[weights > 0] == y[weights > 0]
    assert found["misfits"] == [pytest.approx(1 - right.mean())]
    assert len(found["points"]) == 100
    stopped = kn.MLPClassifier(epochs=30, early_stopping=True, validation_fraction=0.5, dtype="float32")
    found = searched(X, y, l2=[1e-3], estimator=stopped).regions
    assert len(found["points"]) == 75
    assert found["misfits"][0] * 75 == pytest.approx(round(found["misfits"][0] * 75))


# Two columns.
def test_with_two_columns_the_plane_is_all_there_is() -> None:
    X, y = load_iris(return_X_y=True)
    X = X[:, [0, 2]]
    found = searched(X, y).regions
    assert (found["features"], found["held"]) == (["x0", "x1"], {})
    assert found["others"] == {"medians": 0, "most_frequent": 0}
    for l2, labels, misfits in zip(found["columns"], found["labels"], found["misfits"], strict=True):
        network = panel(X, y, l2)
        assert np.mean(labels != network.predict(at(found, [0, 1], np.zeros(2)))) <= FEW
        assert misfits == pytest.approx(np.mean(network.predict(X) != y))


@pytest.mark.parametrize(
    ("rows", "drawn"),
    [
        ([[0, 0], [0, 1], [1, 0], [1, 1]], True),
        ([[0, 3], [1, 3], [2, 3], [3, 3]], True),
        ([[7, 0]] * 4, True),
        ([[1e300, -1e300], [-1e300, 1e300], [0, 0], [1, 1]], True),
        ([[1e-310, 0], [2e-310, 1], [3e-310, 2], [4e-310, 0]], True),
        ([[-1.7e308, 0], [1.7e308, 1], [0, 2], [1, 3]], False),  # beyond it float64 has no numbers
    ],
)
def test_two_columns_of_any_size_and_without_any_spread_do_no_harm(rows: Any, drawn: bool) -> None:
    X, y = np.tile(np.array(rows, dtype=np.float64), (6, 1)), np.tile([0, 1, 1, 0], 6)
    record = searched(X, y, estimator=kn.MLPClassifier(epochs=3))  # float64: float32 ends at 3e38
    assert (record.regions is not None) == drawn
    if drawn:
        for axis, values in (("x", X[:, 0]), ("y", X[:, 1])):
            assert np.diff(record.regions[axis]).min() > 0
            assert record.regions[axis][0] < values.min() <= values.max() < record.regions[axis][-1]
        kn.RegionsDisplay.from_search(record).figure_.draw_without_rendering()


# Tables with names, categories and gaps.
def mixed(n: int = 241) -> dict[str, list[Any]]:
    random = np.random.default_rng(3)
    columns = {
        "city": random.choice(["Rome", "Paris", "Oslo"], p=[0.2, 0.5, 0.3], size=n).tolist(),
        "age": random.integers(18, 80, size=n).astype(float).tolist(),
        "member": (random.random(n) < 0.7).tolist(),
        "noise": random.normal(size=n).tolist(),
        "dose": random.normal(50, 20, size=n).tolist(),
        "coin": random.integers(0, 2, size=n).tolist(),
    }
    for place, name in enumerate(("age", "dose", "noise", "city")):
        columns[name][place::20] = [None] * len(columns[name][place::20])
    return columns


def answers(columns: dict[str, list[Any]]) -> np.ndarray:
    values = zip(columns["age"], columns["dose"], columns["member"], strict=True)
    return np.array([(50 if age is None else age) + (50 if dose is None else dose) + 30 * member > 115
                     for age, dose, member in values])  # fmt: skip


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_columns_of_a_frame_are_called_by_name_and_categories_held_at_the_most_frequent(library: str) -> None:
    pytest.importorskip(library)
    columns = mixed()
    frame = nw.from_dict(columns, backend=library).to_native()
    record = searched(frame, answers(columns), estimator=kn.MLPClassifier(epochs=60, dtype="float32"))
    found = record.regions
    assert sorted(found["features"]) == ["age", "dose"]
    noise = pytest.approx(_median(columns["noise"]), abs=1e-5)
    assert found["held"] == {"city": "Paris", "member": True, "noise": noise, "coin": _median(columns["coin"])}
    assert found["others"] == {"medians": 2, "most_frequent": 2}
    assert len(found["points"]) == 241 - 13 - 12  # rows without an age, or without a dose, have no place
    kept = [None not in pair for pair in zip(columns["age"], columns["dose"], strict=True)]
    classes = np.array(found["classes"])[found["point_classes"]]
    assert classes.tolist() == [str(answer) for answer in answers(columns)[kept].tolist()]
    assert kn.SearchRecord.from_json(record.to_json()).regions == found


def _median(values: list[Any]) -> float:
    return float(np.median([value for value in values if value is not None]))


def test_a_slice_of_a_frame_is_what_is_predicted_of_its_rows() -> None:
    pandas = pytest.importorskip("pandas")
    columns = mixed()
    frame = pandas.DataFrame(columns).astype({"city": "category"})
    found = searched(frame, answers(columns), l2=[1e-3]).regions
    x, y = np.meshgrid(found["x"], found["y"])
    rows = pandas.DataFrame({**found["held"], found["features"][0]: x.ravel(), found["features"][1]: y.ravel()})
    rows = rows[list(columns)].astype({"city": "category"})
    network = panel(frame, answers(columns))
    assert np.mean(np.array([False, True])[found["labels"][0]] != network.predict(rows)) <= FEW


def test_numbers_as_they_are_have_a_slice_too() -> None:
    pandas = pytest.importorskip("pandas")
    X, y = load_iris(return_X_y=True)
    frame = pandas.DataFrame(X, columns=["a", "b", "c", "d"]).assign(yes=np.arange(150) % 3 > 0)
    plain = kn.MLPClassifier(encode=None, epochs=30, dtype="float32")
    found = searched(frame, y, l2=[1e-3], estimator=plain).regions
    assert set(found["features"]) <= {"a", "b", "c", "d"}
    assert found["held"]["yes"] is True
    assert found["others"] == {"medians": 2, "most_frequent": 1}
    columns = [list(frame.columns).index(name) for name in found["features"]]
    rows = at(found, columns, np.append(np.median(X, axis=0), 1.0))
    network = panel(frame.to_numpy(dtype=float), y, base=plain)
    assert np.mean(found["labels"][0] != network.predict(rows)) <= FEW
    assert searched(X, y, l2=[1e-3], estimator=plain).regions["others"] == {"medians": 2, "most_frequent": 0}


def test_yes_or_no_is_no_axis_where_there_are_numbers() -> None:
    """Column 0 decides nearly alone, but an axis of two values shows nothing."""
    random = np.random.default_rng(4)
    X = np.column_stack([random.integers(0, 2, 200), random.normal(size=(200, 2)), np.full(200, 3.0)])
    y = X[:, 0] + 0.1 * X[:, 1] > 0.5
    X[::9, 0] = np.nan  # is no third value
    found = searched(X, y).regions
    assert sorted(found["features"]) == ["x1", "x2"]
    assert found["held"]["x3"] == 3.0


# How much it costs.
def test_many_columns_are_counted_and_few_of_them_are_shuffled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 300 columns, as of three, at most 20 are shuffled, 5 times each, on 256 rows at most."""
    random = np.random.default_rng(5)
    X = random.normal(size=(400, 300))
    y = X[:, 270] + X[:, 17] > 0
    asked = []
    shares = plane.Learnt.shares

    def counted(network: Any, Z: Any) -> Any:
        asked.append(len(Z))
        return shares(network, Z)

    monkeypatch.setattr(plane.Learnt, "shares", counted)
    found = searched(X, y, l2=[1e-2]).regions
    assert sorted(found["features"]) == ["x17", "x270"]
    assert (found["held"], found["others"]) == ({}, {"medians": 298, "most_frequent": 0})
    assert sum(asked) <= (1 + 20 * 5) * 256
    assert len(found["points"]) == 400


def test_of_many_rows_some_are_drawn_whatever_their_order() -> None:
    """Classes take turns, so that every second row would be of one class."""
    X = np.random.default_rng(6).normal(size=(1200, 2))
    y = np.arange(1200) % 2
    found = searched(X, y, estimator=kn.MLPClassifier(epochs=1, dtype="float32")).regions
    assert len(found["points"]) == 500
    # Half of the dots; 0.1 is 4.5 standard deviations of a draw of 500.
    assert np.mean(found["point_classes"]) == pytest.approx(0.5, abs=0.1)


# Where there is no plane.
@pytest.mark.parametrize(
    ("X", "y", "changes"),
    [
        (scipy.sparse.csr_matrix(RING[0]), RING[1], {}),
        (RING[0], RING[0][:, 0], {"estimator": kn.MLPRegressor(epochs=3)}),
        (RING[0], (RING[0][:, :2] > [0, 5]).astype(int), {}),
        (RING[0][:, :1], RING[1], {}),
        (RING[0] > 0, RING[1], {}),
        (np.array([["a", "b"], ["b", "a"], ["a", "a"]] * 20), [0, 1, 1] * 20, {}),
        (RING[0], RING[1], {"hidden": [()]}),
    ],
    ids=["sparse", "numbers", "labels", "one column", "truth values", "texts", "no hidden layers"],
)  # fmt: skip
def test_without_classes_or_two_columns_of_numbers_there_is_none(X: Any, y: Any, changes: Any) -> None:
    assert searched(X, y, **({"estimator": kn.MLPClassifier(epochs=3)} | changes)).regions is None


def test_where_training_left_the_finite_numbers_the_panel_is_empty() -> None:
    """The choice itself is lost at the first λ, so that what it uses is not known: any two columns do."""
    X, y = load_iris(return_X_y=True)
    plain = kn.MLPClassifier(epochs=3, optimizer="sgd", batch=1, dtype="float32")
    with np.errstate(all="ignore"):
        found = searched(X, y, estimator=plain, rate=[0.1], l2=[1e-3, 1e3]).regions
    assert [set(labels) == {-1} for labels in found["labels"]] == [False, True]
    assert [math.isnan(share) for share in found["misfits"]] == [False, True]
    assert len(set(found["features"])) == 2


def test_the_choice_without_hidden_layers_is_asked_what_it_uses() -> None:
    random = np.random.default_rng(7)
    X = random.normal(size=(150, 5))
    record = searched(X, X[:, 1] - X[:, 3] > 0, hidden=[1], l2=[1e-3], prefer="smallest")
    assert sorted(record.regions["features"]) == ["x1", "x3"]
