"""The benchmark that judges the verdicts, in small: that it counts what it says it counts."""

import numpy as np
import pytest

from benchmarks import calibration
from kilonet.comparison import ENOUGH


def test_a_large_margin_is_seen_and_named() -> None:
    """Two units cannot tell a disc from a ring, 48 can: the loss differs by a third, and 2 is never called better."""
    said = calibration.judged(calibration.PROCESSES[0], (2, 48), 3e-3, draws=3, seed=77, seeds=2)
    assert set(said) <= {"tie", "48"}
    assert "48" in said


def test_true_losses_are_of_rows_that_training_has_not_seen() -> None:
    process = calibration.PROCESSES[0]
    losses = calibration.true_losses(process, [(0, 1e-3), (16, 1e-2)], draws=3, seed=5)
    assert losses.shape == (3, 2)
    assert losses[:, 0].mean() > np.log(2) - 0.05  # nothing linear tells a disc from a ring
    # 15% of the labels are wrong: who knows the rest loses this much in nats, and nobody less.
    floor = -(0.85 * np.log(0.85) + 0.15 * np.log(0.15))
    assert floor < losses[:, 1].mean() < losses[:, 0].mean()


def test_a_choice_loses_what_its_true_loss_says() -> None:
    lost = calibration.choices(calibration.PROCESSES[0], draws=2, truths=4, seed=99, seeds=1)
    assert len(lost) == 2
    assert min(lost) >= 0
    assert max(lost) < 0.1


def test_shares_have_exact_intervals() -> None:
    found = calibration.shown(0, 20)
    assert (found["share"], found["low"]) == (0.0, 0.0)
    assert found["high"] == pytest.approx(1 - 0.025 ** (1 / 20))


def test_every_search_has_splits_enough_for_a_verdict() -> None:
    record = calibration.searched(calibration.PROCESSES[2], (2,), [1e-2], seed=3, seeds=1)
    assert len(record.splits) >= ENOUGH
