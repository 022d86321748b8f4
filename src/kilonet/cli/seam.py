"""The one place where the command line meets the estimators, so that both give the same numbers."""

from kilonet.diagnostics.diagnosis import Diagnosis
from kilonet.diagnostics.diagnosis import diagnose as diagnosed
from kilonet.diagnostics.examine import examine
from kilonet.diagnostics.live import Watch, plain_inputs
from kilonet.diagnostics.page import page
from kilonet.diagnostics.rulebook import judge as judged
from kilonet.diagnostics.words import cause_text
from kilonet.estimators import MLPClassifier, MLPRegressor, classifier, regressor
from kilonet.estimators.ensemble import at_epochs, over_members
from kilonet.estimators.insight import Estimator, planned_network, planned_rate, planned_rows
from kilonet.estimators.remarks import lowest_before
from kilonet.search import ArchitectureSearch
from kilonet.search.plan import budget_seconds
from kilonet.tuned import MLPClassifierCV, MLPRegressorCV
from kilonet.tuned.insight import loss_on, networks_of
from kilonet.tuned.loading import from_model
from kilonet.tuned.saving import to_model

LOSSES = {"classification": classifier.LOSSES, "regression": regressor.LOSSES}

# fmt: off
__all__ = [
    "LOSSES", "ArchitectureSearch", "Diagnosis", "Estimator", "MLPClassifier", "MLPClassifierCV", "MLPRegressor",
    "MLPRegressorCV", "Watch", "at_epochs", "budget_seconds", "cause_text", "diagnosed", "examine",
    "from_model", "judged", "loss_on", "lowest_before", "networks_of", "over_members", "page", "plain_inputs",
    "planned_network", "planned_rate", "planned_rows", "to_model",
]
# fmt: on
