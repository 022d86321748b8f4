"""What was measured on: the machine, its date and its peaks."""

import os
import platform
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from kilonet import engine_name

PACKAGES = ("kilonet", "torch", "jax", "scikit-learn", "onnxruntime", "numpy")


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


def threads() -> list[int]:
    """Return the numbers of threads that everybody is measured with: one and all."""
    return sorted({1, cores()})


def processor() -> str:
    """Return the processor's name as the system tells it."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name")]
    widest = next((name for name in ("avx512f", "avx2", "avx") if f" {name}" in text), "")
    return " ".join([names[0] if names else platform.machine(), *([f"({widest})"] if widest else [])])


def versions() -> str:
    """Return the measured packages that are here, with their versions."""
    here = {distribution.metadata["Name"].lower() for distribution in metadata.distributions()}
    return ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES if name in here)


def describe() -> str:
    """Return machine, date, versions and engine as one sentence."""
    today = datetime.now(tz=UTC).date().isoformat()
    return (
        f"{processor()}, {cores()} cores, Linux {platform.release()}, Python {platform.python_version()}, {today}; "
        f"{versions()}; Kilonet's {engine_name()} engine."
    )


def fma_peak(threads: int) -> float | None:
    """Return GFLOP/s of a loop of fused multiply-adds, or None without a compiler."""
    compiler = os.environ.get("CXX", "g++")
    if shutil.which(compiler) is None:
        return None
    source = Path(__file__).with_name("fma.cpp")
    with tempfile.TemporaryDirectory() as folder:
        program = str(Path(folder) / "fma")
        flags = ["-O3", "-std=c++20", "-march=native", "-mprefer-vector-width=512", "-ffp-contract=fast", "-pthread"]
        subprocess.run([compiler, *flags, str(source), "-o", program], check=True)  # noqa: S603 - the user's compiler
        runs = [subprocess.run([program, str(threads)], check=True, capture_output=True, text=True) for _ in range(3)]  # noqa: S603
    return max(float(run.stdout) for run in runs)
