"""Networks that were trained elsewhere, as what the examination of Kilonet's own ones looks at."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.diagnostics.inputs import input_facts, target_facts
from kilonet.diagnostics.insides import layer_facts
from kilonet.diagnostics.outcome import ROWS, gap_facts, knowing_nothing, mean_loss
from kilonet.diagnostics.preflight import rates_of, small_of
from kilonet.diagnostics.subject import Places, Subject, spaced
from kilonet.engine.inputs import assemble
from kilonet.engine.problem import Problem, Validation
from kilonet.estimators.footing import Encodings, Footing
from kilonet.estimators.labels import Labels, label_array
from kilonet.estimators.numbers import Numbers, number_array
from kilonet.estimators.plan import Draws
from kilonet.estimators.rows import Rows
from kilonet.findings import Examination, SmallFacts, StartFacts, TargetFacts
from kilonet.history import History
from kilonet.losses import Loss
from kilonet.network import Network
from kilonet.recipe import Recipe

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Reckoned:
    """How a foreign loss stands to one of Kilonet's.

    codec: turns y into targets, and has Kilonet's loss. loss: what the losses of that training are told in, a mean over
    rows. class_weight: weights of the classes by their numbers, None where all count the same.
    """

    codec: Labels | Numbers
    loss: Loss
    class_weight: Mapping[int, float] | None = None


@dataclass(frozen=True, eq=False)
class Translated:
    """A foreign network in Kilonet's terms.

    origin: as `Examination` has it. theta (n_parameters,), float32 or float64. told: targets and loss. settings: what
    is known of the training, by Kilonet's names; optimizer: as `Recipe` takes it, None where Kilonet has no such one.
    model: whose names of columns are asked. penalized: whether the losses of its curve hold the penalty.
    """

    origin: str
    network: Network
    theta: Array
    told: Reckoned
    settings: Mapping[str, Any]
    optimizer: Any = None
    model: Any = None
    penalized: bool = False


@dataclass(frozen=True, eq=False)
class Stranger(Subject):
    """A foreign network and the rows that it was trained on, examined as one of Kilonet's own."""

    known: Mapping[str, Any] = field(default_factory=dict)
    class_weight: Mapping[int, float] | None = None

    @classmethod
    def met(cls, own: Translated, X: Any, y: Any, history: History, diverged: int = 0) -> "Stranger":
        """From the network and its rows: X (n, n_inputs) as the network is given them, y as its loss takes them.

        Raises ShapeError and DataError for rows that do not fit.
        """
        codec, dtype = own.told.codec, own.theta.dtype.name
        told = {name: own.settings.get(name) for name in ("rate", "l2", "epochs")}
        told |= {"epochs": told["epochs"] or len(history), "optimizer": own.optimizer}
        recipe = Recipe.make(batch=own.settings.get("batch") or 32, dtype=dtype, seeds=[0], watch=0,
                             **{name: value for name, value in told.items() if value})  # fmt: skip
        y = targets_of(codec, y)
        rows = Rows.of(np.zeros(len(y)), y, None)
        problem = assemble(own.network, own.told.loss, X, codec.targets(rows.y), recipe,
                           class_weight=own.told.class_weight)  # fmt: skip
        footing = Footing(None, codec, own.network, Draws(0, 0, 0), (0,), dtype)
        known = _settings(own, problem)
        return cls(own.model, footing, problem, rows, own.theta, history, diverged, Encodings(), known,
                   own.told.class_weight)  # fmt: skip

    @property
    def settings(self) -> dict[str, Any]:
        """What is known of the training, by Kilonet's names."""
        return dict(self.known)

    def held_out(self, given: Any = None) -> Validation | None:
        """Rows that training did not see: those given as (X, y), else none."""
        if given is None:
            return None
        codec, own = self.footing.codec, self.problem
        other = assemble(self.network, self.loss, given[0], codec.targets(targets_of(codec, given[1])), own.recipe,
                         class_weight=self.class_weight)  # fmt: skip
        return Validation(other.X, other.targets, other.weights)


def _settings(own: Translated, problem: Problem) -> dict[str, Any]:
    """What `Examination.settings` says of a foreign network."""
    units = list(dict.fromkeys(layer.unit for layer in own.network.layers[:-1]))
    found = {
        "hidden": own.network.sizes[1:-1], "activation": ", ".join(units), "loss": own.told.codec.loss.name,
        "dtype": own.theta.dtype.name, "n_rows": problem.n_rows, "n_inputs": own.network.n_inputs,
        "n_outputs": own.network.n_outputs,
    }  # fmt: skip
    weights = own.told.class_weight
    return found | ({} if weights is None else {"class_weight": weights}) | dict(own.settings)


