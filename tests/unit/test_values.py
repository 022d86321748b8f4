"""One mechanism for names, variants, texts and JSON, over every family."""

import contextlib
import json
import pickle
from dataclasses import FrozenInstanceError
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kilonet.activations import ACTIVATIONS, leaky_relu
from kilonet.errors import SettingError
from kilonet.initializers import INITIALIZERS, he
from kilonet.layers import LAYERS, Dense, Maxout
from kilonet.losses import LOSSES, cross_entropy, huber
from kilonet.optimizers import OPTIMIZERS, SGD, Adam
from kilonet.schedules import SCHEDULES, cosine, step, warm_up
from kilonet.values import Family, Value

FAMILIES: list[Family[Any]] = [ACTIVATIONS, INITIALIZERS, LAYERS, LOSSES, OPTIMIZERS, SCHEDULES]
VALUES: list[tuple[Family[Any], Value]] = [(family, value) for family in FAMILIES for value in family.table.values()]
VARIANTS: list[tuple[Family[Any], Value]] = [
    (OPTIMIZERS, Adam(3e-3, beta2=0.99)),
    (OPTIMIZERS, SGD((0.1, 0.2))),
    (SCHEDULES, warm_up(2, then=warm_up(0.5, then=cosine(0.1)))),
    (SCHEDULES, step(every=3)),
    (INITIALIZERS, he("normal", slope=0.2)),
    (LAYERS, Dense(3, leaky_relu(0.2), he("normal"))),
    (LAYERS, Maxout(3, 4)),
]


@pytest.mark.parametrize(("family", "value"), VALUES + VARIANTS, ids=str)
def test_every_description_leads_back(family: Family[Any], value: Value) -> None:
    assert family.parse(value) is value
    assert family.parse(str(value)) == value
    assert family.parse(json.loads(json.dumps(value.to_json()))) == value
    assert pickle.loads(pickle.dumps(value)) == value  # noqa: S301 (made here)
    assert hash(family.parse(str(value))) == hash(value)


def test_values_are_frozen_and_compare_by_their_settings() -> None:
    assert huber(2) == huber(delta=2.0) != huber
    with pytest.raises(FrozenInstanceError):
        huber.delta = 3.0  # type: ignore[misc]


def test_a_variant_keeps_what_it_does_not_name() -> None:
    assert he("normal")(slope=0.5) == he("normal", 0.5)


def test_a_class_stands_for_its_default() -> None:
    assert OPTIMIZERS.parse(Adam) == Adam()


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: huber(1, 2), "huber takes the settings delta; came (1, 2)"),
        (lambda: huber(1, delta=2), "got delta twice"),
        (lambda: LOSSES.parse("huber(1, delta=2)"), "got delta twice"),
        (lambda: LOSSES.parse(""), "unknown loss ''; needs one of absolute, cross_entropy"),
        (lambda: LOSSES.parse(None), "unknown loss None"),
        (lambda: LOSSES.parse({}), "unknown loss {}"),
        (lambda: LOSSES.parse({"name": ["huber"]}), "unknown loss"),
        (lambda: LOSSES.parse({"name": "huber", "sigma": 3}), "came (sigma=3)"),
        (lambda: LOSSES.parse("huber(1) + huber(2)"), "cannot read the loss"),
        (lambda: LOSSES.parse("huber(**{})"), "cannot read the loss"),
        (lambda: LOSSES.parse("huber(" + "(" * 5000), "cannot read the loss"),
        (lambda: LOSSES.parse("huber(\0)"), "cannot read the loss"),
        (lambda: LAYERS.parse("dense"), "the layer dense came without units"),
        (lambda: LAYERS.parse("dense(activation=relu)"), "the layer dense came without units"),
        (lambda: LAYERS.parse({"name": "maxout", "pieces": 3}), "the layer maxout came without units"),
        (lambda: SCHEDULES.parse("warm_up(then=cosin)"), "Did you mean cosine?"),
        (lambda: cross_entropy("0.1"), "cross_entropy's smoothing came as '0.1'; needs a number in [0, 1)"),
    ],
)
def test_a_wrong_description_is_refused_in_words(made: Any, says: str) -> None:
    with pytest.raises(SettingError) as caught:
        made()
    assert says in str(caught.value)


@given(st.text() | st.from_regex(r"(huber|quantile|squared)\([^)]{0,20}\)?.{0,5}"))
def test_any_text_is_a_value_or_a_setting_error(text: str) -> None:
    with contextlib.suppress(SettingError):
        value = LOSSES.parse(text)
        assert LOSSES.parse(str(value)) == value
