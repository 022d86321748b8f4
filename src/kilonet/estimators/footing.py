"""What training stands on, and keeps when it goes on later: columns, targets, network, random draws."""

import warnings
from dataclasses import dataclass
from typing import Any

import joblib
import numpy as np
from sklearn.base import clone

from kilonet.checks import as_float_dtype, whole
from kilonet.errors import DataWarning, SettingError
from kilonet.estimators.labels import Labels
from kilonet.estimators.numbers import Numbers
from kilonet.estimators.plan import Draws, network_of
from kilonet.estimators.rows import Rows, is_frame, plain_numbers
from kilonet.estimators.settings import Settings
from kilonet.network import Network
from kilonet.tables import TableEncoder


@dataclass(frozen=True, eq=False)
class Footing:
    """Settled by the first training rows: how X and y become numbers, the networks, the draws, the number type.

    encoder: a fitted `TableEncoder`, or None for numbers as they are. codec: `Labels` or `Numbers`, which
    hold the loss. seeds: one per member. dtype: "float32" or "float64".
    """

    encoder: TableEncoder | None
    codec: Labels | Numbers
    network: Network
    draws: Draws
    seeds: tuple[int, ...]
    dtype: str

    @property
    def loss(self) -> Any:
        """The loss as an object."""
        return self.codec.loss

    def inputs(self, X: Any) -> Any:
        """X (a frame, array or CSR) as what the network is given: a C-ordered array or CSR of `dtype`."""
        encoded = plain_numbers(X, self.dtype) if self.encoder is None else self.encoder.encode(X)
        if isinstance(encoded, np.ndarray):
            return np.ascontiguousarray(encoded, dtype=self.dtype)
        return encoded.astype(self.dtype, copy=False)


class Encodings:
    """Encoders and encoded tables, made once for all estimators that learn from the same rows of one table."""

    def __init__(self) -> None:
        self._encoders: dict[Any, TableEncoder] = {}
        self._tables: dict[Any, tuple[Any, Any]] = {}

    def encoder(self, encode: Any, rows: Rows) -> TableEncoder | None:
        """The encoder that `encode` asks for, fitted to the rows; None for numbers as they are."""
        if encode is None:
            return None
        weights = rows.masked_weights
        key = (
            encode if isinstance(encode, str) else joblib.hash(encode),
            None if weights is None else weights.tobytes(),
        )
        if key not in self._encoders:
            encoder = TableEncoder() if isinstance(encode, str) else clone(encode)
            with warnings.catch_warnings():
                if self._encoders:  # the first one has said all that there is to say of the columns
                    warnings.simplefilter("ignore", DataWarning)
                self._encoders[key] = encoder.fit(rows.X, sample_weight=weights)
            encoder.said_by(next(iter(self._encoders.values())))
        return self._encoders[key]

    def forget_parts(self) -> None:
        """Let go of tables of some of the rows, which can be had again from those of all."""
        self._tables = {key: own for key, own in self._tables.items() if key[-1] is None}

    def inputs(self, footing: Footing, rows: Rows) -> Any:
        """Rows as what the networks are given; the same array for whoever asks for the same ones."""
        places = None if rows.places is None else rows.places.tobytes()
        whole = (id(footing.encoder), footing.dtype, id(rows.X), None)
        if whole not in self._tables:
            self._tables[whole] = rows.X, footing.inputs(rows.X)  # X is kept: its id belongs to nobody else meanwhile
        if places is not None and (*whole[:3], places) not in self._tables:
            self._tables[*whole[:3], places] = rows.X, self._tables[whole][1][rows.places]
        return self._tables[*whole[:3], places][1]


def found(settings: Settings, rows: Rows, codec: Labels | Numbers, draws: Draws, encodings: Encodings) -> Footing:
    """Fit the encoder to the training rows, and lay out the network that fits them."""
    encoder = encodings.encoder(settings.encode, rows)
    dtype = None if settings.dtype is None else as_float_dtype("dtype", settings.dtype).name
    n_inputs = int(rows.X.shape[1]) if encoder is None else encoder.state_.width
    network = network_of(settings, n_inputs, codec.n_outputs)
    seeds = draws.seeds(whole("members", settings.members))
    return Footing(encoder, codec, network, draws, seeds, dtype or _followed(rows.X))


def check_same(settings: Settings, footing: Footing, loss: Any) -> None:
    """Training can only go on with the networks and the loss it has. Raises SettingError otherwise."""
    if settings.members != len(footing.seeds):
        raise SettingError(
            f"training cannot go on with members={settings.members}: it began with {len(footing.seeds)}. "
            "Set members back, or fit anew with warm_start=False."
        )
    network = network_of(settings, footing.network.n_inputs, footing.network.n_outputs)
    if network != footing.network:
        raise SettingError(
            f"training cannot go on with another network: it began with {footing.network!r}, and the settings now "
            f"describe {network!r}. Set hidden, activation and initializer back, or fit anew with warm_start=False."
        )
    if loss is not None and loss != footing.loss:
        raise SettingError(
            f"training cannot go on with loss={loss!r}: it began with {footing.loss!r}. "
            "Set it back, or fit anew with warm_start=False."
        )


def _followed(X: Any) -> str:
    """The number type that X suggests: float32 for frames and narrow floats, else float64."""
    if is_frame(X) or (X.dtype.kind == "f" and X.dtype.itemsize <= 4):
        return "float32"
    return "float64"
