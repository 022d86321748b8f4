"""Real pictures through the command line: Fashion-MNIST, 60,000 to train on and 10,000 to be judged by."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

PICTURES = Path("/usr/share/datasets/fashion-mnist")  # Debian: dataset-fashion-mnist


@pytest.mark.skipif(not PICTURES.is_dir(), reason=f"{PICTURES} is not there")
def test_default_settings_are_good_on_fashion_mnist(tmp_path: Path) -> None:
    fit = ["fit", str(PICTURES), "--hidden", "256,128", "--out", str(tmp_path / "pictures.kn"), "--json"]
    command = [sys.executable, "-m", "kilonet.cli", *fit]
    # some 20 s on two processors, and ten times as long where others hold them
    ended = subprocess.run(command, timeout=600, capture_output=True, text=True, check=True)  # noqa: S603  our own command
    assert "still fell" not in ended.stderr, "the defaults are enough, and do not say that they are not"
    held_out = json.loads(ended.stdout)["held_out"]
    assert held_out["rows"] == 10_000
    assert held_out["score"] >= 0.885
