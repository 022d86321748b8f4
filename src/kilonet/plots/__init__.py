"""Pictures of an architecture search or of an examination of a network, made from its record and from nothing else.

Every class has `from_search(search_or_record, ax=None)` or `from_examination(examination, ax=None)`, as scikit-learn's
displays do, and a title that says what was found. matplotlib is imported when a picture is made:
pip install "kilonet[plots]".
"""

from typing import Any

from kilonet.plots.base import Display, ExaminationDisplay, Picture, examination_of, record_of
from kilonet.plots.cost import CostDisplay
from kilonet.plots.dead import DeadUnitsDisplay
from kilonet.plots.insides import ActivationsDisplay, GradientsDisplay
from kilonet.plots.layers import LayersDisplay
from kilonet.plots.learning import LearningCurveDisplay
from kilonet.plots.neuron import NeuronDisplay
from kilonet.plots.outcomes import ConfusionDisplay, ReliabilityDisplay, ResidualsDisplay
from kilonet.plots.paths import RegularizationPathDisplay
from kilonet.plots.ratios import UpdateRatioDisplay
from kilonet.plots.regions import RegionsDisplay
from kilonet.plots.seeds import SeedSpreadDisplay
from kilonet.plots.sizes import CapacityDisplay, DepthDisplay
from kilonet.plots.weights import FirstWeightsDisplay

__all__ = [
    "ActivationsDisplay",
    "CapacityDisplay",
    "ConfusionDisplay",
    "CostDisplay",
    "DeadUnitsDisplay",
    "DepthDisplay",
    "Display",
    "ExaminationDisplay",
    "FirstWeightsDisplay",
    "GradientsDisplay",
    "LayersDisplay",
    "LearningCurveDisplay",
    "NeuronDisplay",
    "Picture",
    "RegionsDisplay",
    "RegularizationPathDisplay",
    "ReliabilityDisplay",
    "ResidualsDisplay",
    "SeedSpreadDisplay",
    "UpdateRatioDisplay",
    "displays",
    "pictures_of",
]

_EVERY: tuple[type[Display], ...] = (
    SeedSpreadDisplay,
    RegularizationPathDisplay,
    CapacityDisplay,
    DepthDisplay,
    LearningCurveDisplay,
    RegionsDisplay,
    ReliabilityDisplay,
    ConfusionDisplay,
    ResidualsDisplay,
    CostDisplay,
)


def displays(search_or_record: Any) -> list[Display]:
    """All pictures that a fitted search, or its record, has something for, not yet drawn, in the order of reading.

    Each has `name`, `title` and `alt` before it is drawn by `plot` or written by `save`.

    >>> import numpy as np
    >>> from kilonet import ArchitectureSearch
    >>> from matplotlib.figure import Figure
    >>> X = np.random.default_rng(0).normal(size=(60, 3))
    >>> search = ArchitectureSearch(hidden=[4], l2=[1e-3], rate=[0.01], seeds=1, cv=2, runs=300, extend=False)
    >>> [picture.name for picture in displays(search.fit(X, X @ [1.0, 2.0, 3.0]))]
    ['seed-spread', 'capacity', 'depth', 'learning-curve', 'residuals', 'cost']
    >>> display = ResidualsDisplay.from_search(search, ax=Figure().subplots())
    >>> display.title_.startswith("Half of the rows are predicted within"), len(display.true)
    (True, 60)
    """
    record = record_of(search_or_record)
    return [kind.from_record(record) for kind in _EVERY if not kind.lack(record)]


_OF_A_NETWORK: tuple[type[ExaminationDisplay], ...] = (
    LayersDisplay,
    DeadUnitsDisplay,
    UpdateRatioDisplay,
    ActivationsDisplay,
    GradientsDisplay,
    FirstWeightsDisplay,
)


def pictures_of(examination: Any) -> list[ExaminationDisplay]:
    """All pictures that an examination, or that of a diagnosis, has something for, not yet drawn, in order of reading.

    >>> import numpy as np
    >>> from kilonet.findings import Examination, LayerFacts
    >>> from kilonet.history import History
    >>> one = LayerFacts(1, "relu", 2, np.array([0.0, 0.4]), 0.5, np.nan, 0.1, 0.2, 1.5, 2.0, 0.6, 0.6)
    >>> last = LayerFacts(2, "identity", 1, np.ones(1), 0.0, np.nan, 0.1, 0.2, 1.0, 2.0, 0.6, 0.6)
    >>> history = History(*np.full((4, 3), np.nan))
    >>> [picture.title for picture in pictures_of(Examination("kilonet", "regression", {}, [one, last], history))]
    ["The norm of the first layer's gradient is 1.5 × that of the last's; layer 1: 1 of 2 relu units are dead"]
    """
    record = examination_of(examination)
    return [kind.from_record(record) for kind in _OF_A_NETWORK if not kind.lack(record)]
