"""A plane through a table as networks see it: which two columns of numbers matter, and where the others are held."""

import math
from dataclasses import dataclass
from typing import Any, Self

import narwhals.stable.v2 as nw
import numpy as np
from numpy.typing import NDArray

from kilonet.engine import choose
from kilonet.estimators.labels import Labels
from kilonet.estimators.rows import is_frame
from kilonet.estimators.trials import Trial
from kilonet.record import Runs
from kilonet.tables import TableEncoder
from kilonet.tables.state import State

Array = NDArray[Any]
Floats = NDArray[np.float64]
Places = NDArray[np.int64]

ROWS = 256  # that columns are shuffled on
COLUMNS = 20  # that are shuffled
SHUFFLES = 5
_ENOUGH = 3  # different values of an axis: two are a yes or no
_DIGITS = 6  # of a column's spread


@dataclass(frozen=True, eq=False)
class Coded:
    """Training rows as networks are given them, Z (n, width), and which of its columns stand for what.

    state: of the encoder. Columns of the table are known by their places in it.
    """

    Z: Array
    state: State

    @classmethod
    def of(cls, trial: Trial) -> Self | None:
        """The rows of a trial; None where they are sparse, bent or cut, or come from an encoder of another kind."""
        Z, encoder = trial.work.problem.X, trial.work.footing.encoder
        if not isinstance(Z, np.ndarray) or not isinstance(encoder, TableEncoder | None):
            return None
        if encoder is not None and not encoder.state_.straight:
            return None
        return cls(Z, _unchanged(trial, Z.shape[1]) if encoder is None else encoder.state_)

    @property
    def numbers(self) -> list[int]:
        """The columns of numbers."""
        return [j for j, kind in enumerate(self.state.kinds) if kind == "number"]

    def known(self, j: int) -> NDArray[np.bool_]:
        """In which rows a column is not missing (n,)."""
        if not self.state.marked[j]:
            return np.ones(len(self.Z), dtype=bool)
        return np.asarray(self.Z[:, self.state.starts[j] + self.state.widths[j]] == 0)

    def own(self, j: int) -> slice:
        """What stands for a column, with the mark of its missing values."""
        start = int(self.state.starts[j])
        return slice(start, start + int(self.state.widths[j]) + int(self.state.marked[j]))

    def values(self, j: int, codes: Any) -> Floats:
        """Numbers of a column in the units of the data, from what networks are given for them."""
        mean, shift, divisor = self._standard(j)
        if math.isinf(divisor):  # a constant column
            return np.full(np.shape(codes), mean)
        return np.asarray(shift + divisor * np.asarray(codes, dtype=np.float64))

    def codes(self, j: int, values: Floats) -> Floats:
        """What networks are given for numbers of a column."""
        _, shift, divisor = self._standard(j)
        return np.asarray((values / 16 - shift / 16) / (divisor / 16))  # so that huge differences stay finite

    def _standard(self, j: int) -> tuple[float, float, float]:
        standard, place = self.state.standard, int(np.searchsorted(self.state.numeric, j))
        return float(standard.fill[place]), float(standard.shift[place]), float(standard.divisor[place])

    def ends(self, j: int) -> tuple[float, float]:
        """The smallest and the largest number of a column."""
        codes = self.Z[self.known(j), self.state.starts[j]]
        low, high = self.values(j, [codes.min(), codes.max()]).tolist()
        return low, high

    def typical(self) -> tuple[Array, dict[int, Any]]:
        """A row (width,) of medians and most frequent values, and these by column; missing ones do not count.

        Columns that networks do not see, such as identifiers, have none.
        """
        row, found = np.zeros(self.Z.shape[1], self.Z.dtype), dict[int, Any]()
        for j, kind in enumerate(self.state.kinds):
            start, width = int(self.state.starts[j]), int(self.state.widths[j])
            cells = self.Z[self.known(j), start : start + width]
            if kind == "number":
                row[start] = np.median(cells)
                found[j] = rounded(self.values(j, row[start : start + 1]), *self.ends(j))[0]
            elif kind == "boolean":
                row[start] = cells.mean() > 0.5
                found[j] = bool(row[start])
            elif kind == "category":
                most = int(cells.sum(axis=0).argmax())
                row[start + most] = 1
                found[j] = self.state.categories[j][most]
        return row, found


