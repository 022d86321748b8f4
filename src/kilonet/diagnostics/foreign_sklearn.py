"""scikit-learn's multilayer perceptrons, in Kilonet's terms."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.activations import activation_from
from kilonet.checks import shown
from kilonet.diagnostics.foreign import Reckoned, Stranger, Translated, examined, loss_on
from kilonet.diagnostics.foreign_given import curves, pair, settings_of
from kilonet.diagnostics.foreign_loss import Told
from kilonet.diagnostics.insides import SAMPLE
from kilonet.diagnostics.signs import one_gradient
from kilonet.diagnostics.subject import spaced
from kilonet.engine.insides import opening
from kilonet.errors import SettingError
from kilonet.estimators.labels import Labels
from kilonet.estimators.numbers import Numbers
from kilonet.findings import Examination
from kilonet.history import History
from kilonet.losses import cross_entropy, logistic, squared
from kilonet.monitors import NAMES
from kilonet.network import Dense, Network

Array = NDArray[Any]

_ACTIVATIONS = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu"}
_LOSSES = {"softmax": cross_entropy, "logistic": logistic, "identity": squared}
_AUTO = 200  # rows of a batch, at most, that batch_size="auto" stands for


def examine_sklearn(mlp: Any, X: Any, y: Any, *, validation: Any = None, full: bool = True) -> Examination:
    """Look at a fitted MLPClassifier or MLPRegressor of scikit-learn, with the X and y that it was fitted to.

    validation: (X, y) of rows that training did not see. full: also look for leaks, learn some rows by heart, and try
    rates, the latter two with a network of the same shape and Kilonet's optimizer of the same kind.

    Settings are called by Kilonet's names: alpha divided by the rows of a batch is l2. The history is what scikit-learn
    kept: its losses include the penalty, and it has no insides. solver="lbfgs" keeps its last loss alone, which is a
    history of one epoch; epochs are its iterations. Of early_stopping there are the scores of the rows that it set
    apart, which are looked at like the others, and the weights are those of its best epoch. After warm_start and
    partial_fit the history is that of all calls. Losses are scikit-learn's own, so of several numbers a row a mean over
    them; its gradients are of their sum. scikit-learn does not keep the start. The norms of weights and gradients that
    training begins with are those of a start that is drawn anew: the same one where random_state is a number, else one
    like it. `TorchMonitor` sees the start itself where training is by partial_fit.

    >>> from sklearn.neural_network import MLPRegressor
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> mlp = MLPRegressor(hidden_layer_sizes=(5, 4), tol=0.1, random_state=0).fit(X, X[:, 0])
    >>> found = examine_sklearn(mlp, X, X[:, 0], full=False)
    >>> [facts.unit for facts in found.layers], found.settings["rate"], len(found.history) == mlp.n_iter_
    (['relu', 'relu', 'identity'], 0.001, True)

    Raises SettingError for what is no such estimator, and for one with the poisson loss, which Kilonet has not.
    """
    X = counted(X)
    own = translated(mlp, X.shape[0])
    subject = Stranger.met(own, X, y, curves(_kept(mlp), own.network))
    return examined(own, replace(subject, history=_begun(subject, mlp)), pair(validation), full=full)


def counted(X: Any) -> Any:
    """Rows that know how many they are: lists as an array, frames and sparse matrices as they came."""
    return X if hasattr(X, "shape") else np.asarray(X)


def _kept(mlp: Any) -> dict[str, Any]:
    """The curves of a fitted perceptron; those of a solver that keeps none begin and end with its last loss."""
    told: dict[str, Any] = {"loss": getattr(mlp, "loss_curve_", None) or [mlp.loss_]}
    scores = getattr(mlp, "validation_scores_", None)
    if scores is not None and len(scores) == len(told["loss"]):
        told["validation_score"] = scores
    return told


def _begun(subject: Stranger, mlp: Any) -> History:
    """The history with what a start, drawn anew, tells of the first step; how far that step went is not known."""
    begun, rows = replace(subject, theta=initial_of(mlp)), spaced(subject.problem.n_rows, SAMPLE)
    theta, gradient = begun.theta[np.newaxis], one_gradient(begun, rows)[np.newaxis]
    seen = opening(subject.network, np.array([loss_on(begun, rows)]), theta, gradient, theta)[0]
    seen[1 + NAMES.index("update_ratio") :: len(NAMES)] = np.nan
    monitors = subject.history.monitors.copy()
    monitors[0] = seen
    return replace(subject.history, monitors=monitors)


def initial_of(mlp: Any) -> Array:
    """Parameters that scikit-learn begins with, as `parameters` has them: Glorot's, uniform, biases too.

    Source: scikit-learn's BaseMultilayerPerceptron, which draws layer after layer, the weights first.
    """
    random = np.random.RandomState(mlp.random_state if isinstance(mlp.random_state, int | np.integer) else 0)
    drawn = []
    for weights in mlp.coefs_:
        bound = np.sqrt((2.0 if mlp.activation == "logistic" else 6.0) / sum(weights.shape))
        drawn += [random.uniform(-bound, bound, weights.shape).T, random.uniform(-bound, bound, weights.shape[1])]
    return np.concatenate([part.ravel() for part in drawn]).astype(mlp.coefs_[0].dtype)


def is_perceptron(model: Any) -> bool:
    """Whether it has what scikit-learn's fitted perceptrons have."""
    return all(hasattr(model, name) for name in ("coefs_", "intercepts_", "out_activation_", "activation"))


