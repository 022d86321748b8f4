"""What both estimators that tune themselves do alike."""

import os
import re
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state, indexable
from sklearn.utils.validation import check_is_fitted

from kilonet import persistence
from kilonet.checks import shown
from kilonet.errors import DataError, DivergenceWarning, SettingError, users_line
from kilonet.estimators.footing import Encodings
from kilonet.estimators.rows import Rows, read_table
from kilonet.estimators.trials import Common, Split
from kilonet.search import given
from kilonet.search.splits import Target
from kilonet.tables import TableEncoder
from kilonet.tuned.assembly import record_of
from kilonet.tuned.effort import Wanted
from kilonet.tuned.fitting import Choice, Fitting, carried_out
from kilonet.tuned.folds import drawn
from kilonet.tuned.gathering import Part
from kilonet.tuned.judging import Judge
from kilonet.tuned.page import write
from kilonet.tuned.record import wild, worse
from kilonet.tuned.saving import to_model
from kilonet.tuned.tuning import Tuning

Floats = NDArray[np.float64]


class FoldMember(NamedTuple):
    """A network of the model: the split that it was trained on, its share in the mean, and its configuration."""

    split: int
    weight: float
    params: dict[str, Any]
    network: Any
    theta: NDArray[Any]


@dataclass(eq=False, repr=False)
class BaseTuned(BaseEstimator):
    """Settings and fit of `MLPClassifierCV` and `MLPRegressorCV`; their docstrings say what each one means."""

    hidden: Any = None
    _: KW_ONLY
    activation: Any = None
    l2: Any = None
    rate: Any = None
    dropout: Any = None
    cv: Any = None
    budget: Any = "auto"
    runs: int | None = None
    tuning: Tuning | None = None
    callback: Any = None
    n_jobs: int | None = None
    random_state: Any = None

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Train on X (n, n_features) and y (n,), choose, and give the estimator itself.

        X: an array, a scipy.sparse matrix or a data frame, with texts and gaps as they come. sample_weight (n,): counts
        in training and in the choice; rows of weight 0 count as absent. groups (n,): rows of one are never parted.
        Raises SettingError, DataError and ShapeError (all ValueError) for settings and data that cannot be used, and
        DivergenceError where no configuration stayed finite. Ctrl-C is a KeyboardInterrupt.
        """
        begun = time.perf_counter()
        if self.callback is not None and not callable(self.callback):
            raise SettingError(
                f"callback came as {shown(self.callback)}; needs a function of (networks done, most that there may "
                "be), or None."
            )
        X, y, sample_weight, groups = indexable(
            X, given.target(y, type(self).__name__), sample_weight, given.groups_of(groups)
        )
        tuning = self._tuning()
        wanted = Wanted(self.budget, self.runs)
        wanted.checked()
        grid = tuning.grid(**{name: getattr(self, name) for name in ("hidden", "activation", "l2", "rate", "dropout")})
        base = self._base(tuning)
        rows = _read(base, X, y, sample_weight)
        if rows.y.ndim != 1:
            raise DataError(f"y has shape {rows.y.shape}; {type(self).__name__} takes one target, (n,).")
        random_state, seed = check_random_state(self.random_state).randint(0, 2**31, size=2).tolist()
        folds, most = tuning.folds_of(len(rows)), wanted.draws(tuning.draws)
        draws = drawn(self.cv, X, Target(y, groups, rows.weights, base), folds, most, seed)
        base.set_params(epochs=tuning.epochs(round(np.mean([len(split.train) for split in draws.first.splits]))))
        common, judge = self._numbers(base, rows, tuning)
        fitting = Fitting.begun(base, common, judge, grid, draws, tuning, wanted, random_state, self.callback, begun)
        choice, parts, _ = carried_out(fitting)
        return self._keep(base, fitting, choice, parts, seed, begun)

    def _tuning(self) -> Tuning:
        if self.tuning is not None and not isinstance(self.tuning, Tuning):
            raise SettingError(f"tuning came as {self.tuning!r:.60}; needs a kilonet.tuned.Tuning, or None.")
        return self.tuning or Tuning()

    def _numbers(self, base: Any, rows: Rows, tuning: Tuning) -> tuple[Common, Judge]:
        """Rows and target as numbers, by encoders and a codec that all splits share."""
        codec = base._codec(rows, rows)
        common = Common(rows, codec, "float32", Encodings(), tuning.members)
        weights = np.zeros(len(rows.y))
        places = np.arange(len(rows.y)) if rows.places is None else rows.places
        own = base._row_weights(rows, codec)
        weights[places] = 1.0 if own is None else own
        return common, Judge(codec, self._judged(codec, rows.y), weights)

    def _keep(self, base: Any, fitting: Fitting, choice: Choice, parts: list[Part], seed: int, begun: float) -> Self:
        """What the estimator is known by afterwards."""
        for name in ("feature_names_in_", "n_features_in_"):
            self.__dict__.pop(name, None)
            if hasattr(base, name):
                setattr(self, name, getattr(base, name))
        for part in parts:
            part.estimator.__dict__.update({name: value for name, value in vars(base).items() if name.endswith("_in_")})
        self._parts, self._temperature, self._codec = parts, choice.of_model, fitting.common.codec
        self.splits_: list[Split] = list(fitting.used.splits)
        self.oof_ = self._in_units(choice.out_of_fold)
        self.best_params_ = choice.sound[choice.best].params
        self.temperature_ = choice.of_model
        self._kept(fitting, seed)
        members = sum(len(part.splits) for part in parts)
        self.record_ = record_of(fitting, choice, members, time.perf_counter() - begun)
        self.runs_ = fitting.runner.done
        if wild(self.record_):
            warnings.warn(f"{worse(self.record_)} Try lower rates.", DivergenceWarning, stacklevel=users_line())
        return self

    @property
    def members_(self) -> list[FoldMember]:
        """The networks whose mean is the model."""
        check_is_fitted(self)
        return [
            FoldMember(int(split), float(weight), dict(params), part.estimator.network_, theta)
            for part in self._parts
            for split, weight, params, theta in zip(
                part.splits, part.weights, part.params, np.atleast_2d(part.estimator.theta_), strict=True
            )
        ]

    def report(self, path: str | os.PathLike[str] | None = None) -> Any:
        """What was chosen, what tied, and how good it is out of fold: as text, or written to a file.

        path: of a page, .html or .md, or of data, .json; gives it back. Raises SettingError for another ending.
        """
        check_is_fitted(self)
        return str(self.record_) if path is None else write(self.record_, path)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the fitted estimator to one file, in one step, and give the path; `kn.load` reads it."""
        return persistence.save(to_model(self), path)

    # What members say.
    def _said(self, X: Any) -> Iterator[tuple[Part, Any]]:
        """Every part with the encoded rows, which each encoder makes once."""
        check_is_fitted(self)
        table, made = read_table(self, X, reset=False), dict[int, Any]()
        for part in self._parts:
            footing = part.estimator._footing
            if id(footing.encoder) not in made:
                made[id(footing.encoder)] = footing.inputs(table)
            yield part, made[id(footing.encoder)]

    def _fitted_codec(self) -> Any:
        check_is_fitted(self)
        return self._codec

    @property
    def encode(self) -> Any:
        """How rows become numbers, as reading a table asks."""
        return "auto"

    # What the subclasses say.
    def _together(self, X: Any) -> Floats:
        """What the model says of rows (n, k), as a judge takes it."""
        raise NotImplementedError

    def _judge_of(self, y: Any) -> Judge:
        """A judge of rows with these targets, each counting once."""
        raise NotImplementedError

    def _base(self, tuning: Tuning) -> Any:
        raise NotImplementedError

    def _judged(self, codec: Any, y: NDArray[Any]) -> NDArray[Any]:
        """Targets as a judge takes them."""
        raise NotImplementedError

    def _in_units(self, said: Floats) -> Floats:
        """What is said out of fold as predictions are."""
        raise NotImplementedError

    def _kept(self, fitting: Fitting, seed: int) -> None:
        """What one kind of estimator keeps beside."""

    def _settings(self, tuning: Tuning) -> dict[str, Any]:
        """What an estimator of single networks is told."""
        return {
            "optimizer": tuning.optimizer, "schedule": tuning.schedule, "batch": tuning.batch, "watch": 0,
            "dtype": "float32", "encode": TableEncoder(robust=tuning.robust), "n_jobs": self.n_jobs,
        }  # fmt: skip

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.sparse, tags.input_tags.allow_nan = True, True
        return tags


def _read(base: Any, X: Any, y: Any, sample_weight: Any) -> Rows:
    """Rows as an estimator of single networks reads them; what it says of itself holds for the one that tunes."""
    try:
        rows: Rows = base._rows(X, y, sample_weight, reset=True)
    except ValueError as error:
        error.args = (re.sub(r"\b(MLPClassifier|MLPRegressor)\b", r"\1CV", str(error)), *error.args[1:])
        raise
    return rows


def pooled(parts: Sequence[tuple[Part, Any]], say: Any) -> Any:
    """The weighted mean of what all members say of encoded rows; say: of scores (members, rows, outputs)."""
    total: Any = 0.0
    for part, inputs in parts:
        estimator, weights = part.estimator, part.weights
        total = total + estimator._pooled_inputs(inputs, lambda scores, w=weights: np.tensordot(w, say(scores), 1))
    return total
