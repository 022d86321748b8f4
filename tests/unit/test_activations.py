"""Every activation against decimal arithmetic, at the extremes, and as a plain value."""

import numpy as np
import pytest

import exact
from kilonet import activations
from kilonet.activations import ACTIVATIONS, Activation, activation_from
from kilonet.errors import SettingError
from kilonet.values import Array

ELEMENTWISE = [value for name, value in ACTIVATIONS.table.items() if name != "maxout"]
GRID = np.array([-30.0, -12.5, -5.0, -1.5, -0.75, -0.01, -1e-5, 1e-5, 0.3, 1.0, 2.5, 7.0, 20.0, 30.0])
# A handful of roundings of the last place: the widest error comes from 1 - exp near 0 and from tails of gelu.
TOLERANCE = {"float32": 2e-6, "float64": 4e-15}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("unit", ELEMENTWISE, ids=str)
def test_value_and_slope_are_those_of_decimal_arithmetic(unit: Activation, dtype: str) -> None:
    z = GRID.astype(dtype)
    values: Array = np.array([exact.value(unit.name, float(point)) for point in z])
    slopes: Array = np.array([exact.slope(unit.name, float(point)) for point in z])
    assert unit.value(z).dtype == unit.slope(z).dtype == dtype
    # The slope of gelu crosses 0 and that of silu and mish too, where a relative error means nothing.
    np.testing.assert_allclose(unit.value(z), values, rtol=TOLERANCE[dtype], atol=1e-40)
    np.testing.assert_allclose(unit.slope(z), slopes, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] / 10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("unit", ELEMENTWISE, ids=str)
def test_extremes_stay_finite_without_a_warning(unit: Activation, dtype: str) -> None:
    z: Array = np.array([-1e30, -1e4, -90.0, -0.0, 0.0, 90.0, 1e4, 1e30], dtype)
    assert np.isfinite(unit.value(z)).all()
    assert np.isfinite(unit.slope(z)).all()
    assert unit.slope(z).max() <= 1.76  # the steepest unit is selu, left of 0: its two constants multiplied


@pytest.mark.parametrize("unit", ELEMENTWISE, ids=str)
def test_any_shape_is_kept(unit: Activation) -> None:
    assert unit.value(np.zeros((2, 3, 4))).shape == unit.slope(np.zeros((2, 3, 4))).shape == (2, 3, 4)


@pytest.mark.parametrize(
    ("unit", "left"), [("relu", 0.0), ("leaky_relu(0.3)", 0.3), ("prelu(0.3)", 0.3), ("elu(2)", 2)]
)
def test_the_slope_at_a_kink_is_the_left_one(unit: str, left: float) -> None:
    assert activation_from(unit).slope(np.zeros(1)) == left


def test_prelu_learns_a_slope_per_unit() -> None:
    z, alpha = np.array([[-2.0, -4.0], [1.0, 3.0]]), np.array([0.5, 0.25])
    assert activations.prelu.value(z, alpha).tolist() == [[-1.0, -1.0], [1.0, 3.0]]
    assert activations.prelu.slope(z, alpha).tolist() == [[0.5, 0.25], [1.0, 1.0]]
    assert activations.prelu.slope_alpha(z).tolist() == [[-2.0, -4.0], [0.0, 0.0]]


def test_maxout_gives_the_slope_to_the_first_maximum_only() -> None:
    z = np.array([[1.0, 7.0, 0.0], [3.0, 7.0, -1.0], [3.0, 2.0, -2.0]])
    assert activations.maxout(3).value(z).tolist() == [3.0, 7.0, 0.0]
    assert activations.maxout(3).slope(z).tolist() == [[0, 1, 1], [1, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    "spec", ["relu", "ReLU", " leaky-relu ", "leaky_relu(0.2)", "leaky_relu(alpha=0.2)", "maxout(3)"]
)
def test_a_text_is_read_and_written_back(spec: str) -> None:
    unit = activation_from(spec)
    assert isinstance(unit, Activation)
    assert activation_from(str(unit)) == activation_from(unit.to_json()) == unit


def test_an_object_of_ones_own_is_taken_as_it_is() -> None:
    class Square:
        def value(self, z: Array) -> Array:
            return np.square(z)

        def slope(self, z: Array) -> Array:
            return np.multiply(2, z)

    own = Square()
    assert activation_from(own) is own


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("rleu", "Did you mean relu"),
        ("leaky_relu(beta=1)", "takes the settings alpha; came (beta=1)"),
        ("leaky_relu('a')", "leaky_relu's alpha came as 'a'; needs a number in"),
        ("maxout(0)", "maxout's pieces came as 0; needs a whole number in [1, inf)"),
        ("relu(3)", "relu takes no settings"),
        ("elu(1", "cannot read the activation"),
        ("elu(__import__('os').getcwd())", "needs a number"),
        (3, "unknown activation 3; needs one of"),
        ({"name": "nothing"}, "unknown activation"),
        (np.tanh, "plain function"),
    ],
)
def test_what_is_no_activation_is_refused_with_the_reason(spec: object, says: str) -> None:
    with pytest.raises(SettingError) as caught:
        activation_from(spec)
    assert says in str(caught.value)
