"""PFLD by kernels: ONNX Runtime's answer, the same bits everywhere; each kernel is its twin."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from pyfaceau.errors import WeightsError
from pyfaceau.landmarks import _kernels_pfld as kernels
from pyfaceau.landmarks.pfld_network import PfldNetwork
from pyfaceau.models.onnxweights import read_arrays
from tests.colour_planes import noise

NAME = "pfld_cunjian.onnx"


def crops(count: int) -> np.ndarray:
    """Pictures of noise, the same on every machine."""
    values = noise(count * 3 * 112 * 112, 256, 1).astype(np.float32)
    return (values * np.float32(1 / 255)).reshape(count, 3, 112, 112)


@pytest.fixture(scope="module")
def network(weights_dir: Path) -> PfldNetwork:
    return PfldNetwork(read_arrays(weights_dir / NAME))


def test_points_are_those_of_onnx_runtime(network: PfldNetwork, weights_dir: Path) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(
        str(weights_dir / NAME), providers=["CPUExecutionProvider"]
    )
    answer = session.run(None, {"input": crops(3)})[0]
    np.testing.assert_allclose(network(crops(3)), answer, atol=3e-6)  # 0.0003 pixels of a crop


def test_every_bit_is_that_of_the_machine_it_was_written_on(network: PfldNetwork) -> None:
    digest = hashlib.md5(network(crops(2)).tobytes(), usedforsecurity=False).hexdigest()
    assert digest == "e7eb7fdb7e011d3102a88f77676bf458"


def test_crops_do_not_know_of_each_other(network: PfldNetwork) -> None:
    both = crops(2)
    np.testing.assert_array_equal(network(both)[1], network(both[1:])[0])


def chain(values: np.ndarray, weights: np.ndarray, before: np.float32) -> np.float32:
    """Sum fused products: each is exact in float64, so is all but the rounding of the sum."""
    total = before
    for value, weight in zip(values, weights, strict=True):
        total = np.float32(np.float64(value) * np.float64(weight) + np.float64(total))
    return total


@pytest.mark.parametrize("outputs", [1, 3, 11])
@pytest.mark.parametrize("positive", [False, True])
def test_sums_over_all_maps_are_their_twin(outputs: int, positive: bool) -> None:
    random = np.random.default_rng(outputs)
    x = random.standard_normal((5, 32)).astype(np.float32)
    columns = random.standard_normal((outputs, 6)).astype(np.float32)
    kept = random.standard_normal((outputs, 32)).astype(np.float32)
    blocks, at = [], 0
    while at < outputs:
        rows = next(n for n in kernels.ROWS if n <= outputs - at)
        blocks.append(columns[at : at + rows].T.ravel())
        at += rows
    for before in (kept, np.empty((0, 32), np.float32)):
        out = np.full((outputs, 32), np.nan, np.float32)
        kernels.pointwise(x, np.concatenate(blocks), before, positive, out)
        twin = np.empty_like(out)
        for q in range(outputs):
            for i in range(32):
                values = np.concatenate([[np.float32(1)], x[:, i]])
                begun = before[q, i] if len(before) else np.float32(0)
                twin[q, i] = chain(values, columns[q], begun)
        np.testing.assert_array_equal(out, np.maximum(twin, 0) if positive else twin)


@pytest.mark.parametrize(("side", "step"), [(14, 1), (28, 2), (16, 1)])
def test_a_kernel_for_each_map_is_its_twin(side: int, step: int) -> None:
    random = np.random.default_rng(side)
    inner = side // step
    length = -(-side * side // 16) * 16
    x = random.standard_normal((2, length)).astype(np.float32)
    weights = random.standard_normal((2, 9)).astype(np.float32)
    bias = random.standard_normal(2).astype(np.float32)
    out = np.zeros((2, -(-inner * inner // 16) * 16), np.float32)
    kernels.depthwise(x, side, step, weights.ravel(), bias, False, out)
    for q in range(2):
        maps = np.maximum(x[q, : side * side].reshape(side, side), 0)
        padded = np.pad(maps, 1)
        for y in range(inner):
            for i in range(inner):
                window = padded[y * step : y * step + 3, i * step : i * step + 3].ravel()
                assert out[q, y * inner + i] == chain(window, weights[q], bias[q])


def test_neighbourhoods_by_hand() -> None:
    x = np.arange(16, dtype=np.float32)[None]
    out = np.zeros((9, 16), np.float32)
    kernels.unfold(x, 4, out)
    np.testing.assert_array_equal(out[4, :4], [0, 2, 8, 10])  # every second pixel
    np.testing.assert_array_equal(out[0, :4], [0, 0, 0, 5])  # up and left of it
    np.testing.assert_array_equal(out[8, :4], [5, 7, 13, 15])


def test_arrays_of_a_file_are_read_by_name(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.float32([[0.5]])}
    tensors = [onnx.numpy_helper.from_array(array, name) for name, array in arrays.items()]
    tensors.append(onnx.numpy_helper.from_array(np.arange(3), "whole"))
    tensors.append(onnx.helper.make_tensor("c", onnx.TensorProto.FLOAT, [2], [1.5, 2.5]))
    graph = onnx.helper.make_graph([], "g", [], [], tensors)
    path = tmp_path / "a.onnx"
    path.write_bytes(onnx.helper.make_model(graph).SerializeToString())
    found = read_arrays(path)
    assert sorted(found) == ["a", "b", "c"]
    np.testing.assert_array_equal(found["a"], arrays["a"])
    np.testing.assert_array_equal(found["c"], [1.5, 2.5])


@pytest.mark.parametrize("cut", [0.5, 0.999])
def test_a_cut_file_is_refused_in_one_line(tmp_path: Path, weights_dir: Path, cut: float) -> None:
    data = (weights_dir / NAME).read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(data[: int(len(data) * cut)])
    with pytest.raises(WeightsError, match=r"cut\.onnx: not a readable ONNX model"):
        read_arrays(path)


def test_arrays_of_another_network_are_a_key_error() -> None:
    with pytest.raises(KeyError, match=r"conv1\.weight"):
        PfldNetwork({})
