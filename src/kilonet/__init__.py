"""Kilonet: fully-connected neural networks, trained by the thousand on CPUs.

>>> import kilonet as kn
>>> net = kn.Network([3, 4, 4, 1], activation=kn.relu)
>>> net.n_neurons, net.n_parameters
(9, 41)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # what type checkers see; at run time __getattr__ brings it
    from kilonet.activations import (
        activation_from,
        elu,
        gelu,
        identity,
        leaky_relu,
        maxout,
        mish,
        mixed,
        prelu,
        relu,
        selu,
        sigmoid,
        silu,
        softplus,
        tanh,
    )
    from kilonet.approximation import Approximation, CertificateError, Proof, approximate, certify
    from kilonet.collapsing import collapse
    from kilonet.diagnostics import Diagnosis, Thresholds, diagnose
    from kilonet.engine import engine_name
    from kilonet.engine.planner import Plan
    from kilonet.errors import (
        DataError,
        DataWarning,
        DivergenceError,
        DivergenceWarning,
        EngineError,
        EngineWarning,
        FileFormatError,
        InterruptedWarning,
        LeftOutWarning,
        MemoryLimitError,
        RemedyWarning,
        SettingError,
        ShapeError,
    )
    from kilonet.evidence import SearchRecord
    from kilonet.findings import Examination, Finding, Remedy
    from kilonet.history import EpochRecord, History
    from kilonet.initializers import glorot, he, lecun, orthogonal, scaled
    from kilonet.losses import (
        absolute,
        cross_entropy,
        hinge,
        huber,
        logistic,
        loss_from,
        quantile,
        squared,
        squared_hinge,
    )
    from kilonet.network import Dense, Maxout, Network, Same
    from kilonet.neuron import Neuron
    from kilonet.optimizers import SGD, Adagrad, Adam, AdamW, Momentum, Nesterov, RMSProp, optimizer_from
    from kilonet.plots import (
        CapacityDisplay,
        ConfusionDisplay,
        CostDisplay,
        DepthDisplay,
        LearningCurveDisplay,
        NeuronDisplay,
        RegionsDisplay,
        RegularizationPathDisplay,
        ReliabilityDisplay,
        ResidualsDisplay,
        SeedSpreadDisplay,
        displays,
    )
    from kilonet.recipe import Recipe
    from kilonet.record import Runs
    from kilonet.schedules import constant, cosine, schedule_from, sequence, step, warm_up
    from kilonet.spread import Spread
    from kilonet.stopping import Stopping
    from kilonet.training import train, value_and_grad

__version__ = "0.1.0"

# fmt: off
__all__ = [
    "SGD", "Adagrad", "Adam", "AdamW", "Approximation", "ArchitectureSearch", "BinarySVMClassifier",
    "BinarySoftmaxClassifier", "CapacityDisplay", "CertificateError", "ConfusionDisplay", "CostDisplay",
    "CrossValidation", "DataError", "DataWarning", "Dense", "DepthDisplay", "Diagnosis", "DivergenceError",
    "DivergenceWarning", "EngineError", "EngineWarning", "EpochRecord", "Examination", "FileFormatError", "Finding",
    "History", "InterruptedWarning", "LearningCurveDisplay", "LeftOutWarning", "MLPClassifier", "MLPClassifierCV",
    "MLPRegressor", "MLPRegressorCV", "Maxout", "MemoryLimitError", "Momentum", "Nesterov", "Network", "Neuron",
    "NeuronDisplay", "Plan", "Proof", "RMSProp", "Recipe", "RegionsDisplay", "RegularizationPathDisplay",
    "ReliabilityDisplay", "Remedy", "RemedyWarning", "ResidualsDisplay", "Runs", "Same", "SearchRecord",
    "SeedSpreadDisplay", "SettingError", "ShapeError", "Spread", "Stopping", "TableEncoder", "Thresholds", "absolute",
    "activation_from", "approximate", "certify", "collapse", "constant", "cosine", "cross_entropy", "cross_validate",
    "diagnose", "displays", "elu", "engine_name", "gelu", "glorot", "he", "hinge", "huber", "identity", "leaky_relu",
    "lecun", "load", "logistic", "loss_from", "maxout", "mish", "mixed", "optimizer_from", "orthogonal", "prelu",
    "quantile", "read", "relu", "scaled", "schedule_from", "selu", "sequence", "sigmoid", "silu", "softplus", "squared",
    "squared_hinge", "step", "tanh", "train", "value_and_grad", "warm_up",
]
# fmt: on

# Where the names live. Each is imported when it is first used: who asks the command line for help does not wait for
# SciPy, who only trains networks does not wait for scikit-learn, and whoever waits can press Ctrl-C.
_HOMES = {
    "kilonet.activations": """
        activation_from elu gelu identity leaky_relu maxout mish mixed prelu relu selu sigmoid silu softplus tanh
    """,
    "kilonet.diagnostics": "Diagnosis Thresholds diagnose",
    "kilonet.engine": "engine_name",
    "kilonet.engine.planner": "Plan",
    "kilonet.errors": """
        DataError DataWarning DivergenceError DivergenceWarning EngineError EngineWarning FileFormatError
        InterruptedWarning LeftOutWarning MemoryLimitError RemedyWarning SettingError ShapeError
    """,
    "kilonet.findings": "Examination Finding Remedy",
    "kilonet.initializers": "glorot he lecun orthogonal scaled",
    "kilonet.losses": "absolute cross_entropy hinge huber logistic loss_from quantile squared squared_hinge",
    "kilonet.network": "Dense Maxout Network Same",
    "kilonet.optimizers": "SGD Adagrad Adam AdamW Momentum Nesterov RMSProp optimizer_from",
    "kilonet.recipe": "Recipe",
    "kilonet.history": "EpochRecord History",
    "kilonet.record": "Runs",
    "kilonet.spread": "Spread",
    "kilonet.stopping": "Stopping",
    "kilonet.schedules": "constant cosine schedule_from sequence step warm_up",
    "kilonet.training": "train value_and_grad",
    "kilonet.approximation": "Approximation CertificateError Proof approximate certify",
    "kilonet.collapsing": "collapse",
    "kilonet.estimators": """
        BinarySVMClassifier BinarySoftmaxClassifier CrossValidation MLPClassifier MLPRegressor cross_validate
    """,
    "kilonet.neuron": "Neuron",
    "kilonet.search": "ArchitectureSearch",
    "kilonet.tuned": "MLPClassifierCV MLPRegressorCV",
    "kilonet.tuned.loading": "load",
    "kilonet.evidence": "SearchRecord",
    "kilonet.plots": """
        CapacityDisplay ConfusionDisplay CostDisplay DepthDisplay LearningCurveDisplay NeuronDisplay RegionsDisplay
        RegularizationPathDisplay ReliabilityDisplay ResidualsDisplay SeedSpreadDisplay displays
    """,
    "kilonet.tables": "TableEncoder",
    "kilonet.data": "read",
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names.split():
            value = getattr(import_module(home), name)
            globals()[name] = value
            return value
    if f"kilonet.{name}" in _HOMES:  # kn.losses: the module itself
        return import_module(f"kilonet.{name}")
    raise AttributeError(f"module 'kilonet' has no attribute {name!r}; kilonet.__all__ lists the public names")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])
