"""Model files of networks that tuned themselves: they come back whole, and what is wrong with one is said."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import KFold

import kilonet as kn
from kilonet import persistence
from kilonet.engine.packed import Predictor
from kilonet.errors import FileFormatError, ShapeError
from kilonet.persistence import SavedModel, container
from kilonet.plots import ConfusionDisplay, ReliabilityDisplay, ResidualsDisplay
from kilonet.tuned.loading import from_model
from kilonet.tuned.page import page_of
from kilonet.tuned.saving import to_model
from kilonet.tuned.tuning import Tuning

X = np.random.default_rng(0).normal(size=(60, 3))
CLASSES, NUMBERS = np.digitize(X[:, 0], [-0.5, 0.5]), X[:, 0] + X[:, 1] ** 2
MIXED = Tuning(hidden=((8,), (4, 4)), numbers=((0, 3.0),), l2=(0.001,), passes=2, steps=20)


def made(kind: type, y: Any, **settings: Any) -> Any:
    return kind(cv=3, random_state=0, **{"tuning": MIXED, **settings}).fit(X, y)


@pytest.fixture(scope="module")
def classifier() -> Any:
    for seed in range(20):
        found = kn.MLPClassifierCV(cv=3, random_state=seed, tuning=MIXED).fit(X, CLASSES)
        if len(found._parts) == 2:
            return found
    raise AssertionError("no seed gave networks of two shapes")


@pytest.fixture(scope="module")
def regressor() -> Any:
    return made(kn.MLPRegressorCV, NUMBERS, tuning=None, hidden=8)


def through_a_file(model: SavedModel, path: Path) -> Any:
    """Written by somebody whom no check holds back, and read."""
    data = container.pack(persistence._tensors(model), persistence._description(model))
    path.write_bytes(data)
    return kn.load(path)


def edited(model: SavedModel, **changes: Any) -> SavedModel:
    return replace(model, extra={**model.extra, "tuned": {**model.extra["tuned"], **changes}})


def used(estimator: Any) -> None:
    """Everything that a file is loaded for."""
    if isinstance(estimator, kn.MLPClassifierCV):
        said = estimator.predict_proba(X)
        assert np.allclose(said.sum(axis=1), 1)
    else:
        said = estimator.predict(X)
        assert np.isfinite(estimator.predict_interval(X, level=0.8)).all()
    assert np.isfinite(said).all()
    assert estimator.members_
    assert repr(estimator)
    assert str(estimator.record_)
    assert page_of(estimator.record_).sections
    for kind in (ReliabilityDisplay, ConfusionDisplay, ResidualsDisplay):
        assert kind.lack(estimator.record_) or kind.from_record(estimator.record_)
    assert to_model(estimator).theta is estimator._parts[0].estimator.theta_


# What comes back.
def test_reading_and_writing_gives_the_same_bytes(classifier: Any, regressor: Any, tmp_path: Path) -> None:
    for own in (classifier, regressor):
        first = own.save(tmp_path / "first.kn").read_bytes()
        assert kn.load(tmp_path / "first.kn").save(tmp_path / "second.kn").read_bytes() == first


def test_what_a_file_does_not_hold_comes_back_as_none(tmp_path: Path) -> None:
    settings = {
        "cv": KFold(4),
        "callback": print,
        "l2": np.array([0.001, 0.01]),
        "random_state": np.random.RandomState(0),
    }
    own = kn.MLPRegressorCV(hidden=4, tuning=MIXED, **settings).fit(X, NUMBERS)
    again = kn.load(own.save(tmp_path / "m.kn"))
    assert (again.cv, again.callback, again.random_state, again.l2) == (None, None, None, [0.001, 0.01])
    assert again.save(tmp_path / "n.kn").read_bytes() == (tmp_path / "m.kn").read_bytes()


class Own:
    """An activation of the user's own."""

    def value(self, z: Any) -> Any:
        return np.maximum(z, 0)

    def slope(self, z: Any) -> Any:
        return (z > 0).astype(z.dtype)


