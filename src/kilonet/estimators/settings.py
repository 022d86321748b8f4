"""The settings that both estimators share, each written once.

scikit-learn reads an estimator's parameters from the signature of `__init__`. A dataclass writes that
signature from its fields, so a field here is the only place where a parameter has its name, its type
and its default.
"""

from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np

from kilonet.checks import whole
from kilonet.errors import SettingError
from kilonet.estimators.renamed import with_hints
from kilonet.history import EpochRecord
from kilonet.numerals import count
from kilonet.rules import PER_MEMBER, entries, one_for_all

Callback = Callable[[EpochRecord], Any]

SETTINGS = """\
    Settings (all but the first by name; values may be strings or objects such as `kn.Adam(3e-3)`):
        hidden: units of the hidden layers: an int, or a tuple of ints, `Dense` and `Maxout` layers;
            () is a single-layer network. Graphs of layers are for `kn.train`.
        activation: of the hidden layers that bring none of their own: "relu", "tanh", kn.elu(0.5), ...
        loss: "auto" is {loss}.
        optimizer, rate: "adam" and so on; rate=None is the optimizer's own rate, or ten times that where
            hidden=() and the optimizer is "adam", "adamw", "rmsprop" or "adagrad" by name.
        schedule: what becomes of the rate: "constant", "step", "cosine", "warm_up", or a sequence of
            factors, one per epoch.
        batch: rows of a step; "auto" is 32 up to 10,000 training rows, else 128.
        epochs: passes over the rows; "auto" is 100, or what makes 2,000 to 8,000 steps, but 20 at least and
            1,000 at most.
        l2, l1: ½·l2·ΣW² + l1·Σ|W| is added to the mean loss; biases are free.
        dropout, input_noise, max_norm: share of hidden outputs dropped, standard deviation of the noise
            added to the (encoded) inputs, longest row of weights.
        early_stopping: stop when `monitor` ("loss" or "score" on the validation rows) has not become better
            by more than min_delta for `patience` epochs, and go back to the best epoch. Without
            validation_data a share of validation_fraction of the rows is held out for it; no rows are
            held out otherwise.
        validation_data: (X, y) or (X, y, sample_weight), for early stopping and the validation curves.
        encode: "auto" passes X through a `TableEncoder` (numbers standardized, text one-hot, NaN a missing
            value; sparse columns are scaled but not centred, so that their zeros stay zeros); a TableEncoder
            of your own is used instead of it; None takes numbers as they are.
        initializer: of the weights; None takes what fits the activation.
        members: how many networks are trained at once, all of this description, from initial weights (and dropout
            and noise) of their own and on the same batches. The mean of what they predict is the prediction,
            `predict_members` and `predict_std` tell them apart. The first is the network that members=1 trains.
            rate, schedule, l2, l1, dropout, input_noise and max_norm may be lists with one entry for each, and so
            may the smoothing of the labels: loss=kn.cross_entropy(smoothing=[0, 0.1]).
        dtype: "float32" or "float64"; None trains arrays in their own type, in NumPy mostly float64, and data frames
            in float32, of which a vector holds twice as many.
        warm_start: `fit` goes on from where the last one ended, until `epochs` in total; see `fit`.
        callbacks: a function or several; each gets an `EpochRecord` after every epoch, and training ends
            when one returns True.
        watch: epochs from one look inside the networks to the next, for `history_.dead` and its like; "auto" is so
            many that 2,000 rows lie between, 0 never looks. The results are the same.
        verbose: show a progress bar, on a terminal only.
        n_jobs: threads; -1 is as many of all processors as make it quicker, None the same, or 1 inside a
            joblib worker. The result does not depend on it.
        random_state: decides the initial weights, the order of the rows, dropout, noise and the held-out rows.
"""

ATTRIBUTES = """
    Attributes after `fit`:
        network_, theta_: the description and its parameters (n_parameters,), read-only; (members, n_parameters)
            where there are several members.
        coefs_, intercepts_: per layer, (fan_in, fan_out) and (fan_out,) as scikit-learn has them; a maxout
            layer has one of each per piece, in front; several members stand in front of all.
        history_: curves `loss`, `score`, `validation_loss`, `validation_score`, each (n_iter_,), or
            (n_iter_, members), NaN where a member had stopped; monitors `dead`, `saturated` and so on of each layer,
            NaN in epochs that were not looked into. `history_.last("dead")` is the last known value.
        n_iter_, best_epoch_, loss_: epochs trained; the epoch theta_ is of (from 1); its training loss. Of several
            members: of the longest; (members,); the mean.
        encoder_, n_features_in_, feature_names_in_, n_outputs_, recipe_, engine_, interrupted_.
"""


