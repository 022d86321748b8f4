"""How much memory training needs, and how much it may take."""

import os
from pathlib import Path

from kilonet.checks import size
from kilonet.engine.problem import Problem
from kilonet.errors import MemoryLimitError
from kilonet.monitors import SAMPLE, width

_CGROUPS = Path("/sys/fs/cgroup")
_HISTORY = 3  # times that a member's curves and monitors are there: in the engine, in its state and in the record
_EPOCHS = 10**6  # who allows more of them expects to stop earlier: histories grow as they are filled
_LITTLE = 2**24  # the system is asked in a tenth of a millisecond, in which a small network makes many steps
_MEMBER = 4096  # bytes that a member's settings and counters take in Python and in the kernel


def free_bytes() -> int | None:
    """Memory that this process could still get, None where the system does not tell.

    >>> free_bytes() is None or free_bytes() > 0
    True
    """
    known = [found for found in (_available(), _left_in_group()) if found is not None]
    return min(known, default=None)


def _available() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError, IndexError):
        names = getattr(os, "sysconf_names", {})
        known = "SC_AVPHYS_PAGES" in names and "SC_PAGE_SIZE" in names
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if known else None


def _left_in_group() -> int | None:
    """What a container's limit leaves."""
    try:
        most = int((_CGROUPS / "memory.max").read_text())  # "max" where there is no limit
        used = int((_CGROUPS / "memory.current").read_text())
        stat = dict(line.split() for line in (_CGROUPS / "memory.stat").read_text().splitlines())
        return max(0, most - used + int(stat.get("inactive_file", 0)))  # files that were read make room by themselves
    except (OSError, ValueError):
        return None


def allowed_bytes(max_memory: int | None, needed: int) -> int | None:
    """What may be taken: what was asked for, else half of what is free, which is not asked where little is needed.

    >>> allowed_bytes(10**9, needed=4000), allowed_bytes(None, needed=4000)
    (1000000000, None)
    """
    if max_memory is not None or needed < _LITTLE:
        return max_memory
    free = free_bytes()
    return None if free is None else free // 2


def member_bytes(problem: Problem, copies: float) -> int:
    """Memory of the members outside of any batch; copies: of their parameters in arrays (members, n_parameters)."""
    recipe = problem.recipe
    epoch = 4 * 8 + 4 * width(problem.network.n_layers)  # bytes: four metrics, and the monitors
    curves = _HISTORY * epoch * min(recipe.epochs, _EPOCHS)
    each = copies * problem.network.n_parameters * itemsize(problem) + curves + _MEMBER
    return int(each * recipe.n_members)


def batch_bytes(problem: Problem, networks: int, padding: int = 0, *, copied: bool = False) -> int:
    """Memory of a batch on its way through so many networks side by side, the validation rows' losses included.

    padding: numbers between the rows of a layer's buffers. copied: whether what a layer takes from several sources is
    laid side by side, and so are its slopes.
    """
    watched = min(SAMPLE, problem.n_rows) if problem.recipe.watch else 0
    rows = max(problem.batch, watched, 0 if problem.validation is None else 64)
    network = problem.network
    numbers = sum(4 * layer.units + 2 * layer.units * layer.pieces + padding for layer in network.layers)
    sides = zip(network.fan_ins, network.graph.sources, strict=True)
    numbers += copied * sum(2 * fan_in for fan_in, sources in sides if len(sources) > 1)
    validated = 0 if problem.validation is None else int(problem.validation.X.shape[0])
    return networks * itemsize(problem) * (rows * (numbers + 2 * problem.network.n_inputs + padding) + 2 * validated)


def itemsize(problem: Problem) -> int:
    """Bytes of a parameter."""
    return 4 if problem.recipe.dtype == "float32" else 8


def require(needed: int, allowed: int | None, n_members: int) -> None:
    """Raise MemoryLimitError where more is needed than allowed.

    >>> require(2 * 10**9, 10**9, 1000)
    Traceback (most recent call last):
    kilonet.errors.MemoryLimitError: training 1000 members needs about 2 GB of memory, of which max_memory ...
    """
    if allowed is None or needed <= allowed:
        return
    raise MemoryLimitError(
        f"training {n_members} member{'s' if n_members > 1 else ''} needs about {size(needed)} of memory, of which "
        f"max_memory allows {size(allowed)} (without it, half of what is free). Nothing has begun: train fewer members "
        "at a time, for fewer epochs, in float32 or on fewer threads, or set max_memory higher."
    )
