"""From an estimator's settings to a network, a recipe's settings and random numbers."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joblib.parallel import get_active_backend
from sklearn.utils import check_random_state

from kilonet.activations import activation_from
from kilonet.checks import choice, shown, whole
from kilonet.errors import SettingError
from kilonet.estimators.renamed import LOSSES_FROM_SCIKIT_LEARN, instead
from kilonet.estimators.settings import Settings
from kilonet.losses import OwnLoss, loss_from
from kilonet.network import Dense, Maxout, Network, Same
from kilonet.optimizers import optimizer_from
from kilonet.recipe import Recipe
from kilonet.schedules import schedule_from
from kilonet.stopping import Stopping

SMALL = 10_000  # training rows up to which a batch is 32
GOLDEN = 0x9E3779B97F4A7C15  # 2**64 over the golden ratio: its multiples lie far apart, and never meet
ADAPTIVE = ("adam", "adamw", "rmsprop", "adagrad")  # steps of about the rate, whatever the size of the gradient


@dataclass(frozen=True)
class Draws:
    """What random_state decided: the seed of the first member, the order of the rows, and the held-out rows.

    All three are always drawn, so that none depends on whether another is used; they are kept, so that
    training that goes on later goes on with them.

    >>> Draws.of(0) == Draws.of(0)
    True
    """

    seed: int
    order: int
    split: int

    @classmethod
    def of(cls, random_state: Any) -> "Draws":
        """Draws from an int, a NumPy RandomState, or None for NumPy's global one."""
        draws = check_random_state(random_state).randint(0, 2**32, size=3, dtype="uint64")
        return cls(*(int(draw) for draw in draws))

    def seeds(self, members: int) -> tuple[int, ...]:
        """One seed per member, whose first does not depend on how many there are.

        >>> Draws(5, 0, 0).seeds(3)
        (5, 11400714819323198490, 4354685564936845359)
        """
        return tuple((self.seed + member * GOLDEN) % 2**64 for member in range(members))


def batch_size(batch: int | str, n_rows: int) -> int:
    """The rows of a step; "auto" is 32 up to 10,000 rows, else 128.

    >>> batch_size("auto", 1797), batch_size("auto", 60_000)
    (32, 128)
    """
    if batch == "auto":
        return 32 if n_rows <= SMALL else 128
    return whole("batch", batch)


