"""What is allowed for each setting of a recipe, and in what form it is kept."""

import math
from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import Any

import numpy as np

from kilonet.checks import byte_count, number, shown, whole
from kilonet.errors import SettingError
from kilonet.monitors import checked_watch
from kilonet.numerals import count
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
        one_for_all(name, value)
        return FOR_ALL[name](name, value)
    check, given = PER_MEMBER[name], entries(name, value)
    if given is None:
        return check(name, value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value)
    if given != n_members:
        raise wrong_count(name, given, n_members)
    return tuple(check(f"{name}[{member}]", entry) for member, entry in enumerate(value))


def entries(name: str, value: Any) -> int | None:
    """How many entries, one per member, a setting has; None where it is one for everybody.

    >>> entries("l2", [0, 1e-3]), entries("l2", 1e-3), entries("schedule", [1, 0.5]), entries("schedule", ["step"])
    (2, None, None, 1)
    """
    if not isinstance(value, list | tuple | range) and (isinstance(value, Mapping) or np.ndim(value) == 0):
        return None
    return None if name == "schedule" and not _several_schedules(value) else len(value)


def wrong_count(name: str, entries: int, n_members: int) -> SettingError:
    """The error of a setting that has entries for another number of members than there are.

    >>> print(wrong_count("rate", 2, 1))
    rate has 2 entries, but there is 1 member (one per seed). Give seeds=[0, 0] for 2 members with the same start,
    or seeds=[0, 1] for different ones.
    """
    there = f"there {'is' if n_members == 1 else 'are'} {count(n_members, 'member')} (one per seed)"
    has = f"{name} has {count(entries, 'entry', 'entries')}, but {there}"
    if n_members > 1 or entries == 0:
        return SettingError(f"{has}; give one value for everybody or exactly {n_members}.")
    same, apart = str([0] * entries), str(list(range(entries)))
    if entries > 4:
        same, apart = f"[0] * {entries}", f"range({entries})"
    return SettingError(
        f"{has}. Give seeds={same} for {entries} members with the same start, or seeds={apart} for different ones."
    )


def one_for_all(name: str, value: Any, differing: Iterable[str] = ()) -> None:
    """Raise SettingError for a sequence, one entry per member, where all members share the setting.

    differing: the settings that may be one per member; those of a recipe unless given.

    >>> one_for_all("batch", [8, 16])
    Traceback (most recent call last):
    kilonet.errors.SettingError: batch came as [8, 16], but all members share it. Give one; train the others in a call
    of their own. One per member may be: seeds, rate, schedule, l2, l1, dropout, input_noise, max_norm, order, stopping.
    """
    if isinstance(value, list | tuple | range) or (isinstance(value, np.ndarray) and value.ndim > 0):
        may = ", ".join(differing or ("seeds", *PER_MEMBER))
        smoothing = " and label smoothing, as in kn.cross_entropy(smoothing=[0, 0.1])" if name == "loss" else ""
        raise SettingError(
            f"{name} came as {shown(value)}, but all members share it. Give one; train the others in a call of their "
            f"own. One per member may be: {may}{smoothing}."
        )


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
    "watch": checked_watch,
}
