"""How to train, as one value: what is accepted, what is refused, and how it is described."""

import json
import pickle

import numpy as np
import pytest

from kilonet.errors import SettingError
from kilonet.optimizers import SGD, Adam
from kilonet.recipe import Recipe, check_names
from kilonet.schedules import cosine, warm_up
from kilonet.stopping import Stopping

FULL = {
    "optimizer": Adam(0.003, beta1=0.8),
    "schedule": warm_up(2.0, then=cosine(0.1)),
    "batch": 8,
    "epochs": 7,
    "l2": [1e-3, 0.0],
    "l1": 1e-5,
    "dropout": (0.5, 0.25),
    "input_noise": 0.1,
    "max_norm": (None, 2.0),
    "order": (3, None),
    "seeds": [2**64 - 1, 0],
    "stopping": Stopping("score", 3, 0.01),
    "dtype": np.float64,
    "n_threads": 2,
}


def test_the_defaults_are_those_that_are_documented() -> None:
    recipe = Recipe.make()
    assert (recipe.optimizer, recipe.batch, recipe.epochs, recipe.order, recipe.seeds) == (Adam(), 32, 20, 0, (0,))
    assert (recipe.dtype, recipe.stopping, recipe.n_threads, recipe.max_norm) == ("float32", None, None, None)


def test_a_recipe_survives_json_and_pickle_and_is_hashable() -> None:
    recipe = Recipe.make(**FULL)
    again = Recipe.from_json(json.loads(json.dumps(recipe.to_json())))
    assert again == recipe
    assert hash(again) == hash(recipe)
    assert pickle.loads(pickle.dumps(recipe)) == recipe  # noqa: S301 - our own bytes
    assert recipe.but(batch=9) != recipe


def test_arrays_become_tuples_of_plain_numbers() -> None:
    recipe = Recipe.make(l2=np.array([0.5, 1.0], dtype=np.float32), seeds=np.arange(2), order=np.array([4, 5]))
    assert recipe.l2 == (0.5, 1.0)
    assert recipe.orders == (4, 5)
    assert all(type(seed) is int for seed in recipe.seeds)


def test_per_member_spreads_one_number_and_reads_no_bound_as_infinity() -> None:
    recipe = Recipe.make(**FULL)
    assert recipe.per_member("l1").tolist() == [1e-5, 1e-5]
    assert recipe.per_member("max_norm").tolist() == [np.inf, 2.0]
    assert recipe.per_member("rate").tolist() == [0.003, 0.003]
    with pytest.raises(SettingError, match="'batch' has no numeric value per member"):
        recipe.per_member("batch")


def test_rate_replaces_the_optimizers_rate_and_nothing_else() -> None:
    recipe = Recipe.make(optimizer=Adam(0.003, beta1=0.8), rate=[0.1, 0.2], seeds=[0, 1])
    assert recipe.optimizer == Adam((0.1, 0.2), beta1=0.8)
    assert Recipe.make(optimizer="sgd(0.5)").optimizer == SGD(0.5)


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("batch", 0, "batch came as 0"),
        ("batch", 1.5, "batch came as 1.5"),
        ("epochs", True, "epochs came as True"),
        ("l2", -1e-3, "l2 came as -0.001"),
        ("l2", [0.1, 0.2], r"l2 has 2 entries, but there is 1 member \(one per seed\). Give seeds=\[0, 0\] for 2 "),
        ("l1", float("nan"), "l1 came as nan"),
        ("dropout", 1.0, "dropout came as 1.0"),
        ("dropout", 0.999999, "would drop every unit"),
        ("input_noise", float("inf"), "input_noise came as inf"),
        ("max_norm", 0.0, "max_norm came as 0.0"),
        ("order", -1, "order came as -1"),
        ("order", 2**64, "order came as 18446744073709551616"),
        ("seeds", [], "seeds came as"),
        ("seeds", 3, "seeds came as 3"),
        ("seeds", [0, 0.5], r"seeds\[1\] came as 0.5"),
        ("seeds", [2**64], r"seeds\[0\] came as"),
        ("stopping", 5, "stopping came as 5"),
        ("dtype", "float16", "dtype came as 'float16'"),
        ("dtype", None, "dtype came as None"),
        ("n_threads", 0, "n_threads came as 0"),
        ("rate", "fast", "rate came as 'fast'"),
        ("optimizer", "adamax", "adamax"),
        ("schedule", "linear", "linear"),
        (
            "batch",
            [8, 16],
            r"batch came as \[8, 16\], but all members share it.*One per member may be: seeds, rate, sched",
        ),
        ("epochs", (1, 2), "epochs came as .*but all members share it"),
        ("dtype", ["float32", "float64"], "dtype came as .*but all members share it"),
        ("n_threads", np.array([1, 2]), "n_threads came as .*but all members share it"),
        ("max_memory", [1e9], "max_memory came as .*but all members share it"),
        ("optimizer", ["sgd", "adam"], r"optimizer came as \['sgd', 'adam'\], but all members share it"),
        ("rate", [0.1] * 9, r"Give seeds=\[0\] \* 9 for 9 members with the same start, or seeds=range\(9\) for"),
        ("l2", [], "l2 has 0 entries, but there is 1 member "),
        ("epochs", 5.0, r"epochs came as 5.0; needs a whole number in \[1, inf\)\. Write 5\."),
        ("learning_rate", 0.1, r"unknown setting 'learning_rate'.*there is rate, a number, and schedule="),
        ("alpha", 0.1, "unknown setting 'alpha'.*l2 = alpha / batch"),
        ("lr", 0.1, r"Did you mean rate\?"),
        ("seed", 0, r"Did you mean seeds\?"),
        ("random_state", 0, r"Did you mean seeds\?"),
        ("callbacks", (), r"rate\.$"),  # no hint to what only `train` has
    ],
)
def test_each_error_names_the_setting_and_what_came(setting: str, value: object, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        Recipe.make(**{setting: value})


@pytest.mark.parametrize("wrong", [{"metric": "accuracy"}, {"patience": 0}, {"min_delta": -1.0}])
def test_stopping_refuses_what_it_cannot_mean(wrong: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=next(iter(wrong))):
        Stopping(**wrong)  # type: ignore[arg-type]


def test_names_may_be_known_beside_those_of_a_recipe() -> None:
    check_names(["epochs", "rate", "seeds", "callback"], also=["callback"])
    for name, meant in (("random_state", "seed"), ("callbacks", "callback"), ("sample_weights", "sample_weight")):
        with pytest.raises(SettingError, match=rf"'{name}'.*needs one of .*, seed, .*Did you mean {meant}\?"):
            check_names([name], also=["seed", "callback", "sample_weight"])


def test_memory_may_be_a_float_that_is_whole() -> None:
    assert Recipe.make(max_memory=2e9) == Recipe.make(max_memory="2GB")
