"""Pictures of an architecture search, made from its record and from nothing else.

Every class has `from_search(search_or_record, ax=None)`, as scikit-learn's displays do, and a title that says what
was found. matplotlib is imported when a picture is made: pip install "kilonet[plots]".
"""

from typing import Any

from kilonet.plots.base import Display, record_of
from kilonet.plots.cost import CostDisplay
from kilonet.plots.learning import LearningCurveDisplay
from kilonet.plots.outcomes import ConfusionDisplay, ReliabilityDisplay, ResidualsDisplay
from kilonet.plots.paths import RegularizationPathDisplay
from kilonet.plots.regions import RegionsDisplay
from kilonet.plots.seeds import SeedSpreadDisplay
from kilonet.plots.sizes import CapacityDisplay, DepthDisplay

__all__ = [
    "CapacityDisplay",
    "ConfusionDisplay",
    "CostDisplay",
    "DepthDisplay",
    "Display",
    "LearningCurveDisplay",
    "RegionsDisplay",
    "RegularizationPathDisplay",
    "ReliabilityDisplay",
    "ResidualsDisplay",
    "SeedSpreadDisplay",
    "displays",
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