@pytest.mark.parametrize(
    "settings",
    [
        {"hidden": [(kn.Dense(8),)]},
        {"hidden": (kn.Dense(8, kn.tanh), kn.Maxout(3, pieces=2))},
        {"hidden": 4, "activation": kn.leaky_relu(0.2)},
        {"hidden": 4, "activation": [kn.tanh, "relu"]},
        {"tuning": Tuning(hidden=((kn.Dense(4),),), activation=(kn.tanh,), passes=2, steps=20)},
        {"hidden": 4, "tuning": Tuning(optimizer=kn.Adam(beta2=0.9), schedule=kn.cosine, passes=2, steps=20)},
    ],
    ids=str,
)
def test_layers_and_other_values_go_into_files(settings: dict[str, Any], tmp_path: Path) -> None:
    own = made(kn.MLPRegressorCV, NUMBERS, **settings)
    again = kn.load(own.save(tmp_path / "m.kn"))
    assert again.get_params() == {**own.get_params(), "cv": 3}
    assert again.best_params_ == own.best_params_
    assert np.array_equal(again.predict(X), own.predict(X))
    assert again.save(tmp_path / "n.kn").read_bytes() == (tmp_path / "m.kn").read_bytes()


def test_what_is_the_users_own_is_refused_in_words(tmp_path: Path) -> None:
    for settings in ({"hidden": 4, "activation": Own()}, {"hidden": [(kn.Dense(4, Own()),)]}):
        own = made(kn.MLPRegressorCV, NUMBERS, **settings)
        with pytest.raises(FileFormatError, match=r"cannot be saved: .*own"):
            own.save(tmp_path / "m.kn")
        assert not list(tmp_path.iterdir())


# Networks that do not belong together.
def _narrow(model: SavedModel) -> SavedModel:
    network = kn.Network([2, 4, 3])
    theta = np.stack([network.initial(seed=seed, dtype="float32") for seed in model.recipe.seeds])
    return replace(model, network=network, theta=theta, encoder=None, feature_names=None)


def _outputs(model: SavedModel) -> SavedModel:
    network = kn.Network([model.network.n_inputs, 4, 2])
    theta = np.stack([network.initial(seed=seed, dtype="float32") for seed in model.recipe.seeds])
    return replace(model, network=network, theta=theta, classes=model.classes[:2])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_narrow, "it reads other columns than the first model"),
        (_outputs, "n_outputs 2, but that of the first model 3"),
        (lambda own: replace(own, task="multilabel"), "its task differs"),
        (lambda own: replace(own, classes=own.classes[::-1].copy()), "its classes differs"),
        (lambda own: replace(own, classes=own.classes.astype(float)), "its classes differs"),
        (lambda own: replace(own, target_mean=np.ones(3), target_scale=np.ones(3)), "its target_mean differs"),
        (lambda own: replace(own, loss=kn.logistic), "its loss differs"),
        (lambda own: replace(own, encoder={**own.encoder, "names": ["a", "b", "c"]}), "it reads other columns"),
        (lambda own: replace(own, encoder=None), "it reads other columns"),
    ],
)
def test_networks_of_other_inputs_or_meaning(classifier: Any, tmp_path: Path, change: Any, says: str) -> None:
    model = to_model(classifier)
    assert len(model.others) == 1
    wrong = replace(model, others=tuple(map(change, model.others)))
    with pytest.raises(FileFormatError, match=f"does not hold together: the model beside it, number 0: .*{says}"):
        through_a_file(wrong, tmp_path / "wrong.kn")
    with pytest.raises(FileFormatError, match=says):
        persistence.save(wrong, tmp_path / "never.kn")


def test_rows_of_another_width_never_reach_the_kernel() -> None:
    import scipy.sparse  # noqa: PLC0415

    network = kn.Network([3, 4, 1])
    theta = network.initial(seeds=[0, 1], dtype="float32")
    predictor = Predictor(network, theta)
    for wrong in (X[:, :2], np.ones((5, 4)), np.ones(3), scipy.sparse.csr_matrix(np.ones((5, 2)))):
        with pytest.raises(ShapeError) as words:
            network.scores(theta, wrong)
        for ask in (predictor.scores, lambda given: predictor.hidden(given, 0)):
            with pytest.raises(ShapeError) as caught:
                ask(wrong)
            assert str(caught.value) == str(words.value)
    with pytest.raises(ShapeError, match=r"got X with shape \(2, 5, 3\); needs \(n, 3\)"):
        predictor.scores(np.ones((2, 5, 3)))


