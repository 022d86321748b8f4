"""Kilonet: fully-connected neural networks, trained by the thousand on CPUs.

>>> import kilonet as kn
>>> net = kn.Network([3, 4, 4, 1], activation=kn.relu)
>>> net.n_neurons, net.n_parameters
(9, 41)
"""

from importlib import import_module
from typing import Any

_HOME = {
    "activations": (
        "identity sigmoid tanh relu leaky_relu prelu elu selu gelu silu mish softplus maxout activation_from"
    ),
    "losses": "cross_entropy logistic hinge squared_hinge squared absolute huber quantile loss_from",
    "optimizers": "SGD Momentum Nesterov RMSProp Adagrad Adam AdamW optimizer_from",
    "schedules": "constant step cosine warm_up sequence schedule_from",
    "initializers": "he glorot lecun orthogonal scaled",
    "network": "Dense Maxout Network",
    "recipe": "Recipe Stopping",
    "record": "EpochRecord History Runs",
    "training": "train value_and_grad",
    "estimators": "MLPClassifier MLPRegressor load",
    "tables": "TableEncoder",
    "data": "read",
    "engine": "engine_name",
    "errors": (
        "ShapeError DataError SettingError FileFormatError DivergenceError EngineError "
        "DivergenceWarning InterruptedWarning EngineWarning DataWarning"
    ),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names.split()}

__version__ = "0.1.0"

__all__ = [*_MODULE_OF]  # noqa: PLE0604 - names, though the rule cannot see it


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first used, so that `import kilonet` stays light."""
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'kilonet' has no attribute {name!r}; see kilonet.__all__")
    value = getattr(import_module(f"kilonet.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