def _unchanged(trial: Trial, d: int) -> State:
    """What an encoder would know of columns that are given to networks as they are."""
    X = trial.held_out[0]
    if is_frame(X):
        truths = [dtype == nw.Boolean for dtype in nw.from_native(X, eager_only=True).schema.values()]
    else:
        truths = [np.asarray(X).dtype.kind == "b"] * d
    names = tuple(getattr(trial.estimator, "feature_names_in_", [f"x{j}" for j in range(d)]))
    kinds = tuple("boolean" if truth else "number" for truth in truths)
    return State(names, kinds, np.zeros(d), np.ones(d), np.zeros(d), {}, centred=True, standardize=False)


def rounded(values: Floats, low: float, high: float) -> list[float]:
    """Numbers to a millionth of the spread of their column: what is beyond is noise of float32."""
    spread = high - low or abs(high) or 1.0
    digits = _DIGITS - math.floor(math.log10(spread)) if math.isfinite(spread) else 0
    return [round(value, digits) for value in values.tolist()]


@dataclass(frozen=True, eq=False)
class Learnt:
    """A trained network that is asked in rows as it is given them; reach (width,): size of each input's weights."""

    codec: Labels
    predictor: Any
    reach: Floats

    @classmethod
    def of(cls, trial: Trial, runs: Runs) -> Self | None:
        """What came out of a trial for classes; None where training left the finite numbers."""
        if np.any(np.asarray(runs.diverged)):
            return None
        footing, theta = trial.work.footing, np.atleast_2d(np.array(runs.theta))
        weights = np.moveaxis(footing.network.views(theta)[0].W, -1, 0).reshape(footing.network.n_inputs, -1)
        predictor = choose(footing.network).Predictor(footing.network, theta)
        assert isinstance(footing.codec, Labels)  # noqa: S101 - for the type checker: classifiers have no other
        return cls(footing.codec, predictor, np.linalg.norm(weights.astype(np.float64), axis=1))

    def classes(self, Z: Array) -> Places:
        """Places of the classes that are predicted (n,)."""
        labels = self.codec.chosen(self.predictor.scores(Z)[0])
        return self.codec.indices(labels)

    def shares(self, Z: Array) -> Floats:
        """Probabilities of the classes (n, k); scores where the loss has none."""
        found: Floats = self.codec.probabilities(self.predictor.scores(Z)[0].astype(np.float64))
        return found


def most_used(rows: Coded, network: Learnt, seed: int) -> tuple[int, int]:
    """The two columns of numbers on which the answers of a network depend most, in their order in the table.

    How much does an answer change, in probability, where a column is shuffled? (Permutation importance of Breiman
    2001, by answers and not by errors.) Of many columns those are shuffled that move the first layer most when
    they are. Columns of two values are taken where there are no others. Whoever calls has seen that there are two.
    """
    random, columns = np.random.default_rng(seed), np.array(rows.numbers)
    some = np.sort(random.choice(len(rows.Z), min(len(rows.Z), ROWS), replace=False))
    Z = rows.Z[some]
    orders = [random.permutation(len(Z)) for _ in range(SHUFFLES)]
    starts = rows.state.starts[columns]
    moved = np.mean([np.abs(Z[:, starts] - Z[order][:, starts]).mean(axis=0) for order in orders], axis=0)
    varied = _different(rows, Z, columns)
    likely = np.lexsort((-moved * network.reach[starts], -varied))[:COLUMNS]
    used = dict.fromkeys(likely.tolist(), 0.0)
    if len(columns) > 2:
        before = network.shares(Z)
        used = {place: _change(network, Z, rows.own(columns[place]), orders, before) for place in used}
    first, second = sorted(sorted(used, key=lambda place: (-varied[place], -used[place], place))[:2])
    return int(columns[first]), int(columns[second])


def _different(rows: Coded, Z: Array, columns: Places) -> Places:
    """How many different values columns have among some rows, 3 at most."""
    cells = Z[:, rows.state.starts[columns]].astype(np.float64)
    for place, j in enumerate(columns):
        if rows.state.marked[j]:
            cells[Z[:, rows.own(j).stop - 1] != 0, place] = np.nan
    ordered = np.sort(cells, axis=0)  # NaN comes last, and is above nothing
    return np.asarray(np.minimum(1 + (ordered[1:] > ordered[:-1]).sum(axis=0), _ENOUGH))


def _change(network: Learnt, Z: Array, own: slice, orders: list[Places], before: Floats) -> float:
    """The probability that goes to other classes where a column is shuffled: mean over rows and orders."""
    total = 0.0
    for order in orders:
        shuffled = Z.copy()
        shuffled[:, own] = Z[order, own]
        total += float(np.abs(network.shares(shuffled) - before).sum(axis=1).mean()) / 2
    return total / len(orders)
