"""Layers: what they compute, dense and sparse, alone and as members; and what they refuse."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from kilonet.activations import identity, maxout, prelu, relu, tanh
from kilonet.errors import SettingError
from kilonet.initializers import glorot, he
from kilonet.layers import Dense, Layer, LayerView, Maxout, layers_from
from kilonet.values import Array

RANDOM = np.random.default_rng(3)
X = RANDOM.normal(size=(5, 3)) * (RANDOM.uniform(size=(5, 3)) < 0.6)


def view(layer: Layer, *lead: int) -> LayerView:
    W, b = RANDOM.normal(size=(*lead, *layer.weight_shape(3))), RANDOM.normal(size=(*lead, *layer.bias_shape))
    return LayerView(W, b, RANDOM.uniform(size=(*lead, layer.units)) if layer.n_alphas else None)


def by_hand(layer: Layer, parameters: LayerView, x: Array) -> Array:
    """The definition, one number at a time."""
    out = np.empty((len(x), layer.units))
    for i, row in enumerate(x):
        for j in range(layer.units):
            if isinstance(layer, Maxout):
                out[i, j] = max(parameters.W[q, j] @ row + parameters.b[q, j] for q in range(layer.pieces))
            else:
                z = parameters.W[j] @ row + parameters.b[j]
                slope = 0.0 if parameters.alpha is None else parameters.alpha[j]
                out[i, j] = z if z > 0 else slope * z
    return out


LAYERS = [Dense(4, relu), Dense(4, prelu), Maxout(4, 3), Maxout(1, 1), Dense(1, relu)]


@pytest.mark.parametrize("layer", LAYERS, ids=repr)
@pytest.mark.parametrize("made", [np.asarray, sparse.csr_array, sparse.csr_matrix])
def test_a_layer_is_its_definition(layer: Layer, made: Any) -> None:
    alone = view(layer)
    np.testing.assert_allclose(
        layer.activate(alone, layer.affine(alone, made(X))), by_hand(layer, alone, X), rtol=1e-13
    )
    members = view(layer, 2)
    outputs = layer.activate(members, layer.affine(members, made(X)))
    assert outputs.shape == (2, 5, layer.units)
    for p in range(2):
        one = LayerView(*(None if part is None else part[p] for part in members))  # type: ignore[arg-type]
        np.testing.assert_allclose(outputs[p], by_hand(layer, one, X), rtol=1e-13)


def test_members_may_have_rows_of_their_own() -> None:
    layer, own = Dense(4), RANDOM.normal(size=(2, 5, 3))
    members = view(layer, 2)
    outputs = layer.activate(members, layer.affine(members, own))
    for p in range(2):
        one = LayerView(members.W[p], members.b[p])
        np.testing.assert_allclose(outputs[p], by_hand(layer, one, own[p]), rtol=1e-13)


def test_a_list_becomes_layers() -> None:
    n_inputs, layers = layers_from([3, 4, Dense(5, tanh), Maxout(6, 3, he), 2], relu, identity, glorot)
    assert n_inputs == 3
    assert layers == (Dense(4, relu, glorot), Dense(5, tanh, glorot), Maxout(6, 3, he), Dense(2, identity, glorot))
    assert layers_from([3, 4, 2], maxout(3))[1] == (Maxout(4, 3), Dense(2, identity))
    assert layers_from((np.int64(3), np.int32(2)))[1] == (Dense(2, identity),)


@pytest.mark.parametrize(
    ("layers", "says"),
    [
        ([3], "at least one layer"),
        ([], "at least one layer"),
        (3, "layers came as 3; needs a list such as [3, 4, 1]"),
        ("341", "needs a list"),
        ([3, 0], "layers[1] came as 0; needs a whole number in [1, inf)"),
        ([3, 4.0, 1], "layers[1] came as 4.0"),
        ([0, 1], "the number of inputs, layers[0], came as 0"),
        ([True, 1], "layers[0], came as True"),
        ([3, None], "layers[1] came as None"),
        ([Dense(3), 1], "layers[0], came as Dense(3)"),
    ],
)
def test_what_is_no_list_of_layers_is_refused(layers: Any, says: str) -> None:
    with pytest.raises(SettingError) as caught:
        layers_from(layers)
    assert says in str(caught.value)


def test_layers_refuse_what_they_cannot_hold() -> None:
    with pytest.raises(SettingError, match=r"a layer of maxout units is Maxout\(units, pieces\)"):
        Dense(3, maxout)
    with pytest.raises(SettingError, match="dense's units came as -1"):
        Dense(-1)
    with pytest.raises(SettingError, match="unknown initializer"):
        Dense(3, relu, "hee")  # type: ignore[arg-type]