def translated(mlp: Any, n_rows: int, settings: Mapping[str, Any] | None = None) -> Translated:
    """Network, parameters, loss and settings of a fitted perceptron; settings: what is known better, by their names."""
    if hasattr(mlp, "steps") and is_perceptron(mlp.steps[-1][-1]):
        raise SettingError(
            "mlp came as a pipeline; its last step is looked at on what the others make of X: "
            "examine_sklearn(pipe[-1], pipe[:-1].transform(X), y)."
        )
    if not is_perceptron(mlp):
        raise SettingError(
            f"mlp came as {shown(mlp)}; needs a fitted MLPClassifier or MLPRegressor of scikit-learn. Call fit first?"
        )
    loss = _LOSSES.get(mlp.out_activation_)
    if loss is None:
        raise SettingError(
            f"this network has the loss {getattr(mlp, 'loss', '?')} with the output {mlp.out_activation_}, which "
            f"Kilonet has not; needs an output of {', '.join(_LOSSES)}."
        )
    sizes = [mlp.coefs_[0].shape[0], *(weights.shape[1] for weights in mlp.coefs_)]
    unit = activation_from(_ACTIVATIONS[mlp.activation])
    network = Network([sizes[0], *(Dense(size, unit) for size in sizes[1:-1]), sizes[-1]])
    known = _settings(mlp, n_rows) | settings_of(settings)
    told = _reckoned(mlp, loss)
    return Translated("scikit-learn", network, parameters(mlp), told, known, _optimizer(mlp), mlp, penalized=True)


def parameters(mlp: Any) -> Array:
    """All coefs_ and intercepts_ in one row, as Kilonet keeps them: layer by layer, a row for each unit."""
    pairs = zip(mlp.coefs_, mlp.intercepts_, strict=True)
    return np.concatenate([part.ravel() for weights, biases in pairs for part in (weights.T, biases)])


def _reckoned(mlp: Any, loss: Any) -> Reckoned:
    classes, outputs = getattr(mlp, "classes_", None), mlp.n_outputs_
    if classes is None:
        codec = Numbers(np.zeros(outputs), np.ones(outputs), flat=outputs == 1, loss=loss)
        return Reckoned(codec, loss if outputs == 1 else Told(loss, factor=1 / outputs))
    several = outputs > 1 and loss is logistic
    return Reckoned(Labels(np.arange(outputs) if several else np.asarray(classes), several, loss), loss)


def _optimizer(mlp: Any) -> Any:
    if mlp.solver == "sgd":
        kind = "nesterov" if mlp.nesterovs_momentum else "momentum"
        return {"name": kind, "beta": mlp.momentum} if mlp.momentum else "sgd"
    if mlp.solver == "adam":
        return {"name": "adam", "beta1": mlp.beta_1, "beta2": mlp.beta_2, "epsilon": mlp.epsilon}
    return None


def _settings(mlp: Any, n_rows: int) -> dict[str, Any]:
    batches = mlp.solver != "lbfgs"
    batch = n_rows if not batches else min(_AUTO if mlp.batch_size == "auto" else int(mlp.batch_size), n_rows)
    optimizer = _optimizer(mlp)
    return {
        "optimizer": optimizer["name"] if isinstance(optimizer, dict) else optimizer or mlp.solver,
        "rate": float(mlp.learning_rate_init) if batches else None,
        "schedule": mlp.learning_rate if mlp.solver == "sgd" else "constant",
        "batch": batch,
        "epochs": max(int(mlp.max_iter), len(getattr(mlp, "loss_curve_", []))) if batches else int(mlp.n_iter_),
        "l2": float(mlp.alpha) / batch,
        "dropout": 0.0,
        "early_stopping": bool(mlp.early_stopping),
        "monitor": "score",  # of the rows that early_stopping sets apart
        "tol": float(mlp.tol),
    }
