"""Small convnets: hand-solved layers, NumPy twins, the BLAS itself, altered files."""

from __future__ import annotations

import itertools
import os
import platform
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.errors import InputError, WeightsError
from pyfaceau.models.modelfile import BinaryReader
from pyfaceau.numerics import _cnn_kernels as kernels
from pyfaceau.numerics.cnn import (
    Convolution,
    Dense,
    MaxPool,
    Rectifier,
    _jobs,
    input_blocks,
    read_network,
)
from pyfaceau.numerics.gemm import order_blocks
from pyfaceau.types import Float32

SHAPES = [
    *[(31, 82, 10), (31, 28, 10), (35, 91, 16), (26, 145, 32), (31, 28, 28), (29, 253, 48)],
    *[(9, 193, 64), (27, 289, 64), (25, 577, 64), (9, 257, 128), (40, 491, 10), (18, 26, 20)],
    *[(23, 501, 50), (30, 451, 20), (12, 641, 40), (36, 960, 24), (11, 7, 5), (1, 20, 8)],
]
"""Rows, inputs with bias, columns: all kernels of the shipped networks, and some more."""

BLAS = """
import json, sys
import numpy as np, scipy
from scipy.linalg.blas import sgemm
if "openblas" not in scipy.show_config("dicts")["Build Dependencies"]["blas"]["name"].lower():
    sys.exit(0)
arrays = np.load(sys.argv[1])
np.savez(sys.argv[2], *[
    sgemm(1.0, arrays[f"b{i}"].T, arrays[f"a{i}"].T).T for i in range(len(arrays.files) // 2)
])
"""


def coarse(rng: np.random.Generator, *shape: int) -> Float32:
    """Return numbers of 11 bits: products and one sum are exact in float64."""
    return rng.standard_normal(shape).astype(np.float16).astype(np.float32)


def as_convolution(a: Float32, b: Float32) -> Float32:
    """Return the product a b, the last column of a being ones, through a 1x1 convolution."""
    layer = Convolution(np.ascontiguousarray(b.T), (1, 1))
    maps = np.ascontiguousarray(a[:, :-1].T).reshape(-1, 1, len(a), 1)
    return layer(maps).reshape(b.shape[1], len(a)).T


def chain(a: Float32, b: Float32, order: list[int]) -> Float32:
    """Return the sum over k in order of a[:, k] b[k], each step rounded to float32."""
    total = np.zeros((a.shape[0], b.shape[1]), np.float32)
    for k in order:
        exact = a[:, k, None].astype(np.float64) * b[k].astype(np.float64) + total
        total = exact.astype(np.float32)
    return total


def product_twin(a: Float32, b: Float32) -> Float32:
    """Return a b as the convolution is documented to sum it."""
    ends = input_blocks(a.shape[1])
    single = np.zeros((a.shape[0], b.shape[1]), np.float32)
    double = single.copy()
    for first, stop in itertools.pairwise(ends):
        eights = first + (stop - first) // 8 * 8
        single += chain(a, b, list(range(first, stop)))
        even = [*range(first, eights, 2), *range(eights, stop)]
        double += chain(a, b, even) + chain(a, b, list(range(first + 1, eights, 2)))
    two_chains = np.repeat(order_blocks(a.shape[0], b.shape[1]), 8, axis=1)[:, : b.shape[1]]
    return np.where(two_chains, double, single)


def with_ones(a: Float32) -> Float32:
    a[:, -1] = 1
    return a


def test_convolution_by_hand() -> None:
    image = np.array([[1, 2, 3], [4, 5, 6]], np.float32)[None, None]
    # Weights column by column: kernel [[1, 10], [100, 1000]], bias 0.5.
    layer = Convolution(np.array([[1, 100, 10, 1000, 0.5]], np.float32), (2, 2))
    expected = [[1 + 20 + 400 + 5000 + 0.5, 2 + 30 + 500 + 6000 + 0.5]]
    assert layer(image)[0, 0].tolist() == expected


