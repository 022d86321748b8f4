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
from kilonet.estimators.insight import Estimator, loss_on, planned_network, planned_rate, planned_rows
from kilonet.estimators.loading import from_model
from kilonet.estimators.remarks import lowest_before
from kilonet.estimators.saving import to_model
from kilonet.search import ArchitectureSearch
from kilonet.search.plan import budget_seconds

LOSSES = {"classification": classifier.LOSSES, "regression": regressor.LOSSES}

# fmt: off
__all__ = [
    "LOSSES", "ArchitectureSearch", "Diagnosis", "Estimator", "MLPClassifier", "MLPRegressor", "Watch", "at_epochs",
    "budget_seconds", "cause_text", "diagnosed", "examine", "from_model", "judged", "loss_on", "lowest_before",
    "over_members", "page", "plain_inputs", "planned_network", "planned_rate", "planned_rows", "to_model",
]
# fmt: on
