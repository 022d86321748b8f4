"""A certificate as the checker reads it: strictly, with bounded sizes, from whoever hands it in.

Nothing is trusted and nothing is evaluated. What is read is a `Claim`: "the network is within `bound` of every
function on the box that takes these values at these points and has this Lipschitz constant (Euclidean distance)".
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from kilonet.approximation.faults import CertificateError
from kilonet.checks import shown

Floats = npt.NDArray[np.float64]

FROM_FILE = "Of a file, hand in Path(name).read_text()."
UNPROVEN = ", so nothing is proven of a function that is steeper than the estimate"
FORMAT = "kilonet.approximation/1"
TEXT = 200_000_000  # characters; a certificate of the largest network has fewer
NUMBERS = 4_000_000  # in one list
LARGEST = 1e100  # beyond it products of three layers could overflow
KEYS = {"format", "says", "low", "high", "lipschitz", "lipschitz_is", "axes", "values", "network", "bound"}
NETWORK_KEYS = {"activation", "sizes", "theta"}
ACTIVATIONS = ("relu", "sigmoid")


@dataclass(frozen=True)
class Claim:
    """What a certificate says, as arrays.

    low, high (d,); axes, for each dimension the sorted coordinates of the grid of samples; values (one axis for each
    dimension); weights and biases, for each layer (units, fan_in) and (units,).
    """

    low: Floats
    high: Floats
    lipschitz: float
    estimated: bool
    axes: tuple[Floats, ...]
    values: Floats
    activation: str
    weights: tuple[Floats, ...]
    biases: tuple[Floats, ...]
    bound: float


def claim_of(certificate: Any) -> Claim:
    """Read a certificate: a dictionary, its JSON text, or what has one as its attribute `certificate`.

    Raises CertificateError, which says what is wrong with it.
    """
    given = _table(_parsed(certificate), KEYS, "The certificate")
    if given["format"] != FORMAT:
        raise CertificateError(f"The certificate's format is {shown(given['format'])}; this version reads {FORMAT!r}.")
    low, high = _list(given["low"], "low", 3), _list(given["high"], "high", 3)
    if len(low) == 0 or len(low) != len(high) or not (low < high).all():
        raise CertificateError(
            f"low is {low.tolist()} and high {high.tolist()}; needs one to three numbers each, low below high."
        )
    if given["lipschitz_is"] not in ("given", "estimated"):
        raise CertificateError(f"lipschitz_is came as {shown(given['lipschitz_is'])}; needs given or estimated.")
    if not isinstance(given["says"], str):
        raise CertificateError(f"says came as {shown(given['says'])}; needs a sentence.")
    axes = _axes(given["axes"], low, high)
    values = _list(given["values"], "values", NUMBERS)
    shape = tuple(map(len, axes))
    if len(values) != prod(shape):
        raise CertificateError(f"There are {len(values)} values; the grid of axes {shape} needs {prod(shape)}.")
    activation, weights, biases = _network(given["network"], len(low))
    return Claim(
        low, high, _number(given["lipschitz"], "lipschitz"), given["lipschitz_is"] == "estimated",
        axes, values.reshape(shape), activation, weights, biases, _number(given["bound"], "bound"),
    )  # fmt: skip


def _parsed(certificate: Any) -> Any:
    certificate = getattr(certificate, "certificate", certificate)  # of an Approximation
    if not isinstance(certificate, str | Mapping):
        came = type(certificate).__name__
        raise CertificateError(f"The certificate came as {came}; needs a table, or its JSON text. {FROM_FILE}")
    if isinstance(certificate, Mapping):
        return certificate
    if len(certificate) > TEXT:
        raise CertificateError(f"The certificate has {len(certificate):,} characters; at most {TEXT:,} are read.")
    try:
        return json.loads(certificate, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        said = str(error).splitlines()[0][:200]
        raise CertificateError(f"The certificate is no JSON: {said}. Fetch it again. {FROM_FILE}") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A table from its pairs; of a key that stands there twice nobody knows which one another reader takes."""
    table = dict(pairs)
    if len(table) < len(pairs):
        raise ValueError("a key stands there twice")
    return table


