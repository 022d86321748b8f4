"""What the native engine runs on: the instruction set, the threads, and the kernel's objects."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kilonet.engine import _kernel
from kilonet.engine.translate import layer_specs
from kilonet.errors import EngineError, SettingError
from kilonet.network import Network

_WORTH_A_THREAD = 200_000  # multiply-adds in a piece of work, below which another thread is not even tried
_MOST_ROWS = 2**31 - 1
_MOST_THREADS = 256  # each has memory of its own, and no step has work for more


def instruction_sets() -> list[str]:
    """The instruction sets that this machine runs, best first.

    >>> instruction_sets()[-1]
    'scalar'
    """
    return list(_kernel.variants())


def instruction_set() -> str:
    """The instruction set that kernels run with: the best one here, or what KILONET_ISA names.

    >>> instruction_set() in ("x86-64-v4", "x86-64-v3", "neon", "scalar")
    True
    """
    known = instruction_sets()
    asked = os.environ.get("KILONET_ISA", "")
    if asked and asked not in known:
        raise SettingError(f"the environment variable KILONET_ISA is {asked!r}; this machine runs {', '.join(known)}.")
    return asked or known[0]


def thread_count(asked: int | None, work: float) -> int:
    """Threads for pieces of `work` multiply-adds.

    As many as were asked for; else those that the machine and OMP_NUM_THREADS offer, but only one
    where more could not pay. Never more than 256.

    >>> thread_count(3, 1e9), thread_count(None, 10)
    (3, 1)
    """
    if asked is not None:
        return min(asked, _MOST_THREADS)
    offered = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    limit = os.environ.get("OMP_NUM_THREADS", "")
    if limit.isdigit() and int(limit) > 0:
        offered = min(offered, int(limit))
    return min(offered, _MOST_THREADS, paying_threads(work))


def paying_threads(work: float) -> int:
    """The most threads that could pay for pieces of `work` multiply-adds.

    >>> paying_threads(10), paying_threads(1e6)
    (1, 5)
    """
    return max(1, int(min(work / _WORTH_A_THREAD, _MOST_THREADS)))


def lanes(dtype: Any) -> int:
    """Members of a pack in the chosen instruction set.

    >>> lanes("float32") in (1, 4, 8, 16)
    True
    """
    return int(_kernel.lanes(instruction_set(), np.dtype(dtype) == np.float32))


def pool() -> Any:
    """The kernel's threads and their memory, for one call or many."""
    return _kernel.Pool()


def settings(dtype: Any, description: dict[str, Any]) -> Any:
    """The kernel's view of a population that `kilonet.engine.translate` describes; trainers keep it alive."""
    if description["train"]["rows"] > _MOST_ROWS:
        rows = description["train"]["rows"]
        raise EngineError(f"{rows} rows; the kernel counts them in 31 bits, up to {_MOST_ROWS}.")
    kind = {"float32": _kernel.SettingsFloat32, "float64": _kernel.SettingsFloat64}[np.dtype(dtype).name]
    return kind(description)


def trainer(dtype: Any, parts: Sequence[tuple[Any, Sequence[int]]], packed: bool) -> Any:
    """The kernel's trainer of one member, or of several as a pack: settings of populations with places of members."""
    kind = {"float32": _kernel.TrainerFloat32, "float64": _kernel.TrainerFloat64}[np.dtype(dtype).name]
    return kind([(settings, list(places)) for settings, places in parts], packed, instruction_set())


def predictor(network: Network, theta: NDArray[Any], packed: bool, threads: int) -> Any:
    """The kernel's predictor of the parameters theta (members, n_parameters): of one, or packed of up to `lanes`."""
    kind = {"float32": _kernel.PredictorFloat32, "float64": _kernel.PredictorFloat64}[theta.dtype.name]
    return kind(theta, packed, network.n_inputs, layer_specs(network), instruction_set(), threads)
