"""The measured ones, each in a file of its own that is imported in its own process only.

A peer is an object with
  prepare(workload)            data and parameters in place; returns how many members `epochs` trains, None for one
  epochs(count)                train so many epochs more, rows shuffled and gathered; return when it is done
  ordered_epoch()              all members' parameters after an epoch in the rows' order from the workload's own
  prepare_prediction(workload, rows) and predictions(count)
  prepare_pictures() and curve(most_epochs)
  runs(count)                  train so many times from the start
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
    "kilonet population": ("with_kilonet_populations", "Population"),
    "kilonet by default": ("with_kilonet_populations", "ByDefault"),
    "kilonet one after another": ("with_kilonet_populations", "OneAfterAnother"),
    "JAX vmap": ("with_jax_vmap", "Vmap"),
    "JAX vmap in chunks": ("with_jax_vmap", "Chunks"),
    "torch.func": ("with_torch_func", "VmapGrad"),
    "PyTorch loop": ("with_torch", "Loop"),
    "scikit-learn loop": ("with_joblib", "Loop"),
    "sgemm": ("with_blas", "Sgemm"),
}


def peer(name: str, threads: int) -> Any:
    """Return the peer of this name, held to so many threads."""
    module, kind = FILES[name]
    return getattr(importlib.import_module(f"benchmarks.peers.{module}"), kind)(threads)
