"""Vectors of eight floats in kernels: every lane is numpy's result."""

from __future__ import annotations

import numpy as np
import pytest

from pyfaceau.numerics._jit import kernel
from pyfaceau.numerics._vector import (
    WIDTH,
    fma8,
    larger,
    load,
    load_apart,
    spread,
    store,
    zeros,
)
from pyfaceau.types import Float32


@kernel
def _all_operations(a: Float32, b: Float32, at: int, out: Float32) -> None:
    x, y = load(a, at), load(b, at)
    store(out, 0, x + y)
    store(out, WIDTH, x - y)
    store(out, 2 * WIDTH, x * y)
    store(out, 3 * WIDTH, spread(a, at))
    store(out, 4 * WIDTH, fma8(x, y, spread(b, at)))
    store(out, 5 * WIDTH, zeros())


@pytest.mark.parametrize("at", [0, 1, 5])
def test_every_lane_is_numpys(at: int) -> None:
    """Also from places that no vector is aligned to; the fused product rounds once."""
    a, b = np.random.default_rng(at).normal(size=(2, 16)).astype(np.float32)
    out = np.full(6 * WIDTH, np.nan, np.float32)
    _all_operations(a, b, at, out)
    x, y = a[at : at + WIDTH], b[at : at + WIDTH]
    fused = (x.astype(float) * y + float(b[at])).astype(np.float32)
    expected = [x + y, x - y, x * y, np.full(WIDTH, a[at]), fused, np.zeros(WIDTH)]
    np.testing.assert_array_equal(out.reshape(6, WIDTH), np.array(expected, np.float32))


def test_a_product_is_rounded_before_a_sum_but_not_within_a_fused_one() -> None:
    """With x = 1 + 2^-23: x * x - 1 - 2^-22 is 2^-46, but 0 where the product is rounded."""
    x = np.float32(1 + 2**-23)
    out = np.empty(6 * WIDTH, np.float32)
    a = np.full(WIDTH, x)
    _fused_and_not(a, np.full(WIDTH, -(1 + 2**-22), np.float32), out)
    np.testing.assert_array_equal(out[:WIDTH], np.full(WIDTH, 2.0**-46, np.float32))
    np.testing.assert_array_equal(out[WIDTH : 2 * WIDTH], np.zeros(WIDTH, np.float32))


@kernel
def _fused_and_not(a: Float32, c: Float32, out: Float32) -> None:
    x, z = load(a, 0), load(c, 0)
    store(out, 0, fma8(x, x, z))
    store(out, WIDTH, x * x + z)


@kernel
def _apart_and_larger(a: Float32, b: Float32, at: int, out: Float32) -> None:
    x = load_apart(a, at)
    store(out, 0, x)
    store(out, WIDTH, larger(x, load(b, 0)))


def test_every_other_float_is_read() -> None:
    a, b, out = np.arange(17, dtype=np.float32), np.full(8, 7, np.float32), np.empty(16, np.float32)
    _apart_and_larger(a, b, 2, out)  # to the end of the array
    assert out.tolist() == [2, 4, 6, 8, 10, 12, 14, 16, 7, 7, 7, 8, 10, 12, 14, 16]


def test_of_two_neither_larger_the_second_is_taken() -> None:
    a, b = np.zeros(15, np.float32), np.zeros(8, np.float32)
    a[::2] = [0, -0.0, np.nan, 1, np.nan, 2, -1, np.inf]
    b[:] = [-0.0, 0, 1, np.nan, np.nan, 3, -2, np.inf]
    out = np.empty(16, np.float32)
    _apart_and_larger(a, b, 0, out)
    expected = [max(y, x) for x, y in zip(a[::2].tolist(), b.tolist(), strict=True)]
    np.testing.assert_array_equal(out[8:], expected)
    np.testing.assert_array_equal(np.signbit(out[8:]), np.signbit(expected))
