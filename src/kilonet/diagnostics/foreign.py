"""Networks that were trained elsewhere, as what the examination of Kilonet's own ones looks at."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.diagnostics.inputs import input_facts, target_facts
from kilonet.diagnostics.insides import layer_facts
from kilonet.diagnostics.outcome import ROWS, gap_facts, mean_loss
from kilonet.diagnostics.preflight import rates_of, small_of
from kilonet.diagnostics.subject import Subject, spaced
from kilonet.engine.inputs import assemble
from kilonet.engine.problem import Validation
from kilonet.errors import SettingError
from kilonet.estimators.footing import Encodings, Footing
from kilonet.estimators.labels import Labels, label_array
from kilonet.estimators.numbers import Numbers, number_array
from kilonet.estimators.plan import Draws
from kilonet.estimators.rows import Rows
from kilonet.findings import Examination, SmallFacts, StartFacts
from kilonet.history import METRICS, History
from kilonet.monitors import width
from kilonet.network import Network
from kilonet.recipe import Recipe

Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Translated:
    """A foreign network in Kilonet's terms.

    origin: as `Examination` has it. theta (n_parameters,), float32 or float64. codec: what turns y into targets, with
    the loss. settings: what is known of the training, by Kilonet's names; optimizer: as `Recipe` takes it, None where
    Kilonet has no such one. model: whose names of columns are asked.
    """

    origin: str
    network: Network
    theta: Array
    codec: Labels | Numbers
    settings: Mapping[str, Any]
    optimizer: Any = None
    model: Any = None


@dataclass(frozen=True, eq=False)
class Stranger(Subject):
    """A foreign network and the rows that it was trained on, examined as one of Kilonet's own."""

    known: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def met(cls, own: Translated, X: Any, y: Any, history: History, diverged: int = 0) -> "Stranger":
        """From the network and its rows: X (n, n_inputs) as the network is given them, y as its loss takes them.

        Raises ShapeError and DataError for rows that do not fit.
        """
        dtype = own.theta.dtype.name
        batch = own.settings.get("batch") or 32
        told = {name: own.settings.get(name) for name in ("rate", "l2", "epochs")}
        optimizer = {} if own.optimizer is None else {"optimizer": own.optimizer}
        recipe = Recipe.make(**optimizer, batch=int(batch), dtype=dtype, seeds=[0], watch=0,
                             **{name: value for name, value in told.items() if value is not None})  # fmt: skip
        rows = Rows.of(np.zeros(len(y)), targets_of(own.codec, y), None)
        problem = assemble(own.network, own.codec.loss, X, own.codec.targets(rows.y), recipe)
        footing = Footing(None, own.codec, own.network, Draws(0, 0, 0), (0,), dtype)
        shape = {"n_rows": problem.n_rows, "n_inputs": own.network.n_inputs, "n_outputs": own.network.n_outputs}
        units = list(dict.fromkeys(layer.unit for layer in own.network.layers[:-1]))
        known = {"hidden": own.network.sizes[1:-1], "activation": ", ".join(units), "loss": own.codec.loss.name,
                 "dtype": dtype, **shape, **own.settings}  # fmt: skip
        return cls(own.model, footing, problem, rows, own.theta, history, diverged, Encodings(), known)

    @property
    def settings(self) -> dict[str, Any]:
        """What is known of the training, by Kilonet's names."""
        return dict(self.known)

    def held_out(self, given: Any = None) -> Validation | None:
        """Rows that training did not see: those given as (X, y), else none."""
        if given is None:
            return None
        if not isinstance(given, tuple | list) or len(given) != 2:
            raise SettingError("validation must be (X, y).")
        codec = self.footing.codec
        recipe = self.problem.recipe
        other = assemble(self.network, codec.loss, given[0], codec.targets(targets_of(codec, given[1])), recipe)
        return Validation(other.X, other.targets, None)


