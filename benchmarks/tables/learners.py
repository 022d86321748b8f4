"""The learners, each at its own defaults, with what it needs before it; one word names a learner in the results.

What is set against the defaults is what they need to run at all: a seed, threads, iterations enough for a logistic
regression to converge, and a standardized target for those that expect one (SVR, scikit-learn's network).
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import TransformedTargetRegressor
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from benchmarks.tables.preparing import FilledGaps, NativeCategories, one_hot


@dataclass(frozen=True)
class Asked:
    """What a learner is made for: whether the target is a class, how many threads, which seed, settings of its own."""

    classifies: bool
    threads: int
    seed: int
    settings: dict[str, Any] = field(default_factory=dict)


def linear(asked: Asked) -> Any:
    """Return logistic regression, or ridge regression."""
    return make_pipeline(one_hot(), LogisticRegression(max_iter=1000) if asked.classifies else Ridge())


def forest(asked: Asked) -> Any:
    """Return a random forest."""
    make = RandomForestClassifier if asked.classifies else RandomForestRegressor
    return make_pipeline(one_hot(), make(random_state=asked.seed, n_jobs=asked.threads))


def boosting(asked: Asked) -> Any:
    """Return HistGradientBoosting; it takes as many threads as the process may."""
    make = HistGradientBoostingClassifier if asked.classifies else HistGradientBoostingRegressor
    return make_pipeline(NativeCategories(), make(random_state=asked.seed))


def support_vectors(asked: Asked) -> Any:
    """Return SVC with probabilities calibrated by cross-validation, or SVR."""
    if asked.classifies:
        return make_pipeline(one_hot(), CalibratedClassifierCV(SVC(), ensemble=False, n_jobs=asked.threads))
    return make_pipeline(one_hot(), TransformedTargetRegressor(SVR(), transformer=StandardScaler()))


def sklearn_network(asked: Asked) -> Any:
    """Return scikit-learn's network; NumPy takes as many threads as the process may."""
    if asked.classifies:
        return make_pipeline(one_hot(), MLPClassifier(random_state=asked.seed))
    network = MLPRegressor(random_state=asked.seed)
    return make_pipeline(one_hot(), TransformedTargetRegressor(network, transformer=StandardScaler()))


def from_pytabkit(classifier: str, regressor: str) -> Callable[[Asked], Any]:
    """Return what makes one of pytabkit's learners on the processor."""

    def make(asked: Asked) -> Any:
        import pytabkit  # noqa: PLC0415 - it brings PyTorch, which the other learners do without

        kind = getattr(pytabkit, classifier if asked.classifies else regressor)
        return make_pipeline(FilledGaps(), kind(device="cpu", random_state=asked.seed, n_threads=asked.threads))

    return make


def self_tuning(asked: Asked) -> Any:
    """Return our network that tunes itself; it takes raw tables. Its setting "tuning" is given by fields of Tuning."""
    import kilonet as kn  # noqa: PLC0415 - peers run without it
    from kilonet.tuned import Tuning  # noqa: PLC0415

    make = kn.MLPClassifierCV if asked.classifies else kn.MLPRegressorCV
    settings = fixed(asked.settings)
    if "tuning" in settings:
        settings["tuning"] = Tuning(**settings["tuning"])
    return make(random_state=asked.seed, n_jobs=asked.threads, **settings)


def one_network(asked: Asked) -> Any:
    """Return one network of ours at its defaults; it takes raw tables."""
    import kilonet as kn  # noqa: PLC0415

    make = kn.MLPClassifier if asked.classifies else kn.MLPRegressor
    return make(random_state=asked.seed, n_jobs=asked.threads, **fixed(asked.settings))


def fixed(value: Any) -> Any:
    """Return what JSON gave with tuples for its lists, as our settings have them.

    >>> fixed({"hidden": [[64, 64], []]})
    {'hidden': ((64, 64), ())}
    """
    if isinstance(value, dict):
        return {name: fixed(item) for name, item in value.items()}
    return tuple(map(fixed, value)) if isinstance(value, list) else value


@dataclass(frozen=True)
class Learner:
    """A learner of the comparison.

    cost: about how long it takes beside a linear model; it decides the order of the runs and nothing else.
    revision: raised when what make returns changes, so that earlier results are measured anew.
    """

    title: str
    make: Callable[[Asked], Any]
    packages: tuple[str, ...] = ("scikit-learn",)
    cost: float = 1.0
    own: bool = False
    deep: bool = False
    revision: int = 1

    def digest(self, settings: dict[str, Any]) -> str:
        """Return a mark of the learner's version and settings; of ours the mark is of every line of its source."""
        parts = {name: metadata.version(name) for name in self.packages}
        text = json.dumps([parts, self.revision, settings, own_source() if self.own else ""], sort_keys=True)
        return sha256(text.encode()).hexdigest()[:10]


def own_source() -> str:
    """Return a mark of the files that Kilonet runs from, its kernel included."""
    import kilonet as kn  # noqa: PLC0415

    marks = sha256()
    for folder in map(Path, kn.__path__):
        for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.so")]):
            marks.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return marks.hexdigest()


def named(name: str) -> Learner:
    """Return the learner of a name in a report, "kilonet" or, of one version, "kilonet@0a1b2c".

    >>> named("forest").title, named("forest@0a1b2c").title
    ('random forest', 'random forest 0a1b2c')
    """
    own, _, version = name.partition("@")
    learner = LEARNERS[own]
    return replace(learner, title=f"{learner.title} {version}") if version else learner


TORCH = ("pytabkit", "torch")
LEARNERS = {
    "kilonet": Learner("Kilonet", self_tuning, ("kilonet",), 10.0, own=True),
    "linear": Learner("logistic / ridge regression", linear),
    "forest": Learner("random forest", forest, cost=5.0),
    "boosting": Learner("HistGradientBoosting", boosting, cost=5.0),
    "svm": Learner("SVC / SVR", support_vectors, cost=10.0),
    "sklearn-mlp": Learner("scikit-learn's MLP", sklearn_network, cost=10.0),
    "realmlp": Learner(
        "RealMLP", from_pytabkit("RealMLP_TD_Classifier", "RealMLP_TD_Regressor"), TORCH, 80.0, deep=True
    ),
    "tabm": Learner("TabM", from_pytabkit("TabM_D_Classifier", "TabM_D_Regressor"), TORCH, 160.0, deep=True),
    "kilonet-one": Learner("Kilonet, one network", one_network, ("kilonet",), 3.0, own=True),
}