def test_order_of_sums_decides_what_is_lost() -> None:
    a = np.array([[2**24, 1, 1, -(2**24), 0, 0, 0, 0, 1]] * 4, np.float32)
    b = np.ones((9, 9), np.float32)
    b[8] = 0
    # One chain loses both ones one by one; apart from 2^24, the odd chain keeps its own.
    result = as_convolution(a, b)
    assert result[:, 8].tolist() == [0] * 4
    assert result[:, :8].tolist() == [[2.0**24 + (1 - 2.0**24)] * 8] * 4
    assert chain(a, b, list(range(9)))[0, 0] == 0


@pytest.mark.parametrize(("rows", "inputs", "columns"), SHAPES)
def test_convolution_equals_its_twin(rows: int, inputs: int, columns: int) -> None:
    rng = np.random.default_rng(inputs)
    a, b = with_ones(coarse(rng, rows, inputs)), coarse(rng, inputs, columns)
    np.testing.assert_array_equal(as_convolution(a, b), product_twin(a, b))


@pytest.mark.parametrize(
    ("maps", "size", "outputs", "pictures", "height", "width"),
    [
        *[(1, (9, 9), 10, 1, 60, 60), (10, (7, 7), 10, 1, 26, 26)],  # the validator
        *[(3, (3, 3), 28, 3, 12, 13), (9, (3, 3), 33, 2, 9, 11), (16, (3, 3), 24, 3, 5, 5)],
        *[(41, (2, 2), 64, 7, 4, 4), (2, (3, 1), 6, 2, 8, 9), (3, (1, 3), 11, 1, 5, 10)],
    ],
)
def test_convolution_of_pictures_equals_its_twin(
    maps: int, size: tuple[int, int], outputs: int, pictures: int, height: int, width: int
) -> None:
    rng = np.random.default_rng(maps)
    inputs = maps * size[0] * size[1] + 1
    layer = Convolution(coarse(rng, outputs, inputs), size)
    x = coarse(rng, maps, pictures, height, width)
    result = layer(x)
    windows = np.lib.stride_tricks.sliding_window_view(x, size, axis=(2, 3))
    for i in range(pictures):
        positions = windows[:, i].transpose(1, 2, 0, 4, 3).reshape(-1, inputs - 1)
        rows = np.append(positions, np.ones((len(positions), 1), np.float32), axis=1)
        expected = product_twin(rows, layer.weights.T)
        np.testing.assert_array_equal(result[:, i].reshape(outputs, -1).T, expected)


def test_strips_by_hand() -> None:
    x = np.arange(12, dtype=np.float32).reshape(1, 2, 2, 3)
    strips = np.empty(3 * 8 + 8, np.float32)
    kernels.cut_strips(x, 2, strips)
    expected = [0, 1, 3, 4, 6, 7, 9, 10, 1, 2, 4, 5, 7, 8, 10, 11]
    assert strips.tolist() == expected + [1] * 8 + [0] * 8


@pytest.mark.parametrize("width", [9, 10, 17, 19, 26])
def test_strips_of_wide_maps(width: int) -> None:
    x = np.random.default_rng(width).standard_normal((2, 3, 4, width)).astype(np.float32)
    inner = width - 2
    strips = np.empty(7 * 12 * inner + 8, np.float32)
    kernels.cut_strips(x, 3, strips)
    expected = np.stack([x[..., dx : dx + inner] for dx in range(3)], axis=1)
    np.testing.assert_array_equal(strips[: 72 * inner], expected.ravel())


def test_runs_are_covered_by_vectors_of_eight() -> None:
    chosen = np.array([0, 1, 1, 0, *[1] * 17, 0, 0, 1], np.bool_)
    assert kernels.cover(chosen).tolist() == [[1, 2], [4, 8], [12, 8], [20, 1], [23, 1]]
    assert kernels.cover(~np.ones(5, np.bool_)).shape == (0, 2)


@settings(max_examples=60, deadline=None)
@given(positions=st.integers(1, 300), outputs=st.integers(1, 70))
def test_jobs_give_each_element_its_order_once_per_job(positions: int, outputs: int) -> None:
    orders = np.full((positions, outputs), -1)
    jobs, vectors = _jobs(positions, outputs)
    for first, stop, order, begin, end in jobs:
        places = [at + i for at, length in vectors[begin:end] for i in range(length)]
        assert len(set(places)) == len(places)  # sums of several blocks are added in place
        orders[places, first:stop] = order
    expected = np.repeat(order_blocks(positions, outputs), 8, axis=1)[:, :outputs]
    np.testing.assert_array_equal(orders, expected)


