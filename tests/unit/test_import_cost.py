"""`import kilonet` is light: what only some users need is imported when they need it."""

import subprocess
import sys

import pytest

HEAVY = "matplotlib starlette uvicorn pyarrow pandas polars rich click torch onnx"


def imported_after(statement: str) -> set[str]:
    """Return the top-level packages that a new interpreter holds after the statement."""
    code = f"{statement}\nimport sys\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)  # noqa: S603
    assert finished.returncode == 0, finished.stderr
    return set(finished.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import kilonet",
        "from kilonet import Network, train",
        "from kilonet import MLPClassifier, MLPRegressor, TableEncoder, load, read",
    ],
)
def test_importing_brings_in_no_heavy_package(statement: str) -> None:
    imported = imported_after(statement)
    assert "kilonet" in imported
    assert not imported & set(HEAVY.split())


def test_the_check_sees_a_heavy_package() -> None:
    assert "click" in imported_after("import click")
