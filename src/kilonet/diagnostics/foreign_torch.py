"""Modules of PyTorch, in Kilonet's terms. Classes are known by their names: torch itself is not imported."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.activations import elu, gelu, identity, leaky_relu, mish, prelu, relu, selu, sigmoid, silu, softplus, tanh
from kilonet.diagnostics.foreign import Stranger, Translated, examined
from kilonet.diagnostics.foreign_given import curves, pair, plain, settings_of
from kilonet.diagnostics.foreign_loss import reckoned
from kilonet.diagnostics.foreign_optimizer import trained_by
from kilonet.errors import SettingError, ShapeError
from kilonet.findings import Examination
from kilonet.network import Dense, Network
from kilonet.optimizers import OPTIMIZERS

Array = NDArray[Any]

_PLAIN = {"ReLU": relu, "Tanh": tanh, "Sigmoid": sigmoid, "SiLU": silu, "Swish": silu, "Mish": mish, "SELU": selu}
_NOTHING = ("Identity", "Dropout", "AlphaDropout", "Flatten")  # in a network that is judged, of rows that are flat
_LINKS = ("Softmax", "LogSoftmax", "Softmin")
_CHECKED = 16  # rows on which a module has to compute what its layers in order compute
_ALIKE_SHORT = 0.05  # the same, where weights are float16 or bfloat16
_ALIKE = 1e-3  # of the largest score: float32 sums in another order stay far below it, another function does not


def examine_torch(
    module: Any,
    X: Any,
    y: Any,
    *,
    loss: Any = None,
    history: Any = None,
    optimizer: Any = None,
    settings: Mapping[str, Any] | None = None,
    validation: Any = None,
    full: bool = True,
) -> Examination:
    """Look at a trained torch.nn.Sequential, or a module whose children in order are such layers, and its rows.

    Layers may be Linear, activations that Kilonet has, Dropout, Flatten and Identity; others raise a SettingError, and
    so does a module that computes something else than its children in order. X, y: arrays or tensors of the training
    rows, scaled as the module is given them.

    loss: CrossEntropyLoss, BCEWithLogitsLoss, MSELoss, L1Loss, HuberLoss or SmoothL1Loss, with their weights and
    reduction, or one of Kilonet's; None is CrossEntropyLoss() for class numbers and several outputs,
    BCEWithLogitsLoss() for 0 and 1, MSELoss() for other numbers. All losses and gradients of the examination are its
    own, as torch computes them, but for `small`, which is in Kilonet's. Losses are means over rows for a reduction of
    "sum" too, while its gradients are of whole batches.

    history: a mapping of lists, one number for each epoch, named loss, score, validation_loss, validation_score.
    optimizer: torch's own, of which rate, weight_decay, momentum and betas are read: those of the groups that hold
    weights, where they agree; of a scheduled rate the one that it began with. settings: what else is known, by
    Kilonet's names: batch, epochs, ... validation: (X, y) of rows that training did not see. full: also look for leaks,
    learn some rows by heart, and try rates, the latter two with a network of the same shape; rates are tried where
    Kilonet has an optimizer that makes the same steps.

    The module is not changed, and torch not imported: what is read is `module.children()` and weights.

        found = examine_torch(model, X, y, history={"loss": losses}, loss=criterion, optimizer=optimizer,
                              settings={"batch": 64})
        print(kn.diagnose(found))

    Raises SettingError for what cannot be told in Kilonet's terms, ShapeError and DataError for rows that do not fit.
    """
    own = translated(module, y, loss, optimizer, settings)
    rows = flat(X)
    check_alike(module, own, X)
    others = pair(validation)
    held_out = None if others is None else (flat(others[0]), labels_of(others[1]))
    subject = Stranger.met(own, rows, labels_of(y), curves(history, own.network))
    return examined(own, subject, held_out, full=full)


def flat(X: Any) -> Array:
    """Rows as (n, n_inputs); images are unrolled."""
    rows = plain(X)
    return rows.reshape(len(rows), -1) if rows.ndim > 2 else rows


def labels_of(y: Any) -> Array:
    """y as an array; a single column as (n,)."""
    given = plain(y)
    return given[:, 0] if given.ndim == 2 and given.shape[1] == 1 else given


def translated(module: Any, y: Any, loss: Any = None, optimizer: Any = None, settings: Any = None) -> Translated:
    """Network, parameters, loss and settings of a module. Raises SettingError for layers that Kilonet has not."""
    network, dropout = network_of(module)
    own, same = trained_by(optimizer, [leaf.weight for name, leaf in leaves(module) if name == "Linear"])
    known = {"dropout": max(dropout, default=0.0)} | own | settings_of(settings)
    if optimizer is None and str(known.get("optimizer")) in OPTIMIZERS.table:
        same = known["optimizer"]
    told = reckoned(loss, labels_of(y), network.n_outputs, known.get("batch"))
    return Translated("torch", network, parameters(module), told, known, same, module)


def leaves(module: Any) -> Iterator[tuple[str, Any]]:
    """Class names and modules that have no children of their own, in order."""
    # children() leaves out what stands in an nn.Sequential a second time, such as an activation that layers share.
    children = list(module if hasattr(type(module), "__iter__") else module.children())
    if not children:
        yield type(module).__name__, module
    for child in children:
        yield from leaves(child)


def network_of(module: Any) -> tuple[Network, list[float]]:
    """The network of a module, and the shares of its Dropout layers."""
    if not callable(getattr(module, "children", None)):
        raise SettingError(f"module came as {type(module).__name__}; needs a torch.nn.Module, such as nn.Sequential.")
    sizes: list[int] = []
    units: list[Any] = []
    dropout = []
    for name, leaf in leaves(module):
        if name == "Linear":
            units_out, fan_in = (int(side) for side in leaf.weight.shape)
            sizes = [*(sizes or [fan_in]), units_out]
            units.append(None)
        elif name in _NOTHING:
            dropout += [float(leaf.p)] if name.endswith("Dropout") else []
        elif not units or units[-1] is not None:
            raise SettingError(f"{name} follows no Linear; an activation needs to stand right behind a Linear layer.")
        else:
            units[-1] = _activation(name, leaf)
    if not units:
        raise SettingError(f"{type(module).__name__} has no Linear layer; needs one at least.")
    if units[-1] is sigmoid:
        raise SettingError(_ends_in("Sigmoid", "BCEWithLogitsLoss"))
    layers = [Dense(size, unit or identity) for size, unit in zip(sizes[1:], units, strict=True)]
    return Network([sizes[0], *layers]), dropout


def _ends_in(name: str, loss: str) -> str:
    return (
        f"the module ends in {name}; remove it: the loss owns the link from scores to probabilities, as in {loss}. "
        f"Of an nn.Sequential give module[:-1], with loss={loss}()."
    )


def _activation(name: str, leaf: Any) -> Any:
    if name in _LINKS:
        raise SettingError(_ends_in(name, "CrossEntropyLoss"))
    if name in _PLAIN:
        return _PLAIN[name]
    if name == "LeakyReLU":
        return leaky_relu(float(leaf.negative_slope))
    if name == "ELU":
        return elu(float(leaf.alpha))
    if name == "PReLU":
        return prelu
    if name == "GELU" and getattr(leaf, "approximate", "none") == "none":
        return gelu
    if name == "Softplus" and getattr(leaf, "beta", 1) == 1:
        return softplus
    known = ", ".join(("Linear", *_PLAIN, "LeakyReLU", "ELU", "PReLU", "GELU", "Softplus", *_NOTHING))
    raise SettingError(f"{name} (as it is set here) is no layer that can be examined; needs one of {known}.")


def parameters(module: Any) -> Array:
    """All parameters in one row (n_parameters,), as torch.nn.utils.parameters_to_vector has them.

    A Linear without bias has zeros there, a PReLU that units share its slope for each of them.
    """
    parts: list[Array] = []
    units = 0
    for name, leaf in leaves(module):
        if name == "Linear":
            weights, bias = plain(leaf.weight), getattr(leaf, "bias", None)
            units = len(weights)
            parts += [weights.ravel(), np.zeros(units, weights.dtype) if bias is None else plain(bias)]
        elif name == "PReLU":
            parts.append(np.broadcast_to(plain(leaf.weight), (units,)))
    theta = np.concatenate(parts)
    return theta if theta.dtype in (np.float32, np.float64) else theta.astype(np.float32)


def check_alike(module: Any, own: Translated, X: Any) -> None:
    """Raise SettingError where a module computes something else than its children in order, on some rows of X.

    A forward of one's own may call functions, such as torch.relu, which are no children. Objects that cannot be called,
    or whose weights cannot make a tensor, are taken at their word.
    """
    weights = next(leaf.weight for name, leaf in leaves(module) if name == "Linear")
    if not callable(module) or not hasattr(weights, "new_tensor"):
        return
    some = plain(X)[:_CHECKED]
    if not some.size:
        return  # which is said where rows are counted
    if flat(some).ndim != 2 or flat(some).shape[1] != own.network.n_inputs:
        raise ShapeError(f"X has rows of shape {some.shape[1:]}; the first Linear needs {own.network.n_inputs} inputs.")
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        told = plain(module(weights.new_tensor(some.tolist())))
    finally:
        for part, mode in modes:
            part.training = mode
    expected = own.network.scores(own.theta, flat(some))
    if not np.isfinite(expected).all():
        return  # weights that are no numbers compute none, in whatever order
    short = "16" in str(getattr(weights, "dtype", ""))
    near = (_ALIKE_SHORT if short else _ALIKE) * max(1.0, float(np.abs(expected).max()))
    if told.shape != expected.shape or not np.allclose(told, expected, rtol=0, atol=near):
        raise SettingError(
            f"{type(module).__name__} computes something else than its children in order: does its forward call "
            "functions such as torch.relu? Make them children, such as nn.ReLU(), or give an nn.Sequential."
        )
