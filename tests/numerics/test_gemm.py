"""Matrix products: the two orders by hand, chains of rounded steps, which element takes which."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyfaceau.numerics.gemm import matvec, normal_matrix, order_blocks, transposed_matvec
from pyfaceau.types import Float32


def coarse(seed: int, *shape: int) -> Float32:
    """Return numbers of 11 bits: a product and a sum of one are exact in float64."""
    numbers = np.random.default_rng(seed).standard_normal(shape)
    return numbers.astype(np.float16).astype(np.float32)


def chain(a: Float32, b: Float32, order: list[int]) -> Float32:
    """Return the sum over k in order of a[k]' b[k], each step rounded to float32."""
    total = np.zeros((a.shape[1], b.shape[1]), np.float32)
    for k in order:
        step = np.outer(a[k].astype(np.float64), b[k].astype(np.float64)) + total
        total = step.astype(np.float32)
    return total


def normal_twin(weighted: Float32, jacobian: Float32, diagonal: Float32) -> Float32:
    """Return (W J)' J + diag, every element in its order."""
    count, n = jacobian.shape
    eights = count // 8 * 8
    single = chain(weighted, jacobian, list(range(count)))
    even = chain(weighted, jacobian, [*range(0, eights, 2), *range(eights, count)])
    odd = chain(weighted, jacobian, list(range(1, eights, 2)))
    two = np.repeat(order_blocks(n, n), 8, axis=1)[:, :n]
    return np.where(two, even + odd, single) + np.diag(diagonal)


def normal(weighted: Float32, jacobian: Float32, diagonal: Float32) -> Float32:
    """Return the lower triangle that the kernel fills, zero above it."""
    n = jacobian.shape[1]
    out = np.full((n, n), np.nan, np.float32)
    normal_matrix(weighted, jacobian, diagonal, order_blocks(n, n), out)
    return np.tril(out)


def test_orders_of_the_models_matrices() -> None:
    rows = np.arange(40)
    first = np.isin(rows // 6, (0, 2, 4))
    want = np.zeros((40, 5), bool)  # 68 points: 6 rigid and 34 other parameters
    want[:36, 0], want[:36, 4], want[36:] = first[:36], ~first[:36], True
    np.testing.assert_array_equal(order_blocks(40, 40), want)
    want = np.zeros((38, 5), bool)  # inner face
    want[:36, 0] = want[:36, 3] = first[:36]
    np.testing.assert_array_equal(order_blocks(38, 38), want)
    want = np.ones((16, 2), bool)  # an eye
    want[6:12] = False
    np.testing.assert_array_equal(order_blocks(16, 16), want)
    assert not order_blocks(6, 6).any()  # rigid


def test_orders_by_hand() -> None:
    # 2^24 + 1 = 2^24 in float32: one chain loses both ones, two chains keep what is odd.
    weighted = np.zeros((8, 16), np.float32)
    weighted[:4] = np.array([2**24, 1, 1, -(2**24)], np.float32)[:, None]
    got = normal(weighted, np.ones((8, 16), np.float32), np.full(16, 0.5, np.float32))
    assert got[7, 0] == 0
    assert got[4, 0] == 2.0**24 + (1 - 2.0**24)
    assert got[7, 7] == 0.5


@pytest.mark.parametrize(
    ("n", "count"),
    [
        (40, 136), (38, 102), (16, 56), (16, 12), (6, 136), (6, 12), (16, 7),
        (7, 9), (8, 16), (9, 20), (13, 24), (23, 17),
    ],
)  # fmt: skip
def test_normal_matrix_equals_its_twin(n: int, count: int) -> None:
    weighted, jacobian = coarse(n, count, n), coarse(n + 1, count, n)
    diagonal = np.abs(coarse(n + 2, n))
    np.testing.assert_array_equal(
        normal(weighted, jacobian, diagonal), np.tril(normal_twin(weighted, jacobian, diagonal))
    )


@pytest.mark.parametrize(("rows", "inner"), [(204, 34), (153, 32), (84, 10), (1, 1)])
def test_matrix_times_vector_equals_its_twin(rows: int, inner: int) -> None:
    a, x, c = coarse(1, rows, inner), coarse(2, inner), coarse(3, rows)
    out = np.empty(rows, np.float32)
    matvec(np.ascontiguousarray(a.T), x, c, out)
    twin = chain(np.ascontiguousarray(a.T), x[:, None], list(range(inner)))[:, 0] + c
    np.testing.assert_array_equal(out, twin)


def test_an_empty_sum_is_what_is_added() -> None:
    out = np.empty(3, np.float32)
    matvec(np.empty((0, 3), np.float32), np.empty(0, np.float32), np.arange(3, dtype="f4"), out)
    assert out.tolist() == [0, 1, 2]
    identity = normal(np.zeros((0, 6), "f4"), np.zeros((0, 6), "f4"), np.ones(6, np.float32))
    np.testing.assert_array_equal(identity, np.eye(6))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 136), st.integers(1, 40))
def test_transposed_product_is_rounded_once(seed: int, count: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    a = rng.standard_normal((count, columns)).astype(np.float32)
    x = rng.standard_normal(count).astype(np.float32)
    out = np.empty(columns, np.float32)
    transposed_matvec(a, x, np.empty(columns), out)
    exact = a.astype(np.float64) * x.astype(np.float64)[:, None]
    np.testing.assert_array_equal(out, np.add.accumulate(exact)[-1].astype(np.float32))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 136), st.sampled_from([6, 16, 38, 40]))
def test_normal_matrix_is_near_the_true_product(seed: int, count: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    weighted, jacobian = rng.standard_normal((2, count, n)).astype(np.float32)
    diagonal = rng.uniform(0, 2, n).astype(np.float32)
    true = weighted.T.astype(np.float64) @ jacobian + np.diag(diagonal)
    np.testing.assert_allclose(normal(weighted, jacobian, diagonal), np.tril(true), atol=2e-4)