def targets_of(codec: Labels | Numbers, y: Any) -> Array:
    """The user's y as the codec takes it. Raises DataError for what is no label or number."""
    return label_array(y) if isinstance(codec, Labels) else number_array(y)


def plain(origin: Any) -> Array:
    """An array of whatever holds one: NumPy's, or a tensor on any device."""
    if hasattr(origin, "detach"):
        origin = origin.detach().cpu().numpy()
    return np.asarray(origin)


def examined(own: Translated, subject: Stranger, validation: Any, *, full: bool, **more: Any) -> Examination:
    """The examination of a foreign network; full: also look for leaks, learn some rows by heart, and try rates.

    Rates are tried where Kilonet has the optimizer; nothing is tried with a network that left the finite numbers.
    more: fields that only the caller knows.
    """
    sound = bool(np.isfinite(own.theta).all())
    trains = full and sound and own.optimizer is not None and own.settings.get("rate") is not None
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
        target=target_facts(subject),
        small=_small(subject) if full and sound else None,
        rates=rates_of(subject) if trains else None,
        gap=gap_facts(subject, validation) if sound else None,
        **more,
    )


def start_of(subject: Stranger) -> StartFacts:
    """The loss with the subject's parameters, on up to 20,000 rows, and that of the best answer without inputs.

    For classes that is the loss of scores that are all zero; for numbers that of their mean, or of their median where
    the loss is no square.
    """
    problem, loss = subject.problem, subject.loss
    rows = spaced(problem.n_rows, ROWS)
    targets, scores = problem.targets[rows], subject.scores(subject.theta, problem.X[rows])
    answer: Any = np.zeros(scores.shape[1])
    if isinstance(subject.footing.codec, Numbers):
        answer = targets.mean(axis=0) if loss.name == "squared" else np.median(targets, axis=0)
    return StartFacts(mean_loss(loss, scores, targets), mean_loss(loss, np.broadcast_to(answer, scores.shape), targets))


def _small(subject: Stranger) -> SmallFacts:
    """Whether a network of this shape learns a few rows by heart: network and data are asked, so numbers are scaled."""
    if isinstance(subject.footing.codec, Numbers):
        y = subject.problem.targets.astype(np.float64)
        scaled = Numbers.of(y, None).targets(y).astype(subject.problem.targets.dtype)
        subject = replace(subject, problem=replace(subject.problem, targets=scaled))
    return small_of(subject)


def _lost(history: History) -> int:
    """The first epoch whose loss is no finite number; the last one where the curve does not tell."""
    lost = np.flatnonzero(~np.isfinite(history.loss))
    return int(lost[0]) + 1 if len(lost) else max(1, len(history))


def curves(given: Any, network: Network) -> History:
    """A history from a `History`, from a mapping of lists by the names of its fields, or of nothing for None.

    >>> curves({"loss": [0.7, 0.5], "validation_score": [0.5, 0.8]}, Network([2, 1]))
    History(2 epochs, last loss 0.5, validation_score 0.8)

    Raises SettingError for other names, and for lists that differ in length.
    """
    if isinstance(given, History):
        return given
    told = dict(given or {})
    if not set(told) <= set(METRICS):
        raise SettingError(
            f"history has {', '.join(sorted(map(str, set(told) - set(METRICS))))}; "
            f"needs lists named {', '.join(METRICS)}."
        )
    lengths = {len(values) for values in told.values()}
    if len(lengths) > 1:
        raise SettingError(f"history has lists of {' and '.join(map(str, sorted(lengths)))} epochs; needs equal ones.")
    epochs = lengths.pop() if lengths else 0
    table = np.full((epochs, 1, len(METRICS)), np.nan)
    for place, name in enumerate(METRICS):
        if name in told:
            table[:, 0, place] = [np.nan if value is None else float(value) for value in told[name]]
    return History.of(table, True, np.full((epochs, 1, width(network.n_layers)), np.nan, np.float32))
