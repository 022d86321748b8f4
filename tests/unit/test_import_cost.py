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


def test_importing_the_package_brings_in_nothing_heavy() -> None:
    imported = imported_after("import kilonet")
    assert "kilonet" in imported
    assert not imported & set(HEAVY.split())


@pytest.mark.parametrize("names", ["Network, train", "MLPClassifier, MLPRegressor, TableEncoder, load, read"])
def test_public_names_bring_in_nothing_heavy_that_scikit_learn_does_not(names: str) -> None:
    # scikit-learn itself imports pandas, and pandas pyarrow, where they are installed.
    already = imported_after("import sklearn.model_selection, sklearn.utils.validation")
    imported = imported_after(f"from kilonet import {names}") - already
    assert "kilonet" in imported
    assert not imported & set(HEAVY.split())


def test_the_command_line_starts_with_nothing_so_that_ctrl_c_is_heeded_from_the_start() -> None:
    assert not imported_after("from kilonet.cli import main") & {"numpy", "scipy", "click", *HEAVY.split()}


def test_the_modules_of_public_names_are_there_without_being_imported() -> None:
    code = "import kilonet as kn; assert kn.losses.squared is kn.squared"
    assert "kilonet" in imported_after(code)


def test_the_check_sees_a_heavy_package() -> None:
    assert "click" in imported_after("import click")