# Arrays and descriptions that were edited.
def _array(name: str, change: Callable[[Any], Any]) -> Callable[[SavedModel], SavedModel]:
    return lambda model: replace(model, arrays={**model.arrays, name: change(np.array(model.arrays[name]))})


def _first(value: Any) -> Callable[[Any], Any]:
    def change(array: Any) -> Any:
        array = array.astype(np.int64) if array.dtype == bool else array
        array[0] = value
        return array

    return change


def _described(name: str, value: Any) -> Callable[[SavedModel], SavedModel]:
    return lambda model: edited(model, **{name: value})


def _recorded(change: Callable[[Any], Any]) -> Callable[[SavedModel], SavedModel]:
    def edit(model: SavedModel) -> SavedModel:
        record = json.loads(model.extra["tuned"]["record"])
        change(record)
        return edited(model, record=json.dumps(record))

    return edit


@pytest.mark.parametrize(
    ("which", "changes"),
    [
        ("classifier", {"loss": kn.hinge}),
        ("classifier", {"loss": kn.squared}),
        ("regressor", {"loss": kn.huber(1.0)}),
        ("regressor", {"loss": kn.cross_entropy}),
        ("classifier", {"task": "multilabel"}),
        ("regressor", {"target_mean": None, "target_scale": None}),
    ],
    ids=str,
)
def test_losses_that_no_fit_has(which: str, changes: Any, request: Any, tmp_path: Path) -> None:
    model = to_model(request.getfixturevalue(which))
    wrong = replace(model, **changes, others=tuple(replace(own, **changes) for own in model.others))
    with pytest.raises(FileFormatError, match="describes no network that tuned itself"):
        through_a_file(wrong, tmp_path / "wrong.kn")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_array("splits", _first(99)), "splits"),
        (_array("splits", _first(-1)), "splits"),
        (_array("splits", lambda own: own[:, np.newaxis]), "splits"),
        (_array("splits", lambda own: own[:-1]), "splits"),
        (_array("splits", lambda own: own.astype(float)), "splits"),
        (_array("weights", _first(np.nan)), "weights"),
        (_array("weights", lambda own: own * [-1, *[2] * (len(own) - 1)]), "weights"),
        (_array("weights", lambda own: 2 * own), "weights"),
        (_array("weights", lambda own: own[:-1]), "weights"),
        (_array("residuals", _first(np.nan)), "residuals"),
        (_array("residuals", _first(-1.0)), "residuals"),
        (_array("residuals", lambda own: own[:0]), "residuals"),
        (_array("pattern", _first(99)), "pattern"),
        (_array("pattern", _first(-1)), "pattern"),
        (_array("pattern", lambda own: own[:-1]), "pattern"),
        (_array("patterns", lambda own: own[:, :-1]), "patterns"),
        (_array("patterns", _first(0)), "patterns"),
        (_array("patterns", _first(2)), "patterns"),
        (_array("oof", lambda own: own[:-1]), "oof"),
        (_array("oof", lambda own: own[:, np.newaxis]), "oof"),
        (_array("oof", _first(np.inf)), "oof"),
        (_array("oof", _first(np.nan)), "oof"),
        (lambda model: replace(model, arrays={k: v for k, v in model.arrays.items() if k != "oof"}), "arrays"),
        (lambda model: replace(model, arrays={**model.arrays, "more": np.zeros(2)}), "arrays"),
        (_described("estimator", "MLPClassifierCV"), "MLPClassifierCV"),
        (_described("temperature", 0.0), "temperature"),
        (_described("temperature", -1.0), "temperature"),
        (_described("temperature", True), "temperature"),
        (_described("temperature", 2.5), "temperature"),
        (_described("of", [-1, -1, -1]), "of"),
        (_described("of", [0, 0, 7]), "of"),
        (_described("of", [0.0, 0, 0]), "of"),
        (_described("best", 99), "best"),
        (_described("best", {"pairs": []}), "best"),
        (_described("runs", -3), "runs"),
        (_described("configurations", ["3"]), "configuration"),
        (_recorded(lambda own: own.update(calibration={})), "calibration"),
        (_recorded(lambda own: own.update(task=5)), "task"),
        (_recorded(lambda own: own.update(best=99)), "best"),
        (_recorded(lambda own: own.update(rows=99)), "99 rows of 60"),
        (_recorded(lambda own: own["predictions"]["true"].pop()), "59 true and 60 predicted"),
        (_recorded(lambda own: own.update(splits=1)), "splits"),
        (_recorded(lambda own: own["configurations"][0].update(verdict="great")), "verdict"),
    ],
)
def test_edited_parts(regressor: Any, tmp_path: Path, change: Any, says: str) -> None:
    wrong = change(to_model(regressor))
    with pytest.raises(FileFormatError, match=f"describes no network that tuned itself: .*{says}"):
        through_a_file(wrong, tmp_path / "wrong.kn")


