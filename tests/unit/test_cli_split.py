"""Held-out rows: scikit-learn's where it can draw them, and never the last row of a class."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.model_selection import train_test_split

from kilonet.cli.split import split_rows


def test_classes_are_split_as_scikit_learn_does():
    y = np.repeat([0, 1, 2], [50, 30, 20])
    split = split_rows(y, 0.2, seed=3, classes=True)
    train, held_out = train_test_split(np.arange(100), test_size=0.2, random_state=3, stratify=y)
    assert split.train.tolist() == train.tolist()
    assert split.held_out.tolist() == held_out.tolist()
    assert split.how == "drawn from every class with seed 3"


def test_numbers_are_split_as_scikit_learn_does():
    split = split_rows(np.linspace(0, 1, 31), 0.25, seed=5, classes=False)
    train, held_out = train_test_split(np.arange(31), test_size=0.25, random_state=5)
    assert split.train.tolist() == train.tolist()
    assert split.held_out.tolist() == held_out.tolist()


@given(
    labels=st.lists(st.integers(0, 6), min_size=1, max_size=40),
    fraction=st.sampled_from([0.0, 0.05, 0.2, 0.5, 0.95]),
    seed=st.integers(0, 5),
)
def test_every_row_is_on_one_side_and_every_class_is_trained_on(labels, fraction, seed):
    y = np.array(labels)
    split = split_rows(y, fraction, seed, classes=True)
    assert sorted([*split.train, *split.held_out]) == list(range(len(y)))
    assert set(y[split.train]) == set(labels)
    assert len(split.held_out) <= np.ceil(fraction * len(y))


@pytest.mark.parametrize(
    ("y", "fraction", "says"),
    [
        ([0, 1] * 5, 0.0, "as asked"),
        ([1], 0.2, "too few"),
        ([1, 2, 3, 4], 0.2, "every class has a single row"),
        ([0, 0, 1, 2, 3, 4], 0.2, "one row of each class stays"),
        (
            [0] * 38 + [1] * 2,
            0.95,
            "one row of each class stays",
        ),  # two rows to train on, in proportion both of class 0
    ],
)
def test_the_reason_is_said(y, fraction, says):
    assert says in split_rows(np.array(y), fraction, 0, classes=True).how
