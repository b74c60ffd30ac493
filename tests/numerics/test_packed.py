"""Products of packed matrices: by hand, and against the documented order of sums."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.numerics.cnn import input_blocks
from pyfaceau.numerics.gemm import order_blocks
from pyfaceau.numerics.packed import TILE, pack, product, tile_orders
from tests.numerics.test_cnn import coarse, product_twin

F32 = np.float32


def multiply(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return a b, with `a` somewhere within a larger array."""
    rows, inputs = a.shape
    columns = b.shape[1]
    stride = -(-columns // 8) * 8
    x = np.zeros((inputs, stride + 8), F32)
    x[:, :columns] = b
    out = np.empty((-(-rows // TILE) * TILE, stride), F32)
    weights = np.concatenate([np.full(3, np.nan, F32), pack(a)])
    product(
        weights, 3, a.shape, input_blocks(inputs), tile_orders(rows, columns), x.ravel(),
        stride + 8, out.reshape(-1), stride,
    )  # fmt: skip
    return out[:rows, :columns]


def test_packing_by_hand() -> None:
    packed = pack(np.arange(14, dtype=F32).reshape(7, 2))
    assert packed.tolist() == [0, 2, 4, 6, 8, 10, 1, 3, 5, 7, 9, 11, 12, *[0] * 5, 13, *[0] * 5]


def test_product_by_hand() -> None:
    a = np.array([[1, 2, 3], [4, 5, 6]], F32)
    b = np.array([[1, 0], [0, 1], [10, 100]], F32)
    assert multiply(a, b).tolist() == [[31, 302], [64, 605]]


def test_orders_of_a_tile_that_mixes_them() -> None:
    """Of seven rows four take two chains in whole groups; the last tile's filler does not count."""
    assert tile_orders(7, 12).tolist() == [[0b1111, 0], [0, 0]]
    assert tile_orders(16, 8)[2].tolist() == [0b111111]


@pytest.mark.parametrize("columns", [12, 24, 40, 60, 120])
@pytest.mark.parametrize(("rows", "inputs"), [(300, 122), (100, 300), (50, 100), (1, 50)])
def test_networks_of_the_published_widths(rows: int, inputs: int, columns: int) -> None:
    rng = np.random.default_rng(rows + columns)
    a, b = coarse(rng, rows, inputs), coarse(rng, inputs, columns)
    np.testing.assert_array_equal(multiply(a, b), product_twin(a, b))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 700), st.integers(1, 40))
def test_any_shape_has_the_documented_order(rows: int, inputs: int, columns: int) -> None:
    rng = np.random.default_rng(inputs)
    a, b = coarse(rng, rows, inputs), coarse(rng, inputs, columns)
    np.testing.assert_array_equal(multiply(a, b), product_twin(a, b))
    np.testing.assert_allclose(multiply(a, b), a @ b, rtol=1e-3, atol=1e-3)


@given(st.integers(1, 60), st.integers(1, 60))
def test_orders_are_those_of_the_product(rows: int, columns: int) -> None:
    codes = tile_orders(rows, columns)
    bits = codes[:, None] >> np.arange(TILE, dtype=np.uint8)[:, None] & 1
    per_row = bits.reshape(-1, codes.shape[1])[:rows]
    np.testing.assert_array_equal(per_row, order_blocks(rows, columns))