def test_what_does_not_fit_together_is_not_saved(regressor: Any, tmp_path: Path) -> None:
    wrong = from_model(to_model(regressor))
    wrong.oof_ = wrong.oof_[:, np.newaxis]
    with pytest.raises(FileFormatError, match=r"cannot be saved: its oof is float64 \(60, 1\); needs \(60,\)"):
        wrong.save(tmp_path / "wrong.kn")


_WRONG = (None, True, -1, 0, 99, 1.5, "x", [], ["x"], [None], {}, {"x": 1}, {"pairs": 1}, {"pairs": [[[], 1]]})


def _places(value: Any, path: tuple[Any, ...] = ()) -> Any:
    """Where plain values stand, of a list the first and last entries."""
    if path:
        yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        if isinstance(value, dict) or key in (0, len(value) - 1):
            yield from _places(entry, (*path, key))


def _put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = _put(copy[path[0]], path[1:], new)
    return copy


def _edits(value: dict[str, Any]) -> Any:
    """The value with every part of it replaced by each of _WRONG, and without each of its entries."""
    for path in _places(value):
        for wrong in _WRONG:
            yield (*path, wrong), _put(value, path, wrong)
    for name in value:
        yield ("without", name), {key: own for key, own in value.items() if key != name}


def _mutations(model: SavedModel) -> Any:
    tuned, extra = model.extra["tuned"], {name: own for name, own in model.extra.items() if name != "tuned"}
    record, rest = json.loads(tuned["record"]), {name: own for name, own in tuned.items() if name != "record"}
    for place, own in _edits(record):
        yield ("record", *place), edited(model, record=json.dumps(own))
    for place, own in _edits(rest):
        yield place, replace(model, extra={**extra, "tuned": {"record": tuned["record"], **own}})
    for place, own in _edits({name: own for name, own in extra.items() if name != "settings"}):
        yield ("extra", *place), replace(model, extra={"tuned": tuned, "settings": extra["settings"], **own})


def _changed_arrays(model: SavedModel) -> Any:
    changes: dict[str, Any] = {
        "first": _first(7), "negative": lambda own: -own.astype(float), "whole": lambda own: own + 1,
        "short": lambda own: own[:-1], "long": lambda own: np.concatenate([own, own]), "empty": lambda own: own[:0],
        "deep": lambda own: own[:, np.newaxis], "flat": lambda own: own.reshape(-1), "none": lambda own: own[..., :0],
        "kind": lambda own: own.astype(np.float32), "int": lambda own: np.zeros(own.shape, np.int64),
        "nan": lambda own: np.full(own.shape, np.nan), "infinite": lambda own: np.full(own.shape, np.inf),
        "large": lambda own: np.full(own.shape, 2**62), "scalar": lambda own: np.array(1.0),
    }  # fmt: skip
    for name in model.arrays:
        for how, change in changes.items():
            yield (name, how), _array(name, change)(model)
        yield ("without", name), replace(model, arrays={k: v for k, v in model.arrays.items() if k != name})


@pytest.mark.parametrize("which", ["classifier", "regressor"])
def test_every_edit_is_refused_or_does_no_harm(which: str, request: Any) -> None:
    model = to_model(request.getfixturevalue(which))
    refused = harmless = 0
    for place, changed in (*_mutations(model), *_changed_arrays(model)):
        try:
            found = from_model(changed)
        except FileFormatError:
            refused += 1
            continue
        harmless += 1
        try:
            used(found)
        except Exception as error:
            raise AssertionError(f"{place} was let in, and failed later") from error
    assert refused > harmless > 0