def targets_of(codec: Labels | Numbers, y: Any) -> Array:
    """The user's y as the codec takes it. Raises DataError for what is no label or number."""
    return label_array(y) if isinstance(codec, Labels) else number_array(y)


def examined(own: Translated, subject: Stranger, validation: Any, *, full: bool, **more: Any) -> Examination:
    """The examination of a foreign network; full: also look for leaks, learn some rows by heart, and try rates.

    Rates are tried where Kilonet has the optimizer; nothing is tried with a network that left the finite numbers.
    more: fields that only the caller knows.
    """
    sound = bool(np.isfinite(own.theta).all())
    trains = full and sound and own.optimizer is not None and bool(own.settings.get("rate"))
    with np.errstate(all="ignore"):
        layers = layer_facts(subject)
    return Examination(
        origin=own.origin,
        task=subject.task,
        settings=subject.settings,
        layers=layers,
        history=subject.history,
        diverged=subject.diverged or (0 if sound else _lost(subject.history)),
        inputs=input_facts(subject, leaking=full),
        target=_target(subject, penalized=own.penalized),
        small=_small(subject) if full and sound else None,
        rates=rates_of(subject) if trains else None,
        gap=gap_facts(subject, validation) if sound else None,
        **more,
    )


def loss_on(subject: Stranger, rows: Places) -> float:
    """The loss of a network on some of its rows."""
    problem = subject.problem
    weights = None if problem.weights is None else problem.weights[rows]
    return mean_loss(subject.loss, subject.scores(subject.theta, problem.X[rows]), problem.targets[rows], weights)


def start_of(subject: Stranger) -> StartFacts:
    """The loss with the subject's parameters, on up to 20,000 rows, and that of the best answer without inputs.

    For classes that is the loss of scores that are all zero; for numbers that of their mean, or of their median where
    the loss is no square.
    """
    problem, loss = subject.problem, subject.loss
    rows = spaced(problem.n_rows, ROWS)
    targets, scores = problem.targets[rows], subject.scores(subject.theta, problem.X[rows])
    weights = None if problem.weights is None else problem.weights[rows]
    codec, answer = subject.footing.codec, np.zeros(scores.shape[1])
    if isinstance(codec, Numbers):
        answer = targets.mean(axis=0) if codec.loss.name == "squared" else np.median(targets, axis=0)
    nothing = np.broadcast_to(answer, scores.shape)
    return StartFacts(mean_loss(loss, scores, targets, weights), mean_loss(loss, nothing, targets, weights))


def _target(subject: Stranger, *, penalized: bool) -> TargetFacts:
    """The target, and the loss of knowing nothing of it; of the network too where its curve tells another one.

    Of several numbers a row those that spread most: others did not scale them before they came here, as ours are.
    """
    y, weights = subject.problem.targets, subject.problem.weights
    left = loss_on(subject, spaced(subject.problem.n_rows, ROWS)) if penalized else np.nan
    found = replace(target_facts(subject), nothing=knowing_nothing(subject, y, weights), left=left)
    if not isinstance(subject.footing.codec, Numbers) or y.shape[1] == 1:
        return found
    deviations = y.std(axis=0, dtype=np.float64)
    widest = int(np.argmax(deviations))
    return replace(found, mean=float(y[:, widest].mean(dtype=np.float64)), deviation=float(deviations[widest]))


def _small(subject: Stranger) -> SmallFacts | None:
    """Whether a network of this shape learns a few rows by heart: network and data are asked, so numbers are scaled.

    The loss is Kilonet's, since a threshold is in it.
    """
    codec, problem = subject.footing.codec, replace(subject.problem, loss=subject.footing.codec.loss)
    if isinstance(codec, Numbers):
        y = problem.targets.astype(np.float64)
        scaled = Numbers.of(y, None).targets(y).astype(problem.targets.dtype)
        problem = replace(problem, targets=scaled)
    return small_of(replace(subject, problem=problem))


def _lost(history: History) -> int:
    """The first epoch whose loss is no finite number; the last one where the curve does not tell."""
    lost = np.flatnonzero(~np.isfinite(history.loss))
    return int(lost[0]) + 1 if len(lost) else max(1, len(history))