def _table(given: Any, keys: set[str], label: str) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise CertificateError(f"{label} came as {type(given).__name__}; needs a table, or its JSON text.")
    missing, strange = sorted(keys - set(given)), sorted(map(str, set(given) - keys))
    if missing or strange:
        fault = f"has no key {missing[0]}" if missing else f"has a key {shown(strange[0])}"
        raise CertificateError(f"{label} {fault}; needs {', '.join(sorted(keys))}, and nothing else.")
    return given


def _number(given: Any, label: str) -> float:
    """A number that is finite, not negative and not absurdly large."""
    return float(_list([given], label, 1, least=0.0)[0])


def _list(given: Any, label: str, longest: int, least: float = -LARGEST) -> Floats:
    """A flat list of numbers; texts, truths and nested lists are none."""
    if not isinstance(given, list) or len(given) > longest:
        came = f"{len(given):,} entries" if isinstance(given, list) else type(given).__name__
        raise CertificateError(f"{label} came as {came}; needs a list of at most {longest:,} numbers.")
    if not all(type(entry) is float or type(entry) is int for entry in given):
        stranger = next(entry for entry in given if type(entry) is not float and type(entry) is not int)
        raise CertificateError(f"{label} holds {shown(stranger)}; needs numbers.")
    try:
        numbers = np.array(given, np.float64)
    except OverflowError:
        numbers = np.full(1, np.inf)
    if not ((numbers >= least) & (numbers <= LARGEST)).all():
        raise CertificateError(f"{label} holds a number outside of {least:g} to {LARGEST:g}; needs numbers inside.")
    return numbers


def _axes(given: Any, low: Floats, high: Floats) -> tuple[Floats, ...]:
    if not isinstance(given, list) or len(given) != len(low):
        raise CertificateError(f"axes came as {shown(given)}; needs one list for each of the {len(low)} dimensions.")
    axes = tuple(_list(axis, f"axes[{k}]", NUMBERS) for k, axis in enumerate(given))
    for k, axis in enumerate(axes):
        inside = len(axis) > 0 and axis[0] >= low[k] and axis[-1] <= high[k]
        if not inside or not (np.diff(axis) > 0).all():
            raise CertificateError(f"axes[{k}] needs rising coordinates from {low[k]:g} to {high[k]:g}.")
    return axes


def _network(given: Any, n_inputs: int) -> tuple[str, tuple[Floats, ...], tuple[Floats, ...]]:
    table = _table(given, NETWORK_KEYS, "The certificate's network")
    if not isinstance(table["activation"], str) or table["activation"] not in ACTIVATIONS:
        raise CertificateError(f"The activation came as {shown(table['activation'])}; needs relu or sigmoid.")
    sizes = table["sizes"]
    fits = isinstance(sizes, list) and len(sizes) in (3, 4) and all(type(size) is int for size in sizes)
    if not fits or min(sizes) < 1 or max(sizes) > NUMBERS or sizes[0] != n_inputs or sizes[-1] != 1:
        raise CertificateError(
            f"The network's sizes came as {shown(sizes)}; needs {n_inputs} input{'s' if n_inputs > 1 else ''}, one or "
            f"two hidden layers and 1 output, such as [{n_inputs}, 8, 1]."
        )
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    needed = sum(units * (fan_in + 1) for units, fan_in in shapes)
    theta = _list(table["theta"], "theta", NUMBERS)
    if len(theta) != needed:
        raise CertificateError(f"theta has {len(theta):,} numbers; a network of sizes {sizes} needs {needed:,}.")
    weights, biases, start = [], [], 0
    for units, fan_in in shapes:
        middle, end = start + units * fan_in, start + units * (fan_in + 1)
        weights.append(theta[start:middle].reshape(units, fan_in))
        biases.append(theta[middle:end])
        start = end
    return table["activation"], tuple(weights), tuple(biases)
