"""Thresholds: names that there are, in their ranges and in order."""

import copy
import pickle
from dataclasses import fields, replace
from typing import Any

import pytest

from kilonet.diagnostics.thresholds import DEFAULT, Thresholds
from kilonet.errors import SettingError


@pytest.mark.parametrize("name", ["dead", "dead_fial", "daed_warn"])
def test_names_that_there_are_none_of_get_the_near_ones(name: str) -> None:
    with pytest.raises(
        SettingError, match=rf"'{name}' is no threshold; needs the name of one. Near it are .*dead_warn"
    ):
        Thresholds(**{name: 0.5})
    with pytest.raises(
        SettingError, match=rf"'{name}' is no threshold; needs the name of one. Near it are .*dead_warn"
    ):
        DEFAULT.source(name)


@pytest.mark.parametrize("name", ["nix", "", 3, None])
def test_names_near_to_nothing_are_told_where_to_look(name: Any) -> None:
    with pytest.raises(SettingError, match=r"is no threshold; .* help\(kn.Thresholds\) tells of all"):
        DEFAULT.source(name)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"dead_fail": 2}, r"dead_fail came as 2; needs a number in \[0, 1\]"),
        ({"leak_warn": 1.1}, r"leak_warn came as 1.1; needs a number in \[0, 1\]"),
        ({"grown": -1}, r"grown came as -1; needs a number in \[0, inf\)"),
        ({"ratio_warn": float("nan")}, "ratio_warn came as nan"),
        ({"dead_warn": "0.5"}, "dead_warn came as '0.5'"),
        ({"dead_warn": 0.5}, "dead_warn is 0.5 and dead_fail is 0.4; needs dead_warn <= dead_fail. Set both."),
        ({"deviation_low": 20}, "deviation_low is 20 and deviation_warn is 10"),
        ({"start_low_warn": 11}, "start_low_warn is 11 and start_warn is 10"),
        ({"ratio_low": 0.7, "ratio_warn": 0.6}, "ratio_low is 0.7 and ratio_warn is 0.6"),
    ],
)
def test_values_out_of_range_or_order_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(SettingError, match=words):
        Thresholds(**given)


def test_each_warning_is_at_most_its_failure() -> None:
    names = [entry.name for entry in fields(Thresholds)]
    for stem in (name.removesuffix("_fail") for name in names if name.endswith("_fail")):
        bound = 1.0 if stem in ("dead", "saturated") else 1000.0
        assert Thresholds(**{f"{stem}_fail": bound, f"{stem}_warn": bound}).source(f"{stem}_fail") == "set by the user"
        with pytest.raises(SettingError, match=rf"needs {stem}_warn <= {stem}_fail"):
            Thresholds(**{f"{stem}_warn": bound})


def test_thresholds_are_values() -> None:
    own = Thresholds(dead_fail=0.5)
    assert copy.deepcopy(own) == pickle.loads(pickle.dumps(own)) == replace(Thresholds(), dead_fail=0.5)  # noqa: S301
