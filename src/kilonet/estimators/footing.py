"""What training stands on, and keeps when it goes on later: columns, targets, network, random draws."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone

from kilonet.checks import as_float_dtype, whole
from kilonet.errors import SettingError
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


def found(settings: Settings, rows: Rows, codec: Labels | Numbers, draws: Draws) -> Footing:
    """Fit the encoder to the training rows, and lay out the network that fits them."""
    encoder = _encoder(settings.encode)
    dtype = None if settings.dtype is None else as_float_dtype("dtype", settings.dtype).name
    if encoder is None:
        n_inputs = int(rows.X.shape[1])
    else:
        encoder.fit(rows.X, sample_weight=rows.masked_weights)
        n_inputs = encoder.state_.width
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


def _encoder(encode: Any) -> TableEncoder | None:
    if encode is None:
        return None
    return TableEncoder() if isinstance(encode, str) else clone(encode)


def _followed(X: Any) -> str:
    """The number type that X suggests: float32 for frames and narrow floats, else float64."""
    if is_frame(X) or (X.dtype.kind == "f" and X.dtype.itemsize <= 4):
        return "float32"
    return "float64"
