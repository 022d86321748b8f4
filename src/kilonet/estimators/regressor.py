"""MLPRegressor: a fully-connected network that predicts numbers."""

from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin

from kilonet.estimators.base import BaseMLP
from kilonet.estimators.numbers import Numbers, number_array
from kilonet.estimators.plan import loss_of
from kilonet.estimators.rows import Rows
from kilonet.estimators.settings import documented

LOSSES = ("squared", "absolute", "huber", "quantile")
_LOSS = """squared; "absolute" aims at the median, kn.quantile(0.9) at a quantile, kn.huber(1.0)
            bounds the pull of outliers"""


@documented(_LOSS)
@dataclass(eq=False, repr=False, kw_only=True)
class MLPRegressor(RegressorMixin, BaseMLP):
    """A fully-connected network that predicts one number per row, or several.

    y: (n,) or (n, n_targets). Each target column is standardized for training, by its weighted mean and
    standard deviation over the training rows, and predictions are turned back: so targets of any size
    train alike, and huber's delta is in standard deviations. The losses in `history_` and `loss_` are those
    of the standardized target, in which min_delta counts too; the scores (R²) are the same in any units.

    {settings}
    {attributes}

    >>> import numpy as np
    >>> X = np.linspace(-2, 2, 40)[:, None]
    >>> regressor = MLPRegressor(hidden=(20,), activation="tanh", rate=0.01, random_state=0)
    >>> bool(regressor.fit(X, 1000 + 50 * np.sin(X[:, 0])).score(X, 1000 + 50 * np.sin(X[:, 0])) > 0.99)
    True
    >>> several = MLPRegressor(hidden=(20,), members=5, epochs=9, random_state=0).fit(X, X[:, 0])
    >>> several.predict(X).shape, several.predict_members(X).shape, several.predict_std(X).shape
    ((40,), (5, 40), (40,))
    """

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One more epoch over these rows, going on exactly from where training stood.

        The first call settles the encoder, the place and size of the target and the number type. Calls
        on the same rows equal one fit with as many epochs and schedule="constant", bit for bit. The
        rate follows the schedule, but for cosine, which needs an end and is constant here.
        """
        return self._partial_fit(X, y, sample_weight, lambda rows: self._codec(rows, rows))

    def predict(self, X: Any) -> NDArray[np.float64]:
        """Predictions in the units of y, float64 (n,), or (n, n_targets) where y had two axes.

        Of several members: the mean of what they predict.
        """
        # The mean of the scores is of moderate size, whatever the size of y.
        return self._pooled(X, lambda scores: self._numbers.predictions(scores.mean(axis=0, dtype=np.float64)))

    def predict_members(self, X: Any) -> NDArray[np.float64]:
        """What each member predicts by itself: (members, n), or (members, n, n_targets) where y had two axes."""

        def predictions(scores: NDArray[Any]) -> NDArray[np.float64]:
            return np.stack([self._numbers.predictions(own) for own in scores])

        return self._pooled(X, predictions, axis=1)

    def predict_std(self, X: Any) -> NDArray[np.float64]:
        """Standard deviation over the members of their predictions, in the units of y, shaped like `predict`.

        It is that of these members (divided by their number), and 0 for a single one: how much the networks
        disagree, not how far they are off.
        """
        return self._pooled(X, lambda scores: self._numbers.spread(scores.std(axis=0, dtype=np.float64)))

    @property
    def _numbers(self) -> Numbers:
        return cast(Numbers, self._footing.codec)

    def _target_array(self, y: Any) -> NDArray[Any]:
        return number_array(y)

    def _codec(self, rows: Rows, known: Rows) -> Numbers:  # noqa: ARG002 - held-out rows must not show through
        return Numbers.of(rows.targets, rows.own_weights, self._given_loss())

    def _given_loss(self) -> Any:
        return loss_of(self.loss, LOSSES, "MLPClassifier")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
