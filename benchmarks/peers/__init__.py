"""The measured ones, each in a file of its own that is imported in its own process only.

A peer is an object with
  prepare(workload)            data and parameters in place
  epochs(count)                train so many epochs more, rows shuffled and gathered; return when it is done
  ordered_epoch()              parameters, flat, after one epoch in the rows' order from the workload's own
  prepare_prediction(workload, rows) and predictions(count)
  prepare_pictures() and curve(most_epochs)
It leaves out what it cannot do.
"""

import importlib
from typing import Any

FILES = {
    "kilonet": ("with_kilonet", "Kilonet"),
    "kilonet estimator": ("with_kilonet", "KilonetEstimator"),
    "PyTorch": ("with_torch", "Torch"),
    "JAX scan": ("with_jax", "Scan"),
    "JAX step": ("with_jax", "Step"),
    "scikit-learn": ("with_sklearn", "Sklearn"),
    "ONNX Runtime": ("with_onnxruntime", "OnnxRuntime"),
    "kilonet, pictures": ("with_pictures", "KilonetPictures"),
    "scikit-learn, pictures": ("with_pictures", "SklearnPictures"),
    "sgemm": ("with_blas", "Sgemm"),
}


def peer(name: str, threads: int) -> Any:
    """Return the peer of this name, held to so many threads."""
    module, kind = FILES[name]
    return getattr(importlib.import_module(f"benchmarks.peers.{module}"), kind)(threads)
