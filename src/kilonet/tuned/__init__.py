"""Networks that tune themselves: one call to `fit`, and the answer is good.

A population of configurations on folds is trained side by side; the configuration that does best on rows that its
networks had not seen is kept, and the networks of its folds are the model.
"""

from kilonet.tuned.classifier import MLPClassifierCV
from kilonet.tuned.record import TunedRecord
from kilonet.tuned.regressor import MLPRegressorCV
from kilonet.tuned.tuning import Tuning

__all__ = ["MLPClassifierCV", "MLPRegressorCV", "TunedRecord", "Tuning"]
