"""scikit-learn estimators, and models as files.

`MLPClassifier` and `MLPRegressor` do what every scikit-learn estimator does (pipelines, searches,
cross-validation, clone, pickle); `estimator.save(path)` and `kn.load(path)` keep them in files that run
no code when they are loaded.
"""

from kilonet.estimators.classifier import MLPClassifier
from kilonet.estimators.crossval import CrossValidation, cross_validate
from kilonet.estimators.linear import BinarySoftmaxClassifier, BinarySVMClassifier
from kilonet.estimators.regressor import MLPRegressor

__all__ = [
    "BinarySVMClassifier",
    "BinarySoftmaxClassifier",
    "CrossValidation",
    "MLPClassifier",
    "MLPRegressor",
    "cross_validate",
]