def test_convolution_equals_the_blas_of_the_reference(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    if platform.machine().lower() not in ("x86_64", "amd64"):
        pytest.skip("the kernels that the reference used run on x86-64 alone")
    rng = np.random.default_rng(7)
    pairs = [
        (
            with_ones(rng.standard_normal((p, k)).astype(np.float32)),
            rng.standard_normal((k, q)).astype(np.float32),
        )
        for p, k, q in SHAPES
    ]
    arrays = {
        f"{name}{i}": x for i, pair in enumerate(pairs) for name, x in zip("ab", pair, strict=True)
    }
    np.savez(tmp_path / "in.npz", **arrays)
    command = [sys.executable, "-c", BLAS, str(tmp_path / "in.npz"), str(tmp_path / "out.npz")]
    threads = {"OPENBLAS_CORETYPE": "Haswell", "OPENBLAS_NUM_THREADS": "1"}
    subprocess.run(command, env=os.environ | threads, check=True, timeout=60)
    if not (tmp_path / "out.npz").exists():
        pytest.skip("SciPy is not built with OpenBLAS")
    results = np.load(tmp_path / "out.npz")
    for i, (a, b) in enumerate(pairs):
        np.testing.assert_array_equal(as_convolution(a, b), results[f"arr_{i}"], str(SHAPES[i]))


@settings(max_examples=25, deadline=None)
@given(
    maps=st.integers(1, 4),
    outputs=st.integers(1, 17),
    pictures=st.integers(1, 4),
    height=st.integers(3, 30),
    width=st.integers(2, 30),
    seed=st.integers(0, 2**32 - 1),
)
def test_pictures_do_not_see_each_other(
    maps: int, outputs: int, pictures: int, height: int, width: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    layer = Convolution(coarse(rng, outputs, maps * 6 + 1), (3, 2))
    x = coarse(rng, maps, pictures, height, width)
    together = layer(x)
    for i in range(pictures):
        alone = layer(np.ascontiguousarray(x[:, i : i + 1]))
        np.testing.assert_array_equal(together[:, i : i + 1], alone)
    windows = np.lib.stride_tricks.sliding_window_view(x.astype(np.float64), (3, 2), axis=(2, 3))
    kernels = layer.weights[:, :-1].reshape(outputs, maps, 2, 3).astype(np.float64)
    exact = np.einsum("mnijab,omba->onij", windows, kernels)
    exact += layer.weights[:, -1, None, None, None]
    np.testing.assert_allclose(together, exact, atol=1e-4)


def test_blocks_of_inputs() -> None:
    assert input_blocks(320).tolist() == [0, 320]
    assert input_blocks(577).tolist() == [0, 288, 577]
    assert input_blocks(491).tolist() == [0, 248, 491]
    assert input_blocks(1152).tolist() == [0, 320, 640, 896, 1152]


def test_max_pool_clips_its_windows_at_the_border() -> None:
    x = np.arange(25, dtype=np.float32).reshape(1, 1, 5, 5)
    assert MaxPool((2, 2), (2, 2))(x)[0, 0].tolist() == [[6, 8, 9], [16, 18, 19], [21, 23, 24]]
    assert MaxPool((3, 3), (2, 2))(-x)[0, 0].tolist() == [[0, -2], [-10, -12]]


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    step=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    more=st.tuples(st.integers(0, 40), st.integers(0, 40)),
    seed=st.integers(0, 2**32 - 1),
)
def test_max_pool_equals_its_twin(
    size: tuple[int, int], step: tuple[int, int], more: tuple[int, int], seed: int
) -> None:
    """Of equal values, 0 and -0 among them, the first of a window is taken."""
    step = min(step[0], size[0]), min(step[1], size[1])
    shape = size[0] + more[0], size[1] + more[1]
    x = np.random.default_rng(seed).choice(np.float32([-1, -0.0, 0, 0.5]), (2, 3, *shape))
    x[0] -= np.float32(0.25)
    x[1, 0] = np.minimum(x[1, 0], np.float32(-0.0))
    out = MaxPool(size, step)(x)
    expected = np.empty_like(out)
    for c, n, i, j in np.ndindex(out.shape):
        y, left = i * step[0], j * step[1]
        window = x[c, n, y : y + size[0], left : left + size[1]]
        expected[c, n, i, j] = max(window.ravel().tolist())
    np.testing.assert_array_equal(out, expected)
    np.testing.assert_array_equal(np.signbit(out), np.signbit(expected))


def test_rectifier() -> None:
    x = np.array([[-2, 3], [-4, 5]], np.float32)
    slopes = np.array([0.5, 0.25], np.float32)
    assert Rectifier()(x.copy()).tolist() == [[0, 3], [0, 5]]
    special = Rectifier()(np.array([[-0.0, 0, np.inf, -np.inf, np.nan]], np.float32))
    np.testing.assert_array_equal(special, [[0, 0, np.inf, 0, np.nan]])
    assert not np.signbit(special[0, :2]).any()
    assert Rectifier(slopes)(x.copy()).tolist() == [[-1, 3], [-2, 5]]
    maps = Rectifier(slopes)(x.reshape(2, 1, 1, 2).copy())
    assert maps.reshape(2, 2).tolist() == [[-1, 3], [-1, 5]]


def test_few_outputs_are_summed_in_double_many_are_not() -> None:
    vector = np.array([[2**24, 1, -(2**24)]], np.float32)
    for outputs, expected in ((99, 1), (100, 0)):
        layer = Dense(np.ones((3, outputs), np.float32), np.zeros(outputs, np.float32))
        assert layer(vector).tolist() == [[expected] * outputs]


def test_dense_flattens_each_map_column_by_column() -> None:
    maps = np.array([[1, 10], [100, 1000]], np.float32)[None, None]
    weights = np.diag([1, 2, 3, 4]).astype(np.float32)
    assert Dense(weights, np.ones(4, np.float32))(maps).tolist() == [[2, 201, 31, 4001]]


def test_dense_on_positions() -> None:
    maps = np.array([[1, 2], [10, 20]], np.float32).reshape(2, 1, 1, 2)
    layer = Dense(np.array([[1, 2, 3], [1, 1, 0]], np.float32), np.array([0, 1, 2], np.float32))
    assert layer(maps).reshape(3, 2).tolist() == [[11, 22], [13, 25], [5, 8]]


@pytest.mark.parametrize(
    ("inputs", "outputs", "pictures"),
    [(37, 128, 3), (576, 128, 3), (1152, 128, 3), (330, 101, 1), (20, 109, 6)],
)
def test_large_dense_equals_its_twin(inputs: int, outputs: int, pictures: int) -> None:
    rng = np.random.default_rng(inputs)
    weights, bias = coarse(rng, inputs, outputs), coarse(rng, outputs)
    vectors = coarse(rng, pictures, inputs)
    expected = np.broadcast_to(bias, (pictures, outputs)).copy()
    ends = input_blocks(inputs)
    for first, stop in itertools.pairwise(ends):
        expected += chain(vectors, weights, list(range(first, stop)))
    np.testing.assert_array_equal(Dense(weights, bias)(vectors), expected)


def test_wrong_input_is_named() -> None:
    layer = Convolution(np.zeros((4, 19), np.float32), (3, 3))
    with pytest.raises(InputError, match=r"x: expected 2 maps of at least 3x3, got 3 of 5x5"):
        layer(np.zeros((3, 1, 5, 5), np.float32))
    with pytest.raises(InputError, match=r"x: expected 2 maps of at least 3x3, got 2 of 5x2"):
        layer(np.zeros((2, 1, 5, 2), np.float32))
    with pytest.raises(InputError, match="x: expected 7 values per picture, got 8"):
        Dense(np.zeros((7, 2), np.float32), np.zeros(2, np.float32))(np.zeros((1, 8), np.float32))


def test_unknown_layer_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.dat"
    path.write_bytes(struct.pack("<ii", 1, 4))
    with pytest.raises(WeightsError, match=r"net\.dat: no layer is of type 4"):
        read_network(BinaryReader(path))


def test_file_that_ends_early_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.dat"
    path.write_bytes(struct.pack("<iiii", 1, 0, 1, 1000))
    with pytest.raises(WeightsError, match="ends early"):
        read_network(BinaryReader(path))
