"""Print what has to be installed before the package can be built without build isolation.

First [build-system].requires of pyproject.toml; then, once the build backend is there to be asked,
what it wants besides: cmake and ninja from the package index where the system has none.
"""

import os
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]


def declared() -> list[str]:
    """Return [build-system].requires."""
    with (ROOT / "pyproject.toml").open("rb") as stream:
        return list(tomllib.load(stream)["build-system"]["requires"])


def asked_by_backend() -> list[str]:
    """Return what the installed build backend wants for an editable build on this machine."""
    from scikit_build_core.build import get_requires_for_build_editable  # noqa: PLC0415 - installed by the first step

    os.chdir(ROOT)  # PEP 517: a backend is asked from the project's folder
    return list(get_requires_for_build_editable())


if __name__ == "__main__":
    print(*(asked_by_backend() if "--backend" in sys.argv[1:] else declared()), sep="\n")
