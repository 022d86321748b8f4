"""The names that meet users are a promise: a change here is a change of the interface, on purpose."""

import inspect
import tomllib
from pathlib import Path

import pytest

import kilonet as kn

UNITS = "identity sigmoid tanh relu leaky_relu prelu elu selu gelu silu mish softplus maxout mixed"
LOSSES = "cross_entropy logistic hinge squared_hinge squared absolute huber quantile"
OPTIMIZERS = "SGD Momentum Nesterov RMSProp Adagrad Adam AdamW"
SCHEDULES = "constant step cosine warm_up sequence"
INITIALIZERS = "he glorot lecun orthogonal scaled"
FROM_TEXT = "activation_from loss_from optimizer_from schedule_from"
NETWORKS = "Dense Maxout Network Same Neuron collapse"
TRAINING = "train value_and_grad Recipe Stopping EpochRecord History Runs Plan Spread engine_name"
FACES = (
    "ArchitectureSearch SearchRecord cross_validate CrossValidation MLPClassifier MLPRegressor TableEncoder load read "
    "MLPClassifierCV MLPRegressorCV BinarySoftmaxClassifier BinarySVMClassifier"
)
PICTURES = """SeedSpreadDisplay RegularizationPathDisplay CapacityDisplay DepthDisplay LearningCurveDisplay
    RegionsDisplay ReliabilityDisplay ConfusionDisplay ResidualsDisplay CostDisplay NeuronDisplay displays"""
FAULTS = """ShapeError DataError SettingError FileFormatError DivergenceError EngineError MemoryLimitError
    DivergenceWarning InterruptedWarning EngineWarning DataWarning LeftOutWarning RemedyWarning"""

APPROXIMATION = "approximate certify Approximation Proof CertificateError"
DIAGNOSTICS = "diagnose Diagnosis Examination Finding Remedy Thresholds"

FAMILIES = (
    UNITS,
    LOSSES,
    OPTIMIZERS,
    SCHEDULES,
    INITIALIZERS,
    FROM_TEXT,
    NETWORKS,
    TRAINING,
    FACES,
    PICTURES,
    FAULTS,
    APPROXIMATION,
    DIAGNOSTICS,
)
NAMES = sorted(name for family in FAMILIES for name in family.split())


def test_the_public_names_are_exactly_these() -> None:
    assert sorted(kn.__all__) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_leads_to_something_documented(name: str) -> None:
    value = getattr(kn, name)
    assert inspect.getdoc(value)


def test_nothing_but_public_names_is_offered() -> None:
    assert dir(kn) == sorted([*NAMES, "__version__"])


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="perceptron"):
        kn.perceptron  # noqa: B018 - looking it up is the test


def test_the_version_is_the_one_that_the_package_declares() -> None:
    declared = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["version"]
    assert kn.__version__ == declared
