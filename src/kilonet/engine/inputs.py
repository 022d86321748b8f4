"""Data from users in the form that engines take: inputs, weights of rows and of classes.

Each function says what came, what was needed, where, and what to do.
"""

from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike, NDArray

from kilonet.checks import shown
from kilonet.engine.problem import Problem, Validation
from kilonet.errors import DataError, SettingError, ShapeError
from kilonet.network import Network
from kilonet.numerals import count
from kilonet.recipe import Recipe
from kilonet.rules import wrong_count

Floats = NDArray[np.float64]
BLOCK = 1 << 18  # numbers looked at together when all have to be finite: they stay in the cache


def checked_inputs(X: Any, n_inputs: int, dtype: str, what: str = "X") -> Any:
    """X as a C-contiguous array or a canonical CSR matrix in dtype; copied only if it has to be.

    Raises ShapeError for other than (n, n_inputs), DataError for no rows, for what is no number and
    for infinity or NaN, naming the place.

    >>> checked_inputs([[1, 2], [3, np.inf]], 2, "float32")
    Traceback (most recent call last):
    kilonet.errors.DataError: X[1, 1] is inf; inputs must be finite. ...
    """
    given = X if scipy.sparse.issparse(X) else np.asarray(X)
    if given.ndim != 2 or given.shape[1] != n_inputs:
        raise ShapeError(
            f"{what} has shape {given.shape}; the network needs (n_examples, {n_inputs}). "
            "One row per example; did you drop or add a feature column?"
        )
    if given.shape[0] == 0:
        raise DataError(f"{what} has no rows; at least one example is needed.")
    if given.dtype.kind not in "fiub":
        raise DataError(f"{what} has dtype {given.dtype}; needs numbers. kilonet.TableEncoder turns tables into them.")
    with np.errstate(over="ignore"):  # what does not fit becomes infinite and is named below
        cast = _csr(given, dtype) if scipy.sparse.issparse(given) else np.ascontiguousarray(given, dtype=dtype)
    _require_finite(cast, given, what)
    return cast


def _csr(X: Any, dtype: str) -> Any:
    cast = X.tocsr().astype(dtype, copy=False)
    if not cast.has_canonical_format:
        cast = cast.copy()
        cast.sum_duplicates()
    return cast


def _require_finite(cast: Any, given: Any, what: str) -> None:
    sparse = scipy.sparse.issparse(cast)
    flat = cast.data if sparse else cast.reshape(-1)
    for start in range(0, flat.size, BLOCK):
        finite = np.isfinite(flat[start : start + BLOCK])
        if finite.all():
            continue
        at = start + int(np.argmin(finite))
        row = int(np.searchsorted(cast.indptr, at, side="right")) - 1 if sparse else at // cast.shape[1]
        column = int(cast.indices[at]) if sparse else at % cast.shape[1]
        came = given.tocsr()[row, column] if sparse else given[row, column]
        remedy = "Remove the row or impute the value (missing values are what kilonet.TableEncoder is for)."
        if np.isfinite(came):
            remedy = f"It is beyond the range of {cast.dtype}: scale the column, or use dtype='float64'."
        raise DataError(f"{what}[{row}, {column}] is {came}; inputs must be finite. {remedy}")


def checked_weights(
    weights: ArrayLike | None, n_rows: int, what: str = "sample_weight", n_members: int | None = None
) -> Floats | None:
    """Weights as float64 (n_rows,), or (n_members, n_rows) where members may have their own; None as it came.

    Raises ShapeError for another shape, DataError for negative or non-finite weights and for a sum
    of zero.

    >>> checked_weights([1, 2], 2)
    array([1., 2.])
    """
    if weights is None:
        return None
    try:
        cast = np.ascontiguousarray(weights, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"{what} holds something that is no number ({error}); needs one weight per row.") from None
    if cast.shape != (n_rows,) and (n_members is None or cast.shape != (n_members, n_rows)):
        own = "" if n_members is None else f", or ({n_members}, {n_rows}) for weights of each member's own"
        raise ShapeError(f"{what} has shape {cast.shape}; needs ({n_rows},), one weight per row{own}.")
    bad = ~(np.isfinite(cast) & (cast >= 0))
    if bad.any():
        row = tuple(int(i) for i in np.argwhere(bad)[0])
        raise DataError(f"{what}[{', '.join(map(str, row))}] is {cast[row]}; weights must be finite and not negative.")
    with np.errstate(over="ignore"):
        totals = np.atleast_1d(cast.sum(axis=-1))
    for member, total in enumerate(totals):
        if not 0 < total < np.inf:
            named = f"{what}[{member}]" if cast.ndim == 2 else what
            raise DataError(f"{named} sums to {total}; needs a finite sum above 0, so at least one row with a weight.")
    return cast