@dataclass(eq=False, repr=False)
class Settings:
    """Parameters of `MLPClassifier` and `MLPRegressor`; their docstrings say what each one means."""

    hidden: Any = (100,)
    _: KW_ONLY
    activation: Any = "relu"
    loss: Any = "auto"
    optimizer: Any = "adam"
    rate: float | None = None
    schedule: Any = "cosine"
    batch: int | str = "auto"
    epochs: int | str = "auto"
    l2: float = 1e-4
    l1: float = 0.0
    dropout: float = 0.0
    input_noise: float = 0.0
    max_norm: float | None = None
    early_stopping: bool = False
    monitor: str = "loss"
    patience: int = 10
    min_delta: float = 0.0
    validation_fraction: float = 0.1
    validation_data: Sequence[Any] | None = None
    encode: Any = "auto"
    initializer: Any = None
    members: int = 1
    dtype: Any = None
    warm_start: bool = False
    callbacks: Callback | Sequence[Callback] | None = None
    watch: int | str = "auto"
    verbose: bool = False
    n_jobs: int | None = None
    random_state: Any = None


Documented = TypeVar("Documented", bound=type)


def documented(loss: str) -> Callable[[Documented], Documented]:
    """Class decorator: puts the shared settings and attributes where a docstring says {settings} and {attributes}.

    A setting that is unknown then gets a hint.
    """

    def insert(estimator: Documented) -> Documented:
        with_hints(estimator)
        text = estimator.__doc__ or ""
        text = text.replace("    {settings}\n", SETTINGS.replace("{loss}", loss))
        estimator.__doc__ = text.replace("    {attributes}\n", ATTRIBUTES)
        return estimator

    return insert


def check_settings(settings: Settings) -> None:
    """Refuse what only estimators know; how to train is checked where the recipe is made.

    Raises SettingError naming the setting, what came and what is allowed.
    """
    for name in ("early_stopping", "warm_start", "verbose"):
        value = getattr(settings, name)
        if not isinstance(value, (bool, np.bool_, Integral)):
            raise SettingError(f"{name}={value!r}; it must be True or False.")
    for name in ("batch", "epochs"):
        value = getattr(settings, name)
        if isinstance(value, str) and value != "auto":
            raise SettingError(f"{name}={value!r}; it must be a whole number, at least 1, or 'auto'.")
    _check_members(settings)
    fraction = settings.validation_fraction
    if not isinstance(fraction, Real) or isinstance(fraction, bool) or not 0 < fraction < 1:
        raise SettingError(f"validation_fraction={fraction!r}; it must be a number between 0 and 1.")
    _check_encode(settings.encode)
    _check_callbacks(settings)


def _check_members(settings: Settings) -> None:
    """Refuse lists of what all members share, and lists of another length than there are members."""
    members = whole("members", settings.members)
    differing = [name for name in PER_MEMBER if hasattr(settings, name)]
    for name in ("optimizer", "loss", "batch", "epochs", "dtype"):
        one_for_all(name, getattr(settings, name), differing)
    given = {name: entries(name, getattr(settings, name)) for name in differing}
    given["the loss"] = getattr(settings.loss, "n_members", None)
    for name, n in given.items():
        if n is not None and n != members:
            raise SettingError(
                f"{name} has {count(n, 'entry', 'entries')}, one per member, but members={members}; "
                f"give one value for all of them, or set members={n}."
            )


def _check_encode(encode: Any) -> None:
    table_encoder = hasattr(encode, "fit") and hasattr(encode, "transform") and hasattr(encode, "to_json")
    if not (encode is None or table_encoder or (isinstance(encode, str) and encode == "auto")):
        raise SettingError(f"encode={encode!r}; it must be 'auto', None (numbers as they are) or a TableEncoder.")


def _check_callbacks(settings: Settings) -> None:
    for callback in callbacks_of(settings):
        if not callable(callback):
            raise SettingError(
                f"callbacks has {callback!r}, which cannot be called; "
                "a callback is a function of one EpochRecord that returns True to stop training."
            )


def callbacks_of(settings: Settings) -> list[Callback]:
    """The user's callbacks as a list."""
    given = settings.callbacks
    if given is None:
        return []
    if isinstance(given, (list, tuple)):
        return list(given)
    return [given]  # type: ignore[list-item]
