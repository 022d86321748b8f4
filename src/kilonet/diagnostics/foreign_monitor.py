"""Watching a network while somebody else trains it, epoch by epoch, from its weights alone."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.checks import shown, whole
from kilonet.diagnostics import foreign_sklearn, foreign_torch
from kilonet.diagnostics.foreign import Stranger, Translated, examined, loss_on, start_of
from kilonet.diagnostics.foreign_given import curves, pair, plain, settings_of
from kilonet.diagnostics.insides import SAMPLE, activity
from kilonet.diagnostics.outcome import mean_loss
from kilonet.diagnostics.signs import one_gradient
from kilonet.diagnostics.subject import spaced
from kilonet.engine.batches import Batches
from kilonet.engine.insides import closing, opening
from kilonet.errors import SettingError
from kilonet.findings import Examination, StartFacts
from kilonet.history import METRICS, History
from kilonet.monitors import NAMES, width

Array = NDArray[Any]
Floats = NDArray[np.float64]


class TorchMonitor:
    """Call it once after every epoch; it reads the weights, and collects what `kn.diagnose` wants to know.

    module: a torch module as `examine_torch` takes it, or an MLPClassifier or MLPRegressor of scikit-learn that is
    trained by partial_fit. Make the monitor before training begins: then the start is seen too, of scikit-learn's only
    where its weights are there already. X, y: the training rows, scaled as training has them; validation: (X, y) of
    others. every: epochs from one look inside to the next. loss, optimizer, settings: as in `examine_torch`; an
    estimator of scikit-learn has its own loss and optimizer, so that only settings may be given. Rate and penalty are
    read when the monitor is made.

    The history has Kilonet's monitors, with these differences. Losses and gradients are those of the training's own
    loss, as `examine_torch` has them. gradient_norm and weight_norm are of the weights that the epoch began with, the
    gradient is of up to 2,000 rows. update_ratio: where `step` was called after the first step of the epoch, the change
    of that step by the weights' norm, as in Kilonet's own histories. Else only the change of a whole epoch is known: it
    is divided by the number of steps, as if all went one way, so that real steps are at least so long. Without a batch
    in the settings that number is not known, and update_ratio is NaN. changes (epochs, layers): the change of a whole
    epoch by the norm before it, NaN in epochs that were not watched.

        monitor = TorchMonitor(model, X, y, loss=criterion, optimizer=optimizer, settings={"batch": 64, "epochs": 20})
        for epoch in range(1, 21):
            ...                             # train an epoch
            monitor(epoch, loss=mean_loss)  # without a loss it is computed, on up to 2,000 rows
        found = monitor.examination()

    >>> from sklearn.neural_network import MLPClassifier
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> mlp = MLPClassifier((8,), random_state=0)
    >>> monitor = TorchMonitor(mlp, X, X[:, 0] > 0)
    >>> for epoch in (1, 2, 3):
    ...     mlp = mlp.partial_fit(X, X[:, 0] > 0, classes=[False, True])
    ...     monitor(epoch)
    >>> monitor.history.dead.shape, monitor.examination(full=False).history.update_ratio.shape
    ((3, 1), (3, 2))
    """

    def __init__(
        self,
        module: Any,
        X: Any,
        y: Any,
        *,
        every: int = 1,
        loss: Any = None,
        optimizer: Any = None,
        settings: Mapping[str, Any] | None = None,
        validation: Any = None,
    ) -> None:
        self._module, self._every = module, whole("every", every)
        self._told = (loss, optimizer, settings)
        self._sklearn = hasattr(module, "partial_fit")
        if self._sklearn and (loss is not None or optimizer is not None):
            raise SettingError(
                f"{type(module).__name__} of scikit-learn has its own loss and optimizer; leave out both."
            )
        self._X, self._y = self._rows(X, y)
        others = pair(validation)
        self._validation = None if others is None else self._rows(*others)
        self._subject: Stranger | None = None
        self._own: Translated | None = None
        self._start: StartFacts | None = None
        self._before: Array | None = None
        self._step: Floats | None = None
        self._first, self._diverged = 0, 0
        self._curves: list[list[float]] = []
        self._monitors: list[Array] = []
        self._changes: list[Floats] = []
        self._activity: list[tuple[int, list[Floats]]] = []
        if not self._sklearn:
            foreign_torch.check_alike(module, foreign_torch.translated(module, y, *self._told), X)
        if not self._sklearn or foreign_sklearn.is_perceptron(module):
            self._begin()

    def __call__(
        self,
        epoch: int | None = None,
        *,
        loss: Any = None,
        score: Any = None,
        validation_loss: Any = None,
        validation_score: Any = None,
    ) -> None:
        """Look at the network after an epoch. epoch: a count, checked to rise by one from call to call.

        loss, score, validation_*: of the epoch, where they are known. Raises SettingError where an epoch was left out.
        """
        number = len(self._curves) + 1
        self._check(epoch, number)
        before = self._before
        subject = self._looked()
        told = [loss, score, validation_loss, validation_score]
        found = self._evaluated(subject, need=loss is None) if np.isfinite(subject.theta).all() else [np.nan] * 4
        self._curves.append([there if own is None else float(plain(own))
                             for own, there in zip(told, found, strict=True)])  # fmt: skip
        change, row = np.full(subject.network.n_layers, np.nan), np.full(width(subject.network.n_layers), np.nan)
        if not np.isfinite(subject.theta).all():
            self._diverged = self._diverged or number
        elif (number - 1) % self._every == 0:
            change, row = self._watched(subject, before, number)
            self._activity.append((number, activity(subject.network, subject.theta, subject.problem.X)))
        self._monitors.append(row.astype(np.float32))
        self._changes.append(change)
        self._step = None

    def step(self) -> None:
        """Call it right after the first step of an epoch: then update_ratio is that of a real step."""
        if self._own is None or self._before is None:
            return
        theta, network = self._parameters(), self._own.network
        nothing = np.zeros_like(theta)[np.newaxis]
        seen = opening(network, np.zeros(1), self._before[np.newaxis], nothing, theta[np.newaxis])
        self._step = seen[0, 1:].reshape(network.n_layers, -1)[:, NAMES.index("update_ratio")].astype(np.float64)

    @property
    def history(self) -> History:
        """What was collected, `kilonet.History` of one network."""
        own = self._translated()
        if not self._curves:
            return curves(None, own.network)
        table = np.asarray(self._curves, dtype=np.float64)[:, np.newaxis]
        return History.of(table, single=True, monitors=np.stack(self._monitors)[:, np.newaxis])

    @property
    def changes(self) -> Floats:
        """Change of the weights over each epoch by their norm before it, (epochs, layers)."""
        return np.reshape(self._changes, (len(self._changes), self._translated().network.n_layers))

    def examination(self, *, full: bool = True) -> Examination:
        """The network as it is now, with all that was collected; full: as in `examine_torch`."""
        own = replace(self._translated(), theta=self._parameters())
        subject = Stranger.met(own, self._X, self._y, self.history, self._diverged)
        seen = None
        if self._activity and self._activity[0][1]:
            layers = zip(*(shares for _, shares in self._activity), strict=True)
            seen = [epoch for epoch, _ in self._activity], [np.stack(layer) for layer in layers]
        return examined(own, subject, self._validation, full=full, start=self._start, activity=seen)

    def _rows(self, X: Any, y: Any) -> tuple[Any, Any]:
        return (foreign_sklearn.counted(X), y) if self._sklearn else (foreign_torch.flat(X), foreign_torch.labels_of(y))

    def _parameters(self) -> Array:
        return foreign_sklearn.parameters(self._module) if self._sklearn else foreign_torch.parameters(self._module)

    def _translated(self) -> Translated:
        if self._own is None:
            raise SettingError("this network has no weights yet; train an epoch and call the monitor first.")
        return self._own

    def _met(self) -> Stranger:
        """The network, once it has weights."""
        if self._sklearn:
            known = {"epochs": None} | settings_of(self._told[2])  # max_iter says nothing of partial_fit
            self._own = foreign_sklearn.translated(self._module, self._X.shape[0], known)
        else:
            self._own = foreign_torch.translated(self._module, self._y, *self._told)
        self._subject = Stranger.met(self._own, self._X, self._y, curves(None, self._own.network))
        return self._subject

    def _begin(self) -> None:
        """Look at the network before it is trained."""
        subject = self._met()
        self._before, self._start = subject.theta.copy(), start_of(subject)
        self._activity.append((0, activity(subject.network, subject.theta, subject.problem.X)))

    def _looked(self) -> Stranger:
        """The network with its weights of now, which are the next epoch's first ones."""
        subject = self._subject or self._met()
        self._before = self._parameters().copy()
        return replace(subject, theta=self._before)

    def _check(self, epoch: int | None, number: int) -> None:
        if epoch is None:
            return
        if number == 1:
            self._first = int(epoch)
        if epoch != self._first + number - 1:
            raise SettingError(
                f"epoch came as {shown(epoch)}; {self._first + number - 1} comes next. Call the monitor once after "
                "every epoch; every= says how often it looks inside."
            )

    def _evaluated(self, subject: Stranger, *, need: bool) -> list[float]:
        """The metrics by the weights of now, NaN for those that nobody needs."""
        found = [np.nan] * len(METRICS)
        held_out = subject.held_out(self._validation)
        sets = [(0, subject.problem.X, subject.problem.targets, subject.problem.weights)] if need else []
        sets += [] if held_out is None else [(2, held_out.X, held_out.targets, held_out.weights)]
        for place, X, targets, weights in sets:
            rows = spaced(len(targets), SAMPLE)
            scores = subject.scores(subject.theta, X[rows])
            own = None if weights is None else weights[rows]
            found[place] = mean_loss(subject.loss, scores, targets[rows], own)
            found[place + 1] = float(subject.loss.score(scores, targets[rows]))
        return found

    def _watched(self, subject: Stranger, before: Array | None, number: int) -> tuple[Floats, Array]:
        """The change (layers,) over an epoch, and its monitors (width,), as the engine counts them."""
        begun, problem = subject if before is None else replace(subject, theta=before), subject.problem
        rows = spaced(problem.n_rows, SAMPLE)
        gradient = one_gradient(begun, rows)[np.newaxis]
        loss = np.nan if before is None else loss_on(begun, rows)
        theta = subject.theta[np.newaxis]
        seen = opening(subject.network, np.zeros(1), begun.theta[np.newaxis], gradient, theta)
        seen[0, 0] = loss
        ratios = seen[0, 1 + NAMES.index("update_ratio") :: len(NAMES)]  # a view: what it gets, seen has
        change = np.full(len(ratios), np.nan) if before is None else ratios.astype(np.float64)
        stepwise = change / problem.steps_per_epoch if subject.known.get("batch") else np.full(len(ratios), np.nan)
        ratios[:] = stepwise if self._step is None else self._step
        return change, closing(seen, Batches(problem), theta, number - 1, np.zeros(1, np.int64))[0]
