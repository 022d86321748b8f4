"""Kilonet measured against PyTorch, JAX, scikit-learn and ONNX Runtime: `make bench`."""