def member_weights(
    specs: Any, y: ArrayLike, sample_weight: ArrayLike | None, n_rows: int, n_members: int, kind: str
) -> Floats | None:
    """Weights (n,) of all members' rows, or (members, n) of each one's: sample weights times class weights.

    specs: what `class_weights` takes, or a list with one for each member.
    """
    weights = checked_weights(sample_weight, n_rows, n_members=n_members)
    if not isinstance(specs, list | tuple):
        if weights is None or weights.ndim == 1 or specs is None:
            return class_weights(specs, y, weights, kind)
        specs = [specs] * n_members
    if len(specs) != n_members:
        raise wrong_count("class_weight", len(specs), n_members)
    own = [weights] * n_members if weights is None or weights.ndim == 1 else list(weights)
    found = [class_weights(spec, y, row, kind) for spec, row in zip(specs, own, strict=True)]
    return np.array([np.ones(n_rows) if row is None else row for row in found])


def class_weights(spec: Any, y: ArrayLike, weights: Floats | None, kind: str) -> Floats | None:
    """Weight of every row from the weight of its class, times `weights`.

    spec: None, a dict from class to weight (1 for classes that it does not name), or "balanced":
    total / (number of classes · size of the class), sizes counted with `weights`. y (n,) or (n, 1)
    as the user gave it. kind: what `loss.kind` says. Raises DataError where y holds no classes,
    SettingError for another spec.

    >>> class_weights("balanced", [0, 0, 0, 1], None, "classes")
    array([0.66666667, 0.66666667, 0.66666667, 2.        ])
    """
    if spec is None:
        return weights
    labels = np.asarray(y)
    labels = labels[:, 0] if labels.ndim == 2 and labels.shape[1] == 1 else labels
    if kind == "numbers" or labels.ndim != 1:
        raise DataError("class_weight needs one class per row; for numbers or several outputs use sample_weight.")
    classes, of_row = np.unique(labels, return_inverse=True)
    if isinstance(spec, str) and spec == "balanced":
        sizes = np.bincount(of_row, weights=weights, minlength=len(classes)).astype(np.float64)
        filled = np.count_nonzero(sizes)
        factors = np.divide(sizes.sum(), filled * sizes, out=np.zeros(len(classes)), where=sizes > 0)
    elif isinstance(spec, dict):
        factors = np.array([spec.get(label.item(), 1.0) for label in classes], dtype=np.float64)
    else:
        raise SettingError(f"class_weight came as {spec!r}; needs None, 'balanced' or a dict from class to weight.")
    return checked_weights(factors[of_row] * (1.0 if weights is None else weights), len(labels), "class_weight")


def require_rows(what: str, n_rows: int, X: Any) -> None:
    """Raise ShapeError unless `what`, with n_rows, has as many rows as X."""
    if n_rows != X.shape[0]:
        raise ShapeError(f"{what} has {n_rows} rows, but its X has {X.shape[0]}; each example needs one of each.")


def assemble(
    network: Network,
    loss: Any,
    X: Any,
    y: ArrayLike,
    recipe: Recipe,
    validation: Any = None,
    sample_weight: ArrayLike | None = None,
    class_weight: Any = None,
) -> Problem:
    """The checked Problem of what the user gave; the errors are those of the functions above and of the loss."""
    X = checked_inputs(X, network.n_inputs, recipe.dtype)
    targets = loss.targets(y, network.n_outputs, recipe.dtype)
    require_rows("y", len(targets), X)
    kind, members = loss.kind(targets), recipe.n_members
    weights = member_weights(class_weight, y, sample_weight, len(targets), members, kind)
    check_members(loss, members)
    return Problem(network, loss, X, targets, weights, _validation(network, loss, recipe, validation), recipe)


def check_members(loss: Any, n_members: int, *, seeded: bool = True) -> None:
    """Raise SettingError for a loss with settings for another number of members; seeded: whether seeds make members."""
    given = loss.n_members
    if given is not None and given != n_members:
        if seeded:
            raise wrong_count(repr(loss), given, n_members)
        raise SettingError(f"{loss!r} has settings for {given} members, but theta is of {count(n_members, 'member')}.")


def _validation(network: Network, loss: Any, recipe: Recipe, given: Any) -> Validation | None:
    if given is None:
        if any(rule is not None for rule in recipe.each("stopping")):
            raise SettingError("stopping needs rows to judge by; give validation=(Xv, yv), or leave stopping out.")
        return None
    if not isinstance(given, tuple | list) or len(given) not in (2, 3):
        raise SettingError(f"validation came as {shown(given)}; needs (X, y) or (X, y, sample_weight).")
    X = checked_inputs(given[0], network.n_inputs, recipe.dtype, "validation X")
    targets = loss.targets(given[1], network.n_outputs, recipe.dtype)
    require_rows("validation y", len(targets), X)
    weights = checked_weights(given[2] if len(given) == 3 else None, len(targets), "validation sample_weight")
    return Validation(X, targets, weights)
