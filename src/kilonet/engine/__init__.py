"""The engines behind one seam, and the choice between them.

An engine is a module with NAME and

- `Session(problem, theta (P, n), state=None)`: one run. `.advance(epochs, seconds) -> epochs done`
  trains until `epochs` more epochs are complete, or until `seconds` have passed, then stops after a
  whole number of steps, perhaps inside an epoch; `.done`; `.epoch`, the epochs that all members still
  training have completed (of a finished run the maximum); `.history(first=0)` (epochs from the
  first on, P, 4); `.theta()` (P, n); `.state()` as `kilonet.engine.state` says; `.plan()`, a
  `kilonet.engine.planner.Plan`; `.close()`. Continued from a state it goes on as if it had never
  stopped, bit for bit.
- `sessions([(problem, theta, state), …])`: several runs that are to train side by side. They may share packs, so that
  who advances one of them may take others along.
- `advance(sessions, epoch, seconds)`: all of them side by side, until each has completed so many
  epochs in all or the seconds are over.
- `needed_bytes(problems)`: memory that their runs need side by side, asked before there is anything to run.
- `scores(network, theta (P, n), X, n_threads) -> (P, rows, k)`.
- `value_and_grad(network, loss, theta (P, n), X, targets, weights) -> (P,), (P, n)`, no penalties.
- `Predictor(network, theta)` with `.scores(X)` and `.hidden(X, layer)`.

`native` is the kernel in C++, `reference` is NumPy. The environment variable KILONET_ENGINE asks for
one of them; without it the kernel is used where it can be loaded and knows every part.
"""

import os
import warnings
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

from kilonet.activations import ACTIVATIONS, Mixed
from kilonet.engine import reference
from kilonet.engine.problem import Problem, Validation
from kilonet.errors import EngineError, EngineWarning, SettingError
from kilonet.losses import LOSSES
from kilonet.network import Network
from kilonet.values import Family

__all__ = ["Problem", "Validation", "choose", "engine_name", "opened"]


def engine_name() -> str:
    """The name of the engine that runs where nothing of one's own is in the way: "native" or "reference".

    >>> engine_name() in ("native", "reference")
    True
    """
    return str(_preferred().NAME)


def choose(subject: Problem | Network, loss: Any = None) -> Any:
    """The engine module for a problem, or for a network and, unless only scores are wanted, a loss.

    Activations and losses of one's own run on the reference engine. Raises EngineError when KILONET_ENGINE asks for an
    engine that cannot run them here.

    >>> choose(Network([3, 1])).NAME in ("native", "reference")
    True
    """
    network, loss = (subject.network, subject.loss) if isinstance(subject, Problem) else (subject, loss)
    given = [layer.activation for layer in network.layers]
    parts = [own for unit in given for own, _ in (unit.parts if type(unit) is Mixed else ((unit, 1),))]
    strangers = [repr(part) for part in parts if not _built_in(part, ACTIVATIONS)]
    if loss is not None and not _built_in(loss, LOSSES):
        strangers.append(repr(loss))
    if not strangers:
        return _preferred()
    if _asked() == "native":
        raise EngineError(
            f"KILONET_ENGINE asks for native, but {strangers[0]} is not built into the kernel; "
            "unset it, and the reference engine runs."
        )
    return reference


def opened(engines: Sequence[Any], given: Sequence[tuple[Problem, Any, Any]]) -> list[Any]:
    """A session for each (problem, theta, state), by the engine of the same place; those of one are opened together."""
    found: dict[int, Any] = {}
    for engine in {id(engine): engine for engine in engines}.values():
        own = [place for place, other in enumerate(engines) if other is engine]
        found |= dict(zip(own, engine.sessions([given[place] for place in own]), strict=True))
    return [found[place] for place in range(len(given))]


def _built_in(value: object, family: Family[Any]) -> bool:
    return any(type(value) is type(known) for known in family.table.values())


def _asked() -> str:
    asked = os.environ.get("KILONET_ENGINE", "")
    if asked not in ("", "native", "reference"):
        raise SettingError(f"the environment variable KILONET_ENGINE is {asked!r}; needs native, reference or nothing.")
    return asked


def _preferred() -> Any:
    asked = _asked()
    if asked == "reference":
        return reference
    native, reason = _native()
    if native is not None:
        return native
    if asked == "native":
        raise EngineError(
            f"KILONET_ENGINE asks for native, but the kernel cannot be loaded: {reason}. Build it, or unset it."
        )
    _say_once(reason)
    return reference


@cache
def _native() -> tuple[Any, str]:
    """The native engine, or why it is not there; looked for once."""
    try:
        return import_module("kilonet.engine.native"), ""
    except (ImportError, OSError, EngineError) as error:
        return None, str(error)


@cache
def _say_once(reason: str) -> None:
    warnings.warn(
        f"the native kernel cannot be loaded ({reason}); the slower reference engine runs instead. "
        "Build it with a C++20 compiler (make build), or set KILONET_ENGINE=reference to silence this.",
        EngineWarning,
        stacklevel=4,
    )
