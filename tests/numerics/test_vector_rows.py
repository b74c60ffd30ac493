"""Rows of vectors and float64 lanes in kernels: every lane is numpy's result."""

from __future__ import annotations

import numpy as np
import pytest

from pyfaceau.numerics import _vector_rows as rows
from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics._vector import WIDTH, load, store
from pyfaceau.types import Float32, Float64


@kernel
def _sum_rows(a: Float32, b: Float32, out: Float32) -> None:
    once = rows.fma_rows(a, 1, load(b, 0), rows.zero_rows(3))
    rows.store_rows(out, 0, WIDTH, rows.add_rows(once, rows.fma_rows(a, 2, load(b, 1), once)))


@kernel
def _turn(block: Float32, out: Float32) -> None:
    lines = (
        load(block, 0), load(block, 8), load(block, 16), load(block, 24),
        load(block, 32), load(block, 40), load(block, 48), load(block, 56),
    )  # fmt: skip
    rows.store_rows(out, 0, WIDTH, rows.transpose(lines))


@kernel
def _wide(a: Float32, b: Float64, out: Float64, rounded: Float32) -> None:
    x, y = rows.widen(load(a, 1)), rows.load_wide(b, 2)
    rows.store_wide(out, 0, x - y)
    rows.store_wide(out, WIDTH, x * y)
    store(rounded, 0, rows.narrow(y))
    store(rounded, WIDTH, rows.fill(a[3]))


@pytest.fixture
def numbers() -> Float32:
    return np.random.default_rng(8).standard_normal((2, 64)).astype(np.float32)


def test_each_row_has_its_own_factor_and_rounds_once(numbers: Float32) -> None:
    a, b = numbers
    out = np.empty((3, WIDTH), np.float32)
    _sum_rows(a, b, out.reshape(-1))
    first = a[1:4, None] * b[None, :8]
    second = np.outer(a[2:5].astype(np.float64), b[1:9].astype(np.float64)) + first
    np.testing.assert_array_equal(out, first + second.astype(np.float32))


def test_a_block_is_transposed(numbers: Float32) -> None:
    out = np.empty((8, 8), np.float32)
    _turn(numbers[0], out.reshape(-1))
    np.testing.assert_array_equal(out, numbers[0].reshape(8, 8).T)


def test_float64_lanes_are_numpys(numbers: Float32) -> None:
    a, b = numbers[0], numbers[1].astype(np.float64) / 3
    out, rounded = np.empty((2, WIDTH)), np.empty((2, WIDTH), np.float32)
    _wide(a, b, out.reshape(-1), rounded.reshape(-1))
    x, y = a[1:9].astype(np.float64), b[2:10]
    np.testing.assert_array_equal(out, [x - y, x * y])
    np.testing.assert_array_equal(rounded, [y.astype(np.float32), np.full(8, a[3])])
