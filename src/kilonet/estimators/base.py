"""What both estimators do alike: train, go on, and look into the network."""

import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Self
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from kilonet import persistence
from kilonet.checks import whole
from kilonet.engine import choose
from kilonet.errors import DataError, SettingError
from kilonet.estimators import ensemble
from kilonet.estimators.footing import Encodings, Footing, check_same, found
from kilonet.estimators.labels import Labels
from kilonet.estimators.numbers import Numbers
from kilonet.estimators.plan import Draws, endless, training_settings
from kilonet.estimators.rows import Rows, hold_out, read_table
from kilonet.estimators.run import Work, adopt, go_on, run
from kilonet.estimators.saving import to_model
from kilonet.estimators.settings import Settings, check_settings

# Packed parameters of fitted estimators, for cheap repeated predictions. They are kept outside the
# estimators, whose attributes predicting must not change, and from which copies and pickles are made.
_PREDICTORS: WeakKeyDictionary[Any, tuple[Any, Any]] = WeakKeyDictionary()
if hasattr(os, "register_at_fork"):  # one that serves another thread during a fork would be busy for ever in the child
    os.register_at_fork(after_in_child=_PREDICTORS.clear)


class Unchanged(TransformerMixin):
    """Its transform gives what it is given, in the container that scikit-learn's `set_output` asks for.

    scikit-learn puts a wrapper around `transform` where a class defines it, and nothing else that is public
    knows what is made of an array. Called with another transformer as self, the wrapper goes by that one's settings.
    """

    def transform(self: Any, X: Any) -> Any:
        """X, or a data frame of it with the columns that `get_feature_names_out` of self tells."""
        return X


