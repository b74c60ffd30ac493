"""A network of FaceMap's interface that answers what it is told to."""

from __future__ import annotations

from pathlib import Path

import numpy as np


def write_network(
    path: Path,
    values: np.ndarray,
    shape: tuple[int, ...] = (1, 3, 128, 128),
    external: bool = False,
) -> Path:
    """Write a graph: `values`, and on them the largest of each colour of the input."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    values = np.asarray(values, np.float32)
    tensors = [numpy_helper.from_array(values.reshape(1, -1), "values")]
    pad = np.array([0, 0, 0, len(values) - 3], np.int64)
    tensors.append(numpy_helper.from_array(pad, "pad"))
    axes = [2, 3] if shape[1] == 3 else [1, 2]
    tensors.append(numpy_helper.from_array(np.zeros((1, 3), np.float32), "none"))
    nodes = [
        helper.make_node("ReduceMax", ["image"], ["means"], axes=axes, keepdims=0),
        helper.make_node("Mul", ["means", "none"], ["zeros"]),
        helper.make_node("Pad", ["zeros", "pad"], ["padded"]),
        helper.make_node("Add", ["padded", "values"], ["parameters"]),
    ]
    graph = helper.make_graph(
        nodes,
        "facemap",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info("parameters", TensorProto.FLOAT, [1, len(values)]),
            helper.make_tensor_value_info("means", TensorProto.FLOAT, [1, 3]),
        ],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = (
        {"save_as_external_data": True, "location": f"{path.stem}.data", "size_threshold": 512}
        if external
        else {}
    )
    onnx.save(model, str(path), **options)
    return path
