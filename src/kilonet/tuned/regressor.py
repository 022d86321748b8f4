"""MLPRegressorCV: a regressor that tunes itself."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from kilonet.estimators import MLPRegressor
from kilonet.estimators.numbers import number_array
from kilonet.tuned.base import BaseTuned, pooled
from kilonet.tuned.documented import documented
from kilonet.tuned.fitting import Fitting
from kilonet.tuned.intervals import Residuals
from kilonet.tuned.judging import Judge, tempered
from kilonet.tuned.tuning import Tuning

Floats = NDArray[np.float64]


@documented("predictions (n,)")
@dataclass(eq=False, repr=False, kw_only=True)
class MLPRegressorCV(RegressorMixin, BaseTuned):
    """A regressor that tunes itself: networks of several configurations on folds, and the mean of the best ones.

    y: (n,), standardized for training. The configuration with the lowest squared loss out of fold is chosen, and its
    networks, one for each fold, are the model: the mean of what they predict, drawn towards the mean of the target
    where that was better out of fold. `predict_interval` tells how far off that may be. docs/tuned.md has the method.

    {settings}
    {attributes}

    >>> X = np.linspace(-2, 2, 80)[:, None]
    >>> regressor = MLPRegressorCV(hidden=16, runs=30, random_state=0).fit(X, 50 * X[:, 0] ** 2)
    >>> low, high = regressor.predict_interval([[1.0]], level=0.9)
    >>> bool(low < 50 < high), regressor.oof_.shape
    (True, (80,))
    """

    def predict(self, X: Any) -> Floats:
        """The mean of what the networks predict, in the units of y, float64 (n,)."""
        found: Floats = self._fitted_codec().predictions(self._together(X))
        return found

    def _together(self, X: Any) -> Floats:
        self._fitted_codec()
        found: Floats = pooled(list(self._said(X)), lambda scores: scores.astype(np.float64))
        return tempered(found, self._temperature)

    def predict_interval(self, X: Any, level: float = 0.9) -> tuple[Floats, Floats]:
        """Low and high (n,) between which a share `level` of new targets lies.

        They come from how far out-of-fold predictions were off: of every held-out row, the prediction for X of those
        networks that had not seen that row, plus and minus its residual (CV+, Barber et al. 2021). For new rows that
        come as the training rows did, about level comes; docs/tuned.md says why the bound that is proved for CV+ is
        no guarantee here. Every row with a weight counts once; rows of one group, and rows in time, do not come as
        the others do, so that less may be covered there. Raises SettingError where there are too few rows for such a
        level.
        """
        numbers = self._fitted_codec()
        each = [
            part.estimator._pooled_inputs(inputs, lambda scores: scores[..., 0].astype(np.float64), axis=1)
            for part, inputs in self._said(X)
        ]
        shares = np.concatenate([part.weights for part in self._parts])
        splits = np.concatenate([part.splits for part in self._parts])
        warm = self.record_.calibration["out_of_fold"]  # by which the predictions were divided that residuals are of
        predicted = numbers.predictions(np.concatenate(each).reshape(-1, 1) / warm).reshape(len(shares), -1)
        return self._residuals.interval(predicted, shares, splits, level)

    def _base(self, tuning: Tuning) -> Any:
        return MLPRegressor(**self._settings(tuning))

    def _judged(self, codec: Any, y: NDArray[Any]) -> NDArray[Any]:
        found: NDArray[Any] = codec.targets(y)[:, 0]
        return found

    def _judge_of(self, y: Any) -> Judge:
        codec = self._fitted_codec()
        return Judge(codec, codec.targets(number_array(y))[:, 0], np.ones(len(y)))

    def _in_units(self, said: Floats) -> Floats:
        numbers: Floats = self._fitted_codec().predictions(said)
        return numbers

    def _kept(self, fitting: Fitting, seed: int) -> None:
        off = fitting.common.rows.y - self.oof_
        self._residuals = Residuals.of(off, fitting.held(), seed)
