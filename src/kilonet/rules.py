"""What is allowed for each setting of a recipe, and in what form it is kept."""

import math
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import numpy as np

from kilonet.checks import byte_count, number, shown, whole
from kilonet.errors import SettingError
from kilonet.schedules import Schedule, schedule_from
from kilonet.stopping import Stopping

Check = Callable[[str, Any], Any]

_WORD_64 = f"[0, {2**64})"  # keys of the random numbers


def checked(name: str, value: Any, n_members: int) -> Any:
    """A setting as a recipe keeps it: one for everybody, or a tuple with one per member.

    >>> checked("l2", [0, 1e-3], 2), checked("dtype", float, 2)
    ((0.0, 0.001), 'float64')
    """
    if name in FOR_ALL:
        return FOR_ALL[name](name, value)
    if name == "schedule" and not _several_schedules(value):
        return PER_MEMBER[name](name, value)
    return _each(name, value, PER_MEMBER[name], n_members)


def _each(name: str, value: Any, check: Check, n_members: int) -> Any:
    if not isinstance(value, list | tuple | range) and (isinstance(value, Mapping) or np.ndim(value) == 0):
        return check(name, value.item() if isinstance(value, np.ndarray) else value)
    if len(value) != n_members:
        raise SettingError(
            f"{name} has {len(value)} entries, but there are {n_members} members (one per seed); "
            f"give one value for everybody or exactly {n_members}."
        )
    return tuple(check(f"{name}[{member}]", entry) for member, entry in enumerate(value))


def checked_seeds(value: Any) -> tuple[int, ...]:
    """One seed per member.

    >>> checked_seeds(range(3))
    (0, 1, 2)
    """
    if isinstance(value, str | bytes) or np.ndim(value) != 1 or len(value) == 0:
        raise SettingError(f"seeds came as {shown(value)}; needs a sequence of whole numbers, one per member.")
    return tuple(whole(f"seeds[{member}]", seed, _WORD_64) for member, seed in enumerate(value))


def _share(name: str, value: Any) -> float:
    share = number(name, value, "[0, 1)")
    if math.floor(65536 * share + 0.5) == 65536:  # 16 random bits are compared with this threshold
        raise SettingError(f"{name} came as {shown(value)}, which would drop every unit; needs at most 0.9999.")
    return share


def _order(name: str, value: Any) -> int | None:
    return None if value is None else whole(name, value, _WORD_64)


def _bound(name: str, value: Any) -> float | None:
    return None if value is None else number(name, value, "(0, inf)")


def _schedule(_: str, value: Any) -> Schedule:
    return schedule_from(value)


def _memory(name: str, value: Any) -> int | None:
    return None if value is None else byte_count(name, value)


def _stopping(name: str, value: Any) -> Stopping | None:
    if isinstance(value, Mapping):
        return Stopping(**value)
    if value is None or isinstance(value, Stopping):
        return value
    raise SettingError(f"{name} came as {shown(value)}; needs None or a Stopping, such as Stopping(patience=5).")


def _dtype(name: str, value: Any) -> str:
    try:
        chosen = "" if value is None else np.dtype(value).name  # NumPy reads None as float64, which nobody asked for
    except TypeError:
        chosen = ""
    if chosen not in ("float32", "float64"):
        raise SettingError(f"{name} came as {shown(value)}; needs float32 or float64.")
    return chosen


def _several_schedules(value: Any) -> bool:
    """Whether a sequence holds schedules, one per member; numbers are the factors of one schedule."""
    return isinstance(value, list | tuple) and not all(isinstance(entry, Real) for entry in value)


PER_MEMBER: dict[str, Check] = {
    "rate": lambda name, value: number(name, value, "(0, inf)"),
    "schedule": _schedule,
    "l2": lambda name, value: number(name, value, "[0, inf)"),
    "l1": lambda name, value: number(name, value, "[0, inf)"),
    "dropout": _share,
    "input_noise": lambda name, value: number(name, value, "[0, inf)"),
    "max_norm": _bound,
    "order": _order,
    "stopping": _stopping,
}
FOR_ALL: dict[str, Check] = {
    "batch": whole,
    "epochs": whole,
    "dtype": _dtype,
    "n_threads": lambda name, value: None if value is None else whole(name, value),
    "max_memory": _memory,
}
