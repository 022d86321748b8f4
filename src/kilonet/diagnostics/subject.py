"""Whom an examination looks at: one member of an estimator, with the rows of its training as the network sees them."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from kilonet.checks import whole
from kilonet.engine import Problem, choose
from kilonet.engine.problem import Validation
from kilonet.errors import DataError, SettingError
from kilonet.estimators.footing import Encodings, Footing, found
from kilonet.estimators.labels import Labels
from kilonet.estimators.plan import Draws, training_settings
from kilonet.estimators.rows import Rows
from kilonet.estimators.run import Work
from kilonet.estimators.settings import check_settings
from kilonet.history import History
from kilonet.monitors import width
from kilonet.recipe import Recipe
from kilonet.rules import PER_MEMBER

# ruff: noqa: SLF001 (estimators keep their state in names with an underscore, as scikit-learn wants it)

Array = NDArray[Any]
Places = NDArray[np.intp]

BLOCK = 4096  # rows whose outputs are held at once
NO_SETTINGS = (
    "callbacks",
    "validation_data",
    "verbose",
    "n_jobs",
    "warm_start",
    "watch",
)  # nothing that a network depends on


def spaced(n: int, most: int) -> Places:
    """Places of at most so many of n rows, evenly over all of them: the same ones in every call.

    >>> spaced(3, 5), spaced(9, 3)
    (array([0, 1, 2]), array([0, 4, 8]))
    """
    return np.arange(n) if n <= most else np.linspace(0, n - 1, most).round().astype(np.intp)


@dataclass(frozen=True, eq=False)
class Subject:
    """One member of an estimator, fitted or not.

    problem: the training of this member alone, its rows encoded, without those that were held out. rows: the same as
    the user gave them. theta (n_parameters,): what is judged; of an estimator that is not fitted, where it starts.
    diverged: epoch in which it left the finite numbers, else 0. encodings: how further rows are encoded.
    """

    estimator: Any
    footing: Footing
    problem: Problem
    rows: Rows
    theta: Array
    history: History
    diverged: int
    encodings: Encodings

    @classmethod
    def of(cls, estimator: Any, X: Any, y: Any, sample_weight: Any = None, member: int = 0) -> "Subject":
        """The member and its training, from the X and y of `fit`. Raises SettingError where there is no such member."""
        fitted = hasattr(estimator, "theta_")
        own = estimator if fitted else clone(estimator)
        if not fitted:
            check_settings(own)
        known, encodings = own._rows(X, y, sample_weight, reset=not fitted), Encodings()
        draws = own._footing.draws if fitted else Draws.of(own.random_state)
        rows, held_out = own._validation(known, draws)
        footing = own._footing if fitted else found(own, rows, own._codec(rows, known), draws, encodings)
        place = whole("member", member, f"[0, {len(footing.seeds) - 1}]")
        settings = training_settings(own, footing.network, len(rows), draws, footing.dtype)
        work = Work.of(own, footing, settings, (rows, held_out), encodings, going_on=False)
        problem = work.problem
        if fitted:  # its settings may have been changed since
            problem = replace(problem, recipe=own.recipe_)
        problem = problem.members([place])
        theta = np.atleast_2d(own.theta_)[place] if fitted else initial(problem)
        diverged = int(own._state["diverged"][place]) if getattr(own, "_state", None) is not None else 0
        history = _of_member(own.history_, place) if fitted else unwritten(problem)
        return cls(own, footing, problem, rows, theta, history, diverged, encodings)

    @property
    def network(self) -> Any:
        """The network of the member."""
        return self.problem.network

    @property
    def loss(self) -> Any:
        """The loss of the member, for scores without an axis of members."""
        return self.problem.loss.member(0)

    @property
    def seed(self) -> int:
        """What the member's initial parameters are drawn from."""
        return self.problem.recipe.seeds[0]

    @property
    def task(self) -> str:
        """What `Examination.task` says."""
        codec = self.footing.codec
        if not isinstance(codec, Labels):
            return "regression"
        return "multilabel" if codec.multilabel else "classification"

    @property
    def classes(self) -> NDArray[np.int64] | None:
        """Places of the rows' classes (n,); None for numbers and for several labels a row."""
        codec = self.footing.codec
        return codec.indices(self.rows.targets) if isinstance(codec, Labels) and not codec.multilabel else None

    @property
    def settings(self) -> dict[str, Any]:
        """What `Examination.settings` says: the estimator's parameters, with what "auto" and lists came to."""
        recipe, network = self.problem.recipe, self.network
        given = {k: v for k, v in self.estimator.get_params(deep=False).items() if k not in NO_SETTINGS}
        own = {name: recipe.each(name)[0] for name in PER_MEMBER if name not in ("order", "stopping", "smoothing")}
        return given | own | {
            "schedule": str(own["schedule"]), "optimizer": recipe.optimizer.name, "batch": self.problem.batch,
            "epochs": recipe.epochs, "hidden": network.sizes[1:-1], "activation": self._activation(),
            "loss": self.loss.name, "dtype": recipe.dtype, "n_rows": self.problem.n_rows,
            "n_inputs": network.n_inputs, "n_outputs": network.n_outputs,
        }  # fmt: skip

    def _activation(self) -> str:
        units = list(dict.fromkeys(layer.unit for layer in self.network.layers[:-1]))
        return ", ".join(units) or str(self.estimator.activation)

    def recipe(self, members: int, **settings: Any) -> Recipe:
        """The recipe of the member for so many networks from its own start; settings: what is to be different.

        Nothing is watched, and no epoch is the last good one: every run goes to its end.
        """
        own = self.problem.recipe
        alike = {name: own.each(name)[0] for name in PER_MEMBER}
        return own.but(**(alike | {"seeds": (self.seed,) * members, "stopping": None, "watch": 0} | settings))

    def problem_on(self, places: Places, recipe: Recipe, loss: Any = None) -> Problem:
        """A training of the member's network on some of its rows, without anything held out."""
        own = self.problem
        weights = None if own.weights is None else own.weights[places]
        loss = self.loss if loss is None else loss
        return replace(own, loss=loss, X=own.X[places], targets=own.targets[places], weights=weights, validation=None,
                       recipe=recipe)  # fmt: skip

    def held_out(self, given: Any = None) -> Validation | None:
        """Rows that training did not see: those given as (X, y) or (X, y, sample_weight), else its validation rows.

        Raises SettingError and DataError for rows that are none.
        """
        if given is None:
            return self.problem.validation
        if not isinstance(given, tuple | list) or len(given) not in (2, 3):
            raise SettingError("validation must be (X, y) or (X, y, sample_weight).")
        try:
            rows = self.estimator._rows(*given, *([None] if len(given) == 2 else []), reset=False)
            known = self.footing.codec.targets(rows.targets)
        except ValueError as error:
            raise DataError(f"validation: {error}") from error
        targets = self.loss.targets(known, self.network.n_outputs, self.footing.dtype)
        return Validation(self.encodings.inputs(self.footing, rows), targets, rows.own_weights)

    def scores(self, theta: Array, X: Any) -> Array:
        """Scores (n, k) of one network's parameters, by the engine that trains it."""
        found: Array = choose(self.network).Predictor(self.network, theta).scores(X)
        return found


def initial(problem: Problem) -> Array:
    """Where the training of one member starts, (n_parameters,)."""
    start: Array = problem.network.initial(seed=problem.recipe.seeds[0], dtype=problem.recipe.dtype)
    return start


def unwritten(problem: Problem) -> History:
    """The history of a network that was not trained."""
    monitors = np.zeros((0, 1, width(problem.network.n_layers)), np.float32)
    return History.of(np.zeros((0, 1, 4)), single=True, monitors=monitors)


def _of_member(history: History, member: int) -> History:
    """The curves of one member, as far as it came."""
    curves = history.to_array()[:, [member]]
    monitors = history.monitors if history.loss.ndim == 2 else history.monitors[:, np.newaxis]
    epochs = int(np.isfinite(curves[:, 0, 0]).sum())
    return History.of(curves[:epochs], single=True, monitors=monitors[:epochs, [member]])
