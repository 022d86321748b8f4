"""What is wrong with a network, and what cures it: facts, rules, and remedies that are tried."""

from kilonet.diagnostics.diagnosis import Diagnosis, diagnose
from kilonet.diagnostics.foreign_monitor import TorchMonitor
from kilonet.diagnostics.foreign_sklearn import examine_sklearn
from kilonet.diagnostics.foreign_torch import examine_torch
from kilonet.diagnostics.rulebook import RULES, judge
from kilonet.diagnostics.thresholds import Thresholds

__all__ = ["RULES", "Diagnosis", "Thresholds", "TorchMonitor", "diagnose", "examine_sklearn", "examine_torch", "judge"]
