"""What docs/approximation.md shows is what happens: each block runs by itself and prints the text that follows it."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kilonet.approximation import approximate, certify

PAGE = (Path(__file__).parents[2] / "docs" / "approximation.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```\n\n```text\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_every_block_of_code_says_what_it_prints() -> None:
    assert len(BLOCKS) == PAGE.count("```python") >= 2


@pytest.mark.parametrize(("code", "printed"), BLOCKS)
def test_a_block_can_be_pasted(code: str, printed: str, tmp_path: Path) -> None:
    said = subprocess.run(  # noqa: S603 - the project's own examples
        [sys.executable, "-c", code], cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False
    )
    assert said.stderr == ""
    assert said.stdout == printed


def test_the_page_says_what_no_proof_can_tell() -> None:
    text = " ".join(PAGE.split())
    assert "An estimated constant proves nothing about f" in text
    assert "`lipschitz_is` cannot be checked" in text


def test_where_a_constant_came_from_is_believed_and_what_is_proven_is_the_same() -> None:
    estimate = approximate(np.sin, 0.0, 1.0, 0.1).certificate
    believed = certify(estimate | {"lipschitz_is": "given"})
    assert not believed.estimated
    assert replace(believed, estimated=True) == certify(estimate)
