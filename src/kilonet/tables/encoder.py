"""TableEncoder: tables of numbers, texts and gaps to the plain numbers that a network takes."""

import warnings
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from kilonet.checks import number
from kilonet.errors import DataError, FileFormatError, SettingError, ShapeError, users_line
from kilonet.tables import pieces
from kilonet.tables.cells import UnusableError
from kilonet.tables.encoding import encode
from kilonet.tables.inputs import arrange, as_cells, closest, counted, is_frame, open_frame, output_type
from kilonet.tables.learning import learn
from kilonet.tables.refused import refusal
from kilonet.tables.said import Said
from kilonet.tables.sparse import canonical
from kilonet.tables.state import State


class TableEncoder(TransformerMixin, BaseEstimator):
    """Turn a table into numbers for a network: a scikit-learn transformer.

    - Numbers: missing ones become the mean of the training rows, and a 0/1 column `age_missing` is added
      where training rows had gaps. Then (x - mean) / std (divided by n, as StandardScaler does); a column
      that is constant in training becomes 0, whatever comes later.
    - Truth values become 0 and 1.
    - Texts and categorical types become one 0/1 column for each category (`city=Paris`), and
      `city_missing` where training rows had gaps. A category that training did not have is all zeros and
      said once by DataWarning. Of more than 1,000 categories the most frequent 1,000 are kept; a column of
      more than 100 texts that on average occur less than twice is an identifier and is left out (LeftOutWarning).
    - Texts that all write out numbers are numbers; give the column a categorical type if they are codes.
    - A column without any value is left out too, but in sparse tables.
    - Sparse tables are divided by std but not centred, and stay sparse.

    Missing are NaN, None, a library's own missing value and an empty text. Refused with a DataError that
    names column and row: infinity, texts in a column of numbers, dates and times, nested values. Texts that look
    like dates, "13.04.2020", are categories like other texts; a DataWarning says so.

    Weighted rows count as if they were repeated; rows of weight zero count as absent.

    Args:
        standardize: whether numbers are made standard; False leaves them as they are (gaps filled).
        robust: whether the median stands for the mean, and the quartiles for the standard deviation.
        bound: what numbers that were made standard are kept within: x becomes x/√(1+(x/bound)²), so that outliers stay
            near; None leaves them where they are.
        pieces: into how many numbers are also cut, at quantiles of training: inputs that are 0 below a piece, 1 above,
            with which networks bend where the rows are (piecewise linear encoding; Gorishniy, Rubachev & Babenko 2022);
            together they vary as the number does. Of many columns each has fewer, or none, and of sparse tables none.
        dtype: of the output: "float32", "float64", or None for the dtype of a float array (other arrays:
            float64) and float32 for data frames.

    Attributes:
        state_: what was learnt, a frozen value (kinds, mean, std, missing, categories).
        n_features_in_: number of input columns.
        feature_names_in_: their names (d,), where the training table had names.

    >>> import numpy as np
    >>> encoder = TableEncoder().fit(np.array([["1.5", "Paris"], ["2.5", "Rome"], ["", "Rome"]]))
    >>> encoder.get_feature_names_out(["size", "city"]).tolist()
    ['size', 'size_missing', 'city=Paris', 'city=Rome']
    >>> encoder.transform(np.array([["2.0", "Rome"]])).tolist()
    [[0.0, 0.0, 0.0, 1.0]]
    """

    state_: State
    n_features_in_: int

    def __init__(
        self,
        *,
        standardize: bool = True,
        robust: bool = False,
        bound: float | None = None,
        pieces: int = 0,
        dtype: Any = None,
    ) -> None:
        self.standardize = standardize
        self.robust = robust
        self.bound = bound
        self.pieces = pieces
        self.dtype = dtype

    def fit(self, X: Any, y: object = None, sample_weight: ArrayLike | None = None) -> Self:  # noqa: ARG002
        """Learn means, deviations and categories from the training table.

        X (n, d): an array, a sparse table, or a data frame of any library that narwhals reads; y is ignored;
        sample_weight (n,) >= 0. Returns the encoder. Raises DataError, ShapeError or SettingError.
        """
        for name in ("standardize", "robust"):
            if not isinstance(getattr(self, name), bool | np.bool_):
                raise SettingError(f"{name}={getattr(self, name)!r}: needs True or False")
        output_type(self.dtype, None)
        bound = None if self.bound is None else number("bound", self.bound, "(0, inf)")
        cuts = pieces.checked(self.pieces)
        X = self._open(X, reset=True)
        X, weights, rows = counted(X, sample_weight)
        names = tuple(getattr(self, "feature_names_in_", [f"x{j}" for j in range(self.n_features_in_)]))
        try:
            learnt, said = learn(X, names, weights, bool(self.standardize), bool(self.robust), cuts)
            self.state_ = replace(learnt, bound=bound, robust=bool(self.robust), cuts=cuts)
        except UnusableError as error:
            raise refusal(error, names, rows, X) from None
        self._warned: set[tuple[int, str]] = set()
        self._say(said)
        if self.state_.width == 0:
            raise DataError(
                "no column of the table can be used (see the warnings). Give at least one column to learn from"
            )
        return self

    def transform(self, X: Any) -> Any:
        """The numbers of a table: (n, n_outputs), sparse if X is sparse and training was.

        X has the columns of training: a data frame by the same names in the same order (see `arrange`), an
        array by count. Raises DataError; a gap or a category that training did not have is a DataWarning.
        """
        check_is_fitted(self)
        return self._encode(self._open(X, reset=False))

    def encode(self, X: Any) -> Any:
        """As transform, for callers that have compared the columns' names and number with training's."""
        check_is_fitted(self)
        return self._encode(self._check(X))

    def arrange(self, X: Any) -> Any:
        """A data frame with the columns of training in training's order; others are left out.

        Raises DataError when a column is missing. What has no column names comes back as it is.
        """
        check_is_fitted(self)
        return arrange(X, list(getattr(self, "feature_names_in_", [])))

    def get_feature_names_out(self, input_features: ArrayLike | None = None) -> NDArray[np.object_]:
        """Names of the output columns (n_outputs,), such as "age", "age_missing" and "city=Paris"."""
        check_is_fitted(self)
        names = self.state_.names
        if input_features is not None:
            given = tuple(str(name) for name in np.asarray(input_features, dtype=object))
            if hasattr(self, "feature_names_in_") and given != names:
                raise DataError("input_features is not equal to feature_names_in_. Leave it out, or give those names")
            if len(given) != len(names):
                raise ShapeError(
                    f"input_features should have length equal to number of features ({len(names)}), got {len(given)}"
                )
            names = given
        return np.array(self.state_.output_names(names), dtype=object)

    def notes(self) -> list[str]:
        """One sentence for each column with gaps and each that was left out, for a program to show.

        >>> TableEncoder().fit([[1.0], [3.0], [float("nan")], [2.0]]).notes()
        ['column "x0": 25.0% of its values are missing; their mean 2 stands for them and "x0_missing" is 1 there']
        """
        check_is_fitted(self)
        return self.state_.notes()

    def to_json(self) -> dict[str, Any]:
        """Everything that was learnt, as JSON values; from_json makes an equal encoder of it."""
        check_is_fitted(self)
        return {
            "name": "table_encoder",
            "dtype": None if self.dtype is None else np.dtype(self.dtype).name,
            "named": hasattr(self, "feature_names_in_"),
            **self.state_.to_json(),
        }

    @classmethod
    def from_json(cls, d: Any) -> "TableEncoder":
        """The fitted encoder that to_json described; FileFormatError when the description is broken.

        >>> encoder = TableEncoder().fit([[1.0], [2.0]])
        >>> TableEncoder.from_json(encoder.to_json()).transform([[3.0]]).tolist()
        [[3.0]]
        """
        state = State.from_json(d)
        if d.get("name") != "table_encoder" or d.get("dtype") not in [None, "float32", "float64"]:
            raise FileFormatError("the description is not that of a table encoder, or was edited. Save the model again")
        how = {name: getattr(state, name) for name in ("standardize", "robust", "bound")}
        encoder = cls(**how, pieces=state.cuts, dtype=d.get("dtype"))
        encoder.state_, encoder.n_features_in_, encoder._warned = state, len(state.names), set()
        if d.get("named"):
            encoder.feature_names_in_ = np.array(state.names, dtype=object)
        return encoder

    def said_by(self, other: "TableEncoder") -> None:
        """Say no more what another encoder of the same columns has said, now or later."""
        self._warned = other._warned  # noqa: SLF001 - of its own kind

    def __sklearn_tags__(self) -> Any:
        """Sparse tables and NaN are taken; a weighted fit equals one on repeated rows.

        `string` stays False although texts are taken: that tag would ask to accept any object at all.
        """
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"] if self.dtype is None else [self.dtype]
        return tags

    def _open(self, X: Any, *, reset: bool) -> Any:
        if self._plain(X, reset):
            self.n_features_in_ = X.shape[1]
            return X
        try:
            if is_frame(X):
                frame = open_frame(X)
                validate_data(self, frame.to_native(), reset=reset, skip_check_array=True)
                return frame
            X = as_cells(X)
            X = validate_data(self, X, reset=reset, accept_sparse=True, dtype=None, ensure_all_finite=False)
        except DataError:
            raise
        except ValueError as error:
            advice = "" if reset else closest(X, getattr(self, "feature_names_in_", None))
            raise DataError(f"{error}{advice}") from None
        return canonical(X) if sparse.issparse(X) else X

    def _plain(self, X: Any, reset: bool) -> bool:
        """Whether X is an array in which scikit-learn's validation, dear for a single row, would find nothing."""
        if type(X) is not np.ndarray or X.ndim != 2 or X.size == 0 or X.dtype.kind not in "biuf":
            return False
        return not hasattr(self, "feature_names_in_") and (reset or X.shape[1] == self.n_features_in_)

    def _check(self, X: Any) -> Any:
        """X opened without a look at its column names, for encode()."""
        if is_frame(X):
            return open_frame(X)
        return canonical(X) if sparse.issparse(X) else np.asarray(as_cells(X))

    def _encode(self, X: Any) -> Any:
        if X.shape[1] != self.n_features_in_:
            raise ShapeError(f"X has {X.shape[1]} columns; training had {self.n_features_in_}. Give the same columns")
        try:
            out, said = encode(X, self.state_, output_type(self.dtype, getattr(X, "dtype", None)))
        except UnusableError as error:
            raise refusal(error, self.state_.names, None, None) from None
        self._say(said)
        return out

    def _say(self, said: Said) -> None:
        for key in said.remarks:
            if key not in self._warned:
                self._warned.add(key)
                warnings.warn(said.warning(key, self.state_.names[key[0]]), stacklevel=users_line())
