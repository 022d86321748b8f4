"""Experiments: each measures one claim of the notes that this project grew from, and says whether it holds."""

from kilonet.notes.experiment import Experiment, Size
from kilonet.notes.registry import NAMES, experiment

__all__ = ["NAMES", "Experiment", "Size", "experiment"]
