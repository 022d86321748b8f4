"""The notes' figure: as much as 40% of the units of a ReLU network die where the rate is too high.

A reduced form of `benchmarks/dying.py`, whose table stands in docs/diagnostics.md.
"""

import numpy as np
import pytest

from benchmarks.dying import sweep

RATES = (0.1, 1.5)


def test_relu_units_die_where_the_rate_is_too_high_and_not_where_it_is_not() -> None:
    healthy, too_high = sweep("relu", RATES, seeds=4, epochs=6)
    assert healthy.dead == 0
    assert healthy.accuracy > 0.98
    assert too_high.dead >= 0.4
    assert too_high.accuracy < 0.5
    # The last epoch's outputs tell the same: a ReLU is dead if it is above zero on no row.
    assert too_high.never_positive == pytest.approx(too_high.dead, abs=1e-6)


@pytest.mark.parametrize("unit", ["leaky_relu", "prelu", "maxout"])
def test_units_with_a_slope_everywhere_do_not_die(unit: str) -> None:
    cells = sweep(unit, RATES, seeds=4, epochs=6)
    assert cells[0].finite == 4
    assert [cell.dead for cell in cells if cell.finite] == [0.0] * sum(cell.finite > 0 for cell in cells)
    assert np.isfinite(cells[0].accuracy)
