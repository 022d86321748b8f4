"""ONNX Runtime: the same network as a graph of Gemm, Relu and Softmax."""

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from benchmarks.workloads import Workload


class OnnxRuntime:
    """An inference session on the CPU."""

    def __init__(self, threads: int) -> None:
        self.options = onnxruntime.SessionOptions()
        self.options.intra_op_num_threads = threads
        self.options.inter_op_num_threads = 1

    def prepare_prediction(self, workload: Workload, rows: int) -> None:
        """Make session and rows."""
        model = graph(workload)
        self.session = onnxruntime.InferenceSession(model, self.options, providers=["CPUExecutionProvider"])
        self.rows = np.resize(workload.data()[0], (rows, workload.sizes[0]))

    def predictions(self, count: int) -> None:
        """Predict probabilities."""
        for _ in range(count):
            self.session.run(None, {"x": self.rows})


def graph(workload: Workload) -> bytes:
    """Return the serialized model."""
    nodes, tensors, name = [], [], "x"
    parameters = workload.parameters()
    for i, (W, b) in enumerate(parameters):
        tensors += [numpy_helper.from_array(W, f"W{i}"), numpy_helper.from_array(b, f"b{i}")]
        nodes.append(helper.make_node("Gemm", [name, f"W{i}", f"b{i}"], [f"z{i}"], transB=1))
        last = i == len(parameters) - 1
        nodes.append(helper.make_node("Softmax" if last else "Relu", [f"z{i}"], [f"a{i}"]))
        name = f"a{i}"
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, workload.sizes[0]])
    y = helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, workload.sizes[-1]])
    model = helper.make_model(
        helper.make_graph(nodes, "network", [x], [y], tensors),
        opset_imports=[helper.make_opsetid("", 18)],
        ir_version=9,
    )
    return bytes(model.SerializeToString())
