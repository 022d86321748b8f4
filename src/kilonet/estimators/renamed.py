"""Settings under the names that scikit-learn's own networks have for them, and hints to Kilonet's."""

from collections.abc import Callable, Mapping
from functools import wraps
from inspect import signature
from typing import Any

from kilonet.checks import nearest
from kilonet.recipe import DIFFERENT, RENAMED

FROM_SCIKIT_LEARN = {
    "hidden_layer_sizes": "hidden=(100,)",
    "activation": 'activation="relu"; "logistic" is "sigmoid"',
    "solver": 'optimizer="adam" or "sgd"; there is no "lbfgs"',
    "alpha": DIFFERENT["alpha"],
    "batch_size": RENAMED["batch_size"],
    "learning_rate": DIFFERENT["learning_rate"],
    "learning_rate_init": RENAMED["learning_rate_init"],
    "power_t": "schedule, a sequence of factors",
    "max_iter": RENAMED["max_iter"],
    "shuffle": "nothing: rows are shuffled always",
    "tol": "min_delta, with early_stopping=True",
    "momentum": "optimizer=kn.Momentum(0.1, beta=0.9)",
    "nesterovs_momentum": "optimizer=kn.Nesterov(0.1, beta=0.9)",
    "n_iter_no_change": "patience, with early_stopping=True",
    "beta_1": "optimizer=kn.Adam(beta1=0.9)",
    "beta_2": "optimizer=kn.Adam(beta2=0.999)",
    "epsilon": "optimizer=kn.Adam(epsilon=1e-8)",
    "max_fun": 'nothing: there is no "lbfgs"',
    "loss": 'loss="squared" for "squared_error"; there is no "poisson"',
}
"""What stands here for a parameter of scikit-learn's MLPClassifier and MLPRegressor that is otherwise there.

Of the same name and meaning are early_stopping, validation_fraction, verbose and random_state; warm_start counts
epochs from the start here. docs/from-scikit-learn.md shows the table.
"""

LOSSES_FROM_SCIKIT_LEARN = {
    "squared_error": 'loss="squared"',
    "absolute_error": 'loss="absolute"',
    "log_loss": 'loss="cross_entropy", which is what "auto" takes',
    "poisson": "a loss of your own, an object with value and slope",
}
"""What stands here for a loss of scikit-learn's."""


def with_hints(estimator: type) -> None:
    """Let the constructor of an estimator say, of an unknown setting, which one may have been meant.

    Its signature, from which scikit-learn reads the parameters, stays the same.
    """
    given: Callable[..., None] = estimator.__init__  # type: ignore[misc]
    known = list(signature(given).parameters)[1:]

    @wraps(given)
    def checked(self: Any, *arguments: Any, **settings: Any) -> None:
        for name in settings:
            if name not in known:
                raise TypeError(f"{estimator.__name__} has no setting {name!r}.{_hint(name, known)}")
        given(self, *arguments, **settings)

    estimator.__init__ = checked  # type: ignore[misc]


def instead(name: str, table: Mapping[str, str]) -> str:
    """Say what stands here for something of scikit-learn's.

    >>> instead("max_iter", FROM_SCIKIT_LEARN)
    " Instead of scikit-learn's max_iter there is epochs."
    """
    return f" Instead of scikit-learn's {name} there is {table[name]}."


def _hint(name: str, known: list[str]) -> str:
    if name in FROM_SCIKIT_LEARN:
        return instead(name, FROM_SCIKIT_LEARN)
    return nearest(RENAMED.get(name, name), known) or f" It has {', '.join(known)}."