class BaseMLP(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Settings, BaseEstimator):
    """A fully-connected network, or several, as a scikit-learn estimator; the subclasses say what y is."""

    _footing: Footing

    @classmethod
    @cache
    def _get_param_names(cls) -> list[str]:
        """Names of the parameters; scikit-learn reads them from the signature anew at every get, set and clone."""
        names: list[str] = super()._get_param_names()
        return names

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on X (n, n_features) and y, and give the estimator itself.

        X: an array, a scipy.sparse matrix or a data frame; NaN is a missing value unless encode is None.
        The columns of a frame are known by their names: predicting needs the same ones in the same order,
        and says so where they are others. An array has no names; given one where a frame was fitted,
        scikit-learn warns and the columns are taken as they stand.
        sample_weight: (n,), not negative; a row of weight 0 counts as absent, and where all rows fit
        into one batch a row of weight 2 counts as two rows.

        With warm_start=True a fitted estimator goes on instead of beginning anew: same parameters,
        optimizer's memory, step count, columns, target scale and random draws, until `epochs` in
        total. On the same rows fit(epochs=5) and then fit(epochs=10) is, bit for bit, fit(epochs=10),
        provided the schedule does not look at the end of training (cosine does) and no setting but
        `epochs` changed.

        Raises SettingError, DataError and ShapeError (all ValueError) for settings and data that
        cannot be used, and DivergenceError when not even one epoch stayed finite. Ctrl-C ends
        training with what has been learned so far, with a warning; `interrupted_` is then True. A
        ConvergenceWarning of scikit-learn says that the training loss still fell as fast at the end as
        before, so that the network could not have learned what there is: `epochs` or `rate` is too small.
        """
        check_settings(self)
        if not (self.warm_start and hasattr(self, "_footing")):
            work = self._fresh_work(X, y, sample_weight, Encodings())
            return adopt(self, work, run(self, work))
        rows, held_out = self._validation(self._rows(X, y, sample_weight, reset=False), self._footing.draws)
        footing = self._footing
        check_same(self, footing, self._given_loss())
        settings = training_settings(self, footing.network, len(rows), footing.draws, footing.dtype)
        if not go_on(self, settings):
            return self
        work = Work.of(self, footing, settings, (rows, held_out), Encodings(), going_on=True)
        return adopt(self, work, run(self, work), judged=False)

    def _fresh_work(self, X: Any, y: Any, sample_weight: Any, encodings: Encodings) -> Work:
        """What `fit` of an estimator that begins anew is going to train, with settings that have been checked."""
        known = self._rows(X, y, sample_weight, reset=True)
        draws = Draws.of(self.random_state)
        rows, held_out = self._validation(known, draws)
        footing = found(self, rows, self._codec(rows, known), draws, encodings)
        settings = training_settings(self, footing.network, len(rows), draws, footing.dtype)
        return Work.of(self, footing, settings, (rows, held_out), encodings, going_on=False)

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, codec: Any) -> Self:
        """One more epoch over these rows; `codec` makes the codec if this is the first call."""
        check_settings(self)
        if self.early_stopping:
            raise SettingError(
                "partial_fit makes one epoch per call and cannot stop early; set early_stopping=False. "
                "validation_data works here, and history_ has its curves."
            )
        first = not hasattr(self, "_footing")
        rows = self._rows(X, y, sample_weight, reset=first)
        if first:
            footing = found(self, rows, codec(rows), Draws.of(self.random_state), Encodings())
        else:
            footing = self._footing
            check_same(self, footing, self._given_loss())
        _, held_out = self._validation(rows, footing.draws)
        settings = training_settings(self, footing.network, len(rows), footing.draws, footing.dtype)
        settings["epochs"] = 1 if first else self.n_iter_ + 1
        settings["schedule"] = endless(settings["schedule"])
        work = Work.of(self, footing, settings, (rows, held_out), Encodings(), going_on=not first)
        return adopt(self, work, run(self, work), judged=False)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the fitted estimator to one file, in one step, and give the path; `kn.load` reads it.

        Raises FileFormatError for what a file cannot hold: an activation, loss or label of your own kind.
        """
        return persistence.save(to_model(self), path)

    def _rows(self, X: Any, y: Any, sample_weight: Any, *, reset: bool) -> Rows:
        table = read_table(self, X, reset=reset)
        return Rows.of(table, self._target_array(y), sample_weight)

    def _validation(self, rows: Rows, draws: Draws) -> tuple[Rows, Rows | None]:
        """Training rows, and those given or held out for validation."""
        given = self.validation_data
        if given is not None:
            if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
                raise SettingError("validation_data must be (X, y) or (X, y, sample_weight).")
            try:
                return rows, self._rows(given[0], given[1], given[2] if len(given) == 3 else None, reset=False)
            except ValueError as error:
                raise DataError(f"validation_data: {error}") from error
        if self.early_stopping:
            return hold_out(rows, self.validation_fraction, draws.split, stratify=self._stratify)
        return rows, None

    # What the subclasses say.
    _stratify = False

    def _target_array(self, y: Any) -> NDArray[Any]:
        raise NotImplementedError

    def _codec(self, rows: Rows, known: Rows) -> Labels | Numbers:
        raise NotImplementedError

    def _given_loss(self) -> Any:
        raise NotImplementedError

    def _row_weights(self, rows: Rows, codec: Labels | Numbers) -> NDArray[np.float64] | None:  # noqa: ARG002 - classes use it
        return rows.own_weights

    # Looking into the network.
    def _inputs(self, X: Any) -> Any:
        check_is_fitted(self)
        return self._footing.inputs(read_table(self, X, reset=False))

    def _predictor(self) -> Any:
        theta, predictor = _PREDICTORS.get(self, (None, None))
        if predictor is None or theta is not self.theta_:
            predictor = choose(self.network_).Predictor(self.network_, self.theta_)
            _PREDICTORS[self] = (self.theta_, predictor)
        return predictor

    @property
    def _n_members(self) -> int:
        return 1 if self.theta_.ndim == 1 else len(self.theta_)

    def _pooled(self, X: Any, pool: Callable[[NDArray[Any]], NDArray[Any]], axis: int = 0) -> NDArray[Any]:
        """What pool makes of the scores (members, rows, outputs); axis: where its results have the rows."""
        return self._pooled_inputs(self._inputs(X), pool, axis)

    def _pooled_inputs(self, inputs: Any, pool: Callable[[NDArray[Any]], NDArray[Any]], axis: int = 0) -> NDArray[Any]:
        """As _pooled, of rows that are encoded."""
        predictor, members, outputs = self._predictor(), self._n_members, self.network_.n_outputs
        pieces = [inputs[rows] for rows in ensemble.blocks(inputs.shape[0], members, outputs)]
        found = [pool(predictor.scores(piece).reshape(members, -1, outputs)) for piece in pieces]
        return found[0] if len(found) == 1 else np.concatenate(found, axis=axis)

    def transform(self, X: Any, layer: int = -1) -> NDArray[Any]:
        """Outputs (n, units) of a hidden layer for X, in the type of theta_; of several members (n, members * units).

        The units of the first member come first. layer: 0 is the first hidden layer, −1 the last: what the output
        layer sees, which in a single-layer network are the encoded columns themselves, once. Names of the columns
        (`get_feature_names_out`, `set_output`) are those of the last. Raises SettingError where there
        is no such layer.
        """
        inputs = self._inputs(X)
        n_hidden = self.network_.n_layers - 1
        if n_hidden == 0 and layer == -1:
            return inputs  # type: ignore[no-any-return]
        if n_hidden == 0:
            raise SettingError(f"layer={layer}, but hidden=() is a network without hidden layers; leave layer out.")
        place = whole("layer", layer, f"[{-n_hidden}, {n_hidden - 1}]") % n_hidden
        if place != n_hidden - 1 and self._gives_frames():
            raise SettingError(
                f"transform(X, layer={layer}) cannot be a data frame, whose columns are named for the last hidden "
                "layer; ask for arrays: set_output(transform='default')."
            )
        outputs: NDArray[Any] = self._predictor().hidden(inputs, place)
        by_row = np.moveaxis(outputs.reshape(self._n_members, *outputs.shape[-2:]), 0, 1)
        return by_row.reshape(inputs.shape[0], -1)

    def _gives_frames(self) -> bool:
        """Whether scikit-learn makes data frames of what `transform` gives."""
        return not isinstance(Unchanged.transform(self, np.zeros((0, self._n_features_out))), np.ndarray)

    @property
    def _n_features_out(self) -> int:
        members = self._n_members if self.network_.n_layers > 1 else 1
        return members * int(self.network_.sizes[-2])

    @property
    def coefs_(self) -> list[NDArray[Any]]:
        """Weights of each layer, (fan_in, units); (pieces, fan_in, units) for maxout; several members in front."""
        check_is_fitted(self)
        return [view.W.swapaxes(-1, -2) for view in self.network_.views(self.theta_)]

    @property
    def intercepts_(self) -> list[NDArray[Any]]:
        """Biases of each layer, (units,); (pieces, units) for maxout; several members in front."""
        check_is_fitted(self)
        return [view.b for view in self.network_.views(self.theta_)]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = self.encode is not None
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