def epoch_count(epochs: int | str, n_rows: int, batch: int) -> int:
    """Passes over the rows; "auto" is 100, or what makes 2,000 to 8,000 steps, but 20 at least and 1,000 at most.

    docs/defaults.md has the measurements. Data that fit into one batch get 1,000 epochs however many rows
    they are, so that weights remain worth as much as repeated rows.

    >>> [epoch_count("auto", rows, batch) for rows, batch in ((30, 32), (442, 32), (1797, 32), (60_000, 128))]
    [1000, 143, 100, 20]
    """
    if epochs == "auto":
        steps_per_epoch = -(-n_rows // min(batch, n_rows))
        fewest, most = -(-2000 // steps_per_epoch), 8000 // steps_per_epoch
        return min(max(fewest, min(100, most), 20), 1000)
    return whole("epochs", epochs)


def starting_rate(settings: Settings, network: Network) -> float | None:
    """The rate that a recipe is told; None for the optimizer's own.

    An adaptive optimizer moves a weight by about its rate in a step. Without hidden layers the weights
    themselves have to grow to the size of the answer, for which its own rate is too small; and a convex
    loss bears a larger one.

    >>> single, deep = Network([4, 3]), Network([4, 8, 3])
    >>> [starting_rate(Settings(optimizer=name), single) for name in ("adam", "sgd", "adam(0.002)")]
    [0.01, None, None]
    >>> starting_rate(Settings(), deep), starting_rate(Settings(rate=0.5), single)
    (None, 0.5)
    """
    named = isinstance(settings.optimizer, str) and "(" not in settings.optimizer
    if settings.rate is not None or network.n_layers > 1 or not named:
        return settings.rate
    optimizer = optimizer_from(settings.optimizer)
    own = optimizer.rate
    return 10 * own if optimizer.name in ADAPTIVE and isinstance(own, float) else None


def first_rates(settings: Settings, network: Network) -> list[float]:
    """The rate that each member's training begins with, as a number, in whatever way the settings say it.

    >>> first_rates(Settings(optimizer="sgd"), Network([4, 3])), first_rates(Settings(rate=[0.5]), Network([4, 3]))
    ([0.1], [0.5])
    """
    rate, seeds = starting_rate(settings, network), range(whole("members", settings.members))
    rates: list[float] = Recipe.make(optimizer=settings.optimizer, rate=rate, seeds=seeds).per_member("rate").tolist()
    return rates


def thread_count(n_jobs: int | None) -> int | None:
    """Threads for an engine; None and -1 leave it to the engine, which takes as many as pay.

    A joblib worker gets one thread unless n_jobs names a number, since its siblings use the other processors.
    """
    if n_jobs is None:
        return 1 if get_active_backend()[0].nesting_level else None
    if n_jobs == 0:
        raise SettingError("n_jobs=0; it must be None, a whole number of threads, or negative (-1: all processors).")
    count = whole("n_jobs", n_jobs, "(-inf, inf)")
    if count == -1:
        return None
    return count if count > 0 else max(1, (os.cpu_count() or 1) + 1 + count)


def network_of(settings: Settings, n_inputs: int, n_outputs: int) -> Network:
    """The network between these inputs and outputs. Raises SettingError for a layer that is none."""
    hidden = settings.hidden
    single = isinstance(hidden, (Dense, Maxout, Mapping)) or not hasattr(hidden, "__iter__")
    layers = [hidden] if single else list(hidden)
    for place, layer in enumerate(layers):
        label = "hidden" if single else f"hidden[{place}]"
        if isinstance(layer, (Network, Mapping, Same)) or getattr(layer, "source", None) is not None:
            raise SettingError(
                f"{label} came as {shown(layer)}; estimators take no graphs, but hidden layers that follow one "
                "another, such as (20, 10). Train a network of your own with kn.train(network, loss, X, y) and keep it "
                "with kilonet.persistence.save."
            )
        if not isinstance(layer, (Dense, Maxout)):
            layers[place] = whole(label, layer)
    activation = activation_from(settings.activation)
    return Network([n_inputs, *layers, n_outputs], activation=activation, initializer=settings.initializer)


def training_settings(settings: Settings, network: Network, n_rows: int, draws: Draws, dtype: str) -> dict[str, Any]:
    """What `train` is to be told, but for the data: the one place where parameters become a recipe."""
    batch = batch_size(settings.batch, n_rows)
    stopping = None
    if settings.early_stopping:
        metric = choice("monitor", settings.monitor, ("loss", "score"))
        stopping = Stopping(metric, settings.patience, settings.min_delta)
    plain = ("optimizer", "schedule", "l2", "l1", "dropout", "input_noise", "max_norm", "watch")
    return {name: getattr(settings, name) for name in plain} | {
        "rate": starting_rate(settings, network),
        "batch": batch,
        "epochs": epoch_count(settings.epochs, n_rows, batch),
        "order": draws.order,
        "stopping": stopping,
        "dtype": dtype,
        "n_threads": thread_count(settings.n_jobs),
    }


def endless(schedule: Any) -> Any:
    """A schedule for training whose end nobody knows: cosine, which needs an end, becomes constant.

    >>> endless("cosine"), endless("step")
    (constant, step)
    """
    known = schedule_from(schedule)
    if known.name == "cosine":
        return schedule_from("constant")
    then = getattr(known, "then", None)
    return known if then is None else known(then=endless(then))


def loss_of(spec: Any, own: tuple[str, ...], other: str) -> Any:
    """The loss as an object, None for "auto". Raises SettingError for a loss that is the other estimator's.

    >>> loss_of("huber", ("squared", "huber"), "MLPClassifier")
    huber
    """
    if isinstance(spec, str) and spec == "auto":
        return None
    if isinstance(spec, str) and spec in LOSSES_FROM_SCIKIT_LEARN:
        raise SettingError(f"loss={spec!r} is unknown.{instead(spec, LOSSES_FROM_SCIKIT_LEARN)}")
    loss = loss_from(spec)
    if not isinstance(loss, OwnLoss) and loss.name not in own:
        raise SettingError(f"loss={spec!r} is for {other}; needs one of auto, {', '.join(own)}, or a loss of your own.")
    return loss
